#include "plugins/modbus/tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

enum {
    MAX_STRAY = 64, /* frames in a row that nobody asked for, before the connection is closed */
    MAX_SILENT = 2, /* requests in a row without an answer, likewise: it may be dead */
};

enum state {
    CLOSED,
    CONNECTING,
    SETTLING, /* connected, but the device wants to be left alone for a while */
    OPEN,
    FAILED, /* the request will be told so by the timer */
};

/* What every poll touches stands together, in front. */
struct tcp {
    struct mb_line *line;
    struct mb_rules *rules;
    const struct mb_net *net;
    struct mb_conn *conn;
    enum state state;
    uint16_t first, transaction; /* ids: the first of this connection, the last given */
    unsigned strays, silent;
    bool served; /* this connection has brought an answer */
    bool asking;
    struct mb_ask ask;
    uint8_t out[MB_REQUEST_FRAME];
    int timeout_ms;
    size_t nrest, nout, sent;
    struct timer timer; /* of whatever is waited for */

    const struct pd_modbus_manners *manners;
    int connect_ms;
    union pd_addr to;
    struct mb_reply failure;
    char why[120];
    uint8_t rest[MB_MAX_FRAME]; /* a frame that has not come whole yet */
};

static void on_ready(void *arg);

static void wait(struct tcp *t, int64_t ms)
{
    wheel_set(t->rules->services->wheel, &t->timer, clock_mono(&t->rules->services->clock) + ms);
}

/* ---- The connection ---- */

static void hang_up(struct tcp *t)
{
    wheel_unset(t->rules->services->wheel, &t->timer);
    t->net->close(t->conn);
    t->conn = NULL;
    t->state = CLOSED;
    t->nrest = t->nout = t->sent = 0;
    t->strays = t->silent = 0;
    t->served = false;
}

/* The request that is under way is over. Nothing may be done with the carrier after it. */
static void done(struct tcp *t, const struct mb_reply *reply)
{
    wheel_unset(t->rules->services->wheel, &t->timer);
    t->asking = false;
    mb_line_done(t->line, reply);
}

/* Ends the connection and tells the request, if there is one. */
static void fail(struct tcp *t, enum mb_outcome outcome)
{
    struct mb_reply reply = {.outcome = outcome, .why = t->why};

    hang_up(t);
    if (t->asking)
        done(t, &reply);
}

/* The same from within ask(): the request is told a little later. */
static void fail_later(struct tcp *t, enum mb_outcome outcome)
{
    hang_up(t);
    t->failure = (struct mb_reply){.outcome = outcome, .why = t->why};
    t->state = FAILED;
    wait(t, 0);
}

static void explain(struct tcp *t, const char *what, ssize_t rc)
{
    if (rc == -EPIPE)
        (void)snprintf(t->why, sizeof t->why, "%s: the device closed the connection", what);
    else
        (void)snprintf(t->why, sizeof t->why, "%s: %s", what, strerror((int)-rc));
}

/* False if it cannot be. */
static bool dial(struct tcp *t)
{
    int rc = t->net->connect(t->net->ctx, &t->to, on_ready, t, &t->conn);

    t->rules->counters.connects++;
    if (rc < 0) {
        t->rules->counters.connect_failed++;
        t->conn = NULL;
        explain(t, "cannot connect", rc);
        return false;
    }
    t->first = t->transaction = (uint16_t)rng_u32(&t->rules->services->rng);
    t->state = CONNECTING;
    wait(t, t->connect_ms);
    return true;
}

/* ---- Sending ---- */

/* False if the connection is lost. */
static bool push(struct tcp *t)
{
    ssize_t n;

    if (t->sent == t->nout)
        return true;
    n = t->net->send(t->conn, t->out + t->sent, t->nout - t->sent);
    if (n < 0) {
        explain(t, "cannot send", n);
        return false;
    }
    t->sent += (size_t)n;
    return true;
}

static bool transmit(struct tcp *t)
{
    t->state = OPEN;
    mb_frame_encode(++t->transaction, &t->ask, t->out);
    t->nout = sizeof t->out;
    t->sent = 0;
    wait(t, t->timeout_ms);
    return push(t);
}

static void tcp_ask(void *carrier, const struct mb_ask *ask, int timeout_ms)
{
    struct tcp *t = carrier;

    t->ask = *ask;
    t->timeout_ms = timeout_ms;
    t->asking = true;
    if (t->state == OPEN && transmit(t))
        return;
    if (t->state == OPEN && !t->served) {
        fail_later(t, MB_LOST);
        return;
    }
    hang_up(t);
    if (!dial(t))
        fail_later(t, MB_DOWN);
}

/* A connection that had worked may have been closed by the device for being idle: the request goes over a new one. */
static void lose(struct tcp *t)
{
    bool again = t->asking && t->served && t->nrest == 0;

    if (!again) {
        fail(t, MB_LOST);
        return;
    }
    hang_up(t);
    if (!dial(t))
        fail(t, MB_DOWN);
}

/* ---- Receiving ---- */

/* A frame that answers nothing that is asked at present. */
static void stray(struct tcp *t, const struct mb_frame *f)
{
    struct mb_counters *c = &t->rules->counters;
    uint16_t given = (uint16_t)(t->transaction - t->first), its = (uint16_t)(f->transaction - t->first);

    t->strays++;
    if (its == 0 || its > given)
        c->drop_transaction++;
    else if (its < given)
        c->drop_late++;
    else
        c->drop_unasked++;
}

