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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(fractions),
        cmocka_unit_test(durations),
        cmocka_unit_test(times),
    };

    return cmocka_run_group_tests_name("base/str_num", tests, NULL, NULL);
}
