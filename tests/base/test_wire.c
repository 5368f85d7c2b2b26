#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/wire.h"

static void integers_are_big_endian(void **state)
{
    static const uint8_t expected[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t buf[15];
    struct wire_out out = wire_out(buf, sizeof buf);
    struct wire_in in = wire_in(buf, sizeof buf);

    (void)state;
    wire_put_u8(&out, 0x01);
    wire_put_u16be(&out, 0x0203);
    wire_put_u32be(&out, 0x04050607);
    wire_put_u64be(&out, UINT64_C(0x08090a0b0c0d0e0f));
    assert_false(out.bad);
    assert_int_equal(wire_used(&out), 15);
    assert_memory_equal(buf, expected, 15);
    assert_int_equal(wire_u8(&in), 0x01);
    assert_int_equal(wire_u16be(&in), 0x0203);
    assert_int_equal(wire_u32be(&in), 0x04050607);
    assert_int_equal(wire_u64be(&in), UINT64_C(0x08090a0b0c0d0e0f));
    assert_false(in.bad);
    assert_int_equal(wire_left(&in), 0);
}

static void reading_past_the_end_gives_zero_for_ever(void **state)
{
    uint8_t *exact = xmemdup("\xff\xff\xff", 3); /* exact-size, so that a sanitizer sees an over-read */
    struct wire_in in = wire_in(exact, 3);

    (void)state;
    assert_int_equal(wire_u32be(&in), 0);
    assert_true(in.bad);
    assert_int_equal(wire_u8(&in), 0); /* sticky, though a byte would be there */
    assert_null(wire_bytes(&in, 0));
    assert_int_equal(wire_varint(&in), 0);
    assert_int_equal(wire_zigzag(&in), 0);
    free(exact);
}

static void writing_past_the_end_is_dropped_for_ever(void **state)
{
    uint8_t *exact = xcalloc(1, 3);
    struct wire_out out = wire_out(exact, 3);

    (void)state;
    wire_put_u16be(&out, 0x0102);
    wire_put_u16be(&out, 0x0304);
    wire_put_u8(&out, 5);
    assert_true(out.bad);
    assert_int_equal(wire_used(&out), 2);
    assert_memory_equal(exact, "\1\2\0", 3);
    free(exact);
}

static void bytes_are_borrowed(void **state)
{
    static const uint8_t data[] = {1, 2, 3};
    struct wire_in in = wire_in(data, 3);

    (void)state;
    assert_ptr_equal(wire_bytes(&in, 2), data);
    assert_ptr_equal(wire_bytes(&in, 0), data + 2);
    assert_null(wire_bytes(&in, SIZE_MAX));
    assert_true(in.bad);
}

static void varints_are_leb128(void **state)
{
    static const struct {
        uint64_t v;
        size_t n;
        const char *bytes;
    } rows[] = {
        {0, 1, "\x00"},
        {127, 1, "\x7f"},
        {128, 2, "\x80\x01"},
        {300, 2, "\xac\x02"},
        {UINT64_MAX, 10, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t buf[10];
        struct wire_out out = wire_out(buf, sizeof buf);
        struct wire_in in;

        wire_put_varint(&out, rows[i].v);
        in = wire_in(buf, wire_used(&out));
        if (wire_used(&out) != rows[i].n || memcmp(buf, rows[i].bytes, rows[i].n) != 0 ||
            wire_varint(&in) != rows[i].v || in.bad || wire_left(&in) != 0)
            fail_msg("row %zu", i);
    }
}

static void bad_varints_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = {
        {"", 0},
        {"\x80", 1},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},     /* 65 bits */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11}, /* eleven bytes */
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wire_in in = wire_in(rows[i].bytes, rows[i].n);

        if (wire_varint(&in) != 0 || !in.bad)
            fail_msg("row %zu", i);
    }
}

static void zigzag_carries_every_sign(void **state)
{
    static const int64_t rows[] = {0, -1, 1, -64, 64, INT64_MAX, INT64_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t buf[10];
        struct wire_out out = wire_out(buf, sizeof buf);
        struct wire_in in = wire_in(buf, sizeof buf);

        wire_put_zigzag(&out, rows[i]);
        if (wire_zigzag(&in) != rows[i] || in.bad)
            fail_msg("%lld", (long long)rows[i]);
    }
}

static void small_numbers_are_short_whatever_their_sign(void **state)
{
    uint8_t buf[4];
    struct wire_out out = wire_out(buf, sizeof buf);

    (void)state;
    wire_put_zigzag(&out, -64);
    wire_put_zigzag(&out, 63);
    assert_int_equal(wire_used(&out), 2);
}

/* RFC 3720, appendix B.4. */
static void crc32c_gives_the_published_values(void **state)
{
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];

    (void)state;
    for (uint8_t i = 0; i < 32; i++) {
        ones[i] = 0xff;
        up[i] = i;
        down[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(wire_crc32c(0, zeros, 32), 0x8a9136aa);
    assert_int_equal(wire_crc32c(0, ones, 32), 0x62a8ab43);
    assert_int_equal(wire_crc32c(0, up, 32), 0x46dd794e);
    assert_int_equal(wire_crc32c(0, down, 32), 0x113fdb5c);
    assert_int_equal(wire_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(wire_crc32c(0, NULL, 0), 0);
}

static void crc32c_may_be_computed_in_parts(void **state)
{
    (void)state;
    assert_int_equal(wire_crc32c(wire_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void random_messages_come_back(void **state)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);

    (void)state;
    rng_seed(&seeded, 9);
    for (int round = 0; round < 1000; round++) {
        uint64_t values[20];
        uint8_t buf[200];
        struct wire_out out = wire_out(buf, sizeof buf);
        struct wire_in in;

        for (int i = 0; i < 20; i++) {
            values[i] = rng_u64(&rng) >> rng_below(&rng, 64);
            wire_put_varint(&out, values[i]);
        }
        assert_false(out.bad);
        in = wire_in(buf, wire_used(&out));
        for (int i = 0; i < 20; i++)
            if (wire_varint(&in) != values[i])
                fail_msg("round %d, value %d", round, i);
        assert_false(in.bad);
        assert_int_equal(wire_left(&in), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(reading_past_the_end_gives_zero_for_ever),
        cmocka_unit_test(writing_past_the_end_is_dropped_for_ever),
        cmocka_unit_test(bytes_are_borrowed),
        cmocka_unit_test(varints_are_leb128),
        cmocka_unit_test(bad_varints_are_refused),
        cmocka_unit_test(zigzag_carries_every_sign),
        cmocka_unit_test(small_numbers_are_short_whatever_their_sign),
        cmocka_unit_test(crc32c_gives_the_published_values),
        cmocka_unit_test(crc32c_may_be_computed_in_parts),
        cmocka_unit_test(random_messages_come_back),
    };

    return cmocka_run_group_tests_name("base/wire", tests, NULL, NULL);
}
