#ifndef PD_SNMP_TRAP_LIMIT_H
#define PD_SNMP_TRAP_LIMIT_H

#include "base/rng.h"
#include "plugin/addr.h"

/*
 * How many packets of traps are looked into: so many a second of each source and so many in all, with bursts. Sources
 * are counted in a table of fixed size without any names in it: a source's place is found by a hash whose key nobody
 * knows. So nothing is ever evicted and nobody can be pushed out; whoever shares the place of a flood, by a chance of
 * one in 65,536, shares its fate. Sources where no device is known have a table and a sum of their own, so however many
 * of them are invented they take nothing from the known ones; of those, IPv6 addresses count by their first 64 bits.
 * And who has proved lately who it is has a sum apart from those who only have the address of a device.
 */
struct trap_rate {
    uint32_t per_s, burst;
};

struct trap_rates {
    struct trap_rate source, all;             /* of known ones */
    struct trap_rate stranger, all_strangers; /* of the others */
};

enum trap_room { TRAP_ROOM, TRAP_ROOM_SOURCE, TRAP_ROOM_ALL }; /* there is; what has none */

struct trap_limit;
struct trap_limit *trap_limit_new(const struct pd_rng *rng, const struct trap_rates *rates);
void trap_limit_free(struct trap_limit *l);
/* One packet more from there. What has no room is not counted. */
enum trap_room trap_limit_take(struct trap_limit *l, const union pd_addr *from, bool known, int64_t now_ms);
/* The last one was authentic. */
void trap_limit_proved(struct trap_limit *l, const union pd_addr *from, bool known, int64_t now_ms);

#endif
