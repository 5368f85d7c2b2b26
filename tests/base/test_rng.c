#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/rng.h"

static struct pd_rng seeded(struct rng_seeded *r, uint64_t seed)
{
    rng_seed(r, seed);
    return rng_seeded_ops(r);
}

/* Computed with a second implementation, in Python, of the published algorithms. */
static void a_seed_means_the_same_numbers_everywhere(void **state)
{
    static const uint64_t expected[] = {UINT64_C(0x15780b2e0c2ec716), UINT64_C(0x6104d9866d113a7e),
                                        UINT64_C(0xae17533239e499a1), UINT64_C(0xecb8ad4703b360a1)};
    struct rng_seeded s;
    struct pd_rng r = seeded(&s, 42);

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(rng_u64(&r), expected[i]);
}

static void different_seeds_differ(void **state)
{
    struct rng_seeded a, b;
    struct pd_rng ra = seeded(&a, 1), rb = seeded(&b, 2);

    (void)state;
    assert_true(rng_u64(&ra) != rng_u64(&rb));
}

static void below_stays_below_and_reaches_all(void **state)
{
    struct rng_seeded s;
    struct pd_rng r = seeded(&s, 7);
    unsigned seen[6] = {0};

    (void)state;
    for (int i = 0; i < 6000; i++) {
        uint64_t v = rng_below(&r, 6);

        assert_true(v < 6);
        seen[v]++;
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(seen[i], 850, 1150);
    assert_int_equal(rng_below(&r, 1), 0);
    assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
}

static void unit_stays_in_its_interval(void **state)
{
    struct rng_seeded s;
    struct pd_rng r = seeded(&s, 7);
    double sum = 0;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        double v = rng_unit(&r);

        assert_true(v >= 0 && v < 1);
        sum += v;
    }
    assert_true(sum > 4800 && sum < 5200);
}

static void the_system_generator_fills_every_byte(void **state)
{
    unsigned char any[300] = {0}, once[300];

    (void)state;
    for (int round = 0; round < 20; round++) {
        rng_system.fill(rng_system.ctx, once, sizeof once);
        for (size_t i = 0; i < sizeof once; i++)
            any[i] |= once[i];
    }
    for (size_t i = 0; i < sizeof any; i++)
        assert_int_not_equal(any[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_means_the_same_numbers_everywhere), cmocka_unit_test(different_seeds_differ),
        cmocka_unit_test(below_stays_below_and_reaches_all),        cmocka_unit_test(unit_stays_in_its_interval),
        cmocka_unit_test(the_system_generator_fills_every_byte),
    };

    return cmocka_run_group_tests_name("base/rng", tests, NULL, NULL);
}
