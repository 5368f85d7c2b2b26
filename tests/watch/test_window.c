#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "one_window.h"

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

static bool is_unknown(struct one *w, enum expr_history h, int64_t now_ms)
{
    return one_value(w, h, now_ms).quality == QUALITY_UNKNOWN;
}

/* ---- Means and extremes ---- */

static void a_mean_slides_with_time(void **state)
{
    const struct window_spec s = spec(EXPR_AVG, 15 * MINUTE);
    struct one *w = one_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 60; i++, now += MINUTE)
        one_feed(w, now, value_num(20));
    assert_near(number_of(one_value(w, EXPR_AVG, now)), 20, 1e-9);
    for (int i = 0; i < 16; i++, now += MINUTE) {
        one_feed(w, now, value_num(100));
        assert_near(number_of(one_value(w, EXPR_AVG, now)), 20 + 80 * fmin(i + 1, 15) / 15.0, 6);
    }
    assert_near(number_of(one_value(w, EXPR_AVG, now)), 100, 1e-9);
    one_free(w);
}

static void extremes_are_of_the_window_alone(void **state)
{
    const struct window_spec s = spec(EXPR_MAX, 15 * MINUTE);
    struct one *w = one_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 40; i++, now += MINUTE)
        one_feed(w, now, value_int(i == 10 ? 99 : i == 12 ? -7 : 30 + i));
    assert_near(number_of(one_value(w, EXPR_MAX, now - MINUTE)), 69, 0);
    assert_near(number_of(one_value(w, EXPR_MIN, now - MINUTE)), 54, 1);
    one_free(w);
}

/* ---- How much must be known ---- */

static void half_of_a_window_must_be_covered(void **state)
{
    const struct window_spec s = spec(EXPR_AVG, 16 * MINUTE);
    struct one *w = one_new(&s);
    int64_t now = start_ms;

    (void)state;
    assert_true(windows_value(NULL, NULL, &s, EXPR_AVG, now).quality == QUALITY_UNKNOWN);
    for (int i = 0; i <= 16; i++, now += MINUTE) {
        one_feed(w, now, value_num(5));
        assert_int_equal(is_unknown(w, EXPR_AVG, now), i < 8);
    }
    one_free(w);
}

static void a_window_ends_with_its_last_reading(void **state)
{
    const struct window_spec s = spec(EXPR_AVG, 15 * MINUTE);
    struct one *w = one_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 30; i++, now += MINUTE)
        one_feed(w, now, value_num(5));
    now -= MINUTE;
    assert_false(is_unknown(w, EXPR_AVG, now + 3 * MINUTE));
    assert_true(is_unknown(w, EXPR_AVG, now + 3 * MINUTE + 1));
    one_free(w);
}

static void what_was_missed_is_no_part_of_a_window(void **state)
{
    const struct window_spec s = spec(EXPR_DELTA, 30 * MINUTE);
    struct one *w = one_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 60; i++, now += MINUTE)
        one_feed(w, now, value_int(i));
    now += 5 * HOUR; /* nobody read it, and it rose by a million */
    for (int i = 0; i < 20; i++, now += MINUTE)
        one_feed(w, now, value_int(1000000 + i));
    assert_near(number_of(one_value(w, EXPR_DELTA, now - MINUTE)), 19, 0);
    one_free(w);
}

/* ---- Steps ---- */

static void a_rate_is_by_the_second(void **state)
{
    const struct window_spec s = spec(EXPR_RATE, 15 * MINUTE);
    struct one *w = one_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 30; i++, now += MINUTE)
        one_feed(w, now, value_int(INT64_C(9000000000000000000) + 120 * i));
    assert_near(number_of(one_value(w, EXPR_RATE, now - MINUTE)), 2, 1e-9);
    assert_near(number_of(one_value(w, EXPR_DELTA, now - MINUTE)), 15 * 120, 15);
    one_free(w);
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
        struct one *w;
        int64_t now = start_ms;
        double got;

        s.counter = rows[i].counter;
        w = one_new(&s);
        for (int k = 0; k < 20; k++, now += 2 * MINUTE)
            one_feed(w, now, value_int(k < 10 ? rows[i].before - 9 + k : rows[i].after + k - 10));
        got = number_of(one_value(w, EXPR_DELTA, now - 2 * MINUTE));
        if (fabs(got - rows[i].delta) > 1e-6)
            fail_msg("%s: got %g, wanted %g", rows[i].what, got, rows[i].delta);
        assert_near(number_of(one_value(w, EXPR_RATE, now - 2 * MINUTE)),
                    rows[i].counter ? 1 / 120.0 : rows[i].delta / (19 * 120.0), 1e-9);
        one_free(w);
    }
}

