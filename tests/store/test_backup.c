#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/backup.h"

/* A path beside the database; free it. */
static char *beside(const struct fixture *f, const char *tail)
{
    return xasprintf("%s%s", f->path, tail);
}

static int back_up(struct fixture *f, char **why)
{
    char *to = beside(f, ".backup");
    struct store_files files;
    int rc = store_backup(f->path, to, NULL, NULL, &files, why);

    free(to);
    return rc;
}

static int restore(struct fixture *f, struct store_restored *out, char **why)
{
    char *from = beside(f, ".backup");
    int rc = store_restore(from, f->path, "operator", NULL, NULL, out, why);

    free(from);
    return rc;
}

static void must_back_up(struct fixture *f)
{
    char *why = NULL;

    if (back_up(f, &why) != 0)
        fail_msg("%s", why);
}

static void must_restore(struct fixture *f, struct store_restored *out)
{
    char *why = NULL;

    if (restore(f, out, &why) != 0)
        fail_msg("%s", why);
}

static void put_mail(struct fixture *f, int64_t id, enum outbox_state state)
{
    char message_id[20];
    struct outbox o = {
        .id = id, .channel = "mail", .message_id = message_id, .recipient = "x", .subject = "s", .state = state};
    struct change *c = change_new();

    snprintf(message_id, sizeof message_id, "<%d>", (int)id);
    change_event(c, f->clock.wall, "mail.test");
    change_put_outbox(c, &o);
    fixture_submit_change(f, (int)id, c, true);
    fixture_pass(f, 100);
}

static void copy_file(const char *from, const char *to)
{
    char *data;
    size_t n;

    assert_int_equal(file_read(from, 1 << 26, &data, &n), 0);
    assert_int_equal(file_write_whole(to, data, n, 0600), 0);
    free(data);
}

/* ---- Backup ---- */

static void a_backup_is_taken_from_a_store_at_work(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;

    fixture_open(f);
    fixture_submit(f, 1, "before", true);
    fixture_pass(f, 100);
    must_back_up(f);
    fixture_submit(f, 2, "after", true);
    fixture_pass(f, 100);
    fixture_expect_heard(f, 1, 2, 0);
    fixture_expect(f, "SELECT group_concat(kind) FROM event", "before,after");
    fixture_close(f);
    must_restore(f, &r);
    fixture_expect(f, "SELECT group_concat(kind) FROM event", "before,store.restored");
    free(r.replaced);
}

static void a_backup_is_one_file_that_others_cannot_read(void **state)
{
    struct fixture *f = *state;
    char *path = beside(f, ".backup"), *wal = beside(f, ".backup-wal"), *data;
    size_t n;

    fixture_open(f);
    fixture_submit(f, 1, "before", true);
    fixture_pass(f, 100);
    must_back_up(f);
    assert_int_equal(access(wal, F_OK), -1);
    assert_int_equal(file_read(path, 1 << 26, &data, &n), 0);
    assert_in_range(n, 4096, 1 << 24);
    assert_int_equal(data[18], 1); /* SQLite's file format: no WAL belongs to it */
    free(data);
    free(path);
    free(wal);
}

static void a_backup_replaces_nothing(void **state)
{
    struct fixture *f = *state;
    char *path = beside(f, ".backup"), *why = NULL, *data;
    size_t n;

    fixture_open(f);
    assert_int_equal(file_write_whole(path, "mine", 4, 0600), 0);
    assert_int_equal(back_up(f, &why), PD_EEXIST);
    assert_non_null(strstr(why, "is there already"));
    assert_int_equal(file_read(path, 100, &data, &n), 0);
    assert_string_equal(data, "mine");
    free(data);
    free(path);
    free(why);
}

/* Nothing of a copy that failed is left: the fixture would not get rid of its folder. */
static void what_is_no_database_of_ours_is_not_backed_up(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *data;
        size_t n;
        int err;
        const char *why;
    } rows[] = {
        {"hello, I am a text that is long enough to be looked at by somebody who wants to see a header of a database "
         "file",
         111, PD_ECORRUPT, "patrold.db"},
        {"", 0, PD_EINVAL, "it is empty"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *why = NULL;
        int rc;

        assert_int_equal(file_write_whole(f->path, rows[i].data, rows[i].n, 0600), 0);
        rc = back_up(f, &why);
        if (rc != rows[i].err || !strstr(why, rows[i].why))
            fail_msg("row %zu: %d, %s", i, rc, why);
        free(why);
    }
}

static void a_database_that_is_not_there_is_said_to_be_missing(void **state)
{
    struct fixture *f = *state;
    char *why = NULL;

    assert_int_equal(back_up(f, &why), PD_ENOENT);
    assert_non_null(strstr(why, f->path));
    free(why);
}

