#include "plugins/snmp/reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "plugins/snmp/cell.h"

/* ---- Does it fit? ---- */

static bool named(const struct snmp_varbind *vb, const struct snmp_item *it)
{
    if (vb->known == it->noid)
        return vb->nname == it->noid;
    return oid_cmp(vb->name, vb->nname, it->oid, it->noid) == 0;
}

static bool fits_get(const struct pd_read *r, const struct snmp_varbinds *vbs)
{
    if (vbs->n != r->nget)
        return false;
    for (size_t i = 0; i < vbs->n; i++) {
        if (!named(&vbs->v[i], &r->plan->items[r->scalars[i]]))
            return false;
    }
    return true;
}

/* A rider's object comes back under its own name (an exception) or, by GETNEXT, under a later one. */
static bool fits_bulk(const struct pd_read *r, const struct snmp_varbinds *vbs)
{
    if (vbs->n > snmp_ask_size(r))
        return false;
    for (size_t i = 0; i < vbs->n && i < r->nget; i++) {
        const struct snmp_item *it = &r->plan->items[r->scalars[i]];
        const struct snmp_varbind *vb = &vbs->v[i];

        if (vb->known != it->noid &&
            oid_cmp(vb->name, vb->nname, it->oid, it->noid - 1u) < (vb->type == SNMP_END_OF_MIB_VIEW ? 0 : 1))
            return false;
    }
    return true;
}

/* The answer's varbinds should be those that were asked for. */
static int decode(const struct pd_read *r, const struct snmp_msg *m, struct snmp_varbinds *out)
{
    const struct snmp_name *names[SNMP_MAX_SCALARS + SNMP_MAX_COLUMNS];
    struct snmp_expected expected = {.names = names, .n = r->nget + (size_t)r->width, .again = r->nget};

    for (uint16_t i = 0; i < r->nget; i++)
        names[i] = &r->plan->items[r->scalars[i]].name;
    for (uint16_t i = 0; i < r->width; i++)
        names[r->nget + i] = &r->plan->items[r->cursors.v[i].item].name;
    return snmp_decode_expected(m, &expected, out);
}

/*
 * That a column's OIDs rise is not asked here: what comes from the right place with
 * the right id but does not rise is an agent going in circles, and that ends the
 * column at once instead of being asked again. An error's varbinds are not looked
 * at: agents return the request's, or none, or half of an answer.
 */
enum snmp_drop snmp_answer_fits(struct pd_read *r, const struct snmp_msg *m)
{
    struct snmp_varbinds *vbs = r->device->core->varbinds;
    bool fits;

    if (decode(r, m, vbs) < 0)
        return SNMP_DROP_MALFORMED;
    if (m->status != 0)
        return SNMP_FITS;
    if (r->type == SNMP_GET)
        fits = fits_get(r, vbs);
    else if (r->type == SNMP_GETNEXT)
        fits = vbs->n == r->nget + r->width;
    else
        fits = fits_bulk(r, vbs);
    return fits ? SNMP_FITS : SNMP_DROP_OIDS;
}

/* ---- Cells ---- */

static struct pd_cell *add_cell(struct pd_read *r, const struct snmp_item *it, enum pd_cell_type type)
{
    struct pd_cell *cell = &r->device->core->cells[r->ncells++];

    /* A scalar's instance has no numbers, but is a pointer all the same: memcpy() and friends demand one. */
    *cell = (struct pd_cell){.source = it->source, .type = (uint8_t)type, .instance = it->oid};
    return cell;
}

static struct pd_cell *add_value(struct pd_read *r, const struct snmp_item *it, const struct snmp_varbind *vb)
{
    struct pd_cell *cell = add_cell(r, it, PD_CELL_INVALID);

    snmp_cell_set(cell, vb);
    return cell;
}

/* ---- Scalars ---- */

/* Rounded up; at most 255, as are the sizes. */
static uint8_t mean_size(uint32_t bytes, uint32_t n)
{
    return n > 0 ? (uint8_t)((bytes + n - 1) / n) : 0;
}

/* Behind its last object the agent gives its first: one of the first group of MIB-2, which all have, or before that. */
static bool begins_anew(const struct snmp_varbind *vb, const uint32_t *asked, size_t n)
{
    static const uint32_t behind[] = {1, 3, 6, 1, 2, 1, 2};

    return oid_cmp(vb->name, vb->nname, asked, n) < 0 &&
           oid_cmp(vb->name, vb->nname, behind, sizeof behind / sizeof *behind) < 0;
}

