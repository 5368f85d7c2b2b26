#!/usr/bin/python3
"""Mail servers that fail, and mails with large files: a PDF of 400 KB with a Chinese name, a page with a picture.

The server says nothing, patrold is killed, the server is slow and cuts the line: each reader gets the mail, every copy
with the same bytes. It refuses one reader; a file is gone: that is told in words, the others get theirs, and what can
be sent again is."""
import email
import email.policy
import hashlib
import json
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import Control, Site, Sink, fail, wait_for  # noqa: E402
from work_crash import CUSTOMER, HEAD, READERS, THIS_MONTH  # noqa: E402

SETTINGS = """
report: {off: true, program: %s}
"""
LARGE = 400000
# In the place of patrol-report: files that are large, and the same for the same name.
PROGRAM = """#!/usr/bin/python3
import random, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
noise = random.Random(options["--pdf"]).randbytes(%d)
for option, end, data in (("--pdf", "", b"%%PDF-1.7\\n" + noise + b"\\n%%%%EOF\\n"),
                          ("--html", "", "<html><body>巡检报告 <img src=\\"cid:chart-1\\"></body></html>\\n".encode()),
                          ("--html", ".chart-1.png", b"\\x89PNG" + noise[:30000]),
                          ("--text", "", "巡检报告\\n".encode())):
    with open(options[option] + end, "wb") as f:
        f.write(data)
""" % LARGE


def messages(site, **wanted):
    words = [w for pair in (("--" + k, v) for k, v in wanted.items()) for w in pair]
    return json.loads(site.patrolctl("outbox", "list", *words, "--json").stdout)


def identity(site, row):
    control = Control(site.socket)
    found = control.rows("message", id=row["id"])[0]["message_id"]
    control.close()
    return found


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


BEGUN = []  # sites and servers, to be ended however a test ends


def make_sink(folder, *options, port=0):
    BEGUN.append(Sink(folder, *options, port=port))
    return BEGUN[-1]


def make_site(port):
    site = Site()
    BEGUN.append(site)
    program = os.path.join(site.folder, "program")
    with open(program, "w", encoding="utf-8") as f:
        f.write(PROGRAM)
    os.chmod(program, 0o755)
    site.write_config(SETTINGS % program, port, mail_timeout=2)
    site.start()
    site.patrolctl("customer", "add", CUSTOMER)
    site.patrolctl("site", "add", HEAD, CUSTOMER)
    for name, address, lang in (("王芳", READERS[0], "zh_CN"), ("Ann", READERS[1], "en")):
        site.patrolctl("contact", "add", name, "--customer", CUSTOMER, "--mail", address, "--language", lang, "--gets",
                       "report")
    return site


def make_report(site):
    site.patrolctl("report", "make", HEAD, THIS_MONTH, "--mail")


def report(site):
    return json.loads(site.patrolctl("report", "list", "--json").stdout)[0]


def retry(site):
    """What waits or has failed is tried at once."""
    for state in ("pending", "failed"):
        for row in messages(site, state=state):
            site.patrolctl("outbox", "retry", str(row["id"]), check=False)


def by_reader(sink):
    found = {}
    for message_id, envelope, data in sink.messages():
        found.setdefault(envelope["to"][0], []).append((message_id, data))
    return found


