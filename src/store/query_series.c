#include "store/query_series.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/filter.h"
#include "store/keys.h"
#include "store/query_readings.h"
#include "store/reckon.h"

enum { FILTER_DEVICE, FILTER_COMPONENT, FILTER_KIND, FILTER_KEY, FILTER_POINT, FILTER_FROM, FILTER_TO, FILTER_STEP };
static const struct choice step_choices[] = {{"raw", ""}, {"hour", ""}, {"day", ""}, {NULL, NULL}};
static const struct filter filters[] = {
    [FILTER_DEVICE] = {.name = "device", .wanted = true},
    [FILTER_COMPONENT] = {.name = "component"},
    [FILTER_KIND] = {.name = "kind"},
    [FILTER_KEY] = {.name = "key"},
    [FILTER_POINT] = {.name = "point", .wanted = true},
    [FILTER_FROM] = {.name = "from", .number = true},
    [FILTER_TO] = {.name = "to", .number = true},
    [FILTER_STEP] = {.name = "step", .choices = step_choices},
    {0},
};

struct series {
    struct db *db;
    struct query_page *page;
    unsigned limit;
    int64_t device_id, from, to, after;
    int64_t period_ms; /* 0: as it was read */
    uint64_t key;
    struct sbuf rows;
    int64_t last_ms; /* of the last row */
    /* The period that is being reckoned. */
    int64_t period;
    struct rollup rollup;
    ARRAY(char *) texts;
};

/* ---- What is asked ---- */

static int unknown(struct series *s, const char *what, const char *name)
{
    struct sbuf b = {0};

    sbuf_addf(&b, "the device has no %s ", what);
    sbuf_add_json(&b, name);
    s->page->why = sbuf_take(&b);
    return PD_ENOENT;
}

/* The row's number, and a text of it (free it). */
static int find(struct series *s, enum sql sql, const char *first, const char *second, int64_t *number, char **text)
{
    sqlite3_stmt *stmt = db_stmt(s->db, sql);
    int rc = PD_ENOENT;

    if (sql == SQL_FIND_COMPONENT)
        sqlite3_bind_int64(stmt, 1, s->device_id);
    else
        sqlite3_bind_text(stmt, 1, first, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, second, -1, SQLITE_STATIC);
    if (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        *number = sqlite3_column_int64(stmt, 0);
        *text = xstrdup((const char *)sqlite3_column_text(stmt, 1));
        rc = 0;
    } else if (db_error(s->db) < 0) {
        rc = db_error(s->db);
    }
    db_done(stmt);
    return rc;
}

static int find_series(struct series *s, const struct filter_values *given)
{
    char *named = NULL, *kind = NULL, *name = NULL;
    int64_t component = 0, point = 0;
    int rc;

    if (given->v[FILTER_COMPONENT])
        named = xstrdup(given->v[FILTER_COMPONENT]);
    else
        named = xasprintf("%s:%s", given->v[FILTER_KIND] ? given->v[FILTER_KIND] : "device",
                          given->v[FILTER_KEY] ? given->v[FILTER_KEY] : "");
    rc = find(s, SQL_FIND_COMPONENT, NULL, named, &component, &kind);
    if (rc == PD_ENOENT)
        rc = unknown(s, "component", named);
    if (rc == 0 && str_to_i64(given->v[FILTER_POINT], &point) < 0)
        rc = find(s, SQL_FIND_POINT, kind, given->v[FILTER_POINT], &point, &name);
    if (rc == PD_ENOENT && !s->page->why)
        rc = unknown(s, "point", given->v[FILTER_POINT]);
    if (rc == 0 && (point < 0 || point > UINT16_MAX))
        rc = unknown(s, "point", given->v[FILTER_POINT]);
    s->key = series_key((uint32_t)component, (uint16_t)point);
    free(named);
    free(kind);
    free(name);
    return rc;
}

