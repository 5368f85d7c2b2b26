"""What the rows of bench/run measure with: responders, pollers, cores, and the figures that come of it."""
import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from typing import NamedTuple, Optional

from daemon import Daemon, ROOT

SHARED = os.path.join(os.path.dirname(ROOT), "shared", "bench")
USEFUL = 121  # values of a poll
LIBRARIES = {"agentfarm": [], "blast": [], "naive_async": ["-lnetsnmp"]}


class Skipped(Exception):
    """A row cannot be measured here, and why."""


class Figure(NamedTuple):
    """One line of the table. The bar is the most it may be, or with at_least the least."""
    key: str
    what: str
    value: float
    unit: str = ""
    bar: Optional[float] = None
    at_least: bool = False

    def met(self):
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def numbers(line):
    """The figures of a line of name=value."""
    return {k: float(v) for k, v in re.findall(r"([\w/]+)=(-?\d[\d.]*)", line)}


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", 0))
        return s.getsockname()[1]


class Instruments:
    """Built programs, pinned to cores: responders to the first, pollers to the second where there is one."""

    def __init__(self, build, smoke, say):
        self.build, self.smoke, self.say = build, smoke, say
        cores = sorted(os.sched_getaffinity(0))
        self.near, self.far = cores[-1], cores[0]
        self.folder = tempfile.mkdtemp(prefix="patrold-bench-tools-")
        self.shared = not smoke and os.path.isdir(SHARED) and self.compile()

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def compile(self):
        for name, libraries in LIBRARIES.items():
            done = subprocess.run(["cc", "-O2", "-w", "-o", os.path.join(self.folder, name),
                                   os.path.join(SHARED, name + ".c"), *libraries],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                self.say("%s can't be built: %s" % (name, done.stderr[-200:]))
                return False
        return True

    def program(self, name):
        path = os.path.join(self.folder if name in LIBRARIES else os.path.join(self.build, "bench"), name)
        if not os.path.exists(path):
            raise Skipped("there is no " + name)
        return path

    @contextlib.contextmanager
    def running(self, name, *options):
        """A responder, or something before one, as long as the block lasts."""
        command = ["taskset", "-c", str(self.far), self.program(name), *map(str, options)]
        with open(os.path.join(self.folder, "log"), "ab") as log, subprocess.Popen(command, stdout=log, stderr=log) as p:
            try:
                time.sleep(0.3)
                if p.poll() is not None:
                    raise RuntimeError(name + " did not start")
                yield p
            finally:
                p.send_signal(signal.SIGTERM)
                try:
                    p.wait(10)
                except subprocess.TimeoutExpired:
                    p.kill()

    @contextlib.contextmanager
    def awake(self):
        """
        No core sleeps as long as the block lasts: what has nothing better to do spins there. A core that wakes up from
        sleep runs slowly for a while, and to wake up the responder's costs who sends to it more than the sending.
        """
        with contextlib.ExitStack() as stack:
            for core in {self.near, self.far}:
                command = ["taskset", "-c", str(core), "chrt", "--idle", "0", "sh", "-c", "while :; do :; done"]
                stack.callback(stack.enter_context(subprocess.Popen(command)).kill)
            time.sleep(1)
            yield

    @contextlib.contextmanager
    def farm(self, *options, delay_ms=0, dead=0, own=False):
        """A farm at a free port: the shared one, or our own where that is asked for or all there is."""
        port = free_port()
        if own or not self.shared:
            if delay_ms:
                raise Skipped("../shared/bench is not there, and our own farm never waits")
            command = ["v3_farm", "-p", port, "-D", dead, *options]
        else:
            command = ["agentfarm", "--port", port, "--delay-ms", delay_ms, "--dead-pct", dead, *options]
        with self.running(*command):
            yield port

    def poll(self, name, *options, seconds=300, fails=False):
        """Runs a poller and gives what it printed; fails: it may end with an error."""
        command = ["taskset", "-c", str(self.near), self.program(name), *map(str, options)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
        lines = [x for x in done.stdout.splitlines() if "=" in x]
        if not lines or (done.returncode != 0 and not fails):
            raise RuntimeError("%s: %s" % (" ".join(command[3:]), (done.stdout + done.stderr)[-400:]))
        return numbers(lines[-1])

    def engine(self, port, devices, *options, at_once=1000, rounds=10, **more):
        return self.poll("engine_bench", "-p", port, "-d", devices, "-c", min(devices, at_once), "-n", rounds, *options,
                         **more)

    def n(self, port, devices=1000, rounds=10, options=()):
        """N: the best of the bare pollers, which is what others are compared with."""
        if not self.shared:
            raise Skipped("../shared/bench is not there")
        return self.poll("naive_async", "-m", "epoll", *options, "-p", port, "-d", devices, "-c", devices, "-n", rounds)

    @contextlib.contextmanager
    def daemon(self, devices, every, port, **more):
        d = Daemon(self.build, devices, every, port, self.near, **more)
        try:
            yield d
        finally:
            d.stop()


def median(samples, key):
    return statistics.median(s[key] for s in samples)
