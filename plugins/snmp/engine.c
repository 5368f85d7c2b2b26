#include "plugins/snmp/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugins/snmp/v3_peer.h"

enum {
    SLOT_BITS = 16, /* of an id; the 15 bits above are the generation */
    SLOT_MASK = (1 << SLOT_BITS) - 1,
    GENERATIONS = 1 << 15,
    YOUNG_MS = 250,    /* a reply on its way takes room in the receive buffer at most that long */
    REPLY_COST = 2304, /* what the kernel charges the buffer for one Ethernet frame */
    MIN_YOUNG = 8,
    QUIET_MS = 10000,    /* at most one log line for each reason in that time */
    LEAST_WAIT_MS = 300, /* for an answer, however quick they were */
    MAX_BATCHES = 8,     /* received in a row before the loop gets its turn */
    MAX_SEARCHES = 1000, /* for who sent what fits no request, for each reason in that time */
    RANDOM_STOCK = 256,
    AT_ONCE = 0,  /* with whatever else this tick brings, not in the next */
    SLOW_MS = 20, /* between requests whose keys take some milliseconds to reckon */
};

TAILQ_HEAD(snmp_queue, snmp_request);

/* The requests of one address family. */
struct lane {
    struct snmp_engine *engine;
    struct snmp_queue queue;  /* to be sent */
    struct snmp_queue recent; /* sent, and younger than YOUNG_MS; the oldest first */
    size_t nrecent, cap;
    struct timer timer; /* flushes */
};

struct slot {
    struct snmp_request *request;
    uint32_t next_free; /* slot + 1; 0 ends the list */
};

struct quiet {
    int64_t until_ms;
    uint64_t held; /* lines not written since the last one */
};

struct snmp_engine {
    const struct pd_services *services;
    struct snmp_net net;
    struct lane lanes[2];
    ARRAY(struct slot) slots;
    uint32_t first_free; /* slot + 1; 0: none */
    uint16_t stock[RANDOM_STOCK];
    size_t nstock;
    bool receiving;   /* the queue is flushed at the end of it */
    int64_t batch_ms; /* the time meanwhile: when the batch in hand came */
    uint64_t sent, repeated, refused, received, used, expired;
    uint64_t drops[SNMP_DROPS];
    struct quiet quiet[SNMP_DROPS + 1]; /* the last for packets the kernel refuses */
    struct usm *usm;
    int64_t slow_ms; /* when the next request may go out whose keys take long to reckon */
    uint8_t packets[SNMP_BATCH][V3_HEADROOM + SNMP_REQUEST_SIZE];
};

static const struct {
    const char *counter, *text;
} drop_names[SNMP_DROPS] = {
    [SNMP_DROP_MALFORMED] = {"snmp_drop_malformed", "is no SNMP message"},
    [SNMP_DROP_VERSION] = {"snmp_drop_version", "has another SNMP version"},
    [SNMP_DROP_TYPE] = {"snmp_drop_type", "is no response"},
    [SNMP_DROP_UNASKED] = {"snmp_drop_unasked", "answers no open request (late, repeated or forged)"},
    [SNMP_DROP_ADDRESS] = {"snmp_drop_address", "comes from another address than was asked"},
    [SNMP_DROP_PORT] = {"snmp_drop_port", "comes from another port than was asked"},
    [SNMP_DROP_COMMUNITY] = {"snmp_drop_community", "has another community or context"},
    [SNMP_DROP_OIDS] = {"snmp_drop_oids", "does not answer what was asked"},
    [SNMP_DROP_ENGINE] = {"snmp_drop_engine", "comes from another SNMP engine"},
    [SNMP_DROP_USER] = {"snmp_drop_user", "names another user"},
    [SNMP_DROP_LEVEL] = {"snmp_drop_level", "is not protected as the request was"},
    [SNMP_DROP_DIGEST] = {"snmp_drop_digest", "is not authentic"},
    [SNMP_DROP_TIME] = {"snmp_drop_time", "is older than the time window allows"},
    [SNMP_DROP_CIPHER] = {"snmp_drop_cipher", "cannot be deciphered"},
    [SNMP_DROP_REPORT] = {"snmp_drop_report", "is a report that tells nothing new"},
};

