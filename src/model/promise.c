#include "model/promise.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define BIT TICKET_STATE_BIT

enum {
    IN_DONE = BIT(TICKET_REMOTE_FIXED) | BIT(TICKET_FIXED) | BIT(TICKET_SIGNED) | BIT(TICKET_CALLED_BACK) |
              BIT(TICKET_CLOSED),
    IN_THERE = BIT(TICKET_ON_SITE) | IN_DONE,
    IN_SENT = BIT(TICKET_DISPATCHED) | BIT(TICKET_EN_ROUTE) | IN_THERE,
    IN_WAITING = BIT(TICKET_WAITING_PART) | BIT(TICKET_WAITING_CUSTOMER) | BIT(TICKET_WAITING_VENDOR),
    IN_TAKEN = BIT(TICKET_ACCEPTED) | IN_WAITING | IN_SENT,
    IN_ALIVE = BIT(TICKET_NEW) | IN_TAKEN,
};

static const struct {
    const char *name;
    ticket_states stop;
    bool once, loaner, complaint;
} promises[PROMISE_COUNT] = {
    [PROMISE_RESPOND] = {"respond", IN_TAKEN, .once = true},
    [PROMISE_DISPATCH] = {"dispatch", IN_SENT, .once = true},
    [PROMISE_ON_SITE] = {"on-site", IN_THERE, .once = true},
    [PROMISE_FIX] = {.name = "fix", .stop = IN_DONE},
    [PROMISE_LOANER] = {"loaner", IN_DONE, .loaner = true},
    [PROMISE_COMPLAINT_REPLY] = {"complaint-reply", IN_TAKEN, .once = true, .complaint = true},
    [PROMISE_COMPLAINT_RESULT] = {"complaint-result", IN_DONE, .complaint = true},
};

static const char *const priority_names[PRIORITY_COUNT] = {"P1", "P2", "P3", "P4"};

const char *promise_name(enum promise p)
{
    return (unsigned)p < PROMISE_COUNT ? promises[p].name : "?";
}

int promise_parse(const char *s, enum promise *out)
{
    for (int i = 0; i < PROMISE_COUNT; i++)
        if (strcmp(s, promises[i].name) == 0) {
            *out = (enum promise)i;
            return 0;
        }
    return PD_EINVAL;
}

bool promise_applies(enum promise p, enum ticket_kind kind)
{
    return promises[p].complaint == (kind == TICKET_KIND_COMPLAINT);
}

const char *priority_name(enum priority p)
{
    return (unsigned)p < PRIORITY_COUNT ? priority_names[p] : "?";
}

int priority_parse(const char *s, enum priority *out)
{
    for (int i = 0; i < PRIORITY_COUNT; i++)
        if (strcmp(s, priority_names[i]) == 0) {
            *out = (enum priority)i;
            return 0;
        }
    return PD_EINVAL;
}

void contract_init(struct contract *c, const char *name)
{
    *c = (struct contract){
        .name = xstrdup(name),
        .priorities = {[SEVERITY_CRITICAL] = PRIORITY_P1,
                       [SEVERITY_MAJOR] = PRIORITY_P2,
                       [SEVERITY_WARNING] = PRIORITY_P3,
                       [SEVERITY_INFO] = PRIORITY_P4},
        .pauses = BIT(TICKET_WAITING_CUSTOMER),
    };
}

void contract_fini(struct contract *c)
{
    free(c->name);
    c->name = NULL;
}

bool contract_clock(const struct contract *c, enum promise p, enum severity s, struct service_clock *out)
{
    const struct goal *goal = &c->goals[c->priorities[s]][p];

    if (!goal->calendar)
        return false;
    *out = (struct service_clock){
        .start = IN_ALIVE,
        .stop = promises[p].stop,
        .pause = c->pauses,
        .once = promises[p].once,
        .loaner = promises[p].loaner,
        .goal = *goal,
    };
    return true;
}

const char *clock_state_name(enum clock_state s)
{
    static const char *const names[] = {
        [CLOCK_NOT_STARTED] = "not-started", [CLOCK_RUNNING] = "running",
        [CLOCK_PAUSED] = "paused",           [CLOCK_MET] = "met",
        [CLOCK_MISSED] = "missed",           [CLOCK_VOID] = "void",
    };

    return (unsigned)s < sizeof names / sizeof names[0] ? names[s] : "?";
}

/* ---- Reading a clock ---- */

