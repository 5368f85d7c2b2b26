#include "model/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "tests/model/hours.h"

enum { MINUTE_MS = 60000 };

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static int64_t day_of(const char *text)
{
    int64_t day = 0;

    assert_int_equal(date_parse(text, &day), 0);
    return day;
}

/* ---- Building ---- */

static void segments_are_checked(void **state)
{
    static const struct {
        int from, to, rc;
    } rows[] = {
        {540, 540, PD_EINVAL}, {540, 500, PD_EINVAL}, {-1, 5, PD_EINVAL}, {1400, 1441, PD_EINVAL}, {0, 60, 0},
        {59, 90, PD_EINVAL},   {60, 90, 0},           {90, 91, 0},        {100, 101, 0},           {102, 103, 0},
        {104, 105, 0},         {106, 107, 0},         {108, 1440, 0},     {1440, 1441, PD_EINVAL}};
    struct hours h = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (hours_add(&h, rows[i].from, rows[i].to) != rows[i].rc)
            fail_msg("row %zu", i);
    assert_int_equal(h.n, HOURS_MAX);
}

static void a_ninth_segment_is_refused(void **state)
{
    struct hours h = {0};

    (void)state;
    for (int i = 0; i < HOURS_MAX; i++)
        assert_int_equal(hours_add(&h, 10 * i, 10 * i + 5), 0);
    assert_int_equal(hours_add(&h, 1000, 1005), PD_ERANGE);
    assert_int_equal(h.n, HOURS_MAX);
}

static void special_days_are_kept_in_order(void **state)
{
    static const int64_t days[] = {5, 3, 9, -4, 7, 0};
    struct special_days list = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(days); i++)
        assert_int_equal(special_days_add(&list, &(struct special_day){.day = days[i]}), 0);
    assert_int_equal(special_days_add(&list, &(struct special_day){.day = 9, .kind = DAY_MAKE_UP}), PD_EEXIST);
    assert_int_equal(list.n, COUNT(days));
    for (size_t i = 1; i < list.n; i++)
        assert_true(list.v[i - 1].day < list.v[i].day);
    array_free(&list);
}

/* ---- Days ---- */

static void workdays_of_china_2026(void **state)
{
    static const struct {
        const char *day;
        bool work;
    } rows[] = {
        {"2025-12-31", true},  {"2026-01-01", false}, {"2026-01-02", false}, {"2026-01-03", false},
        {"2026-01-04", true}, /* a Sunday */
        {"2026-01-05", true},  {"2026-01-10", false}, {"2026-02-13", true},  {"2026-02-14", true},
        {"2026-02-15", false}, {"2026-02-23", false}, {"2026-02-24", true},  {"2026-02-28", true},
        {"2026-03-01", false}, {"2026-04-03", true},  {"2026-04-06", false}, {"2026-04-07", true},
        {"2026-05-05", false}, {"2026-05-06", true},  {"2026-05-09", true},  {"2026-06-19", false},
        {"2026-06-22", true},  {"2026-09-20", true},  {"2026-09-25", false}, {"2026-09-30", true},
        {"2026-10-01", false}, {"2026-10-07", false}, {"2026-10-08", true},  {"2026-10-10", true},
        {"2026-10-11", false}, {"2027-01-01", true}, /* nothing is known of 2027: a Friday like any */
    };
    struct calendar *c = hours_calendar("office", "Asia/Shanghai");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (calendar_is_workday(c, day_of(rows[i].day)) != rows[i].work)
            fail_msg("%s", rows[i].day);
    calendar_free(c);
}

