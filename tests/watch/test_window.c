#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "watch/window.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const int64_t start_ms = INT64_C(-5000000); /* the monotonic clock of a stored poll may lie before its zero */

static struct window_spec spec(enum expr_history h, int64_t length_ms)
{
    return (struct window_spec){.type = window_type_of(h), .length_ms = length_ms, .gap_ms = 3 * MINUTE};
}

static double number_of(struct value v)
{
    assert_int_equal(v.quality, QUALITY_GOOD);
    assert_int_equal(v.type, VALUE_NUM);
    return v.num;
}

static void assert_near(double got, double want, double slack)
{
    if (!(fabs(got - want) <= slack))
        fail_msg("got %g, wanted %g", got, want);
}

static bool is_unknown(struct window *w, const struct window_spec *s, enum expr_history h, int64_t now_ms)
{
    return window_value(w, s, h, now_ms).quality == QUALITY_UNKNOWN;
}

/* ---- Means and extremes ---- */

static void a_mean_slides_with_time(void **state)
{
    const struct window_spec s = spec(EXPR_AVG, 15 * MINUTE);
    struct window *w = window_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 60; i++, now += MINUTE)
        window_feed(w, &s, now, value_num(20));
    assert_near(number_of(window_value(w, &s, EXPR_AVG, now)), 20, 1e-9);
    for (int i = 0; i < 16; i++, now += MINUTE) {
        window_feed(w, &s, now, value_num(100));
        assert_near(number_of(window_value(w, &s, EXPR_AVG, now)), 20 + 80 * fmin(i + 1, 15) / 15.0, 6);
    }
    assert_near(number_of(window_value(w, &s, EXPR_AVG, now)), 100, 1e-9);
    window_free(w);
}

static void extremes_are_of_the_window_alone(void **state)
{
    const struct window_spec s = spec(EXPR_MAX, 15 * MINUTE);
    struct window *w = window_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 40; i++, now += MINUTE)
        window_feed(w, &s, now, value_int(i == 10 ? 99 : i == 12 ? -7 : 30 + i));
    assert_near(number_of(window_value(w, &s, EXPR_MAX, now - MINUTE)), 69, 0);
    assert_near(number_of(window_value(w, &s, EXPR_MIN, now - MINUTE)), 54, 1);
    window_free(w);
}

/* ---- How much must be known ---- */

static void half_of_a_window_must_be_covered(void **state)
{
    const struct window_spec s = spec(EXPR_AVG, 16 * MINUTE);
    struct window *w = window_new(&s);
    int64_t now = start_ms;

    (void)state;
    assert_true(is_unknown(NULL, &s, EXPR_AVG, now));
    for (int i = 0; i <= 16; i++, now += MINUTE) {
        window_feed(w, &s, now, value_num(5));
        assert_int_equal(is_unknown(w, &s, EXPR_AVG, now), i < 8);
    }
    window_free(w);
}

static void a_window_ends_with_its_last_reading(void **state)
{
    const struct window_spec s = spec(EXPR_AVG, 15 * MINUTE);
    struct window *w = window_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 30; i++, now += MINUTE)
        window_feed(w, &s, now, value_num(5));
    now -= MINUTE;
    assert_false(is_unknown(w, &s, EXPR_AVG, now + 3 * MINUTE));
    assert_true(is_unknown(w, &s, EXPR_AVG, now + 3 * MINUTE + 1));
    window_free(w);
}

static void what_was_missed_is_no_part_of_a_window(void **state)
{
    const struct window_spec s = spec(EXPR_DELTA, 30 * MINUTE);
    struct window *w = window_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 60; i++, now += MINUTE)
        window_feed(w, &s, now, value_int(i));
    now += 5 * HOUR; /* nobody read it, and it rose by a million */
    for (int i = 0; i < 20; i++, now += MINUTE)
        window_feed(w, &s, now, value_int(1000000 + i));
    assert_near(number_of(window_value(w, &s, EXPR_DELTA, now - MINUTE)), 19, 0);
    window_free(w);
}

/* ---- Steps ---- */

static void a_rate_is_by_the_second(void **state)
{
    const struct window_spec s = spec(EXPR_RATE, 15 * MINUTE);
    struct window *w = window_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 30; i++, now += MINUTE)
        window_feed(w, &s, now, value_int(INT64_C(9000000000000000000) + 120 * i));
    assert_near(number_of(window_value(w, &s, EXPR_RATE, now - MINUTE)), 2, 1e-9);
    assert_near(number_of(window_value(w, &s, EXPR_DELTA, now - MINUTE)), 15 * 120, 15);
    window_free(w);
}

