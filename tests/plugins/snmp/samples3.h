#ifndef PD_TESTS_SNMP_SAMPLES3_H
#define PD_TESTS_SNMP_SAMPLES3_H

#include "plugins/snmp/v3.h"
#include "tests/plugins/snmp/maker.h"

/* Messages of version 3 with something wrong in them, of an engine and users that the test knows. */
enum sample_user { SAMPLE_OPEN, SAMPLE_SIGNED, SAMPLE_SECRET, SAMPLE_USERS };

enum { SAMPLE_BOOTS = 5, SAMPLE_TIME = 1000 };

struct samples3 {
    struct usm *usm;
    uint8_t engine[USM_MIN_ENGINE];
    const char *names[SAMPLE_USERS];
    struct usm_keys keys[SAMPLE_USERS]; /* SHA-1; AES-128 */
    /* Of the message that is being made: */
    enum sample_user user;
    uint8_t salt[USM_SALT];
};

void samples3_init(struct samples3 *s, const struct pd_rng *rng);
void samples3_fini(struct samples3 *s);
/* One message, in buf of MESSAGE_MAX bytes: its length. */
size_t samples3_make(struct samples3 *s, const struct pd_rng *rng, uint8_t *buf);
/* What we make of one, as who asked that engine as one of these users would; false if we refuse it. */
bool samples3_take(struct samples3 *s, const uint8_t *packet, size_t n, struct v3_msg *out, struct snmp_msg *pdu,
                   struct snmp_varbinds *vbs);

#endif
