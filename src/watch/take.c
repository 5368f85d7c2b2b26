#include "base/mem.h"
#include "watch/internal.h"

/* What the end of a read does: to what is known of the device, to its faults, to what is stored. */

enum {
    DAY_MS = 24 * 3600 * 1000,
    HALVES = 3,     /* half answers to who it is, after which no whole one is waited for */
    STEP_MS = 2000, /* by which the wall clock may move against the monotonic one without a word */
};

static void set_state(struct node *n, int state)
{
    n->watch->states[n->status.state]--;
    n->status.state = state;
    n->watch->states[state]++;
}

/* One lost poll is no outage, and the first of those that make one is where it began. */
static void note_silence(struct turn *t)
{
    struct node *n = t->n;

    if (n->silent == 0)
        n->missed_ms = t->asked_ms;
    if (n->silent < UINT8_MAX)
        n->silent++;
    if (n->silent >= DOWN_AFTER)
        set_state(n, DEVICE_DOWN);
}

static void note_status(struct turn *t, bool answered)
{
    struct node *n = t->n;
    bool was_down = n->status.state == DEVICE_DOWN;

    n->status.last_poll_ms = t->wall;
    t->w->counters.polls++;
    if (!answered) {
        t->w->counters.failed_polls++;
        note_silence(t);
        return;
    }
    n->silent = 0;
    set_state(n, DEVICE_UP);
    n->status.last_answer_ms = t->wall;
    n->answered_ms = t->mono;
    if (t->result->rtt_ms >= 0)
        n->status.rtt_ms = t->result->rtt_ms;
    if (was_down) /* whoever is back may have been replaced meanwhile */
        who_doubt(n);
}

/* Who can be pinged again will soon speak: its silence counts from then on, so it is not probed as seldom as before. */
static void note_ping(struct turn *t, bool answered, struct value ping)
{
    struct node *n = t->n;
    bool knows = !answered && ping.quality == QUALITY_GOOD;

    if (n->mute && knows && ping.b)
        n->answered_ms = t->mono;
    n->mute = knows && !ping.b;
}

/* Of what nothing tells who it is there is no doubt to wait for; nor is a whole answer waited for without an end. */
static void settle_doubt(struct turn *t, uint8_t read)
{
    struct node *n = t->n;
    bool asks = identify_asks(t->w, n->collector), tells = n->speech && n->speech->parts & (1u << PART_INVENTORY);

    if (t->result->status == PD_READ_DONE)
        n->doubt &= (uint8_t)~read;
    else if ((n->doubt & read) && ++n->halves >= HALVES)
        n->doubt = 0;
    if (!asks)
        n->doubt &= (uint8_t)~DOUBT_IDENTIFY;
    if (!tells)
        n->doubt &= (uint8_t)~DOUBT_INVENTORY;
}

/* Who it is was read: it is looked at, and there is no doubt any more. */
static void settle(struct turn *t)
{
    struct node *n = t->n;
    uint8_t read = 0;

    if (n->identifying)
        read = n->ask_again ? 0 : DOUBT_IDENTIFY;
    else if (t->parts & (1u << PART_INVENTORY))
        read = DOUBT_INVENTORY;
    if (read)
        who_look(t);
    else
        who_wait(t);
    settle_doubt(t, read);
    who_show(t);
}

/* Trouble that is not silence is named once a day, not each poll. */
static void note_trouble(struct turn *t)
{
    struct node *n = t->n;
    enum pd_read_status status = t->result->looped ? PD_READ_BROKEN : t->result->status;
    struct event *e;

    xstrset(&n->trouble_said, t->result->detail);
    n->status.trouble = n->trouble_said;
    if (status != PD_READ_REFUSED && status != PD_READ_BROKEN)
        return;
    if (n->trouble == status && t->mono - n->trouble_ms < DAY_MS)
        return;
    n->trouble = status;
    n->trouble_ms = t->mono;
    e = turn_event(t, status == PD_READ_REFUSED ? "device.refused" : "device.broken");
    event_arg(e, "detail", t->result->detail);
}

/* A wall clock that was set says so; stamps of holds move with it. */
static void note_clock(struct turn *t)
{
    struct watch *w = t->w;
    int64_t offset = t->wall - t->mono, step = offset - w->offset_ms;
    struct event *e;
    uint64_t id;
    void *node;

    w->offset_ms = offset;
    if (step >= -STEP_MS && step <= STEP_MS)
        return;
    e = change_event(turn_change(t), t->wall, "clock.stepped");
    event_arg_int(e, "step_ms", step);
    for (size_t at = 0; u64dict_next(w->nodes, &at, &id, &node);) {
        struct turn other = *t;

        other.n = node;
        judge_restamp(&other);
    }
}

/* By ping alone, and that is not possible here: nothing is known of the device. */
static bool not_asked(const struct turn *t)
{
    return t->result->status == PD_READ_REFUSED && (int)t->n->collector == t->w->pinger;
}

static void take_nothing(struct turn *t)
{
    note_trouble(t);
    rhythm_advance(t, true);
    turn_end(t, t->change && t->change->events.n > 0);
}

/* Whether it can be reached: of who misses a poll or two nothing is said. */
static struct value reachable(const struct turn *t, bool answered)
{
    return answered ? value_bool(true) : t->n->status.state == DEVICE_DOWN ? value_bool(false) : VALUE_UNKNOWN;
}

/* A poll or two that were missed are a gap in what is stored; a third shows that they were the outage's beginning. */
static void tell(struct turn *t, bool answered)
{
    const struct node *n = t->n;

    if (answered ? !n->identifying : n->silent > DOWN_AFTER)
        report(t);
    else if (!answered && n->silent == DOWN_AFTER) {
        report_missed(t, t->wall - (t->mono - n->missed_ms));
        report(t);
    }
}

static void take_poll(struct turn *t, struct value ping)
{
    struct node *n = t->n;
    bool answered = t->result->status != PD_READ_NOANSWER;

    n->polls++;
    t->w->earlier.of = NULL;
    note_clock(t);
    note_status(t, answered);
    note_ping(t, answered, ping);
    note_trouble(t);
    inventory_reachable(t, reachable(t, answered), (int)n->collector == t->w->pinger ? value_bool(answered) : ping);
    if (n->identifying && answered)
        identify_take(t, n->batch);
    else if (answered)
        inventory_poll(t, n->batch);
    if (answered && !n->identifying)
        restart_take(t);
    if (answered)
        settle(t);
    if (answered && !n->identifying) {
        history_take(t);
        total_take(t);
    }
    rhythm_advance(t, answered);
    inventory_age(t, t->result->status == PD_READ_DONE && !n->identifying);
    if (!t->w->config.ops.backlog(t->w->config.ops.ctx))
        judge_run(t, answered);
    tell(t, answered);
    array_fit(&n->points); /* what is found first stays */
    history_save(t);
    turn_end(t, t->change && t->change->events.n > 0);
}

void take_result(struct turn *t, struct value ping)
{
    if (not_asked(t))
        take_nothing(t);
    else
        take_poll(t, ping);
}
