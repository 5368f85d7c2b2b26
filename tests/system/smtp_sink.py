#!/usr/bin/python3
"""A real SMTP server for tests: keeps each message as a file, and misbehaves when told to.

    smtp_sink.py --dir FOLDER [--port N] [--answer CODE [--at rcpt|data]] [--drop before|after]
                 [--only ADDRESS] [--times N] [--delay SECONDS] [--tls CERT KEY] [--auth USER:PASSWORD]

Prints "listening PORT" once it takes connections. Message N is kept as
FOLDER/N.eml (the bytes as they came, N with six digits) with its envelope in
FOLDER/N.json: {"from": …, "to": [...], "at": unix seconds}. Files appear whole,
the envelope last, before the message is answered.

--answer 451   refuses instead of keeping; at RCPT or (default) after DATA
--drop before  keeps the message, then cuts the connection instead of saying 250
--drop after   says 250, then cuts the connection
--only ADDRESS does so for messages to this address only
--times N      does so for the first N messages only, then behaves
--delay S      waits before it answers DATA
"""
import argparse
import asyncio
import json
import os
import ssl
import time

from aiosmtpd.smtp import SMTP, AuthResult


class Sink:
    def __init__(self, options):
        self.options = options
        self.misbehaved = 0
        self.count = len([f for f in os.listdir(options.dir) if f.endswith(".json")])

    def misbehaves(self, at, addresses):
        o = self.options
        if o.only and o.only not in addresses:
            return False
        if at != (o.at if o.answer else "data") or not (o.answer or o.drop):
            return False
        if o.times is not None and self.misbehaved >= o.times:
            return False
        self.misbehaved += 1
        return True

    def write(self, name, data):
        path = os.path.join(self.options.dir, name)
        with open(path + ".tmp", "wb") as f:
            f.write(data)
        os.rename(path + ".tmp", path)

    def keep(self, envelope):
        self.count += 1
        self.write("%06d.eml" % self.count, envelope.original_content)
        about = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "at": time.time()}
        self.write("%06d.json" % self.count, json.dumps(about).encode())

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.options.answer and self.misbehaves("rcpt", [address]):
            return "%d 5.1.1 told to refuse <%s>" % (self.options.answer, address)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        bad = self.misbehaves("data", envelope.rcpt_tos)
        if self.options.delay:
            await asyncio.sleep(self.options.delay)
        if bad and self.options.answer:
            return "%d told to refuse this" % self.options.answer
        self.keep(envelope)
        if bad and self.options.drop == "before":
            server.transport.abort()
        elif bad:
            await server.push("250 OK kept, and goodbye")
            server.transport.abort()
        return "250 OK kept"


def authenticator(expected):
    def check(server, session, envelope, mechanism, data):
        given = "%s:%s" % (data.login.decode(), data.password.decode())
        return AuthResult(success=given == expected)

    return check


async def serve(options):
    sink = Sink(options)
    how = {"hostname": "sink.invalid", "decode_data": False}
    if options.tls:
        how["tls_context"] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        how["tls_context"].load_cert_chain(*options.tls)
        how["require_starttls"] = True
    if options.auth:
        how.update(authenticator=authenticator(options.auth), auth_required=True, auth_require_tls=bool(options.tls))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(sink, **how), "127.0.0.1", options.port)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dir", required=True)
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--answer", type=int)
    p.add_argument("--at", choices=["rcpt", "data"], default="data")
    p.add_argument("--drop", choices=["before", "after"])
    p.add_argument("--only")
    p.add_argument("--times", type=int)
    p.add_argument("--delay", type=float, default=0)
    p.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    p.add_argument("--auth")
    options = p.parse_args()
    os.makedirs(options.dir, exist_ok=True)
    try:
        asyncio.run(serve(options))
    except KeyboardInterrupt:
        pass


main()
