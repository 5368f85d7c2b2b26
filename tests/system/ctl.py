#!/usr/bin/python3
"""patrolctl as a user runs it: every noun against the real patrold and a simulated printer, in both languages, and a
tail that lives through restarts and crashes without missing or doubling an event."""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Site, fail, wait_for  # noqa: E402

SETTINGS = """
ticket_prefix: T
poll: {every: {status: 1s, counters: 2s, supplies: 2s, inventory: 1h}, ping: false} # the loopback answers pings for whoever is silent
snmp: {timeout: 300ms, retries: 1}
rules:
  unreachable: {clear_hold: 1s}
plans:
  daily: {title: {en: Daily, zh_CN: 每日巡检}, rule: FREQ=DAILY, start: 2026-01-01, classes: [printer]}
"""
PORT = 16131


def need(what, text, *parts):
    for part in parts:
        if part not in text:
            fail("%s: %r is not in:\n%s" % (what, part, text))


# A printer with which nothing is the matter, however long this takes.
STORY = """title: A quiet hour
start: 2026-09-30 08:30
time_zone: Asia/Shanghai
length: 1h
devices: [{name: 2F-printer, model: printer, address: 127.21.0.1}]
"""


def as_json(site, *words):
    return json.loads(site.patrolctl(*words, "--json").stdout)


def refused(site, code, part, *words):
    done = site.patrolctl(*words, check=False)
    if done.returncode != code or part not in done.stderr:
        fail("%s: exit %d, not %d with %r: %s" % (" ".join(words), done.returncode, code, part, done.stderr))


def history(site, name):
    rows = wait_for("two polls", lambda: (lambda r: len(r) > 1 and r)(
        as_json(site, "device", "history", name, "device", "reachable", "--step", "raw")))
    if any(r["value"] is not True or r["quality"] != "good" for r in rows):
        fail("device history: %s" % rows)
    hours = as_json(site, "device", "history", name, "device", "reachable", "--from", "2020-01-31")
    if sum(h["count"] for h in hours) < len(rows) or hours[0]["avg"] != 1:
        fail("device history by hours: %s" % hours)
    need("device history", site.patrolctl("device", "history", name, "device", "reachable").stdout, "▁")
    need("device history --csv", site.patrolctl("device", "history", name, "device", "reachable", "--csv").stdout, "avg", "true")
    if as_json(site, "device", "history", name, "device", "reachable", "--to", "2020-01-31"):
        fail("device history: it was polled before it was there")
    refused(site, 1, "no point", "device", "history", name, "device", "colour")
    refused(site, 1, "2026-01-31", "device", "history", name, "device", "reachable", "--from", "yesterday")


def devices(site):
    story = os.path.join(site.folder, "story.yaml")
    with open(story, "w", encoding="utf-8") as f:
        f.write(STORY)
    name, address = site.serve(story, PORT)[0]
    need("device add", site.patrolctl("device", "add", name, address, "--port", str(PORT), "--site", "三楼").stdout, name)
    need("device poll", site.patrolctl("device", "poll", name).stdout, "everything was read")
    row = wait_for("the device to be recognised",
                   lambda: next((d for d in as_json(site, "device", "list") if d["device_class"] == "printer"), None))
    if row["name"] != name or row["state"] != "up" or row["site"] != "三楼":
        fail("device list: %s" % row)
    shown = wait_for("its supplies", lambda: (lambda d: d["points"] and d)(
        as_json(site, "device", "show", name, "--kind", "supply")))
    if not any(p["point"] == "level" and isinstance(p["number"], (int, float)) for p in shown["points"]):
        fail("device show: %s" % shown)
    need("device show", site.patrolctl("device", "show", name, "--lang", "zh_CN").stdout, "打印机", "余量", "可达")
    history(site, name)
    facts = json.loads(site.patrolctl("facts", name).stdout)
    if facts["device"] != name or facts["class"] != "printer" or not facts["supplies"]:
        fail("facts: %s" % facts)
    refused(site, 1, "did you mean '%s'" % name, "device", "show", name + "x")
    return name


def tickets(site):
    site.patrolctl("device", "add", "silent", "127.21.9.9", "--port", str(PORT))
    if site.patrolctl("device", "poll", "silent", check=False).returncode != 1:
        fail("polling a silent device succeeded")
    ticket = wait_for("a ticket", lambda: as_json(site, "ticket", "list"))[0]
    alert = as_json(site, "alert", "list", "--device", "silent")[0]
    if alert["ticket"] != ticket["number"] or alert["severity"] != "critical":
        fail("alert %s, ticket %s" % (alert, ticket))
    site.patrolctl("alert", "ack", str(alert["id"]))
    refused(site, 1, "acknowledged already", "alert", "ack", str(alert["id"]))
    number = ticket["number"]
    refused(site, 1, "accept", "ticket", "fix", number)
    for words in (["accept", number, "--note", "电话已联系"], ["dispatch", number, "王工"], ["depart", number],
                  ["arrive", number], ["wait-part", number], ["resume", number], ["fix", number], ["sign", number],
                  ["call-back", number], ["close", number]):
        said = site.patrolctl("ticket", *words, "--lang", "zh_CN").stdout
    need("ticket close", said, "工单 %s：已结单" % number)
    history = as_json(site, "ticket", "show", number)
    kinds = [e["kind"] for e in history["history"]]
    if history["assignee"] != "王工" or kinds[:2] != ["ticket.opened", "alert.acked"] or kinds[-1] != "ticket.close":
        fail("ticket show: %s" % history)
    if as_json(site, "ticket", "list") or len(as_json(site, "ticket", "list", "--all")) != 1:
        fail("a closed ticket is listed as open, or not at all")
    need("event list", site.patrolctl("event", "list", "--ticket", number).stdout, "dispatched %s to 王工" % number)
    need("outbox list", site.patrolctl("outbox", "list", "--csv").stdout, "id,created,state")


