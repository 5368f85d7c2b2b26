#include <string.h>

#include "watch/internal.h"

/* What of a poll is told to the store, and how it stands to what was told before. */

enum { WHOLE_MS = 3600 * 1000 };

/*
 * Texts and codes seldom change: they are told when they do, and once an hour, so that no window over them has a gap. All
 * else is told each time, since its trend matters.
 */
static bool is_worth_telling(const struct point_def *p, uint64_t fresh, uint32_t whole, uint8_t tells)
{
    bool seldom = p->type == VALUE_TEXT || p->type == VALUE_ENUM || p->type == VALUE_BITS;

    return !seldom || (fresh & slot_bit(p->slot)) || (tells & whole);
}

static struct reading_past past_of(const struct node *n, size_t at)
{
    const struct earlier *e = &n->watch->earlier;

    if (n->points.v[at].told)
        return (struct reading_past){.told = PAST_SAME};
    if (e->of == n && (e->known.v[at / 64] >> at % 64 & 1))
        return (struct reading_past){.told = PAST_GOOD, .bits = e->bits.v[at]};
    return (struct reading_past){.told = PAST_NONE};
}

static void tell(struct turn *t, const struct unit *u, size_t place, uint16_t slot)
{
    struct node *n = t->n;
    struct watch *w = t->w;
    size_t at = u->first + place;

    w->past.v[w->readings.n] = past_of(n, at);
    w->readings.v[w->readings.n++] =
        (struct reading){.component = u->number, .point = slot, .value = point_get(&n->points.v[at])};
    n->points.v[at].told = true;
}

static void report_unit(struct turn *t, const struct unit *u, uint32_t whole)
{
    const uint8_t *tells = t->speech->tells + t->w->tables.base[unit_kind(u)->number];
    bool is_device = u == &t->n->units.v[t->n->device_unit];
    bool found = u->seen == t->n->polls;
    uint64_t fresh = found ? t->w->fresh.v[u - t->n->units.v] : 0;
    const struct tables *tables = &t->w->tables;

    array_reserve(&t->w->readings, t->w->readings.n + u->layout->n);
    array_reserve(&t->w->past, t->w->readings.n + u->layout->n);
    for (size_t i = 0; i < u->layout->n; i++) {
        uint16_t slot = u->layout->slots[i];
        const struct point_def *p = &unit_kind(u)->points.v[slot];
        uint8_t by = tells[p->total_of != NO_POINT ? p->total_of : slot]; /* a total is told with what it is of */

        if ((found && (by & t->parts) && is_worth_telling(p, fresh, whole, tells[slot])) ||
            (is_device && slot == tables->reachable) || (is_device && slot == tables->ping && t->ping_told))
            tell(t, u, i, slot);
    }
}

void report_begin(struct node *n)
{
    struct earlier *e = &n->watch->earlier;
    size_t words = n->points.n / 64 + 1;

    e->of = n;
    array_reserve(&e->known, words);
    memset(e->known.v, 0, words * sizeof *e->known.v);
    array_reserve(&e->bits, n->points.n);
}

/* Hands the poll on. Where it does not go on with its chain, the next one knows only of what was told with it. */
static void hand_on(struct turn *t, int64_t due_ms)
{
    struct node *n = t->n;
    struct watch *w = t->w;
    struct poll poll = {.device_id = n->d.id,
                        .at_ms = t->wall,
                        .readings = w->readings.v,
                        .past = w->past.v,
                        .n = w->readings.n,
                        .chain = &n->chain};
    uint32_t chain = n->chain.number;

    w->config.ops.readings(w->config.ops.ctx, &poll, due_ms);
    for (size_t i = 0; n->chain.number != chain && i < n->points.n; i++)
        n->points.v[i].told = false;
}

void report(struct turn *t)
{
    struct node *n = t->n;
    struct watch *w = t->w;
    uint32_t whole = 0;

    w->readings.n = 0;
    for (unsigned p = 0; p < PART_COUNT; p++) {
        if (!(t->parts & (1u << p)) || t->mono < n->whole_ms[p])
            continue;
        whole |= 1u << p;
        n->whole_ms[p] = t->mono + WHOLE_MS;
    }
    for (uint32_t i = 0; i < n->units.n; i++) {
        if (n->units.v[i].seen == n->polls || i == n->device_unit)
            report_unit(t, &n->units.v[i], whole);
    }
    n->status.readings = w->readings.n;
    w->counters.readings += w->readings.n;
    if (w->readings.n)
        hand_on(t, n->silent ? -1 : n->asked_ms - n->late_ms);
    w->earlier.of = NULL;
}

void report_missed(struct turn *t, int64_t at_ms)
{
    struct node *n = t->n;
    struct reading r = {
        .component = n->units.v[n->device_unit].number,
        .point = (uint16_t)t->w->tables.reachable,
        .value = value_bool(false),
    };
    struct poll poll = {.device_id = n->d.id, .at_ms = at_ms, .readings = &r, .n = 1};

    t->w->counters.readings++;
    t->w->config.ops.readings(t->w->config.ops.ctx, &poll, -1);
    n->chain.number = 0;
}
