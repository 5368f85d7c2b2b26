#include "store/pack.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/keys.h"
#include "store/reckon.h"
#include "store/span.h"

/* What a piece takes: commits wait for it, so none takes longer than a fifth of a second. */
enum {
    ROWS_A_PIECE = 2000, /* deleted: polls */
    BIG_ROWS_A_PIECE = 300,
    DAYS_A_PIECE = 8, /* devices whose day is reckoned */
    MONTHS_A_PIECE = 16,
};

struct group {
    struct packer *packer;
    struct pack_state state;
    struct pack_told *told;
};

void packer_fini(struct packer *p)
{
    fresh_fini(&p->fresh);
    blob_chain_fini(&p->chain);
    grid_builder_fini(&p->builder);
    sbuf_free(&p->blob);
    sbuf_free(&p->whole);
    reckoner_free(p->reckoner);
    p->reckoner = NULL;
}

static struct reckoner *reckoner_of(struct packer *p)
{
    if (!p->reckoner)
        p->reckoner = reckoner_new(p->db);
    return p->reckoner;
}

static int put_state(struct db *db, const struct pack_state *s)
{
    const int64_t fields[] = {s->begins, s->ends, s->device, s->hour, s->day, s->day_device, s->month, s->month_device};
    sqlite3_stmt *stmt = db_stmt(db, SQL_PUT_PACK_STATE);

    for (int i = 0; i < (int)(sizeof fields / sizeof *fields); i++)
        sqlite3_bind_int64(stmt, i + 1, fields[i]);
    return db_run(db, stmt);
}

/* The key of the first row at or beyond one; -1: none. */
static int first_key(struct db *db, enum sql sql, int64_t from, int64_t *out)
{
    sqlite3_stmt *stmt = db_stmt(db, sql);
    int rc;

    sqlite3_bind_int64(stmt, 1, from);
    *out = stmt && sqlite3_step(stmt) == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : -1;
    rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

/* ---- An hour that is over ---- */

/* When the first poll of all came: what a database begins with. */
static int find_hour(struct db *db, struct pack_state *s)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_POLL_FROM);
    int rc;

    sqlite3_bind_int64(stmt, 1, 0);
    if (stmt && sqlite3_step(stmt) == SQLITE_ROW)
        s->hour = hour_of(sqlite3_column_int64(stmt, 1));
    rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

/*
 * What came until polls were last told anew, if anything did, is to be packed. Where the clock was set back, days that it
 * is to live through again are not over.
 */
static int end_hour(struct packer *p, struct pack_state *s, int64_t now_ms)
{
    int64_t day = hour_of(now_ms) / HOURS_A_DAY;

    if (p->db->cut.batch > s->begins)
        s->ends = p->db->cut.batch;
    s->device = 0;
    s->hour = hour_of(now_ms);
    if (s->day > day) {
        s->day = day;
        s->day_device = 0;
    }
    if (s->month > month_of_day(day)) {
        s->month = month_of_day(day);
        s->month_device = 0;
    }
    return put_state(p->db, s);
}

/* ---- Packing ---- */

/* The number of the part that an hour gets next. */
static int next_part(struct db *db, int64_t hour, int64_t device, int64_t *out)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_PACKED_LAST);
    int rc;

    sqlite3_bind_int64(stmt, 1, packed_key(hour, device, 0));
    sqlite3_bind_int64(stmt, 2, packed_key(hour, device, PART_MAX));
    *out = stmt && sqlite3_step(stmt) == SQLITE_ROW ? (sqlite3_column_int64(stmt, 0) & PART_MAX) + 1 : 0;
    rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

