#include "plugins/snmp/engine_state.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
    SLOT_BITS = 16, /* of an id; the 15 bits above are the generation */
    SLOT_MASK = (1 << SLOT_BITS) - 1,
    GENERATIONS = 1 << 15,
    YOUNG_MS = 250,    /* a reply on its way takes room in the receive buffer at most that long */
    REPLY_COST = 2304, /* what the kernel charges the buffer for one Ethernet frame */
    MIN_YOUNG = 8,
    LEAST_WAIT_MS = 300, /* for an answer, however quick they were */
    AT_ONCE = 0,         /* with whatever else this tick brings, not in the next */
};

int64_t snmp_engine_now(const struct snmp_engine *e)
{
    return e->receiving ? e->batch_ms : clock_mono(&e->services->clock);
}

static int64_t now(const struct snmp_engine *e)
{
    return snmp_engine_now(e);
}

static struct lane *lane_of(struct snmp_request *q)
{
    return &q->engine->lanes[q->peer->addr.sa.sa_family == AF_INET ? 0 : 1];
}

/* ---- Slots and ids ---- */

static uint32_t generation(struct snmp_engine *e)
{
    uint32_t g;

    if (e->nstock == 0) {
        e->services->rng.fill(e->services->rng.ctx, e->stock, sizeof e->stock);
        e->nstock = SNMP_RANDOM_STOCK;
    }
    g = e->stock[--e->nstock] & (GENERATIONS - 1);
    return g ? g : 1; /* ids are positive whatever the slot */
}

/* Gives the request a slot and an id; false while all slots are taken. */
static bool take_slot(struct snmp_engine *e, struct snmp_request *q)
{
    uint32_t i;

    if (e->first_free) {
        i = e->first_free - 1;
        e->first_free = e->slots.v[i].next_free;
    } else if (e->slots.n <= SLOT_MASK) {
        i = (uint32_t)e->slots.n;
        array_push(&e->slots, (struct slot){0});
    } else {
        return false;
    }
    e->slots.v[i].request = q;
    q->id = (int32_t)(generation(e) << SLOT_BITS | i);
    return true;
}

static void give_slot(struct snmp_engine *e, struct snmp_request *q)
{
    uint32_t i = (uint32_t)q->id & SLOT_MASK;

    if (!q->id)
        return;
    e->slots.v[i] = (struct slot){.next_free = e->first_free};
    e->first_free = i + 1;
    q->id = 0;
}

struct snmp_request *snmp_engine_in_slot(const struct snmp_engine *e, int32_t id)
{
    uint32_t i = (uint32_t)id & SLOT_MASK;

    return i < e->slots.n ? e->slots.v[i].request : NULL;
}

struct snmp_request *snmp_engine_find(const struct snmp_engine *e, int32_t id)
{
    struct snmp_request *q = snmp_engine_in_slot(e, id);

    return q && q->id == id ? q : NULL;
}

/* ---- Lanes ---- */

static void leave_queue(struct lane *l, struct snmp_request *q)
{
    if (q->is_queued)
        TAILQ_REMOVE(&l->queue, q, queued);
    q->is_queued = false;
}

static void leave_recent(struct lane *l, struct snmp_request *q)
{
    if (!q->is_recent)
        return;
    TAILQ_REMOVE(&l->recent, q, recent);
    q->is_recent = false;
    l->nrecent--;
}

void snmp_engine_enqueue(struct snmp_request *q)
{
    struct lane *l = lane_of(q);
    struct snmp_engine *e = l->engine;

    TAILQ_INSERT_TAIL(&l->queue, q, queued);
    q->is_queued = true;
    if (!e->receiving && !timer_is_set(&l->timer))
        wheel_set(e->services->wheel, &l->timer, AT_ONCE);
}

/* Sends the rest later: when the oldest of the young is no longer so, or soon if the kernel's buffer is full. */
static void flush_later(struct lane *l, bool full)
{
    int64_t due = now(l->engine) + 10;

    if (!full)
        due = TAILQ_FIRST(&l->recent)->last_ms + YOUNG_MS;
    wheel_set(l->engine->services->wheel, &l->timer, due);
}

static void forget_old(struct lane *l)
{
    int64_t old = now(l->engine) - YOUNG_MS;
    struct snmp_request *q;

    while ((q = TAILQ_FIRST(&l->recent)) != NULL && q->last_ms <= old)
        leave_recent(l, q);
}

/* ---- Sending ---- */

/* How long to wait for the answer to the try that was just sent. */
static int64_t wait_ms(const struct snmp_request *q)
{
    const struct snmp_rtt *rtt = q->peer->rtt;
    int64_t wait, most = q->peer->timeout_ms;

    if (!rtt || rtt->mean8 == 0 || q->tries > q->peer->retries)
        return most;
    wait = rtt->mean8 / 8 + rtt->spread4;
    wait = (wait > LEAST_WAIT_MS ? wait : LEAST_WAIT_MS) << (q->tries - 1);
    return wait < most ? wait : most;
}

/* It went out (or was refused, which only time can mend): the wait for the answer begins. */
static void mark_sent(struct lane *l, struct snmp_request *q)
{
    struct snmp_engine *e = l->engine;
    int64_t t = now(e), due;

    leave_queue(l, q);
    q->sent++;
    if (q->tries++ == 0) {
        q->first_ms = t;
    } else {
        q->repeated++;
        e->repeated++;
    }
    q->last_ms = t;
    e->sent++;
    leave_recent(l, q);
    TAILQ_INSERT_TAIL(&l->recent, q, recent);
    q->is_recent = true;
    l->nrecent++;
    due = t + wait_ms(q);
    if (due - q->first_ms > q->patience_ms)
        due = q->first_ms + q->patience_ms;
    wheel_set(e->services->wheel, &q->timer, due);
}

