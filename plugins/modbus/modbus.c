#include "plugins/modbus/modbus.h"

#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugins/modbus/read.h"
#include "plugins/modbus/rtu.h"
#include "plugins/modbus/tcp.h"

enum {
    DEFAULT_PORT = 502,
    MAX_RETRIES = 20,
    MAX_TIMEOUT_MS = 60000,
    MAX_SERIAL_UNIT = 247,
    LINGER_MS = 1000, /* a line that no device uses any more */
};

const struct pd_modbus_config pd_modbus_defaults = {
    .timeout_ms = 2000,
    .connect_ms = 3000,
    .retries = 2,
    .busy_ms = 500,
    .max_registers = MB_MAX_REGISTERS,
    .max_bits = MB_MAX_BITS,
    .max_gap = 8,
    .backoff_min_ms = 1000,
    .backoff_max_ms = 30000,
    .absent_ms = 3600000,
    .max_ms = 600000,
    .hold_ms = 60000,
};

/* A line and the devices that share it. */
struct endpoint {
    struct pd_collector *collector;
    LIST_ENTRY(endpoint) link;
    struct mb_line *line;
    const struct pd_modbus_bus *bus;  /* NULL: TCP */
    char *name;                       /* among the collector's places; NULL: a bus */
    struct pd_modbus_manners manners; /* of TCP */
    unsigned users;
    struct timer linger; /* the line ends when nobody came back */
};

struct pd_collector {
    struct mb_core core;
    struct pd_modbus_config config;
    struct pd_modbus_endpoint *endpoints; /* of the config, copied */
    struct pd_modbus_bus *buses;
    struct mb_net net;
    LIST_HEAD(, endpoint) lines;
    struct dict *places;  /* name of an address and port -> struct endpoint */
    struct dict *manners; /* likewise -> those that the settings have for it */
    LIST_HEAD(, pd_device) devices;
};

/* ---- The configuration ---- */

static int check_config(const struct pd_modbus_config *c)
{
    union pd_addr a;

    if (c->max_registers < 1 || c->max_registers > MB_MAX_REGISTERS || c->max_bits < 1 || c->max_bits > MB_MAX_BITS) {
        log_error("modbus", "requests of %d registers or %d bits: must be 1 to 125, and 1 to 2000", c->max_registers,
                  c->max_bits);
        return PD_EINVAL;
    }
    for (size_t i = 0; i < c->nendpoints; i++) {
        if (pd_addr_parse(c->endpoints[i].address, DEFAULT_PORT, &a) < 0) {
            log_error("modbus", "'%s' is not the numeric address of a device", c->endpoints[i].address);
            return PD_EINVAL;
        }
    }
    for (size_t i = 0; i < c->nbuses; i++) {
        if (mb_bus_check(&c->buses[i]) < 0)
            return PD_EINVAL;
    }
    return 0;
}

/* What is the same for all that reach one device: a scope counts only where the address needs one. */
static void place_name(const union pd_addr *addr, char out[static PD_ADDR_TEXT])
{
    union pd_addr a = *addr;

    if (a.sa.sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&a.in6.sin6_addr))
        a.in6.sin6_scope_id = 0;
    pd_addr_text(&a, out);
}

/* The first of an address counts. */
static void index_manners(struct pd_collector *c)
{
    c->manners = dict_new();
    for (size_t i = c->config.nendpoints; i-- > 0;) {
        struct pd_modbus_endpoint *e = &c->endpoints[i];
        char name[PD_ADDR_TEXT];
        union pd_addr addr;

        if (pd_addr_parse(e->address, e->port ? e->port : DEFAULT_PORT, &addr) < 0)
            continue; /* checked before */
        place_name(&addr, name);
        dict_put(c->manners, name, &e->manners);
    }
}

