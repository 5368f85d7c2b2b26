#include "simnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "gate.h"

enum {
    MOST_LOST = 5, /* of one packet's copies, before it never arrives */
    SYN_AGAIN_MS = 1000,
    DATA_AGAIN_MS = 200,
    GATEWAY_MS = 300, /* that a gateway waits for its unit */
};

/* Bytes on their way back; none: the connection is reset. */
struct parcel {
    uint8_t *data;
    size_t n;
    int64_t due_ms;
};

struct mb_conn {
    struct simnet *net;
    char address[INET_ADDRSTRLEN];
    const struct machine *peer; /* who took the connection, and how often it had been started then */
    unsigned boots;
    int64_t up_ms; /* it stands from then on; INT64_MAX: never */
    struct timer timer;
    void (*ready)(void *arg);
    void *arg;
    uint8_t request[MB_MAX_FRAME];
    size_t nrequest;
    ARRAY(struct parcel) parcels;
};

static int64_t mono(const struct simnet *s)
{
    return clock_mono(&s->services->clock);
}

/* How much later a packet arrives for what is lost of it; -1: never. */
static int64_t lateness(const struct simnet *s, struct machine *m, int64_t again_ms)
{
    double loss = site_loss(s->site, m) / 100;
    int64_t late = 0;

    for (int lost = 0; loss > 0 && rng_unit(&s->services->rng) < loss; lost++) {
        m->lost++;
        if (lost == MOST_LOST)
            return -1;
        late += again_ms << lost;
    }
    return late;
}

static int64_t there_and_back(const struct simnet *s, struct machine *m, int64_t again_ms)
{
    int64_t there = lateness(s, m, again_ms), back = lateness(s, m, again_ms);

    return there < 0 || back < 0 ? -1 : s->delay_ms + there + back;
}

static void arm(struct mb_conn *c)
{
    if (c->parcels.n > 0)
        wheel_set(c->net->services->wheel, &c->timer, c->parcels.v[0].due_ms);
}

static void on_timer(void *arg)
{
    struct mb_conn *c = arg;

    c->ready(c->arg); /* which may close the connection */
}

static int net_connect(void *ctx, const union pd_addr *to, void (*ready)(void *arg), void *arg, struct mb_conn **out)
{
    struct simnet *s = ctx;
    struct mb_conn *c;
    struct machine *m;

    if (to->sa.sa_family != AF_INET)
        return -ENETUNREACH;
    c = xcalloc(1, sizeof *c);
    *c = (struct mb_conn){.net = s, .up_ms = INT64_MAX, .ready = ready, .arg = arg};
    inet_ntop(AF_INET, &to->in.sin_addr, c->address, sizeof c->address);
    timer_init(&c->timer, on_timer, c);
    m = site_find(s->site, c->address);
    if (gate_is_up(s->site, c->address)) {
        int64_t ms = there_and_back(s, m, SYN_AGAIN_MS);

        c->peer = m;
        c->boots = m->boots;
        c->up_ms = ms < 0 ? INT64_MAX : mono(s) + ms;
    }
    if (c->up_ms != INT64_MAX)
        wheel_set(s->services->wheel, &c->timer, c->up_ms);
    *out = c;
    return 0;
}

static int net_connected(struct mb_conn *c)
{
    return mono(c->net) < c->up_ms;
}

/* n 0: the peer resets the connection. */
static void arrive(struct mb_conn *c, const void *p, size_t n, int64_t ms)
{
    struct parcel parcel = {.data = n > 0 ? xmemdup(p, n) : NULL, .n = n, .due_ms = mono(c->net) + ms};

    if (c->parcels.n > 0 && c->parcels.v[c->parcels.n - 1].due_ms > parcel.due_ms)
        parcel.due_ms = c->parcels.v[c->parcels.n - 1].due_ms;
    array_push(&c->parcels, parcel);
    arm(c);
}

static void take_frame(struct mb_conn *c, const struct mb_frame *f)
{
    struct simnet *s = c->net;
    struct machine *at = site_find(s->site, c->address), *unit = site_find_unit(s->site, c->address, f->unit);
    uint8_t out[MB_MAX_FRAME];
    int64_t ms;
    size_t n;

    if (!gate_is_up(s->site, c->address))
        return;
    ms = there_and_back(s, unit != NULL ? unit : at, DATA_AGAIN_MS);
    if (ms < 0)
        return;
    if (!at->gateway && (at != c->peer || at->boots != c->boots)) {
        arrive(c, NULL, 0, ms);
        return;
    }
    n = gate_answer(s->site, c->address, s->now_ms(s->ctx), f, out);
    if (n > 0)
        arrive(c, out, n, ms + (unit != NULL && !machine_speaks(unit) ? GATEWAY_MS : 0));
}

static ssize_t net_send(struct mb_conn *c, const void *p, size_t n)
{
    size_t room = sizeof c->request - c->nrequest, taken = n < room ? n : room;
    struct mb_frame f;

    memcpy(c->request + c->nrequest, p, taken);
    c->nrequest += taken;
    while (mb_frame_decode(c->request, c->nrequest, &f) == 0) {
        size_t size = f.size;

        take_frame(c, &f);
        memmove(c->request, c->request + size, c->nrequest - size);
        c->nrequest -= size;
    }
    return (ssize_t)taken;
}

static ssize_t net_recv(struct mb_conn *c, void *p, size_t n)
{
    struct parcel *first = c->parcels.v;
    size_t taken;

    if (c->parcels.n == 0 || first->due_ms > mono(c->net))
        return 0;
    if (first->n == 0)
        return -ECONNRESET;
    taken = first->n < n ? first->n : n;
    memcpy(p, first->data, taken);
    memmove(first->data, first->data + taken, first->n - taken);
    first->n -= taken;
    if (first->n == 0) {
        free(first->data);
        array_remove(&c->parcels, 0);
    }
    arm(c);
    return (ssize_t)taken;
}

static void net_close(struct mb_conn *c)
{
    if (c == NULL)
        return;
    wheel_unset(c->net->services->wheel, &c->timer);
    for (size_t i = 0; i < c->parcels.n; i++)
        free(c->parcels.v[i].data);
    array_free(&c->parcels);
    free(c);
}

struct mb_net simnet_ops(struct simnet *s)
{
    return (struct mb_net){.connect = net_connect,
                           .connected = net_connected,
                           .send = net_send,
                           .recv = net_recv,
                           .close = net_close,
                           .ctx = s};
}
