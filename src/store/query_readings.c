#include "store/query_readings.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/filter.h"
#include "store/span.h"

enum { PAGE_BYTES = 4 << 20 };

enum { FILTER_DEVICE, FILTER_FROM, FILTER_TO };
static const struct filter filters[] = {
    [FILTER_DEVICE] = {.name = "device", .wanted = true},
    [FILTER_FROM] = {.name = "from", .number = true},
    [FILTER_TO] = {.name = "to", .number = true},
    {0},
};

struct reading_query {
    struct db *db;
    struct query_page *page;
    unsigned limit;
    int64_t device_id;
    char *device; /* its name, as JSON */
    int64_t from, to;
    ARRAY(char *) components; /* by number: members of a reading's object; NULL where there is none */
    struct sbuf rows;
    int64_t last_ms;
};

/* ---- What is asked ---- */

int query_find_device(struct db *db, const char *name, int64_t *id, char **as_json, char **why)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_FIND_DEVICE);
    struct sbuf json = {0};
    int rc = PD_ENOENT;

    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    if (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        *id = sqlite3_column_int64(stmt, 0);
        sbuf_add_json(&json, (const char *)sqlite3_column_text(stmt, 1));
        *as_json = sbuf_take(&json);
        rc = 0;
    } else if (db_error(db) < 0) {
        rc = db_error(db);
    } else {
        sbuf_add(&json, "there is no device ");
        sbuf_add_json(&json, name);
        *why = sbuf_take(&json);
    }
    db_done(stmt);
    return rc;
}

static int find_components(struct reading_query *q)
{
    const size_t most = 1000000; /* a number beyond is not believed: nothing numbers so many */
    sqlite3_stmt *stmt = db_stmt(q->db, SQL_COMPONENTS);
    int rc;

    sqlite3_bind_int64(stmt, 1, q->device_id);
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        static const char *const members[] = {"kind", "key", "label"};
        size_t number = (size_t)sqlite3_column_int64(stmt, 0);
        struct sbuf b = {0};

        if (number >= most)
            continue;
        for (int i = 0; i < 3; i++) {
            sbuf_addf(&b, ",\"%s\":", members[i]);
            sbuf_add_json(&b, (const char *)sqlite3_column_text(stmt, i + 1));
        }
        while (q->components.n <= number)
            array_push(&q->components, NULL);
        q->components.v[number] = sbuf_take(&b);
    }
    rc = db_error(q->db);
    sqlite3_reset(stmt);
    return rc;
}

static int parse(struct reading_query *q, const struct query_args *args)
{
    struct filter_values given;
    int rc = filter_parse(q->db, args->filters, filters, &given, &q->page->why);

    if (rc < 0)
        return rc;
    q->from = 0;
    q->to = INT64_MAX;
    if (given.v[FILTER_FROM])
        str_to_i64(given.v[FILTER_FROM], &q->from);
    if (given.v[FILTER_TO])
        str_to_i64(given.v[FILTER_TO], &q->to);
    if (args->after >= q->from && args->after < INT64_MAX)
        q->from = args->after + 1;
    rc = query_find_device(q->db, given.v[FILTER_DEVICE], &q->device_id, &q->device, &q->page->why);
    filter_values_fini(&given);
    return rc;
}

/* ---- Rows as JSON ---- */

static void add_number(struct sbuf *out, double x)
{
    double back;
    char text[40];

    if (!isfinite(x)) {
        sbuf_add(out, "null");
        return;
    }
    snprintf(text, sizeof text, "%.15g", x);
    if (str_to_double(text, &back) < 0 || back != x)
        snprintf(text, sizeof text, "%.17g", x);
    sbuf_add(out, text);
}

void query_add_value(struct sbuf *out, const struct value *v)
{
    bool told = v->quality == QUALITY_GOOD || v->quality == QUALITY_STALE;

    switch (told ? (enum value_type)v->type : VALUE_NONE) {
    case VALUE_NONE:
        sbuf_add(out, "null");
        break;
    case VALUE_BOOL:
        sbuf_add(out, v->b ? "true" : "false");
        break;
    case VALUE_INT:
    case VALUE_ENUM:
        sbuf_addf(out, "%" PRId64, v->i);
        break;
    case VALUE_NUM:
        add_number(out, v->num);
        break;
    case VALUE_BITS:
        sbuf_addf(out, "%" PRIu64, v->bits);
        break;
    case VALUE_TEXT:
        sbuf_add_json(out, v->text);
        break;
    }
}

static void add_reading(struct reading_query *q, const struct reading *r, bool first)
{
    struct sbuf *out = &q->rows;

    sbuf_addf(out, "%s{\"component\":%" PRIu32, first ? "" : ",", r->component);
    if (r->component < q->components.n && q->components.v[r->component])
        sbuf_add(out, q->components.v[r->component]);
    sbuf_addf(out, ",\"point\":%u,\"type\":\"%s\",\"quality\":\"%s\",\"value\":", r->point,
              value_type_name(r->value.type), quality_name(r->value.quality));
    query_add_value(out, &r->value);
    sbuf_addc(out, '}');
}

/* A poll that can't be believed says so in the place of its readings, and does not keep the others from being read. */
static void add_poll(struct reading_query *q, const struct poll_view *p)
{
    if (q->page->nrows > 0)
        sbuf_addc(&q->rows, ',');
    sbuf_addf(&q->rows, "{\"at_ms\":%" PRId64 ",\"device_id\":%" PRId64 ",\"device\":%s,", p->at_ms, q->device_id,
              q->device);
    if (p->err < 0) {
        sbuf_add(&q->rows, "\"readings\":null,\"error\":");
        sbuf_add_json(&q->rows, pd_strerror(p->err));
        sbuf_addc(&q->rows, '}');
    } else {
        sbuf_add(&q->rows, "\"readings\":[");
        for (size_t i = 0; i < p->n; i++)
            add_reading(q, &p->readings[i], i == 0);
        sbuf_add(&q->rows, "]}");
    }
    q->page->nrows++;
    q->last_ms = p->at_ms;
}

/* Ends where the page is full and another poll is there. */
static bool take_poll(void *ctx, const struct poll_view *p)
{
    struct reading_query *q = ctx;

    if (q->page->nrows >= q->limit || q->rows.n >= PAGE_BYTES) {
        q->page->next = q->last_ms;
        return false;
    }
    add_poll(q, p);
    return true;
}

/* ---- Running ---- */

int query_readings(struct db *db, const struct query_args *args, unsigned limit, struct query_page *page)
{
    struct reading_query q = {.db = db, .page = page, .limit = limit};
    int rc = db_do(db, SQL_BEGIN_READ);

    if (rc == 0)
        rc = parse(&q, args);
    if (rc == 0)
        rc = find_components(&q);
    sbuf_addc(&q.rows, '[');
    if (rc == 0)
        rc = span_read(db, q.device_id, q.from, q.to, NO_KEY, take_poll, &q);
    sbuf_addc(&q.rows, ']');
    if (rc == 0)
        page->rows = sbuf_take(&q.rows);
    else if (!page->why)
        page->why = xstrdup(db_why(db));
    db_rollback(db);
    for (size_t i = 0; i < q.components.n; i++)
        free(q.components.v[i]);
    array_free(&q.components);
    sbuf_free(&q.rows);
    free(q.device);
    return rc;
}