def promises(site):
    site.patrolctl("customer", "add", "甲公司")
    site.patrolctl("site", "add", "总部", "甲公司", "--zone", "Asia/Shanghai")
    site.patrolctl("contract", "add", "HT-1", "甲公司", "full-service", "--p3", "respond=1s,fix=2h")
    refused(site, 1, "name a device or a site", "ticket", "open", "换纸")
    site.patrolctl("ticket", "open", "换纸", "--site", "总部", "--note", "三楼")
    ticket = wait_for("a missed promise", lambda: as_json(site, "ticket", "list", "--due", "missed"))[0]
    if ticket["promise"] != "respond" or ticket["clock"] != "missed" or ticket["title"] != "换纸":
        fail("ticket list: %s" % ticket)
    number = ticket["number"]
    need("ticket show", site.patrolctl("ticket", "show", number, "--lang", "zh_CN").stdout, "响应", "修复", "承诺已超时")
    site.kill()
    site.start()
    for words in (["accept", number], ["loaner", number], ["cancel", number]):
        site.patrolctl("ticket", *words)
    shown = as_json(site, "ticket", "show", number)
    states = {c["promise"]: c["state"] for c in shown["clocks"]}
    kinds = [e["kind"] for e in shown["history"]]
    if states != {"respond": "missed", "fix": "void"} or kinds.count("ticket.missed") != 1:
        fail("ticket show: %s" % shown)


def the_rest(site):
    status = as_json(site, "status")
    if status["devices"] != 2 or status["troubles"]:
        fail("status: %s" % status)
    need("status", site.patrolctl("status", environment={"LANG": "zh_CN.UTF-8", "LC_ALL": ""}).stdout, "设备数")
    need("reload", site.patrolctl("reload").stdout, status["configuration"])
    need("config check", site.patrolctl("config", "check", site.config).stdout, "no errors")
    refused(site, 2, "did you mean 'device'", "devcie", "list")


def let_plans_fall_due(site):
    """As if patrold had been stopped for a day."""
    site.stop()
    db = sqlite3.connect(site.database)
    since = int((time.time() - 24 * 3600) * 1000)
    db.execute("UPDATE meta SET value = ? WHERE name = 'plan.daily'", ("%d 0 0 0" % since,))
    db.commit()
    db.close()
    site.start()


def patrol(site, name):
    let_plans_fall_due(site)
    need("plan list", site.patrolctl("plan", "list", "--lang", "zh_CN").stdout, "每日巡检")
    round_id = str(wait_for("a round", lambda: as_json(site, "patrol", "list"))[0]["id"])
    refused(site, 1, "is not complete: %s" % name, "patrol", "sign", round_id, "王芳")
    refused(site, 1, "did you mean 'rollers'", "patrol", "fill", round_id, name, "roller=ok")
    refused(site, 1, "a result is ok, attention, fault", "patrol", "fill", round_id, name, "rollers=good")
    site.patrolctl("patrol", "start", "daily", name)
    filled = site.patrolctl("patrol", "fill", round_id, name, "rollers=fault", "--all-ok", "--note", "开裂", "--lang", "zh_CN")
    need("patrol fill", filled.stdout, "待签字")
    need("patrol sign", site.patrolctl("patrol", "sign", round_id, "王芳").stdout, "signed; 1 tickets opened")
    shown = as_json(site, "patrol", "show", round_id)
    rollers = next(i for i in shown["items"] if i["code"] == "rollers")
    if shown["state"] != "signed" or shown["signed_by"] != "王芳" or rollers["result"] != "fault" or not rollers["ticket"]:
        fail("patrol show: %s" % shown)
    need("patrol show", site.patrolctl("patrol", "show", round_id, "--lang", "zh_CN").stdout, "每日巡检", "已签字", "开裂")
    refused(site, 1, "is signed", "patrol", "cancel", round_id)


def tail_lives_on(site, name):
    out = os.path.join(site.folder, "tail")
    with open(out, "w", encoding="utf-8") as f:
        tail = subprocess.Popen([site.program("patrolctl"), "-s", site.socket, "tail", "--after", "0", "--json"],
                                stdout=f, stderr=subprocess.DEVNULL)
    site.others.append(tail)
    for i in range(6):
        site.patrolctl("device", "add", "extra%d" % i, "127.21.8.%d" % (i + 1))
        if i % 2:
            site.kill()
        else:
            site.stop()
        time.sleep(0.1 * i)
        site.start()
        site.patrolctl("device", "remove", "extra%d" % i)
    last = as_json(site, "status")["last_event"]

    def numbers():
        with open(out, encoding="utf-8") as lines:
            return [json.loads(line)["number"] for line in lines if line.endswith("\n")]

    wait_for("event %d" % last, lambda: numbers()[-1:] >= [last])
    seen = numbers()
    if seen != list(range(1, len(seen) + 1)):
        fail("the tail saw %s" % seen)
    tail.send_signal(signal.SIGTERM)  # a shell in the background has SIGINT ignored
    tail.wait(5)
    head = subprocess.run("%s -s %s tail --after 0 | head -1" % (site.program("patrolctl"), site.socket), shell=True,
                          capture_output=True, text=True, timeout=10, check=False)
    need("tail | head", head.stdout, name)


def main():
    site = Site(settings=SETTINGS)
    try:
        site.start()
        name = devices(site)
        tickets(site)
        the_rest(site)
        promises(site)
        patrol(site, name)
        tail_lives_on(site, name)
        site.stop()
    finally:
        site.end()
    print("patrolctl: every noun, both languages; a tail over six restarts missed and doubled nothing")


if __name__ == "__main__":
    main()
