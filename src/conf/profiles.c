#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/loader.h"

/*
 * profiles/NAME.yaml: how to recognise a device and what it then speaks.
 *
 *     profile: generic-printer
 *     class: printer
 *     title: {en: Network printer, zh_CN: 网络打印机}
 *     priority: 20                            # the highest that matches wins
 *     match: hrDeviceType = "1.3.6.1.2.1.25.3.1.5"   # over the columns of module identify
 *     serial: first(prtGeneralSerialNumber, entPhysicalSerialNum)
 *     modules: [snmpv2-mib, printer-mib]
 *     snmp: {bulk: false, max_repetitions: 10}
 */
struct profile_draft {
    struct yaml_node *name;
    int device_class;
    char *title[LANG_COUNT];
    int priority;
    struct yaml_node *match, *make, *model, *serial, *firmware;
    ARRAY(struct yaml_node *) modules;
    bool bulk;
    uint16_t max_repetitions;
};

struct profile_drafts {
    ARRAY(struct profile_draft) list;
};

static const char *const class_names[] = {
    "printer", "copier", "switch",          "router", "firewall", "access-point", "server",      "bmc",   "nas", "ups",
    "pdu",     "power",  "air-conditioner", "phone",  "camera",   "sensor",       "environment", "other", NULL};

static const struct schema_row snmp_rows[] = {
    {"bulk", SCHEMA_BOOL, .fallback = "true", SCHEMA_FIELD(struct profile_draft, bulk)},
    {"max_repetitions", SCHEMA_INT, .min = 1, .max = 100, SCHEMA_FIELD(struct profile_draft, max_repetitions)},
    {0},
};
static const struct schema snmp_schema = {.what = "snmp", .rows = snmp_rows, .size = sizeof(struct profile_draft)};

static const struct schema_row profile_rows[] = {
    {"profile", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct profile_draft, name)},
    {"class", SCHEMA_ENUM, SCHEMA_REQUIRED, .names = class_names, SCHEMA_FIELD(struct profile_draft, device_class)},
    {"title", SCHEMA_LOCAL, SCHEMA_FIELD(struct profile_draft, title)},
    {"priority", SCHEMA_INT, .min = 0, .max = 1000, .fallback = "100", SCHEMA_FIELD(struct profile_draft, priority)},
    {"match", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct profile_draft, match)},
    {"make", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct profile_draft, make)},
    {"model", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct profile_draft, model)},
    {"serial", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct profile_draft, serial)},
    {"firmware", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct profile_draft, firmware)},
    {"modules", SCHEMA_LIST, SCHEMA_REQUIRED, .item = SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct profile_draft, modules)},
    {"snmp", SCHEMA_SECTION, .sub = &snmp_schema},
    {0},
};
static const struct schema profile_schema = {
    .what = "a profile", .rows = profile_rows, .size = sizeof(struct profile_draft)};

void profile_read(struct loader *l, struct yaml_node *root)
{
    struct profile_draft draft = {0};

    if (!l->profiles)
        l->profiles = xcalloc(1, sizeof *l->profiles);
    schema_defaults(&profile_schema, &draft);
    schema_read(&profile_schema, root, &draft, l->report);
    if (!draft.name || !check_slug(draft.name->text, draft.name, l->report)) {
        schema_release(&profile_schema, &draft);
        return;
    }
    for (size_t i = 0; i < l->profiles->list.n; i++) {
        struct profile_draft *earlier = &l->profiles->list.v[i];

        if (!str_eq(earlier->name->text, draft.name->text))
            continue;
        loader_may_replace(l, draft.name, earlier->name, "profile");
        schema_release(&profile_schema, earlier);
        *earlier = draft;
        return;
    }
    array_push(&l->profiles->list, draft);
}

void profiles_release(struct loader *l)
{
    if (!l->profiles)
        return;
    for (size_t i = 0; i < l->profiles->list.n; i++)
        schema_release(&profile_schema, &l->profiles->list.v[i]);
    array_free(&l->profiles->list);
    free(l->profiles);
}

/* ---- Building ---- */

static void add_sources(struct profile *p, const struct module *m)
{
    for (size_t c = 0; c < m->components.n; c++)
        for (size_t i = 0; i < m->components.v[c].columns.n; i++) {
            struct profile_source source = {
                .module = (unsigned)p->modules.n, .component = (unsigned)c, .column = (unsigned)i};

            array_push(&p->sources, source);
        }
}

