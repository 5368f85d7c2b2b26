#include "plugins/snmp/reading.h"

#include <assert.h>

enum {
    MAX_SCALARS = 20,     /* in one GET */
    MAX_RIDERS = 16,      /* scalars beside a table */
    RIDER_BYTES = 300,    /* of them all */
    MAX_COLUMNS = 32,     /* side by side */
    FIRST_BULK = 8,       /* varbinds of a device's first GETBULK: a small reply gets through wherever bulk works */
    UNKNOWN_COLUMNS = 24, /* of tables of which nothing is known, side by side */
    FIRST_BYTES = 400,    /* before the device ever answered: every agent takes 484 bytes (RFC 3417, section 3.2.1) */
    MAX_SUBID_BYTES = 5,
};

static unsigned at_most(size_t a, size_t b)
{
    return (unsigned)(a < b ? a : b);
}

/* ---- Tables ---- */

static void open_column(struct pd_read *r, uint16_t item)
{
    struct cursor c = {.item = item, .group = r->group};

    array_push(&r->cursors, c);
}

static unsigned active_columns(const struct pd_read *r, const struct snmp_group *g)
{
    unsigned n = 0;

    for (uint16_t i = 0; i < g->n; i++)
        n += r->parts >> r->plan->items[g->first + i].part & 1;
    return snmp_ask_context(r, &r->plan->items[g->first]) ? n : 0;
}

static void open_group(struct pd_read *r, const struct snmp_group *g)
{
    for (uint16_t i = g->first; i < g->first + g->n; i++) {
        if (r->parts >> r->plan->items[i].part & 1)
            open_column(r, i);
    }
    r->rows[r->group] = 0; /* raised again as its columns end */
}

/* True if the columns of the next table come along with those that are open. */
static bool come_along(const struct pd_read *r, unsigned columns, unsigned most)
{
    if (most == SNMP_UNKNOWN_ROWS) /* most of what nobody has read yet is not there, which one answer tells */
        return columns <= UNKNOWN_COLUMNS;
    return columns * (most + 1) <= r->device->max_varbinds;
}

/*
 * Opens the next table, and those behind it that come along in the same request: if they are as small as last time,
 * or nothing is known of any of them.
 */
static void open_tables(struct pd_read *r)
{
    unsigned columns = 0, most = 0;

    r->no_bulk = r->suspect = false;
    r->narrow = 0;
    for (; r->group < r->plan->ngroups; r->group++) {
        const struct snmp_group *g = &r->plan->groups[r->group];
        unsigned n = active_columns(r, g), rows = r->rows[r->group];

        if (n == 0)
            continue;
        most = rows > most ? rows : most;
        columns += n;
        if (r->cursors.n > 0 && !come_along(r, columns, most))
            return;
        open_group(r, g);
        r->expect = (uint16_t)most;
    }
}

/* ---- The next request ---- */

/* How many scalars a request takes. */
static uint16_t fit_scalars(const struct pd_read *r, size_t max, size_t room)
{
    unsigned n = 0;

    for (; n < at_most(r->nscalars, max); n++) {
        size_t need = r->plan->items[r->scalars[n]].nencoded;

        if (n > 0 && need > room)
            break;
        room -= at_most(need, room);
    }
    return (uint16_t)n;
}

/* How many columns a request takes. */
static uint16_t fit_columns(const struct pd_read *r, size_t max, size_t room)
{
    unsigned n = 0;

    for (; n < at_most(r->cursors.n, max); n++) {
        const struct cursor *c = &r->cursors.v[n];
        size_t need = r->plan->items[c->item].nencoded + (size_t)c->n * MAX_SUBID_BYTES;

        if (n > 0 && need > room)
            break;
        room -= at_most(need, room);
    }
    return (uint16_t)n;
}

/* A device is asked in bulk only once it has answered anything: what never answers GETBULK may still be alive. */
static bool may_bulk(const struct pd_read *r)
{
    const struct pd_device *d = r->device;

    return r->peer.version != SNMP_V1 && !r->no_bulk &&
           (d->bulk == SNMP_BULK_YES || (d->bulk == SNMP_BULK_UNKNOWN && r->answered));
}

/* Rows that the columns asked for probably still have, and one more to see the end. */
static unsigned rows_ahead(const struct pd_read *r)
{
    uint32_t least = UINT32_MAX;

    for (uint16_t i = 0; i < r->width; i++)
        least = r->cursors.v[i].rows < least ? r->cursors.v[i].rows : least;
    if (r->expect == SNMP_UNKNOWN_ROWS || least > r->expect)
        return UINT16_MAX;
    return r->expect - least + 1;
}

