#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static void valid_and_invalid(void **state)
{
    static const struct {
        const char *s;
        bool valid;
    } rows[] = {
        {"", true},
        {"ascii", true},
        {"打印机", true},
        {"\xc2\x80", true},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\x80", false},             /* continuation alone */
        {"\xc0\xaf", false},         /* overlong */
        {"\xc1\xbf", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\xed\xa0\x80", false},     /* surrogate */
        {"\xed\xbf\xbf", false},     /* surrogate */
        {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\xe6\x89", false}, /* cut off */
        {"\xe6"
         "A",
         false},
        {"ok\xf0\x9f\x98", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_utf8_valid(rows[i].s, strlen(rows[i].s)) != rows[i].valid)
            fail_msg("row %zu", i);
    assert_true(str_utf8_valid("a\0b", 3));
    assert_false(str_utf8_valid("打", 2));
}

static void json_is_escaped(void **state)
{
    static const struct {
        const char *s, *json;
    } rows[] = {
        {NULL, "null"},
        {"", "\"\""},
        {"卡纸", "\"卡纸\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01\x7f", "\"\\n\\u0009\\u0001\\u007f\""},
        {"\xc2\x9b", "\"\\u009b\""},
        {"\xff!", "\"\xef\xbf\xbd!\""},
        {"\xe6\x89", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbuf b = {0};

        sbuf_add_json(&b, rows[i].s);
        if (strcmp(b.s, rows[i].json) != 0)
            fail_msg("row %zu: %s", i, b.s);
        sbuf_free(&b);
    }
}

static void what_could_deceive_is_made_visible(void **state)
{
    static const struct {
        const char *s, *visible;
    } rows[] = {
        {"", ""},
        {"Kyocera 碳粉 é", "Kyocera 碳粉 é"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"one\ntwo\ttab\rback\x7f", "one\\x0atwo\\x09tab\\x0dback\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\u009b31m"}, /* C1: CSI in one character */
        {"\x9b"
         "31m",
         "\\x9b31m"}, /* the same as a bare byte */
        {"\xe2\x80\xae"
         "gpj.exe",
         "\\u202egpj.exe"},                                       /* right-to-left override */
        {"\xe2\x80\xaa\xe2\x80\xac", "\\u202a\\u202c"},           /* embedding, and its end */
        {"\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069"},           /* isolates */
        {"\xe2\x80\xa8\xe2\x80\x8f", "\\u2028\\u200f"},           /* line separator, mark */
        {"\xe2\x80\xa7\xe2\x80\xaf", "\xe2\x80\xa7\xe2\x80\xaf"}, /* their neighbours are harmless */
        {"\xc0\xae", "\\xc0\\xae"},
        {"\xe6\x89", "\\xe6\\x89"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sbuf b = {0};

        sbuf_add_visible(&b, rows[i].s);
        if (strcmp(b.s, rows[i].visible) != 0)
            fail_msg("row %zu: %s", i, b.s);
        sbuf_free(&b);
    }
}

static void device_text_is_cleaned(void **state)
{
    static const struct {
        const char *s;
        size_t n, max;
        const char *clean;
    } rows[] = {
        {"", 0, 10, ""},
        {"HP LaserJet", 11, 64, "HP LaserJet"},
        {"  both ends \r\n", 14, 64, "both ends"},
        {"two\r\nlines", 10, 64, "two lines"},
        {"a\0\0b", 4, 64, "a b"},
        {"\0\0\0", 3, 64, ""},
        {"a  b", 4, 64, "a  b"},
        {"\xff"
         "a",
         2, 64,
         "\xef\xbf\xbd"
         "a"},
        {"\xff"
         "a",
         2, 2, ""},
        {"打印机", 9, 8, "打印"},
        {"打印机", 9, 2, ""},
        {"打印机", 8, 64, "打印\xef\xbf\xbd\xef\xbf\xbd"},
        {"abc def", 7, 4, "abc"},
        {"abc def", 7, 5, "abc d"},
        {"abc", 3, 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *s = str_clean(rows[i].s, rows[i].n, rows[i].max);

        if (strcmp(s, rows[i].clean) != 0)
            fail_msg("row %zu: '%s'", i, s);
        free(s);
    }
}

static void cleaned_text_keeps_its_bounds_for_any_bytes(void **state)
{
    unsigned char bytes[64];
    uint32_t x = 1;

    (void)state;
    for (int round = 0; round < 5000; round++) {
        size_t max = (size_t)round % 70;
        char *s;

        for (size_t i = 0; i < sizeof bytes; i++) {
            x = x * 1664525 + 1013904223;
            bytes[i] = (unsigned char)(x >> 24);
        }
        s = str_clean(bytes, sizeof bytes, max);
        if (strlen(s) > max || !str_utf8_valid(s, strlen(s)) || s[0] == ' ' || (s[0] && s[strlen(s) - 1] == ' '))
            fail_msg("round %d", round);
        free(s);
    }
}

static void widths_are_columns(void **state)
{
    static const struct {
        const char *s;
        size_t width;
    } rows[] = {
        {"", 0},     {"abc", 3},       {"碳粉", 4},
        {"，。", 4}, {"ＡＢ", 4},      {"ｱ", 1},
        {"한글", 4}, {"e\xcc\x81", 1}, {"\xf0\x9f\x98\x80", 2},
        {"é", 1},    {"𠀀", 2},        {"\xff", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_width(rows[i].s) != rows[i].width)
            fail_msg("'%s' takes %zu", rows[i].s, str_width(rows[i].s));
}

static void folded_chinese_has_no_spaces(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {" ", " "},
        {"卡纸。 若反复", "卡纸。若反复"},
        {"一 二 三", "一二三"},
        {"更换 fuser 后", "更换 fuser 后"},
        {"两个  空格", "两个  空格"},
        {" 开头", " 开头"},
        {"结尾 ", "结尾 "},
        {"a b", "a b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *s = xstrdup(rows[i].in);

        str_unfold_wide(s);
        if (strcmp(s, rows[i].out) != 0)
            fail_msg("'%s' became '%s'", rows[i].in, s);
        free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_and_invalid),
        cmocka_unit_test(json_is_escaped),
        cmocka_unit_test(what_could_deceive_is_made_visible),
        cmocka_unit_test(device_text_is_cleaned),
        cmocka_unit_test(cleaned_text_keeps_its_bounds_for_any_bytes),
        cmocka_unit_test(widths_are_columns),
        cmocka_unit_test(folded_chinese_has_no_spaces),
    };

    return cmocka_run_group_tests_name("base/utf8", tests, NULL, NULL);
}