/* Holds the frame against the request; true if it ends it. */
static bool match(struct tcp *t, const struct mb_frame *f, struct mb_reply *reply)
{
    enum mb_misfit misfit = MB_MISFIT_UNIT;
    struct mb_answer a = {0};

    if (!t->asking || f->transaction != t->transaction) {
        stray(t, f);
        return false;
    }
    if (f->unit == t->ask.unit)
        misfit = mb_decode(&t->ask, f->pdu, f->npdu, &a);
    if (misfit == MB_FITS) {
        *reply = (struct mb_reply){
            .outcome = a.exception ? MB_EXCEPTION : MB_DATA, .exception = a.exception, .data = a.data};
        t->served = true;
    } else {
        t->rules->counters.misfit[misfit]++;
        (void)snprintf(t->why, sizeof t->why, "the answer %s", mb_misfit_text(misfit));
        *reply = (struct mb_reply){.outcome = MB_GARBLED, .why = t->why};
    }
    t->asking = false;
    t->strays = t->silent = 0;
    return true;
}

/* Takes all whole frames off the n bytes and keeps the rest; false if the connection is of no more use. */
static bool take_frames(struct tcp *t, const uint8_t *in, size_t n, struct mb_reply *reply, bool *over)
{
    struct mb_frame f;
    size_t at = 0;
    int rc;

    while ((rc = mb_frame_decode(in + at, n - at, &f)) == 0) {
        at += f.size;
        *over |= match(t, &f, reply);
    }
    if (rc == PD_EPROTO) {
        t->rules->counters.drop_frame++;
        (void)snprintf(t->why, sizeof t->why, "what came is no Modbus/TCP frame");
        return false;
    }
    if (t->strays > MAX_STRAY) {
        t->rules->counters.drop_stray++;
        (void)snprintf(t->why, sizeof t->why, "too much came that nobody had asked for");
        return false;
    }
    t->nrest = n - at; /* less than a frame */
    if (t->nrest > 0)
        memcpy(t->rest, in + at, t->nrest);
    return true;
}

static void receive(struct tcp *t)
{
    uint8_t *in = t->rules->in;
    struct mb_reply reply = {0};
    bool over = false;
    ssize_t n;

    n = t->net->recv(t->conn, in + t->nrest, sizeof t->rules->in - t->nrest);
    if (n == 0)
        return;
    if (n < 0) {
        explain(t, "connection lost", n);
        lose(t);
        return;
    }
    if (t->nrest > 0)
        memcpy(in, t->rest, t->nrest);
    if (!take_frames(t, in, t->nrest + (size_t)n, &reply, &over))
        fail(t, MB_GARBLED); /* a request that has its answer is told that below */
    else if (over && reply.outcome == MB_GARBLED && t->nrest > 0)
        hang_up(t); /* who knows where the next frame begins */
    if (over)
        done(t, &reply);
}

/* ---- Events ---- */

static void connected(struct tcp *t)
{
    int rc = t->net->connected(t->conn);

    if (rc > 0)
        return;
    if (rc < 0) {
        t->rules->counters.connect_failed++;
        explain(t, "cannot connect", rc);
        fail(t, MB_DOWN);
    } else if (t->manners->connect_delay_ms > 0) {
        t->state = SETTLING;
        wait(t, t->manners->connect_delay_ms);
    } else if (!transmit(t)) {
        fail(t, MB_LOST);
    }
}

static void on_ready(void *arg)
{
    struct tcp *t = arg;

    if (t->state == CONNECTING)
        connected(t);
    else if (!push(t))
        lose(t);
    else
        receive(t);
}

static void expire(struct tcp *t)
{
    struct mb_reply reply = {.outcome = MB_SILENT, .why = "no answer in time"};

    if (t->nrest > 0 || ++t->silent >= MAX_SILENT)
        hang_up(t);
    done(t, &reply);
}

static void on_timer(void *arg)
{
    struct tcp *t = arg;

    switch (t->state) {
    case FAILED:
        t->state = CLOSED;
        done(t, &t->failure);
        break;
    case CONNECTING:
        t->rules->counters.connect_failed++;
        (void)snprintf(t->why, sizeof t->why, "cannot connect: no answer in %d ms", t->connect_ms);
        fail(t, MB_DOWN);
        break;
    case SETTLING:
        if (!transmit(t))
            fail(t, MB_LOST);
        break;
    case OPEN:
        expire(t);
        break;
    case CLOSED: /* nothing is waited for */
        break;
    }
}

static void tcp_rest(void *carrier)
{
    hang_up(carrier);
}

static void tcp_free(void *carrier)
{
    struct tcp *t = carrier;

    hang_up(t);
    free(t);
}

static const struct mb_carrier_ops tcp_ops = {.ask = tcp_ask, .rest = tcp_rest, .free = tcp_free};

void mb_tcp_start(struct mb_line *line, struct mb_rules *rules, const struct mb_net *net, const union pd_addr *to,
                  const struct pd_modbus_manners *manners, int connect_ms)
{
    struct tcp *t = xcalloc(1, sizeof *t);

    t->line = line;
    t->rules = rules;
    t->net = net;
    t->to = *to;
    t->manners = manners;
    t->connect_ms = connect_ms;
    timer_init(&t->timer, on_timer, t);
    mb_line_carry(line, &tcp_ops, t);
}
