#ifndef PD_STORE_ARCHIVE_TABLE_H
#define PD_STORE_ARCHIVE_TABLE_H

#include <sqlite3.h>

#include "model/archive.h"

/*
 * How the archive's records lie in their tables: id, added_ms and removed, then
 * each field under its name as its canonical text, so that the fields are said
 * once, in model/archive.c. As of record_table.h, which hands on to these.
 */
void archive_put_sql(struct sbuf *out, enum archive_kind kind);
void archive_select_sql(struct sbuf *out, enum archive_kind kind);
void archive_bind(sqlite3_stmt *stmt, enum archive_kind kind, const struct entry *e);
/* Unlike record_read() it fills a record that owns its texts: entry_fini() it, after an error too. */
int archive_read(sqlite3_stmt *stmt, enum archive_kind kind, struct entry *e);

#endif
