#include "gather/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void what_a_supply_is_and_how_long_it_lasts(void **state)
{
    static const struct {
        const char *what;
        struct month_trend trend;
        enum supply_state state;
        int64_t days;
    } rows[] = {
        {"nothing is known", {.known = false, .last = 50, .per_day = -1}, SUPPLY_IS_UNKNOWN, -1},
        {"half full, 2 % a day", {.known = true, .last = 50, .per_day = -2}, SUPPLY_IS_OK, 25},
        {"not used", {.known = true, .last = 50, .per_day = 0}, SUPPLY_IS_OK, -1},
        {"it rises", {.known = true, .last = 50, .per_day = 3}, SUPPLY_IS_OK, -1},
        {"hardly used", {.known = true, .last = 99, .per_day = -0.011}, SUPPLY_IS_OK, -1},
        {"at the bound of low", {.known = true, .last = 10, .per_day = -4}, SUPPLY_IS_LOW, 2},
        {"above it", {.known = true, .last = 10.1, .per_day = -4}, SUPPLY_IS_OK, 2},
        {"at that of empty", {.known = true, .last = 1, .per_day = -4}, SUPPLY_IS_EMPTY, 0},
        {"empty", {.known = true, .last = 0, .per_day = -4}, SUPPLY_IS_EMPTY, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct found_series s = {.trend = rows[i].trend};

        if (supply_state_of(&s) != rows[i].state || supply_days_left(&s) != rows[i].days)
            fail_msg("%s: state %d, %lld days", rows[i].what, (int)supply_state_of(&s),
                     (long long)supply_days_left(&s));
    }
}

/* Findings of so many devices, all in order. */
static struct findings devices_of(size_t n)
{
    struct findings f;

    findings_init(&f);
    for (size_t i = 0; i < n; i++)
        array_push(&f.devices, ((struct found_device){.id = (int64_t)i + 1, .sum = {.up_ms = 1000000}}));
    return f;
}

static void the_grade_follows_from_devices_time_down_and_promises(void **state)
{
    static const struct {
        const char *what;
        size_t devices, faulty, often;
        int64_t down_ms; /* of the first device; it is up 1,000,000 */
        int64_t kept, missed;
        enum grade grade;
    } rows[] = {
        {"no devices", 0, 0, 0, 0, 0, 0, GRADE_OF_EXCELLENT},
        {"all in order", 20, 0, 0, 0, 9, 0, GRADE_OF_EXCELLENT},
        {"one in ten needs attention", 20, 0, 2, 0, 0, 0, GRADE_OF_EXCELLENT},
        {"more do", 20, 0, 3, 0, 0, 0, GRADE_OF_GOOD},
        {"one of twenty is at fault", 20, 1, 0, 0, 0, 0, GRADE_OF_GOOD},
        {"two are", 20, 2, 0, 0, 0, 0, GRADE_OF_FAIR},
        {"five are", 20, 5, 0, 0, 0, 0, GRADE_OF_POOR},
        {"a promise in ten was missed", 20, 0, 0, 0, 9, 1, GRADE_OF_GOOD},
        {"all were", 20, 0, 0, 0, 0, 1, GRADE_OF_POOR},
        {"down for half a hundredth", 20, 0, 0, 100000, 0, 0, GRADE_OF_GOOD},
        {"down for a tenth", 1, 0, 0, 111111, 0, 0, GRADE_OF_POOR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct findings f = devices_of(rows[i].devices);

        for (size_t d = 0; d < rows[i].faulty; d++)
            array_push(&f.faults, ((struct found_fault){.device = d, .severity = SEVERITY_MAJOR}));
        for (size_t d = 0; d < rows[i].often; d++)
            array_push(&f.faults, ((struct found_fault){.device = d, .severity = SEVERITY_WARNING}));
        if (rows[i].devices > 0)
            f.devices.v[0].sum.down_ms = rows[i].down_ms;
        findings_judge(&f);
        f.kept = rows[i].kept;
        f.missed = rows[i].missed;
        if (findings_grade(&f) != rows[i].grade)
            fail_msg("%s: grade %d", rows[i].what, (int)findings_grade(&f));
        findings_fini(&f);
    }
}

static void a_device_is_as_bad_as_the_worst_that_is_known_of_it(void **state)
{
    struct findings f = devices_of(4);

    (void)state;
    array_push(&f.faults, ((struct found_fault){.device = 0, .severity = SEVERITY_WARNING}));
    array_push(&f.faults, ((struct found_fault){.device = 0, .severity = SEVERITY_CRITICAL}));
    array_push(&f.faults, ((struct found_fault){.device = 1, .severity = SEVERITY_CRITICAL, .to_ms = 5}));
    array_push(&f.faults, ((struct found_fault){.device = 2, .severity = SEVERITY_INFO}));
    array_push(&f.supplies, ((struct found_series){.device = 3, .trend = {.known = true, .last = 3}}));
    findings_judge(&f);
    assert_int_equal(f.devices.v[0].health, HEALTH_FAULT);
    assert_int_equal(f.devices.v[0].worry, WORRY_OPEN_FAULT);
    assert_int_equal(f.devices.v[0].worry_of, 1);
    assert_int_equal(f.devices.v[1].health, HEALTH_OK);
    assert_int_equal(f.devices.v[2].health, HEALTH_OK);
    assert_int_equal(f.devices.v[3].health, HEALTH_ATTENTION);
    assert_int_equal(f.devices.v[3].worry, WORRY_SUPPLY);
    assert_int_equal(f.months_devices[HEALTH_OK], 2);
    findings_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_supply_is_and_how_long_it_lasts),
        cmocka_unit_test(the_grade_follows_from_devices_time_down_and_promises),
        cmocka_unit_test(a_device_is_as_bad_as_the_worst_that_is_known_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
