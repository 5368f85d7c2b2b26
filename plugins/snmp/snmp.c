#include "plugins/snmp/snmp.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugins/snmp/read.h"
#include "plugins/snmp/trap_sink.h"
#include "plugins/snmp/v3_peer.h"

enum { DEFAULT_PORT = 161, MAX_RETRIES = 20, MAX_TIMEOUT_MS = 60000 };

const struct pd_snmp_config pd_snmp_defaults = {
    .timeout_ms = 2000,
    .retries = 2,
    .max_repetitions = 50,
    .rcvbuf = 8 << 20,
    .max_varbinds = 100000,
    .max_bytes = 16 << 20,
    .max_ms = 600000,
    .stall_ms = 30000,
    .traps.rates = {.source = {20, 200}, .all = {4000, 8000}, .stranger = {10, 50}, .all_strangers = {200, 1000}},
};

struct pd_collector {
    struct snmp_core core;
    struct pd_snmp_config config;
    struct snmp_udp *udp;        /* NULL on another network */
    struct snmp_devices devices; /* but those that are in core.droppers */
    uint32_t plans;              /* serials given */
    struct trap_udp *trap_udp;
    struct trap_sink *traps; /* NULL: they are heard nowhere */
};

int snmp_start_on(const struct pd_services *services, const struct pd_snmp_config *config, const struct snmp_net *net,
                  struct pd_collector **out)
{
    struct pd_collector *c = xcalloc(1, sizeof *c);

    c->config = config ? *config : pd_snmp_defaults;
    c->core = (struct snmp_core){
        .services = services,
        .engine = snmp_engine_new(services, net),
        .limits = {.varbinds = c->config.max_varbinds,
                   .bytes = c->config.max_bytes,
                   .total_ms = c->config.max_ms,
                   .stall_ms = c->config.stall_ms},
        .varbinds = xmalloc(sizeof *c->core.varbinds),
        .cells = xcalloc(SNMP_MAX_VARBINDS, sizeof *c->core.cells),
    };
    LIST_INIT(&c->devices);
    LIST_INIT(&c->core.droppers);
    *out = c;
    return 0;
}

/* ---- Traps ---- */

static void start_traps(struct pd_collector *c)
{
    const struct pd_snmp_traps *t = &c->config.traps;
    union pd_addr *listen = xcalloc(t->nlisten + 1, sizeof *listen);
    struct trap_udp_config udp = {.fds = t->fds, .nfds = t->nfds, .listen = listen, .rcvbuf = c->config.rcvbuf};

    for (size_t i = 0; i < t->nlisten; i++)
        if (trap_listen_at(t->listen[i].host, t->listen[i].port, &listen[udp.nlisten]) == 0)
            udp.nlisten++;
    if (t->nfds + udp.nlisten == 0) {
        log_info("snmp", "no socket for traps: none are heard");
    } else if (trap_udp_open(c->core.services, &udp, &c->trap_udp) == 0) {
        const struct trap_net net = trap_udp_net(c->trap_udp);

        c->traps = trap_sink_new(c->core.services, snmp_engine_usm(c->core.engine), &net, &t->rates, t->engine_file);
    }
    c->config.traps = (struct pd_snmp_traps){0}; /* it was the caller's */
    free(listen);
}

static void snmp_traps(struct pd_collector *c, const struct pd_trap_sink *sink, const struct pd_usm_secret *users,
                       size_t n)
{
    if (c->traps)
        trap_sink_to(c->traps, sink, users, n);
}

static int snmp_start(const struct pd_services *services, const void *config, struct pd_collector **out)
{
    const struct pd_snmp_config *cfg = config ? config : &pd_snmp_defaults;
    struct snmp_udp *udp;
    struct snmp_net net;
    int rc = snmp_udp_open(services, cfg->rcvbuf, &udp);

    if (rc < 0)
        return rc;
    net = snmp_udp_net(udp);
    rc = snmp_start_on(services, cfg, &net, out);
    if (rc < 0) {
        snmp_udp_close(udp);
        return rc;
    }
    (*out)->udp = udp;
    start_traps(*out);
    return 0;
}

/* ---- Devices ---- */

static void set_community(struct snmp_peer *p, const char *community)
{
    p->community = xstrdup(community);
    p->ncommunity = (uint8_t)strlen(community);
}

/* Who asks it: by a community, or by a user in a context. */
static int set_credential(struct pd_device *d, const struct pd_target *t)
{
    const char *why = NULL;
    int rc;

    if (t->version != 3) {
        set_community(&d->peer, t->community);
        return 0;
    }
    rc = snmp_v3_peer_new(snmp_engine_usm(d->core->engine), t->usm, &d->peer.v3, &why);
    if (rc < 0) {
        log_about(LOG_LEVEL_WARN, "snmp", &(struct log_about){.kind = LOG_KIND_NOT_POLLED, .device = t->name},
                  "%s: the credential is of no use: %s", t->name, why);
        return rc;
    }
    set_community(&d->peer, t->usm->context ? t->usm->context : "");
    return 0;
}

