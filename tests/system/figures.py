#!/usr/bin/python3
"""The month's report against the story of the month: a simulated office lives through it, the real patrold makes the
report of it, and each figure in the report's document is reckoned here from the story's YAML alone."""
import datetime
import importlib.util
import json
import os
import re
import subprocess
import sys
import zoneinfo

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
from harness import BUILD, SOURCE, Sink, Site, fail, skip, wait_for  # noqa: E402

try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed")

ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")
UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
STATUS, COUNTERS = 60, 300  # how often patrold looks, in seconds
SILENT = 300
GRACE = 10
# How much later than it began an event is told at the most: two polls, the rule's hold, and ten seconds.
TOLD = {"jam": 190, "service": 190, "on-battery": 190, "link-down": 190, "heat": 430, "device-off": 250}


def seconds(text):
    return sum(int(n) * UNITS[u] for n, u in re.findall(r"(\d+)\s*([dhms])", str(text)))


def month_of(text):
    """The story with its days moved to those before today: readings are kept for 45 days."""
    last = datetime.datetime.now(ZONE).date() - datetime.timedelta(days=1)
    last = last.replace(day=min(last.day, 10))
    first = (last.replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
    text = re.sub(r"(?m)^start:.*", "start: %s 00:00" % first, text)
    text = re.sub(r"(?m)^length:.*", "length: %dd 9h" % (last - first).days, text)
    text = re.sub(r"BYMONTHDAY=\d+", "BYMONTHDAY=%d" % last.day, text)
    return re.sub(r"(?m)^      start: .*", "      start: %s" % first, text), first, last


class Month:
    """What befell whom, in seconds since the first of the month, from the story alone."""

    def __init__(self, text, first):
        self.story = yaml.safe_load(text)
        self.devices = {d["name"]: d for d in self.story["devices"]}
        self.first = datetime.datetime.combine(first, datetime.time(), ZONE)
        following = (first + datetime.timedelta(days=32)).replace(day=1)
        self.length = int((datetime.datetime.combine(following, datetime.time(), ZONE) - self.first).total_seconds())
        self.events = []
        end = seconds(self.story["length"])
        for e in self.story["events"]:
            for k in range(e.get("times", 1)):
                at = seconds(e["at"]) + k * seconds(e.get("every", ""))
                if at < end:
                    self.events.append(dict(e, at=at, until=at + seconds(e["for"]) if "for" in e else end))

    def of(self, device, kind):
        return [e for e in self.events if e["device"] == device and e["event"] == kind and e["at"] < self.length]

    def within(self, e):
        """How much of an event lies in the month."""
        return max(0, min(e["until"], self.length) - e["at"])

    def dark(self, device):
        """When it cannot be reached: off itself, or what it is reached by."""
        found, name = [], device
        while name:
            found += self.of(name, "device-off")
            name = self.devices[name].get("parent")
        return found

    def pages(self, device):
        rate = self.devices[device].get("pages_per_hour", 0)
        off = sum(self.within(e) for e in self.of(device, "device-off"))
        drained = sum(self.within(e) / 3600 * e.get("pages_per_hour", 600) for e in self.of(device, "toner-drain"))
        return rate * (self.length - off) / 3600 + drained

    def black(self, device):
        """% of its black toner at the month's end, and how often a new one was put in."""
        d, replaced = self.devices[device], 0
        page = 100 / d.get("yield", 2000)
        level, at = d.get("toner", 80), 0
        for e in sorted(self.of(device, "toner-drain"), key=lambda e: e["at"]):
            level -= (e["at"] - at) / 3600 * d.get("pages_per_hour", 0) * page
            both = d.get("pages_per_hour", 0) + e.get("pages_per_hour", 600)
            level, at = max(0, level - self.within(e) / 3600 * both * page), min(e["until"], self.length)
            if e["until"] <= self.length:
                level, replaced = 100, replaced + 1
        return max(0, level - (self.length - at) / 3600 * d.get("pages_per_hour", 0) * page), replaced


def live_through(text, site):
    path = os.path.join(site.folder, "month.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    run = subprocess.run([os.path.join(BUILD, "tests", "sim", "patrol-sim"), "run", "--knowledge",
                          os.path.join(SOURCE, "conf"), "--db", site.database, path], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        fail("the story is not clean:\n" + run.stdout + run.stderr)


def keeping_program(site, kept):
    """patrol-report, whose document is kept."""
    path = os.path.join(site.folder, "keeping-report")
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\ntee %s | exec %s \"$@\"\n" % (kept, site.program("patrol-report")))
    os.chmod(path, 0o755)
    return path


