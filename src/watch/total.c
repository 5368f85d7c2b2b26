#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/internal.h"

/*
 * Totals: what a counter has risen by since it was first seen, from where it stood then. A total never falls. The
 * counter's own number belongs to an epoch; where one ends (event counter.epoch) the next is counted from where the counter
 * stands then:
 *
 *     new       it was seen for the first time
 *     reset     it fell, and stayed down
 *     rollover  it went round at 2^32 (it counts whole things, and stood near there): what it rose by on the way does count
 *     swap      another machine stands at the place
 *
 * A fall is believed when the next reading says the same: one that is back where it was had been nonsense. While it is
 * in doubt who stands at the place (after a restart, a silence, a change of address) nothing is added; when it is known
 * that it is the same, all of it is. Meanwhile the total is stale: what is good counts up to the counter read with it.
 */
static const double WRAP = 4294967296.0;

/* As a number, if it is one. */
static bool number_of(struct value v, double *out)
{
    if (v.quality != QUALITY_GOOD)
        return false;
    if (v.type == VALUE_INT)
        *out = (double)v.i;
    else if (v.type == VALUE_NUM && isfinite(v.num))
        *out = v.num;
    else
        return false;
    return true;
}

static void tell(struct turn *t, const struct unit *u, const struct point_def *of, const char *cause, double before,
                 double after)
{
    struct event *e = turn_event(t, "counter.epoch");

    t->remember = true;
    event_arg(e, "kind", u->kind->name);
    event_arg(e, "key", u->key);
    event_arg(e, "component", u->label);
    event_arg(e, "point", of->name);
    event_arg(e, "cause", cause);
    event_arg_int(e, "before", (int64_t)before);
    event_arg_int(e, "after", (int64_t)after);
}

/* Whether it fell from near 2^32 to near nothing. What is scaled goes round somewhere else. */
static bool went_round(const struct total *s, const struct point_def *of)
{
    const double near = WRAP / 16;

    return of->type == VALUE_INT && s->counted >= WRAP - near && s->counted < WRAP && s->fallen < near;
}

/* What is to be added for a counter that stands at `now`. */
static double step(struct turn *t, struct unit *u, const struct point_def *of, double now)
{
    struct total *s = u->total;
    double added;

    if (now >= s->counted) {
        added = now - s->counted;
        s->falling = false;
    } else if (!s->falling || now < s->fallen) {
        s->falling = true;
        s->fallen = now;
        return 0;
    } else {
        bool round = went_round(s, of);

        added = round ? now + WRAP - s->counted : now - s->fallen;
        s->falling = false;
        tell(t, u, of, round ? "rollover" : "reset", s->counted, s->fallen);
    }
    s->counted = now;
    return added;
}

static void take(struct turn *t, struct unit *u, const struct point_def *total)
{
    const struct point_def *of = &u->kind->points.v[total->total_of];
    struct value sum;
    double now;

    if (!number_of(unit_point(t->n, u, of->slot), &now))
        return;
    if (!u->total) {
        u->total = xcalloc(1, sizeof *u->total);
        *u->total = (struct total){.counted = now, .sum = now};
        tell(t, u, of, "new", now, now);
    } else if (u->total->fresh) {
        u->total->fresh = u->total->falling = false;
        u->total->counted = now;
    } else if (!t->n->doubt) {
        u->total->sum += step(t, u, of, now);
    }
    sum = total->type == VALUE_INT ? value_int((int64_t)u->total->sum) : value_num(u->total->sum);
    if (u->total->counted != now)
        sum.quality = QUALITY_STALE;
    unit_set(t->n, u, total->slot, sum);
}

/* Calls fn for each total of the device's components. */
static void each(struct turn *t, void (*fn)(struct turn *t, struct unit *u, const struct point_def *total))
{
    for (size_t i = 0; i < t->n->units.n; i++) {
        struct unit *u = &t->n->units.v[i];

        for (size_t k = 0; u->kind->totals && k < u->kind->points.n; k++)
            if (u->kind->points.v[k].total_of != NO_POINT)
                fn(t, u, &u->kind->points.v[k]);
    }
}

static void take_read(struct turn *t, struct unit *u, const struct point_def *total)
{
    const uint8_t *tells = t->speech->tells + t->w->tables.base[u->kind->number];

    if (u->seen == t->n->polls && (tells[total->total_of] & t->parts))
        take(t, u, total);
}

void total_take(struct turn *t)
{
    each(t, take_read);
}

/* ---- Kept ---- */

void total_put(struct unit *u, const struct total *total)
{
    if (!u->total)
        u->total = xcalloc(1, sizeof *u->total);
    *u->total = *total;
}

/* A component's reading of a point in the poll, as a number. */
static bool reading_of(const struct reading *r, size_t count, uint32_t component, unsigned point, double *out)
{
    for (size_t i = 0; i < count; i++)
        if (r[i].component == component && r[i].point == point)
            return number_of(r[i].value, out);
    return false;
}

void total_replay(struct node *n, const struct reading *r, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct unit *u = unit_numbered(n, r[i].component);
        const struct point_def *p = u && r[i].point < u->kind->points.n ? &u->kind->points.v[r[i].point] : NULL;
        struct total total = {0};

        if (p && p->total_of != NO_POINT && number_of(r[i].value, &total.sum) &&
            reading_of(r, count, u->number, p->total_of, &total.counted))
            total_put(u, &total);
    }
}

static void put_double(struct wire_out *out, double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof bits);
    wire_put_u64be(out, bits);
}

static double get_double(struct wire_in *in)
{
    uint64_t bits = wire_u64be(in);
    double d;

    memcpy(&d, &bits, sizeof d);
    in->bad |= !isfinite(d);
    return in->bad ? 0 : d;
}

enum { FALLING = 1, FRESH = 2 };

void total_encode(const struct total *t, struct wire_out *out)
{
    put_double(out, t->counted);
    put_double(out, t->sum);
    put_double(out, t->fallen);
    wire_put_u8(out, (uint8_t)((t->falling ? FALLING : 0) | (t->fresh ? FRESH : 0)));
}

void total_decode(struct total *t, struct wire_in *in)
{
    uint8_t flags;

    t->counted = get_double(in);
    t->sum = get_double(in);
    t->fallen = get_double(in);
    flags = wire_u8(in);
    t->falling = flags & FALLING;
    t->fresh = flags & FRESH;
}

/* ---- Another machine ---- */

static void break_one(struct turn *t, struct unit *u, const struct point_def *total)
{
    const struct point_def *of = &u->kind->points.v[total->total_of];

    if (!u->total)
        return;
    u->total->fresh = true;
    tell(t, u, of, "swap", u->total->counted, u->total->counted);
}

void total_break(struct turn *t)
{
    each(t, break_one);
}
