#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "plugins/snmp/engine_state.h"

enum {
    MAX_BATCHES = 8, /* received in a row before the loop gets its turn */
    SLOW_MS = 20,    /* between requests whose keys take some milliseconds to reckon */
};

/* Takes the time that an answer took into the mean. */
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

/* ---- Whose it is ---- */

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

static enum snmp_drop match(struct snmp_engine *e, const struct snmp_packet *p, const struct snmp_msg *m,
                            struct snmp_request **out)
{
    enum snmp_drop drop;

    if (m->type != SNMP_RESPONSE)
        return SNMP_DROP_TYPE;
    *out = snmp_engine_find(e, m->request_id);
    if (!*out)
        return SNMP_DROP_UNASKED;
    drop = match_peer((*out)->peer, &p->addr, m);
    return drop != SNMP_FITS ? drop : (*out)->ops->fits(*out, m, p->n);
}

static void take_answer(struct snmp_engine *e, struct snmp_request *q, const struct snmp_msg *m)
{
    e->used++;
    if (q->peer->rtt && q->tries == 1)
        measure(q->peer->rtt, snmp_engine_now(e) - q->last_ms);
    snmp_engine_end(q);
    q->ops->answered(q, m);
}

/* ---- Version 3 ---- */

/* Keys that take long are reckoned one after the other, so that the loop gets its turn between. */
static void hold(struct snmp_request *q)
{
    struct snmp_engine *e = q->engine;

    e->slow_ms = e->slow_ms > snmp_engine_now(e) ? e->slow_ms : snmp_engine_now(e);
    q->is_held = true;
    wheel_set(e->services->wheel, &q->timer, e->slow_ms);
    e->slow_ms += SLOW_MS;
}

/* The request is sent once more, as something new: with an id of its own, and all its tries. */
static void ask_again(struct snmp_request *q)
{
    snmp_engine_end(q);
    q->tries = 0;
    q->submitted_ms = q->first_ms = snmp_engine_now(q->engine);
    if (snmp_v3_peer_is_slow(q->peer->v3))
        hold(q);
    else
        snmp_engine_enqueue(q);
}

static enum snmp_drop match_v3(struct snmp_engine *e, const struct snmp_packet *p, struct v3_msg *m,
                               struct snmp_request **out)
{
    int rc = v3_decode(p->data, p->n, m);

    if (rc < 0)
        return rc == PD_EVERSION ? SNMP_DROP_VERSION : SNMP_DROP_MALFORMED;
    *out = snmp_engine_find(e, m->msg_id);
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
        verdict = snmp_v3_peer_take(q->peer->v3, &q->steps, snmp_engine_now(e), &v3, &m, &why);
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
        snmp_engine_end(q);
        snmp_v3_peer_failed(q->peer->v3);
        q->ops->refused(q, (enum snmp_refusal)why);
        break;
    case V3_DROPPED:
        snmp_engine_note_drop(e, (enum snmp_drop)why, p, q);
        break;
    }
}

struct arrival {
    const struct snmp_packet *packet;
    struct snmp_msg m;
    int rc; /* of decoding it */
};

static void take_packet(struct snmp_engine *e, const struct arrival *a)
{
    struct snmp_request *q = NULL;
    enum snmp_drop drop = SNMP_DROP_MALFORMED;

    e->received++;
    if (a->rc == PD_EVERSION) {
        take_v3(e, a->packet);
        return;
    }
    if (a->rc == 0)
        drop = match(e, a->packet, &a->m, &q);
    if (drop == SNMP_FITS)
        take_answer(e, q, &a->m);
    else
        snmp_engine_note_drop(e, drop, a->packet, q);
}

/* What the packets will need from memory can come while those before them are dealt with: first what they answer... */
static void fetch_request(const struct snmp_engine *e, const struct arrival *a)
{
    enum { NEAR = 1024 }; /* bytes: the request, and the read that it is the beginning of */
    const struct snmp_request *q = a->rc == 0 ? snmp_engine_in_slot(e, a->m.request_id) : NULL;

    if (q)
        mem_fetch(q, NEAR);
}

/* ... then, by that, what it is about. */
static void announce(const struct snmp_engine *e, const struct arrival *a)
{
    struct snmp_request *q = a->rc == 0 ? snmp_engine_find(e, a->m.request_id) : NULL;

    if (q)
        q->ops->soon(q);
}

static void take_batch(struct snmp_engine *e, const struct snmp_packet *p, size_t n)
{
    struct arrival a[SNMP_BATCH];

    for (size_t i = 0; i < n; i++) {
        a[i].packet = &p[i];
        a[i].rc = snmp_decode(p[i].data, p[i].n, &a[i].m);
    }
    for (size_t i = 0; i < n; i++) {
        if (i + 2 < n)
            fetch_request(e, &a[i + 2]);
        if (i + 1 < n)
            announce(e, &a[i + 1]);
        take_packet(e, &a[i]);
    }
}

void snmp_engine_receive(void *arg)
{
    struct snmp_engine *e = arg;
    struct snmp_packet p[SNMP_BATCH];
    size_t n = SNMP_BATCH;

    e->batch_ms = clock_mono(&e->services->clock);
    e->receiving = true;
    for (int batch = 0; n == SNMP_BATCH && batch < MAX_BATCHES; batch++) {
        n = e->net.recv(e->net.ctx, p, SNMP_BATCH);
        e->batch_ms = clock_mono(&e->services->clock);
        take_batch(e, p, n);
    }
    snmp_engine_flush(e);
    e->receiving = false;
}
