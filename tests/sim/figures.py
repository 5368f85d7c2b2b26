#!/usr/bin/python3
"""figures.py STORY DOCUMENT: compares every figure of a monthly report with what follows from the story alone.

STORY is a story of patrold-story(5), DOCUMENT the JSON of patrold-report-document(5). Nothing else is read: rules, their
times and the words of families stand here, written down by hand from the manual.

What the story fixes is wanted exactly: devices, totals, days on which nothing changed, counters and levels that did not
move, replacements, rounds, visits, deadlines, dates. Where patrold can only know by polls these bounds hold:

- time up, down and not observed: each time that a device or patrold goes or comes may be off by a poll of the status and
  10 s (three polls and 10 s where patrold was killed: a poll speaks until it is plain that the next is missing);
- a fault begins after the rule's hold, and within the time that the manual allows it for opening; likewise its end; one
  that lasted for less than that may be missing; forecasts, and disks that fill by themselves, may be told or not;
- levels and counters: as at some time within one poll of them (and 10 s) before they were last seen; days left by a line
  through the levels of every half hour: 5 % and a day;
- people take half to half as much again of their times, in working hours: when they respond and arrive.

Texts (titles, notes, remarks) are looked at only where a figure stands in them.
"""
import calendar
import datetime as dt
import functools
import ipaddress
import json
import re
import sys
import zoneinfo

import yaml

SECOND, MINUTE, HOUR, DAY = 1000, 60000, 3600000, 86400000
UNIT = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
GRACE = 10 * SECOND
FOREVER = 1 << 60

# Of each family: how it is called, and its category.
FAMILIES = {
    "reach": ("No answer", "设备无响应", "hardware software"),
    "restart": ("Restarts", "设备重启", "hardware"),
    "jam": ("Paper jams", "卡纸", "hardware"),
    "cover": ("Covers open", "机盖未关", "operation"),
    "service": ("Service requested", "请求维修", "hardware"),
    "supply": ("Supplies low or empty", "耗材不足或用尽", "consumable"),
    "link": ("Uplinks down", "上联端口中断", "hardware"),
    "port-errors": ("Port errors", "端口错包", "hardware"),
    "disk": ("Disks filling", "磁盘空间不足", "software"),
    "cpu": ("Processors busy", "处理器负荷高", "software"),
    "memory": ("Memory full", "内存不足", "software"),
    "power": ("Mains failures", "市电中断", "environment"),
    "battery": ("Batteries to be replaced", "电池需更换", "hardware"),
    "load": ("UPS overloads", "UPS 过载", "environment"),
    "temperature": ("High temperatures", "温度过高", "environment"),
    "humidity-high": ("Humidity too high", "湿度过高", "environment"),
    "humidity-low": ("Humidity too low", "湿度过低", "environment"),
    "cooling": ("Air conditioner alarms", "空调告警", "environment"),
}
# Faults that are simply there while an event lasts: family, severity, hold, and what is allowed to open and to close (s).
SIMPLE = {
    "jam": ("jam", "major", 60, 190, 190),
    "service": ("service", "major", 60, 190, 190),
    "cover-open": ("cover", "warning", 180, 310, 190),
    "replace-battery": ("battery", "warning", 600, 730, 730),
    "cooling-alarm": ("cooling", "major", 60, 190, 190),
    "link-down": ("link", "major", 60, 190, 190),
    "on-battery": ("power", "major", 60, 190, 190),
    "overload": ("load", "major", 300, 430, 430),
    "heat": ("temperature", "warning", 300, 430, 430),
    "memory": ("memory", "warning", 1800, 2410, 1210),
    "cpu": ("cpu", "warning", 0, 1510, 1810),
    "errors": ("port-errors", "warning", 0, 2410, 4210),
}
CLASSES = {"printer": ("printer",), "copier": ("printer", "copier"), "switch": ("switch",), "server": ("server",),
           "ups": ("ups",), "modbus-ups": ("ups",), "meter": ("power",), "sensor": ("sensor", "environment"),
           "modbus-sensor": ("sensor", "environment"), "air-conditioner": ("air-conditioner",)}
MODBUS = ("modbus-ups", "meter", "modbus-sensor", "air-conditioner")
COLOURS = ("Black", "Cyan", "Magenta", "Yellow")
# Parts whose level stays as it is: percent, or None where the device does not know.
STEADY = {"printer": {"Imaging Drum": 90, "Maintenance Kit": None},
          "copier": {"Waste Toner Box": None, "Fuser Kit": 85.5, "Transfer Belt": 88}}
TICKET_STATES = ("new", "accepted", "dispatched", "en-route", "on-site", "waiting-part", "waiting-vendor", "waiting-customer",
                 "remote-fixed", "fixed", "signed", "called-back", "closed", "cancelled")
ROUND_STATES = ("planned", "generated", "in-progress", "review", "signed", "reported", "overdue")
PRIORITY = {"critical": "p1", "major": "p2", "warning": "p3", "info": "p4"}


def duration(text):
    parts = re.findall(r"([\d.]+)\s*(ms|s|m|h|d)", str(text))
    if not parts or re.sub(r"[\d.]+\s*(ms|s|m|h|d)|\s|\+|-", "", str(text)):
        raise ValueError("no duration: %s" % text)
    return round(sum(float(n) * UNIT[u] for n, u in parts))


# ---- Spans of time: sorted lists of (from, to) that do not touch ----


def union(*lists):
    out = []
    for a, b in sorted(s for one in lists for s in one if s[0] < s[1]):
        if out and a <= out[-1][1]:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return out


def minus(spans, cut):
    for c, d in cut:
        spans = [s for a, b in spans for s in ((a, min(b, c)), (max(a, d), b)) if s[0] < s[1]]
    return spans


def clip(spans, a, b):
    return [(max(x, a), min(y, b)) for x, y in spans if max(x, a) < min(y, b)]


def total(spans):
    return sum(b - a for a, b in spans)


def inside(spans, at):
    return any(a <= at < b for a, b in spans)


def kept(fn):
    """What a story says does not change."""

    @functools.wraps(fn)
    def once(self, *args):
        key = (fn.__name__,) + args
        if key not in self.memory:
            self.memory[key] = fn(self, *args)
        return self.memory[key]

    return once


# ---- The story ----


