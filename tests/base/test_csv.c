#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/err.h"
#include "base/mem.h"

/* All of a text as "LINE:field|field;" a row, with what is wrong at the end: "!LINE words". */
static char *read_all(const char *text, size_t n)
{
    struct csv c;
    struct csv_row row = {0};
    struct sbuf out = {0};
    const char *why;
    int rc, line = 0;

    csv_init(&c, text, n);
    while ((rc = csv_next(&c, &row, &why, &line)) == 1) {
        sbuf_addf(&out, "%d:", row.line);
        for (size_t i = 0; i < row.fields.n; i++)
            sbuf_addf(&out, "%s%s", i > 0 ? "|" : "", csv_field(&row, i));
        sbuf_addc(&out, ';');
    }
    if (rc < 0)
        sbuf_addf(&out, "!%d %s", line, why);
    csv_row_fini(&row);
    return sbuf_take(&out);
}

static void rows_and_fields(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"a", "1:a;"},
        {"a,b\nc,d\n", "1:a|b;2:c|d;"},
        {"a,b\r\nc,d\r\n", "1:a|b;2:c|d;"},
        {"a,b\rc,d", "1:a|b;2:c|d;"},
        {"a,\n,b\n,", "1:a|;2:|b;3:|;"},
        {"\n\r\na\n\n\nb", "3:a;6:b;"},
        {"\"a,b\",c", "1:a,b|c;"},
        {"\"a \"\"b\"\"\",c", "1:a \"b\"|c;"},
        {"\"\",\"\"", "1:|;"},
        {"\"a\nb\r\nc\",d\ne", "1:a\nb\r\nc|d;4:e;"},
        {"\"a\rb\"\nc", "1:a\rb;3:c;"},
        {" a , b ", "1: a | b ;"},
        {"名称;地址\n三楼;10.0.0.1", "1:名称|地址;2:三楼|10.0.0.1;"},
        {"a\tb,c\td\n1\t2\t3", "1:a|b,c|d;2:1|2|3;"},
        {"\"a;b;c\",d\n1,2", "1:a;b;c|d;2:1|2;"},
        {"a,b\n\"c", "1:a|b;!2 a quote is opened and never closed"},
        {"a,\"b\nc\nd", "!1 a quote is opened and never closed"},
        {"a\n\"b\"c", "1:a;!2 behind a closing quote stands something; a quote within a field is written twice"},
        {"a\nb\"c", "1:a;!2 a quote stands within a field that is not in quotes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *got = read_all(rows[i].text, strlen(rows[i].text));

        if (strcmp(got, rows[i].want) != 0)
            fail_msg("row %zu: '%s', not '%s'", i, got, rows[i].want);
        free(got);
    }
}

static void what_is_no_text_or_too_much_is_refused(void **state)
{
    char *big = xmalloc(CSV_FIELD_BYTES + 2), *got;

    (void)state;
    got = read_all("a,\0b", 4);
    assert_string_equal(got, "!1 there is a NUL: this is no text");
    free(got);
    memset(big, 'x', CSV_FIELD_BYTES + 2);
    got = read_all(big, CSV_FIELD_BYTES + 1);
    assert_string_equal(got, "!1 a field is longer than 1 MiB");
    free(got);
    got = read_all(big, CSV_FIELD_BYTES);
    assert_int_equal(strlen(got), CSV_FIELD_BYTES + 3);
    free(got);
    memset(big, ',', CSV_FIELDS_MAX);
    got = read_all(big, CSV_FIELDS_MAX);
    assert_string_equal(got, "!1 there are more than 500 fields");
    free(got);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_fields),
        cmocka_unit_test(what_is_no_text_or_too_much_is_refused),
    };

    return cmocka_run_group_tests_name("base/csv", tests, NULL, NULL);
}
