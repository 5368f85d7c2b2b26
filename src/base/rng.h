#ifndef PD_BASE_RNG_H
#define PD_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Randomness comes in through this. */
struct pd_rng {
    void (*fill)(void *ctx, void *buf, size_t n);
    void *ctx;
};

/* The kernel's generator. */
extern const struct pd_rng rng_system;

/* A seeded generator (xoshiro256**, seeded by splitmix64): the same bytes for the same seed everywhere. */
struct rng_seeded {
    uint64_t s[4];
};
void rng_seed(struct rng_seeded *r, uint64_t seed);
struct pd_rng rng_seeded_ops(struct rng_seeded *r);

uint32_t rng_u32(const struct pd_rng *r);
uint64_t rng_u64(const struct pd_rng *r);
/* Uniform in [0, n); n > 0. */
uint64_t rng_below(const struct pd_rng *r, uint64_t n);
/* Uniform in [0, 1). */
double rng_unit(const struct pd_rng *r);

#endif
