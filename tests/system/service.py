#!/usr/bin/python3
"""patrold as a service: the installed files, how far the unit shuts it in, and its life under a real systemd in
namespaces of its own: ready, reloaded, a reload refused, hung and killed by the watchdog, stopped; and the socket for
traps, which outlives it and starts it."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import BUILD, HERE, fail, skip, wait_for  # noqa: E402
from informer import is_answered  # noqa: E402

MOST_EXPOSURE = 1.4
# Places that the unit hides from its service.
HIDDEN = ("/tmp/", "/var/tmp/", "/home/", "/root/", "/run/")
TARGET = """[Unit]
Description=What a machine for tests has
Requires=systemd-journald.service
After=systemd-journald.service
"""
# The test does not wait half a minute for the watchdog, and its machine has nothing to wait for at the start.
DROP_IN = """[Unit]
DefaultDependencies=no
Wants=
After=systemd-journald.service
[Service]
WatchdogSec=2s
TimeoutAbortSec=1s
RestartSec=100ms
"""
# Not port 162, which the test's machine shares with the one that it runs on.
SOCKET_DROP_IN = """[Unit]
DefaultDependencies=no
[Socket]
ListenDatagram=
ListenDatagram=%d
"""
SENDER = "127.21.9.9"
SETTINGS = """
poll: {every: {status: 1s}, ping: false} # the loopback answers pings for whoever is silent
snmp: {timeout: 300ms, retries: 0}
credentials: {public: {version: 2, community: public}}
rules:
  unreachable: {clear_hold: 1s}
