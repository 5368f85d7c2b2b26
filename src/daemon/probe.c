#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"
#include "watch/target.h"

/*
 * device.walk: everything that a device says below an object identifier, undecoded.
 * device.read: reads what it is told once, from an address that need be no
 * device's, and answers what came, undecoded. Nothing is kept of it.
 */
enum { MAX_SOURCES = 20000, MAX_CELLS = 200000, MAX_ADDRESS = 200, MAX_HOLES = 64, LAST_FUNCTION = 4 };

struct probe {
    struct order *order; /* NULL once it is answered */
    struct core *core;
    const struct pd_collector_ops *ops;
    json_t *args; /* the sources' addresses lie there */
    ARRAY(struct pd_source) sources;
    ARRAY(struct pd_hole) holes;
    struct pd_plan *plan;
    struct pd_device *device;
    struct pd_read *read; /* NULL once it has ended */
    struct sbuf cells;    /* JSON, without the brackets */
    size_t ncells;
    struct timer done; /* a collector's device is never closed in its own call */
};

static void probe_free(struct probe *p)
{
    struct core *c = p->core;

    for (size_t i = 0; i < c->probes.n; i++)
        if (c->probes.v[i] == p) {
            array_remove(&c->probes, i);
            break;
        }
    wheel_unset(c->config.services.wheel, &p->done);
    if (p->device)
        p->ops->close(p->device);
    if (p->plan)
        p->ops->plan_free(p->plan);
    array_free(&p->sources);
    array_free(&p->holes);
    sbuf_free(&p->cells);
    json_decref(p->args);
    free(p);
}

static void free_later(void *arg)
{
    probe_free(arg);
}

void probes_stop(struct core *c)
{
    while (c->probes.n > 0) {
        struct probe *p = c->probes.v[c->probes.n - 1];

        if (p->read)
            p->ops->cancel(p->read);
        probe_free(p);
    }
}

/* ---- What comes ---- */

static void add_content(struct sbuf *b, const struct pd_cell *c)
{
    switch ((enum pd_cell_type)c->type) {
    case PD_CELL_INT:
        sbuf_addf(b, "\"i\",%" PRId64, c->i);
        break;
    case PD_CELL_UINT:
    case PD_CELL_TICKS: /* as text: JSON's numbers end at 63 bits */
        sbuf_addf(b, "\"%c\",\"%" PRIu64 "\"", c->type == PD_CELL_UINT ? 'u' : 't', c->u);
        break;
    case PD_CELL_FLOAT:
        sbuf_addf(b, "\"f\",\"%.17g\"", c->f);
        break;
    case PD_CELL_BYTES:
        sbuf_add(b, "\"x\",\"");
        for (uint32_t i = 0; i < c->nbytes; i++)
            sbuf_addf(b, "%02x", c->bytes[i]);
        sbuf_addc(b, '"');
        break;
    case PD_CELL_OID:
        sbuf_add(b, "\"o\",\"");
        for (uint32_t i = 0; i < c->nbytes; i++)
            sbuf_addf(b, i > 0 ? ".%" PRIu32 : "%" PRIu32, c->oid[i]);
        sbuf_addc(b, '"');
        break;
    default:
        sbuf_add(b, "\"n\",null");
        break;
    }
}

/* ["1.3.6.1.2.1.1.5.0", TAG, type, content]: the tag is what the value had on the wire. */
static void add_walked(struct probe *p, const struct pd_cell *c)
{
    if (c->type == PD_CELL_ABSENT || c->type == PD_CELL_INVALID)
        return;
    sbuf_addf(&p->cells, "%s[\"", p->ncells++ > 0 ? "," : "");
    for (unsigned k = 0; k < c->ninstance; k++)
        sbuf_addf(&p->cells, k > 0 ? ".%" PRIu32 : "%" PRIu32, c->instance[k]);
    sbuf_addf(&p->cells, "\",%u,", (unsigned)c->tag);
    add_content(&p->cells, c);
    sbuf_addc(&p->cells, ']');
}

static void take_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct probe *p = arg;

    for (size_t i = 0; i < n && p->ncells < MAX_CELLS; i++) {
        const struct pd_cell *c = &cells[i];

        if (!p->plan) {
            add_walked(p, c);
            continue;
        }

        if (c->type == PD_CELL_ABSENT || c->type == PD_CELL_INVALID)
            continue;
        sbuf_addf(&p->cells, "%s[%" PRIu32 ",[", p->ncells++ > 0 ? "," : "", c->source);
        for (unsigned k = 0; k < c->ninstance; k++)
            sbuf_addf(&p->cells, k > 0 ? ",%" PRIu32 : "%" PRIu32, c->instance[k]);
        sbuf_add(&p->cells, "],");
        add_content(&p->cells, c);
        sbuf_addc(&p->cells, ']');
    }
}

