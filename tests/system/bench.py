#!/usr/bin/python3
"""Each row of bench/run runs, in numbers too small to mean anything: what measures is not to rot."""
import json
import os
import subprocess
import tempfile

from harness import fail

WANTED = {"engine_v2c_ms_per_kvb", "v3_vs_v2c", "modbus_us_per_poll", "dead5_vs_none", "loss_wrong_values",
          "outage_seen_s", "store_bytes_per_reading", "daemon_us_per_poll"}


def main():
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "figures.json")
        done = subprocess.run([os.path.join(os.environ["srcdir"], "bench", "run"), "--smoke", "--build",
                               os.environ["BUILD"], "--json", out],
                              capture_output=True, text=True, timeout=600, check=False,
                              env=dict(os.environ, BENCH_DIR=folder))
        if done.returncode != 0:
            fail(done.stdout + done.stderr[-3000:])
        with open(out, encoding="utf-8") as f:
            figures = json.load(f)
    missing = WANTED - figures.keys()
    if missing:
        fail("no figures for %s:\n%s" % (", ".join(sorted(missing)), done.stdout))
    if figures["loss_wrong_values"] > 0:
        fail("wrong values behind a bad net:\n" + done.stderr)


if __name__ == "__main__":
    main()
