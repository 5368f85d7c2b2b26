#include "tests/store/fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/zone.h"

enum { DEVICE = 7, ME = 1, TONER = 4, PAGES = 5, SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* A poll as the test remembers it; NAN: not told. */
struct a_poll {
    int64_t at_ms;
    bool up;
    double level, pages;
};

struct month_test {
    struct fixture *f;
    struct month_args args;
    ARRAY(struct a_poll) polls;
    bool done;
    int err;
    struct month month;
    struct month_trend trends[2];
};

static void take_month(void *arg, int err, const struct month *m)
{
    struct month_test *t = arg;

    t->done = true;
    t->err = err;
    if (!m)
        return;
    t->month = *m;
    memcpy(t->trends, m->trends, sizeof t->trends);
}

/* Days of an hour: the reference looks at each second. */
static struct month_test begin(void **state, unsigned days)
{
    struct month_test t = {.f = *state};
    const int64_t month = INT64_C(1788192000000); /* 2026-09-01, UTC */

    fixture_open(t.f);
    t.args.device_id = DEVICE;
    t.args.days = days;
    for (unsigned i = 0; i <= days; i++)
        t.args.day_ms[i] = month + (int64_t)i * HOUR;
    t.args.until_ms = INT64_MAX / 2;
    t.args.speaks_ms = 3 * MINUTE;
    t.args.lookback_ms = HOUR;
    t.args.reachable = (struct month_series){.component = ME, .point = 3};
    return t;
}

static void put(struct month_test *t, int64_t at_ms, bool up, double level, double pages)
{
    struct reading r[3] = {{.component = ME, .point = 3, .value = value_bool(up)}};
    size_t n = 1;

    if (!isnan(level))
        r[n++] = (struct reading){.component = TONER, .point = 0, .value = value_num(level)};
    if (!isnan(pages))
        r[n++] = (struct reading){.component = PAGES, .point = 0, .value = value_int((int64_t)pages)};
    fixture_put_poll(t->f, DEVICE, at_ms, r, n);
    array_push(&t->polls, ((struct a_poll){at_ms, up, level, pages}));
    if (t->polls.n % 1000 == 0)
        fixture_pass(t->f, 200);
}

static void ask(struct month_test *t)
{
    struct month_args args = t->args;

    fixture_pass(t->f, 2 * SECOND);
    array_push(&args.series, ((struct month_series){TONER, 0, SERIES_LEVEL}));
    array_push(&args.series, ((struct month_series){PAGES, 0, SERIES_COUNTER}));
    store_month(t->f->store, &args, take_month, t);
    for (int i = 0; i < 1000 && !t->done; i++)
        fixture_pass(t->f, 10);
    assert_true(t->done);
    assert_int_equal(t->err, 0);
}

static void end(struct month_test *t)
{
    array_free(&t->polls);
    fixture_close(t->f);
}

/* ---- The plain reference: what was seen at each second ---- */

enum { NOTHING, UP, DOWN };

static int seen_at(const struct month_test *t, int64_t ms)
{
    const struct a_poll *before = NULL, *after = NULL;

    for (size_t i = 0; i < t->polls.n; i++) {
        if (t->polls.v[i].at_ms > t->args.until_ms)
            continue;
        if (t->polls.v[i].at_ms <= ms)
            before = &t->polls.v[i];
        else if (!after)
            after = &t->polls.v[i];
    }
    if (!before || (after ? after->at_ms : t->args.until_ms) - before->at_ms > t->args.speaks_ms)
        return NOTHING;
    return before->up ? UP : DOWN;
}

static void expect_as_seen(const struct month_test *t)
{
    const struct month_args *a = &t->args;
    int64_t outages = 0, longest = 0, this_one = 0;
    bool out = false;

    for (unsigned d = 0; d < a->days; d++) {
        struct month_day want = {0};

        for (int64_t ms = a->day_ms[d]; ms < a->day_ms[d + 1]; ms += SECOND) {
            int seen = seen_at(t, ms);

            if (ms < a->since_ms || ms >= a->until_ms)
                continue;
            want.up_ms += seen == UP ? SECOND : 0;
            want.down_ms += seen == DOWN ? SECOND : 0;
            want.gap_ms += seen == NOTHING ? SECOND : 0;
            if (seen == DOWN && !out) {
                outages++;
                this_one = 0;
            }
            out = seen == NOTHING ? out : seen == DOWN;
            this_one += seen == DOWN ? SECOND : 0;
            longest = this_one > longest ? this_one : longest;
        }
        if (t->month.day[d].up_ms != want.up_ms || t->month.day[d].down_ms != want.down_ms ||
            t->month.day[d].gap_ms != want.gap_ms)
            fail_msg("day %u: up %lld down %lld gap %lld, wanted %lld %lld %lld", d, (long long)t->month.day[d].up_ms,
                     (long long)t->month.day[d].down_ms, (long long)t->month.day[d].gap_ms, (long long)want.up_ms,
                     (long long)want.down_ms, (long long)want.gap_ms);
    }
    assert_int_equal(t->month.outages, outages);
    assert_int_equal(t->month.longest_ms, longest);
}

/* ---- Tests ---- */

static void random_months_are_as_a_plain_count_says(void **state)
{
    struct rng_seeded seeded = {0};
    struct pd_rng rng;

    rng_seed(&seeded, 20260901);
    rng = rng_seeded_ops(&seeded);
    for (int round = 0; round < 12; round++) {
        struct month_test t = begin(state, 5);
        int64_t at = t.args.day_ms[0] - 40 * MINUTE, end_of_polls = t.args.day_ms[5] + 10 * MINUTE;
        bool up = true;

        if (round % 3 == 1)
            t.args.since_ms = t.args.day_ms[1] + 17 * SECOND;
        if (round % 4 == 2)
            t.args.until_ms = t.args.day_ms[4] + 13 * MINUTE;
        while (at < end_of_polls) {
            put(&t, at, up, NAN, NAN);
            if (rng_below(&rng, 12) == 0)
                up = !up;
            at += rng_below(&rng, 25) == 0 ? (int64_t)rng_below(&rng, 3000) * SECOND
                                           : (int64_t)(30 + rng_below(&rng, 60)) * SECOND;
        }
        t.args.device_id = DEVICE;
        ask(&t);
        expect_as_seen(&t);
        end(&t);
        fixture_teardown(state);
        fixture_in_memory(state);
    }
}

static void a_month_without_a_poll_is_all_gap_and_knows_no_values(void **state)
{
    struct month_test t = begin(state, 3);

    ask(&t);
    assert_int_equal(t.month.sum.gap_ms, 3 * HOUR);
    assert_int_equal(t.month.sum.up_ms + t.month.sum.down_ms, 0);
    assert_int_equal(t.month.outages, 0);
    assert_false(t.trends[0].known);
    assert_false(t.trends[1].known);
    end(&t);
}

static void an_outage_over_the_months_end_counts_in_both_months(void **state)
{
    struct month_test t = begin(state, 2);

    for (int64_t at = t.args.day_ms[0] - 30 * MINUTE; at < t.args.day_ms[2] + 30 * MINUTE; at += MINUTE)
        put(&t, at, at >= t.args.day_ms[0] + 5 * MINUTE && at < t.args.day_ms[2] - 7 * MINUTE, NAN, NAN);
    ask(&t);
    assert_int_equal(t.month.outages, 2);
    assert_int_equal(t.month.longest_ms, 7 * MINUTE);
    assert_int_equal(t.month.sum.down_ms, 12 * MINUTE);
    assert_int_equal(t.month.sum.gap_ms, 0);
    end(&t);
}

static void days_are_those_of_the_zone_also_where_clocks_change(void **state)
{
    struct month_test t = begin(state, 1);
    struct zone *berlin;
    int64_t first = date_to_day(2026, 10, 1);

    assert_int_equal(zone_open("Europe/Berlin", &berlin), 0);
    t.args.days = 31;
    for (unsigned i = 0; i <= 31; i++)
        t.args.day_ms[i] = zone_wall_ms(berlin, (first + i) * (int64_t)DATE_DAY_MS);
    for (int64_t at = t.args.day_ms[23]; at <= t.args.day_ms[26]; at += 2 * MINUTE)
        put(&t, at, true, NAN, NAN);
    ask(&t);
    assert_int_equal(t.month.day[23].up_ms, 24 * HOUR);
    assert_int_equal(t.month.day[24].up_ms, 25 * HOUR); /* 25 October: clocks are set back */
    assert_int_equal(t.month.day[25].up_ms, 24 * HOUR);
    assert_int_equal(t.month.day[22].gap_ms, 24 * HOUR);
    zone_free(berlin);
    end(&t);
}

static void levels_tell_where_they_began_and_when_they_were_filled(void **state)
{
    struct month_test t = begin(state, 1);
    static const double levels[] = {41, 40, 40.5, 39, 100, 99, 98, 12, 97};

    t.args.days = 10;
    for (unsigned i = 0; i <= 10; i++)
        t.args.day_ms[i] = t.args.day_ms[0] + i * (int64_t)DATE_DAY_MS;
    put(&t, t.args.day_ms[0] - 50 * MINUTE, true, 43, NAN);
    put(&t, t.args.day_ms[0] - 20 * MINUTE, true, 42, NAN);
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        put(&t, t.args.day_ms[i] + MINUTE, true, levels[i], NAN);
    ask(&t);
    assert_true(t.trends[0].known);
    assert_true(t.trends[0].first == 42);
    assert_true(t.trends[0].last == 97);
    assert_int_equal(t.trends[0].jumps, 2);
    assert_true(t.trends[0].per_day == 0); /* replaced less than a day ago */
    end(&t);
}

static void a_falling_level_has_the_slope_of_its_line(void **state)
{
    struct month_test t = begin(state, 1);

    t.args.days = 10;
    for (unsigned i = 0; i <= 10; i++)
        t.args.day_ms[i] = t.args.day_ms[0] + i * (int64_t)DATE_DAY_MS;
    for (int i = 0; i < 120; i++)
        put(&t, t.args.day_ms[0] + i * 2 * (int64_t)HOUR, true, 90 - 0.25 * i, NAN);
    ask(&t);
    assert_true(fabs(t.trends[0].per_day + 3) < 1e-9);
    end(&t);
}

static void counters_add_up_over_their_new_beginnings(void **state)
{
    static const struct {
        const char *what;
        double pages[5];
        double first, last, risen;
        unsigned jumps;
    } rows[] = {
        {"it only rises", {100, 150, 150, 160, 200}, 100, 200, 100, 0},
        {"it began anew", {100, 150, 7, 9, 20}, 100, 20, 70, 1},
        {"twice", {100, 5, 3, 3, 4}, 100, 4, 9, 2},
        {"not always told", {100, NAN, NAN, 160, NAN}, 100, 160, 60, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct month_test t = begin(state, 2);

        for (int p = 0; p < 5; p++)
            put(&t, t.args.day_ms[0] + p * 20 * (int64_t)MINUTE, true, NAN, rows[i].pages[p]);
        ask(&t);
        if (t.trends[1].first != rows[i].first || t.trends[1].last != rows[i].last ||
            t.trends[1].risen != rows[i].risen || t.trends[1].jumps != rows[i].jumps)
            fail_msg("%s: %g to %g, %g in all, %u", rows[i].what, t.trends[1].first, t.trends[1].last,
                     t.trends[1].risen, t.trends[1].jumps);
        end(&t);
        fixture_teardown(state);
        fixture_in_memory(state);
    }
}

static void what_is_later_than_wanted_is_not_counted(void **state)
{
    struct month_test t = begin(state, 2);

    for (int64_t at = t.args.day_ms[0]; at < t.args.day_ms[2]; at += MINUTE)
        put(&t, at, true, NAN, (double)((at - t.args.day_ms[0]) / MINUTE));
    t.args.until_ms = t.args.day_ms[1];
    ask(&t);
    assert_int_equal(t.month.sum.up_ms, HOUR);
    assert_int_equal(t.month.sum.gap_ms, 0);
    assert_true(t.trends[1].last == 60);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_IN_MEMORY(random_months_are_as_a_plain_count_says),
        TEST_IN_MEMORY(a_month_without_a_poll_is_all_gap_and_knows_no_values),
        TEST_IN_MEMORY(an_outage_over_the_months_end_counts_in_both_months),
        TEST_IN_MEMORY(days_are_those_of_the_zone_also_where_clocks_change),
        TEST_IN_MEMORY(levels_tell_where_they_began_and_when_they_were_filled),
        TEST_IN_MEMORY(a_falling_level_has_the_slope_of_its_line),
        TEST_IN_MEMORY(counters_add_up_over_their_new_beginnings),
        TEST_IN_MEMORY(what_is_later_than_wanted_is_not_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
