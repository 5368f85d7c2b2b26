#include "tests/store/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static struct store_state state_of(struct fixture *f)
{
    struct store_state s;

    store_state(f->store, &s);
    return s;
}

static void put_poll(struct fixture *f, int64_t device)
{
    const struct reading r = {.component = 0, .point = 0, .value = value_int(f->clock.mono)};

    fixture_put_poll(f, device, f->clock.wall, &r, 1);
}

static void committed_in_order_and_numbered(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    for (int i = 1; i <= 5; i++)
        fixture_submit(f, i, "test.event", false);
    assert_int_equal(state_of(f).queued_changes, 5);
    fixture_pass(f, 900);
    fixture_expect_heard(f, 0);
    fixture_pass(f, 200);
    fixture_expect_heard(f, 1, 2, 3, 4, 5, 0);
    assert_int_equal(state_of(f).queued_changes, 0);
    assert_int_equal(state_of(f).commits, 1);
    assert_int_equal(state_of(f).last_event, 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(f->events.v[i], i + 1);
    fixture_expect(f, "SELECT group_concat(number) FROM event", "1,2,3,4,5");
}

static void urgency_does_not_wait_but_goes_after_what_came_before(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_submit(f, 1, "slow", false);
    fixture_submit(f, 2, "urgent", true);
    fixture_submit(f, 3, "urgent, while a commit is under way", true);
    fixture_submit(f, 4, "slow", false);
    fixture_expect_heard(f, 0);
    fixture_pass(f, 10);
    fixture_expect_heard(f, 1, 2, 0);
    fixture_pass(f, 20);
    fixture_expect_heard(f, 1, 2, 3, 4, 0);
    assert_int_equal(state_of(f).commits, 2);
}

static void submit_from_done(void *arg)
{
    struct fixture *f = arg;

    fixture_submit(f, 2, "second", true);
}

static void done_may_submit(void **state)
{
    struct fixture *f = *state;
    struct change *c = change_new();

    fixture_open(f);
    change_event(c, 1, "first");
    store_submit(f->store, c, true, submit_from_done, f);
    fixture_pass(f, 30);
    fixture_expect_heard(f, 2, 0);
}

static void close_commits_what_is_queued(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_submit(f, 1, "a", true);
    fixture_submit(f, 2, "b", false);
    put_poll(f, 7);
    fixture_close(f);
    fixture_expect_heard(f, 1, 2, 0);
    fixture_expect(f, "SELECT count(*) FROM event", "2");
    fixture_expect(f, "SELECT count(*) FROM poll", "1");
}

static void opened_again_it_is_the_same_installation(void **state)
{
    struct fixture *f = *state;
    struct store_identity id;
    struct change *c = change_new();
    struct device d = {.id = 12, .name = "d", .address = "a"};

    fixture_open(f);
    id = *store_identity(f->store);
    assert_int_equal(strlen(id.uuid), 36);
    assert_int_equal(id.uuid[14], '4');
    assert_int_equal(strlen(id.prefix), 4);
    assert_int_equal(id.epoch, 1);
    assert_int_equal(store_last_id(f->store, ROW_DEVICE), 0);
    change_event(c, 1, "x");
    change_put_device(c, &d);
    fixture_submit_change(f, 1, c, true);
    fixture_close(f);
    fixture_open(f);
    assert_memory_equal(&id, store_identity(f->store), sizeof id);
    assert_int_equal(store_last_id(f->store, ROW_DEVICE), 12);
    assert_int_equal(store_last_id(f->store, ROW_TICKET), 0);
    assert_int_equal(state_of(f).last_event, 1);
}

struct commit_range {
    int64_t first, last;
    int n;
};

static void note_range(void *ctx, int64_t first, int64_t last)
{
    struct commit_range *r = ctx;

    r->first = first;
    r->last = last;
    r->n++;
}

static void listener_hears_the_range_of_each_commit(void **state)
{
    struct fixture *f = *state;
    struct commit_range r = {0};

    fixture_open(f);
    store_on_commit(f->store, note_range, &r);
    fixture_submit(f, 1, "a", false);
    fixture_submit(f, 2, "b", true);
    fixture_pass(f, 20);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.first, 1);
    assert_int_equal(r.last, 2);
    put_poll(f, 1);
    fixture_pass(f, 2000);
    assert_int_equal(r.n, 2);
    assert_true(r.last < r.first);
}

static void counters_of_readings(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    put_poll(f, 1);
    put_poll(f, 2);
    assert_int_equal(state_of(f).queued_polls, 2);
    fixture_pass(f, 2000);
    assert_int_equal(state_of(f).queued_polls, 0);
    assert_int_equal(state_of(f).polls, 2);
    assert_int_equal(state_of(f).readings, 2);
    assert_in_range(state_of(f).reading_bytes, 14, 30);
}

