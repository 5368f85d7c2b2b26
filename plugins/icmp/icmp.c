#include "plugins/icmp/icmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

/*
 * A read sends one request at a time and waits for it: so a device is never
 * flooded, and a request is the read's own. It is known again by its place in
 * the table, which is its sequence number, and by a random cookie.
 */

enum {
    MAX_SLOTS = 65536, /* a sequence number */
    MAX_TIMEOUT_MS = 60000,
    MAX_RETRIES = 20,
    AGAIN_MS = 10, /* while the kernel's buffer is full */
    AT_ONCE = 64,  /* packets taken before the loop goes on to others */
    PORT_NONE = 0,
};

const struct pd_icmp_config pd_icmp_defaults = {.timeout_ms = 1000, .tries = 3, .probes = 4, .gap_ms = 100};

enum what { WHAT_RTT, WHAT_LOSS };

struct pd_plan {
    struct {
        uint32_t id;
        uint8_t part;
        enum what what;
    } * sources;
    size_t n;
};

enum { DROPS = ICMP_DROP_SIZE + 1 };

struct counters {
    uint64_t sent, answered, expired, errors, held_back, unsent;
    uint64_t drop[DROPS], drop_foreign, drop_late, drop_source, drop_cut;
};

struct pd_collector {
    struct pd_services services;
    struct pd_icmp_config config;
    struct icmp_net net;
    uint16_t id; /* of requests over raw sockets */
    ARRAY(struct pd_read *) slots;
    ARRAY(uint32_t) idle; /* places in slots */
    LIST_HEAD(, pd_device) devices;
    struct counters counters;
};

struct pd_device {
    struct pd_collector *collector;
    LIST_ENTRY(pd_device) link;
    char *name;
    union pd_addr addr;
    int timeout_ms, tries;
    struct pd_read *read;
};

struct pd_read {
    struct pd_device *device;
    const struct pd_plan *plan;
    uint32_t parts;
    struct pd_sink sink;
    struct timer timer;
    uint32_t slot;
    uint64_t cookie; /* of the request on its way */
    bool waiting;    /* for its answer */
    int wanted;      /* requests in all */
    bool to_the_end; /* whatever comes, since the loss is asked for */
    int sent, answered;
    int64_t sent_us, sum_us, first_us;
    int64_t begun_ms; /* monotonic: the first request went out; 0: none has */
    bool refused;
    const char *why; /* no answer came; static storage */
};

/* ---- The end of a read ---- */

static void give_cells(const struct pd_read *r)
{
    for (size_t i = 0; i < r->plan->n; i++) {
        struct pd_cell cell = {.source = r->plan->sources[i].id, .type = PD_CELL_FLOAT};

        if (!(r->parts & UINT32_C(1) << r->plan->sources[i].part))
            continue;
        if (r->plan->sources[i].what == WHAT_RTT)
            cell.f = (double)r->sum_us / r->answered / 1000;
        else
            cell.f = 100.0 * (r->sent - r->answered) / r->sent;
        r->sink.cells(r->sink.arg, &cell, 1);
    }
}

static void end_read(struct pd_read *r, enum pd_read_status status)
{
    struct pd_collector *c = r->device->collector;
    char detail[120] = "";
    struct pd_read_result result = {
        .status = status,
        .requests = (uint32_t)r->sent,
        .retries = (uint32_t)(r->sent > 0 ? r->sent - 1 : 0),
        .rtt_ms = r->answered > 0 ? (int32_t)((r->first_us + 500) / 1000) : -1,
        .sent_ms = r->begun_ms,
        .detail = status == PD_READ_DONE ? NULL : detail,
    };
    struct pd_sink sink = r->sink;

    if (status == PD_READ_REFUSED)
        snprintf(detail, sizeof detail, "ICMP is not possible here");
    else if (status == PD_READ_NOANSWER)
        snprintf(detail, sizeof detail, "%d echo requests: %s", r->sent, r->why ? r->why : "no answer");
    wheel_unset(c->services.wheel, &r->timer);
    c->slots.v[r->slot] = NULL;
    array_push(&c->idle, r->slot);
    r->device->read = NULL;
    free(r);
    sink.end(sink.arg, &result);
}

/* ---- Requests ---- */

static uint16_t id_for(const struct pd_collector *c, int family)
{
    return c->net.id(c->net.ctx, family, c->id);
}

static struct icmp_echo echo_of(const struct pd_read *r)
{
    const struct pd_collector *c = r->device->collector;

