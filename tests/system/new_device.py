#!/usr/bin/python3
"""What the manual page on new devices says is true: its files load, its commands run, and say what it says.

    new_device.py [--show]    with --show the commands' whole output is printed, and nothing is compared
"""
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys

from harness import BUILD, HERE, SOURCE, Site, fail, skip, wait_for

PAGE = os.path.join(SOURCE, "man", "patrold-new-device.7")
WALK = os.path.join(SOURCE, "tests", "data", "teach", "leak-guard.walk")
SETTINGS = """\
database: {folder}/patrold.db
socket: {folder}/s
time_zone: Asia/Shanghai
knowledge: [{source}/conf, {folder}/knowledge]
credentials: {{public: {{version: 2, community: public}}}}
snmp: {{timeout: 500ms, retries: 1}}
"""


def plain(line):
    """A line of an example as the reader sees it."""
    for roff, seen in (("\\&", ""), ("\\(aq", "'"), ("\\-", "-"), ("\\e", "\\")):
        line = line.replace(roff, seen)
    return line


def blocks():
    """(what the comment before it says, lines) of each example that has one."""
    found, mark, lines = [], None, None
    with open(PAGE, encoding="utf-8") as f:
        for line in f.read().split("\n"):
            if line.startswith('.\\" ') and lines is None:
                mark = line[4:]
            elif line == ".EX":
                lines = []
            elif line == ".EE":
                if mark:
                    found.append((mark, lines))
                mark, lines = None, None
            elif lines is not None:
                lines.append(plain(line))
    return found


def commands(lines):
    """(command, what it says) of each."""
    found = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lesson:
    def __init__(self, show):
        self.show = show
        self.site = Site()
        self.folder = self.site.folder
        self.port = free_port()
        self.serve()
        with open(self.site.config, "w", encoding="utf-8") as f:
            f.write(SETTINGS.format(folder=self.folder, source=SOURCE))
        os.makedirs(os.path.join(self.folder, "knowledge"))
        self.site.start()

    def serve(self):
        agent = subprocess.Popen([sys.executable, os.path.join(HERE, "walk_agent.py"), WALK, str(self.port)],
                                 stdout=subprocess.PIPE, text=True)
        self.site.others.append(agent)
        if agent.stdout.readline() != "listening\n":
            fail("the agent does not listen")

    def here(self, command):
        """The command with this site's places for those of the page."""
        command = command.replace("/etc/patrold", self.folder)
        if command.startswith("snmpwalk"):
            return command.replace("192.0.2.15", "127.0.0.1:%d" % self.port)
        if command.startswith("patrolctl"):
            program = "%s -s %s -c %s" % (os.path.join(BUILD, "patrolctl"), self.site.socket, self.site.config)
            command = command.replace("patrolctl", program, 1)
        return command.replace("192.0.2.15", "127.0.0.1 --port %d" % self.port)

    def seen(self, text):
        """The lines of an output with this site's places, times and numbers as the page has them."""
        text = text.replace(self.folder, "/etc/patrold").replace("127.0.0.1", "192.0.2.15")
        text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "TIME", text)
        text = re.sub(r"\b[0-9A-Z]{4}-(\d{6})\b", r"SITE-\1", text)
        text = re.sub(r"\b[0-9a-f]{16}\b", "HASH", text)
        return [" ".join(line.split()) for line in text.split("\n") if line.strip()]

    def file(self, name, lines):
        if name.endswith(".walk"):
            with open(WALK, encoding="utf-8") as f:
                if f.read() != "\n".join(lines) + "\n":
                    fail("the page's walk is not " + WALK)
            shutil.copyfile(WALK, os.path.join(self.folder, name))
            return
        with open(os.path.join(self.folder, "knowledge", name), "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")

    def run(self, command, says):
        if command.startswith("snmpwalk") and not shutil.which("snmpwalk"):
            return
        done = subprocess.run(self.here(command), shell=True, cwd=self.folder, capture_output=True, text=True,
                              timeout=60, env=dict(os.environ, LC_ALL="C.UTF-8", TZ="Asia/Shanghai"), check=False)
        if self.show:
            print("$ " + command)
            print(done.stdout + done.stderr)
        if done.returncode != 0:
            fail("%s: exit %d: %s" % (command, done.returncode, done.stderr))
        lines = iter(self.seen(done.stdout))
        for wanted in [] if self.show else says:
            if wanted.strip() != "..." and self.seen(wanted)[0] not in lines:
                fail("%s does not say:\n%s\nbut:\n%s" % (command, wanted, done.stdout))

    def walk_is_as_shown(self):
        """What snmpwalk wrote is what the page shows, but for its last line: that nothing follows."""
        path = os.path.join(self.folder, "leak-guard.walk")
        with open(path, encoding="utf-8") as f, open(WALK, encoding="utf-8") as g:
            if os.path.exists(path) and not f.read().startswith(g.read()):
                fail("snmpwalk wrote another walk than the page shows")


def main():
    lesson = Lesson("--show" in sys.argv)
    try:
        ran = 0
        for mark, lines in blocks():
            word, _, rest = mark.partition(" ")
            if word == "file":
                lesson.file(rest, lines)
            elif word == "run":
                for command, says in commands(lines):
                    if shlex.split(command)[0] == "snmpwalk":
                        lesson.run(command, says)
                        if shutil.which("snmpwalk"):
                            lesson.walk_is_as_shown()
                    else:
                        lesson.run(command, says)
                    ran += 1
        if ran < 9:
            fail("the page has only %d commands" % ran)
        wait_for("the ticket", lambda: lesson.site.try_control().rows("tickets", state="open"))
    finally:
        lesson.site.end()


if __name__ == "__main__":
    if not os.path.exists(PAGE):
        skip("there is no manual page")
    main()
