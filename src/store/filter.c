#include "store/filter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static void list_filters(struct sbuf *out, const struct filter *filters)
{
    for (size_t i = 0; filters[i].name; i++)
        sbuf_addf(out, "%s %s", i > 0 ? "," : "", filters[i].name);
}

static int unknown_filter(const char *name, const struct filter *filters, char **why)
{
    struct sbuf b = {0};

    sbuf_add(&b, "there is no filter ");
    sbuf_add_json(&b, name);
    sbuf_add(&b, " here; there are");
    list_filters(&b, filters);
    *why = sbuf_take(&b);
    return PD_EINVAL;
}

static int wrong_value(const struct filter *f, const char *given, char **why)
{
    struct sbuf b = {0};

    sbuf_addf(&b, "filter \"%s\" can't be ", f->name);
    sbuf_add_json(&b, given);
    if (f->number)
        sbuf_add(&b, "; it is a whole number");
    for (size_t i = 0; f->choices && f->choices[i].value; i++)
        sbuf_addf(&b, "%s%s", i > 0 ? ", " : "; it is one of ", f->choices[i].value);
    *why = sbuf_take(&b);
    return PD_EINVAL;
}

static const struct choice *find_choice(const struct filter *f, const char *value)
{
    for (size_t i = 0; f->choices[i].value; i++)
        if (str_eq(f->choices[i].value, value))
            return &f->choices[i];
    return NULL;
}

/* One member of the object. type is as json_each() tells it; value NULL for objects and arrays. */
static int take_member(const struct filter *filters, const char *name, const char *type, const char *value,
                       struct filter_values *out, char **why)
{
    const struct filter *f = filters;
    int64_t number;

    while (f->name && !str_eq(f->name, name))
        f++;
    if (!f->name)
        return unknown_filter(name, filters, why);
    if (str_eq(type, "null"))
        return 0;
    if (str_eq(type, "true") || str_eq(type, "false"))
        value = type;
    if (!value || (f->number && str_to_i64(value, &number) < 0) || (f->choices && !find_choice(f, value)))
        return wrong_value(f, value ? value : type, why);
    xstrset(&out->v[f - filters], value);
    return 0;
}

static int take_members(struct db *db, const char *json, const struct filter *filters, struct filter_values *out,
                        char **why)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_FILTERS);
    int rc = 0;

    sqlite3_bind_text(stmt, 1, json, -1, SQLITE_STATIC);
    while (rc == 0 && stmt && sqlite3_step(stmt) == SQLITE_ROW)
        rc =
            take_member(filters, (const char *)sqlite3_column_text(stmt, 0), (const char *)sqlite3_column_text(stmt, 1),
                        (const char *)sqlite3_column_text(stmt, 2), out, why);
    if (rc == 0 && db_error(db) < 0) {
        *why = xasprintf("the filters are not a JSON object: %s", db_why(db));
        rc = PD_EINVAL;
    }
    db_done(stmt);
    return rc;
}

int filter_parse(struct db *db, const char *json, const struct filter *filters, struct filter_values *out, char **why)
{
    size_t n = 0;
    int rc = 0;

    while (filters[n].name)
        n++;
    assert(n <= FILTERS_MAX);
    *out = (struct filter_values){0};
    if (json && json[strspn(json, " \t\r\n")] != '{') {
        *why = xstrdup("the filters are not a JSON object");
        return PD_EINVAL;
    }
    if (json)
        rc = take_members(db, json, filters, out, why);
    for (size_t i = 0; i < n && rc == 0; i++)
        if (filters[i].wanted && !out->v[i]) {
            *why = xasprintf("the filter \"%s\" is wanted", filters[i].name);
            rc = PD_EINVAL;
        }
    if (rc < 0)
        filter_values_fini(out);
    return rc;
}

void filter_values_fini(struct filter_values *v)
{
    for (size_t i = 0; i < FILTERS_MAX; i++) {
        free(v->v[i]);
        v->v[i] = NULL;
    }
}

void filter_sql(struct sbuf *sql, const struct filter *filters, const struct filter_values *given)
{
    for (size_t i = 0; filters[i].name; i++) {
        const struct filter *f = &filters[i];

        if (!given->v[i])
            sbuf_add(sql, f->otherwise ? f->otherwise : "");
        else
            sbuf_add(sql, f->choices ? find_choice(f, given->v[i])->where : f->where);
    }
}

void filter_bind(sqlite3_stmt *stmt, const struct filter *filters, const struct filter_values *given)
{
    for (size_t i = 0; filters[i].name; i++) {
        char *parameter = xasprintf(":%s", filters[i].name);
        int at = sqlite3_bind_parameter_index(stmt, parameter);

        if (at > 0)
            sqlite3_bind_text(stmt, at, given->v[i], -1, SQLITE_STATIC);
        free(parameter);
    }
}
