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

static void add_point(struct kind *k, const char *name, unsigned total_of)
{
    struct point_def p = {.name = xstrdup(name),
                          .slot = (unsigned)k->points.n,
                          .type = VALUE_INT,
                          .total_of = total_of,
                          .bounds = {NO_POINT, NO_POINT, NO_POINT, 1}};

    array_push(&k->points, p);
}

/* What was kept under a number means the same, whatever was put before it in the file, or taken out of it. */
static void test_points_keep_their_numbers(void **state)
{
    struct vocabulary v = {0};
    struct kind *port = xcalloc(1, sizeof *port);
    struct point_numbers numbers = {0};

    (void)state;
    port->name = xstrdup("port");
    array_push(&v.kinds, port);
    add_point(port, "new", NO_POINT);
    add_point(port, "in", NO_POINT);
    add_point(port, "total", 1);
    point_numbers_add(&numbers, "tray", "in", 7);
    point_numbers_add(&numbers, "port", "in", 0);
    point_numbers_add(&numbers, "port", "old", 1);
    point_numbers_add(&numbers, "port", "total", 2);
    vocabulary_renumber(&v, &numbers);
    assert_int_equal(port->points.n, 4);
    assert_int_equal(kind_point(port, "in")->slot, 0);
    assert_int_equal(kind_point(port, "total")->slot, 2);
    assert_int_equal(kind_point(port, "total")->total_of, 0);
    assert_int_equal(kind_point(port, "new")->slot, 3);
    assert_null(kind_point(port, "old"));
    assert_string_equal(port->points.v[1].name, POINT_GONE);
    assert_int_equal(port->points.v[1].type, VALUE_NONE);
    for (size_t i = 0; i < port->points.n; i++)
        assert_int_equal(port->points.v[i].slot, i);
    point_numbers_free(&numbers);
    vocabulary_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_are_found_by_code_and_number),
        cmocka_unit_test(test_title_falls_back_to_the_code),
        cmocka_unit_test(test_kinds_and_points_are_found_by_name),
        cmocka_unit_test(test_points_keep_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