static int check_target(const struct pd_target *t, union pd_addr *addr)
{
    const struct log_about about = {.kind = LOG_KIND_NOT_POLLED, .device = t->name};

    if (pd_addr_parse(t->address, t->port ? t->port : DEFAULT_PORT, addr) < 0)
        log_about(LOG_LEVEL_WARN, "snmp", &about,
                  "%s: '%s' is not the numeric address of a device (fe80:: needs %%interface)", t->name, t->address);
    else if (t->version < 1 || t->version > 3)
        log_about(LOG_LEVEL_WARN, "snmp", &about, "%s: SNMP version %d: must be 1, 2 or 3", t->name, t->version);
    else if (t->version == 3 && !t->usm)
        log_about(LOG_LEVEL_WARN, "snmp", &about, "%s: SNMP version 3 needs a user", t->name);
    else if (t->version == 3 && t->usm->context && strlen(t->usm->context) > UINT8_MAX)
        log_about(LOG_LEVEL_WARN, "snmp", &about, "%s: a context's name of 0 to 255 bytes is needed", t->name);
    else if (t->version != 3 && (!t->community || strlen(t->community) > UINT8_MAX))
        log_about(LOG_LEVEL_WARN, "snmp", &about, "%s: a community of 0 to 255 bytes is needed", t->name);
    else if (t->timeout_ms < 0 || t->timeout_ms > MAX_TIMEOUT_MS)
        log_about(LOG_LEVEL_WARN, "snmp", &about, "%s: time-out %d ms: must be 0 (the default) to %d", t->name,
                  t->timeout_ms, MAX_TIMEOUT_MS);
    else if (t->retries < -1 || t->retries > MAX_RETRIES)
        log_about(LOG_LEVEL_WARN, "snmp", &about, "%s: %d retries: must be -1 (the default) to %d", t->name, t->retries,
                  MAX_RETRIES);
    else
        return 0;
    return PD_EINVAL;
}

/* How much fits in a message: what is known of the device in advance; the rest is learnt from tooBig and silence. */
static void set_size(struct pd_device *d, uint32_t size)
{
    enum { HEAD = 84, VARBIND = 22, LEAST = 64, PLAIN_HEAD = 36 };

    d->full_varbinds = SNMP_FULL_VARBINDS;
    d->request_bytes = SNMP_REQUEST_BYTES;
    d->answer_bytes = (uint16_t)(SNMP_REQUEST_SIZE - PLAIN_HEAD - d->peer.ncommunity);
    if (size == 0)
        return;
    size = size > HEAD + LEAST ? size - HEAD : LEAST;
    d->answer_bytes = (uint16_t)(size < SNMP_MAX_MESSAGE ? size : SNMP_MAX_MESSAGE);
    d->full_varbinds = (uint16_t)(size / VARBIND < SNMP_MAX_VARBINDS ? size / VARBIND : SNMP_MAX_VARBINDS);
    if (size < SNMP_REQUEST_BYTES)
        d->request_bytes = (uint16_t)size;
}

/* Long names of version 3 leave less for varbinds. */
static void fit_v3(struct pd_device *d)
{
    enum { PDU_HEAD = 40 }; /* of a PDU, and what its writer keeps free */
    size_t name = d->peer.ncommunity, room;

    if (!d->peer.v3)
        return;
    for (size_t i = 0; i < d->ncontexts; i++)
        name = strlen(d->contexts[i].name) > name ? strlen(d->contexts[i].name) : name;
    room = snmp_v3_peer_room(d->peer.v3, name < UINT8_MAX ? name : UINT8_MAX) - PDU_HEAD;
    if (d->request_bytes > room)
        d->request_bytes = (uint16_t)room;
    if (d->answer_bytes > room)
        d->answer_bytes = (uint16_t)room;
}

/* A column that is none stays a context without an answer: sources count them. */
static void set_contexts(struct pd_device *d, const struct pd_target *t)
{
    d->ncontexts = t->ncontexts;
    if (t->ncontexts > 0)
        d->contexts = xcalloc(t->ncontexts, sizeof *d->contexts);
    for (size_t i = 0; i < t->ncontexts; i++) {
        const struct pd_context *from = &t->contexts[i];
        struct oid oid;
        const char *why;

        d->contexts[i].name = xstrdup(from->name ? from->name : "");
        if (from->each && oid_parse(from->each, &oid, &why) == 0)
            d->contexts[i].each = snmp_plan_walk(&oid);
        else if (from->each)
            log_about(LOG_LEVEL_WARN, "snmp", &(struct log_about){.device = t->name}, "%s: contexts of '%s': it %s",
                      t->name, from->each, why);
    }
}

