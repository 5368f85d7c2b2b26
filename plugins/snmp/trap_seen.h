#ifndef PD_SNMP_TRAP_SEEN_H
#define PD_SNMP_TRAP_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"

/*
 * What was believed within the last minutes, so that a repeated inform is processed once, and a trap that somebody
 * recorded and sends again is nothing. Of fixed size; only what was believed gets in, so nobody else can push it out.
 */
struct trap_seen;

struct trap_seen *trap_seen_new(const struct pd_rng *rng);
void trap_seen_free(struct trap_seen *s);

/* What identifies a message: from whom, and all that it says. */
uint64_t trap_seen_key(const struct trap_seen *s, const void *from, size_t nfrom, const void *said, size_t nsaid);

enum trap_sight {
    TRAP_NEW,
    TRAP_WAITS, /* it is being processed */
    TRAP_DONE,
};
enum trap_sight trap_seen_look(const struct trap_seen *s, uint64_t key, int64_t now_ms);
void trap_seen_note(struct trap_seen *s, uint64_t key, enum trap_sight sight, int64_t now_ms);

#endif
