#include "plugins/modbus/read.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    MAX_CUTS = 16, /* of refused requests in one read; a walk cuts as often as it must */
    DETAIL = 200,
    MAX_FAILED = 2, /* requests in a row that a device that did answer leaves unanswered, or garbles */
};

struct pd_read {
    struct mb_request request;
    struct pd_device *device;
    const struct pd_plan *plan;
    struct pd_plan *owned; /* freed with the read */
    uint32_t parts;
    struct pd_sink sink;
    struct timer nothing; /* ends a read that has nothing to ask */

    size_t at;             /* the next item of the plan */
    struct mb_chunk chunk; /* asked for at present */
    unsigned cuts, failed; /* failed: in a row */
    uint32_t submitted;
    bool answered, broken; /* broken: it ends BROKEN */
    bool busy, ended;      /* in the sink's cells(); ended there */
    size_t ncells;
    int64_t started_ms;
    struct pd_read_result result;
    struct pd_read *next; /* of those that lie idle */
    char detail[DETAIL];  /* begun anew by its first byte, so it comes last */
};

static int64_t now(const struct pd_read *r)
{
    return clock_mono(&r->device->core->rules.services->clock);
}

static struct pd_read *read_of(struct mb_request *q)
{
    return (struct pd_read *)((char *)q - offsetof(struct pd_read, request));
}

/* ---- Trouble ---- */

