#include "plugins/modbus/value.h"

#include <math.h>
#include <string.h>

void mb_block_init(struct mb_block *b, const struct mb_ask *ask, const uint8_t *data)
{
    b->address = ask->address;
    b->data = data;
}

/* The registers of a number, in its order, as one. */
static inline uint64_t registers(const struct mb_address *a, uint16_t at, const struct mb_block *b)
{
    const uint8_t *p = b->data + 2 * (at - b->address);
    unsigned high = a->order & MB_SWAP_BYTES ? 1 : 0;
    int step = 2;
    uint64_t v = 0;

    if (a->order & MB_SWAP_WORDS) { /* from the last on */
        p += 2 * (a->count - 1);
        step = -2;
    }
    for (unsigned i = a->count; i > 0; i--, p += step)
        v = v << 16 | (uint64_t)(p[high] << 8 | p[!high]);
    return v;
}

static uint64_t packed_bits(const struct mb_address *a, uint16_t at, const struct mb_block *b)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < a->count; i++) {
        unsigned k = at - b->address + i;

        v |= (uint64_t)(b->data[k / 8] >> k % 8 & 1) << i;
    }
    return v;
}

static int64_t sign_extend(uint64_t v, unsigned bits)
{
    uint64_t top = UINT64_C(1) << (bits - 1);

    return (int64_t)((v ^ top) - top);
}

static void put_float(uint64_t v, unsigned registers_, struct pd_cell *out)
{
    uint32_t low = (uint32_t)v;
    float f;
    double d;

    memcpy(&f, &low, sizeof f);
    memcpy(&d, &v, sizeof d);
    if (registers_ == 2)
        d = (double)f;
    out->type = isnan(d) ? PD_CELL_NULL : isinf(d) ? PD_CELL_INVALID : PD_CELL_FLOAT;
    out->f = d;
}

static void put_unsigned(const struct mb_address *a, uint64_t v, struct pd_cell *out)
{
    v >>= a->bit;
    if (a->bits > 0 && a->bits < 64)
        v &= (UINT64_C(1) << a->bits) - 1;
    out->type = PD_CELL_UINT;
    out->u = v;
}

/* Flag 0 is the top bit of the first octet, as in the BITS of RFC 2578, which modules speak of. */
static void put_flags(unsigned n, uint64_t v, uint8_t scratch[static MB_FLAG_BYTES], struct pd_cell *out)
{
    memset(scratch, 0, MB_FLAG_BYTES);
    for (unsigned i = 0; i < n; i++) {
        if (v >> i & 1)
            scratch[i / 8] |= (uint8_t)(0x80 >> i % 8);
    }
    out->type = PD_CELL_BYTES;
    out->bytes = scratch;
    out->nbytes = (n + 7) / 8;
}

/* The same with the bytes of each register exchanged. */
static const uint8_t *swap_bytes(const struct mb_address *a, size_t offset, struct mb_block *b)
{
    for (size_t i = offset; i < offset + 2u * a->count; i += 2) {
        b->swapped[i] = b->data[i + 1];
        b->swapped[i + 1] = b->data[i];
    }
    return b->swapped + offset;
}

static void put_bytes(const struct mb_address *a, uint16_t at, struct mb_block *b, struct pd_cell *out)
{
    size_t offset = 2u * (at - b->address);

    out->type = PD_CELL_BYTES;
    out->bytes = a->order & MB_SWAP_BYTES ? swap_bytes(a, offset, b) : b->data + offset;
    out->nbytes = 2u * a->count;
    if (a->type == MB_TEXT)
        out->nbytes = (uint32_t)strnlen((const char *)out->bytes, out->nbytes);
}

void mb_value(const struct mb_address *a, uint16_t at, struct mb_block *b, uint8_t scratch[static MB_FLAG_BYTES],
              struct pd_cell *out)
{
    bool bits = mb_is_bits(a->function);
    uint64_t v;

    if (a->type == MB_TEXT || a->type == MB_BYTES) {
        put_bytes(a, at, b, out);
        return;
    }
    v = bits ? packed_bits(a, at, b) : registers(a, at, b);
    switch (a->type) {
    case MB_SIGNED:
        out->type = PD_CELL_INT;
        out->i = sign_extend(v, 16u * a->count);
        break;
    case MB_FLOAT:
        put_float(v, a->count, out);
        break;
    case MB_FLAGS:
        put_flags(bits ? a->count : 16u * a->count, v, scratch, out);
        break;
    default:
        put_unsigned(a, v, out);
    }
}
