#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/wheel.h"

#define TIMERS 300

struct trace {
    int fired[4096];
    int n;
};

struct probe {
    struct timer timer;
    struct trace *trace;
    int number;
    struct wheel *wheel;
    struct timer *unset; /* by the callback */
    int64_t again;       /* set anew for then by the callback; 0: not */
};

static void on_probe(void *arg)
{
    struct probe *p = arg;

    assert_false(timer_is_set(&p->timer));
    if (p->trace->n < 4096)
        p->trace->fired[p->trace->n] = p->number;
    p->trace->n++;
    if (p->unset)
        wheel_unset(p->wheel, p->unset);
    if (p->again)
        wheel_set(p->wheel, &p->timer, p->again);
}

static void probes_init(struct probe *p, int n, struct wheel *w, struct trace *trace)
{
    for (int i = 0; i < n; i++) {
        p[i] = (struct probe){.trace = trace, .number = i, .wheel = w};
        timer_init(&p[i].timer, on_probe, &p[i]);
    }
}

static void a_timer_fires_at_its_time_and_never_before(void **state)
{
    static const int64_t dues[] = {10, 15, 630, 640, 650, 40950, 40960, 86400000, INT64_C(31536000000)};

    (void)state;
    for (size_t i = 0; i < sizeof dues / sizeof dues[0]; i++) {
        struct trace trace = {.n = 0};
        struct wheel *w = wheel_new(0);
        struct probe p;

        probes_init(&p, 1, w, &trace);
        wheel_set(w, &p.timer, dues[i]);
        wheel_advance(w, dues[i] - 1);
        if (trace.n != 0)
            fail_msg("%lld fired early", (long long)dues[i]);
        wheel_advance(w, (dues[i] + 9) / 10 * 10);
        if (trace.n != 1 || timer_is_set(&p.timer))
            fail_msg("%lld did not fire", (long long)dues[i]);
        wheel_free(w);
    }
}

static void timers_of_one_tick_fire_in_the_order_they_were_set(void **state)
{
    struct trace trace = {.n = 0};
    struct wheel *w = wheel_new(0);
    struct probe p[4];

    (void)state;
    probes_init(p, 4, w, &trace);
    wheel_set(w, &p[2].timer, 99999); /* from far away, through several levels */
    wheel_advance(w, 90000);
    wheel_set(w, &p[0].timer, 100000);
    wheel_advance(w, 99980);
    wheel_set(w, &p[3].timer, 99995);
    wheel_set(w, &p[1].timer, 99991);
    wheel_set(w, &p[0].timer, 99998); /* moved: now the last */
    wheel_advance(w, 100000);
    assert_int_equal(trace.n, 4);
    assert_int_equal(trace.fired[0], 2);
    assert_int_equal(trace.fired[1], 3);
    assert_int_equal(trace.fired[2], 1);
    assert_int_equal(trace.fired[3], 0);
    wheel_free(w);
}

static void earlier_ticks_fire_first_in_one_long_advance(void **state)
{
    struct trace trace = {.n = 0};
    struct wheel *w = wheel_new(0);
    struct probe p[3];

    (void)state;
    probes_init(p, 3, w, &trace);
    wheel_set(w, &p[0].timer, 5000000);
    wheel_set(w, &p[1].timer, 20);
    wheel_set(w, &p[2].timer, 70000);
    wheel_advance(w, 6000000);
    assert_int_equal(trace.n, 3);
    assert_int_equal(trace.fired[0], 1);
    assert_int_equal(trace.fired[1], 2);
    assert_int_equal(trace.fired[2], 0);
    wheel_free(w);
}

static void a_timer_in_the_past_fires_at_the_next_advance(void **state)
{
    struct trace trace = {.n = 0};
    struct wheel *w = wheel_new(1000);
    struct probe p;

    (void)state;
    probes_init(&p, 1, w, &trace);
    wheel_set(w, &p.timer, 500);
    assert_int_equal(trace.n, 0);
    assert_true(wheel_next(w) <= 1000);
    wheel_advance(w, 1000);
    assert_int_equal(trace.n, 1);
    wheel_set(w, &p.timer, -7);
    wheel_advance(w, 1000);
    assert_int_equal(trace.n, 2);
    wheel_free(w);
}

static void a_callback_that_sets_itself_for_now_does_not_hang(void **state)
{
    struct trace trace = {.n = 0};
    struct wheel *w = wheel_new(0);
    struct probe p;

    (void)state;
    probes_init(&p, 1, w, &trace);
    p.again = 100;
    wheel_set(w, &p.timer, 100);
    wheel_advance(w, 100);
    assert_int_equal(trace.n, 1);
    wheel_advance(w, 100);
    assert_int_equal(trace.n, 2);
    wheel_free(w);
}

