#include "base/rng.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static void system_fill(void *ctx, void *buf, size_t n)
{
    uint8_t *p = buf;

    (void)ctx;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);

        if (got < 0) {
            if (errno == EINTR)
                continue;
            abort(); /* no kernel we run on refuses; going on without randomness would be worse */
        }
        p += got;
        n -= (size_t)got;
    }
}

const struct pd_rng rng_system = {.fill = system_fill};

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t xoshiro256ss(uint64_t s[4])
{
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

void rng_seed(struct rng_seeded *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        r->s[i] = splitmix64(&seed);
}

/* Little-endian whatever the machine, so that a seed means the same bytes everywhere. */
static void seeded_fill(void *ctx, void *buf, size_t n)
{
    struct rng_seeded *r = ctx;
    uint8_t *p = buf;
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++) {
        if (i % 8 == 0)
            v = xoshiro256ss(r->s);
        p[i] = (uint8_t)v;
        v >>= 8;
    }
}

struct pd_rng rng_seeded_ops(struct rng_seeded *r)
{
    return (struct pd_rng){.fill = seeded_fill, .ctx = r};
}

static uint64_t take(const struct pd_rng *r, int bytes)
{
    uint8_t b[8];
    uint64_t v = 0;

    r->fill(r->ctx, b, (size_t)bytes);
    for (int i = bytes - 1; i >= 0; i--)
        v = v << 8 | b[i];
    return v;
}

uint32_t rng_u32(const struct pd_rng *r)
{
    return (uint32_t)take(r, 4);
}

uint64_t rng_u64(const struct pd_rng *r)
{
    return take(r, 8);
}

uint64_t rng_below(const struct pd_rng *r, uint64_t n)
{
    uint64_t v, low;

    assert(n > 0);
    low = -n % n; /* 2^64 mod n: values below it would favour small results */
    do
        v = rng_u64(r);
    while (v < low);
    return v % n;
}

double rng_unit(const struct pd_rng *r)
{
    return (double)(rng_u64(r) >> 11) * 0x1p-53;
}
