#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "watch/internal.h"
#include "watch/target.h"

/*
 * When what is read. A device has a jitter of its own within the status
 * interval, and each part a phase of its own among the status polls of its
 * interval, both from the device's id: so the same devices never gather at one
 * moment, and parts that are due together are read together. All on the
 * monotonic clock.
 */

enum {
    DAY_MS = 24 * 3600 * 1000,
    RETRY_BEATS = 5,  /* status intervals until a part is tried again that an answering device did not tell */
    HALVES = 3,       /* half answers to who it is, after which no whole one is waited for */
    SILENT_SHARE = 8, /* who is down is probed at this share of its silence, up to poll.silent */
    LAG_MS = 1000,    /* a poll that begins no later than this counts as begun when it was due */
    STEP_MS = 2000,   /* by which the wall clock may move against the monotonic one without a word */
};

/* ---- The rhythm ---- */

/* Spreads ids evenly; the finishing steps of splitmix64. */
static uint64_t spread(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static int64_t beat_ms(const struct node *n)
{
    return n->watch->config.settings->every_ms[PART_STATUS];
}

int64_t schedule_jitter(const struct node *n)
{
    return (int64_t)(spread((uint64_t)n->d.id) % (uint64_t)beat_ms(n));
}

/* The part that shows whether a device lives: the first that its profile has. */
static unsigned probe_part(const struct node *n)
{
    return n->speech ? (unsigned)__builtin_ctz(n->speech->parts) : PART_STATUS;
}

int64_t schedule_every(const struct node *n, unsigned part)
{
    const struct profile *p = n->speech ? n->speech->profile : NULL;
    unsigned as = part == probe_part(n) ? PART_STATUS : part;

    return p && p->every_ms[as] ? p->every_ms[as] : n->watch->config.settings->every_ms[as];
}

/* The first time after `after` that belongs to the part. */
static int64_t next_time(const struct node *n, unsigned part, int64_t after)
{
    int64_t beat = beat_ms(n), every = schedule_every(n, part);
    int64_t first = n->watch->rhythm_ms + schedule_jitter(n);

    if (every > beat)
        first += (int64_t)(spread((uint64_t)n->d.id + part) % (uint64_t)(every / beat)) * beat;
    return after < first ? first : first + ((after - first) / every + 1) * every;
}

int64_t schedule_midnight(const struct watch *w)
{
    return watch_mono(w) - watch_wall(w) % DAY_MS;
}

int64_t schedule_begin(const struct node *n, size_t strangers)
{
    int64_t first = next_time(n, probe_part(n), n->watch->origin_ms);
    uint64_t beats = 1 + strangers * ADD_GAP_MS / (uint64_t)beat_ms(n);

    return n->speech ? first : first + (int64_t)(spread((uint64_t)n->d.id + PART_COUNT) % beats) * beat_ms(n);
}

void schedule_first(struct node *n, int64_t first_ms)
{
    for (unsigned p = 0; p < PART_COUNT; p++)
        n->due_ms[p] = first_ms;
}

static uint32_t parts_due(const struct node *n, int64_t now)
{
    uint32_t parts = 0;

    for (unsigned p = 0; p < PART_COUNT; p++) {
        if ((n->speech->parts & (1u << p)) && n->due_ms[p] <= now)
            parts |= 1u << p;
    }
    return parts;
}

/* Who did not answer, or is not known yet, is only probed. */
static bool only_probe(const struct node *n)
{
    return !n->speech || n->silent > 0;
}

static int64_t next_due(const struct node *n)
{
    int64_t due = n->identify_ms;

    if (only_probe(n))
        return n->due_ms[probe_part(n)];
    for (unsigned p = 0; p < PART_COUNT; p++) {
        if ((n->speech->parts & (1u << p)) && n->due_ms[p] < due)
            due = n->due_ms[p];
    }
    return due;
}

void schedule_next(struct node *n)
{
    wheel_set(n->watch->config.services.wheel, &n->timer, next_due(n));
}

void schedule_now(struct node *n)
{
    int64_t now = watch_mono(n->watch);

    schedule_first(n, now);
    n->identify_ms = now;
    schedule_next(n);
}

/* What became due while it was read. */
static void take_soon(struct node *n)
{
    if (!n->soon)
        return;
    for (unsigned p = 0; p < PART_COUNT; p++) {
        if ((n->soon & (1u << p)) && n->due_ms[p] > n->soon_ms)
            n->due_ms[p] = n->soon_ms;
    }
    n->soon = 0;
}

void schedule_soon(struct node *n, uint32_t parts, int64_t at_ms)
{
    n->soon |= (uint8_t)(parts | 1u << probe_part(n));
    n->soon_ms = at_ms;
    if (n->read || n->pinging)
        return;
    take_soon(n);
    schedule_next(n);
}

int64_t schedule_identify_phase(const struct node *n)
{
    return schedule_jitter(n) + (int64_t)(spread(~(uint64_t)n->d.id) % DAY_MS);
}

/* ---- Where it is and how to talk to it ---- */

/* What the device's profile wants of the collector, over what the settings say. */
static void take_quirks(struct pd_target *t, const struct profile *p)
{
    const struct profile_quirks *q = &p->quirks;

    if (!t->usm) /* who asks by a user cannot ask otherwise */
        t->version = q->version ? q->version : t->version;
    t->timeout_ms = q->timeout_ms ? (int)q->timeout_ms : t->timeout_ms;
    t->retries = q->retries >= 0 ? q->retries : t->retries;
    t->no_bulk = q->no_bulk;
    t->max_repetitions = q->max_repetitions;
    t->message_size = q->message_size;
    t->max_rows = q->max_rows;
    t->in_flight = q->in_flight;
    t->per_poll = q->per_poll;
    t->no_gaps = q->no_gaps;
    t->connect_delay_ms = (int)q->connect_delay_ms;
    t->gap_ms = (int)q->gap_ms;
    t->max_registers = q->max_registers;
}

int schedule_open(struct node *n)
{
    const struct watch_config *config = &n->watch->config;
    const struct settings *s = config->settings;
    const struct pd_collector_ops *ops = config->collector_ops[n->collector];
    const struct credential *c =
        n->d.credential && !ops->no_credential ? settings_credential(s, n->d.credential) : NULL;
    const struct profile *p = n->speech ? n->speech->profile : NULL;
    struct pd_target t = {
        .name = n->d.name,
        .address = n->d.address,
        .port = n->d.port,
        .unit = n->d.unit,
    };
    struct pd_usm_secret usm;
    ARRAY(struct pd_context) contexts = {0};
    int rc = 0;

    target_put_credential(&t, &usm, c, s);
    for (size_t i = 0; p && i < p->contexts.n; i++)
        array_push(&contexts, ((struct pd_context){.name = p->contexts.v[i].name, .each = p->contexts.v[i].each}));
    t.contexts = contexts.v;
    t.ncontexts = contexts.n;
    if (p)
        take_quirks(&t, p);
    n->retarget = false;
    if (!n->handle || n->target_hash != target_hash(&t)) {
        schedule_close(n);
        n->target_hash = target_hash(&t);
        rc = c || ops->no_credential ? ops->open(config->collectors[n->collector], &t, &n->handle) : PD_ENOENT;
    }
    array_free(&contexts);
    return rc;
}

void schedule_close(struct node *n)
{
    if (n->handle)
        n->watch->config.collector_ops[n->collector]->close(n->handle);
    n->handle = NULL;
    ping_close(n);
}

/* ---- A read ---- */

static void take_cells(void *arg, const struct pd_cell *cells, size_t count)
{
    struct node *n = arg;

    n->watch->counters.cells += count;
    batch_add(n->batch, cells, count);
}

static void tell_waiters(struct node *n, const struct pd_read_result *r)
{
    struct waiter *waiting = n->waiters.v;
    size_t count = n->waiters.n;

    n->waiters.v = NULL;
    n->waiters.n = n->waiters.cap = 0;
    for (size_t i = 0; i < count; i++)
        waiting[i].done(waiting[i].arg, r);
    array_release((void **)&waiting);
}

/* What its modules tell of it counts only where they tell anything. */
void schedule_doubt(struct node *n)
{
    const struct profile *p = n->speech ? n->speech->profile : NULL;

    n->doubt = 0;
    n->halves = 0;
    if (identify_asks(n->watch, n->collector)) {
        n->identify_ms = watch_mono(n->watch);
        n->doubt |= DOUBT_IDENTIFY;
    }
    if (p && p->identities.n > 0) {
        n->due_ms[PART_INVENTORY] = watch_mono(n->watch);
        n->doubt |= DOUBT_INVENTORY;
    }
}

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
        schedule_doubt(n);
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

/* When it is probed next: who is down the more seldom the longer it is silent. */
static int64_t next_probe(const struct turn *t)
{
    const struct node *n = t->n;
    int64_t every = schedule_every(n, PART_STATUS), most = t->w->config.settings->silent_ms;
    int64_t wait = (t->mono - n->answered_ms) / SILENT_SHARE;
    int64_t from = t->mono + (n->identifying ? every / 2 : 0); /* who it is was asked out of turn */

    wait = wait < most ? wait : most;
    return next_time(n, probe_part(n), from + (n->status.state == DEVICE_DOWN && wait > every ? wait - every : 0));
}

/* What was read is due again in its turn; what an answering device left out, a little sooner. */
static void advance(struct turn *t, bool answered)
{
    struct node *n = t->n;
    enum pd_read_status status = t->result->status;
    int64_t retry = next_time(n, probe_part(n), t->mono) + (RETRY_BEATS - 1) * beat_ms(n);

    if (n->identifying) {
        if (answered)
            n->identify_ms = n->ask_again ? t->mono : status == PD_READ_DONE ? t->mono + DAY_MS : retry;
        if (only_probe(n))
            n->due_ms[probe_part(n)] = n->ask_again ? t->mono : next_probe(t);
        n->ask_again = false;
        return;
    }
    for (unsigned p = 0; p < PART_COUNT; p++) {
        int64_t next = answered ? next_time(n, p, t->mono) : next_probe(t);

        if (!(t->parts & (1u << p)) || (!answered && p != probe_part(n)))
            continue;
        n->due_ms[p] = status != PD_READ_DONE && next > retry ? retry : next;
        if (status == PD_READ_DONE || status == PD_READ_PARTIAL)
            n->read_ms[p] = t->mono;
    }
}

/* Nothing is waited for any more when nothing is left to be read at once. */
static void go_on(struct node *n, const struct pd_read_result *r, int64_t now)
{
    if (n->poll_wanted) {
        n->poll_wanted = false;
        schedule_now(n);
        return;
    }
    take_soon(n);
    if (n->waiters.n && (r->status == PD_READ_NOANSWER || next_due(n) > now)) {
        tell_waiters(n, r);
    }
    schedule_next(n);
}

/* By ping alone, and that is not possible here: nothing is known of the device. */
static bool not_asked(const struct turn *t)
{
    return t->result->status == PD_READ_REFUSED && (int)t->n->collector == t->w->pinger;
}

static void take_nothing(struct turn *t)
{
    note_trouble(t);
    advance(t, true);
    turn_end(t, t->change && t->change->events.n > 0);
}

/* Whether it can be reached: of who misses a poll or two nothing is said. */
static struct value reachable(const struct turn *t, bool answered)
{
    return answered ? value_bool(true) : t->n->status.state == DEVICE_DOWN ? value_bool(false) : VALUE_UNKNOWN;
}

/* A poll or two that were missed are a gap in what is stored; a third shows that they were the outage's beginning. */
static void report(struct turn *t, bool answered)
{
    const struct node *n = t->n;

    if (answered ? !n->identifying : n->silent > DOWN_AFTER)
        inventory_report(t);
    else if (!answered && n->silent == DOWN_AFTER) {
        inventory_report_missed(t, t->wall - (t->mono - n->missed_ms));
        inventory_report(t);
    }
}

static void take_read(struct turn *t, struct value ping)
{
    struct node *n = t->n;
    bool answered = t->result->status != PD_READ_NOANSWER;

    n->polls++;
    note_clock(t);
    note_status(t, answered);
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
    advance(t, answered);
    inventory_age(t, t->result->status == PD_READ_DONE && !n->identifying);
    if (!t->w->config.ops.backlog(t->w->config.ops.ctx))
        judge_run(t, answered);
    report(t, answered);
    history_save(t);
    turn_end(t, t->change && t->change->events.n > 0);
}

void schedule_take(struct node *n, const struct pd_read_result *r, struct value ping)
{
    struct turn t = turn_begin(n->watch, n);
    bool cancelled = r->status == PD_READ_CANCELLED;

    t.result = r;
    t.speech = n->reading;
    t.parts = n->identifying ? 0 : n->parts; /* the identify module has parts of its own */
    t.asked_ms = n->asked_ms;
    if (!cancelled && not_asked(&t))
        take_nothing(&t);
    else if (!cancelled)
        take_read(&t, ping);
    speech_batch_done(n->reading, n->batch);
    n->batch = NULL;
    n->reading = NULL;
    if (!cancelled)
        go_on(n, r, t.mono);
    if (n->same_as)
        merge_moved(n);
}

/* Reads that were never sent say nothing of how late that was. */
static void note_lateness(struct node *n, const struct pd_read_result *r)
{
    if (r->sent_ms)
        hist_window_add(n->watch->lateness, watch_mono(n->watch), (r->sent_ms - n->asked_ms + n->late_ms) * 1000);
}

static void end_read(void *arg, const struct pd_read_result *r)
{
    struct node *n = arg;

    n->read = NULL;
    share_give(n);
    note_lateness(n, r);
    if (r->status != PD_READ_NOANSWER) {
        ping_drop(n);
        schedule_take(n, r, VALUE_UNKNOWN);
    } else if (!ping_begin(n, r)) {
        schedule_take(n, r, ping_taken(n));
    }
}

static void begin_read(struct node *n, const struct speech *s, uint32_t parts)
{
    struct watch *w = n->watch;
    const struct pd_sink sink = {.cells = take_cells, .end = end_read, .arg = n};
    int rc;

    n->reading = (struct speech *)(uintptr_t)s;
    n->batch = speech_batch(n->reading);
    n->parts = parts;
    rc = w->config.collector_ops[n->collector]->read(n->handle, s->plan, parts, &sink, &n->read);
    if (rc == 0) {
        ping_early(n);
        return;
    }
    log_about(LOG_LEVEL_WARN, "watch", &(struct log_about){.device = n->d.name}, "%s can't be read now: %s", n->d.name,
              pd_strerror(rc));
    share_give(n);
    speech_batch_done(n->reading, n->batch);
    n->batch = NULL;
    n->reading = NULL;
    for (unsigned p = 0; p < PART_COUNT; p++)
        n->due_ms[p] = next_time(n, PART_STATUS, watch_mono(w));
    n->identify_ms = n->due_ms[PART_STATUS];
    schedule_next(n);
}

/*
 * Holds are reckoned from poll to poll as they were due: with a hold of one
 * interval the second poll fires, even if the first took a little longer.
 */
static void note_due(struct node *n, int64_t now)
{
    int64_t due = next_due(n), late = due <= now ? now - due : 0;

    n->late_ms = late > LAG_MS ? late : 0;
    n->asked_ms = now - (late - n->late_ms);
}

/* Nothing can be done before a reload. */
static void give_up(struct node *n)
{
    tell_waiters(n,
                 &(struct pd_read_result){.status = PD_READ_CANCELLED, .rtt_ms = -1, .detail = "it can't be polled"});
}

void schedule_poll(void *arg)
{
    struct node *n = arg;
    struct watch *w = n->watch;
    int64_t now = watch_mono(w);
    const struct speech *identify = identify_speech(w, n->collector);
    uint32_t parts = 0;

    if (n->read || n->pinging || !share_take(n))
        return;
    note_due(n, now);
    if (n->retarget)
        schedule_open(n);
    if (!n->handle || (!n->speech && !identify)) {
        share_give(n);
        give_up(n);
        return;
    }
    if (!identify)
        n->identify_ms = INT64_MAX;
    n->identifying = !n->speech || (!n->silent && n->identify_ms <= now);
    if (!n->identifying)
        parts = only_probe(n) ? 1u << probe_part(n) : parts_due(n, now);
    assert(identify || !n->identifying);
    if (n->identifying)
        begin_read(n, identify, identify_parts(n));
    else if (parts)
        begin_read(n, n->speech, parts);
    else {
        share_give(n);
        schedule_next(n);
    }
}

void schedule_stop(struct node *n)
{
    struct watch *w = n->watch;

    wheel_unset(w->config.services.wheel, &n->timer);
    share_give(n);
    if (n->read)
        w->config.collector_ops[n->collector]->cancel(n->read);
    ping_cancel(n);
    give_up(n);
}