static void a_counter_that_falls_makes_no_step(void **state)
{
    static const struct {
        const char *what;
        bool counter;
        int64_t before, after;
        double delta;
    } rows[] = {
        {"a reset", true, 1000000, 0, 18},
        {"a wrap of 32 bits", true, INT64_C(4294967290), 3, 18},
        {"a gauge may fall", false, 1000, 400, -600 + 18},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct window_spec s = spec(EXPR_DELTA, HOUR);
        struct window *w;
        int64_t now = start_ms;
        double got;

        s.counter = rows[i].counter;
        w = window_new(&s);
        for (int k = 0; k < 20; k++, now += 2 * MINUTE)
            window_feed(w, &s, now, value_int(k < 10 ? rows[i].before - 9 + k : rows[i].after + k - 10));
        got = number_of(window_value(w, &s, EXPR_DELTA, now - 2 * MINUTE));
        if (fabs(got - rows[i].delta) > 1e-6)
            fail_msg("%s: got %g, wanted %g", rows[i].what, got, rows[i].delta);
        assert_near(number_of(window_value(w, &s, EXPR_RATE, now - 2 * MINUTE)),
                    rows[i].counter ? 1 / 120.0 : rows[i].delta / (19 * 120.0), 1e-9);
        window_free(w);
    }
}

static void no_step_leads_across_a_restart(void **state)
{
    const struct window_spec s = spec(EXPR_DELTA, HOUR);
    struct window *w = window_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 40; i++, now += MINUTE) {
        if (i == 20) /* begun anew, and far above where it was by the next reading */
            window_break(w);
        window_feed(w, &s, now, value_int(i < 20 ? i : 5000 + i));
    }
    assert_near(number_of(window_value(w, &s, EXPR_DELTA, now - MINUTE)), 19 + 19, 1e-9);
    window_free(w);
}

/* ---- Trends ---- */

static int64_t feed_line(struct window *w, const struct window_spec *s, int64_t from, int days, double first,
                         double a_day)
{
    int64_t now = from;

    for (; now < from + days * (int64_t)DAY; now += 10 * MINUTE)
        window_feed(w, s, now, value_num(floor(first + a_day * (double)(now - from) / DAY)));
    return now - 10 * MINUTE;
}

static void days_left_by_a_straight_line(void **state)
{
    static const struct {
        const char *what;
        int days;
        double first, a_day, limit, want; /* want < 0: unknown */
    } rows[] = {
        {"toner over a month", 30, 100, -2, 0, 20},
        {"toner that lasts", 30, 100, -0.5, 0, 170},
        {"a disk", 14, 40, 2, 100, 16},
        {"to a limit below", 14, 100, -3, 10, 16},
        {"away from the limit", 14, 40, 2, 0, -1},
        {"nothing happens", 14, 40, 0, 0, -1},
        {"too little history", 3, 100, -5, 0, -1},
        {"half of it is enough", 8, 100, -5, 0, 12},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct window_spec s = spec(EXPR_DAYS_LEFT, 14 * (int64_t)DAY);
        struct window *w;
        struct value v;

        s.limit = rows[i].limit;
        w = window_new(&s);
        v = window_value(w, &s, EXPR_DAYS_LEFT, feed_line(w, &s, start_ms, rows[i].days, rows[i].first, rows[i].a_day));
        if ((v.quality == QUALITY_GOOD) != (rows[i].want >= 0) ||
            (rows[i].want >= 0 && fabs(v.num - rows[i].want) > 0.03 * rows[i].want + 0.5))
            fail_msg("%s: quality %d, %g, wanted %g", rows[i].what, v.quality, v.num, rows[i].want);
        window_free(w);
    }
}

static void a_step_is_no_trend(void **state)
{
    const struct window_spec s = {.type = WINDOW_TREND, .length_ms = 7 * (int64_t)DAY, .limit = 100};
    struct window *w = window_new(&s);
    int64_t now;

    (void)state;
    feed_line(w, &s, start_ms, 4, 60, 0);
    now = feed_line(w, &s, start_ms + 4 * (int64_t)DAY, 3, 75, 0); /* somebody copied a film */
    assert_true(is_unknown(w, &s, EXPR_DAYS_LEFT, now));
    window_free(w);
}

