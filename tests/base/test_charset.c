#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/charset.h"
#include "base/err.h"
#include "base/mem.h"

static void what_a_text_is_written_in_is_found_out(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *text, *charset;
    } rows[] = {
        {"", 0, "", "UTF-8"},
        {"name", 4, "name", "UTF-8"},
        {"\xe6\x89\x93\xe5\x8d\xb0", 6, "打印", "UTF-8"},
        {"\xef\xbb\xbf\xe6\x89\x93", 6, "打", "UTF-8"},
        {"\xb4\xf2\xd3\xa1,a", 6, "打印,a", "GB18030"},
        {"\xff\xfe\x53\x62,\0", 6, "打,", "UTF-16LE"},
        {"\xfe\xff\x62\x53\0,", 6, "打,", "UTF-16BE"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *data = xmemdup(rows[i].n ? rows[i].bytes : "x", rows[i].n ? rows[i].n : 1);
        const char *charset = NULL;
        size_t n = rows[i].n, bad;
        int rc = charset_to_utf8(&data, &n, &charset, &bad);

        if (rc != 0 || strcmp(data, rows[i].text) != 0 || n != strlen(data) || strcmp(charset, rows[i].charset) != 0)
            fail_msg("row %zu: %d, '%s', %s", i, rc, data, charset ? charset : "");
        free(data);
    }
}

static void more_than_a_piece_is_converted_whole(void **state)
{
    enum { MANY = 100000 };
    char *data = xmalloc(2 * MANY);
    const char *charset;
    size_t n = 2 * MANY, bad;

    (void)state;
    for (size_t i = 0; i < MANY; i++)
        memcpy(data + 2 * i, "\xb4\xf2", 2);
    assert_int_equal(charset_to_utf8(&data, &n, &charset, &bad), 0);
    assert_int_equal(n, 3 * MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_memory_equal(data + 3 * i, "打", 3);
    free(data);
}

static void what_is_neither_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *bytes;
        size_t n, bad;
    } rows[] = {
        {"ab\xff\xff", 4, 2},
        {"ab\xb4", 3, 2}, /* cut within a character */
        {"\xef\xbb\xbf"
         "ab\xb4\xf2",
         7, 5},                                 /* says that it is UTF-8 */
        {"\xef\xbb\xbf\xf4\xb8\xbc\xbc", 7, 3}, /* beyond U+10FFFF */
        {"\xff\xfe\x53", 3, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *data = xmemdup(rows[i].bytes, rows[i].n);
        const char *charset;
        size_t n = rows[i].n, bad = 99;
        int rc = charset_to_utf8(&data, &n, &charset, &bad);

        if (rc != PD_EINVAL || bad != rows[i].bad)
            fail_msg("row %zu: %d at %zu", i, rc, bad);
        free(data);
    }
}

