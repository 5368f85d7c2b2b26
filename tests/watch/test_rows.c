#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "model/module.h"
#include "watch/rows.h"

enum { COLUMNS = 2, SLOTS = COLUMNS + ROW_INDEX_SLOTS };

static void test_a_row_knows_its_index(void **state)
{
    static const uint32_t instance[] = {4, 5, 6, 7, 8, 9};
    struct arena arena = {0};
    struct rows r = {.nslots = SLOTS, .index_slot = COLUMNS};
    const struct value *v = rows_at(&r, instance, 6, &arena);

    (void)state;
    assert_int_equal(v[0].quality, QUALITY_UNKNOWN);
    assert_int_equal(v[COLUMNS].i, 9); /* index: the last */
    for (int i = 0; i < 4; i++)
        assert_int_equal(v[COLUMNS + 1 + i].i, 4 + i);
    v = rows_at(&r, instance, 1, &arena);
    assert_int_equal(v[COLUMNS].i, 4);
    assert_int_equal(v[COLUMNS + 2].quality, QUALITY_UNKNOWN);
    v = rows_at(&r, NULL, 0, &arena); /* a scalar */
    assert_int_equal(v[COLUMNS].quality, QUALITY_UNKNOWN);
    rows_fini(&r);
    arena_fini(&arena);
}

static void test_rows_that_begin_alike_stand_together(void **state)
{
    static const uint32_t rows[][2] = {{2, 1}, {1, 9}, {1, 2}, {10, 1}, {1, 1}};
    static const uint32_t one[] = {1};
    struct arena arena = {0};
    struct rows r = {.nslots = SLOTS, .index_slot = COLUMNS};
    size_t at;

    (void)state;
    for (size_t i = 0; i < 5; i++)
        rows_at(&r, rows[i], 2, &arena);
    at = rows_lower_bound(&r, one, 1);
    assert_int_equal(at, 0);
    assert_true(row_begins(&r.v[at], one, 1));
    assert_true(row_begins(&r.v[at + 2], one, 1));
    assert_false(row_begins(&r.v[at + 3], one, 1)); /* 2.1; 10.1 does not begin with 1 either */
    assert_false(row_begins(&r.v[at + 4], one, 1));
    assert_true(row_begins(&r.v[at + 4], NULL, 0));
    rows_fini(&r);
    arena_fini(&arena);
}

/* Whatever the order of arrival: each instance has one row, it keeps its slots, and rows are in order. */
static void test_random_arrival(void **state)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);
    struct arena arena = {0};
    struct rows r = {.nslots = SLOTS, .index_slot = COLUMNS};

    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        rng_seed(&seeded, seed);
        rows_reset(&r);
        arena_reset(&arena);
        for (int i = 0; i < 300; i++) {
            uint32_t instance[] = {(uint32_t)rng_below(&rng, 6), (uint32_t)rng_below(&rng, 6)};
            int64_t id = instance[0] * 6 + instance[1];
            struct value *v = rows_find(&r, instance, 2);

            if (v)
                assert_int_equal(v[0].i, id);
            v = rows_at(&r, instance, 2, &arena);
            v[0] = value_int(id);
        }
        for (size_t i = 1; i < r.n; i++)
            assert_true(rows_slots(&r, i - 1)[0].i < rows_slots(&r, i)[0].i);
    }
    rows_fini(&r);
    arena_fini(&arena);
}

static void test_too_many_rows_are_refused(void **state)
{
    struct arena arena = {0};
    struct rows r = {.nslots = SLOTS, .index_slot = COLUMNS};
    uint32_t last = ROWS_MAX;

    (void)state;
    for (uint32_t i = 0; i < ROWS_MAX; i++)
        assert_non_null(rows_at(&r, &i, 1, &arena));
    assert_null(rows_at(&r, &last, 1, &arena));
    last = 5;
    assert_non_null(rows_at(&r, &last, 1, &arena)); /* those that are there still are */
    rows_fini(&r);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_row_knows_its_index),
        cmocka_unit_test(test_rows_that_begin_alike_stand_together),
        cmocka_unit_test(test_random_arrival),
        cmocka_unit_test(test_too_many_rows_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
