#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/sim/memdisk.h"
#include "tests/sim/memvfs.h"

/* ---- The disk alone ---- */

static char *content(struct memdisk *d, const char *name)
{
    struct memfile *f = memdisk_find(d, name);
    char *text;
    size_t n;

    if (!f)
        return NULL;
    n = (size_t)memfile_size(f);
    text = xcalloc(1, n + 1);
    assert_int_equal(memfile_read(f, 0, text, n), n);
    return text;
}

static void expect_content(struct memdisk *d, const char *name, const char *want)
{
    char *got = content(d, name);

    if (!str_eq(got, want))
        fail_msg("%s holds %s, not %s", name, got ? got : "NULL", want ? want : "NULL");
    free(got);
}

static void what_was_synced_survives(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct memdisk *d = memdisk_new();
        struct memfile *f = memdisk_create(d, "a");

        memfile_write(d, f, 0, "synced", 6);
        memfile_sync(d, f);
        memdisk_sync_names(d);
        memdisk_cut_power(d);
        memdisk_power_on(d, false, seed);
        expect_content(d, "a", "synced");
        memdisk_free(d);
    }
}

/* Of unsynced writes to one place every version may be there in the end, by the seed, and nothing else. */
static void what_was_not_synced_may_be_there(void **state)
{
    int seen[4] = {0};

    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        static const char *const versions[] = {"first", "SECOND", "third*"};
        struct memdisk *d = memdisk_new();
        struct memfile *f = memdisk_create(d, "a");
        char *got;
        size_t i = 0;

        memfile_write(d, f, 0, versions[0], 5);
        memfile_sync(d, f);
        memdisk_sync_names(d);
        memfile_write(d, f, 0, versions[1], 6);
        memfile_write(d, f, 0, versions[2], 6);
        memdisk_cut_power(d);
        memdisk_power_on(d, false, seed);
        got = content(d, "a");
        while (i < 3 && strcmp(got, versions[i]) != 0)
            i++;
        seen[i]++;
        free(got);
        memdisk_free(d);
    }
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
    assert_int_equal(seen[3], 0);
}

/* A long write is torn at sectors: each is whole, of before or of after. */
static void writes_are_torn_at_sectors(void **state)
{
    enum { SECTORS = 16, SECTOR = 512 };
    char *old = xmalloc(SECTORS * SECTOR), *new = xmalloc(SECTORS * SECTOR), *got = xmalloc(SECTORS * SECTOR);
    int mixed = 0;

    (void)state;
    memset(old, 'o', SECTORS * SECTOR);
    memset(new, 'n', SECTORS * SECTOR);
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct memdisk *d = memdisk_new();
        struct memfile *f = memdisk_create(d, "a");
        int nnew = 0;

        memfile_write(d, f, 0, old, SECTORS * SECTOR);
        memfile_sync(d, f);
        memdisk_sync_names(d);
        memfile_write(d, f, 0, new, SECTORS * SECTOR);
        memdisk_cut_power(d);
        memdisk_power_on(d, false, seed);
        memfile_read(memdisk_find(d, "a"), 0, got, SECTORS * SECTOR);
        for (int s = 0; s < SECTORS; s++) {
            char *sector = got + s * SECTOR;

            for (int i = 1; i < SECTOR; i++)
                assert_int_equal(sector[i], sector[0]);
            nnew += sector[0] == 'n';
        }
        mixed += nnew > 0 && nnew < SECTORS;
        memdisk_free(d);
    }
    assert_in_range(mixed, 5, 45);
    free(old);
    free(new);
    free(got);
}