static void a_new_cartridge_begins_the_trend_anew(void **state)
{
    const struct window_spec s = {.type = WINDOW_TREND, .length_ms = 14 * (int64_t)DAY};
    struct window *w = window_new(&s);
    int64_t now;

    (void)state;
    now = feed_line(w, &s, start_ms, 14, 90, -6);
    assert_near(number_of(window_value(w, &s, EXPR_DAYS_LEFT, now)), 1, 0.5);
    now = feed_line(w, &s, now + 10 * (int64_t)MINUTE, 4, 100, -6);
    assert_true(is_unknown(w, &s, EXPR_DAYS_LEFT, now));
    now = feed_line(w, &s, now + 10 * (int64_t)MINUTE, 5, 76, -6);
    assert_near(number_of(window_value(w, &s, EXPR_DAYS_LEFT, now)), 7.7, 0.5);
    window_free(w);
}

/* ---- Seen, last, since ---- */

static void seen_lasts_for_its_length(void **state)
{
    const struct window_spec s = {.type = WINDOW_SEEN, .length_ms = 30 * (int64_t)DAY};
    struct window *w = window_new(&s);

    (void)state;
    assert_false(window_value(NULL, &s, EXPR_SEEN, start_ms).b);
    window_feed(w, &s, start_ms, value_text("交换机"));
    assert_true(window_value(w, &s, EXPR_SEEN, start_ms + s.length_ms).b);
    assert_false(window_value(w, &s, EXPR_SEEN, start_ms + s.length_ms + 1).b);
    window_free(w);
}

static void last_is_never_forgotten(void **state)
{
    const struct window_spec s = {.type = WINDOW_LAST};
    struct window *w = window_new(&s);

    (void)state;
    assert_int_equal(window_value(w, &s, EXPR_LAST, start_ms).quality, QUALITY_UNKNOWN);
    window_feed(w, &s, start_ms, value_bool(true));
    assert_true(value_same(window_value(w, &s, EXPR_LAST, start_ms + 400 * (int64_t)DAY), value_bool(true)));
    window_free(w);
}

static void a_counter_that_could_have_gone_round_makes_no_step(void **state)
{
    static const struct {
        double a_second;
        int64_t every_ms;
        double delta; /* per reading; below 0: nobody knows */
    } rows[] = {
        {0, MINUTE, 10},              /* 64 bits */
        {125000000, 34 * SECOND, 10}, /* 1 Gbit/s of octets: 34.36 s */
        {125000000, 35 * SECOND, -1},
        {1488095, 45 * MINUTE, 10}, /* its packets: 48 min */
        {INFINITY, SECOND, -1},     /* nobody knows how fast */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct window_spec s = {
            .type = WINDOW_STEPS, .counter = true, .length_ms = 16 * rows[i].every_ms, .gap_ms = 3 * rows[i].every_ms};
        const struct window_counter c = {.a_second = rows[i].a_second};
        struct window *w = window_new(&s);
        int64_t now = start_ms;
        struct value v;

        for (int k = 0; k < 40; k++, now += rows[i].every_ms) {
            window_counter(w, now, &c);
            window_feed(w, &s, now, value_int(10 * k));
        }
        v = window_value(w, &s, EXPR_DELTA, now - rows[i].every_ms);
        if (rows[i].delta < 0 ? v.quality != QUALITY_UNKNOWN : !(fabs(v.num - 16 * rows[i].delta) < 11))
            fail_msg("row %zu: %g", i, v.quality == QUALITY_GOOD ? v.num : NAN);
        window_free(w);
    }
}

/* What a counter counts from is kept with the window, across patrold's own restart. */
static void no_step_leads_to_another_count(void **state)
{
    const struct window_spec s = {
        .type = WINDOW_STEPS, .counter = true, .length_ms = 16 * MINUTE, .gap_ms = 3 * MINUTE};
    struct window *w = window_new(&s), *back;
    uint8_t bytes[WINDOW_MAX_BYTES];
    struct wire_out out = wire_out(bytes, sizeof bytes);
    struct wire_in in;
    int64_t now = start_ms;

    (void)state;
    for (int k = 0; k < 20; k++, now += MINUTE) {
        window_counter(w, now, &(struct window_counter){.has_origin = true, .origin = 500});
        window_feed(w, &s, now, value_int(100 + k));
    }
    window_encode(w, &s, now, &out);
    in = wire_in(bytes, wire_used(&out));
    back = window_decode(&s, now, &in);
    assert_non_null(back);
    window_counter(back, now, &(struct window_counter){.has_origin = true, .origin = 777});
    window_feed(back, &s, now, value_int(1000000));
    assert_near(number_of(window_value(back, &s, EXPR_DELTA, now)), 15, 1.1);
    window_counter(w, now, &(struct window_counter){.has_origin = true, .origin = 500});
    window_feed(w, &s, now, value_int(1000000));
    assert_near(number_of(window_value(w, &s, EXPR_DELTA, now)), 1000000, 200);
    window_free(w);
    window_free(back);
}

