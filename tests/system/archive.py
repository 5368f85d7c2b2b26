#!/usr/bin/python3
"""The archive with the real programs: Chinese names, tables in GBK, 2,000 devices at once; and an import during which
patrold is killed is there whole or not at all, and whole if patrolctl was told so."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Site, fail, wait_for  # noqa: E402

DEVICES = 2000
ROUNDS = 8


def as_json(site, *words):
    return json.loads(site.patrolctl(*words, "--json").stdout)


def write(site, name, text, encoding="utf-8"):
    path = os.path.join(site.folder, name)
    with open(path, "w", encoding=encoding, newline="") as f:
        f.write(text)
    return path


def refused(site, part, *words):
    done = site.patrolctl(*words, check=False)
    if done.returncode != 1 or part not in done.stderr:
        fail("%s: exit %d, not with %r: %s" % (" ".join(words), done.returncode, part, done.stderr))


def devices_table(site, prefix, network):
    rows = ["%s%04d,10.%d.%d.%d,总部,\"%d 楼, 东\"" % (prefix, i, network, i // 250, i % 250 + 1, i % 9 + 1)
            for i in range(DEVICES)]
    return write(site, prefix + ".csv", "\r\n".join(["设备名称,IP地址,站点,安装位置"] + rows) + "\r\n", "gb18030")


def people_and_places(site):
    site.patrolctl("customer", "add", "北京甲公司", "--number", "K-1")
    customers = write(site, "customers.yaml", "- {name: 北京甲公司, note: 老客户}\n- name: 上海乙公司\n  number: K-2\n")
    said = site.patrolctl("customer", "import", customers, "--yes").stdout
    if "note: - → 老客户" not in said or "Added 1, changed 1" not in said:
        fail("customer import: %s" % said)
    sites = write(site, "sites.csv", "站点名称,所属客户,时区\n总部,北京甲公司,Asia/Shanghai\n分部,上海乙公司,\n", "gbk")
    site.patrolctl("site", "import", sites, "--yes")
    site.patrolctl("contact", "add", "李伟", "--site", "总部", "--mail", "li@example.com", "--gets", "report")
    site.patrolctl("staff", "add", "wang", "王工", "technician", "--sites", "总部、分部")
    site.patrolctl("contract", "add", "HT-1", "北京甲公司", "full-service", "--from", "2026-01-01", "--sites", "总部",
                   "--p1", "respond=30m,fix=8h")
    refused(site, "did you mean '总部'", "contract", "set", "HT-1", "--sites", "总步")
    refused(site, "refers to it", "customer", "remove", "上海乙公司")
    if "全保" not in site.patrolctl("contract", "show", "HT-1", "--lang", "zh_CN").stdout:
        fail("a contract's kind is not told in Chinese")
    site.patrolctl("site", "set", "总部", "--name", "总部大楼")
    site.patrolctl("site", "set", "总部大楼", "--name", "总部")
    if as_json(site, "staff", "show", "wang")["sites"] != "总部,分部":
        fail("a site's new name was not carried through")


def lists_can_be_imported_again(site):
    for noun in ("customer", "site", "contact", "staff", "contract", "device"):
        table = write(site, noun + "-again.csv", site.patrolctl(noun, "list", "--csv").stdout)
        said = site.patrolctl(noun, "import", table, "--dry-run").stdout
        if "add 0 and change 0" not in said:
            fail("%s list --csv is not what %s import takes: %s" % (noun, noun, said))


def many_devices(site):
    table = devices_table(site, "设备", 1)
    wrong = write(site, "wrong.csv", "name,address,site\nx,10.9.9.9,总部\ny,10.9.9.9,总步\nx,nowhere,总部\n")
    refused(site, "wrong.csv:3: row 2, column 3 'site': there is no site '总步'", "device", "import", wrong, "--yes")
    refused(site, "say --yes", "device", "import", table)
    begun = time.monotonic()
    said = site.patrolctl("device", "import", table, "--yes").stdout
    took = time.monotonic() - begun
    if "Added %d" % DEVICES not in said or took > 20:
        fail("device import took %.1f s: %s" % (took, said[-300:]))
    shown = as_json(site, "device", "show", "设备0007")
    if shown["location"] != "8 楼, 东" or shown["customer"] != "北京甲公司":
        fail("device show: %s" % shown)
    if len(as_json(site, "device", "list", "--customer", "北京甲公司")) != DEVICES:
        fail("not all devices belong to the customer by their site")
    refused(site, "stands there", "site", "remove", "总部")
    return took


def count(site, prefix):
    return sum(1 for d in as_json(site, "device", "list") if d["name"].startswith(prefix))


def killed_while_importing(site):
    """Gives how many of the imports were there afterwards."""
    there = 0
    for n in range(ROUNDS):
        prefix = "k%d-" % n
        table = devices_table(site, prefix, 10 + n)
        importer = subprocess.Popen([site.program("patrolctl"), "-s", site.socket, "device", "import", table, "--yes"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.05 + 0.04 * n)
        site.kill()
        acknowledged = importer.wait(30) == 0
        site.start()
        found = count(site, prefix)
        if found not in (0, DEVICES) or (acknowledged and found == 0):
            fail("import %d: %d of %d devices are there, acknowledged: %s" % (n, found, DEVICES, acknowledged))
        there += found == DEVICES
    return there


def main():
    site = Site()
    try:
        site.start()
        people_and_places(site)
        took = many_devices(site)
        lists_can_be_imported_again(site)
        site.stop()
        site.start()
        if count(site, "设备") != DEVICES or len(as_json(site, "contract", "list")) != 1:
            fail("a restart lost something")
        there = killed_while_importing(site)
        wait_for("the last one to answer", site.try_control)
        site.stop(10)
    finally:
        site.end()
    print("archive: %d devices imported in %.1f s; of %d imports with a kill -9 %d were there, none by halves"
          % (DEVICES, took, ROUNDS, there))


if __name__ == "__main__":
    main()
