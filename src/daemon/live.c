#include "daemon/live.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/facts.h"

/* ---- Values and members ---- */

static json_t *text_or_null(const char *s)
{
    json_t *j = s ? json_string(s) : NULL;

    return j ? j : json_null();
}

/* ---- Which device ---- */

const struct device *live_device(struct core *c, const json_t *which)
{
    const char *text = json_string_value(which);
    const struct device *d = text ? watch_device_named(core_watch(c), text) : NULL;
    int64_t id;

    if (!d && json_is_integer(which))
        d = watch_device(core_watch(c), json_integer_value(which));
    else if (!d && text && str_to_i64(text, &id) == 0)
        d = watch_device(core_watch(c), id);
    return d;
}

static const struct device *filter_device(struct core *c, struct live_args *a)
{
    const json_t *which = json_object_get(a->filters, "device");
    const struct device *d = live_device(c, which);

    if (!which)
        a->why = xstrdup("which device? give \"device\": its name or id");
    else if (!d)
        a->why = json_is_string(which) ? xasprintf("there is no device '%s'", json_string_value(which))
                                       : xstrdup("there is no device of this id");
    return d;
}

/* ---- status ---- */

static json_t *troubles(const struct store_state *store)
{
    json_t *list = json_array();
    char *text;

    if (store->stuck) {
        text = xasprintf("the database takes no writes: %s; %zu changes wait", store->why, store->queued_changes);
        json_array_append_new(list, json_string(text));
        free(text);
    }
    if (store->dropped_polls > 0) {
        text = xasprintf("%" PRIu64 " polls were not stored: the disk was too slow or full", store->dropped_polls);
        json_array_append_new(list, json_string(text));
        free(text);
    }
    return list;
}

static json_t *query_status(struct core *c, struct live_args *a)
{
    struct watch_counters watch;
    struct store_state store;
    struct notify_counters notify;
    const struct store_identity *who = store_identity(core_store(c));

    (void)a;
    watch_counters(core_watch(c), &watch);
    store_state(core_store(c), &store);
    notify_counters(core_notify(c), &notify);
    return json_pack("[{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}]", //
                     "troubles", troubles(&store), "installation", who->uuid, "epoch", (json_int_t)who->epoch,
                     "devices", (json_int_t)watch.devices, "down", (json_int_t)watch.down, "open_faults",
                     (json_int_t)watch.open_faults, "polls", (json_int_t)watch.polls, "failed_polls",
                     (json_int_t)watch.failed_polls, "readings", (json_int_t)watch.readings, "stored_polls",
                     (json_int_t)store.polls, "dropped_polls", (json_int_t)store.dropped_polls, "queued_changes",
                     (json_int_t)store.queued_changes, "last_event", (json_int_t)store.last_event, "mail_pending",
                     (json_int_t)notify.pending, "mail_sent", (json_int_t)notify.sent, "mail_failed",
                     (json_int_t)notify.failed, "configuration", core_knowledge(c)->hash);
}

/* ---- live and device.show ---- */

static const char *state_name(const struct device_status *s)
{
    return s->state == DEVICE_UP ? "up" : s->state == DEVICE_DOWN ? "down" : "new";
}

static json_t *status_json(struct core *c, const struct device *d)
{
    struct device_status s = {0};

    watch_device_status(core_watch(c), d->id, &s);
    return json_pack("{s:I, s:s, s:s, s:I, s:I, s:i, s:i, s:I, s:I}", "id", (json_int_t)d->id, "name", d->name, "state",
                     state_name(&s), "last_poll_ms", (json_int_t)s.last_poll_ms, "last_answer_ms",
                     (json_int_t)s.last_answer_ms, "rtt_ms", (int)s.rtt_ms, "open_faults", (int)s.open_faults,
                     "components", (json_int_t)s.components, "readings", (json_int_t)s.readings);
}

