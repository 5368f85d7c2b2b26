#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "plugins/snmp/net.h"

static void addresses_are_parsed_and_printed(void **state)
{
    static const struct {
        const char *text, *printed; /* NULL: refused */
    } rows[] = {
        {"192.0.2.1", "192.0.2.1:161"},
        {"127.0.0.1", "127.0.0.1:161"},
        {"2001:db8::1", "[2001:db8::1]:161"},
        {"2001:DB8:0::1", "[2001:db8::1]:161"},
        {"fe80::1%1", "[fe80::1%1]:161"},
        {"fe80::1%4294967295", "[fe80::1%4294967295]:161"},
        {"fe80::1", NULL}, /* on which link? */
        {"fe80::1%", NULL},
        {"fe80::1%nosuchif0", NULL},
        {"fe80::1%0", NULL},
        {"0.0.0.0", NULL},
        {"255.255.255.255", NULL},
        {"224.0.0.1", NULL},
        {"::", NULL},
        {"ff02::1", NULL},
        {"::ffff:192.0.2.1", NULL},
        {"192.0.2", NULL},
        {"192.0.2.256", NULL},
        {"192.0.2.1 ", NULL},
        {"printer", NULL},
        {"", NULL},
        {"1:2:3:4:5:6:7:8:9", NULL},
        {"2001:db8:2001:db8:2001:db8:2001:db8:2001:db8:2001:db8", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        union snmp_addr a = {0};
        char text[SNMP_ADDR_TEXT] = "";
        int rc = snmp_addr_parse(rows[i].text, 161, &a);

        if (rc == 0)
            snmp_addr_text(&a, text);
        if (rows[i].printed ? rc != 0 || strcmp(text, rows[i].printed) != 0 : rc != PD_EINVAL)
            fail_msg("'%s': %d, %s", rows[i].text, rc, text);
    }
}

static void a_scope_may_be_an_interface_name(void **state)
{
    union snmp_addr a;

    (void)state;
    assert_int_equal(snmp_addr_parse("fe80::1%lo", 161, &a), 0);
    assert_int_equal(a.in6.sin6_scope_id, if_nametoindex("lo"));
}

static void hosts_are_compared_without_ports(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true},      {"192.0.2.1", "192.0.2.2", false}, {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "192.0.2.1", false},   {"fe80::1%1", "fe80::1%1", true},  {"fe80::1%1", "fe80::1%2", false},
        {"2001:db8::1", "2001:db8::2", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        union snmp_addr a, b;

        assert_int_equal(snmp_addr_parse(rows[i].a, 161, &a), 0);
        assert_int_equal(snmp_addr_parse(rows[i].b, 1161, &b), 0);
        if (snmp_addr_same_host(&a, &b) != rows[i].same)
            fail_msg("%s and %s", rows[i].a, rows[i].b);
    }
}

/* ---- The kernel's UDP ---- */

/* A socket of the test's on loopback, and its address. */
static int peer_socket(union snmp_addr *at)
{
    socklen_t n = sizeof at->in;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(snmp_addr_parse("127.0.0.1", 0, at), 0);
    assert_int_equal(bind(fd, &at->sa, sizeof at->in), 0);
    assert_int_equal(getsockname(fd, &at->sa, &n), 0);
    return fd;
}

static void packets_go_out_and_come_in_by_the_batch(void **state)
{
    static const struct pd_services services = {0};
    struct snmp_packet out[SNMP_BATCH], in[SNMP_BATCH];
    uint8_t data[SNMP_BATCH];
    struct snmp_udp *udp;
    struct snmp_net net;
    union snmp_addr at;
    int fd = peer_socket(&at);
    size_t got = 0;

    (void)state;
    assert_int_equal(snmp_udp_open(&services, 1 << 18, &udp), 0);
    net = snmp_udp_net(udp);
    assert_true(net.buffer(net.ctx, AF_INET) > 0);
    for (size_t i = 0; i < SNMP_BATCH; i++) {
        data[i] = (uint8_t)i;
        out[i] = (struct snmp_packet){.addr = at, .data = &data[i], .n = 1};
    }
    assert_int_equal(net.send(net.ctx, out, SNMP_BATCH), SNMP_BATCH);
    for (size_t i = 0; i < SNMP_BATCH; i++) {
        union snmp_addr from;
        socklen_t n = sizeof from;
        uint8_t byte;

        assert_int_equal(out[i].err, 0);
        assert_int_equal(recvfrom(fd, &byte, 1, 0, &from.sa, &n), 1);
        assert_int_equal(byte, i);
        byte = (uint8_t)(100 + i);
        assert_int_equal(sendto(fd, &byte, 1, 0, &from.sa, n), 1);
    }
    while (got < SNMP_BATCH) {
        size_t n = net.recv(net.ctx, in, SNMP_BATCH);

        assert_true(n > 0);
        for (size_t i = 0; i < n; i++, got++) {
            assert_int_equal(in[i].n, 1);
            assert_int_equal(in[i].data[0], 100 + got);
            assert_true(snmp_addr_same_host(&in[i].addr, &at));
            assert_int_equal(snmp_addr_port(&in[i].addr), snmp_addr_port(&at));
        }
    }
    assert_int_equal(net.recv(net.ctx, in, SNMP_BATCH), 0);
    snmp_udp_close(udp);
    close(fd);
}

static void a_packet_that_cannot_be_sent_does_not_stop_the_others(void **state)
{
    static const struct pd_services services = {0};
    static uint8_t large[65535];
    struct snmp_packet out[3];
    struct snmp_udp *udp;
    struct snmp_net net;
    union snmp_addr at;
    uint8_t byte = 7;
    int fd = peer_socket(&at);

    (void)state;
    assert_int_equal(snmp_udp_open(&services, 1 << 18, &udp), 0);
    net = snmp_udp_net(udp);
    out[0] = out[2] = (struct snmp_packet){.addr = at, .data = &byte, .n = 1};
    out[1] = (struct snmp_packet){.addr = at, .data = large, .n = sizeof large}; /* no datagram is that large */
    assert_int_equal(net.send(net.ctx, out, 3), 3);
    assert_int_equal(out[0].err, 0);
    assert_int_not_equal(out[1].err, 0);
    assert_int_equal(out[2].err, 0);
    assert_int_equal(recv(fd, large, sizeof large, 0), 1);
    assert_int_equal(recv(fd, large, sizeof large, 0), 1);
    snmp_udp_close(udp);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_parsed_and_printed),
        cmocka_unit_test(a_scope_may_be_an_interface_name),
        cmocka_unit_test(hosts_are_compared_without_ports),
        cmocka_unit_test(packets_go_out_and_come_in_by_the_batch),
        cmocka_unit_test(a_packet_that_cannot_be_sent_does_not_stop_the_others),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
