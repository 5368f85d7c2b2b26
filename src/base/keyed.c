#include "base/keyed.h"

#include <endian.h>
#include <string.h>

struct state {
    uint64_t a, b, c, d;
};

static uint64_t turn(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static void rounds(struct state *s, unsigned n)
{
    for (; n > 0; n--) {
        s->a += s->b;
        s->c += s->d;
        s->b = turn(s->b, 13) ^ s->a;
        s->d = turn(s->d, 16) ^ s->c;
        s->a = turn(s->a, 32);
        s->c += s->b;
        s->a += s->d;
        s->b = turn(s->b, 17) ^ s->c;
        s->d = turn(s->d, 21) ^ s->a;
        s->c = turn(s->c, 32);
    }
}

static void take(struct state *s, uint64_t word)
{
    s->d ^= word;
    rounds(s, 2);
    s->a ^= word;
}

uint64_t keyed_hash(const uint64_t key[2], const void *p, size_t n)
{
    /* "somepseudorandomlygeneratedbytes" */
    struct state s = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
                      key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)};
    const uint8_t *at = p;
    uint64_t word, last = (uint64_t)n << 56;

    for (size_t left = n; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        take(&s, le64toh(word));
    }
    for (size_t i = 0; i < n % sizeof word; i++)
        last |= (uint64_t)at[i] << (8 * i);
    take(&s, last);
    s.c ^= 0xff;
    rounds(&s, 4);
    return s.a ^ s.b ^ s.c ^ s.d;
}
