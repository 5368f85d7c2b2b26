#ifndef PD_WATCH_TARGET_H
#define PD_WATCH_TARGET_H

#include "conf/conf.h"
#include "plugin/plugin.h"

/* What a collector is told of who asks. */

/* A user of SNMPv3, as the collector takes it; points into the credential. */
struct pd_usm_secret target_usm(const struct credential *c);

/*
 * Puts a credential (NULL: none) and the settings that go with it into a target. *usm is room for what the target then
 * points to; the rest points into the credential.
 */
void target_put_credential(struct pd_target *t, struct pd_usm_secret *usm, const struct credential *c,
                           const struct settings *s);

/* A hash of all of a target that makes it another one, secrets included. */
uint64_t target_hash(const struct pd_target *t);

#endif
