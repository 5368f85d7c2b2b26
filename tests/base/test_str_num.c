#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

static void whole_numbers(void **state)
{
    static const struct {
        const char *s;
        int rc;
        int64_t v;
    } rows[] = {
        {"0", 0, 0},
        {"-1", 0, -1},
        {"007", 0, 7},
        {"9223372036854775807", 0, INT64_MAX},
        {"-9223372036854775808", 0, INT64_MIN},
        {"9223372036854775808", PD_ERANGE, 99},
        {"-9223372036854775809", PD_ERANGE, 99},
        {"", PD_EINVAL, 99},
        {"-", PD_EINVAL, 99},
        {"+1", PD_EINVAL, 99},
        {" 1", PD_EINVAL, 99},
        {"1 ", PD_EINVAL, 99},
        {"0x10", PD_EINVAL, 99},
        {"1.0", PD_EINVAL, 99},
        {"１", PD_EINVAL, 99},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t v = 99;
        int rc = str_to_i64(rows[i].s, &v);

        if (rc != rows[i].rc || v != rows[i].v)
            fail_msg("'%s' gave %d, %lld", rows[i].s, rc, (long long)v);
    }
}

static void fractions(void **state)
{
    static const struct {
        const char *s;
        int rc;
        double v;
    } rows[] = {
        {"0", 0, 0},
        {"-1.5", 0, -1.5},
        {"+2", 0, 2},
        {".5", 0, .5},
        {"5.", 0, 5},
        {"1e3", 0, 1000},
        {"1E-3", 0, .001},
        {"1.7976931348623157e308", 0, DBL_MAX},
        {"1e-400", 0, 0},
        {"1e309", PD_ERANGE, 99},
        {"-1e309", PD_ERANGE, 99},
        {"", PD_EINVAL, 99},
        {".", PD_EINVAL, 99},
        {"-", PD_EINVAL, 99},
        {"e5", PD_EINVAL, 99},
        {"1e", PD_EINVAL, 99},
        {"1e+", PD_EINVAL, 99},
        {"0x1p3", PD_EINVAL, 99},
        {"inf", PD_EINVAL, 99},
        {"nan", PD_EINVAL, 99},
        {" 1", PD_EINVAL, 99},
        {"1,5", PD_EINVAL, 99},
        {"1.2.3", PD_EINVAL, 99},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double v = 99;
        int rc = str_to_double(rows[i].s, &v);

        if (rc != rows[i].rc || v < rows[i].v || v > rows[i].v)
            fail_msg("'%s' gave %d, %g", rows[i].s, rc, v);
    }
}

static void durations(void **state)
{
    static const struct {
        const char *s;
        int rc;
        int64_t v;
    } rows[] = {
        {"0s", 0, 0},
        {"250ms", 0, 250},
        {"90s", 0, 90000},
        {"5m", 0, 300000},
        {"2h", 0, 7200000},
        {"1d", 0, 86400000},
        {"9223372036854775807ms", 0, INT64_MAX},
        {"9223372036854775808ms", PD_ERANGE, 99},
        {"106751991168d", PD_ERANGE, 99},
        {"99999999999999999999s", PD_ERANGE, 99},
        {"", PD_EINVAL, 99},
        {"5", PD_EINVAL, 99},
        {"s", PD_EINVAL, 99},
        {"-5s", PD_EINVAL, 99},
        {"5 s", PD_EINVAL, 99},
        {"5S", PD_EINVAL, 99},
        {"1.5h", PD_EINVAL, 99},
        {"5min", PD_EINVAL, 99},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t v = 99;
        int rc = str_to_ms(rows[i].s, &v);

        if (rc != rows[i].rc || v != rows[i].v)
            fail_msg("'%s' gave %d, %lld", rows[i].s, rc, (long long)v);
    }
}

static void times(void **state)
{
    static const struct {
        int64_t ms;
        const char *s;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {INT64_C(1790756100000), "2026-09-30T08:15:00.000Z"},
        {INT64_C(951782400123), "2000-02-29T00:00:00.123Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[25];

        str_utc_ms(rows[i].ms, out);
        if (strcmp(out, rows[i].s) != 0)
            fail_msg("%lld gave %s", (long long)rows[i].ms, out);
    }
}

static void test_the_number_that_a_text_begins_with(void **state)
{
    static const struct {
        const char *text, *rest; /* rest NULL: there is none */
        double want;
    } rows[] = {
        {"23.5 C", " C", 23.5},
        {"  74%", "%", 74},
        {"1,5 kW", " kW", 1.5},
        {"-7", "", -7},
        {"+7 dB", " dB", 7},
        {"0,250", "", 0.25},
        {"12,500", NULL, 0}, /* twelve and a half, or twelve thousand five hundred? */
        {"12,5000", "", 12.5},
        {"1,234,567 pages", " pages", 1234567},
        {"1,234.5", "", 1234.5},
        {"1.234,5", "", 1234.5},
        {"1,23.5", NULL, 0},
        {"1.2.3", NULL, 0},
        {"192.168.1.1", NULL, 0},
        {"5.", ".", 5},
        {"5, then more", ", then more", 5},
        {".5 V", " V", 0.5},
        {"2.35e+01x", "x", 23.5},
        {"3e", "e", 3},
        {"12E4", "E4", 12}, /* a name rather than a number */
        {"C 23", NULL, 0},
        {"", NULL, 0},
        {"-", NULL, 0},
        {"nan", NULL, 0},
        {"99999999999999999999999999999999999999999999999999999999999999999999", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *rest;
        double x;
        int rc = str_leading_number(rows[i].text, &x, &rest);

        if ((rc == 0) != (rows[i].rest != NULL))
            fail_msg("'%s': %d", rows[i].text, rc);
        if (rc == 0 && (x != rows[i].want || strcmp(rest, rows[i].rest) != 0))
            fail_msg("'%s': %g and '%s'", rows[i].text, x, rest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(fractions),
        cmocka_unit_test(durations),
        cmocka_unit_test(times),
        cmocka_unit_test(test_the_number_that_a_text_begins_with),
    };

    return cmocka_run_group_tests_name("base/str_num", tests, NULL, NULL);
}
