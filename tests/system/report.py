#!/usr/bin/python3
"""The monthly report with the real programs: made of what was polled, rendered by patrol-report as patrold's child,
mailed with the PDF; a kill -9 while it is rendered and while it is mailed leaves one report, sent as it was decided."""
import datetime
import email
import email.policy
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import SOURCE, Sink, Site, fail, skip, wait_for  # noqa: E402

SETTINGS = """
ticket_prefix: T
poll: {every: {status: 1s, counters: 1s, supplies: 1s, inventory: 1h}}
snmp: {timeout: 300ms, retries: 1}
report: {off: true, program: %s, provider: {name: 迅修办公设备服务有限公司, phone: 021-5555 0100}}
"""
PORT = 16171
CUSTOMER, PLACE = "远景科技有限公司", "总部大楼"
MONTH = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=8)).strftime("%Y-%m")


def tool(*words):
    try:
        return subprocess.run(words, capture_output=True, check=True).stdout.decode()
    except FileNotFoundError:
        return skip("%s is not installed" % words[0])


def slow_program(site):
    """patrol-report, but it takes a second, and says that it runs."""
    path = os.path.join(site.folder, "slow-report")
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\necho $$ >>%s\nsleep 1\nexec %s \"$@\"\n" % (site.folder + "/running", site.program("patrol-report")))
    os.chmod(path, 0o755)
    return path


SITES = []  # to be ended, however a test ends


def new_site(sink, slow=False):
    site = Site(mail_port=sink.port)
    SITES.append(site)
    site.write_config(SETTINGS % (slow_program(site) if slow else site.program("patrol-report")), sink.port)
    site.start()
    site.patrolctl("customer", "add", CUSTOMER)
    site.patrolctl("site", "add", PLACE, CUSTOMER)
    site.patrolctl("contact", "add", "王芳", "--customer", CUSTOMER, "--mail", "wang@example.com", "--language", "zh_CN",
                   "--gets", "report")
    site.patrolctl("contact", "add", "Ann", "--site", PLACE, "--mail", "ann@example.com", "--language", "en", "--gets",
                   "report")
    return site


def add_printer(site):
    name, address = site.serve(os.path.join(SOURCE, "conf", "stories", "printer.yaml"), PORT)[0]
    site.patrolctl("device", "add", name, address, "--port", str(PORT), "--site", PLACE)
    wait_for("the printer's supplies", lambda: json.loads(
        site.patrolctl("device", "show", name, "--kind", "supply", "--json").stdout)["points"])
    time.sleep(3)
    return name


def reports_of(sink):
    """Mails with a PDF, by recipient: [(Message-ID, bytes)]."""
    found = {}
    for message_id, envelope, data in sink.messages():
        if b"application/pdf" in data:
            found.setdefault(envelope["to"][0], []).append((message_id, data))
    return found


