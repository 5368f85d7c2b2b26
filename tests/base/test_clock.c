#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/clock.h"

static void the_system_clock_tells_the_time(void **state)
{
    int64_t before = (int64_t)time(NULL) * 1000, wall = clock_wall(&clock_system), mono = clock_mono(&clock_system);

    (void)state;
    assert_in_range(wall - before, 0, 60000);
    assert_true(mono > 0);
    assert_true(clock_mono(&clock_system) >= mono);
}

static void a_fake_clock_moves_when_told(void **state)
{
    struct clock_fake f = {.wall = 1000, .mono = 5};
    struct pd_clock c = clock_fake_ops(&f);

    (void)state;
    assert_int_equal(clock_wall(&c), 1000);
    assert_int_equal(clock_mono(&c), 5);
    clock_fake_advance(&f, 250);
    assert_int_equal(clock_wall(&c), 1250);
    assert_int_equal(clock_mono(&c), 255);
}

static void a_step_of_the_wall_clock_leaves_the_monotonic_one(void **state)
{
    struct clock_fake f = {.wall = 1000, .mono = 5};
    struct pd_clock c = clock_fake_ops(&f);

    (void)state;
    f.wall -= 3600000;
    assert_int_equal(clock_wall(&c), 1000 - 3600000);
    assert_int_equal(clock_mono(&c), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_clock_tells_the_time),
        cmocka_unit_test(a_fake_clock_moves_when_told),
        cmocka_unit_test(a_step_of_the_wall_clock_leaves_the_monotonic_one),
    };

    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
