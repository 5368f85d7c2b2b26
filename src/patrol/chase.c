#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "patrol/internal.h"

/*
 * Rounds that are not done: what lapses, and when that is told. A mail goes out
 * at most once a day, in the working hours of the site: from the moment the time
 * is over, and before that in the last three workdays of the month.
 */
enum { CHASE_WORKDAYS = 3, REACH_DAYS = 400, MINUTE_MS = 60000 };

/* ---- The site's hours ---- */

static const struct zone *zone_of(struct patrol *p, const char *site)
{
    const char *name = p->config.ops.zone(p->config.ops.ctx, site);
    struct zone *z;

    if (!name)
        return p->zone;
    z = dict_get(p->zones, name);
    if (z)
        return z;
    if (zone_open(name, &z) < 0)
        return p->zone;
    dict_put(p->zones, name, z);
    return z;
}

/* The plan's hours in the site's time zone; Monday to Friday from nine to five where it has none. */
static struct calendar hours_of(struct patrol *p, const struct round *r)
{
    enum { NINE = 9 * 60, FIVE = 17 * 60 };
    struct calendar c = {0};

    for (size_t i = 0; i < p->plans.n; i++)
        if (str_eq(p->plans.v[i].plan->name, r->plan) && p->plans.v[i].calendar.zone)
            c = p->plans.v[i].calendar;
    if (!c.zone)
        for (int day = MONDAY; day <= FRIDAY; day++)
            hours_add(&c.week[day], NINE, FIVE);
    c.zone = (struct zone *)zone_of(p, r->site); /* borrowed: this calendar is never freed */
    return c;
}

/* The first instant at or after one at which work is on; INT64_MAX: never. */
static int64_t next_open(const struct calendar *c, int64_t at_ms)
{
    int64_t today = calendar_day(c, at_ms);

    if (calendar_is_open(c, at_ms))
        return at_ms;
    for (int64_t day = today; day < today + REACH_DAYS; day++) {
        const struct hours *h = calendar_hours(c, day);

        for (size_t i = 0; i < h->n; i++) {
            int64_t opens = zone_wall_ms(c->zone, day * DATE_DAY_MS + h->v[i].from * (int64_t)MINUTE_MS);

            if (opens >= at_ms)
                return opens;
        }
    }
    return INT64_MAX;
}

/* ---- When ---- */

/* The day from which the month's end is near: the first of its last workdays. */
static int64_t month_end(const struct calendar *c, int64_t due_ms)
{
    struct date d = date_of_day(calendar_day(c, due_ms));
    int64_t day;

    if (calendar_last_workday(c, d.year, d.month, &day) < 0)
        return INT64_MAX;
    for (int i = 1; i < CHASE_WORKDAYS; i++)
        if (calendar_workday_to(c, day - 1, &day) < 0)
            return INT64_MAX;
    return calendar_day_start(c, day);
}

/* From when on the round is chased. */
static int64_t chase_from(const struct calendar *c, const struct round *r)
{
    int64_t end = month_end(c, r->due_ms), soonest = r->due_ms + DATE_DAY_MS;

    if (end < soonest)
        end = soonest;
    return end < r->deadline_ms ? end : r->deadline_ms;
}

/* The next mail: not on the day of the last one. */
static int64_t next_chase(struct patrol *p, const struct round *r)
{
    struct calendar c = hours_of(p, r);
    int64_t from = chase_from(&c, r), now = patrol_now(p), after_last;

    if (r->chased_ms > 0) {
        after_last = calendar_day_start(&c, calendar_day(&c, r->chased_ms) + 1);
        from = from > after_last ? from : after_last;
    }
    /* After downtime: whatever was missed is told once, when work is on. */
    return next_open(&c, from > now ? from : now);
}

static bool can_lapse(const struct round *r)
{
    enum round_state to;

    return round_next(r->state, ROUND_LAPSE, &to) == 0;
}

int64_t round_due(struct patrol *p, const struct open_round *r)
{
    int64_t chase;

    if (!round_state_open(r->r.state))
        return INT64_MAX;
    chase = next_chase(p, &r->r);
    return can_lapse(&r->r) && r->r.deadline_ms < chase ? r->r.deadline_ms : chase;
}

/* ---- What is done ---- */

static void lapse(struct patrol *p, struct round *r)
{
    struct change *c = change_new();

    round_go(r, ROUND_LAPSE);
    round_event(p, c, r, "round.overdue", NULL);
    change_put_round(c, r);
    p->config.ops.submit(p->config.ops.ctx, c);
}

static void chase(struct patrol *p, struct open_round *of)
{
    struct round *r = &of->r;
    bool late = patrol_now(p) >= r->deadline_ms;
    struct change *c = change_new();

    r->chases++;
    r->chased_ms = patrol_now(p);
    event_arg_int(round_event(p, c, r, "round.chased", NULL), "times", r->chases);
    change_put_round(c, r);
    round_tell(p, c, of, late ? NEWS_ROUND_OVERDUE : NEWS_ROUND_UNFINISHED, r->chases);
    p->config.ops.submit(p->config.ops.ctx, c);
}

void round_watch(struct patrol *p, struct open_round *r)
{
    int64_t now = patrol_now(p);

    if (!round_state_open(r->r.state))
        return;
    if (can_lapse(&r->r) && r->r.deadline_ms <= now)
        lapse(p, &r->r);
    if (next_chase(p, &r->r) <= now)
        chase(p, r);
}
