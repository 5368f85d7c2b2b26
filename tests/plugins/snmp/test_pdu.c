#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "plugins/snmp/pdu.h"

static const uint32_t sys_uptime[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};

/* A response to sysUpTime.0 as RFC 1157 has it. */
static const uint8_t response[] = {0x30, 0x29, 2,    1,    1,    4,    6, 'p', 'u', 'b', 'l', 'i',  'c',  0xa2, 0x1c,
                                   2,    4,    0x12, 0x34, 0x56, 0x78, 2, 1,   0,   2,   1,   0,    0x30, 0x0e, 0x30,
                                   0x0c, 6,    8,    0x2b, 6,    1,    2, 1,   1,   3,   0,   0x43, 0};

static struct snmp_varbinds *varbinds(void)
{
    return calloc(1, sizeof(struct snmp_varbinds));
}

static void decodes_a_response(void **state)
{
    uint8_t packet[sizeof response + 1];
    struct snmp_varbinds *vbs = varbinds();
    struct snmp_msg m;

    (void)state;
    memcpy(packet, response, sizeof response);
    packet[1]++; /* give sysUpTime a byte of value */
    packet[14]++;
    packet[28]++;
    packet[30]++;
    packet[sizeof response - 1] = 1;
    packet[sizeof response] = 42;
    assert_int_equal(snmp_decode(packet, sizeof packet, &m), 0);
    assert_int_equal(m.version, SNMP_V2C);
    assert_int_equal(m.type, SNMP_RESPONSE);
    assert_int_equal(m.ncommunity, 6);
    assert_memory_equal(m.community, "public", 6);
    assert_int_equal(m.request_id, 0x12345678);
    assert_int_equal(m.status, 0);
    assert_int_equal(snmp_decode_varbinds(&m, vbs), 0);
    assert_int_equal(vbs->n, 1);
    assert_int_equal(vbs->v[0].type, SNMP_TIMETICKS);
    assert_int_equal(vbs->v[0].u, 42);
    assert_int_equal(vbs->v[0].nname, 9);
    assert_memory_equal(vbs->v[0].name, sys_uptime, sizeof sys_uptime);
    free(vbs);
}

static void an_empty_number_spoils_its_value_only(void **state)
{
    struct snmp_varbinds *vbs = varbinds();
    struct snmp_msg m;

    (void)state;
    assert_int_equal(snmp_decode(response, sizeof response, &m), 0);
    assert_int_equal(snmp_decode_varbinds(&m, vbs), 0);
    assert_int_equal(vbs->v[0].type, SNMP_BAD);
    free(vbs);
}

/* No prefix of a message is one, whatever lies behind it in memory. */
static void refuses_what_is_cut_off(void **state)
{
    struct snmp_msg m;

    (void)state;
    for (size_t n = 0; n < sizeof response; n++) {
        uint8_t *cut = malloc(n ? n : 1);

        memcpy(cut, response, n);
        if (snmp_decode(cut, n, &m) != PD_EPROTO)
            fail_msg("%zu bytes", n);
        free(cut);
    }
}

static void ignores_what_follows_the_message(void **state)
{
    uint8_t packet[sizeof response + 5] = {0};
    struct snmp_msg m;

    (void)state;
    memcpy(packet, response, sizeof response);
    assert_int_equal(snmp_decode(packet, sizeof packet, &m), 0);
}

static void refuses_nonsense(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
        int rc;
    } rows[] = {
        {0, 0x31, PD_EPROTO},  /* a SET */
        {1, 0x80, PD_EPROTO},  /* indefinite length */
        {4, 3, PD_EVERSION},   /* SNMPv3 */
        {4, 2, PD_EVERSION},   /* never was */
        {3, 0, PD_EPROTO},     /* the version has no byte */
        {5, 2, PD_EPROTO},     /* the community is a number */
        {6, 200, PD_EPROTO},   /* and longer than the message */
        {13, 0x30, PD_EPROTO}, /* no PDU */
        {13, 0xa9, PD_EPROTO}, /* none that there is */
        {14, 0x1d, PD_EPROTO}, /* longer than the message */
        {15, 4, PD_EPROTO},    /* the request id is a string */
        {27, 0x31, PD_EPROTO}, /* no list */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t packet[sizeof response];
        struct snmp_msg m;
        int rc;

        memcpy(packet, response, sizeof response);
        packet[rows[i].at] = rows[i].byte;
        rc = snmp_decode(packet, sizeof packet, &m);
        if (rc != rows[i].rc)
            fail_msg("byte %zu = %02x: %d", rows[i].at, rows[i].byte, rc);
    }
}

