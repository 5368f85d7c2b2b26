#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plugins/icmp/packet.h"
#include "tests/plugins/icmp/answers.h"

static const struct icmp_echo echo = {
    .id = 0x1234, .seq = 0xfedc, .slot = 0xfedc, .cookie = UINT64_C(0x0123456789abcdef)};
static const uint8_t to4[4] = {192, 0, 2, 7};
static const uint8_t to6[16] = {0xfe, 0x80, [15] = 7};

static enum icmp_drop decode(const uint8_t *data, size_t n, int family, enum icmp_way way, struct icmp_message *m)
{
    uint8_t *exact = malloc(n ? n : 1); /* the sanitizers see every byte beyond it */
    enum icmp_drop drop;

    if (n)
        memcpy(exact, data, n);
    drop = icmp_decode(exact, n, family, way, m);
    free(exact);
    return drop;
}

/* The example of RFC 1071, section 3, and a last byte alone. */
static void the_checksum_is_that_of_the_standard(void **state)
{
    static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}, odd[] = {1, 2, 3};

    (void)state;
    assert_int_equal(icmp_checksum(data, sizeof data), 0x220d);
    assert_int_equal(icmp_checksum(odd, sizeof odd), (uint16_t) ~(0x0102 + 0x0300));
    assert_int_equal(icmp_checksum(NULL, 0), 0xffff);
}

static void a_request_holds_what_it_is_known_by(void **state)
{
    static const uint8_t known[] = {8,    0,    0,    0,    0x12, 0x34, 0xfe, 0xdc, 0x01, 0x23,
                                    0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0,    0,    0xfe, 0xdc};
    uint8_t four[ICMP_PACKET], six[ICMP_PACKET];

    (void)state;
    icmp_encode(&echo, AF_INET, four);
    assert_int_equal(icmp_checksum(four, sizeof four), 0);
    four[2] = four[3] = 0;
    assert_memory_equal(four, known, sizeof known);
    icmp_encode(&echo, AF_INET6, six);
    assert_int_equal(six[0], 128);
    assert_int_equal(six[2] | six[3], 0); /* the kernel's */
    assert_memory_equal(six + 4, known + 4, sizeof known - 4);
}

static const struct {
    int family;
    enum icmp_way way;
} ways[] = {{AF_INET, ICMP_RAW}, {AF_INET, ICMP_DATAGRAM}, {AF_INET6, ICMP_RAW}, {AF_INET6, ICMP_DATAGRAM}};

static void a_reply_is_known_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        uint8_t request[ICMP_PACKET], answer[ANSWER_MAX];
        struct icmp_message m;
        size_t n;

        icmp_encode(&echo, ways[i].family, request);
        n = answer_reply(request, sizeof request, ways[i].family, ways[i].way == ICMP_RAW, answer);
        if (decode(answer, n, ways[i].family, ways[i].way, &m) != ICMP_TAKEN || m.is_error || !m.has_cookie ||
            m.echo.id != echo.id || m.echo.seq != echo.seq || m.echo.slot != echo.slot || m.echo.cookie != echo.cookie)
            fail_msg("row %zu", i);
        for (size_t cut = 0; cut < n; cut++)
            if (decode(answer, cut, ways[i].family, ways[i].way, &m) == ICMP_TAKEN)
                fail_msg("row %zu: taken with %zu of %zu bytes", i, cut, n);
    }
}

static void what_the_link_padded_is_no_part_of_it(void **state)
{
    uint8_t request[ICMP_PACKET], answer[ANSWER_MAX] = {0};
    struct icmp_message m;
    size_t n;

    (void)state;
    icmp_encode(&echo, AF_INET, request);
    n = answer_reply(request, sizeof request, AF_INET, 1, answer);
    assert_int_equal(decode(answer, n + 6, AF_INET, ICMP_RAW, &m), ICMP_TAKEN);
    assert_int_equal(m.echo.cookie, echo.cookie);
}

/* A raw IPv4 reply with one byte other than it should be. */
static const struct {
    size_t at;
    uint8_t value;
    bool mended; /* the checksum fits again */
    enum icmp_drop drop;
} bent[] = {
    {0, 0x65, false, ICMP_DROP_HEADER},    /* not IPv4 */
    {0, 0x44, false, ICMP_DROP_HEADER},    /* a header of 16 bytes */
    {0, 0x4f, false, ICMP_DROP_SHORT},     /* one of 60, which leaves no message */
    {2, 0x7f, false, ICMP_DROP_SHORT},     /* longer than what came */
    {3, 19, false, ICMP_DROP_HEADER},      /* shorter than its header */
    {3, 24, false, ICMP_DROP_SHORT},       /* no room for a message */
    {9, 17, false, ICMP_DROP_TYPE},        /* UDP */
    {20, 8, true, ICMP_DROP_TYPE},         /* a request */
    {20, 13, true, ICMP_DROP_TYPE},        /* a timestamp */
    {21, 1, true, ICMP_DROP_TYPE},         /* a code that no reply has */
    {22, 0xaa, false, ICMP_DROP_CHECKSUM}, /* a wrong checksum */
    {59, 0xaa, false, ICMP_DROP_CHECKSUM}, /* other data */
    {3, 59, false, ICMP_DROP_CHECKSUM},    /* one byte less */
};

