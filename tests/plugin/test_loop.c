#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/hist.h"
#include "plugin/loop.h"

struct bench {
    struct pd_loop *loop;
    const struct pd_services *services;
    struct timer timer;
    struct pd_watch *watch;
    int pipe[2];
    int fired, read, written;
};

static int64_t now(const struct bench *b)
{
    return clock_mono(&b->services->clock);
}

static void on_timer(void *arg)
{
    struct bench *b = arg;

    b->fired++;
    pd_loop_stop(b->loop);
}

static void on_readable(void *arg)
{
    struct bench *b = arg;
    char byte;

    assert_int_equal(read(b->pipe[0], &byte, 1), 1);
    b->read++;
    pd_loop_stop(b->loop);
}

static void start(struct bench *b)
{
    *b = (struct bench){0};
    assert_int_equal(pd_loop_new(&clock_system, &rng_system, &b->loop), 0);
    b->services = pd_loop_services(b->loop);
    timer_init(&b->timer, on_timer, b);
    assert_int_equal(pipe(b->pipe), 0);
    b->watch = b->services->watch_read(b->services->loop, b->pipe[0], on_readable, b);
    assert_non_null(b->watch);
}

static void stop(struct bench *b)
{
    b->services->unwatch(b->watch);
    close(b->pipe[0]);
    close(b->pipe[1]);
    pd_loop_free(b->loop);
}

static void a_timer_fires_on_time(void **state)
{
    struct bench b;
    int64_t t;

    (void)state;
    start(&b);
    t = now(&b);
    wheel_set(b.services->wheel, &b.timer, t + 30);
    assert_int_equal(pd_loop_run(b.loop), 0);
    assert_int_equal(b.fired, 1);
    assert_in_range(now(&b) - t, 30, 2000);
    stop(&b);
}

static void on_long_work(void *arg)
{
    struct bench *b = arg;
    int64_t until = now(b) + 50;

    while (now(b) < until)
        ;
    b->fired++;
}

static void what_holds_the_loop_up_shows_as_latency(void **state)
{
    struct bench b;
    struct timer held;
    struct hist h;

    (void)state;
    start(&b);
    timer_init(&held, on_timer, &b);
    b.timer.fn = on_long_work;
    wheel_set(b.services->wheel, &b.timer, now(&b) + 20);
    wheel_set(b.services->wheel, &held, now(&b) + 30);
    assert_int_equal(pd_loop_run(b.loop), 0);
    assert_int_equal(b.fired, 2);
    hist_window_sum(pd_loop_latency(b.loop), now(&b), &h);
    assert_int_equal(h.count, 2);
    assert_true(h.max >= 30000);
    hist_window_sum(pd_loop_turns(b.loop), now(&b), &h);
    assert_true(h.max >= 40000);
    stop(&b);
}

static void a_timer_set_by_a_timer_fires_too(void **state)
{
    struct bench b;

    (void)state;
    start(&b);
    for (int i = 1; i <= 3; i++) {
        wheel_set(b.services->wheel, &b.timer, now(&b));
        assert_int_equal(pd_loop_run(b.loop), 0);
        assert_int_equal(b.fired, i);
    }
    stop(&b);
}

static void a_readable_descriptor_is_told(void **state)
{
    struct bench b;

    (void)state;
    start(&b);
    assert_int_equal(write(b.pipe[1], "xy", 2), 2);
    assert_int_equal(pd_loop_run(b.loop), 0);
    assert_int_equal(b.read, 1);
    assert_int_equal(pd_loop_run(b.loop), 0); /* the second byte is still there */
    assert_int_equal(b.read, 2);
    stop(&b);
}

static void on_writable(void *arg)
{
    struct bench *b = arg;

    b->written++;
    pd_loop_stop(b->loop);
}

static void a_writable_descriptor_is_told(void **state)
{
    struct pd_watch *w;
    struct bench b;

    (void)state;
    start(&b);
    w = b.services->watch_write(b.services->loop, b.pipe[1], on_writable, &b);
    assert_non_null(w);
    assert_int_equal(pd_loop_run(b.loop), 0);
    assert_int_equal(pd_loop_run(b.loop), 0);
    b.services->unwatch(w);
    wheel_set(b.services->wheel, &b.timer, now(&b) + 20);
    assert_int_equal(pd_loop_run(b.loop), 0);
    assert_int_equal(b.written, 2);
    assert_int_equal(b.read, 0);
    stop(&b);
}