static void refuses_broken_varbinds(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } rows[] = {
        {29, 0x31}, /* no SEQUENCE */
        {30, 0x0d}, /* longer than the list */
        {30, 0x0b}, /* shorter than its contents */
        {31, 4},    /* the name is a string */
        {32, 0x20}, /* and too long */
        {40, 0x80}, /* its last number is cut off */
        {42, 1},    /* the value is cut off */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t packet[sizeof response];
        struct snmp_varbinds *vbs = varbinds();
        struct snmp_msg m;

        memcpy(packet, response, sizeof response);
        packet[rows[i].at] = rows[i].byte;
        assert_int_equal(snmp_decode(packet, sizeof packet, &m), 0);
        if (snmp_decode_varbinds(&m, vbs) != PD_EPROTO)
            fail_msg("byte %zu = %02x", rows[i].at, rows[i].byte);
        free(vbs);
    }
}

static void a_v1_trap_is_known_as_one(void **state)
{
    static const uint8_t trap[] = {0x30, 0x0e, 2, 1, 0, 4, 1, 'x', 0xa4, 6, 6, 2, 0x2b, 6, 4, 0};
    struct snmp_msg m;

    (void)state;
    assert_int_equal(snmp_decode(trap, sizeof trap, &m), 0);
    assert_int_equal(m.type, SNMP_TRAP_V1);
    assert_int_equal(wire_left(&m.varbinds), 6); /* all that its PDU holds */
}

/* ---- Values ---- */

static size_t encode(uint8_t *buf, size_t size, const struct snmp_varbind *vb, size_t n)
{
    struct snmp_msg head = {.version = SNMP_V1, .type = SNMP_RESPONSE, .request_id = 77, .status = 3, .index = 2};
    struct snmp_writer w;

    head.community = (const uint8_t *)"c";
    head.ncommunity = 1;
    snmp_begin(&w, buf, size, &head);
    for (size_t i = 0; i < n; i++) {
        if (!snmp_put(&w, &vb[i]))
            break;
    }
    return snmp_end(&w);
}

static void values_round_trip(void **state)
{
    static const uint32_t oid[] = {1, 3, 6, 1, 4, 1, 4294967295};
    static const uint8_t bytes[] = {0, 1, 0xff};
    static const struct snmp_varbind rows[] = {
        {.type = SNMP_INTEGER, .i = -2},
        {.type = SNMP_INTEGER, .i = INT32_MAX},
        {.type = SNMP_COUNTER32, .u = 4294967295},
        {.type = SNMP_GAUGE32, .u = 2147483648},
        {.type = SNMP_TIMETICKS, .u = 0},
        {.type = SNMP_UINTEGER32, .u = 5},
        {.type = SNMP_COUNTER64, .u = UINT64_MAX},
        {.type = SNMP_OCTETS, .n = 3, .bytes = bytes},
        {.type = SNMP_OCTETS, .n = 0, .bytes = bytes},
        {.type = SNMP_IPADDRESS, .n = 4, .bytes = (const uint8_t *)"\xc0\x00\x02\x01"},
        {.type = SNMP_OPAQUE, .n = 3, .bytes = bytes},
        {.type = SNMP_NSAP, .n = 3, .bytes = bytes},
        {.type = SNMP_OID, .n = 7, .oid = oid},
        {.type = SNMP_FLOAT, .f = -1.5},
        {.type = SNMP_DOUBLE, .f = 3.141592653589793},
        {.type = SNMP_NULL},
        {.type = SNMP_NO_SUCH_OBJECT},
        {.type = SNMP_NO_SUCH_INSTANCE},
        {.type = SNMP_END_OF_MIB_VIEW},
    };
    struct snmp_varbinds *vbs = varbinds();
    uint8_t buf[512];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct snmp_varbind vb = rows[i], *got = &vbs->v[0];
        struct snmp_msg m;
        size_t n;
        bool same;

        vb.name = sys_uptime;
        vb.nname = 9;
        n = encode(buf, sizeof buf, &vb, 1);
        assert_int_equal(snmp_decode(buf, n, &m), 0);
        assert_int_equal(m.request_id, 77);
        assert_int_equal(m.status, 3);
        assert_int_equal(m.index, 2);
        assert_int_equal(snmp_decode_varbinds(&m, vbs), 0);
        assert_int_equal(vbs->n, 1);
        if (vb.type == SNMP_OID)
            same = got->n == vb.n && memcmp(got->oid, vb.oid, vb.n * sizeof *vb.oid) == 0;
        else if (vb.n > 0)
            same = got->n == vb.n && memcmp(got->bytes, vb.bytes, vb.n) == 0;
        else
            same = vb.type == SNMP_OCTETS || vb.type >= SNMP_NO_SUCH_OBJECT || vb.type == SNMP_NULL || got->u == vb.u;
        if (got->type != vb.type || !same)
            fail_msg("row %zu: type %02x", i, got->type);
    }
    free(vbs);
}

