#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"

static void elements_keep_their_order(void **state)
{
    ARRAY(int) a = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        array_push(&a, i);
    assert_int_equal(a.n, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(a.v[i], i);
    array_free(&a);
}

static void removal_closes_the_gap(void **state)
{
    ARRAY(const char *) a = {0};

    (void)state;
    array_push(&a, "a");
    array_push(&a, "b");
    array_push(&a, "c");
    array_remove(&a, 1);
    assert_int_equal(a.n, 2);
    assert_string_equal(a.v[0], "a");
    assert_string_equal(a.v[1], "c");
    array_remove(&a, 1);
    array_remove(&a, 0);
    assert_int_equal(a.n, 0);
    array_free(&a);
}

static void reserved_room_is_not_moved(void **state)
{
    ARRAY(long) a = {0};
    long *before;

    (void)state;
    array_reserve(&a, 100);
    assert_true(a.cap >= 100);
    before = a.v;
    for (long i = 0; i < 100; i++)
        array_push(&a, i);
    assert_ptr_equal(a.v, before);
    array_free(&a);
}

static void what_is_fitted_keeps_its_elements(void **state)
{
    ARRAY(int) a = {0};

    (void)state;
    array_fit(&a);
    assert_null(a.v);
    for (int i = 0; i < 9; i++)
        array_push(&a, i);
    array_fit(&a);
    assert_int_equal(a.cap, 9);
    assert_int_equal(a.v[8], 8);
    array_push(&a, 9);
    assert_int_equal(a.v[9], 9);
    a.n = 0;
    array_fit(&a);
    assert_int_equal(a.cap, 0);
    assert_null(a.v);
}

static void a_freed_array_can_be_used_again(void **state)
{
    ARRAY(struct { char c[7]; }) a = {0};

    (void)state;
    array_free(&a);
    array_reserve(&a, 1);
    array_free(&a);
    assert_null(a.v);
    assert_int_equal(a.n, 0);
    assert_int_equal(a.cap, 0);
    array_reserve(&a, 3);
    assert_non_null(a.v);
    array_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_keep_their_order),       cmocka_unit_test(removal_closes_the_gap),
        cmocka_unit_test(reserved_room_is_not_moved),      cmocka_unit_test(what_is_fitted_keeps_its_elements),
        cmocka_unit_test(a_freed_array_can_be_used_again),
    };

    return cmocka_run_group_tests_name("base/array", tests, NULL, NULL);
}
