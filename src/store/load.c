#include "store/load.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/archive_table.h"
#include "store/blob.h"
#include "store/fresh.h"
#include "store/keys.h"
#include "store/span.h"

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

static int load_informs(struct db *db, const struct store_loader *l)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_INFORMS);
    int rc;

    if (!l->inform)
        return 0;
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        l->inform(l->ctx, (const char *)sqlite3_column_text(stmt, 0), sqlite3_column_int64(stmt, 1));
    rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

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
    int64_t told_ms; /* the last poll of the tail that was told */
    bool found;
};

#define NEVER_MS (INT64_MIN / 2)

struct newest {
    struct db *db;
    const struct store_loader *loader;
    struct pack_state state;
    ARRAY(struct device_since) devices; /* by id */
    size_t missing;                     /* of which no poll was found yet */
    int64_t newest_ms;
    struct hour_reader reader;
    struct fresh fresh;
    struct blob_chain chain;
};

static struct device_since *find_device(struct newest *n, int64_t id)
{
    size_t low = 0, high = n->devices.n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (n->devices.v[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n->devices.n && n->devices.v[low].id == id ? &n->devices.v[low] : NULL;
}

static int find_devices(struct newest *n)
{
    sqlite3_stmt *stmt = db_stmt(n->db, SQL_LIVE_DEVICES);
    int rc;

    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        struct device_since d = {
            .id = sqlite3_column_int64(stmt, 0), .added_ms = sqlite3_column_int64(stmt, 1), .told_ms = INT64_MIN};

        array_push(&n->devices, d);
    }
    n->missing = n->devices.n;
    rc = db_error(n->db);
    sqlite3_reset(stmt);
    return rc;
}

static void found_newest(struct newest *n, struct device_since *d, int64_t at_ms)
{
    d->found = true;
    n->missing--;
    if (at_ms > n->newest_ms)
        n->newest_ms = at_ms;
}

/* A poll of long before the device was added is none of it; a day is for clocks that were set back since. */
static bool is_its_own(const struct device_since *d, int64_t at_ms)
{
    const int64_t day_ms = INT64_C(86400000);

    return at_ms >= d->added_ms - day_ms;
}

/* The last poll of an hour, if there is one that can be used. */
static int hand_over_hour(struct newest *n, struct device_since *d, int64_t hour)
{
    sqlite3_stmt *stmt = db_stmt(n->db, SQL_PACKED_LAST);
    struct hour_reader *r = &n->reader;
    int rc;

    sqlite3_bind_int64(stmt, 1, packed_key(hour, d->id, 0));
    sqlite3_bind_int64(stmt, 2, packed_key(hour, d->id, PART_MAX));
    if (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        int err = hour_decode(r, sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1), NO_KEY);
        size_t last = r->grid.times.n - 1;

        if (err == 0 && r->grid.times.n > 0 && is_its_own(d, r->grid.times.v[last])) {
            size_t first = last > 0 ? r->ends.v[last - 1] : 0;

            found_newest(n, d, r->grid.times.v[last]);
            n->loader->poll(n->loader->ctx, d->id, r->grid.times.v[last], r->rows.v + first, r->ends.v[last] - first);
        } else if (err < 0) {
            log_warn("store", "the last readings of device %lld can't be used: %s", (long long)d->id, pd_strerror(err));
        }
    }
    rc = db_error(n->db);
    sqlite3_reset(stmt);
    return rc;
}

/* The last hour before one of which anything is packed; -1: none. */
static int hour_before(struct db *db, int64_t *hour)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_PACKED_LAST);
    int rc;

    sqlite3_bind_int64(stmt, 1, 0);
    sqlite3_bind_int64(stmt, 2, packed_key(*hour, 0, 0) - 1);
    *hour = stmt && sqlite3_step(stmt) == SQLITE_ROW ? packed_hour(sqlite3_column_int64(stmt, 0)) : -1;
    rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

/*
 * A device's newest poll is looked for in two days of hours: a silent device has
 * polls too, so one without any was never asked, and thousands of such would take minutes.
 */
enum { NEWEST_HOURS = 48 };

static int load_packed(struct newest *n)
{
    int64_t hour = HOUR_MAX + 1;
    int rc = hour_before(n->db, &hour);

    for (int i = 0; i < NEWEST_HOURS && rc == 0 && hour >= 0 && n->missing > 0; i++) {
        for (size_t k = 0; k < n->devices.n && rc == 0; k++)
            if (!n->devices.v[k].found)
                rc = hand_over_hour(n, &n->devices.v[k], hour);
        if (rc == 0)
            rc = hour_before(n->db, &hour);
    }
    return rc;
}

/* ---- The tail ---- */

/* Of a device polls are told in order of time; one that came late, between others, is not worth a place of its own. */
static void tell_tail(const struct newest *n, struct device_since *d, int64_t at_ms, const struct reading *readings,
                      size_t count)
{
    if (!n->loader->tail || at_ms <= d->told_ms || at_ms < n->newest_ms - STORE_TAIL_MS)
        return;
    d->told_ms = at_ms;
    n->loader->tail(n->loader->ctx, d->id, at_ms, readings, count);
}

