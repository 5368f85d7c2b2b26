/* An hour of polls, or hours reckoned up: as they come, and under a right checksum; nothing is read beyond the bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/wire.h"
#include "store/rollup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_hour(const uint8_t *p, size_t n)
{
    struct hour_reader r = {0};

    if (hour_decode(&r, p, n, NO_KEY) == 0) {
        uint32_t begin = 0;

        for (size_t i = 0; i < r.grid.times.n; begin = r.ends.v[i++])
            if (r.ends.v[i] < begin || (i > 0 && r.grid.times.v[i] <= r.grid.times.v[i - 1]))
                abort();
        if (begin != r.rows.n)
            abort();
    }
    hour_reader_fini(&r);
}

static void check_rollup(const uint8_t *p, size_t n)
{
    struct rollup_reader r = {0};
    struct rollup all = {0};

    if (rollup_open(&r, p, n) == 0)
        while (rollup_next(&r) == 1)
            for (size_t i = 0; i < r.periods.n; i++)
                rollup_merge(&all, &r.periods.v[i]);
    rollup_reader_fini(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    check_hour(data, size);
    check_rollup(data, size);
    if (size < 4)
        return 0;
    copy = xmemdup(data, size);
    {
        struct wire_out w = wire_out(copy + size - 4, 4);

        wire_put_u32be(&w, wire_crc32c(0, copy, size - 4));
    }
    check_hour(copy, size);
    check_rollup(copy, size);
    free(copy);
    return 0;
}
