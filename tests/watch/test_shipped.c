#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/rng.h"

/* tests/fuzz/fuzz_shipped.c, which aborts where something is found that must not be. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUTS = 60000, LONGEST = 1500 };

/* Every shipped module, with fixed seeds: what a fuzzer does for hours, for a second or two. */
static void whatever_a_device_sends_no_value_is_made_up(void **state)
{
    uint8_t data[LONGEST];

    (void)state;
    for (uint64_t seed = 1; seed <= INPUTS; seed++) {
        struct rng_seeded seeded;
        struct pd_rng rng = rng_seeded_ops(&seeded);

        rng_seed(&seeded, seed);
        rng.fill(rng.ctx, data, sizeof data);
        data[0] = (uint8_t)seed;
        LLVMFuzzerTestOneInput(data, 1 + rng_below(&rng, LONGEST - 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_a_device_sends_no_value_is_made_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
