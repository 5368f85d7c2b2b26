#include "notify/sender.h"

#include <stdlib.h>

#include "base/dict.h"
#include "base/err.h"
#include "base/mem.h"

enum {
    MAX_FLIGHTS = 4, /* sends under way at once */
    PATIENCE = 8,    /* failures after which a message lets others of its lane pass */
};

static const int64_t minute_ms = 60000, hour_ms = 3600000;

/* A row and what goes on with it. */
struct item {
    struct outbox o;
    int64_t due_ms; /* monotonic */
    bool flying;
};

struct lane {
    ARRAY(struct item *) items; /* in order of id */
};

/* One send under way. Its message's texts are its own: the row may be gone before the thread is done. */
struct flight {
    struct job job;
    struct sender *sender; /* NULL once it is gone */
    struct outbox o;
    const struct pd_channel_ops *ops;
    struct pd_channel *channel;
    char *folder;
    struct pd_send_result result;
};

struct sender {
    const struct notify_config *config;
    struct dict *lanes;    /* recipient -> struct lane */
    struct u64dict *items; /* id -> struct item */
    ARRAY(struct flight *) flights;
    struct timer timer; /* for the next item that waits */
    bool paused, troubled;
    uint64_t sent, failed, retried;
};

static void pump(void *arg);

struct sender *sender_new(const struct notify_config *config)
{
    struct sender *s = xcalloc(1, sizeof *s);

    s->config = config;
    s->lanes = dict_new();
    s->items = u64dict_new();
    timer_init(&s->timer, pump, s);
    return s;
}

static void item_free(struct item *item)
{
    outbox_fini(&item->o);
    free(item);
}

void sender_free(struct sender *s)
{
    const char *recipient;
    size_t at = 0;
    uint64_t id;
    void *p;

    if (!s)
        return;
    wheel_unset(s->config->services.wheel, &s->timer);
    for (size_t i = 0; i < s->flights.n; i++)
        s->flights.v[i]->sender = NULL;
    array_free(&s->flights);
    while (u64dict_next(s->items, &at, &id, &p))
        item_free(p);
    for (at = 0; dict_next(s->lanes, &at, &recipient, &p);) {
        array_free(&((struct lane *)p)->items);
        free(p);
    }
    u64dict_free(s->items);
    dict_free(s->lanes);
    free(s);
}

/*
 * 5 s and 20 s, for what passes by itself; then a minute, doubled to an hour. 127 failures make five
 * days. Counted, not measured: neither a clock that steps nor a stopped service eats up the tries.
 */
int64_t sender_pause_ms(int failures)
{
    if (failures >= 127)
        return -1;
    if (failures <= 2)
        return failures == 1 ? 5000 : 20000;
    return failures - 3 >= 6 ? hour_ms : minute_ms << (failures - 3);
}

/* ---- What comes of a send ---- */

static void lane_drop(struct sender *s, struct item *item)
{
    struct lane *lane = dict_get(s->lanes, item->o.recipient);

    for (size_t i = 0; i < lane->items.n; i++) {
        if (lane->items.v[i] == item) {
            array_remove(&lane->items, i);
            break;
        }
    }
    if (lane->items.n == 0) {
        dict_del(s->lanes, item->o.recipient);
        array_free(&lane->items);
        free(lane);
    }
    u64dict_del(s->items, (uint64_t)item->o.id);
}

/* Said once when it begins and once when it is over, not for every message. */
static void log_result(struct sender *s, const struct flight *f)
{
    if (f->result.status == PD_SEND_LATER && !s->troubled)
        log_about(LOG_LEVEL_WARN, f->ops->name, &(struct log_about){.kind = LOG_KIND_MAIL_WAITS},
                  "cannot send: %s; messages wait and are tried again", f->result.detail);
    else if (f->result.status == PD_SEND_NEVER)
        log_about(LOG_LEVEL_ERROR, f->ops->name, &(struct log_about){.kind = LOG_KIND_MAIL_REFUSED},
                  "message %s to %s refused for good: %s", f->o.message_id, f->o.recipient, f->result.detail);
    else if (f->result.status == PD_SEND_DONE && s->troubled)
        log_about(LOG_LEVEL_INFO, f->ops->name, &(struct log_about){.kind = LOG_KIND_MAIL_GOES},
                  "messages go out again");
    if (f->result.status != PD_SEND_NEVER)
        s->troubled = f->result.status == PD_SEND_LATER;
}

