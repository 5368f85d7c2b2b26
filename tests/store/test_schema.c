#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/schema.h"

static void refused(struct fixture *f, int want, const char *words)
{
    char *why;
    int rc = fixture_try_open(f, &why);

    if (rc != want || !strstr(why, words) || !strstr(why, f->path))
        fail_msg("store_open(): %d, %s; not %d, …%s…", rc, why ? why : "", want, words);
    free(why);
}

/* Refused, and every byte of the file is as before. */
static void refused_untouched(struct fixture *f, int want, const char *words)
{
    char *before, *after;
    size_t nbefore, nafter;

    assert_int_equal(file_read(f->path, 1 << 20, &before, &nbefore), 0);
    refused(f, want, words);
    assert_int_equal(file_read(f->path, 1 << 20, &after, &nafter), 0);
    assert_int_equal(nbefore, nafter);
    assert_memory_equal(before, after, nbefore);
    free(before);
    free(after);
}

static void expect_newest(struct fixture *f)
{
    char newest[12];

    snprintf(newest, sizeof newest, "%d", schema_newest());
    fixture_expect(f, "PRAGMA user_version", newest);
}

static void made_from_nothing(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_expect(f, "PRAGMA application_id", "1347701828"); /* "PTLD" */
    expect_newest(f);
    fixture_expect(f, "PRAGMA journal_mode", "wal");
    fixture_expect(f, "SELECT value FROM meta WHERE name = 'store.epoch'", "1");
    fixture_expect(f, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%STRICT%'", "0");
    fixture_expect(f, "PRAGMA integrity_check", "ok");
}

static void made_from_an_empty_file(void **state)
{
    struct fixture *f = *state;
    FILE *empty = fopen(f->path, "w");

    assert_non_null(empty);
    fclose(empty);
    fixture_open(f);
    expect_newest(f);
}

static void each_installation_has_a_name_of_its_own(void **state)
{
    struct fixture *f = *state;
    char first[37], prefix[8];

    fixture_open(f);
    strcpy(first, store_identity(f->store)->uuid);
    strcpy(prefix, store_identity(f->store)->prefix);
    fixture_close(f);
    remove(f->path);
    fixture_open(f);
    assert_string_not_equal(first, store_identity(f->store)->uuid);
    assert_string_not_equal(prefix, store_identity(f->store)->prefix);
}

static void a_newer_one_is_refused_untouched(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_submit(f, 1, "a", true);
    fixture_close(f);
    fixture_alter(f, "CREATE TABLE of_the_future (x); PRAGMA user_version = 999");
    refused_untouched(f, PD_EVERSION, "schema 999, made by a newer patrold");
}

/* As a crash leaves it: with a WAL that is not written back. */
static void a_newer_one_with_a_wal_is_refused_untouched(void **state)
{
    struct fixture *f = *state;
    sqlite3 *newer;

    fixture_open(f);
    fixture_close(f);
    newer = fixture_connect(f, SQLITE_OPEN_READWRITE);
    sqlite3_db_config(newer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_exec(newer, "PRAGMA user_version = 9999", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(newer);
    refused_untouched(f, PD_EVERSION, "schema 9999");
}

static void another_programs_is_refused_untouched(void **state)
{
    struct fixture *f = *state;

    fixture_alter(f, "CREATE TABLE bookmarks (url TEXT)");
    refused_untouched(f, PD_EINVAL, "not patrold's");
    fixture_alter(f, "PRAGMA application_id = 252006673");
    refused_untouched(f, PD_EINVAL, "not patrold's");
}

static void a_version_that_never_was_is_refused(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_close(f);
    fixture_alter(f, "PRAGMA user_version = 0");
    refused_untouched(f, PD_ECORRUPT, "schema 0");
    fixture_alter(f, "PRAGMA user_version = -1");
    refused_untouched(f, PD_ECORRUPT, "schema -1");
}

static void what_is_no_database_is_refused_untouched(void **state)
{
    struct fixture *f = *state;
    FILE *text = fopen(f->path, "w");

    assert_non_null(text);
    for (int i = 0; i < 1000; i++)
        fprintf(text, "This is no database at all, line %d.\n", i);
    fclose(text);
    refused_untouched(f, PD_ECORRUPT, "not a database");
}

static void a_database_that_is_cut_off_is_refused(void **state)
{
    struct fixture *f = *state;
    char *data;
    size_t n;
    FILE *cut;

    fixture_open(f);
    fixture_close(f);
    assert_int_equal(file_read(f->path, 1 << 20, &data, &n), 0);
    cut = fopen(f->path, "w");
    fwrite(data, 1, n / 2, cut);
    fclose(cut);
    free(data);
    refused(f, PD_ECORRUPT, "");
}

static void an_installation_without_a_name_is_refused(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_close(f);
    fixture_alter(f, "DELETE FROM meta WHERE name = 'store.uuid'");
    refused(f, PD_ECORRUPT, "which installation");
}

static void a_folder_that_is_not_there(void **state)
{
    struct fixture *f = *state;

    free(f->path);
    f->path = xasprintf("%s/no/such/folder.db", f->folder);
    refused(f, PD_ENOENT, "");
}

/* No room, at each size that a database being made can have: nothing is left that a later try stumbles over. */
static void made_in_the_end_although_the_disk_was_full(void **state)
{
    struct fixture *f = *state;
    int failed = 0;

    for (int64_t room = 0;; room += 4096) {
        char *why;
        int rc;

        memvfs_set_room(f->mem, room);
        rc = fixture_try_open(f, &why);
        if (rc == 0)
            break;
        failed++;
        if (rc != PD_ENOSPC)
            fail_msg("with room for %lld: %d, %s", (long long)room, rc, why);
        free(why);
    }
    assert_true(failed > 3);
    memvfs_set_room(f->mem, -1);
    expect_newest(f);
    fixture_expect(f, "PRAGMA integrity_check", "ok");
}

static void power_fails_at_each_sync_of_the_making(void **state)
{
    struct fixture *f = *state;
    bool made = false;
    int cuts = 0;

    for (uint64_t k = 1; !made; k++) {
        struct memvfs *fresh = f->mem;
        char *why = NULL;

        /* Each time a disk of its own. */
        memvfs_free(fresh);
        f->mem = memvfs_new("memory", clock_fake_ops(&f->clock), rng_seeded_ops(&f->seeded));
        memvfs_cut_power_at(f->mem, k);
        if (fixture_try_open(f, &why) == 0) {
            made = !memvfs_is_off(f->mem);
            fixture_close(f);
        }
        free(why);
        if (!memvfs_is_off(f->mem))
            memvfs_cut_power(f->mem);
        memvfs_power_cycle(f->mem, k);
        cuts++;
        fixture_open(f);
        expect_newest(f);
        fixture_expect(f, "PRAGMA integrity_check", "ok");
        fixture_close(f);
    }
    assert_true(cuts > 3);
}

/* Made by a patrold of schema 1, with a device, one that was removed, and three events. */
static void schema_1_is_taken_over_with_all_that_is_in_it(void **state)
{
    const char *srcdir = getenv("srcdir");
    char *old = xasprintf("%s/tests/data/db/schema1.db", srcdir ? srcdir : "."), *data;
    struct fixture *f = *state;
    size_t n;

    assert_int_equal(file_read(old, 1 << 20, &data, &n), 0);
    assert_int_equal(file_write_whole(f->path, data, n, 0600), 0);
    free(data);
    free(old);
    fixture_open(f);
    expect_newest(f);
    fixture_expect(f, "PRAGMA integrity_check", "ok");
    fixture_expect(f, "SELECT group_concat(name || ' ' || retired, ',') FROM device", "三楼复印机 0,old 1");
    fixture_expect(f, "SELECT site || ' ' || labels FROM device WHERE id = 1", "总部 floor=3");
    fixture_expect(f, "SELECT location FROM device WHERE id = 1", NULL);
    fixture_expect(f, "SELECT count(*) FROM customer", "0");
    fixture_expect(f, "SELECT max(number) FROM event", "3");
    fixture_submit(f, 1, "a", true);
    fixture_pass(f, 20);
    fixture_expect(f, "SELECT max(number) FROM event", "4");
}

/* Of tickets from before their steps were kept, these are made of the events. */
static void old_tickets_get_a_history(void **state)
{
    const char *srcdir = getenv("srcdir");
    char *old = xasprintf("%s/tests/data/db/schema1.db", srcdir ? srcdir : "."), *data;
    struct fixture *f = *state;
    size_t n;

    assert_int_equal(file_read(old, 1 << 20, &data, &n), 0);
    assert_int_equal(file_write_whole(f->path, data, n, 0600), 0);
    free(data);
    free(old);
    fixture_alter(f, "INSERT INTO event (number, at_ms, kind, device_id, alert_id, ticket_id, args) VALUES"
                     " (11, 1000, 'ticket.opened', 1, 1, 5, '{\"number\":\"T-5\"}'),"
                     " (12, 1500, 'ticket.opened', 1, 1, 6, 'not json'),"
                     " (13, 2000, 'ticket.accept', 1, 1, 5, '{\"from\":\"new\",\"to\":\"accepted\"}'),"
                     " (14, 2500, 'ticket.graver', 1, 1, 5, '{\"severity\":\"major\"}'),"
                     " (15, 3000, 'ticket.cancel', 1, 1, 5, '{\"from\":\"accepted\",\"to\":\"cancelled\"}'),"
                     " (16, 3500, 'mail.sent', 0, 0, 0, '{\"to\":\"x@example.com\"}')");
    fixture_open(f);
    fixture_expect(f,
                   "SELECT group_concat(ticket_id || ' ' || n || ' ' || at_ms || ' ' || state || ' ' || loaner, ', ')"
                   " FROM (SELECT * FROM ticket_step ORDER BY ticket_id, n)",
                   "5 1 1000 new 0, 5 2 2000 accepted 0, 5 3 3000 cancelled 0, 6 1 1500 new 0");
}

/* A new database and one that was taken over are the same. */
static void taken_over_is_as_made_anew(void **state)
{
    static const char shape[] = "SELECT group_concat(t.name || '.' || c.name || ' ' || c.type, char(10)) FROM"
                                " (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name) t,"
                                " pragma_table_info(t.name) c";
    struct fixture *f = *state;
    char *anew, *over;

    fixture_open(f);
    anew = fixture_look(f, shape);
    fixture_close(f);
    remove(f->path);
    schema_1_is_taken_over_with_all_that_is_in_it(state);
    over = fixture_look(f, shape);
    assert_string_equal(anew, over);
    free(anew);
    free(over);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ON_BOTH(made_from_nothing),
        TEST_ON_FILE(made_from_an_empty_file),
        TEST_ON_FILE(each_installation_has_a_name_of_its_own),
        TEST_ON_FILE(schema_1_is_taken_over_with_all_that_is_in_it),
        TEST_ON_FILE(old_tickets_get_a_history),
        TEST_ON_FILE(taken_over_is_as_made_anew),
        TEST_ON_FILE(a_newer_one_is_refused_untouched),
        TEST_ON_FILE(a_newer_one_with_a_wal_is_refused_untouched),
        TEST_ON_FILE(another_programs_is_refused_untouched),
        TEST_ON_FILE(a_version_that_never_was_is_refused),
        TEST_ON_FILE(what_is_no_database_is_refused_untouched),
        TEST_ON_FILE(a_database_that_is_cut_off_is_refused),
        TEST_ON_FILE(an_installation_without_a_name_is_refused),
        TEST_ON_FILE(a_folder_that_is_not_there),
        TEST_IN_MEMORY(made_in_the_end_although_the_disk_was_full),
        TEST_IN_MEMORY(power_fails_at_each_sync_of_the_making),
    };

    return cmocka_run_group_tests_name("store/schema", tests, NULL, NULL);
}
