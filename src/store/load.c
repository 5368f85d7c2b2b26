#include "store/load.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/archive_table.h"
#include "store/blob.h"
#include "store/schema.h"

/* ---- Records ---- */

union record {
    struct device device;
    struct component component;
    struct alert alert;
    struct hold_record hold;
    struct ticket ticket;
    struct outbox outbox;
    struct round round;
    struct visit visit;
    struct visit_item item;
    struct report report;
    struct step_record step;
};

/* Rounds until they are reported; their visits as long as something can become of them. */
#define ROUNDS "state NOT IN ('reported', 'cancelled')"
#define OF_ROUNDS " WHERE round_id IN (SELECT id FROM round WHERE " ROUNDS " AND state <> 'signed') ORDER BY id"

/* What is loaded of each table. The conditions are those of the partial indexes. */
static const struct {
    enum row_kind kind;
    const char *which;
} loads[] = {
    {ROW_DEVICE, " ORDER BY id"},
    {ROW_COMPONENT, " ORDER BY device_id, number"},
    {ROW_ALERT, " WHERE state <> 'ok' ORDER BY id"},
    {ROW_HOLD, " ORDER BY device_id, kind, key, rule"},
    {ROW_TICKET, " WHERE state NOT IN ('closed', 'cancelled') ORDER BY id"},
    {ROW_STEP,
     " WHERE ticket_id IN (SELECT id FROM ticket WHERE state NOT IN ('closed', 'cancelled')) ORDER BY ticket_id, n"},
    {ROW_OUTBOX, " WHERE state = 'pending' ORDER BY id"},
    {ROW_ROUND, " WHERE " ROUNDS " ORDER BY id"},
    {ROW_VISIT, OF_ROUNDS},
    {ROW_ITEM, OF_ROUNDS},
    {ROW_REPORT, " ORDER BY id"},
};

static void hand_over(const struct store_loader *l, enum row_kind kind, const union record *r)
{
    switch (kind) {
    case ROW_DEVICE:
        if (l->device)
            l->device(l->ctx, &r->device);
        break;
    case ROW_COMPONENT:
        if (l->component)
            l->component(l->ctx, &r->component);
        break;
    case ROW_ALERT:
        if (l->alert)
            l->alert(l->ctx, &r->alert);
        break;
    case ROW_HOLD:
        if (l->hold)
            l->hold(l->ctx, &r->hold);
        break;
    case ROW_TICKET:
        if (l->ticket)
            l->ticket(l->ctx, &r->ticket);
        break;
    case ROW_OUTBOX:
        if (l->outbox)
            l->outbox(l->ctx, &r->outbox);
        break;
    case ROW_ROUND:
        if (l->round)
            l->round(l->ctx, &r->round);
        break;
    case ROW_VISIT:
        if (l->visit)
            l->visit(l->ctx, &r->visit);
        break;
    case ROW_ITEM:
        if (l->item)
            l->item(l->ctx, &r->item);
        break;
    case ROW_REPORT:
        if (l->report)
            l->report(l->ctx, &r->report);
        break;
    case ROW_STEP:
        if (l->step)
            l->step(l->ctx, &r->step);
        break;
    case ROW_META:
    case ROW_ARCHIVE:
    case ROW_HISTORY:
        break;
    }
}

static int load_table(struct db *db, enum row_kind kind, const char *which, const struct store_loader *l)
{
    struct sbuf sql = {0};
    sqlite3_stmt *stmt = NULL;
    int rc = 0;

    record_select_sql(&sql, (enum table_id)kind);
    sbuf_add(&sql, which);
    if (sqlite3_prepare_v2(db->sqlite, sql.s, -1, &stmt, NULL) == SQLITE_OK) {
        while (rc == 0 && sqlite3_step(stmt) == SQLITE_ROW) {
            union record r = {0};

            rc = record_read(stmt, (enum table_id)kind, &r);
            if (rc == 0)
                hand_over(l, kind, &r);
        }
    }
    if (rc == 0)
        rc = db_error(db);
    sqlite3_finalize(stmt);
    sbuf_free(&sql);
    return rc;
}

