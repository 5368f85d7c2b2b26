#!/usr/bin/python3
"""kill -9 while people work: devices are imported, rounds filled and signed, promises missed and told of, monthly
reports made and mailed.

patrold dies at a random moment, inside a commit, while patrol-report runs, together with it between two of the files
that it writes, and while mails with attachments go out. After each death everything that was acknowledged is there,
nothing is there by halves or twice, and every file that the database speaks of is whole. At last patrold is left in
peace: all reports are made and mailed, and no file lies about that belongs to nothing.

    work_crash.py [KILLS] [SEED]       15 kills unless told otherwise
"""
import collections
import datetime
import os
import random
import sqlite3
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash  # noqa: E402
from harness import Control, Site, Sink, copy_of_database, fail, skip, wait_for  # noqa: E402

SETTINGS = crash.RULES + """
ticket_prefix: T
report: {program: %s, provider: {name: 迅修办公设备服务有限公司}}
"""
STORY = """
title: Printers in a hurry
start: 2026-09-30 08:00
time_zone: Asia/Shanghai
length: 1d
devices:
  - {name: busy, model: printer, address: 127.33.0.1, count: 4}
events:
  - {at: 1s, event: jam, device: busy-1, for: 2s, every: 4s, times: 1000}
  - {at: 2s, event: jam, device: busy-2, for: 1s, every: 3s, times: 1000}
  - {at: 2s, event: cover-open, device: busy-3, for: 20s, every: 30s, times: 1000}
"""
CUSTOMER, HEAD, BRANCH = "远景科技有限公司", "总部大楼", "浦东分部"
READERS = ("wang@example.com", "ann@example.com")
IMPORTED = 30
FLIGHTS = 4  # mails under way at once
KINDS = ("random", "commit", "child", "files", "delivery")
NOW = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)
THIS_MONTH = NOW.strftime("%Y-%m")
LAST_MONTH = (NOW.replace(day=1) - datetime.timedelta(days=1)).strftime("%Y-%m")
WHOLE = {".pdf": (b"%PDF-", b"%%EOF"), ".png": (b"\x89PNG", b"IEND\xaeB`\x82"), ".html": (b"<!DOCTYPE", b"</html>")}


class Office(threading.Thread):
    """Imports devices, has reports made and mailed, opens tickets; remembers what was acknowledged."""

    def __init__(self, control, life):
        super().__init__()
        self.control, self.life = control, life
        self.asked = self.imported = 0  # the last import that was asked for, and the last acknowledged
        self.editions, self.tickets = 0, []
        self.error = None

    def import_devices(self, n):
        self.asked = n
        rows = [{"name": "设备%02d" % i, "address": "127.34.0.%d" % (i + 1), "port": 9, "site": BRANCH,
                 "status": "in-repair", "location": str(n)} for i in range(IMPORTED)]
        if "ok" in self.control.command("device.import", rows=rows):
            self.imported = n

    def run(self):
        try:
            for n in range(100000):
                self.import_devices(self.life * 1000 + n + 1)
                answer = self.control.command("ticket.open", title="换纸 %d" % n, site=HEAD)
                if "ok" in answer:
                    self.tickets.append(answer["ok"]["ticket"])
                self.editions += "ok" in self.control.command("report.make", of=HEAD, month=THIS_MONTH, mail=True)
        except (OSError, ValueError):
            pass  # killed
        except Exception as e:  # pylint: disable=broad-except
            self.error = e


def whole(path):
    """True if a file begins and ends as its kind does."""
    with open(path, "rb") as f:
        data = f.read()
    begin, end = WHOLE.get(os.path.splitext(path)[1], (b"", b"\n"))
    return data[:20].upper().startswith(begin.upper()) and data.rstrip(b"\0").rstrip().endswith(end.rstrip())


def parts(attachments):
    """Files of a message, as the outbox names them."""
    return [line.split(" ", 2)[1] for line in (attachments or "").splitlines()]


def twice(db, what, sql):
    rows = db.execute(sql).fetchall()
    if rows:
        fail("%s: %s" % (what, [tuple(r) for r in rows[:5]]))


def check_work(db, folder):
    """What must hold at any moment of reports, mails with files, promises and imports."""
    twice(db, "two reports of a site and a month", "SELECT site, month FROM report GROUP BY site, month HAVING count(*) > 1")
    twice(db, "editions that were not made once each",
          "SELECT r.site, r.month, r.edition, (SELECT count(*) FROM event e WHERE e.kind = 'report.made' AND "
          "json_extract(e.args, '$.report') = r.id) made FROM report r WHERE made <> r.edition")
    twice(db, "a report was mailed twice to one reader", "SELECT recipient, attachments FROM outbox WHERE attachments "
          "IS NOT NULL GROUP BY recipient, attachments HAVING count(*) > 1")
    twice(db, "a warning was told twice", "SELECT ticket_id, kind, json_extract(args, '$.promise') p FROM event WHERE "
          "kind IN ('ticket.warned', 'ticket.missed', 'ticket.escalated') GROUP BY ticket_id, kind, p HAVING count(*) > 1")
    places = db.execute("SELECT location, count(*) FROM device WHERE name LIKE '设备%' GROUP BY location").fetchall()
    if len(places) > 1 or (places and places[0][1] != IMPORTED):
        fail("an import is there by halves: %s" % [tuple(p) for p in places])
    wanted = [row[0] for row in db.execute("SELECT path FROM report WHERE path IS NOT NULL")]
    for row in db.execute("SELECT attachments FROM outbox WHERE state = 'pending' AND attachments IS NOT NULL"):
        wanted += parts(row[0])
    for name in wanted:
        if not os.path.exists(os.path.join(folder, name)) or not whole(os.path.join(folder, name)):
            fail("the file %s is lost or broken" % name)
    return wanted


