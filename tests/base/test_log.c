#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

static void collect(void *ctx, const struct log_line *line)
{
    sbuf_addf(ctx, "%d %s %s\n", (int)line->level, line->sub, line->msg);
    errno = EIO;
}

static int restore(void **state)
{
    (void)state;
    log_set_sink(NULL, NULL);
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

static void lines_reach_the_sink(void **state)
{
    struct sbuf lines = {0};

    (void)state;
    log_set_sink(collect, &lines);
    log_set_level(LOG_LEVEL_DEBUG);
    log_error("store", "disk %s", "full");
    log_warn("snmp", "late");
    log_info("watch", "%d devices", 3);
    log_debug("watch", "noise");
    assert_string_equal(lines.s, "0 store disk full\n1 snmp late\n2 watch 3 devices\n3 watch noise\n");
    sbuf_free(&lines);
}

static void what_is_less_severe_is_left_out(void **state)
{
    struct sbuf lines = {0};

    (void)state;
    log_set_sink(collect, &lines);
    log_debug("a", "not at first");
    log_set_level(LOG_LEVEL_ERROR);
    log_warn("b", "no");
    log_error("c", "yes");
    assert_string_equal(lines.s, "0 c yes\n");
    sbuf_free(&lines);
}

static void errno_is_kept(void **state)
{
    struct sbuf lines = {0};

    (void)state;
    log_set_sink(collect, &lines);
    errno = ENOSPC;
    log_error("store", "full");
    assert_int_equal(errno, ENOSPC);
    sbuf_free(&lines);
}

static void keep_about(void *ctx, const struct log_line *line)
{
    sbuf_addf(ctx, "%s %s %s %s\n", log_kind_name(line->about.kind), line->about.device,
              line->about.rule ? line->about.rule : "-", line->about.ticket ? line->about.ticket : "-");
}

static void the_sink_learns_what_a_line_is_about(void **state)
{
    struct sbuf lines = {0};

    (void)state;
    log_set_sink(keep_about, &lines);
    log_about(LOG_LEVEL_WARN, "watch", &(struct log_about){.kind = LOG_KIND_NOT_POLLED, .device = "3F\ncopy"}, "no");
    log_about(LOG_LEVEL_WARN, "desk",
              &(struct log_about){
                  .kind = LOG_KIND_TICKET_OPENED, .device = "三楼", .rule = "printer-jam", .ticket = "HQ-000001"},
              "opened");
    assert_string_equal(lines.s, "not-polled 3F\\x0acopy - -\nticket-opened 三楼 printer-jam HQ-000001\n");
    sbuf_free(&lines);
}

static void each_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_null(log_kind_name(LOG_KIND_NONE));
    for (int a = LOG_KIND_NONE + 1; a < LOG_KIND_COUNT; a++) {
        assert_non_null(log_kind_name((enum log_kind)a));
        for (int b = LOG_KIND_NONE + 1; b < a; b++)
            assert_string_not_equal(log_kind_name((enum log_kind)a), log_kind_name((enum log_kind)b));
    }
}

/* What one call writes to standard error. */
static char *written(const struct log_about *about, const char *device_text)
{
    FILE *f = tmpfile();
    int saved = dup(STDERR_FILENO);
    char *line = xcalloc(1, 4096);
    ssize_t n;

    assert_non_null(f);
    assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
    log_about(LOG_LEVEL_WARN, "snmp", about, "device says %s", device_text);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    n = pread(fileno(f), line, 4095, 0);
    assert_true(n >= 0);
    fclose(f);
    return line;
}

static void a_line_on_standard_error_is_logfmt(void **state)
{
    char *line = written(&(struct log_about){0}, "\"hello\\\"");

    (void)state;
    assert_string_equal(line, "level=warn sub=snmp msg=\"device says \\\"hello\\\\\\\"\"\n");
    free(line);
}

static void a_line_on_standard_error_names_what_it_is_about(void **state)
{
    char *line = written(&(struct log_about){.kind = LOG_KIND_FAULT_OPENED, .device = "3F \"A\"", .rule = "jam"}, "x");

    (void)state;
    assert_string_equal(line, "level=warn sub=snmp kind=fault-opened device=\"3F \\\"A\\\"\" rule=\"jam\""
                              " msg=\"device says x\"\n");
    free(line);
}

static void a_device_cannot_forge_a_line(void **state)
{
    char *line = written(&(struct log_about){0}, "\nlevel=error sub=store msg=\"gone\"\x1b[2J");

    (void)state;
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    assert_null(strchr(line, '\x1b'));
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(lines_reach_the_sink, restore),
        cmocka_unit_test_teardown(what_is_less_severe_is_left_out, restore),
        cmocka_unit_test_teardown(errno_is_kept, restore),
        cmocka_unit_test_teardown(a_line_on_standard_error_is_logfmt, restore),
        cmocka_unit_test_teardown(the_sink_learns_what_a_line_is_about, restore),
        cmocka_unit_test_teardown(each_kind_has_a_name_of_its_own, restore),
        cmocka_unit_test_teardown(a_line_on_standard_error_names_what_it_is_about, restore),
        cmocka_unit_test_teardown(a_device_cannot_forge_a_line, restore),
    };

    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