static void drop_scalars(struct pd_read *r, size_t first, size_t n)
{
    memmove(r->scalars + first, r->scalars + first + n, (r->nscalars - first - n) * sizeof *r->scalars);
    r->nscalars -= n;
}

/* What came for a rider stands between the name before it, by which it was asked for, and its own. */
static bool stands_before(const struct snmp_varbind *vb, const struct snmp_item *it)
{
    return !snmp_is_absent(vb->type) && oid_cmp(vb->name, vb->nname, it->oid, it->noid) < 0 &&
           oid_cmp(vb->name, vb->nname, it->oid, it->noid - 1u) > 0;
}

/* The answers to scalars[0 .. n), which are done with that, but for riders of which they do not tell. */
static void take_scalars(struct pd_read *r, const struct snmp_varbind *v, size_t n)
{
    uint16_t left[SNMP_MAX_SCALARS] = {0};
    size_t nleft = 0;
    uint32_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        const struct snmp_item *it = &r->plan->items[r->scalars[i]];

        bytes += v[i].size;
        if (named(&v[i], it)) {
            add_value(r, it, &v[i]);
            continue;
        }
        if (r->type == SNMP_GETBULK && stands_before(&v[i], it))
            left[nleft++] = r->scalars[i];
        else
            add_cell(r, it, PD_CELL_ABSENT);
        if (begins_anew(&v[i], it->oid, it->noid - 1u))
            snmp_read_note_loop(r, it, NULL);
    }
    if (n > 0)
        r->device->scalar_bytes = mean_size(bytes, (uint32_t)n);
    drop_scalars(r, 0, n - nleft);
    memcpy(r->scalars, left, nleft * sizeof *left);
    r->no_riders |= nleft > 0;
}

/* ---- Columns ---- */

enum { CLOSED = UINT16_MAX }; /* in cursor.cap: swept out after the reply */

void snmp_cursor_free(struct cursor *c)
{
    if (c->cap)
        free(c->last.many);
    *c = (struct cursor){0};
}

static void close_column(struct pd_read *r, struct cursor *c)
{
    const struct table *t = &r->tables[c->table];
    struct snmp_learnt *learnt = &r->learnt[t->group];

    if (c->rows > learnt->rows)
        learnt->rows = c->rows < SNMP_UNKNOWN_ROWS ? (uint16_t)c->rows : SNMP_UNKNOWN_ROWS - 1;
    learnt->bytes = mean_size(t->bytes, t->cells);
    snmp_cursor_free(c);
    c->cap = CLOSED;
}

static void sweep_columns(struct pd_read *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < r->cursors.n; i++) {
        if (r->cursors.v[i].cap != CLOSED)
            r->cursors.v[kept++] = r->cursors.v[i];
    }
    r->cursors.n = kept;
}

static void set_last(struct cursor *c, const uint32_t *instance, uint16_t n)
{
    if (n > SNMP_FEW && n > c->cap) {
        uint32_t *old = c->cap ? c->last.many : NULL;

        c->cap = n <= 8 ? 8 : OID_MAX;
        c->last.many = xreallocarray(old, c->cap, sizeof *old);
    }
    if (n == 1 && c->cap == 0) /* as nearly always */
        c->last.few[0] = instance[0];
    else
        memcpy(c->cap ? c->last.many : c->last.few, instance, n * sizeof *instance);
    c->n = n;
}

static bool is_below(const struct snmp_varbind *vb, const struct snmp_item *it)
{
    if (vb->known == it->noid)
        return vb->nname > it->noid;
    return oid_below(it->oid, it->noid, vb->name, vb->nname);
}

