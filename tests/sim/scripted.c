#include "scripted.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/*
 * What a plan reads of a machine is found out once and kept until variables
 * come or go: the cells ready made, so that a poll only renews those that move.
 */
enum { CELLS_A_REQUEST = 32, TIMEOUT_MS = 2000, RETRIES = 3 };

struct item {
    struct oid oid;
    uint32_t source;
    uint8_t part;
    bool table;
};

struct pd_plan {
    struct item *items;
    size_t n;
    uint64_t serial;
};

/* The cells that some parts of a plan have on a machine. */
struct picture {
    const struct pd_plan *plan; /* NULL: a walk below root */
    uint64_t serial;
    struct oid root;
    uint32_t parts, shape, version;
    bool drawn;
    ARRAY(struct pd_cell) cells;
    ARRAY(uint32_t) vars;   /* of each cell, its place in the device; UINT32_MAX: absent */
    ARRAY(uint32_t) moving; /* places of cells that move by themselves */
};

struct pd_collector {
    struct pd_services services;
    struct scripted_config config;
    ARRAY(struct pd_device *) devices;
    uint64_t plans, reads, lost, cells;
};

struct pd_read {
    struct pd_device *device;
    struct picture *picture;
    struct pd_sink sink;
    struct timer timer;
    bool on;
    int64_t began_ms;
    uint32_t tries, requests, retries;
    size_t answered; /* cells that arrived */
    enum pd_read_status status;
    const char *detail;
};

struct pd_device {
    struct pd_collector *collector;
    char *address;
    struct machine *machine; /* who was there last; NULL: nobody */
    bool refuses;            /* the community is wrong */
    int64_t timeout_ms;
    uint32_t tries;
    ARRAY(struct picture *) pictures;
    struct picture walk;
    struct pd_read read;
};

static int64_t now(const struct pd_collector *c)
{
    return c->config.now_ms(c->config.ctx);
}

/* ---- Start and stop ---- */

static int start(const struct pd_services *services, const void *config, struct pd_collector **out)
{
    struct pd_collector *c = xcalloc(1, sizeof *c);

    c->services = *services;
    c->config = *(const struct scripted_config *)config;
    *out = c;
    return 0;
}

static void device_close(struct pd_device *d);

static void stop(struct pd_collector *c)
{
    while (c->devices.n > 0)
        device_close(c->devices.v[c->devices.n - 1]);
    array_free(&c->devices);
    free(c);
}

/* ---- Plans ---- */

static int compile(struct pd_collector *c, const struct pd_source *sources, size_t n, struct pd_plan **out,
                   struct pd_compile_error *err)
{
    struct pd_plan *p = xcalloc(1, sizeof *p);

    p->items = xcalloc(n + 1, sizeof *p->items);
    p->n = n;
    p->serial = ++c->plans;
    for (size_t i = 0; i < n; i++) {
        const char *why;
        struct item *item = &p->items[i];

        if (oid_parse(sources[i].address, &item->oid, &why) < 0) {
            *err = (struct pd_compile_error){.source = (uint32_t)i};
            strncpy(err->msg, why, sizeof err->msg - 1);
            free(p->items);
            free(p);
            return PD_EINVAL;
        }
        item->source = sources[i].id;
        item->part = sources[i].part;
        item->table = sources[i].table;
    }
    *out = p;
    return 0;
}

static void plan_free(struct pd_plan *p)
{
    if (p == NULL)
        return;
    free(p->items);
    free(p);
}

/* ---- Pictures ---- */