static void note(struct pd_read *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void note(struct pd_read *r, const char *fmt, ...)
{
    va_list ap;

    if (r->detail[0])
        return;
    va_start(ap, fmt);
    (void)vsnprintf(r->detail, sizeof r->detail, fmt, ap);
    va_end(ap);
}

/* The same about what is asked for at present. */
static void note_asked(struct pd_read *r, const char *what)
{
    char place[MB_PLACE];

    mb_place(&r->chunk.ask, place);
    note(r, "%s: %s", place, what);
}

/* ---- Life ---- */

/* One that lay idle, or a new one; all zeroes. */
static struct pd_read *take_read(struct mb_core *core)
{
    struct pd_read *r = core->idle;

    if (!r)
        return xcalloc(1, sizeof *r);
    core->idle = r->next;
    memset(r, 0, offsetof(struct pd_read, detail) + 1);
    return r;
}

static void leave_read(struct mb_core *core, struct pd_read *r)
{
    mb_plan_free(r->owned);
    r->next = core->idle;
    core->idle = r;
}

void mb_core_fini(struct mb_core *core)
{
    for (struct pd_read *r; (r = core->idle) != NULL;) {
        core->idle = r->next;
        free(r);
    }
    free(core->cells);
    free(core->room);
}

/*
 * The last thing that is done with a read, unless its sink is being called: then whoever called leaves it. Whatever
 * the sink does, it finds neither the read nor, perhaps, the device again.
 */
static void finish(struct pd_read *r, enum pd_read_status status)
{
    struct mb_core *core = r->device->core;
    struct pd_sink sink = r->sink;
    struct pd_read_result result = r->result;
    char detail[DETAIL];

    mb_request_withdraw(&r->request);
    wheel_unset(core->rules.services->wheel, &r->nothing);
    r->device->read = NULL;
    r->ended = true;
    result.status = status;
    result.requests = r->request.sent;
    result.sent_ms = r->request.first_ms;
    result.retries = r->request.sent > r->submitted ? r->request.sent - r->submitted : 0;
    if (r->detail[0])
        result.detail = memcpy(detail, r->detail, sizeof detail);
    if (!r->busy)
        leave_read(core, r);
    sink.end(sink.arg, &result);
}

/* Hands the collected cells over. False if the sink ended the read meanwhile; it is gone then. */
static bool deliver(struct pd_read *r)
{
    size_t n = r->ncells;

    if (n == 0)
        return true;
    r->ncells = 0;
    r->busy = true;
    r->sink.cells(r->sink.arg, r->device->core->cells, n);
    r->busy = false;
    if (!r->ended)
        return true;
    mb_plan_free(r->owned);
    free(r); /* the collector itself may be gone */
    return false;
}

/* ---- Cells ---- */

static void make_room(struct mb_core *c, size_t n)
{
    if (n <= c->cap)
        return;
    c->cells = xreallocarray(c->cells, n, sizeof *c->cells);
    c->room = xreallocarray(c->room, n, sizeof *c->room);
    c->cap = n;
}

/* A cell for the item, without its value. */
static inline struct pd_cell *add_cell(struct pd_read *r, const struct mb_item *item, struct mb_core *core, bool walk)
{
    uint32_t *instance = core->room[r->ncells].instance;
    struct pd_cell *c = &core->cells[r->ncells++];

    *c = (struct pd_cell){
        .source = item->source, .type = PD_CELL_ABSENT, .ninstance = item->row ? 1 : 0, .instance = instance};
    instance[0] = item->row;
    if (walk) {
        instance[0] = mb_space_digit(item->a.function);
        instance[1] = item->at;
        c->ninstance = 2;
    }
    return c;
}

/* The same with the value, which the block holds. */
static inline void add_value(struct pd_read *r, const struct mb_item *item, struct mb_core *core, bool walk,
                             struct mb_block *block)
{
    uint8_t *flags = core->room[r->ncells].flags;
    struct pd_cell *c = add_cell(r, item, core, walk);

    if (item->plain) {
        c->type = PD_CELL_UINT;
        c->u = mb_register(block, item->at);
    } else {
        mb_value(&item->a, item->at, block, flags, c);
    }
}

/*
 * Passes the items before `end`: those that the device does not have are ABSENT, or are rows that are
 * not there; the others are in the block. Without one they are passed over.
 */
static void collect(struct pd_read *r, size_t end, struct mb_block *block)
{
    const struct pd_device *d = r->device;
    const struct mb_item *items = r->plan->items;
    const bool walk = r->plan->walk, special = d->learnt.marks || d->merge.nholes > 0;
    const uint32_t parts = r->parts;
    struct mb_core *core = d->core;

    make_room(core, r->plan->n);
    for (size_t i = r->at; i < end; i++) {
        const struct mb_item *item = &items[i];

        if (!mb_wanted(item, parts))
            continue;
        if (special && mb_plan_lacks(&d->learnt, &d->merge, item)) {
            if (item->row == 0)
                (void)add_cell(r, item, core, walk);
        } else if (block) {
            add_value(r, item, core, walk, block);
        }
    }
    r->at = end > r->at ? end : r->at;
}

/* ---- Answers ---- */

static void take_data(struct pd_read *r, const struct mb_reply *reply)
{
    struct pd_device *d = r->device;
    struct mb_block *block = &d->core->block;

    if (mb_learnt_is(&d->learnt, &r->plan->items[r->chunk.first], MB_MARK_ABSENT))
        mb_learnt_forget(&d->learnt); /* it was asked all the same, and is there now */
    mb_block_init(block, &r->chunk.ask, reply->data);
    collect(r, r->chunk.end, block);
}

static void mark_absent(struct pd_read *r)
{
    for (size_t i = r->chunk.first; i < r->chunk.end; i++) {
        if (mb_wanted(&r->plan->items[i], r->parts))
            mb_learnt_mark(&r->device->learnt, &r->plan->items[i], MB_MARK_ABSENT);
    }
}

/* An illegal address may be any of those that were asked for; an illegal value may be their number. */
static void take_exception(struct pd_read *r, const struct mb_reply *reply)
{
    bool address = reply->exception == MB_ILLEGAL_ADDRESS || reply->exception == MB_ILLEGAL_VALUE;
    bool cut =
        address && mb_plan_cut(r->plan, r->parts, &r->device->learnt, &r->chunk, reply->exception == MB_ILLEGAL_VALUE);

    if (cut && (r->plan->walk || r->cuts++ < MAX_CUTS))
        return; /* and asks for the first piece */
    if (!cut && (address || reply->exception == MB_ILLEGAL_FUNCTION))
        mark_absent(r);
    else if (cut)
        note_asked(r, "refused in part; the next read will ask for less");
    else
        note_asked(r, reply->why);
    collect(r, r->chunk.end, NULL);
}

/* The status with which the read ends at once, or PD_READ_DONE where it goes on. */
static enum pd_read_status take_failure(struct pd_read *r, const struct mb_reply *reply)
{
    r->result.fell_silent = r->answered && reply->outcome != MB_GARBLED;
    if (reply->outcome == MB_DOWN) {
        note(r, "%s", reply->why);
        return r->answered ? PD_READ_PARTIAL : PD_READ_NOANSWER;
    }
    if (reply->outcome == MB_GARBLED) {
        r->answered = r->broken = true;
    } else if (!r->answered) {
        note(r, "%s (%u tries)", reply->why, (unsigned)r->request.sent);
        return PD_READ_NOANSWER;
    }
    note_asked(r, reply->why);
    collect(r, r->chunk.end, NULL);
    if (++r->failed < MAX_FAILED)
        return PD_READ_DONE;
    return r->broken ? PD_READ_BROKEN : PD_READ_PARTIAL;
}

/* ---- Step by step ---- */

static void submit(struct pd_read *r)
{
    r->submitted++;
    r->request.ask = r->chunk.ask;
    mb_request_submit(&r->request);
}

static const char *over_limit(const struct pd_read *r)
{
    const struct mb_core *c = r->device->core;

    if (now(r) - r->started_ms >= c->max_ms)
        return "not asked for: the read took too long";
    if (r->request.held_ms >= c->hold_ms && !r->plan->walk)
        return "not asked for: the read held its line for too long";
    return NULL;
}

/* Asks on, or ends the read. */
static void step(struct pd_read *r)
{
    struct pd_device *d = r->device;
    const char *over;

    if (!mb_plan_next(r->plan, r->at, r->parts, &d->learnt, &d->merge, &r->chunk)) {
        collect(r, r->plan->n, NULL);
        if (deliver(r))
            finish(r, r->broken ? PD_READ_BROKEN : r->detail[0] ? PD_READ_PARTIAL : PD_READ_DONE);
    } else if ((over = over_limit(r)) != NULL) {
        note_asked(r, over);
        finish(r, r->broken ? PD_READ_BROKEN : PD_READ_PARTIAL);
    } else {
        submit(r);
    }
}

static void on_ended(struct mb_request *q, const struct mb_reply *reply)
{
    struct pd_read *r = read_of(q);
    enum pd_read_status end = PD_READ_DONE;
    bool fits = reply->outcome == MB_DATA || reply->outcome == MB_EXCEPTION;

    if (fits && r->result.rtt_ms < 0)
        r->result.rtt_ms = q->took_ms;
    if (fits) {
        r->answered = true;
        r->result.fell_silent = false;
        r->failed = 0;
    }
    if (reply->outcome == MB_DATA)
        take_data(r, reply);
    else if (reply->outcome == MB_EXCEPTION)
        take_exception(r, reply);
    else
        end = take_failure(r, reply);
    if (!deliver(r))
        return;
    if (end != PD_READ_DONE)
        finish(r, end);
    else
        step(r);
}

static void on_idle(void *arg)
{
    struct pd_read *r = arg;

    finish(r, r->detail[0] ? PD_READ_NOANSWER : PD_READ_DONE);
}

/* ---- Start and end ---- */

/* What the read begins with; false if it has nothing to ask. */
static bool choose_first(struct pd_read *r)
{
    struct pd_device *d = r->device;
    int64_t quiet = mb_unit_quiet(&d->unit, r->started_ms);

    if (quiet > 0) {
        note(r, "left alone for %lld ms more: it did not answer %u times in a row", (long long)quiet, d->unit.failed);
        return false;
    }
    if (r->started_ms >= d->learnt.forget_ms) {
        mb_learnt_forget(&d->learnt);
        d->learnt.forget_ms = r->started_ms + d->core->absent_ms;
    }
    if (mb_plan_next(r->plan, 0, r->parts, &d->learnt, &d->merge, &r->chunk))
        return true;
    /* All is absent: one is asked for nevertheless, else the device could be gone and nobody would know. */
    return mb_plan_first(r->plan, r->parts, &d->merge, &r->chunk);
}

static struct pd_read *start(struct pd_device *d, const struct pd_plan *plan, struct pd_plan *owned, uint32_t parts,
                             const struct pd_sink *sink)
{
    struct pd_read *r = take_read(d->core);

    r->device = d;
    r->plan = plan;
    r->owned = owned;
    r->parts = parts;
    r->sink = *sink;
    r->result.rtt_ms = -1;
    r->started_ms = now(r);
    mb_request_init(&r->request, &d->unit, on_ended);
    timer_init(&r->nothing, on_idle, r);
    d->read = r;
    if (choose_first(r))
        submit(r);
    else
        wheel_set(d->core->rules.services->wheel, &r->nothing, r->started_ms);
    return r;
}

void mb_read_start(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                   struct pd_read **out)
{
    *out = start(d, plan, NULL, parts, sink);
}

void mb_walk_start(struct pd_device *d, struct pd_plan *plan, const struct pd_sink *sink, struct pd_read **out)
{
    *out = start(d, plan, plan, UINT32_MAX, sink);
}

void mb_read_cancel(struct pd_read *r)
{
    if (r->ended)
        return;
    note(r, "cancelled");
    finish(r, PD_READ_CANCELLED);
}