    return (struct icmp_echo){
        .id = id_for(c, r->device->addr.sa.sa_family),
        .seq = (uint16_t)r->slot,
        .slot = r->slot,
        .cookie = r->cookie,
    };
}

static void wait_ms(struct pd_read *r, int64_t ms)
{
    const struct pd_services *s = &r->device->collector->services;

    wheel_set(s->wheel, &r->timer, clock_mono(&s->clock) + ms);
}

/* A request that cannot be sent counts as lost, once its time is over: the network may come back meanwhile. */
static void send_request(struct pd_read *r)
{
    struct pd_collector *c = r->device->collector;
    uint8_t packet[ICMP_PACKET];
    struct icmp_echo echo;
    int rc;

    r->cookie = rng_u64(&c->services.rng);
    echo = echo_of(r);
    icmp_encode(&echo, r->device->addr.sa.sa_family, packet);
    r->sent_us = c->net.now_us(c->net.ctx);
    rc = c->net.send(c->net.ctx, &r->device->addr, packet, sizeof packet);
    if (rc == PD_EBUSY) {
        c->counters.held_back++;
        wait_ms(r, AGAIN_MS);
        return;
    }
    r->sent++;
    r->waiting = rc == 0;
    c->counters.sent += rc == 0;
    c->counters.unsent += rc != 0;
    if (rc != 0)
        r->why = pd_strerror(rc);
    else if (!r->begun_ms)
        r->begun_ms = clock_mono(&c->services.clock);
    wait_ms(r, r->device->timeout_ms);
}

/* The device answered, or did not: what is next? */
static void go_on(struct pd_read *r)
{
    if (r->sent < r->wanted && (r->answered == 0 || r->to_the_end)) {
        send_request(r);
        return;
    }
    if (r->answered > 0)
        give_cells(r);
    end_read(r, r->answered > 0 ? PD_READ_DONE : PD_READ_NOANSWER);
}

static void on_timer(void *arg)
{
    struct pd_read *r = arg;

    if (r->refused) {
        end_read(r, PD_READ_REFUSED);
        return;
    }
    if (r->waiting)
        r->device->collector->counters.expired++;
    r->waiting = false;
    go_on(r);
}

/* ---- Answers ---- */

static struct pd_read *read_at(const struct pd_collector *c, uint32_t slot)
{
    struct pd_read *r = slot < c->slots.n ? c->slots.v[slot] : NULL;

    return r && r->waiting ? r : NULL;
}

static void take_reply(struct pd_collector *c, const union pd_addr *from, const struct icmp_message *m)
{
    struct pd_read *r = read_at(c, m->echo.slot);
    int64_t us;

    if (!r || r->cookie != m->echo.cookie || m->echo.seq != (uint16_t)r->slot) {
        c->counters.drop_late++;
        return;
    }
    if (!pd_addr_same_host(from, &r->device->addr)) {
        c->counters.drop_source++;
        return;
    }
    us = c->net.now_us(c->net.ctx) - r->sent_us;
    us = us > 0 ? us : 0;
    if (r->answered++ == 0)
        r->first_us = us;
    r->sum_us += us;
    r->waiting = false;
    c->counters.answered++;
    if (r->to_the_end && r->sent < r->wanted)
        wait_ms(r, c->config.gap_ms);
    else
        go_on(r);
}

/* Whether it quotes the request that is on its way: what is quoted too little to hold the cookie has its checksum. */
static bool quotes(const struct pd_read *r, const struct icmp_message *m)
{
    uint8_t packet[ICMP_PACKET];
    struct icmp_echo echo = echo_of(r);
    int family = r->device->addr.sa.sa_family;
    union pd_addr to = m->to;

    if (family == AF_INET6)
        to.in6.sin6_scope_id = r->device->addr.in6.sin6_scope_id; /* a packet has none */
    if (to.sa.sa_family != family || !pd_addr_same_host(&to, &r->device->addr))
        return false;
    if (m->has_cookie)
        return m->echo.cookie == r->cookie && m->echo.slot == r->slot;
    icmp_encode(&echo, family, packet);
    return family == AF_INET && m->checksum == (uint16_t)(packet[2] << 8 | packet[3]);
}

/* The request is lost; the next one may not be, so it goes in its time. */
static void take_error(struct pd_collector *c, int family, const struct icmp_message *m)
{
    struct pd_read *r = read_at(c, m->echo.seq);

    if (!r || !quotes(r, m)) {
        c->counters.drop_late++;
        return;
    }
    c->counters.errors++;
    r->waiting = false;
    r->why = icmp_error_text(family, m->type, m->code);
}