static uint16_t repetitions(const struct pd_read *r)
{
    const struct pd_device *d = r->device;
    unsigned max = d->bulk == SNMP_BULK_YES ? d->max_varbinds : at_most(FIRST_BULK, d->max_varbinds);
    unsigned reps;

    assert(r->width > 0);
    reps = at_most(max / r->width, d->max_repetitions);
    reps = at_most(reps, rows_ahead(r));
    return (uint16_t)(reps ? reps : 1);
}

/* True if the scalars left can go with the tables' request: as non-repeaters they are found by GETNEXT of their object. */
static bool may_ride(const struct pd_read *r)
{
    const struct pd_device *d = r->device;
    size_t bytes = 0;

    if (r->no_riders || d->no_riders || d->bulk != SNMP_BULK_YES || !may_bulk(r) || r->nscalars > MAX_RIDERS)
        return false;
    for (size_t i = 0; i < r->nscalars; i++) {
        const struct snmp_item *it = &r->plan->items[r->scalars[i]];

        bytes += it->nencoded;
        if (!it->dot_zero || bytes > RIDER_BYTES)
            return false;
    }
    return r->cursors.n > 0 && r->expect != SNMP_UNKNOWN_ROWS &&
           r->nscalars + r->cursors.n * (r->expect + 1u) <= d->max_varbinds;
}

bool snmp_ask_context(const struct pd_read *r, const struct snmp_item *it)
{
    return r->context.listing || it->context == r->context.now;
}

/*
 * How scalars are asked for. Version 1 names one missing scalar an answer and gives nothing of the others; so do some
 * agents in version 2c. GETNEXT of what stands before it tells of each whether it is there.
 */
static uint8_t scalars_type(const struct pd_read *r)
{
    return r->peer.version == SNMP_V1 || r->device->scalars_next ? SNMP_GETNEXT : SNMP_GET;
}

/* The name before a scalar: its object, or the instance one less. */
static void put_before(struct snmp_writer *w, const struct snmp_item *it)
{
    uint32_t before = it->oid[it->noid - 1] - 1;

    snmp_put_name(w, it->oid, it->noid - 1u, &before, it->dot_zero ? 0 : 1);
}

bool snmp_ask_next(struct pd_read *r)
{
    size_t max = at_most(r->device->max_varbinds, r->narrow ? r->narrow : SNMP_MAX_VARBINDS);
    size_t room = r->device->answered ? r->device->request_bytes : at_most(FIRST_BYTES, r->device->request_bytes);

    if (r->cursors.n == 0)
        open_tables(r);
    r->nget = r->width = r->reps = 0;
    if (r->nscalars > 0 && !may_ride(r)) {
        r->type = scalars_type(r);
        r->nget = fit_scalars(r, at_most(max, MAX_SCALARS), room);
        return true;
    }
    if (r->cursors.n == 0)
        return false;
    if (r->nscalars > 0) {
        r->nget = (uint16_t)r->nscalars;
        room -= at_most(RIDER_BYTES, room);
    }
    r->width = fit_columns(r, at_most(max, MAX_COLUMNS), room);
    r->type = may_bulk(r) ? SNMP_GETBULK : SNMP_GETNEXT;
    r->reps = r->type == SNMP_GETBULK ? repetitions(r) : 1;
    return true;
}

uint16_t snmp_ask_one_table(const struct pd_read *r)
{
    for (uint16_t i = 1; i < r->width; i++)
        if (r->cursors.v[i].group != r->cursors.v[0].group)
            return i;
    return 0;
}

unsigned snmp_ask_size(const struct pd_read *r)
{
    return r->nget + (unsigned)r->width * r->reps;
}

size_t snmp_ask_encode(const struct pd_read *r, int32_t id, uint8_t *buf, size_t n)
{
    const struct snmp_peer *peer = &r->peer;
    struct snmp_msg head = {.version = peer->version, .type = r->type, .request_id = id};
    struct snmp_writer w;

    head.community = (const uint8_t *)peer->community;
    head.ncommunity = peer->ncommunity;
    if (r->type == SNMP_GETBULK) {
        head.non_repeaters = r->nget;
        head.max_repetitions = r->reps;
    }
    snmp_begin(&w, buf, n, &head);
    for (uint16_t i = 0; i < r->nget; i++) {
        const struct snmp_item *it = &r->plan->items[r->scalars[i]];

        if (r->type != SNMP_GET)
            put_before(&w, it);
        else
            snmp_put_encoded(&w, it->encoded, it->nencoded);
    }
    for (uint16_t i = 0; i < r->width; i++) {
        const struct cursor *c = &r->cursors.v[i];
        const struct snmp_item *it = &r->plan->items[c->item];

        if (c->n > 0)
            snmp_put_name(&w, it->oid, it->noid, c->last, c->n);
        else
            snmp_put_encoded(&w, it->encoded, it->nencoded);
    }
    return snmp_end(&w);
}
