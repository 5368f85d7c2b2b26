#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

static void nothing_asked_for_is_still_a_pointer(void **state)
{
    void *p = xmalloc(0), *q = xcalloc(0, 8), *r = xreallocarray(NULL, 0, 8), *s = xmemdup("", 0);

    (void)state;
    assert_true(p && q && r && s);
    free(p);
    free(q);
    free(r);
    free(s);
}

static void calloc_gives_zeros(void **state)
{
    static const char zeros[64];
    char *p = xcalloc(8, 8);

    (void)state;
    assert_memory_equal(p, zeros, 64);
    free(p);
}

static void copies_are_copies(void **state)
{
    char text[] = "水墨";
    char *a = xstrdup(text), *b = xstrndup(text, 3), *c = xmemdup(text, sizeof text), *d = xasprintf("%s-%d", text, 7);

    (void)state;
    text[0] = 'x';
    assert_string_equal(a, "水墨");
    assert_string_equal(b, "水");
    assert_string_equal(c, "水墨");
    assert_string_equal(d, "水墨-7");
    assert_null(xstrdup_null(NULL));
    free(a);
    free(b);
    free(c);
    free(d);
}

static void a_text_may_be_set_from_its_own_inside(void **state)
{
    char *s = xstrdup("device-7");

    (void)state;
    xstrset(&s, s + 7);
    assert_string_equal(s, "7");
    xstrset(&s, s);
    assert_string_equal(s, "7");
    xstrset(&s, NULL);
    assert_null(s);
    xstrset(&s, "new");
    assert_string_equal(s, "new");
    free(s);
}

static void overflow_aborts(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        static const struct rlimit no_core = {0, 0};

        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        free(xreallocarray(NULL, SIZE_MAX / 2, 3));
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asked_for_is_still_a_pointer),
        cmocka_unit_test(calloc_gives_zeros),
        cmocka_unit_test(copies_are_copies),
        cmocka_unit_test(a_text_may_be_set_from_its_own_inside),
        cmocka_unit_test(overflow_aborts),
    };

    return cmocka_run_group_tests_name("base/mem", tests, NULL, NULL);
}
