#include "gather/render.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "plugin/loop.h"

/* A loop, a renderer, and a shell script in the place of patrol-report. */
struct bench {
    struct pd_loop *loop;
    struct child_renderer *renderer;
    struct renderer ops;
    char folder[64];
    char *program, *out;
    bool done;
    int err;
    char *why;
};

static int begin(void **state)
{
    struct bench *b = xcalloc(1, sizeof *b);

    assert_int_equal(pd_loop_new(&clock_system, &rng_system, &b->loop), 0);
    b->renderer = child_renderer_new(pd_loop_services(b->loop));
    b->ops = child_renderer_ops(b->renderer);
    snprintf(b->folder, sizeof b->folder, "/tmp/patrold-render-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    b->program = xasprintf("%s/program", b->folder);
    b->out = xasprintf("%s/reports", b->folder);
    *state = b;
    return 0;
}

static void drop_file(void *arg, const char *name)
{
    struct bench *b = arg;

    b->ops.drop(b->ops.ctx, b->out, name);
}

static int end(void **state)
{
    struct bench *b = *state;

    b->ops.list(b->ops.ctx, b->out, drop_file, b);
    child_renderer_free(b->renderer);
    pd_loop_free(b->loop);
    unlink(b->program);
    rmdir(b->out);
    rmdir(b->folder);
    free(b->program);
    free(b->out);
    free(b->why);
    free(b);
    return 0;
}

static void put_program(struct bench *b, const char *script)
{
    FILE *f = fopen(b->program, "w");

    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n%s\n", script);
    fclose(f);
    assert_int_equal(chmod(b->program, 0700), 0);
}

static void take_end(void *arg, int err, const char *why)
{
    struct bench *b = arg;

    b->done = true;
    b->err = err;
    xstrset(&b->why, why);
    pd_loop_stop(b->loop);
}

static int start(struct bench *b, const char *document)
{
    const struct render_wish w = {b->program, b->out, "r", document, strlen(document)};

    return b->ops.start(b->ops.ctx, &w, take_end, b);
}

static void render(struct bench *b, const char *document)
{
    assert_int_equal(start(b, document), 0);
    assert_false(b->done);
    pd_loop_run(b->loop);
    assert_true(b->done);
}

static char *content(const struct bench *b, const char *name)
{
    char *path = xasprintf("%s/%s", b->out, name), *text = xcalloc(1, 8192);
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    text[fread(text, 1, 8191, f)] = '\0';
    fclose(f);
    free(path);
    return text;
}

static void the_document_comes_in_and_the_files_are_named(void **state)
{
    struct bench *b = *state;
    char *text;

    put_program(b, "cat >\"$2\"; echo \"$@\" >\"$4\"; echo 1 2 >&3");
    render(b, "{\"format\":1}");
    assert_int_equal(b->err, 0);
    text = content(b, "r.pdf");
    assert_string_equal(text, "{\"format\":1}");
    free(text);
    text = content(b, "r.html");
    assert_non_null(strstr(text, "/reports/r.pdf --html "));
    assert_non_null(strstr(text, "/reports/r.txt --progress 3"));
    free(text);
}

static void what_it_complains_of_is_the_reason(void **state)
{
    static const struct {
        const char *script, *why;
    } rows[] = {
        {"echo 'no font has U+1F600' >&2; exit 1", "no font has U+1F600"},
        {"printf 'one\\ntwo' >&2; exit 1", "one\ntwo"},
        {"printf 'a \\033[31m red one\\n' >&2; exit 1", "a \\x1B[31m red one"},
        {"exit 3", "patrol-report ended with code 3"},
        {"kill -9 $$", "patrol-report was ended by signal 9"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_program(b, rows[i].script);
        b->done = false;
        render(b, "{}");
        if (b->err != PD_EIO || strcasecmp(b->why, rows[i].why) != 0)
            fail_msg("%s: %d, '%s'", rows[i].script, b->err, b->why);
    }
}

static void a_program_that_is_not_there_is_told(void **state)
{
    struct bench *b = *state;

    render(b, "{}");
    assert_int_equal(b->err, PD_EIO);
    assert_non_null(strstr(b->why, "cannot be run"));
}

static void it_inherits_nothing_but_its_document_and_its_pipes(void **state)
{
    struct bench *b = *state;
    int null = open("/dev/null", O_RDONLY), ours = dup2(null, 77); /* without O_CLOEXEC */
    char *text;

    setenv("NOTIFY_SOCKET", "/run/secret", 1);
    put_program(b, "ls /proc/$$/fd >\"$2\"; env >\"$4\"; ulimit -c >\"$6\"");
    render(b, "{}");
    text = content(b, "r.pdf");
    assert_true(str_starts(text, "0\n1\n"));
    assert_non_null(strstr(text, "3\n"));
    assert_null(strstr(text, "77\n"));
    free(text);
    text = content(b, "r.html");
    assert_null(strstr(text, "NOTIFY_SOCKET"));
    free(text);
    text = content(b, "r.txt");
    assert_string_equal(text, "0\n");
    free(text);
    unsetenv("NOTIFY_SOCKET");
    close(null);
    close(ours);
}

static void one_runs_at_a_time_and_one_that_is_cancelled_is_gone(void **state)
{
    struct bench *b = *state;

    put_program(b, "sleep 60");
    assert_int_equal(start(b, "{}"), 0);
    assert_int_equal(start(b, "{}"), PD_EBUSY);
    b->ops.cancel(b->ops.ctx);
    put_program(b, "exit 0");
    render(b, "{}");
    assert_int_equal(b->err, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    const struct CMUnitTest tests[] = {
        TEST(the_document_comes_in_and_the_files_are_named),
        TEST(what_it_complains_of_is_the_reason),
        TEST(a_program_that_is_not_there_is_told),
        TEST(it_inherits_nothing_but_its_document_and_its_pipes),
        TEST(one_runs_at_a_time_and_one_that_is_cancelled_is_gone),
    };

    if (fd < 0) {
        puts("skipped: there is no pidfd_open() here, as under valgrind");
        return 77;
    }
    close(fd);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
