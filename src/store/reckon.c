#include "store/reckon.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/keys.h"

/* A series of the hour that is being reckoned. */
struct tally {
    uint64_t series;
    struct rollup rollup;
};

struct reckoner {
    struct db *db;
    struct grid_builder builder;
    struct sbuf blob;
    int64_t hour;                /* to which the tallies belong */
    ARRAY(struct tally) tallies; /* by rising series */
    size_t cursor;
    ARRAY(char *) texts;
    struct rollup_reader reader;
};

struct reckoner *reckoner_new(struct db *db)
{
    struct reckoner *r = xcalloc(1, sizeof *r);

    r->db = db;
    return r;
}

static void forget_tallies(struct reckoner *r)
{
    for (size_t i = 0; i < r->texts.n; i++)
        free(r->texts.v[i]);
    r->texts.n = r->tallies.n = 0;
}

void reckoner_free(struct reckoner *r)
{
    if (!r)
        return;
    forget_tallies(r);
    array_free(&r->texts);
    array_free(&r->tallies);
    grid_builder_fini(&r->builder);
    rollup_reader_fini(&r->reader);
    sbuf_free(&r->blob);
    free(r);
}

int64_t month_of_day(int64_t day)
{
    struct date d = date_of_day(day);

    return (d.year - 1970) * 12 + d.month - 1;
}

int64_t first_day_of_month(int64_t month)
{
    return date_to_day(1970 + month / 12, (int)(month % 12) + 1, 1);
}

/* ---- A day ---- */

static struct rollup *tally_of(struct reckoner *r, uint64_t series)
{
    while (r->cursor < r->tallies.n && r->tallies.v[r->cursor].series < series)
        r->cursor++;
    if (r->cursor == r->tallies.n || r->tallies.v[r->cursor].series != series) {
        struct tally fresh = {.series = series}, *at;

        array_push(&r->tallies, fresh);
        at = &r->tallies.v[r->cursor];
        memmove(at + 1, at, (r->tallies.n - 1 - r->cursor) * sizeof *at);
        *at = fresh;
    }
    return &r->tallies.v[r->cursor++].rollup;
}

/* The text lives for the call only; one that says the same as the last one is that. */
static void take_text(struct reckoner *r, struct rollup *to, struct value v)
{
    if (to->count > 0 && value_same(to->last, v)) {
        v.text = to->last.text;
    } else {
        array_push(&r->texts, xstrdup(v.text));
        v.text = r->texts.v[r->texts.n - 1];
    }
    rollup_take(to, &v);
}

static void put_hour(struct reckoner *r)
{
    bool any = false;

    for (size_t i = 0; i < r->tallies.n && !any; i++)
        any = r->tallies.v[i].rollup.count > 0;
    if (any)
        grid_row(&r->builder, r->hour * HOUR_MS);
    for (size_t i = 0; i < r->tallies.n; i++)
        rollup_put(&r->builder, r->tallies.v[i].series, &r->tallies.v[i].rollup);
    forget_tallies(r);
}

static bool take_poll(void *ctx, const struct poll_view *p)
{
    struct reckoner *r = ctx;

    if (hour_of(p->at_ms) != r->hour) {
        put_hour(r);
        r->hour = hour_of(p->at_ms);
    }
    r->cursor = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct reading *reading = &p->readings[i];
        struct rollup *to = tally_of(r, series_key(reading->component, reading->point));

        if (reading->value.type == VALUE_TEXT && reading->value.quality == QUALITY_GOOD)
            take_text(r, to, reading->value);
        else
            rollup_take(to, &reading->value);
    }
    return true;
}

/* Puts what was built into a table, or removes what stood there where nothing was. */
static int put_row(struct reckoner *r, enum sql put, enum sql forget, int64_t key)
{
    bool any = r->builder.nseries > 0;
    sqlite3_stmt *stmt = db_stmt(r->db, any ? put : forget);

    sbuf_reset(&r->blob);
    if (any)
        grid_encode(&r->builder, GRID_ROLLUP, &r->blob);
    grid_clear(&r->builder);
    sqlite3_bind_int64(stmt, 1, key);
    if (any)
        sqlite3_bind_blob64(stmt, 2, r->blob.s, r->blob.n, SQLITE_STATIC);
    return db_run(r->db, stmt);
}

int reckon_day(struct reckoner *r, int64_t device_id, int64_t day)
{
    int rc;

    grid_clear(&r->builder);
    r->hour = -1;
    rc = span_read(r->db, device_id, day * DATE_DAY_MS, (day + 1) * DATE_DAY_MS - 1, NO_KEY, take_poll, r);
    put_hour(r);
    return rc == 0 ? put_row(r, SQL_PUT_HOURLY, SQL_FORGET_HOURLY, device_key(day, device_id)) : rc;
}

/* ---- A month ---- */

static void add_day(struct reckoner *r, int64_t day, const void *blob, size_t n)
{
    int rc = rollup_open(&r->reader, blob, n);

    if (rc == 0)
        grid_row(&r->builder, day * DATE_DAY_MS);
    while (rc == 0 && (rc = rollup_next(&r->reader)) == 1) {
        struct rollup all = {0};

        for (size_t i = 0; i < r->reader.periods.n; i++)
            rollup_merge(&all, &r->reader.periods.v[i]);
        rollup_put(&r->builder, r->reader.series, &all);
        rc = 0;
    }
    if (rc < 0)
        log_warn("store", "the hours of day %lld of a device can't be used: %s", (long long)day, pd_strerror(rc));
}

int reckon_month(struct reckoner *r, int64_t device_id, int64_t month)
{
    sqlite3_stmt *stmt = db_stmt(r->db, SQL_HOURLY);
    int64_t end = first_day_of_month(month + 1);
    int rc = stmt ? 0 : db_error(r->db);

    grid_clear(&r->builder);
    for (int64_t day = first_day_of_month(month); day < end && rc == 0; day++) {
        sqlite3_bind_int64(stmt, 1, device_key(day, device_id));
        if (sqlite3_step(stmt) == SQLITE_ROW)
            add_day(r, day, sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
        rc = db_error(r->db);
        sqlite3_reset(stmt);
    }
    return rc == 0 ? put_row(r, SQL_PUT_DAILY, SQL_FORGET_DAILY, device_key(month, device_id)) : rc;
}