/* A page in the middle is overwritten. */
static void a_damaged_database_is_not_backed_up(void **state)
{
    struct fixture *f = *state;
    char *why = NULL, *data;
    size_t n;

    fixture_open(f);
    for (int i = 1; i <= 300; i++)
        fixture_submit(f, i, "an event whose kind has some length, so that there are many pages", true);
    fixture_pass(f, 3000);
    fixture_close(f);
    assert_int_equal(file_read(f->path, 1 << 26, &data, &n), 0);
    memset(data + n - 8192, 0x5a, 4096);
    assert_int_equal(file_write_whole(f->path, data, n, 0600), 0);
    assert_int_equal(back_up(f, &why), PD_ECORRUPT);
    assert_non_null(strstr(why, "damaged"));
    free(data);
    free(why);
}

/* ---- Restore ---- */

static void a_restore_begins_a_new_epoch_and_writes_itself_down(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;

    fixture_open(f);
    fixture_submit(f, 1, "one", true);
    fixture_pass(f, 100);
    must_back_up(f);
    fixture_close(f);
    must_restore(f, &r);
    assert_int_equal(r.epoch, 2);
    assert_int_equal(r.last_event, 2);
    fixture_expect(f, "SELECT kind || ' ' || actor || ' ' || json_extract(args, '$.epoch') FROM event WHERE number = 2",
                   "store.restored operator 2");
    fixture_open(f);
    assert_int_equal(store_identity(f->store)->epoch, 2);
    free(r.replaced);
}

/* Or two stories would have events of one key. */
static void each_restore_of_one_backup_is_an_epoch_of_its_own(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    must_back_up(f);
    fixture_close(f);
    for (int64_t epoch = 2; epoch <= 4; epoch++) {
        struct store_restored r;

        must_restore(f, &r);
        assert_int_equal(r.epoch, epoch);
        free(r.replaced);
    }
}

static void messages_not_sent_by_then_are_held(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;

    fixture_open(f);
    put_mail(f, 1, OUTBOX_SENT);
    put_mail(f, 2, OUTBOX_PENDING);
    put_mail(f, 3, OUTBOX_FAILED);
    put_mail(f, 4, OUTBOX_PENDING);
    must_back_up(f);
    fixture_close(f);
    must_restore(f, &r);
    assert_int_equal(r.held, 2);
    fixture_expect(f, "SELECT group_concat(id || state) FROM outbox", "1sent,2held,3failed,4held");
    free(r.replaced);
}

static void a_database_in_use_is_not_replaced(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;
    char *why = NULL;

    fixture_open(f);
    must_back_up(f);
    assert_int_equal(restore(f, &r, &why), PD_EBUSY);
    assert_non_null(strstr(why, "stop it first"));
    free(why);
}

static void the_database_of_before_is_kept(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;
    char *own = f->path;

    fixture_open(f);
    must_back_up(f);
    fixture_submit(f, 1, "only in the old one", true);
    fixture_pass(f, 100);
    fixture_close(f);
    must_restore(f, &r);
    f->path = r.replaced;
    fixture_expect(f, "SELECT kind FROM event", "only in the old one");
    f->path = own;
    free(r.replaced);
}

/* After a crash a WAL lies beside the old database: it must not get into the new one. */
static void a_wal_of_the_old_database_does_not_get_into_the_new_one(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;
    char *wal = beside(f, "-wal"), *old = beside(f, ".replaced"), *old_wal = beside(f, ".replaced-wal");

    fixture_open(f);
    fixture_submit(f, 1, "good", true);
    fixture_pass(f, 100);
    must_back_up(f);
    fixture_submit(f, 2, "in the wal", true);
    fixture_pass(f, 100);
    copy_file(f->path, old);
    copy_file(wal, old_wal);
    fixture_close(f);
    copy_file(old, f->path);
    copy_file(old_wal, wal);
    must_restore(f, &r);
    assert_int_equal(access(wal, F_OK), -1);
    fixture_expect(f, "SELECT group_concat(kind) FROM event", "good,store.restored");
    free(r.replaced);
    free(wal);
    free(old);
    free(old_wal);
}