static int load_meta(struct db *db, const struct store_loader *l)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_META);
    int rc;

    if (!l->meta)
        return 0;
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        l->meta(l->ctx, (const char *)sqlite3_column_text(stmt, 0), (const char *)sqlite3_column_text(stmt, 1));
    rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

static int load_origins(struct db *db, const struct store_loader *l)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_ORIGINS);
    int rc;

    if (!l->origin)
        return 0;
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        l->origin(l->ctx, (const char *)sqlite3_column_text(stmt, 0), sqlite3_column_int64(stmt, 1));
    rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

/* ---- What watch remembers ---- */

static int load_histories(struct db *db, const struct store_loader *l)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_HISTORIES);
    int rc;

    if (!l->history)
        return 0;
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        l->history(l->ctx, sqlite3_column_int64(stmt, 0), sqlite3_column_blob(stmt, 1),
                   (size_t)sqlite3_column_bytes(stmt, 1));
    rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

/* ---- Newest polls ---- */

struct device_since {
    int64_t id, added_ms;
};

struct newest {
    struct db *db;
    const struct store_loader *loader;
    ARRAY(int64_t) slices; /* those with polls, newest first */
    ARRAY(struct device_since) devices;
    ARRAY(struct reading) readings; /* of one poll, with texts of their own */
};

static void keep_reading(void *ctx, const struct reading *r)
{
    struct newest *n = ctx;
    struct reading copy = *r;

    if (copy.value.type == VALUE_TEXT)
        copy.value.text = xstrdup_null(copy.value.text);
    array_push(&n->readings, copy);
}

static void forget_readings(struct newest *n)
{
    for (size_t i = 0; i < n->readings.n; i++)
        if (n->readings.v[i].value.type == VALUE_TEXT)
            free((char *)n->readings.v[i].value.text);
    n->readings.n = 0;
}

static void hand_over_poll(struct newest *n, int64_t device_id, sqlite3_stmt *stmt)
{
    int64_t at_ms = sqlite3_column_int64(stmt, 0);
    const void *blob = sqlite3_column_blob(stmt, 1);
    int rc = blob_decode(blob, (size_t)sqlite3_column_bytes(stmt, 1), keep_reading, n);

    if (rc == 0)
        n->loader->poll(n->loader->ctx, device_id, at_ms, n->readings.v, n->readings.n);
    else
        log_warn("store", "the last readings of device %lld can't be used: %s", (long long)device_id, pd_strerror(rc));
    forget_readings(n);
}

/*
 * Looks for a device's newest poll, slice by slice. Those of long before the
 * device was added have none of it; a day is for clocks that were set back since.
 * Nor is it looked for beyond two days of polls: a silent device has polls too, so
 * one without any was never asked, and thousands of such would take minutes.
 */
enum { NEWEST_SLICES = 288 };

static int load_newest(struct newest *n, const struct device_since *d)
{
    const int64_t day_ms = INT64_C(86400000);
    int64_t oldest = slice_of(d->added_ms - day_ms);
    sqlite3_stmt *stmt = db_stmt(n->db, SQL_NEWEST_POLL);
    bool found = false;
    int rc = 0;

    for (size_t i = 0; i < n->slices.n && i < NEWEST_SLICES && n->slices.v[i] >= oldest && !found && rc == 0; i++) {
        sqlite3_bind_int64(stmt, 1, n->slices.v[i]);
        sqlite3_bind_int64(stmt, 2, d->id);
        found = stmt && sqlite3_step(stmt) == SQLITE_ROW;
        if (found)
            hand_over_poll(n, d->id, stmt);
        rc = db_error(n->db);
        sqlite3_reset(stmt);
    }
    return rc;
}