/* Elements that are whole but make no value; the row behind them is still read. */
static void bad_values_leave_the_others_alone(void **state)
{
    static const struct {
        const char *hex;
        size_t n;
    } rows[] = {
        {"\x40\x03\x0a\x00\x00", 5},                          /* an address of three bytes */
        {"\x02\x00", 2},                                      /* an empty number */
        {"\x02\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00", 11}, /* a number of 65 bits */
        {"\x41\x05\x01\x00\x00\x00\x00", 7},                  /* a counter of 33 bits */
        {"\x06\x02\x2b\x81", 4},                              /* an OID that is cut off */
        {"\x03\x02\x00\x01", 4},                              /* a BIT STRING */
        {"\x24\x02\x04\x00", 4},                              /* a constructed string */
        {"\x83\x00", 2},                                      /* an exception that there is none */
    };
    struct snmp_varbinds *vbs = varbinds();
    uint8_t buf[128], vb[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct snmp_msg head = {.type = SNMP_RESPONSE, .community = buf}, m;
        struct snmp_varbind good = {.name = sys_uptime, .nname = 9, .type = SNMP_INTEGER, .i = 1};
        struct wire_out out = wire_out(vb, sizeof vb);
        size_t at = ber_begin(&out, BER_SEQUENCE), n;
        struct snmp_writer w;

        ber_put_oid(&out, sys_uptime, 9, NULL, 0);
        wire_put_bytes(&out, rows[i].hex, rows[i].n);
        ber_end(&out, at);
        snmp_begin(&w, buf, sizeof buf, &head);
        assert_true(snmp_put_encoded(&w, vb, wire_used(&out)));
        assert_true(snmp_put(&w, &good));
        n = snmp_end(&w);
        assert_int_equal(snmp_decode(buf, n, &m), 0);
        if (snmp_decode_varbinds(&m, vbs) < 0 || vbs->n != 2 || vbs->v[0].type != SNMP_BAD || vbs->v[1].i != 1)
            fail_msg("row %zu", i);
    }
    free(vbs);
}

static void other_opaques_stay_bytes(void **state)
{
    static const uint8_t strange[] = {0x9f, 0x78, 0x05, 0, 0, 0, 0};
    struct snmp_varbind vb = {
        .name = sys_uptime, .nname = 9, .type = SNMP_OPAQUE, .n = sizeof strange, .bytes = strange};
    struct snmp_varbinds *vbs = varbinds();
    uint8_t buf[128];
    struct snmp_msg m;
    size_t n = encode(buf, sizeof buf, &vb, 1);

    (void)state;
    assert_int_equal(snmp_decode(buf, n, &m), 0);
    assert_int_equal(snmp_decode_varbinds(&m, vbs), 0);
    assert_int_equal(vbs->v[0].type, SNMP_OPAQUE);
    assert_int_equal(vbs->v[0].n, sizeof strange);
    free(vbs);
}

