#include "plugins/modbus/line.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

enum { PROBE_SHARE = 4 /* times as long as it took, others are served after a vain try */, MAX_DOUBLINGS = 16 };

struct mb_line {
    struct mb_rules *rules;
    int gap_ms;
    bool rests;
    const struct mb_carrier_ops *ops;
    void *carrier;
    struct mb_queue live, silent; /* waiting; silent: for units that were so the last time */
    struct mb_request *current;   /* NULL too if it was withdrawn under way */
    bool busy;                    /* the carrier has a request */
    int64_t asked_ms;             /* since then */
    int64_t ready_ms;             /* the next request may go out */
    int64_t probe_ms;             /* silent units wait that long for those that are not */
    unsigned failed;              /* times in a row that the line was down */
    int64_t down_ms;              /* it is not tried again before */
    struct timer timer;           /* goes on when it is time */
    char *name, why[120];         /* why: it is down */
};

static int64_t now(const struct mb_line *l)
{
    return clock_mono(&l->rules->services->clock);
}

/* Doubles with each failure. */
static int64_t backoff(const struct mb_rules *r, unsigned failed)
{
    unsigned doublings = failed - 1 < MAX_DOUBLINGS ? failed - 1 : MAX_DOUBLINGS;
    int64_t ms = (int64_t)r->backoff_min_ms << doublings;

    return ms < r->backoff_max_ms ? ms : r->backoff_max_ms;
}

/* ---- The queues ---- */

static void enqueue(struct mb_line *l, struct mb_request *q)
{
    q->queue = q->unit->silent ? &l->silent : &l->live;
    TAILQ_INSERT_TAIL(q->queue, q, link);
}

static void leave(struct mb_request *q)
{
    if (q->queue)
        TAILQ_REMOVE(q->queue, q, link);
    q->queue = NULL;
}

/* NULL where nobody waits. */
static struct mb_request *next(const struct mb_line *l, int64_t t)
{
    struct mb_request *live = TAILQ_FIRST(&l->live), *silent = TAILQ_FIRST(&l->silent);

    if (!live || !silent)
        return live ? live : silent;
    return t >= l->probe_ms ? silent : live;
}

static void end_request(struct mb_line *l, struct mb_request *q)
{
    leave(q);
    wheel_unset(l->rules->services->wheel, &q->again);
    if (l->current == q)
        l->current = NULL;
    q->open = false;
}

/* ---- Asking ---- */

static void hand_over(struct mb_line *l, struct mb_request *q, int64_t t)
{
    leave(q);
    l->current = q;
    l->busy = true;
    l->asked_ms = t;
    l->rules->counters.sent++;
    l->rules->counters.repeated += q->tries > 0;
    q->tries++;
    if (q->sent++ == 0)
        q->first_ms = l->asked_ms;
    l->ops->ask(l->carrier, &q->ask, q->unit->timeout_ms);
}

/* Sends the next request as soon as that may be. */
static void pump(struct mb_line *l)
{
    struct mb_request *q;
    int64_t t;

    if (l->busy)
        return;
    if (TAILQ_EMPTY(&l->live) && TAILQ_EMPTY(&l->silent)) {
        if (l->rests && l->ops->rest)
            l->ops->rest(l->carrier);
        return;
    }
    t = now(l);
    q = next(l, t);
    if (t < l->down_ms)
        wheel_set(l->rules->services->wheel, &l->timer, t); /* to fail them */
    else if (t < l->ready_ms)
        wheel_set(l->rules->services->wheel, &l->timer, l->ready_ms);
    else
        hand_over(l, q, t);
}

/* Everything that waits ends; what is submitted meanwhile does not. */
static void fail_waiting(struct mb_line *l)
{
    struct mb_reply reply = {.outcome = MB_DOWN, .why = l->why};
    struct mb_request *q;
    size_t n = 0;

    TAILQ_FOREACH(q, &l->live, link)
    n++;
    TAILQ_FOREACH(q, &l->silent, link)
    n++;
    for (; n > 0 && (q = next(l, now(l))) != NULL; n--) {
        end_request(l, q);
        q->ended(q, &reply);
    }
}

static void on_timer(void *arg)
{
    struct mb_line *l = arg;

    if (!l->busy && now(l) < l->down_ms)
        fail_waiting(l);
    pump(l);
}

/* ---- Requests ---- */

static void on_again(void *arg)
{
    struct mb_request *q = arg;

    enqueue(q->unit->line, q);
    pump(q->unit->line);
}

void mb_request_init(struct mb_request *q, struct mb_unit *unit,
                     void (*ended)(struct mb_request *q, const struct mb_reply *reply))
{
    *q = (struct mb_request){.unit = unit, .ended = ended};
    timer_init(&q->again, on_again, q);
}

void mb_request_submit(struct mb_request *q)
{
    assert(!q->open);
    q->open = true;
    q->tries = 0;
    q->left = q->unit->silent ? 0 : q->unit->retries; /* whoever was silent gets one chance */
    q->ask.unit = q->unit->id;
    enqueue(q->unit->line, q);
    pump(q->unit->line);
}

void mb_request_withdraw(struct mb_request *q)
{
    if (q->open)
        end_request(q->unit->line, q);
}

