#ifndef PD_TESTS_SNMP_AGENT3_H
#define PD_TESTS_SNMP_AGENT3_H

#include "plugins/snmp/v3.h"

/*
 * The side of SNMPv3 that is asked: an engine with one user, in which an agent's PDUs are packed and unpacked. What it
 * will not answer it reports, as RFC 3414, section 3.2 says. Its clock is the test's.
 */
struct agent3 {
    struct usm *usm;
    struct usm_user *user;
    struct usm_keys keys;
    uint8_t level; /* V3_AUTH, V3_PRIV: what its user asks with */
    uint8_t engine[USM_MAX_ENGINE], nengine;
    int32_t boots, time;
    int64_t booted_ms;   /* a script reckons the time from there, by its clock */
    const char *context; /* the one that it has beside the unnamed; NULL: every one */
    bool mute;           /* reports nothing but who it is */
    /* What happened: */
    unsigned messages, reports[V3_UNKNOWN_CONTEXT + 1];
    uint8_t buf[V3_HEADROOM + SNMP_MAX_MESSAGE + V3_TAIL];
};

/* The secret's user; its engine's id is 80 00 00 00 and what is given. */
void agent3_init(struct agent3 *a, struct usm *usm, const struct pd_usm_secret *secret, uint8_t engine);
void agent3_fini(struct agent3 *a);
/* It becomes another engine. */
void agent3_set_engine(struct agent3 *a, uint8_t engine);

/*
 * A message to it. True if it is a request that may be answered: then m and pdu are filled in. Otherwise *start and
 * *n are the report about it, n being 0 where there is none.
 */
bool agent3_open(struct agent3 *a, const void *packet, size_t size, struct v3_msg *m, struct snmp_msg *pdu,
                 const uint8_t **start, size_t *n);
/* The answer to such a message, around a PDU: its length. */
size_t agent3_answer(struct agent3 *a, const struct v3_msg *m, const void *pdu, size_t npdu, const uint8_t **start);
/* A report about a message, with these flags. */
size_t agent3_report(struct agent3 *a, const struct v3_msg *m, int32_t request_id, enum v3_report what, uint8_t flags,
                     const uint8_t **start);

#endif