static void set_value(struct pd_cell *cell, const struct simvar *v, int64_t now_ms)
{
    switch (v->type) {
    case SNMP_INTEGER:
        cell->type = PD_CELL_INT;
        cell->i = simvar_int(v, now_ms);
        break;
    case SNMP_TIMETICKS:
        cell->type = PD_CELL_TICKS;
        cell->u = simvar_uint(v, now_ms);
        break;
    case SNMP_OID:
        cell->type = PD_CELL_OID;
        cell->oid = v->ids;
        cell->nbytes = v->n;
        break;
    case SNMP_OCTETS:
    case SNMP_IPADDRESS:
    case SNMP_OPAQUE:
        cell->type = PD_CELL_BYTES;
        cell->bytes = v->bytes;
        cell->nbytes = v->n;
        break;
    default:
        cell->type = PD_CELL_UINT;
        cell->u = simvar_uint(v, now_ms);
        break;
    }
}

static void add_cell(struct picture *p, const struct simdev *d, uint32_t source, size_t var, size_t prefix)
{
    struct pd_cell cell = {.source = source, .type = PD_CELL_ABSENT};

    if (var != UINT32_MAX) {
        cell.instance = d->vars.v[var].oid + prefix;
        cell.ninstance = (uint16_t)(d->vars.v[var].noid - prefix);
        if (d->vars.v[var].ramp.den != 0)
            array_push(&p->moving, (uint32_t)p->cells.n);
    }
    array_push(&p->vars, (uint32_t)var);
    array_push(&p->cells, cell);
}

static void add_column(struct picture *p, const struct simdev *d, uint32_t source, const uint32_t *root, size_t n,
                       size_t prefix)
{
    for (size_t i = simdev_find(d, root, n); i < d->vars.n && oid_below(root, n, d->vars.v[i].oid, d->vars.v[i].noid);
         i++)
        add_cell(p, d, source, i, prefix);
}

static void add_scalar(struct picture *p, const struct simdev *d, const struct item *item)
{
    const struct simvar *v = simdev_get(d, item->oid.id, item->oid.n);

    add_cell(p, d, item->source, v != NULL ? (size_t)(v - d->vars.v) : UINT32_MAX, item->oid.n);
}

static void draw(struct picture *p, const struct simdev *d)
{
    p->cells.n = p->vars.n = p->moving.n = 0;
    if (p->plan == NULL)
        add_column(p, d, 0, p->root.id, p->root.n, 0);
    for (size_t i = 0; p->plan != NULL && i < p->plan->n; i++) {
        const struct item *item = &p->plan->items[i];

        if (!(p->parts >> item->part & 1))
            continue;
        if (item->table)
            add_column(p, d, item->source, item->oid.id, item->oid.n, item->oid.n);
        else
            add_scalar(p, d, item);
    }
    p->shape = d->shape;
    p->version = d->version - 1;
    p->drawn = true;
}

/* Brings a picture up to date. */
static void refresh(struct picture *p, const struct simdev *d, int64_t now_ms)
{
    if (!p->drawn || p->shape != d->shape)
        draw(p, d);
    if (p->version != d->version) {
        for (size_t i = 0; i < p->cells.n; i++)
            if (p->vars.v[i] != UINT32_MAX)
                set_value(&p->cells.v[i], &d->vars.v[p->vars.v[i]], now_ms);
        p->version = d->version;
        return;
    }
    for (size_t i = 0; i < p->moving.n; i++)
        set_value(&p->cells.v[p->moving.v[i]], &d->vars.v[p->vars.v[p->moving.v[i]]], now_ms);
}

/* The picture, empty if it is asked for the first time. */
static struct picture *picture_of(struct pd_device *d, const struct pd_plan *plan, uint32_t parts)
{
    struct picture *p;

    for (size_t i = 0; i < d->pictures.n; i++)
        if (d->pictures.v[i]->plan == plan && d->pictures.v[i]->serial == plan->serial &&
            d->pictures.v[i]->parts == parts)
            return d->pictures.v[i];
    p = xcalloc(1, sizeof *p);
    p->plan = plan;
    p->serial = plan->serial;
    p->parts = parts;
    array_push(&d->pictures, p);
    return p;
}

