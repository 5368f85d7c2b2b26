#ifndef PD_SNMP_PDU_H
#define PD_SNMP_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "plugins/snmp/ber.h"
#include "plugins/snmp/oid.h"

/*
 * SNMPv1 and SNMPv2c messages (RFC 1157, RFC 1901, RFC 3416), in both directions:
 * the collector encodes requests and decodes responses, a simulated agent does the
 * reverse. Of version 3 it knows the PDU alone; the rest is in v3.h. Nothing here
 * allocates.
 */
enum snmp_version { SNMP_V1 = 0, SNMP_V2C = 1, SNMP_V3 = 3 }; /* as on the wire */

enum snmp_pdu_type {
    SNMP_GET = 0xa0,
    SNMP_GETNEXT = 0xa1,
    SNMP_RESPONSE = 0xa2,
    SNMP_SET = 0xa3,
    SNMP_TRAP_V1 = 0xa4,
    SNMP_GETBULK = 0xa5,
    SNMP_INFORM = 0xa6,
    SNMP_TRAP = 0xa7,
    SNMP_REPORT = 0xa8,
};

enum snmp_error {
    SNMP_TOO_BIG = 1,
    SNMP_NO_SUCH_NAME = 2,
    SNMP_GEN_ERR = 5,
    SNMP_AUTHORIZATION_ERROR = 16,
    SNMP_NOT_WRITABLE = 17,
};

/* A value's type: its tag on the wire, but for the last three. */
enum snmp_type {
    SNMP_INTEGER = BER_INTEGER,
    SNMP_OCTETS = BER_OCTETS,
    SNMP_NULL = BER_NULL,
    SNMP_OID = BER_OID,
    SNMP_IPADDRESS = 0x40,
    SNMP_COUNTER32 = 0x41,
    SNMP_GAUGE32 = 0x42,
    SNMP_TIMETICKS = 0x43,
    SNMP_OPAQUE = 0x44,
    SNMP_NSAP = 0x45,
    SNMP_COUNTER64 = 0x46,
    SNMP_UINTEGER32 = 0x47,
    SNMP_NO_SUCH_OBJECT = 0x80,
    SNMP_NO_SUCH_INSTANCE = 0x81,
    SNMP_END_OF_MIB_VIEW = 0x82,
    SNMP_FLOAT = 0x78,  /* in an Opaque */
    SNMP_DOUBLE = 0x79, /* in an Opaque */
    SNMP_BAD = 0xff,    /* an element that is whole but makes no value */
};

enum {
    SNMP_MAX_MESSAGE = 65507, /* payload of an IPv4 datagram */
    SNMP_MAX_VARBINDS = 512,
};

struct snmp_msg {
    uint8_t version; /* enum snmp_version */
    uint8_t type;    /* enum snmp_pdu_type */
    const uint8_t *community;
    size_t ncommunity;
    int32_t request_id;
    union {
        int32_t status; /* enum snmp_error; 0 for none */
        int32_t non_repeaters;
    };
    union {
        int32_t index; /* of the varbind at fault, from 1; 0 for none */
        int32_t max_repetitions;
    };
    struct wire_in varbinds; /* not decoded yet; used by decoding only */
};

struct snmp_varbind {
    const uint32_t *name;
    uint8_t nname; /* at most OID_MAX */
    uint8_t known; /* of them, the first that are an expected name's; decoding's */
    uint8_t type;  /* enum snmp_type */
    uint8_t size;  /* bytes that it took on the wire, 255 for more; decoding's */
    uint32_t n;    /* bytes of .bytes, numbers of .oid */
    union {
        int64_t i;            /* INTEGER */
        uint64_t u;           /* counters, gauges, ticks */
        double f;             /* FLOAT, DOUBLE */
        const uint8_t *bytes; /* OCTETS, IPADDRESS, OPAQUE, NSAP */
        const uint32_t *oid;
    };
};

/* Room for the varbinds of any datagram that has no more than SNMP_MAX_VARBINDS: large, so one for a program. */
struct snmp_varbinds {
    size_t n;
    struct snmp_varbind v[SNMP_MAX_VARBINDS];
    uint32_t ids[SNMP_MAX_MESSAGE + 1]; /* every number of an OID takes a byte at least */
};

/* ---- Decoding ---- */

/*
 * A message's head; bytes behind the message are ignored. PD_EPROTO for nonsense,
 * PD_EVERSION for another version of SNMP. Of a v1 trap only version, community
 * and type are filled in, and varbinds is all that its PDU holds (trap.h). The result points into the packet.
 */
int snmp_decode(const void *packet, size_t n, struct snmp_msg *out);
/* A PDU by itself, as version 3 has it; PD_EPROTO likewise. */
int snmp_decode_pdu(struct wire_in in, struct snmp_msg *out);
/* The message's varbinds; they point into *out and the packet. PD_EPROTO for nonsense, PD_ERANGE for too many. */
int snmp_decode_varbinds(const struct snmp_msg *m, struct snmp_varbinds *out);

/* With what a varbind's name is expected to begin, as numbers and as they are encoded. */
struct snmp_name {
    const uint32_t *ids;
    const uint8_t *encoded;
    uint8_t n, nencoded;
};
/* What is expected of a message's varbinds: one after the other; those from `again` on come over and over. */
struct snmp_expected {
    const struct snmp_name *const *names;
    size_t n, again;
};
/* The same, quicker for names that begin as is expected. */
int snmp_decode_expected(const struct snmp_msg *m, const struct snmp_expected *expected, struct snmp_varbinds *out);

/* ---- Encoding ---- */

/* A message being written. */
struct snmp_writer {
    struct wire_out out;
    size_t message, pdu, list; /* where the open elements begin */
    bool bare;                 /* there is no message around the PDU */
};

/* Starts a message in buf[0..n); in version 3 the PDU by itself. */
void snmp_begin(struct snmp_writer *w, void *buf, size_t n, const struct snmp_msg *head);
/* Each adds one varbind, or leaves the message as it was and gives false if it would not fit. */
bool snmp_put(struct snmp_writer *w, const struct snmp_varbind *vb);
bool snmp_put_encoded(struct snmp_writer *w, const void *varbind, size_t n);
/* The name a followed by b, with no value: what requests ask for. */
bool snmp_put_name(struct snmp_writer *w, const uint32_t *a, size_t na, const uint32_t *b, size_t nb);
/* Ends the message: its length, or 0 if not even the head fitted. */
size_t snmp_end(struct snmp_writer *w);

/* A varbind with no value, as in requests, by itself. */
void snmp_encode_name(struct wire_out *out, const uint32_t *a, size_t na, const uint32_t *b, size_t nb);

#endif
