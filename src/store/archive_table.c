#include "store/archive_table.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"

enum { FIRST_FIELD = 3 }; /* behind id, added_ms, removed */

/* Quoted, since some are words of SQL. */
static void add_columns(struct sbuf *out, const struct archive_def *def)
{
    sbuf_add(out, "id, added_ms, removed");
    for (size_t i = 0; i < def->nfields; i++)
        sbuf_addf(out, ", \"%s\"", def->fields[i].name);
}

void archive_put_sql(struct sbuf *out, enum archive_kind kind)
{
    const struct archive_def *def = archive_def(kind);

    sbuf_addf(out, "INSERT OR REPLACE INTO %s (", def->name);
    add_columns(out, def);
    sbuf_add(out, ") VALUES (?, ?, ?");
    for (size_t i = 0; i < def->nfields; i++)
        sbuf_add(out, ", ?");
    sbuf_add(out, ")");
}

void archive_select_sql(struct sbuf *out, enum archive_kind kind)
{
    const struct archive_def *def = archive_def(kind);

    sbuf_add(out, "SELECT ");
    add_columns(out, def);
    sbuf_addf(out, " FROM %s", def->name);
}

void archive_bind(sqlite3_stmt *stmt, enum archive_kind kind, const struct entry *e)
{
    const struct archive_def *def = archive_def(kind);
    struct sbuf text = {0};

    sqlite3_bind_int64(stmt, 1, e->id);
    sqlite3_bind_int64(stmt, 2, e->added_ms);
    sqlite3_bind_int(stmt, 3, e->removed);
    for (size_t i = 0; i < def->nfields; i++) {
        sbuf_reset(&text);
        if (archive_field_text(&def->fields[i], e, &text))
            sqlite3_bind_text(stmt, FIRST_FIELD + 1 + (int)i, text.s, (int)text.n, SQLITE_TRANSIENT);
        else
            sqlite3_bind_null(stmt, FIRST_FIELD + 1 + (int)i);
    }
    sbuf_free(&text);
}

int archive_read(sqlite3_stmt *stmt, enum archive_kind kind, struct entry *e)
{
    const struct archive_def *def = archive_def(kind);

    e->id = sqlite3_column_int64(stmt, 0);
    e->added_ms = sqlite3_column_int64(stmt, 1);
    e->removed = sqlite3_column_int(stmt, 2) != 0;
    for (size_t i = 0; i < def->nfields; i++) {
        const char *text = (const char *)sqlite3_column_text(stmt, FIRST_FIELD + (int)i);
        char *why = NULL;

        if (archive_field_set(&def->fields[i], e, text, &why) < 0) {
            log_error("store", "%s %lld: %s %s", def->name, (long long)e->id, def->fields[i].name, why);
            free(why);
            return PD_ECORRUPT;
        }
    }
    return 0;
}