static void copy_config(struct pd_collector *c, const struct pd_modbus_config *config)
{
    c->config = *config;
    c->endpoints = xcalloc(config->nendpoints ? config->nendpoints : 1, sizeof *c->endpoints);
    for (size_t i = 0; i < config->nendpoints; i++) {
        c->endpoints[i] = config->endpoints[i];
        c->endpoints[i].address = xstrdup(config->endpoints[i].address);
    }
    index_manners(c);
    c->buses = xcalloc(config->nbuses ? config->nbuses : 1, sizeof *c->buses);
    for (size_t i = 0; i < config->nbuses; i++) {
        c->buses[i] = config->buses[i];
        c->buses[i].name = xstrdup(config->buses[i].name);
        c->buses[i].device = xstrdup(config->buses[i].device);
    }
}

static void free_config(struct pd_collector *c)
{
    for (size_t i = 0; i < c->config.nendpoints; i++)
        free((char *)(uintptr_t)c->endpoints[i].address);
    for (size_t i = 0; i < c->config.nbuses; i++) {
        free((char *)(uintptr_t)c->buses[i].name);
        free((char *)(uintptr_t)c->buses[i].device);
    }
    dict_free(c->manners);
    free(c->endpoints);
    free(c->buses);
}

int mb_start_on(const struct pd_services *services, const struct pd_modbus_config *config, const struct mb_net *net,
                struct pd_collector **out)
{
    struct pd_collector *c;

    if (!config)
        config = &pd_modbus_defaults;
    if (check_config(config) < 0)
        return PD_EINVAL;
    c = xcalloc(1, sizeof *c);
    copy_config(c, config);
    c->net = *net;
    c->places = dict_new();
    c->core = (struct mb_core){
        .rules = {.services = services,
                  .busy_ms = config->busy_ms,
                  .backoff_min_ms = config->backoff_min_ms,
                  .backoff_max_ms = config->backoff_max_ms},
        .merge = {.registers = config->max_registers, .bits = config->max_bits, .gap = config->max_gap},
        .absent_ms = config->absent_ms,
        .max_ms = config->max_ms,
        .hold_ms = config->hold_ms,
    };
    LIST_INIT(&c->lines);
    LIST_INIT(&c->devices);
    *out = c;
    return 0;
}

static int modbus_start(const struct pd_services *services, const void *config, struct pd_collector **out)
{
    struct mb_net net = mb_tcp_net(services);
    int rc = mb_start_on(services, config, &net, out);

    if (rc < 0)
        net.free(net.ctx);
    return rc;
}

/* ---- Lines ---- */

static void free_endpoint(struct endpoint *e)
{
    wheel_unset(e->collector->core.rules.services->wheel, &e->linger);
    LIST_REMOVE(e, link);
    if (e->name)
        dict_del(e->collector->places, e->name);
    mb_line_free(e->line);
    free(e->name);
    free(e);
}

static void on_linger(void *arg)
{
    free_endpoint(arg);
}

static struct endpoint *add_endpoint(struct pd_collector *c, const char *name)
{
    struct endpoint *e = xcalloc(1, sizeof *e);

    e->collector = c;
    e->line = mb_line_new(&c->core.rules, name);
    timer_init(&e->linger, on_linger, e);
    LIST_INSERT_HEAD(&c->lines, e, link);
    return e;
}

static int longer(int a, int b)
{
    return a > b ? a : b;
}

/* The settings' manners, made gentler as far as a device's profile wants it. */
static void be_gentle(struct endpoint *e, const struct pd_target *t)
{
    struct pd_modbus_manners *m = &e->manners;

    m->connect_delay_ms = longer(m->connect_delay_ms, t->connect_delay_ms);
    m->gap_ms = longer(m->gap_ms, t->gap_ms);
    m->per_poll |= t->per_poll;
    mb_line_set_manners(e->line, m->gap_ms, m->per_poll);
}

static struct endpoint *tcp_endpoint(struct pd_collector *c, const union pd_addr *addr)
{
    const struct pd_modbus_manners *manners;
    char name[PD_ADDR_TEXT];
    struct endpoint *e;

    place_name(addr, name);
    e = dict_get(c->places, name);
    if (e)
        return e;
    e = add_endpoint(c, name);
    e->name = xstrdup(name);
    dict_put(c->places, name, e);
    manners = dict_get(c->manners, name);
    e->manners = manners ? *manners : c->config.manners;
    mb_tcp_start(e->line, &c->core.rules, &c->net, addr, &e->manners, c->config.connect_ms);
    return e;
}

