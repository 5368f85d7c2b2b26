#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "watch/internal.h"
#include "watch/target.h"

/* How a device is read: where it is, one read at a time, and who waits for its end. */

enum {
    LAG_MS = 1000, /* a poll that begins no later than this counts as begun when it was due */
};

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
    ARRAY(struct pd_hole) holes = {0};
    int rc = 0;

    target_put_credential(&t, &usm, c, s);
    for (size_t i = 0; p && i < p->contexts.n; i++)
        array_push(&contexts, ((struct pd_context){.name = p->contexts.v[i].name, .each = p->contexts.v[i].each}));
    t.contexts = contexts.v;
    t.ncontexts = contexts.n;
    for (size_t i = 0; p && i < p->holes.n; i++) {
        const struct register_hole *h = &p->holes.v[i];

        array_push(&holes, ((struct pd_hole){.function = h->function, .first = h->first, .last = h->last}));
    }
    t.holes = holes.v;
    t.nholes = holes.n;
    if (p)
        take_quirks(&t, p);
    n->retarget = false;
    if (!n->handle || n->target_hash != target_hash(&t)) {
        schedule_close(n);
        n->target_hash = target_hash(&t);
        rc = c || ops->no_credential ? ops->open(config->collectors[n->collector], &t, &n->handle) : PD_ENOENT;
    }
    array_free(&contexts);
    array_free(&holes);
    return rc;
}

void schedule_reach(struct node *n)
{
    const struct log_about about = {.kind = LOG_KIND_NOT_POLLED, .device = n->d.name};
    int rc = schedule_open(n);

    if (rc == PD_ENOENT)
        log_about(LOG_LEVEL_ERROR, "watch", &about, "%s is not polled: there is no credential %s", n->d.name,
                  n->d.credential);
    else if (rc)
        log_about(LOG_LEVEL_ERROR, "watch", &about, "%s is not polled: address %s: %s", n->d.name, n->d.address,
                  pd_strerror(rc));
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

/* Nothing is waited for any more when nothing is left to be read at once. */
static void go_on(struct node *n, const struct pd_read_result *r, int64_t now)
{
    if (n->poll_wanted) {
        n->poll_wanted = false;
        rhythm_now(n);
        return;
    }
    rhythm_take_soon(n);
    if (n->waiters.n && (r->status == PD_READ_NOANSWER || rhythm_due(n) > now)) {
        tell_waiters(n, r);
    }
    rhythm_wait(n);
}

void schedule_take(struct node *n, const struct pd_read_result *r, struct value ping)
{
    struct turn t = turn_begin(n->watch, n);
    bool cancelled = r->status == PD_READ_CANCELLED;

    t.result = r;
    t.speech = n->reading;
    t.parts = n->identifying ? 0 : n->parts; /* the identify module has parts of its own */
    t.asked_ms = n->asked_ms;
    if (!cancelled)
        take_result(&t, ping);
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

static void fetch_soon(void *arg, bool last)
{
    const struct node *n = arg;

    batch_fetch(n->batch);
    if (last)
        node_fetch(n);
}

static void begin_read(struct node *n, const struct speech *s, uint32_t parts)
{
    struct watch *w = n->watch;
    const struct pd_sink sink = {.cells = take_cells, .end = end_read, .arg = n, .soon = fetch_soon};
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
        n->due_ms[p] = rhythm_next(n, PART_STATUS, watch_mono(w));
    n->identify_ms = n->due_ms[PART_STATUS];
    rhythm_wait(n);
}

/*
 * Holds are reckoned from poll to poll as they were due: with a hold of one
 * interval the second poll fires, even if the first took a little longer.
 */
static void note_due(struct node *n, int64_t now)
{
    int64_t due = rhythm_due(n), late = due <= now ? now - due : 0;

    n->late_ms = late > LAG_MS ? late : 0;
    n->asked_ms = now - (late - n->late_ms);
}

/* A loop that stood still does not make polls that belong to moments long past. */
static void note_turn(struct node *n, int64_t now)
{
    int64_t due = rhythm_due(n);

    if (!n->waits_for && !n->has_place)
        n->turn_ms = due <= now && now - due <= LAG_MS ? due : now;
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

    if (n->read || n->pinging)
        return;
    if (rhythm_knocks(n, now)) {
        rhythm_wait(n);
        ping_knock(n);
        return;
    }
    note_turn(n, now);
    if (!share_take(n))
        return;
    note_due(n, now);
    if (n->retarget)
        schedule_reach(n);
    if (!n->handle || (!n->speech && !identify)) {
        share_give(n);
        give_up(n);
        return;
    }
    if (!identify)
        n->identify_ms = INT64_MAX;
    n->identifying = !n->speech || (!n->silent && n->identify_ms <= now);
    if (!n->identifying)
        parts = rhythm_only_probes(n) ? 1u << rhythm_probe_part(n) : rhythm_parts(n, now);
    assert(identify || !n->identifying);
    if (n->identifying)
        begin_read(n, identify, identify_parts(n));
    else if (parts)
        begin_read(n, n->speech, parts);
    else {
        share_give(n);
        rhythm_wait(n);
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
