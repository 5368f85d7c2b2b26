#!/usr/bin/python3
"""The disk fills up while people work: a round is filled and signed, devices are imported, a report is made.

All of it lies on a small tmpfs. What cannot be kept is refused in words, or said to be decided and not stored yet; the
service goes on; when there is room again the same orders are taken, and everything is there once. Then only the folder
of the reports is full: a report fails in words and leaves no files, and the next one is made and mailed.

    work_full.py [SECONDS]        how long the disk stays full: 6 unless told otherwise
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash  # noqa: E402
from disk_full import REFUSED, fill, mount  # noqa: E402
from harness import Control, Site, Sink, copy_of_database, fail, wait_for  # noqa: E402
from work_crash import CUSTOMER, HEAD, THIS_MONTH, whole  # noqa: E402

SETTINGS = """
poll: {every: {status: 1s, counters: 2s, supplies: 2s}, ping: false}
snmp: {timeout: 500ms, retries: 1}
report: {off: true, program: %s}
plans:
  daily: {title: Daily, rule: FREQ=DAILY, start: 2026-01-01}
"""
STORY = """
title: Two quiet printers
start: 2026-09-30 08:00
time_zone: Asia/Shanghai
length: 1d
quiet: true
devices: [{name: printer, model: printer, address: 127.35.0.1, count: 2}]
"""
IMPORTED = 300


class Work:
    """The orders that are given again and again, and how often each was refused."""

    def __init__(self, site):
        self.site = site
        self.control = Control(site.socket)
        self.round = self.control.rows("rounds", state="open")[0]["id"]
        self.device = self.control.rows("visits", round=self.round)[0]["device"]
        self.orders = {
            "fill": lambda n: self.control.command("patrol.fill", round=self.round, device=self.device,
                                                   items={"outside": "fault"}, note="try %d" % n),
            "import": lambda n: self.control.command("device.import", rows=[
                {"name": "设备%03d" % i, "address": "127.36.%d.%d" % (i // 250, i % 250 + 1), "status": "in-repair",
                 "location": "%s %d" % ("楼" * 60, n)} for i in range(IMPORTED)]),
            "report": lambda n: self.control.command("report.make", of=HEAD, month=THIS_MONTH, mail=True),
            "sign": self.sign,
        }
        self.refused = dict.fromkeys(self.orders, 0)

    def sign(self, _):
        self.control.command("patrol.fill", round=self.round, all_ok=True)
        return self.control.command("patrol.sign", round=self.round, by="王芳")

    def refuse(self, name, n):
        """Gives an order while the disk is full: it must be refused in words, now that commits fail."""
        error = self.orders[name](n).get("error")
        if not error:
            fail("%s was acknowledged while nothing can be written" % name)
        if error["code"] not in REFUSED or len(error["text"]) < 20:
            fail("%s was refused, but not in words: %s" % (name, error))
        self.refused[name] += 1


def make_site(sink):
    site = Site()
    site.disk = os.path.join(site.folder, "disk")
    mount(site.disk)
    site.database = os.path.join(site.disk, "patrold.db")
    site.write_config(SETTINGS % site.program("patrol-report"), sink.port)
    story = os.path.join(site.folder, "story.yaml")
    with open(story, "w", encoding="utf-8") as f:
        f.write(STORY)
    port = 20000 + os.getpid() % 20000
    devices = site.serve(story, port)
    site.start()
    site.patrolctl("customer", "add", CUSTOMER)
    site.patrolctl("site", "add", HEAD, CUSTOMER)
    site.patrolctl("contact", "add", "王芳", "--customer", CUSTOMER, "--mail", "wang@example.com", "--language", "zh_CN",
                   "--gets", "report")
    for name, address in devices:
        site.patrolctl("device", "add", name, address, "--port", str(port), "--site", HEAD, "--credential", "public")
    time.sleep(1)
    site.stop()
    fell_due = crash.Run.__new__(crash.Run)
    fell_due.site = site
    fell_due.let_plans_fall_due()
    site.start()
    wait_for("a round", lambda: site.try_control().rows("rounds", state="open"))
    return site


def fill_the_disk(site, work):
    """Until commits fail: the log has room of its own for a while."""
    for n in range(200):
        fill(site.disk)
        work.control.command("ticket.open", title="换纸 %d" % n, site=HEAD)
        if work.control.rows("status")[0]["troubles"]:
            return
    fail("the disk is full and no commit fails")


def files_of(site):
    folder = os.path.join(site.disk, "reports")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def check_rows(site, work):
    """Everything is there, once."""
    db = copy_of_database(site.database, site.folder)
    try:
        crash.check_whole(db)
        devices = db.execute("SELECT count(*), count(DISTINCT location) FROM device WHERE name LIKE '设备%'").fetchone()
        if tuple(devices) != (IMPORTED, 1):
            fail("%d devices in %d places of one import" % tuple(devices))
        if db.execute("SELECT state FROM round WHERE id = ?", (work.round,)).fetchone()[0] not in ("signed", "reported"):
            fail("the round is not signed")
        findings = db.execute("SELECT count(*) FROM ticket WHERE kind = 'finding'").fetchone()[0]
        faults = db.execute("SELECT count(*) FROM item WHERE round_id = ? AND result = 'fault'", (work.round,)).fetchone()[0]
        if findings != 1 or faults != 1:
            fail("one finding is wanted, there are %d items and %d tickets" % (faults, findings))
        stores = db.execute("SELECT count(*) FROM alert WHERE family = 'store'").fetchone()[0]
        if stores != 1:
            fail("%d alerts of a disk that was full once" % stores)
    finally:
        db.close()


def everything_is_full(site, sink, seconds):
    work = Work(site)
    begun = [r["id"] for r in work.control.rows("reports")]
    fill_the_disk(site, work)
    until, n = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for name in work.orders:
            work.refuse(name, n)
        n += 1
        time.sleep(0.2)
    if [r["id"] for r in work.control.rows("reports")] != begun or files_of(site):
        fail("a report that was refused left something: %s" % files_of(site))
    polls = work.control.rows("status")[0]
    os.remove(os.path.join(site.disk, "filler"))
    wait_for("the end of the trouble", lambda: not work.control.rows("status")[0]["troubles"], 30)
    for name, order in work.orders.items():
        answer = order(n)
        if "ok" not in answer:
            fail("%s is still refused: %s" % (name, answer))
    wait_for("the report to be mailed", lambda: work.control.rows("reports")[0]["state"] == "mailed", 20)
    pdf = [name for name in files_of(site) if name.endswith(".pdf")]
    if len(pdf) != 1 or not whole(os.path.join(site.disk, "reports", pdf[0])) or polls["devices"] != 2:
        fail("files of the report: %s; status while it was full: %s" % (files_of(site), polls))
    work.control.close()
    check_rows(site, work)
    print("disk full: refused in words: %s; afterwards all taken, once" %
          ", ".join("%s %d" % pair for pair in sorted(work.refused.items())))


def the_folder_of_reports_is_full(site, sink):
    folder = os.path.join(site.disk, "reports")
    before, mails = files_of(site), len(sink.messages())
    site.stop()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "patrold-test", folder], check=True)
    try:
        site.start()
        done = site.patrolctl("report", "make", HEAD, THIS_MONTH, "--mail", check=False)
        if done.returncode != 1 or "no space" not in done.stderr.lower():
            fail("a report without room: exit %d: %s" % (done.returncode, done.stderr))
        if files_of(site):
            fail("a report that failed left files: %s" % files_of(site))
        control = Control(site.socket)
        row = control.rows("reports")[0]
        if row["state"] != "failed" or "no space" not in row["last_error"].lower():
            fail("the report that failed: %s" % row)
        if "ok" not in control.command("ticket.open", title="换纸", site=HEAD):
            fail("nothing works while a report's folder is full")
        subprocess.run(["mount", "-o", "remount,size=8m", folder], check=True)
        said = site.patrolctl("report", "make", HEAD, THIS_MONTH, "--mail").stdout
        wait_for("the report to be mailed", lambda: control.rows("reports")[0]["state"] == "mailed", 20)
        control.close()
        names = files_of(site)
        if not names or any(not whole(os.path.join(folder, name)) for name in names if not name.endswith(".txt")):
            fail("files after there was room: %s; %s" % (names, said))
        if len([m for m in sink.messages()[mails:] if b"application/pdf" in m[2]]) != 1:
            fail("one mail of the report is wanted")
        site.stop()
    finally:
        subprocess.run(["umount", "-l", folder], check=False)
    if files_of(site) != before:
        fail("files under the mount changed")
    print("folder of reports full: failed in words, no files left, made and mailed when there was room")


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 6
    folder = Site()
    sink = Sink(os.path.join(folder.folder, "mail"))
    site = None
    try:
        site = make_site(sink)
        everything_is_full(site, sink, seconds)
        the_folder_of_reports_is_full(site, sink)
    finally:
        sink.stop()
        if site:
            if site.process and site.process.poll() is None:
                site.kill()
            subprocess.run(["umount", "-l", site.disk], check=False)
            site.end()
        folder.end()


if __name__ == "__main__":
    main()
