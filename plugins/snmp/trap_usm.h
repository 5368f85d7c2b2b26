#ifndef PD_SNMP_TRAP_USM_H
#define PD_SNMP_TRAP_USM_H

#include "plugin/plugin.h"
#include "plugins/snmp/boots.h"
#include "plugins/snmp/v3.h"

/*
 * Who may tell us something in version 3, and whether it is new. Of informs we are the authoritative engine: messages
 * are about our clock, and who does not know it is told by a report. Of traps the sender is, whose clock is learnt from
 * its first authentic message; those of some thousands of engines are kept.
 */
struct trap_usm;

/* self: NULL if we have no engine, so no informs can be taken. usm, rng and self are borrowed. */
struct trap_usm *trap_usm_new(struct usm *usm, const struct pd_rng *rng, const struct snmp_boots *self, int64_t now_ms);
void trap_usm_free(struct trap_usm *t);
/* Who may authenticate: instead of those before. What makes no sense is said in the log. */
void trap_usm_users(struct trap_usm *t, const struct pd_usm_secret *users, size_t n);

enum trap_proof {
    TRAP_AUTHENTIC,
    TRAP_PLAIN, /* readable, but anybody could have sent it */
    TRAP_NONSENSE,
    TRAP_ASKS,    /* who we are, or what time it is: it is told, nothing else came of it */
    TRAP_NO_USER, /* nobody is called so */
    TRAP_NO_LEVEL,
    TRAP_WRONG_DIGEST,
    TRAP_NOT_DECIPHERED,
    TRAP_REPLAYED,
};

/* A message that was looked into; good until the next one. */
struct trap_message {
    struct v3_msg m;
    struct snmp_msg pdu;
    const char *user; /* of AUTHENTIC */
    bool ours;        /* we are the authoritative engine */
    const struct usm_keys *keys;
    /* What is to be sent back in any case: a report; nreport 0: nothing. */
    const uint8_t *report;
    size_t nreport;
};
enum trap_proof trap_usm_open(struct trap_usm *t, const uint8_t *packet, size_t n, int64_t now_ms,
                              struct trap_message *out);

/* The Response to an authentic inform that is ours, in buf[0..n): its length and beginning; 0 if there is no room. */
size_t trap_usm_answer(struct trap_usm *t, const struct trap_message *inform, int64_t now_ms, uint8_t *buf, size_t n,
                       const uint8_t **start);

#endif