/* A page of devices: those with an id beyond the cursor, as many as were asked for. */
struct gather {
    struct core *core;
    struct live_args *args;
    json_t *(*row)(struct core *c, const struct device *d);
    json_t *list;
};

static void gather_device(void *ctx, const struct device *d)
{
    struct gather *g = ctx;

    if (d->id <= g->args->after)
        return;
    if (json_array_size(g->list) < g->args->limit) {
        json_array_append_new(g->list, g->row(g->core, d));
        g->args->last = d->id;
    } else {
        g->args->next = g->args->last;
    }
}

static json_t *page_of_devices(struct core *c, struct live_args *a,
                               json_t *(*row)(struct core *c, const struct device *d))
{
    struct gather g = {.core = c, .args = a, .row = row, .list = json_array()};

    watch_devices(core_watch(c), gather_device, &g);
    return g.list;
}

static json_t *query_live(struct core *c, struct live_args *a)
{
    return page_of_devices(c, a, status_json);
}

static json_t *point_json(const struct component_view *v, const struct point_def *p)
{
    struct value value = v->points[p->slot];
    json_t *j = json_object();

    json_object_set_new(j, "value", value_json(value, p));
    if (p->unit)
        json_object_set_new(j, "unit", json_string(p->unit));
    json_object_set_new(j, "quality", json_string(quality_name(value.quality)));
    if (v->sources && v->sources[p->slot])
        json_object_set_new(j, "source", json_string(v->sources[p->slot]));
    return j;
}

static void gather_component(void *ctx, const struct component_view *v)
{
    json_t *list = ctx, *points = json_object();

    for (size_t i = 0; i < v->kind->points.n; i++)
        if (v->points[i].type != VALUE_NONE || v->points[i].quality != QUALITY_UNKNOWN)
            json_object_set_new(points, v->kind->points.v[i].name, point_json(v, &v->kind->points.v[i]));
    json_array_append_new(list,
                          json_pack("{s:s, s:i, s:o, s:o, s:o}", "kind", v->kind->name, "number", (int)v->number, "key",
                                    text_or_null(v->key), "label", text_or_null(v->label), "points", points));
}

static json_t *query_device(struct core *c, struct live_args *a)
{
    const struct device *d = filter_device(c, a);
    json_t *row, *list;

    if (!d)
        return NULL;
    list = json_array();
    row = status_json(c, d);
    const struct {
        const char *name, *text;
    } texts[] = {
        {"address", d->address},
        {"collector", d->collector},
        {"credential", d->credential},
        {"site", d->site},
        {"labels", d->labels},
        {"profile", d->profile},
        {"make", d->make},
        {"device_class", d->device_class},
        {"model", d->model},
        {"serial", d->serial},
        {"firmware", d->firmware},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        json_object_set_new(row, texts[i].name, text_or_null(texts[i].text));
    json_object_set_new(row, "port", json_integer(d->port));
    json_object_set_new(row, "added_ms", json_integer(d->added_ms));
    watch_device_components(core_watch(c), d->id, gather_component, list);
    json_object_set_new(row, "component_list", list);
    return json_pack("[o]", row);
}

/* ---- facts ---- */

static json_t *query_facts(struct core *c, struct live_args *a)
{
    const struct device *d;

    if (!json_object_get(a->filters, "device"))
        return page_of_devices(c, a, facts_of);
    d = filter_device(c, a);
    return d ? json_pack("[o]", facts_of(c, d)) : NULL;
}

bool live_query(struct core *c, const char *name, struct live_args *a)
{
    static const struct {
        const char *name;
        json_t *(*answer)(struct core *c, struct live_args *a);
    } queries[] = {
        {"status", query_status},
        {"live", query_live},
        {"device.show", query_device},
        {"facts", query_facts},
    };

    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        if (strcmp(queries[i].name, name) == 0) {
            a->rows = queries[i].answer(c, a);
            return true;
        }
    }
    return false;
}
