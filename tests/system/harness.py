"""What system tests share: a site of its own in a temporary folder, with the real programs.

Programs are looked for in the build folder (BUILD, which `make check` gives).
A test that cannot run here ends with skip(), which automake counts as skipped.
"""
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

SOURCE = os.path.abspath(os.environ.get("srcdir") or os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.abspath(os.environ.get("BUILD") or os.getcwd())
HERE = os.path.join(SOURCE, "tests", "system")


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def fail(what):
    raise AssertionError(what)


def wait_for(what, check, seconds=30):
    """Gives check()'s first true result; fails after so many seconds."""
    until = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > until:
            fail("waited %s s in vain for: %s" % (seconds, what))
        time.sleep(0.02)


class Sink:
    """A real SMTP server that keeps what it is given."""

    def __init__(self, folder, *options, port=0):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.process = subprocess.Popen(
            ["/usr/bin/python3", os.path.join(HERE, "smtp_sink.py"), "--dir", folder, "--port", str(port), *options],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening "):
            fail("the SMTP server did not start: " + line)
        self.port = int(line.split()[1])

    def messages(self):
        """(Message-ID, envelope, bytes) of each message, in order."""
        found = []
        for name in sorted(f for f in os.listdir(self.folder) if f.endswith(".json")):
            with open(os.path.join(self.folder, name), encoding="utf-8") as f:
                envelope = json.load(f)
            with open(os.path.join(self.folder, name[:-5] + ".eml"), "rb") as f:
                data = f.read()
            ids = [line for line in data.split(b"\n") if line.lower().startswith(b"message-id:")]
            found.append((ids[0].split(b":", 1)[1].strip().decode() if ids else None, envelope, data))
        return found

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Control:
    """A connection to patrold's socket."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rb")
        self.last = 0

    def send(self, request):
        self.last += 1
        self.socket.sendall(json.dumps(dict(request, id=self.last)).encode() + b"\n")
        return self.last

    def receive(self):
        line = self.lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionError("patrold is gone")
        return json.loads(line)

    def ask(self, request):
        number = self.send(request)
        while True:
            answer = self.receive()
            if answer.get("id") in (number, None):
                return answer

    def command(self, name, /, **args):
        return self.ask({"cmd": name, "args": args})

    def rows(self, query, **filters):
        found, after = [], 0
        while True:
            answer = self.ask({"query": query, "filters": filters, "after": after})
            if "error" in answer:
                fail("%s: %s" % (query, answer["error"]))
            found += answer["rows"]
            after = answer["next"]
            if after == 0:
                return found

    def close(self):
        self.socket.close()


class Site:
    """A folder with a configuration, a database, and the programs that use it."""

    def __init__(self, folder=None, settings="", mail_port=None, database=None):
        self.folder = folder or tempfile.mkdtemp(prefix="patrold-test-")
        self.database = database or os.path.join(self.folder, "patrold.db")
        self.socket = os.path.join(self.folder, "s")
        self.config = os.path.join(self.folder, "patrold.yaml")
        self.log = os.path.join(self.folder, "log")
        self.process = None
        self.others = []
        self.write_config(settings, mail_port)

    def write_config(self, settings="", mail_port=None, mail_timeout=10):
        text = "database: %s\nsocket: %s\nsite: Test site\ntime_zone: Asia/Shanghai\n" % (self.database, self.socket)
        text += "knowledge: [%s]\n" % os.path.join(SOURCE, "conf")
        text += "credentials: {public: {version: 2, community: public}}\n"
        if mail_port:
            text += "mail: {url: 'smtp://127.0.0.1:%d', from: 'patrold <patrold@example.com>', timeout_s: %d}\n" % (
                mail_port, mail_timeout)
            text += "recipients: [{address: duty@example.com, language: zh_CN, min_severity: info}]\n"
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(text + settings)

    def program(self, name):
        path = os.path.join(BUILD, name)
        if not os.path.exists(path):
            fail("%s is not built" % path)
        return path

    def start(self, wait=True, environment=None):
        self.log_file = open(self.log, "ab")
        self.process = subprocess.Popen([self.program("patrold"), "-c", self.config], stdout=self.log_file,
                                        stderr=self.log_file, env=dict(os.environ, **(environment or {})))
        if wait:
            wait_for("patrold's socket", self.try_control)
        return self.process

    def try_control(self):
        """A connection, or None while nobody listens; fails if patrold has ended."""
        if self.process.poll() is not None:
            fail("patrold ended with %s:\n%s" % (self.process.returncode, self.log_text()[-2000:]))
        try:
            return Control(self.socket)
        except OSError:
            return None

    def log_text(self):
        with open(self.log, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def stop(self, seconds=5):
        """SIGTERM; fails if it takes longer than that or does not end well."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        if code != 0:
            fail("patrold ended with %s:\n%s" % (code, self.log_text()[-2000:]))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def serve(self, story, port):
        """Starts patrol-sim as the story's devices; gives [(name, address)]."""
        process = subprocess.Popen([self.program("tests/sim/patrol-sim"), "serve", "--port", str(port), story],
                                   stdout=subprocess.PIPE, text=True)
        self.others.append(process)
        devices = []
        for line in process.stdout:
            if line.startswith("serving"):
                return devices
            words = line.split()
            if len(words) >= 2:
                devices.append((words[0], words[1]))
        return fail("patrol-sim does not serve")

    def patrolctl(self, *words, check=True, environment=None):
        done = subprocess.run([self.program("patrolctl"), "-s", self.socket, *words], capture_output=True, text=True,
                              timeout=60, env=dict(os.environ, **(environment or {})), check=False)
        if check and done.returncode != 0:
            fail("patrolctl %s: exit %d: %s" % (" ".join(words), done.returncode, done.stderr))
        return done

    def end(self):
        for process in [self.process] + self.others:
            if process and process.poll() is None:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def build_shim(folder):
    """What kills in the middle of a system call (killshim.c)."""
    shim = os.path.join(folder, "killshim.so")
    done = subprocess.run([*os.environ.get("CC", "cc").split(), "-shared", "-fPIC", "-o", shim,
                           os.path.join(HERE, "killshim.c"), "-ldl"], check=False)
    if done.returncode != 0:
        fail("the shim does not compile")
    return shim


def copy_of_database(path, folder):
    """The database as a crash left it, opened in a copy: looking at it changes nothing."""
    target = os.path.join(folder, "copy.db")
    for suffix in ("", "-wal", "-journal"):
        if os.path.exists(target + suffix):
            os.remove(target + suffix)
        if os.path.exists(path + suffix):
            shutil.copyfile(path + suffix, target + suffix)
    if os.path.exists(target + "-shm"):
        os.remove(target + "-shm")
    db = sqlite3.connect(target)
    db.row_factory = sqlite3.Row
    return db