static void nothing_is_told_after_unwatch(void **state)
{
    struct bench b;

    (void)state;
    start(&b);
    b.services->unwatch(b.watch);
    b.watch = NULL;
    assert_int_equal(write(b.pipe[1], "x", 1), 1);
    wheel_set(b.services->wheel, &b.timer, now(&b) + 20);
    assert_int_equal(pd_loop_run(b.loop), 0);
    assert_int_equal(b.read, 0);
    assert_int_equal(b.fired, 1);
    stop(&b);
}

static void once_waits_no_longer_than_told(void **state)
{
    struct bench b;
    int64_t t;

    (void)state;
    start(&b);
    t = now(&b);
    assert_int_equal(pd_loop_once(b.loop, 20), 0);
    assert_in_range(now(&b) - t, 19, 2000);
    t = now(&b);
    assert_int_equal(pd_loop_once(b.loop, 0), 0);
    assert_in_range(now(&b) - t, 0, 1000);
    stop(&b);
}

/* While nothing is due the process sleeps: waiting takes no processor time. */
static void an_idle_loop_is_silent(void **state)
{
    struct bench b;
    clock_t used;

    (void)state;
    start(&b);
    wheel_set(b.services->wheel, &b.timer, now(&b) + 300);
    used = clock();
    assert_int_equal(pd_loop_run(b.loop), 0);
    assert_in_range(clock() - used, 0, CLOCKS_PER_SEC / 20);
    stop(&b);
}

static void note_time(void *arg)
{
    int64_t *at = arg;

    *at = clock_mono_us(&clock_system);
}

/* Microseconds until the loop sees an event that is there already, while n answers are expected. */
static int64_t until_looked(int n)
{
    struct pd_watch *w;
    int64_t begun, seen;
    struct bench b;

    start(&b);
    w = b.services->watch_write(b.services->loop, b.pipe[1], note_time, &seen);
    note_time(&begun);
    for (int i = 0; i < n; i++)
        b.services->expect(b.services->loop);
    assert_int_equal(pd_loop_once(b.loop, 1000), 0);
    b.services->unwatch(w);
    stop(&b);
    return seen - begun;
}

static void many_answers_have_a_moment_to_gather(void **state)
{
    (void)state;
    assert_true(until_looked(8) >= 250);
}

/* The least of many tries: what is slow on a slow machine is so with few answers and with many. */
enum { TRIES = 20, LEAST_PAUSE_US = 200 };

static int64_t least_until_looked(int n)
{
    int64_t least = INT64_MAX;

    for (int i = 0; i < TRIES; i++) {
        int64_t took = until_looked(n);

        least = took < least ? took : least;
    }
    return least;
}

static void few_answers_are_looked_for_at_once(void **state)
{
    (void)state;
    assert_true(least_until_looked(7) + LEAST_PAUSE_US <= least_until_looked(8));
}

static void answers_are_expected_once(void **state)
{
    struct bench b;
    int64_t best = INT64_MAX;

    (void)state;
    start(&b);
    for (int i = 0; i < 8; i++)
        b.services->expect(b.services->loop);
    assert_int_equal(write(b.pipe[1], "x", 1), 1);
    assert_int_equal(pd_loop_once(b.loop, 1000), 0);
    for (int i = 0; i < TRIES; i++) {
        int64_t begun, ended;

        assert_int_equal(write(b.pipe[1], "x", 1), 1);
        note_time(&begun);
        assert_int_equal(pd_loop_once(b.loop, 1000), 0);
        note_time(&ended);
        best = ended - begun < best ? ended - begun : best;
    }
    assert_true(best + LEAST_PAUSE_US <= least_until_looked(8));
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_on_time),
        cmocka_unit_test(what_holds_the_loop_up_shows_as_latency),
        cmocka_unit_test(a_timer_set_by_a_timer_fires_too),
        cmocka_unit_test(a_readable_descriptor_is_told),
        cmocka_unit_test(a_writable_descriptor_is_told),
        cmocka_unit_test(nothing_is_told_after_unwatch),
        cmocka_unit_test(once_waits_no_longer_than_told),
        cmocka_unit_test(an_idle_loop_is_silent),
        cmocka_unit_test(many_answers_have_a_moment_to_gather),
        cmocka_unit_test(few_answers_are_looked_for_at_once),
        cmocka_unit_test(answers_are_expected_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
