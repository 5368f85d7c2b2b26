/*
 * A hostile SNMPv3 engine, one that knows our keys. The input is what it sends: first as one packet to the message
 * decoder, then cut into packets for reads in progress, made so that they are believed as far as the input likes:
 * authentic nonsense, reports, answers with any content. Packets lie in blocks of exactly their size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "plugins/snmp/snmp.h"
#include "plugins/snmp/v3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOURCES = 4, LEVELS = 3, MAX_BODY = 2048 };

struct bench {
    struct clock_fake time;
    struct rng_seeded seed;
    struct pd_services services;
    struct pd_collector *collector;
    struct pd_plan *plan;
    void (*readable)(void *arg);
    void *arg;
    struct usm *usm;
    struct usm_user *users[LEVELS];
    struct pd_device *keepers[LEVELS]; /* so that passwords are turned into keys once */
    /* This input's: */
    int level;
    struct wire_in left;
    uint8_t engine[8];
    struct usm_keys keys;
    int32_t boots, clock;
    struct v3_msg asked; /* the last that was sent */
    int32_t request_id;  /* of its PDU */
    uint8_t *waiting;    /* a packet for the collector */
    size_t nwaiting;
    uint8_t *taken;
    union pd_addr addr;
    int ends;
    size_t cells;
};

static const struct pd_usm_secret secrets[LEVELS] = {
    {.user = "open"},
    {.user = "half", .auth = PD_AUTH_SHA1, .auth_password = "12345678"},
    {.user = "full",
     .auth = PD_AUTH_SHA256,
     .priv = PD_PRIV_AES128,
     .auth_password = "12345678",
     .priv_password = "abcdefgh"},
};

static void set_engine(struct bench *b, uint8_t last)
{
    memcpy(b->engine, (uint8_t[]){0x80, 0, 0, 9, 5, 1, 2, last}, sizeof b->engine);
    usm_localise(b->usm, b->users[b->level], b->engine, sizeof b->engine, &b->keys);
}

/* ---- What it sends ---- */

static const uint8_t *take_body(struct bench *b, size_t *n)
{
    size_t want = wire_u16be(&b->left) & (MAX_BODY - 1);

    *n = want < wire_left(&b->left) ? want : wire_left(&b->left);
    return wire_bytes(&b->left, *n);
}

static void send_exactly(struct bench *b, const void *p, size_t n)
{
    b->waiting = xmalloc(n ? n : 1);
    memcpy(b->waiting, p, n);
    b->nwaiting = n;
}

/* Head and keys for a message with these flags; time and boots as they should be, or as the input says. */
static struct v3_msg make_head(struct bench *b, uint8_t flags, struct usm_keys *keys)
{
    struct v3_msg m = b->asked;

    *keys = b->keys;
    m.flags = flags & ((keys->auth ? V3_AUTH : 0) | (keys->priv ? V3_PRIV : 0));
    if (!(m.flags & V3_AUTH))
        m.flags = 0;
    keys->auth = m.flags & V3_AUTH ? keys->auth : PD_AUTH_NONE;
    keys->priv = m.flags & V3_PRIV ? keys->priv : PD_PRIV_NONE;
    if (flags & 4) {
        b->boots = (int32_t)(wire_u32be(&b->left) & INT32_MAX);
        b->clock = (int32_t)(wire_u32be(&b->left) & INT32_MAX);
    }
    m.boots = b->boots;
    m.time = b->clock;
    m.engine = m.context_engine = b->engine;
    m.nengine = m.ncontext_engine = sizeof b->engine;
    m.context = NULL;
    m.ncontext = 0;
    return m;
}

/* A PDU around varbinds, or one that is the input's altogether, in a message as it should be. */
static void make_answer(struct bench *b, bool whole)
{
    uint8_t buf[V3_HEADROOM + MAX_BODY + 64], flags = wire_u8(&b->left);
    struct snmp_msg head = {.version = SNMP_V3, .type = SNMP_RESPONSE, .request_id = b->request_id};
    struct usm_keys keys;
    struct v3_msg m = make_head(b, flags, &keys);
    struct snmp_writer w;
    const uint8_t *body, *start;
    size_t n;

    head.status = wire_u8(&b->left) & 31;
    head.index = wire_u8(&b->left);
    body = take_body(b, &n);
    if (!body)
        return;
    snmp_begin(&w, buf + V3_HEADROOM, MAX_BODY + 64 - V3_TAIL, &head);
    snmp_put_encoded(&w, body, n);
    if (whole)
        memcpy(buf + V3_HEADROOM, body, n);
    else
        n = snmp_end(&w);
    n = v3_seal(b->usm, &keys, &m, buf, n, &start);
    if (n)
        send_exactly(b, start, n);
}

