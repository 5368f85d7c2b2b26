#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/layout.h"

static struct kind *kind(void)
{
    static struct point_def defs[100];
    static struct kind k = {.points = {.v = defs, .n = 100}};

    return &k;
}

static void what_is_alike_is_one(void **state)
{
    static const uint16_t forth[] = {3, 99, 3, 70}, back[] = {70, 99, 3}, less[] = {70, 99};
    struct layouts all = {0};
    const struct layout *a = layout_of(&all, kind(), forth, 4);

    (void)state;
    assert_ptr_equal(a, layout_of(&all, kind(), back, 3));
    assert_ptr_not_equal(a, layout_of(&all, kind(), less, 2));
    assert_int_equal(a->n, 3);
    layouts_free(&all);
}

static void slots_stand_in_their_order(void **state)
{
    static const uint16_t slots[] = {70, 3, 99};
    struct layouts all = {0};
    const struct layout *l = layout_of(&all, kind(), slots, 3);

    (void)state;
    assert_int_equal(layout_place(l, 3), 0);
    assert_int_equal(layout_place(l, 70), 1);
    assert_int_equal(layout_place(l, 99), 2);
    assert_int_equal(layout_place(l, 4), LAYOUT_NONE);
    assert_int_equal(layout_place(l, 100), LAYOUT_NONE);
    assert_int_equal(layout_place(l, UINT16_MAX), LAYOUT_NONE);
    layouts_free(&all);
}

static void two_make_one_that_has_both(void **state)
{
    static const uint16_t few[] = {3, 5}, others[] = {4, 5, 0};
    struct layouts all = {0};
    const struct layout *none = layout_of(&all, kind(), NULL, 0), *a = layout_of(&all, kind(), few, 2);
    const struct layout *b = layout_of(&all, kind(), others, 3), *both = layout_both(&all, a, b);

    (void)state;
    assert_int_equal(both->n, 4);
    for (uint16_t i = 0; i < 4; i++)
        assert_int_equal(both->slots[i], i == 0 ? 0 : i + 2);
    assert_ptr_equal(layout_both(&all, both, a), both);
    assert_ptr_equal(layout_both(&all, none, a), a);
    assert_ptr_equal(layout_both(&all, none, none), none);
    layouts_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_alike_is_one),
        cmocka_unit_test(slots_stand_in_their_order),
        cmocka_unit_test(two_make_one_that_has_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
