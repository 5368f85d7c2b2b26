#include "plugins/snmp/read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "plugins/snmp/reading.h"

enum {
    MAX_SILENT = 3,    /* requests in a row without an answer before a device that did answer is given up */
    SMALL_REQUEST = 4, /* varbinds; an unanswered larger one is tried again smaller */
    SMALL_TRIES = 2,   /* requests about so little before that is left out: one may get lost, with all its repeats */
    MUTE_BULKS = 2,    /* GETBULKs without an answer before a device that answers GETNEXT is held to have none */
    DETAIL_OID = 100,  /* bytes of an OID's text in a detail */
};

static int64_t now(const struct pd_read *r)
{
    return snmp_engine_now(r->device->core->engine);
}

static struct pd_read *read_of(struct snmp_request *q)
{
    return (struct pd_read *)((char *)q - offsetof(struct pd_read, request));
}

/* ---- Trouble ---- */

void snmp_read_note(struct pd_read *r, const char *fmt, ...)
{
    va_list ap;
    bool known = r->detail[0] && r->partial;

    r->partial = true;
    if (known)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(r->detail, sizeof r->detail, fmt, ap);
    va_end(ap);
}

void snmp_read_note_at(struct pd_read *r, const char *what, const struct snmp_item *item, const struct cursor *c)
{
    struct sbuf b = {0};

    oid_add_text(&b, item->oid, item->noid);
    if (c && c->n > 0) {
        sbuf_addc(&b, '.');
        oid_add_text(&b, cursor_last(c), c->n);
    }
    snmp_read_note(r, "%s %.*s%s", what, DETAIL_OID, b.s, b.n > DETAIL_OID ? "..." : "");
    sbuf_free(&b);
}

void snmp_read_note_asked(struct pd_read *r, const char *what)
{
    if (r->nget > 0)
        snmp_read_note_at(r, what, &r->plan->items[r->scalars[0]], NULL);
    else
        snmp_read_note_at(r, what, &r->plan->items[r->cursors.v[0].item], &r->cursors.v[0]);
}

void snmp_read_note_loop(struct pd_read *r, const struct snmp_item *item, const struct cursor *c)
{
    bool partial = r->partial;

    r->result.looped = true;
    r->device->no_riders = true; /* what comes for one behind the last object would not fit */
    if (r->detail[0])
        return;
    snmp_read_note_at(r, "its objects begin anew behind", item, c);
    r->partial = partial;
}

/* ---- Requests ---- */

/* How long the next request may take in all; a device that has not answered yet has all its tries. */
static int64_t patience(const struct pd_read *r)
{
    const struct snmp_limits *l = &r->device->core->limits;
    int64_t total = l->total_ms - (now(r) - r->started_ms), stall = l->stall_ms - (now(r) - r->row_ms);

    if (!r->answered)
        return INT64_MAX;
    return total < stall ? total : stall;
}

static void submit(struct pd_read *r)
{
    r->request.patience_ms = patience(r);
    snmp_request_submit(&r->request);
}

/* Beside the read's own request, as many as the device takes at a time. */
static void open_lanes(struct pd_read *r)
{
    struct pd_read *lane;

    while ((lane = snmp_lane_open(r)) && snmp_ask_next(lane)) /* as there is a table in it */
        submit(lane);
}

/* The books of a request that is over. Time in the queue is not the device's. */
static void account(struct pd_read *r)
{
    int64_t waited = snmp_request_waited(&r->request);

    r->started_ms += waited;
    r->row_ms += waited;
    if (!r->result.sent_ms && r->request.tries > 0)
        r->result.sent_ms = r->request.first_ms;
    r->result.requests += r->request.sent;
    r->result.retries += r->request.repeated;
    r->request.sent = r->request.repeated = 0;
}

/* ---- Life ---- */

static void free_read(struct pd_read *r)
{
    for (size_t i = 0; i < r->cursors.n; i++)
        snmp_cursor_free(&r->cursors.v[i]);
    array_free(&r->cursors);
    snmp_context_fini(r);
    snmp_plan_free(r->owned);
    free(r);
}

