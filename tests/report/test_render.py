#!/usr/bin/python3
"""patrol-report itself: pages, fonts and texts of the PDF as other programs read them, the mail's parts, what is refused."""
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", ".")
SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
VOID = {"meta", "img", "br"}


def fail(text):
    sys.exit("test_render: " + text)


def sample(devices, lang):
    out = subprocess.run([sys.executable, os.path.join(SRC, "tests/report/sample"), "--devices", str(devices), "--lang", lang],
                         capture_output=True, check=True).stdout
    return json.loads(out)


def report(document, *args, fds=()):
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return subprocess.run([os.path.join(BUILD, "patrol-report"), *args], input=data, capture_output=True, timeout=120,
                          check=False, pass_fds=fds)


def make(document, *args):
    done = report(document, *args)
    if done.returncode != 0:
        fail("%d: %s" % (done.returncode, done.stderr.decode()))


def pages_of(pdf):
    return int(re.search(r"Pages: +(\d+)", subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout)[1])


def text_of(pdf):
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout


def squeezed(text):
    return re.sub(r"\s+", "", text)


def fonts_are_embedded(pdf):
    rows = subprocess.run(["pdffonts", pdf], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    if not rows:
        fail("%s has no fonts" % pdf)
    for row in rows:
        if row.split()[-5:-2] != ["yes", "yes", "yes"]:
            fail("a font is not embedded, or without its characters: " + row)


def lines_are_on_the_page(pdf):
    """No word reaches out of the margins."""
    boxes = subprocess.run(["pdftotext", "-bbox", pdf, "-"], capture_output=True, text=True, check=True).stdout
    for x0, y0, x1, y1, word in re.findall(
            r'<word xMin="([\d.-]+)" yMin="([\d.-]+)" xMax="([\d.-]+)" yMax="([\d.-]+)">(.*?)</word>', boxes):
        if float(x0) < 45 or float(x1) > 595 - 45 or float(y0) < 20 or float(y1) > 842 - 24:
            fail("%s: '%s' is at %s %s %s %s" % (pdf, word, x0, y0, x1, y1))


def headings_have_company(pages):
    """The last line above a page's foot is no section's heading."""
    for page, text in enumerate(pages, 1):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if re.match(r"\d+ {1,3}\S+( \S+){0,4}$", lines[-2]):
            fail("page %d ends with the heading '%s'" % (page, lines[-2]))


def check_pages(folder):
    for devices, least, most in ((1, 3, 5), (5, 4, 6), (60, 11, 18), (1000, 120, 260)):
        for lang in ("en", "zh_CN"):
            pdf = os.path.join(folder, "%d-%s.pdf" % (devices, lang))
            document = sample(devices, lang)
            make(document, "--pdf", pdf)
            pages = pages_of(pdf)
            if not least <= pages <= most:
                fail("%d devices in %s take %d pages" % (devices, lang, pages))
            text = text_of(pdf)
            words = squeezed(text)
            page = "Page %d of %d" if lang == "en" else "第%d页/共%d页"
            for n in (1, pages):
                if squeezed(page % (n, pages)) not in words:
                    fail("'%s' is not in %s" % (page % (n, pages), pdf))
            for device in document["devices"]:
                if squeezed(device["name"]) not in words:
                    fail("%s is not in %s" % (device["name"], pdf))
            for want in ("{:,}".format(document["meters"]["totals"]["pages"]), document["customer"]["name"],
                         document["summary"]["remark"][:20], "设备及健康状况" if lang == "zh_CN" else "Devices and their health"):
                if squeezed(want) not in words:
                    fail("'%s' is not in %s" % (want, pdf))
            fonts_are_embedded(pdf)
            if devices <= 60:
                lines_are_on_the_page(pdf)
            headings_have_company(text.split("\f")[:-1])


class Checker(html.parser.HTMLParser):
    """Elements that are closed in order; no scripts, nothing fetched; each picture with its words."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.pictures, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("script", "link", "iframe", "style") or any(name.startswith("on") for name in attrs):
            fail("<%s %s> in a mail" % (tag, attrs))
        if tag == "img":
            if not attrs["src"].startswith("cid:") or not attrs.get("alt"):
                fail("picture %s" % attrs)
            self.pictures.append(attrs["src"][4:])

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            fail("</%s> closes nothing" % tag)

    def handle_data(self, data):
        self.text.append(data)


def check_mail(folder):
    for devices in (5, 60):
        for lang in ("en", "zh_CN"):
            document = sample(devices, lang)
            page, text = os.path.join(folder, "mail.html"), os.path.join(folder, "mail.txt")
            make(document, "--html", page, "--text", text)
            checker = Checker()
            with open(page, encoding="utf-8") as file:
                checker.feed(file.read())
            checker.close()
            if checker.open or len(checker.pictures) != 3:
                fail("open %s, pictures %s" % (checker.open, checker.pictures))
            for picture in checker.pictures:
                with open("%s.%s.png" % (page, picture), "rb") as file:
                    if file.read(8) != b"\x89PNG\r\n\x1a\n":
                        fail("%s is no PNG" % picture)
            with open(text, encoding="utf-8") as file:
                plain = file.read()
            for want in (document["customer"]["name"], document["summary"]["remark"], document["devices"][0]["name"],
                         "{:,}".format(document["meters"]["totals"]["pages"])):
                if want not in "".join(checker.text) or want not in plain:
                    fail("'%s' is not in the mail" % want)
            if ("PDF" in plain) != ("PDF" in "".join(checker.text)):
                fail("HTML and text differ")
            if devices == 60 and os.path.getsize(page) > 100000:
                fail("some mail programs cut HTML of %d bytes" % os.path.getsize(page))


def check_same_bytes(folder):
    document = sample(5, "zh_CN")
    made = []
    for name in ("one", "two"):
        names = [os.path.join(folder, name + end) for end in (".pdf", ".html", ".txt", ".html.chart-1.png")]
        make(document, "--pdf", names[0], "--html", names[1], "--text", names[2])
        made.append([open(n, "rb").read() for n in names])
    if made[0] != made[1]:
        fail("the same document made other bytes")


def check_hostile(folder):
    document = sample(5, "en")
    pdf, page = os.path.join(folder, "h.pdf"), os.path.join(folder, "h.html")
    name = "\u202egnp.exe <b>&\"'</b> \x1b[31m\nnext"
    document["devices"][0]["name"] = name
    document["devices"][1]["name"] = "x" * 3000
    document["devices"][2]["serial"] = "<script>alert(1)</script>"
    make(document, "--pdf", pdf, "--html", page, "--text", os.path.join(folder, "h.txt"))
    if "\\u202egnp.exe" not in squeezed(text_of(pdf)) or "\u202e" in text_of(pdf):
        fail("a character that reverses text was obeyed")
    lines_are_on_the_page(pdf)
    checker = Checker()
    with open(page, encoding="utf-8") as file:
        raw = file.read()
    checker.feed(raw)
    if "\\u202egnp.exe <b>&\"'</b> \\x1b[31m\\x0anext" not in "".join(checker.text) or "\x1b" in raw:
        fail("a device's name is not shown as it is")


def refused(document, *args, said, code=1):
    done = report(document, *args)
    if done.returncode != code or said not in done.stderr.decode():
        fail("wanted '%s', got %d: %s" % (said, done.returncode, done.stderr.decode()))


def check_refused(folder):
    pdf, page = os.path.join(folder, "no.pdf"), os.path.join(folder, "no.html")
    right, document = sample(5, "zh_CN"), sample(5, "zh_CN")
    document["devices"][2]["location"] = "一楼 \u0378 室"
    refused(document, "--pdf", pdf, said="no font has the character U+0378 of the text \"一楼 \u0378 室")
    document["devices"][2]["location"] = None
    document["customer"]["name"] = "\u0378"  # only in the running header of later pages and on the cover
    refused(document, "--pdf", pdf, "--html", page, said="U+0378")
    document = sample(5, "en")
    document["summary"]["devices"] = 6
    refused(document, "--pdf", pdf, said="summary.devices: 6 here, but its rows add up to 5")
    refused(b"", "--pdf", pdf, said="line 1")
    refused(right, "--pdf", os.path.join(folder, "missing/no.pdf"), said="missing/no.pdf: ")
    refused(right, "--pdf", pdf, "--html", os.path.join(folder, "missing/no.html"), said="missing/no.html: ")
    refused(right, "--progress", "x", said="--progress wants", code=2)
    refused(right, "--pfd", pdf, said="usage:", code=2)
    refused(right, "document.json", said="one word too many", code=2)
    left = [name for name in os.listdir(folder) if name.startswith("no")]
    if left:
        fail("something was written: %s" % left)


def check_progress(folder):
    reads, writes = os.pipe()
    done = report(sample(5, "en"), "--pdf", os.path.join(folder, "p.pdf"), "--progress", str(writes), fds=(writes,))
    os.close(writes)
    with os.fdopen(reads) as file:
        lines = file.read().split("\n")
    pages = pages_of(os.path.join(folder, "p.pdf"))
    if done.returncode != 0 or lines != ["%d %d" % (n, pages) for n in range(1, pages + 1)] + [""]:
        fail("progress was %s of %d pages" % (lines, pages))


def check_nothing_happened(folder):
    """A month without rounds, tickets, supplies: every section says so."""
    document = sample(1, "zh_CN")
    with open(os.path.join(SRC, "tests/report/minimal.json"), encoding="utf-8") as file:
        minimal = json.load(file)
    for part in ("patrol", "availability", "faults", "tickets", "supplies", "meters"):
        rows = [k for k in minimal[part] if k != "totals"]
        document[part] = {**{k: [] for k in rows}, "totals": {k: 0 for k in minimal[part]["totals"]}}
    for part in ("maintenance", "recommendations", "next_month", "signatures"):
        document[part] = []
    pdf = os.path.join(folder, "empty.pdf")
    make(document, "--pdf", pdf, "--html", os.path.join(folder, "e.html"), "--text", os.path.join(folder, "e.txt"))
    for want in ("本月没有应做的巡检", "本月没有受监测的设备", "本月没有设备故障", "本月没有工单", "暂无计划"):
        if want not in squeezed(text_of(pdf)):
            fail("'%s' is not told" % want)


def main():
    for tool in ("pdfinfo", "pdftotext", "pdffonts"):
        if not shutil.which(tool):
            print("%s is missing (poppler-utils)" % tool)
            sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        for check in (check_mail, check_pages, check_same_bytes, check_hostile, check_refused, check_progress,
                      check_nothing_happened):
            check(folder)
            print("ok: " + check.__name__)


main()