static void nearest_workdays(void **state)
{
    static const struct {
        const char *calendar, *day, *from, *to; /* NULL: none */
    } rows[] = {
        {"office", "2026-09-30", "2026-09-30", "2026-09-30"},
        {"office", "2026-10-01", "2026-10-08", "2026-09-30"},
        {"office", "2026-10-07", "2026-10-08", "2026-09-30"},
        {"office", "2026-10-11", "2026-10-12", "2026-10-10"},
        {"office", "2026-02-15", "2026-02-24", "2026-02-14"},
        {"office", "2026-01-03", "2026-01-04", "2025-12-31"},
        {"plain", "2026-01-31", "2026-02-02", "2026-01-30"},
        {"plain", "2024-02-29", "2024-02-29", "2024-02-29"},
        {"plain", "2028-01-01", "2028-01-03", "2027-12-31"},
        {"always", "2026-10-01", "2026-10-01", "2026-10-01"},
        {"never", "2026-10-01", NULL, NULL},
    };
    char text[11];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar *c = hours_calendar(rows[i].calendar, "Asia/Shanghai");
        int64_t day = day_of(rows[i].day), got = 0;

        assert_int_equal(calendar_workday_from(c, day, &got), rows[i].from ? 0 : PD_ERANGE);
        date_format(got, text);
        if (rows[i].from && strcmp(text, rows[i].from) != 0)
            fail_msg("row %zu: from %s", i, text);
        assert_int_equal(calendar_workday_to(c, day, &got), rows[i].to ? 0 : PD_ERANGE);
        date_format(got, text);
        if (rows[i].to && strcmp(text, rows[i].to) != 0)
            fail_msg("row %zu: to %s", i, text);
        calendar_free(c);
    }
}

static void first_and_last_of_a_month(void **state)
{
    static const struct {
        const char *calendar;
        int64_t year;
        int month;
        const char *first, *last;
    } rows[] = {
        {"office", 2026, 10, "2026-10-08", "2026-10-30"}, {"office", 2026, 1, "2026-01-04", "2026-01-30"},
        {"office", 2026, 2, "2026-02-02", "2026-02-28"},  {"office", 2026, 5, "2026-05-06", "2026-05-29"},
        {"office", 2025, 2, "2025-02-05", "2025-02-28"},  {"office", 2025, 5, "2025-05-06", "2025-05-30"},
        {"office", 2025, 6, "2025-06-03", "2025-06-30"},  {"plain", 2026, 8, "2026-08-03", "2026-08-31"},
        {"plain", 2024, 2, "2024-02-01", "2024-02-29"},   {"plain", 2026, 12, "2026-12-01", "2026-12-31"},
        {"always", 2026, 8, "2026-08-01", "2026-08-31"},
    };
    char first[11], last[11];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar *c = hours_calendar(rows[i].calendar, "Asia/Shanghai");
        int64_t day = 0;

        assert_int_equal(calendar_first_workday(c, rows[i].year, rows[i].month, &day), 0);
        date_format(day, first);
        assert_int_equal(calendar_last_workday(c, rows[i].year, rows[i].month, &day), 0);
        date_format(day, last);
        if (strcmp(first, rows[i].first) != 0 || strcmp(last, rows[i].last) != 0)
            fail_msg("row %zu: %s, %s", i, first, last);
        calendar_free(c);
    }
}

static void a_month_without_workdays(void **state)
{
    struct calendar *c = hours_calendar("office", "Asia/Shanghai");
    int64_t day = 0;

    (void)state;
    for (int64_t d = day_of("2026-07-01"); d <= day_of("2026-07-31"); d++)
        special_days_add(&c->own, &(struct special_day){.day = d, .kind = DAY_OFF});
    assert_int_equal(calendar_first_workday(c, 2026, 7, &day), PD_ENOENT);
    assert_int_equal(calendar_last_workday(c, 2026, 7, &day), PD_ENOENT);
    calendar_free(c);
}

