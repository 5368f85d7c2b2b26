#!/usr/bin/python3
"""A backup of a patrold at work, its restore, what becomes of messages then; a restore that is killed at each of its
steps leaves the old database or the new one; the files of reports go with them; root leaves no files of its own."""
import json
import os
import pwd
import sqlite3
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Site, build_shim, fail, wait_for  # noqa: E402

SETTINGS = """
poll: {every: {status: 1s}, ping: false} # the loopback answers pings for whoever is silent
snmp: {timeout: 200ms, retries: 0}
rules:
  unreachable: {clear_hold: 1s}
"""
# A server that nobody listens at: mails wait.
NO_SERVER = 9


def as_json(site, *words):
    return json.loads(site.patrolctl("-c", site.config, *words, "--json").stdout)


def refused(site, part, *words):
    done = site.patrolctl("-c", site.config, *words, check=False)
    if done.returncode != 1 or part not in done.stderr:
        fail("%s: exit %d, not 1 with %r: %s" % (" ".join(words), done.returncode, part, done.stderr))


def look(path, sql):
    """Opened as patrold would: what a crash left unfinished is finished or undone."""
    if not os.path.exists(path):
        fail("%s is gone" % path)
    db = sqlite3.connect(path)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def busy_backup(site, path):
    """While devices are added, which goes on."""
    already = len(as_json(site, "device", "list"))
    added = []

    def add():
        for i in range(60):
            site.patrolctl("device", "add", "d%d" % i, "127.21.7.%d" % (i + 1))
            added.append(i)

    writer = threading.Thread(target=add)
    writer.start()
    wait_for("some devices", lambda: len(added) > 5)
    before = already + len(added)
    answer = as_json(site, "backup", path)
    during = already + len(added)
    writer.join()
    if answer["path"] != path or len(added) != 60:
        fail("%s; %d devices were added" % (answer, len(added)))
    # Every event in order, and each device with its event: one moment, not a mixture.
    numbers = [row[0] for row in look(path, "SELECT number FROM event ORDER BY number")]
    devices = look(path, "SELECT count(*) FROM device")[0][0]
    events = look(path, "SELECT count(*) FROM event WHERE kind = 'device.added'")[0][0]
    if numbers != list(range(1, len(numbers) + 1)) or devices != events or not before <= devices <= during + 1:
        fail("the backup has %d devices and %d events of them; %d to %d were there" % (devices, events, before, during))
    refused(site, "is there already", "backup", path)


def restored(site, path):
    refused(site, "stop it first", "restore", path)
    site.stop()
    before = look(path, "SELECT count(*) FROM outbox WHERE state = 'pending'")[0][0]
    answer = as_json(site, "restore", path)
    if answer["epoch"] != 2 or answer["held"] != before or before == 0:
        fail("restore: %s; %d messages were waiting" % (answer, before))
    site.start()
    event = as_json(site, "event", "list", "--kind", "store.restored")[0]
    if "epoch 2" not in event["text"] or event["actor"] != pwd.getpwuid(os.getuid()).pw_name:
        fail("the event: %s" % event)


def messages(site):
    held = as_json(site, "outbox", "list", "--state", "held")
    first, second = held[0]["id"], held[1]["id"]
    site.patrolctl("outbox", "drop", str(first))
    site.patrolctl("outbox", "retry", str(second))
    states = {row["id"]: row["state"] for row in as_json(site, "outbox", "list")}
    if states[first] != "dropped" or states[second] != "pending":
        fail("after drop and retry: %s" % states)
    refused(site, "dropped already", "outbox", "drop", str(first))
    if [row["id"] for row in as_json(site, "outbox", "list", "--state", "dropped")] != [first]:
        fail("outbox list --state dropped")


REPORT = "2026-09-1-1-en"


def put_report(site):
    """A report as patrold would have left it, with files."""
    folder = os.path.join(site.folder, "reports")
    os.makedirs(folder, exist_ok=True)
    for tail in (".pdf", ".html"):
        with open(os.path.join(folder, REPORT + tail), "w") as f:
            f.write("the report's " + tail)
    db = sqlite3.connect(site.database)
    db.execute("INSERT INTO report (id, customer_id, site_id, site, month, state, edition, attempts, due_ms, made_ms,"
               " mailed_ms, next_ms, as_of_event, path, mail)"
               " VALUES (1, 0, 0, '-', '2026-09', 'mailed', 1, 0, 1, 1, 1, 0, 0, ?, 0)", (REPORT + ".pdf",))
    db.commit()
    db.close()


def have_reports(folder, when):
    for tail in (".pdf", ".html"):
        with open(os.path.join(folder, REPORT + tail)) as f:
            if f.read() != "the report's " + tail:
                fail("%s: %s%s in %s is not whole" % (when, REPORT, tail, folder))