/* The packet of a request's next try, in buf or behind its beginning. */
static void write_packet(struct snmp_engine *e, struct snmp_request *q, uint8_t *buf, struct snmp_packet *out)
{
    struct snmp_v3_peer *v3 = q->peer->v3;
    const uint8_t *start = buf;
    size_t n = 0;

    if (!v3)
        n = q->ops->encode(q, q->id, buf, SNMP_REQUEST_SIZE);
    else if (!snmp_v3_peer_discovers(v3))
        n = q->ops->encode(q, q->id, buf + V3_HEADROOM, snmp_v3_peer_room(v3, q->peer->ncommunity));
    if (v3)
        n = snmp_v3_peer_write(q->peer, &q->steps, now(e), q->id, buf, n, &start);
    *out = (struct snmp_packet){.addr = q->peer->addr, .data = buf + (start - buf), .n = n};
}

/* Encodes from the head of the queue: how many packets. */
static size_t fill_batch(struct lane *l, struct snmp_packet *p, struct snmp_request **asked, size_t max)
{
    struct snmp_engine *e = l->engine;
    struct snmp_request *q;
    size_t n = 0;

    TAILQ_FOREACH(q, &l->queue, queued)
    {
        if (n == max || (!q->id && !take_slot(e, q)))
            break;
        write_packet(e, q, e->packets[n], &p[n]);
        asked[n++] = q;
    }
    return n;
}

static void flush(struct lane *l)
{
    struct snmp_packet p[SNMP_BATCH];
    struct snmp_request *asked[SNMP_BATCH];

    wheel_unset(l->engine->services->wheel, &l->timer);
    while (!TAILQ_EMPTY(&l->queue)) {
        size_t room, n, sent;

        forget_old(l);
        room = l->nrecent < l->cap ? l->cap - l->nrecent : 0;
        n = fill_batch(l, p, asked, room < SNMP_BATCH ? room : SNMP_BATCH);
        sent = n ? l->engine->net.send(l->engine->net.ctx, p, n) : 0;
        assert(sent <= n);
        for (size_t i = 0; i < sent; i++) {
            mark_sent(l, asked[i]);
            if (p[i].err)
                snmp_engine_note_refused(l->engine, asked[i], p[i].err);
        }
        if (sent < n || n == 0) {
            flush_later(l, sent < n || room > 0);
            return;
        }
    }
}

void snmp_engine_flush(struct snmp_engine *e)
{
    for (int i = 0; i < 2; i++)
        flush(&e->lanes[i]);
}

static void on_flush(void *arg)
{
    flush(arg);
}

/* ---- Requests ---- */

void snmp_engine_end(struct snmp_request *q)
{
    struct lane *l = lane_of(q);

    wheel_unset(q->engine->services->wheel, &q->timer);
    leave_queue(l, q);
    leave_recent(l, q);
    give_slot(q->engine, q);
    q->is_held = false;
}

static void on_timeout(void *arg)
{
    struct snmp_request *q = arg;

    if (q->is_held) {
        q->is_held = false;
        snmp_engine_enqueue(q);
        return;
    }
    if (q->tries <= q->peer->retries && now(q->engine) - q->first_ms < q->patience_ms) {
        snmp_engine_enqueue(q);
        return;
    }
    snmp_engine_end(q);
    if (q->peer->v3)
        snmp_v3_peer_failed(q->peer->v3);
    if (q->peer->rtt)
        q->peer->rtt->mean8 = 0;
    q->engine->expired++;
    q->ops->expired(q);
}

void snmp_request_init(struct snmp_request *q, struct snmp_engine *e, const struct snmp_peer *peer,
                       const struct snmp_request_ops *ops)
{
    *q = (struct snmp_request){.peer = peer, .ops = ops, .engine = e, .patience_ms = INT64_MAX};
    timer_init(&q->timer, on_timeout, q);
}

void snmp_request_submit(struct snmp_request *q)
{
    q->tries = q->steps = 0;
    q->sent = q->repeated = 0;
    q->misfit = SNMP_FITS;
    q->submitted_ms = q->first_ms = now(q->engine);
    snmp_engine_enqueue(q);
}

void snmp_request_withdraw(struct snmp_request *q)
{
    snmp_engine_end(q);
}

int64_t snmp_request_waited(const struct snmp_request *q)
{
    return q->first_ms - q->submitted_ms;
}

/* ---- The engine ---- */

static void lane_init(struct snmp_engine *e, struct lane *l, int family)
{
    size_t buffer = e->net.buffer(e->net.ctx, family);

    l->engine = e;
    l->cap = buffer / REPLY_COST > MIN_YOUNG ? buffer / REPLY_COST : MIN_YOUNG;
    TAILQ_INIT(&l->queue);
    TAILQ_INIT(&l->recent);
    timer_init(&l->timer, on_flush, l);
}

struct snmp_engine *snmp_engine_new(const struct pd_services *services, const struct snmp_net *net)
{
    struct snmp_engine *e = xcalloc(1, sizeof *e);

    e->services = services;
    e->net = *net;
    lane_init(e, &e->lanes[0], AF_INET);
    lane_init(e, &e->lanes[1], AF_INET6);
    e->net.listen(e->net.ctx, snmp_engine_receive, e);
    return e;
}

void snmp_engine_free(struct snmp_engine *e)
{
    if (!e)
        return;
    for (int i = 0; i < 2; i++)
        wheel_unset(e->services->wheel, &e->lanes[i].timer);
    array_free(&e->slots);
    usm_free(e->usm);
    free(e);
}

struct usm *snmp_engine_usm(struct snmp_engine *e)
{
    if (!e->usm)
        e->usm = usm_new(&e->services->rng);
    return e->usm;
}
