#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "model/vocabulary.h"

static void test_members_are_found_by_code_and_number(void **state)
{
    char zh[] = "断开";
    char *const titles[LANG_COUNT] = {[LANG_ZH_CN] = zh}, *const none[LANG_COUNT] = {NULL};
    struct members m = {0};

    (void)state;
    assert_null(members_by_code(&m, "up"));
    members_add(&m, "up", 1, none, NULL);
    members_add(&m, "down", 7, titles, NULL);
    assert_int_equal(members_by_code(&m, "down")->number, 7);
    assert_string_equal(members_by_number(&m, 1)->code, "up");
    assert_null(members_by_number(&m, 2));
    assert_null(members_by_code(&m, "Down"));
    assert_string_equal(m.codes[0], "up");
    assert_string_equal(m.codes[1], "down");
    assert_null(m.codes[2]);
    members_free(&m);
}

static void test_title_falls_back_to_the_code(void **state)
{
    char zh[] = "断开";
    char *const titles[LANG_COUNT] = {[LANG_ZH_CN] = zh};
    struct members m = {0};

    (void)state;
    members_add(&m, "down", 2, titles, NULL);
    assert_string_equal(member_title(&m.list.v[0], LANG_ZH_CN), "断开");
    assert_string_equal(member_title(&m.list.v[0], LANG_EN), "down");
    members_free(&m);
}

static void test_kinds_and_points_are_found_by_name(void **state)
{
    struct vocabulary v = {0};
    struct kind *port = xcalloc(1, sizeof *port);
    struct point_def speed = {.name = xstrdup("speed"), .type = VALUE_INT};

    (void)state;
    port->name = xstrdup("port");
    array_push(&port->points, speed);
    array_push(&v.kinds, port);
    assert_ptr_equal(vocabulary_kind(&v, "port"), port);
    assert_null(vocabulary_kind(&v, "prot"));
    assert_int_equal(kind_point(port, "speed")->type, VALUE_INT);
    assert_null(kind_point(port, "load"));
    vocabulary_free(&v);
    assert_int_equal(v.kinds.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_found_by_code_and_number),
        cmocka_unit_test(test_title_falls_back_to_the_code),
        cmocka_unit_test(test_kinds_and_points_are_found_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
