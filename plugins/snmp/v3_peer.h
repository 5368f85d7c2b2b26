#ifndef PD_SNMP_V3_PEER_H
#define PD_SNMP_V3_PEER_H

#include "plugins/snmp/engine.h"
#include "plugins/snmp/v3.h"

/*
 * A device that is asked in version 3: who it is (its engine), what its clock says, and our user's keys there. Each
 * device has its own record, even where two go by one engine's id.
 *
 * A request goes out in up to three legs: to ask who it is, the question itself, and that once more with the right
 * time, or of another engine than was known. Each leg is a request of its own to whoever counts tries, with an id of
 * its own, so that what comes late belongs to no leg.
 *
 * An unauthenticated report may point to another engine. That one is asked, but the one that was known is forgotten
 * only when the other has answered; until then its clock stays as it is.
 */

/* Where a request is in its legs; zero when it is submitted. */
enum v3_step {
    V3_STEP_DISCOVERS = 1, /* the leg under way asks who it is */
    V3_STEP_FOUND = 2,     /* another engine was found instead of the one that was known */
    V3_STEP_BACK = 4,      /* which was no better */
    V3_STEP_SYNCED = 8,    /* its clock was set by a report */
};

enum v3_verdict {
    V3_ANSWER,
    V3_AGAIN,   /* the next leg is to be sent */
    V3_REFUSED, /* why is an enum snmp_refusal */
    V3_DROPPED, /* why is an enum snmp_drop */
};

/* Errors as of usm_user_get(), and PD_EINVAL for an engine's id that is none. */
int snmp_v3_peer_new(struct usm *usm, const struct pd_usm_secret *secret, struct snmp_v3_peer **out, const char **why);
void snmp_v3_peer_free(struct snmp_v3_peer *p);

/* Bytes of a PDU that fit into a request in a context whose name has so many bytes. */
size_t snmp_v3_peer_room(const struct snmp_v3_peer *p, size_t ncontext);
/* True if the next leg asks who it is: then there is no PDU to be written. */
bool snmp_v3_peer_discovers(const struct snmp_v3_peer *p);
/* True if the next leg has to reckon keys for milliseconds first, so that not many of its kind may go out together. */
bool snmp_v3_peer_is_slow(const struct snmp_v3_peer *p);
/* The message of the next leg around the PDU of npdu bytes at buf + V3_HEADROOM; as v3_seal(). */
size_t snmp_v3_peer_write(const struct snmp_peer *peer, uint8_t *steps, int64_t now_ms, int32_t id, uint8_t *buf,
                          size_t npdu, const uint8_t **start);
/* What a message from the device's address, with the id of the leg under way, is to it; *pdu for an answer. */
enum v3_verdict snmp_v3_peer_take(struct snmp_v3_peer *p, uint8_t *steps, int64_t now_ms, struct v3_msg *m,
                                  struct snmp_msg *pdu, int *why);
/* A request ended without an answer: an engine that did not prove itself is forgotten. */
void snmp_v3_peer_failed(struct snmp_v3_peer *p);

#endif
