#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "desk/internal.h"

/*
 * Service-level clocks at work. For each open ticket the next level that one of
 * its clocks will reach is known, and a timer of its own wakes the desk then.
 * What was told of stands in the ticket, in the same change as the telling.
 */

enum { LOOK_AT_CLOCK_MS = 60000, STEP_MS = 1000 };

/* Steps that lie ahead (the wall clock was set back) have happened all the same. */
static int64_t now_of(const struct desk *d, const struct held *h)
{
    int64_t now = clock_wall(&d->config.clock);

    for (size_t i = 0; i < h->steps.n; i++)
        if (h->steps.v[i].at_ms > now)
            now = h->steps.v[i].at_ms;
    return now;
}

static const struct contract *contract_of(const struct desk *d, const struct held *h)
{
    return d->config.contract ? d->config.contract(d->config.ctx, &h->ticket) : NULL;
}

/* ---- Telling ---- */

static const char *const event_kinds[LEVEL_COUNT] = {
    [LEVEL_WARNED] = "ticket.warned", [LEVEL_MISSED] = "ticket.missed", [LEVEL_ESCALATED] = "ticket.escalated"};

/* Which promises reach which level now, beyond what was told of them; false: none. */
static bool look(const struct desk *d, const struct held *h, enum clock_level fresh[static PROMISE_COUNT],
                 enum clock_level told[static PROMISE_COUNT])
{
    const struct contract *k = contract_of(d, h);
    int64_t now = now_of(d, h);
    bool any = false;

    levels_parse(h->ticket.told, told);
    for (int p = 0; p < PROMISE_COUNT; p++) {
        struct clock_outlook o;

        fresh[p] = LEVEL_NONE;
        if (ticket_outlook(k, &h->ticket, (enum promise)p, h->steps.v, h->steps.n, now, &o) == 0 &&
            o.reached > told[p]) {
            told[p] = fresh[p] = o.reached;
            any = true;
        }
    }
    return any;
}

static void write_down(struct desk *d, struct change *c, const struct held *h, enum promise p, enum clock_level level)
{
    const struct contract *k = contract_of(d, h);
    struct event *e = desk_record(d, c, event_kinds[level], &h->ticket);
    struct ticket_promise now;

    event_arg(e, "promise", promise_name(p));
    event_arg(e, "contract", k->name);
    if (ticket_clock(k, &h->ticket, p, h->steps.v, h->steps.n, now_of(d, h), &now) == 0) {
        event_arg(e, "priority", priority_name(now.priority));
        event_arg_int(e, "deadline_ms", now.reading.deadline_ms);
    }
}

/* One warning for all promises that reach a level together. */
static void warn(struct desk *d, struct change *c, const struct held *h, enum clock_level level,
                 const enum clock_level fresh[static PROMISE_COUNT])
{
    struct desk_warning w = {.level = level};

    for (int p = 0; p < PROMISE_COUNT; p++)
        if (fresh[p] == level) {
            write_down(d, c, h, (enum promise)p, level);
            w.promises[w.n++] = (enum promise)p;
        }
    if (w.n > 0 && d->config.warned)
        d->config.warned(d->config.ctx, c, &h->ticket, &w);
}

void desk_settle(struct desk *d, struct change *c, struct held *h)
{
    enum clock_level fresh[PROMISE_COUNT], told[PROMISE_COUNT];

    if (!look(d, h, fresh, told))
        return;
    free(h->ticket.told);
    h->ticket.told = levels_format(told);
    for (int level = LEVEL_WARNED; level < LEVEL_COUNT; level++)
        warn(d, c, h, (enum clock_level)level, fresh);
    change_put_ticket(c, &h->ticket);
}

/* ---- Waking ---- */

static int64_t next_of(const struct desk *d, const struct held *h)
{
    const struct contract *k = contract_of(d, h);
    int64_t now = now_of(d, h), next = CLOCK_NEVER;

    for (int p = 0; p < PROMISE_COUNT; p++) {
        struct clock_outlook o;

        if (ticket_outlook(k, &h->ticket, (enum promise)p, h->steps.v, h->steps.n, now, &o) == 0 && o.next_ms < next)
            next = o.next_ms;
    }
    return next;
}

static void arm(struct desk *d, struct held *h)
{
    const struct pd_clock *clock = &d->config.clock;

    h->next_ms = next_of(d, h);
    if (!d->config.wheel)
        return;
    if (h->next_ms == CLOCK_NEVER) {
        wheel_unset(d->config.wheel, &h->timer);
        return;
    }
    wheel_set(d->config.wheel, &h->timer, clock_mono(clock) + (h->next_ms - clock_wall(clock)));
    if (!timer_is_set(&d->drift)) {
        d->offset_ms = clock_wall(clock) - clock_mono(clock);
        wheel_set(d->config.wheel, &d->drift, clock_mono(clock) + LOOK_AT_CLOCK_MS);
    }
}

void desk_review(struct desk *d, struct change *c, struct held *h)
{
    desk_settle(d, c, h);
    arm(d, h);
}

static void submit(struct desk *d, struct change *c)
{
    if (change_empty(c) || !d->config.submit)
        change_free(c);
    else
        d->config.submit(d->config.ctx, c);
}

static void wake(void *arg)
{
    struct held *h = arg;
    struct change *c = change_new();

    desk_review(h->desk, c, h);
    submit(h->desk, c);
}

void desk_review_all(struct desk *d, struct change *c)
{
    size_t at = 0;
    uint64_t id;
    void *h;

    while (u64dict_next(d->by_id, &at, &id, &h))
        desk_review(d, c, h);
}

void desk_start(struct desk *d)
{
    struct change *c = change_new();

    desk_review_all(d, c);
    submit(d, c);
}

/* Timers run by the monotonic clock, deadlines stand by the wall clock: once that was set, all are set anew. */
static void look_at_clock(void *arg)
{
    struct desk *d = arg;
    const struct pd_clock *clock = &d->config.clock;
    int64_t step = clock_wall(clock) - clock_mono(clock) - d->offset_ms;

    if (u64dict_count(d->by_id) == 0)
        return;
    if (step > STEP_MS || step < -STEP_MS) {
        d->offset_ms += step;
        desk_start(d);
    }
    wheel_set(d->config.wheel, &d->drift, clock_mono(clock) + LOOK_AT_CLOCK_MS);
}

void desk_clocks_init(struct desk *d)
{
    timer_init(&d->drift, look_at_clock, d);
}

void desk_held_init(struct desk *d, struct held *h)
{
    h->desk = d;
    h->next_ms = CLOCK_NEVER;
    timer_init(&h->timer, wake, h);
}

/* ---- Looking ---- */

int64_t desk_next_ms(const struct desk *d, int64_t id)
{
    const struct held *h = desk_held(d, id);

    return h ? h->next_ms : CLOCK_NEVER;
}

void desk_clocks(const struct desk *d, int64_t id, int64_t now_ms,
                 void (*fn)(void *ctx, const struct ticket_promise *p), void *ctx)
{
    const struct held *h = desk_held(d, id);
    const struct contract *k = h ? contract_of(d, h) : NULL;

    for (int p = 0; k && p < PROMISE_COUNT; p++) {
        struct ticket_promise now;

        if (ticket_clock(k, &h->ticket, (enum promise)p, h->steps.v, h->steps.n, now_ms, &now) == 0)
            fn(ctx, &now);
    }
}
