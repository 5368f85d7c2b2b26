#ifndef PD_STORE_RECORD_TABLE_H
#define PD_STORE_RECORD_TABLE_H

#include <stddef.h>

#include <sqlite3.h>

#include "base/str.h"
#include "model/change.h"

/*
 * How records lie in their tables: for each, its columns with where the field is
 * in the struct. Statements are written, arguments bound and rows read by these
 * lists alone, so the order of columns is said once.
 */

/*
 * Tables of records: those of enum row_kind, with events in the place of ROW_META, which is no record, then those of
 * the archive, TABLE_ARCHIVE + the kind (none at that of devices, which stand in ROW_DEVICE's).
 */
enum table_id { TABLE_EVENT = ROW_META, TABLE_ARCHIVE = ROW_ARCHIVE, TABLE_COUNT = TABLE_ARCHIVE + ARCHIVE_KIND_COUNT };

/* An insert that replaces a row of the same key (an event is only ever inserted), with one parameter for each field. */
void record_put_sql(struct sbuf *out, enum table_id table);
/* "SELECT columns FROM table", to which a condition may be added. */
void record_select_sql(struct sbuf *out, enum table_id table);

/* Binds a record (struct device, …) to the statement of record_put_sql(); texts are borrowed until it has run. */
void record_bind(sqlite3_stmt *stmt, enum table_id table, const void *record);
/* Fills a zeroed record from a row of record_select_sql(); texts are borrowed until the next step. PD_ECORRUPT for codes that nobody knows. */
int record_read(sqlite3_stmt *stmt, enum table_id table, void *record);

#endif
