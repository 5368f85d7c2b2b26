#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

static void what_is_equal_is_kept_once(void **state)
{
    struct pool *p = pool_new();
    char text[] = "端口 1";
    const char *a = pool_text(p, text), *b = pool_text(p, "端口 1");

    (void)state;
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, text);
    assert_string_equal(a, "端口 1");
    assert_int_equal(pool_count(p), 1);
    pool_free(p);
}

static void bytes_are_told_apart_by_their_length_too(void **state)
{
    struct pool *p = pool_new();
    static const char zeros[3] = {0};
    const void *none = pool_take(p, zeros, 0), *one = pool_take(p, zeros, 1), *three = pool_take(p, zeros, 3);

    (void)state;
    assert_ptr_not_equal(none, one);
    assert_ptr_not_equal(one, three);
    assert_ptr_equal(one, pool_text(p, ""));
    assert_int_equal((uintptr_t)three % _Alignof(max_align_t), 0);
    pool_free(p);
}

static void what_nobody_holds_is_gone(void **state)
{
    struct pool *p = pool_new();
    const char *a = pool_text(p, "a");

    (void)state;
    assert_ptr_equal(pool_hold(a), a);
    pool_drop(p, a);
    assert_int_equal(pool_count(p), 1);
    pool_drop(p, a);
    assert_int_equal(pool_count(p), 0);
    pool_drop(p, NULL);
    assert_null(pool_hold(NULL));
    pool_free(p);
}

static void many_are_found_again(void **state)
{
    enum { MANY = 1000 };
    struct pool *p = pool_new();
    const char *held[MANY];
    char text[20];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "port %d", i);
        held[i] = pool_text(p, text);
    }
    assert_int_equal(pool_count(p), MANY);
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "port %d", i);
        assert_ptr_equal(pool_text(p, text), held[i]);
        pool_drop(p, held[i]);
        pool_drop(p, held[i]);
    }
    assert_int_equal(pool_count(p), 0);
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_equal_is_kept_once),
        cmocka_unit_test(bytes_are_told_apart_by_their_length_too),
        cmocka_unit_test(what_nobody_holds_is_gone),
        cmocka_unit_test(many_are_found_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