int64_t mb_unit_quiet(const struct mb_unit *u, int64_t now_ms)
{
    int64_t left = u->quiet_ms - now_ms;

    if (left <= 0)
        return 0;
    u->line->rules->counters.held_back++;
    return left;
}

/* ---- Answers ---- */

static void count(struct mb_counters *c, const struct mb_reply *reply)
{
    switch (reply->outcome) {
    case MB_DATA:
        c->answered++;
        break;
    case MB_EXCEPTION:
        c->exceptions++;
        break;
    case MB_SILENT:
        c->expired++;
        break;
    case MB_GARBLED:
        c->garbled++;
        break;
    case MB_LOST:
        c->lost++;
        break;
    case MB_DOWN: /* counted as what it is by the carrier */
        break;
    }
}

static void note_down(struct mb_line *l, const struct mb_reply *reply)
{
    int64_t wait = backoff(l->rules, ++l->failed);

    (void)snprintf(l->why, sizeof l->why, "%s", reply->why);
    l->down_ms = now(l) + wait;
    if (l->failed == 1)
        log_warn("modbus", "%s: %s", l->name, l->why);
}

static void note_up(struct mb_line *l)
{
    if (l->failed > 0)
        log_info("modbus", "%s: works again", l->name);
    l->failed = 0;
    l->down_ms = 0;
}

/* A gateway may speak for a unit that is silent; it waited long enough, so it is not asked again. */
static struct mb_reply interpret(const struct mb_reply *reply)
{
    struct mb_reply r = *reply;

    if (r.outcome != MB_EXCEPTION)
        return r;
    r.why = mb_exception_text(r.exception);
    if (r.exception == MB_NO_PATH || r.exception == MB_NO_TARGET)
        r.outcome = MB_SILENT;
    return r;
}

static bool is_busy(const struct mb_reply *r)
{
    return r->outcome == MB_EXCEPTION && (r->exception == MB_BUSY || r->exception == MB_ACKNOWLEDGE);
}

/* Should the same be asked once more? */
static bool try_again(struct mb_request *q, const struct mb_reply *r)
{
    bool worth = r->outcome == MB_SILENT ? r->exception == 0 : r->outcome == MB_GARBLED || r->outcome == MB_LOST;

    if (q->left == 0 || !(worth || is_busy(r)))
        return false;
    q->left--;
    return true;
}

/* What the outcome of a try, and of a whole request, tells about the unit. */
static void judge_unit(struct mb_line *l, struct mb_unit *u, const struct mb_reply *r, bool over, int64_t t)
{
    bool silent = r->outcome == MB_SILENT || r->outcome == MB_LOST;

    if (r->outcome == MB_DOWN)
        return;
    u->silent = silent;
    if (!silent) {
        u->failed = 0;
        u->quiet_ms = 0;
    } else if (over) {
        u->quiet_ms = t + backoff(l->rules, ++u->failed);
    }
}

/* The end of a try that somebody waits for. */
static void settle(struct mb_line *l, struct mb_request *q, const struct mb_reply *r, int64_t t)
{
    bool again = try_again(q, r);

    q->took_ms = (int32_t)(t - l->asked_ms);
    q->held_ms += q->took_ms;
    judge_unit(l, q->unit, r, !again, t);
    if (again && is_busy(r)) {
        wheel_set(l->rules->services->wheel, &q->again, t + l->rules->busy_ms);
    } else if (again) {
        enqueue(l, q);
    } else {
        end_request(l, q);
        q->ended(q, r);
    }
}

void mb_line_done(struct mb_line *l, const struct mb_reply *reply)
{
    struct mb_reply r = interpret(reply);
    struct mb_request *q = l->current;
    int64_t t = now(l);

    assert(l->busy);
    l->busy = false;
    l->current = NULL;
    l->ready_ms = t + l->gap_ms;
    count(&l->rules->counters, &r);
    if (r.outcome == MB_DOWN)
        note_down(l, &r);
    else if (r.outcome != MB_LOST)
        note_up(l);
    if (r.outcome == MB_SILENT)
        l->probe_ms = t + (t - l->asked_ms) * PROBE_SHARE;
    if (q)
        settle(l, q, &r, t);
    if (r.outcome == MB_DOWN && !l->busy)
        fail_waiting(l);
    pump(l);
}

/* ---- The line ---- */

struct mb_line *mb_line_new(struct mb_rules *rules, const char *name)
{
    struct mb_line *l = xcalloc(1, sizeof *l);

    l->rules = rules;
    l->name = xstrdup(name);
    TAILQ_INIT(&l->live);
    TAILQ_INIT(&l->silent);
    timer_init(&l->timer, on_timer, l);
    return l;
}

void mb_line_set_manners(struct mb_line *l, int gap_ms, bool rests)
{
    l->gap_ms = gap_ms;
    l->rests = rests;
}

void mb_line_carry(struct mb_line *l, const struct mb_carrier_ops *ops, void *carrier)
{
    l->ops = ops;
    l->carrier = carrier;
}

void mb_line_free(struct mb_line *l)
{
    if (!l)
        return;
    assert(TAILQ_EMPTY(&l->live) && TAILQ_EMPTY(&l->silent) && !l->current);
    wheel_unset(l->rules->services->wheel, &l->timer);
    if (l->carrier)
        l->ops->free(l->carrier);
    free(l->name);
    free(l);
}