static void picture_fini(struct picture *p)
{
    array_free(&p->cells);
    array_free(&p->vars);
    array_free(&p->moving);
}

/* ---- Devices ---- */

static void attempt(void *arg);

static int device_open(struct pd_collector *c, const struct pd_target *target, struct pd_device **out)
{
    struct pd_device *d = xcalloc(1, sizeof *d);

    d->collector = c;
    d->address = xstrdup(target->address);
    d->refuses = strcmp(target->community, "public") != 0;
    d->timeout_ms = target->timeout_ms > 0 ? target->timeout_ms : TIMEOUT_MS;
    d->tries = 1 + (uint32_t)(target->retries >= 0 ? target->retries : RETRIES);
    array_push(&c->devices, d);
    *out = d;
    return 0;
}

static void end_read(struct pd_read *r, enum pd_read_status status, const char *detail)
{
    struct pd_device *d = r->device;
    const struct scripted_config *config = &d->collector->config;
    const struct pd_read_result result = {
        .status = status,
        .requests = r->requests,
        .retries = r->retries,
        .rtt_ms = r->answered > 0 ? (int32_t)config->delay_ms : -1,
        .detail = detail,
    };

    r->on = false;
    wheel_unset(d->collector->services.wheel, &r->timer);
    d->collector->reads++;
    d->collector->cells += r->answered;
    if (config->tally != NULL)
        config->tally(config->ctx, r->answered);
    r->sink.end(r->sink.arg, &result);
}

static void cancel(struct pd_read *r)
{
    end_read(r, PD_READ_CANCELLED, "cancelled");
}

static void device_close(struct pd_device *d)
{
    struct pd_collector *c = d->collector;

    if (d->read.on)
        cancel(&d->read);
    for (size_t i = 0; i < d->pictures.n; i++) {
        picture_fini(d->pictures.v[i]);
        free(d->pictures.v[i]);
    }
    array_free(&d->pictures);
    picture_fini(&d->walk);
    for (size_t i = 0; i < c->devices.n; i++) {
        if (c->devices.v[i] == d) {
            array_remove(&c->devices, i);
            break;
        }
    }
    free(d->address);
    free(d);
}

/* ---- Reads ---- */

static void set_timer(struct pd_read *r, timer_fn fn, int64_t ms)
{
    struct pd_collector *c = r->device->collector;

    r->timer.fn = fn;
    wheel_set(c->services.wheel, &r->timer, clock_mono(&c->services.clock) + ms);
}

/* Tries that one request needs, or 0: all of them got lost. */
static uint32_t tries_needed(const struct pd_device *d, double loss)
{
    const struct pd_rng *rng = &d->collector->services.rng;

    for (uint32_t k = 1; k <= d->tries; k++) {
        bool arrived = rng_unit(rng) >= loss;

        if (arrived && rng_unit(rng) >= loss)
            return k;
    }
    return 0;
}

/* The answers are here: as many cells as the read came to before a request was lost for good. */
static void deliver(void *arg)
{
    struct pd_read *r = arg;
    struct pd_device *d = r->device;
    const struct pd_cell *cells;

    refresh(r->picture, &d->machine->dev, now(d->collector));
    cells = r->picture->cells.v;
    if (r->answered > r->picture->cells.n || r->status == PD_READ_DONE)
        r->answered = r->picture->cells.n;
    for (size_t i = 0; i < r->answered && r->on; i += CELLS_A_REQUEST)
        r->sink.cells(r->sink.arg, cells + i, r->answered - i < CELLS_A_REQUEST ? r->answered - i : CELLS_A_REQUEST);
    if (r->on)
        end_read(r, r->status, r->detail);
}

static void give_up(void *arg)
{
    end_read(arg, PD_READ_NOANSWER, "no answer");
}

static void note_unread(struct pd_read *r, int64_t ms)
{
    const struct scripted_config *config = &r->device->collector->config;

    r->device->collector->lost++;
    if (config->unread != NULL)
        config->unread(config->ctx, r->device->machine->number, r->began_ms, now(r->device->collector) + ms);
}

