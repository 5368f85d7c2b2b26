#include "store/db.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static const char *const sql_texts[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_LAST_EVENT] = "SELECT max(number) FROM event",
    [SQL_PUT_POLL] = "INSERT INTO poll (key, at_ms, data) VALUES (?1, ?2, ?3)",
    [SQL_PUT_META] = "INSERT INTO meta (name, value) VALUES (?1, ?2)"
                     " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    [SQL_FORGET_META] = "DELETE FROM meta WHERE name = ?1",
    [SQL_FORGET_HOLD] = "DELETE FROM hold WHERE device_id = ?1 AND kind = ?2 AND key = ?3 AND rule = ?4",
    [SQL_PUT_HISTORY] = "INSERT OR REPLACE INTO history (device_id, data) VALUES (?1, ?2)",
    [SQL_HISTORIES] = "SELECT device_id, data FROM history ORDER BY device_id",
    [SQL_META] = "SELECT name, value FROM meta WHERE name NOT LIKE 'store.%' ORDER BY name",
    [SQL_INFORMS] = "SELECT args ->> '$.inform', at_ms FROM event, (SELECT max(number) AS last FROM event)"
                    " WHERE number > last - 200000 AND kind = 'device.trap' AND args ->> '$.inform' IS NOT NULL"
                    " AND at_ms > (SELECT at_ms FROM event WHERE number = last) - 300000 ORDER BY number",
    [SQL_ORIGINS] = "SELECT origin, id FROM ticket WHERE origin IS NOT NULL ORDER BY id",
#define SITE_WAS "(SELECT name FROM site WHERE id = ?1)"
    [SQL_MOVE_TICKETS] = "UPDATE ticket SET site = ?2 WHERE site = " SITE_WAS " AND site <> ?2",
    [SQL_MOVE_ROUNDS] = "UPDATE OR IGNORE round SET site = ?2 WHERE site = " SITE_WAS " AND site <> ?2",
    [SQL_LIVE_DEVICES] = "SELECT id, added_ms FROM device WHERE NOT retired ORDER BY id",
    [SQL_PACK_STATE] = "SELECT begins, ends, device, hour, day, day_device, month, month_device FROM pack",
    [SQL_PUT_PACK_STATE] = "UPDATE pack SET begins = ?1, ends = ?2, device = ?3, hour = ?4, day = ?5, day_device = ?6,"
                           " month = ?7, month_device = ?8",
    [SQL_POLL_FROM] = "SELECT key, at_ms, data FROM poll WHERE key >= ?1 ORDER BY key LIMIT 1",
    [SQL_POLLS_FROM] = "SELECT key, at_ms, data FROM poll WHERE key >= ?1 ORDER BY key",
    [SQL_POLLS_BACK] = "SELECT key, at_ms, data FROM poll WHERE key >= ?1 ORDER BY key DESC",
    [SQL_PACKED_FROM] = "SELECT key FROM packed WHERE key >= ?1 ORDER BY key LIMIT 1",
    [SQL_PACKED_PARTS] = "SELECT key, data FROM packed WHERE key BETWEEN ?1 AND ?2 ORDER BY key",
    [SQL_PACKED_LAST] = "SELECT key, data FROM packed WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT 1",
    [SQL_PUT_PACKED] = "INSERT INTO packed (key, data) VALUES (?1, ?2)",
    [SQL_HOURLY] = "SELECT data FROM hourly WHERE key = ?1",
    [SQL_HOURLY_FROM] = "SELECT key FROM hourly WHERE key >= ?1 ORDER BY key LIMIT 1",
    [SQL_PUT_HOURLY] = "INSERT OR REPLACE INTO hourly (key, data) VALUES (?1, ?2)",
    [SQL_FORGET_HOURLY] = "DELETE FROM hourly WHERE key = ?1",
    [SQL_DAILY] = "SELECT data FROM daily WHERE key = ?1",
    [SQL_PUT_DAILY] = "INSERT OR REPLACE INTO daily (key, data) VALUES (?1, ?2)",
    [SQL_FORGET_DAILY] = "DELETE FROM daily WHERE key = ?1",
/* The first rows of a table, ?2 of them at most, that stand before ?1. */
#define FIRST_ROWS(table)                                                                                              \
    "DELETE FROM " table " WHERE key < min(?1, coalesce((SELECT key FROM " table                                       \
    " ORDER BY key LIMIT 1 OFFSET ?2), ?1))"
    [SQL_TRIM_POLLS] = FIRST_ROWS("poll"),
    [SQL_TRIM_PACKED] = FIRST_ROWS("packed"),
    [SQL_TRIM_HOURLY] = FIRST_ROWS("hourly"),
    [SQL_FIND_DEVICE] = "SELECT id, name FROM device WHERE name = ?1 OR id = ?1 ORDER BY retired, id DESC LIMIT 1",
    [SQL_FIND_COMPONENT] = "SELECT number, kind FROM component WHERE device_id = ?1 AND (number = ?2 OR key = ?2"
                           " OR kind || ':' || key = ?2 OR kind = ?2 AND key = '' OR label = ?2)"
                           " ORDER BY kind || ':' || key = ?2 DESC, key = ?2 DESC, number LIMIT 1",
    [SQL_FIND_POINT] = "SELECT number, name FROM point WHERE kind = ?1 AND name = ?2",
    [SQL_PUT_POINT] = "INSERT OR REPLACE INTO point (kind, number, name) VALUES (?1, ?2, ?3)",
    [SQL_COMPONENTS] = "SELECT number, kind, key, label FROM component WHERE device_id = ?1 ORDER BY number",
    [SQL_FILTERS] = "SELECT key, type, atom FROM json_each(?1)",
};

