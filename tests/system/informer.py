"""Informs whose sender the test is, packet by packet."""
import socket

from walk_agent import integer, oid, tlv

LINK_DOWN, UP_TIME, TRAP_OID = "1.3.6.1.6.3.1.1.5.3", "1.3.6.1.2.1.1.3.0", "1.3.6.1.6.3.1.1.4.1.0"
INFORM, TIMETICKS = 0xA6, 0x43


def inform(number):
    """An inform of version 2c with that id."""
    def dotted(text):
        return oid([int(n) for n in text.split(".")])
    binds = tlv(0x30, dotted(UP_TIME) + integer(1, TIMETICKS, False)) + tlv(0x30, dotted(TRAP_OID) + dotted(LINK_DOWN))
    pdu = tlv(INFORM, integer(number) + integer(0) + integer(0) + tlv(0x30, binds))
    return tlv(0x30, integer(1) + tlv(0x04, b"public") + pdu)


def is_answered(sender, port, number, seconds=30):
    """Whether that inform, sent once, is answered by whom it was sent to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((sender, 0))
        s.connect(("127.0.0.1", port))
        s.settimeout(seconds)
        s.send(inform(number))
        try:
            return bool(s.recv(2000))
        except (TimeoutError, ConnectionRefusedError):
            return False