static void step(struct pd_read *r);
static void finish(struct pd_read *r, enum pd_read_status status);

/* The last thing that is done with a lane. While its sink is being called, whoever called frees it. */
static void close_lane(struct pd_read *lane)
{
    bool busy = lane->busy;

    snmp_request_withdraw(&lane->request);
    snmp_lane_leave(lane);
    lane->ended = true;
    if (!busy)
        free_read(lane);
}

/* What would end a read ends that of the lane; else the lead goes on if it waited. */
static void end_lane(struct pd_read *lane, enum pd_read_status status)
{
    struct pd_read *lead = lane->lead;

    if (status == PD_READ_REFUSED || status == PD_READ_BROKEN) {
        memcpy(lead->detail, lane->detail, sizeof lead->detail);
        close_lane(lane);
        finish(lead, status);
        return;
    }
    close_lane(lane);
    if (lead->waits)
        step(lead);
    else
        open_lanes(lead);
}

/* The last thing that is done with a read, unless its sink is being called: then whoever called frees it. */
static void finish(struct pd_read *r, enum pd_read_status status)
{
    bool busy = r->busy;

    if (r->lead) {
        end_lane(r, status);
        return;
    }
    for (struct pd_read *lane = LIST_FIRST(&r->lanes), *next; lane; lane = next) {
        next = LIST_NEXT(lane, in_lane);
        account(lane);
        close_lane(lane);
    }
    snmp_request_withdraw(&r->request);
    wheel_unset(r->device->core->services->wheel, &r->idle);
    r->device->read = NULL;
    r->ended = true;
    r->result.status = status;
    r->result.fell_silent = r->answered && r->silent > 0;
    r->result.detail = r->detail[0] ? r->detail : NULL;
    r->sink.end(r->sink.arg, &r->result);
    if (!busy)
        free_read(r);
}

/* Hands the collected cells over. False if the sink ended the read meanwhile; it is gone then. */
static bool deliver(struct pd_read *r)
{
    size_t n = r->ncells;

    if (n == 0)
        return true;
    r->row_ms = now(r);
    r->ncells = 0;
    r->busy = true;
    r->sink.cells(r->sink.arg, r->device->core->cells, n);
    r->busy = false;
    if (!r->ended)
        return true;
    free_read(r);
    return false;
}

/* The read that it is, or is a lane of. */
static struct pd_read *whole(struct pd_read *r)
{
    return r->lead ? r->lead : r;
}

/* What of the read is over its limit, or NULL. */
static const char *over_limit(struct pd_read *r)
{
    const struct snmp_limits *l = &r->device->core->limits;

    if (whole(r)->varbinds > l->varbinds)
        return "gave too many values, up to";
    if (whole(r)->bytes > l->bytes)
        return "gave too many bytes, up to";
    if (now(r) - r->started_ms >= l->total_ms)
        return "took too long, it got to";
    if (now(r) - r->row_ms >= l->stall_ms)
        return "gave nothing new for too long, it stopped at";
    return NULL;
}

/* ---- Step by step ---- */

/* Ends a read that went over its limits: worse than whatever was noted before. */
static void finish_over(struct pd_read *r)
{
    const char *over = over_limit(r);

    r->detail[0] = '\0';
    snmp_read_note_asked(r, over);
    finish(r, PD_READ_BROKEN);
}

/* Asks on, or ends the read. */
static void step(struct pd_read *r)
{
    bool more = !r->broken && snmp_ask_next(r);

    r->waits = false;
    while (!r->broken && !more && LIST_EMPTY(&r->lanes) && snmp_context_next(r))
        more = snmp_ask_next(r);
    if (!more && !r->broken && !LIST_EMPTY(&r->lanes)) {
        r->waits = true;
    } else if (!more) {
        finish(r, r->broken ? PD_READ_BROKEN : r->partial ? PD_READ_PARTIAL : PD_READ_DONE);
    } else if (over_limit(r)) {
        finish_over(r);
    } else {
        submit(r);
        open_lanes(r);
    }
}