static void ended(void *arg, const struct pd_read_result *result)
{
    struct probe *p = arg;
    struct order *o = p->order;
    struct sbuf b = {0};

    p->read = NULL;
    p->order = NULL;
    if (result->status == PD_READ_CANCELLED) {
        order_end(o, PD_ECANCELLED, "patrold is stopping");
        return;
    }
    wheel_set(p->core->config.services.wheel, &p->done, clock_mono(&p->core->config.services.clock));
    sbuf_addf(&b, "{\"status\":\"%s\",\"detail\":", read_status_name(result->status));
    sbuf_add_json(&b, result->detail);
    sbuf_addf(&b, ",\"cells\":[%s]}", p->cells.s ? p->cells.s : "");
    order_end(o, 0, b.s);
    sbuf_free(&b);
}

/* ---- What is asked ---- */

/* Sources are pairs: an address in the collector's language, and whether it is a table's column. */
static int take_sources(struct probe *p, const json_t *list, char **why)
{
    const json_t *pair;
    size_t i;

    if (json_array_size(list) == 0 || json_array_size(list) > MAX_SOURCES) {
        *why = xasprintf("sources wants a list of 1 to %d pairs [address, is it a column]", MAX_SOURCES);
        return PD_EINVAL;
    }
    json_array_foreach((json_t *)list, i, pair)
    {
        const char *address = json_string_value(json_array_get(pair, 0));
        struct pd_source source = {
            .id = (uint32_t)i, .address = address, .table = json_is_true(json_array_get(pair, 1)), .file = "sources"};

        if (!address || strlen(address) > MAX_ADDRESS) {
            *why = xasprintf("source %zu is no pair [address, is it a column]", i);
            return PD_EINVAL;
        }
        array_push(&p->sources, source);
    }
    return 0;
}

/* Holes are lists [function that reads it, first, last]; see struct pd_hole. */
static int take_holes(struct probe *p, const json_t *list, char **why)
{
    const json_t *hole;
    size_t i;

    json_array_foreach((json_t *)list, i, hole)
    {
        json_int_t function = 0, first = -1, last = -1;

        if (i == MAX_HOLES || json_unpack((json_t *)hole, "[I, I, I]", &function, &first, &last) < 0 || function < 1 ||
            function > LAST_FUNCTION || first < 0 || last > UINT16_MAX || first > last) {
            *why =
                xasprintf("holes wants a list of at most %d [function 1 to 4, first address, last address]", MAX_HOLES);
            return PD_EINVAL;
        }
        array_push(&p->holes,
                   ((struct pd_hole){.function = (uint8_t)function, .first = (uint16_t)first, .last = (uint16_t)last}));
    }
    return 0;
}

static int find_collector(struct probe *p, const char *name, size_t *out, char **why)
{
    const struct core_config *config = &p->core->config;

    for (size_t i = 0; i < config->ncollectors; i++)
        if (str_eq(config->collector_ops[i]->name, name ? name : "snmp")) {
            p->ops = config->collector_ops[i];
            *out = i;
            return 0;
        }
    *why = xasprintf("there is no collector '%s'", name);
    return PD_ENOENT;
}

static int open_device(struct probe *p, size_t collector, char **why)
{
    const struct settings *s = p->core->settings;
    const char *named = json_string_value(json_object_get(p->args, "credential"));
    const struct credential *c = named                  ? settings_credential(s, named)
                                 : s->credentials.n > 0 ? &s->credentials.v[0]
                                                        : NULL;
    struct pd_target t = {
        .name = "(read once)",
        .address = json_string_value(json_object_get(p->args, "address")),
        .port = (uint16_t)json_integer_value(json_object_get(p->args, "port")),
        .unit = (uint8_t)json_integer_value(json_object_get(p->args, "unit")),
        .no_bulk = json_is_true(json_object_get(p->args, "no_bulk")),
        .no_gaps = json_is_true(json_object_get(p->args, "no_gaps")),
        .holes = p->holes.v,
        .nholes = p->holes.n,
    };
    struct pd_usm_secret usm;
    int rc;

    target_put_credential(&t, &usm, c, s);
    if (!c && !p->ops->no_credential) {
        *why = xasprintf("there is no credential%s%s%s", named ? " '" : "", named ? named : "", named ? "'" : "");
        return PD_ENOENT;
    }
    if (json_integer_value(json_object_get(p->args, "version")) == 1 && !t.usm)
        t.version = 1;
    rc = p->ops->open(p->core->collectors[collector], &t, &p->device);
    if (rc < 0)
        *why = xasprintf("'%s' can't be read: %s is wanted", t.address,
                         p->ops->addresses ? p->ops->addresses : "an IPv4 or IPv6 address");
    return rc;
}

