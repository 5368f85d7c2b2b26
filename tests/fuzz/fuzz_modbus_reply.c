/*
 * A hostile device behind a Modbus/TCP connection. The input is what it sends: first as bytes to the
 * frame decoder, then cut into answers for reads (or a walk) in progress, some under a head that fits,
 * so that what is inside is looked at. Pieces lie in blocks of exactly their size.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/wire.h"
#include "plugins/modbus/modbus.h"
#include "plugins/modbus/pdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOURCES = 12, MAX_PIECE = 600 };

enum piece {
    PIECE_FITS = 1,     /* under the head of an answer to what was asked */
    PIECE_COUNTED = 2,  /* and with the right number of bytes */
    PIECE_HANG_UP = 4,  /* the connection ends behind it */
    PIECE_NOTHING = 8,  /* nothing comes */
    PIECE_REFUSED = 16, /* the next connection is refused */
};

struct mb_conn {
    void (*ready)(void *arg);
    void *arg;
    bool told;
};

struct bench {
    struct clock_fake time;
    struct rng_seeded seed;
    struct pd_services services;
    struct mb_net net;
    struct pd_collector *collector;
    struct pd_plan *plan;
    struct mb_conn *conn;
    /* This input's: */
    struct wire_in left;
    uint8_t request[MB_REQUEST_FRAME];
    uint8_t *waiting; /* bytes for the collector */
    size_t nwaiting, taken;
    bool hang_up, refuse;
    int ends;
    size_t cells;
    uint32_t last[SOURCES]; /* row of a column, from 1 on */
};

/* ---- The network ---- */

static int net_connect(void *ctx, const union pd_addr *to, void (*ready)(void *arg), void *arg, struct mb_conn **out)
{
    struct bench *b = ctx;

    (void)to;
    if (b->conn)
        abort(); /* one at a time */
    b->conn = *out = xcalloc(1, sizeof **out);
    b->conn->ready = ready;
    b->conn->arg = arg;
    return 0;
}

static struct bench *bench_of(struct bench *set)
{
    static struct bench *b; /* of the one collector that there is */

    if (set)
        b = set;
    return b;
}

static int net_connected(struct mb_conn *c)
{
    c->told = true;
    return bench_of(NULL)->refuse ? -ECONNREFUSED : 0;
}

/* The next piece: u8 flags, u16 length, bytes. */
static void make_answer(struct bench *b)
{
    uint8_t flags = wire_u8(&b->left), buf[MB_FRAME_HEAD + 2 + MAX_PIECE];
    size_t n = wire_u16be(&b->left) % MAX_PIECE;
    struct wire_out out = wire_out(buf, sizeof buf);

    n = n < wire_left(&b->left) ? n : wire_left(&b->left);
    b->refuse = flags & PIECE_REFUSED;
    b->hang_up = flags & PIECE_HANG_UP || b->left.bad;
    if (flags & PIECE_NOTHING || b->left.bad)
        return;
    if (flags & PIECE_COUNTED) { /* what was asked for, filled up with zeros */
        struct mb_ask ask = {.function = b->request[7], .count = (uint16_t)(b->request[10] << 8 | b->request[11])};
        size_t want = mb_data_size(&ask);

        n = n < want ? n : want;
        wire_put_bytes(&out, b->request, 4);
        wire_put_u16be(&out, (uint16_t)(3 + want));
        wire_put_bytes(&out, b->request + 6, 2);
        wire_put_u8(&out, (uint8_t)want);
        wire_put_bytes(&out, wire_bytes(&b->left, n), n);
        for (; n < want; n++)
            wire_put_u8(&out, 0);
    } else if (flags & PIECE_FITS) {
        wire_put_bytes(&out, b->request, 4);
        wire_put_u16be(&out, (uint16_t)(1 + n));
        wire_put_u8(&out, b->request[6]);
        wire_put_bytes(&out, wire_bytes(&b->left, n), n);
    } else {
        wire_put_bytes(&out, wire_bytes(&b->left, n), n);
    }
    if (out.bad || wire_used(&out) == 0)
        return;
    free(b->waiting);
    b->waiting = xmemdup(buf, wire_used(&out));
    b->nwaiting = wire_used(&out);
    b->taken = 0;
}

/* What no request may touch, whatever a device answers. */
static const struct pd_hole holes[] = {{MB_READ_HOLDING, 45, 46}, {MB_READ_HOLDING, 200, 209}, {MB_READ_INPUT, 3, 3}};
enum { HOLES = sizeof holes / sizeof *holes };

static void mind_the_holes(const uint8_t request[static MB_REQUEST_FRAME])
{
    unsigned first = (unsigned)request[8] << 8 | request[9], end = first + ((unsigned)request[10] << 8 | request[11]);

    for (size_t i = 0; i < HOLES; i++)
        if (holes[i].function == request[7] && holes[i].first < end && holes[i].last >= first)
            abort();
}

static ssize_t net_send(struct mb_conn *c, const void *p, size_t n)
{
    struct bench *b = bench_of(NULL);

    if (n != sizeof b->request || !c->told)
        abort();
    memcpy(b->request, p, n);
    mind_the_holes(b->request);
    make_answer(b);
    return (ssize_t)n;
}

static ssize_t net_recv(struct mb_conn *c, void *p, size_t n)
{
    struct bench *b = bench_of(NULL);
    size_t left = b->nwaiting - b->taken;

    (void)c;
    if (n == 0)
        abort(); /* the buffer would never have room again */
    if (left == 0)
        return b->hang_up ? -EPIPE : 0;
    n = n < left ? n : left;
    memcpy(p, b->waiting + b->taken, n);
    b->taken += n;
    return (ssize_t)n;
}

