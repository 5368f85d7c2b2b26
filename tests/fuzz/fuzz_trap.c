/*
 * Hostile senders of traps. The input is cut into packets, each in a block of exactly its size: as they are, or under
 * a head of version 2c, or sealed as an authentic message of version 3 about our engine or the sender's, so that what
 * is inside is looked at. Time passes between them; now and then a believed inform is done.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/wire.h"
#include "plugins/snmp/boots.h"
#include "plugins/snmp/trap_sink.h"
#include "plugins/snmp/v3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DONES = 8, WRAPPED = 4096 };

struct bench {
    struct clock_fake time;
    struct rng_seeded seed;
    struct pd_services services;
    struct usm *usm;
    struct usm_user *user;
    struct snmp_boots self;
    struct usm_keys own, theirs;
    struct trap_sink *sink;
    void (*readable)(void *arg);
    void *arg;
    /* This input's: */
    struct wire_in left;
    uint8_t *packet;
    void (*done[DONES])(void *arg);
    void *done_arg[DONES];
    size_t ndone, sent;
    uint8_t sum; /* of all that was told, so that every byte is touched */
};

static const uint8_t engine[] = {0x80, 0, 0, 0, 5, 1, 2, 3};

/* An authentic message around the PDU of npdu bytes at buf + V3_HEADROOM. */
static size_t seal(struct bench *b, uint8_t *buf, size_t npdu, bool ours, int32_t id, const uint8_t **start)
{
    struct v3_msg m = {.msg_id = id, .max_size = 65507, .user = (const uint8_t *)"u", .nuser = 1};

    m.flags = V3_AUTH | V3_PRIV | (ours ? V3_REPORTABLE : 0);
    m.engine = m.context_engine = ours ? b->self.engine : engine;
    m.nengine = m.ncontext_engine = ours ? b->self.nengine : sizeof engine;
    m.boots = ours ? b->self.boots : 1;
    m.time = (int32_t)(b->time.mono / 1000);
    return v3_seal(b->usm, ours ? &b->own : &b->theirs, &m, buf, npdu, start);
}

/* The next packet: u8 how, u8 type, u16 length, bytes. */
static size_t make_packet(struct bench *b)
{
    uint8_t how = wire_u8(&b->left), buf[V3_HEADROOM + WRAPPED + V3_TAIL];
    struct snmp_msg head = {.version = how & 2 ? SNMP_V3 : SNMP_V2C, .type = wire_u8(&b->left), .request_id = how};
    size_t n = wire_u16be(&b->left) & 2047;
    const uint8_t *body, *start = buf;
    struct snmp_writer w;

    n = n < wire_left(&b->left) ? n : wire_left(&b->left);
    body = wire_bytes(&b->left, n);
    if (!body)
        return 0;
    if (how & 1) {
        head.community = (const uint8_t *)"public";
        head.ncommunity = 6;
        snmp_begin(&w, buf + V3_HEADROOM, WRAPPED, &head);
        snmp_put_encoded(&w, body, n);
        n = snmp_end(&w);
        start = body = buf + V3_HEADROOM;
    }
    if ((how & 3) == 3) {
        n = seal(b, buf, n, how & 4, how >> 3, &start);
        body = start;
    }
    b->packet = xmalloc(n ? n : 1);
    memcpy(b->packet, body, n);
    return n;
}

static size_t net_recv(void *ctx, struct trap_packet *p, size_t n)
{
    struct bench *b = ctx;

    (void)n;
    free(b->packet);
    b->packet = NULL;
    if (wire_left(&b->left) == 0 || b->left.bad)
        return 0;
    *p = (struct trap_packet){.from.in = {.sin_family = AF_INET, .sin_port = htons(1000)}};
    p->from.in.sin_addr.s_addr = htonl(0x7f000001);
    p->n = make_packet(b);
    p->data = b->packet;
    return b->packet ? 1 : 0;
}