/* One octet string, and what people are to read. */
static void test_device_texts_are_read_in_the_charset_that_makes_sense(void **state)
{
#define ROW(bytes, text)                                                                                               \
    {                                                                                                                  \
        bytes, sizeof bytes - 1, text                                                                                  \
    }
    static const struct {
        const char *bytes;
        size_t n;
        const char *text;
    } rows[] = {
        ROW("", ""),
        ROW("HP LaserJet", "HP LaserJet"),
        ROW("  HP\0\0LaserJet\r\n", "HP LaserJet"),
        ROW("name\0\0\0\0", "name"),
        ROW("\0\0\0", ""),
        /* UTF-8 */
        ROW("打印机 3 楼", "打印机 3 楼"),
        ROW("Büro", "Büro"),
        ROW("\xe6\x89\x93\xe5\x8d\xb0\xe6\x9c", "打印"), /* cut within a character */
        ROW("\xe6\x89\x93\xe5\x8d\xb0\xe6", "打印"),
        ROW("B\xc3\xbcro 2\xe6\x89", "Büro 2"),
        /* GBK */
        ROW("\xb4\xf2\xd3\xa1\xbb\xfa", "打印机"),
        ROW("\xbb\xe1\xd2\xe9\xca\xd2", "会议室"),
        ROW("\xbb\xfa\xb7\xbf", "机房"),
        ROW("\xb1\xb1\xbe\xa9", "北京"),
        ROW("\xd0\xc5\xcf\xa2\xd6\xd0\xd0\xc4 2\xc2\xa5", "信息中心 2楼"),
        ROW("HP\xb4\xf2\xd3\xa1\xbb\xfaM1", "HP打印机M1"),
        ROW("A\xd7\xf9", "A座"),
        ROW("\xb2\xc6\xce\xf1\xca\xd2\xa3\xac\xc8\xfd\xc2\xa5", "财务室，三楼"),
        ROW("\xb4\xf2\xd3\xa1\xbb", "打印"), /* cut */
        ROW("\xc4\xab\xb7\xdb", "墨粉"),
        ROW("\xba\xda\xc9\xab\xcc\xbc\xb7\xdb", "黑色碳粉"),
        ROW("\xb2\xca\xc9\xab\xb8\xb4\xd3\xa1\xbb\xfa", "彩色复印机"),
        /* Shift-JIS */
        ROW("\x83\x76\x83\x8a\x83\x93\x83\x5e", "プリンタ"),
        ROW("\x95\xa1\x8d\x87\x8b\x40", "複合機"),
        ROW("\x89\xef\x8b\x63\x8e\xba", "会議室"),
        ROW("\x83\x67\x83\x69\x81\x5b\x8f\x5c\x95\xaa", "トナー十分"),
        ROW("\x93\x8c\x8b\x9e\x83\x49\x83\x74\x83\x42\x83\x58", "東京オフィス"),
        ROW("\x82\xb1\x82\xcc\x83", "この"), /* cut */
        /* Latin-1 */
        ROW("B\xfcro", "Büro"),
        ROW("Ger\xe4teraum S\xfc"
            "d",
            "Geräteraum Süd"),
        ROW("Gr\xf6\xdf"
            "e",
            "Größe"),
        ROW("Stra\xdf"
            "e 5",
            "Straße 5"),
        ROW("caf\xe9", "café"),
        ROW("\xdc"
            "bergabe",
            "Übergabe"),
        ROW("23 \xb0"
            "C",
            "23 °C"),
        ROW("cr\xe9\xe9"
            "e",
            "créée"),
        ROW("Sal\xf3n \xd1u\xf1oa", "Salón Ñuñoa"),
        /* UTF-16 */
        ROW("H\0P\0 \0L\0", "HP L"),
        ROW("\0H\0P\0 \0L", "HP L"),
        ROW("\xff\xfe\x53\x62\x70\x53", "打印"),
        /* nothing at all */
        ROW("\x80\x81\xff", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"),
        ROW("a\xff", "aÿ"),
        ROW("\xe6\x89\x93\xff\xe5\x8d\xb0", "打\xef\xbf\xbd印"),
    };
#undef ROW

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = charset_device_text(rows[i].bytes, rows[i].n, 1024);

        if (strcmp(text, rows[i].text) != 0)
            fail_msg("row %zu: '%s' instead of '%s'", i, text, rows[i].text);
        free(text);
    }
}

static void test_a_device_text_is_cut_at_a_character(void **state)
{
    char bytes[6000];
    char *text;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i += 2)
        memcpy(bytes + i, "\xb4\xf2", 2);
    text = charset_device_text(bytes, sizeof bytes, 1024);
    assert_int_equal(strlen(text), 1023); /* 341 characters of three bytes */
    assert_true(str_utf8_valid(text, 1023));
    assert_memory_equal(text, "打", 3);
    free(text);
}

/* Whatever comes is clean text. */
static void test_any_octets_become_clean_text(void **state)
{
    uint32_t x = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[40];
        size_t n;
        char *text;

        for (n = 0; n < sizeof bytes; n++) {
            x = x * 1664525 + 1013904223;
            bytes[n] = (uint8_t)(x >> 24);
        }
        n = x >> 8 & 31;
        text = charset_device_text(bytes, n, 32);
        assert_true(strlen(text) <= 32);
        assert_true(str_utf8_valid(text, strlen(text)));
        for (const char *p = text; *p; p++)
            assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_text_is_written_in_is_found_out),
        cmocka_unit_test(more_than_a_piece_is_converted_whole),
        cmocka_unit_test(what_is_neither_is_refused_with_its_place),
        cmocka_unit_test(test_device_texts_are_read_in_the_charset_that_makes_sense),
        cmocka_unit_test(test_a_device_text_is_cut_at_a_character),
        cmocka_unit_test(test_any_octets_become_clean_text),
    };

    return cmocka_run_group_tests_name("base/charset", tests, NULL, NULL);
}
