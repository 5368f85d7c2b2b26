#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "plugins/snmp/ber.h"

/* "02 01 ff" -> bytes. */
static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;

    for (char *end; *hex; hex = end + (*end == ' '))
        out[n++] = (uint8_t)strtoul(hex, &end, 16);
    return n;
}

/* The bytes in a block of their own, so that a sanitizer sees a step too far. */
static struct wire_in exact(const char *hex, uint8_t **block)
{
    uint8_t buf[256];
    size_t n = unhex(hex, buf);

    *block = malloc(n ? n : 1);
    memcpy(*block, buf, n);
    return wire_in(*block, n);
}

static void opens_elements(void **state)
{
    static const struct {
        const char *hex;
        int tag; /* -1: no whole element */
        size_t len;
    } rows[] = {
        {"02 01 05", 0x02, 1},
        {"05 00", 0x05, 0},
        {"04 81 03 61 62 63", 0x04, 3}, /* longer than needed, but definite */
        {"04 82 00 01 61", 0x04, 1},
        {"04 84 00 00 00 01 61", 0x04, 1},
        {"04 85 00 00 00 00 01 61", -1, 0}, /* five length bytes */
        {"30 80 02 01 05 00 00", -1, 0},    /* indefinite */
        {"04 02 61", -1, 0},                /* cut off */
        {"04 84 ff ff ff ff 61", -1, 0},
        {"04 82 01", -1, 0},
        {"04", -1, 0},
        {"", -1, 0},
        {"1f 81 01 00", -1, 0}, /* a tag of several bytes */
        {"9f 78 04 00 00 00 00", -1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *block;
        struct wire_in in = exact(rows[i].hex, &block), body;
        uint8_t tag = ber_open(&in, &body);

        if (in.bad != (rows[i].tag < 0) ||
            (rows[i].tag >= 0 && (tag != rows[i].tag || wire_left(&body) != rows[i].len)))
            fail_msg("%s: tag %02x, %zu bytes, bad %d", rows[i].hex, tag, wire_left(&body), in.bad);
        free(block);
    }
}

static void expects_a_tag(void **state)
{
    uint8_t *block;
    struct wire_in in = exact("02 01 05", &block), body = ber_expect(&in, BER_OCTETS);

    (void)state;
    assert_true(in.bad);
    assert_int_equal(wire_left(&body), 0);
    free(block);
}

static void reads_integers(void **state)
{
    static const struct {
        const char *hex;
        int rc;
        int64_t value;
    } rows[] = {
        {"00", 0, 0},
        {"7f", 0, 127},
        {"80", 0, -128},
        {"ff", 0, -1},
        {"00 80", 0, 128},
        {"ff fe", 0, -2},
        {"7f ff ff ff", 0, INT32_MAX},
        {"80 00 00 00", 0, INT32_MIN},
        {"00 ff ff ff ff", 0, 4294967295},
        {"00 00 00 00 05", 0, 5},
        {"ff ff ff ff ff ff ff fe", 0, -2},
        {"80 00 00 00 00 00 00 00", 0, INT64_MIN},
        {"00 7f ff ff ff ff ff ff ff", 0, INT64_MAX},
        {"ff ff ff ff ff ff ff ff ff ff", 0, -1},
        {"00 80 00 00 00 00 00 00 00", PD_EPROTO, 0}, /* 2^63 */
        {"ff 7f ff ff ff ff ff ff ff", PD_EPROTO, 0},
        {"01 00 00 00 00 00 00 00 00", PD_EPROTO, 0},
        {"", PD_EPROTO, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *block;
        struct wire_in body = exact(rows[i].hex, &block);
        int64_t v = 0;
        int rc = ber_int(body, &v);

        if (rc != rows[i].rc || v != rows[i].value)
            fail_msg("%s: %d, %lld", rows[i].hex, rc, (long long)v);
        free(block);
    }
}

static void reads_unsigned_as_agents_send_them(void **state)
{
    static const struct {
        const char *hex;
        unsigned bits;
        int rc;
        uint64_t value;
    } rows[] = {
        {"00", 32, 0, 0},
        {"00 ff ff ff ff", 32, 0, 4294967295},
        {"ff ff ff ff", 32, 0, 4294967295}, /* the leading zero is missing */
        {"80 00 00 00", 32, 0, 2147483648},
        {"ff ff ff ff ff", 32, 0, 4294967295}, /* wrongly extended */
        {"ff ff ff ff 80 00 00 00", 32, 0, 2147483648},
        {"80", 32, 0, 128},
        {"00 00 00 00 00 00 01", 32, 0, 1},
        {"01 00 00 00 00", 32, PD_EPROTO, 0}, /* 2^32 */
        {"fe ff ff ff ff", 32, PD_EPROTO, 0},
        {"ff 7f ff ff ff", 32, PD_EPROTO, 0},
        {"00 ff ff ff ff ff ff ff ff", 64, 0, UINT64_MAX},
        {"ff ff ff ff ff ff ff ff", 64, 0, UINT64_MAX},
        {"01 00 00 00 00", 64, 0, 4294967296},
        {"01 00 00 00 00 00 00 00 00", 64, PD_EPROTO, 0},
        {"", 32, PD_EPROTO, 0},
        {"", 64, PD_EPROTO, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *block;
        struct wire_in body = exact(rows[i].hex, &block);
        uint64_t v = 0;
        int rc = ber_uint(body, rows[i].bits, &v);

        if (rc != rows[i].rc || v != rows[i].value)
            fail_msg("%s (%u bits): %d, %llu", rows[i].hex, rows[i].bits, rc, (unsigned long long)v);
        free(block);
    }
}

static void reads_oids(void **state)
{
    static const struct {
        const char *hex;
        int n; /* or PD_EPROTO */
        uint32_t ids[6];
    } rows[] = {
        {"2b", 2, {1, 3}},
        {"2b 06 01", 4, {1, 3, 6, 1}},
        {"00", 2, {0, 0}},
        {"27", 2, {0, 39}},
        {"28", 2, {1, 0}},
        {"4f", 2, {1, 39}},
        {"50", 2, {2, 0}},
        {"88 37", 2, {2, 999}},
        {"8f ff ff ff 7f", 2, {2, 4294967215}},
        {"2b 8f ff ff ff 7f", 3, {1, 3, 4294967295}},
        {"2b 80 01", 3, {1, 3, 1}}, /* longer than needed */
        {"", 2, {0, 0}},
        {"2b 90 80 80 80 00", PD_EPROTO, {0}}, /* 2^32 */
        {"2b ff ff ff ff ff ff 7f", PD_EPROTO, {0}},
        {"2b 81", PD_EPROTO, {0}}, /* cut off */
        {"81", PD_EPROTO, {0}},
        {"2b 01 02 03 04 05", PD_EPROTO, {0}}, /* more than there is room for */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *block;
        struct wire_in body = exact(rows[i].hex, &block);
        uint32_t ids[6] = {0};
        int n = ber_oid(body, ids, 6);

        if (n != rows[i].n || (n > 0 && memcmp(ids, rows[i].ids, (size_t)n * sizeof *ids) != 0))
            fail_msg("%s: %d, %u.%u.%u", rows[i].hex, n, ids[0], ids[1], ids[2]);
        free(block);
    }
}

static void reads_128_sub_identifiers_and_no_more(void **state)
{
    uint8_t bytes[128];
    uint32_t ids[128];

    (void)state;
    memset(bytes, 1, sizeof bytes);
    assert_int_equal(ber_oid(wire_in(bytes, 127), ids, 128), 128);
    assert_int_equal(ber_oid(wire_in(bytes, 128), ids, 128), PD_EPROTO);
}

static void assert_written(const struct wire_out *out, const char *hex)
{
    uint8_t want[64];
    size_t n = unhex(hex, want);

    assert_false(out->bad);
    if (wire_used(out) != n || memcmp(out->start, want, n) != 0)
        fail_msg("not %s", hex);
}

static void writes_numbers_in_the_shortest_form(void **state)
{
    static const struct {
        int64_t value;
        const char *hex;
    } rows[] = {
        {0, "02 01 00"},
        {127, "02 01 7f"},
        {128, "02 02 00 80"},
        {-128, "02 01 80"},
        {-129, "02 02 ff 7f"},
        {INT32_MAX, "02 04 7f ff ff ff"},
        {INT64_MIN, "02 08 80 00 00 00 00 00 00 00"},
        {INT64_MAX, "02 08 7f ff ff ff ff ff ff ff"},
    };
    uint8_t buf[16];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_out out = wire_out(buf, sizeof buf);

        ber_put_int(&out, BER_INTEGER, rows[i].value);
        assert_written(&out, rows[i].hex);
    }
}

static void writes_large_unsigned_with_a_leading_zero(void **state)
{
    uint8_t buf[16];
    struct wire_out out = wire_out(buf, sizeof buf);

    (void)state;
    ber_put_uint(&out, 0x41, 4294967295);
    assert_written(&out, "41 05 00 ff ff ff ff");
    out = wire_out(buf, sizeof buf);
    ber_put_uint(&out, 0x46, UINT64_MAX);
    assert_written(&out, "46 09 00 ff ff ff ff ff ff ff ff");
}

static void writes_oids(void **state)
{
    static const uint32_t column[] = {1, 3, 6, 1}, row[] = {128, 4294967295}, top[] = {2, 999};
    uint8_t buf[16];
    struct wire_out out = wire_out(buf, sizeof buf);

    (void)state;
    ber_put_oid(&out, column, 4, row, 2);
    assert_written(&out, "06 0a 2b 06 01 81 00 8f ff ff ff 7f");
    out = wire_out(buf, sizeof buf);
    ber_put_oid(&out, top, 2, NULL, 0);
    assert_written(&out, "06 02 88 37");
}

static void refuses_oids_that_cannot_be_written(void **state)
{
    static const uint32_t rows[][2] = {{3, 1}, {0, 40}, {1, 40}, {2, 4294967216}};
    uint8_t buf[16];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct wire_out out = wire_out(buf, sizeof buf);

        ber_put_oid(&out, rows[i], 2, NULL, 0);
        if (!out.bad)
            fail_msg("%u.%u", rows[i][0], rows[i][1]);
    }
}

/* Lengths around the steps at which their own size changes. */
static void lengths_round_trip(void **state)
{
    static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
    uint8_t *buf = calloc(1, 70000);

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct wire_out out = wire_out(buf, 70000);
        size_t at = ber_begin(&out, BER_SEQUENCE);
        struct wire_in in, body;

        for (size_t k = 0; k < lengths[i]; k++)
            wire_put_u8(&out, (uint8_t)k);
        ber_end(&out, at);
        assert_false(out.bad);
        in = wire_in(buf, wire_used(&out));
        body = ber_expect(&in, BER_SEQUENCE);
        assert_false(in.bad);
        assert_int_equal(wire_left(&in), 0);
        assert_int_equal(wire_left(&body), lengths[i]);
        for (size_t k = 0; k < lengths[i]; k++)
            assert_int_equal(body.p[k], (uint8_t)k);
    }
    free(buf);
}

static void writing_past_the_end_is_noticed(void **state)
{
    uint8_t buf[131];
    struct wire_out out = wire_out(buf, sizeof buf);
    size_t at = ber_begin(&out, BER_OCTETS);

    (void)state;
    for (int i = 0; i < 129; i++)
        wire_put_u8(&out, 0);
    assert_false(out.bad);
    ber_end(&out, at); /* needs one more byte for the length */
    assert_true(out.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_elements),
        cmocka_unit_test(expects_a_tag),
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(reads_unsigned_as_agents_send_them),
        cmocka_unit_test(reads_oids),
        cmocka_unit_test(reads_128_sub_identifiers_and_no_more),
        cmocka_unit_test(writes_numbers_in_the_shortest_form),
        cmocka_unit_test(writes_large_unsigned_with_a_leading_zero),
        cmocka_unit_test(writes_oids),
        cmocka_unit_test(refuses_oids_that_cannot_be_written),
        cmocka_unit_test(lengths_round_trip),
        cmocka_unit_test(writing_past_the_end_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
