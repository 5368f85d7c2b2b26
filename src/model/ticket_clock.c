#include "model/ticket_clock.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "model/archive.h"

/* ---- Levels ---- */

static const char *const level_names[LEVEL_COUNT] = {"none", "warned", "missed", "escalated"};

const char *clock_level_name(enum clock_level l)
{
    return (unsigned)l < LEVEL_COUNT ? level_names[l] : "?";
}

/* "fix=warned", not terminated. */
static void take_level(const char *member, size_t n, enum clock_level *levels)
{
    for (int p = 0; p < PROMISE_COUNT; p++) {
        const char *name = promise_name((enum promise)p);
        size_t at = strlen(name);

        if (n <= at || member[at] != '=' || strncmp(member, name, at) != 0)
            continue;
        for (int l = LEVEL_WARNED; l < LEVEL_COUNT; l++)
            if (n - at - 1 == strlen(level_names[l]) && strncmp(member + at + 1, level_names[l], n - at - 1) == 0)
                levels[p] = (enum clock_level)l;
    }
}

void levels_parse(const char *text, enum clock_level out[static PROMISE_COUNT])
{
    const char *member;
    size_t n;

    for (int p = 0; p < PROMISE_COUNT; p++)
        out[p] = LEVEL_NONE;
    while (list_next(&text, &member, &n))
        take_level(member, n, out);
}

char *levels_format(const enum clock_level levels[static PROMISE_COUNT])
{
    struct sbuf b = {0};

    for (int p = 0; p < PROMISE_COUNT; p++)
        if (levels[p] != LEVEL_NONE)
            sbuf_addf(&b, "%s%s=%s", b.n > 0 ? "," : "", promise_name((enum promise)p), level_names[levels[p]]);
    return b.n > 0 ? sbuf_take(&b) : NULL;
}

/* ---- Clocks ---- */

static bool clock_of(const struct contract *c, const struct ticket *t, enum promise p, struct service_clock *out)
{
    return c && promise_applies(p, t->kind) && contract_clock(c, p, t->severity, out);
}

int ticket_clock(const struct contract *c, const struct ticket *t, enum promise p, const struct ticket_step *steps,
                 size_t n, int64_t now_ms, struct ticket_promise *out)
{
    struct clock_reading reading;
    struct service_clock k;
    int rc = clock_of(c, t, p, &k) ? clock_read(&k, steps, n, now_ms, &reading) : PD_ENOENT;

    if (rc == 0)
        *out = (struct ticket_promise){
            .promise = p, .priority = c->priorities[t->severity], .goal_ms = k.goal.work_ms, .reading = reading};
    return rc;
}

/* What is reached at `at` is reached by now, or is what comes next. */
static void reach(struct clock_outlook *o, enum clock_level level, int64_t at, int64_t now_ms)
{
    if (at <= now_ms)
        o->reached = level;
    else if (at < o->next_ms)
        o->next_ms = at;
}

/* To stop at the deadline is in time: it is missed a moment later. */
static int64_t just_after(int64_t ms)
{
    return ms == CLOCK_NEVER ? ms : ms + 1;
}

/*
 * A clock that stops too late is news at that moment, before its timer may have fired. Later it is none: another
 * priority or contract makes goals anew, and what had long been done must not alarm anybody then.
 */
enum { NEWS_MS = 1000 };

int ticket_outlook(const struct contract *c, const struct ticket *t, enum promise p, const struct ticket_step *steps,
                   size_t n, int64_t now_ms, struct clock_outlook *out)
{
    struct clock_outlook o = {.reached = LEVEL_NONE, .next_ms = CLOCK_NEVER};
    struct clock_reading r, again;
    struct service_clock k;
    int rc;

    if (!clock_of(c, t, p, &k))
        return PD_ENOENT;
    rc = clock_read(&k, steps, n, now_ms, &r);
    if (rc < 0)
        return rc;
    if (r.stopped_ms != CLOCK_NEVER) {
        o.reached = r.state == CLOCK_MISSED && now_ms - r.stopped_ms <= NEWS_MS ? LEVEL_MISSED : LEVEL_NONE;
    } else {
        reach(&o, LEVEL_WARNED, r.at_75_ms, now_ms);
        reach(&o, LEVEL_MISSED, just_after(r.at_100_ms), now_ms);
        k.goal.work_ms *= 2;
        if (!k.once && !k.loaner && clock_read(&k, steps, n, now_ms, &again) == 0)
            reach(&o, LEVEL_ESCALATED, just_after(again.at_100_ms), now_ms);
    }
    *out = o;
    return 0;
}
