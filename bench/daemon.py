"""A whole patrold against the farm: what it costs, how late it is, what it weighs."""
import csv
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIRST_ADDRESS = 0x7F010001
TICKS = os.sysconf("SC_CLK_TCK")
SETTINGS = """\
database: %(folder)s/patrold.db
socket: %(folder)s/s
log: warn
knowledge: [%(root)s/conf, %(root)s/bench/conf]
credentials: {bench: %(credential)s}
snmp: {timeout: %(timeout)s, retries: 3}
poll: {every: {status: %(every)s, counters: %(every)s, supplies: %(every)s, inventory: 1d}, ping: false}
report: {off: true}
"""


def service_environment():
    """What the service's unit adds to the environment."""
    with open(os.path.join(ROOT, "systemd", "patrold.service.in"), encoding="utf-8") as f:
        return dict(re.findall(r"^Environment=(\w+)=(.*)$", f.read(), re.M))


def address(i):
    a = FIRST_ADDRESS + i
    return "%d.%d.%d.%d" % (a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255)


class Daemon:
    """
    A fresh patrold in a folder of its own, pinned to a core, in the environment that its service has, and that knows
    `devices` devices of the farm at a port.
    """

    def __init__(self, build, devices, every, port, core, credential="{version: 2, community: public}",
                 timeout="1s"):
        self.build, self.devices = build, devices
        self.folder = tempfile.mkdtemp(prefix="patrold-bench-", dir=os.environ.get("BENCH_DIR"))
        settings = os.path.join(self.folder, "patrold.yaml")
        with open(settings, "w", encoding="utf-8") as f:
            f.write(SETTINGS % {"folder": self.folder, "root": ROOT, "every": every, "credential": credential,
                                "timeout": timeout})
        os.chmod(settings, 0o600)
        with open(os.path.join(self.folder, "log"), "wb") as log:
            # pylint: disable=consider-using-with # it lives on
            self.process = subprocess.Popen(["taskset", "-c", str(core), os.path.join(build, "patrold"), "-c", settings],
                                            stdout=log, stderr=log, env={**os.environ, **service_environment()})
        self.wait_for(lambda: os.path.exists(os.path.join(self.folder, "s")), 60, "patrold's start")
        self.take_over(port)

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait_for(self, condition, seconds, what):
        until = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("%s did not come:\n%s" % (what, self.log()[-1500:]))
            time.sleep(0.05)

    def ctl(self, *words):
        command = [os.path.join(self.build, "patrolctl"), "-s", os.path.join(self.folder, "s"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError("patrolctl %s: %s" % (" ".join(words), done.stderr[-500:]))
        return done.stdout

    def take_over(self, port):
        table = os.path.join(self.folder, "devices.csv")
        with open(table, "w", encoding="utf-8", newline="") as f:
            writer = csv.writer(f)
            writer.writerow(["name", "address", "port", "credential"])
            writer.writerows(["d%06d" % i, address(i), port, "bench"] for i in range(self.devices))
        self.ctl("device", "import", table, "--yes")

    def metrics(self):
        """Every sample by its name, labels and all."""
        samples = {}
        for line in self.ctl("metrics").splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                samples[name] = float(value)
        return samples

    def cpu_s(self):
        """Of all its threads, since its start."""
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_kb(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def all_read(self, seconds):
        """Waits until every device was polled whole at least once."""
        self.wait_for(lambda: self.devices_in("up") >= self.devices, seconds,
                      "an answer of all %d devices" % self.devices)

    def devices_in(self, state):
        return self.metrics().get('patrold_devices{state="%s"}' % state, 0)

    def measure(self, seconds):
        """What it does in so many seconds."""
        names = {"polls": "patrold_polls_total", "failed": "patrold_polls_failed_total",
                 "evaluations": "patrold_rule_evaluations_total", "stored": "patrold_store_readings_total",
                 "readings": "patrold_readings_total", "cells": "patrold_cells_total", "dropped": "patrold_store_polls_dropped_total"}
        before, cpu, began = self.metrics(), self.cpu_s(), time.monotonic()
        time.sleep(seconds)
        after, cpu, took = self.metrics(), self.cpu_s() - cpu, time.monotonic() - began
        result = {name: after[sample] - before[sample] for name, sample in names.items()}
        result.update(cpu_s=cpu, seconds=took, rss_kb=self.rss_kb())
        for key, sample in (("loop", "patrold_loop_latency_seconds"), ("poll", "patrold_poll_lateness_seconds"),
                            ("commit", "patrold_commit_lateness_seconds")):
            result[key + "_p99_ms"] = 1000 * after.get(sample + '{quantile="0.99"}', float("nan"))
        return result

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


if __name__ == "__main__":
    import sys
    d = Daemon(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), 1)
    try:
        d.all_read(120)
        time.sleep(float(sys.argv[6]) if len(sys.argv) > 6 else 5)
        m = d.measure(float(sys.argv[5]))
        m["us_per_poll"] = 1e6 * m["cpu_s"] / m["polls"]
        m["us_per_cell"] = 1e6 * m["cpu_s"] / m["cells"]
        m["eval_per_poll"] = m["evaluations"] / m["polls"]
        print(json.dumps(m, indent=1))
    finally:
        d.stop()
