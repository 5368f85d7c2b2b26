#!/usr/bin/python3
"""Recorded devices that fail as real ones do: in version 1 only, without GETBULK, with one row an answer, in circles, dead,
and with requests that get lost. What is read of them must be the same as without; a circle is named.

The recordings are not the project's; where they are not beside it this is skipped.
"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

from harness import BUILD, SOURCE, fail, skip

SHARED = os.environ.get("PATROLD_SHARED", os.path.join(SOURCE, "..", "shared"))
TOOLS = os.path.join(SHARED, "tools")
RECORDINGS = os.path.join(SHARED, "corpus", "recordings")
EXPECTED = os.path.join(SHARED, "corpus", "expected")
QUIRKS = ("v1only", "nobulk", "onerow", "loop", "v1only,onerow", "nobulk,loop", "onerow,loop")
DEAD_EVERY = 40
LOSS_PERMILLE, LOSSY = 50, 15  # of so many devices only: each lost request costs a time-out
COUNTERS = ("ifInOctets", "ifOutOctets", "ifInUcastPkts", "ifOutUcastPkts", "ifInErrors", "ifOutErrors", "ifInDiscards",
            "ifOutDiscards")


def read(folder, recordings, *options):
    """The facts of each device by its name."""
    command = [sys.executable, os.path.join(SOURCE, "scripts", "score"), recordings, EXPECTED, "--tools", TOOLS, "--build", BUILD,
               "--no-build", "--keep", folder, "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    if done.returncode != 0:
        fail("scripts/score %s: exit %d: %s" % (" ".join(options), done.returncode, done.stderr))
    print(done.stderr.split("\n", 1)[0])
    with open(os.path.join(folder, "facts.jsonl"), encoding="utf-8") as f:
        devices = [json.loads(line) for line in f]
    return {d["device"]: {k: v for k, v in d.items() if k != "address"} for d in devices}


def without_counters(facts):
    """Version 1 has no 64-bit counters: those of 32 bits may be there instead, or none."""
    ports = [{k: v for k, v in p.items() if k not in COUNTERS} for p in facts.get("ports") or []]
    return {**facts, "ports": ports}


def differences(plain, other, quirks):
    wrong = []
    for name, facts in other.items():
        expected, quirk = plain[name], quirks.get(name, "")
        if quirk == "dead":
            continue
        if "v1only" in quirk:
            expected, facts = without_counters(expected), without_counters(facts)
        if facts != expected:
            members = [k for k in set(facts) | set(expected) if facts.get(k) != expected.get(k)]
            wrong.append("%s (%s): %s" % (name, quirk, ", ".join(sorted(members))))
    return wrong


def named_as_broken(folder):
    with sqlite3.connect(os.path.join(folder, "patrold.db")) as db:
        rows = db.execute("SELECT device.name FROM event JOIN device ON device.id = event.device_id "
                          "WHERE event.kind = 'device.broken'")
        return {name for (name,) in rows}


def main():
    for folder in (TOOLS, RECORDINGS, EXPECTED):
        if not os.path.isdir(folder):
            skip("there are no recordings: no %s" % folder)
    names = sorted(f[:-8] for f in os.listdir(RECORDINGS) if f.endswith(".snmprec") and "@" not in f)
    quirks = {n: "dead" if i % DEAD_EVERY == 7 else QUIRKS[i % len(QUIRKS)] for i, n in enumerate(names)}
    with tempfile.TemporaryDirectory(prefix="patrold-quirks-") as folder:
        plain = read(os.path.join(folder, "plain"), RECORDINGS)
        file = os.path.join(folder, "quirks")
        with open(file, "w", encoding="utf-8") as f:
            f.writelines("%s %s\n" % item for item in quirks.items())
        wrong = differences(plain, read(os.path.join(folder, "odd"), RECORDINGS, "--quirks", file), quirks)
        broken = named_as_broken(os.path.join(folder, "odd"))
        some = os.path.join(folder, "some")
        os.mkdir(some)
        for name in names[:: max(1, len(names) // LOSSY)]:
            os.symlink(os.path.abspath(os.path.join(RECORDINGS, name + ".snmprec")), os.path.join(some, name + ".snmprec"))
        wrong += differences(plain, read(os.path.join(folder, "lossy"), some, "--loss", str(LOSS_PERMILLE)), {})
    # A device that has something behind all that is asked for never shows that it goes in circles.
    looping = {n for n, q in quirks.items() if "loop" in q}
    print("%d devices with quirks, %d of %d that go in circles are named" % (len(quirks), len(broken & looping), len(looping)))
    if broken - looping:
        fail("said to be broken, but are not: %s" % ", ".join(sorted(broken - looping)))
    if not broken & looping:
        fail("none that goes in circles is named")
    if wrong:
        fail("read otherwise than without quirks:\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