/* The column's next varbind: a row, or its end. */
static void take_row(struct pd_read *r, struct cursor *c, const struct snmp_varbind *vb)
{
    const struct snmp_item *it = &r->plan->items[c->item];
    bool rises, below = is_below(vb, it);
    const uint32_t *instance = vb->name + it->noid;
    struct pd_cell *cell;
    uint16_t n;

    if (snmp_is_absent(vb->type)) {
        close_column(r, c);
        return;
    }
    if (!below && !r->owned && begins_anew(vb, it->oid, it->noid)) { /* so the column has no more */
        snmp_read_note_loop(r, it, c);
        close_column(r, c);
        return;
    }
    n = below ? (uint16_t)(vb->nname - it->noid) : 0;
    rises =
        below ? oid_cmp(instance, n, cursor_last(c), c->n) > 0 : oid_cmp(vb->name, vb->nname, it->oid, it->noid) > 0;
    if (!rises) {
        snmp_read_note_at(r, "OIDs do not rise after", it, c);
        r->result.looped = true;
        r->broken |= r->owned != NULL;
    }
    if (!rises || !below) {
        close_column(r, c);
        return;
    }
    if (r->device->max_rows && c->rows >= r->device->max_rows && !r->owned) {
        snmp_read_note_at(r, "more rows than the profile allows, stopped at", it, c);
        close_column(r, c);
        return;
    }
    set_last(c, instance, n);
    c->rows++;
    r->tables[c->table].cells++;
    r->tables[c->table].bytes += vb->size;
    if (r->context.listing) {
        snmp_context_list(r, instance[n - 1]);
        return;
    }
    cell = add_value(r, it, vb);
    cell->instance = r->owned ? vb->name : instance;
    cell->ninstance = r->owned ? vb->nname : n;
}

/* Row by row, column by column (RFC 3416, section 4.2.3), cut off wherever the agent's buffer was full. */
static void take_rows(struct pd_read *r, const struct snmp_varbind *v, size_t n)
{
    struct cursor *first = r->cursors.v, *c = first, *end = first + r->width;

    for (size_t i = 0; i < n; i++) {
        if (c->cap != CLOSED)
            take_row(r, c, &v[i]);
        if (++c == end)
            c = first;
    }
    sweep_columns(r);
}

/* ---- Learning ---- */

static void learn_bulk(struct pd_device *d, enum snmp_bulk bulk)
{
    if (bulk == SNMP_BULK_NO)
        log_about(LOG_LEVEL_INFO, "snmp", &(struct log_about){.device = d->peer.name},
                  "%s answers GETNEXT but not GETBULK: it is read with GETNEXT from now on", d->peer.name);
    d->bulk = (uint8_t)bulk;
}

/* What an answer without error says about the device. */
static void learn(struct pd_read *r)
{
    struct pd_device *d = r->device;

    if (r->type == SNMP_GETBULK && d->bulk == SNMP_BULK_UNKNOWN)
        learn_bulk(d, SNMP_BULK_YES);
    if (r->type == SNMP_GETNEXT && r->width > 0 && r->suspect && d->bulk == SNMP_BULK_UNKNOWN)
        learn_bulk(d, SNMP_BULK_NO);
    if (r->type == SNMP_GETNEXT) {
        r->no_bulk &= !r->bulk_again;
        r->suspect = r->bulk_again = false;
    }
}

/* ---- Errors ---- */

/* Where something that was asked for stands: an item, and how far its column was read. */
struct place {
    const struct snmp_item *item;
    const uint32_t *row;
    size_t n;
};

static struct place place_of(const struct pd_read *r, size_t i)
{
    const struct cursor *c = i < r->nget ? NULL : &r->cursors.v[i - r->nget];

    return (struct place){
        .item = &r->plan->items[c ? c->item : r->scalars[i]], .row = c ? cursor_last(c) : NULL, .n = c ? c->n : 0};
}

static int place_cmp(const struct place *a, const struct place *b)
{
    int c = oid_cmp(a->item->oid, a->item->noid, b->item->oid, b->item->noid);

    return c ? c : oid_cmp(a->row, a->n, b->row, b->n);
}

static const char *error_name(int32_t status)
{
    static const char *const names[] = {
        "noError",
        "tooBig",
        "noSuchName",
        "badValue",
        "readOnly",
        "genErr",
        "noAccess",
        "wrongType",
        "wrongLength",
        "wrongEncoding",
        "wrongValue",
        "noCreation",
        "inconsistentValue",
        "resourceUnavailable",
        "commitFailed",
        "undoFailed",
        "authorizationError",
        "notWritable",
        "inconsistentName",
    };

    return status > 0 && (size_t)status < sizeof names / sizeof *names ? names[status] : "an unknown error";
}

