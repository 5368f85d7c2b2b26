#include "store/span.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/blob.h"
#include "store/keys.h"

/* A poll that is not packed yet. */
struct fresh {
    int64_t at_ms;
    size_t offset, n; /* of its blob */
    size_t order;     /* in which they came */
};

/* A poll of the hour that is being told. */
struct held {
    int64_t at_ms;
    size_t order;
    size_t first, n; /* of its readings */
    int err;
};

struct span {
    struct db *db;
    int64_t device_id, from, to;
    uint64_t only;
    poll_fn fn;
    void *ctx;
    bool over;
    struct pack_state state;
    ARRAY(struct fresh) fresh; /* by time */
    size_t next_fresh;
    struct sbuf blobs; /* of those */
    struct hour_reader reader;
    /* The hour that is being told. */
    ARRAY(struct held) held;
    ARRAY(struct reading) readings;
    ARRAY(char *) texts;
};

int pack_state_read(struct db *db, struct pack_state *out)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_PACK_STATE);
    int64_t *const fields[] = {&out->begins, &out->ends,       &out->device, &out->hour,
                               &out->day,    &out->day_device, &out->month,  &out->month_device};
    int rc;

    if (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < (int)(sizeof fields / sizeof *fields); i++)
            *fields[i] = sqlite3_column_int64(stmt, i);
        rc = 0;
    } else {
        rc = db_error(db);
        rc = rc < 0 ? rc : PD_ECORRUPT;
    }
    sqlite3_reset(stmt);
    return rc;
}

/* ---- What is not packed yet ---- */

static int compare_fresh(const void *a, const void *b)
{
    const struct fresh *x = a, *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void keep_fresh(struct span *s, sqlite3_stmt *stmt)
{
    struct fresh f = {.at_ms = sqlite3_column_int64(stmt, 1), .offset = s->blobs.n, .order = s->fresh.n};

    if (f.at_ms < s->from || f.at_ms > s->to)
        return;
    f.n = (size_t)sqlite3_column_bytes(stmt, 2);
    sbuf_addn(&s->blobs, sqlite3_column_blob(stmt, 2), f.n);
    array_push(&s->fresh, f);
}

/* One seek a batch: the row found is the device's, or where the next batch begins is told by it. */
static int find_fresh(struct span *s)
{
    sqlite3_stmt *stmt = db_stmt(s->db, SQL_POLL_FROM);
    int64_t batch = s->state.begins;
    int rc = stmt ? 0 : db_error(s->db);

    if (s->device_id <= s->state.device && s->state.ends > batch)
        batch = s->state.ends;
    for (bool more = rc == 0; more && rc == 0;) {
        sqlite3_bind_int64(stmt, 1, device_key(batch, s->device_id));
        more = sqlite3_step(stmt) == SQLITE_ROW;
        if (more) {
            int64_t key = sqlite3_column_int64(stmt, 0);

            if (key_device(key) == s->device_id)
                keep_fresh(s, stmt);
            batch = key_number(key) + (key_device(key) >= s->device_id);
        }
        rc = db_error(s->db);
        sqlite3_reset(stmt);
    }
    if (s->fresh.n > 1)
        qsort(s->fresh.v, s->fresh.n, sizeof *s->fresh.v, compare_fresh);
    return rc;
}

/* ---- An hour ---- */

static void forget_hour(struct span *s)
{
    for (size_t i = 0; i < s->texts.n; i++)
        free(s->texts.v[i]);
    s->texts.n = s->held.n = s->readings.n = 0;
}

static void keep_reading(void *ctx, const struct reading *r)
{
    struct span *s = ctx;
    struct reading copy = *r;

    if (s->only != NO_KEY && series_key(r->component, r->point) != s->only)
        return;
    if (copy.value.type == VALUE_TEXT && copy.value.quality <= QUALITY_STALE) {
        copy.value.text = xstrdup(copy.value.text);
        array_push(&s->texts, (char *)copy.value.text);
    }
    array_push(&s->readings, copy);
}

static void hold(struct span *s, int64_t at_ms, size_t first, int err)
{
    struct held h = {.at_ms = at_ms, .order = s->held.n, .first = first, .n = s->readings.n - first, .err = err};

    if (err < 0) {
        s->readings.n = first;
        h.n = 0;
    }
    array_push(&s->held, h);
}

static void take_part(struct span *s, int64_t hour, const void *blob, size_t n)
{
    struct hour_reader *r = &s->reader;
    int rc = hour_decode(r, blob, n, s->only);
    uint32_t begin = 0;

    if (rc < 0)
        hold(s, hour * HOUR_MS, s->readings.n, rc);
    for (size_t i = 0; rc == 0 && i < r->grid.times.n; i++) {
        size_t first = s->readings.n;

        for (uint32_t k = begin; k < r->ends.v[i]; k++)
            keep_reading(s, &r->rows.v[k]);
        begin = r->ends.v[i];
        hold(s, r->grid.times.v[i], first, 0);
    }
}

static int take_packed(struct span *s, int64_t hour)
{
    sqlite3_stmt *stmt = db_stmt(s->db, SQL_PACKED_PARTS);
    int rc;

    sqlite3_bind_int64(stmt, 1, packed_key(hour, s->device_id, 0));
    sqlite3_bind_int64(stmt, 2, packed_key(hour, s->device_id, PART_MAX));
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        take_part(s, hour, sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1));
    rc = db_error(s->db);
    sqlite3_reset(stmt);
    return rc;
}

