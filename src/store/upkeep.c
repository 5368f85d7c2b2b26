#include "store/upkeep.h"

#include <stdio.h>

/* Passive: waits for no reader. What is written back completely is written over from its beginning. */
static int checkpoint(struct db *db)
{
    int in_wal = 0, written_back = 0;

    if (sqlite3_wal_checkpoint_v2(db->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_wal, &written_back) != SQLITE_OK)
        return db_error(db);
    db->wal_pages = (size_t)(in_wal == written_back ? 0 : in_wal);
    return 0;
}

static int piece(struct upkeep *u)
{
    bool trimmed;
    int rc = pack_piece(&u->packer, u->now_ms, u->trim, &trimmed, &u->told);

    u->trim &= !trimmed;
    return rc;
}

void upkeep_run(struct upkeep *u)
{
    struct db *db = u->packer.db;

    u->err = u->checkpoint ? checkpoint(db) : piece(u);
    snprintf(u->why, sizeof u->why, "%s", u->err < 0 ? db_why(db) : "");
    db_rollback(db);
    u->wal_pages = db->wal_pages;
}