static void no_step_leads_across_a_restart(void **state)
{
    const struct window_spec s = spec(EXPR_DELTA, HOUR);
    struct one *w = one_new(&s);
    int64_t now = start_ms;

    (void)state;
    for (int i = 0; i < 40; i++, now += MINUTE) {
        if (i == 20) /* begun anew, and far above where it was by the next reading */
            window_break(one_window(w));
        one_feed(w, now, value_int(i < 20 ? i : 5000 + i));
    }
    assert_near(number_of(one_value(w, EXPR_DELTA, now - MINUTE)), 19 + 19, 1e-9);
    one_free(w);
}

/* ---- Trends ---- */

static int64_t feed_line(struct one *w, int64_t from, int days, double first, double a_day)
{
    int64_t now = from;

    for (; now < from + days * (int64_t)DAY; now += 10 * MINUTE)
        one_feed(w, now, value_num(floor(first + a_day * (double)(now - from) / DAY)));
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
        struct one *w;
        struct value v;

        s.limit = rows[i].limit;
        w = one_new(&s);
        v = one_value(w, EXPR_DAYS_LEFT, feed_line(w, start_ms, rows[i].days, rows[i].first, rows[i].a_day));
        if ((v.quality == QUALITY_GOOD) != (rows[i].want >= 0) ||
            (rows[i].want >= 0 && fabs(v.num - rows[i].want) > 0.03 * rows[i].want + 0.5))
            fail_msg("%s: quality %d, %g, wanted %g", rows[i].what, v.quality, v.num, rows[i].want);
        one_free(w);
    }
}

static void a_step_is_no_trend(void **state)
{
    const struct window_spec s = {.type = WINDOW_TREND, .length_ms = 7 * (int64_t)DAY, .limit = 100};
    struct one *w = one_new(&s);
    int64_t now;

    (void)state;
    feed_line(w, start_ms, 4, 60, 0);
    now = feed_line(w, start_ms + 4 * (int64_t)DAY, 3, 75, 0); /* somebody copied a film */
    assert_true(is_unknown(w, EXPR_DAYS_LEFT, now));
    one_free(w);
}

static void a_new_cartridge_begins_the_trend_anew(void **state)
{
    const struct window_spec s = {.type = WINDOW_TREND, .length_ms = 14 * (int64_t)DAY};
    struct one *w = one_new(&s);
    int64_t now;

    (void)state;
    now = feed_line(w, start_ms, 14, 90, -6);
    assert_near(number_of(one_value(w, EXPR_DAYS_LEFT, now)), 1, 0.5);
    now = feed_line(w, now + 10 * (int64_t)MINUTE, 4, 100, -6);
    assert_true(is_unknown(w, EXPR_DAYS_LEFT, now));
    now = feed_line(w, now + 10 * (int64_t)MINUTE, 5, 76, -6);
    assert_near(number_of(one_value(w, EXPR_DAYS_LEFT, now)), 7.7, 0.5);
    one_free(w);
}

/* ---- Seen, last, since ---- */

static void seen_lasts_for_its_length(void **state)
{
    const struct window_spec s = {.type = WINDOW_SEEN, .length_ms = 30 * (int64_t)DAY};
    struct one *w = one_new(&s);

    (void)state;
    assert_false(windows_value(NULL, NULL, &s, EXPR_SEEN, start_ms).b);
    one_feed(w, start_ms, value_text("交换机"));
    assert_true(one_value(w, EXPR_SEEN, start_ms + s.length_ms).b);
    assert_false(one_value(w, EXPR_SEEN, start_ms + s.length_ms + 1).b);
    one_free(w);
}

static void last_is_never_forgotten(void **state)
{
    const struct window_spec s = {.type = WINDOW_LAST};
    struct one *w = one_new(&s);

    (void)state;
    assert_int_equal(one_value(w, EXPR_LAST, start_ms).quality, QUALITY_UNKNOWN);
    one_feed(w, start_ms, value_bool(true));
    assert_true(value_same(one_value(w, EXPR_LAST, start_ms + 400 * (int64_t)DAY), value_bool(true)));
    one_free(w);
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
        struct one *w = one_new(&s);
        int64_t now = start_ms;
        struct value v;

        for (int k = 0; k < 40; k++, now += rows[i].every_ms) {
            one_count(w, now, value_int(10 * k), &c);
        }
        v = one_value(w, EXPR_DELTA, now - rows[i].every_ms);
        if (rows[i].delta < 0 ? v.quality != QUALITY_UNKNOWN : !(fabs(v.num - 16 * rows[i].delta) < 11))
            fail_msg("row %zu: %g", i, v.quality == QUALITY_GOOD ? v.num : NAN);
        one_free(w);
    }
}

