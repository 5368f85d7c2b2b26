#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "expr/value.h"

static struct value with_quality(struct value v, enum quality q)
{
    v.quality = (uint8_t)q;
    return v;
}

static void test_same_compares_type_and_content(void **state)
{
    char hello[] = "hello";
    const struct {
        const char *what;
        struct value a, b;
        bool same;
    } rows[] = {
        {"equal whole numbers", value_int(7), value_int(7), true},
        {"different whole numbers", value_int(7), value_int(8), false},
        {"whole numbers beyond a double", value_int(INT64_MAX), value_int(INT64_MAX - 1), false},
        {"a whole number and a number", value_int(7), value_num(7), false},
        {"a whole number and an enumeration", value_int(7), value_enum(7), false},
        {"equal numbers", value_num(0.5), value_num(0.5), true},
        {"not a number, twice", value_num(NAN), value_num(NAN), true},
        {"enumerations", value_enum(1), value_enum(2), false},
        {"truth values", value_bool(true), value_bool(false), false},
        {"equal flag sets", value_bits(UINT64_MAX), value_bits(UINT64_MAX), true},
        {"different flag sets", value_bits(1), value_bits(3), false},
        {"equal texts in two places", value_text("hello"), value_text(hello), true},
        {"different texts", value_text("hello"), value_text("Hello"), false},
        {"nothing and nothing", VALUE_UNKNOWN, VALUE_UNKNOWN, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (value_same(rows[i].a, rows[i].b) != rows[i].same)
            fail_msg("%s", rows[i].what);
}

static void test_same_compares_quality(void **state)
{
    (void)state;
    assert_false(value_same(value_int(7), with_quality(value_int(7), QUALITY_STALE)));
    assert_true(value_same(with_quality(value_int(7), QUALITY_STALE), with_quality(value_int(7), QUALITY_STALE)));
    assert_false(value_same(with_quality(value_int(7), QUALITY_STALE), with_quality(value_int(8), QUALITY_STALE)));
}

static void test_same_ignores_content_that_does_not_count(void **state)
{
    static const enum quality without[] = {QUALITY_SOME, QUALITY_LIMIT, QUALITY_UNKNOWN};

    (void)state;
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        assert_true(value_same(with_quality(value_int(7), without[i]), with_quality(value_int(8), without[i])));
}

static void test_names_are_distinct_codes(void **state)
{
    (void)state;
    assert_string_equal(quality_name(QUALITY_GOOD), "good");
    assert_string_equal(quality_name(QUALITY_UNKNOWN), "unknown");
    assert_string_equal(value_type_name(VALUE_NONE), "none");
    for (int a = VALUE_NONE; a <= VALUE_TEXT; a++)
        for (int b = VALUE_NONE; b < a; b++)
            assert_string_not_equal(value_type_name((enum value_type)a), value_type_name((enum value_type)b));
    for (int a = QUALITY_GOOD; a <= QUALITY_UNKNOWN; a++)
        for (int b = QUALITY_GOOD; b < a; b++)
            assert_string_not_equal(quality_name((enum quality)a), quality_name((enum quality)b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_compares_type_and_content),
        cmocka_unit_test(test_same_compares_quality),
        cmocka_unit_test(test_same_ignores_content_that_does_not_count),
        cmocka_unit_test(test_names_are_distinct_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