static int tail_packed(struct newest *n)
{
    sqlite3_stmt *stmt = db_stmt(n->db, SQL_PACKED_PARTS);
    struct hour_reader *r = &n->reader;
    int rc;

    sqlite3_bind_int64(stmt, 1, packed_key(hour_of(n->newest_ms - STORE_TAIL_MS), 0, 0));
    sqlite3_bind_int64(stmt, 2, INT64_MAX);
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        struct device_since *d = find_device(n, packed_device(sqlite3_column_int64(stmt, 0)));
        uint32_t begin = 0;

        if (!d || hour_decode(r, sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1), NO_KEY) < 0)
            continue;
        for (size_t i = 0; i < r->grid.times.n; begin = r->ends.v[i++])
            tell_tail(n, d, r->grid.times.v[i], r->rows.v + begin, r->ends.v[i] - begin);
    }
    rc = db_error(n->db);
    sqlite3_reset(stmt);
    return rc;
}

/* ---- What is not packed yet ---- */

/* When the last poll came that is not packed. */
static int find_newest(struct newest *n)
{
    sqlite3_stmt *stmt = db_stmt(n->db, SQL_POLLS_BACK);
    int rc;

    sqlite3_bind_int64(stmt, 1, device_key(n->state.begins, 0));
    if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        n->newest_ms = sqlite3_column_int64(stmt, 1);
    rc = db_error(n->db);
    sqlite3_reset(stmt);
    return rc;
}

/* A device's polls, as they came: all to the tail, and the last one besides. */
static void tell_device(struct newest *n, const struct fresh_poll *polls, size_t count)
{
    struct device_since *d = find_device(n, polls->device);
    size_t last = count;

    if (!d)
        return;
    while (last > 0 && !is_its_own(d, polls[last - 1].at_ms))
        last--;
    blob_chain_break(&n->chain);
    for (size_t i = 0; i < count; i++) {
        const struct fresh_poll *p = &polls[i];
        struct blob_chain *c = &n->chain;
        int rc = blob_chain_take(c, p->at_ms, n->fresh.blobs.s + p->offset, p->n);

        if (rc == 0)
            tell_tail(n, d, p->at_ms, c->readings, c->n);
        if (i + 1 != last)
            continue;
        found_newest(n, d, p->at_ms);
        if (rc == 0)
            n->loader->poll(n->loader->ctx, d->id, p->at_ms, c->readings, c->n);
        else
            log_warn("store", "the last readings of device %lld can't be used: %s", (long long)d->id, pd_strerror(rc));
    }
}

/* Batches from `begins` on, of devices (after, until]. */
static int load_fresh(struct newest *n, int64_t begins, int64_t after, int64_t until)
{
    const struct fresh *f = &n->fresh;
    int rc = 0;

    do {
        rc = fresh_read(&n->fresh, n->db, begins, n->db->next_batch, after);
        for (size_t i = 0, run; i < f->polls.n && f->polls.v[i].device <= until && rc == 0; i += run) {
            for (run = 1; i + run < f->polls.n && f->polls.v[i + run].device == f->polls.v[i].device;)
                run++;
            tell_device(n, &f->polls.v[i], run);
        }
        after = f->next - 1;
    } while (rc == 0 && f->next > 0 && f->next <= until);
    return rc;
}

/* Of devices up to state.device batches below `ends` are packed already. */
static int load_all_fresh(struct newest *n)
{
    const struct pack_state *s = &n->state;
    int rc = s->device > 0 ? load_fresh(n, s->ends, 0, s->device) : 0;

    return rc == 0 ? load_fresh(n, s->begins, s->device, DEVICE_MAX) : rc;
}

static int load_polls(struct db *db, const struct store_loader *l)
{
    struct newest n = {.db = db, .loader = l, .newest_ms = NEVER_MS};
    bool fresh;
    int rc;

    if (!l->poll)
        return 0;
    rc = pack_state_read(db, &n.state);
    if (rc == 0)
        rc = find_devices(&n);
    if (rc == 0)
        rc = find_newest(&n);
    fresh = n.newest_ms != NEVER_MS;
    if (rc == 0 && !fresh)
        rc = load_packed(&n);
    if (rc == 0 && l->tail)
        rc = tail_packed(&n);
    if (rc == 0 && fresh)
        rc = load_all_fresh(&n);
    if (rc == 0 && fresh)
        rc = load_packed(&n);
    array_free(&n.devices);
    fresh_fini(&n.fresh);
    blob_chain_fini(&n.chain);
    hour_reader_fini(&n.reader);
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
        rc = load_informs(db, l);
    if (rc == 0)
        rc = load_histories(db, l);
    if (rc == 0)
        rc = load_polls(db, l);
    return rc;
}
