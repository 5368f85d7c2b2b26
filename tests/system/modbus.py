#!/usr/bin/python3
"""Modbus through the real patrold: twenty servers of libmodbus, two of them dead, one slow and one that lies; a serial
bus with a dead slave; several units behind a gateway; and a UPS whose mains fail, from its registers to the ticket."""
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import SOURCE, Site, fail, wait_for  # noqa: E402

FARM, DEAD, SLOW, LIAR = 20, (4, 11), 7, 15
BUS_DEAD, BUS_SLOW, BUS_LIAR = 3, 4, 5  # slaves 1 to 5

SETTINGS = """
poll: {every: {status: 1s, counters: 5s, supplies: 5s}}
snmp: {timeout: 300ms, retries: 0}
modbus:
  timeout: 400ms
  retries: 1
  buses: {cellar: {device: %s, baud: 115200, parity: none, stop_bits: 1, response: 250ms}}
  endpoints: [{address: 127.0.0.1, port: %d, gap: 5ms}]
rules:
%s
"""

MODULE = """
module: peer
collector: modbus
components:
  place:
    kind: sensor
    table: false
    columns: {raw: holding 10}
    points: {class: '"other"', value: raw}
"""
PROFILE = "profile: peer\nclass: sensor\nmodules: [peer]\n"