static void files_grow_and_shrink_across_chunks(void **state)
{
    const int64_t far = 200000;
    struct memdisk *d = memdisk_new();
    struct memfile *f = memdisk_create(d, "a");
    char got[10];

    (void)state;
    assert_int_equal(memfile_write(d, f, far, "end", 3), MEMDISK_OK);
    assert_int_equal(memfile_size(f), far + 3);
    assert_int_equal(memfile_read(f, far - 2, got, 10), 5);
    assert_memory_equal(got, "\0\0end", 5);
    assert_int_equal(memfile_truncate(d, f, 65536), MEMDISK_OK);
    assert_int_equal(memfile_read(f, 65536, got, 10), 0);
    assert_int_equal(memfile_write(d, f, far + 1, "x", 1), MEMDISK_OK);
    assert_int_equal(memfile_read(f, far - 1, got, 10), 3);
    assert_memory_equal(got, "\0\0x", 3); /* what was cut off is gone */
    memdisk_cut_power(d);
    memdisk_power_on(d, true, 0);
    assert_int_equal(memfile_size(memdisk_find(d, "a")), far + 2);
    memdisk_free(d);
}

/* A name that came may be gone, one that went may be back; never both of two that followed each other. */
static void names_come_and_go(void **state)
{
    int old = 0, new = 0, none = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct memdisk *d = memdisk_new();
        struct memfile *f = memdisk_create(d, "a");
        char *got;

        memfile_write(d, f, 0, "old", 3);
        memfile_sync(d, f);
        memdisk_sync_names(d);
        memdisk_remove(d, f);
        f = memdisk_create(d, "a");
        memfile_write(d, f, 0, "new", 3);
        memfile_sync(d, f);
        memdisk_cut_power(d);
        memdisk_power_on(d, false, seed);
        got = content(d, "a");
        old += str_eq(got, "old");
        new += str_eq(got, "new");
        none += got == NULL;
        free(got);
        memdisk_free(d);
    }
    assert_int_equal(old + new + none, 100);
    assert_true(old > 0 && new > 0 && none > 0);
}

static void faults_are_armed_and_released(void **state)
{
    struct memdisk *d = memdisk_new();
    struct memfile *f = memdisk_create(d, "a");

    (void)state;
    memdisk_set_room(d, 10);
    assert_int_equal(memfile_write(d, f, 0, "12345678", 8), MEMDISK_OK);
    assert_int_equal(memfile_write(d, f, 8, "901", 3), MEMDISK_FULL);
    assert_int_equal(memfile_write(d, f, 0, "x", 1), MEMDISK_OK); /* needs no room */
    assert_int_equal(memfile_truncate(d, f, 4), MEMDISK_OK);
    assert_int_equal(memfile_write(d, f, 4, "567890", 6), MEMDISK_OK);
    memdisk_set_room(d, -1);
    assert_int_equal(memfile_write(d, f, 10, "abc", 3), MEMDISK_OK);
    memdisk_set_faults(d, MEMDISK_FAIL_WRITE);
    assert_int_equal(memfile_write(d, f, 0, "x", 1), MEMDISK_IO);
    assert_int_equal(memfile_sync(d, f), MEMDISK_OK);
    memdisk_set_faults(d, MEMDISK_FAIL_SYNC);
    assert_int_equal(memfile_sync(d, f), MEMDISK_IO);
    assert_int_equal(memdisk_syncs(d), 1);
    memdisk_set_faults(d, 0);
    memdisk_cut_power_at(d, 3);
    assert_int_equal(memfile_sync(d, f), MEMDISK_OK);
    assert_int_equal(memdisk_sync_names(d), MEMDISK_IO);
    assert_true(memdisk_is_off(d));
    assert_int_equal(memfile_write(d, f, 0, "x", 1), MEMDISK_IO);
    memdisk_free(d);
}

/* ---- SQLite on it ---- */

struct sqlite_fixture {
    struct clock_fake clock;
    struct rng_seeded seeded;
    struct memvfs *vfs;
};

static int setup(void **state)
{
    struct sqlite_fixture *f = xcalloc(1, sizeof *f);

    f->clock.wall = INT64_C(1767225600000);
    rng_seed(&f->seeded, 9);
    f->vfs = memvfs_new("test", clock_fake_ops(&f->clock), rng_seeded_ops(&f->seeded));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct sqlite_fixture *f = *state;

    memvfs_free(f->vfs);
    free(f);
    return 0;
}