static void record_end(struct change *c, const struct outbox *o, int64_t wall)
{
    char *kind = xasprintf("%s.%s", o->channel, o->state == OUTBOX_SENT ? "sent" : "failed");
    struct event *e = change_event(c, wall, kind);

    event_arg_int(e, "outbox", o->id);
    event_arg(e, "message_id", o->message_id);
    event_arg(e, "to", o->recipient);
    event_arg(e, "subject", o->subject);
    event_arg_int(e, "attempts", o->attempts);
    if (o->last_error)
        event_arg(e, "error", o->last_error);
    free(kind);
}

static void settle(struct sender *s, const struct flight *f)
{
    struct item *item = u64dict_get(s->items, (uint64_t)f->o.id);
    struct outbox *o = &item->o;
    int64_t wall = clock_wall(&s->config->services.clock), pause = 0;
    struct change *c = change_new();
    bool over;

    item->flying = false;
    o->attempts++;
    xstrset(&o->last_error, f->result.status == PD_SEND_DONE ? NULL : f->result.detail);
    if (f->result.status == PD_SEND_LATER)
        pause = sender_pause_ms(o->attempts);
    if (f->result.status == PD_SEND_DONE) {
        o->state = OUTBOX_SENT;
        o->sent_ms = wall;
        s->sent++;
    } else if (f->result.status == PD_SEND_NEVER || pause < 0) {
        o->state = OUTBOX_FAILED;
        s->failed++;
    } else {
        o->next_ms = wall + pause;
        item->due_ms = clock_mono(&s->config->services.clock) + pause;
        s->retried++;
    }
    over = o->state != OUTBOX_PENDING;
    if (over)
        record_end(c, o, wall);
    change_put_outbox(c, o);
    s->config->submit(s->config->ctx, c, over, NULL, NULL);
    if (over) {
        lane_drop(s, item);
        item_free(item);
    }
}

/* Cut short by the end of patrold, most likely: that says nothing about the message and counts for no try. */
static void unfly(struct sender *s, const struct flight *f)
{
    struct item *item = u64dict_get(s->items, (uint64_t)f->o.id);

    item->flying = false;
}

static void flight_free(struct flight *f)
{
    free(f->folder);
    outbox_fini(&f->o);
    free(f);
}

static void landed(struct job *j)
{
    struct flight *f = (struct flight *)j;
    struct sender *s = f->sender;

    if (s) {
        for (size_t i = 0; i < s->flights.n; i++) {
            if (s->flights.v[i] == f) {
                array_remove(&s->flights, i);
                break;
            }
        }
        if (s->paused && f->result.status == PD_SEND_LATER) {
            unfly(s, f);
        } else {
            log_result(s, f);
            settle(s, f);
        }
        pump(s);
    }
    flight_free(f);
}

void sender_drop_job(struct job *j)
{
    flight_free((struct flight *)j);
}

/* ---- Sending ---- */

/* The files that go out with the message: their paths and names are freed with parts_free(). */
struct parts {
    ARRAY(struct pd_part) list;
};

static void parts_take(struct parts *parts, const char *folder, const char *attachments)
{
    static const enum pd_part_role roles[OUTBOX_ROLE_COUNT] = {
        [OUTBOX_TEXT] = PD_PART_TEXT,
        [OUTBOX_HTML] = PD_PART_HTML,
        [OUTBOX_INLINE] = PD_PART_INLINE,
        [OUTBOX_ATTACHED] = PD_PART_ATTACHED,
    };
    struct outbox_part p;

    while (outbox_part_next(&attachments, &p)) {
        struct pd_part part = {.role = roles[p.role], .name = p.name};

        part.path = xasprintf("%s/%s", folder, p.file);
        array_push(&parts->list, part);
        free(p.file);
    }
}

static void parts_free(struct parts *parts)
{
    for (size_t i = 0; i < parts->list.n; i++) {
        free((char *)parts->list.v[i].path);
        free((char *)parts->list.v[i].name);
    }
    array_free(&parts->list);
}

static void fly(struct job *j)
{
    struct flight *f = (struct flight *)j;
    struct parts parts = {0};
    struct pd_message m = {
        .id = f->o.message_id,
        .from = f->o.sender,
        .to = f->o.recipient,
        .subject = f->o.subject,
        .body = f->o.body,
        .date_ms = f->o.created_ms,
    };

    parts_take(&parts, f->folder, f->o.attachments);
    m.parts = parts.list.v;
    m.nparts = parts.list.n;
    f->ops->send(f->channel, &m, &f->result);
    parts_free(&parts);
}