def document_of(text, first):
    sink = Sink(os.path.join(os.environ.get("TMPDIR", "/tmp"), "figures-mail.%d" % os.getpid()))
    site = Site(mail_port=sink.port)
    kept = os.path.join(site.folder, "document.json")
    try:
        live_through(text, site)
        plans = yaml.safe_load(text)["patrold"]["plans"]
        site.write_config("report: {program: %s}\nplans: %s\n" % (keeping_program(site, kept), json.dumps(plans, default=str)),
                          sink.port)
        site.start()
        if not os.path.exists(kept):
            site.patrolctl("report", "make", "总部", first.strftime("%Y-%m"), check=False)
        return wait_for("the report's document", lambda: whole(kept), 60)
    finally:
        site.end()
        sink.stop()


def whole(path):
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def every_figure():
    """The program of the simulator's months, which goes through all of them."""
    spec = importlib.util.spec_from_file_location("sim_figures", os.path.join(SOURCE, "tests", "sim", "figures.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.check


def close(what, is_, wanted, by):
    if is_ is None or abs(is_ - wanted) > by:
        fail("%s: the report says %s, the story %s (+- %s)" % (what, is_, wanted, by))


def same(what, is_, wanted):
    if is_ != wanted:
        fail("%s: the report says %r, the story %r" % (what, is_, wanted))


def check_devices(doc, month):
    same("devices", sorted(d["name"] for d in doc["devices"]), sorted(month.devices))


def check_pages(doc, month, names):
    rows = {names[m["device"]]: m for m in doc["meters"]["rows"] if m["whole"]}
    printing = [n for n, d in month.devices.items() if d["model"] in ("printer", "copier")]
    same("page counters", sorted(rows), sorted(printing))
    for name in printing:
        fastest = max([month.devices[name].get("pages_per_hour", 0)] +
                      [e.get("pages_per_hour", 600) for e in month.of(name, "toner-drain")])
        close("pages of " + name, rows[name]["pages"], month.pages(name), 2 + fastest * 2 * COUNTERS / 3600)
    same("sum of pages", doc["meters"]["totals"]["pages"], sum(r["pages"] for r in rows.values()))


def check_supplies(doc, month, names):
    for name, d in month.devices.items():
        black = [r for r in doc["supplies"]["rows"] if names[r["device"]] == name and r["name"].startswith("Black")]
        if d["model"] not in ("printer", "copier"):
            same("supplies of " + name, black, [])
            continue
        level, replaced = month.black(name)
        close("black toner of " + name, black[0]["level_end"], level, 1.5)
        same("black toner of %s replaced" % name, black[0]["replaced"], replaced)


def check_availability(doc, month, names):
    rows = {names[r["device"]]: r for r in doc["availability"]["devices"]}
    same("devices with availability", sorted(rows), sorted(month.devices))
    for name, row in rows.items():
        dark = month.dark(name)
        down = sum(month.within(e) for e in dark)
        # Who is down is asked again an eighth of its silence later, five minutes at most.
        slack = len(dark) * (2 * STATUS + GRACE) + sum(min(month.within(e) / 8, SILENT) for e in dark)
        close("time down of " + name, row["down_ms"] / 1000, down, slack)
        close("time up of " + name, row["up_ms"] / 1000, month.length - down, slack + 3 * STATUS)
        same("outages of " + name, row["outages"], len(dark))
        same("days of " + name, sum(d["down_ms"] for d in row["days"]), row["down_ms"])
    totals = doc["availability"]["totals"]
    for key in ("up_ms", "down_ms", "gap_ms", "outages"):
        same("sum of " + key, totals[key], sum(r[key] for r in rows.values()))


def check_faults(doc, month, names):
    """Each event that is told has a fault that begins in its time, with a ticket; as many as there are of its device."""
    start = month.first.timestamp()
    for name in month.devices:
        rows = [r for r in doc["faults"]["rows"] if names[r["device"]] == name]
        for kind, within in TOLD.items():
            for e in month.of(name, kind):
                if e["at"] + within > month.length:
                    continue
                hits = [r for r in rows if r["ticket"] and 0 <= r["from_ms"] / 1000 - start - e["at"] <= within]
                if len(hits) != 1:
                    fail("%s of %s at %d s: %d faults in the report" % (kind, name, e["at"], len(hits)))
                if e["until"] + within < month.length and hits[0]["to_ms"] is not None:
                    close("end of %s of %s" % (kind, name), hits[0]["to_ms"] / 1000 - start, e["until"] + within / 2,
                          within / 2 + GRACE)
                rows.remove(hits[0])
    same("sum of faults", doc["faults"]["totals"]["faults"], len(doc["faults"]["rows"]))


def check_tickets(doc, month):
    rows, totals = doc["tickets"]["rows"], doc["tickets"]["totals"]
    begin, end = month.first.timestamp() * 1000, (month.first.timestamp() + month.length) * 1000
    numbers = {r["number"] for r in rows}
    for fault in doc["faults"]["rows"]:
        if fault["ticket"] and fault["ticket"] not in numbers:
            fail("ticket %s of a fault is not in the report" % fault["ticket"])
    same("tickets", totals["tickets"], len(rows))
    same("tickets opened", totals["opened"], sum(begin <= r["opened_ms"] < end for r in rows))
    same("tickets closed", totals["closed"], sum(r["closed_ms"] is not None for r in rows))
    same("promises kept", totals["kept"], sum(p["state"] == "kept" for r in rows for p in r["promises"]))
    same("promises missed", totals["missed"], sum(p["state"] == "missed" for r in rows for p in r["promises"]))
    for row in rows:
        for p in row["promises"]:
            met = p["met_ms"] if p["met_ms"] is not None else end
            if p["state"] != "running":
                same("promise %s of %s" % (p["kind"], row["number"]), p["state"],
                     "kept" if p["met_ms"] is not None and met <= p["due_ms"] else "missed")


def check_rounds(doc, month, last):
    day = month.first.date().replace(day=last.day)
    rounds = doc["patrol"]["rounds"]
    same("rounds", len(rounds), 1)
    visits = [v for v in doc["patrol"]["visits"] if v["round"] == rounds[0]["number"]]
    same("visits", len(visits), len(month.devices))
    started = datetime.datetime.fromtimestamp(rounds[0]["started_ms"] / 1000, ZONE).date()
    if not day <= started <= day + datetime.timedelta(days=3):
        fail("the round of %s was begun on %s" % (day, started))
    same("state of the round", rounds[0]["state"] in ("signed", "reported"), True)


def main():
    with open(os.path.join(SOURCE, "conf", "stories", "demo-month.yaml"), encoding="utf-8") as f:
        text, first, last = month_of(f.read())
    month = Month(text, first)
    doc = document_of(text, first)
    names = {d["id"]: d["name"] for d in doc["devices"]}
    same("month", doc["period"]["month"], first.strftime("%Y-%m"))
    for check in (check_devices,):
        check(doc, month)
    for check in (check_pages, check_supplies, check_availability, check_faults):
        check(doc, month, names)
    check_tickets(doc, month)
    check_rounds(doc, month, last)
    same("figures that are not the story's", every_figure()(text, doc), [])
    print("the report of %s says what the story does: %d devices, %d faults, %d tickets, %d pages" %
          (month.story["title"], len(doc["devices"]), len(doc["faults"]["rows"]), len(doc["tickets"]["rows"]),
           doc["meters"]["totals"]["pages"]))


if __name__ == "__main__":
    main()
