#!/usr/bin/python3
"""Fifty honest devices are polled each second, then twenty hostile ones beside them, which answer as fast as they can:
with names that repeat, fall, go in circles or rise for ever, with 60 KB, with 128 numbers in a name, with nothing, fifty
times, or out of turn. The honest ones are asked at their moment all the same."""
import os
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import BUILD, Control, Site, fail, skip, wait_for  # noqa: E402

HONEST, HOSTILE, FIRST_HOSTILE = 50, 20, 256
BEFORE_S, MEANWHILE_S = 4, 8
MOST_SLIP = 0.1
SLEEP, OVERSLEPT, AROUND = 0.005, 0.02, 0.3
ANSWERED_LATE = 0.1
SETTINGS = """
poll: {every: {status: 1s, counters: 1s, supplies: 1s, inventory: 1s}, ping: false}
snmp: {timeout: 500ms, retries: 1}
"""


class Peers:
    """The devices; when each was asked, and what it was asked when it answered late."""

    def __init__(self):
        self.process = subprocess.Popen([os.path.join(BUILD, "tests/system/hostile_peer"), str(HONEST), str(HOSTILE)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.asked = {host: [] for host in [*range(HONEST), *range(FIRST_HOSTILE, FIRST_HOSTILE + HOSTILE)]}
        self.late = {host: [] for host in self.asked}
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            host, asked, answered = (int(word) for word in line.split())
            self.asked[host].append(asked / 1e9)
            if answered - asked > ANSWERED_LATE * 1e9:
                self.late[host].append((asked / 1e9, answered / 1e9))

    def was_reading(self, host, at):
        """A device that took so long to answer was still being read."""
        return any(begun < at < ended + AROUND for begun, ended in list(self.late[host]))

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Witness(threading.Thread):
    """Sleeps a little, over and over: what the machine makes late is not patrold's doing."""

    def __init__(self):
        super().__init__(daemon=True)
        self.late = []

    def run(self):
        while True:
            before = time.time()
            time.sleep(SLEEP)
            if time.time() - before > SLEEP + OVERSLEPT:
                self.late.append((before, time.time()))

    def was_late(self, at):
        return any(begun - AROUND < at < ended + AROUND for begun, ended in list(self.late))


def add(control, host, port, name):
    answer = control.command("device.add", name="%s-%d" % (name, host), port=port, credential="public",
                             address="127.41.%d.%d" % divmod(host + 1, 256))
    if "ok" not in answer:
        fail("device.add: %s" % answer)


def moment_of(times):
    """The fraction of a second at which a device is asked."""
    around = times[-1] % 1
    return (around + statistics.median((t - around + 0.5) % 1 - 0.5 for t in times)) % 1


def slips(peers, moments, begun, ended, witness):
    """How late or early each poll began, in seconds; of one that did not, a whole second."""
    found = []
    for host, moment in moments.items():
        due = int(begun) + 1 + moment
        while due < ended - 1:
            near = [abs(t - due) for t in peers.asked[host] if abs(t - due) < 0.5]
            if not witness.was_late(due) and not peers.was_reading(host, due):
                found.append(min(near) if near else 1.0)
            due += 1
    return sorted(found)


def measure(name, site, peers, witness, moments, seconds):
    """Says how it was; gives the slip that 99 in a hundred polls have at most."""
    begun, cpu = time.time(), cpu_of(site)
    time.sleep(seconds)
    if not moments:
        lately = {host: [t for t in peers.asked[host] if t > begun] for host in range(HONEST)}
        moments.update({host: moment_of(times) for host, times in lately.items() if times})
    found, took = slips(peers, moments, begun, time.time(), witness), time.time() - begun
    if len(found) < HONEST:
        return None
    most = [1e3 * found[len(found) * part // 100] for part in (50, 90, 99)]
    print("%s: %d polls, slip %.1f ms in the middle, of 90 in a hundred %.1f ms at most, of 99 %.1f ms, of all %.1f ms;"
          " %.0f %% of a core" % (name, len(found), *most, 1e3 * found[-1], 100 * (cpu_of(site) - cpu) / took))
    return most[2] / 1e3


def cpu_of(site):
    with open("/proc/%d/stat" % site.process.pid, encoding="ascii") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def lost_by(site):
    """Packets that the kernel threw away, since patrold's sockets were full."""
    folder, inodes, lost = "/proc/%d/fd" % site.process.pid, set(), 0
    for fd in os.listdir(folder):
        at = os.readlink(os.path.join(folder, fd))
        if at.startswith("socket:["):
            inodes.add(at[len("socket:["):-1])
    with open("/proc/net/udp", encoding="ascii") as f:
        for line in f.readlines()[1:]:
            words = line.split()
            lost += int(words[-1]) if words[9] in inodes else 0
    return lost


def up(control, name):
    return sum(d["state"] == "up" and d["name"].startswith(name) for d in control.rows("live"))


def main():
    site, peers, witness, moments = Site(settings=SETTINGS), Peers(), Witness(), {}
    witness.start()
    try:
        site.start()
        control = Control(site.socket)
        for host in range(HONEST):
            add(control, host, peers.port, "honest")
        wait_for("the honest ones", lambda: up(control, "honest") == HONEST, 60)
        alone = measure("alone", site, peers, witness, moments, BEFORE_S)
        for host in range(FIRST_HOSTILE, FIRST_HOSTILE + HOSTILE):
            add(control, host, peers.port, "hostile")
        meanwhile = measure("meanwhile", site, peers, witness, moments, MEANWHILE_S)
        lost = lost_by(site)
        if alone is None or meanwhile is None or alone > MOST_SLIP:
            skip("this machine is too busy to say who is late")
        if meanwhile > MOST_SLIP and lost > 0:
            skip("this machine is too slow to take all that the hostile ones say: %d packets were lost" % lost)
        if meanwhile > MOST_SLIP:
            fail("the honest ones are asked up to %.0f ms beside their moment" % (1e3 * meanwhile))
        unasked = [host for host, times in peers.asked.items() if len(times) < MEANWHILE_S]
        if unasked:
            fail("these were hardly asked: %s" % unasked)
        if up(control, "honest") != HONEST:
            fail("an honest one is down")
        control.close()
        site.stop()
    finally:
        site.end()
        peers.stop()


if __name__ == "__main__":
    main()