static int begin(struct probe *p, char **why)
{
    const struct pd_sink sink = {.cells = take_cells, .end = ended, .arg = p};
    struct pd_compile_error err = {0};
    size_t collector = 0;
    int rc = find_collector(p, json_string_value(json_object_get(p->args, "collector")), &collector, why);

    if (rc == 0)
        rc = take_sources(p, json_object_get(p->args, "sources"), why);
    if (rc == 0)
        rc = take_holes(p, json_object_get(p->args, "holes"), why);
    if (rc == 0)
        rc = p->ops->compile(p->core->collectors[collector], p->sources.v, p->sources.n, &p->plan, &err);
    if (rc < 0 && !*why)
        *why = xasprintf("source %" PRIu32 ": %s", err.source, err.msg);
    if (rc == 0)
        rc = open_device(p, collector, why);
    if (rc == 0)
        rc = p->ops->read(p->device, p->plan, 1, &sink, &p->read);
    return rc;
}

/* A device that patrold has, asked beside its polls, which go on meanwhile. */
static int begin_walk(struct probe *p, char **why)
{
    const struct pd_sink sink = {.cells = take_cells, .end = ended, .arg = p};
    const char *name = json_string_value(json_object_get(p->args, "device"));
    const char *root = json_string_value(json_object_get(p->args, "root"));
    const struct device *d;
    size_t collector = 0;
    json_t *address;
    int rc;

    if (!name || !root) {
        *why = xstrdup("'device' and 'root' are wanted");
        return PD_EINVAL;
    }
    d = core_find_device(p->core, name, why);
    rc = d ? find_collector(p, d->collector, &collector, why) : PD_ENOENT;
    if (rc < 0)
        return rc;
    if (!p->ops->walk) {
        *why = xasprintf("%s is read by %s, which has nothing to walk", d->name, d->collector);
        return PD_ENOTSUP;
    }
    address = json_pack("{s:s, s:i, s:i, s:s*, s:s}", "address", d->address, "port", (int)d->port, "unit", (int)d->unit,
                        "credential", d->credential, "root", root);
    json_decref(p->args);
    p->args = address;
    rc = open_device(p, collector, why);
    if (rc == 0)
        rc = p->ops->walk(p->device, json_string_value(json_object_get(p->args, "root")), &sink, &p->read);
    if (rc < 0 && !*why)
        *why = xasprintf("below '%s' nothing can be walked: %s", root, pd_strerror(rc));
    return rc;
}

/* A member of its type, or not there. */
static bool check_args(const json_t *args, char **why)
{
    static const struct {
        const char *name;
        json_type type;
        int64_t most;
    } known[] = {
        {"address", JSON_STRING, 0},  {"collector", JSON_STRING, 0},      {"credential", JSON_STRING, 0},
        {"sources", JSON_ARRAY, 0},   {"port", JSON_INTEGER, UINT16_MAX}, {"unit", JSON_INTEGER, UINT8_MAX},
        {"version", JSON_INTEGER, 2}, {"no_bulk", JSON_TRUE, 0},          {"no_gaps", JSON_TRUE, 0},
        {"holes", JSON_ARRAY, 0},
    };
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)args, name, value)
    {
        size_t i = 0;

        while (i < sizeof known / sizeof *known && strcmp(known[i].name, name) != 0)
            i++;
        if (i < sizeof known / sizeof *known && json_is_boolean(value) && known[i].type == JSON_TRUE)
            continue;
        if (i == sizeof known / sizeof *known || json_typeof(value) != known[i].type ||
            (known[i].type == JSON_INTEGER &&
             (json_integer_value(value) < 0 || json_integer_value(value) > known[i].most))) {
            *why = xasprintf("'%s' is not an argument here, or not of its type", name);
            return false;
        }
    }
    if (!json_object_get(args, "address"))
        *why = xstrdup("'address' is missing");
    return *why == NULL;
}

bool probe_command(struct order *o, const char *name, json_t *args, int *rc, char **why)
{
    bool walk = strcmp(name, "device.walk") == 0;
    struct probe *p;

    if (!walk && strcmp(name, "device.read") != 0)
        return false;
    if (!walk && !check_args(args, why)) {
        *rc = PD_EINVAL;
        return true;
    }
    p = xcalloc(1, sizeof *p);
    p->order = o;
    p->core = o->core;
    p->args = json_incref(args);
    timer_init(&p->done, free_later, p);
    array_push(&o->core->probes, p);
    *rc = walk ? begin_walk(p, why) : begin(p, why);
    if (*rc < 0)
        probe_free(p);
    return true;
}