/* Nothing follows the i-th of what was asked by GETNEXT: so nothing follows what stands behind it. */
static void fail_from(struct pd_read *r, size_t i)
{
    struct place end = place_of(r, i);
    uint32_t row[OID_MAX]; /* the column it stands in is closed before others are compared */
    size_t kept = 0;

    if (end.n > 0)
        memcpy(row, end.row, end.n * sizeof *row);
    end.row = row;
    r->narrow = 0;
    for (size_t k = 0; k < r->nscalars; k++) {
        const struct snmp_item *it = &r->plan->items[r->scalars[k]];

        if (k < r->nget && place_cmp(&(struct place){.item = it}, &end) >= 0)
            add_cell(r, it, PD_CELL_ABSENT);
        else
            r->scalars[kept++] = r->scalars[k];
    }
    r->nscalars = kept;
    for (size_t k = 0; k < r->cursors.n; k++) {
        struct cursor *c = &r->cursors.v[k];

        if (place_cmp(&(struct place){.item = &r->plan->items[c->item], .row = cursor_last(c), .n = c->n}, &end) >= 0)
            close_column(r, c);
    }
    sweep_columns(r);
}

/* Gives up the i-th of what was asked; its error is known. */
static void fail_one(struct pd_read *r, size_t i, int32_t status)
{
    r->narrow = 0;
    if (status == SNMP_NO_SUCH_NAME && r->type == SNMP_GETNEXT) {
        fail_from(r, i);
    } else if (i < r->nget) {
        add_cell(r, &r->plan->items[r->scalars[i]], status == SNMP_NO_SUCH_NAME ? PD_CELL_ABSENT : PD_CELL_INVALID);
        drop_scalars(r, i, 1);
    } else {
        struct cursor *c = &r->cursors.v[i - r->nget];

        if (status != SNMP_NO_SUCH_NAME) /* which is how v1 tells the end */
            snmp_read_note_at(r, error_name(status), &r->plan->items[c->item], c);
        close_column(r, c);
        sweep_columns(r);
    }
}

static void take_too_big(struct pd_read *r)
{
    unsigned asked = snmp_ask_size(r);

    r->no_riders = true;
    if (asked > 1)
        r->device->max_varbinds = (uint16_t)(asked / 2);
    else
        fail_one(r, 0, SNMP_TOO_BIG);
}

/* One of several is at fault: the one that the agent names, or the one that is found by asking for half as many. */
static void take_error(struct pd_read *r, const struct snmp_msg *m)
{
    unsigned asked = (unsigned)r->nget + r->width;

    if (r->type == SNMP_GETNEXT)
        r->suspect = false; /* it was not the bulk */
    if (r->type == SNMP_GET && m->status == SNMP_NO_SUCH_NAME && m->version != SNMP_V1)
        r->device->scalars_next = true;
    if (m->status == SNMP_TOO_BIG) {
        take_too_big(r);
    } else if (r->type == SNMP_GETBULK) { /* no bulk, or trouble that GETNEXT tells more about */
        r->no_riders = r->no_bulk = r->suspect = true;
    } else if (m->index >= 1 && (unsigned)m->index <= asked) {
        fail_one(r, (size_t)m->index - 1, m->status);
    } else if (asked > 1) {
        r->narrow = (uint16_t)(asked / 2);
    } else {
        fail_one(r, 0, m->status);
    }
}

/* ---- The reply ---- */

void snmp_answer_take(struct pd_read *r, const struct snmp_msg *m)
{
    const struct snmp_varbinds *vbs = r->device->core->varbinds;
    size_t nget = vbs->n < r->nget ? vbs->n : r->nget;

    if (m->status != 0) {
        take_error(r, m);
        return;
    }
    if (vbs->n == 0) { /* only GETBULK gets here: an agent that has none, politely */
        r->no_riders = r->no_bulk = r->suspect = true;
        return;
    }
    learn(r);
    take_scalars(r, vbs->v, nget);
    if (r->width > 0)
        take_rows(r, vbs->v + nget, vbs->n - nget);
}

void snmp_answer_skip(struct pd_read *r)
{
    snmp_read_note_asked(r, "no answer about");
    drop_scalars(r, 0, r->nget);
    for (uint16_t i = 0; i < r->width; i++)
        close_column(r, &r->cursors.v[i]);
    sweep_columns(r);
}
