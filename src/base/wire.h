#ifndef PD_BASE_WIRE_H
#define PD_BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Bounded decoding and encoding: a cursor with a sticky error. Reads past the
 * end give zero and set `bad`; writes past the end are dropped and set it. The
 * caller checks once, at the end.
 */
struct wire_in {
    const uint8_t *p, *end;
    bool bad;
};

static inline struct wire_in wire_in(const void *p, size_t n)
{
    return (struct wire_in){.p = p, .end = (const uint8_t *)p + n};
}
static inline size_t wire_left(const struct wire_in *in)
{
    return (size_t)(in->end - in->p);
}

static inline uint8_t wire_u8(struct wire_in *in)
{
    if (in->bad || in->p == in->end) {
        in->bad = true;
        return 0;
    }
    return *in->p++;
}
uint16_t wire_u16be(struct wire_in *in);
uint32_t wire_u32be(struct wire_in *in);
uint64_t wire_u64be(struct wire_in *in);
uint64_t wire_long_varint(struct wire_in *in);
/* LEB128, at most ten bytes, no more than 64 bits. */
static inline uint64_t wire_varint(struct wire_in *in)
{
    if (!in->bad && in->p != in->end && *in->p < 0x80) /* as most are */
        return *in->p++;
    return wire_long_varint(in);
}
int64_t wire_zigzag(struct wire_in *in);
/* The next n bytes, borrowed; NULL and bad if there are fewer. */
const uint8_t *wire_bytes(struct wire_in *in, size_t n);

struct wire_out {
    uint8_t *start, *p, *end;
    bool bad;
};

static inline struct wire_out wire_out(void *p, size_t n)
{
    return (struct wire_out){.start = p, .p = p, .end = (uint8_t *)p + n};
}
static inline size_t wire_used(const struct wire_out *out)
{
    return (size_t)(out->p - out->start);
}

static inline void wire_put_u8(struct wire_out *out, uint8_t v)
{
    if (out->bad || out->p == out->end)
        out->bad = true;
    else
        *out->p++ = v;
}
void wire_put_u16be(struct wire_out *out, uint16_t v);
void wire_put_u32be(struct wire_out *out, uint32_t v);
void wire_put_u64be(struct wire_out *out, uint64_t v);
void wire_put_varint(struct wire_out *out, uint64_t v);
void wire_put_zigzag(struct wire_out *out, int64_t v);
void wire_put_bytes(struct wire_out *out, const void *p, size_t n);

/* The same to the last bit: a negative zero is another number, a NaN is itself. */
static inline bool wire_same_double(double a, double b)
{
    uint64_t x, y;

    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return x == y;
}

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) of n bytes, continuing from crc (0 to begin). */
uint32_t wire_crc32c(uint32_t crc, const void *p, size_t n);

#endif
