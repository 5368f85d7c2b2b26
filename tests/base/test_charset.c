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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_text_is_written_in_is_found_out),
        cmocka_unit_test(more_than_a_piece_is_converted_whole),
        cmocka_unit_test(what_is_neither_is_refused_with_its_place),
    };

    return cmocka_run_group_tests_name("base/charset", tests, NULL, NULL);
}