int db_open(struct db *db, const char *path, const char *vfs, int flags, char **why)
{
    const int patience_ms = 200; /* for another process that is just recovering the WAL */
    int rc;

    *db = (struct db){0};
    if (sqlite3_open_v2(path, &db->sqlite, flags | SQLITE_OPEN_NOMUTEX, vfs) == SQLITE_OK) {
        sqlite3_extended_result_codes(db->sqlite, 1);
        sqlite3_busy_timeout(db->sqlite, patience_ms);
        return 0;
    }
    rc = db_error(db);
    *why = xasprintf("%s: %s", path, db_why(db));
    db_close(db);
    return rc;
}

void db_close(struct db *db)
{
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(db->stmts[i]);
    for (int i = 0; i < TABLE_COUNT; i++)
        sqlite3_finalize(db->puts[i]);
    sqlite3_close(db->sqlite);
    *db = (struct db){0};
}

void db_give_up(struct db *db)
{
    atomic_store(&db->given_up, true);
    sqlite3_interrupt(db->sqlite);
}

int db_lock(struct db *lock, const char *path, const char *vfs, char **why)
{
    char *file = xasprintf("%s.lock", path);
    int rc = db_open(lock, file, vfs, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, why);

    if (rc == PD_ENOENT || rc == PD_EACCES) {
        free(*why);
        *why = xasprintf("%s: %s", path,
                         rc == PD_ENOENT ? "there is no such folder" : "no files may be made in that folder");
    } else if (rc == 0) {
        sqlite3_busy_timeout(lock->sqlite, 0);
        rc = db_exec(lock, "BEGIN EXCLUSIVE");
        if (rc == PD_EBUSY)
            *why = xasprintf("%s: another patrold has this database open", path);
        else if (rc < 0)
            *why = xasprintf("%s: %s", file, db_why(lock));
    }
    free(file);
    return rc;
}

static int count_wal(void *arg, sqlite3 *sqlite, const char *name, int pages)
{
    struct db *db = arg;

    (void)sqlite;
    (void)name;
    db->wal_pages = (size_t)pages;
    return SQLITE_OK;
}

void db_count_wal(struct db *db)
{
    sqlite3_wal_hook(db->sqlite, count_wal, db);
}

int db_error(const struct db *db)
{
    int errnum = sqlite3_system_errno(db->sqlite);

    switch (sqlite3_errcode(db->sqlite) & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return PD_ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return PD_EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return PD_ECORRUPT;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return PD_EACCES;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return PD_EINVAL;
    case SQLITE_INTERRUPT:
        return PD_ETIMEDOUT;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return errnum == ENOSPC || errnum == EDQUOT || errnum == EACCES || errnum == ENOENT ? pd_err_from_errno(errnum)
                                                                                            : PD_EIO;
    default:
        return PD_EIO;
    }
}

const char *db_why(const struct db *db)
{
    return sqlite3_errmsg(db->sqlite);
}

int db_exec(struct db *db, const char *sql)
{
    return sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_error(db);
}

int db_number(struct db *db, const char *sql, int64_t *out)
{
    sqlite3_stmt *stmt;
    int rc = 0;

    if (sqlite3_prepare_v2(db->sqlite, sql, -1, &stmt, NULL) != SQLITE_OK)
        return db_error(db);
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    else
        rc = db_error(db);
    sqlite3_finalize(stmt);
    return rc;
}

static sqlite3_stmt *prepare(struct db *db, const char *sql)
{
    sqlite3_stmt *stmt;

    return sqlite3_prepare_v3(db->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) == SQLITE_OK ? stmt : NULL;
}

sqlite3_stmt *db_stmt(struct db *db, enum sql id)
{
    if (!db->stmts[id])
        db->stmts[id] = prepare(db, sql_texts[id]);
    return db->stmts[id];
}

sqlite3_stmt *db_put_stmt(struct db *db, enum table_id table)
{
    if (!db->puts[table]) {
        struct sbuf sql = {0};

        record_put_sql(&sql, table);
        db->puts[table] = prepare(db, sql.s);
        sbuf_free(&sql);
    }
    return db->puts[table];
}

int db_run(struct db *db, sqlite3_stmt *stmt)
{
    int rc = 0;

    if (!stmt || sqlite3_step(stmt) != SQLITE_DONE)
        rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

void db_done(sqlite3_stmt *stmt)
{
    sqlite3_reset(stmt);
    if (stmt) /* unlike its sisters the next one takes no NULL */
        sqlite3_clear_bindings(stmt);
}

int db_do(struct db *db, enum sql id)
{
    return db_run(db, db_stmt(db, id));
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->sqlite))
        db_do(db, SQL_ROLLBACK);
}