static const char *const refusal_texts[] = {
    [SNMP_REFUSED_USER] = "it knows no such user (usmStatsUnknownUserNames)",
    [SNMP_REFUSED_DIGEST] = "its user has another authentication password or algorithm (usmStatsWrongDigests)",
    [SNMP_REFUSED_CIPHER] = "its user has another privacy password or algorithm (usmStatsDecryptionErrors)",
    [SNMP_REFUSED_LEVEL] =
        "its user has no such security level, or it lacks the algorithm (usmStatsUnsupportedSecLevels)",
    [SNMP_REFUSED_CONTEXT] = "it knows no such context (snmpUnknownContexts)",
    [SNMP_REFUSED_TIME] = "what it said of its time itself is not in its time window (usmStatsNotInTimeWindows)",
    [SNMP_REFUSED_BOOTS] = "its engine boots are at their end, so it answers nobody until it has a new engine id",
    [SNMP_REFUSED_ENGINE] = "it has another engine id than the credential says (usmStatsUnknownEngineIDs)",
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

/* True if a line about this may be written now; *held is how many were not since the last. */
static bool may_log(struct snmp_engine *e, struct quiet *quiet, uint64_t *held)
{
    if (now(e) < quiet->until_ms) {
        quiet->held++;
        return false;
    }
    *held = quiet->held;
    *quiet = (struct quiet){.until_ms = now(e) + QUIET_MS};
    return true;
}

/* ---- Slots and ids ---- */

static uint32_t generation(struct snmp_engine *e)
{
    uint32_t g;

    if (e->nstock == 0) {
        e->services->rng.fill(e->services->rng.ctx, e->stock, sizeof e->stock);
        e->nstock = RANDOM_STOCK;
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

static struct snmp_request *find(const struct snmp_engine *e, int32_t id)
{
    uint32_t i = (uint32_t)id & SLOT_MASK;
    struct snmp_request *q = i < e->slots.n ? e->slots.v[i].request : NULL;

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

static void enqueue(struct lane *l, struct snmp_request *q)
{
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

static void note_refused(struct snmp_engine *e, const struct snmp_request *q, int err)
{
    uint64_t held;

    e->refused++;
    if (may_log(e, &e->quiet[SNMP_DROPS], &held))
        log_warn("snmp", "cannot send to %s: %s (%llu more like this not logged)", q->peer->name, strerror(err),
                 (unsigned long long)held);
}

/* ---- How long an answer takes ---- */

static void measure(struct snmp_rtt *rtt, int64_t took_ms)
{
    int32_t took = took_ms > 0 && took_ms < INT32_MAX / 8 ? (int32_t)took_ms : 0, off;

    if (rtt->mean8 == 0) {
        *rtt = (struct snmp_rtt){.mean8 = took > 0 ? 8 * (uint32_t)took : 1, .spread4 = 2 * (uint32_t)took};
        return;
    }
    off = took - (int32_t)(rtt->mean8 / 8);
    rtt->mean8 = (uint32_t)((int32_t)rtt->mean8 + off);
    if (rtt->mean8 == 0)
        rtt->mean8 = 1;
    rtt->spread4 += (uint32_t)abs(off) - rtt->spread4 / 4;
}

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
                note_refused(l->engine, asked[i], p[i].err);
        }
        if (sent < n || n == 0) {
            flush_later(l, sent < n || room > 0);
            return;
        }
    }
}

static void on_flush(void *arg)
{
    flush(arg);
}

/* ---- Requests ---- */

static void end_request(struct snmp_request *q)
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
        enqueue(lane_of(q), q);
        return;
    }
    if (q->tries <= q->peer->retries && now(q->engine) - q->first_ms < q->patience_ms) {
        enqueue(lane_of(q), q);
        return;
    }
    end_request(q);
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
    enqueue(lane_of(q), q);
}

void snmp_request_withdraw(struct snmp_request *q)
{
    end_request(q);
}

const char *snmp_drop_counter(enum snmp_drop drop)
{
    return drop_names[drop].counter;
}

