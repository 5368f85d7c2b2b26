#include "base/wire.h"

#include <string.h>

static uint64_t get_be(struct wire_in *in, size_t n)
{
    const uint8_t *p = wire_bytes(in, n);
    uint64_t v = 0;

    if (!p)
        return 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

uint16_t wire_u16be(struct wire_in *in)
{
    return (uint16_t)get_be(in, 2);
}

uint32_t wire_u32be(struct wire_in *in)
{
    return (uint32_t)get_be(in, 4);
}

uint64_t wire_u64be(struct wire_in *in)
{
    return get_be(in, 8);
}

enum { VARINT_MAX = 10 }; /* bytes */

/* There are as many bytes as it can have at most, so none is asked whether it is there. */
static uint64_t get_whole_varint(struct wire_in *in)
{
    const uint8_t *p = in->p;
    uint64_t v = 0;

    for (int shift = 0; shift < 63; shift += 7) {
        uint8_t b = *p++;

        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            in->p = p;
            return v;
        }
    }
    in->p = p + 1;
    in->bad = *p > 1; /* the tenth byte holds the 64th bit only */
    return in->bad ? 0 : v | (uint64_t)*p << 63;
}

uint64_t wire_long_varint(struct wire_in *in)
{
    uint64_t v = 0;

    if (!in->bad && wire_left(in) >= VARINT_MAX)
        return get_whole_varint(in);
    for (int shift = 0;; shift += 7) {
        uint8_t b = wire_u8(in);

        if (in->bad)
            return 0;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80))
            return v;
    }
}

int64_t wire_zigzag(struct wire_in *in)
{
    uint64_t v = wire_varint(in);

    return (int64_t)(v >> 1 ^ -(v & 1));
}

const uint8_t *wire_bytes(struct wire_in *in, size_t n)
{
    const uint8_t *p = in->p;

    if (in->bad || n > wire_left(in)) {
        in->bad = true;
        return NULL;
    }
    if (n > 0)
        in->p += n;
    return p;
}

static void put_be(struct wire_out *out, uint64_t v, size_t n)
{
    uint8_t b[8];

    for (size_t i = n; i-- > 0; v >>= 8)
        b[i] = (uint8_t)v;
    wire_put_bytes(out, b, n);
}

void wire_put_u16be(struct wire_out *out, uint16_t v)
{
    put_be(out, v, 2);
}

void wire_put_u32be(struct wire_out *out, uint32_t v)
{
    put_be(out, v, 4);
}

void wire_put_u64be(struct wire_out *out, uint64_t v)
{
    put_be(out, v, 8);
}

void wire_put_varint(struct wire_out *out, uint64_t v)
{
    if (!out->bad && out->end - out->p >= VARINT_MAX) {
        for (; v > 0x7f; v >>= 7)
            *out->p++ = (uint8_t)(v | 0x80);
        *out->p++ = (uint8_t)v;
        return;
    }
    for (; v > 0x7f; v >>= 7)
        wire_put_u8(out, (uint8_t)(v | 0x80));
    wire_put_u8(out, (uint8_t)v);
}

void wire_put_zigzag(struct wire_out *out, int64_t v)
{
    wire_put_varint(out, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void wire_put_bytes(struct wire_out *out, const void *p, size_t n)
{
    if (out->bad || n > (size_t)(out->end - out->p)) {
        out->bad = true;
        return;
    }
    if (n == 0)
        return;
    memcpy(out->p, p, n);
    out->p += n;
}

/* Half a byte at a time: sixteen entries stay in one cache line, and blobs are small. */
static const uint32_t crc32c_nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t crc_bytes(uint32_t crc, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= b[i];
        crc = crc >> 4 ^ crc32c_nibble[crc & 15];
        crc = crc >> 4 ^ crc32c_nibble[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
/* The processor's own instruction, eight bytes at a time, where it has one. */
__attribute__((target("sse4.2"))) static uint32_t crc_words(uint32_t crc, const uint8_t *b, size_t n)
{
    uint64_t wide = crc, word;

    for (; n >= sizeof word; b += sizeof word, n -= sizeof word) {
        memcpy(&word, b, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    for (crc = (uint32_t)wide; n > 0; n--)
        crc = __builtin_ia32_crc32qi(crc, *b++);
    return crc;
}

static uint32_t crc_any(uint32_t crc, const uint8_t *b, size_t n)
{
    return __builtin_cpu_supports("sse4.2") ? crc_words(crc, b, n) : crc_bytes(crc, b, n);
}
#else
static uint32_t crc_any(uint32_t crc, const uint8_t *b, size_t n)
{
    return crc_bytes(crc, b, n);
}
#endif

uint32_t wire_crc32c(uint32_t crc, const void *p, size_t n)
{
    return ~crc_any(~crc, p, n);
}
