#include <string.h>

#include "watch/internal.h"

/* What of a poll is told to the store, and how it stands to what was told before. */

enum { WHOLE_MS = 3600 * 1000 };

/*
 * Texts and codes seldom change: they are told when they do, and once an hour, so that no window over them has a gap.
 * All else is told each time, since its trend matters.
 */
static bool is_seldom(const struct point_def *p)
{
    return p->type == VALUE_TEXT || p->type == VALUE_ENUM || p->type == VALUE_BITS;
}

/* What is told of components of that layout: many of a device have the same. whole: parts of which all is told. */
static const struct choice *choose(struct turn *t, const struct layout *l, uint32_t whole)
{
    const uint8_t *tells = t->speech->tells + t->w->tables.base[l->kind->number];
    struct choice *c = &t->w->choice;

    if (c->of == l)
        return c;
    c->of = l;
    c->points.n = 0;
    for (size_t i = 0; i < l->n; i++) {
        uint16_t slot = l->slots[i];
        const struct point_def *p = &l->kind->points.v[slot];
        uint8_t by = tells[p->total_of != NO_POINT ? p->total_of : slot]; /* a total is told with what it is of */
        bool anyway = !is_seldom(p) || (tells[slot] & whole);
        struct chosen point = {.place = (uint16_t)i, .slot = slot, .fresh = anyway ? 0 : slot_bit(slot)};

        if (by & t->parts)
            array_push(&c->points, point);
    }
    return c;
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

    w->told.v[w->readings.n] = (uint32_t)at;
    w->past.v[w->readings.n] = past_of(n, at);
    w->readings.v[w->readings.n++] =
        (struct reading){.component = u->number, .point = slot, .value = point_get(&n->points.v[at])};
    n->points.v[at].told = true;
}

static void report_unit(struct turn *t, const struct unit *u, uint32_t whole)
{
    const struct choice *c = choose(t, u->layout, whole);
    uint64_t fresh = t->w->fresh.v[u - t->n->units.v];

    for (size_t i = 0; i < c->points.n; i++) {
        const struct chosen *p = &c->points.v[i];

        if (p->fresh == 0 || (p->fresh & fresh))
            tell(t, u, p->place, p->slot);
    }
}

/* Of the device itself also what is known when it does not answer, in order of points. */
static void report_device(struct turn *t, const struct unit *u, uint32_t whole)
{
    const struct tables *tables = &t->w->tables;
    bool found = u->seen == t->n->polls;
    uint64_t fresh = found ? t->w->fresh.v[u - t->n->units.v] : 0;
    const struct choice *c = choose(t, u->layout, whole);
    size_t next = 0;

    for (size_t i = 0; i < u->layout->n; i++) {
        uint16_t slot = u->layout->slots[i];
        const struct chosen *p = next < c->points.n && c->points.v[next].slot == slot ? &c->points.v[next++] : NULL;

        if ((found && p && (p->fresh == 0 || (p->fresh & fresh))) || slot == tables->reachable ||
            (slot == tables->ping && t->ping_told))
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
    if (n->chain.number == chain)
        return;
    for (size_t i = 0; i < n->points.n; i++)
        n->points.v[i].told = false;
    for (size_t i = 0; n->chain.number != 0 && i < w->readings.n; i++)
        n->points.v[w->told.v[i]].told = true;
}

void report(struct turn *t)
{
    struct node *n = t->n;
    struct watch *w = t->w;
    uint32_t whole = 0;

    w->readings.n = 0;
    w->choice.of = NULL;
    array_reserve(&w->readings, n->points.n);
    array_reserve(&w->past, n->points.n);
    array_reserve(&w->told, n->points.n);
    for (unsigned p = 0; p < PART_COUNT; p++) {
        if (!(t->parts & (1u << p)) || t->mono < n->whole_ms[p])
            continue;
        whole |= 1u << p;
        n->whole_ms[p] = t->mono + WHOLE_MS;
    }
    for (uint32_t i = 0; i < n->units.n; i++) {
        if (i == n->device_unit)
            report_device(t, &n->units.v[i], whole);
        else if (n->units.v[i].seen == n->polls)
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
