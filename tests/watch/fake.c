#include "tests/watch/fake.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/dict.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"

struct datum {
    char *address;
    uint32_t instance;
    char *text; /* NULL: a number */
    int64_t number;
};

struct fake_device {
    struct pd_collector *collector;
    char *address;
    enum fake_mode mode;
    bool shut;
    unsigned loss;
    int64_t cut_ms; /* when that became all */
    int64_t delay_ms;
    ARRAY(struct datum) data;
    const struct pd_cell *hostile;
    size_t nhostile;
    ARRAY(struct fake_read) reads;
    struct pd_target target;
    char *community;
};

struct pd_collector {
    struct pd_services services;
    struct dict *devices;
    size_t busy, open;
    struct pd_trap_sink traps;
    struct rng_seeded chance;
};

struct pd_plan {
    ARRAY(struct pd_source) sources; /* addresses are owned */
};

struct pd_device {
    struct pd_collector *collector;
    struct fake_device *device;
    struct pd_read *read;
};

struct pd_read {
    struct pd_device *device;
    const struct pd_plan *plan;
    uint32_t parts;
    struct pd_sink sink;
    struct timer timer;
    bool lost, faded;
};

enum { TRIES = 4, TRY_MS = 2000, LAST_REQUESTS = 4 };

/* ---- The script ---- */

struct fake_device *fake_device(struct pd_collector *c, const char *address)
{
    struct fake_device *d = dict_get(c->devices, address);

    if (d)
        return d;
    d = xcalloc(1, sizeof *d);
    d->collector = c;
    d->address = xstrdup(address);
    d->delay_ms = 50;
    dict_put(c->devices, address, d);
    return d;
}

void fake_loss(struct fake_device *d, unsigned percent)
{
    d->loss = percent;
    d->cut_ms = clock_mono(&d->collector->services.clock);
}

void fake_mode(struct fake_device *d, enum fake_mode mode)
{
    d->mode = mode;
}

void fake_shut(struct fake_device *d)
{
    d->shut = true;
}

void fake_delay(struct fake_device *d, int64_t ms)
{
    d->delay_ms = ms;
}

static size_t datum_place(const struct fake_device *d, const char *address, uint32_t instance)
{
    size_t i = 0;

    while (i < d->data.n && (strcmp(d->data.v[i].address, address) != 0 || d->data.v[i].instance != instance))
        i++;
    return i;
}

static struct datum *datum(struct fake_device *d, const char *address, uint32_t instance)
{
    size_t i = datum_place(d, address, instance);

    if (i == d->data.n)
        array_push(&d->data, ((struct datum){.address = xstrdup(address), .instance = instance}));
    return &d->data.v[i];
}

void fake_int(struct fake_device *d, const char *address, uint32_t instance, int64_t value)
{
    struct datum *x = datum(d, address, instance);

    xstrset(&x->text, NULL);
    x->number = value;
}

void fake_text(struct fake_device *d, const char *address, uint32_t instance, const char *value)
{
    xstrset(&datum(d, address, instance)->text, value);
}

void fake_absent(struct fake_device *d, const char *address, uint32_t instance)
{
    size_t i = datum_place(d, address, instance);

    if (i == d->data.n)
        return;
    free(d->data.v[i].address);
    free(d->data.v[i].text);
    array_remove(&d->data, i);
}

void fake_hostile(struct fake_device *d, const struct pd_cell *cells, size_t n)
{
    d->hostile = cells;
    d->nhostile = n;
}

const struct fake_read *fake_reads(const struct fake_device *d, size_t *n)
{
    *n = d->reads.n;
    return d->reads.v;
}

const struct pd_target *fake_target(const struct fake_device *d)
{
    return &d->target;
}

size_t fake_busy(const struct pd_collector *c)
{
    return c->busy;
}

size_t fake_open_count(const struct pd_collector *c)
{
    return c->open;
}

const struct pd_trap_sink *fake_traps(const struct pd_collector *c)
{
    return &c->traps;
}

/* ---- The contract ---- */

static void fake_hear(struct pd_collector *c, const struct pd_trap_sink *sink, const struct pd_usm_secret *users,
                      size_t n)
{
    (void)users;
    (void)n;
    c->traps = sink ? *sink : (struct pd_trap_sink){0};
}

