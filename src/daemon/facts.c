#include "daemon/facts.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *flags_json(uint64_t bits, const struct members *members)
{
    json_t *list = json_array();

    for (size_t i = 0; i < members->list.n; i++)
        if (bits >> members->list.v[i].number & 1)
            json_array_append_new(list, json_string(members->list.v[i].code));
    return list;
}

json_t *value_json(struct value v, const struct point_def *p)
{
    const struct member *m;

    if (v.quality != QUALITY_GOOD && v.quality != QUALITY_STALE)
        return json_null();
    switch ((enum value_type)v.type) {
    case VALUE_BOOL:
        return json_boolean(v.b);
    case VALUE_INT:
        return json_integer(v.i);
    case VALUE_NUM:
        return isfinite(v.num) ? json_real(v.num) : json_null();
    case VALUE_ENUM:
        m = members_by_number(&p->members, v.i);
        return m ? json_string(m->code) : json_integer(v.i);
    case VALUE_BITS:
        return flags_json(v.bits, &p->members);
    case VALUE_TEXT:
        return json_string(v.text);
    case VALUE_NONE:
        break;
    }
    return json_null();
}

/* The row's index: the last numbers of its instance, after the kind's own word. */
static json_t *index_json(const struct component_view *v)
{
    size_t parts = v->kind->facts_index_parts;
    size_t first = v->ninstance > parts ? v->ninstance - parts : 0;
    struct sbuf text = {0};
    json_t *j;

    sbuf_add(&text, v->kind->facts_index ? v->kind->facts_index : "");
    for (size_t i = first; i < v->ninstance; i++)
        sbuf_addf(&text, "%s%" PRIu32, i > first ? "." : "", v->instance[i]);
    j = json_string(text.s);
    sbuf_free(&text);
    return j;
}

/* Where the row's value was read, if that is an object identifier. */
static void add_oid(json_t *row, const struct component_view *v)
{
    const struct point_def *p = v->kind->facts_oid ? kind_point(v->kind, v->kind->facts_oid) : NULL;
    const char *source = p ? v->sources[p->slot] : NULL;

    if (source && *source >= '0' && *source <= '9' && v->module && str_eq(v->module->collector, "snmp"))
        json_object_set_new(row, "oid", json_string(source));
}

/* How grave something is, in the four words of the facts. */
static const char *fact_severity(const char *severity)
{
    static const char *const words[][2] = {{"info", "ok"}, {"major", "critical"}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], severity) == 0)
            return words[i][1];
    return severity;
}

static json_t *fact_value(struct value v, const struct point_def *p)
{
    json_t *value = value_json(v, p);

    if (json_is_string(value) && strcmp(p->fact, "severity") == 0)
        json_string_set(value, fact_severity(json_string_value(value)));
    return value;
}

static void add_points(json_t *row, const struct component_view *v)
{
    for (size_t i = 0; i < v->kind->points.n; i++) {
        const struct point_def *p = &v->kind->points.v[i];
        json_t *value;

        if (!p->fact)
            continue;
        value = fact_value(v->points[i], p);
        /* Two points may tell one fact (used memory, and that without caches): the last that is known counts. */
        if (json_is_null(value))
            json_decref(value);
        else
            json_object_set_new(row, p->fact, value);
    }
}

static void add_component(void *ctx, const struct component_view *v)
{
    json_t *facts = ctx, *section, *row;

    if (v->kind->number == 0) {
        add_points(facts, v);
        return;
    }
    if (!v->kind->facts)
        return;
    section = json_object_get(facts, v->kind->facts);
    if (!section) {
        section = json_array();
        json_object_set_new(facts, v->kind->facts, section);
    }
    row = json_object();
    json_object_set_new(row, "index", index_json(v));
    add_oid(row, v);
    if (v->kind->facts_class)
        json_object_set_new(row, "class", json_string(v->kind->facts_class));
    add_points(row, v);
    json_array_append_new(section, row);
}

/* Our word for a class, and that of the facts where it is another. */
static const char *fact_class(const char *device_class)
{
    static const char *const words[][2] = {
        {"copier", "printer"},
        {"nas", "storage"},
        {"sensor", "environment"},
        {"air-conditioner", "environment"},
    };

    for (size_t i = 0; device_class && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], device_class) == 0)
            return words[i][1];
    return device_class;
}

json_t *facts_of(struct core *c, const struct device *d)
{
    const struct {
        const char *name, *text;
    } texts[] = {
        {"device", d->name},     {"address", d->address}, {"class", fact_class(d->device_class)},
        {"hardware", d->model},  {"serial", d->serial},   {"version", d->firmware},
        {"profile", d->profile},
    };
    json_t *facts = json_object();

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].text)
            json_object_set_new(facts, texts[i].name, json_string(texts[i].text));
    watch_device_components(core_watch(c), d->id, add_component, facts);
    return facts;
}
