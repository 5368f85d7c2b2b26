#include "plugins/snmp/reading.h"

#include <assert.h>

enum {
    MAX_SCALARS = 20,     /* in one GET */
    MAX_RIDERS = 16,      /* scalars beside a table */
    RIDER_BYTES = 300,    /* of them all */
    MAX_COLUMNS = 32,     /* side by side */
    FIRST_BULK = 8,       /* varbinds of a device's first GETBULK: a small reply gets through wherever bulk works */
    REQUEST_BYTES = 1150, /* varbinds of a request, so that head and community fit in a frame beside them */
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
    return n;
}

static void open_group(struct pd_read *r, const struct snmp_group *g)
{
    for (uint16_t i = g->first; i < g->first + g->n; i++) {
        if (r->parts >> r->plan->items[i].part & 1)
            open_column(r, i);
    }
    r->rows[r->group] = 0; /* raised again as its columns end */
}

/* Opens the next table, and those behind it that come along in the same request if they are as small as last time. */
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
        if (r->cursors.n > 0 && columns * (most + 1) > r->device->max_varbinds)
            return;
        open_group(r, g);
        r->expect = (uint16_t)most;
        if (rows == SNMP_UNKNOWN_ROWS) {
            r->group++;
            return;
        }
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

    return d->peer.version != SNMP_V1 && !r->no_bulk &&
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

    if (r->no_riders || d->bulk != SNMP_BULK_YES || !may_bulk(r) || r->nscalars > MAX_RIDERS)
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

bool snmp_ask_next(struct pd_read *r)
{
    size_t max = at_most(r->device->max_varbinds, r->narrow ? r->narrow : SNMP_MAX_VARBINDS);
    size_t room = r->device->answered ? REQUEST_BYTES : FIRST_BYTES;

    if (r->cursors.n == 0)
        open_tables(r);
    r->nget = r->width = r->reps = 0;
    if (r->nscalars > 0 && !may_ride(r)) {
        r->type = SNMP_GET;
        r->nget = fit_scalars(r, at_most(max, MAX_SCALARS), room);
        return true;
    }
    if (r->cursors.n == 0)
        return false;
    if (r->nscalars > 0) {
        r->nget = (uint16_t)r->nscalars;
        room -= RIDER_BYTES;
    }
    r->width = fit_columns(r, at_most(max, MAX_COLUMNS), room);
    r->type = may_bulk(r) ? SNMP_GETBULK : SNMP_GETNEXT;
    r->reps = r->type == SNMP_GETBULK ? repetitions(r) : 1;
    return true;
}

unsigned snmp_ask_size(const struct pd_read *r)
{
    return r->nget + (unsigned)r->width * r->reps;
}

size_t snmp_ask_encode(const struct pd_read *r, int32_t id, uint8_t buf[SNMP_REQUEST_SIZE])
{
    const struct snmp_peer *peer = &r->device->peer;
    struct snmp_msg head = {.version = peer->version, .type = r->type, .request_id = id};
    struct snmp_writer w;

    head.community = (const uint8_t *)peer->community;
    head.ncommunity = peer->ncommunity;
    if (r->type == SNMP_GETBULK) {
        head.non_repeaters = r->nget;
        head.max_repetitions = r->reps;
    }
    snmp_begin(&w, buf, SNMP_REQUEST_SIZE, &head);
    for (uint16_t i = 0; i < r->nget; i++) {
        const struct snmp_item *it = &r->plan->items[r->scalars[i]];

        if (r->type == SNMP_GETBULK)
            snmp_put_name(&w, it->oid, it->noid - 1u, NULL, 0);
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
