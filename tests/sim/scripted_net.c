#include "scripted.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plugins/icmp/icmp.h"
#include "plugins/modbus/modbus.h"
#include "simnet.h"
#include "simping.h"

/*
 * The real collectors of Modbus and ICMP, on networks that are played: their requests, values, byte orders, retries
 * and their patience with who does not answer are all under test. Around each of their reads this keeps the books.
 * What they make is their own: collectors, devices and reads of theirs are only passed on here.
 */
struct pd_collector {
    struct scripted_config config;
    const struct pd_collector_ops *ops; /* of the real one */
    struct pd_collector *real;
    bool (*answers)(const struct machine *m);
    bool polls; /* its reads are polls: pings are not */
    struct simnet net;
    struct simping ping;
};

struct pd_device {
    struct pd_collector *collector;
    struct pd_device *real;
    char *address;
    uint8_t unit; /* 0: whoever is there */
    /* Of the read under way: */
    struct pd_sink sink;
    const struct machine *machine; /* whom it asks, if that one would answer */
    uint64_t lost;                 /* packets of it, before */
    int64_t began_ms;
    size_t cells;
};

/* ---- Start and stop ---- */

static struct pd_collector *new_collector(const void *config, const struct pd_collector_ops *ops)
{
    struct pd_collector *c = xcalloc(1, sizeof *c);

    c->config = *(const struct scripted_config *)config;
    c->ops = ops;
    return c;
}

static int hand_over(int rc, struct pd_collector *c, struct pd_collector **out)
{
    if (rc < 0)
        free(c);
    else
        *out = c;
    return rc;
}

static int start_modbus(const struct pd_services *services, const void *config, struct pd_collector **out)
{
    struct pd_collector *c = new_collector(config, &pd_modbus_ops);
    struct pd_modbus_config own = pd_modbus_defaults;
    struct mb_net net;

    if (c->config.timeout_ms > 0) {
        own.timeout_ms = c->config.timeout_ms;
        own.retries = c->config.retries;
    }
    c->answers = machine_speaks;
    c->polls = true;
    c->net = (struct simnet){.site = c->config.site,
                             .services = services,
                             .delay_ms = c->config.delay_ms,
                             .now_ms = c->config.now_ms,
                             .ctx = c->config.ctx};
    net = simnet_ops(&c->net);
    return hand_over(mb_start_on(services, &own, &net, &c->real), c, out);
}

static int start_icmp(const struct pd_services *services, const void *config, struct pd_collector **out)
{
    struct pd_collector *c = new_collector(config, &pd_icmp_ops);
    struct icmp_net net;

    c->answers = machine_pings;
    c->ping = (struct simping){.site = c->config.site, .services = services, .delay_ms = c->config.delay_ms};
    net = simping_ops(&c->ping);
    return hand_over(icmp_start_on(services, NULL, &net, &c->real), c, out);
}

static void stop(struct pd_collector *c)
{
    c->ops->stop(c->real);
    free(c);
}

/* ---- Plans and devices ---- */

static int compile(struct pd_collector *c, const struct pd_source *sources, size_t n, struct pd_plan **out,
                   struct pd_compile_error *err)
{
    return c->ops->compile(c->real, sources, n, out, err);
}

static void free_modbus_plan(struct pd_plan *p)
{
    pd_modbus_ops.plan_free(p);
}

static void free_icmp_plan(struct pd_plan *p)
{
    pd_icmp_ops.plan_free(p);
}

static int device_open(struct pd_collector *c, const struct pd_target *target, struct pd_device **out)
{
    struct pd_device *d = xcalloc(1, sizeof *d);
    int rc = c->ops->open(c->real, target, &d->real);

    if (rc < 0) {
        free(d);
        return rc;
    }
    d->collector = c;
    d->address = xstrdup(target->address);
    d->unit = target->unit == 0 && c->polls ? 1 : target->unit;
    *out = d;
    return 0;
}

static void device_close(struct pd_device *d)
{
    d->collector->ops->close(d->real);
    free(d->address);
    free(d);
}

/* ---- Reads ---- */

static int64_t now(const struct pd_device *d)
{
    return d->collector->config.now_ms(d->collector->config.ctx);
}

static void on_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct pd_device *d = arg;

    d->cells += n;
    d->sink.cells(d->sink.arg, cells, n);
}

/* A read that came to little, of a machine that would have answered all: the network's fault if packets were lost. */
static void on_end(void *arg, const struct pd_read_result *result)
{
    struct pd_device *d = arg;
    const struct scripted_config *config = &d->collector->config;
    const struct machine *m = d->machine;

    if (config->tally != NULL && d->collector->polls)
        config->tally(config->ctx, d->cells);
    if (config->unread != NULL && m != NULL && m->lost != d->lost && result->status != PD_READ_DONE &&
        result->status != PD_READ_CANCELLED)
        config->unread(config->ctx, m->number, d->began_ms, now(d));
    d->sink.end(d->sink.arg, result);
}

static struct pd_sink keep_books(struct pd_device *d, const struct pd_sink *sink)
{
    const struct machine *m = site_find_unit(d->collector->config.site, d->address, d->unit);

    d->sink = *sink;
    d->machine = m != NULL && d->collector->answers(m) ? m : NULL;
    d->lost = m != NULL ? m->lost : 0;
    d->began_ms = now(d);
    d->cells = 0;
    return (struct pd_sink){.cells = on_cells, .end = on_end, .arg = d};
}

static int device_read(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                       struct pd_read **out)
{
    struct pd_sink books = keep_books(d, sink);

    return d->collector->ops->read(d->real, plan, parts, &books, out);
}

static int walk(struct pd_device *d, const char *root, const struct pd_sink *sink, struct pd_read **out)
{
    struct pd_sink books = keep_books(d, sink);

    return d->collector->ops->walk(d->real, root, &books, out);
}

static void cancel_modbus(struct pd_read *r)
{
    pd_modbus_ops.cancel(r);
}

static void cancel_icmp(struct pd_read *r)
{
    pd_icmp_ops.cancel(r);
}

static void counters(struct pd_collector *c, void (*put)(void *arg, const char *name, uint64_t value), void *arg)
{
    c->ops->counters(c->real, put, arg);
}

const struct pd_collector_ops scripted_modbus_ops = {
    .name = "modbus",
    .no_credential = true,
    .start = start_modbus,
    .stop = stop,
    .compile = compile,
    .plan_free = free_modbus_plan,
    .open = device_open,
    .close = device_close,
    .read = device_read,
    .walk = walk,
    .cancel = cancel_modbus,
    .counters = counters,
};

const struct pd_collector_ops scripted_icmp_ops = {
    .name = "icmp",
    .no_credential = true,
    .start = start_icmp,
    .stop = stop,
    .compile = compile,
    .plan_free = free_icmp_plan,
    .open = device_open,
    .close = device_close,
    .read = device_read,
    .walk = walk,
    .cancel = cancel_icmp,
    .counters = counters,
};
