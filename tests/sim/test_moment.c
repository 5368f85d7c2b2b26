#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "moment.h"

static void durations_are_read(void **state)
{
    static const struct {
        const char *text;
        int rc;
        int64_t ms;
    } rows[] = {
        {"90s", 0, 90000},
        {"250ms", 0, 250},
        {"2h30m", 0, 9000000},
        {"1d 2h", 0, 93600000},
        {"0s", 0, 0},
        {"5m2s3ms", 0, 302003},
        {"", PD_EINVAL, 0},
        {"5", PD_EINVAL, 0},
        {"5 m", PD_EINVAL, 0},
        {"m", PD_EINVAL, 0},
        {"-5m", PD_EINVAL, 0},
        {"5m ", PD_EINVAL, 0},
        {"5y", PD_EINVAL, 0},
        {"3653d", 0, INT64_C(315619200000)},
        {"3654d", PD_ERANGE, 0},
        {"99999999999999999999ms", PD_ERANGE, 0},
        {"3653d 1ms", PD_ERANGE, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = -1;
        int rc = moment_duration(rows[i].text, &ms);

        if (rc != rows[i].rc || (rc == 0 && ms != rows[i].ms))
            fail_msg("'%s': %d, %lld", rows[i].text, rc, (long long)ms);
    }
}

static void local_times_are_read(void **state)
{
    static const struct {
        const char *text, *zone;
        int rc;
        int64_t utc_ms;
    } rows[] = {
        {"1970-01-01 00:00", "UTC", PD_EINVAL, 0}, /* before 2000 */
        {"2000-01-01 00:00", "UTC", 0, INT64_C(946684800000)},
        {"2026-03-02 08:00", "Asia/Shanghai", 0, INT64_C(1772409600000)},
        {"2026-03-02 08:00:30", "Asia/Shanghai", 0, INT64_C(1772409630000)},
        {"2024-02-29 12:00", "UTC", 0, INT64_C(1709208000000)},
        {"2100-02-29 12:00", "UTC", PD_EINVAL, 0}, /* no leap year */
        {"2026-07-01 12:00", "Europe/Berlin", 0, INT64_C(1782900000000)},
        {"2026-01-01 12:00", "Europe/Berlin", 0, INT64_C(1767265200000)},
        {"2026-13-01 00:00", "UTC", PD_EINVAL, 0},
        {"2026-04-31 00:00", "UTC", PD_EINVAL, 0},
        {"2026-03-02 24:00", "UTC", PD_EINVAL, 0},
        {"2026-03-02 08:60", "UTC", PD_EINVAL, 0},
        {"2026-03-02", "UTC", PD_EINVAL, 0},
        {"2026-03-02 08:00 ", "UTC", PD_EINVAL, 0},
        {"2026-03-02 08:00:", "UTC", PD_EINVAL, 0},
        {"2026-03-02 08:00Z", "UTC", PD_EINVAL, 0},
        {"tomorrow", "UTC", PD_EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *zone;
        int64_t ms = -1;
        int rc;

        assert_int_equal(zone_open(rows[i].zone, &zone), 0);
        rc = moment_local(rows[i].text, zone, &ms);
        zone_free(zone);
        if (rc != rows[i].rc || (rc == 0 && ms != rows[i].utc_ms))
            fail_msg("'%s': %d, %lld", rows[i].text, rc, (long long)ms);
    }
}

static void spans_are_written(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0s"},      {1500, "1.500s"},           {60000, "1m"}, {90000, "1m30s"},
        {-5000, "-5s"}, {93784005, "1d2h3m4.005s"}, {7, "0.007s"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbuf b = {0};

        moment_add_span(&b, rows[i].ms);
        assert_string_equal(b.s, rows[i].text);
        sbuf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read),
        cmocka_unit_test(local_times_are_read),
        cmocka_unit_test(spans_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