/* What a calendar says itself goes before what is decreed; each kind of special day has its hours. */
static void kinds_of_special_days(void **state)
{
    struct calendar *c = hours_calendar("office", "Asia/Shanghai");
    struct special_day half = {.day = day_of("2026-10-02"), .kind = DAY_HOURS};
    const struct hours *h;

    (void)state;
    assert_int_equal(hours_add(&half.hours, 540, 720), 0);
    assert_int_equal(special_days_add(&c->own, &half), 0);
    assert_int_equal(special_days_add(&c->own, &(struct special_day){.day = day_of("2026-10-10"), .kind = DAY_OFF}), 0);
    assert_int_equal(
        special_days_add(&c->own, &(struct special_day){.day = day_of("2026-10-17"), .kind = DAY_AS, .as = SUNDAY}), 0);
    h = calendar_hours(c, day_of("2026-10-02"));
    assert_int_equal(h->n, 1);
    assert_int_equal(h->v[0].from, 540);
    assert_false(calendar_is_workday(c, day_of("2026-10-10")));
    assert_false(calendar_is_workday(c, day_of("2026-10-17")));
    c->week[SUNDAY] = half.hours; /* whose hours 17 October takes */
    assert_int_equal(calendar_hours(c, day_of("2026-10-17"))->n, 1);
    c->make_up = SUNDAY; /* and now the decreed workdays */
    assert_int_equal(calendar_hours(c, day_of("2026-09-20"))->n, 1);
    calendar_free(c);
}

