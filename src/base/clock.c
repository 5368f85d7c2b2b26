#include "base/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_wall(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_REALTIME);
}

static int64_t system_mono(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_mono_us(void *ctx)
{
    struct timespec ts;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

const struct pd_clock clock_system = {.wall_ms = system_wall, .mono_ms = system_mono, .mono_us = system_mono_us};

static int64_t fake_wall(void *ctx)
{
    const struct clock_fake *f = ctx;

    return f->wall;
}

static int64_t fake_mono(void *ctx)
{
    const struct clock_fake *f = ctx;

    return f->mono;
}

struct pd_clock clock_fake_ops(struct clock_fake *f)
{
    return (struct pd_clock){.wall_ms = fake_wall, .mono_ms = fake_mono, .ctx = f};
}

void clock_fake_advance(struct clock_fake *f, int64_t ms)
{
    f->wall += ms;
    f->mono += ms;
}