const char *snmp_drop_text(enum snmp_drop drop)
{
    return drop_names[drop].text;
}

const char *snmp_refusal_text(enum snmp_refusal refusal)
{
    return refusal_texts[refusal];
}

int64_t snmp_request_waited(const struct snmp_request *q)
{
    return q->first_ms - q->submitted_ms;
}

/* ---- Receiving ---- */

static enum snmp_drop match_address(const struct snmp_peer *peer, const union pd_addr *from)
{
    if (peer->from_any)
        return SNMP_FITS;
    if (!pd_addr_same_host(&peer->addr, from))
        return SNMP_DROP_ADDRESS;
    return pd_addr_port(&peer->addr) != pd_addr_port(from) ? SNMP_DROP_PORT : SNMP_FITS;
}

/* Is the message from whom the request went to? */
static enum snmp_drop match_peer(const struct snmp_peer *peer, const union pd_addr *from, const struct snmp_msg *m)
{
    enum snmp_drop drop = match_address(peer, from);

    if (drop != SNMP_FITS)
        return drop;
    if (m->version != peer->version)
        return SNMP_DROP_VERSION;
    if (m->ncommunity != peer->ncommunity || memcmp(m->community, peer->community, m->ncommunity) != 0)
        return SNMP_DROP_COMMUNITY;
    return SNMP_FITS;
}

static enum snmp_drop match(struct snmp_engine *e, const struct snmp_packet *p, struct snmp_msg *m,
                            struct snmp_request **out)
{
    enum snmp_drop drop;

    if (m->type != SNMP_RESPONSE)
        return SNMP_DROP_TYPE;
    *out = find(e, m->request_id);
    if (!*out)
        return SNMP_DROP_UNASKED;
    drop = match_peer((*out)->peer, &p->addr, m);
    return drop != SNMP_FITS ? drop : (*out)->ops->fits(*out, m, p->n);
}

/*
 * The young request whose device sent a packet that names no request of ours, or
 * NULL: it serves to name the device, so a flood is not searched to its end.
 */
static struct snmp_request *suspect(struct snmp_engine *e, enum snmp_drop drop, const union pd_addr *from)
{
    struct lane *l = &e->lanes[from->sa.sa_family == AF_INET ? 0 : 1];
    struct snmp_request *q;

    if (e->quiet[drop].held > MAX_SEARCHES)
        return NULL;
    TAILQ_FOREACH(q, &l->recent, recent)
    {
        if (pd_addr_same_host(&q->peer->addr, from) && pd_addr_port(&q->peer->addr) == pd_addr_port(from))
            return q;
    }
    return NULL;
}

static void note_drop(struct snmp_engine *e, enum snmp_drop drop, const struct snmp_packet *p, struct snmp_request *q)
{
    char from[PD_ADDR_TEXT];
    uint64_t held;

    e->drops[drop]++;
    if (!q)
        q = suspect(e, drop, &p->addr);
    if (q) {
        q->misfit = (uint8_t)drop;
        q->ops->dropped(q, drop);
    }
    if (!may_log(e, &e->quiet[drop], &held))
        return;
    pd_addr_text(&p->addr, from);
    log_warn("snmp", "dropped a packet from %s%s%s%s: it %s (%llu more like this not logged)", from,
             q ? " (asked: " : "", q ? q->peer->name : "", q ? ")" : "", drop_names[drop].text,
             (unsigned long long)held);
}

static void take_answer(struct snmp_engine *e, struct snmp_request *q, const struct snmp_msg *m)
{
    e->used++;
    if (q->peer->rtt && q->tries == 1)
        measure(q->peer->rtt, now(e) - q->last_ms);
    end_request(q);
    q->ops->answered(q, m);
}

/* ---- Version 3 ---- */

/* Keys that take long are reckoned one after the other, so that the loop gets its turn between. */
static void hold(struct snmp_request *q)
{
    struct snmp_engine *e = q->engine;

    e->slow_ms = e->slow_ms > now(e) ? e->slow_ms : now(e);
    q->is_held = true;
    wheel_set(e->services->wheel, &q->timer, e->slow_ms);
    e->slow_ms += SLOW_MS;
}

