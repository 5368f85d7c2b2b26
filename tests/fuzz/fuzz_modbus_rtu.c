/*
 * A hostile slave on a serial bus. The input: u8 function, u8 count, u8 flags, then the frame that comes, in a block of
 * exactly its size: as it is, or with unit and check sum made right so that what they guard is looked at.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plugins/modbus/pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 3, MAX_FRAME = 300 };

enum flag { RIGHT_UNIT = 1, RIGHT_SUM = 2 };

static void mend(uint8_t *p, size_t n, uint8_t flags, uint8_t unit)
{
    uint16_t sum;

    if (n >= 1 && flags & RIGHT_UNIT)
        p[0] = unit;
    if (n < 2 || !(flags & RIGHT_SUM))
        return;
    sum = mb_rtu_checksum(p, n - 2);
    p[n - 2] = (uint8_t)sum;
    p[n - 1] = (uint8_t)(sum >> 8);
}

/* What is taken lies inside the frame and is what was asked for. */
static void check(const struct mb_ask *ask, const uint8_t *p, size_t n, const struct mb_answer *a)
{
    unsigned sum = 0;

    if (p[0] != ask->unit || (p[1] & 0x7f) != ask->function)
        abort();
    if (a->exception) {
        if (n != MB_RTU_AROUND + 2 || p[2] != a->exception)
            abort();
        return;
    }
    if (a->data != p + 3 || a->n != mb_data_size(ask) || a->n + MB_RTU_AROUND + 2 != n)
        abort();
    for (size_t i = 0; i < a->n; i++)
        sum += a->data[i];
    if (sum > 255u * a->n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mb_ask ask = {.unit = 17};
    struct mb_answer a = {0};
    uint8_t *exact;
    size_t n;

    if (size < HEAD)
        return 0;
    ask.function = (uint8_t)(1 + data[0] % 4);
    ask.count = (uint16_t)(1 + data[1] % MB_MAX_REGISTERS);
    n = size - HEAD < MAX_FRAME ? size - HEAD : MAX_FRAME;
    exact = xmalloc(n ? n : 1);
    memcpy(exact, data + HEAD, n);
    mend(exact, n, data[2], ask.unit);
    if (mb_rtu_decode(&ask, exact, n, &a) == MB_FITS)
        check(&ask, exact, n, &a);
    free(exact);
    return 0;
}
