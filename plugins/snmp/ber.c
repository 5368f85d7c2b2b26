#include "plugins/snmp/ber.h"

#include <string.h>

#include "base/err.h"

enum { MAX_LENGTH_BYTES = 4, RUN = 8 };

/* ---- Decoding ---- */

/* wire_u8() where it costs: most of a packet is read byte by byte. */
static inline uint8_t take(struct wire_in *in)
{
    if (in->p == in->end) {
        in->bad = true;
        return 0;
    }
    return *in->p++;
}

static size_t take_length(struct wire_in *in)
{
    uint8_t first = take(in);
    size_t n = first & 0x7f, len = 0;

    if (first < 0x80)
        return first;
    if (n == 0 || n > MAX_LENGTH_BYTES) /* 0 would be the indefinite form */
        in->bad = true;
    for (; n > 0 && !in->bad; n--)
        len = len << 8 | take(in);
    return len;
}

uint8_t ber_open_slowly(struct wire_in *in, struct wire_in *body)
{
    uint8_t tag = take(in);
    size_t len;
    const uint8_t *p;

    *body = (struct wire_in){.p = in->p, .end = in->p};
    if ((tag & 0x1f) == 0x1f) /* tags of several bytes have no place in SNMP */
        in->bad = true;
    len = take_length(in);
    p = in->bad ? NULL : wire_bytes(in, len);
    if (!p)
        return 0;
    *body = wire_in(p, len);
    return tag;
}

/*
 * The last `width` bytes, shifted into v. Those before them must be padding: zeros,
 * or ones that extend a set sign bit.
 */
static inline int take_number(const uint8_t *p, size_t n, size_t width, uint64_t v, uint64_t *out)
{
    const uint8_t *end = p + n;
    uint8_t pad;

    if (n == 0)
        return PD_EPROTO;
    if (n > width) {
        pad = *p & 0x80 ? 0xff : 0;
        for (; end - p > (ptrdiff_t)width; p++) {
            if (*p != pad)
                return PD_EPROTO;
        }
        if (pad && !(*p & 0x80))
            return PD_EPROTO;
    }
    while (p < end)
        v = v << 8 | *p++;
    *out = v;
    return 0;
}

int ber_int_of(const uint8_t *p, size_t n, int64_t *out)
{
    uint64_t v;

    if (take_number(p, n, 8, n > 0 && *p & 0x80 ? UINT64_MAX : 0, &v) < 0)
        return PD_EPROTO;
    if (n > 8 && *p == 0 && v > INT64_MAX)
        return PD_EPROTO;
    *out = (int64_t)v;
    return 0;
}

int ber_uint_of_any(const uint8_t *p, size_t n, unsigned bits, uint64_t *out)
{
    return take_number(p, n, bits / 8, 0, out);
}

/* One sub-identifier, seven bits a byte, which moves *at behind it; false where it is cut off or too large. */
static inline bool take_subid(const uint8_t **at, const uint8_t *end, uint32_t *out)
{
    const uint8_t *p = *at;
    uint32_t v = 0;

    do {
        if (p == end || v > UINT32_MAX >> 7)
            return false;
        v = v << 7 | (*p & 0x7f);
    } while (*p++ & 0x80);
    *at = p;
    *out = v;
    return true;
}

/* True if each of the next bytes is a number by itself, as nearly all are: that goes eight at a time. */
static inline bool is_run(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
    return (w & 0x8080808080808080) == 0;
}

int ber_oid_rest(const uint8_t *p, const uint8_t *end, uint32_t *ids, size_t n, size_t max)
{
    for (; end - p >= RUN && n + RUN <= max && is_run(p); p += RUN, n += RUN)
        for (int i = 0; i < RUN; i++)
            ids[n + i] = p[i];
    for (; p < end; n++) {
        if (n == max)
            return PD_EPROTO;
        if (*p < 0x80)
            ids[n] = *p++;
        else if (!take_subid(&p, end, &ids[n]))
            return PD_EPROTO;
    }
    return (int)n;
}