static int fake_start(const struct pd_services *services, const void *config, struct pd_collector **out)
{
    struct pd_collector *c = xcalloc(1, sizeof *c);

    (void)config;
    rng_seed(&c->chance, 20);
    c->services = *services;
    c->devices = dict_new();
    *out = c;
    return 0;
}

static void device_free(struct fake_device *d)
{
    for (size_t i = 0; i < d->data.n; i++) {
        free(d->data.v[i].address);
        free(d->data.v[i].text);
    }
    array_free(&d->data);
    array_free(&d->reads);
    free(d->address);
    free(d->community);
    free(d);
}

static void fake_stop(struct pd_collector *c)
{
    const char *key;
    void *d;

    for (size_t at = 0; dict_next(c->devices, &at, &key, &d);)
        device_free(d);
    dict_free(c->devices);
    free(c);
}

static int fake_compile(struct pd_collector *c, const struct pd_source *sources, size_t n, struct pd_plan **out,
                        struct pd_compile_error *err)
{
    struct pd_plan *p;

    (void)c;
    for (size_t i = 0; i < n; i++) {
        if (str_starts(sources[i].address, "bad")) {
            *err = (struct pd_compile_error){.source = (uint32_t)i, .msg = "a bad address"};
            return PD_EINVAL;
        }
    }
    p = xcalloc(1, sizeof *p);
    for (size_t i = 0; i < n; i++) {
        array_push(&p->sources, sources[i]);
        p->sources.v[i].address = xstrdup(sources[i].address);
    }
    *out = p;
    return 0;
}

static void fake_plan_free(struct pd_plan *p)
{
    for (size_t i = 0; i < p->sources.n; i++)
        free((char *)(uintptr_t)p->sources.v[i].address);
    array_free(&p->sources);
    free(p);
}

static int fake_open(struct pd_collector *c, const struct pd_target *target, struct pd_device **out)
{
    struct fake_device *device;

    if (str_starts(target->address, "nowhere"))
        return PD_EINVAL;
    device = fake_device(c, target->address);
    if (device->shut)
        return PD_EINVAL;
    device->target = *target;
    xstrset(&device->community, target->community);
    device->target.community = device->community;
    *out = xcalloc(1, sizeof **out);
    (*out)->collector = c;
    (*out)->device = device;
    c->open++;
    return 0;
}

static void end(struct pd_read *r, enum pd_read_status status)
{
    static const char *const details[] = {
        [PD_READ_DONE] = NULL,         [PD_READ_PARTIAL] = "half of it", [PD_READ_NOANSWER] = "no answer",
        [PD_READ_REFUSED] = "refused", [PD_READ_BROKEN] = "nonsense",    [PD_READ_CANCELLED] = "cancelled",
    };
    bool answered = status != PD_READ_NOANSWER && status != PD_READ_CANCELLED;
    struct pd_read_result result = {.status = status, .requests = 1, .rtt_ms = answered ? 7 : -1};

    result.fell_silent = r->faded;
    result.detail = details[status];
    r->device->read = NULL;
    r->device->collector->busy--;
    wheel_unset(r->device->collector->services.wheel, &r->timer);
    r->sink.end(r->sink.arg, &result);
    free(r);
}

static void answer_source(struct pd_read *r, const struct pd_source *s)
{
    const struct fake_device *d = r->device->device;

    for (size_t i = 0; i < d->data.n; i++) {
        const struct datum *x = &d->data.v[i];
        struct pd_cell cell = {.source = s->id, .type = PD_CELL_INT, .i = x->number};

        if (strcmp(x->address, s->address) != 0)
            continue;
        if (s->table) {
            cell.instance = &x->instance;
            cell.ninstance = 1;
        }
        if (x->text) {
            cell.type = PD_CELL_BYTES;
            cell.bytes = (const uint8_t *)x->text;
            cell.nbytes = (uint32_t)strlen(x->text);
        }
        r->sink.cells(r->sink.arg, &cell, 1);
    }
}

