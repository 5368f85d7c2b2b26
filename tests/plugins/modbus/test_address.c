#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "plugins/modbus/address.h"

/* What an address means, as text: "3 100+2 u swap=3 bits=4+4 rows=3/10 alone". */
static void describe(const struct mb_address *a, char *out, size_t n)
{
    static const char *const types[] = {[MB_UNSIGNED] = "u", [MB_SIGNED] = "s",    [MB_FLOAT] = "f",
                                        [MB_TEXT] = "text",  [MB_BYTES] = "bytes", [MB_FLAGS] = "flags"};
    int at = snprintf(out, n, "%d %d+%d %s", a->function, a->address, a->count, types[a->type]);

    if (a->order)
        at += snprintf(out + at, n - (size_t)at, " swap=%d", a->order);
    if (a->bits)
        at += snprintf(out + at, n - (size_t)at, " bits=%d+%d", a->bit, a->bits);
    if (a->rows)
        at += snprintf(out + at, n - (size_t)at, " rows=%d/%d", a->rows, a->step);
    if (a->alone)
        (void)snprintf(out + at, n - (size_t)at, " alone");
}

static void addresses_are_understood(void **state)
{
    static const struct {
        const char *text, *means;
    } rows[] = {
        {"coil 3", "1 3+1 u"},
        {"discrete 7", "2 7+1 u"},
        {"input 30", "4 30+1 u"},
        {"holding 100", "3 100+1 u"},
        {"holding 100 u16", "3 100+1 u"},
        {"  holding\t0  u16  ", "3 0+1 u"},
        {"holding 65535 s16", "3 65535+1 s"},
        {"holding 0x1f u32", "3 31+2 u"},
        {"holding 0XFFfe s32", "3 65534+2 s"},
        {"input 30 s32 be", "4 30+2 s"},
        {"holding 4 f32 le-swap", "3 4+2 f swap=2"},
        {"holding 4 f32 cdab", "3 4+2 f swap=2"},
        {"holding 4 f32 be-swap", "3 4+2 f swap=1"},
        {"holding 4 f32 badc", "3 4+2 f swap=1"},
        {"holding 4 f32 le", "3 4+2 f swap=3"},
        {"holding 4 f32 dcba", "3 4+2 f swap=3"},
        {"holding 4 f32 abcd", "3 4+2 f"},
        {"holding 4 le f64", "3 4+4 f swap=3"},
        {"holding 4 u64", "3 4+4 u"},
        {"holding 4 s64 le-swap", "3 4+4 s swap=2"},
        {"holding 4 u16 le", "3 4+1 u swap=3"},
        {"holding 12 u16 bits 4-7", "3 12+1 u bits=4+4"},
        {"holding 12 bit 0", "3 12+1 u bits=0+1"},
        {"holding 12 u64 bits 0-63", "3 12+4 u bits=0+64"},
        {"holding 12 u32 bit 31", "3 12+2 u bits=31+1"},
        {"holding 12 flags", "3 12+1 flags"},
        {"holding 12 flags u32", "3 12+2 flags"},
        {"holding 12 u32 flags le", "3 12+2 flags swap=3"},
        {"discrete 16 flags 8", "2 16+8 flags"},
        {"coil 0 flags 64", "1 0+64 flags"},
        {"holding 40 text 16", "3 40+16 text"},
        {"holding 40 text 125 le", "3 40+125 text swap=3"},
        {"holding 40 bytes 3", "3 40+3 bytes"},
        {"holding 900 alone", "3 900+1 u alone"},
        {"holding 40001", "3 40001+1 u"},
        {"40001", "3 0+1 u"},
        {"40101 u32", "3 100+2 u"},
        {"49999", "3 9998+1 u"},
        {"400101 f32", "3 100+2 f"},
        {"465536", "3 65535+1 u"},
        {"30001 s16", "4 0+1 s"},
        {"10001", "2 0+1 u"},
        {"00001", "1 0+1 u"},
        {"000017", "1 16+1 u"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mb_address a;
        char why[MB_WHY] = "", means[100] = "";

        if (mb_address_parse(rows[i].text, false, &a, why) < 0)
            fail_msg("'%s': %s", rows[i].text, why);
        describe(&a, means, sizeof means);
        if (strcmp(means, rows[i].means) != 0)
            fail_msg("'%s' means '%s', not '%s'", rows[i].text, means, rows[i].means);
    }
}

static void columns_have_rows(void **state)
{
    static const struct {
        const char *text, *means;
    } rows[] = {
        {"holding 200 u32 rows 3 step 10", "3 200+2 u rows=3/10"},
        {"holding 200 u32 rows 3", "3 200+2 u rows=3/2"},
        {"coil 8 rows 8", "1 8+1 u rows=8/1"},
        {"holding 65534 u16 rows 2", "3 65534+1 u rows=2/1"},
        {"holding 0 rows 1024 step 64", "3 0+1 u rows=1024/64"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mb_address a;
        char why[MB_WHY] = "", means[100] = "";

        if (mb_address_parse(rows[i].text, true, &a, why) < 0)
            fail_msg("'%s': %s", rows[i].text, why);
        describe(&a, means, sizeof means);
        if (strcmp(means, rows[i].means) != 0)
            fail_msg("'%s' means '%s', not '%s'", rows[i].text, means, rows[i].means);
    }
}

/* Each refusal says what is wrong and, where that is not plain, what would be right. */
static void nonsense_is_refused(void **state)
{
    static const struct {
        const char *text;
        bool table;
        const char *says;
    } rows[] = {
        {"", false, "it is empty; right would be, for example, 'holding 100 u16'"},
        {"   ", false, "it is empty"},
        {"1.3.6.1.2.1.1.3.0", false, "'1.3.6.1.2.1.1.3.0' must be 'coil', 'discrete', 'input' or 'holding'"},
        {"Holding 1", false, "'Holding' must be"},
        {"register 1", false, "'register' must be"},
        {"100", false, "or a reference such as 40001"},
        {"20001", false, "begin with 0, 1, 3 or 4"},
        {"40000", false, "'40000' is no reference: behind its first digit comes 1 to 65536"},
        {"465537", false, "1 to 65536"},
        {"4000001", false, "must be"},
        {"holding", false, "behind 'holding' comes the address as on the wire, 0 to 65535, not ''"},
        {"holding 65536", false, "not '65536'"},
        {"holding -1", false, "not '-1'"},
        {"holding 1x", false, "not '1x'"},
        {"holding 0x", false, "not '0x'"},
        {"holding 99999999999999999999999", false, "not '99999999999999999999999'"},
        {"holding 1 999999999999999999999999", false, "is no word of an address"},
        {"holding 65535 u32", false, "beyond the last address"},
        {"holding 1 u23", false, "'u23' is no type, byte order"},
        {"holding 1 le-swop", false, "did you mean 'le-swap'?"},
        {"holding 1 u16 u32", false, "'u32' is a second type"},
        {"holding 1 u32 le be", false, "'be' is a second byte order"},
        {"holding 1 u16 le-swap", false, "'le-swap' orders several registers; here it can be 'be' or 'le'"},
        {"holding 1 text 4 cdab", false, "here it can be 'be' or 'le'"},
        {"holding 1 text", false, "'text' needs a number from 1 to 125, not ''"},
        {"holding 1 text 0", false, "'text' needs a number from 1 to 125, not '0'"},
        {"holding 1 bytes 126", false, "not '126'"},
        {"holding 1 bits", false, "'bits' needs bits such as '4' or '4-7'"},
        {"holding 1 bits 7-4", false, "not '7-4'"},
        {"holding 1 bits 4-", false, "not '4-'"},
        {"holding 1 bits -4", false, "not '-4'"},
        {"holding 1 bits 12-16", false, "bit 16 lies beyond u16"},
        {"holding 1 u32 bits 64", false, "not '64'"},
        {"holding 1 s16 bits 4", false, "'bits' and 'flags' need u16, u32 or u64"},
        {"holding 1 f32 flags", false, "'bits' and 'flags' need u16, u32 or u64"},
        {"holding 1 text 2 flags", false, "'bits' and 'flags' need u16, u32 or u64"},
        {"holding 1 bits 1 flags", false, "exclude each other"},
        {"holding 1 flags 8", false, "'8' is no type"},
        {"coil 1 u16", false, "'coil' is one bit: it has no type, byte order or 'bits'"},
        {"discrete 1 be", false, "'discrete' is one bit"},
        {"coil 1 bits 3", false, "'coil' is one bit"},
        {"coil 1 flags", false, "'flags' needs a number from 1 to 64, not ''"},
        {"coil 1 flags 65", false, "not '65'"},
        {"coil 65500 flags 64", false, "beyond the last address"},
        {"holding 1 alone alone", false, "'alone' is there twice"},
        {"holding 1 bits 3 bits 3", false, "'bits' is there twice"},
        {"holding 1 a b c d e f g h i j k", false, "it has more than 12 words"},
        {"holding 1 rows 3", false, "'rows' is for columns of tables"},
        {"holding 1 step 3", false, "'step' needs 'rows'"},
        {"holding 1", true, "a table's column needs 'rows N'"},
        {"holding 1 rows 0", true, "'rows' needs a number from 1 to 1024, not '0'"},
        {"holding 1 rows 1025", true, "not '1025'"},
        {"holding 1 u32 rows 3 step 1", true, "a step of 1 is less than the 2 of a row"},
        {"holding 65534 rows 3", true, "beyond the last address"},
        {"holding 1 rows 1024 step 65535", true, "beyond the last address"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct mb_address a = {.count = 99};
        char why[MB_WHY] = "";

        if (mb_address_parse(rows[i].text, rows[i].table, &a, why) != PD_EINVAL || a.count != 99)
            fail_msg("'%s' was taken", rows[i].text);
        if (!strstr(why, rows[i].says))
            fail_msg("'%s': '%s' does not say '%s'", rows[i].text, why, rows[i].says);
    }
}

static void a_walk_takes_a_range(void **state)
{
    static const struct {
        const char *text;
        int function, first, last; /* function 0: refused */
    } rows[] = {
        {"holding 0-99", 3, 0, 99},   {"coil 5", 1, 5, 5},
        {"input", 4, 0, 65535},       {"discrete 0x10-0x1f", 2, 16, 31},
        {"holding 9-8", 0, 0, 0},     {"holding x", 0, 0, 0},
        {"1.3.6", 0, 0, 0},           {"", 0, 0, 0},
        {"holding 1-2 u16", 0, 0, 0}, {"holding 0-65536", 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t function = 0;
        uint16_t first = 0, last = 0;
        char why[MB_WHY] = "";
        int rc = mb_range_parse(rows[i].text, &function, &first, &last, why);

        if (rc != (rows[i].function ? 0 : PD_EINVAL) || function != rows[i].function || first != rows[i].first ||
            last != rows[i].last)
            fail_msg("'%s': %d, %d %d-%d %s", rows[i].text, rc, function, first, last, why);
    }
}

static void a_place_is_named(void **state)
{
    struct mb_ask one = {.function = MB_READ_COILS, .address = 7, .count = 1};
    struct mb_ask all = {.function = MB_READ_DISCRETE, .address = 63536, .count = 2000};
    char text[MB_PLACE];

    (void)state;
    mb_place(&one, text);
    assert_string_equal(text, "coil 7");
    mb_place(&all, text);
    assert_string_equal(text, "discrete 63536-65535");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_understood), cmocka_unit_test(columns_have_rows),
        cmocka_unit_test(nonsense_is_refused),      cmocka_unit_test(a_walk_takes_a_range),
        cmocka_unit_test(a_place_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