static int parse(struct series *s, const struct query_args *args)
{
    struct filter_values given;
    char *device = NULL;
    int rc = filter_parse(s->db, args->filters, filters, &given, &s->page->why);

    if (rc < 0)
        return rc;
    s->from = 0;
    s->to = INT64_MAX;
    s->after = args->after;
    if (given.v[FILTER_FROM])
        str_to_i64(given.v[FILTER_FROM], &s->from);
    if (given.v[FILTER_TO])
        str_to_i64(given.v[FILTER_TO], &s->to);
    if (str_eq(given.v[FILTER_STEP], "hour"))
        s->period_ms = HOUR_MS;
    else if (str_eq(given.v[FILTER_STEP], "day"))
        s->period_ms = DATE_DAY_MS;
    if (s->from < s->after)
        s->from = s->after + (s->period_ms == 0);
    if (s->from < 0)
        s->from = 0;
    if (s->period_ms > 0)
        s->from -= s->from % s->period_ms;
    rc = query_find_device(s->db, given.v[FILTER_DEVICE], &s->device_id, &device, &s->page->why);
    if (rc == 0)
        rc = find_series(s, &given);
    free(device);
    filter_values_fini(&given);
    return rc;
}

/* ---- Rows ---- */

/* False: the page is full, and there is more. */
static bool begin_row(struct series *s, int64_t at_ms)
{
    if (s->page->nrows >= s->limit) {
        s->page->next = s->last_ms;
        return false;
    }
    sbuf_addf(&s->rows, "%s{\"at_ms\":%" PRId64, s->page->nrows > 0 ? "," : "", at_ms);
    s->page->nrows++;
    s->last_ms = at_ms;
    return true;
}

static void add_member(struct series *s, const char *name, const struct value *v)
{
    sbuf_addf(&s->rows, ",\"%s\":", name);
    query_add_value(&s->rows, v);
}

static bool add_rollup(struct series *s, int64_t at_ms, const struct rollup *r)
{
    double ignored;

    if (r->count == 0 || at_ms < s->from || at_ms > s->to || (s->after > 0 && at_ms <= s->after))
        return true;
    if (!begin_row(s, at_ms))
        return false;
    sbuf_addf(&s->rows, ",\"count\":%" PRId64 ",\"type\":\"%s\"", r->count, value_type_name(r->last.type));
    add_member(s, "first", &r->first);
    add_member(s, "last", &r->last);
    if (rollup_number(&r->last, &ignored)) {
        const struct value mean = value_num(r->sum / (double)r->count), rise = value_num(r->rise);

        add_member(s, "min", &r->least);
        add_member(s, "max", &r->most);
        add_member(s, "avg", &mean);
        add_member(s, "rise", &rise);
    }
    sbuf_addf(&s->rows, ",\"breaks\":%" PRId64 "}", r->breaks);
    return true;
}

static bool add_raw(void *ctx, const struct poll_view *p)
{
    struct series *s = ctx;

    if (p->n == 0)
        return true;
    if (!begin_row(s, p->at_ms))
        return false;
    sbuf_addf(&s->rows, ",\"type\":\"%s\",\"quality\":\"%s\"", value_type_name(p->readings->value.type),
              quality_name(p->readings->value.quality));
    add_member(s, "value", &p->readings->value);
    sbuf_addc(&s->rows, '}');
    return true;
}

/* ---- What is reckoned up already ---- */

/* The series' periods of a row, each by itself, or (day) all as one. False: the page is full. A row that cannot be believed is none. */
static bool add_periods(struct series *s, struct rollup_reader *r, const void *blob, size_t n, int64_t day)
{
    struct rollup all = {0};
    bool room = true;

    if (rollup_open(r, blob, n) < 0)
        return true;
    rollup_seek(r, s->key);
    if (rollup_next(r) != 1 || r->series != s->key)
        return true;
    for (size_t i = 0; i < r->periods.n && room; i++) {
        if (day < 0)
            room = add_rollup(s, r->grid.times.v[i], &r->periods.v[i]);
        else
            rollup_merge(&all, &r->periods.v[i]);
    }
    return day < 0 ? room : add_rollup(s, day * DATE_DAY_MS, &all);
}