class Story:
    """What was true, from the YAML alone. Times are milliseconds since 1970."""

    def __init__(self, text):
        self.memory = {}
        y = self.y = yaml.safe_load(text)
        self.zone = zoneinfo.ZoneInfo(y.get("time_zone", "UTC"))
        self.start = self.local(y["start"])
        self.end = self.start + duration(y["length"])
        every = y.get("configuration", {}).get("poll", {}).get("every", {})
        self.status, self.counters, self.supplies = (
            duration(every.get(k, d)) for k, d in (("status", "60s"), ("counters", "5m"), ("supplies", "30m")))
        self.language = y.get("configuration", {}).get("language", "en")
        self.devices = {}
        for d in y["devices"]:
            names = [d["name"]] if "count" not in d else ["%s-%d" % (d["name"], k + 1) for k in range(d["count"])]
            for k, name in enumerate(names):
                base, further = (d["address"], k) if "address" in d else ("127.100.0.1", len(self.devices))
                self.devices[name] = dict(d, name=name, address=str(ipaddress.ip_address(base) + further))
        self.events = [e for raw in y.get("events", []) for e in self.spread(raw)]
        self.events.sort(key=lambda e: e["from"])
        self.killed = union((e["from"], e["to"]) for e in self.events if e["event"] == "patrold-killed")
        self.read_people()

    def local(self, value):
        if isinstance(value, str):
            value = dt.datetime.fromisoformat(value)
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            value = dt.datetime.combine(value, dt.time())
        return round(value.replace(tzinfo=self.zone).timestamp() * 1000)

    @kept
    def day_ms(self, day, minute=0):
        return self.local(dt.datetime.combine(day, dt.time(minute // 60, minute % 60)))

    def when(self, at):
        return self.start + duration(at) if isinstance(at, str) and not re.match(r"\d{4}-", at) else self.local(at)

    def names(self, device):
        found = []
        for name in device if isinstance(device, list) else [device]:
            found += [name] if name in self.devices else [n for n in self.devices if n.rpartition("-")[0] == name]
        return found

    def spread(self, raw):
        for k in range(raw.get("times", 1)):
            at = self.when(raw["at"]) + k * duration(raw.get("every", "0s"))
            to = at + duration(raw["for"]) if "for" in raw else self.end
            for name in self.names(raw["device"]) if "device" in raw else [None]:
                yield dict(raw, device=name, new=raw.get("to"), **{"from": at, "to": min(to, self.end)})

    @kept
    def of(self, device, *kinds):
        return [e for e in self.events if e["device"] == device and e["event"] in kinds]

    @kept
    def spans(self, device, *kinds):
        return union([(e["from"], e["to"]) for e in self.of(device, *kinds)])

    # People

    def read_people(self):
        y, hours = self.y, self.y.get("working_hours", {})
        segments = hours.get("hours", ["08:30-12:00", "13:30-18:00"])
        self.hours = [tuple(int(t[:2]) * 60 + int(t[3:]) for t in s.split("-")) for s in segments]
        self.closed, self.open = ({str(d) for d in hours.get(k, [])} for k in ("closed", "open"))
        self.records = [next(iter(r.items())) for r in y.get("archive", [])]
        self.contracts = {r["customer"]: r for kind, r in self.records if kind == "contract"}
        self.sites = {r["name"]: r for kind, r in self.records if kind == "site"}
        self.staff = [dict(answers=duration(s.get("answers", "15m")), travels=duration(s.get("travels", "40m")),
                           name=s["name"], always=s.get("always", False)) for s in y.get("staff", [])]
        self.plans = (y.get("patrold") or {}).get("plans", {})

    def workday(self, day):
        return str(day) in self.open or (day.weekday() < 5 and str(day) not in self.closed)

    @kept
    def after(self, at, span, always):
        """When so much working time has passed."""
        if always:
            return at + span
        day = dt.datetime.fromtimestamp(at / 1000, self.zone).date()
        while True:
            for a, b in self.hours if self.workday(day) else []:
                a, b = max(at, self.day_ms(day, a)), self.day_ms(day, b)
                if b - a >= span:
                    return a + span
                span -= max(0, b - a)
            day += dt.timedelta(days=1)

    @kept
    def is_work(self, at):
        """Within working hours, or a second behind their end."""
        local = dt.datetime.fromtimestamp(at / 1000, self.zone)
        return self.workday(local.date()) and any(
            self.day_ms(local.date(), a) <= at <= self.day_ms(local.date(), b) + SECOND for a, b in self.hours)

    def first_workday(self, year, month):
        day = dt.date(year, month, 1)
        while not self.workday(day):
            day += dt.timedelta(days=1)
        return day

    # Devices

    @kept
    def cut(self, device):
        """When it cannot be reached: off, asleep, moved, or what it is reached by."""
        d = self.devices[device]
        spans = self.own_cut(device)
        return union(spans, self.cut(d["parent"]), self.unplugged(device)) if d.get("parent") else spans

    def unplugged(self, device):
        d = self.devices[device]
        return [(e["from"], e["to"]) for e in self.of(d.get("parent"), "link-down") if e.get("port") == d.get("port", 0)]

    @kept
    def own_cut(self, device):
        naps = [(e["from"] + 3 * self.status, e["to"]) for e in self.of(device, "device-asleep")]
        return union(self.spans(device, "device-off", "address-moved"), naps)

    @kept
    def down(self, device):
        return union(self.cut(device), self.spans(device, "snmp-silent"))

    @kept
    def late(self, device):
        """When it is back, and may not have been asked yet: after an eighth of its silence, five minutes at most."""
        return [(b, b + min((b - a) / 8, 5 * MINUTE)) for a, b in self.down(device)]

    @kept
    def edges(self, device):
        """Where it may go up to three polls wrong, to either side."""
        own = [t for s in self.down(device) for t in s]
        naps = [t for e in self.of(device, "device-asleep") for t in (e["from"], e["from"] + 3 * self.status)]
        lost = [t for e in self.events if e["event"] == "packet-loss" and e["device"] in (None, device)
                for t in (e["from"], e["to"])]
        return sorted(own + naps + lost), sorted(t for s in self.killed for t in s)

    def lost(self, device):
        return [(e["from"], e["to"]) for e in self.events if e["event"] == "packet-loss" and e["device"] in (None, device)]

    @kept
    def seen(self, device):
        return minus(minus([(self.start, self.end)], self.down(device)), self.killed)

    @kept
    def last_seen(self, device, at):
        """The range of time in which the last poll before at may have been, for a part polled every so often."""
        return max((min(b, at) for a, b in self.seen(device) if a < at), default=None)

    @kept
    def expected(self):
        """The faults that must, and that may, be told."""
        return Expected(self).faults

    # What is printed

    @kept
    def pages(self, device, at):
        """Printed from the story's start until then."""
        d, off = self.devices[device], self.spans(device, "device-off", "device-asleep")
        sum_ = d.get("pages_per_hour", 0) * total(minus([(self.start, at)], off)) / HOUR
        for e in self.of(device, "toner-drain"):
            span = minus(clip([(e["from"], e["to"])], self.start, at), off)
            sum_ += e.get("pages_per_hour", 600) * total(span) / HOUR
        return sum_

    @kept
    def toner_pieces(self, device, colour):
        """(from, to, level at from, % a millisecond) one after another; and when it was replaced."""
        d, drains = self.devices[device], []
        for e in self.of(device, "toner-drain"):
            if e.get("toner", "black").lower() == colour.lower():
                drains.append(e)
        off, page = self.spans(device, "device-off", "device-asleep"), 100 / d.get("yield", 2000) / HOUR
        turns = sorted({self.start, self.end} | {t for e in drains for t in (e["from"], e["to"])} |
                       {t for s in off for t in s})
        level, pieces, replaced = d.get("toner", 80), [], []
        for a, b in zip(turns, turns[1:]):
            if any(e["to"] == a for e in drains):
                level = 100
                replaced.append(a)
            rate = d.get("pages_per_hour", 0) + sum(e.get("pages_per_hour", 600) for e in drains if e["from"] <= a < e["to"])
            slope = 0 if inside(off, a) else rate * page
            if slope and level / slope < b - a:
                dry = a + level / slope
                pieces += [(a, dry, level, slope), (dry, b, 0, 0)]
                level = 0
            else:
                pieces.append((a, b, level, slope))
                level -= slope * (b - a)
        return pieces, replaced

    @kept
    def level(self, device, colour, at):
        for a, b, level, slope in self.toner_pieces(device, colour)[0]:
            if a <= at <= b:
                return level - slope * (at - a)
        return None

    @kept
    def below(self, device, colour, percent):
        """When its toner is at most so many percent."""
        out = []
        for a, b, level, slope in self.toner_pieces(device, colour)[0]:
            if level <= percent:
                out.append((a, b))
            elif slope and level - slope * (b - a) < percent:
                out.append((a + (level - percent) / slope, b))
        return union(out)


# ---- Faults that must, and that may, be told ----


class Fault:
    def __init__(self, device, family, begin, end, severities, need):
        self.device, self.family, self.begin, self.end = device, family, begin, end
        self.severities, self.need = severities, need

    def __repr__(self):
        return "%s of %s from %s to %s (%s)" % (self.family, self.device, self.begin, self.end, "/".join(self.severities))


class Expected:
    def __init__(self, story):
        self.story, self.faults = story, []
        for name in story.devices:
            self.reach(name)
            self.restarts(name)
            self.simple(name)
            self.toner(name)
            self.disks(name)
            self.climate(name)

    def add(self, device, family, there, hold, opens, closes, severities, blind, need=True):
        """A fault for each span: it must be told if it was to be seen for so long in one piece."""
        for a, b in there:
            late = union(blind, self.story.late(device))
            pieces = minus([(a, b)], blind)
            musts = [p for p in minus([(a, b)], late) if p[1] - p[0] >= opens]
            if not musts and not any(p[1] - p[0] + self.story.status + GRACE > hold for p in pieces):
                continue
            first = min((p[0] for p in pieces), default=a)
            latest = (musts[0][0] if musts else b) + opens
            dark = [s for s in late if s[0] < b + closes and s[1] > b]
            ends = max([b] + [s[1] for s in dark]) + closes
            self.faults.append(Fault(device, family, (first + hold - GRACE, latest), (b - GRACE, ends), severities,
                                     need and bool(musts)))

    def reach(self, name):
        s, d = self.story, self.story.devices[name]
        if d.get("may_be_off"):
            return
        parent = s.down(d["parent"]) if d.get("parent") else []
        hidden = union([(a, b + 250 * SECOND) for a, b in parent])
        mended = s.spans(name, "in-repair")
        off = union(s.spans(name, "device-off", "address-moved"), s.unplugged(name))
        off = minus(minus(off, hidden), mended)
        silent = minus(minus(s.spans(name, "snmp-silent"), hidden), off)
        ping = s.devices[name]["model"] in MODBUS
        for a, b in union(off, silent):
            kinds = [k for k, spans in (("critical", off), ("major", silent)) if clip(spans, a, b)]
            hold = 120 if "critical" in kinds else 300
            self.add(name, "reach", [(a, b)], hold * SECOND, (hold + 130) * SECOND, 190 * SECOND,
                     ["critical", "major"] if ping or len(kinds) > 1 else kinds, s.killed)
        # Asleep is no fault, but what cannot say that it sleeps may be told of.
        for nap in s.of(name, "device-asleep"):
            if clip(s.spans(name, "jam", "cover-open", "service"), nap["from"], nap["to"]):
                self.add(name, "reach", [(nap["from"], nap["to"])], 0, 250 * SECOND, 190 * SECOND, ["critical"], [], False)

    def restarts(self, name):
        s = self.story
        if s.devices[name]["model"] in MODBUS:
            return
        at = sorted([e["from"] for e in s.of(name, "restart")] + [b for a, b in s.spans(name, "device-off") if b < s.end])
        often = union([(at[k + 2], at[k] + DAY) for k in range(len(at) - 2) if at[k + 2] - at[k] < DAY])
        blind = union(s.killed, s.down(name))
        for a, b in union([(t, t + HOUR) for t in at], often):
            graver = bool(clip(often, a, b))
            self.add(name, "restart", [(a, b)], 0, 130 * SECOND, 130 * SECOND, ["info", "major"] if graver else ["info"],
                     blind)

    def simple(self, name):
        s, d = self.story, self.story.devices[name]
        blind = union(s.killed, s.down(name))
        for event, (family, severity, hold, opens, closes) in SIMPLE.items():
            if event == "heat":
                continue
            spans = [(e["from"], e["to"]) for e in s.of(name, event) if self.is_told(d, e)]
            self.add(name, family, self.degrees(name, family, spans), hold * SECOND, opens * SECOND, closes * SECOND,
                     [severity] if event != "on-battery" else self.battery(spans), self.hidden(name, family, blind))

    @staticmethod
    def is_told(d, e):
        if e["event"] == "link-down":
            return e.get("port") in (d.get("uplink", 0), d.get("neighbour", 0))
        least = {"errors": (5, 2), "cpu": (98, 90), "memory": (98, 95), "overload": (110, 90.01)}
        return e["event"] not in least or e.get("percent", least[e["event"]][0]) >= least[e["event"]][1]

    def degrees(self, name, family, spans):
        return [(a, b) for a, b in spans]

    @staticmethod
    def battery(spans):
        longest = max((b - a for a, b in spans), default=0)
        return ["major"] if longest < 30 * MINUTE and total(spans) < 30 * MINUTE else ["major", "critical"]

    def hidden(self, name, family, blind):
        """A cover is part of a jam while that is told."""
        if family != "cover":
            return blind
        return union(blind, [(a, b + 190 * SECOND) for a, b in self.story.spans(name, "jam")])

    def toner(self, name):
        s, d = self.story, self.story.devices[name]
        if d["model"] not in ("printer", "copier"):
            return
        blind = union(s.killed, s.down(name))
        for colour in COLOURS[:1 if d["model"] == "printer" else 4]:
            low, empty = s.below(name, colour, 10), s.below(name, colour, 1)
            # Levels are told in whole percent or pages: somewhat earlier than they are reached.
            early = s.below(name, colour, 11)
            for a, b in low:
                void = clip(empty, a, b)
                sure = any(y - x >= 61 * MINUTE + GRACE for x, y in minus(void, blind))
                severities = ["major"] if sure else ["major", "warning"] if void else ["warning"]
                self.add(name, "supply", [(a, b)], 5 * MINUTE, 3910 * SECOND, 3730 * SECOND, severities, blind)
                fault = self.faults[-1] if self.faults and self.faults[-1].family == "supply" else None
                if fault and fault.device == name:
                    # It may have been foreseen, and then goes on as that.
                    begin = max((x for x, y in early if x <= a), default=a)
                    foreseen = self.slope_change(name, a)
                    fault.begin = (min(begin, foreseen if foreseen is not None else begin), fault.begin[1])
                    fault.end = (fault.end[0], fault.end[1] + (7 * HOUR if foreseen is not None else 0))
                    fault.component = colour
            if any(slope * DAY * 7 > 10 for _, _, _, slope in s.toner_pieces(name, colour)[0]):
                self.faults.append(Fault(name, "supply", (s.start, s.end), (s.start, FOREVER), ["info"], False))

    def slope_change(self, name, at):
        """Since when the end could be foreseen, if the toner went for days: a forecast wants a day of levels at least."""
        rate = self.story.devices[name].get("pages_per_hour", 0) * 100 / self.story.devices[name].get("yield", 2000)
        drains = [e for e in self.story.of(name, "toner-drain") if e["from"] <= at]
        if rate * 24 * 7 > 10:
            return self.story.start
        return drains[-1]["from"] if drains and at - drains[-1]["from"] > 6 * HOUR else None

    def disks(self, name):
        s = self.story
        blind = union(s.killed, s.down(name))
        for e in s.of(name, "disk-filling"):
            if "per_day" in e:
                self.faults.append(Fault(name, "disk", (e["from"], e["to"]), (e["from"], e["to"] + 7 * DAY),
                                         ["info", "warning", "major"], False))
            elif e.get("percent", 95) >= 90:
                self.add(name, "disk", [(e["from"], e["to"])], 600 * SECOND, 1210 * SECOND, 7 * DAY,
                         ["major"] if e.get("percent", 95) >= 97 else ["warning"], blind)

    def climate(self, name):
        s = self.story
        blind = union(s.killed, s.down(name))
        warm = [(e["from"], e["to"], e.get("celsius", 33)) for e in s.of(name, "heat") if e.get("celsius", 33) > 30]
        for a, b in union([(a, b) for a, b, _ in warm]):
            hot = any(c > 35 and a <= x < b for x, _, c in warm)
            self.add(name, "temperature", [(a, b)], (120 if hot else 300) * SECOND, 430 * SECOND, 430 * SECOND,
                     ["major"] if hot else ["warning"], blind)
        for e in s.of(name, "humidity"):
            family = "humidity-high" if e["percent"] > 75 else "humidity-low" if e["percent"] < 20 else None
            if family:
                self.add(name, family, [(e["from"], e["to"])], 600 * SECOND, 730 * SECOND, 730 * SECOND, ["warning"], blind)


# ---- The document against it ----


class Check:
    def __init__(self, story, doc):
        self.s, self.doc, self.wrong = story, doc, []
        year, month = (int(n) for n in doc["period"]["month"].split("-"))
        self.first = dt.date(year, month, 1)
        self.ndays = calendar.monthrange(year, month)[1]
        self.next = self.first + dt.timedelta(days=self.ndays)
        self.days = [story.day_ms(self.first + dt.timedelta(days=k)) for k in range(self.ndays + 1)]
        self.until = min(self.days[-1], doc["report"]["prepared_ms"])
        self.names = {d["id"]: d["name"] for d in doc["devices"]}
        self.lang = 0 if doc["language"] == "en" else 1

    def bad(self, what, told, wanted):
        self.wrong.append("%s: the report says %s, the story %s" % (what, told, wanted))

    def same(self, what, told, wanted):
        if told != wanted or type(told) is bool and type(wanted) is not bool:
            self.bad(what, told, wanted)

    def within(self, what, told, low, high):
        if not isinstance(told, (int, float)) or not low <= told <= high:
            self.bad(what, told, "%s to %s" % (low, high))

    def one_of(self, what, told, wanted):
        if told not in wanted:
            self.bad(what, told, " or ".join(str(w) for w in wanted))

    def run(self):
        self.head()
        self.devices()
        self.availability()
        self.faults()
        self.tickets()
        self.patrol()
        self.supplies()
        self.meters()
        self.ahead()
        self.summary()
        return self.wrong

    # The cover

    def head(self):
        s, doc = self.s, self.doc
        site = s.sites.get(doc["site"]["name"])
        customer = next((r for k, r in s.records if k == "customer" and site and r["name"] == site["customer"]), None)
        self.same("format", doc["format"], 1)
        self.same("site", site is not None or not s.sites, True)
        self.same("time zone", doc["site"]["time_zone"], s.zone.key)
        if site:
            self.same("address", doc["site"]["address"], site.get("address"))
            self.same("customer", doc["customer"]["name"], customer["name"])
            readers = [r for k, r in s.records if k == "contact" and r["customer"] == customer["name"] and "report" in r["gets"]]
            self.one_of("contact", doc["customer"]["contact"], [r["name"] for r in readers])
            self.one_of("language", doc["language"], [r.get("language", "en") for r in readers])
        due = s.day_ms(s.first_workday(self.next.year, self.next.month) if s.closed else self.next, 8 * 60)
        if s.closed and due < s.end:
            self.within("prepared_ms", doc["report"]["prepared_ms"], due, due + MINUTE)
        else:
            self.within("prepared_ms", doc["report"]["prepared_ms"], due, due + 366 * DAY)
        self.within("as_of_event", doc["report"]["as_of_event"], 1, 1 << 40)
        if not re.fullmatch(r"\w+-%s-[1-9]\d*" % doc["period"]["month"], doc["report"]["number"]):
            self.bad("number", doc["report"]["number"], "one of the month")

    def at_site(self):
        site = self.doc["site"]["name"]
        return {n: d for n, d in self.s.devices.items() if d.get("site", site) == site or not self.s.sites}

    def devices(self):
        mine = self.at_site()
        self.same("devices", sorted(self.names.values()), sorted(mine))
        self.same("ids", [d["id"] for d in self.doc["devices"]], sorted({d["id"] for d in self.doc["devices"]}))
        for d in self.doc["devices"]:
            if d["name"] in mine:
                self.one_of("class of " + d["name"], d["class"], CLASSES[mine[d["name"]]["model"]])
                moved = [e["new"] for e in self.s.of(d["name"], "address-moved")]
                self.one_of("address of " + d["name"], d["address"], [mine[d["name"]]["address"]] + moved)

    # Availability

    def availability(self):
        part = self.doc["availability"]
        self.same("devices with availability", [r["device"] for r in part["devices"]], [d["id"] for d in self.doc["devices"]])
        for row in part["devices"]:
            if row["device"] in self.names and self.names[row["device"]] in self.s.devices:
                self.availability_of(self.names[row["device"]], row)
        for key in ("up_ms", "down_ms", "gap_ms", "outages"):
            self.same("sum of " + key, part["totals"][key], sum(r[key] for r in part["devices"]))
        self.same("devices of availability", part["totals"]["devices"], len(part["devices"]))

    def availability_of(self, name, row):
        s = self.s
        down, (edges, kills) = minus(s.down(name), s.killed), s.edges(name)
        poll, speaks = s.status + GRACE, 3 * s.status + GRACE
        self.same("days of " + name, len(row["days"]), self.ndays)
        for key in ("up_ms", "down_ms", "gap_ms"):
            self.same("%s of %s" % (key, name), row[key], sum(d[key] for d in row["days"]))
        for k, day in enumerate(row["days"]):
            self.day_of("%s on day %d" % (name, k + 1), day, self.days[k], min(self.days[k + 1], self.until), down,
                        [t for t in edges if self.days[k] - speaks < t < self.days[k + 1] + speaks],
                        [t for t in kills if self.days[k] - speaks < t < self.days[k + 1] + speaks], name)
        self.outages(name, row, [d for d in clip(down, self.days[0], self.until)], poll, speaks)

    def day_of(self, what, day, a, b, down, edges, kills, name):
        s = self.s
        lost = total(clip(s.lost(name), a, b))
        begun = 2 * SECOND if a <= s.start < b else 0
        over = b > s.end - s.status # patrold may have ended with the story
        late = total(clip(s.late(name), a, b))
        slack = len(edges) * (s.status + GRACE) + len(kills) * (3 * s.status + GRACE) + lost + late
        served = max(0, b - max(a, s.start))
        self.within(what + ", in all", day["up_ms"] + day["down_ms"] + day["gap_ms"], max(0, served - begun), served)
        if over:
            return
        down_ms, gap_ms = total(clip(down, a, b)), total(clip(s.killed, max(a, s.start), b))
        for key, is_, more in (("down_ms", down_ms, 0), ("gap_ms", gap_ms, begun),
                               ("up_ms", served - down_ms - gap_ms, 0)):
            less = begun if key == "up_ms" else 0
            self.within("%s of %s" % (key, what), day[key], max(0, is_ - slack - less), is_ + slack + more)

    def outages(self, name, row, down, poll, speaks):
        """Outages between which it was plainly seen up are two; what is shorter than a poll may be missed."""
        s, groups = self.s, []
        for a, b in down:
            up = total(minus(minus([(groups[-1][-1][1], a)], s.killed), s.late(name))) if groups else FOREVER
            groups.append([(a, b)]) if up >= speaks else groups[-1].append((a, b))
        sure = [g for g in groups if max(y - x for x, y in g) > poll]
        if s.lost(name):
            self.within("outages of " + name, row["outages"], len(sure), FOREVER)
            return
        # What fell into one group may still have been seen apart.
        self.within("outages of " + name, row["outages"], len(sure), sum(len(g) for g in groups))
        longest = max((total(g) for g in groups), default=0)
        most = max((g[-1][1] - g[0][0] for g in groups), default=0)
        slack = (poll + 2 * speaks if s.killed else poll) + max(b - a for a, b in s.late(name)) if groups else 0
        self.within("longest of " + name, row["longest_ms"], max(0, min(longest, max(y - x for g in groups for x, y in g)
                                                                      if groups else 0) - slack), most + slack)

    # Faults

    def family(self, text):
        return next((f for f, words in FAMILIES.items() if words[self.lang] == text), None)

    def faults(self):
        part, mine = self.doc["faults"], self.at_site()
        left = [f for f in self.s.expected() if f.device in mine and f.begin[0] < self.until and
                f.end[1] > self.days[0]]
        for row in sorted(part["rows"], key=lambda r: r["from_ms"]):
            name, family = self.names.get(row["device"]), self.family(row["family"])
            hits = [f for f in left if f.device == name and f.family == family and self.fits(f, row)]
            if not hits:
                near = [f for f in left if f.device == name and f.family == family]
                self.bad("fault %s of %s at %s to %s (%s)" % (family, name, row["from_ms"], row["to_ms"], row["severity"]), "it",
                         "no such one, only %s" % near)
                continue
            best = max(hits, key=lambda f: (f.need, -f.begin[0]))
            left.remove(best)
            if best.family == "supply" and not best.need:
                left.append(best)
        for f in left:
            if f.need and f.begin[1] < self.until and f.end[0] > self.days[0] + HOUR:
                self.bad("fault", "nothing", f)
        self.same("sum of faults", part["totals"]["faults"], len(part["rows"]))
        self.same("faults that are open", part["totals"]["open"], sum(r["to_ms"] is None for r in part["rows"]))

    def fits(self, f, row):
        if row["severity"] not in f.severities or not f.begin[0] <= row["from_ms"] <= f.begin[1]:
            return False
        if row["to_ms"] is None:
            return f.end[1] >= self.until
        return row["from_ms"] < row["to_ms"] < self.until and (f.end[0] <= row["to_ms"] <= f.end[1])

    # Tickets

    def tickets(self):
        part = self.doc["tickets"]
        rows, by_number = part["rows"], {r["number"]: r for r in part["rows"]}
        self.same("numbers of tickets", len(by_number), len(rows))
        told = {}
        for f in self.doc["faults"]["rows"]:
            wanted = f["severity"] != "info" or self.family(f["family"]) in ("supply", "disk")
            if wanted and f["ticket"] not in by_number:
                self.bad("ticket of a fault of %s" % self.names.get(f["device"]), f["ticket"], "one of the report")
            elif not wanted:
                self.same("ticket of a fault that wants none", f["ticket"], None)
            else:
                told.setdefault(f["ticket"], []).append(f)
        for row in rows:
            self.ticket(row, told.get(row["number"], []))
        findings = [r for r in rows if r["kind"] == "finding" and r["opened_ms"] >= self.first_round()]
        self.same("tickets of findings", sorted(r["device"] for r in findings), self.found())
        totals = part["totals"]
        self.same("tickets", totals["tickets"], len(rows))
        self.same("tickets opened", totals["opened"], sum(self.days[0] <= r["opened_ms"] < self.until for r in rows))
        self.same("tickets closed", totals["closed"], sum(r["closed_ms"] is not None for r in rows))
        self.same("tickets open", totals["open"], sum(r["closed_ms"] is None for r in rows))
        promises = [p["state"] for r in rows for p in r["promises"]]
        self.same("promises", totals["promises"], len(promises))
        for state in ("kept", "missed", "running"):
            self.same("promises " + state, totals[state], promises.count(state))

    def found(self):
        """What rounds that were signed in the month found, one a device and item."""
        signed = {r["number"]: r["finished_ms"] for r in self.doc["patrol"]["rounds"] if r["signed_by"] and r["finished_ms"] and
                  r["finished_ms"] < self.until - DAY}
        return sorted(v["device"] for v in self.doc["patrol"]["visits"] if v["round"] in signed for i in v["items"]
                      if i["result"] in ("attention", "fault") and not self.known(v["device"], i, signed[v["round"]]))

    def known(self, device, item, at):
        """A ticket is open for it already: of a tray that of another round, otherwise that of the fault."""
        kinds = ("finding",) if "Tray" in (item["value"] or "") else ("fault", "supply", "preventive", "finding")
        return any(t["device"] == device and t["kind"] in kinds and t["opened_ms"] <= at and
                   (t["closed_ms"] is None or t["closed_ms"] > at) for t in self.doc["tickets"]["rows"])

    def first_round(self):
        """What was found before is of the month before."""
        return min([at for at, _ in self.due()], default=FOREVER)

    def ticket(self, row, faults):
        number, opened = row["number"], row["opened_ms"]
        over = row["state"] in ("closed", "cancelled")
        self.same("ticket %s over" % number, over, row["closed_ms"] is not None)
        self.within("opened_ms of " + number, opened, self.s.start, self.until - 1)
        if over:
            self.within("closed_ms of " + number, row["closed_ms"], max(opened, self.days[0]), self.until - 1)
        if row["kind"] in ("fault", "supply") and opened >= self.days[0] and not faults:
            self.bad("ticket " + number, "a fault", "none")
        for f in faults:
            family = self.family(f["family"])
            self.same("device of " + number, row["device"], f["device"])
            self.one_of("category of " + number, row["category"], FAMILIES[family][2].split() if family else [])
            kind = "supply" if family == "supply" else "preventive" if family == "battery" else "fault"
            self.one_of("kind of " + number, row["kind"], [kind, "preventive"] if family in ("supply", "disk") else [kind])
        if faults:
            first, last = faults[0], faults[-1]
            worst = min((f["severity"] for f in faults), key=lambda v: PRIORITY[v])
            self.same("severity of " + number, row["severity"], worst)
            if first["from_ms"] >= self.days[0]:
                self.within("opened_ms of %s after its fault" % number, opened, first["from_ms"], first["from_ms"])
            if last["to_ms"] is None:
                self.same("a ticket whose fault is there, over", over, False)
            elif row["state"] == "cancelled":
                self.same("closed_ms of " + number, row["closed_ms"], last["to_ms"])
            elif over:
                self.within("closed_ms of " + number, row["closed_ms"], last["to_ms"], self.until - 1)
        elif row["kind"] == "finding" and opened >= self.first_round():
            ends = [r["finished_ms"] for r in self.doc["patrol"]["rounds"] if r["finished_ms"]]
            if not any(e <= opened <= self.s.after(e, 2 * max(p["answers"] for p in self.s.staff) + 5 * MINUTE, False)
                       for e in ends):
                self.bad("opened_ms of " + number, opened, "soon after the end of a round")
        self.one_of("state of " + number, row["state"], TICKET_STATES)
        if row["severity"] not in PRIORITY or row["kind"] not in (
                "fault", "preventive", "finding", "supply", "complaint", "request"):
            self.bad("ticket " + number, (row["severity"], row["kind"]), "codes")
        self.promises(row, self.contract())

    def contract(self):
        site = self.s.sites.get(self.doc["site"]["name"])
        return self.s.contracts.get(site["customer"]) if site else None

    def promises(self, row, contract):
        number, opened = row["number"], row["opened_ms"]
        goals = {}
        for text in str((contract or {}).get(PRIORITY.get(row["severity"]), "")).split(","):
            if "=" in text:
                goals[text.split("=")[0].strip()] = duration(text.split("=")[1])
        stood = {p["kind"]: p for p in row["promises"]}
        self.same("promises of " + number, len(stood), len(row["promises"]))
        if row["state"] != "cancelled":
            # From afar nobody comes.
            self.one_of("kinds of promises of " + number, sorted(stood), [sorted(goals), sorted(set(goals) - {"on-site"})])
        always = "calendar" not in (contract or {})
        for p in row["promises"]:
            what = "%s of %s" % (p["kind"], number)
            if p["kind"] not in goals:
                self.bad(what, "promised", "not")
                continue
            due = self.s.after(opened, goals[p["kind"]], always)
            if p["kind"] == "fix":
                # It stands still while the customer is waited for, once, for half to half as much again of three hours.
                self.within("due_ms of " + what, p["due_ms"], due, self.s.after(due, 40 * HOUR, True) + 14 * DAY)
                if p["due_ms"] != due:
                    paused = self.s.after(due, 90 * MINUTE, always)
                    self.within("due_ms of " + what, p["due_ms"], min(paused, due + HOUR), FOREVER)
            else:
                self.same("due_ms of " + what, p["due_ms"], due)
            kept = p["met_ms"] is not None and p["met_ms"] <= p["due_ms"]
            late = not kept and (p["met_ms"] is not None or p["due_ms"] < self.until)
            self.same("state of " + what, p["state"], "kept" if kept else "missed" if late else "running")
            if p["met_ms"] is not None:
                self.within("met_ms of " + what, p["met_ms"], opened, self.until - 1)
        self.people(row, stood)

    def people(self, row, stood):
        """When somebody responded, came and fixed it, by the times that the story gives people."""
        number, opened, staff = row["number"], row["opened_ms"], self.s.staff
        if not staff or row["state"] == "cancelled":
            return

        def ready(at, low, high, minutes=5):
            """Each step may wait for the next two minutes, and for patrold while it is killed."""
            killed = total(clip(self.s.killed, at, FOREVER))
            return (min(self.s.after(at, round(low(p) / 2), p["always"]) for p in staff),
                    max(self.s.after(at, round(high(p) * 1.5), p["always"]) for p in staff) + minutes * MINUTE + killed)

        respond, came, fixed = (stood.get(k) for k in ("respond", "on-site", "fix"))
        if respond:
            low, high = ready(opened, lambda p: p["answers"], lambda p: p["answers"])
            if respond["met_ms"] is None:
                self.within("respond of %s, not met, could still be met" % number, high, self.until, FOREVER)
            else:
                self.within("met_ms of respond of " + number, respond["met_ms"], low, high)
        if came and respond and respond["met_ms"]:
            steps = lambda p: 2 * p["answers"] + p["travels"]
            low, high = ready(respond["met_ms"], steps, steps, 15)
            if came["met_ms"] is None:
                self.within("on-site of %s, not met, could still be met" % number, high, self.until, FOREVER)
            else:
                # From afar it is quicker.
                self.within("met_ms of on-site of " + number, came["met_ms"], min(low, ready(
                    respond["met_ms"], lambda p: p["answers"], lambda p: 0)[0]), high)
        if fixed and fixed["met_ms"] and respond and respond["met_ms"]:
            self.within("met_ms of fix of " + number, fixed["met_ms"], respond["met_ms"], FOREVER)
            # One that comes back while the ticket waits to be closed is of the same ticket.
            over = [f["to_ms"] for f in self.doc["faults"]["rows"] if f["ticket"] == number and f["to_ms"]]
            self.within("met_ms of fix of %s, after its fault" % number, fixed["met_ms"], min(over, default=0) - MINUTE, FOREVER)

    # The patrol

    def occurrences(self, plan, first, ndays):
        """The days of a plan in a month, moved as it says."""
        last = calendar.monthrange(first.year, first.month)[1]
        rule = dict(p.split("=") for p in plan["rule"].split(";"))
        if rule.pop("FREQ") != "MONTHLY" or list(rule) != ["BYMONTHDAY"]:
            raise ValueError("a plan that is not of a day of each month")
        found = []
        for step in (-1, 0, 1): # one of the neighbouring months may be moved in here
            month = dt.date(first.year + (first.month - 1 + step) // 12, (first.month - 1 + step) % 12 + 1, 1)
            last = calendar.monthrange(month.year, month.month)[1]
            for n in rule["BYMONTHDAY"].split(","):
                n = int(n) if int(n) > 0 else last + 1 + int(n)
                if n > last:
                    continue
                day, shift = month.replace(day=n), plan.get("shift", "stay")
                while shift != "stay" and not self.s.workday(day):
                    day += dt.timedelta(days=-1 if shift == "back" else 1)
                if (day.year, day.month) == (first.year, first.month) and day >= dt.date.fromisoformat(str(plan["start"])):
                    found.append(day)
        return sorted(found)

    def due(self):
        """Rounds of the month: (when, title of the plan)."""
        out = []
        for name, plan in self.s.plans.items():
            hour, minute = (int(n) for n in str(plan.get("at", "09:00")).split(":"))
            for day in self.occurrences(plan, self.first, self.ndays):
                at = self.s.day_ms(day, hour * 60 + minute)
                if plan.get("kind", "patrol") == "patrol" and self.s.start <= at < self.until:
                    out.append((at, plan.get("title", {}).get(self.doc["language"], name)))
        return sorted(out)

    def patrol(self):
        part, due, mine = self.doc["patrol"], self.due(), self.at_site()
        rounds, visits = part["rounds"], part["visits"]
        self.same("plans of rounds", [r["plan"] for r in rounds], [title for _, title in due])
        self.same("rounds and devices of visits", [(v["round"], self.names.get(v["device"])) for v in visits],
                  [(r["number"], n) for r in rounds for n in mine])
        self.same("numbers of rounds", [r["number"] for r in rounds], [str(int(rounds[0]["number"]) + k)
                                                                       for k in range(len(rounds))] if rounds else [])
        for r, (at, _) in zip(rounds, due):
            self.round(r, at, [v for v in visits if v["round"] == r["number"]])
        items = [i["result"] for v in visits for i in v["items"]]
        totals = part["totals"]
        for key, is_ in (("rounds", len(rounds)), ("visits", len(visits)), ("items", len(items)), ("ok", items.count("ok")),
                         ("attention", items.count("attention")), ("fault", items.count("fault")),
                         ("not_applicable", items.count("not-applicable"))):
            self.same("sum of " + key, totals[key], is_)

    def round(self, r, at, visits):
        what, prepared = "round " + r["number"], self.doc["report"]["prepared_ms"]
        names = [p["name"] for p in self.s.staff]
        done = [v["at_ms"] for v in visits if v["at_ms"] is not None]
        self.one_of("state of " + what, r["state"], ROUND_STATES)
        self.same(what + " signed", r["signed_by"] is not None, r["state"] in ("signed", "reported"))
        if r["signed_by"]:
            self.one_of(what + " signed by", r["signed_by"], names)
        grace = duration(next(iter(self.s.plans.values())).get("grace", "5d"))
        if r["state"] == "overdue" or (r["state"] in ("generated", "planned", "in-progress", "review") and prepared > at + grace + DAY):
            self.same("state of " + what, r["state"], "overdue" if prepared >= at + grace else "not yet overdue")
        if r["started_ms"] is None:
            # Begun within half to half as much again of eight hours of work.
            if self.s.staff:
                latest = max(self.s.after(at + MINUTE, 12 * HOUR, p["always"]) for p in self.s.staff) + 5 * MINUTE
                self.within(what + ", not begun, could still be begun", latest, prepared - total(self.s.killed), FOREVER)
            self.same(what + " visited", len(done), 0)
        else:
            low, high = self.begun(at)
            self.within("started_ms of " + what, r["started_ms"], low, high)
            self.same("visits in their order", done, sorted(done))
            if done:
                self.within("visits of " + what, done[0], r["started_ms"], done[-1])
            if not any(p["always"] for p in self.s.staff):
                for t in done + [r["started_ms"]]:
                    self.same("%s at %s in working hours" % (what, t), self.s.is_work(t) or self.s.is_work(t - 5 * MINUTE), True)
        if r["finished_ms"] is not None:
            self.same("finished_ms of " + what, r["finished_ms"], max(done, default=None))
        self.same(what + " finished", r["finished_ms"] is not None, len(done) == len(visits) and bool(visits))
        for v in visits:
            self.visit(v, at)

    def begun(self, at):
        if not self.s.staff:
            return at, FOREVER
        return (min(self.s.after(at, 4 * HOUR, p["always"]) for p in self.s.staff),
                max(self.s.after(at + MINUTE, 12 * HOUR, p["always"]) for p in self.s.staff) + 5 * MINUTE)

    def visit(self, v, at):
        """What was polled: levels and counters of the time between the round's beginning and the visit."""
        name = self.names.get(v["device"])
        model, end = self.s.devices[name]["model"], v["at_ms"] or self.doc["report"]["prepared_ms"]
        events = [e for e in self.s.events if e["device"] in (name, self.s.devices[name].get("parent")) and
                  e["from"] < end and e["to"] > at - HOUR]
        bad = sum(i["result"] in ("attention", "fault") for i in v["items"])
        quiet = not events and all((self.s.level(name, c, min(end, self.s.end)) or 0) > 25 for c in
                                   (COLOURS[:1] if model == "printer" else COLOURS if model == "copier" else ()))
        if quiet: # but for the bypass tray of a copier, which is empty
            self.same("items of %s that are not in order" % name, bad, 1 if model == "copier" else 0)
        elif not events:
            self.within("items of %s that are not in order" % name, bad, 0, 8)
        text = " ".join(i["value"] or "" for i in v["items"])
        if model in ("printer", "copier"):
            self.levels_in(name, text, at, end)
        for i in v["items"]:
            if model in ("printer", "copier") and i["what"] in ("印量读数", "Page counter") and i["value"]:
                base = next((m["start"] for m in self.doc["meters"]["rows"] if m["device"] == v["device"]), None)
                first = self.s.pages(name, max(self.s.start, self.days[0]))
                low = base + self.s.pages(name, at - self.s.counters - GRACE) - first - 2
                self.within("page counter of %s on patrol" % name, int(i["value"].split(": ")[-1]), low,
                            base + self.s.pages(name, end) - first + 2)

    def levels_in(self, name, text, at, end):
        end = min(end, self.s.end)
        for colour in COLOURS:
            told = re.search(r"%s Toner Cartridge: ([\d.]+) %%" % colour, text)
            if told:
                low, high = self.level_range(name, colour, at - self.s.supplies - GRACE, end)
                self.within("%s toner of %s on patrol" % (colour, name), float(told.group(1)), low - 1, high + .1)

    # Supplies and counters

    def level_range(self, name, colour, a, b):
        a = max(a, self.s.start)
        pieces, replaced = self.s.toner_pieces(name, colour)
        at = [a, b] + [t for t in replaced if a < t <= b] + [p[1] for p in pieces if a < p[1] < b]
        levels = [self.s.level(name, colour, t) for t in at]
        if any(a < t <= b for t in replaced):
            levels += [self.s.level(name, colour, t - 1) for t in replaced if a < t <= b] + [100]
        return min(levels), max(levels)

    def part_seen(self, name, every):
        """Between which times its first and its last value of the month were polled."""
        s, first = self.s, None
        if s.start >= self.days[0]:
            begin = next((x for x, y in s.seen(name)), s.start)
            first = (begin, begin + 2 * s.status + GRACE)
        else:
            at = s.last_seen(name, self.days[0])
            first = (at - every - GRACE, self.days[0])
        end = s.last_seen(name, self.until)
        return first, (end - every - GRACE, end)

    def supplies(self):
        rows, want = self.doc["supplies"]["rows"], []
        for d in self.doc["devices"]:
            model = self.s.devices.get(d["name"], {}).get("model")
            if model in STEADY:
                toners = COLOURS[:1] if model == "printer" else COLOURS
                want += [(d["id"], c + " Toner Cartridge") for c in toners] + [(d["id"], n) for n in STEADY[model]]
        self.same("supplies", [(r["device"], r["name"]) for r in rows], want)
        for row in rows:
            name, colour = self.names.get(row["device"]), row["name"].split(" ")[0]
            if (row["device"], row["name"]) not in want:
                continue
            if colour in COLOURS:
                self.toner(row, name, colour)
            else:
                self.steady(row, name, STEADY[self.s.devices[name]["model"]][row["name"]])
        totals = self.doc["supplies"]["totals"]
        self.same("supplies in all", totals["supplies"], len(rows))
        for state in ("low", "empty", "unknown"):
            self.same("supplies " + state, totals[state], sum(r["state"] == state for r in rows))
        self.same("supplies replaced", totals["replaced"], sum(r["replaced"] for r in rows))

    def steady(self, row, name, level):
        what = "%s of %s" % (row["name"], name)
        rounded = None if level is None else int(level + .5)
        for key, is_ in (("level_start", rounded), ("level_end", rounded), ("replaced", 0), ("days_left", None),
                         ("state", "unknown" if level is None else "ok")):
            self.same("%s of %s" % (key, what), row[key], is_)

    def toner(self, row, name, colour):
        s, what = self.s, "%s of %s" % (row["name"], name)
        first, last = self.part_seen(name, s.supplies)
        low, high = self.level_range(name, colour, *first)
        self.within("level_start of " + what, row["level_start"], int(low - .001) if low > 0 else 0, int(high + .5))
        low, high = self.level_range(name, colour, *last)
        self.within("level_end of " + what, row["level_end"], int(low - .001) if low > 0 else 0, int(high + .5))
        replaced = s.toner_pieces(name, colour)[1]
        sure = [t for t in replaced if first[1] <= t < last[0] and s.level(name, colour, t - 1) <= 88]
        self.within("replaced of " + what, row["replaced"], len(sure),
                    sum(first[0] <= t <= last[1] and s.level(name, colour, t - 1) <= 92 for t in replaced))
        state = lambda v: "empty" if v <= 1 else "low" if v <= 10 else "ok"
        self.one_of("state of " + what, row["state"], {state(v) for v in (low - (low % 1), low, high)})
        self.days_left(row, what, name, colour, first[1], last)

    def days_left(self, row, what, name, colour, first, last):
        """By a line through the levels since it was replaced."""
        s = self.s
        begin = max([first] + [t for t in s.toner_pieces(name, colour)[1] if t <= last[1] and s.level(name, colour, t - 1) <= 90])
        if last[1] - begin < DAY + HOUR:
            if last[1] - begin < DAY - HOUR:
                self.same("days_left of " + what, row["days_left"], None)
            return
        times = [t for t in range(round(begin) + s.supplies // 2, round(last[1]), s.supplies) if any(
            a <= t < b for a, b in s.seen(name))]
        whole = s.devices[name]["model"] == "printer"
        ys = [s.level(name, colour, t) for t in times]
        ys = [float(int(y)) for y in ys] if whole else ys
        xs = [(t - begin) / DAY for t in times]
        n, mx, my = len(xs), sum(xs) / len(xs), sum(ys) / len(ys)
        slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)
        if slope > -.02:
            self.same("days_left of " + what, row["days_left"], None)
        elif n and ys[-1] / -slope < 3000:
            days = ys[-1] / -slope
            self.within("days_left of " + what, row["days_left"], int(days * .95 - 1), int(days * 1.05 + 1))

    def meters(self):
        rows = self.doc["meters"]["rows"]
        printing = [d["id"] for d in self.doc["devices"] if self.s.devices.get(d["name"], {}).get("model") in STEADY]
        self.same("counters", [r["device"] for r in rows], printing)
        for row in rows:
            name = self.names.get(row["device"])
            if row["device"] not in printing:
                continue
            self.same("counter of %s whole" % name, row["whole"], True)
            self.same("counter of %s reset" % name, row["reset"], False)
            if None in (row["start"], row["end"], row["pages"]):
                self.bad("counter of " + name, "nothing", "something")
                continue
            self.same("pages of %s by its counter" % name, row["pages"], row["end"] - row["start"])
            first, last = self.part_seen(name, self.s.counters)
            pages = lambda t: self.s.pages(name, max(t, self.s.start))
            low, high = pages(last[0]) - pages(first[1]), pages(last[1]) - pages(first[0])
            self.within("pages of " + name, row["pages"], low - (low % 1) - (1 if low != high else 0), high + (1 if low != high else 0))
        totals, sure = self.doc["meters"]["totals"], [r for r in rows if r["whole"]]
        self.same("counters in all", totals["meters"], len(rows))
        self.same("sum of pages", totals["pages"], sum(r["pages"] or 0 for r in sure))
        self.same("counters unknown", totals["unknown"], sum(r["pages"] is None for r in sure))

    # Ahead, and the summary

    def ahead(self):
        plans = []
        for name, plan in self.s.plans.items():
            title = plan.get("title", {}).get(self.doc["language"], name)
            ndays = calendar.monthrange(self.next.year, self.next.month)[1]
            plans += [(str(day), title) for day in self.occurrences(plan, self.next, ndays)]
        self.same("next month", [(p["date"], p["what"]) for p in self.doc["next_month"]], sorted(plans))
        last = self.first + dt.timedelta(days=self.ndays - 1)
        soon = [(r["device"], r["name"], str(last + dt.timedelta(days=r["days_left"])), r) for r in self.doc["supplies"]["rows"]
                if r["days_left"] is not None and r["days_left"] <= 30]
        told = [m for m in self.doc["maintenance"] if m["device"] is not None and m["due"] is not None]
        self.same("maintenance of supplies", [(m["device"], m["due"]) for m in told], [(d, due) for d, _, due, _ in soon])
        for m, (_, name, _, row) in zip(told, soon):
            self.same("name in '%s'" % m["what"], name in m["what"], True)
            self.same("figures in '%s'" % m["why"], [int(n) for n in re.findall(r"\d+", m["why"])],
                      [row["level_end"], row["days_left"]])

    def summary(self):
        part, devices = self.doc["summary"], self.doc["devices"]
        self.same("devices of the summary", part["devices"], len(devices))
        for health in ("ok", "attention", "fault"):
            self.same("devices " + health, part[health], sum(d["health"] == health for d in devices))
        for d in devices:
            self.same("health of " + d["name"], d["health"], self.health(d))
        self.one_of("grade", part["grade"], ("excellent", "good", "fair", "poor"))

    def health(self, d):
        """A grave fault that is there, or in repair; a fault, a supply, an item, a time down, or three faults; else ok."""
        of = lambda rows: [r for r in rows if r["device"] == d["id"]]
        faults = [f for f in of(self.doc["faults"]["rows"]) if f["severity"] != "info"]
        there = [f["severity"] for f in faults if f["to_ms"] is None]
        prepared = self.doc["report"]["prepared_ms"]
        mended = inside(self.s.spans(d["name"], "in-repair"), prepared)
        if mended or "critical" in there or "major" in there:
            return "fault"
        row = of(self.doc["availability"]["devices"])[0]
        worn = [f for f in faults if self.family(f["family"]) != "supply"]
        bad = [i for v in of(self.doc["patrol"]["visits"]) for i in v["items"] if i["result"] in ("attention", "fault")]
        low = [r for r in of(self.doc["supplies"]["rows"]) if r["state"] in ("low", "empty")]
        seldom = row["down_ms"] * 99 > row["up_ms"]
        return "attention" if there or bad or low or seldom or len(worn) >= 3 else "ok"


def check(story_text, doc):
    """What is wrong, as a list of lines."""
    return Check(Story(story_text), doc).run()


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: figures.py STORY DOCUMENT")
    with open(sys.argv[1], encoding="utf-8") as story, open(sys.argv[2], encoding="utf-8") as document:
        wrong = check(story.read(), json.load(document))
    for line in wrong:
        print(line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
