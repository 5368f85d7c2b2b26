#!/usr/bin/python3
"""kill -9 at many instants under load: nothing acknowledged is lost, nothing is doubled.

Simulated printers jam and recover all the time. A client outside gives commands
and writes down every acknowledgement, another follows the events, a real SMTP
server keeps every message. Each life begins with plans that fell due while
patrold was dead; their rounds are filled in and signed. patrold is killed at a random moment, or, with a
preloaded shim, inside a chosen system call: in a commit, while the database is
made (the migration from nothing), in a mail's delivery. After each kill the
database is compared with what was acknowledged.

    crash.py [KILLS] [SEED]       100 kills, 8 of each chosen kind, unless told otherwise
"""
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import SOURCE, Control, Site, Sink, build_shim, copy_of_database, fail, skip  # noqa: E402

RULES = """
poll: {every: {status: 1s, counters: 1s, supplies: 1s}, ping: false} # the loopback answers pings for whoever is silent
snmp: {timeout: 500ms, retries: 1}
rules:
  unreachable: {hold: 2m}
  jam: {hold: 0s, clear_hold: 0s}
  cover-open: {hold: 0s, clear_hold: 0s}
plans:
  daily: {title: Daily, rule: FREQ=DAILY, start: 2026-01-01}
  filters: {title: Filters, kind: preventive, rule: FREQ=DAILY, start: 2026-01-01}
"""
VERBS = ["accept", "depart", "arrive", "fix"]


