#!/usr/bin/python3
"""What goes wrong at a site: a wrong configuration at start and at reload, a mail server that is down or refuses, a
device that answers garbage. Each time: a clear message, the service goes on, nothing is lost."""
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Control, Site, Sink, fail, wait_for  # noqa: E402

SETTINGS = """
poll: {every: {status: 1s, counters: 1s, supplies: 1s}, silent: 1s, ping: false} # the loopback answers pings for whoever is silent
snmp: {timeout: 300ms, retries: 1}
rules:
  unreachable: {hold: 0s}
"""
WRONG = """
poll: {evry: {status: 1s}}
rules: {unreachable: {hold: soon}}
"""


def wrong_at_start():
    site = Site(settings=WRONG)
    done = subprocess.run([site.program("patrold"), "-c", site.config], capture_output=True, text=True, timeout=20,
                          check=False)
    if done.returncode == 0:
        fail("patrold started with a wrong configuration")
    for part in ("unknown key 'evry' (did you mean 'every'?)", "hold", "patrold.yaml:8:", "^"):
        if part not in done.stderr:
            fail("%r is not in the message:\n%s" % (part, done.stderr))
    if os.path.exists(site.database):
        fail("a wrong configuration made a database")
    checked = site.patrolctl("config", "check", site.config, check=False)
    if checked.returncode != 1 or "did you mean 'every'?" not in checked.stderr:
        fail("patrolctl config check: exit %d\n%s" % (checked.returncode, checked.stderr))
    site.end()
    print("wrong configuration at start: refused, both errors told with their places")


def no_folder_at_start():
    site = Site()
    for key, path in (("database", site.database), ("socket", site.socket)):
        with open(site.config, encoding="utf-8") as f:
            text = f.read()
        config = site.config + "." + key
        with open(config, "w", encoding="utf-8") as f:
            f.write(text.replace(path, os.path.join(site.folder, "none", "x"), 1))
        done = subprocess.run([site.program("patrold"), "-c", config], capture_output=True, text=True, timeout=20,
                              check=False)
        if done.returncode != 1 or "/none/x: there is no such folder" not in done.stderr:
            fail("no folder for the %s: exit %d\n%s" % (key, done.returncode, done.stderr))
    site.end()
    print("no folder for database or socket: told, exit 1")


def wrong_at_reload():
    site = Site(settings=SETTINGS)
    site.start()
    control = Control(site.socket)
    before = control.rows("status")[0]["configuration"]
    site.write_config(WRONG)
    answer = control.command("reload")
    if "did you mean 'every'?" not in answer.get("error", {}).get("text", ""):
        fail("reload of a wrong file: %s" % answer)
    site.process.send_signal(signal.SIGHUP)
    wait_for("the error in the log", lambda: "did you mean 'every'?" in site.log_text())
    if control.rows("status")[0]["configuration"] != before:
        fail("a wrong file changed the configuration")
    site.write_config(SETTINGS)
    answer = control.command("reload")
    if "ok" not in answer:
        fail("reload of a right file: %s" % answer)
    control.close()
    site.stop()
    site.end()
    print("wrong configuration at reload: told, nothing changed, the service went on")


def add(site, **args):
    control = Control(site.socket)
    answer = control.command("device.add", credential="public", **args)
    control.close()
    if "ok" not in answer:
        fail("device.add: %s" % answer)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def mail_down_and_back():
    site = Site()
    port = free_port()
    site.write_config(SETTINGS, port)
    site.start()
    add(site, name="absent", address="127.32.0.1", port=9)
    control = Control(site.socket)
    wait_for("the mail that can't be sent", lambda: [o for o in control.rows("outbox") if o["attempts"] > 0], 20)
    if control.rows("outbox")[0]["state"] != "pending":
        fail("a server that is down ended the mail: %s" % control.rows("outbox")[0])
    control.close()
    site.kill()  # the mail is on disk, not in a process
    sink = Sink(os.path.join(site.folder, "mail"), "--answer", "451", "--times", "1", port=port)
    site.start()
    wait_for("the mail, after a 451 and another try", sink.messages, 90)
    message_id, envelope, data = sink.messages()[0]
    if envelope["to"] != ["duty@example.com"] or "absent".encode() not in data and b"base64" not in data.lower():
        fail("another mail came: %s %s" % (envelope, data[:500]))
    control = Control(site.socket)
    wait_for("its row to be sent", lambda: [o for o in control.rows("outbox") if o["state"] == "sent"])
    if len(sink.messages()) != 1:
        fail("%d mails came of one" % len(sink.messages()))
    control.close()
    site.stop()
    sink.stop()
    site.end()
    print("mail server down, patrold killed, server back and refusing once: one mail, %s" % message_id)


