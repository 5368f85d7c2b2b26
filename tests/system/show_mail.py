#!/usr/bin/python3
"""Prints a mail as a reader sees it: decoded headers, then the text."""
import email
import email.policy
import sys

with open(sys.argv[1], "rb") as f:
    mail = email.message_from_binary_file(f, policy=email.policy.default)
for name in ("Date", "From", "To", "Subject", "Message-ID"):
    print("%s: %s" % (name, mail[name]))
print()
print(mail.get_body(("plain",)).get_content())
