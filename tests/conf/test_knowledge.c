#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "conf/conf.h"

/* The knowledge that is shipped. */
static struct knowledge *load_shipped(const struct settings *overrides)
{
    const char *srcdir = getenv("srcdir");
    char *dir = xasprintf("%s/conf", srcdir ? srcdir : ".");
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    knowledge_load((const char *const[]){dir}, 1, overrides, &k, &report);
    if (report.errors > 0)
        print_error("%s", report.text.s);
    assert_int_equal(report.errors, 0);
    assert_non_null(k);
    conf_report_free(&report);
    free(dir);
    return k;
}

static void test_shipped_knowledge_loads(void **state)
{
    struct knowledge *k = load_shipped(NULL);

    (void)state;
    assert_string_equal(k->vocabulary.kinds.v[0]->name, "device");
    assert_non_null(k->identify);
    assert_int_equal(strlen(k->hash), 16);
    knowledge_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_knowledge_loads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