def stop_while_mail_hangs():
    """The mail server takes connections and says nothing; a reload has replaced it by another of that kind."""
    hanging = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [s.getsockname()[1] for s in hanging]
    site = Site()
    site.write_config(SETTINGS, ports[0])
    site.start()
    add(site, name="absent", address="127.32.0.1", port=9)
    hanging[0].settimeout(20)
    calls = [hanging[0].accept()]
    site.write_config(SETTINGS, ports[1])
    site.process.send_signal(signal.SIGHUP)
    wait_for("the reload", lambda: "read again" in site.log_text())
    site.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    site.process.send_signal(signal.SIGHUP)
    site.stop(5)
    site.start()
    control = Control(site.socket)
    rows = control.rows("outbox")
    if [o["state"] for o in rows] != ["pending"]:
        fail("the mail that hung: %s" % rows)
    control.close()
    site.stop(5)
    for s in [call[0] for call in calls] + hanging:
        s.close()
    site.end()
    print("stopped within 5 s while a mail server that was replaced says nothing: its mail is kept")


class Garbage(threading.Thread):
    """A device that answers every packet with something else than SNMP, or with broken SNMP."""

    def __init__(self, address, seed):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]
        self.random = random.Random(seed)
        self.answers = 0

    def garble(self, packet):
        choice = self.random.randrange(5)
        if choice == 0:
            return bytes(self.random.randrange(256) for _ in range(self.random.randrange(1, 200)))
        if choice == 1:
            return packet[:self.random.randrange(1, len(packet))]
        changed = bytearray(packet)
        for _ in range(self.random.randrange(1, 6)):
            changed[self.random.randrange(len(changed))] = self.random.randrange(256)
        if choice == 2:
            changed[0:2] = b"\x30\x84"  # a length that goes far beyond the packet
        return bytes(changed)

    def run(self):
        while True:
            packet, peer = self.socket.recvfrom(65535)
            for _ in range(3):
                self.socket.sendto(self.garble(packet), peer)
                self.answers += 1


def garbage():
    site = Site(settings=SETTINGS)
    site.start()
    liar = Garbage("127.32.0.9", 1)
    liar.start()
    story = os.path.join(site.folder, "story.yaml")
    with open(story, "w", encoding="utf-8") as f:
        f.write("title: An honest neighbour\nstart: 2026-09-30 08:00\nlength: 1d\nquiet: true\n"
                "devices: [{name: honest, model: printer, address: 127.32.0.10}]\n")
    port = 20000 + os.getpid() % 20000
    site.serve(story, port)
    add(site, name="liar", address="127.32.0.9", port=liar.port)
    add(site, name="honest", address="127.32.0.10", port=port)
    control = Control(site.socket)

    def state(name):
        return [d["state"] for d in control.rows("live") if d["name"] == name][0]

    wait_for("the honest neighbour", lambda: state("honest") == "up", 20)
    wait_for("the liar to be found out", lambda: [a for a in control.rows("alerts", state="open")
                                                  if a["device"] == "liar"], 30)
    wait_for("the liar to be asked again and again", lambda: liar.answers > 60, 60)
    if state("honest") != "up":
        fail("the honest neighbour suffers")
    control.close()
    site.stop()
    if "liar" not in site.log_text():
        fail("the log does not name the device that answers garbage")
    site.end()
    print("a device that answers garbage (%d packets): named, an alert, its neighbour unharmed" % liar.answers)


if __name__ == "__main__":
    for test in (wrong_at_start, no_folder_at_start, wrong_at_reload, mail_down_and_back, stop_while_mail_hangs, garbage):
        test()