class Witness(threading.Thread):
    """Gives commands as fast as they are answered and remembers what was acknowledged, until patrold is gone."""

    def __init__(self, control, seed, round_number):
        super().__init__()
        self.control = control
        self.random = random.Random(seed)
        self.round = round_number
        self.devices, self.removed, self.tickets, self.acks, self.signed = {}, set(), [], set(), set()
        self.doubtful = None  # a device whose removal was asked for and not answered
        self.error = None

    def add_device(self, n):
        if len(self.devices) >= 10:
            self.remove_device()
            return
        name = "extra-%d-%d" % (self.round, n)
        answer = self.control.command("device.add", name=name, address="127.9.%d.%d" % (n // 250, n % 250 + 1))
        if "ok" in answer:
            self.devices[answer["ok"]["device"]] = name

    def remove_device(self):
        if self.devices:
            number = self.doubtful = self.random.choice(sorted(self.devices))
            if "ok" in self.control.command("device.remove", device=number):
                self.removed.add(number)
                del self.devices[number]
            self.doubtful = None

    def move_ticket(self):
        for row in self.control.ask({"query": "tickets", "filters": {"state": "open"}, "limit": 5}).get("rows", []):
            verb = self.random.choice(VERBS)
            answer = self.control.command("ticket." + verb, ticket=row["number"], note="round %d" % self.round)
            if "ok" in answer:
                self.tickets.append((row["number"], verb))

    def ack_alert(self):
        for row in self.control.ask({"query": "alerts", "filters": {"state": "open"}, "limit": 3}).get("rows", []):
            if "ok" in self.control.command("alert.ack", alert=row["id"]):
                self.acks.add(row["id"])

    def patrol(self):
        for row in self.control.ask({"query": "rounds", "filters": {"state": "open"}, "limit": 2}).get("rows", []):
            which = {"query": "visits", "filters": {"round": row["id"]}, "limit": 1}
            for visit in self.control.ask(which).get("rows", []):
                self.control.command("patrol.fill", round=row["id"], device=visit["device"], items={"outside": "fault"})
            self.control.command("patrol.fill", round=row["id"], all_ok=True)
            if "ok" in self.control.command("patrol.sign", round=row["id"], by="Wang"):
                self.signed.add(row["id"])

    def run(self):
        try:
            for n in range(100000):
                self.random.choice([lambda n=n: self.add_device(n), lambda n=n: self.add_device(n), self.remove_device,
                                    self.move_ticket, self.ack_alert, self.patrol])()
        except (OSError, ValueError):
            pass  # killed: what is remembered is what was acknowledged
        except Exception as e:  # pylint: disable=broad-except
            self.error = e


class Tail(threading.Thread):
    """Remembers every event it was told."""

    def __init__(self, control):
        super().__init__()
        self.control = control
        self.events = {}
        self.doubled = []
        control.send({"tail": {"after": 0}})

    def run(self):
        try:
            while True:
                event = self.control.receive().get("event")
                if event:
                    if event["number"] in self.events:
                        self.doubled.append(event["number"])
                    self.events[event["number"]] = (event["kind"], event["at_ms"])
        except (OSError, ValueError):
            pass


def one(db, sql, *args):
    return db.execute(sql, args).fetchone()[0]


def check_whole(db):
    """What must hold of any database, whatever befell it."""
    if one(db, "PRAGMA integrity_check") != "ok":
        fail("integrity_check is not ok")
    count, first, last = db.execute("SELECT count(*), min(number), max(number) FROM event").fetchone()
    if count and (first != 1 or last != count):
        fail("events are numbered %s to %s but there are %s" % (first, last, count))
    for table, state in (("alert", "state <> 'ok'"), ("ticket", "state NOT IN ('closed', 'cancelled')")):
        rows = db.execute("SELECT family, device_id, key, count(*) n FROM %s WHERE %s AND family IS NOT NULL "
                          "GROUP BY family, device_id, key HAVING n > 1" % (table, state)).fetchall()
        if rows:
            fail("doubled %ss: %s" % (table, [tuple(r) for r in rows]))
    check_patrol(db)
    doubled = db.execute("SELECT recipient, subject, created_ms, count(*) n FROM outbox "
                         "GROUP BY recipient, subject, body, created_ms HAVING n > 1").fetchall()
    if doubled:
        fail("doubled mails: %s" % [tuple(r) for r in doubled])


def check_patrol(db):
    """Each occurrence of a plan was made once and whole; each finding has its ticket, once."""
    for name, made in (("daily", "SELECT n FROM round WHERE plan = 'daily' GROUP BY n"),
                       ("filters", "SELECT DISTINCT substr(origin, 1, instr(origin, ' site ')) FROM ticket "
                        "WHERE origin LIKE 'plan filters %'")):
        cursor = db.execute("SELECT value FROM meta WHERE name = 'plan.%s'" % name).fetchone()
        last, count = int(cursor[0].split()[1]) if cursor else 0, len(db.execute(made).fetchall())
        if count != last:
            fail("plan %s came to number %d, but %d were made" % (name, last, count))
    for what, sql in (
            ("rounds without visits", "SELECT id FROM round WHERE id NOT IN (SELECT round_id FROM visit)"),
            ("visits without items", "SELECT id FROM visit WHERE id NOT IN (SELECT visit_id FROM item)"),
            ("doubled tickets", "SELECT origin FROM ticket WHERE origin IS NOT NULL GROUP BY origin HAVING count(*) > 1"),
            ("findings without a ticket", "SELECT i.id FROM item i JOIN round r ON r.id = i.round_id WHERE r.state = "
             "'signed' AND i.result = 'fault' AND i.ticket_id NOT IN (SELECT id FROM ticket)"),
            ("findings of nothing", "SELECT id FROM ticket WHERE kind = 'finding' AND id NOT IN (SELECT ticket_id FROM item)")):
        rows = db.execute(sql).fetchall()
        if rows:
            fail("%s: %s" % (what, [tuple(r) for r in rows[:5]]))


def check_acknowledged(db, w, t):
    for number, name in w.devices.items():
        row = db.execute("SELECT name, retired FROM device WHERE id = ?", (number,)).fetchone()
        if not row or row["name"] != name or (row["retired"] and number != w.doubtful):
            fail("device %s '%s' was acknowledged; the database has %s" % (number, name, row and tuple(row)))
    for number in w.removed:
        if not one(db, "SELECT coalesce((SELECT retired FROM device WHERE id = ?), 1)", number):
            fail("the removal of device %s was acknowledged but is lost" % number)
    for number, verb in w.tickets:
        if not one(db, "SELECT count(*) FROM event e JOIN ticket t ON t.id = e.ticket_id WHERE t.number = ? AND e.kind = ?",
                   number, "ticket." + verb):
            fail("%s of ticket %s was acknowledged but is lost" % (verb, number))
    for number in w.acks:
        if not one(db, "SELECT acked_ms FROM alert WHERE id = ?", number):
            fail("the acknowledgement of alert %s is lost" % number)
    for number in w.signed:
        if one(db, "SELECT state FROM round WHERE id = ?", number) != "signed":
            fail("the signature of round %s is lost" % number)
    if t.doubled:
        fail("events told twice on one connection: %s" % t.doubled[:5])
    for number, (kind, at_ms) in t.events.items():
        row = db.execute("SELECT kind, at_ms FROM event WHERE number = ?", (number,)).fetchone()
        if not row or (row["kind"], row["at_ms"]) != (kind, at_ms):
            fail("event %s (%s) was told; the database has %s" % (number, kind, row and tuple(row)))


def check_mail(db, sink, kills):
    """Every message is in the outbox; one is there twice only where a kill cut off its delivery."""
    seen = {}
    for message_id, _, data in sink.messages():
        seen.setdefault(message_id, []).append(data)
    for message_id, copies in seen.items():
        row = db.execute("SELECT state FROM outbox WHERE '<' || message_id || '>' = ? OR message_id = ?",
                         (message_id, message_id)).fetchone()
        if not row:
            fail("message %s was sent but is in no outbox" % message_id)
        if any(copy != copies[0] for copy in copies):
            fail("message %s was sent with other bytes the second time" % message_id)
    extra = sum(len(copies) - 1 for copies in seen.values())
    if extra > kills:
        fail("%d messages came twice in %d kills" % (extra, kills))
    for row in db.execute("SELECT message_id FROM outbox WHERE state = 'sent'"):
        if row[0] not in seen and "<%s>" % row[0] not in seen:
            fail("message %s is marked sent but never arrived" % row[0])
    return extra


def plan(kind, rng):
    """The shim's orders for a kill of this kind."""
    when = rng.choice(["before", "after"])
    if kind == "commit":
        call = rng.choice(["fdatasync:%d" % rng.randint(3, 20), "pwrite:%d" % rng.randint(15, 90)])
    elif kind == "migration":
        call = rng.choice(["pwrite:%d" % rng.randint(1, 20), "fdatasync:%d" % rng.randint(1, 3)])
    else:
        call = "send:%d" % rng.randint(1, 25)
    return "%s:%s" % (call, when)


class Run:
    def __init__(self, kills, seed):
        self.rng = random.Random(seed)
        self.kills = kills
        self.where = {"random": 0, "commit": 0, "migration": 0, "delivery": 0}
        self.acknowledged = self.events = self.extra = self.signed = 0
        self.site = Site(settings=RULES)
        self.sink = Sink(os.path.join(self.site.folder, "mail"))
        self.site.write_config(RULES, self.sink.port)
        self.shim = build_shim(self.site.folder)
        self.port = 20000 + os.getpid() % 20000
        self.devices = self.site.serve(os.path.join(SOURCE, "tests/data/stories/busy.yaml"), self.port)

    def compare(self, witness=None, tail=None):
        db = copy_of_database(self.site.database, self.site.folder)
        try:
            if not one(db, "SELECT count(*) FROM sqlite_schema"):
                return  # killed before there was anything
            check_whole(db)
            if witness:
                check_acknowledged(db, witness, tail)
            self.extra = check_mail(db, self.sink, self.kills)
        finally:
            db.close()

    def survive(self, number, kind):
        """One life and death of patrold."""
        environment = {}
        if kind != "random":
            environment = {"LD_PRELOAD": self.shim, "KILL_AT": plan(kind, self.rng)}
        self.let_plans_fall_due()
        log_from = os.path.getsize(self.site.log) if os.path.exists(self.site.log) else 0
        process = self.site.start(wait=False, environment=environment)
        witness = tail = None
        control = self.connect(process)
        if control:
            witness = Witness(control, self.rng.random(), number)
            other = self.connect(process)
            tail = Tail(other) if other else None
            witness.start()
            if tail:
                tail.start()
        self.wait_for_death(process, kind)
        for thread in (witness, tail):
            if thread:
                thread.join()
        if witness and witness.error:
            raise witness.error
        self.classify(kind, log_from)
        if witness:
            self.acknowledged += len(witness.devices) + len(witness.removed) + len(witness.tickets) + len(witness.acks)
            self.signed += len(witness.signed)
            self.events += len(tail.events) if tail else 0
        self.compare(witness if tail else None, tail)

    def let_plans_fall_due(self):
        """As if patrold had been dead since the day before yesterday."""
        db = sqlite3.connect(self.site.database)
        for name, value in db.execute("SELECT name, value FROM meta WHERE name LIKE 'plan.%'").fetchall():
            since = int((time.time() - 36 * 3600) * 1000)
            db.execute("UPDATE meta SET value = ? WHERE name = ?", (" ".join([str(since)] + value.split()[1:]), name))
        db.commit()
        db.close()

    def survive_migration(self):
        """A database of its own is being made; whatever the kill left, the next start makes it whole."""
        fresh = Site(settings=RULES)
        try:
            process = fresh.start(wait=False, environment={"LD_PRELOAD": self.shim,
                                                           "KILL_AT": plan("migration", self.rng)})
            process.wait(20)
            if "killshim: " not in fresh.log_text():
                fail("the database was made without a call of the chosen kind")
            self.where["migration"] += 1
            fresh.start()
            fresh.stop()
            db = copy_of_database(fresh.database, fresh.folder)
            check_whole(db)
            if one(db, "PRAGMA user_version") < 1:
                fail("the database has no schema")
            db.close()
        finally:
            fresh.end()

    def connect(self, process):
        until = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < until:
            try:
                control = self.site.try_control()
            except AssertionError:
                return None  # killed meanwhile
            if control:
                return control
            time.sleep(0.005)
        return None

    def begin(self):
        """A first, peaceful life: it gets to know its devices."""
        self.site.start()
        control = Control(self.site.socket)
        for name, address in self.devices:
            answer = control.command("device.add", name=name, address=address, port=self.port, credential="public")
            if "ok" not in answer:
                fail("device.add: %s" % answer)
        control.close()
        self.site.stop()

    def wait_for_death(self, process, kind):
        life = self.rng.uniform(0.05, 1.3) if kind == "random" else 6.0
        try:
            process.wait(life)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.returncode != -9:
            fail("patrold ended with %s by itself:\n%s" % (process.returncode, self.site.log_text()[-3000:]))

    def classify(self, kind, log_from):
        with open(self.site.log, "rb") as f:
            f.seek(log_from)
            log = f.read().decode("utf-8", "replace")
        if "ERROR: AddressSanitizer" in log or "runtime error:" in log:
            fail(log[-3000:])
        self.where[kind if "killshim: " in log else "random"] += 1

    def kinds(self):
        kinds = ["commit"] * 8 + ["migration"] * 8 + ["delivery"] * 8
        kinds += ["random"] * max(self.kills - len(kinds), 0)
        self.rng.shuffle(kinds)
        return kinds

    def run(self):
        self.begin()
        for number, kind in enumerate(self.kinds()):
            try:
                self.survive_migration() if kind == "migration" else self.survive(number, kind)
            except AssertionError as e:
                fail("kill %d (%s): %s" % (number, kind, e))
        # And it lives on.
        self.site.start()
        self.site.stop()
        self.compare()

    def end(self):
        self.sink.stop()
        self.site.end()


def main():
    if os.environ.get("SANITIZED"):
        skip("the preloaded shim and the sanitizers do not go together; the plain build runs this")
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else int(os.environ.get("CRASH_KILLS", "100"))
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    run = Run(kills, seed)
    try:
        run.run()
        print("%d kills (%s): %d commands acknowledged, %d rounds signed and %d events told were all there; "
              "%d mails arrived, %d of them twice with one Message-ID"
              % (sum(run.where.values()), ", ".join("%s %d" % kv for kv in run.where.items()), run.acknowledged,
                 run.signed, run.events, len(run.sink.messages()), run.extra))
        if run.signed < kills // 10:
            fail("only %d rounds were signed" % run.signed)
        for kind in ("commit", "migration", "delivery"):
            if run.where[kind] < 5:
                fail("only %d kills hit a %s" % (run.where[kind], kind))
    finally:
        run.end()


if __name__ == "__main__":
    main()
