#!/usr/bin/python3
"""Traps and informs of net-snmp's programs, in every version: which become events, which are answered, what they make patrold read."""
import os
import socket
import subprocess

from harness import Site, build_shim, fail, skip, wait_for
from informer import is_answered

SWITCH, SECURE, STRANGER = "127.0.5.1", "127.0.5.3", "127.0.5.9"
LINK_DOWN, LINK_UP, COLD_START = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.6.3.1.1.5.4", "1.3.6.1.6.3.1.1.5.1"
INDEX = ["1.3.6.1.2.1.2.2.1.1.7", "i", "7"]
PRIVATE = ["-v3", "-l", "authPriv", "-a", "SHA-256", "-x", "AES", "-X", "privacy-word"]
RIGHT = PRIVATE + ["-u", "patrol", "-A", "digest-word"]
SETTINGS = """
snmp: {timeout: 200ms, retries: 0, traps: {listen: ["127.0.0.1:%d"]}}
poll: {every: {status: 1h}, ping: false}
"""
SECRETS = """credentials:
  patrol: {version: 3, user: patrol, auth: sha256, auth_password: digest-word, privacy: aes128, privacy_password: privacy-word}
"""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Sender:
    def __init__(self, port):
        self.to = "127.0.0.1:%d" % port

    def run(self, program, source, *words):
        """The exit code: of an inform 0 if it was answered."""
        command = [program, "--clientaddr=" + source, "-r", "2", "-t", "2", *words]
        return subprocess.run(command, env=dict(os.environ, MIBS=""), timeout=60, check=False,
                              stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode

    def trap(self, source, *words):
        if self.run("snmptrap", source, *words) != 0:
            fail("snmptrap " + " ".join(words))

    def inform(self, source, *words):
        return self.run("snmpinform", source, *words)


def traps(control):
    return [e for e in control.rows("events") if e["kind"] == "device.trap"]


def become_events(site, control, sender):
    def newest(n):
        return wait_for("event %d of a trap" % n, lambda: len(traps(control)) >= n and traps(control)[n - 1])

    sender.trap(SWITCH, "-v2c", "-c", "public", sender.to, "", LINK_DOWN, *INDEX)
    event = newest(1)
    assert event["device"] == "sw" and event["args"]["trap"] == "link-down", event
    assert event["args"]["text"] == "interface 7 is down" and event["args"]["text_zh_CN"] == "接口 7 断开", event
    # Version 1: a maker's trap becomes ENTERPRISE.0.SPECIFIC, which the module's OID has without the 0.
    sender.trap(SWITCH, "-v1", "-c", "public", sender.to, "1.3.6.1.2.1.33.2", SWITCH, "6", "3", "")
    assert newest(2)["args"]["trap"] == "ups-alarm-added", newest(2)
    sender.trap(SWITCH, "-v1", "-c", "public", sender.to, "1.3.6.1.4.1.8072", SWITCH, "3", "0", "", *INDEX)
    assert newest(3)["args"]["text"] == "interface 7 is up", newest(3)
    sender.trap(SECURE, "-e", "0x8000000001020304", *RIGHT, sender.to, "", COLD_START)
    event = newest(4)
    assert event["device"] == "secure" and event["args"]["trap"] == "cold-start" and event["args"]["version"] == 3, event
    # What no module knows is told as it came.
    sender.trap(SWITCH, "-v2c", "-c", "public", sender.to, "", "1.3.6.1.4.1.99999.1", "1.3.6.1.4.1.99999.2.0", "s", "纸")
    event = newest(5)
    assert event["args"]["trap"] == "1.3.6.1.4.1.99999.1" and "= 纸" in event["args"]["varbinds"], event
    listed = site.patrolctl("event", "list").stdout
    assert "sw says: interface 7 is down" in listed and "sent the trap 1.3.6.1.4.1.99999.1" in listed, listed


def informs_are_answered(control, sender):
    before = len(traps(control))
    for source, words in ((SWITCH, ["-v2c", "-c", "public"]), (SECURE, RIGHT)):
        if sender.inform(source, *words, sender.to, "", LINK_UP, *INDEX) != 0:
            fail("no answer to an inform of " + source)
    # It is answered when its event is on disk: no need to wait.
    assert len(traps(control)) == before + 2, traps(control)


def the_others_are_not(control, sender):
    before = len(traps(control))
    for source, words in ((SWITCH, ["-v2c", "-c", "wrong"]), (STRANGER, ["-v2c", "-c", "public"]),
                          (SECURE, PRIVATE + ["-u", "patrol", "-A", "another-word"]),
                          (SECURE, PRIVATE + ["-u", "somebody", "-A", "digest-word"]),
                          (SECURE, ["-v3", "-l", "noAuthNoPriv", "-u", "patrol"])):
        if sender.inform(source, *words, sender.to, "", LINK_UP, *INDEX) == 0:
            fail("an inform of %s with %s was answered" % (source, words))
    assert len(traps(control)) == before, traps(control)


def polls(control):
    return next(s["value"] for m in control.rows("metrics") if m["name"] == "patrold_polls_total" for s in m["samples"])


def the_device_is_read(control, sender):
    """Whoever sends it: what is wrong with a device is found by reading it."""
    last = polls(control)
    sender.trap(SWITCH, "-v2c", "-c", "wrong", sender.to, "", LINK_DOWN, *INDEX)
    sender.trap(SWITCH, "-v2c", "-c", "public", sender.to, "", LINK_DOWN, *INDEX)
    wait_for("a poll of the sender", lambda: polls(control) > last, 20)


def a_crash_before_the_answer_tells_nothing_twice(site, port):
    """patrold dies when the event is on disk and the answer is about to go; the inform comes again."""
    if os.environ.get("SANITIZED"):
        print("the preloaded shim and the sanitizers do not go together; the plain build kills before the answer")
        return
    shim = build_shim(site.folder)
    site.start(environment={"LD_PRELOAD": shim, "KILL_AT": "sendmsg:1:before"})
    control = site.try_control()
    before = len(traps(control))
    control.close()
    if is_answered(SWITCH, port, 77, 2):
        fail("patrold did not die")
    site.process.wait(20)
    if "killshim: sendmsg" not in site.log_text():
        fail("it did not die before its answer:\n" + site.log_text()[-1000:])
    site.start()
    control = site.try_control()
    assert len(traps(control)) == before + 1, traps(control)
    if not is_answered(SWITCH, port, 77):
        fail("an inform that comes again after a crash is not answered")
    assert len(traps(control)) == before + 1, traps(control)
    if not is_answered(SWITCH, port, 78):
        fail("the next inform is not answered")
    assert len(traps(control)) == before + 2, traps(control)
    control.close()
    site.stop()


def boots(site):
    with open(os.path.join(site.folder, "snmp-engine"), encoding="utf-8") as f:
        return f.read().split()


def main():
    if any(not os.path.exists("/usr/bin/" + p) for p in ("snmptrap", "snmpinform")):
        skip("no snmptrap, snmpinform (package snmp)")
    port = free_port()
    site = Site(settings=SETTINGS % port)
    os.makedirs(os.path.join(site.folder, "conf.d"))
    secrets = os.path.join(site.folder, "conf.d", "v3.yaml")
    with open(os.open(secrets, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as f:
        f.write(SECRETS)
    try:
        site.start()
        control = site.try_control()
        sender = Sender(port)
        site.patrolctl("device", "add", "sw", SWITCH, "--credential", "public")
        site.patrolctl("device", "add", "secure", SECURE, "--credential", "patrol")
        wait_for("the first polls", lambda: polls(control) >= 2, 30)
        become_events(site, control, sender)
        informs_are_answered(control, sender)
        the_others_are_not(control, sender)
        the_device_is_read(control, sender)
        first = boots(site)
        control.close()
        site.stop()
        site.start()
        again = boots(site)
        assert again[1] == first[1] and int(again[3]) == int(first[3]) + 1, (first, again)
        control = site.try_control()
        if sender.inform(SECURE, *RIGHT, sender.to, "", LINK_DOWN, *INDEX) != 0:
            fail("no answer after a restart")
        control.close()
        site.stop()
        a_crash_before_the_answer_tells_nothing_twice(site, port)
    finally:
        site.end()


if __name__ == "__main__":
    main()