def check_office(db, office):
    place = db.execute("SELECT location FROM device WHERE name = '设备00'").fetchone()
    place = int(place[0]) if place else 0
    if place < office.imported:
        fail("import %d was acknowledged; the database has %d" % (office.imported, place))
    made = db.execute("SELECT edition FROM report WHERE site = ? AND month = ?", (HEAD, THIS_MONTH)).fetchone()
    if (made[0] if made else 0) < office.editions:
        fail("%d reports were acknowledged, there are %s" % (office.editions, made and made[0]))
    for ticket in office.tickets:
        if not db.execute("SELECT 1 FROM ticket WHERE ? IN (id, number)", (ticket,)).fetchone():
            fail("ticket %s was acknowledged but is lost" % ticket)


class Run(crash.Run):
    def __init__(self, kills, seed):  # pylint: disable=super-init-not-called
        self.rng = random.Random(seed)
        self.kills = kills
        self.where = collections.Counter()
        self.acknowledged = self.editions = self.signed = self.extra = 0
        self.site = Site()
        self.reports = os.path.join(self.site.folder, "reports")
        self.sink = Sink(os.path.join(self.site.folder, "mail"))
        self.shim = crash.build_shim(self.site.folder)
        self.order = os.path.join(self.site.folder, "order")
        self.site.write_config(SETTINGS % self.program(), self.sink.port)
        self.port = 20000 + os.getpid() % 20000
        story = os.path.join(self.site.folder, "story.yaml")
        with open(story, "w", encoding="utf-8") as f:
            f.write(STORY)
        self.devices = self.site.serve(story, self.port)

    def program(self):
        """patrol-report, which tells that it runs, and does what the file "order" says."""
        path, real = os.path.join(self.site.folder, "program"), self.site.program("patrol-report")
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\ntouch %s.runs\n[ ! -s %s ] || exec env LD_PRELOAD=%s KILL_AT=\"$(cat %s)\" KILL_PARENT=1 %s "
                    "\"$@\"\nexec %s \"$@\"\n" % (self.order, self.order, self.shim, self.order, real, real))
        os.chmod(path, 0o755)
        return path

    def begin(self):
        """A first, peaceful life; then it is as if its devices had been there for months."""
        self.site.start()
        for words in (("customer", "add", CUSTOMER), ("site", "add", HEAD, CUSTOMER), ("site", "add", BRANCH, CUSTOMER),
                      ("contact", "add", "王芳", "--customer", CUSTOMER, "--mail", READERS[0], "--language", "zh_CN",
                       "--gets", "report"),
                      ("contact", "add", "Ann", "--customer", CUSTOMER, "--mail", READERS[1], "--gets", "report"),
                      ("staff", "add", "li", "李工", "technician", "--sites", HEAD, "--mail", "li@example.com"),
                      ("staff", "add", "boss", "赵经理", "supervisor", "--sites", HEAD, "--mail", "boss@example.com"),
                      ("contract", "add", "HT-1", CUSTOMER, "full-service", "--p1", "respond=1s,fix=3s", "--p2",
                       "respond=1s,fix=3s", "--p3", "respond=1s,fix=3s", "--p4", "respond=1s,fix=3s")):
            self.site.patrolctl(*words)
        for i, (name, address) in enumerate(self.devices):
            self.site.patrolctl("device", "add", name, address, "--port", str(self.port), "--site",
                                (HEAD, BRANCH)[i % 2], "--credential", "public")
        time.sleep(2)
        self.site.stop()
        db = sqlite3.connect(self.site.database)
        db.execute("UPDATE device SET added_ms = added_ms - 40 * 86400000")
        db.commit()
        db.close()

    def orders(self, kind):
        """What is to happen in this life: the environment of patrold."""
        for name in (self.order, self.order + ".runs"):
            if os.path.exists(name):
                os.remove(name)
        if kind == "files":
            with open(self.order, "w", encoding="ascii") as f:
                f.write("name:%d:%s" % (self.rng.randint(1, 5), self.rng.choice(["before", "after"])))
        if kind in ("commit", "delivery"):
            return {"LD_PRELOAD": self.shim, "KILL_AT": crash.plan(kind, self.rng)}
        return {}

    def wait_for_death(self, process, kind):
        """A kill in the child comes when patrol-report has run for a while."""
        until = time.monotonic() + (self.rng.uniform(0.3, 2.0) if kind == "random" else 8.0)
        while process.poll() is None and time.monotonic() < until:
            if kind == "child" and os.path.exists(self.order + ".runs"):
                time.sleep(self.rng.uniform(0, 0.6))
                break
            time.sleep(0.005)
        self.by_itself = process.poll() is not None
        if not self.by_itself:
            process.kill()
            process.wait()
        if process.returncode != -9:
            fail("patrold ended with %s by itself:\n%s" % (process.returncode, self.site.log_text()[-3000:]))

    def survive(self, number, kind):
        environment = self.orders(kind)
        self.let_plans_fall_due()
        process = self.site.start(wait=False, environment=environment)
        people = []
        for make in (lambda c: crash.Witness(c, self.rng.random(), number), lambda c: Office(c, number + 1), crash.Tail):
            control = self.connect(process)
            if not control:
                break
            people.append(make(control))
            people[-1].start()
        self.wait_for_death(process, kind)
        for thread in people:
            thread.join()
            if getattr(thread, "error", None):
                raise thread.error
        self.where[kind if self.by_itself or kind == "child" else "random"] += 1
        self.compare(people)

    def compare(self, people=()):
        db = copy_of_database(self.site.database, self.site.folder)
        try:
            crash.check_whole(db)
            wanted = check_work(db, self.reports)
            self.extra = crash.check_mail(db, self.sink, self.kills * FLIGHTS)
            if len(people) == 3:
                witness, office, tail = people
                crash.check_acknowledged(db, witness, tail)
                check_office(db, office)
                self.signed += len(witness.signed)
                self.editions += office.editions
                self.acknowledged += (len(witness.devices) + len(witness.removed) + len(witness.tickets) +
                                      len(witness.acks) + len(office.tickets) + office.imported % 1000)
            return wanted
        finally:
            db.close()

    def live_in_peace(self):
        """Everything that is owed comes, and nothing is left over."""
        self.orders("random")
        self.site.start()
        control = Control(self.site.socket)
        until = time.monotonic() + 90  # a minute is the pause after a report that could not be made
        while [r for r in control.rows("reports") if r["state"] != "mailed"]:
            if time.monotonic() > until:
                fail("reports are not mailed: %s" % [r for r in control.rows("reports") if r["state"] != "mailed"])
            time.sleep(0.1)
        wait_for("all promises that are missed to be told of", lambda: not self.untold(control), 30)
        last = [r["site"] for r in control.rows("reports", month=LAST_MONTH)]
        if sorted(s for s in last if s in (HEAD, BRANCH)) != sorted((HEAD, BRANCH)):
            fail("reports of %s: %s" % (LAST_MONTH, last))
        control.close()
        self.site.stop()
        self.site.start()  # what was mailed of older editions is swept
        self.site.stop()
        wanted = self.compare()
        kept = {name[:name.rindex("-") + 1] for name in wanted}
        left = [f for f in os.listdir(self.reports) if not any(f.startswith(base) for base in kept) or f[-7] == "."]
        if left:
            fail("files that belong to nothing: %s" % left)

    def untold(self, control):
        """Open tickets whose promises are long missed, and which do not say so."""
        db = copy_of_database(self.site.database, self.site.folder)
        try:
            return db.execute("SELECT number FROM ticket t WHERE state = 'new' AND kind = 'fault' AND site = ? AND "
                              "opened_ms < ? AND NOT EXISTS (SELECT 1 FROM event e WHERE e.ticket_id = t.id AND "
                              "e.kind = 'ticket.missed')", (HEAD, int(time.time() * 1000) - 5000)).fetchall()
        finally:
            db.close()

    def run(self):
        self.begin()
        kinds = [KINDS[n % len(KINDS)] for n in range(self.kills)]
        self.rng.shuffle(kinds)
        for number, kind in enumerate(kinds):
            try:
                self.survive(number, kind)
            except AssertionError as e:
                fail("kill %d (%s): %s" % (number, kind, e))
        self.live_in_peace()


def main():
    if os.environ.get("SANITIZED"):
        skip("the preloaded shim and the sanitizers do not go together; the plain build runs this")
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    run = Run(kills, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    try:
        run.run()
        mails = run.sink.messages()
        reports = sum(b"application/pdf" in m[2] for m in mails)
        print("%d kills (%s): %d commands acknowledged, %d rounds signed and %d reports made were all there; %d mails "
              "arrived, %d of them reports, %d twice with one Message-ID and the same bytes"
              % (sum(run.where.values()), ", ".join("%s %d" % kv for kv in sorted(run.where.items())), run.acknowledged,
                 run.signed, run.editions, len(mails), reports, run.extra))
        # Lives may be too short for a report to be acknowledged; that some were made, their mails show.
        if run.signed == 0 or reports == 0 or len(run.where) < len(KINDS):
            fail("not everything was tried")
    finally:
        run.end()


if __name__ == "__main__":
    main()