/* Where an hour has all the parts that there are numbers for, what comes still is left out and told. */
static int put_part(struct group *g, const struct fresh_poll *first)
{
    struct packer *p = g->packer;
    sqlite3_stmt *stmt;
    int64_t part, hour = hour_of(first->at_ms);
    int rc = p->builder.times.n > 0 ? next_part(p->db, hour, first->device, &part) : 0;

    if (rc < 0 || p->builder.times.n == 0)
        return rc;
    if (part > PART_MAX) {
        g->told->unreadable += (int64_t)p->builder.times.n;
    } else {
        sbuf_reset(&p->blob);
        grid_encode(&p->builder, GRID_HOUR, &p->blob);
        stmt = db_stmt(p->db, SQL_PUT_PACKED);
        sqlite3_bind_int64(stmt, 1, packed_key(hour, first->device, part));
        sqlite3_bind_blob64(stmt, 2, p->blob.s, p->blob.n, SQLITE_STATIC);
        rc = db_run(p->db, stmt);
    }
    grid_clear(&p->builder);
    return rc;
}

/* Days and months that are reckoned up already get what came late. What is too old for that is nowhere but in the part. */
static int reckon_late(struct group *g, const struct fresh_poll *t, int64_t now_ms)
{
    struct packer *p = g->packer;
    int64_t hour = hour_of(t->at_ms), day = hour / HOURS_A_DAY, month = month_of_day(day);
    int rc = 0;

    if (day >= g->state.day || hour < hour_of(now_ms - p->raw_ms))
        return 0;
    rc = reckon_day(reckoner_of(p), t->device, day);
    return rc == 0 && month < g->state.month ? reckon_month(reckoner_of(p), t->device, month) : rc;
}

/* Polls of one device and hour. */
static int pack_hour(struct group *g, const struct fresh_poll *polls, size_t n, const struct sbuf *blobs,
                     int64_t now_ms)
{
    struct packer *p = g->packer;
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct fresh_poll *t = &polls[i];

        if (i + 1 < n && polls[i + 1].at_ms == t->at_ms)
            continue;
        if (grid_full(&p->builder, t->n))
            rc = put_part(g, t);
        if (rc == 0 && hour_add(&p->builder, &p->chain, t->at_ms, blobs->s + t->offset, t->n) < 0)
            g->told->unreadable++;
    }
    if (rc == 0)
        rc = put_part(g, polls);
    return rc == 0 ? reckon_late(g, polls, now_ms) : rc;
}

static int pack_hours(struct group *g, const struct fresh_poll *polls, size_t n, const struct sbuf *blobs,
                      int64_t now_ms)
{
    int rc = 0;

    for (size_t i = 0, run; i < n && rc == 0; i += run) {
        for (run = 1; i + run < n && hour_of(polls[i + run].at_ms) == hour_of(polls[i].at_ms);)
            run++;
        rc = pack_hour(g, &polls[i], run, blobs, now_ms);
    }
    return rc;
}

static bool is_in_order(const struct fresh_poll *polls, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (polls[i].at_ms <= polls[i - 1].at_ms)
            return false;
    return true;
}