static void net_close(struct mb_conn *c)
{
    struct bench *b = bench_of(NULL);

    if (!c)
        return;
    b->conn = NULL;
    b->nwaiting = b->taken = 0;
    b->hang_up = false;
    free(c);
}

/* ---- The reader ---- */

/* What holds whatever a device sends: known sources, rows that rise, bytes that can be read. */
static void on_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct bench *b = arg;

    b->cells += n;
    for (size_t i = 0; i < n; i++) {
        const struct pd_cell *c = &cells[i];

        if (c->source >= SOURCES || c->ninstance > 2 || c->type > PD_CELL_INVALID)
            abort();
        if (c->ninstance == 1 && c->instance[0] <= b->last[c->source])
            abort();
        if (c->ninstance == 1)
            b->last[c->source] = c->instance[0];
        for (uint32_t k = 0; c->type == PD_CELL_BYTES && k < c->nbytes; k++)
            b->cells += c->bytes[k] == 0xff;
    }
}

static void on_end(void *arg, const struct pd_read_result *result)
{
    struct bench *b = arg;

    b->ends++;
    if ((result->status == PD_READ_DONE) != (result->detail == NULL))
        abort();
}

static struct bench *bench_new(void)
{
    static const struct pd_source sources[SOURCES] = {
        {.id = 0, .address = "coil 3"},
        {.id = 1, .address = "discrete 0 flags 64"},
        {.id = 2, .address = "holding 0 text 20 le"},
        {.id = 3, .address = "holding 7 u64 cdab"},
        {.id = 4, .address = "holding 10 f64 le"},
        {.id = 5, .address = "holding 30 f32"},
        {.id = 6, .address = "holding 31 u32 flags"},
        {.id = 7, .address = "input 1 s16 le"},
        {.id = 8, .address = "input 2 u16 bits 3-9"},
        {.id = 9, .address = "input 20 bytes 105"},
        {.id = 10, .address = "holding 40 u32 rows 9 step 3", .table = true},
        {.id = 11, .address = "coil 1990 rows 20", .table = true},
    };
    struct bench *b = xcalloc(1, sizeof *b);
    struct pd_compile_error err;

    log_set_level(LOG_LEVEL_ERROR);
    bench_of(b);
    rng_seed(&b->seed, 1);
    b->services =
        (struct pd_services){.clock = clock_fake_ops(&b->time), .rng = rng_seeded_ops(&b->seed), .wheel = wheel_new(0)};
    b->net = (struct mb_net){.connect = net_connect,
                             .connected = net_connected,
                             .send = net_send,
                             .recv = net_recv,
                             .close = net_close,
                             .ctx = b};
    if (mb_start_on(&b->services, NULL, &b->net, &b->collector) < 0 ||
        pd_modbus_ops.compile(b->collector, sources, SOURCES, &b->plan, &err) < 0)
        abort();
    return b;
}

/* Lets the collector see what there is, or time pass. */
static void go_on(struct bench *b)
{
    int64_t next = wheel_next(b->services.wheel);

    if (b->conn && (!b->conn->told || b->taken < b->nwaiting || b->hang_up)) {
        b->conn->ready(b->conn->arg);
        return;
    }
    if (next == INT64_MAX)
        abort(); /* nothing would ever end it */
    if (next > b->time.mono)
        clock_fake_advance(&b->time, next - b->time.mono);
    wheel_advance(b->services.wheel, b->time.mono);
}

static void read_once(struct bench *b, struct pd_device *d, bool walk)
{
    struct pd_sink sink = {.cells = on_cells, .end = on_end, .arg = b};
    struct pd_read *r;
    int rc;

    memset(b->last, 0, sizeof b->last);
    b->ends = 0;
    rc = walk ? pd_modbus_ops.walk(d, "holding 0-215", &sink, &r) : pd_modbus_ops.read(d, b->plan, 1, &sink, &r);
    if (rc < 0)
        abort();
    while (b->ends == 0)
        go_on(b);
    if (b->ends != 1)
        abort();
}

static void decode_whole(const uint8_t *data, size_t size)
{
    uint8_t *exact = xmalloc(size ? size : 1);
    struct mb_ask ask = {.unit = 1, .function = MB_READ_HOLDING, .count = 2};
    struct mb_answer a;
    struct mb_frame f;

    memcpy(exact, data, size);
    if (mb_frame_decode(exact, size, &f) == 0 &&
        (f.size > size || f.npdu > MB_MAX_PDU || f.pdu + f.npdu > exact + size))
        abort();
    if (mb_decode(&ask, exact, size, &a) == MB_FITS && !a.exception && a.n != 4)
        abort();
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench *b;
    struct pd_target t = {
        .name = "d", .address = "192.0.2.1", .timeout_ms = 1000, .retries = 1, .holes = holes, .nholes = HOLES};
    struct pd_device *d;

    if (!b)
        b = bench_new();
    decode_whole(data, size);
    if (size == 0)
        return 0;
    b->left = wire_in(data + 1, size - 1);
    b->refuse = false;
    if (pd_modbus_ops.open(b->collector, &t, &d) < 0)
        abort();
    read_once(b, d, data[0] & 1);
    read_once(b, d, false); /* with what the first taught */
    pd_modbus_ops.close(d);
    while (b->conn || wheel_next(b->services.wheel) != INT64_MAX)
        go_on(b); /* until the line is gone: each input begins anew */
    free(b->waiting);
    b->waiting = NULL;
    b->nwaiting = b->taken = 0;
    return 0;
}