static size_t on_encode(struct snmp_request *q, int32_t id, uint8_t *buf, size_t n)
{
    return snmp_ask_encode(read_of(q), id, buf, n);
}

static enum snmp_drop on_fits(struct snmp_request *q, const struct snmp_msg *m, size_t size)
{
    struct pd_read *r = read_of(q);

    r->reply_size = size;
    return snmp_answer_fits(r, m);
}

static void on_answered(struct snmp_request *q, const struct snmp_msg *m)
{
    struct pd_read *r = read_of(q);

    account(r);
    if (!r->answered)
        r->result.rtt_ms = (int32_t)(now(r) - q->last_ms);
    snmp_version_heard(r);
    r->answered = r->device->answered = true;
    r->silent = r->small = 0;
    snmp_context_heard(r);
    whole(r)->varbinds += (uint32_t)r->device->core->varbinds->n;
    whole(r)->bytes += r->reply_size;
    if (m->status == SNMP_AUTHORIZATION_ERROR) {
        snmp_read_note(r, "the device refused: authorizationError");
        finish(r, PD_READ_REFUSED);
        return;
    }
    snmp_answer_take(r, m);
    if (deliver(r))
        step(r);
}

/* Something may have come that was no answer. */
static void note_silence(struct pd_read *r, enum snmp_drop misfit)
{
    if (misfit == SNMP_FITS)
        snmp_read_note(r, "no answer to %u tries", (unsigned)r->result.requests);
    else
        snmp_read_note(r, "no answer to %u tries; what came %s", (unsigned)r->result.requests, snmp_drop_text(misfit));
}

/* Silence may be loss: only the second time it tells of the device. */
static void doubt_bulk(struct pd_read *r)
{
    r->no_bulk = true;
    r->suspect = ++r->device->mute_bulks >= MUTE_BULKS;
    r->bulk_again = !r->suspect;
}

/*
 * A device that never answered is left alone. One that did may have choked on this
 * request: it is asked for less, or without GETBULK, or for something else, before
 * it is given up.
 */
static void on_expired(struct snmp_request *q)
{
    struct pd_read *r = read_of(q);
    struct pd_device *d = r->device;

    account(r);
    if (!r->answered && snmp_version_next(r) && snmp_ask_next(r)) {
        snmp_request_submit(q);
        return;
    }
    if (!r->answered) {
        snmp_version_forget(d);
        note_silence(r, q->misfit);
        finish(r, PD_READ_NOANSWER);
        return;
    }
    if (over_limit(r)) {
        finish_over(r);
        return;
    }
    if (snmp_context_silent(r)) {
        step(r);
        return;
    }
    if (++r->silent > MAX_SILENT) {
        snmp_read_note_asked(r, "stopped answering at");
        finish(r, PD_READ_PARTIAL);
        return;
    }
    r->no_riders = true;
    if (snmp_ask_one_table(r))
        r->narrow = snmp_ask_one_table(r);
    d->no_riders |= q->misfit == SNMP_DROP_OIDS && r->nget > 0;
    if (r->type == SNMP_GETBULK && d->bulk == SNMP_BULK_UNKNOWN)
        doubt_bulk(r);
    else if (snmp_ask_size(r) > SMALL_REQUEST)
        d->max_varbinds = (uint16_t)(snmp_ask_size(r) / 4 > SMALL_REQUEST ? snmp_ask_size(r) / 4 : SMALL_REQUEST);
    else if (++r->small >= SMALL_TRIES)
        snmp_answer_skip(r);
    step(r);
}

/* A context that is not there is like one that is silent; whatever else it refuses it would refuse again. */
static void on_refused(struct snmp_request *q, enum snmp_refusal why)
{
    struct pd_read *r = read_of(q);

    account(r);
    if (why == SNMP_REFUSED_CONTEXT && snmp_context_silent(r)) {
        step(r);
        return;
    }
    r->detail[0] = '\0';
    snmp_read_note(r, "the device refused: %s", snmp_refusal_text(why));
    finish(r, PD_READ_REFUSED);
}

