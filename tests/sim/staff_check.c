#include <stdio.h>

#include "staff_memory.h"
#include "workhours.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, SLACK_MS = 75 * SECOND };

/* ---- What should have been told of a promise ---- */

struct due {
    int level;
    int64_t at_ms;
};

struct dues {
    ARRAY(struct due) list;
};

/* What stops a promise: it is kept, or it is void. */
static bool is_stopped(int promise, enum case_state state)
{
    switch (promise) {
    case PROMISED_RESPOND:
        return state != CASE_NEW;
    case PROMISED_DISPATCH:
        return state == CASE_SENT || state == CASE_THERE || state >= CASE_DONE;
    case PROMISED_ON_SITE:
        return state == CASE_THERE || state >= CASE_DONE;
    default:
        return state >= CASE_DONE;
    }
}

/* Working time at which a level is reached. */
static int64_t level_at(int level, int64_t goal_ms)
{
    return level == LEVEL_75 ? goal_ms * 3 / 4 : level == LEVEL_100 ? goal_ms : 2 * goal_ms;
}

static void reckon(const struct staff *s, const struct staff_case *c, int promise, int64_t end_ms, struct dues *out)
{
    int64_t elapsed = 0;
    int reached = 0, last = promise == PROMISED_FIX ? LEVEL_200 : LEVEL_100;

    for (size_t i = 0; i < c->past.n; i++) {
        const struct memory *m = &c->past.v[i];
        int64_t goal = c->contract->goal_ms[m->priority][promise], to = i + 1 < c->past.n ? m[1].at_ms : end_ms;

        if (is_stopped(promise, m->state) && (promise != PROMISED_FIX || m->state == CASE_OVER))
            return;
        if (is_stopped(promise, m->state) || m->state == CASE_CUSTOMER)
            continue;
        for (int level = reached + 1; goal > 0 && level <= last; level++) {
            int64_t left = level_at(level, goal) - elapsed;
            int64_t at = left > 0 ? work_after(s->story, c->contract->always, m->at_ms, left) : m->at_ms;

            if (at >= to)
                break;
            array_push(&out->list, ((struct due){level, at}));
            reached = level;
        }
        elapsed += work_between(s->story, c->contract->always, m->at_ms, to);
    }
}

/* By when it had to be told: patrold may have been down. */
static int64_t told_by(const struct staff *s, int64_t at_ms)
{
    for (size_t i = 0; i < s->running.list.n; i++) {
        const struct span *r = &s->running.list.v[i];

        if (at_ms < r->from)
            return r->from + SLACK_MS;
        if (at_ms + SLACK_MS <= r->to)
            return at_ms + SLACK_MS;
    }
    return INT64_MAX;
}

/* ---- Against what was ---- */

static unsigned complain(const struct staff *s, const struct staff_case *c, int promise, int level, int64_t at_ms,
                         const char *what, struct sbuf *out)
{
    static const char *const levels[] = {"", "three quarters", "the end", "twice the time"};
    char when[20];

    zone_format(s->story->zone, at_ms, when);
    sbuf_addf(out, "problem: ticket %lld: promise '%s', %s at %s: %s\n", (long long)c->id, story_promises[promise],
              levels[level], when, what);
    return 1;
}

/* Each level once, in its time; of several that became due while patrold was down the gravest alone may be told. */
static unsigned check_promise(const struct staff *s, const struct staff_case *c, int promise, int64_t end_ms,
                              struct sbuf *out)
{
    struct dues dues = {0};
    unsigned problems = 0;

    reckon(s, c, promise, end_ms, &dues);
    for (size_t i = 0; i < dues.list.n; i++) {
        const struct due *d = &dues.list.v[i];
        int64_t by = told_by(s, d->at_ms);
        bool together = i + 1 < dues.list.n && dues.list.v[i + 1].at_ms <= by;
        unsigned times = 0;

        for (size_t k = 0; k < c->told.n; k++) {
            const struct telling *t = &c->told.v[k];

            if (t->promise != promise || t->level != d->level)
                continue;
            if (times++ > 0)
                problems += complain(s, c, promise, d->level, t->at_ms, "told twice", out);
            else if (t->at_ms < d->at_ms - SECOND)
                problems += complain(s, c, promise, d->level, d->at_ms, "told too early", out);
            else if (t->at_ms > by)
                problems += complain(s, c, promise, d->level, d->at_ms, "told late", out);
        }
        if (times == 0 && !together && by <= end_ms)
            problems += complain(s, c, promise, d->level, d->at_ms, "not told", out);
    }
    for (size_t k = 0; k < c->told.n; k++) {
        bool due = false;

        for (size_t i = 0; i < dues.list.n; i++)
            due |= dues.list.v[i].level == c->told.v[k].level;
        if (c->told.v[k].promise == promise && !due)
            problems += complain(s, c, promise, c->told.v[k].level, c->told.v[k].at_ms, "told for nothing", out);
    }
    array_free(&dues.list);
    return problems;
}

/* Rounds are there once, and were done; tickets were not left lying. */
static unsigned check_case(const struct staff *s, size_t i, int64_t end_ms, struct sbuf *out)
{
    const struct staff_case *c = s->cases.v[i];
    unsigned problems = 0;

    for (size_t k = 0; c->round && k < i; k++) {
        if (!s->cases.v[k]->round || !str_eq(s->cases.v[k]->key, c->key))
            continue;
        sbuf_addf(out, "problem: two rounds of %s\n", c->key);
        problems++;
    }
    if (c->verb != NULL && c->due_ms < end_ms - HOUR && s->running_since >= 0) {
        sbuf_addf(out, "problem: %s %lld: nobody could %s it\n", c->round ? "round" : "ticket", (long long)c->id,
                  c->verb);
        problems++;
    }
    return problems;
}

unsigned staff_check(struct staff *s, int64_t wall_ms, struct sbuf *out)
{
    unsigned problems = (unsigned)s->troubles.n;

    for (size_t i = 0; i < s->troubles.n; i++)
        sbuf_addf(out, "problem: %s\n", s->troubles.v[i]);
    for (size_t i = 0; i < s->cases.n; i++)
        problems += check_case(s, i, wall_ms, out);
    staff_patrold(s, false, wall_ms);
    for (size_t i = 0; i < s->cases.n; i++)
        for (int p = 0; s->cases.v[i]->contract != NULL && p < PROMISED_COUNT; p++)
            problems += check_promise(s, s->cases.v[i], p, wall_ms, out);
    return problems;
}

void staff_sum(const struct staff *s, struct sbuf *out)
{
    unsigned tickets = 0, closed = 0, rounds = 0, is_signed = 0, warned = 0, missed = 0;

    for (size_t i = 0; i < s->cases.n; i++) {
        const struct staff_case *c = s->cases.v[i];

        tickets += !c->round;
        rounds += c->round;
        closed += !c->round && c->past.v[c->past.n - 1].state == CASE_OVER;
        is_signed += c->round && str_eq(c->state, "signed");
        for (size_t k = 0; k < c->told.n; k++) {
            warned += c->told.v[k].level == LEVEL_75;
            missed += c->told.v[k].level == LEVEL_100;
        }
    }
    if (s->story->staff.n > 0)
        sbuf_addf(out, "  staff: tickets %u ended %u rounds %u signed %u promises warned %u missed %u\n", tickets,
                  closed, rounds, is_signed, warned, missed);
}
