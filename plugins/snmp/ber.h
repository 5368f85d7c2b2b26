#ifndef PD_SNMP_BER_H
#define PD_SNMP_BER_H

#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"

/*
 * The part of ASN.1's Basic Encoding Rules that SNMP uses (RFC 3417, section 8):
 * one-byte tags, definite lengths of up to four bytes. Numbers are read with the
 * liberties that real agents take; they are written in the shortest form.
 */
enum ber_tag {
    BER_INTEGER = 0x02,
    BER_OCTETS = 0x04,
    BER_NULL = 0x05,
    BER_OID = 0x06,
    BER_SEQUENCE = 0x30,
};

/* ---- Decoding: errors stick in the cursor that was read from ---- */

/* ber_open() for whatever is not short and whole. */
uint8_t ber_open_slowly(struct wire_in *in, struct wire_in *body);

/* Takes the next element: its tag, and its contents in *body. 0 and in->bad if there is no whole element. */
static inline uint8_t ber_open(struct wire_in *in, struct wire_in *body)
{
    const uint8_t *p = in->p;

    if (in->bad || in->end - p < 2 || (p[0] & 0x1f) == 0x1f || p[1] >= 0x80 || in->end - p - 2 < p[1])
        return ber_open_slowly(in, body);
    *body = (struct wire_in){.p = p + 2, .end = p + 2 + p[1]};
    in->p = body->end;
    return p[0];
}

/* The contents of the next element, which must have this tag; empty and in->bad otherwise. */
static inline struct wire_in ber_expect(struct wire_in *in, uint8_t tag)
{
    struct wire_in body;

    if (ber_open(in, &body) != tag) {
        in->bad = true;
        body.end = body.p;
    }
    return body;
}

/* The same as ber_int() and ber_uint(), of n bytes at p. */
int ber_int_of(const uint8_t *p, size_t n, int64_t *out);
int ber_uint_of_any(const uint8_t *p, size_t n, unsigned bits, uint64_t *out);

static inline int ber_uint_of(const uint8_t *p, size_t n, unsigned bits, uint64_t *out)
{
    uint64_t v = 0;

    if (n == 0 || n > bits / 8) /* there is padding to be looked at, or nothing */
        return ber_uint_of_any(p, n, bits, out);
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    *out = v;
    return 0;
}

/* An integer's contents. Leading padding is tolerated; PD_EPROTO if empty or wider than 64 bits. */
static inline int ber_int(struct wire_in body, int64_t *out)
{
    return ber_int_of(body.p, wire_left(&body), out);
}

/*
 * The contents of an unsigned integer of 32 or 64 bits. A missing leading zero
 * and wrong sign extension, both common in counters, are tolerated. PD_EPROTO if
 * more than padding lies above the bits.
 */
static inline int ber_uint(struct wire_in body, unsigned bits, uint64_t *out)
{
    return ber_uint_of(body.p, wire_left(&body), bits, out);
}

/*
 * An object identifier's contents into at most max numbers: how many, or PD_EPROTO
 * where it is cut off, a number exceeds 32 bits or there are more than max. Empty
 * contents, which some agents send, mean 0.0.
 */
int ber_oid(struct wire_in body, uint32_t *ids, size_t max);
/* The rest of an object identifier's contents likewise, behind n numbers that are in ids already. */
int ber_oid_rest(const uint8_t *p, const uint8_t *end, uint32_t *ids, size_t n, size_t max);

/* ---- Encoding: what does not fit sets out->bad ---- */

/* Starts an element whose length is not known yet; give the result to ber_end(). */
size_t ber_begin(struct wire_out *out, uint8_t tag);
void ber_end(struct wire_out *out, size_t at);

void ber_put_head(struct wire_out *out, uint8_t tag, size_t len);
void ber_put_int(struct wire_out *out, uint8_t tag, int64_t v);
void ber_put_uint(struct wire_out *out, uint8_t tag, uint64_t v);
void ber_put_octets(struct wire_out *out, uint8_t tag, const void *p, size_t n);
/* The numbers of a followed by those of b: a column and an instance. A first number above 2 sets out->bad. */
void ber_put_oid(struct wire_out *out, const uint32_t *a, size_t na, const uint32_t *b, size_t nb);

#endif