static void make_report(struct bench *b)
{
    uint8_t buf[V3_HEADROOM + 128], flags = wire_u8(&b->left), what = wire_u8(&b->left);
    struct usm_keys keys;
    struct v3_msg m = make_head(b, flags, &keys);
    const uint8_t *start;
    size_t n;

    if (flags & 8)
        set_engine(b, wire_u8(&b->left));
    n = v3_put_report(buf + V3_HEADROOM, 128 - V3_TAIL, b->request_id,
                      (enum v3_report)(V3_UNSUPPORTED_LEVEL + what % V3_UNKNOWN_CONTEXT), what);
    n = v3_seal(b->usm, &keys, &m, buf, n, &start);
    if (n)
        send_exactly(b, start, n);
}

/* The input's bytes where the scoped PDU stands, enciphered and signed as it should be. */
static void make_inside(struct bench *b)
{
    uint8_t buf[MAX_BODY + 256], body[MAX_BODY], salt[USM_SALT] = {0}, digest[USM_MAX_DIGEST] = {0};
    struct usm_keys keys;
    struct v3_msg m = make_head(b, wire_u8(&b->left), &keys);
    struct wire_out out = wire_out(buf, sizeof buf);
    size_t n, message, at, inner, place, ndigest = usm_digest_size(keys.auth);
    const uint8_t *from = take_body(b, &n);

    if (!from)
        return;
    memcpy(body, from, n);
    if (keys.priv)
        usm_encrypt(b->usm, &keys, m.boots, m.time, body, n, salt);
    message = ber_begin(&out, BER_SEQUENCE);
    ber_put_int(&out, BER_INTEGER, SNMP_V3);
    at = ber_begin(&out, BER_SEQUENCE);
    ber_put_int(&out, BER_INTEGER, m.msg_id);
    ber_put_int(&out, BER_INTEGER, 1472);
    ber_put_octets(&out, BER_OCTETS, &m.flags, 1);
    ber_put_int(&out, BER_INTEGER, 3);
    ber_end(&out, at);
    at = ber_begin(&out, BER_OCTETS);
    inner = ber_begin(&out, BER_SEQUENCE);
    ber_put_octets(&out, BER_OCTETS, m.engine, m.nengine);
    ber_put_int(&out, BER_INTEGER, m.boots);
    ber_put_int(&out, BER_INTEGER, m.time);
    ber_put_octets(&out, BER_OCTETS, m.user, m.nuser);
    ber_put_octets(&out, BER_OCTETS, digest, ndigest);
    ber_put_octets(&out, BER_OCTETS, salt, keys.priv ? USM_SALT : 0);
    ber_end(&out, inner);
    ber_end(&out, at);
    if (keys.priv)
        ber_put_octets(&out, BER_OCTETS, body, n);
    else
        wire_put_bytes(&out, body, n);
    ber_end(&out, message);
    if (out.bad)
        abort();
    if (keys.auth) { /* lengths have settled: where the digest stands is known now */
        struct v3_msg got;

        if (v3_decode(buf, wire_used(&out), &got) == 0) {
            place = (size_t)(got.digest - buf);
            usm_sign(b->usm, &keys, buf, wire_used(&out), place, digest);
            memcpy(buf + place, digest, ndigest);
        }
    }
    send_exactly(b, buf, wire_used(&out));
}

/* The next packet. */
static void make_packet(struct bench *b)
{
    uint8_t kind = wire_u8(&b->left), where, with;
    const uint8_t *body;
    size_t n;

    switch (kind % 5) {
    case 0:
        body = take_body(b, &n);
        if (body)
            send_exactly(b, body, n);
        break;
    case 1:
    case 2:
        make_answer(b, kind % 5 == 2);
        break;
    case 3:
        make_report(b);
        break;
    default:
        make_inside(b);
    }
    if (!(kind & 0x80) || !b->waiting || !b->nwaiting)
        return;
    where = wire_u8(&b->left); /* a byte of the head is spoilt after it was signed */
    with = wire_u8(&b->left);
    b->waiting[where % b->nwaiting] ^= with;
}

/* ---- The network ---- */

static void note_asked(struct bench *b, const struct snmp_packet *p)
{
    struct snmp_msg pdu;
    struct usm_keys keys = b->keys;
    bool ours;

    if (v3_decode(p->data, p->n, &b->asked) < 0)
        abort(); /* we wrote that ourselves */
    b->request_id = b->asked.msg_id;
    ours = b->asked.nengine == sizeof b->engine && memcmp(b->asked.engine, b->engine, sizeof b->engine) == 0;
    if (!(b->asked.flags & V3_AUTH))
        keys = (struct usm_keys){0};
    if ((ours || !(b->asked.flags & V3_AUTH)) && v3_open(b->usm, &keys, &b->asked, &pdu) < 0)
        abort();
    b->asked.user = (const uint8_t *)secrets[b->level].user; /* the packet's bytes will be gone */
    b->asked.nuser = 4;
}

