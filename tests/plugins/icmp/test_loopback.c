#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "plugin/loop.h"
#include "plugins/icmp/icmp.h"

/* The collector on the kernel's own loopback, over each kind of socket that this process may open. */

struct echo {
    bool ended;
    enum pd_read_status status;
    double rtt, loss;
};

static void take_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct echo *e = arg;

    for (size_t i = 0; i < n; i++)
        *(cells[i].source == 0 ? &e->rtt : &e->loss) = cells[i].f;
}

static void take_end(void *arg, const struct pd_read_result *r)
{
    struct echo *e = arg;

    e->ended = true;
    e->status = r->status;
}

static struct echo ping(const struct pd_icmp_sockets *sockets, const char *address)
{
    static const struct pd_source sources[] = {{.id = 0, .address = "rtt"}, {.id = 1, .address = "loss"}};
    struct pd_icmp_config config = pd_icmp_defaults;
    struct pd_target t = {.name = "d", .address = address, .retries = -1};
    struct echo e = {.rtt = -1, .loss = -1};
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = &e};
    struct pd_collector *c;
    struct pd_compile_error err;
    struct pd_plan *plan;
    struct pd_device *d;
    struct pd_loop *loop;
    struct pd_read *r;

    config.sockets = sockets;
    config.timeout_ms = 2000;
    config.gap_ms = 10;
    assert_int_equal(pd_loop_new(&clock_system, &rng_system, &loop), 0);
    assert_int_equal(pd_icmp_ops.start(pd_loop_services(loop), &config, &c), 0);
    assert_int_equal(pd_icmp_ops.compile(c, sources, 2, &plan, &err), 0);
    assert_int_equal(pd_icmp_ops.open(c, &t, &d), 0);
    assert_int_equal(pd_icmp_ops.read(d, plan, 1, &sink, &r), 0);
    for (int i = 0; i < 200 && !e.ended; i++)
        assert_int_equal(pd_loop_once(loop, 100), 0);
    pd_icmp_ops.stop(c);
    pd_icmp_ops.plan_free(plan);
    pd_loop_free(loop);
    assert_true(e.ended);
    return e;
}

/* Only sockets of that way, or none: false if one is not allowed here. */
static bool open_only(enum icmp_way way, int family, struct pd_icmp_sockets *out)
{
    int type = (way == ICMP_RAW ? SOCK_RAW : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(family, type, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    union pd_addr any = {.sa = {.sa_family = (sa_family_t)family}};
    int place = family == AF_INET ? 0 : 1;

    out->family[0].fd = out->family[1].fd = -1;
    out->family[0].way = out->family[1].way = ICMP_NOT;
    if (fd < 0)
        return false;
    if (way == ICMP_DATAGRAM)
        assert_int_equal(bind(fd, &any.sa, pd_addr_size(&any)), 0);
    out->family[place].fd = fd;
    out->family[place].way = way;
    return true;
}

static void the_loopback_answers(void **state)
{
    static const struct {
        enum icmp_way way;
        int family;
        const char *address;
    } rows[] = {
        {ICMP_RAW, AF_INET, "127.0.0.1"},  {ICMP_DATAGRAM, AF_INET, "127.0.0.1"},
        {ICMP_RAW, AF_INET, "127.99.0.3"}, {ICMP_DATAGRAM, AF_INET, "127.99.0.3"},
        {ICMP_RAW, AF_INET6, "::1"},       {ICMP_DATAGRAM, AF_INET6, "::1"},
    };
    int tried = 0;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pd_icmp_sockets sockets;
        struct echo e;

        if (!open_only(rows[i].way, rows[i].family, &sockets))
            continue;
        e = ping(&sockets, rows[i].address);
        if (e.status != PD_READ_DONE || e.loss != 0 || e.rtt < 0 || e.rtt > 1000)
            fail_msg("row %zu: status %d, rtt %g, loss %g", i, e.status, e.rtt, e.loss);
        tried++;
    }
    if (tried == 0)
        skip();
}

static void the_other_family_is_refused(void **state)
{
    struct pd_icmp_sockets sockets;

    (void)state;
    if (!open_only(ICMP_RAW, AF_INET, &sockets) && !open_only(ICMP_DATAGRAM, AF_INET, &sockets))
        skip();
    assert_int_equal(ping(&sockets, "::1").status, PD_READ_REFUSED);
}

static void it_starts_without_any_socket(void **state)
{
    struct pd_icmp_sockets none = {{{-1, ICMP_NOT}, {-1, ICMP_NOT}}};

    (void)state;
    assert_int_equal(ping(&none, "127.0.0.1").status, PD_READ_REFUSED);
}

static void it_opens_what_it_may(void **state)
{
    struct pd_icmp_sockets sockets;

    (void)state;
    pd_icmp_open(&sockets);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sockets.family[i].fd >= 0, sockets.family[i].way != ICMP_NOT);
    if (sockets.family[0].way == ICMP_NOT)
        skip();
    assert_int_equal(ping(&sockets, "127.0.0.1").status, PD_READ_DONE); /* which closes them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loopback_answers),
        cmocka_unit_test(the_other_family_is_refused),
        cmocka_unit_test(it_starts_without_any_socket),
        cmocka_unit_test(it_opens_what_it_may),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