/* What a clock does while a ticket is as a step says; met stands for stopped. */
static enum clock_state step_does(const struct service_clock *k, const struct ticket_step *step, bool started)
{
    ticket_states in = BIT(step->state);

    if (!started && !(k->start & in))
        return CLOCK_NOT_STARTED;
    if ((k->stop & in) || (k->loaner && step->loaner))
        return CLOCK_MET;
    if (step->state == TICKET_CANCELLED)
        return CLOCK_VOID;
    return k->pause & in ? CLOCK_PAUSED : CLOCK_RUNNING;
}

/* When `of` the goal's time will have passed if the clock runs from now on. */
static int when_passed(const struct service_clock *k, const struct clock_reading *r, int64_t from_ms, int64_t of_ms,
                       int64_t *out)
{
    int64_t left = of_ms - r->elapsed_ms;

    return calendar_add(k->goal.calendar, from_ms, left > 0 ? left : 0, out);
}

/* The clock runs over [from, to); `last`: and on after that if nothing changes. */
static int run(const struct service_clock *k, struct clock_reading *r, int64_t from_ms, int64_t to_ms, bool last)
{
    int64_t goal = k->goal.work_ms, passed, work;
    int rc;

    if (r->at_75_ms == CLOCK_NEVER) {
        rc = when_passed(k, r, from_ms, goal - goal / 4, &passed);
        if (rc < 0)
            return rc;
        if (last || passed <= to_ms)
            r->at_75_ms = passed;
    }
    if (r->at_100_ms == CLOCK_NEVER) {
        rc = when_passed(k, r, from_ms, goal, &r->deadline_ms);
        if (rc < 0)
            return rc;
        if (last || r->deadline_ms < to_ms)
            r->at_100_ms = r->deadline_ms;
    }
    rc = calendar_between(k->goal.calendar, from_ms, to_ms, &work);
    if (rc == 0)
        r->elapsed_ms += work;
    return rc;
}

/* The clock does as `does` says over [from, to). */
static int pass(const struct service_clock *k, struct clock_reading *r, enum clock_state does, int64_t from_ms,
                int64_t to_ms, bool last)
{
    if (does == CLOCK_MET && r->state == CLOCK_MET)
        return 0; /* it stopped before */
    r->state = does;
    r->stopped_ms = does == CLOCK_MET || does == CLOCK_VOID ? from_ms : CLOCK_NEVER;
    if (does == CLOCK_RUNNING)
        return run(k, r, from_ms, to_ms, last);
    if (r->at_100_ms != CLOCK_NEVER)
        return 0; /* the deadline that was missed stands */
    return when_passed(k, r, does == CLOCK_MET ? from_ms : to_ms, k->goal.work_ms, &r->deadline_ms);
}

static bool for_good(const struct service_clock *k, const struct ticket_step *step)
{
    return k->once || (k->loaner && step->loaner);
}

int clock_read(const struct service_clock *k, const struct ticket_step *steps, size_t n, int64_t now_ms,
               struct clock_reading *out)
{
    struct clock_reading r = {.state = CLOCK_NOT_STARTED,
                              .started_ms = CLOCK_NEVER,
                              .stopped_ms = CLOCK_NEVER,
                              .deadline_ms = CLOCK_NEVER,
                              .at_75_ms = CLOCK_NEVER,
                              .at_100_ms = CLOCK_NEVER};
    int64_t at = INT64_MIN;

    for (size_t i = 0; i < n && steps[i].at_ms <= now_ms; i++) {
        bool last = i + 1 == n || steps[i + 1].at_ms > now_ms;
        enum clock_state does = step_does(k, &steps[i], r.started_ms != CLOCK_NEVER);
        int64_t to;
        int rc;

        at = steps[i].at_ms > at ? steps[i].at_ms : at;
        to = last ? now_ms : steps[i + 1].at_ms > at ? steps[i + 1].at_ms : at;
        if (does == CLOCK_NOT_STARTED)
            continue;
        if (r.started_ms == CLOCK_NEVER)
            r.started_ms = at;
        rc = pass(k, &r, does, at, to, last);
        if (rc < 0)
            return rc;
        if (does == CLOCK_MET && for_good(k, &steps[i]))
            break;
    }
    if (r.at_100_ms != CLOCK_NEVER && r.at_100_ms < (r.stopped_ms < now_ms ? r.stopped_ms : now_ms))
        r.state = CLOCK_MISSED;
    *out = r;
    return 0;
}