/* ---- Trouble ---- */

/* What ends the trouble must not matter to what was queued. */
static void retried_until_it_works(struct fixture *f, int err)
{
    struct store_state s;

    fixture_submit(f, 2, "b", true);
    fixture_submit(f, 3, "c", true);
    put_poll(f, 1);
    fixture_pass(f, 100);
    s = state_of(f);
    assert_true(s.stuck);
    assert_string_not_equal(s.why, "");
    assert_int_equal(s.queued_changes, 2);
    assert_int_equal(f->trouble, err);
    fixture_pass(f, 120000);
    fixture_submit(f, 4, "d", true);
    fixture_expect_heard(f, 1, 0);
    s = state_of(f);
    /* After 1, 2, 4, 8, 16, then every 30 seconds. */
    assert_in_range(s.failed_commits, 8, 9);
    assert_int_equal(f->troubles, 1);

    memvfs_set_room(f->mem, -1);
    memvfs_set_faults(f->mem, 0);
    fixture_pass(f, 31000);
    fixture_expect_heard(f, 1, 2, 3, 4, 0);
    s = state_of(f);
    assert_false(s.stuck);
    assert_string_equal(s.why, "");
    assert_int_equal(s.queued_polls, 0);
    assert_int_equal(f->troubles, 2);
    assert_int_equal(f->trouble, 0);
    for (size_t i = 0; i < f->events.n; i++)
        assert_int_equal(f->events.v[i], i + 1);
    fixture_expect(f, "SELECT count(*) || ' ' || max(number) FROM event", "4 4");
    fixture_expect(f, "PRAGMA integrity_check", "ok");
}

static void disk_full(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_submit(f, 1, "a", true);
    fixture_pass(f, 20);
    memvfs_set_room(f->mem, 100);
    retried_until_it_works(f, PD_ENOSPC);
}

static void write_error(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_submit(f, 1, "a", true);
    fixture_pass(f, 20);
    memvfs_set_faults(f->mem, MEMVFS_FAIL_WRITE);
    retried_until_it_works(f, PD_EIO);
}

static void sync_error(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_submit(f, 1, "a", true);
    fixture_pass(f, 20);
    memvfs_set_faults(f->mem, MEMVFS_FAIL_SYNC);
    retried_until_it_works(f, PD_EIO);
}

static void trouble_of_another_kind_is_told(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    memvfs_set_room(f->mem, 0);
    fixture_submit(f, 1, "a", true);
    fixture_pass(f, 100);
    assert_int_equal(f->trouble, PD_ENOSPC);
    memvfs_set_faults(f->mem, MEMVFS_FAIL_WRITE);
    fixture_pass(f, 5000);
    assert_int_equal(f->trouble, PD_EIO);
    assert_int_equal(f->troubles, 2);
    memvfs_set_faults(f->mem, 0);
    memvfs_set_room(f->mem, -1);
}

