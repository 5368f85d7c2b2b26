#!/usr/bin/python3
"""Reads a stored mail with Python's own mail parser: read_mail.py FILE.eml FIELD.

FIELD is a header's name, "body", "parts" (how they stand in each other), "defects"
(none, or what is wrong) or, from the envelope beside it, "envelope". Prints it decoded.
"""
import email
import email.policy
import json
import sys


def shape(part):
    text = part.get_content_type()
    if part.is_multipart():
        return "%s(%s)" % (text, ",".join(shape(p) for p in part.iter_parts()))
    if part["Content-ID"]:
        text += str(part["Content-ID"])
    return text + "[%s]" % part.get_filename() if part.get_filename() else text


def main():
    path, field = sys.argv[1:]
    with open(path, "rb") as f:
        raw = f.read()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    if field == "body":
        out = message.get_content().replace("\r\n", "\n")
    elif field == "parts":
        out = shape(message)
    elif field == "defects":
        wrong = [repr(d) for part in message.walk() for d in part.defects]
        wrong += ["%s: %r" % (name, d) for name, value in message.items() for d in value.defects]
        wrong += ["a line of %d bytes" % len(l) for l in raw.split(b"\r\n") if len(l) > 998]
        wrong += ["a bare CR or LF"] if b"\n" in raw.replace(b"\r\n", b"") or b"\r" in raw.replace(b"\r\n", b"") else []
        out = "; ".join(wrong) or "none"
    elif field == "envelope":
        about = json.load(open(path.replace(".eml", ".json")))
        out = "%s -> %s" % (about["from"], ",".join(about["to"]))
    else:
        values = message.get_all(field) or []
        out = str(values[0]) if len(values) == 1 else "%d headers of this name" % len(values)
    sys.stdout.write(out)


main()
