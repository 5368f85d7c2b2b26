#ifndef PD_SNMP_V3_H
#define PD_SNMP_V3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "plugins/snmp/pdu.h"
#include "plugins/snmp/usm.h"

/*
 * SNMPv3 messages with user-based security (RFC 3412, RFC 3414), in both directions and for both sides. Nothing here
 * allocates, and nothing is kept between messages.
 *
 * To read one:  v3_decode(); find the user by m.user and the keys for m.engine; v3_open(), which authenticates,
 *               deciphers and gives the PDU; then see that boots and time are in the window (usm_clock_take() or
 *               usm_is_timely()), if m.flags say V3_AUTH. Believe nothing before that.
 * To write one: a PDU by snmp_begin() with head.version SNMP_V3, snmp_put() .. snmp_end() into buf + V3_HEADROOM,
 *               V3_TAIL bytes short of the buffer's end; then v3_seal().
 */
enum v3_flag { V3_AUTH = 1, V3_PRIV = 2, V3_REPORTABLE = 4 };

enum {
    V3_HEADROOM = 512, /* before a PDU, for everything that may stand there */
    V3_TAIL = 8,       /* behind it, for a cipher's padding */
    V3_MIN_SIZE = 484, /* the least msgMaxSize */
};

struct v3_msg {
    int32_t msg_id, max_size;
    uint8_t flags;         /* enum v3_flag */
    const uint8_t *engine; /* the authoritative one; empty where it is to be discovered */
    uint8_t nengine;
    uint8_t nuser;
    const uint8_t *user;
    int32_t boots, time; /* the authoritative engine's */
    /* Of the scoped PDU; known after v3_open(). */
    const uint8_t *context_engine;
    const uint8_t *context;
    uint8_t ncontext_engine, ncontext;
    /* Decoding's: */
    const uint8_t *digest, *salt;
    uint8_t ndigest, nsalt;
    struct wire_in whole, data;
};

/* True if a packet looks like one of version 3 (v3_decode() is for it, not snmp_decode()). */
bool v3_is(const void *packet, size_t n);

/*
 * What stands outside the cipher. PD_EPROTO for nonsense, PD_EVERSION for another version, PD_ENOTSUP for another
 * security model than the user-based. Bytes behind the message are ignored. Points into the packet.
 */
int v3_decode(const void *packet, size_t n, struct v3_msg *out);

/* Whether the digest is the keys', whatever they are for besides; false without authentication. */
bool v3_is_authentic(struct usm *u, const struct usm_keys *keys, const struct v3_msg *m);
/*
 * What is inside: the context goes into *m, the PDU into *pdu, with version SNMP_V3 and the context's name as its
 * community. Keys may be NULL for a message without authentication. PD_EINVAL where the keys' level is not the
 * message's, PD_EACCES where the digest is wrong, PD_ECORRUPT where what was authentic can't be deciphered,
 * PD_EPROTO for nonsense inside. What was enciphered is good until the next message that u deciphers.
 */
int v3_open(struct usm *u, const struct usm_keys *keys, struct v3_msg *m, struct snmp_msg *pdu);

/*
 * Puts the head before the PDU of npdu bytes at buf + V3_HEADROOM, enciphers and signs as m->flags say, with keys of
 * that level: the message is the result's bytes from *start on; 0 where a name is too long.
 */
size_t v3_seal(struct usm *u, const struct usm_keys *keys, const struct v3_msg *m, uint8_t *buf, size_t npdu,
               const uint8_t **start);

/* Bytes that v3_seal() adds, at most. */
size_t v3_overhead(uint8_t auth, uint8_t priv, size_t nengine, size_t nuser, size_t ncontext);

/* ---- Reports (RFC 3412, section 7.1; RFC 3414, section 3.2) ---- */

enum v3_report {
    V3_REPORT_OTHER,
    V3_UNSUPPORTED_LEVEL,
    V3_NOT_IN_WINDOW,
    V3_UNKNOWN_USER,
    V3_UNKNOWN_ENGINE,
    V3_WRONG_DIGEST,
    V3_DECRYPTION_ERROR,
    V3_UNAVAILABLE_CONTEXT,
    V3_UNKNOWN_CONTEXT,
};
/* What a report reports, by the OID of its first varbind. */
enum v3_report v3_report(const struct snmp_msg *pdu);
/* Writes a Report's PDU for the message with that request-id (0 where it could not be read), for v3_seal(). */
size_t v3_put_report(uint8_t *buf, size_t n, int32_t request_id, enum v3_report what, uint32_t count);

#endif
