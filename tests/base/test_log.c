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

static void collect(void *ctx, enum log_level level, const char *sub, const char *msg)
{
    sbuf_addf(ctx, "%d %s %s\n", (int)level, sub, msg);
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

/* What one call writes to standard error. */
static char *written(const char *device_text)
{
    FILE *f = tmpfile();
    int saved = dup(STDERR_FILENO);
    char *line = xcalloc(1, 4096);
    ssize_t n;

    assert_non_null(f);
    assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
    log_warn("snmp", "device says %s", device_text);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    n = pread(fileno(f), line, 4095, 0);
    assert_true(n >= 0);
    fclose(f);
    return line;
}

static void a_line_on_standard_error_is_logfmt(void **state)
{
    char *line = written("\"hello\\\"");

    (void)state;
    assert_string_equal(line, "level=warn sub=snmp msg=\"device says \\\"hello\\\\\\\"\"\n");
    free(line);
}

static void a_device_cannot_forge_a_line(void **state)
{
    char *line = written("\nlevel=error sub=store msg=\"gone\"\x1b[2J");

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
        cmocka_unit_test_teardown(a_device_cannot_forge_a_line, restore),
    };

    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