static void take_fresh(struct span *s, int64_t hour)
{
    for (; s->next_fresh < s->fresh.n; s->next_fresh++) {
        const struct fresh *f = &s->fresh.v[s->next_fresh];
        size_t first = s->readings.n;

        if (hour_of(f->at_ms) != hour)
            return;
        hold(s, f->at_ms, first, blob_decode(s->blobs.s + f->offset, f->n, keep_reading, s));
    }
}

static int compare_held(const void *a, const void *b)
{
    const struct held *x = a, *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void tell_hour(struct span *s)
{
    if (s->held.n > 1)
        qsort(s->held.v, s->held.n, sizeof *s->held.v, compare_held);
    for (size_t i = 0; i < s->held.n && !s->over; i++) {
        const struct held *h = &s->held.v[i];
        struct poll_view view = {.at_ms = h->at_ms, .n = h->n, .err = h->err};

        if (i + 1 < s->held.n && s->held.v[i + 1].at_ms == h->at_ms)
            continue;
        if (h->n > 0)
            view.readings = &s->readings.v[h->first];
        if (h->at_ms >= s->from && h->at_ms <= s->to)
            s->over = !s->fn(s->ctx, &view);
    }
    forget_hour(s);
}

/* The first hour from this one on in which any device has something; HOUR_MAX + 1: none. */
static int next_hour(struct span *s, int64_t *hour)
{
    sqlite3_stmt *stmt = db_stmt(s->db, SQL_PACKED_FROM);
    int64_t found = HOUR_MAX + 1;
    int rc;

    sqlite3_bind_int64(stmt, 1, packed_key(*hour, 0, 0));
    if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        found = packed_hour(sqlite3_column_int64(stmt, 0));
    rc = db_error(s->db);
    sqlite3_reset(stmt);
    if (s->next_fresh < s->fresh.n && hour_of(s->fresh.v[s->next_fresh].at_ms) < found)
        found = hour_of(s->fresh.v[s->next_fresh].at_ms);
    *hour = found;
    return rc;
}

static int read_hours(struct span *s)
{
    int64_t hour = hour_of(s->from), last = hour_of(s->to);
    int rc = next_hour(s, &hour);

    while (rc == 0 && !s->over && hour <= last) {
        rc = take_packed(s, hour);
        take_fresh(s, hour);
        if (rc == 0)
            tell_hour(s);
        hour++;
        if (rc == 0 && hour <= last)
            rc = next_hour(s, &hour);
    }
    forget_hour(s);
    return rc;
}

int span_read(struct db *db, int64_t device_id, int64_t from, int64_t to, uint64_t only, poll_fn fn, void *ctx)
{
    struct span s = {.db = db, .device_id = device_id, .from = from, .to = to, .only = only, .fn = fn, .ctx = ctx};
    int rc = from > to || device_id < 1 || device_id > DEVICE_MAX ? 0 : pack_state_read(db, &s.state);

    if (rc == 0 && from <= to && device_id >= 1 && device_id <= DEVICE_MAX) {
        rc = find_fresh(&s);
        if (rc == 0)
            rc = read_hours(&s);
    }
    array_free(&s.fresh);
    sbuf_free(&s.blobs);
    hour_reader_fini(&s.reader);
    array_free(&s.held);
    array_free(&s.readings);
    array_free(&s.texts);
    return rc;
}
