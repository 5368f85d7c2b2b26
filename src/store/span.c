#include "store/span.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/blob.h"
#include "store/keys.h"

/* A poll, of the hour that is being told or not packed yet. */
struct held {
    int64_t at_ms;
    size_t order;    /* in which they came */
    size_t first, n; /* of its readings */
    int err;
};

struct holding {
    ARRAY(struct held) polls;
    ARRAY(struct reading) readings;
    ARRAY(char *) texts;
};

struct span {
    struct db *db;
    int64_t device_id, from, to;
    uint64_t only;
    poll_fn fn;
    void *ctx;
    bool over;
    struct pack_state state;
    struct holding fresh; /* what is not packed yet, by time */
    size_t next_fresh;
    struct blob_chain chain;
    struct hour_reader reader;
    struct holding hour; /* that is being told; texts of fresh ones are borrowed from there */
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

/* ---- Polls in hand ---- */

static int compare_held(const void *a, const void *b)
{
    const struct held *x = a, *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void sort_held(struct holding *h)
{
    if (h->polls.n > 1)
        qsort(h->polls.v, h->polls.n, sizeof *h->polls.v, compare_held);
}

static void forget(struct holding *h)
{
    for (size_t i = 0; i < h->texts.n; i++)
        free(h->texts.v[i]);
    h->texts.n = h->polls.n = h->readings.n = 0;
}

static void holding_fini(struct holding *h)
{
    forget(h);
    array_free(&h->polls);
    array_free(&h->readings);
    array_free(&h->texts);
}

static void hold_reading(struct span *s, struct holding *h, const struct reading *r)
{
    struct reading copy = *r;

    if (s->only != NO_KEY && series_key(r->component, r->point) != s->only)
        return;
    if (copy.value.type == VALUE_TEXT && copy.value.quality <= QUALITY_STALE) {
        copy.value.text = xstrdup(copy.value.text);
        array_push(&h->texts, (char *)copy.value.text);
    }
    array_push(&h->readings, copy);
}

static void hold(struct span *s, struct holding *h, int64_t at_ms, const struct reading *readings, size_t n, int err)
{
    struct held poll = {.at_ms = at_ms, .order = h->polls.n, .first = h->readings.n, .err = err};

    for (size_t i = 0; i < n; i++)
        hold_reading(s, h, &readings[i]);
    poll.n = h->readings.n - poll.first;
    array_push(&h->polls, poll);
}

/* ---- What is not packed yet ---- */

/* Each is told by the one before it, so the chain is gone along from its beginning. */
static void take_row(struct span *s, sqlite3_stmt *stmt)
{
    int64_t at_ms = sqlite3_column_int64(stmt, 1);
    int rc = blob_chain_take(&s->chain, at_ms, sqlite3_column_blob(stmt, 2), (size_t)sqlite3_column_bytes(stmt, 2));

    if (at_ms >= s->from && at_ms <= s->to)
        hold(s, &s->fresh, at_ms, s->chain.readings, s->chain.n, rc);
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
                take_row(s, stmt);
            batch = key_number(key) + (key_device(key) >= s->device_id);
        }
        rc = db_error(s->db);
        sqlite3_reset(stmt);
    }
    sort_held(&s->fresh);
    return rc;
}

/* ---- An hour ---- */

static void take_part(struct span *s, int64_t hour, const void *blob, size_t n)
{
    struct hour_reader *r = &s->reader;
    int rc = hour_decode(r, blob, n, s->only);
    uint32_t begin = 0;

    if (rc < 0)
        hold(s, &s->hour, hour * HOUR_MS, NULL, 0, rc);
    for (size_t i = 0; rc == 0 && i < r->grid.times.n; begin = r->ends.v[i++])
        hold(s, &s->hour, r->grid.times.v[i], r->rows.v + begin, r->ends.v[i] - begin, 0);
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
    for (; s->next_fresh < s->fresh.polls.n; s->next_fresh++) {
        struct held poll = s->fresh.polls.v[s->next_fresh];
        size_t first = s->hour.readings.n;

        if (hour_of(poll.at_ms) != hour)
            return;
        for (size_t i = 0; i < poll.n; i++)
            array_push(&s->hour.readings, s->fresh.readings.v[poll.first + i]);
        poll.first = first;
        poll.order = s->hour.polls.n;
        array_push(&s->hour.polls, poll);
    }
}

static void tell_hour(struct span *s)
{
    const struct holding *hour = &s->hour;

    sort_held(&s->hour);
    for (size_t i = 0; i < hour->polls.n && !s->over; i++) {
        const struct held *h = &hour->polls.v[i];
        struct poll_view view = {.at_ms = h->at_ms, .n = h->n, .err = h->err};

        if (i + 1 < hour->polls.n && hour->polls.v[i + 1].at_ms == h->at_ms)
            continue;
        if (h->n > 0)
            view.readings = &hour->readings.v[h->first];
        if (h->at_ms >= s->from && h->at_ms <= s->to)
            s->over = !s->fn(s->ctx, &view);
    }
    forget(&s->hour);
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
    if (s->next_fresh < s->fresh.polls.n && hour_of(s->fresh.polls.v[s->next_fresh].at_ms) < found)
        found = hour_of(s->fresh.polls.v[s->next_fresh].at_ms);
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
    holding_fini(&s.fresh);
    holding_fini(&s.hour);
    blob_chain_fini(&s.chain);
    hour_reader_fini(&s.reader);
    return rc;
}
