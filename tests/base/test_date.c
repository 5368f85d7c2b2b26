#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"

static void known_days(void **state)
{
    static const struct {
        const char *text;
        int64_t day;
        enum weekday weekday;
    } rows[] = {
        {"1970-01-01", 0, THURSDAY},        {"1969-12-31", -1, WEDNESDAY},   {"2000-02-29", 11016, TUESDAY},
        {"2024-02-29", 19782, THURSDAY},    {"2026-10-01", 20727, THURSDAY}, {"2100-03-01", 47541, MONDAY},
        {"0000-03-01", -719468, WEDNESDAY}, {"9999-12-31", 2932896, FRIDAY},
    };
    char text[11];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t day = 0;

        assert_int_equal(date_parse(rows[i].text, &day), 0);
        date_format(rows[i].day, text);
        if (day != rows[i].day || strcmp(text, rows[i].text) != 0 || date_weekday(day) != rows[i].weekday)
            fail_msg("%s: %lld, %s, %d", rows[i].text, (long long)day, text, date_weekday(day));
    }
}

/* The C library is the oracle for every day of eight centuries. */
static void agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = -146097; day < 146097; day++) {
        time_t t = day * 86400;
        struct date d = date_of_day(day);
        struct tm tm;

        gmtime_r(&t, &tm);
        if (d.year != tm.tm_year + 1900 || d.month != tm.tm_mon + 1 || d.day != tm.tm_mday ||
            (int)date_weekday(day) != (tm.tm_wday + 6) % 7 || date_to_day(d.year, d.month, d.day) != day)
            fail_msg("day %lld", (long long)day);
    }
}

static void lengths(void **state)
{
    static const struct {
        int64_t year;
        int february;
    } rows[] = {{1900, 28}, {2000, 29}, {2023, 28}, {2024, 29}, {2026, 28}, {2100, 28}, {2400, 29}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(date_month_days(rows[i].year, 2), rows[i].february);
        assert_int_equal(date_is_leap(rows[i].year), rows[i].february == 29);
    }
    for (int month = 1; month < 12; month++)
        assert_int_equal(date_month_days(2026, month), date_to_day(2026, month + 1, 1) - date_to_day(2026, month, 1));
    assert_int_equal(date_month_days(2026, 12), 31);
}

static void days_of_times(void **state)
{
    (void)state;
    assert_int_equal(date_day_of_ms(0), 0);
    assert_int_equal(date_day_of_ms(DATE_DAY_MS - 1), 0);
    assert_int_equal(date_day_of_ms(DATE_DAY_MS), 1);
    assert_int_equal(date_day_of_ms(-1), -1);
    assert_int_equal(date_day_of_ms(-DATE_DAY_MS), -1);
}

static void refuses_what_is_no_date(void **state)
{
    static const char *const rows[] = {
        "",           "2026-02-29",  "2026-13-01",  "2026-00-01", "2026-01-00", "2026-04-31", "2026-1-1",  "26-01-01",
        "2026/01/01", "2026-01-01 ", " 2026-01-01", "2026-01-1x", "+026-01-01", "2100-02-29", "二〇二六年"};
    int64_t day = 7;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (date_parse(rows[i], &day) != PD_EINVAL || day != 7)
            fail_msg("'%s'", rows[i]);
}

/* Years that no four digits can hold are still written within the text. */
static void far_years_are_cut(void **state)
{
    char text[11];

    (void)state;
    date_format(date_to_day(12345, 6, 7), text);
    assert_string_equal(text, "9999-06-07");
    date_format(date_to_day(-1, 6, 7), text);
    assert_string_equal(text, "0000-06-07");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_days),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(lengths),
        cmocka_unit_test(days_of_times),
        cmocka_unit_test(refuses_what_is_no_date),
        cmocka_unit_test(far_years_are_cut),
    };

    return cmocka_run_group_tests_name("date", tests, NULL, NULL);
}
