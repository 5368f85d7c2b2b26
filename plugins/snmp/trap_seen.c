#include "plugins/snmp/trap_seen.h"

#include <stdlib.h>

#include "base/keyed.h"
#include "base/mem.h"

enum { SETS = 4096, WAYS = 4, KEPT_MS = 300000 };

struct entry {
    uint64_t key;
    int64_t at_ms;
    enum trap_sight sight; /* NEW: free */
};

struct trap_seen {
    uint64_t secret[2];
    struct entry sets[SETS][WAYS];
};

struct trap_seen *trap_seen_new(const struct pd_rng *rng)
{
    struct trap_seen *s = xcalloc(1, sizeof *s);

    rng->fill(rng->ctx, s->secret, sizeof s->secret);
    return s;
}

void trap_seen_free(struct trap_seen *s)
{
    free(s);
}

uint64_t trap_seen_key(const struct trap_seen *s, const void *from, size_t nfrom, const void *said, size_t nsaid)
{
    const uint64_t halves[] = {keyed_hash(s->secret, from, nfrom), keyed_hash(s->secret, said, nsaid)};

    return keyed_hash(s->secret, halves, sizeof halves);
}

static bool is_kept(const struct entry *e, int64_t now_ms)
{
    return e->sight == TRAP_WAITS || (e->sight == TRAP_DONE && now_ms - e->at_ms < KEPT_MS);
}

enum trap_sight trap_seen_look(const struct trap_seen *s, uint64_t key, int64_t now_ms)
{
    const struct entry *set = s->sets[key % SETS];

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].key == key && is_kept(&set[i], now_ms))
            return set[i].sight;
    return TRAP_NEW;
}

void trap_seen_note(struct trap_seen *s, uint64_t key, enum trap_sight sight, int64_t now_ms)
{
    struct entry *set = s->sets[key % SETS], *to = &set[0];

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].key == key) {
            to = &set[i];
            break;
        }
        if (set[i].at_ms < to->at_ms)
            to = &set[i];
    }
    *to = (struct entry){.key = key, .at_ms = now_ms, .sight = sight};
}
