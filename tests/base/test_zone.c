#include "base/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"

static void known_times(void **state)
{
    static const struct {
        const char *zone;
        int64_t ms;
        const char *local;
    } rows[] = {
        {"UTC", 0, "1970-01-01 00:00:00"},
        {"UTC", -1, "1969-12-31 23:59:59"},
        {"UTC", 951782400000, "2000-02-29 00:00:00"},
        {"Asia/Shanghai", 1790756100000, "2026-09-30 16:15:00"},
        {"Asia/Shanghai", 577000000000, "1988-04-14 13:46:40"}, /* before that year's summer time */
        {"Asia/Shanghai", 580000000000, "1988-05-19 08:06:40"}, /* within */
        {"Europe/Berlin", 1774745999000, "2026-03-29 01:59:59"},
        {"Europe/Berlin", 1774746000000, "2026-03-29 03:00:00"},
        {"America/New_York", 4088552400000, "2099-07-24 01:00:00"}, /* by the rule, far beyond the table */
        {"America/New_York", 4103514000000, "2100-01-13 04:00:00"},
        {"Australia/Sydney", 4103514000000, "2100-01-13 20:00:00"}, /* summer over the new year */
        {"America/St_Johns", 1790756100000, "2026-09-30 05:45:00"},
    };
    char text[20];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *z = NULL;

        assert_int_equal(zone_open(rows[i].zone, &z), 0);
        zone_format(z, rows[i].ms, text);
        if (strcmp(text, rows[i].local) != 0)
            fail_msg("%s %lld: %s, not %s", rows[i].zone, (long long)rows[i].ms, text, rows[i].local);
        zone_free(z);
    }
}

/* The C library is the oracle, over two centuries in odd steps. */
static void agrees_with_the_c_library(void **state)
{
    static const char *const zones[] = {"Asia/Shanghai", "Europe/Dublin",       "America/New_York",
                                        "Asia/Tehran",   "Australia/Lord_Howe", "Africa/Casablanca",
                                        "Asia/Gaza",     "Pacific/Apia",        "America/Godthab"};

    (void)state;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        struct zone *z = NULL;

        assert_int_equal(zone_open(zones[i], &z), 0);
        setenv("TZ", zones[i], 1);
        tzset();
        for (int64_t s = -2000000000; s < 4000000000; s += 1234567) {
            time_t t = s;
            struct tm tm;

            localtime_r(&t, &tm);
            if (zone_offset_s(z, s * 1000) != tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, not %ld", zones[i], (long long)s, zone_offset_s(z, s * 1000), tm.tm_gmtoff);
        }
        zone_free(z);
    }
}

/* The first instant at which the local clock shows the time or a later one. */
static void local_times(void **state)
{
    static const struct {
        const char *zone;
        int64_t local_ms, wall_ms;
    } rows[] = {
        {"UTC", 1790756100000, 1790756100000},
        {"Asia/Shanghai", 1790784900000, 1790756100000},
        {"Europe/Berlin", 1774749599999, 1774745999999}, /* 01:59:59.999, the last before the clocks go forward */
        {"Europe/Berlin", 1774749600000, 1774746000000}, /* 02:00 is left out: 03:00 */
        {"Europe/Berlin", 1774751400000, 1774746000000}, /* 02:30 */
        {"Europe/Berlin", 1774753200000, 1774746000000}, /* 03:00 itself */
        {"Europe/Berlin", 1774753200001, 1774746000001},
        {"Europe/Berlin", 1792891800000, 1792884600000},    /* 25 October 2026, 01:30 */
        {"Europe/Berlin", 1792895400000, 1792888200000},    /* 02:30, the first of the two */
        {"Europe/Berlin", 1792897199999, 1792889999999},    /* 02:59:59.999, likewise */
        {"Europe/Berlin", 1792897200000, 1792893600000},    /* 03:00, an hour and a millisecond later */
        {"America/New_York", 1772937000000, 1772953200000}, /* 8 March 2026, 02:30: 03:00 */
        {"America/New_York", 1793496600000, 1793511000000}, /* 1 November 2026, 01:30 */
        {"Pacific/Apia", 1325203200000, 1325239200000},     /* 30 December 2011 was left out whole */
        {"Pacific/Apia", 1325246400000, 1325239200000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zone *z = NULL;
        int64_t got;

        assert_int_equal(zone_open(rows[i].zone, &z), 0);
        got = zone_wall_ms(z, rows[i].local_ms);
        if (got != rows[i].wall_ms)
            fail_msg("row %zu: %lld, not %lld", i, (long long)got, (long long)rows[i].wall_ms);
        zone_free(z);
    }
}

/* Whatever the clock shows now or has shown, it shows first at the instant that is found for it. */
static void local_times_come_back(void **state)
{
    static const char *const zones[] = {"Asia/Shanghai", "Europe/Dublin", "America/New_York", "Australia/Lord_Howe"};

    (void)state;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        struct zone *z = NULL;

        assert_int_equal(zone_open(zones[i], &z), 0);
        for (int64_t t = 0; t < 4000000000000; t += 9876543217) {
            int64_t local = zone_local_ms(z, t), first = zone_wall_ms(z, local);

            if (first > t || zone_local_ms(z, first) < local || zone_local_ms(z, first - 1) >= local)
                fail_msg("%s at %lld: %lld", zones[i], (long long)t, (long long)first);
        }
        zone_free(z);
    }
}

static void refuses_what_is_no_zone(void **state)
{
    static const struct {
        const char *name;
        int err;
    } rows[] = {{"", PD_EINVAL},
                {"/etc/passwd", PD_EINVAL},
                {"../../../etc/passwd", PD_EINVAL},
                {"Asia/Shang hai", PD_EINVAL},
                {"Mars/Olympus", PD_ENOENT},
                {"tzdata.zi", PD_EINVAL},
                {"zone1970", PD_ENOENT}};
    struct zone *z = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (zone_open(rows[i].name, &z) != rows[i].err)
            fail_msg("'%s'", rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(local_times),
        cmocka_unit_test(local_times_come_back),
        cmocka_unit_test(refuses_what_is_no_zone),
    };

    return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