/* NULL if the bus cannot be served. */
static struct endpoint *bus_endpoint(struct pd_collector *c, const struct pd_modbus_bus *bus)
{
    struct endpoint *e;
    int rc;

    LIST_FOREACH(e, &c->lines, link)
    {
        if (e->bus == bus)
            return e;
    }
    e = add_endpoint(c, bus->name); /* its thread keeps the gaps */
    e->bus = bus;
    rc = mb_rtu_start(e->line, &c->core.rules, bus);
    if (rc == 0)
        return e;
    log_error("modbus", "bus %s: %s", bus->name, pd_strerror(rc));
    free_endpoint(e);
    return NULL;
}

static const struct pd_modbus_bus *find_bus(const struct pd_collector *c, const char *name)
{
    for (size_t i = 0; i < c->config.nbuses; i++) {
        if (strcmp(c->buses[i].name, name) == 0)
            return &c->buses[i];
    }
    return NULL;
}

/* ---- Devices ---- */

static int check_target(const struct pd_target *t, const struct pd_modbus_bus *bus, union pd_addr *addr)
{
    if (!bus && pd_addr_parse(t->address, t->port ? t->port : DEFAULT_PORT, addr) < 0)
        log_warn("modbus", "%s: '%s' is neither a numeric address nor a serial bus's name", t->name, t->address);
    else if (t->timeout_ms < 0 || t->timeout_ms > MAX_TIMEOUT_MS)
        log_warn("modbus", "%s: time-out %d ms: must be 0 (the default) to %d", t->name, t->timeout_ms, MAX_TIMEOUT_MS);
    else if (t->retries < -1 || t->retries > MAX_RETRIES)
        log_warn("modbus", "%s: %d retries: must be -1 (the default) to %d", t->name, t->retries, MAX_RETRIES);
    else
        return 0;
    return PD_EINVAL;
}

static int modbus_open(struct pd_collector *c, const struct pd_target *t, struct pd_device **out)
{
    const struct pd_modbus_bus *bus = find_bus(c, t->address);
    struct endpoint *e;
    struct pd_device *d;
    union pd_addr addr;

    if (check_target(t, bus, &addr) < 0)
        return PD_EINVAL;
    if (bus && t->unit > MAX_SERIAL_UNIT) {
        log_warn("modbus", "%s: unit %d: must be 1 to %d on a serial bus", t->name, t->unit, MAX_SERIAL_UNIT);
        return PD_ERANGE;
    }
    e = bus ? bus_endpoint(c, bus) : tcp_endpoint(c, &addr);
    if (!e)
        return PD_EIO;
    if (!bus)
        be_gentle(e, t);
    e->users++;
    wheel_unset(c->core.rules.services->wheel, &e->linger);
    d = xcalloc(1, sizeof *d);
    d->core = &c->core;
    d->endpoint = e;
    d->name = xstrdup(t->name);
    d->unit = (struct mb_unit){
        .line = e->line,
        .id = t->unit ? t->unit : 1,
        .retries = (uint8_t)(t->retries >= 0 ? t->retries : c->config.retries),
        .timeout_ms = t->timeout_ms ? t->timeout_ms : c->config.timeout_ms,
    };
    d->merge = c->core.merge;
    if (t->max_registers && t->max_registers < d->merge.registers)
        d->merge.registers = t->max_registers;
    if (t->no_gaps)
        d->merge.gap = 0;
    if (t->nholes > 0)
        d->merge.holes = d->holes = xmemdup(t->holes, t->nholes * sizeof *t->holes);
    d->merge.nholes = t->nholes;
    LIST_INSERT_HEAD(&c->devices, d, link);
    *out = d;
    return 0;
}

static void modbus_device_close(struct pd_device *d)
{
    struct endpoint *e;
    const struct pd_services *s;

    if (!d)
        return;
    e = d->endpoint;
    s = d->core->rules.services;
    if (d->read)
        mb_read_cancel(d->read);
    LIST_REMOVE(d, link);
    if (--e->users == 0) /* later: we may be in a callback of the line's, and whoever closes may open again */
        wheel_set(s->wheel, &e->linger, clock_mono(&s->clock) + LINGER_MS);
    mb_learnt_free(&d->learnt);
    free(d->holes);
    free(d->name);
    free(d);
}