static const struct notify_channel *channel_named(const struct sender *s, const char *name)
{
    for (size_t i = 0; i < s->config->nchannels; i++)
        if (str_eq(s->config->channels[i].ops->name, name))
            return s->config->channels[i].channel ? &s->config->channels[i] : NULL;
    return NULL;
}

static void send_item(struct sender *s, struct item *item, const struct notify_channel *ch)
{
    struct flight *f = xcalloc(1, sizeof *f);

    f->job.work = fly;
    f->job.done = landed;
    f->sender = s;
    f->ops = ch->ops;
    f->channel = ch->channel;
    f->folder = xstrdup(s->config->folder ? s->config->folder : ".");
    outbox_copy(&f->o, &item->o);
    item->flying = true;
    array_push(&s->flights, f);
    worker_submit(s->config->worker, &f->job);
}

/* The message that a lane may send now, or NULL; *next becomes the time when it is worth another look. */
static struct item *lane_ready(const struct lane *lane, int64_t now, int64_t *next)
{
    for (size_t i = 0; i < lane->items.n; i++) {
        struct item *item = lane->items.v[i];

        if (item->flying)
            return NULL;
        if (item->due_ms <= now)
            return item;
        if (item->due_ms < *next)
            *next = item->due_ms;
        if (item->o.attempts < PATIENCE)
            return NULL;
    }
    return NULL;
}

/* Of all that may be sent now the oldest. */
static struct item *pick(const struct sender *s, int64_t now, int64_t *next)
{
    struct item *best = NULL;
    const char *recipient;
    size_t at = 0;
    void *lane;

    while (dict_next(s->lanes, &at, &recipient, &lane)) {
        struct item *item = lane_ready(lane, now, next);

        if (item && (!best || item->o.id < best->o.id) && channel_named(s, item->o.channel))
            best = item;
    }
    return best;
}

/* Sends what can be sent and sets the timer for what can't yet. */
static void pump(void *arg)
{
    struct sender *s = arg;
    int64_t now = clock_mono(&s->config->services.clock), next = INT64_MAX;
    struct item *item;

    if (s->paused)
        return;
    while (s->flights.n < MAX_FLIGHTS && (item = pick(s, now, &next)))
        send_item(s, item, channel_named(s, item->o.channel));
    if (next < INT64_MAX)
        wheel_set(s->config->services.wheel, &s->timer, next);
}

void sender_take(struct sender *s, const struct outbox *o)
{
    int64_t wait = o->next_ms - clock_wall(&s->config->services.clock);
    struct lane *lane = dict_get(s->lanes, o->recipient);
    struct item *item;

    if (o->state != OUTBOX_PENDING || u64dict_get(s->items, (uint64_t)o->id))
        return;
    item = xcalloc(1, sizeof *item);
    outbox_copy(&item->o, o);
    /* The wall clock may have stepped since next_ms was written: no pause is longer than an hour. */
    wait = o->attempts == 0 || wait < 0 ? 0 : wait > hour_ms ? hour_ms : wait;
    item->due_ms = clock_mono(&s->config->services.clock) + wait;
    u64dict_put(s->items, (uint64_t)o->id, item);
    if (!lane) {
        lane = xcalloc(1, sizeof *lane);
        dict_put(s->lanes, o->recipient, lane);
    }
    array_push(&lane->items, item);
    pump(s);
}

int sender_forget(struct sender *s, int64_t outbox_id)
{
    struct item *item = u64dict_get(s->items, (uint64_t)outbox_id);

    if (!item)
        return PD_ENOENT;
    if (item->flying)
        return PD_EBUSY;
    lane_drop(s, item);
    item_free(item);
    pump(s); /* what waited behind it */
    return 0;
}

void sender_pause(struct sender *s, bool paused)
{
    s->paused = paused;
    pump(s);
}

void sender_kick(struct sender *s)
{
    pump(s);
}

bool sender_uses(const struct sender *s, const struct pd_channel *channel)
{
    for (size_t i = 0; i < s->flights.n; i++)
        if (s->flights.v[i]->channel == channel)
            return true;
    return false;
}

void sender_counters(const struct sender *s, struct notify_counters *out)
{
    out->pending = u64dict_count(s->items);
    out->sent = s->sent;
    out->failed = s->failed;
    out->retried = s->retried;
}
