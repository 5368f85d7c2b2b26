#include "plugins/snmp/reading.h"

#include <assert.h>

enum {
    MAX_RIDERS = 16,      /* scalars beside a table */
    RIDER_BYTES = 300,    /* of them all */
    FIRST_BULK = 8,       /* varbinds of a device's first GETBULK: a small reply gets through wherever bulk works */
    UNKNOWN_COLUMNS = 24, /* of tables of which nothing is known, side by side */
    FIRST_BYTES = 400,    /* before the device ever answered: every agent takes 484 bytes (RFC 3417, section 3.2.1) */
    MAX_SUBID_BYTES = 5,
    USUAL_CELL = 22,   /* bytes that a cell takes in an answer, */
    USUAL_SCALAR = 40, /* and a scalar */
};

static unsigned at_most(size_t a, size_t b)
{
    return (unsigned)(a < b ? a : b);
}

/* ---- Tables ---- */

static void open_column(struct pd_read *r, uint16_t item)
{
    struct cursor c = {.item = item, .table = r->next_table};

    array_push(&r->cursors, c);
}

static uint16_t active_columns(const struct pd_read *r, const struct snmp_group *g)
{
    uint16_t n = 0;

    for (uint16_t i = 0; i < g->n; i++)
        n += r->parts >> r->plan->items[g->first + i].part & 1;
    return snmp_ask_context(r, &r->plan->items[g->first]) ? n : 0;
}

void snmp_ask_tables(struct pd_read *r)
{
    r->ntables = r->next_table = 0;
    for (uint16_t i = 0; i < r->plan->ngroups; i++) {
        struct table t = {.group = i, .columns = active_columns(r, &r->plan->groups[i])};
        uint16_t at = r->ntables;

        if (t.columns == 0)
            continue;
        for (; at > 0 && r->learnt[r->tables[at - 1].group].rows > r->learnt[i].rows; at--)
            r->tables[at] = r->tables[at - 1];
        r->tables[at] = t;
        r->ntables++;
    }
}

static void open_table(struct pd_read *r)
{
    uint16_t group = r->tables[r->next_table].group;
    const struct snmp_group *g = &r->plan->groups[group];

    for (uint16_t i = g->first; i < g->first + g->n; i++) {
        if (r->parts >> r->plan->items[i].part & 1)
            open_column(r, i);
    }
    r->learnt[group].rows = 0; /* raised again as its columns end */
    r->next_table++;
}

/* ---- What fits into an answer ---- */

/* Columns that are asked for side by side. */
struct bundle {
    unsigned columns, bytes; /* bytes: of a row of all of them */
    unsigned rows;           /* of the longest, or SNMP_UNKNOWN_ROWS */
};

static unsigned cell_bytes(const struct pd_read *r, uint16_t table)
{
    unsigned bytes = r->learnt[r->tables[table].group].bytes;

    return bytes ? bytes : USUAL_CELL;
}

/* Rows of the bundle beside so many scalars. */
static unsigned rows_in_answer(const struct pd_read *r, const struct bundle *b, unsigned scalars)
{
    const struct pd_device *d = r->device;
    unsigned scalar_bytes = scalars * (d->scalar_bytes ? d->scalar_bytes : USUAL_SCALAR);
    unsigned varbinds = d->max_varbinds > scalars ? d->max_varbinds - scalars : 0;
    unsigned bytes = d->answer_bytes > scalar_bytes ? d->answer_bytes - scalar_bytes : 0;
    unsigned n = at_most(at_most(varbinds / b->columns, bytes / b->bytes), d->max_repetitions);

    return n ? n : 1;
}

/* Requests that read the bundle to its end, the first with so many scalars beside it. */
static unsigned requests_for(const struct pd_read *r, const struct bundle *b, unsigned scalars)
{
    unsigned need = b->rows + 1, first = rows_in_answer(r, b, scalars), later = rows_in_answer(r, b, 0);

    return need <= first ? 1 : 1 + (need - first + later - 1) / later;
}

static struct bundle table_bundle(const struct pd_read *r, uint16_t table)
{
    unsigned columns = r->tables[table].columns;

    return (struct bundle){
        .columns = columns, .bytes = columns * cell_bytes(r, table), .rows = r->learnt[r->tables[table].group].rows};
}

static struct bundle open_bundle(const struct pd_read *r, unsigned width)
{
    struct bundle b = {.columns = width, .rows = r->expect};

    for (unsigned i = 0; i < width; i++)
        b.bytes += cell_bytes(r, r->cursors.v[i].table);
    return b;
}

/* The next table beside those before it: only where that saves a request. */
static struct bundle joined(const struct bundle *a, const struct bundle *b)
{
    return (struct bundle){.columns = a->columns + b->columns, .bytes = a->bytes + b->bytes, .rows = b->rows};
}

