#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <poll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "plugins/snmp/net.h"

/* A socket of the test's on loopback, and its address. */
static int peer_socket(union pd_addr *at)
{
    socklen_t n = sizeof at->in;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(pd_addr_parse("127.0.0.1", 0, at), 0);
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
    union pd_addr at;
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
        union pd_addr from;
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
            assert_true(pd_addr_same_host(&in[i].addr, &at));
            assert_int_equal(pd_addr_port(&in[i].addr), pd_addr_port(&at));
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
    union pd_addr at;
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
        cmocka_unit_test(packets_go_out_and_come_in_by_the_batch),
        cmocka_unit_test(a_packet_that_cannot_be_sent_does_not_stop_the_others),
    };

    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