static void take_packet(struct pd_collector *c, const struct icmp_packet *p)
{
    int family = p->from.sa.sa_family;
    struct icmp_message m;
    enum icmp_drop drop;

    if (p->cut) {
        c->counters.drop_cut++;
        return;
    }
    drop = icmp_decode(p->data, p->n, family, c->net.way(c->net.ctx, family), &m);
    if (drop)
        c->counters.drop[drop]++;
    else if (m.echo.id != id_for(c, family))
        c->counters.drop_foreign++;
    else if (m.is_error)
        take_error(c, family, &m);
    else
        take_reply(c, &p->from, &m);
}

static void on_readable(void *arg)
{
    struct pd_collector *c = arg;
    struct icmp_packet p;

    for (int i = 0; i < AT_ONCE && c->net.recv(c->net.ctx, &p); i++)
        take_packet(c, &p);
}

/* ---- Start and stop ---- */

static void say_ways(const struct pd_collector *c)
{
    static const char *const names[] = {[ICMP_NOT] = "none", [ICMP_RAW] = "raw", [ICMP_DATAGRAM] = "datagram"};
    enum icmp_way four = c->net.way(c->net.ctx, AF_INET), six = c->net.way(c->net.ctx, AF_INET6);

    if (four == ICMP_NOT && six == ICMP_NOT)
        log_warn("icmp", "nothing can be pinged: it takes CAP_NET_RAW, or a group within net.ipv4.ping_group_range");
    else
        log_info("icmp", "sockets: IPv4 %s, IPv6 %s", names[four], names[six]);
}

int icmp_start_on(const struct pd_services *services, const struct pd_icmp_config *config, const struct icmp_net *net,
                  struct pd_collector **out)
{
    struct pd_collector *c = xcalloc(1, sizeof *c);

    c->services = *services;
    c->config = config ? *config : pd_icmp_defaults;
    c->net = *net;
    c->id = (uint16_t)rng_u32(&c->services.rng);
    LIST_INIT(&c->devices);
    say_ways(c);
    c->net.listen(c->net.ctx, on_readable, c);
    *out = c;
    return 0;
}

static int icmp_start(const struct pd_services *services, const void *config, struct pd_collector **out)
{
    const struct pd_icmp_config *own = config;
    struct icmp_net net = icmp_kernel_net(services, own ? own->sockets : NULL);

    return icmp_start_on(services, own, &net, out);
}

/* ---- Devices ---- */

static int icmp_open(struct pd_collector *c, const struct pd_target *t, struct pd_device **out)
{
    union pd_addr addr;
    struct pd_device *d;

    if (pd_addr_parse(t->address, PORT_NONE, &addr) < 0 || t->timeout_ms < 0 || t->timeout_ms > MAX_TIMEOUT_MS ||
        t->retries < -1 || t->retries > MAX_RETRIES) {
        log_debug("icmp", "%s: '%s' can't be pinged", t->name, t->address);
        return PD_EINVAL;
    }
    d = xcalloc(1, sizeof *d);
    d->collector = c;
    d->name = xstrdup(t->name);
    d->addr = addr;
    d->timeout_ms = t->timeout_ms ? t->timeout_ms : c->config.timeout_ms;
    d->tries = t->retries >= 0 ? t->retries + 1 : c->config.tries;
    LIST_INSERT_HEAD(&c->devices, d, link);
    *out = d;
    return 0;
}

static void icmp_cancel(struct pd_read *r)
{
    end_read(r, PD_READ_CANCELLED);
}

static void icmp_close(struct pd_device *d)
{
    if (!d)
        return;
    if (d->read)
        icmp_cancel(d->read);
    LIST_REMOVE(d, link);
    free(d->name);
    free(d);
}

static void icmp_stop(struct pd_collector *c)
{
    struct pd_device *d;

    if (!c)
        return;
    while ((d = LIST_FIRST(&c->devices)) != NULL)
        icmp_close(d); /* takes itself off the list */ // NOLINT(clang-analyzer-unix.Malloc)
    c->net.close(c->net.ctx);
    array_free(&c->slots);
    array_free(&c->idle);
    free(c);
}

/* ---- Plans and reads ---- */

static int icmp_compile(struct pd_collector *c, const struct pd_source *sources, size_t n, struct pd_plan **out,
                        struct pd_compile_error *err)
{
    struct pd_plan *p = xcalloc(1, sizeof *p);

