#!/usr/bin/python3
"""What patrold reads from recordings of real devices, against what a peer system reads from the same.

The recordings are not the project's; where they are not beside it this is skipped. Where the peer is wrong stands, with
the reason, in tests/data/peer-errors.txt; each line of that must still be true.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

from harness import BUILD, SOURCE, fail, skip

SHARED = os.environ.get("PATROLD_SHARED", os.path.join(SOURCE, "..", "shared"))
TOOLS = os.path.join(SHARED, "tools")
RECORDINGS = os.path.join(SHARED, "corpus", "recordings")
EXPECTED = os.path.join(SHARED, "corpus", "expected")

# What must be reached at least, in per cent, and at most, in seconds.
STANDARD_BY_FACTS = 99.2
ALL_BY_DEVICES = 68
PRINTERS_BY_DEVICES = 97
CLASS_RIGHT = 97
READ_WITHIN_S = 60


def score(folder):
    """The scorer's figures, and how long the reading took."""
    command = [sys.executable, os.path.join(SOURCE, "scripts", "score"), RECORDINGS, EXPECTED, "--tools", TOOLS, "--build", BUILD,
               "--no-build", "--keep", folder, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        fail("scripts/score: exit %d: %s" % (done.returncode, done.stderr))
    took = re.search(r"read in ([0-9.]+) s", done.stderr)
    return json.loads(done.stdout), float(took.group(1))


def misses(folder):
    """Every fact that is missing or wrong, as the scorer words it."""
    command = [sys.executable, os.path.join(TOOLS, "score.py"), EXPECTED, os.path.join(folder, "facts.jsonl"), "--misses", "100000"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\nmissing or wrong\n", 1)[1]


def check_peer_errors(found):
    """Lines 'DEVICE TABLE.FIELD: WORDS: reason': the peer expects of it what is not so, and patrold does not say it."""
    with open(os.path.join(SOURCE, "tests", "data", "peer-errors.txt"), encoding="utf-8") as f:
        lines = [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]
    for line in lines:
        parts = line.split(": ", 2)
        if len(parts) != 3:
            fail("peer-errors.txt: '%s' is not 'DEVICE TABLE.FIELD: WORDS: reason'" % line)
        where, words, _ = parts
        if not any(m.startswith(where + " ") and words in m for m in found.split("\n")):
            fail("peer-errors.txt: nothing is missing or wrong in '%s' about '%s'" % (where, words))
    return len(lines)


def main():
    for folder in (TOOLS, RECORDINGS, EXPECTED):
        if not os.path.isdir(folder):
            skip("there are no recordings: no %s" % folder)
    with tempfile.TemporaryDirectory(prefix="patrold-score-") as folder:
        figures, took = score(folder)
        errors = check_peer_errors(misses(folder))
    devices, classes = figures["devices"], figures["classes"]
    bars = [
        ("standard MIBs by facts", 100 * classes["all"]["standard"]["by_facts"], STANDARD_BY_FACTS),
        ("all MIBs by devices", 100 * classes["all"]["all"]["by_devices"], ALL_BY_DEVICES),
        ("printers by devices", 100 * classes["printer"]["all"]["by_devices"], PRINTERS_BY_DEVICES),
        ("class right", 100 * figures["class_right"] / devices, CLASS_RIGHT),
    ]
    for name, reached, bar in bars:
        print("%-24s %6.2f %% (at least %g)" % (name, reached, bar))
    print("%-24s %6.2f s (at most %d)" % ("%d devices read in" % devices, took, READ_WITHIN_S))
    print("%d errors of the peer are listed" % errors)
    low = [name for name, reached, bar in bars if reached < bar]
    if low or took > READ_WITHIN_S or figures["in_dump"] != devices:
        fail("below the bar: %s" % ", ".join(low or ["the reading"]))


if __name__ == "__main__":
    main()
