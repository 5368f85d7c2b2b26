#ifndef PD_STORE_DB_H
#define PD_STORE_DB_H

#include <stdatomic.h>
#include <stdint.h>

#include <sqlite3.h>

#include "store/record_table.h"

/*
 * A connection with the statements it uses over and over, each prepared when it
 * is first wanted. One thread at a time.
 */
enum sql {
    SQL_BEGIN,
    SQL_BEGIN_READ,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_LAST_EVENT,
    SQL_PUT_POLL,
    SQL_PUT_META,
    SQL_FORGET_META,
    SQL_FORGET_HOLD,
    SQL_PUT_HISTORY,
    SQL_HISTORIES,
    SQL_META,
    SQL_ORIGINS,
    SQL_INFORMS,
    SQL_MOVE_TICKETS,
    SQL_MOVE_ROUNDS,
    SQL_LIVE_DEVICES,
    SQL_PACK_STATE,
    SQL_PUT_PACK_STATE,
    SQL_POLL_FROM,
    SQL_POLLS_FROM,
    SQL_POLLS_BACK,
    SQL_PACKED_FROM,
    SQL_PACKED_PARTS,
    SQL_PACKED_LAST,
    SQL_PUT_PACKED,
    SQL_HOURLY,
    SQL_HOURLY_FROM,
    SQL_PUT_HOURLY,
    SQL_FORGET_HOURLY,
    SQL_DAILY,
    SQL_PUT_DAILY,
    SQL_FORGET_DAILY,
    SQL_TRIM_POLLS,
    SQL_TRIM_PACKED,
    SQL_TRIM_HOURLY,
    SQL_FIND_DEVICE,
    SQL_FIND_COMPONENT,
    SQL_FIND_POINT,
    SQL_PUT_POINT,
    SQL_COMPONENTS,
    SQL_FILTERS,
    SQL_COUNT
};

/* Where chains of polls were cut last: none of batches from that one on is told by one before it. */
struct chain_cut {
    int64_t batch, hour; /* hour: in which that was */
};

struct db {
    sqlite3 *sqlite;
    sqlite3_stmt *stmts[SQL_COUNT];
    sqlite3_stmt *puts[TABLE_COUNT];
    int64_t next_batch;   /* the writer's: which its next polls are; keys.h */
    struct chain_cut cut; /* the writer's, likewise */
    size_t wal_pages;     /* once counted: in the WAL after the last commit */
    _Atomic bool given_up;
};

/* Opens a file with SQLITE_OPEN_ flags. vfs NULL is the system's. *why (free it) says what failed. */
int db_open(struct db *db, const char *path, const char *vfs, int flags, char **why);
void db_close(struct db *db);

/* From another thread: ends the statement that runs, and says in given_up that there is no point in another. */
void db_give_up(struct db *db);

/*
 * Takes the database at path for this process, until db_close(lock): PD_EBUSY if another has it. The lock is
 * held on a file of its own, not on the database: others may read that. Through SQLite, so that it works on
 * any VFS and dies with the process.
 */
int db_lock(struct db *lock, const char *path, const char *vfs, char **why);

/* From now on keeps wal_pages, and nothing checkpoints by itself. db must not move any more. */
void db_count_wal(struct db *db);

/* The code for the connection's last error. PD_EINVAL is a constraint: the data are at fault, not the disk. */
int db_error(const struct db *db);
/* Text of the last error; borrowed until the next call on the connection. */
const char *db_why(const struct db *db);

/* Runs statements that give no rows. */
int db_exec(struct db *db, const char *sql);
/* The first column of the first row as a number. */
int db_number(struct db *db, const char *sql, int64_t *out);

/* A statement ready for its arguments, or NULL if it can't be prepared. */
sqlite3_stmt *db_stmt(struct db *db, enum sql id);
/* The statement that inserts a record of a table or replaces the one with its key; NULL likewise. */
sqlite3_stmt *db_put_stmt(struct db *db, enum table_id table);
/* Runs a statement that gives no rows, and makes it ready again. NULL is an error, so that preparing needs no check of its own. */
int db_run(struct db *db, sqlite3_stmt *stmt);
/* Makes a statement that gave rows ready for other arguments, which it forgets; NULL is fine. */
void db_done(sqlite3_stmt *stmt);
/* Runs one without arguments. */
int db_do(struct db *db, enum sql id);
/* Rolls back if a transaction is open. */
void db_rollback(struct db *db);

#endif