static void years_that_nobody_covers(void **state)
{
    static const struct {
        const char *calendar, *first, *last;
        int64_t year;
    } rows[] = {
        {"office", "2025-01-01", "2026-12-31", 0},    {"office", "2026-12-31", "2027-01-01", 2027},
        {"office", "2024-12-31", "2026-01-01", 2024}, {"office", "2027-06-01", "2029-01-01", 2027},
        {"plain", "2027-06-01", "2029-01-01", 0},     {"always", "1999-06-01", "2029-01-01", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct calendar *c = hours_calendar(rows[i].calendar, "Asia/Shanghai");

        if (calendar_uncovered_year(c, day_of(rows[i].first), day_of(rows[i].last)) != rows[i].year)
            fail_msg("row %zu", i);
        calendar_free(c);
    }
}

/* ---- Time ---- */

/* from + work = to; and as much lies between. */
static const struct golden {
    const char *calendar, *zone, *from, *work, *to;
} golden[] = {
    /* within the day, over lunch, over night, over the weekend */
    {"plain", "Asia/Shanghai", "2026-07-01 09:00", "1h", "2026-07-01 10:00"},
    {"plain", "Asia/Shanghai", "2026-07-01 11:30", "30m", "2026-07-01 12:00"},
    {"plain", "Asia/Shanghai", "2026-07-01 11:30", "31m", "2026-07-01 13:31"},
    {"plain", "Asia/Shanghai", "2026-07-01 11:30", "1h", "2026-07-01 14:00"},
    {"plain", "Asia/Shanghai", "2026-07-01 12:15", "1h", "2026-07-01 14:30"},
    {"plain", "Asia/Shanghai", "2026-07-01 17:00", "1h", "2026-07-01 18:00"},
    {"plain", "Asia/Shanghai", "2026-07-01 17:00", "1h1s", "2026-07-02 08:30:01"},
    {"plain", "Asia/Shanghai", "2026-07-01 20:00", "4h", "2026-07-02 14:00"},
    {"plain", "Asia/Shanghai", "2026-07-03 17:00", "2h", "2026-07-06 09:30"},
    {"plain", "Asia/Shanghai", "2026-07-04 11:00", "8h", "2026-07-06 18:00"},
    {"plain", "Asia/Shanghai", "2026-07-01 08:30", "40h", "2026-07-07 18:00"},
    {"plain", "Asia/Shanghai", "2026-07-01 08:30", "40h1m", "2026-07-08 08:31"},
    /* holidays and make-up workdays */
    {"office", "Asia/Shanghai", "2026-09-30 17:00", "2h", "2026-10-08 09:30"},
    {"office", "Asia/Shanghai", "2026-10-09 17:00", "2h", "2026-10-10 09:30"},
    {"office", "Asia/Shanghai", "2026-10-10 17:00", "2h", "2026-10-12 09:30"},
    {"office", "Asia/Shanghai", "2026-02-13 17:00", "10h", "2026-02-24 09:30"},
    {"office", "Asia/Shanghai", "2026-02-27 17:30", "8h", "2026-02-28 17:30"},
    {"office", "Asia/Shanghai", "2026-09-19 09:00", "8h", "2026-09-20 18:00"},
    {"office", "Asia/Shanghai", "2026-04-30 17:59", "2m", "2026-05-06 08:31"},
    {"office", "Asia/Shanghai", "2025-12-31 17:00", "2h", "2026-01-04 09:30"},
    /* ends of months and years, 29 February */
    {"plain", "Asia/Shanghai", "2024-02-28 17:00", "2h", "2024-02-29 09:30"},
    {"plain", "Asia/Shanghai", "2024-02-29 17:00", "2h", "2024-03-01 09:30"},
    {"plain", "Asia/Shanghai", "2025-02-28 17:00", "2h", "2025-03-03 09:30"},
    {"plain", "Asia/Shanghai", "2024-12-31 17:00", "2h", "2025-01-01 09:30"},
    {"always", "Asia/Shanghai", "2026-12-31 23:00", "2h", "2027-01-01 01:00"},
    {"always", "Asia/Shanghai", "2024-02-28 12:00", "24h", "2024-02-29 12:00"},
    {"always", "Asia/Shanghai", "2026-02-15 12:00", "7d", "2026-02-22 12:00"},
    /* night shifts are one piece over midnight */
    {"night", "Asia/Shanghai", "2026-07-01 21:00", "8h", "2026-07-02 06:00"},
    {"night", "Asia/Shanghai", "2026-07-03 22:00", "9h", "2026-07-06 23:00"},
    /* clocks go forward: 29 March 2026 has 23 hours in Berlin, 8 March in New York */
    {"always", "Europe/Berlin", "2026-03-28 12:00", "24h", "2026-03-29 13:00"},
    {"always", "Europe/Berlin", "2026-03-29 00:00", "23h", "2026-03-30 00:00"},
    {"always", "Europe/Berlin", "2026-03-29 01:59", "2m", "2026-03-29 03:01"},
    {"always", "America/New_York", "2026-03-08 00:00", "23h", "2026-03-09 00:00"},
    {"plain", "Europe/Berlin", "2026-03-27 17:00", "2h", "2026-03-30 09:30"},
    /* clocks go back: 25 October 2026 has 25 hours in Berlin, 1 November in New York */
    {"always", "Europe/Berlin", "2026-10-24 12:00", "24h", "2026-10-25 11:00"},
    {"always", "Europe/Berlin", "2026-10-25 00:00", "25h", "2026-10-26 00:00"},
    {"always", "Europe/Berlin", "2026-10-25 02:30", "1h", "2026-10-25 01:30Z"},
    {"always", "America/New_York", "2026-11-01 00:00", "25h", "2026-11-02 00:00"},
    {"plain", "America/New_York", "2026-10-30 17:00", "2h", "2026-11-02 09:30"},
    /* a night shift over both */
    {"night", "Europe/Berlin", "2026-03-27 22:00", "8h", "2026-03-28 06:00"},
    {"night", "Europe/Berlin", "2026-10-26 21:00", "1h", "2026-10-26 23:00"},
    /* nothing wanted: at once, also outside hours */
    {"plain", "Asia/Shanghai", "2026-07-04 11:00", "0", "2026-07-04 11:00"},
};

static void adding(void **state)
{
    char text[32];

    (void)state;
    for (size_t i = 0; i < COUNT(golden); i++) {
        const struct golden *g = &golden[i];
        struct calendar *c = hours_calendar(g->calendar, g->zone);
        int64_t to = 0;

        assert_int_equal(calendar_add(c, hours_at(c->zone, g->from), hours_span(g->work), &to), 0);
        if (to != hours_at(c->zone, g->to))
            fail_msg("row %zu: %s + %s: %s, not %s", i, g->from, g->work, hours_show(c->zone, to, text), g->to);
        calendar_free(c);
    }
}

static void measuring(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden); i++) {
        const struct golden *g = &golden[i];
        struct calendar *c = hours_calendar(g->calendar, g->zone);
        int64_t from = hours_at(c->zone, g->from), to = hours_at(c->zone, g->to), work = -1;

        assert_int_equal(calendar_between(c, from, to, &work), 0);
        if (work != hours_span(g->work))
            fail_msg("row %zu: %s to %s: %lld ms", i, g->from, g->to, (long long)work);
        assert_int_equal(calendar_between(c, to, from, &work), 0);
        assert_int_equal(work, 0);
        calendar_free(c);
    }
}

