#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "regmap.h"

/* A map with a bit of everything. */
static void set_up(struct regmap *m)
{
    const struct ramp falling = {.base = 100000, .num = -1, .den = 1000};

    *m = (struct regmap){0};
    regmap_int(m, MB_READ_HOLDING, 10, 1, -2);
    regmap_int(m, MB_READ_HOLDING, 11, 2, 0x12345678);
    regmap_int(m, MB_READ_HOLDING, 13, 4, INT64_C(0x0102030405060708));
    regmap_float(m, MB_READ_HOLDING, 17, 2, 1.5);
    regmap_float(m, MB_READ_HOLDING, 19, 4, -0.25);
    regmap_text(m, MB_READ_HOLDING, 23, 3, "ABC");
    regmap_ramp(m, MB_READ_INPUT, 0, 1, &falling);
    regmap_float_ramp(m, MB_READ_INPUT, 1, 2, &falling, 0.5);
    for (uint16_t i = 0; i < 12; i++)
        regmap_bit(m, MB_READ_COILS, i, i % 3 == 0);
}

/* What a request is answered, as hexadecimal digits. */
static void ask(const struct regmap *m, int64_t now_ms, const char *request, char out[static 2 * MB_MAX_PDU + 1])
{
    uint8_t pdu[MB_MAX_PDU], answer[MB_MAX_PDU];
    size_t n = 0;
    unsigned byte;

    for (; sscanf(request + 2 * n, "%2x", &byte) == 1; n++)
        pdu[n] = (uint8_t)byte;
    n = regmap_answer(m, now_ms, pdu, n, answer);
    out[0] = '\0';
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", answer[i]);
}

struct row {
    const char *request, *answer;
    int64_t now_ms;
};

static void compare(const struct row *rows, size_t n)
{
    char answer[2 * MB_MAX_PDU + 1];
    struct regmap m;

    set_up(&m);
    for (size_t i = 0; i < n; i++) {
        ask(&m, rows[i].now_ms, rows[i].request, answer);
        if (strcmp(answer, rows[i].answer) != 0)
            fail_msg("%s at %lld ms: %s instead of %s", rows[i].request, (long long)rows[i].now_ms, answer,
                     rows[i].answer);
    }
    regmap_fini(&m);
}

static void values_lie_in_their_registers_the_high_one_first(void **state)
{
    static const struct row rows[] = {
        {"03000a0001", "0302fffe", 0},         {"03000b0002", "030412345678", 0},
        {"03000c0001", "03025678", 0},         {"03000d0004", "03080102030405060708", 0},
        {"0300110002", "03043fc00000", 0},     {"0300130004", "0308bfd0000000000000", 0},
        {"0300170003", "0306414243000000", 0}, {"03000a0003", "0306fffe12345678", 0},
    };

    (void)state;
    compare(rows, sizeof rows / sizeof rows[0]);
}

static void bits_are_packed_from_the_lowest_on(void **state)
{
    static const struct row rows[] = {
        {"010000000c", "01024902", 0},
        {"0100030001", "010101", 0},
        {"0100040003", "010104", 0},
    };

    (void)state;
    compare(rows, sizeof rows / sizeof rows[0]);
}

static void ramps_move_with_time(void **state)
{
    static const struct row rows[] = {
        {"0400000001", "04020064", 0},           {"0400000001", "04020059", 10001},
        {"0400010002", "040442480000", 0},       /* 50 */
        {"0400010002", "040442340000", 9001},    /* 45 */
        {"0400000001", "04020000", 99999999999}, /* never below 0 */
    };

    (void)state;
    compare(rows, sizeof rows / sizeof rows[0]);
}

static void what_is_not_there_is_an_exception(void **state)
{
    static const struct row rows[] = {
        {"0300090001", "8302", 0}, /* before the first */
        {"0300190002", "8302", 0}, /* beyond the last */
        {"0300160002", "030400004142", 0},
        {"0400020002", "8402", 0},   /* from the middle of one to where nothing is */
        {"0200000001", "8201", 0},   /* no discrete inputs at all */
        {"0600000001", "8601", 0},   /* writing */
        {"2b0e0100", "ab01", 0},     /* device identification */
        {"03000a0000", "8303", 0},   /* nothing */
        {"03000a007e", "8303", 0},   /* 126 registers */
        {"03000a007d", "8302", 0},   /* 125, but they are not there */
        {"03ffff0002", "8302", 0},   /* beyond all addresses */
        {"01000007d1", "8103", 0},   /* 2001 bits */
        {"03000a00", "8303", 0},     /* cut short */
        {"03000a000100", "8303", 0}, /* and too long */
        {"03", "8303", 0},
        {"", "8001", 0},
    };

    (void)state;
    compare(rows, sizeof rows / sizeof rows[0]);
}

static void a_value_set_again_replaces_the_old_one(void **state)
{
    char answer[2 * MB_MAX_PDU + 1];
    struct regmap m;
    size_t n;

    (void)state;
    set_up(&m);
    n = m.regs.n;
    regmap_text(&m, MB_READ_HOLDING, 23, 3, "Ü");
    regmap_int(&m, MB_READ_INPUT, 0, 1, 7);
    assert_int_equal(m.regs.n, n);
    ask(&m, 5000, "0300170003", answer);
    assert_string_equal(answer, "0306c39c00000000");
    ask(&m, 5000, "0400000001", answer);
    assert_string_equal(answer, "04020007");
    regmap_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_lie_in_their_registers_the_high_one_first),
        cmocka_unit_test(bits_are_packed_from_the_lowest_on),
        cmocka_unit_test(ramps_move_with_time),
        cmocka_unit_test(what_is_not_there_is_an_exception),
        cmocka_unit_test(a_value_set_again_replaces_the_old_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
