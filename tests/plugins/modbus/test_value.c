#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "plugins/modbus/value.h"

/* "12 34 ab" -> bytes in a block of exactly their number. */
static uint8_t *bytes_of(const char *hex, size_t *n)
{
    uint8_t *out = xmalloc(strlen(hex) + 1), *exact;
    char *end;

    for (*n = 0; *hex; hex = end) {
        out[(*n)++] = (uint8_t)strtoul(hex, &end, 16);
        end += strspn(end, " ");
    }
    exact = xmemdup(out, *n);
    free(out);
    return exact;
}

static void print_cell(struct sbuf *b, const struct pd_cell *c)
{
    switch (c->type) {
    case PD_CELL_INT:
        sbuf_addf(b, "i %" PRId64, c->i);
        break;
    case PD_CELL_UINT:
        sbuf_addf(b, "u %" PRIu64, c->u);
        break;
    case PD_CELL_FLOAT:
        sbuf_addf(b, "f %.9g", c->f);
        break;
    case PD_CELL_BYTES:
        sbuf_add(b, "b");
        for (uint32_t i = 0; i < c->nbytes; i++)
            sbuf_addf(b, " %02x", c->bytes[i]);
        break;
    case PD_CELL_NULL:
        sbuf_add(b, "null");
        break;
    default:
        sbuf_addf(b, "type %d", c->type);
    }
}

/* Has the block at `from` say what lies at the address; gives the text, to be freed. */
static char *read_value(const char *address, uint16_t from, const char *hex)
{
    struct mb_address a;
    struct mb_block block = {0};
    uint8_t flags[MB_FLAG_BYTES];
    struct pd_cell cell = {0};
    struct sbuf text = {0};
    char why[MB_WHY] = "";
    size_t n;
    uint8_t *data = bytes_of(hex, &n);
    struct mb_ask ask = {.address = from};

    if (mb_address_parse(address, false, &a, why) < 0)
        fail_msg("%s: %s", address, why);
    ask.function = a.function;
    ask.count = (uint16_t)(mb_is_bits(a.function) ? n * 8 : n / 2);
    mb_block_init(&block, &ask, data);
    mb_value(&a, a.address, &block, flags, &cell);
    print_cell(&text, &cell);
    free(data);
    return sbuf_take(&text);
}

struct row {
    const char *address;
    uint16_t from;
    const char *data, *value;
};

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *got = read_value(rows[i].address, rows[i].from, rows[i].data);

        if (strcmp(got, rows[i].value) != 0)
            fail_msg("'%s' of %s is '%s', not '%s'", rows[i].address, rows[i].data, got, rows[i].value);
        free(got);
    }
}