/* How many tries of the first request were in vain. */
static int lost_tries(struct fake_device *d)
{
    struct pd_rng rng = rng_seeded_ops(&d->collector->chance);
    int lost = 0;

    while (d->loss && lost < TRIES && (rng_below(&rng, 100) < d->loss || rng_below(&rng, 100) < d->loss))
        lost++;
    return lost;
}

static void answer(void *arg)
{
    static const enum pd_read_status statuses[] = {
        [FAKE_ANSWERS] = PD_READ_DONE,  [FAKE_SILENT] = PD_READ_NOANSWER, [FAKE_REFUSES] = PD_READ_REFUSED,
        [FAKE_BROKEN] = PD_READ_BROKEN, [FAKE_PARTIAL] = PD_READ_PARTIAL, [FAKE_CUT] = PD_READ_PARTIAL,
        [FAKE_FADES] = PD_READ_PARTIAL,
    };
    struct pd_read *r = arg;
    const struct fake_device *d = r->device->device;
    bool fades = d->mode == FAKE_FADES || r->faded, tells = fades || d->mode == FAKE_ANSWERS || d->mode == FAKE_CUT;
    size_t n = r->plan->sources.n;

    if (r->lost) {
        end(r, PD_READ_NOANSWER);
        return;
    }
    if (d->loss == 100 && !r->faded) {
        r->faded = true;
        wheel_set(d->collector->services.wheel, &r->timer, d->cut_ms + (int64_t)LAST_REQUESTS * TRIES * TRY_MS);
        return;
    }
    if (d->nhostile)
        r->sink.cells(r->sink.arg, d->hostile, d->nhostile);
    r->faded = fades;
    if (d->mode == FAKE_PARTIAL || fades)
        n /= 2;
    for (size_t i = 0; (tells || d->mode == FAKE_PARTIAL) && i < n; i++) {
        if (r->parts & (1u << r->plan->sources.v[i].part))
            answer_source(r, &r->plan->sources.v[i]);
    }
    end(r, fades ? PD_READ_PARTIAL : statuses[d->mode]);
}

static int fake_read(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                     struct pd_read **out)
{
    struct pd_collector *c = d->collector;
    int64_t now = clock_mono(&c->services.clock);
    int lost;
    struct pd_read *r;

    if (d->read)
        return PD_EBUSY;
    lost = lost_tries(d->device);
    r = xcalloc(1, sizeof *r);
    *r = (struct pd_read){.device = d, .plan = plan, .parts = parts, .sink = *sink, .lost = lost == TRIES};
    array_push(&d->device->reads, ((struct fake_read){.at_ms = now, .parts = parts, .sources = plan->sources.n}));
    timer_init(&r->timer, answer, r);
    wheel_set(c->services.wheel, &r->timer, now + (lost < TRIES ? d->device->delay_ms : 0) + lost * TRY_MS);
    d->read = r;
    c->busy++;
    *out = r;
    return 0;
}

static void fake_cancel(struct pd_read *r)
{
    end(r, PD_READ_CANCELLED);
}

static void fake_close(struct pd_device *d)
{
    if (d->read)
        fake_cancel(d->read);
    d->collector->open--;
    free(d);
}

const struct pd_collector_ops fake_ops = {
    .name = "snmp",
    .start = fake_start,
    .stop = fake_stop,
    .compile = fake_compile,
    .plan_free = fake_plan_free,
    .open = fake_open,
    .close = fake_close,
    .read = fake_read,
    .cancel = fake_cancel,
    .traps = fake_hear,
};

const struct pd_collector_ops fake_ping_ops = {
    .name = "icmp",
    .no_credential = true,
    .start = fake_start,
    .stop = fake_stop,
    .compile = fake_compile,
    .plan_free = fake_plan_free,
    .open = fake_open,
    .close = fake_close,
    .read = fake_read,
    .cancel = fake_cancel,
};

const struct pd_collector_ops fake_bus_ops = {
    .name = "bus",
    .no_credential = true,
    .start = fake_start,
    .stop = fake_stop,
    .compile = fake_compile,
    .plan_free = fake_plan_free,
    .open = fake_open,
    .close = fake_close,
    .read = fake_read,
    .cancel = fake_cancel,
};
