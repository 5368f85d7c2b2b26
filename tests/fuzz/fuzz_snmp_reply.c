/*
 * A hostile device. The input is what it sends: first as one packet to the message
 * decoder, then cut into packets for a read (or a walk) in progress, each under a
 * head that fits, so that what is inside is looked at. Packets lie in blocks of
 * exactly their size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "plugins/snmp/pdu.h"
#include "plugins/snmp/snmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOURCES = 6 };

struct bench {
    struct clock_fake time;
    struct rng_seeded seed;
    struct pd_services services;
    struct pd_collector *collector;
    struct pd_plan *plan;
    void (*readable)(void *arg);
    void *arg;
    /* This input's: */
    struct wire_in left;
    struct snmp_msg request; /* the last that was sent */
    uint8_t *waiting;        /* a packet for the collector */
    size_t nwaiting;
    uint8_t *taken;
    union pd_addr addr;
    bool walk;
    int ends;
    size_t cells;
    struct oid last[SOURCES];
};

/* The next packet: u8 flags, u8 status, u8 index, u16 length, varbinds. Without the first flag a whole message. */
static void make_reply(struct bench *b)
{
    uint8_t flags = wire_u8(&b->left), buf[4096];
    struct snmp_msg head = b->request;
    struct snmp_writer w;
    const uint8_t *body;
    size_t n;

    head.type = SNMP_RESPONSE;
    head.status = wire_u8(&b->left);
    head.index = wire_u8(&b->left);
    n = wire_u16be(&b->left) & 2047;
    n = n < wire_left(&b->left) ? n : wire_left(&b->left);
    body = wire_bytes(&b->left, n);
    if (!body)
        return;
    if (flags & 1) {
        snmp_begin(&w, buf, sizeof buf, &head);
        snmp_put_encoded(&w, body, n);
        n = snmp_end(&w);
        body = buf;
    }
    b->waiting = xmalloc(n ? n : 1);
    memcpy(b->waiting, body, n);
    b->nwaiting = n;
}

static size_t net_send(void *ctx, struct snmp_packet *p, size_t n)
{
    struct bench *b = ctx;

    for (size_t i = 0; i < n; i++) {
        if (snmp_decode(p[i].data, p[i].n, &b->request) < 0)
            abort(); /* we wrote that ourselves */
        b->request.community = (const uint8_t *)"public";
        b->addr = p[i].addr;
        if (!b->waiting)
            make_reply(b);
    }
    return n;
}

static size_t net_recv(void *ctx, struct snmp_packet *p, size_t n)
{
    struct bench *b = ctx;

    (void)n;
    free(b->taken);
    b->taken = b->waiting;
    b->waiting = NULL;
    if (!b->taken)
        return 0;
    *p = (struct snmp_packet){.addr = b->addr, .data = b->taken, .n = b->nwaiting};
    return 1;
}

static size_t net_buffer(void *ctx, int family)
{
    (void)ctx;
    (void)family;
    return 1 << 20;
}

static void net_listen(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct bench *b = ctx;

    b->readable = readable;
    b->arg = arg;
}

/* What holds whatever a device sends: known sources, short instances, columns that rise. */
static void on_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct bench *b = arg;

    b->cells += n;
    for (size_t i = 0; i < n; i++) {
        const struct pd_cell *c = &cells[i];
        struct oid *last = &b->last[c->source < SOURCES ? c->source : 0];

        if (c->source >= SOURCES || c->ninstance > PD_MAX_INSTANCE || c->type > PD_CELL_INVALID)
            abort();
        if (c->ninstance > 0 && oid_cmp(c->instance, c->ninstance, last->id, last->n) <= 0)
            abort();
        memcpy(last->id, c->instance, c->ninstance * sizeof *c->instance);
        last->n = c->ninstance;
        for (uint32_t k = 0; c->type == PD_CELL_BYTES && k < c->nbytes; k++)
            b->cells += c->bytes[k] == 0xff; /* the bytes can be read */
    }
}

static void on_end(void *arg, const struct pd_read_result *result)
{
    struct bench *b = arg;

    b->ends++;
    /* A read that got everything has nothing to tell, but that the device goes in circles. */
    if ((result->status == PD_READ_DONE && !result->looped) != (result->detail == NULL))
        abort();
}

static struct bench *bench_new(void)
{
    static const struct pd_source sources[SOURCES] = {
        {.id = 0, .address = "1.3.6.1.2.1.1.3.0"},
        {.id = 1, .address = "1.3.6.1.2.1.1.5.0"},
        {.id = 2, .address = "1.3.6.1.2.1.25.3.5.1.1.1"},
        {.id = 3, .address = "1.3.6.1.2.1.2.2.1.2", .table = true},
        {.id = 4, .address = "1.3.6.1.2.1.2.2.1.10", .table = true},
        {.id = 5, .address = "1.3.6.1.2.1.43.11.1.1.9", .table = true},
    };
    struct bench *b = xcalloc(1, sizeof *b);
    struct snmp_net net = {.send = net_send, .recv = net_recv, .buffer = net_buffer, .listen = net_listen, .ctx = b};
    struct pd_compile_error err;

    log_set_level(LOG_LEVEL_ERROR);
    rng_seed(&b->seed, 1);
    b->services =
        (struct pd_services){.clock = clock_fake_ops(&b->time), .rng = rng_seeded_ops(&b->seed), .wheel = wheel_new(0)};
    if (snmp_start_on(&b->services, NULL, &net, &b->collector) < 0 ||
        pd_snmp_ops.compile(b->collector, sources, SOURCES, &b->plan, &err) < 0)
        abort();
    return b;
}

static void read_once(struct bench *b, struct pd_device *d)
{
    struct pd_sink sink = {.cells = on_cells, .end = on_end, .arg = b};
    struct pd_read *r;
    int rc;

    memset(b->last, 0, sizeof b->last);
    b->ends = 0;
    rc = b->walk ? pd_snmp_ops.walk(d, "1.3", &sink, &r) : pd_snmp_ops.read(d, b->plan, 1, &sink, &r);
    if (rc < 0)
        abort();
    while (b->ends == 0) {
        int64_t next = wheel_next(b->services.wheel);

        if (b->waiting) {
            b->readable(b->arg);
        } else {
            if (next == INT64_MAX)
                abort(); /* nothing would ever end it */
            if (next > b->time.mono)
                clock_fake_advance(&b->time, next - b->time.mono);
            wheel_advance(b->services.wheel, b->time.mono);
        }
    }
    if (b->ends != 1)
        abort();
}

static void decode_whole(const uint8_t *data, size_t size)
{
    static struct snmp_varbinds vbs;
    uint8_t *exact = xmalloc(size ? size : 1);
    struct snmp_msg m;

    memcpy(exact, data, size);
    if (snmp_decode(exact, size, &m) == 0 && snmp_decode_varbinds(&m, &vbs) == 0 && vbs.n > SNMP_MAX_VARBINDS)
        abort();
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench *b;
    struct pd_target t = {.name = "d", .address = "192.0.2.1", .community = "public", .timeout_ms = 1000, .retries = 1};
    struct pd_device *d;

    if (!b)
        b = bench_new();
    decode_whole(data, size);
    if (size == 0)
        return 0;
    t.version = data[0] & 1 ? 1 : 2;
    b->walk = data[0] & 2;
    b->left = wire_in(data + 1, size - 1);
    if (pd_snmp_ops.open(b->collector, &t, &d) < 0)
        abort();
    read_once(b, d);
    read_once(b, d); /* with what the first taught */
    pd_snmp_ops.close(d);
    free(b->waiting);
    b->waiting = NULL;
    return 0;
}