class Peer:
    """The devices, as a process beside patrold."""

    def __init__(self, site, path):
        self.process = subprocess.Popen([site.program("tests/system/modbus_peer"), path], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        site.others.append(self.process)
        ports = self.process.stdout.readline().split()
        if len(ports) != FARM + 1:
            fail("the devices did not start: %s" % ports)
        self.gateway, self.farm = int(ports[0]), [int(p) for p in ports[1:]]

    def fill(self, unit, space, first, *values):
        self.process.stdin.write("%d %s %d %s\n" % (unit, space, first, " ".join(str(v) for v in values)))
        self.process.stdin.flush()
        if self.process.stdout.readline() != "done\n":
            fail("the devices did not take the registers")


def as_json(site, *words):
    return json.loads(site.patrolctl(*words, "--json").stdout)


def shown(site, name, point):
    """The value of a point of a device's first component that has it, with its quality; (None, None) without one."""
    for row in as_json(site, "device", "show", name)["points"]:
        if row["point"] == point:
            return row["number"] if row.get("number") is not None else row["value"], row["quality"]
    return None, None


def numbers(site, name, point):
    return {row["number"] for row in as_json(site, "device", "show", name)["points"] if row["point"] == point}


def states(site):
    return {d["name"]: d["state"] for d in as_json(site, "device", "list")}


def write_knowledge(site):
    folder = os.path.join(site.folder, "knowledge")
    for name, text in (("modules/peer.yaml", MODULE), ("profiles/peer.yaml", PROFILE)):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    os.makedirs(os.path.join(site.folder, "conf.d"))
    with open(os.path.join(site.folder, "conf.d", "more.yaml"), "w", encoding="utf-8") as f:
        f.write("knowledge: [%s]\n" % folder)


def add(site, name, address, profile, *more):
    site.patrolctl("device", "add", name, address, "--collector", "modbus", "--profile", profile, *more)


def farm(site, peer):
    for i, port in enumerate(peer.farm):
        add(site, "f%d" % i, "127.0.0.1", "peer", "--port", str(port))
    wait_for("the dead to be found out", lambda: all(states(site)["f%d" % i] == "down" for i in DEAD))
    for i in range(FARM):
        if i in DEAD or i == LIAR:
            continue
        wait_for("a value of f%d" % i, lambda i=i: shown(site, "f%d" % i, "value") == (1010, "good"))
    if shown(site, "f%d" % LIAR, "value")[1] == "good":
        fail("a liar was believed")
    wait_for("a ticket for each of the dead", lambda: {t["device"] for t in as_json(site, "ticket", "list")} >=
             {"f%d" % i for i in DEAD})


def on_time(site):
    """While the odd ones take their time-outs, all others are read in theirs."""
    control, until, worst = site.try_control(), time.monotonic() + 4, 0
    while time.monotonic() < until:
        for d in control.rows("live"):
            if d["name"][0] == "f" and int(d["name"][1:]) not in DEAD + (LIAR, SLOW):
                worst = max(worst, time.time() * 1000 - d["last_answer_ms"])
        time.sleep(0.1)
    control.close()
    if worst > 3500:
        fail("a healthy device was not read for %d ms" % worst)
    return worst


def gateway(site, peer):
    """Units behind one port, each with registers of its own; a UPS loses its mains and gets them back."""
    peer.fill(1, "holding", 0, 0, 2)  # status: online
    peer.fill(1, "holding", 128, 0, 1800, 512 * 100)
    peer.fill(1, "holding", 136, 256 * 40, 0, 256 * 45)
    peer.fill(2, "holding", 0, 456, 65536 - 35)  # 45.6 %, -3.5 degrees
    peer.fill(3, "input", 1, 231, 509)
    for name, profile, unit in (("ups", "apc-smart-ups-modbus", 1), ("cold", "renke-temp-humidity", 2),
                                ("warm", "xy-md02", 3), ("nobody", "xy-md02", 4)):
        add(site, name, "127.0.0.1", profile, "--port", str(peer.gateway), "--unit", str(unit))
    wait_for("the UPS's charge", lambda: shown(site, "ups", "charge") == (100, "good"))
    if shown(site, "ups", "load") != (45, "good") or shown(site, "ups", "runtime") != (1800, "good"):
        fail("the UPS shows %s" % as_json(site, "device", "show", "ups"))
    wait_for("humidity, and a temperature below zero", lambda: numbers(site, "cold", "value") == {-3.5, 45.6})
    wait_for("the other transmitter", lambda: numbers(site, "warm", "value") == {23.1, 50.9})
    wait_for("the silent unit", lambda: states(site)["nobody"] == "down")
    if states(site)["warm"] != "up":
        fail("a silent unit took its neighbour along")
    peer.fill(1, "holding", 1, 4)
    ticket = wait_for("a ticket for the mains", lambda: [t for t in as_json(site, "ticket", "list")
                                                         if t["device"] == "ups" and t["rule"] == "on-battery"])
    if ticket[0]["severity"] != "major":
        fail("the ticket is %s" % ticket[0])
    peer.fill(1, "holding", 1, 2)
    wait_for("the mains to be back", lambda: not [a for a in as_json(site, "alert", "list") if a["device"] == "ups"])


def bus(site):
    for slave in range(1, 6):
        add(site, "b%d" % slave, "cellar", "peer", "--unit", str(slave))
    for slave in (1, 2, BUS_SLOW):
        wait_for("slave %d" % slave, lambda slave=slave:
                 shown(site, "b%d" % slave, "value") == (1000 * slave + 10, "good"), 20)
    wait_for("the dead slave", lambda: states(site)["b%d" % BUS_DEAD] == "down", 20)
    if shown(site, "b%d" % BUS_LIAR, "value")[1] == "good":
        fail("a lying slave was believed")
    refused = site.patrolctl("device", "add", "b248", "cellar", "--collector", "modbus", "--profile", "peer", "--unit",
                             "248", check=False)
    if refused.returncode != 1:
        fail("slave 248 was taken")


def patience():
    """What the shipped rules of silence wait for, cut short; and those of the mains."""
    with open(os.path.join(SOURCE, "conf", "rules", "device.yaml"), encoding="utf-8") as f:
        silence = re.findall(r"^  ([a-z-]+):\n    family: reach$", f.read(), re.MULTILINE)
    return "".join("  %s: {hold: 1s, clear_hold: 1s}\n" % name for name in silence + ["on-battery"])


def main():
    site = Site()
    try:
        path = os.path.join(site.folder, "bus")
        peer = Peer(site, path)
        site.write_config(SETTINGS % (path, peer.gateway, patience()))
        write_knowledge(site)
        site.start()
        farm(site, peer)
        worst = on_time(site)
        gateway(site, peer)
        bus(site)
        site.stop()
    finally:
        site.end()
    print("modbus: %d servers, the healthy never older than %d ms; a UPS's mains became a ticket; a bus with a dead slave"
          % (FARM, worst))


if __name__ == "__main__":
    main()