/* What a counter counts from is kept with the window, across patrold's own restart. */
static void no_step_leads_to_another_count(void **state)
{
    const struct window_spec s = {
        .type = WINDOW_STEPS, .counter = true, .length_ms = 16 * MINUTE, .gap_ms = 3 * MINUTE};
    struct one *w = one_new(&s), *back;
    uint8_t bytes[WINDOW_MAX_BYTES];
    struct wire_out out = wire_out(bytes, sizeof bytes);
    struct wire_in in;
    int64_t now = start_ms;

    (void)state;
    for (int k = 0; k < 20; k++, now += MINUTE) {
        one_count(w, now, value_int(100 + k), &(struct window_counter){.has_origin = true, .origin = 500});
    }
    one_encode(w, now, &out);
    in = wire_in(bytes, wire_used(&out));
    back = one_decode(&s, now, &in);
    assert_non_null(back);
    one_count(back, now, value_int(1000000), &(struct window_counter){.has_origin = true, .origin = 777});
    assert_near(number_of(one_value(back, EXPR_DELTA, now)), 15, 1.1);
    one_count(w, now, value_int(1000000), &(struct window_counter){.has_origin = true, .origin = 500});
    assert_near(number_of(one_value(w, EXPR_DELTA, now)), 1000000, 200);
    one_free(w);
    one_free(back);
}

static void since_counts_from_when_a_condition_began(void **state)
{
    const struct window_spec s = {.type = WINDOW_SINCE};
    struct one *w = one_new(&s);

    (void)state;
    assert_true(window_judge(one_window(w), start_ms, value_bool(true)));
    assert_false(window_judge(one_window(w), start_ms + MINUTE, value_bool(true)));
    assert_near(number_of(one_value(w, EXPR_SINCE, start_ms + 2 * MINUTE)), 120, 0);
    assert_true(
        window_judge(one_window(w), start_ms + 3 * MINUTE, VALUE_UNKNOWN)); /* nobody can say that it still holds */
    assert_near(number_of(one_value(w, EXPR_SINCE, start_ms + 4 * MINUTE)), 0, 0);
    one_free(w);
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
        struct one *w = one_new(&s), *back;
        const int64_t moved = 777777; /* another run's clock */
        uint8_t bytes[WINDOW_MAX_BYTES];
        struct wire_out out = wire_out(bytes, sizeof bytes);
        struct wire_in in;
        int64_t now = start_ms;

        for (int k = 0; k < 400; k++, now += 10 * MINUTE)
            one_feed(w, now, value_num(k));
        one_encode(w, now, &out);
        assert_false(out.bad);
        in = wire_in(bytes, wire_used(&out));
        back = one_decode(&s, now + moved, &in);
        assert_non_null(back);
        assert_int_equal(wire_left(&in), 0);
        for (int k = 0; k < 100; k++, now += 10 * MINUTE) {
            struct value a = one_value(w, asked[i], now), b = one_value(back, asked[i], now + moved);

            if (!value_same(a, b))
                fail_msg("function %zu, step %d: %g and %g", i, k, a.num, b.num);
            one_feed(w, now, value_num(1000 + k));
            one_feed(back, now + moved, value_num(1000 + k));
        }
        one_free(w);
        one_free(back);
    }
}

static void torn_bytes_are_refused(void **state)
{
    const struct window_spec s = spec(EXPR_AVG, DAY);
    struct one *w = one_new(&s);
    uint8_t bytes[WINDOW_MAX_BYTES];
    struct wire_out out = wire_out(bytes, sizeof bytes);

    (void)state;
    for (int i = 0; i < 100; i++)
        one_feed(w, start_ms + i * (int64_t)MINUTE, value_num(i));
    one_encode(w, start_ms + 100 * (int64_t)MINUTE, &out);
    for (size_t n = 0; n < wire_used(&out); n++) {
        struct wire_in in = wire_in(bytes, n);

        assert_null(one_decode(&s, 0, &in));
    }
    one_free(w);
}

/* ---- Many of a device ---- */

enum { MANY = 12 };
static const enum expr_history kinds[] = {EXPR_DELTA, EXPR_RATE, EXPR_MAX, EXPR_AVG, EXPR_DAYS_LEFT};

static struct window_spec spec_of(size_t i)
{
    struct window_spec s = spec(kinds[i % 5], i % 2 ? HOUR : DAY);

