#include "store/upkeep.h"

#include <stdio.h>

static int trim(struct upkeep *u)
{
    sqlite3_stmt *stmt;

    if (u->trim_before == INT64_MIN)
        return 0;
    stmt = db_stmt(u->db, SQL_TRIM_POLLS);
    sqlite3_bind_int64(stmt, 1, u->trim_before);
    return db_run(u->db, stmt);
}

/* Passive: waits for no reader. What is written back completely is written over from its beginning. */
static int checkpoint(struct upkeep *u)
{
    int in_wal = 0, written_back = 0;

    if (!u->checkpoint)
        return 0;
    if (sqlite3_wal_checkpoint_v2(u->db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &written_back) != SQLITE_OK)
        return db_error(u->db);
    u->db->wal_pages = (size_t)(in_wal == written_back ? 0 : in_wal);
    return 0;
}

void upkeep_run(struct upkeep *u)
{
    u->err = trim(u);
    if (u->err == 0)
        u->err = checkpoint(u);
    snprintf(u->why, sizeof u->why, "%s", u->err < 0 ? db_why(u->db) : "");
    u->wal_pages = u->db->wal_pages;
}