static void a_callback_may_set_a_timer_within_the_same_advance(void **state)
{
    struct trace trace = {.n = 0};
    struct wheel *w = wheel_new(0);
    struct probe p;

    (void)state;
    probes_init(&p, 1, w, &trace);
    p.again = 50;
    wheel_set(w, &p.timer, 20);
    wheel_advance(w, 90); /* fires at 20 and 50; what it sets then is past */
    assert_int_equal(trace.n, 2);
    assert_true(timer_is_set(&p.timer));
    wheel_free(w);
    assert_false(timer_is_set(&p.timer));
}

static void a_callback_may_unset_the_next_of_its_tick(void **state)
{
    struct trace trace = {.n = 0};
    struct wheel *w = wheel_new(0);
    struct probe p[3];

    (void)state;
    probes_init(p, 3, w, &trace);
    p[0].unset = &p[1].timer;
    for (int i = 0; i < 3; i++)
        wheel_set(w, &p[i].timer, 30);
    wheel_advance(w, 30);
    assert_int_equal(trace.n, 2);
    assert_int_equal(trace.fired[0], 0);
    assert_int_equal(trace.fired[1], 2);
    wheel_free(w);
}

static void an_idle_wheel_asks_for_nothing(void **state)
{
    struct trace trace = {.n = 0};
    struct wheel *w = wheel_new(12345);
    struct probe p[2];

    (void)state;
    assert_int_equal(wheel_next(w), INT64_MAX);
    probes_init(p, 2, w, &trace);
    wheel_set(w, &p[0].timer, 99999999);
    wheel_set(w, &p[1].timer, 99999999);
    wheel_unset(w, &p[0].timer);
    wheel_unset(w, &p[0].timer);
    assert_true(wheel_next(w) <= 99999999 + 9);
    wheel_unset(w, &p[1].timer);
    assert_int_equal(wheel_next(w), INT64_MAX);
    wheel_advance(w, INT64_MAX / 2); /* an age, at no cost */
    wheel_advance(w, INT64_MAX);
    assert_int_equal(trace.n, 0);
    wheel_free(w);
}

static void a_far_timer_wakes_the_loop_few_times(void **state)
{
    struct trace trace = {.n = 0};
    struct wheel *w = wheel_new(777);
    struct probe p;
    int wakes = 0;

    (void)state;
    probes_init(&p, 1, w, &trace);
    wheel_set(w, &p.timer, INT64_C(2592000000)); /* thirty days */
    for (; trace.n == 0; wakes++) {
        int64_t next = wheel_next(w);

        assert_true(next <= INT64_C(2592000000));
        wheel_advance(w, next);
    }
    assert_in_range(wakes, 1, 10); /* one for each level at most */
    wheel_free(w);
}

static void the_end_of_time_can_be_set(void **state)
{
    struct trace trace = {.n = 0};
    struct wheel *w = wheel_new(0);
    struct probe p;

    (void)state;
    probes_init(&p, 1, w, &trace);
    wheel_set(w, &p.timer, INT64_MAX);
    assert_true(wheel_next(w) > 0);
    wheel_advance(w, INT64_C(1) << 60);
    assert_int_equal(trace.n, 0);
    wheel_unset(w, &p.timer);
    assert_int_equal(wheel_next(w), INT64_MAX);
    wheel_free(w);
}

/* The naive model: every timer's tick and turn; an advance picks the least, again and again. */
struct naive {
    struct {
        bool set;
        int64_t tick;
        uint64_t turn;
    } t[TIMERS];
    int64_t now_tick;
    uint64_t turns;
};

static void naive_set(struct naive *m, int i, int64_t due_ms)
{
    int64_t tick = due_ms > 0 ? (due_ms + 9) / 10 : 0;

    /* What is late is one: it fires first, in the order it was set. */
    m->t[i].tick = tick <= m->now_tick ? m->now_tick : tick;
    m->t[i].turn = ++m->turns;
    m->t[i].set = true;
}

static int naive_earliest(const struct naive *m)
{
    int least = -1;

    for (int i = 0; i < TIMERS; i++) {
        if (!m->t[i].set)
            continue;
        if (least < 0 || m->t[i].tick < m->t[least].tick ||
            (m->t[i].tick == m->t[least].tick && m->t[i].turn < m->t[least].turn))
            least = i;
    }
    return least;
}

static void naive_advance(struct naive *m, int64_t now_ms, struct trace *trace)
{
    int64_t target = now_ms / 10;
    int i;

    while ((i = naive_earliest(m)) >= 0 && m->t[i].tick <= target) {
        m->t[i].set = false;
        trace->fired[trace->n++] = i;
    }
    if (target > m->now_tick)
        m->now_tick = target;
}

static int64_t random_span(const struct pd_rng *rng)
{
    return (int64_t)(rng_u64(rng) >> (24 + rng_below(rng, 40))); /* from nothing to 35 years, all lengths alike */
}