def files_too(site):
    """Backup and restore carry the files; a backup killed at a step is there with its files or not at all."""
    put_report(site)
    path, folder = os.path.join(site.folder, "files.db"), os.path.join(site.folder, "reports")
    answer = as_json(site, "backup", path)
    if answer["files"] != 2 or answer["missing"] != 0:
        fail("backup: %s" % answer)
    have_reports(path + ".reports", "after the backup")
    for name in os.listdir(folder):
        os.unlink(os.path.join(folder, name))
    answer = as_json(site, "restore", path)
    if answer["files"] != 2 or answer["missing"] != 0:
        fail("restore: %s" % answer)
    have_reports(folder, "after the restore")
    return 0 if os.environ.get("SANITIZED") else killed_backups(site)


def killed_backups(site):
    shim, kills = build_shim(site.folder), 0
    for when in ("before", "after"):
        done = None
        while done is None or done.returncode != 0:
            kills += 1
            path = os.path.join(site.folder, "killed-%s-%d" % (when, kills))
            done = site.patrolctl("-c", site.config, "backup", path, check=False,
                                  environment={"LD_PRELOAD": shim, "KILL_AT": "name:%d:%s" % (kills, when)})
            if done.returncode != 0 and "killshim" not in done.stderr:
                fail("%s: %s" % (path, done.stderr))
            if os.path.exists(path):
                have_reports(path + ".reports", "%s, killed" % path)
            if kills > 200:
                fail("the backup makes no end of names")
        if kills == 1:
            fail("a backup makes no call of name")
        total, kills = kills - 1, 0
    return total


def killed(site, path):
    """The database is the old one, without loss, or the new one; the next restore works. Gives how many were killed."""
    shim, kills = build_shim(site.folder), 0
    for call, stride in (("name", 1), ("fdatasync", 1), ("pwrite", 7)):
        for when in ("before", "after"):
            number = 1
            while kill_restore(site, path, shim, "%s:%d:%s" % (call, number, when)):
                kills += 1
                number += stride
            if number == 1:
                fail("a restore makes no call of %s" % call)
    return kills


def kill_restore(site, path, shim, plan):
    old = (look(site.database, "SELECT value FROM meta WHERE name = 'store.epoch'")[0][0],
           look(site.database, "SELECT max(number) FROM event")[0][0])
    done = site.patrolctl("-c", site.config, "restore", path, check=False,
                          environment={"LD_PRELOAD": shim, "KILL_AT": plan})
    if done.returncode == 0:
        return False
    if "killshim" not in done.stderr:
        fail("%s: %s" % (plan, done.stderr))
    epoch = look(site.database, "SELECT value FROM meta WHERE name = 'store.epoch'")[0][0]
    last, kind = look(site.database, "SELECT number, kind FROM event ORDER BY number DESC LIMIT 1")[0]
    if (epoch, last) != old and (int(epoch) != int(old[0]) + 1 or kind != "store.restored"):
        fail("killed at %s it has epoch %s and ends with %d, %s; before: %s" % (plan, epoch, last, kind, old))
    if look(site.database, "PRAGMA integrity_check") != [("ok",)]:
        fail("killed at %s the database is damaged" % plan)
    return True


def as_root(site, path):
    """Root restores into a folder of somebody else's."""
    if os.geteuid() != 0:
        return
    nobody = pwd.getpwnam("nobody")
    os.chmod(site.folder, 0o755)
    home = os.path.join(site.folder, "nobody")
    os.mkdir(home)
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    os.chmod(path, 0o644)
    os.chmod(path + ".reports", 0o755)
    for name in os.listdir(path + ".reports"):
        os.chmod(os.path.join(path + ".reports", name), 0o644)
    target = os.path.join(home, "patrold.db")
    for _ in range(2):
        site.patrolctl("restore", path, "--db", target)
    site.patrolctl("backup", os.path.join(home, "again"), "--db", target)
    foreign = [name for name in os.listdir(home) if os.stat(os.path.join(home, name)).st_uid != nobody.pw_uid]
    have_reports(os.path.join(home, "again.reports"), "after root's backup")
    if foreign or not os.path.exists(target + ".replaced"):
        fail("root left %s of its own; there is %s" % (foreign, os.listdir(home)))


def main():
    site = Site(settings=SETTINGS, mail_port=NO_SERVER)
    try:
        site.start()
        for i in (1, 2):
            site.patrolctl("device", "add", "silent%d" % i, "127.21.9.%d" % i, "--port", "16198")
        wait_for("two mails that wait", lambda: len(as_json(site, "outbox", "list", "--state", "pending")) >= 2, 20)
        path = os.path.join(site.folder, "backup.db")
        busy_backup(site, path)
        restored(site, path)
        messages(site)
        site.stop()
        files_too(site)
        path = os.path.join(site.folder, "files.db")
        kills = 0 if os.environ.get("SANITIZED") else killed(site, path)
        have_reports(os.path.join(site.folder, "reports"), "after restores that were killed")
        as_root(site, path)
        site.start()
        site.stop()
    finally:
        site.end()
    print("backup: taken at work, restored, %d restores killed: each time the old database or the new" % kills)


if __name__ == "__main__":
    main()