static int snmp_open(struct pd_collector *c, const struct pd_target *t, struct pd_device **out)
{
    union pd_addr addr;
    struct pd_device *d;
    int rc;

    if (check_target(t, &addr) < 0)
        return PD_EINVAL;
    d = xcalloc(1, sizeof *d);
    d->core = &c->core;
    d->peer = (struct snmp_peer){
        .addr = addr,
        .version = t->version == 1   ? SNMP_V1
                   : t->version == 2 ? SNMP_V2C
                                     : SNMP_V3,
        .retries = (uint8_t)(t->retries >= 0 ? t->retries : c->config.retries),
        .timeout_ms = t->timeout_ms ? t->timeout_ms : c->config.timeout_ms,
        .from_any = t->reply_from_any,
        .rtt = &d->rtt,
    };
    rc = set_credential(d, t);
    if (rc < 0) {
        free(d);
        return rc;
    }
    d->peer.name = xstrdup(t->name);
    d->fixed_version = t->version != 2;
    d->in_flight = t->in_flight ? (uint8_t)t->in_flight : 1;
    d->max_rows = t->max_rows;
    set_size(d, t->message_size);
    set_contexts(d, t);
    fit_v3(d);
    d->max_repetitions = t->max_repetitions ? t->max_repetitions : c->config.max_repetitions;
    d->max_varbinds = d->full_varbinds;
    d->bulk = t->no_bulk ? SNMP_BULK_NO : SNMP_BULK_UNKNOWN;
    LIST_INSERT_HEAD(&c->devices, d, link);
    *out = d;
    return 0;
}

static void snmp_close(struct pd_device *d)
{
    if (!d)
        return;
    if (d->read)
        snmp_read_cancel(d->read);
    LIST_REMOVE(d, link);
    free((char *)d->peer.name);
    free((char *)d->peer.community);
    snmp_v3_peer_free(d->peer.v3);
    for (size_t i = 0; i < d->ncontexts; i++) {
        free(d->contexts[i].name);
        snmp_plan_free(d->contexts[i].each);
    }
    free(d->contexts);
    free(d->tables);
    free(d->drops);
    free(d);
}

static void snmp_stop(struct pd_collector *c)
{
    struct pd_device *d;

    if (!c)
        return;
    while ((d = LIST_FIRST(&c->devices)) != NULL || (d = LIST_FIRST(&c->core.droppers)) != NULL)
        snmp_close(d); /* takes itself off the list */ // NOLINT(clang-analyzer-unix.Malloc)
    trap_sink_free(c->traps);
    trap_udp_close(c->trap_udp);
    snmp_engine_free(c->core.engine);
    snmp_udp_close(c->udp);
    free(c->core.varbinds);
    free(c->core.cells);
    free(c);
}

/* ---- Plans and reads ---- */

static int snmp_compile(struct pd_collector *c, const struct pd_source *sources, size_t n, struct pd_plan **out,
                        struct pd_compile_error *err)
{
    return snmp_plan_compile(++c->plans, sources, n, out, err);
}

static int snmp_read(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                     struct pd_read **out)
{
    if (d->read)
        return PD_EBUSY;
    snmp_read_start(d, plan, parts, sink, out);
    return 0;
}

static int snmp_walk(struct pd_device *d, const char *root, const struct pd_sink *sink, struct pd_read **out)
{
    struct oid oid;
    const char *why;

    if (d->read)
        return PD_EBUSY;
    if (oid_parse(root, &oid, &why) < 0) {
        log_about(LOG_LEVEL_WARN, "snmp", &(struct log_about){.device = d->peer.name}, "%s: cannot walk '%s': it %s",
                  d->peer.name, root, why);
        return PD_EINVAL;
    }
    snmp_walk_start(d, snmp_plan_walk(&oid), sink, out);
    return 0;
}

static void snmp_counters(struct pd_collector *c, void (*put)(void *arg, const char *name, uint64_t value), void *arg)
{
    snmp_engine_counters(c->core.engine, put, arg);
    if (c->traps)
        trap_sink_counters(c->traps, put, arg);
}

static void snmp_device_drops(struct pd_collector *c,
                              void (*put)(void *arg, const char *device, const char *name, uint64_t value), void *arg)
{
    struct pd_device *d;

    LIST_FOREACH(d, &c->core.droppers, link)
    {
        for (int i = SNMP_FITS + 1; i < SNMP_DROPS; i++)
            if (d->drops[i] > 0)
                put(arg, d->peer.name, snmp_drop_counter((enum snmp_drop)i), d->drops[i]);
    }
}

const struct pd_collector_ops pd_snmp_ops = {
    .name = "snmp",
    .start = snmp_start,
    .stop = snmp_stop,
    .compile = snmp_compile,
    .plan_free = snmp_plan_free,
    .open = snmp_open,
    .close = snmp_close,
    .read = snmp_read,
    .walk = snmp_walk,
    .cancel = snmp_read_cancel,
    .counters = snmp_counters,
    .device_drops = snmp_device_drops,
    .traps = snmp_traps,
};