static void on_dropped(struct snmp_request *q, enum snmp_drop why)
{
    struct pd_device *d = read_of(q)->device;

    if (!d->drops) {
        d->drops = xcalloc(SNMP_DROPS, sizeof *d->drops);
        LIST_REMOVE(d, link);
        LIST_INSERT_HEAD(&d->core->droppers, d, link);
    }
    d->drops[why]++;
}

static void on_soon(struct snmp_request *q)
{
    const struct pd_read *r = read_of(q);
    bool asks_all = r->nget == r->nscalars && r->width == r->cursors.n && r->next_table == r->ntables;

    mem_fetch(r->device, sizeof *r->device);
    mem_fetch(r->learnt, r->plan->ngroups * sizeof *r->learnt);
    if (r->sink.soon)
        r->sink.soon(r->sink.arg, asks_all);
}

static const struct snmp_request_ops request_ops = {.encode = on_encode,
                                                    .fits = on_fits,
                                                    .soon = on_soon,
                                                    .answered = on_answered,
                                                    .expired = on_expired,
                                                    .refused = on_refused,
                                                    .dropped = on_dropped};

static void on_idle(void *arg)
{
    finish(arg, PD_READ_DONE);
}

/* ---- Start and end ---- */

/* What was learnt of tables is kept for the plan that was last read. */
static struct snmp_learnt *recall(struct pd_device *d, const struct pd_plan *plan)
{
    if (d->plan == plan->serial)
        return d->tables;
    free(d->tables);
    d->tables = xcalloc(plan->ngroups ? plan->ngroups : 1, sizeof *d->tables);
    for (uint16_t i = 0; i < plan->ngroups; i++)
        d->tables[i].rows = SNMP_UNKNOWN_ROWS;
    d->plan = plan->serial;
    return d->tables;
}

/* After trouble the device is trusted with a little more in each read. */
static void regrow(struct pd_device *d)
{
    if (d->max_varbinds < d->full_varbinds)
        d->max_varbinds++;
}

struct pd_read *snmp_read_new(struct pd_device *d, const struct pd_plan *plan, uint32_t parts,
                              const struct pd_sink *sink)
{
    size_t ntables = plan->ngroups ? plan->ngroups : 1u; /* a context's column is one */
    struct pd_read *r = xcalloc(1, sizeof *r + ntables * sizeof *r->tables + plan->nscalars * sizeof *r->scalars);

    r->tables = (struct table *)(r + 1);
    r->scalars = (uint16_t *)(r->tables + ntables);
    r->device = d;
    r->plan = plan;
    r->parts = parts;
    r->sink = *sink;
    r->result.rtt_ms = -1;
    r->walk_learnt.rows = SNMP_UNKNOWN_ROWS;
    snmp_request_init(&r->request, d->core->engine, &r->peer, &request_ops);
    timer_init(&r->idle, on_idle, r);
    return r;
}

static struct pd_read *start(struct pd_device *d, const struct pd_plan *plan, struct pd_plan *owned, uint32_t parts,
                             const struct pd_sink *sink)
{
    struct pd_read *r = snmp_read_new(d, plan, parts, sink);

    r->owned = owned;
    r->started_ms = r->row_ms = now(r);
    r->learnt = owned ? &r->walk_learnt : recall(d, plan);
    snmp_context_first(r);
    regrow(d);
    d->read = r;
    if (snmp_ask_next(r) || (snmp_context_next(r) && snmp_ask_next(r)))
        snmp_request_submit(&r->request);
    else
        wheel_set(d->core->services->wheel, &r->idle, now(r));
    return r;
}

void snmp_read_start(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                     struct pd_read **out)
{
    *out = start(d, plan, NULL, parts, sink);
}

void snmp_walk_start(struct pd_device *d, struct pd_plan *plan, const struct pd_sink *sink, struct pd_read **out)
{
    *out = start(d, plan, plan, UINT32_MAX, sink);
}

void snmp_read_cancel(struct pd_read *r)
{
    if (r->ended)
        return;
    account(r);
    snmp_read_note(r, "cancelled");
    finish(r, PD_READ_CANCELLED);
}