static void random_operations_agree_with_the_naive_model(void **state)
{
    static struct probe p[TIMERS];
    static struct trace trace, expected;
    static struct naive m;
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);
    int64_t now = 5005;
    struct wheel *w = wheel_new(now);

    (void)state;
    rng_seed(&seeded, 1);
    m.now_tick = now / 10;
    probes_init(p, TIMERS, w, &trace);
    for (int step = 0; step < 30000; step++) {
        int i = (int)rng_below(&rng, TIMERS), least;
        unsigned what = (unsigned)rng_below(&rng, 10);

        if (what < 6) {
            int64_t due = now - 50 + random_span(&rng);

            wheel_set(w, &p[i].timer, due);
            naive_set(&m, i, due);
        } else if (what < 8) {
            wheel_unset(w, &p[i].timer);
            m.t[i].set = false;
        } else {
            int64_t next = wheel_next(w);

            now = what == 8 && next != INT64_MAX && next > now ? next : now + random_span(&rng) / 64;
            trace.n = expected.n = 0;
            wheel_advance(w, now);
            naive_advance(&m, now, &expected);
            if (trace.n != expected.n || memcmp(trace.fired, expected.fired, (size_t)trace.n * sizeof(int)) != 0)
                fail_msg("step %d: %d fired, expected %d, or in another order", step, trace.n, expected.n);
        }
        least = naive_earliest(&m);
        if (least < 0 ? wheel_next(w) != INT64_MAX : wheel_next(w) > m.t[least].tick * 10)
            fail_msg("step %d: asks for %lld, too late", step, (long long)wheel_next(w));
    }
    wheel_free(w);
}

struct load {
    struct timer timer;
    struct wheel *wheel;
    int64_t period, due;
    unsigned fired;
};

static void on_load(void *arg)
{
    struct load *l = arg;

    l->fired++;
    l->due += l->period;
    wheel_set(l->wheel, &l->timer, l->due);
}

/* As the schedule of a large site: 20,000 devices polled each minute for an hour, a tick at a time. */
static void twenty_thousand_schedules_are_cheap(void **state)
{
    enum { N = 20000 };
    struct load *l = calloc(N, sizeof *l);
    struct wheel *w = wheel_new(0);
    int64_t begun = clock_mono(&clock_system), took;

    (void)state;
    assert_non_null(l);
    for (int i = 0; i < N; i++) {
        l[i] = (struct load){.wheel = w, .period = 60000, .due = i * 3};
        timer_init(&l[i].timer, on_load, &l[i]);
        wheel_set(w, &l[i].timer, l[i].due);
    }
    for (int64_t now = 0; now <= 3600000; now += 10)
        wheel_advance(w, now);
    took = clock_mono(&clock_system) - begun;
    for (int i = 0; i < N; i++)
        assert_in_range(l[i].fired, 60, 61);
    print_message("1.2 million firings in %lld ms\n", (long long)took);
    assert_true(took < 20000); /* some 20 ms by itself; a sanitizer or valgrind may be under it */
    wheel_free(w);
    free(l);
}

static void note_tick(void *arg, int64_t due_ms)
{
    struct trace *seen = arg;

    seen->fired[seen->n++] = (int)due_ms;
}

static void an_observer_hears_the_tick_of_each_timer_that_was_set_ahead(void **state)
{
    struct trace trace = {.n = 0}, seen = {.n = 0};
    struct wheel *w = wheel_new(1000);
    struct probe p[4];

    (void)state;
    probes_init(p, 4, w, &trace);
    wheel_observe(w, note_tick, &seen);
    wheel_set(w, &p[0].timer, 900); /* past: nobody can be late for it */
    wheel_set(w, &p[1].timer, 1011);
    wheel_set(w, &p[2].timer, 9000);
    wheel_set(w, &p[3].timer, 1020);
    wheel_advance(w, 10000);
    assert_int_equal(trace.n, 4);
    assert_int_equal(seen.n, 3);
    assert_int_equal(seen.fired[0], 1020);
    assert_int_equal(seen.fired[1], 1020);
    assert_int_equal(seen.fired[2], 9000);
    wheel_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_fires_at_its_time_and_never_before),
        cmocka_unit_test(timers_of_one_tick_fire_in_the_order_they_were_set),
        cmocka_unit_test(earlier_ticks_fire_first_in_one_long_advance),
        cmocka_unit_test(a_timer_in_the_past_fires_at_the_next_advance),
        cmocka_unit_test(a_callback_that_sets_itself_for_now_does_not_hang),
        cmocka_unit_test(a_callback_may_set_a_timer_within_the_same_advance),
        cmocka_unit_test(a_callback_may_unset_the_next_of_its_tick),
        cmocka_unit_test(an_idle_wheel_asks_for_nothing),
        cmocka_unit_test(a_far_timer_wakes_the_loop_few_times),
        cmocka_unit_test(the_end_of_time_can_be_set),
        cmocka_unit_test(random_operations_agree_with_the_naive_model),
        cmocka_unit_test(an_observer_hears_the_tick_of_each_timer_that_was_set_ahead),
        cmocka_unit_test(twenty_thousand_schedules_are_cheap),
    };

    return cmocka_run_group_tests_name("base/wheel", tests, NULL, NULL);
}