    (void)c;
    p->sources = xcalloc(n + 1, sizeof *p->sources);
    for (size_t i = 0; i < n; i++) {
        const struct pd_source *s = &sources[i];
        bool rtt = strcmp(s->address, "rtt") == 0;

        if (s->table || (!rtt && strcmp(s->address, "loss") != 0)) {
            err->source = s->id;
            snprintf(err->msg, sizeof err->msg,
                     s->table ? "there are no tables here: 'table: false' is wanted" : "expected rtt or loss");
            free(p->sources);
            free(p);
            return PD_EINVAL;
        }
        p->sources[p->n].id = s->id;
        p->sources[p->n].part = s->part;
        p->sources[p->n++].what = rtt ? WHAT_RTT : WHAT_LOSS;
    }
    *out = p;
    return 0;
}

static void icmp_plan_free(struct pd_plan *p)
{
    if (!p)
        return;
    free(p->sources);
    free(p);
}

static bool wants_loss(const struct pd_plan *p, uint32_t parts)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->sources[i].what == WHAT_LOSS && (parts & UINT32_C(1) << p->sources[i].part))
            return true;
    return false;
}

static int take_slot(struct pd_collector *c, uint32_t *slot)
{
    if (c->idle.n > 0) {
        *slot = c->idle.v[--c->idle.n];
        return 0;
    }
    if (c->slots.n == MAX_SLOTS)
        return PD_EBUSY;
    *slot = (uint32_t)c->slots.n;
    array_push(&c->slots, NULL);
    return 0;
}

static int icmp_read(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                     struct pd_read **out)
{
    struct pd_collector *c = d->collector;
    struct pd_read *r;
    uint32_t slot;

    if (d->read || take_slot(c, &slot) < 0)
        return PD_EBUSY;
    r = xcalloc(1, sizeof *r);
    r->device = d;
    r->plan = plan;
    r->parts = parts;
    r->sink = *sink;
    r->slot = slot;
    r->to_the_end = wants_loss(plan, parts);
    r->wanted = r->to_the_end ? c->config.probes : d->tries;
    timer_init(&r->timer, on_timer, r);
    c->slots.v[slot] = r;
    d->read = *out = r;
    r->refused = c->net.way(c->net.ctx, d->addr.sa.sa_family) == ICMP_NOT;
    if (r->refused)
        wait_ms(r, 0);
    else
        send_request(r);
    return 0;
}

static int icmp_walk(struct pd_device *d, const char *root, const struct pd_sink *sink, struct pd_read **out)
{
    (void)d;
    (void)root;
    (void)sink;
    (void)out;
    return PD_ENOTSUP;
}

static void icmp_counters(struct pd_collector *c, void (*put)(void *arg, const char *name, uint64_t value), void *arg)
{
    static const char *const drops[DROPS] = {[ICMP_DROP_SHORT] = "icmp_drop_short",
                                             [ICMP_DROP_HEADER] = "icmp_drop_header",
                                             [ICMP_DROP_CHECKSUM] = "icmp_drop_checksum",
                                             [ICMP_DROP_TYPE] = "icmp_drop_type",
                                             [ICMP_DROP_SIZE] = "icmp_drop_size"};
    const struct counters *n = &c->counters;

    put(arg, "icmp_sent", n->sent);
    put(arg, "icmp_answered", n->answered);
    put(arg, "icmp_expired", n->expired);
    put(arg, "icmp_errors", n->errors);
    put(arg, "icmp_held_back", n->held_back);
    put(arg, "icmp_unsent", n->unsent);
    for (int i = ICMP_TAKEN + 1; i < DROPS; i++)
        put(arg, drops[i], n->drop[i]);
    put(arg, "icmp_drop_cut", n->drop_cut);
    put(arg, "icmp_drop_foreign", n->drop_foreign);
    put(arg, "icmp_drop_late", n->drop_late);
    put(arg, "icmp_drop_source", n->drop_source);
}

const struct pd_collector_ops pd_icmp_ops = {
    .name = "icmp",
    .no_credential = true,
    .start = icmp_start,
    .stop = icmp_stop,
    .compile = icmp_compile,
    .plan_free = icmp_plan_free,
    .open = icmp_open,
    .close = icmp_close,
    .read = icmp_read,
    .walk = icmp_walk,
    .cancel = icmp_cancel,
    .counters = icmp_counters,
};
