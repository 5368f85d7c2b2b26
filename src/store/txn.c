#include "store/txn.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/blob.h"
#include "store/keys.h"

struct store_batch *store_batch_new(void)
{
    return xcalloc(1, sizeof(struct store_batch));
}

void store_batch_reset(struct store_batch *b)
{
    for (size_t i = 0; i < b->entries.n; i++)
        change_free(b->entries.v[i].change);
    b->entries.n = b->polls.n = b->readings = 0;
    sbuf_reset(&b->blobs);
    point_numbers_free(&b->points);
    b->urgent = b->cuts = false;
}

void store_batch_free(struct store_batch *b)
{
    if (!b)
        return;
    store_batch_reset(b);
    array_free(&b->entries);
    array_free(&b->polls);
    sbuf_free(&b->blobs);
    free(b);
}

bool store_batch_empty(const struct store_batch *b)
{
    return b->entries.n == 0 && b->polls.n == 0 && b->points.list.n == 0;
}

void store_batch_add_poll(struct store_batch *b, const struct poll *p, int64_t gap_ms)
{
    struct txn_poll t = {.device_id = p->device_id, .at_ms = p->at_ms, .offset = b->blobs.n};

    if (gap_ms > 0)
        blob_encode_next(&b->blobs, gap_ms, p->readings, p->past, p->n);
    else
        blob_encode(&b->blobs, p->readings, p->n);
    t.n = b->blobs.n - t.offset;
    array_push(&b->polls, t);
    b->readings += p->n;
}

/* ---- Writing ---- */

static int write_record(struct db *db, enum table_id table, const void *record)
{
    sqlite3_stmt *stmt = db_put_stmt(db, table);

    if (stmt)
        record_bind(stmt, table, record);
    return db_run(db, stmt);
}

static int forget_hold(struct db *db, const struct hold_record *h)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_FORGET_HOLD);

    sqlite3_bind_int64(stmt, 1, h->device_id);
    sqlite3_bind_text(stmt, 2, h->kind, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, h->key, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 4, h->rule, -1, SQLITE_STATIC);
    return db_run(db, stmt);
}

static int write_meta(struct db *db, const char *name, const char *value)
{
    sqlite3_stmt *stmt = db_stmt(db, value ? SQL_PUT_META : SQL_FORGET_META);

    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    if (value)
        sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
    return db_run(db, stmt);
}

static int write_history(struct db *db, int64_t device_id, const void *data, size_t n)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_PUT_HISTORY);

    sqlite3_bind_int64(stmt, 1, device_id);
    sqlite3_bind_blob64(stmt, 2, data, n, SQLITE_STATIC);
    return db_run(db, stmt);
}

/* What ended long ago, and stands nowhere but here, is found under a site's new name too. */
static int rename_site(struct db *db, const struct entry *site)
{
    static const enum sql moves[] = {SQL_MOVE_TICKETS, SQL_MOVE_ROUNDS};
    int rc = 0;

    for (size_t i = 0; i < sizeof moves / sizeof *moves && rc == 0; i++) {
        sqlite3_stmt *stmt = db_stmt(db, moves[i]);

        sqlite3_bind_int64(stmt, 1, site->id);
        sqlite3_bind_text(stmt, 2, site->name, -1, SQLITE_STATIC);
        rc = db_run(db, stmt);
    }
    return rc;
}

static int write_entry(struct db *db, enum archive_kind kind, const struct entry *e)
{
    int rc = kind == ARCHIVE_SITE ? rename_site(db, e) : 0;

    return rc == 0 ? write_record(db, (enum table_id)(TABLE_ARCHIVE + kind), e) : rc;
}

static int write_row(struct db *db, const struct row *r)
{
    switch (r->kind) {
    case ROW_DEVICE:
        return write_record(db, (enum table_id)ROW_DEVICE, &r->device);
    case ROW_COMPONENT:
        return write_record(db, (enum table_id)ROW_COMPONENT, &r->component);
    case ROW_ALERT:
        return write_record(db, (enum table_id)ROW_ALERT, &r->alert);
    case ROW_HOLD:
        if (r->hold.state == HOLD_OK)
            return forget_hold(db, &r->hold);
        return write_record(db, (enum table_id)ROW_HOLD, &r->hold);
    case ROW_TICKET:
        return write_record(db, (enum table_id)ROW_TICKET, &r->ticket);
    case ROW_OUTBOX:
        return write_record(db, (enum table_id)ROW_OUTBOX, &r->outbox);
    case ROW_ROUND:
        return write_record(db, (enum table_id)ROW_ROUND, &r->round);
    case ROW_VISIT:
        return write_record(db, (enum table_id)ROW_VISIT, &r->visit);
    case ROW_ITEM:
        return write_record(db, (enum table_id)ROW_ITEM, &r->item);
    case ROW_META:
        return write_meta(db, r->meta.name, r->meta.value);
    case ROW_ARCHIVE:
        return write_entry(db, r->archive.kind, r->archive.entry);
    case ROW_HISTORY:
        return write_history(db, r->history.device_id, r->history.data, r->history.n);
    case ROW_REPORT:
        return write_record(db, (enum table_id)ROW_REPORT, &r->report);
    case ROW_STEP:
        return write_record(db, (enum table_id)ROW_STEP, &r->step);
    }
    return PD_EINVAL;
}