static void what_is_left_of_a_ruined_database_is_put_aside(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;
    char *wal = beside(f, "-wal"), *journal = beside(f, "-journal"), *replaced = beside(f, ".replaced"), *data;
    size_t n;

    fixture_open(f);
    fixture_submit(f, 1, "good", true);
    fixture_pass(f, 100);
    must_back_up(f);
    fixture_close(f);
    assert_int_equal(file_write_whole(f->path, "ruins", 5, 0600), 0);
    assert_int_equal(file_write_whole(wal, "more ruins", 10, 0600), 0);
    assert_int_equal(file_write_whole(journal, "more ruins", 10, 0600), 0);
    must_restore(f, &r);
    assert_int_equal(access(wal, F_OK), -1);
    assert_int_equal(access(journal, F_OK), -1);
    assert_string_equal(r.replaced, replaced);
    assert_int_equal(file_read(replaced, 100, &data, &n), 0);
    assert_string_equal(data, "ruins");
    fixture_expect(f, "SELECT group_concat(kind) FROM event", "good,store.restored");
    free(data);
    free(r.replaced);
    free(replaced);
    free(journal);
    free(wal);
}

static void a_restore_to_an_empty_place_needs_no_old_database(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;

    fixture_open(f);
    fixture_submit(f, 1, "good", true);
    fixture_pass(f, 100);
    must_back_up(f);
    fixture_close(f);
    assert_int_equal(unlink(f->path), 0);
    must_restore(f, &r);
    assert_null(r.replaced);
    fixture_expect(f, "SELECT group_concat(kind) FROM event", "good,store.restored");
}

static void a_backup_that_is_none_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;
    char *from = beside(f, ".backup"), *why = NULL;

    fixture_open(f);
    fixture_submit(f, 1, "good", true);
    fixture_pass(f, 100);
    fixture_close(f);
    assert_int_equal(file_write_whole(from, "nonsense", 8, 0600), 0);
    assert_true(restore(f, &r, &why) < 0);
    assert_non_null(strstr(why, ".backup"));
    fixture_expect(f, "SELECT group_concat(kind) FROM event", "good");
    fixture_expect(f, "SELECT value FROM meta WHERE name = 'store.epoch'", "1");
    free(from);
    free(why);
}

static void a_backup_of_a_newer_patrold_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;
    char *from = beside(f, ".backup"), *own = f->path, *why = NULL;

    fixture_open(f);
    must_back_up(f);
    fixture_close(f);
    f->path = from;
    fixture_alter(f, "PRAGMA user_version = 9999");
    f->path = own;
    assert_int_equal(restore(f, &r, &why), PD_EVERSION);
    assert_non_null(strstr(why, "newer patrold"));
    free(from);
    free(why);
}

/* ---- The files of reports ---- */

/* What a folder beside the database holds of a file, or NULL; free it. */
static char *held_in(const struct fixture *f, const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s/%s", f->folder, folder, name), *data = NULL;
    size_t n;

    file_read(path, 1000, &data, &n);
    free(path);
    return data;
}

static void expect_file(const struct fixture *f, const char *folder, const char *name, const char *want)
{
    char *data = held_in(f, folder, name);

    if (!str_eq(data, want))
        fail_msg("%s/%s holds %s, not %s", folder, name, data ? data : "nothing", want ? want : "nothing");
    free(data);
}

static void put_file(const struct fixture *f, const char *name, const char *content)
{
    char *folder = xasprintf("%s/reports", f->folder), *path = xasprintf("%s/%s", folder, name);

    mkdir(folder, 0750);
    assert_int_equal(file_write_whole(path, content, strlen(content), 0640), 0);
    free(path);
    free(folder);
}

/* Files of two editions, of which the row names the second; one that a held mail carries; one of nobody. */
static void make_reports(struct fixture *f)
{
    fixture_open(f);
    fixture_close(f);
    fixture_alter(f, "INSERT INTO report (id, customer_id, site_id, site, month, state, edition, attempts, due_ms,"
                     " made_ms, mailed_ms, next_ms, as_of_event, path, mail)"
                     " VALUES (3, 0, 0, 's', '2026-09', 'made', 2, 0, 1, 1, 0, 0, 0, '2026-09-3-2-en.pdf', 1)");
    fixture_alter(f,
                  "INSERT INTO outbox (id, channel, message_id, recipient, subject, body, created_ms, state, attempts,"
                  " next_ms, sent_ms, attachments)"
                  " VALUES (9, 'mail', '<9>', 'x', 's', '', 1, 'held', 0, 0, 0, 'attached 2026-08-1-1-en.pdf Report' "
                  "|| char(10))");
    put_file(f, "2026-09-3-1-en.pdf", "first");
    put_file(f, "2026-09-3-2-en.pdf", "second");
    put_file(f, "2026-09-3-2-zh_CN.html", "page");
    put_file(f, "2026-08-1-1-en.pdf", "mailed");
    put_file(f, "2026-09-3-22-en.pdf", "another");
}

