#!/usr/bin/python3
"""The disk fills up while patrold polls, a jam begins and ends meanwhile, then there is room again.

The database lies on a small tmpfs. One alert tells of the disk, the jam is told
once, every command meanwhile is refused in words, and nothing is lost.

    disk_full.py [SECONDS]        how long the disk stays full: 60 unless told otherwise
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import SOURCE, Control, Site, Sink, copy_of_database, fail, skip, wait_for  # noqa: E402

SETTINGS = """
poll: {every: {status: 1s, counters: 2s, supplies: 2s}, ping: false} # the loopback answers pings for whoever is silent
snmp: {timeout: 500ms, retries: 1}
rules:
  unreachable: {hold: 2m}
  jam: {hold: 1s, clear_hold: 1s}
"""
STORY = """
title: A jam while the disk is full
start: 2026-09-30 08:00
time_zone: Asia/Shanghai
length: 1d
configuration:
  poll: {every: {status: 1s, counters: 2s, supplies: 2s}}
  rules: {jam: {hold: 1s, clear_hold: 1s}}
devices:
  - {name: printer, model: printer, address: 127.31.0.1}
events:
  - {at: %ds, event: jam, device: printer, for: %ds}
"""
REFUSED = ("no-space", "io", "queued")
SETTLE = 15  # seconds from the story's start until the disk is filled


def mount(folder):
    os.makedirs(folder)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "patrold-test", folder], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        skip("a tmpfs can't be mounted here")


def fill(folder):
    """Takes every byte there is."""
    with open(os.path.join(folder, "filler"), "ab", buffering=0) as f:
        size = 1 << 20
        while size >= 1:
            try:
                f.write(b"\0" * size)
            except OSError:
                size //= 2


def live_through(site, seconds):
    """Keeps the disk full; gives how many commands were refused."""
    control = Control(site.socket)
    refused, until = 0, time.monotonic() + seconds
    for n in range(100000):
        if time.monotonic() > until:
            break
        fill(site.disk)
        answer = control.command("device.add", name="late-%d" % n, address="127.31.1.%d" % (n % 250 + 1))
        error = answer.get("error")
        if error:
            if error["code"] not in REFUSED or len(error["text"]) < 10:
                fail("refused, but not in words: %s" % error)
            refused += 1
        time.sleep(1)
    status = control.rows("status")[0]
    if not status["troubles"]:
        fail("status tells no trouble while the disk is full")
    control.close()
    return refused


def check(site, sink, refused, accepted):
    control = Control(site.socket)
    wait_for("the jam's end in the database", lambda: [a for a in control.rows("alerts", state="closed")
                                                       if a["rule"] == "jam"], 30)
    jams = [a for a in control.rows("alerts", state="all") if a["family"] == "jam"]
    if len(jams) != 1:
        fail("one jam, but %d alerts of it" % len(jams))
    tickets = [t for t in control.rows("tickets", state="all") if t["rule"] == "jam"]
    if len(tickets) != 1:
        fail("one jam, but these tickets of it: %s; all: %s" % (tickets, control.rows("tickets")))
    disk = [a for a in control.rows("alerts", state="all") if a["family"] == "store"]
    if len(disk) != 1 or disk[0]["closed_ms"] - disk[0]["opened_ms"] < 1000:
        fail("one alert for the time the disk was full is wanted, there are: %s" % disk)
    wait_for("mails of the jam's begin and end and of the disk", lambda: len(sink.messages()) >= 3, 30)
    ids = [m[0] for m in sink.messages()]
    if len(ids) != 3:
        fail("three mails are wanted, %d came" % len(ids))
    if len(ids) != len(set(ids)):
        fail("a mail came twice")
    answer = control.command("device.add", name="after", address="127.31.2.1")
    if "ok" not in answer:
        fail("a command is still refused: %s" % answer)
    names = [d["name"] for d in control.rows("devices")]
    for name in accepted:
        if name not in names:
            fail("device %s was acknowledged but is lost" % name)
    control.close()
    print("%d commands refused in words; one alert for the disk, one for the jam, one ticket, %d mails" %
          (refused, len(ids)))


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    site = Site(settings=SETTINGS)
    site.disk = os.path.join(site.folder, "disk")
    mount(site.disk)
    sink = None
    try:
        sink = Sink(os.path.join(site.folder, "mail"))
        site.database = os.path.join(site.disk, "patrold.db")
        site.write_config(SETTINGS, sink.port)
        story = os.path.join(site.folder, "story.yaml")
        with open(story, "w", encoding="utf-8") as f:
            f.write(STORY % (SETTLE + 5, seconds - 15))
        port = 20000 + os.getpid() % 20000
        began = time.monotonic()
        devices = site.serve(story, port)
        site.start()
        control = Control(site.socket)
        accepted = []
        for name, address in devices:
            answer = control.command("device.add", name=name, address=address, port=port, credential="public")
            if "ok" not in answer:
                fail("device.add: %s" % answer)
            accepted.append(name)
        control.close()
        time.sleep(max(SETTLE - (time.monotonic() - began), 0))
        fill(site.disk)
        refused = live_through(site, seconds)
        if refused == 0:
            fail("no command was refused while the disk was full")
        os.remove(os.path.join(site.disk, "filler"))
        check(site, sink, refused, accepted)
        site.stop()
        db = copy_of_database(site.database, site.folder)
        if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            fail("integrity_check is not ok")
        db.close()
    finally:
        if sink:
            sink.stop()
        if site.process and site.process.poll() is None:
            site.kill()
        subprocess.run(["umount", "-l", site.disk], check=False)
        site.end()


if __name__ == "__main__":
    main()