static void what_is_not_right_is_dropped_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bent / sizeof *bent; i++) {
        uint8_t request[ICMP_PACKET], answer[ANSWER_MAX];
        struct icmp_message m;
        enum icmp_drop drop;
        size_t n;

        icmp_encode(&echo, AF_INET, request);
        n = answer_reply(request, sizeof request, AF_INET, 1, answer);
        answer[bent[i].at] = bent[i].value;
        if (bent[i].mended)
            answer_mend(answer, n);
        drop = decode(answer, n, AF_INET, ICMP_RAW, &m);
        if (drop != bent[i].drop)
            fail_msg("row %zu: %d, not %d", i, drop, bent[i].drop);
    }
}

/* A reply to somebody's ping of another size. */
static void a_reply_of_another_size_is_none_of_ours(void **state)
{
    uint8_t request[64] = {8}, answer[ANSWER_MAX];
    struct icmp_message m;
    size_t n = answer_reply(request, sizeof request, AF_INET6, 0, answer);

    (void)state;
    assert_int_equal(decode(answer, n, AF_INET6, ICMP_RAW, &m), ICMP_DROP_SIZE);
    n = answer_reply(request, 8, AF_INET6, 0, answer);
    assert_int_equal(decode(answer, n, AF_INET6, ICMP_RAW, &m), ICMP_DROP_SIZE);
}

static const struct {
    int family;
    uint8_t type, code;
    size_t quoted;
    const char *text;
} errors[] = {
    {AF_INET, 3, 1, 8, "host unreachable"},
    {AF_INET, 3, 0, ICMP_PACKET, "network unreachable"},
    {AF_INET, 3, 2, 8, "ICMP not spoken"},
    {AF_INET, 3, 13, 20, "forbidden by a firewall"},
    {AF_INET, 3, 200, 8, "not delivered"},
    {AF_INET, 11, 0, 12, "goes round in circles"},
    {AF_INET, 12, 0, 8, "not delivered"},
    {AF_INET6, 1, 0, ICMP_PACKET, "no route"},
    {AF_INET6, 1, 3, ICMP_PACKET, "host unreachable"},
    {AF_INET6, 1, 9, 8, "not delivered"},
    {AF_INET6, 3, 0, ICMP_PACKET, "goes round in circles"},
    {AF_INET6, 2, 0, ICMP_PACKET, "not delivered"},
};

static void an_error_is_known_by_what_it_quotes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        int family = errors[i].family;
        uint8_t request[ICMP_PACKET], answer[ANSWER_MAX];
        struct icmp_message m;
        size_t n;

        icmp_encode(&echo, family, request);
        n = answer_error(request, errors[i].quoted, family, errors[i].type, errors[i].code,
                         family == AF_INET ? to4 : to6, answer);
        if (decode(answer, n, family, ICMP_RAW, &m) != ICMP_TAKEN || !m.is_error || m.echo.id != echo.id ||
            m.echo.seq != echo.seq || m.has_cookie != (errors[i].quoted >= 20) ||
            (m.has_cookie && m.echo.cookie != echo.cookie) || m.checksum != (request[2] << 8 | request[3]) ||
            strcmp(icmp_error_text(family, m.type, m.code), errors[i].text) != 0)
            fail_msg("row %zu", i);
        if (family == AF_INET)
            assert_memory_equal(&m.to.in.sin_addr, to4, 4);
        else
            assert_memory_equal(&m.to.in6.sin6_addr, to6, 16);
        for (size_t cut = 0; cut < n - errors[i].quoted + 8; cut++)
            if (decode(answer, cut, family, ICMP_RAW, &m) == ICMP_TAKEN)
                fail_msg("row %zu: taken with %zu bytes", i, cut);
    }
}

/* Of a packet that was not ours: another protocol, another kind of message, another version. */
static void an_error_about_something_else_is_dropped(void **state)
{
    static const struct {
        int family;
        size_t at;
        uint8_t value;
        enum icmp_drop drop;
    } rows[] = {
        {AF_INET, 28 + 9, 17, ICMP_DROP_TYPE}, {AF_INET, 48, 0, ICMP_DROP_TYPE},
        {AF_INET, 28, 0x65, ICMP_DROP_HEADER}, {AF_INET, 28, 0x4f, ICMP_DROP_SHORT},
        {AF_INET6, 8 + 6, 17, ICMP_DROP_TYPE}, {AF_INET6, 48, 129, ICMP_DROP_TYPE},
        {AF_INET6, 8, 0x45, ICMP_DROP_HEADER},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int family = rows[i].family;
        uint8_t request[ICMP_PACKET], answer[ANSWER_MAX];
        struct icmp_message m;
        enum icmp_drop drop;
        size_t n;

        icmp_encode(&echo, family, request);
        n = answer_error(request, 8, family, family == AF_INET ? 3 : 1, 0, family == AF_INET ? to4 : to6, answer);
        answer[rows[i].at] = rows[i].value;
        if (family == AF_INET)
            answer_mend(answer, n);
        drop = decode(answer, n, family, ICMP_RAW, &m);
        if (drop != rows[i].drop)
            fail_msg("row %zu: %d, not %d", i, drop, rows[i].drop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_checksum_is_that_of_the_standard),
        cmocka_unit_test(a_request_holds_what_it_is_known_by),
        cmocka_unit_test(a_reply_is_known_again),
        cmocka_unit_test(what_the_link_padded_is_no_part_of_it),
        cmocka_unit_test(what_is_not_right_is_dropped_with_a_reason),
        cmocka_unit_test(a_reply_of_another_size_is_none_of_ours),
        cmocka_unit_test(an_error_is_known_by_what_it_quotes),
        cmocka_unit_test(an_error_about_something_else_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