static sqlite3 *open_db(const char *name, int flags)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2(name, &db, flags, "test"), SQLITE_OK);
    return db;
}

static sqlite3 *create_db(const char *name)
{
    return open_db(name, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static void expect(sqlite3 *db, const char *sql, const char *want)
{
    sqlite3_stmt *stmt;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), want);
    sqlite3_finalize(stmt);
}

static void rollback_journal(void **state)
{
    sqlite3 *db = create_db("a"), *other;

    (void)state;
    run(db, "CREATE TABLE t (x); BEGIN; INSERT INTO t VALUES (1)");
    other = open_db("a", SQLITE_OPEN_READWRITE);
    assert_int_equal(sqlite3_exec(other, "INSERT INTO t VALUES (2)", NULL, NULL, NULL), SQLITE_BUSY);
    expect(other, "SELECT count(*) FROM t", "0");
    run(db, "COMMIT");
    run(other, "INSERT INTO t VALUES (2)");
    expect(db, "SELECT count(*) FROM t", "2");
    run(db, "BEGIN EXCLUSIVE");
    assert_int_equal(sqlite3_exec(other, "SELECT * FROM t", NULL, NULL, NULL), SQLITE_BUSY);
    run(db, "ROLLBACK");
    sqlite3_close(other);
    sqlite3_close(db);
}

static void wal_with_writer_and_reader(void **state)
{
    sqlite3 *writer = create_db("a"), *reader;

    (void)state;
    expect(writer, "PRAGMA journal_mode = WAL", "wal");
    run(writer, "CREATE TABLE t (x)");
    reader = open_db("a", SQLITE_OPEN_READONLY);
    run(reader, "BEGIN");
    expect(reader, "SELECT count(*) FROM t", "0");
    run(writer, "INSERT INTO t VALUES (1)");
    expect(reader, "SELECT count(*) FROM t", "0"); /* its snapshot */
    run(reader, "COMMIT");
    expect(reader, "SELECT count(*) FROM t", "1");
    run(writer, "BEGIN IMMEDIATE");
    sqlite3_close(reader);
    reader = open_db("a", SQLITE_OPEN_READWRITE);
    assert_int_equal(sqlite3_exec(reader, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_BUSY);
    run(writer, "COMMIT");
    run(reader, "BEGIN IMMEDIATE; ROLLBACK");
    sqlite3_close(reader);
    sqlite3_close(writer);
}

static void databases_by_name(void **state)
{
    struct sqlite_fixture *f = *state;
    sqlite3 *a = create_db("a"), *b = create_db("b"), *none;

    run(a, "CREATE TABLE only_here (x)");
    run(b, "CREATE TABLE only_there (x)");
    expect(a, "SELECT group_concat(name) FROM sqlite_schema", "only_here");
    expect(b, "SELECT group_concat(name) FROM sqlite_schema", "only_there");
    sqlite3_close(a);
    sqlite3_close(b);
    assert_int_equal(sqlite3_open_v2("c", &none, SQLITE_OPEN_READWRITE, "test"), SQLITE_CANTOPEN);
    sqlite3_close(none);
    assert_true(memvfs_size(f->vfs, "a") > 0);
    assert_int_equal(memvfs_size(f->vfs, "c"), -1);
}

static void large_sort_spills_to_a_temporary_file(void **state)
{
    sqlite3 *db = create_db("a");

    (void)state;
    run(db, "PRAGMA temp_store = FILE; PRAGMA cache_size = 5; CREATE TEMP TABLE t AS WITH RECURSIVE n (i) AS"
            " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT randomblob(50) AS x FROM n");
    expect(db, "SELECT count(*) FROM (SELECT x FROM t ORDER BY x)", "20000");
    sqlite3_close(db);
}

static void time_and_chance_come_from_outside(void **state)
{
    struct sqlite_fixture *f = *state;
    sqlite3 *db = create_db("a");

    expect(db, "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')", "2026-01-01 00:00:00.000");
    clock_fake_advance(&f->clock, 86400000 + 1);
    expect(db, "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')", "2026-01-02 00:00:00.001");
    sqlite3_close(db);
}

static void errors_reach_sqlite(void **state)
{
    static const struct {
        unsigned faults;
        int64_t room;
        int want;
    } rows[] = {{0, 0, SQLITE_FULL}, {MEMVFS_FAIL_WRITE, -1, SQLITE_IOERR}, {MEMVFS_FAIL_SYNC, -1, SQLITE_IOERR}};
    struct sqlite_fixture *f = *state;
    sqlite3 *db = create_db("a");

    run(db, "CREATE TABLE t (x)");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memvfs_set_faults(f->vfs, rows[i].faults);
        memvfs_set_room(f->vfs, rows[i].room);
        if (sqlite3_exec(db, "INSERT INTO t VALUES (zeroblob(100000))", NULL, NULL, NULL) != rows[i].want)
            fail_msg("row %zu: %s", i, sqlite3_errmsg(db));
        memvfs_set_faults(f->vfs, 0);
        memvfs_set_room(f->vfs, -1);
        run(db, "INSERT INTO t VALUES (1)");
    }
    expect(db, "SELECT count(*) FROM t", "3");
    sqlite3_close(db);
}