def parts_of(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    if [d for part in message.walk() for d in part.defects]:
        fail("the mail has defects: %s" % [d for part in message.walk() for d in part.defects])
    return message


def shape(part):
    if not part.is_multipart():
        return part.get_content_type()
    return [part.get_content_subtype()] + [shape(p) for p in part.iter_parts()]


def check_mail(site, data, lang):
    message = parts_of(data)
    either, pdf = list(message.iter_parts())
    if shape(message)[0] != "mixed" or shape(either)[:2] != ["alternative", "text/plain"] or shape(either)[2][:2] != [
            "related", "text/html"]:
        fail("the mail's parts: %s" % shape(message))
    if pdf.get_content_type() != "application/pdf" or pdf.get_content_disposition() != "attachment":
        fail("the last part is %s" % pdf.get_content_type())
    name = pdf.get_filename()
    if PLACE not in name or not name.endswith(".pdf"):
        fail("the PDF is called %r" % name)
    if lang == "zh_CN" and "巡检报告" not in name:
        fail("the PDF is called %r" % name)
    plain, page = list(either.iter_parts())
    html = list(page.iter_parts())[0].get_content()
    pictures = {p["Content-ID"].strip("<>") for p in list(page.iter_parts())[1:]}
    if set(re.findall(r'src="cid:([^"]+)"', html)) != pictures or not pictures:
        fail("the page shows %s, the mail has %s" % (re.findall(r'src="cid:([^"]+)"', html), pictures))
    for text in (html, plain.get_content()):
        if CUSTOMER not in text:
            fail("the customer's name is not in %s" % text[:500])
    return pdf.get_content()


def check_pdf(site, pdf, printer):
    path = os.path.join(site.folder, "received.pdf")
    with open(path, "wb") as f:
        f.write(pdf)
    text = tool("pdftotext", "-layout", path, "-")
    for part in (CUSTOMER, PLACE, printer, "迅修办公设备服务有限公司"):
        if part not in text:
            fail("the PDF does not say %r:\n%s" % (part, text[:3000]))
    fonts = tool("pdffonts", path).splitlines()[2:]
    if not fonts or any(line.split()[-5] != "yes" for line in fonts):
        fail("fonts are not embedded:\n%s" % "\n".join(fonts))


def a_report_arrives(sink):
    site = new_site(sink)
    printer = add_printer(site)
    said = site.patrolctl("report", "make", CUSTOMER, MONTH, "--mail").stdout
    path = site.patrolctl("report", "path", PLACE, MONTH).stdout.strip()
    if path not in said or not os.path.exists(path):
        fail("report make said %r, report path %r" % (said, path))
    mails = wait_for("the two mails", lambda: len(reports_of(sink)) == 2 and reports_of(sink))
    for address, lang in (("wang@example.com", "zh_CN"), ("ann@example.com", "en")):
        pdf = check_mail(site, mails[address][0][1], lang)
        check_pdf(site, pdf, printer)
    with open(path, "rb") as f:
        if f.read() != check_mail(site, mails["wang@example.com"][0][1], "zh_CN"):
            fail("the PDF on disk is another than the one that was mailed")
    wait_for("the report to be mailed", lambda: json.loads(
        site.patrolctl("report", "list", "--json").stdout)[0]["state"] == "mailed")
    site.stop()
    site.end()


def killed_while_it_is_rendered(sink):
    before = len(sink.messages())
    site = new_site(sink, slow=True)
    add_printer(site)
    control = site.try_control()
    control.send({"cmd": "report.make", "args": {"of": PLACE, "month": MONTH, "mail": True}})
    wait_for("patrol-report to run", lambda: os.path.exists(site.folder + "/running"))
    site.kill()
    control.close()
    with open(site.folder + "/running", encoding="utf-8") as f:
        pid = int(f.read().split()[0])
    wait_for("the child to end with its parent", lambda: not os.path.exists("/proc/%d" % pid)
             or open("/proc/%d/stat" % pid).read().split()[2] == "Z")
    site.start()
    wait_for("the report to be mailed", lambda: [r for r in json.loads(
        site.patrolctl("report", "list", "--json").stdout) if r["state"] == "mailed"], 30)
    new = [m for m in sink.messages()[before:] if b"application/pdf" in m[2]]
    if sorted(m[1]["to"][0] for m in new) != ["ann@example.com", "wang@example.com"]:
        fail("mails of a report after a crash: %s" % [m[:2] for m in new])
    site.stop()
    site.end()


def killed_while_it_is_mailed(sink):
    slow = Sink(os.path.join(sink.folder, "slow"), "--delay", "2")
    site = new_site(slow)
    add_printer(site)
    site.patrolctl("report", "make", PLACE, MONTH, "--mail")
    time.sleep(0.7)
    site.kill()
    first = {to: mails[0] for to, mails in reports_of(slow).items()}
    site.start()
    wait_for("the report to be mailed", lambda: json.loads(
        site.patrolctl("report", "list", "--json").stdout)[0]["state"] == "mailed", 40)
    for to, mails in reports_of(slow).items():
        if len(set(mails)) != 1 or (to in first and mails[0] != first[to]):
            fail("%s got %d different mails" % (to, len(set(mails))))
    if len(reports_of(slow)) != 2:
        fail("recipients: %s" % list(reports_of(slow)))
    site.stop()
    site.end()
    slow.stop()


def a_lost_file_is_told_in_words(sink):
    closed = Sink(os.path.join(sink.folder, "closed"), "--answer", "451", "--times", "1000")
    site = new_site(closed)
    add_printer(site)
    site.patrolctl("report", "make", PLACE, MONTH, "--mail")
    for name in os.listdir(os.path.join(site.folder, "reports")):
        os.unlink(os.path.join(site.folder, "reports", name))
    lost = wait_for("the mails to fail", lambda: [m for m in json.loads(
        site.patrolctl("outbox", "list", "--state", "failed", "--json").stdout)], 40)
    if "cannot be sent" not in lost[0]["last_error"]:
        fail("outbox: %s" % lost)
    site.stop()
    site.end()
    closed.stop()


def main():
    tool("pdffonts", "-v")
    site = Site()
    sink = Sink(os.path.join(site.folder, "mails"))
    try:
        for test in (a_report_arrives, killed_while_it_is_rendered, killed_while_it_is_mailed,
                     a_lost_file_is_told_in_words):
            test(sink)
            print("ok: " + test.__name__)
    finally:
        sink.stop()
        for one in SITES + [site]:
            one.end()


main()
