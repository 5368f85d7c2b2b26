#include "simping.h"

#include <arpa/inet.h>
#include <string.h>

enum { ECHO_REPLY = 0 };

static int64_t mono(const struct simping *s)
{
    return clock_mono(&s->services->clock);
}

static void arm(struct simping *s)
{
    if (s->pongs.n > 0)
        wheel_set(s->services->wheel, &s->timer, s->pongs.v[0].due_ms);
}

static void on_timer(void *arg)
{
    struct simping *s = arg;

    s->readable(s->arg);
    arm(s);
}

static enum icmp_way way(void *ctx, int family)
{
    (void)ctx;
    return family == AF_INET ? ICMP_DATAGRAM : ICMP_NOT;
}

static uint16_t id(void *ctx, int family, uint16_t own)
{
    (void)ctx;
    (void)family;
    return own;
}

static bool lost(const struct simping *s, struct machine *m)
{
    double loss = site_loss(s->site, m) / 100;
    bool is = false;

    for (int way = 0; way < 2 && loss > 0 && !is; way++) /* there, and back */
        is = rng_unit(&s->services->rng) < loss;
    m->lost += is;
    return is;
}

/* The answer has the request's own bytes, but for its type. */
static int send_echo(void *ctx, const union pd_addr *to, const uint8_t *data, size_t n)
{
    struct simping *s = ctx;
    struct pong pong = {.from = *to, .due_ms = mono(s) + s->delay_ms};
    char address[INET_ADDRSTRLEN];
    struct machine *m;

    inet_ntop(AF_INET, &to->in.sin_addr, address, sizeof address);
    m = site_find(s->site, address);
    if (m == NULL || !machine_pings(m) || n != sizeof pong.data || lost(s, m))
        return 0;
    memcpy(pong.data, data, n);
    pong.data[0] = ECHO_REPLY;
    array_push(&s->pongs, pong);
    arm(s);
    return 0;
}

static bool recv_echo(void *ctx, struct icmp_packet *out)
{
    struct simping *s = ctx;

    if (s->pongs.n == 0 || s->pongs.v[0].due_ms > mono(s))
        return false;
    s->taken = s->pongs.v[0];
    array_remove(&s->pongs, 0);
    *out = (struct icmp_packet){.from = s->taken.from, .data = s->taken.data, .n = sizeof s->taken.data};
    return true;
}

static int64_t now_us(void *ctx)
{
    return mono(ctx) * 1000;
}

static void listen_to(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct simping *s = ctx;

    s->readable = readable;
    s->arg = arg;
}

static void close_it(void *ctx)
{
    struct simping *s = ctx;

    wheel_unset(s->services->wheel, &s->timer);
    array_free(&s->pongs);
}

struct icmp_net simping_ops(struct simping *s)
{
    timer_init(&s->timer, on_timer, s);
    return (struct icmp_net){.way = way,
                             .id = id,
                             .send = send_echo,
                             .recv = recv_echo,
                             .now_us = now_us,
                             .listen = listen_to,
                             .close = close_it,
                             .ctx = s};
}