static void add_module(struct loader *l, struct profile *p, const struct module *m, struct yaml_node *name)
{
    for (size_t i = 0; i < p->modules.n; i++)
        if (p->modules.v[i] == m) {
            conf_error(l->report, name, "module '%s' is given twice", m->name);
            return;
        }
    if (p->modules.n > 0 && !str_eq(p->modules.v[0]->collector, m->collector))
        conf_error(l->report, name, "module '%s' is read by %s, the first one by %s: a profile has one collector",
                   m->name, m->collector, p->modules.v[0]->collector);
    add_sources(p, m);
    array_push(&p->modules, m);
}

static void find_module(struct loader *l, struct profile *p, struct yaml_node *name)
{
    ARRAY(const char *) known = {0};

    for (size_t i = 0; i < l->k->modules.n; i++) {
        const struct module *m = l->k->modules.v[i];

        if (str_eq(m->name, name->text)) {
            add_module(l, p, m, name);
            array_free(&known);
            return;
        }
        array_push(&known, m->name);
    }
    array_push(&known, NULL);
    unknown_name(name, "module", known.v, l->report);
    array_free(&known);
}

/* Its own component of single values named `identity`, where the module identify is read by another collector. */
static const struct component_def *own_identity(const struct loader *l, const struct profile *p)
{
    const struct module *identify = l->k->identify;

    if (!identify || p->modules.n == 0 || str_eq(p->modules.v[0]->collector, identify->collector))
        return NULL;
    for (size_t i = 0; i < p->modules.n; i++)
        for (size_t c = 0; c < p->modules.v[i]->components.n; c++) {
            const struct component_def *def = &p->modules.v[i]->components.v[c];

            if (str_eq(def->name, "identity") && !def->table && def->kind)
                return def;
        }
    return NULL;
}

static void build_texts(struct loader *l, struct profile_draft *from, struct profile *p, struct scope *scope)
{
    p->make = scope_compile(scope, from->make, VALUE_TEXT, l->report);
    p->model = scope_compile(scope, from->model, VALUE_TEXT, l->report);
    p->serial = scope_compile(scope, from->serial, VALUE_TEXT, l->report);
    p->firmware = scope_compile(scope, from->firmware, VALUE_TEXT, l->report);
}

static void build_profile(struct loader *l, struct profile_draft *from, struct scope *identify)
{
    struct profile *p = xcalloc(1, sizeof *p);
    struct scope own = {0};

    p->name = xstrdup(from->name->text);
    p->where = loader_where(l, from->name);
    p->device_class = xstrdup(class_names[from->device_class]);
    for (int i = 0; i < LANG_COUNT; i++)
        p->title[i] = xstrdup_null(from->title[i]);
    p->priority = from->priority;
    p->quirks =
        (struct profile_quirks){.no_bulk = !from->bulk, .max_repetitions = from->max_repetitions, .retries = -1};
    p->match = scope_compile(identify, from->match, VALUE_BOOL, l->report);
    for (size_t i = 0; i < from->modules.n; i++)
        if (from->modules.v[i])
            find_module(l, p, from->modules.v[i]);
    p->identity = own_identity(l, p);
    if (p->identity)
        scope_add_row(&own, p->identity);
    build_texts(l, from, p, p->identity ? &own : identify);
    scope_fini(&own);
    array_push(&l->k->profiles, p);
}

static int by_priority(const void *a, const void *b)
{
    const struct profile *x = *(const struct profile *const *)a, *y = *(const struct profile *const *)b;

    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    return strcmp(x->name, y->name);
}

void profiles_build(struct loader *l)
{
    struct scope identify = {0};

    if (l->k->identify && l->k->identify->components.n > 0)
        scope_add_row(&identify, &l->k->identify->components.v[0]);
    for (size_t i = 0; l->profiles && i < l->profiles->list.n; i++)
        build_profile(l, &l->profiles->list.v[i], &identify);
    if (l->k->profiles.n > 0)
        qsort(l->k->profiles.v, l->k->profiles.n, sizeof *l->k->profiles.v, by_priority);
    scope_fini(&identify);
}