static int find_slices(struct newest *n)
{
    sqlite3_stmt *stmt = db_stmt(n->db, SQL_SLICES);
    int rc;

    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        array_push(&n->slices, sqlite3_column_int64(stmt, 0));
    rc = db_error(n->db);
    sqlite3_reset(stmt);
    return rc;
}

static int find_devices(struct newest *n)
{
    sqlite3_stmt *stmt = db_stmt(n->db, SQL_LIVE_DEVICES);
    int rc;

    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        struct device_since d = {sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1)};

        array_push(&n->devices, d);
    }
    rc = db_error(n->db);
    sqlite3_reset(stmt);
    return rc;
}

/* Slice by slice, the oldest first: of a device they come in order of time, and only one is in memory. */
static int load_tail(struct newest *n)
{
    const int64_t first = n->slices.n ? n->slices.v[0] - STORE_TAIL_MS / SLICE_MS : 0;
    sqlite3_stmt *stmt = db_stmt(n->db, SQL_SLICE_POLLS);
    int rc = 0;

    for (size_t i = n->slices.n; i-- > 0 && rc == 0;) {
        if (n->slices.v[i] < first)
            continue;
        sqlite3_bind_int64(stmt, 1, n->slices.v[i]);
        while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
            if (blob_decode(sqlite3_column_blob(stmt, 2), (size_t)sqlite3_column_bytes(stmt, 2), keep_reading, n) == 0)
                n->loader->tail(n->loader->ctx, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1),
                                n->readings.v, n->readings.n);
            forget_readings(n);
        }
        rc = db_error(n->db);
        sqlite3_reset(stmt);
    }
    return rc;
}

static int load_polls(struct db *db, const struct store_loader *l)
{
    struct newest n = {.db = db, .loader = l};
    int rc;

    if (!l->poll)
        return 0;
    rc = find_slices(&n);
    if (rc == 0)
        rc = find_devices(&n);
    for (size_t i = 0; i < n.devices.n && rc == 0; i++)
        rc = load_newest(&n, &n.devices.v[i]);
    if (rc == 0 && l->tail)
        rc = load_tail(&n);
    array_free(&n.slices);
    array_free(&n.devices);
    array_free(&n.readings);
    return rc;
}

/* ---- The archive ---- */

static int load_archive(struct db *db, enum archive_kind kind, const struct store_loader *l)
{
    struct entry *e = xcalloc(1, archive_def(kind)->size);
    struct sbuf sql = {0};
    sqlite3_stmt *stmt = NULL;
    int rc = 0;

    archive_select_sql(&sql, kind);
    sbuf_add(&sql, " ORDER BY id");
    if (sqlite3_prepare_v2(db->sqlite, sql.s, -1, &stmt, NULL) == SQLITE_OK) {
        while (rc == 0 && sqlite3_step(stmt) == SQLITE_ROW) {
            rc = archive_read(stmt, kind, e);
            if (rc == 0)
                l->entry(l->ctx, kind, e);
            entry_fini(kind, e);
        }
    }
    if (rc == 0)
        rc = db_error(db);
    sqlite3_finalize(stmt);
    sbuf_free(&sql);
    free(e);
    return rc;
}

int load_all(struct db *db, const struct store_loader *l)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof loads / sizeof *loads && rc == 0; i++)
        rc = load_table(db, loads[i].kind, loads[i].which, l);
    for (int kind = ARCHIVE_DEVICE + 1; kind < ARCHIVE_KIND_COUNT && rc == 0 && l->entry; kind++)
        rc = load_archive(db, (enum archive_kind)kind, l);
    if (rc == 0)
        rc = load_origins(db, l);
    if (rc == 0)
        rc = load_meta(db, l);
    if (rc == 0)
        rc = load_histories(db, l);
    if (rc == 0)
        rc = load_polls(db, l);
    return rc;
}
