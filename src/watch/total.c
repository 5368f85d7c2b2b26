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
    event_arg(e, "kind", unit_kind(u)->name);
    event_arg(e, "key", unit_key(u));
    event_arg(e, "component", unit_label(u));
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
static double step(struct turn *t, const struct unit *u, struct total *s, const struct point_def *of, double now)
{
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
    const struct point_def *of = &unit_kind(u)->points.v[total->total_of];
    struct total *s = total_of(t->n, u);
    struct value sum;
    double now;

    if (!number_of(unit_point(t->n, u, of->slot), &now))
        return;
    if (!s) {
        total_put(t->n, u, &(struct total){.counted = now, .sum = now});
        s = total_of(t->n, u);
        tell(t, u, of, "new", now, now);
    } else if (s->fresh) {
        s->fresh = s->falling = false;
        s->counted = now;
    } else if (!t->n->doubt) {
        s->sum += step(t, u, s, of, now);
    }
    sum = total->type == VALUE_INT ? value_int((int64_t)s->sum) : value_num(s->sum);
    if (s->counted != now)
        sum.quality = QUALITY_STALE;
    unit_set(t->n, u, total->slot, sum);
}

/* Calls fn for each total of the device's components. */
static void each(struct turn *t, void (*fn)(struct turn *t, struct unit *u, const struct point_def *total))
{
    for (size_t i = 0; i < t->n->units.n; i++) {
        struct unit *u = &t->n->units.v[i];

        for (size_t k = 0; unit_kind(u)->totals && k < unit_kind(u)->points.n; k++)
            if (unit_kind(u)->points.v[k].total_of != NO_POINT)
                fn(t, u, &unit_kind(u)->points.v[k]);
    }
}

static void take_read(struct turn *t, struct unit *u, const struct point_def *total)
{
    const uint8_t *tells = t->speech->tells + t->w->tables.base[unit_kind(u)->number];

    if (u->seen == t->n->polls && (tells[total->total_of] & t->parts))
        take(t, u, total);
}

void total_take(struct turn *t)
{
    each(t, take_read);
}

/* ---- Kept ---- */

static size_t total_place(const struct node *n, uint32_t unit)
{
    size_t i = 0;

    while (i < n->totals.n && n->totals.v[i].unit < unit)
        i++;
    return i;
}

struct total *total_of(const struct node *n, const struct unit *u)
{
    uint32_t unit = (uint32_t)(u - n->units.v);
    size_t i = total_place(n, unit);

    return i < n->totals.n && n->totals.v[i].unit == unit ? &n->totals.v[i].total : NULL;
}

void total_put(struct node *n, const struct unit *u, const struct total *total)
{
    const struct unit_total new = {.unit = (uint32_t)(u - n->units.v), .total = *total};
    struct total *known = total_of(n, u);
    size_t i = total_place(n, new.unit);

    if (known) {
        *known = *total;
        return;
    }
    array_push(&n->totals, new);
    memmove(&n->totals.v[i + 1], &n->totals.v[i], (n->totals.n - 1 - i) * sizeof new);
    n->totals.v[i] = new;
    array_fit(&n->totals);
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
        const struct point_def *p =
            u && r[i].point < unit_kind(u)->points.n ? &unit_kind(u)->points.v[r[i].point] : NULL;
        struct total total = {0};

        if (p && p->total_of != NO_POINT && number_of(r[i].value, &total.sum) &&
            reading_of(r, count, u->number, p->total_of, &total.counted))
            total_put(n, u, &total);
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
    const struct point_def *of = &unit_kind(u)->points.v[total->total_of];
    struct total *s = total_of(t->n, u);

    if (!s)
        return;
    s->fresh = true;
    tell(t, u, of, "swap", s->counted, s->counted);
}

void total_break(struct turn *t)
{
    each(t, break_one);
}