static void power_off_fails_everything(void **state)
{
    struct sqlite_fixture *f = *state;
    sqlite3 *db = create_db("a"), *other;

    run(db, "CREATE TABLE t (x); BEGIN; INSERT INTO t VALUES (1)");
    memvfs_cut_power(f->vfs);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_IOERR);
    assert_int_not_equal(sqlite3_open_v2("b", &other, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "test"), SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    memvfs_revive(f->vfs);
    db = create_db("a");
    expect(db, "SELECT count(*) FROM t", "0");
    sqlite3_close(db);
}

static void exported_it_is_a_database_of_its_own(void **state)
{
    struct sqlite_fixture *f = *state;
    char folder[] = "/tmp/patrold-test-XXXXXX", *path, *wal;
    sqlite3 *db = create_db("a");

    assert_non_null(mkdtemp(folder));
    path = xasprintf("%s/out.db", folder);
    wal = xasprintf("%s/out.db-wal", folder);
    run(db, "PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (42)");
    assert_int_equal(memvfs_export(f->vfs, "a", path), 0); /* still open: with its WAL */
    assert_int_equal(memvfs_export(f->vfs, "none", path), PD_ENOENT);
    assert_int_equal(access(wal, F_OK), 0);
    sqlite3_close(db);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    expect(db, "SELECT x FROM t", "42");
    sqlite3_close(db);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
    free(path);
    free(wal);
}

#define WITH_SQLITE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_synced_survives),
        cmocka_unit_test(what_was_not_synced_may_be_there),
        cmocka_unit_test(writes_are_torn_at_sectors),
        cmocka_unit_test(files_grow_and_shrink_across_chunks),
        cmocka_unit_test(names_come_and_go),
        cmocka_unit_test(faults_are_armed_and_released),
        WITH_SQLITE(rollback_journal),
        WITH_SQLITE(wal_with_writer_and_reader),
        WITH_SQLITE(databases_by_name),
        WITH_SQLITE(large_sort_spills_to_a_temporary_file),
        WITH_SQLITE(time_and_chance_come_from_outside),
        WITH_SQLITE(errors_reach_sqlite),
        WITH_SQLITE(power_off_fails_everything),
        WITH_SQLITE(exported_it_is_a_database_of_its_own),
    };

    return cmocka_run_group_tests_name("sim/memvfs", tests, NULL, NULL);
}
