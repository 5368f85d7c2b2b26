#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/private.h"

static void what_is_shipped_loads(void **state)
{
    const char *srcdir = getenv("srcdir");
    char *folder = xasprintf("%s/conf", srcdir ? srcdir : ".");
    const char *const folders[] = {folder, "/nowhere"};
    struct conf_report report = {0};
    struct private_data p;
    bool knows_name = false;

    (void)state;
    assert_int_equal(private_load(folders, 2, &p, &report), 0);
    assert_true(p.walk.n >= 3);
    for (size_t i = 0; i < p.objects.n; i++)
        knows_name |= strcmp(p.objects.v[i].object, "1.3.6.1.2.1.1.5") == 0 && p.objects.v[i].holds == PRIVATE_TEXT;
    assert_true(knows_name);
    private_free(&p);
    conf_report_free(&report);
    free(folder);
}

static void what_makes_no_sense_is_told_with_its_place(void **state)
{
    static const struct {
        const char *text, *told;
    } rows[] = {
        {"private: [{object: sysName, holds: text}]\n", "'sysName' is no object identifier"},
        {"private:\n  - {object: 1.3.6.1, holds: names}\n", ":2:"},
        {"private: [{holds: text}]\n", "object"},
        {"walks: [1.3.6.1]\n", "walk"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char folder[] = "/tmp/patrold-private-XXXXXX";
        const char *const folders[] = {folder};
        struct conf_report report = {0};
        struct private_data p;
        char *path;

        assert_non_null(mkdtemp(folder));
        path = xasprintf("%s/private.yaml", folder);
        assert_int_equal(file_write_whole(path, rows[i].text, strlen(rows[i].text), 0600), 0);
        if (private_load(folders, 1, &p, &report) != PD_EINVAL || !strstr(report.text.s, rows[i].told))
            fail_msg("row %zu: %s", i, report.text.s ? report.text.s : "nothing is told");
        conf_report_free(&report);
        (void)unlink(path);
        (void)rmdir(folder);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shipped_loads),
        cmocka_unit_test(what_makes_no_sense_is_told_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
