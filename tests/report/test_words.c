#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/date.h"
#include "report/words.h"

static void expect(struct sbuf *b, const char *want)
{
    if (strcmp(b->s, want) != 0)
        fail_msg("'%s', wanted '%s'", b->s, want);
    sbuf_reset(b);
}

static void counts_are_grouped(void **state)
{
    static const struct {
        int64_t n;
        const char *text;
    } rows[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {1234567, "1,234,567"}, {-100, "-100"}, {-1000, "-1,000"}};
    struct sbuf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        words_count(&b, rows[i].n);
        expect(&b, rows[i].text);
    }
    sbuf_free(&b);
}

static void shares_are_rounded_down(void **state)
{
    static const struct {
        int64_t part, whole;
        const char *text;
    } rows[] = {
        {0, 0, "\xe2\x80\x93"},
        {0, 7, "0.00%"},
        {7, 7, "100%"},
        {2, 3, "66.66%"},
        {99999, 100000, "99.99%"},
        {INT64_MAX - 1, INT64_MAX, "99.99%"},
        {INT64_MAX, INT64_MAX, "100%"},
        {INT64_C(5000000000000000), INT64_C(10000000000000000), "50.00%"},
    };
    struct sbuf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        words_share(&b, rows[i].part, rows[i].whole);
        expect(&b, rows[i].text);
    }
    sbuf_free(&b);
}

static void durations_have_their_two_largest_units(void **state)
{
    static const struct {
        int64_t ms;
        const char *en;
    } rows[] = {
        {0, "0 s"},       {999, "0 s"},          {61000, "1 min 1 s"},
        {60000, "1 min"}, {3600000, "1 h"},      {3660000, "1 h 1 min"},
        {3601000, "1 h"}, {90061000, "1 d 1 h"}, {2592000000, "30 d"},
    };
    struct sbuf b = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        words_duration(&b, LANG_EN, rows[i].ms);
        expect(&b, rows[i].en);
    }
    sbuf_free(&b);
}

static void dates_are_written_as_each_language_does(void **state)
{
    int64_t day = date_to_day(2026, 9, 30);
    struct sbuf b = {0};

    (void)state;
    words_day(&b, day);
    expect(&b, "2026-09-30");
    words_day_long(&b, LANG_EN, day);
    expect(&b, "30 September 2026");
    words_day_long(&b, LANG_ZH_CN, day);
    expect(&b, "2026年9月30日");
    words_month(&b, LANG_EN, day);
    expect(&b, "September 2026");
    words_month(&b, LANG_ZH_CN, day);
    expect(&b, "2026年9月");
    sbuf_free(&b);
}

static void stamps_are_in_the_sites_zone(void **state)
{
    struct document doc = {.period = {.month = date_to_day(2026, 9, 1)}};
    struct sbuf b = {0};

    (void)state;
    assert_int_equal(zone_open("Asia/Shanghai", &doc.zone), 0);
    words_stamp(&b, &doc, INT64_C(1788192000000)); /* 2026-08-31 16:00 UTC */
    expect(&b, "09-01 00:00");
    words_stamp(&b, &doc, INT64_C(1767196799000)); /* the last second of 2025 there */
    expect(&b, "2025-12-31 23:59");
    zone_free(doc.zone);
    sbuf_free(&b);
}

static void codes_without_words_stay_codes(void **state)
{
    (void)state;
    assert_string_equal(words_code(LANG_EN, "class", "printer"), "Printer");
    assert_string_equal(words_code(LANG_ZH_CN, "class", "printer"), "打印机");
    assert_string_equal(words_code(LANG_EN, "class", "coffee-machine"), "coffee-machine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_grouped),
        cmocka_unit_test(shares_are_rounded_down),
        cmocka_unit_test(durations_have_their_two_largest_units),
        cmocka_unit_test(dates_are_written_as_each_language_does),
        cmocka_unit_test(stamps_are_in_the_sites_zone),
        cmocka_unit_test(codes_without_words_stay_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
