#include "tests/store/fixture.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* The store as patrold runs it, on threads of its own, while this one is the loop. */

static int setup(void **state, bool real)
{
    struct fixture *f;

    if (real)
        fixture_on_file(state);
    else
        fixture_in_memory(state);
    f = *state;
    worker_stop(f->writer, NULL);
    worker_stop(f->reader, NULL);
    assert_int_equal(worker_start(1, &f->writer), 0);
    assert_int_equal(worker_start(1, &f->reader), 0);
    return 0;
}

static int on_file(void **state)
{
    return setup(state, true);
}

static int in_memory(void **state)
{
    return setup(state, false);
}

/* One turn of the loop: 10 ms pass, and what the threads have done is taken. */
static void turn(struct fixture *f, int patience_ms)
{
    struct pollfd fds[2] = {{.fd = worker_fd(f->writer), .events = POLLIN},
                            {.fd = worker_fd(f->reader), .events = POLLIN}};

    poll(fds, 2, patience_ms);
    worker_reap(f->writer);
    worker_reap(f->reader);
    clock_fake_advance(&f->clock, 10);
    wheel_advance(f->wheel, f->clock.mono);
}

/* Judged outside the callback: a test that fails in there would leave jobs behind for ever. */
struct asked {
    int answers, errors;
    size_t rows; /* of the last answer */
};

static void take_page(void *arg, const struct query_page *page)
{
    struct asked *a = arg;

    a->answers++;
    a->errors += page->err < 0;
    a->rows = page->nrows;
}

static void ask(struct fixture *f, struct asked *a)
{
    const struct query_args events = {.name = "events", .limit = 5000};
    const struct query_args readings = {.name = "readings", .filters = "{\"device\": 1}", .limit = 5000};

    store_query(f->store, &readings, take_page, a);
    store_query(f->store, &events, take_page, a);
}

static void submit_device(struct fixture *f)
{
    struct device d = {.id = 1, .name = "d", .address = "a"};
    struct change *c = change_new();

    change_put_device(c, &d);
    change_event(c, 1, "device.added");
    fixture_submit_change(f, 1, c, true);
}

static void commits_and_queries_at_once(void **state)
{
    enum { ROUNDS = 300 };
    struct fixture *f = *state;
    struct asked asked = {0};
    int rounds = 1;

    fixture_open(f);
    submit_device(f);
    while (f->heard.n < 1)
        turn(f, 100);
    for (; rounds < ROUNDS; rounds++) {
        struct reading r[50];

        fixture_submit(f, rounds + 1, "x", rounds % 3 == 0);
        for (uint16_t p = 0; p < 50; p++)
            r[p] = (struct reading){.component = 1, .point = p, .value = value_int(rounds)};
        store_put_poll(f->store,
                       &(struct poll){.device_id = 1, .at_ms = f->clock.wall + rounds, .readings = r, .n = 50});
        if (rounds % 5 == 0)
            ask(f, &asked);
        turn(f, rounds % 7 == 0 ? 1 : 0);
    }
    while (f->heard.n < ROUNDS || worker_pending(f->reader) > 0)
        turn(f, 100);
    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(f->heard.v[i], i + 1);
        assert_int_equal(f->events.v[i], i + 1);
    }
    assert_int_equal(asked.answers, 2 * ((ROUNDS - 1) / 5));
    ask(f, &asked);
    worker_drain(f->reader);
    assert_int_equal(asked.rows, ROUNDS);
    assert_int_equal(asked.errors, 0);
    fixture_close(f);
    fixture_expect(f, "PRAGMA integrity_check", "ok");
}

static void closing_waits_for_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    struct asked asked = {0};

    fixture_open(f);
    submit_device(f);
    worker_drain(f->writer);
    fixture_submit(f, 2, "x", true);
    fixture_submit(f, 3, "y", false);
    ask(f, &asked);
    fixture_close(f);
    fixture_expect_heard(f, 1, 2, 3, 0);
    assert_int_equal(asked.answers, 2); /* with the rows or cancelled, as far as the reader came */
    fixture_expect(f, "SELECT count(*) FROM event", "3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commits_and_queries_at_once, on_file, fixture_teardown),
        cmocka_unit_test_setup_teardown(commits_and_queries_at_once, in_memory, fixture_teardown),
        cmocka_unit_test_setup_teardown(closing_waits_for_what_is_under_way, on_file, fixture_teardown),
        cmocka_unit_test_setup_teardown(closing_waits_for_what_is_under_way, in_memory, fixture_teardown),
    };

    return cmocka_run_group_tests_name("store/threads", tests, NULL, NULL);
}