static void a_backup_has_the_files_that_it_names_and_no_others(void **state)
{
    struct fixture *f = *state;
    struct store_files files;
    char *to = beside(f, ".backup"), *why = NULL;

    make_reports(f);
    if (store_backup(f->path, to, NULL, NULL, &files, &why) != 0)
        fail_msg("%s", why);
    assert_int_equal(files.there, 3);
    assert_int_equal(files.missing, 0);
    expect_file(f, "patrold.db.backup.reports", "2026-09-3-2-en.pdf", "second");
    expect_file(f, "patrold.db.backup.reports", "2026-09-3-2-zh_CN.html", "page");
    expect_file(f, "patrold.db.backup.reports", "2026-08-1-1-en.pdf", "mailed");
    expect_file(f, "patrold.db.backup.reports", "2026-09-3-1-en.pdf", NULL);
    expect_file(f, "patrold.db.backup.reports", "2026-09-3-22-en.pdf", NULL);
    free(to);
}

static void a_file_that_is_gone_is_counted(void **state)
{
    struct fixture *f = *state;
    struct store_files files;
    char *to = beside(f, ".backup"), *gone = xasprintf("%s/reports/2026-09-3-2-en.pdf", f->folder), *why = NULL;

    make_reports(f);
    assert_int_equal(unlink(gone), 0);
    assert_int_equal(store_backup(f->path, to, NULL, NULL, &files, &why), 0);
    assert_int_equal(files.there, 2);
    assert_int_equal(files.missing, 1);
    free(gone);
    free(to);
}

static void a_folder_of_another_backup_is_left_alone(void **state)
{
    struct fixture *f = *state;
    char *folder = beside(f, ".backup.reports"), *to = beside(f, ".backup"), *why = NULL;

    make_reports(f);
    assert_int_equal(mkdir(folder, 0750), 0);
    assert_int_equal(back_up(f, &why), PD_EEXIST);
    assert_non_null(strstr(why, ".backup.reports"));
    assert_int_equal(access(to, F_OK), -1);
    free(why);
    free(to);
    free(folder);
}

static void a_restore_brings_the_files_back_and_keeps_those_of_before(void **state)
{
    struct fixture *f = *state;
    struct store_restored r;
    char *gone = xasprintf("%s/reports/2026-09-3-2-zh_CN.html", f->folder);

    make_reports(f);
    must_back_up(f);
    put_file(f, "2026-09-3-2-en.pdf", "of another story");
    put_file(f, "2026-09-3-3-en.pdf", "third");
    assert_int_equal(unlink(gone), 0);
    must_restore(f, &r);
    assert_int_equal(r.files.there, 3);
    assert_int_equal(r.files.missing, 0);
    expect_file(f, "reports", "2026-09-3-2-en.pdf", "second");
    expect_file(f, "reports", "2026-09-3-2-zh_CN.html", "page");
    expect_file(f, "reports.replaced", "2026-09-3-2-en.pdf", "of another story");
    expect_file(f, "reports.replaced", "2026-09-3-3-en.pdf", "third");
    free(gone);
    free(r.replaced);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ON_FILE(a_backup_is_taken_from_a_store_at_work),
        TEST_ON_FILE(a_backup_is_one_file_that_others_cannot_read),
        TEST_ON_FILE(a_backup_replaces_nothing),
        TEST_ON_FILE(what_is_no_database_of_ours_is_not_backed_up),
        TEST_ON_FILE(a_database_that_is_not_there_is_said_to_be_missing),
        TEST_ON_FILE(a_damaged_database_is_not_backed_up),
        TEST_ON_FILE(a_restore_begins_a_new_epoch_and_writes_itself_down),
        TEST_ON_FILE(each_restore_of_one_backup_is_an_epoch_of_its_own),
        TEST_ON_FILE(messages_not_sent_by_then_are_held),
        TEST_ON_FILE(a_database_in_use_is_not_replaced),
        TEST_ON_FILE(the_database_of_before_is_kept),
        TEST_ON_FILE(a_wal_of_the_old_database_does_not_get_into_the_new_one),
        TEST_ON_FILE(what_is_left_of_a_ruined_database_is_put_aside),
        TEST_ON_FILE(a_restore_to_an_empty_place_needs_no_old_database),
        TEST_ON_FILE(a_backup_that_is_none_changes_nothing),
        TEST_ON_FILE(a_backup_of_a_newer_patrold_is_refused),
        TEST_ON_FILE(a_backup_has_the_files_that_it_names_and_no_others),
        TEST_ON_FILE(a_file_that_is_gone_is_counted),
        TEST_ON_FILE(a_folder_of_another_backup_is_left_alone),
        TEST_ON_FILE(a_restore_brings_the_files_back_and_keeps_those_of_before),
    };

    return cmocka_run_group_tests_name("store/backup", tests, NULL, NULL);
}