static void takes_512_varbinds_and_no_more(void **state)
{
    struct snmp_varbind vb = {.name = sys_uptime, .nname = 9, .type = SNMP_INTEGER, .i = 5};
    struct snmp_msg head = {.type = SNMP_RESPONSE, .community = (const uint8_t *)""}, m;
    struct snmp_varbinds *vbs = varbinds();
    uint8_t *buf = malloc(SNMP_MAX_MESSAGE);
    struct snmp_writer w;

    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        snmp_begin(&w, buf, SNMP_MAX_MESSAGE, &head);
        for (int i = 0; i < SNMP_MAX_VARBINDS + extra; i++)
            assert_true(snmp_put(&w, &vb));
        assert_int_equal(snmp_decode(buf, snmp_end(&w), &m), 0);
        assert_int_equal(snmp_decode_varbinds(&m, vbs), extra ? PD_ERANGE : 0);
        assert_int_equal(vbs->n, SNMP_MAX_VARBINDS);
    }
    free(buf);
    free(vbs);
}

/* An agent fills a datagram until no more goes in: the message must still end well, at every size. */
static void a_full_message_ends_well(void **state)
{
    struct snmp_varbind vb[20];
    struct snmp_varbinds *vbs = varbinds();
    uint8_t buf[320];

    (void)state;
    for (int i = 0; i < 20; i++)
        vb[i] = (struct snmp_varbind){.name = sys_uptime, .nname = 9, .type = SNMP_INTEGER, .i = i};
    for (size_t size = 0; size < sizeof buf; size++) {
        size_t n = encode(buf, size, vb, 20);
        struct snmp_msg m;

        assert_true(n <= size);
        if (n == 0)
            continue;
        assert_int_equal(snmp_decode(buf, n, &m), 0);
        assert_int_equal(snmp_decode_varbinds(&m, vbs), 0);
        if (size > 64)
            assert_in_range(vbs->n, (size - 64) / 17, size / 15);
    }
    free(vbs);
}

static void a_getbulk_carries_its_numbers(void **state)
{
    struct snmp_msg head = {.version = SNMP_V2C, .type = SNMP_GETBULK, .request_id = 1}, m;
    struct snmp_varbinds *vbs = varbinds();
    struct snmp_writer w;
    uint8_t buf[128];

    (void)state;
    head.community = (const uint8_t *)"public";
    head.ncommunity = 6;
    head.non_repeaters = 1;
    head.max_repetitions = 20;
    snmp_begin(&w, buf, sizeof buf, &head);
    assert_true(snmp_put_name(&w, sys_uptime, 8, NULL, 0));
    assert_true(snmp_put_name(&w, sys_uptime, 7, sys_uptime, 2));
    assert_int_equal(snmp_decode(buf, snmp_end(&w), &m), 0);
    assert_int_equal(m.type, SNMP_GETBULK);
    assert_int_equal(m.non_repeaters, 1);
    assert_int_equal(m.max_repetitions, 20);
    assert_int_equal(snmp_decode_varbinds(&m, vbs), 0);
    assert_int_equal(vbs->n, 2);
    assert_int_equal(vbs->v[1].nname, 9);
    assert_int_equal(vbs->v[1].name[8], 3);
    assert_int_equal(vbs->v[1].type, SNMP_NULL);
    free(vbs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_a_response),
        cmocka_unit_test(an_empty_number_spoils_its_value_only),
        cmocka_unit_test(refuses_what_is_cut_off),
        cmocka_unit_test(ignores_what_follows_the_message),
        cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(refuses_broken_varbinds),
        cmocka_unit_test(a_v1_trap_is_known_as_one),
        cmocka_unit_test(values_round_trip),
        cmocka_unit_test(bad_values_leave_the_others_alone),
        cmocka_unit_test(other_opaques_stay_bytes),
        cmocka_unit_test(takes_512_varbinds_and_no_more),
        cmocka_unit_test(a_full_message_ends_well),
        cmocka_unit_test(a_getbulk_carries_its_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