static void since_counts_from_when_a_condition_began(void **state)
{
    const struct window_spec s = {.type = WINDOW_SINCE};
    struct window *w = window_new(&s);

    (void)state;
    assert_true(window_judge(w, start_ms, value_bool(true)));
    assert_false(window_judge(w, start_ms + MINUTE, value_bool(true)));
    assert_near(number_of(window_value(w, &s, EXPR_SINCE, start_ms + 2 * MINUTE)), 120, 0);
    assert_true(window_judge(w, start_ms + 3 * MINUTE, VALUE_UNKNOWN)); /* nobody can say that it still holds */
    assert_near(number_of(window_value(w, &s, EXPR_SINCE, start_ms + 4 * MINUTE)), 0, 0);
    window_free(w);
}

/* ---- As bytes ---- */

static void every_window_comes_back_as_it_was(void **state)
{
    static const enum expr_history asked[] = {EXPR_AVG,  EXPR_MIN,  EXPR_DELTA,    EXPR_RATE,
                                              EXPR_SEEN, EXPR_LAST, EXPR_DAYS_LEFT};

    (void)state;
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        const struct window_spec s = {.type = window_type_of(asked[i]),
                                      .length_ms = asked[i] == EXPR_LAST ? 0 : 2 * DAY,
                                      .counter = true,
                                      .gap_ms = HOUR};
        struct window *w = window_new(&s), *back;
        const int64_t moved = 777777; /* another run's clock */
        uint8_t bytes[WINDOW_MAX_BYTES];
        struct wire_out out = wire_out(bytes, sizeof bytes);
        struct wire_in in;
        int64_t now = start_ms;

        for (int k = 0; k < 400; k++, now += 10 * MINUTE)
            window_feed(w, &s, now, value_num(k));
        window_encode(w, &s, now, &out);
        assert_false(out.bad);
        in = wire_in(bytes, wire_used(&out));
        back = window_decode(&s, now + moved, &in);
        assert_non_null(back);
        assert_int_equal(wire_left(&in), 0);
        for (int k = 0; k < 100; k++, now += 10 * MINUTE) {
            struct value a = window_value(w, &s, asked[i], now), b = window_value(back, &s, asked[i], now + moved);

            if (!value_same(a, b))
                fail_msg("function %zu, step %d: %g and %g", i, k, a.num, b.num);
            window_feed(w, &s, now, value_num(1000 + k));
            window_feed(back, &s, now + moved, value_num(1000 + k));
        }
        window_free(w);
        window_free(back);
    }
}

static void torn_bytes_are_refused(void **state)
{
    const struct window_spec s = spec(EXPR_AVG, DAY);
    struct window *w = window_new(&s);
    uint8_t bytes[WINDOW_MAX_BYTES];
    struct wire_out out = wire_out(bytes, sizeof bytes);

    (void)state;
    for (int i = 0; i < 100; i++)
        window_feed(w, &s, start_ms + i * (int64_t)MINUTE, value_num(i));
    window_encode(w, &s, start_ms + 100 * (int64_t)MINUTE, &out);
    for (size_t n = 0; n < wire_used(&out); n++) {
        struct wire_in in = wire_in(bytes, n);

        assert_null(window_decode(&s, 0, &in));
    }
    window_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mean_slides_with_time),
        cmocka_unit_test(extremes_are_of_the_window_alone),
        cmocka_unit_test(half_of_a_window_must_be_covered),
        cmocka_unit_test(a_window_ends_with_its_last_reading),
        cmocka_unit_test(what_was_missed_is_no_part_of_a_window),
        cmocka_unit_test(a_rate_is_by_the_second),
        cmocka_unit_test(a_counter_that_falls_makes_no_step),
        cmocka_unit_test(no_step_leads_across_a_restart),
        cmocka_unit_test(a_counter_that_could_have_gone_round_makes_no_step),
        cmocka_unit_test(no_step_leads_to_another_count),
        cmocka_unit_test(days_left_by_a_straight_line),
        cmocka_unit_test(a_step_is_no_trend),
        cmocka_unit_test(a_new_cartridge_begins_the_trend_anew),
        cmocka_unit_test(seen_lasts_for_its_length),
        cmocka_unit_test(last_is_never_forgotten),
        cmocka_unit_test(since_counts_from_when_a_condition_began),
        cmocka_unit_test(every_window_comes_back_as_it_was),
        cmocka_unit_test(torn_bytes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