static size_t net_send(void *ctx, struct snmp_packet *p, size_t n)
{
    struct bench *b = ctx;

    for (size_t i = 0; i < n; i++) {
        note_asked(b, &p[i]);
        b->addr = p[i].addr;
        if (!b->waiting)
            make_packet(b);
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

/* ---- Reading ---- */

static void on_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct bench *b = arg;

    b->cells += n;
    for (size_t i = 0; i < n; i++) {
        if (cells[i].source >= SOURCES || cells[i].ninstance > PD_MAX_INSTANCE || cells[i].type > PD_CELL_INVALID)
            abort();
        for (uint32_t k = 0; cells[i].type == PD_CELL_BYTES && k < cells[i].nbytes; k++)
            b->cells += cells[i].bytes[k] == 0xff; /* the bytes can be read */
    }
}

static void on_end(void *arg, const struct pd_read_result *result)
{
    struct bench *b = arg;

    b->ends++;
    if ((result->status == PD_READ_DONE && !result->looped) != (result->detail == NULL))
        abort();
}

static struct pd_device *open_device(struct bench *b, int level)
{
    struct pd_target t = {
        .name = "d", .address = "192.0.2.1", .version = 3, .usm = &secrets[level], .timeout_ms = 1000, .retries = 1};
    struct pd_device *d;

    if (pd_snmp_ops.open(b->collector, &t, &d) < 0)
        abort();
    return d;
}

static struct bench *bench_new(void)
{
    static const struct pd_source sources[SOURCES] = {
        {.id = 0, .address = "1.3.6.1.2.1.1.3.0"},
        {.id = 1, .address = "1.3.6.1.2.1.1.5.0"},
        {.id = 2, .address = "1.3.6.1.2.1.2.2.1.2", .table = true},
        {.id = 3, .address = "1.3.6.1.2.1.2.2.1.10", .table = true},
    };
    struct bench *b = xcalloc(1, sizeof *b);
    struct snmp_net net = {.send = net_send, .recv = net_recv, .buffer = net_buffer, .listen = net_listen, .ctx = b};
    struct pd_compile_error err;
    const char *why;

    log_set_level(LOG_LEVEL_ERROR);
    rng_seed(&b->seed, 1);
    b->services =
        (struct pd_services){.clock = clock_fake_ops(&b->time), .rng = rng_seeded_ops(&b->seed), .wheel = wheel_new(0)};
    b->usm = usm_new(&b->services.rng);
    if (snmp_start_on(&b->services, NULL, &net, &b->collector) < 0 ||
        pd_snmp_ops.compile(b->collector, sources, SOURCES, &b->plan, &err) < 0)
        abort();
    for (int i = 0; i < LEVELS; i++) {
        if (usm_user_get(b->usm, &secrets[i], &b->users[i], &why) < 0)
            abort();
        b->keepers[i] = open_device(b, i);
    }
    return b;
}

static void read_once(struct bench *b, struct pd_device *d)
{
    struct pd_sink sink = {.cells = on_cells, .end = on_end, .arg = b};
    struct pd_read *r;

    b->ends = 0;
    if (pd_snmp_ops.read(d, b->plan, 1, &sink, &r) < 0)
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

static void decode_whole(struct bench *b, const uint8_t *data, size_t size)
{
    static struct snmp_varbinds vbs;
    uint8_t *exact = xmalloc(size ? size : 1);
    struct snmp_msg pdu;
    struct v3_msg m;

    memcpy(exact, data, size);
    if (v3_decode(exact, size, &m) == 0) {
        const struct usm_keys *keys = m.flags & V3_AUTH ? &b->keys : NULL;

        if (m.nengine > USM_MAX_ENGINE || m.nuser > USM_MAX_USER || !v3_is(exact, size))
            abort();
        if (v3_open(b->usm, keys, &m, &pdu) == 0) {
            (void)v3_report(&pdu);
            (void)snmp_decode_varbinds(&pdu, &vbs);
        }
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench *b;
    struct pd_device *d;

    if (!b)
        b = bench_new();
    b->level = size ? data[0] % LEVELS : 0;
    b->boots = 3;
    b->clock = 1000;
    set_engine(b, 3);
    decode_whole(b, data, size);
    if (size == 0)
        return 0;
    b->left = wire_in(data + 1, size - 1);
    d = open_device(b, b->level);
    read_once(b, d);
    read_once(b, d); /* with what the first taught */
    pd_snmp_ops.close(d);
    free(b->waiting);
    b->waiting = NULL;
    return 0;
}