static bool come_along(const struct pd_read *r, const struct bundle *open, const struct bundle *next, unsigned scalars)
{
    struct bundle both = joined(open, next);

    if (next->rows == SNMP_UNKNOWN_ROWS) /* most of what nobody has read yet is not there, which one answer tells */
        return both.columns <= UNKNOWN_COLUMNS;
    return both.columns <= SNMP_MAX_COLUMNS &&
           requests_for(r, &both, scalars) < requests_for(r, open, scalars) + requests_for(r, next, 0);
}

/* ---- Scalars beside tables ---- */

/* A device is asked in bulk only once it has answered anything: what never answers GETBULK may still be alive. */
static bool may_bulk(const struct pd_read *r)
{
    const struct pd_device *d = r->device;

    return r->peer.version != SNMP_V1 && !r->no_bulk &&
           (d->bulk == SNMP_BULK_YES || (d->bulk == SNMP_BULK_UNKNOWN && r->answered));
}

/* The scalars left, if they may go with a table's request: as non-repeaters they are found by the name before them. */
static unsigned riders(const struct pd_read *r)
{
    const struct pd_device *d = r->device;
    size_t bytes = 0;

    if (r->no_riders || d->no_riders || d->bulk != SNMP_BULK_YES || !may_bulk(r) || r->nscalars > MAX_RIDERS)
        return 0;
    for (size_t i = 0; i < r->nscalars; i++)
        bytes += r->plan->items[r->scalars[i]].nbefore;
    return bytes <= RIDER_BYTES ? (unsigned)r->nscalars : 0;
}

/* True if the scalars left go with the request for the open tables, whose end they must not put off. */
static bool may_ride(const struct pd_read *r)
{
    unsigned scalars = riders(r);
    struct bundle b;

    if (scalars == 0 || r->cursors.n == 0 || r->expect == SNMP_UNKNOWN_ROWS)
        return false;
    b = open_bundle(r, (unsigned)r->cursors.n);
    return scalars + b.columns <= r->device->max_varbinds && requests_for(r, &b, scalars) <= requests_for(r, &b, 0);
}

/*
 * Opens the next table, and those behind it that come along in the same request: if that saves one as long as they
 * are as last time, or if nothing is known of any of them.
 */
static void open_tables(struct pd_read *r)
{
    struct bundle open = {0};

    r->no_bulk = r->suspect = r->bulk_again = false;
    r->narrow = 0;
    for (; r->next_table < r->ntables; open_table(r)) {
        struct bundle next = table_bundle(r, r->next_table);

        if (r->cursors.n > 0 && !come_along(r, &open, &next, riders(r)))
            return;
        open = joined(&open, &next);
        r->expect = (uint16_t)open.rows;
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
    struct bundle b = open_bundle(r, r->width);
    unsigned reps = rows_in_answer(r, &b, r->nget);

    assert(r->width > 0);
    if (d->bulk != SNMP_BULK_YES)
        reps = at_most(reps, FIRST_BULK / r->width);
    reps = at_most(reps, rows_ahead(r));
    return (uint16_t)(reps ? reps : 1);
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

bool snmp_ask_next(struct pd_read *r)
{
    size_t max = at_most(r->device->max_varbinds, r->narrow ? r->narrow : SNMP_MAX_VARBINDS);
    size_t room = r->device->answered ? r->device->request_bytes : at_most(FIRST_BYTES, r->device->request_bytes);

    if (r->cursors.n == 0)
        open_tables(r);
    r->nget = r->width = r->reps = 0;
    if (r->nscalars > 0 && !may_ride(r)) {
        r->type = scalars_type(r);
        r->nget = fit_scalars(r, at_most(max, SNMP_MAX_SCALARS), room);
        return true;
    }
    if (r->cursors.n == 0)
        return false;
    if (r->nscalars > 0) {
        r->nget = (uint16_t)r->nscalars;
        room -= at_most(RIDER_BYTES, room);
    }
    r->width = fit_columns(r, at_most(max, SNMP_MAX_COLUMNS), room);
    r->type = may_bulk(r) ? SNMP_GETBULK : SNMP_GETNEXT;
    r->reps = r->type == SNMP_GETBULK ? repetitions(r) : 1;
    return true;
}

uint16_t snmp_ask_one_table(const struct pd_read *r)
{
    for (uint16_t i = 1; i < r->width; i++)
        if (r->cursors.v[i].table != r->cursors.v[0].table)
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
            snmp_put_encoded(&w, it->before, it->nbefore);
        else
            snmp_put_encoded(&w, it->encoded, it->nencoded);
    }
    for (uint16_t i = 0; i < r->width; i++) {
        const struct cursor *c = &r->cursors.v[i];
        const struct snmp_item *it = &r->plan->items[c->item];

        if (c->n > 0)
            snmp_put_name(&w, it->oid, it->noid, cursor_last(c), c->n);
        else
            snmp_put_encoded(&w, it->encoded, it->nencoded);
    }
    return snmp_end(&w);
}