static int add_rows(struct series *s, enum sql sql, int64_t first, int64_t end, bool as_days)
{
    sqlite3_stmt *stmt = db_stmt(s->db, sql);
    struct rollup_reader reader = {0};
    int rc = stmt ? 0 : db_error(s->db);

    for (int64_t number = first; number < end && rc == 0 && s->page->next == 0; number++) {
        sqlite3_bind_int64(stmt, 1, device_key(number, s->device_id));
        if (sqlite3_step(stmt) == SQLITE_ROW)
            add_periods(s, &reader, sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0),
                        as_days ? number : -1);
        rc = db_error(s->db);
        sqlite3_reset(stmt);
    }
    rollup_reader_fini(&reader);
    return rc;
}

/* ---- What is not ---- */

static bool end_period(struct series *s)
{
    bool room = add_rollup(s, s->period * s->period_ms, &s->rollup);

    for (size_t i = 0; i < s->texts.n; i++)
        free(s->texts.v[i]);
    s->texts.n = 0;
    s->rollup = (struct rollup){0};
    return room;
}

static bool take_reading(void *ctx, const struct poll_view *p)
{
    struct series *s = ctx;
    struct value v;

    if (p->n == 0)
        return true;
    if (p->at_ms / s->period_ms != s->period && !end_period(s))
        return false;
    s->period = p->at_ms / s->period_ms;
    v = p->readings->value;
    if (v.type == VALUE_TEXT && v.quality == QUALITY_GOOD) {
        array_push(&s->texts, xstrdup(v.text));
        v.text = s->texts.v[s->texts.n - 1];
    }
    rollup_take(&s->rollup, &v);
    return true;
}

static int reckon_rest(struct series *s, int64_t from)
{
    int64_t to = s->to > INT64_MAX - s->period_ms ? s->to : s->to - s->to % s->period_ms + s->period_ms - 1;
    int rc;

    if (s->page->next != 0)
        return 0;
    rc = span_read(s->db, s->device_id, from > s->from ? from : s->from, to, s->key, take_reading, s);
    if (rc == 0 && s->page->next == 0)
        end_period(s);
    return rc;
}

static int read_periods(struct series *s)
{
    struct pack_state state = {0};
    int64_t from_day = s->from / DATE_DAY_MS, to_day = s->to / DATE_DAY_MS, first_day;
    int rc = pack_state_read(s->db, &state);

    to_day = to_day < state.day ? to_day + 1 : state.day;
    if (rc == 0 && s->period_ms == DATE_DAY_MS) {
        int64_t to_month = month_of_day(to_day);

        rc = add_rows(s, SQL_DAILY, month_of_day(from_day), to_month < state.month ? to_month + 1 : state.month, false);
        first_day = first_day_of_month(state.month);
        from_day = from_day > first_day ? from_day : first_day;
    }
    if (rc == 0)
        rc = add_rows(s, SQL_HOURLY, from_day, to_day, s->period_ms == DATE_DAY_MS);
    return rc == 0 ? reckon_rest(s, state.day * DATE_DAY_MS) : rc;
}

int query_series(struct db *db, const struct query_args *args, unsigned limit, struct query_page *page)
{
    struct series s = {.db = db, .page = page, .limit = limit};
    int rc = db_do(db, SQL_BEGIN_READ);

    if (rc == 0)
        rc = parse(&s, args);
    sbuf_addc(&s.rows, '[');
    if (rc == 0 && s.period_ms == 0)
        rc = span_read(db, s.device_id, s.from, s.to, s.key, add_raw, &s);
    else if (rc == 0)
        rc = read_periods(&s);
    sbuf_addc(&s.rows, ']');
    if (rc == 0)
        page->rows = sbuf_take(&s.rows);
    else if (!page->why)
        page->why = xstrdup(db_why(db));
    db_rollback(db);
    for (size_t i = 0; i < s.texts.n; i++)
        free(s.texts.v[i]);
    array_free(&s.texts);
    sbuf_free(&s.rows);
    return rc;
}
