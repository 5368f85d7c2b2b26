#!/usr/bin/python3
"""SNMPv3 from the configuration to a reading: Debian's snmpd is polled by a user, restarts, and refuses another; a
reload mends a credential; no password shows anywhere."""
import os
import socket
import subprocess

from harness import Site, fail, skip, wait_for

SNMPD = "/usr/sbin/snmpd"
AUTH, PRIVACY, WRONG = "horse battery", "staple 正确", "not this one"
AGENT = """\
createUser patrol SHA-256 "%s" AES "%s"
rouser patrol priv
sysName v3-test
""" % (AUTH, PRIVACY)
CREDENTIALS = """\
poll: {every: {status: 1s}}
snmp: {timeout: 500ms, retries: 2}
credentials:
  servers: {version: 3, user: patrol, auth: sha256, auth_password_file: auth, privacy: aes128, privacy_password: %s}
  wrong: {version: 3, user: patrol, auth: sha256, auth_password: %s, privacy: aes128, privacy_password: %s}
"""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_private(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
        f.write(text)


class Agent:
    def __init__(self, site):
        self.site = site
        self.folder = os.path.join(site.folder, "agent")
        self.port = free_port()
        os.makedirs(self.folder)
        write_private(os.path.join(self.folder, "snmpd.conf"), AGENT)
        self.start()

    def start(self):
        kept = os.path.join(self.folder, "kept")
        self.process = subprocess.Popen(
            [SNMPD, "-f", "-Lf", os.path.join(self.folder, "log"), "-p", os.path.join(self.folder, "pid"), "-I",
             "-smux", "udp:127.0.0.1:%d" % self.port, "udp:127.0.0.2:%d" % self.port],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=dict(os.environ, SNMPCONFPATH=self.folder + ":" + kept, SNMP_PERSISTENT_DIR=kept))
        self.site.others.append(self.process)

    def restart(self):
        self.process.terminate()
        self.process.wait()
        self.start()


def configure(site, wrong):
    os.makedirs(os.path.join(site.folder, "conf.d"), exist_ok=True)
    write_private(os.path.join(site.folder, "conf.d", "auth"), AUTH + "\n")
    write_private(os.path.join(site.folder, "conf.d", "v3.yaml"), CREDENTIALS % (PRIVACY, wrong, PRIVACY))


def device(control, name):
    return control.rows("device.show", device=name)[0]


def main():
    if not os.path.exists(SNMPD):
        skip("no snmpd")
    site = Site()
    try:
        agent = Agent(site)
        configure(site, WRONG)
        site.start()
        control = site.try_control()
        site.patrolctl("device", "add", "good", "127.0.0.1", "--port", str(agent.port), "--credential", "servers")
        site.patrolctl("device", "add", "bad", "127.0.0.2", "--port", str(agent.port), "--credential", "wrong")

        wait_for("the device to be read", lambda: device(control, "good")["readings"] > 0, 30)
        shown = site.patrolctl("device", "show", "good").stdout
        if "authPriv sha256 aes128" not in shown:
            fail("the security level is not shown:\n" + shown)
        trouble = wait_for("the refusal", lambda: device(control, "bad")["trouble"], 30)
        if "another authentication password" not in trouble:
            fail("the refusal says: " + trouble)

        agent.restart()
        since = device(control, "good")["last_answer_ms"]
        wait_for("the restarted agent to be read", lambda: device(control, "good")["last_answer_ms"] > since + 1000, 30)

        configure(site, AUTH)
        site.patrolctl("reload")
        wait_for("the mended credential to be used", lambda: not device(control, "bad")["trouble"], 30)

        said = [site.log_text(), site.patrolctl("device", "show", "good", "--json").stdout,
                site.patrolctl("device", "show", "bad").stdout, site.patrolctl("metrics").stdout]
        control.close()
        site.stop()
        with open(site.database, "rb") as f:
            kept = f.read()
        for secret in (AUTH, PRIVACY, WRONG):
            if any(secret in text for text in said) or secret.encode() in kept:
                fail("a password is told")
    finally:
        site.end()
    print("SNMPv3: read, refused, restarted, mended; no password was told")


if __name__ == "__main__":
    main()