static bool net_send(void *ctx, const struct trap_packet *p, const uint8_t *data, size_t n)
{
    struct bench *b = ctx;
    struct v3_msg m;
    struct snmp_msg v2;

    (void)p;
    if (n == 0 || (v3_is(data, n) ? v3_decode(data, n, &m) : snmp_decode(data, n, &v2)) < 0)
        abort(); /* we wrote that ourselves */
    b->sent++;
    return true;
}

static void net_listen(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct bench *b = ctx;

    b->readable = readable;
    b->arg = arg;
}

static bool knows(void *arg, const union pd_addr *from)
{
    (void)arg;
    (void)from;
    return true;
}

/* What holds of every trap. */
static bool on_trap(void *arg, const struct pd_trap *t, void (*done)(void *arg), void *done_arg)
{
    struct bench *b = arg;

    if (t->noid > 128 || (t->authentic && !t->user) || (t->inform && t->engine))
        abort();
    for (size_t i = 0; i < t->ncells; i++) {
        const struct pd_cell *c = &t->cells[i];

        if (c->ninstance > PD_MAX_INSTANCE)
            abort();
        for (size_t j = 0; c->type == PD_CELL_BYTES && j < c->nbytes; j++)
            b->sum ^= c->bytes[j];
    }
    if (t->version != 3 && (t->ncommunity != 6 || memcmp(t->community, "public", 6) != 0))
        return false;
    if (t->inform && b->ndone < DONES) {
        b->done[b->ndone] = done;
        b->done_arg[b->ndone++] = done_arg;
    } else {
        done(done_arg);
    }
    return true;
}

static void finish(struct bench *b)
{
    while (b->ndone > 0) {
        b->ndone--;
        b->done[b->ndone](b->done_arg[b->ndone]);
    }
}

static struct bench *bench_new(void)
{
    static const struct pd_usm_secret secret = {.user = "u",
                                                .auth = PD_AUTH_SHA256,
                                                .priv = PD_PRIV_AES128,
                                                .auth_password = "password",
                                                .priv_password = "password"};
    static const struct trap_rates rates = {{1000, 1000}, {1000, 1000}, {1000, 1000}, {1000, 1000}};
    struct bench *b = xcalloc(1, sizeof *b);
    struct trap_net net = {.recv = net_recv, .send = net_send, .listen = net_listen, .ctx = b};
    const struct pd_trap_sink to = {.knows = knows, .trap = on_trap, .arg = b};
    char path[] = "/tmp/patrold-fuzz-XXXXXX";
    const char *why;
    int fd = mkstemp(path);

    log_set_level(LOG_LEVEL_ERROR);
    if (fd < 0 || write(fd, "engine 8000000005aabbcc\nboots 6\n", 32) != 32)
        abort();
    close(fd);
    rng_seed(&b->seed, 1);
    b->time = (struct clock_fake){.wall = 1, .mono = 1000000};
    b->services = (struct pd_services){.clock = clock_fake_ops(&b->time), .rng = rng_seeded_ops(&b->seed)};
    b->usm = usm_new(&b->services.rng);
    b->self = (struct snmp_boots){.engine = {0x80, 0, 0, 0, 5, 0xaa, 0xbb, 0xcc}, .nengine = 8, .boots = 7};
    if (usm_user_get(b->usm, &secret, &b->user, &why) < 0)
        abort();
    usm_localise(b->usm, b->user, b->self.engine, b->self.nengine, &b->own);
    usm_localise(b->usm, b->user, engine, sizeof engine, &b->theirs);
    b->sink = trap_sink_new(&b->services, b->usm, &net, &rates, path);
    unlink(path);
    trap_sink_to(b->sink, &to, &secret, 1);
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench *b; /* keys cost milliseconds: made once */

    if (!b)
        b = bench_new();
    b->left = wire_in(data, size);
    while (wire_left(&b->left) > 0 && !b->left.bad) {
        b->time.mono += 10;
        b->readable(b->arg);
    }
    finish(b);
    free(b->packet);
    b->packet = NULL;
    return 0;
}
