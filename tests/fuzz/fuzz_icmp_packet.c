/*
 * Whoever sends ICMP to this machine. The input is packets, each behind a head of two bytes: its length,
 * and how it comes; some get the id, place and cookie of a request that is on its way, at the place where
 * a reply has them, so that what follows is looked at. Packets lie in blocks of exactly their size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/wire.h"
#include "plugins/icmp/icmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum how {
    HOW_IPV6 = 1,
    HOW_DATAGRAM = 2,
    HOW_FITS = 4,       /* with what the request is known by, as a reply has it */
    HOW_QUOTES = 8,     /* likewise as an error quotes it */
    HOW_ELSEWHERE = 16, /* from another address */
    HOW_LATER = 32,     /* some time passes before it */
    HOW_CUT = 64,
};

struct bench {
    struct clock_fake time;
    struct rng_seeded seed;
    struct wheel *wheel;
    uint8_t request[ICMP_PACKET];
    struct wire_in left;
    enum how how;
    uint8_t *packet;
    void (*readable)(void *arg);
    void *arg;
    struct pd_device *device;
    struct pd_plan *plan;
    struct pd_read *read;
};

static enum icmp_way net_way(void *ctx, int family)
{
    (void)family;
    return ((struct bench *)ctx)->how & HOW_DATAGRAM ? ICMP_DATAGRAM : ICMP_RAW;
}

static uint16_t net_id(void *ctx, int family, uint16_t own)
{
    (void)ctx;
    (void)family;
    return own;
}

static int net_send(void *ctx, const union pd_addr *to, const uint8_t *data, size_t n)
{
    (void)to;
    memcpy(((struct bench *)ctx)->request, data, n);
    return 0;
}

/* Lays what the request is known by over the packet. */
static void fit(struct bench *b, size_t n)
{
    size_t head = b->how & (HOW_IPV6 | HOW_DATAGRAM) ? 0 : 20, quote = b->how & HOW_IPV6 ? 48 : head + 28;
    size_t at = (b->how & HOW_QUOTES ? quote : head) + 4, most = ICMP_PACKET - 4;

    if (at < n)
        memcpy(b->packet + at, b->request + 4, n - at < most ? n - at : most);
}

static bool net_recv(void *ctx, struct icmp_packet *out)
{
    struct bench *b = ctx;
    size_t n = wire_u8(&b->left);

    b->how = (enum how)wire_u8(&b->left);
    if (b->left.bad)
        return false;
    n = n < wire_left(&b->left) ? n : wire_left(&b->left);
    free(b->packet);
    b->packet = xmalloc(n ? n : 1);
    memcpy(b->packet, wire_bytes(&b->left, n), n);
    if (b->how & (HOW_FITS | HOW_QUOTES))
        fit(b, n);
    *out = (struct icmp_packet){.data = b->packet, .n = n, .cut = b->how & HOW_CUT};
    if (b->how & HOW_IPV6)
        pd_addr_parse(b->how & HOW_ELSEWHERE ? "2001:db8::2" : "2001:db8::1", 0, &out->from);
    else
        pd_addr_parse(b->how & HOW_ELSEWHERE ? "10.0.0.2" : "10.0.0.1", 0, &out->from);
    return true;
}

static int64_t net_now_us(void *ctx)
{
    return ((struct bench *)ctx)->time.mono * 1000;
}

static void net_listen(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct bench *b = ctx;

    b->readable = readable;
    b->arg = arg;
}

static void net_close(void *ctx)
{
    (void)ctx;
}

static void take_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        if (cells[i].type != PD_CELL_FLOAT || !(cells[i].f >= 0 && cells[i].f < 1e9))
            abort();
}

static void take_end(void *arg, const struct pd_read_result *r)
{
    struct bench *b = arg;

    if ((r->status == PD_READ_DONE) != !r->detail)
        abort();
    b->read = NULL;
}

static void go_on(struct bench *b)
{
    const struct pd_sink sink = {.cells = take_cells, .end = take_end, .arg = b};

    if (!b->read && pd_icmp_ops.read(b->device, b->plan, 1, &sink, &b->read) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bench b = {.time = {.mono = 1000}, .left = wire_in(data, size)};
    const struct icmp_net net = {net_way, net_id, net_send, net_recv, net_now_us, net_listen, net_close, &b};
    const struct pd_source sources[] = {{.id = 0, .address = "rtt"}, {.id = 1, .address = "loss"}};
    const bool six = size > 1 && data[1] & HOW_IPV6;
    const struct pd_target target = {.name = "d", .address = six ? "2001:db8::1" : "10.0.0.1", .retries = -1};
    struct pd_compile_error err;
    struct pd_services services;
    struct pd_collector *c;

    log_set_level(LOG_LEVEL_ERROR);
    rng_seed(&b.seed, 1);
    b.wheel = wheel_new(b.time.mono);
    services = (struct pd_services){.clock = clock_fake_ops(&b.time), .rng = rng_seeded_ops(&b.seed), .wheel = b.wheel};
    if (icmp_start_on(&services, NULL, &net, &c) < 0 || pd_icmp_ops.compile(c, sources, 2, &b.plan, &err) < 0 ||
        pd_icmp_ops.open(c, &target, &b.device) < 0)
        abort();
    while (wire_left(&b.left) >= 2) {
        go_on(&b);
        b.readable(b.arg);
        clock_fake_advance(&b.time, b.how & HOW_LATER ? 1100 : 110);
        wheel_advance(b.wheel, b.time.mono);
    }
    pd_icmp_ops.stop(c);
    pd_icmp_ops.plan_free(b.plan);
    wheel_free(b.wheel);
    free(b.packet);
    return 0;
}