"""


def run(*words, check=True, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, **more)
    if check and done.returncode != 0:
        fail("%s: exit %d: %s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
    return done


class Installation:
    """What `make install` puts where."""

    def __init__(self, folder):
        self.root = os.path.join(folder, "dest")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
        run("make", "-s", "install", "DESTDIR=" + self.root, cwd=BUILD, env=environment)
        self.files = sorted(os.path.relpath(os.path.join(at, name), self.root)
                            for at, _, names in os.walk(self.root) for name in names)

    def path(self, end):
        """Where a file went, without the root."""
        found = [f for f in self.files if ("/" + f).endswith("/" + end)]
        if len(found) != 1:
            fail("%s is installed as %s" % (end, found or "nothing"))
        return "/" + found[0]

    def text(self, end):
        with open(self.root + self.path(end), encoding="utf-8") as f:
            return f.read()


def check_files(installed):
    for end in ("sbin/patrold", "bin/patrolctl", "systemd/system/patrold.service", "systemd/system/patrold.socket", "sysusers.d/patrold.conf",
                "tmpfiles.d/patrold.conf", "sysctl.d/50-patrold.conf", "systemd/catalog/patrold.catalog",
                "man8/patrold.8", "man1/patrolctl.1", "patrold/kinds.yaml"):
        installed.path(end)
    unit = installed.text("systemd/system/patrold.service")
    listening = installed.text("systemd/system/patrold.socket").splitlines()
    if "ListenDatagram=162" not in listening or "BindIPv6Only=both" not in listening:
        fail("the socket listens at %s" % listening)
    for line in ("ExecStart=" + installed.path("sbin/patrold"), "Type=notify", "PrivateDevices=yes"):
        if line not in unit.splitlines():
            fail("the unit has no line %s:\n%s" % (line, unit))
    if "@" in unit.replace("@system-service", "").replace("@privileged", "").replace("@resources", ""):
        fail("the unit has places that were not filled in:\n" + unit)


def check_exposure(installed, name):
    unit = installed.root + installed.path("systemd/system/" + name)
    said = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit).stdout
    exposure = float(re.search(r"exposure level for %s: ([0-9.]+)" % re.escape(name), said).group(1))
    if exposure > MOST_EXPOSURE:
        fail("%s is exposed by %s, more than %s:\n%s" % (name, exposure, MOST_EXPOSURE, said))
    return exposure


def check_catalog(installed, folder):
    """systemd takes the catalogue."""
    where = os.path.join(folder, "catalog-root")
    os.makedirs(os.path.join(where, "usr/lib/systemd/catalog"))
    shutil.copy(installed.root + installed.path("systemd/catalog/patrold.catalog"),
                os.path.join(where, "usr/lib/systemd/catalog"))
    os.makedirs(os.path.join(where, "var/lib/systemd/catalog"))
    said = run("journalctl", "--update-catalog", "--root", where).stderr
    if "patrold" in said:
        fail("the catalogue: " + said)


class Machine:
    """systemd as process 1 of its own, with the installation laid over this system's files."""

    def __init__(self, folder, installed):
        self.folder = folder
        for name in ("root", "memory", "units"):
            os.makedirs(os.path.join(folder, name))
        os.makedirs(os.path.join(folder, "units", "patrold.service.d"))
        self.write("units/machine.target", TARGET)
        self.write("units/patrold.service.d/test.conf", DROP_IN)
        self.patrold_path, self.patrolctl_path = installed.path("sbin/patrold"), installed.path("bin/patrolctl")
        self.config = re.search(r"\((/.*)\)", run(os.path.join(BUILD, "patrold"), "--help").stdout).group(1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(("", 0))
            self.trap_port = s.getsockname()[1]
        os.makedirs(os.path.join(folder, "units", "patrold.socket.d"))
        self.write("units/patrold.socket.d/test.conf", SOCKET_DROP_IN % self.trap_port)
        for unit in ("patrold.service", "patrold.socket"):
            shutil.copy(installed.root + installed.path("systemd/system/" + unit), os.path.join(folder, "units"))
        self.cgroup = os.path.join(self.cgroup_root(), "patrold-test-%d" % os.getpid())
        os.mkdir(self.cgroup)
        self.console = open(os.path.join(folder, "console"), "wb")
        self.process = subprocess.Popen(["sh", os.path.join(HERE, "machine.sh"), folder, self.cgroup],
                                        stdin=subprocess.DEVNULL, stdout=self.console, stderr=self.console)

    @staticmethod
    def cgroup_root():
        with open("/proc/mounts", encoding="utf-8") as mounts:
            for line in mounts:
                if line.split()[2] == "cgroup2":
                    return line.split()[1]
        return skip("there is no cgroup 2 file system")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
            f.write(text)

    def text(self):
        with open(os.path.join(self.folder, "console"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def pid(self):
        """Of its process 1, once that is systemd."""
        if self.process.poll() is not None:
            if self.process.returncode == 77:
                skip("no namespaces here: " + self.text().strip()[-200:])
            fail("the machine ended with %s:\n%s" % (self.process.returncode, self.text()[-3000:]))
        children = run("pgrep", "-P", str(self.process.pid), "-x", "systemd", check=False).stdout.split()
        return children[0] if children else None

    def boot(self):
        self.one = wait_for("systemd", self.pid)
        wait_for("systemd to answer", lambda: self.run("systemctl", "is-active", "machine.target",
                                                       check=False).stdout.strip() == "active", 20)

    def run(self, *words, check=True):
        return run("nsenter", "-t", self.one, "-m", "-p", "-u", "-i", "-C", "-r", "-w", "env", "-i",
                   "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", *words, check=check)

    def configure(self, settings=""):
        self.run("sh", "-c", 'cat >"$0" <<E\n%s%s\nE' % (settings, SETTINGS), self.config)

    def patrolctl(self, *words):
        return self.run(self.patrolctl_path, *words).stdout

    def patrolctl_json(self, *words):
        return json.loads(self.patrolctl(*words, "--json"))

    def shown(self, what):
        return self.run("systemctl", "show", "patrold", "--value", "-p", what).stdout.strip()

    def journal(self, *words):
        self.run("journalctl", "--sync", check=False)
        return self.run("journalctl", "-q", "-o", "cat", "-u", "patrold", *words, check=False).stdout

    def journal_json(self, *words):
        self.run("journalctl", "--sync", check=False)
        lines = self.run("journalctl", "-q", "-o", "json", *words, check=False).stdout.splitlines()
        return [json.loads(line) for line in lines]

    def halt(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        wait_for("the machine's processes to end", self.empty)
        os.rmdir(self.cgroup)

    def empty(self):
        for at, _, _ in os.walk(self.cgroup, topdown=False):
            try:
                if at != self.cgroup:
                    os.rmdir(at)
            except OSError:
                return False
        with open(os.path.join(self.cgroup, "cgroup.procs"), encoding="ascii") as f:
            return not f.read()


def users(machine, installed):
    """The files for sysusers and tmpfiles make what the unit needs."""
    machine.run("systemd-sysusers", installed.path("sysusers.d/patrold.conf"))
    machine.run("systemd-tmpfiles", "--create", installed.path("tmpfiles.d/patrold.conf"))
    machine.run("id", "patrold")
    folder = os.path.dirname(machine.config)
    for path, wanted in ((folder, "root patrold 750"), ("/var/lib/patrold", "patrold patrold 750")):
        found = machine.run("stat", "-c", "%U %G %a", path).stdout.strip()
        if found != wanted:
            fail("%s is %s, not %s" % (path, found, wanted))


def verify(machine, installed):
    """systemd has nothing to say against the unit, nor with the drop-in for serial buses."""
    machine.run("mkdir", "-p", "/run/systemd/system/patrold.service.d")
    for drop_in in (None, installed.path("patrold/serial-bus.conf")):
        if drop_in:
            machine.run("cp", drop_in, "/run/systemd/system/patrold.service.d/")
        said = machine.run("systemd-analyze", "verify", "--man=no", "patrold.service", "patrold.socket").stderr
        if "patrold" in said or "serial-bus" in said:
            fail("systemd-analyze verify: " + said)
    machine.run("rm", "/run/systemd/system/patrold.service.d/serial-bus.conf")
    machine.run("systemctl", "daemon-reload")


def wrong_at_the_start(machine):
    """A wrong configuration fails at once and for good, and the journal says where it is wrong."""
    machine.configure("sites: wrong\n")
    if machine.run("systemctl", "start", "patrold", check=False).returncode == 0:
        fail("it started with a wrong configuration")
    if machine.shown("ExecMainStatus") != "2" or machine.shown("ActiveState") != "failed":
        fail("after a wrong configuration it is %s" % machine.shown("ActiveState"))
    wait_for("the error in the journal", lambda: machine.config + ":1:" in machine.journal())
    machine.run("systemctl", "reset-failed", "patrold")


def large_pages_on_demand():
    """Whether this kernel gives them to who asks."""
    try:
        with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as f:
            return "[madvise]" in f.read()
    except OSError:
        return False


def started(machine):
    """Ready means that patrolctl gets its answer; the process can do nothing but its work."""
    machine.configure()
    machine.run("systemctl", "start", "patrold.socket")  # which systemd would not open beside a service that runs
    machine.run("systemctl", "start", "patrold")
    machine.patrolctl("status")
    if machine.shown("StatusText") != "at work":
        fail("its status is %r" % machine.shown("StatusText"))
    if machine.run("setpriv", "--reuid", "nobody", "--clear-groups", machine.patrolctl_path, "status",
                   check=False).returncode == 0:
        fail("anybody may use the control socket")
    found = machine.run("stat", "-c", "%U %G %a", "/run/patrold/patrold.sock", "/var/lib/patrold/patrold.db").stdout
    if found.split("\n")[:2] != ["patrold patrold 660", "patrold patrold 640"]:
        fail("socket and database are " + found)
    if "sockets: IPv4 raw" not in machine.journal():
        fail("it has no raw socket:\n" + machine.journal())
    tasks = machine.run("sh", "-c", "cat /proc/$0/task/*/status", machine.shown("MainPID")).stdout
    if tasks.count("CapPrm:\t0000000000000000") != tasks.count("CapPrm:") or tasks.count("CapPrm:") < 2:
        fail("a thread of it has capabilities:\n" + tasks)
    status = machine.run("cat", "/proc/%s/status" % machine.shown("MainPID")).stdout
    for line in ("CapPrm:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        if line not in status:
            fail("its process has no %r:\n%s" % (line, status))
    maps = machine.run("cat", "/proc/%s/smaps" % machine.shown("MainPID")).stdout
    if large_pages_on_demand() and not re.search(r"\[heap\].*?^VmFlags:.* hg\b", maps, re.S | re.M):
        fail("its heap has no large pages")
    devices = machine.run("ls", "/proc/%s/root/dev" % machine.shown("MainPID")).stdout.split()
    if "null" not in devices or "kmsg" in devices or [d for d in devices if d.startswith(("sd", "vd", "ttyS"))]:
        fail("the devices it sees are %s" % devices)


def refuse_second(machine):
    done = machine.run("setpriv", "--reuid", "patrold", "--regid", "patrold", "--clear-groups", machine.patrold_path,
                       check=False)
    if done.returncode != 1 or "another patrold has this database open" not in done.stderr:
        fail("a second patrold: exit %d, %s" % (done.returncode, done.stderr))


def journal_fields(machine):
    """A fault is found in the journal by its device, its rule, its ticket and its kind."""
    machine.patrolctl("device", "add", "无声", SENDER, "--port", "16199")
    entry = wait_for("the ticket in the journal", lambda: machine.journal_json("PATROLD_DEVICE=无声", "--grep=ticket"), 20)
    number = machine.patrolctl_json("ticket", "list")[0]["number"]
    if entry[0]["PATROLD_TICKET"] != number or entry[0]["PATROLD_RULE"] != "unreachable" or \
            entry[0]["PATROLD_SUBSYSTEM"] != "desk" or entry[0]["PRIORITY"] != "6" or len(entry[0]["MESSAGE_ID"]) != 32:
        fail("the entry is %s" % entry[0])


def traps(machine):
    return [e for e in machine.patrolctl_json("event", "list") if e["kind"] == "device.trap"]


def hears(machine, number):
    """An inform to systemd's socket, sent once, is answered by whom it was sent to, and is an event by then."""
    if not is_answered(SENDER, machine.trap_port, number):
        fail("no answer to inform %d:\n%s" % (number, machine.journal()[-2000:]))
    if len(traps(machine)) != number or traps(machine)[0]["device"] != "无声":
        fail("after %d informs there are these events: %s" % (number, traps(machine)))


def wakes(machine):
    """What comes while patrold is stopped starts it, and is not lost."""
    machine.run("systemctl", "stop", "patrold")
    if machine.shown("ActiveState") != "inactive":
        fail("stopped it is %s" % machine.shown("ActiveState"))
    hears(machine, 2)
    if machine.shown("ActiveState") != "active":
        fail("after a trap it is %s" % machine.shown("ActiveState"))


def a_report(machine):
    """What the unit denies patrold it denies patrol-report, which does its work all the same."""
    month = machine.run("date", "+%Y-%m").stdout.strip()
    machine.patrolctl("report", "make", "main", month)
    path = machine.patrolctl("report", "path", "main", month).strip()
    if not path.startswith("/var/lib/patrold/reports/") or machine.run("head", "-c", "4", path).stdout != "%PDF":
        fail("the report lies at %s" % path)


def reloaded(machine):
    machine.configure("site: Another\n")
    machine.run("systemctl", "reload", "patrold")
    wait_for("the reload in the journal", lambda: "configuration read again" in machine.journal())
    machine.configure("sites: wrong\n")
    done = machine.run("systemctl", "reload", "patrold", check=False)
    if done.returncode == 0:
        fail("a wrong configuration was taken")
    if machine.shown("ActiveState") != "active" or "refused" not in machine.shown("StatusText"):
        fail("after a refused reload it is %s, %s" % (machine.shown("ActiveState"), machine.shown("StatusText")))
    machine.configure()
    machine.run("kill", "-HUP", machine.shown("MainPID"))
    wait_for("the reload by a signal", lambda: machine.shown("StatusText") == "at work")


def hung(machine):
    """A loop that hangs is killed and started anew."""
    before = machine.shown("MainPID")
    machine.run("kill", "-STOP", before)
    wait_for("the watchdog", lambda: machine.shown("NRestarts") == "1" and machine.shown("ActiveState") == "active", 20)
    if machine.shown("MainPID") == before or not machine.journal_json("UNIT_RESULT=watchdog"):
        fail("it was not the watchdog")
    machine.patrolctl("status")


def stopped(machine):
    begun = time.monotonic()
    machine.run("systemctl", "stop", "patrold")
    took = time.monotonic() - begun
    if took > 5 or machine.shown("Result") != "success" or machine.shown("ExecMainStatus") != "0":
        fail("it stopped after %.1f s with %s, %s" % (took, machine.shown("Result"), machine.shown("ExecMainStatus")))
    if machine.run("ls", "/run/patrold", check=False).returncode == 0:
        fail("/run/patrold is still there")
    return took


def main():
    for tool in ("systemd-analyze", "systemctl", "journalctl", "nsenter", "unshare", "setpriv"):
        if not shutil.which(tool):
            skip("%s is not installed" % tool)
    folder = tempfile.mkdtemp(prefix="patrold-test-")
    machine = None
    try:
        installed = Installation(folder)
        check_files(installed)
        exposure = check_exposure(installed, "patrold.service")
        check_catalog(installed, folder)
        if os.environ.get("SANITIZED"):
            skip("sanitizers need memory that the unit does not allow")
        if os.geteuid() != 0:
            skip("a machine of its own needs root; the files are right, the exposure is %s" % exposure)
        if installed.path("sbin/patrold").startswith(HIDDEN):
            skip("it is installed where the unit sees nothing: " + installed.path("sbin/patrold"))
        machine = Machine(folder, installed)
        machine.boot()
        users(machine, installed)
        verify(machine, installed)
        wrong_at_the_start(machine)
        started(machine)
        refuse_second(machine)
        journal_fields(machine)
        hears(machine, 1)
        wakes(machine)
        a_report(machine)
        reloaded(machine)
        hung(machine)
        hears(machine, 3)
        machine.run("systemctl", "stop", "patrold.socket")
        took = stopped(machine)
    finally:
        if machine:
            machine.halt()
        shutil.rmtree(folder, ignore_errors=True)
    print("service: exposure %s; ready, a report made, reloaded, hung and restarted, woken by a trap, stopped in %.2f s" % (exposure, took))


if __name__ == "__main__":
    main()