/* The request is sent once more, as something new: with an id of its own, and all its tries. */
static void ask_again(struct snmp_request *q)
{
    end_request(q);
    q->tries = 0;
    q->submitted_ms = q->first_ms = now(q->engine);
    if (snmp_v3_peer_is_slow(q->peer->v3))
        hold(q);
    else
        enqueue(lane_of(q), q);
}

static enum snmp_drop match_v3(struct snmp_engine *e, const struct snmp_packet *p, struct v3_msg *m,
                               struct snmp_request **out)
{
    int rc = v3_decode(p->data, p->n, m);

    if (rc < 0)
        return rc == PD_EVERSION ? SNMP_DROP_VERSION : SNMP_DROP_MALFORMED;
    *out = find(e, m->msg_id);
    if (!*out)
        return SNMP_DROP_UNASKED;
    if (!(*out)->peer->v3)
        return SNMP_DROP_VERSION;
    return match_address((*out)->peer, &p->addr);
}

static void take_v3(struct snmp_engine *e, const struct snmp_packet *p)
{
    struct snmp_request *q = NULL;
    struct v3_msg v3;
    struct snmp_msg m;
    int why = (int)match_v3(e, p, &v3, &q);
    enum v3_verdict verdict = V3_DROPPED;

    if (why == SNMP_FITS)
        verdict = snmp_v3_peer_take(q->peer->v3, &q->steps, now(e), &v3, &m, &why);
    if (verdict == V3_ANSWER) {
        why = (int)match(e, p, &m, &q);
        verdict = why == SNMP_FITS ? V3_ANSWER : V3_DROPPED;
    }
    switch (verdict) {
    case V3_ANSWER:
        take_answer(e, q, &m);
        break;
    case V3_AGAIN:
        e->used++;
        ask_again(q);
        break;
    case V3_REFUSED:
        e->used++;
        end_request(q);
        snmp_v3_peer_failed(q->peer->v3);
        q->ops->refused(q, (enum snmp_refusal)why);
        break;
    case V3_DROPPED:
        note_drop(e, (enum snmp_drop)why, p, q);
        break;
    }
}

static void take_packet(struct snmp_engine *e, const struct snmp_packet *p)
{
    struct snmp_request *q = NULL;
    struct snmp_msg m;
    int rc = snmp_decode(p->data, p->n, &m);
    enum snmp_drop drop = SNMP_DROP_MALFORMED;

    e->received++;
    if (rc == PD_EVERSION) {
        take_v3(e, p);
        return;
    }
    if (rc == 0)
        drop = match(e, p, &m, &q);
    if (drop == SNMP_FITS)
        take_answer(e, q, &m);
    else
        note_drop(e, drop, p, q);
}

static void on_readable(void *arg)
{
    struct snmp_engine *e = arg;
    struct snmp_packet p[SNMP_BATCH];
    size_t n = SNMP_BATCH;

    e->batch_ms = clock_mono(&e->services->clock);
    e->receiving = true;
    for (int batch = 0; n == SNMP_BATCH && batch < MAX_BATCHES; batch++) {
        n = e->net.recv(e->net.ctx, p, SNMP_BATCH);
        e->batch_ms = clock_mono(&e->services->clock);
        for (size_t i = 0; i < n; i++)
            take_packet(e, &p[i]);
    }
    for (int i = 0; i < 2; i++)
        flush(&e->lanes[i]);
    e->receiving = false;
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
    e->net.listen(e->net.ctx, on_readable, e);
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

void snmp_engine_counters(const struct snmp_engine *e, void (*put)(void *arg, const char *name, uint64_t value),
                          void *arg)
{
    put(arg, "snmp_sent", e->sent);
    put(arg, "snmp_repeated", e->repeated);
    put(arg, "snmp_refused", e->refused);
    put(arg, "snmp_received", e->received);
    put(arg, "snmp_used", e->used);
    put(arg, "snmp_expired", e->expired);
    for (int i = SNMP_FITS + 1; i < SNMP_DROPS; i++)
        put(arg, drop_names[i].counter, e->drops[i]);
}
