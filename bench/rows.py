"""The rows of bench/run. Each gives figures; README.md says what they are."""
import os
import signal
import subprocess
import time

from instruments import Figure, Skipped, SHARED, USEFUL, median, numbers

KVB = "cpu_ms/kvb"
LOOK_S = 0.1  # what is seen is that late: every 50 ms a patrolctl is asked
LATE_100K = 100000


def us_per_poll(m):
    return 1e6 * m["cpu_s"] / m["polls"]


class Rows:
    """Sizes depend on what is wanted: smoke (do they run?), quick, or all."""

    def __init__(self, tools, sizes):
        self.tools, self.sizes = tools, sizes
        self.kept = {}  # what a later row compares with

    def size(self, smoke, quick, full=None):
        return {"smoke": smoke, "quick": quick, "full": quick if full is None else full}[self.sizes]

    # ---- The collector alone ----

    def engine(self):
        devices, rounds = self.size(20, 1000), self.size(2, 10)
        limit, n, ours = [], [], []
        with self.tools.farm() as port:
            for _ in range(self.size(1, 5, 7)):
                ours.append(self.tools.engine(port, devices, rounds=rounds))
                if self.tools.shared:
                    n.append(self.tools.n(port))
                    limit.append(self.tools.poll("blast", "-p", port, "-d", 1000, "-w", 256, "-b", 13, "-t", 1))
        yield Figure("engine_v2c_ms_per_kvb", "engine, v2c", median(ours, KVB), "ms / 1,000 varbinds")
        yield Figure("engine_requests", "  requests a device", median(ours, "reqs/dev"))
        if not n:
            return
        of_n = median(n, KVB)
        yield Figure("n_ms_per_kvb", "N: net-snmp library, epoll", of_n, "ms / 1,000 varbinds")
        yield Figure("limit_vs_n", "the limit: packets blasted", median(limit, KVB) / of_n, "N")
        yield Figure("engine_v2c_vs_n", "engine, v2c", median(ours, KVB) / of_n, "N", 0.33)

    def pollers(self):
        """The others, for comparison."""
        with self.tools.farm() as port:
            of_n = self.tools.n(port)[KVB]
            yield Figure("zabbix7_way_vs_n", "Zabbix 7's way, imitated", self.tools.n(port, 1000, 1, ["-k"])[KVB] / of_n, "N")
            braa = self.braa(port, 200)
            if braa:
                yield Figure("braa_vs_n", "braa", braa / of_n, "N")

    def braa(self, port, devices):
        """Its script in ../shared writes the times of its process; None where it is not installed."""
        done = subprocess.run(["bash", os.path.join(SHARED, "braa.sh"), str(devices), str(port), "-t", "1", "-a", "30"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        took = numbers(done.stderr.splitlines()[-1]) if done.returncode == 0 and done.stderr else {}
        return (took["user"] + took["sys"]) * 1e6 / (devices * USEFUL) if "user" in took else None

    def delay(self):
        devices, rounds = self.size(20, 1000), self.size(1, 5)
        samples = {0: [], 50: []}
        for _ in range(self.size(1, 3)):
            for ms, got in samples.items():
                with self.tools.farm(delay_ms=ms) as port:
                    got.append(self.tools.engine(port, devices, rounds=rounds))
        yield Figure("delay50_vs_none", "engine, answers late by 50 ms / at once",
                     median(samples[50], KVB) / median(samples[0], KVB))

    def v3(self):
        devices, rounds = self.size(20, 10000), self.size(1, 2)
        two, three = [], []
        with self.tools.farm(own=True) as port:
            for _ in range(self.size(1, 3)):
                two.append(self.tools.engine(port, devices, rounds=rounds))
                three.append(self.tools.engine(port, devices, "-V", 3, rounds=rounds))
        yield Figure("v3_vs_v2c", "engine, v3 authPriv SHA-256/AES-128, %d engines / v2c" % devices,
                     median(three, KVB) / median(two, KVB), "", 2.0)

    def dead(self):
        devices = self.size(100, 10000)
        took = {0: [], 5: []}
        for _ in range(self.size(1, 2, 3)):
            for percent, got in took.items():
                with self.tools.farm(dead=percent) as port:
                    # What the dead cost shows in the first round, when nobody knows who they are.
                    got.append(self.tools.engine(port, devices, rounds=0, fails=True))
        yield Figure("dead5_live_s", "all live of %d read, 5 %% dead" % devices, median(took[5], "first_live_s"), "s")
        yield Figure("dead5_vs_none", "  against none dead", median(took[5], "first_live_s") /
                     median(took[0], "first_live_s"), "", 1.2)

    def modbus(self):
        devices, dead = self.size(20, 1000), self.size(2, 100)
        got = self.tools.poll("modbus_bench", "-d", devices, "-x", dead, "-s", self.size(1, 10, 20))
        yield Figure("modbus_us_per_poll", "Modbus TCP, %d devices, %d dead" % (devices, dead), got["us_per_poll"],
                     "µs a poll", 15)
        yield Figure("modbus_late_max_ms", "  the latest live one", got["late_max_ms"], "ms", 250)

    # ---- A bad net ----

    def bad_net(self, farm_port, port):
        return self.tools.running("relay", "-p", port, "-t", farm_port, "-l", 20, "-2", 10, "-r", 20, "-j", 30)

    def loss(self):
        devices, rounds, timeout = self.size(20, 1000, 3000), self.size(1, 10), self.size(50, 250)
        with self.tools.farm(own=True) as farm_port:
            port = farm_port + 1
            with self.bad_net(farm_port, port):
                got = self.tools.engine(port, devices, "-t", timeout, "-k", "-w", at_once=devices, rounds=rounds, fails=True)
        polls = devices * rounds
        yield Figure("loss_wrong_values", "20 %% lost each way, 10 %% doubled, reordered: wrong values in %d polls" % polls,
                     got["wrong"], "", 0)
        yield Figure("loss_down_per_10k", "  false \"down\" of 10,000 (collector)", got["down"] * 10000 / polls, "", 1)
        yield Figure("loss_whole", "  polls that missed nothing", 100 * got["ok"] / polls, "%")

    def outage(self):
        """The whole daemon behind the bad net, then behind a cut line."""
        devices, every, seconds = self.size(20, 1000), self.size(1, 4), self.size(3, 20, 130)
        timeout, tries = self.size(0.05, 0.25), 4
        with self.tools.farm(own=True) as farm_port:
            port = farm_port + 1
            with self.bad_net(farm_port, port) as relay, \
                    self.tools.daemon(devices, "%ds" % every, port, timeout="%.0fms" % (1000 * timeout)) as d:
                d.all_read(180)
                polls, downs = self.watch_downs(d, seconds)
                relay.send_signal(signal.SIGUSR2)
                cut = time.monotonic()
                d.wait_for(lambda: d.devices_in("down") >= devices, 20 * every + 60, "all being down")
                took = time.monotonic() - cut
        yield Figure("outage_down_per_10k", "patrold behind it: false \"down\" of 10,000, in %d polls" % polls,
                     downs * 10000 / polls, "", 1)
        yield Figure("outage_seen_s", "  line cut: all %d seen down" % devices, took, "s",
                     3 * every + timeout * tries + LOOK_S)

    @staticmethod
    def watch_downs(d, seconds):
        """Polls, and how often the number of those who are down rose: a state lasts longer than we look away."""
        began, before, downs = d.metrics()["patrold_polls_total"], d.devices_in("down"), 0
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.5)
            now = d.devices_in("down")
            downs += max(0, now - before)
            before = now
        return max(1, d.metrics()["patrold_polls_total"] - began), downs

    # ---- The whole daemon ----

    def hour(self):
        devices, polls = self.size(10, 1000), self.size(5, 60)
        folder = os.environ.get("BENCH_DIR", ".")
        got = [self.tools.poll("hour_bench", "-d", devices, "-n", polls, "-o", folder) for _ in range(self.size(1, 3, 7))]
        self.kept["hour_us"] = median(got, "close_us_per_reading")
        yield Figure("hour_us_per_reading", "closing an hour of %d devices × %d polls" % (devices, polls),
                     self.kept["hour_us"], "µs a reading")
        yield Figure("day_us_per_reading", "  and reckoning up its day", median(got, "days_us_per_reading"), "µs a reading")
        devices, polls = self.size(2, 50), self.size(70, 1440)
        got = self.tools.poll("hour_bench", "-d", devices, "-n", polls, "-f", 60000, "-o", folder)
        yield Figure("store_bytes_per_reading", "readings on disk, long term: a day of %d devices" % devices,
                     got["bytes_per_reading"], "bytes", 2)

    def daemon(self):
        n = []
        with self.tools.farm() as port:
            self.measure_n(n, port)
            m, awake = self.measure_small(port, self.size(3, 15, 30))
            self.measure_n(n, port)
        yield from self.tell_daemon("daemon", "patrold, %d devices every %s" % self.small(), m, awake)
        if n:
            what = "  against N" + (", hours closed too" if "hour_us" in self.kept else "")
            for key, state, of, bar in (("daemon_vs_n", ", cores awake as with N", awake, 0.75),
                                        ("daemon_asleep_vs_n", ", cores asleep in between", m, None)):
                whole = us_per_poll(of) / USEFUL + self.kept.get("hour_us", 0)
                yield Figure(key, what + state, whole / median(n, KVB), "N", bar)
        yield Figure("loop_p99_ms", "  event loop p99", m["loop_p99_ms"], "ms", 10)

    def small(self):
        """Devices of the daemon that others are compared with, and how often they are polled."""
        return self.size(20, 1000), self.size("1s", "600ms")

    def measure_small(self, port, seconds):
        devices, every = self.small()
        with self.tools.daemon(devices, every, port) as d:
            d.all_read(120)
            time.sleep(self.size(1, 10, 15))
            return self.measure_both(d, seconds)

    def measure_both(self, d, seconds):
        """As it is, with cores that sleep most of the time, and with cores that are kept awake."""
        asleep = d.measure(seconds)
        with self.tools.awake():
            return asleep, d.measure(seconds)

    def measure_n(self, n, port):
        if self.tools.shared:
            n.extend(self.tools.n(port) for _ in range(self.size(1, 5, 9)))

    @staticmethod
    def tell_daemon(key, what, m, awake):
        if m["polls"] == 0 or awake["polls"] == 0:
            raise RuntimeError("nothing was polled")
        yield Figure(key + "_us_per_poll", what, us_per_poll(m), "µs a poll")
        yield Figure(key + "_awake_us_per_poll", "  cores kept awake", us_per_poll(awake), "µs a poll")
        yield Figure(key + "_polls_per_s", "  polls", m["polls"] / m["seconds"], "/s")
        yield Figure(key + "_evaluations", "  rule evaluations a poll", m["evaluations"] / m["polls"], "", 40, True)
        # Polls under way when it begins or ends count with a part of their values: a few of tens of thousands.
        yield Figure(key + "_cells", "  values read a poll", round(m["cells"] / m["polls"], 1), "", USEFUL, True)
        yield Figure(key + "_stored", "  readings stored a poll", m["stored"] / m["polls"])
        yield Figure(key + "_rss_mb", "  memory", m["rss_kb"] / 1024, "MB")

    def daemon_100k(self):
        with self.tools.farm(delay_ms=20) as port:
            before = self.measure_small(port, 20)
            with self.tools.daemon(LATE_100K, "60s", port) as d:
                d.all_read(700)
                time.sleep(70)  # each is in its turn, and what is measured of the last minute is of that
                m, awake = self.measure_both(d, 60)
            after = self.measure_small(port, 20)
        small, small_awake = ((us_per_poll(x) + us_per_poll(y)) / 2 for x, y in zip(before, after))
        yield from self.tell_daemon("daemon_100k", "patrold, 100,000 devices every 60s, answers late by 20 ms", m, awake)
        yield Figure("daemon_small_us_per_poll", "  beside it, %d devices every %s" % self.small(), small, "µs a poll")
        yield Figure("daemon_100k_vs_1k", "  CPU a poll, against those", us_per_poll(m) / small, "", 1.3)
        yield Figure("daemon_100k_vs_1k_awake", "  CPU a poll, against those, cores kept awake",
                     us_per_poll(awake) / small_awake)
        yield Figure("lateness_p99_ms_100k", "  due to first request sent, p99", m["poll_p99_ms"], "ms", 100)
        yield Figure("commit_p99_ms_100k", "  due to committed, p99", m["commit_p99_ms"], "ms", 2500)
        yield Figure("core_share_100k", "  CPU of all threads", 100 * m["cpu_s"] / m["seconds"], "% of a core", 10)
        yield Figure("bytes_per_device", "  memory a device", (m["rss_kb"] - before[0]["rss_kb"]) * 1024 /
                     (LATE_100K - 1000), "bytes", 12288)
        yield Figure("loop_p99_ms_100k", "  event loop p99", m["loop_p99_ms"], "ms", 10)

    def all(self):
        """Rows in their order: name, function, whether --quick has it."""
        return [("engine", self.engine, True), ("pollers", self.pollers, True), ("delay", self.delay, True),
                ("v3", self.v3, True), ("modbus", self.modbus, True), ("dead", self.dead, True),
                ("loss", self.loss, True), ("outage", self.outage, True), ("hour", self.hour, True),
                ("daemon", self.daemon, True), ("daemon_100k", self.daemon_100k, False)]
