#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "daemon/journal.h"

/* A line's fields, one after the other. */
static char *fields_of(const struct log_line *line)
{
    char *fields[JOURNAL_FIELDS_MAX];
    size_t n = journal_fields(line, fields);
    struct sbuf b = {0};

    assert_in_range(n, 1, JOURNAL_FIELDS_MAX);
    for (size_t i = 0; i < n; i++) {
        sbuf_addf(&b, "%s\n", fields[i]);
        free(fields[i]);
    }
    return sbuf_take(&b);
}

static void a_line_has_the_fields_that_it_knows(void **state)
{
    char *plain = fields_of(&(struct log_line){.level = LOG_LEVEL_WARN, .sub = "snmp", .msg = "late"});
    char *full = fields_of(&(struct log_line){
        .level = LOG_LEVEL_INFO,
        .sub = "desk",
        .msg = "opened",
        .about = {.kind = LOG_KIND_TICKET_OPENED, .device = "三楼", .rule = "jam", .ticket = "T-1"}});

    (void)state;
    assert_string_equal(plain, "PRIORITY=4\nMESSAGE=late\nPATROLD_SUBSYSTEM=snmp\n");
    assert_non_null(strstr(full, "PRIORITY=6\nMESSAGE=opened\nPATROLD_SUBSYSTEM=desk\nMESSAGE_ID="));
    assert_non_null(strstr(full, "\nPATROLD_DEVICE=三楼\nPATROLD_RULE=jam\nPATROLD_TICKET=T-1\n"));
    free(plain);
    free(full);
}

static void levels_are_priorities(void **state)
{
    static const struct {
        enum log_level level;
        const char *priority;
    } rows[] = {{LOG_LEVEL_ERROR, "PRIORITY=3\n"},
                {LOG_LEVEL_WARN, "PRIORITY=4\n"},
                {LOG_LEVEL_INFO, "PRIORITY=6\n"},
                {LOG_LEVEL_DEBUG, "PRIORITY=7\n"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *fields = fields_of(&(struct log_line){.level = rows[i].level, .sub = "a", .msg = "b"});

        if (!str_starts(fields, rows[i].priority))
            fail_msg("level %d: %s", (int)rows[i].level, fields);
        free(fields);
    }
}

static char *read_catalog(void)
{
    const char *root = getenv("srcdir");
    char *path = xasprintf("%s/systemd/patrold.catalog", root ? root : "."), *text = xcalloc(1, 65536);
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    assert_in_range(fread(text, 1, 65535, f), 1, 65534);
    fclose(f);
    free(path);
    return text;
}

/* Every kind has a MESSAGE_ID of its own that the catalogue explains in both languages. */
static void the_catalogue_explains_each_kind(void **state)
{
    char *catalog = read_catalog();

    (void)state;
    for (int kind = LOG_KIND_NONE + 1; kind < LOG_KIND_COUNT; kind++) {
        char *fields = fields_of(&(struct log_line){
            .level = LOG_LEVEL_INFO, .sub = "a", .msg = "b", .about = {.kind = (enum log_kind)kind}});
        char *id = strstr(fields, "MESSAGE_ID="), *english, *chinese;

        assert_non_null(id);
        id += strlen("MESSAGE_ID=");
        assert_int_equal(strcspn(id, "\n"), 32);
        english = xasprintf("-- %.32s\n", id);
        chinese = xasprintf("-- %.32s zh_CN\n", id);
        if (!strstr(catalog, english) || !strstr(catalog, chinese))
            fail_msg("%s (%.32s) is not in the catalogue", log_kind_name((enum log_kind)kind), id);
        free(english);
        free(chinese);
        free(fields);
    }
    free(catalog);
}

static void standard_error_is_the_journal_where_the_manager_says_so(void **state)
{
    struct stat st;
    char *right, *wrong;

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    right = xasprintf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    wrong = xasprintf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + 1);
    unsetenv("JOURNAL_STREAM");
    assert_false(journal_is_stderr());
    setenv("JOURNAL_STREAM", right, 1);
    assert_true(journal_is_stderr());
    setenv("JOURNAL_STREAM", wrong, 1);
    assert_false(journal_is_stderr());
    setenv("JOURNAL_STREAM", "hello", 1);
    assert_false(journal_is_stderr());
    free(right);
    free(wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_the_fields_that_it_knows),
        cmocka_unit_test(levels_are_priorities),
        cmocka_unit_test(the_catalogue_explains_each_kind),
        cmocka_unit_test(standard_error_is_the_journal_where_the_manager_says_so),
    };

    return cmocka_run_group_tests_name("daemon/journal", tests, NULL, NULL);
}
