#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/keyed.h"

/* Of the authors' reference: key 00 01 .. 0f, input 00 01 02 … of each length. */
static void hashes_are_those_of_the_reference(void **state)
{
    static const struct {
        size_t n;
        uint64_t hash;
    } rows[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},
        {1, UINT64_C(0x74f839c593dc67fd)},
        {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)},
    };
    static const uint64_t key[2] = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    uint8_t in[16];

    (void)state;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (keyed_hash(key, in, rows[i].n) != rows[i].hash)
            fail_msg("%zu bytes", rows[i].n);
}

static void another_key_is_another_hash(void **state)
{
    static const uint64_t a[2] = {1, 2}, b[2] = {1, 3};

    (void)state;
    assert_true(keyed_hash(a, "x", 1) != keyed_hash(b, "x", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_reference),
        cmocka_unit_test(another_key_is_another_hash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