/* Plays all requests of a read to a machine that is on; one that is lost for good ends it. */
static void converse(struct pd_read *r)
{
    struct pd_device *d = r->device;
    double loss = site_loss(d->collector->config.site, d->machine) / 100;
    size_t total;
    int64_t ms = 0;

    refresh(r->picture, &d->machine->dev, now(d->collector));
    total = r->picture->cells.n;
    r->status = PD_READ_DONE;
    r->detail = NULL;
    for (r->answered = 0; r->answered < total || total == 0; r->answered += CELLS_A_REQUEST) {
        uint32_t tries = loss > 0 ? tries_needed(d, loss) : 1;

        r->requests += tries > 0 ? tries : d->tries;
        r->retries += (tries > 0 ? tries : d->tries) - 1;
        if (tries == 0) {
            ms += d->tries * d->timeout_ms;
            note_unread(r, ms);
            r->status = PD_READ_PARTIAL;
            r->detail = "a request was not answered";
            break;
        }
        ms += (tries - 1) * d->timeout_ms + d->collector->config.delay_ms;
        if (total == 0)
            break;
    }
    if (r->status == PD_READ_PARTIAL && r->answered == 0) {
        set_timer(r, give_up, ms);
        return;
    }
    set_timer(r, deliver, ms);
}

/* Machines move: who lives at the address now. What was known of another one is forgotten. */
static struct machine *whom(struct pd_device *d)
{
    struct machine *m = d->machine;

    if (m != NULL && strcmp(m->address, d->address) == 0)
        return m;
    m = site_find(d->collector->config.site, d->address);
    for (size_t i = 0; m != d->machine && i < d->pictures.n; i++)
        d->pictures.v[i]->drawn = false;
    d->machine = m;
    return m;
}

/* One try at a machine that may be off, or somebody who never answers. */
static void attempt(void *arg)
{
    struct pd_read *r = arg;
    struct pd_device *d = r->device;
    const struct machine *m = whom(d);

    if (m != NULL && machine_speaks(m) && m->dev.vars.n > 0 && !d->refuses) {
        converse(r);
        return;
    }
    r->requests++;
    r->retries = r->requests - 1;
    r->tries++;
    set_timer(r, r->tries < d->tries ? attempt : give_up, d->timeout_ms);
}

static void begin(struct pd_device *d, struct picture *picture, const struct pd_sink *sink, struct pd_read **out)
{
    d->read =
        (struct pd_read){.device = d, .picture = picture, .sink = *sink, .on = true, .began_ms = now(d->collector)};
    timer_init(&d->read.timer, attempt, &d->read);
    *out = &d->read;
    attempt(&d->read);
}

static int device_read(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                       struct pd_read **out)
{
    if (d->read.on)
        return PD_EBUSY;
    begin(d, picture_of(d, plan, parts), sink, out);
    return 0;
}

static int walk(struct pd_device *d, const char *root, const struct pd_sink *sink, struct pd_read **out)
{
    const char *why;

    if (d->read.on)
        return PD_EBUSY;
    if (oid_parse(root, &d->walk.root, &why) < 0)
        return PD_EINVAL;
    d->walk.drawn = false;
    begin(d, &d->walk, sink, out);
    return 0;
}

static void counters(struct pd_collector *c, void (*put)(void *arg, const char *name, uint64_t value), void *arg)
{
    put(arg, "reads", c->reads);
    put(arg, "lost", c->lost);
    put(arg, "cells", c->cells);
}

const struct pd_collector_ops scripted_ops = {
    .name = "snmp",
    .start = start,
    .stop = stop,
    .compile = compile,
    .plan_free = plan_free,
    .open = device_open,
    .close = device_close,
    .read = device_read,
    .walk = walk,
    .cancel = cancel,
    .counters = counters,
};