int ber_oid(struct wire_in body, uint32_t *ids, size_t max)
{
    const uint8_t *p = body.p, *end = body.end;
    uint32_t first;

    if (max < 2)
        return PD_EPROTO;
    if (p == end) {
        ids[0] = ids[1] = 0;
        return 2;
    }
    if (!take_subid(&p, end, &first)) /* the first two numbers travel as one: 40 * X + Y (X.690, 8.19.4) */
        return PD_EPROTO;
    ids[0] = first < 80 ? first / 40 : 2;
    ids[1] = first - 40 * ids[0];
    return ber_oid_rest(p, end, ids, 2, max);
}

/* ---- Encoding ---- */

/* Bytes that a length takes beyond its first. */
static size_t length_bytes(size_t len)
{
    return len < 0x80 ? 0 : len < 0x100 ? 1 : len < 0x10000 ? 2 : len < 0x1000000 ? 3 : 4;
}

static void store_length(uint8_t *p, size_t len, size_t extra)
{
    *p = extra ? (uint8_t)(0x80 | extra) : (uint8_t)len;
    for (size_t i = extra; i > 0; i--, len >>= 8)
        p[i] = (uint8_t)len;
}

size_t ber_begin(struct wire_out *out, uint8_t tag)
{
    wire_put_u8(out, tag);
    wire_put_u8(out, 0);
    return wire_used(out);
}

/* The contents move up by the bytes that their length turned out to need. */
void ber_end(struct wire_out *out, size_t at)
{
    uint8_t *body = out->start + at;
    size_t len, extra;

    if (out->bad)
        return;
    len = (size_t)(out->p - body);
    extra = length_bytes(len);
    if ((size_t)(out->end - out->p) < extra) {
        out->bad = true;
        return;
    }
    memmove(body + extra, body, len);
    store_length(body - 1, len, extra);
    out->p += extra;
}

void ber_put_head(struct wire_out *out, uint8_t tag, size_t len)
{
    uint8_t b[1 + MAX_LENGTH_BYTES];
    size_t extra = length_bytes(len);

    store_length(b, len, extra);
    wire_put_u8(out, tag);
    wire_put_bytes(out, b, 1 + extra);
}

void ber_put_int(struct wire_out *out, uint8_t tag, int64_t v)
{
    size_t n = 8;

    while (n > 1 && (v >> (8 * n - 9) == 0 || v >> (8 * n - 9) == -1))
        n--;
    ber_put_head(out, tag, n);
    for (; n > 0; n--)
        wire_put_u8(out, (uint8_t)((uint64_t)v >> (8 * (n - 1))));
}

void ber_put_uint(struct wire_out *out, uint8_t tag, uint64_t v)
{
    if (v <= INT64_MAX) {
        ber_put_int(out, tag, (int64_t)v);
        return;
    }
    ber_put_head(out, tag, 9);
    wire_put_u8(out, 0);
    wire_put_u64be(out, v);
}

void ber_put_octets(struct wire_out *out, uint8_t tag, const void *p, size_t n)
{
    ber_put_head(out, tag, n);
    if (n > 0)
        wire_put_bytes(out, p, n);
}

static void put_subid(struct wire_out *out, uint32_t v)
{
    for (int shift = 28; shift > 0; shift -= 7) {
        if (v >> shift)
            wire_put_u8(out, (uint8_t)(0x80 | (v >> shift & 0x7f)));
    }
    wire_put_u8(out, v & 0x7f);
}

void ber_put_oid(struct wire_out *out, const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    size_t at = ber_begin(out, BER_OID);
    uint32_t x = na > 0 ? a[0] : 0, y = na > 1 ? a[1] : 0;

    if (x > 2 || (x < 2 && y > 39) || y > UINT32_MAX - 80)
        out->bad = true;
    put_subid(out, 40 * x + y);
    for (size_t i = 2; i < na; i++)
        put_subid(out, a[i]);
    for (size_t i = 0; i < nb; i++)
        put_subid(out, b[i]);
    ber_end(out, at);
}
