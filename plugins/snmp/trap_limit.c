#include "plugins/snmp/trap_limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyed.h"
#include "base/mem.h"

enum { KNOWN = 1 << 16, STRANGERS = 1 << 12, UNIT = 1000, PREFIX = 8, PROVED_MS = 24 * 3600 * 1000 };

/* Filled by packets, emptied by time: an empty one is all zeros, and costs no memory before it is used. */
struct bucket {
    uint32_t fill;      /* in thousandths of a packet */
    uint32_t at_ms;     /* when it was that full; may go round, which only lets a little more in or out */
    bool proved;        /* it was authentic, */
    uint32_t proved_ms; /* then */
};

struct table {
    struct bucket *v;
    uint32_t n; /* a power of two */
    struct bucket all, all_proved;
    struct trap_rate each, sum;
};

struct trap_limit {
    uint64_t key[2];
    struct table known, strangers;
};

static struct table table_new(uint32_t n, struct trap_rate each, struct trap_rate sum)
{
    return (struct table){.v = xcalloc(n, sizeof(struct bucket)), .n = n, .each = each, .sum = sum};
}

struct trap_limit *trap_limit_new(const struct pd_rng *rng, const struct trap_rates *rates)
{
    struct trap_limit *l = xcalloc(1, sizeof *l);

    rng->fill(rng->ctx, l->key, sizeof l->key);
    l->known = table_new(KNOWN, rates->source, rates->all);
    l->strangers = table_new(STRANGERS, rates->stranger, rates->all_strangers);
    return l;
}

void trap_limit_free(struct trap_limit *l)
{
    if (!l)
        return;
    free(l->known.v);
    free(l->strangers.v);
    free(l);
}

/* Lets time empty it; true if one packet more fits. */
static bool has_room(struct bucket *b, struct trap_rate rate, uint32_t now)
{
    uint64_t gone = (uint64_t)(now - b->at_ms) * rate.per_s;

    b->fill = gone < b->fill ? b->fill - (uint32_t)gone : 0;
    b->at_ms = now;
    return (uint64_t)b->fill + UNIT <= (uint64_t)rate.burst * UNIT;
}

static uint64_t place(const struct trap_limit *l, const union pd_addr *from, bool known)
{
    if (from->sa.sa_family == AF_INET)
        return keyed_hash(l->key, &from->in.sin_addr, sizeof from->in.sin_addr);
    return keyed_hash(l->key, &from->in6.sin6_addr, known ? sizeof from->in6.sin6_addr : PREFIX);
}

static struct bucket *bucket_of(const struct trap_limit *l, struct table *t, const union pd_addr *from, bool known)
{
    return &t->v[place(l, from, known) & (t->n - 1)];
}

void trap_limit_proved(struct trap_limit *l, const union pd_addr *from, bool known, int64_t now_ms)
{
    struct bucket *b = bucket_of(l, known ? &l->known : &l->strangers, from, known);

    b->proved = true;
    b->proved_ms = (uint32_t)now_ms;
}

enum trap_room trap_limit_take(struct trap_limit *l, const union pd_addr *from, bool known, int64_t now_ms)
{
    struct table *t = known ? &l->known : &l->strangers;
    struct bucket *b = bucket_of(l, t, from, known), *all;
    uint32_t now = (uint32_t)now_ms;

    if (!has_room(b, t->each, now))
        return TRAP_ROOM_SOURCE;
    b->proved = b->proved && now - b->proved_ms < PROVED_MS;
    all = b->proved ? &t->all_proved : &t->all;
    if (!has_room(all, t->sum, now))
        return TRAP_ROOM_ALL;
    b->fill += UNIT;
    all->fill += UNIT;
    return TRAP_ROOM;
}