static void another_writer_holds_commits_up(void **state)
{
    struct fixture *f = *state;
    sqlite3 *other;

    fixture_open(f);
    other = fixture_connect(f, SQLITE_OPEN_READWRITE);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    fixture_submit(f, 1, "a", true);
    fixture_pass(f, 1500);
    assert_int_equal(f->trouble, PD_EBUSY);
    /* It takes the first number: ours are given inside the transaction, so they go on after it. */
    assert_int_equal(sqlite3_exec(other, "INSERT INTO event VALUES (1, 0, 'by hand', 0, 0, 0, '{}', NULL); COMMIT",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(other);
    fixture_pass(f, 2000);
    fixture_expect_heard(f, 1, 0);
    assert_int_equal(f->trouble, 0);
    assert_int_equal(state_of(f).last_event, 2);
}

static void polls_are_dropped_beyond_the_bound(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    memvfs_set_room(f->mem, 0);
    for (int i = 0; i < 20000; i++)
        put_poll(f, i + 1);
    assert_int_equal(state_of(f).dropped_polls, 0);
    fixture_pass(f, 2000);
    put_poll(f, 1);
    put_poll(f, 2);
    assert_int_equal(state_of(f).dropped_polls, 2);
    assert_int_equal(state_of(f).queued_polls, 20000);
    memvfs_set_room(f->mem, -1);
    fixture_pass(f, 31000);
    assert_int_equal(state_of(f).queued_polls, 0);
    put_poll(f, 1);
    assert_int_equal(state_of(f).dropped_polls, 2);
}

static void a_change_that_breaks_a_constraint_is_left_out_alone(void **state)
{
    struct fixture *f = *state;
    struct ticket t = {.id = 1, .number = "T-1"}, same = {.id = 2, .number = "T-1"};
    struct change *good = change_new(), *bad = change_new();

    fixture_open(f);
    change_put_ticket(good, &t);
    change_event(good, 1, "good");
    change_event(bad, 1, "bad, but not its event");
    change_put_ticket(bad, &same);
    fixture_submit_change(f, 1, good, false);
    fixture_submit_change(f, 2, bad, false);
    fixture_submit(f, 3, "after", false);
    put_poll(f, 1);
    fixture_pass(f, 2000);
    fixture_expect_heard(f, 1, -2, 3, 0);
    assert_int_equal(state_of(f).refused_changes, 1);
    assert_int_equal(state_of(f).queued_changes, 0);
    assert_int_equal(state_of(f).queued_polls, 0);
    assert_false(state_of(f).stuck);
    fixture_expect(f, "SELECT group_concat(number || kind) FROM event", "1good,2after");
    fixture_expect(f, "SELECT count(*) FROM ticket", "1");
}

static void what_a_dead_disk_does_not_take_is_told_as_lost(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_submit(f, 1, "a", true);
    fixture_pass(f, 20);
    memvfs_cut_power(f->mem);
    fixture_submit(f, 2, "b", true);
    fixture_pass(f, 500);
    fixture_submit(f, 3, "c", true);
    put_poll(f, 1);
    fixture_close(f);
    fixture_expect_heard(f, 1, -2, -3, 0);
    memvfs_power_cycle(f->mem, 1);
    fixture_expect(f, "SELECT count(*) FROM event", "1");
}

/* ---- Upkeep ---- */

static void wal_stays_short(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    for (int minute = 0; minute < 300; minute++) {
        for (int i = 0; i < 50; i++)
            put_poll(f, i + 1);
        fixture_pass(f, 60000);
        assert_true(state_of(f).wal_pages < 1100);
    }
    assert_int_equal(state_of(f).polls, 300 * 50);
}

static void wal_is_written_back_when_idle(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    fixture_submit(f, 1, "a", true);
    fixture_pass(f, 1000);
    assert_true(state_of(f).wal_pages > 0);
    fixture_pass(f, 180000);
    assert_int_equal(state_of(f).wal_pages, 0);
}

/* ---- Ownership ---- */

static void a_second_patrold_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store_config config = fixture_config(f);
    struct store *second;
    char *why = NULL;

    fixture_open(f);
    fixture_submit(f, 1, "a", true);
    assert_int_equal(store_open(&config, &second, &why), PD_EBUSY);
    assert_non_null(strstr(why, "another patrold"));
    free(why);
    fixture_pass(f, 20);
    fixture_expect_heard(f, 1, 0);
    fixture_close(f);
    fixture_open(f);
}

static void others_may_read_meanwhile(void **state)
{
    struct fixture *f = *state;

    fixture_open(f);
    for (int i = 1; i <= 3; i++) {
        fixture_submit(f, i, "x", true);
        fixture_pass(f, 20);
        fixture_expect(f, "SELECT count(*) = max(number) FROM event", "1");
    }
    fixture_expect_heard(f, 1, 2, 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ON_BOTH(committed_in_order_and_numbered),
        TEST_ON_BOTH(urgency_does_not_wait_but_goes_after_what_came_before),
        TEST_ON_BOTH(done_may_submit),
        TEST_ON_BOTH(close_commits_what_is_queued),
        TEST_ON_BOTH(opened_again_it_is_the_same_installation),
        TEST_ON_BOTH(listener_hears_the_range_of_each_commit),
        TEST_ON_BOTH(counters_of_readings),
        TEST_IN_MEMORY(disk_full),
        TEST_IN_MEMORY(write_error),
        TEST_IN_MEMORY(sync_error),
        TEST_IN_MEMORY(trouble_of_another_kind_is_told),
        TEST_ON_BOTH(another_writer_holds_commits_up),
        TEST_IN_MEMORY(polls_are_dropped_beyond_the_bound),
        TEST_ON_BOTH(a_change_that_breaks_a_constraint_is_left_out_alone),
        TEST_IN_MEMORY(what_a_dead_disk_does_not_take_is_told_as_lost),
        TEST_IN_MEMORY(wal_stays_short),
        TEST_ON_BOTH(wal_is_written_back_when_idle),
        TEST_ON_BOTH(a_second_patrold_is_refused),
        TEST_ON_BOTH(others_may_read_meanwhile),
    };

    return cmocka_run_group_tests_name("store/store", tests, NULL, NULL);
}
