#!/usr/bin/python3
"""A recording of Debian's snmpd through the real patrold: everything it says is there, nothing that tells whose it is;
two recordings of it differ in nothing but what moves, and a profile can be tried on one."""
import json
import os
import shutil
import socket
import subprocess

from harness import Site, fail, skip, wait_for

SNMPD = "/usr/sbin/snmpd"
SECRETS = ("Zweite-Etage", "Waltraud", "Serverraum-17")
CONFIG = """\
rocommunity public
sysName %s
sysContact %s
sysLocation %s
sysDescr A machine at 192.0.2.33 called Zweite-Etage
""" % SECRETS


def start_agent(site):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path = os.path.join(site.folder, "snmpd.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(CONFIG)
    process = subprocess.Popen([SNMPD, "-f", "-Lf", os.path.join(site.folder, "snmpd.log"), "-C", "-c", path, "-p",
                                os.path.join(site.folder, "snmpd.pid"), "udp:127.0.0.1:%d" % port],
                               env=dict(os.environ, SNMP_PERSISTENT_DIR=site.folder), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    site.others.append(process)
    return port


def objects(path):
    with open(path, encoding="utf-8") as f:
        return dict(line.rstrip("\n").split("|", 1) for line in f)


def record(site, name):
    path = os.path.join(site.folder, name)
    done = site.patrolctl("-c", site.config, "device", "record", "agent", "--out", path)
    if name not in done.stdout:
        fail("it is not said where the recording is: " + done.stdout)
    if os.stat(path).st_mode & 0o077:
        fail("others may read the recording")
    return path


def check_blanked(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for secret in (*SECRETS, "192.0.2.33", socket.gethostname()):
        if len(secret) > 3 and (secret in text or secret.encode().hex() in text):
            fail("'%s' stands in the recording" % secret)
    found = objects(path)
    name = found["1.3.6.1.2.1.1.5.0"].split("|", 1)[1]
    if len(name) != len(SECRETS[0]) or not found["1.3.6.1.2.1.1.1.0"].endswith(" called " + name):
        fail("the name is not the same everywhere: %s, %s" % (name, found["1.3.6.1.2.1.1.1.0"]))


def check_whole(path):
    found = objects(path)
    for wanted in ("1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.2.2.1.10.1", "1.3.6.1.2.1.25.1.1.0", "1.3.6.1.4.1.2021.4.5.0"):
        if wanted not in found:
            fail("%s is not in the recording of %d objects" % (wanted, len(found)))


def check_diff(site, one, two):
    short = os.path.join(site.folder, "short")
    with open(one, encoding="utf-8") as f, open(short, "w", encoding="utf-8") as out:
        for line in f:
            if not line.startswith("1.3.6.1.2.1.1.6.0|"):
                out.write(line.replace("1.3.6.1.2.1.1.3.0|67|", "1.3.6.1.2.1.1.3.0|2|"))
    rows = json.loads(site.patrolctl("--json", "device", "diff", one, short).stdout)
    system = [r for r in rows if r["table"] == "1.3.6.1.2.1.1"]
    if len(rows) != 1 or (system[0]["gone"], system[0]["new"], system[0]["retyped"]) != (1, 0, 1):
        fail("a missing object and another type are told as %s" % rows)
    if json.loads(site.patrolctl("--json", "device", "diff", one, one).stdout):
        fail("a recording differs from itself")
    rows = json.loads(site.patrolctl("-c", site.config, "--json", "device", "diff", two, "agent").stdout)
    if any(r["table"] == "1.3.6.1.2.1.1" for r in rows):
        fail("the device differs from its recording: %s" % rows)


def main():
    if not os.path.exists(SNMPD) or not shutil.which("snmpget"):
        skip("snmpd and snmp are not installed")
    site = Site()
    try:
        port = start_agent(site)
        site.start()
        site.patrolctl("device", "add", "agent", "127.0.0.1", "--port", str(port), "--credential", "public")
        wait_for("the agent", lambda: site.patrolctl("device", "poll", "agent", check=False).returncode == 0)
        one, two = record(site, "one"), record(site, "two")
        check_whole(one)
        check_blanked(one)
        check_diff(site, one, two)
        site.patrolctl("-c", site.config, "profile", "test", "generic-server", one)
        gone = site.patrolctl("-c", site.config, "device", "record", "nobody", "--out", "-", check=False)
        if gone.returncode != 1 or "nobody" not in gone.stderr:
            fail("an unknown device: %s %s" % (gone.returncode, gone.stderr))
        site.stop()
    finally:
        site.end()


if __name__ == "__main__":
    main()