def check_letter(site, reader, data):
    """The whole mail came: its PDF is the file on disk, under its name."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    pdf = [part for part in message.walk() if part.get_content_type() == "application/pdf"][0]
    name, content = pdf.get_filename(), pdf.get_content()
    lang = "zh_CN" if reader == READERS[0] else "en"
    files = [f for f in os.listdir(site.folder + "/reports") if f.endswith(lang + ".pdf")]
    with open(os.path.join(site.folder, "reports", files[-1]), "rb") as f:
        if content != f.read() or len(content) < LARGE:
            fail("the PDF that %s got (%d bytes) is not the one on disk" % (reader, len(content)))
    if HEAD not in name or not name.endswith(".pdf") or (lang == "zh_CN" and "月巡检报告" not in name):
        fail("%s got the PDF as %r" % (reader, name))
    if [d for part in message.walk() for d in part.defects] or any(len(line) > 998 for line in data.split(b"\r\n")):
        fail("the mail to %s has defects" % reader)


def hanging_then_killed_then_slow():
    """No word from the server; kill -9; then a slow one that cuts the line instead of saying that it has the mail."""
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    site = make_site(port)
    make_report(site)
    wait_for("both mails to fail", lambda: len([o for o in messages(site) if o["attempts"] > 0]) == 2, 20)
    for row in messages(site):
        if row["state"] != "pending" or len(row["last_error"]) < 10:
            fail("a server that says nothing: %s" % row)
    names = {identity(site, o) for o in messages(site)}
    site.kill()
    silent.close()
    sink = make_sink(os.path.join(site.folder, "mail"), "--drop", "before", "--times", "2", "--delay", "0.3", port=port)
    site.start()
    wait_for("both mails, cut off", lambda: len(by_reader(sink)) == 2, 20)
    wait_for("both to wait", lambda: all(o["attempts"] > 1 for o in messages(site)), 10)
    retry(site)
    wait_for("the report to be mailed", lambda: report(site)["state"] == "mailed", 20)
    copies = by_reader(sink)
    for reader in READERS:
        if len(copies[reader]) != 2 or len(set(copies[reader])) != 1 or copies[reader][0][0].strip("<>") not in names:
            fail("%s got %s" % (reader, [(m, hashlib.sha256(d).hexdigest()[:8]) for m, d in copies[reader]]))
        check_letter(site, reader, copies[reader][0][1])
    site.stop()
    print("a silent server, kill -9, then a slow one that cuts the line: two mails of %d KB, their second copies the same "
          "to the byte" % (len(copies[READERS[0]][0][1]) // 1000))


def one_reader_is_refused():
    folder = Site()
    BEGUN.append(folder)
    sink = make_sink(folder.folder, "--answer", "550", "--at", "rcpt", "--only", READERS[1])
    site = make_site(sink.port)
    make_report(site)
    lost = wait_for("the refusal", lambda: messages(site, state="failed"), 20)
    wait_for("the other mail", lambda: READERS[0] in by_reader(sink), 20)
    check_letter(site, READERS[0], by_reader(sink)[READERS[0]][0][1])
    if len(lost) != 1 or "550" not in lost[0]["last_error"]:
        fail("the mail that was refused: %s" % lost)
    wait_for("the report to say so", lambda: report(site)["state"] == "failed")
    if "is not mailed to all" not in site.patrolctl("status", check=False).stdout:
        fail("status does not tell of it")
    sink.stop()
    sink = make_sink(folder.folder, port=sink.port)
    site.kill()
    site.start()
    if report(site)["state"] != "failed" or len(messages(site, state="failed")) != 1:
        fail("a refusal is forgotten by a kill: %s" % report(site))
    retry(site)
    wait_for("the report to be mailed", lambda: report(site)["state"] == "mailed", 20)
    got = by_reader(sink)
    if len(got[READERS[0]]) != 1 or [m.strip("<>") for m, _ in got[READERS[1]]] != [identity(site, lost[0])]:
        fail("mails: %s" % {k: [m for m, _ in v] for k, v in got.items()})
    check_letter(site, READERS[1], got[READERS[1]][0][1])
    site.stop()
    print("one reader refused for good: told in words, the other got it; sent again by hand, once")


def a_file_is_gone():
    port = free_port()
    site = make_site(port)
    make_report(site)
    wait_for("both mails to wait", lambda: len([o for o in messages(site) if o["attempts"] > 0]) == 2, 20)
    for name in os.listdir(site.folder + "/reports"):
        if "zh_CN.html.chart" in name:
            os.unlink(os.path.join(site.folder, "reports", name))
    sink = make_sink(os.path.join(site.folder, "mail"), port=port)
    retry(site)
    lost = wait_for("the mail whose file is gone", lambda: messages(site, state="failed"), 20)
    wait_for("the other mail", lambda: READERS[1] in by_reader(sink), 20)
    check_letter(site, READERS[1], by_reader(sink)[READERS[1]][0][1])
    if len(lost) != 1 or "chart-1.png" not in lost[0]["last_error"] or "cannot be sent" not in lost[0]["last_error"]:
        fail("the mail whose file is gone: %s" % lost)
    make_report(site)  # a new edition has new files, and the reader is not cut off
    wait_for("the report to be mailed", lambda: report(site)["state"] == "mailed", 20)
    got = by_reader(sink)
    if len(got[READERS[0]]) != 1 or len(got[READERS[1]]) != 2:
        fail("mails: %s" % {k: [m for m, _ in v] for k, v in got.items()})
    site.stop()
    print("a file is gone: told with its name, the other mail went out, and the next edition to both")


def main():
    try:
        for test in (hanging_then_killed_then_slow, one_reader_is_refused, a_file_is_gone):
            test()
    finally:
        for one in reversed(BEGUN):
            one.stop() if isinstance(one, Sink) else one.end()


if __name__ == "__main__":
    main()