/* Open from its first millisecond on, closed from its end on. */
static void bounds_of_segments(void **state)
{
    struct calendar *c = hours_calendar("office", "Asia/Shanghai");
    int64_t noon = hours_at(c->zone, "2026-07-01 12:00"), morning = hours_at(c->zone, "2026-07-01 08:30");

    (void)state;
    assert_false(calendar_is_open(c, morning - 1));
    assert_true(calendar_is_open(c, morning));
    assert_true(calendar_is_open(c, noon - 1));
    assert_false(calendar_is_open(c, noon));
    calendar_free(c);
}

static void starts_of_days(void **state)
{
    struct calendar *c = hours_calendar("always", "America/Sao_Paulo");
    int64_t day = day_of("2017-10-15"); /* begins at 01:00 */

    (void)state;
    assert_int_equal(calendar_day_start(c, day), hours_at(c->zone, "2017-10-15 03:00Z"));
    assert_int_equal(calendar_day(c, calendar_day_start(c, day)), day);
    assert_int_equal(calendar_day(c, calendar_day_start(c, day) - 1), day - 1);
    calendar_free(c);
}

static void a_calendar_without_hours_ends(void **state)
{
    struct calendar *c = hours_calendar("never", "Europe/Berlin");
    int64_t out = 42;

    (void)state;
    assert_int_equal(calendar_add(c, 0, 1, &out), PD_ERANGE);
    assert_int_equal(calendar_add(c, 0, -1, &out), PD_EINVAL);
    assert_int_equal(out, 42);
    assert_int_equal(calendar_add(c, 7, 0, &out), 0);
    assert_int_equal(out, 7);
    assert_int_equal(calendar_between(c, 0, INT64_C(3000000000000), &out), 0);
    assert_int_equal(out, 0);
    calendar_free(c);
}

static void spans_beyond_reach(void **state)
{
    struct calendar *c = hours_calendar("always", "UTC");
    int64_t out = 42;

    (void)state;
    assert_int_equal(calendar_between(c, INT64_MIN, INT64_MAX, &out), PD_ERANGE);
    assert_int_equal(calendar_between(c, INT64_MAX, INT64_MIN, &out), 0);
    assert_int_equal(calendar_add(c, 0, INT64_C(200) * 366 * DATE_DAY_MS, &out), PD_ERANGE);
    assert_int_equal(calendar_add(c, 0, INT64_C(99) * 365 * DATE_DAY_MS, &out), 0);
    assert_int_equal(out, INT64_C(99) * 365 * DATE_DAY_MS);
    calendar_free(c);
}

