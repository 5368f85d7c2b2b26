#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "watch/internal.h"

/*
 * Restarts of a device, by two of its values: how often its SNMP engine was
 * started, which tells of one whatever else, and for how long it has run. That one
 * is counted in hundredths of a second and begins again after 497 days: a fall
 * to where it would be by then is no restart. (Some engines do not count, so a
 * fall without a count is believed.)
 *
 * What follows from one value is not told again by the other: they may be read at
 * different rates.
 */
enum { DAY_MS = 86400000, WRAP_CS = 100 };
static const double WRAP_S = 4294967296.0 / WRAP_CS;
static const double WRAP_SLACK_S = 60;

/* A point of the device's that was read just now and is good: *out; or NULL. */
static const struct value *read_now(const struct turn *t, unsigned slot, enum value_type type, struct value *out)
{
    const struct unit *u = &t->n->units.v[t->n->device_unit];

    if (slot >= unit_kind(u)->points.n || u->seen != t->n->polls ||
        !(t->speech->tells[t->w->tables.base[unit_kind(u)->number] + slot] & t->parts))
        return NULL;
    *out = unit_point(t->n, u, slot);
    return out->quality == QUALITY_GOOD && out->type == type ? out : NULL;
}

static bool fell(const struct restarts *r, double uptime, int64_t now_ms)
{
    double wrapped = r->uptime + (double)(now_ms - r->uptime_ms) / 1000 - WRAP_S;

    return r->knows_uptime && uptime < r->uptime && fabs(uptime - wrapped) > WRAP_SLACK_S;
}

/* Takes in both values, either may be NULL. The name of the one that tells of a restart; NULL: none does. */
static const char *step(struct restarts *r, const struct value *uptime, const struct value *boots, int64_t now_ms)
{
    const char *told = NULL;

    if (boots && r->knows_boots && boots->i > r->boots)
        told = "engine_boots";
    else if (uptime && fell(r, uptime->num, now_ms))
        told = "uptime";
    if (told)
        r->knows_uptime = r->knows_boots = false; /* what was known of the other is of before */
    if (boots) {
        r->boots = boots->i;
        r->knows_boots = true;
    }
    if (uptime) {
        r->uptime = uptime->num;
        r->uptime_ms = now_ms;
        r->knows_uptime = true;
    }
    return told;
}

static void forget_old(struct restarts *r, int64_t now_ms)
{
    while (r->seen_ms.n > 0 && now_ms - r->seen_ms.v[0] >= DAY_MS)
        array_remove(&r->seen_ms, 0);
}

static void note(struct restarts *r, int64_t now_ms)
{
    if (r->seen_ms.n == RESTARTS_MAX)
        array_remove(&r->seen_ms, 0);
    array_push(&r->seen_ms, now_ms);
}

void restart_free(struct restarts *r)
{
    array_free(&r->seen_ms);
}

static void tell(struct turn *t, const char *by, const struct value *uptime)
{
    struct event *e = turn_event(t, "device.restarted");

    event_arg(e, "name", t->n->d.name);
    event_arg(e, "by", by);
    if (uptime)
        event_arg_int(e, "uptime_s", (int64_t)uptime->num);
}

void restart_take(struct turn *t)
{
    const struct tables *tables = &t->w->tables;
    struct restarts *r = &t->n->restarts;
    struct value values[2];
    const struct value *uptime = read_now(t, tables->uptime, VALUE_NUM, &values[0]);
    const struct value *boots = read_now(t, tables->boots, VALUE_INT, &values[1]);
    const char *by;

    if (uptime || boots) {
        by = step(r, uptime, boots, t->mono);
        if (by) {
            note(r, t->mono);
            tell(t, by, uptime);
            history_break(t->n);
            who_doubt(t->n);
            t->remember = true;
        }
    }
    forget_old(r, t->mono);
    if (r->knows_uptime || r->knows_boots)
        inventory_fill(t, tables->restarts, value_int((int64_t)r->seen_ms.n));
}

void restart_replay(struct node *n, int64_t at_ms, unsigned slot, struct value v)
{
    const struct tables *tables = &n->watch->tables;
    struct restarts *r = &n->restarts;

    if (slot == tables->boots) {
        r->boots = v.i;
        r->knows_boots = true;
    } else if (slot == tables->uptime && (!r->knows_uptime || at_ms > r->uptime_ms)) {
        r->uptime = v.num;
        r->uptime_ms = at_ms;
        r->knows_uptime = true;
    }
}

/* flags (1 uptime, 2 boots); uptime's bits and age; boots; how many restarts, and their ages. */
enum { KNOWS_UPTIME = 1, KNOWS_BOOTS = 2 };

static uint64_t age(int64_t at_ms, int64_t now_ms)
{
    return now_ms > at_ms ? (uint64_t)(now_ms - at_ms) : 0;
}

void restart_encode(const struct restarts *r, int64_t now_ms, struct wire_out *out)
{
    uint64_t bits;

    wire_put_u8(out, (uint8_t)((r->knows_uptime ? KNOWS_UPTIME : 0) | (r->knows_boots ? KNOWS_BOOTS : 0)));
    if (r->knows_uptime) {
        memcpy(&bits, &r->uptime, sizeof bits);
        wire_put_u64be(out, bits);
        wire_put_varint(out, age(r->uptime_ms, now_ms));
    }
    if (r->knows_boots)
        wire_put_zigzag(out, r->boots);
    wire_put_u8(out, (uint8_t)r->seen_ms.n);
    for (size_t i = 0; i < r->seen_ms.n; i++)
        wire_put_varint(out, age(r->seen_ms.v[i], now_ms));
}

static int64_t get_time(struct wire_in *in, int64_t then_ms)
{
    uint64_t ms = wire_varint(in);

    in->bad |= ms > INT64_MAX / 4;
    return in->bad ? then_ms : then_ms - (int64_t)ms;
}

void restart_decode(struct restarts *r, int64_t then_ms, struct wire_in *in)
{
    struct restarts got = {0};
    uint8_t flags = wire_u8(in), n;
    uint64_t bits;

    if (flags & KNOWS_UPTIME) {
        got.knows_uptime = true;
        bits = wire_u64be(in);
        memcpy(&got.uptime, &bits, sizeof bits);
        got.uptime_ms = get_time(in, then_ms);
    }
    if (flags & KNOWS_BOOTS) {
        got.knows_boots = true;
        got.boots = wire_zigzag(in);
    }
    n = wire_u8(in);
    in->bad |= n > RESTARTS_MAX || !isfinite(got.uptime);
    while (got.seen_ms.n < n && !in->bad)
        array_push(&got.seen_ms, get_time(in, then_ms));
    if (in->bad) {
        restart_free(&got);
        return;
    }
    restart_free(r);
    *r = got;
}
