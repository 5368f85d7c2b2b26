#!/usr/bin/python3
"""An SNMP agent (v1 and v2c) that says what a file says, in the lines of `snmpwalk -On`.

    walk_agent.py FILE PORT [ADDRESS]    writes "listening" when it does
"""
import re
import socket
import sys

GET, GETNEXT, RESPONSE, GETBULK = 0xA0, 0xA1, 0xA2, 0xA5
NO_SUCH_INSTANCE, END_OF_VIEW = 0x81, 0x82
MAX_ANSWER = 1400


def number_of(data):
    return int.from_bytes(data, "big", signed=True)


def tlv(tag, content):
    n = len(content)
    head = bytes([n]) if n < 128 else bytes([0x82]) + n.to_bytes(2, "big")
    return bytes([tag]) + head + content


def integer(value, tag=0x02, signed=True):
    size = (value.bit_length() // 8 + 1) if signed or value else 1
    return tlv(tag, value.to_bytes(size, "big", signed=signed))


def oid(numbers):
    out = b""
    for n in [numbers[0] * 40 + numbers[1], *numbers[2:]]:
        part = [n & 0x7F]
        while n := n >> 7:
            part.insert(0, n & 0x7F | 0x80)
        out += bytes(part)
    return tlv(0x06, out)


def numbers_of(content):
    found, n = [], 0
    for byte in content:
        n = n << 7 | byte & 0x7F
        if not byte & 0x80:
            found.append(n)
            n = 0
    return tuple(divmod(found[0], 40)) + tuple(found[1:])


def parse(data):
    """(tag, content, what follows)"""
    n, at = data[1], 2
    if n & 0x80:
        at += n & 0x7F
        n = int.from_bytes(data[2:at], "big")
    return data[0], data[at:at + n], data[at + n:]


def value_of(kind, text):
    if kind == "STRING":
        return tlv(0x04, text.strip('"').encode())
    if kind == "OID":
        return oid([int(n) for n in text.strip(".").split(".")])
    if kind == "Timeticks":
        return integer(int(re.search(r"\((\d+)\)", text).group(1)), 0x43, False)
    return integer(int(text), {"INTEGER": 0x02, "Counter32": 0x41, "Gauge32": 0x42}[kind])


def read_walk(path):
    with open(path, encoding="utf-8") as f:
        lines = [re.fullmatch(r"\.([\d.]+) = ([\w-]+): (.*)", line.rstrip("\n")) for line in f if line.strip()]
    return sorted((tuple(int(n) for n in m.group(1).split(".")), value_of(m.group(2), m.group(3))) for m in lines)


class Agent:
    def __init__(self, path):
        self.path = path

    def next_of(self, name):
        return next(((o, v) for o, v in self.walk if o > name), (name, bytes([END_OF_VIEW, 0])))

    def ask(self, kind, name):
        if kind == GET:
            return name, dict(self.walk).get(name, bytes([NO_SUCH_INSTANCE, 0]))
        return self.next_of(name)

    def bulk(self, names, fixed, repetitions):
        rows = [self.next_of(n) for n in names[:fixed]]
        names = list(names[fixed:])
        for _ in range(repetitions):
            for i, name in enumerate(names):
                rows.append(self.next_of(name))
                names[i] = rows[-1][0]
        return rows

    def answer(self, data):
        self.walk = read_walk(self.path)  # which may have changed
        _, message, _ = parse(data)
        _, version, rest = parse(message)
        _, community, rest = parse(rest)
        kind, pdu, _ = parse(rest)
        _, request, rest = parse(pdu)
        _, first, rest = parse(rest)
        _, second, rest = parse(rest)
        _, list_of, _ = parse(rest)
        names = []
        while list_of:
            _, bind, list_of = parse(list_of)
            names.append(numbers_of(parse(bind)[1]))
        if kind == GETBULK:
            rows = self.bulk(names, number_of(first), number_of(second))
        else:
            rows = [self.ask(kind, n) for n in names]
        binds = b""
        for o, v in rows:
            bind = tlv(0x30, oid(o) + v)
            if len(binds) + len(bind) > MAX_ANSWER:
                break
            binds += bind
        out = tlv(0x02, request) + integer(0) + integer(0) + tlv(0x30, binds)
        return tlv(0x30, tlv(0x02, version) + tlv(0x04, community) + tlv(RESPONSE, out))


def main():
    agent = Agent(sys.argv[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1", int(sys.argv[2])))
        print("listening", flush=True)
        while True:
            data, peer = s.recvfrom(65536)
            s.sendto(agent.answer(data), peer)


if __name__ == "__main__":
    main()
