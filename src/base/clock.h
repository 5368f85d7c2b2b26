#ifndef PD_BASE_CLOCK_H
#define PD_BASE_CLOCK_H

#include <stdint.h>

/*
 * Time comes in through this. Intervals are measured on mono_ms (never steps,
 * meaningless after a restart); wall_ms (UTC, since 1970) is only for stamps
 * that are stored or shown.
 */
struct pd_clock {
    int64_t (*wall_ms)(void *ctx);
    int64_t (*mono_ms)(void *ctx);
    void *ctx;
    int64_t (*mono_us)(void *ctx); /* mono_ms in microseconds, for what is measured; NULL: only ms are known */
};

static inline int64_t clock_wall(const struct pd_clock *c)
{
    return c->wall_ms(c->ctx);
}
static inline int64_t clock_mono(const struct pd_clock *c)
{
    return c->mono_ms(c->ctx);
}

static inline int64_t clock_mono_us(const struct pd_clock *c)
{
    return c->mono_us ? c->mono_us(c->ctx) : c->mono_ms(c->ctx) * 1000;
}

/* The machine's clocks. */
extern const struct pd_clock clock_system;

/* A clock that moves only when told. */
struct clock_fake {
    int64_t wall, mono;
};
struct pd_clock clock_fake_ops(struct clock_fake *f);
/* Lets ms pass on both clocks. */
void clock_fake_advance(struct clock_fake *f, int64_t ms);

#endif