static int compare_times(const void *a, const void *b)
{
    const struct fresh_poll *x = a, *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Polls are told by those that came before them, so each is made to stand by itself before they are put in another order. */
static size_t put_in_order(struct group *g, struct fresh_poll *polls, size_t n)
{
    struct packer *p = g->packer;
    size_t kept = 0;

    sbuf_reset(&p->whole);
    for (size_t i = 0; i < n; i++) {
        struct fresh_poll t = polls[i];

        if (blob_chain_take(&p->chain, t.at_ms, p->fresh.blobs.s + t.offset, t.n) < 0) {
            g->told->unreadable++;
            continue;
        }
        t.offset = p->whole.n;
        blob_encode(&p->whole, p->chain.readings, p->chain.n);
        t.n = p->whole.n - t.offset;
        polls[kept++] = t;
    }
    if (kept > 1)
        qsort(polls, kept, sizeof *polls, compare_times);
    return kept;
}

static int pack_device(struct group *g, struct fresh_poll *polls, size_t n, int64_t now_ms)
{
    struct packer *p = g->packer;

    blob_chain_break(&p->chain);
    if (is_in_order(polls, n))
        return pack_hours(g, polls, n, &p->fresh.blobs, now_ms);
    return pack_hours(g, polls, put_in_order(g, polls, n), &p->whole, now_ms);
}

static int pack_next(struct packer *p, const struct pack_state *state, int64_t now_ms, struct pack_told *told)
{
    struct group g = {.packer = p, .state = *state, .told = told};
    struct fresh *f = &p->fresh;
    int rc = fresh_read(f, p->db, state->begins, state->ends, state->device);

    for (size_t i = 0, run; i < f->polls.n && rc == 0; i += run) {
        for (run = 1; i + run < f->polls.n && f->polls.v[i + run].device == f->polls.v[i].device;)
            run++;
        rc = pack_device(&g, &f->polls.v[i], run, now_ms);
    }
    told->polls += (int64_t)f->polls.n;
    if (f->next > 0) {
        g.state.device = f->next - 1;
    } else {
        g.state.begins = g.state.ends;
        g.state.ends = g.state.device = 0;
    }
    return rc == 0 ? put_state(p->db, &g.state) : rc;
}

/* ---- Reckoning up ---- */

/* The first device beyond one that has anything under numbers [from, to) of a table; 0: none. */
static int next_device(struct db *db, enum sql sql, int shift, int64_t from, int64_t to, int64_t after, int64_t *out)
{
    int rc = 0;

    *out = 0;
    for (int64_t number = from; number < to && rc == 0; number++) {
        int64_t key;

        rc = first_key(db, sql, device_key(number, after + 1) << shift, &key);
        if (key >= 0 && key_number(key >> shift) == number && (*out == 0 || key_device(key >> shift) < *out))
            *out = key_device(key >> shift);
    }
    return rc;
}

/* The first day from state.day on of which anything is packed, if it is over. */
static int find_day(struct packer *p, struct pack_state *s, bool *found)
{
    int64_t key, today = s->hour / HOURS_A_DAY;
    int rc = first_key(p->db, SQL_PACKED_FROM, packed_key(s->day * HOURS_A_DAY, 0, 0), &key);
    int64_t day = key < 0 ? INT64_MAX : packed_hour(key) / HOURS_A_DAY;

    *found = rc == 0 && day < today;
    day = day < today ? day : today;
    if (rc == 0 && day > s->day) { /* there is nothing in those between */
        s->day = day;
        s->day_device = 0;
    }
    return rc;
}

static int reckon_days(struct packer *p, struct pack_state *s)
{
    int64_t device = 0;
    int rc = 0;

    for (int n = 0; n < DAYS_A_PIECE && rc == 0; n++) {
        rc = next_device(p->db, SQL_PACKED_FROM, PART_BITS, s->day * HOURS_A_DAY, (s->day + 1) * HOURS_A_DAY,
                         s->day_device, &device);
        if (rc < 0 || device == 0)
            break;
        rc = reckon_day(reckoner_of(p), device, s->day);
        s->day_device = device;
    }
    if (rc == 0 && device == 0) {
        s->day++;
        s->day_device = 0;
    }
    return rc == 0 ? put_state(p->db, s) : rc;
}

static int find_month(struct packer *p, struct pack_state *s, bool *found)
{
    int64_t key;
    int rc = first_key(p->db, SQL_HOURLY_FROM, device_key(first_day_of_month(s->month), 0), &key);
    int64_t month = key < 0 ? INT64_MAX : month_of_day(key_number(key));

    *found = rc == 0 && month < month_of_day(s->day);
    if (*found && month > s->month) {
        s->month = month;
        s->month_device = 0;
    }
    return rc;
}

static int reckon_months(struct packer *p, struct pack_state *s)
{
    int64_t first = first_day_of_month(s->month), end = first_day_of_month(s->month + 1), device = 0;
    int rc = 0;

    for (int n = 0; n < MONTHS_A_PIECE && rc == 0; n++) {
        rc = next_device(p->db, SQL_HOURLY_FROM, 0, first, end, s->month_device, &device);
        if (rc < 0 || device == 0)
            break;
        rc = reckon_month(reckoner_of(p), device, s->month);
        s->month_device = device;
    }
    if (rc == 0 && device == 0) {
        s->month++;
        s->month_device = 0;
    }
    return rc == 0 ? put_state(p->db, s) : rc;
}

/* ---- Deleting ---- */

static int trim_rows(struct db *db, enum sql sql, int64_t before, int64_t rows)
{
    sqlite3_stmt *stmt = db_stmt(db, sql);

    sqlite3_bind_int64(stmt, 1, before);
    sqlite3_bind_int64(stmt, 2, rows);
    return db_run(db, stmt);
}

/* Rows of the oldest hour, or else of the oldest day, that is too old and has been reckoned up. */
static int trim_old(struct packer *p, const struct pack_state *s, int64_t now_ms, bool *trimmed)
{
    int64_t hour = hour_of(now_ms - p->raw_ms), day = hour_of(now_ms - p->hourly_ms) / HOURS_A_DAY, key;
    int64_t first_day = first_day_of_month(s->month);
    int64_t oldest;
    int rc = first_key(p->db, SQL_PACKED_FROM, 0, &oldest);

    key = oldest;
    hour = hour < s->day * HOURS_A_DAY ? hour : s->day * HOURS_A_DAY;
    day = day < first_day ? day : first_day;
    if (rc == 0 && oldest >= 0 && packed_hour(oldest) < hour) {
        rc = trim_rows(p->db, SQL_TRIM_PACKED, packed_key(packed_hour(oldest) + 1, 0, 0), BIG_ROWS_A_PIECE);
        if (rc == 0)
            rc = first_key(p->db, SQL_PACKED_FROM, 0, &key);
        *trimmed = key < 0 || packed_hour(key) > packed_hour(oldest);
        return rc;
    }
    if (rc == 0)
        rc = first_key(p->db, SQL_HOURLY_FROM, 0, &key);
    *trimmed = key < 0 || key_number(key) >= day;
    if (rc == 0 && !*trimmed)
        rc = trim_rows(p->db, SQL_TRIM_HOURLY, device_key(key_number(key) + 1, 0), BIG_ROWS_A_PIECE);
    return rc;
}

/* ---- A piece ---- */

static int do_piece(struct packer *p, struct pack_state *s, int64_t now_ms, bool trim, bool *trimmed,
                    struct pack_told *told)
{
    int64_t key = -1;
    bool found = false;
    int rc = s->hour == 0 ? find_hour(p->db, s) : 0;

    told->more = true;
    if (rc < 0)
        return rc;
    if (s->ends == 0 && s->hour != hour_of(now_ms) && p->db->cut.hour == hour_of(now_ms))
        return end_hour(p, s, now_ms);
    if (s->ends > 0)
        return pack_next(p, s, now_ms, told);
    rc = first_key(p->db, SQL_POLLS_FROM, 0, &key);
    if (rc == 0 && key >= 0 && key < device_key(s->begins, 0))
        return trim_rows(p->db, SQL_TRIM_POLLS, device_key(s->begins, 0), ROWS_A_PIECE);
    if (rc == 0)
        rc = find_day(p, s, &found);
    if (rc == 0 && found)
        return reckon_days(p, s);
    if (rc == 0)
        rc = find_month(p, s, &found);
    if (rc == 0 && found)
        return reckon_months(p, s);
    if (rc == 0 && trim)
        rc = trim_old(p, s, now_ms, trimmed);
    told->more = trim && !*trimmed;
    return rc;
}

int pack_piece(struct packer *p, int64_t now_ms, bool trim, bool *trimmed, struct pack_told *out)
{
    struct pack_state s = {0};
    int rc = db_do(p->db, SQL_BEGIN);

    *out = (struct pack_told){0};
    *trimmed = false;
    grid_clear(&p->builder);
    if (rc == 0)
        rc = pack_state_read(p->db, &s);
    if (rc == 0) {
        out->waiting = s.ends > 0 ? s.ends - s.begins : 0;
        out->lag_ms = s.ends > 0 ? now_ms - s.hour * HOUR_MS : 0;
        rc = do_piece(p, &s, now_ms, trim, trimmed, out);
    }
    if (rc == 0)
        rc = db_do(p->db, SQL_COMMIT);
    if (rc < 0)
        out->more = false;
    return rc;
}