static int write_change(struct db *db, struct change *c, int64_t *last_event)
{
    int rc = 0;

    for (size_t i = 0; i < c->rows.n && rc == 0; i++)
        rc = write_row(db, &c->rows.v[i]);
    for (size_t i = 0; i < c->events.n && rc == 0; i++) {
        c->events.v[i].number = ++*last_event;
        rc = write_record(db, TABLE_EVENT, &c->events.v[i]);
    }
    return rc;
}

static int compare_polls(const void *a, const void *b)
{
    const struct txn_poll *x = a, *y = b;

    if (x->device_id != y->device_id)
        return x->device_id < y->device_id ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* By batch, then device: a device's second poll of a commit is of the batch after, and so on. */
static int compare_batches(const void *a, const void *b)
{
    const struct txn_poll *x = a, *y = b;

    if (x->batch != y->batch)
        return x->batch < y->batch ? -1 : 1;
    return x->device_id < y->device_id ? -1 : x->device_id > y->device_id;
}

/* Gives the polls their batches and brings them into the order of the table; returns how many batches there are. */
static int64_t order_polls(struct store_batch *b)
{
    int64_t most = 0;

    if (b->polls.n > 1)
        qsort(b->polls.v, b->polls.n, sizeof *b->polls.v, compare_polls);
    for (size_t i = 0; i < b->polls.n; i++) {
        struct txn_poll *p = &b->polls.v[i];

        p->batch = i > 0 && p[-1].device_id == p->device_id ? p[-1].batch + 1 : 0;
        if (p->batch > most)
            most = p->batch;
    }
    if (most > 0)
        qsort(b->polls.v, b->polls.n, sizeof *b->polls.v, compare_batches);
    return b->polls.n > 0 ? most + 1 : 0;
}

static int write_polls(struct db *db, struct store_batch *b, int64_t *batches)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_PUT_POLL);
    int rc = 0;

    *batches = order_polls(b);
    for (size_t i = 0; i < b->polls.n && rc == 0; i++) {
        const struct txn_poll *p = &b->polls.v[i];

        sqlite3_bind_int64(stmt, 1, device_key(db->next_batch + p->batch, p->device_id));
        sqlite3_bind_int64(stmt, 2, p->at_ms);
        sqlite3_bind_blob64(stmt, 3, b->blobs.s + p->offset, p->n, SQLITE_STATIC);
        rc = db_run(db, stmt);
    }
    return rc;
}

static int write_points(struct db *db, const struct point_numbers *points)
{
    sqlite3_stmt *stmt = points->list.n > 0 ? db_stmt(db, SQL_PUT_POINT) : NULL;
    int rc = 0;

    for (size_t i = 0; i < points->list.n && rc == 0; i++) {
        sqlite3_bind_text(stmt, 1, points->list.v[i].kind, -1, SQLITE_STATIC);
        sqlite3_bind_int64(stmt, 2, points->list.v[i].number);
        sqlite3_bind_text(stmt, 3, points->list.v[i].name, -1, SQLITE_STATIC);
        rc = db_run(db, stmt);
    }
    return rc;
}

static int last_event_number(struct db *db, int64_t *out)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_LAST_EVENT);
    int rc = 0;

    if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0); /* NULL, of an empty table, reads as 0 */
    else
        rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

static int write_changes(struct store_batch *b, struct txn_entry **culprit)
{
    int rc = 0;

    for (size_t i = 0; i < b->entries.n && rc == 0; i++) {
        struct txn_entry *e = &b->entries.v[i];

        if (!e->refused)
            rc = write_change(b->db, e->change, &b->last_event);
        if (rc == PD_EINVAL)
            *culprit = e;
    }
    return rc;
}

static int try_commit(struct store_batch *b, struct txn_entry **culprit)
{
    int64_t last = 0, batches = 0;
    int rc = db_do(b->db, SQL_BEGIN);

    *culprit = NULL;
    if (rc == 0)
        rc = last_event_number(b->db, &last);
    b->last_event = last;
    b->first_event = last + 1;
    if (rc == 0)
        rc = write_changes(b, culprit);
    if (rc == 0)
        rc = write_points(b->db, &b->points);
    if (rc == 0)
        rc = write_polls(b->db, b, &batches);
    if (rc == 0)
        rc = db_do(b->db, SQL_COMMIT);
    if (rc == 0)
        b->db->next_batch += batches;
    if (rc == 0 && b->cuts)
        b->db->cut = (struct chain_cut){.batch = b->db->next_batch, .hour = b->cut_hour};
    snprintf(b->why, sizeof b->why, "%s", rc < 0 ? db_why(b->db) : "");
    db_rollback(b->db);
    return rc;
}

void store_batch_commit(struct store_batch *b)
{
    struct txn_entry *culprit;

    while ((b->err = try_commit(b, &culprit)) < 0 && culprit) {
        culprit->refused = true;
        snprintf(b->refusal, sizeof b->refusal, "%s", b->why);
    }
    b->wal_pages = b->db->wal_pages;
}
