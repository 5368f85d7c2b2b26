#include "notify/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

/* The members as NAME=VALUE; one after another. */
static char *flatten(const char *json, int *rc)
{
    struct sbuf b = {0};
    struct args a;

    *rc = args_parse(&a, json);
    sbuf_add(&b, "");
    for (size_t i = 0; i < a.list.n; i++)
        sbuf_addf(&b, "%s=%s;", a.list.v[i].name, a.list.v[i].value);
    args_fini(&a);
    return sbuf_take(&b);
}

static void reads_flat_objects(void **state)
{
    static const struct {
        const char *json, *members;
    } rows[] = {
        {"{}", ""},
        {" { } ", ""},
        {"{\"level\":\"3 %\"}", "level=3 %;"},
        {"{\"a\":1,\"b\":-2.5e3,\"c\":true,\"d\":null}", "a=1;b=-2.5e3;c=true;d=null;"},
        {"{\"a\":\"\"}", "a=;"},
        {"{\"名\":\"卡纸\"}", "名=卡纸;"},
        {"{\"a\":\"\\\"\\\\\\/\\n\\t\"}", "a=\"\\/\n\t;"},
        {"{\"a\":\"\\u5361\\u7eb8 \\u00e9 \\u0041\"}", "a=卡纸 é A;"},
        {"{\"a\":\"\\ud83d\\ude00\"}", "a=😀;"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int rc;
        char *members = flatten(rows[i].json, &rc);

        if (rc != 0 || strcmp(members, rows[i].members) != 0)
            fail_msg("%s gives %d, %s", rows[i].json, rc, members);
        free(members);
    }
}

static void refuses_everything_else(void **state)
{
    static const char *const rows[] = {
        "",
        "null",
        "[]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":}",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "{\"a\":{}}",
        "{\"a\":[1]}",
        "{a:1}",
        "{\"a\":\"x",
        "{\"a\":\"\\",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\ud83d\"}",
        "{\"a\":\"\\ud83dx\"}",
        "{\"a\":\"\\ude00\"}",
        "{\"a\":\"\\ud83d\\u0041\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int rc;

        free(flatten(rows[i], &rc));
        if (rc != PD_EINVAL)
            fail_msg("%s is taken", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_flat_objects),
        cmocka_unit_test(refuses_everything_else),
    };

    return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
