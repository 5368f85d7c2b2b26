#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/service.h"

/* A service manager's socket, in the abstract namespace, and a clock that is turned by hand. */
struct manager {
    int fd;
    int64_t now_ms;
    struct pd_services services;
};

static int64_t told_time(void *ctx)
{
    return ((struct manager *)ctx)->now_ms;
}

static int begin(void **state)
{
    struct manager *m = xcalloc(1, sizeof *m);
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int n = snprintf(addr.sun_path + 1, sizeof addr.sun_path - 1, "patrold-test-%ld", (long)getpid());
    char *name = xasprintf("@%s", addr.sun_path + 1);

    m->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(
        bind(m->fd, (struct sockaddr *)&addr, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n)), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    free(name);
    m->now_ms = 5000;
    m->services.clock = (struct pd_clock){.mono_ms = told_time, .wall_ms = told_time, .ctx = m};
    m->services.wheel = wheel_new(m->now_ms);
    *state = m;
    return 0;
}

static int end(void **state)
{
    struct manager *m = *state;

    close(m->fd);
    wheel_free(m->services.wheel);
    free(m);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    return 0;
}

/* What the manager has heard since the last time; "" for nothing. */
static const char *heard(struct manager *m, char said[static 200])
{
    ssize_t n = recv(m->fd, said, 199, 0);

    said[n > 0 ? n : 0] = '\0';
    return said;
}

static void advance(struct manager *m, int64_t ms)
{
    m->now_ms += ms;
    wheel_advance(m->services.wheel, m->now_ms);
}

static void the_manager_is_told_what_goes_on(void **state)
{
    struct manager *m = *state;
    char said[200];

    service_ready("at work");
    assert_string_equal(heard(m, said), "READY=1\nSTATUS=at work");
    service_reloading(&m->services.clock);
    assert_string_equal(heard(m, said), "RELOADING=1\nMONOTONIC_USEC=5000000");
    service_stopping();
    assert_string_equal(heard(m, said), "STOPPING=1");
}

static void the_watchdog_gets_a_sign_twice_in_its_time(void **state)
{
    struct manager *m = *state;
    struct service *s;
    char said[200];

    setenv("WATCHDOG_USEC", "2000000", 1);
    s = service_start(&m->services);
    assert_string_equal(heard(m, said), "WATCHDOG=1");
    advance(m, 990);
    assert_string_equal(heard(m, said), "");
    advance(m, 10);
    assert_string_equal(heard(m, said), "WATCHDOG=1");
    advance(m, 1000);
    assert_string_equal(heard(m, said), "WATCHDOG=1");
    service_stop(s);
    advance(m, 5000);
    assert_string_equal(heard(m, said), "");
}

static void where_nobody_watches_there_is_no_timer(void **state)
{
    struct manager *m = *state;
    struct service *s = service_start(&m->services);
    char said[200];

    assert_int_equal(wheel_next(m->services.wheel), INT64_MAX);
    assert_string_equal(heard(m, said), "");
    service_stop(s);
    service_stop(NULL);
}

static void of_the_environment_only_the_managers_part_is_kept(void **state)
{
    mode_t mask;

    (void)state;
    setenv("http_proxy", "http://192.0.2.1:3128", 1);
    setenv("SSLKEYLOGFILE", "/tmp/keys", 1);
    setenv("WATCHDOG_USEC", "7", 1);
    service_harden();
    mask = umask(0);
    umask(mask);
    assert_null(getenv("http_proxy"));
    assert_null(getenv("SSLKEYLOGFILE"));
    assert_null(getenv("PATH"));
    assert_string_equal(getenv("WATCHDOG_USEC"), "7");
    assert_non_null(getenv("NOTIFY_SOCKET"));
    assert_int_equal(mask, 0027);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_manager_is_told_what_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(the_watchdog_gets_a_sign_twice_in_its_time, begin, end),
        cmocka_unit_test_setup_teardown(where_nobody_watches_there_is_no_timer, begin, end),
        cmocka_unit_test_setup_teardown(of_the_environment_only_the_managers_part_is_kept, begin, end),
    };

    return cmocka_run_group_tests_name("daemon/service", tests, NULL, NULL);
}