    s.counter = s.type == WINDOW_STEPS;
    s.asks = window_asks(kinds[i % 5]);
    return s;
}

static unsigned chance(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16 & 0x7fff;
}

static void feed_both(struct windows *all, struct window_round *r, struct one *alone[MANY], int64_t now, unsigned *seed)
{
    for (uint16_t i = 0; i < MANY; i++) {
        struct window_spec s = spec_of(i);
        unsigned what = chance(seed) % 400;
        struct value v =
            what == 2 ? value_num(5.25) : value_int((now - start_ms) / 60000 * i + (what == 1 ? -70000 : 0));

        if (what == 0) /* it was not read */
            continue;
        windows_feed(all, r, windows_make(all, i, 3, &s), &s, now, v, NULL);
        one_feed(alone[i], now, v);
    }
    windows_end_round(all, r);
}

static void those_of_a_device_tell_what_each_would_alone(void **state)
{
    struct windows all = {0};
    struct window_round r = {0};
    struct one *alone[MANY];
    unsigned seed = 7;
    int64_t now = start_ms;

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        struct window_spec s = spec_of(i);

        alone[i] = one_new(&s);
    }
    for (int k = 0; k < 4000; k++, now += k % 500 == 499 ? HOUR : MINUTE) {
        feed_both(&all, &r, alone, now, &seed);
        if (k % 100 == 0)
            windows_settle(&all);
        for (uint16_t i = 0; i < MANY; i++) {
            struct window_spec s = spec_of(i);
            int64_t then = now + (k % 7 == 0 ? 2 * MINUTE : 0);
            struct value a = windows_value(&all, windows_find(&all, i, 3), &s, kinds[i % 5], then);
            struct value b = one_value(alone[i], kinds[i % 5], then);

            if (!value_same(a, b))
                fail_msg("window %u, reading %d: %g, and alone %g", i, k, a.num, b.num);
        }
    }
    for (size_t i = 0; i < MANY; i++)
        one_free(alone[i]);
    windows_fini(&all);
    window_round_fini(&r);
}

static size_t beats_of(const struct windows *all)
{
    size_t n = 0;

    for (size_t i = 0; i < all->beats.n; i++)
        n += all->beats.v[i] != NULL;
    return n;
}

static void who_missed_a_reading_is_one_of_the_others_again(void **state)
{
    const struct window_spec s = spec(EXPR_DELTA, 32 * MINUTE);
    struct windows all = {0};
    struct window_round r = {0};
    int64_t now = start_ms;

    (void)state;
    for (int k = 0; k < 60; k++, now += MINUTE) {
        for (uint16_t i = 0; i < 8; i++)
            if (k != 10 || i >= 3)
                windows_feed(&all, &r, windows_make(&all, i, 0, &s), &s, now, value_int(k), NULL);
        windows_end_round(&all, &r);
        if (k == 9)
            assert_int_equal(beats_of(&all), 1);
        if (k == 20)
            assert_int_equal(beats_of(&all), 2);
        windows_settle(&all);
    }
    assert_int_equal(beats_of(&all), 1);
    windows_fini(&all);
    window_round_fini(&r);
}

static void what_is_forgotten_takes_nothing_along(void **state)
{
    const struct window_spec s = spec(EXPR_DELTA, 32 * MINUTE);
    struct windows all = {0};
    struct window_round r = {0};
    int64_t now = start_ms;

    (void)state;
    for (int k = 0; k < 40; k++, now += MINUTE) {
        for (uint16_t i = 0; i < 5; i++)
            windows_feed(&all, &r, windows_make(&all, i, 0, &s), &s, now, value_int(k * INT64_C(10) * i), NULL);
        windows_end_round(&all, &r);
        if (k == 35)
            windows_forget(&all, 2);
    }
    for (uint16_t i = 0; i < 5; i++) {
        struct value v = windows_value(&all, windows_find(&all, i, 0), &s, EXPR_DELTA, now - MINUTE);

        if (i == 2)
            assert_int_equal(v.quality, QUALITY_UNKNOWN);
        else
            assert_near(number_of(v), 32 * 10 * i, 20 * i);
    }
    for (uint16_t i = 0; i < 5; i++)
        windows_forget(&all, i);
    assert_int_equal(all.v.n, 0);
    assert_int_equal(all.npieces, 0);
    assert_int_equal(beats_of(&all), 0);
    windows_fini(&all);
    window_round_fini(&r);
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
        cmocka_unit_test(those_of_a_device_tell_what_each_would_alone),
        cmocka_unit_test(who_missed_a_reading_is_one_of_the_others_again),
        cmocka_unit_test(what_is_forgotten_takes_nothing_along),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