/* One number, in every order in which a device may hold it: 0x0102, 0x01020304, 123456.78125, ... */
static void numbers_come_in_every_order(void **state)
{
    static const struct row rows[] = {
        {"holding 0 u16", 0, "01 02", "u 258"},
        {"holding 0 u16 be", 0, "01 02", "u 258"},
        {"holding 0 u16 le", 0, "02 01", "u 258"},
        {"holding 0 s16", 0, "ff fe", "i -2"},
        {"holding 0 s16 le", 0, "fe ff", "i -2"},
        {"holding 0 s16", 0, "7f ff", "i 32767"},
        {"holding 0 s16", 0, "80 00", "i -32768"},
        {"holding 0 u32", 0, "01 02 03 04", "u 16909060"},
        {"holding 0 u32 abcd", 0, "01 02 03 04", "u 16909060"},
        {"holding 0 u32 cdab", 0, "03 04 01 02", "u 16909060"},
        {"holding 0 u32 badc", 0, "02 01 04 03", "u 16909060"},
        {"holding 0 u32 dcba", 0, "04 03 02 01", "u 16909060"},
        {"holding 0 u32", 0, "ff ff ff ff", "u 4294967295"},
        {"holding 0 s32", 0, "ff ff ff fe", "i -2"},
        {"holding 0 s32 le-swap", 0, "ff fe ff ff", "i -2"},
        {"holding 0 s32", 0, "80 00 00 00", "i -2147483648"},
        {"holding 0 u64", 0, "01 02 03 04 05 06 07 08", "u 72623859790382856"},
        {"holding 0 u64 le-swap", 0, "07 08 05 06 03 04 01 02", "u 72623859790382856"},
        {"holding 0 u64 be-swap", 0, "02 01 04 03 06 05 08 07", "u 72623859790382856"},
        {"holding 0 u64 le", 0, "08 07 06 05 04 03 02 01", "u 72623859790382856"},
        {"holding 0 u64", 0, "ff ff ff ff ff ff ff ff", "u 18446744073709551615"},
        {"holding 0 s64", 0, "80 00 00 00 00 00 00 00", "i -9223372036854775808"},
        {"holding 0 s64 le", 0, "fe ff ff ff ff ff ff ff", "i -2"},
        {"holding 0 f32", 0, "47 f1 20 64", "f 123456.781"},
        {"holding 0 f32 cdab", 0, "20 64 47 f1", "f 123456.781"},
        {"holding 0 f32 badc", 0, "f1 47 64 20", "f 123456.781"},
        {"holding 0 f32 dcba", 0, "64 20 f1 47", "f 123456.781"},
        {"holding 0 f64", 0, "3f f0 00 00 00 00 00 01", "f 1"},
        {"holding 0 f64", 0, "c0 45 40 00 00 00 00 00", "f -42.5"},
        {"holding 0 f64 cdab", 0, "00 00 00 00 40 00 c0 45", "f -42.5"},
        {"holding 0 f64 badc", 0, "45 c0 00 40 00 00 00 00", "f -42.5"},
        {"holding 0 f64 dcba", 0, "00 00 00 00 00 40 45 c0", "f -42.5"},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void odd_floats_are_no_numbers(void **state)
{
    static const struct row rows[] = {
        {"holding 0 f32", 0, "7f c0 00 00", "null"},
        {"holding 0 f32", 0, "ff ff ff ff", "null"},
        {"holding 0 f32", 0, "7f 80 00 00", "type 8"},
        {"holding 0 f32", 0, "ff 80 00 00", "type 8"},
        {"holding 0 f32", 0, "80 00 00 00", "f -0"},
        {"holding 0 f32", 0, "00 00 00 01", "f 1.40129846e-45"},
        {"holding 0 f64", 0, "7f f8 00 00 00 00 00 00", "null"},
        {"holding 0 f64", 0, "7f f0 00 00 00 00 00 00", "type 8"},
    };

    (void)state;
    assert_int_equal(PD_CELL_INVALID, 8);
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void parts_of_numbers_are_cut_out(void **state)
{
    static const struct row rows[] = {
        {"holding 0 u16 bits 4-7", 0, "12 a4", "u 10"},
        {"holding 0 u16 bits 0", 0, "00 01", "u 1"},
        {"holding 0 u16 bits 15", 0, "80 00", "u 1"},
        {"holding 0 u16 bits 0-15", 0, "ff ff", "u 65535"},
        {"holding 0 u16 le bits 0-7", 0, "12 a4", "u 18"},
        {"holding 0 u32 bits 12-19", 0, "00 0a b0 00", "u 171"},
        {"holding 0 u64 bits 0-63", 0, "ff ff ff ff ff ff ff ff", "u 18446744073709551615"},
        {"holding 0 u64 bits 63", 0, "80 00 00 00 00 00 00 00", "u 1"},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

/* Flags come in the order of RFC 2578: flag 0 is the top bit of the first octet. */
static void flags_come_as_octets(void **state)
{
    static const struct row rows[] = {
        {"holding 0 flags", 0, "00 01", "b 80 00"},
        {"holding 0 flags", 0, "80 02", "b 40 01"},
        {"holding 0 u32 flags", 0, "00 01 00 00", "b 00 00 80 00"},
        {"holding 0 u32 flags le-swap", 0, "00 00 00 01", "b 00 00 80 00"},
        {"holding 0 u64 flags", 0, "80 00 00 00 00 00 00 01", "b 80 00 00 00 00 00 00 01"},
        {"coil 0 flags 8", 0, "05", "b a0"},
        {"coil 3 flags 4", 0, "78", "b f0"},
        {"discrete 0 flags 12", 0, "01 08", "b 80 10"},
        {"discrete 0 flags 64", 0, "01 00 00 00 00 00 00 80", "b 80 00 00 00 00 00 00 01"},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void texts_end_at_the_first_nul(void **state)
{
    static const struct row rows[] = {
        {"holding 0 text 2", 0, "41 42 43 44", "b 41 42 43 44"},
        {"holding 0 text 2", 0, "41 00 43 44", "b 41"},
        {"holding 0 text 2", 0, "00 00 00 00", "b"},
        {"holding 0 text 2 le", 0, "42 41 00 43", "b 41 42 43"},
        {"holding 0 bytes 2", 0, "41 00 43 44", "b 41 00 43 44"},
        {"holding 0 bytes 2 le", 0, "41 00 43 44", "b 00 41 44 43"},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

static void values_are_found_in_a_larger_answer(void **state)
{
    static const struct row rows[] = {
        {"holding 102 u16", 100, "00 01 00 02 00 03 00 04", "u 3"},
        {"holding 102 u32 cdab", 100, "00 01 00 02 00 03 00 04", "u 262147"},
        {"holding 101 text 2 le", 100, "00 01 42 41 44 43 00 04", "b 41 42 43 44"},
        {"coil 20", 20, "01", "u 1"},
        {"coil 27", 20, "80", "u 1"},
        {"coil 28", 20, "ff 00", "u 0"},
        {"discrete 35", 20, "00 80", "u 1"},
    };

    (void)state;
    check_rows(rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_in_every_order),  cmocka_unit_test(odd_floats_are_no_numbers),
        cmocka_unit_test(parts_of_numbers_are_cut_out), cmocka_unit_test(flags_come_as_octets),
        cmocka_unit_test(texts_end_at_the_first_nul),   cmocka_unit_test(values_are_found_in_a_larger_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