static void modbus_stop(struct pd_collector *c)
{
    struct pd_device *d;
    struct endpoint *e;

    if (!c)
        return;
    while ((d = LIST_FIRST(&c->devices)) != NULL)
        modbus_device_close(d); /* takes itself off the list */ // NOLINT(clang-analyzer-unix.Malloc)
    while ((e = LIST_FIRST(&c->lines)) != NULL)
        free_endpoint(e); /* likewise */ // NOLINT(clang-analyzer-unix.Malloc)
    if (c->net.free)
        c->net.free(c->net.ctx);
    dict_free(c->places);
    free_config(c);
    mb_core_fini(&c->core);
    free(c);
}

/* ---- Plans and reads ---- */

static int modbus_compile(struct pd_collector *c, const struct pd_source *sources, size_t n, struct pd_plan **out,
                          struct pd_compile_error *err)
{
    (void)c;
    return mb_plan_compile(sources, n, out, err);
}

static int modbus_read(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                       struct pd_read **out)
{
    if (d->read)
        return PD_EBUSY;
    mb_read_start(d, plan, parts, sink, out);
    return 0;
}

static int modbus_walk(struct pd_device *d, const char *root, const struct pd_sink *sink, struct pd_read **out)
{
    uint16_t first, last;
    uint8_t function;
    char why[MB_WHY];

    if (d->read)
        return PD_EBUSY;
    if (mb_range_parse(root, &function, &first, &last, why) < 0) {
        log_warn("modbus", "%s: cannot walk '%s': %s", d->name, root, why);
        return PD_EINVAL;
    }
    mb_walk_start(d, mb_plan_walk(function, first, last), sink, out);
    return 0;
}

static void modbus_counters(struct pd_collector *c, void (*put)(void *arg, const char *name, uint64_t value), void *arg)
{
    const struct mb_counters *n = &c->core.rules.counters;

    put(arg, "modbus_sent", n->sent);
    put(arg, "modbus_repeated", n->repeated);
    put(arg, "modbus_answered", n->answered);
    put(arg, "modbus_exceptions", n->exceptions);
    put(arg, "modbus_expired", n->expired);
    put(arg, "modbus_garbled", n->garbled);
    put(arg, "modbus_lost", n->lost);
    put(arg, "modbus_held_back", n->held_back);
    put(arg, "modbus_connects", n->connects);
    put(arg, "modbus_connect_failed", n->connect_failed);
    put(arg, "modbus_adapter_opens", n->adapter_opens);
    put(arg, "modbus_adapter_failed", n->adapter_failed);
    put(arg, "modbus_drop_late", n->drop_late);
    put(arg, "modbus_drop_unasked", n->drop_unasked);
    put(arg, "modbus_drop_transaction", n->drop_transaction);
    put(arg, "modbus_drop_frame", n->drop_frame);
    put(arg, "modbus_drop_stray", n->drop_stray);
    put(arg, "modbus_drop_short", n->misfit[MB_MISFIT_SHORT]);
    put(arg, "modbus_drop_function", n->misfit[MB_MISFIT_FUNCTION]);
    put(arg, "modbus_drop_length", n->misfit[MB_MISFIT_LENGTH]);
    put(arg, "modbus_drop_unit", n->misfit[MB_MISFIT_UNIT]);
    put(arg, "modbus_drop_checksum", n->misfit[MB_MISFIT_CHECKSUM]);
}

const struct pd_collector_ops pd_modbus_ops = {
    .name = "modbus",
    .no_credential = true,
    .addresses = "an IPv4 or IPv6 address, or the name of a serial bus",
    .start = modbus_start,
    .stop = modbus_stop,
    .compile = modbus_compile,
    .plan_free = mb_plan_free,
    .open = modbus_open,
    .close = modbus_device_close,
    .read = modbus_read,
    .walk = modbus_walk,
    .cancel = mb_read_cancel,
    .counters = modbus_counters,
};