/* Ten years of holidays are too long to wait for; nine are not. */
static void a_long_gap(void **state)
{
    struct calendar *c = hours_calendar("never", "UTC");
    struct special_day one = {.day = 9 * 365, .kind = DAY_HOURS}, late = {.day = 20 * 365, .kind = DAY_HOURS};
    int64_t out = 0;

    (void)state;
    hours_add(&one.hours, 0, 60);
    hours_add(&late.hours, 0, 60);
    special_days_add(&c->own, &one);
    special_days_add(&c->own, &late);
    assert_int_equal(calendar_add(c, 0, 3600000, &out), 0);
    assert_int_equal(out, one.day * DATE_DAY_MS + 3600000);
    assert_int_equal(calendar_add(c, 0, 3600001, &out), PD_ERANGE);
    calendar_free(c);
}

/* ---- Against the naive model ---- */

static void check_against_naive(const struct calendar *c, int64_t from, unsigned seed)
{
    struct naive n = naive_begin(c, from);
    int64_t work = 0, got = 0;

    for (int minute = 0; minute < 4 * DAY_MINUTES; minute++) {
        bool open = naive_open(&n);
        int64_t begin = n.at_ms;

        if (calendar_is_open(c, begin) != open || calendar_is_open(c, begin + MINUTE_MS - 1) != open)
            fail_msg("seed %u: minute %d of %s", seed, minute, zone_name(c->zone));
        naive_step(&n);
        work += open ? MINUTE_MS : 0;
        if (open && (minute % 7 == 0 || minute % DAY_MINUTES < 200) &&
            (calendar_add(c, from, work, &got) != 0 || got != n.at_ms))
            fail_msg("seed %u: adding %lld in %s", seed, (long long)work, zone_name(c->zone));
        if (minute % 11 == 0 && (calendar_between(c, from, n.at_ms, &got) != 0 || got != work))
            fail_msg("seed %u: between, minute %d in %s: %lld, not %lld", seed, minute, zone_name(c->zone),
                     (long long)got, (long long)work);
    }
}

/* Begins around the hours at which clocks change somewhere: March, April, October, November and leap days. */
static void random_calendars_agree_with_the_naive_model(void **state)
{
    static const char *const around[] = {"2009-10-31 03:00Z", "2010-03-13 04:00Z", "2011-10-15 02:00Z",
                                         "2026-03-27 23:00Z", "2026-10-24 01:00Z", "2024-02-27 22:00Z",
                                         "2026-12-30 05:00Z", "2011-12-28 20:00Z", "2017-02-17 12:00Z",
                                         "2026-04-04 10:00Z", "2026-10-31 16:00Z", "2012-03-10 18:00Z"};

    (void)state;
    for (unsigned seed = 1; seed <= 120; seed++) {
        struct rng_seeded seeded;
        struct pd_rng rng = rng_seeded_ops(&seeded);
        struct calendar *c;
        int64_t from;

        rng_seed(&seeded, seed);
        from = hours_at(NULL, around[seed % COUNT(around)]) + (int64_t)rng_below(&rng, DAY_MINUTES) * MINUTE_MS;
        c = hours_random(&rng, date_day_of_ms(from));
        check_against_naive(c, from, seed);
        calendar_free(c);
    }
}

static int release(void **state)
{
    (void)state;
    hours_release();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_checked),
        cmocka_unit_test(a_ninth_segment_is_refused),
        cmocka_unit_test(special_days_are_kept_in_order),
        cmocka_unit_test(workdays_of_china_2026),
        cmocka_unit_test(nearest_workdays),
        cmocka_unit_test(first_and_last_of_a_month),
        cmocka_unit_test(a_month_without_workdays),
        cmocka_unit_test(kinds_of_special_days),
        cmocka_unit_test(years_that_nobody_covers),
        cmocka_unit_test(adding),
        cmocka_unit_test(measuring),
        cmocka_unit_test(bounds_of_segments),
        cmocka_unit_test(starts_of_days),
        cmocka_unit_test(a_calendar_without_hours_ends),
        cmocka_unit_test(spans_beyond_reach),
        cmocka_unit_test(a_long_gap),
        cmocka_unit_test(random_calendars_agree_with_the_naive_model),
    };

    return cmocka_run_group_tests_name("calendar", tests, NULL, release);
}
