#include "conf/profiles.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/*
 * profiles/NAME.yaml: how to recognise a device and what it then speaks. One profile, or several as a list under
 * `profiles`.
 *
 *     profile: acme-laser
 *     extends: generic-printer          # what is not said here is as there, but for the three that recognise
 *     class: printer
 *     title: {en: Acme laser printer, zh_CN: Acme 激光打印机}
 *     object_ids: [1.3.6.1.4.1.32473.1] # what the device's may begin with
 *     match: contains(sysDescr, "Laser") # over the columns of module identify; with object_ids both must hold
 *     priority: 500                     # the highest that matches wins
 *     serial: first(serialNumber, chassisSerial)
 *     modules: [snmpv2-mib, printer-mib]
 *     add_modules: [finisher-mib]       # to the other's
 *     without_modules: [if-mib]
 *     every: {status: 30s, supplies: 10m}
 *     snmp: {version: 1, bulk: false, max_repetitions: 10, timeout: 5s, retries: 1, message_size: 484,
 *            max_rows: 1000, max_in_flight: 1, contexts: [{context: Jetdirect, modules: [printer-mib]}]}
 *     modbus: {gaps: true, holes: [holding 100-109], per_poll: false, gap: 20ms}
 */
const char *const profile_classes[] = {
    "printer", "copier", "switch",          "router", "firewall", "access-point", "server",      "bmc",   "nas", "ups",
    "pdu",     "power",  "air-conditioner", "phone",  "camera",   "sensor",       "environment", "other", NULL};

#define DRAFT(field) SCHEMA_FIELD(struct profile_draft, field)

enum { SECOND = 1000, DAY = 86400 * SECOND };

static const struct schema_row context_rows[] = {
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct context_draft, here)},
    {"context", SCHEMA_TEXT, .min = 1, .max = 64, SCHEMA_FIELD(struct context_draft, name)},
    {"each", SCHEMA_TEXT, SCHEMA_FIELD(struct context_draft, each)},
    {"modules", SCHEMA_LIST, SCHEMA_REQUIRED, .item = SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct context_draft, modules)},
    {0},
};
static void check_context(void *section, struct yaml_node *here, struct conf_report *report);
static const struct schema context_schema = {
    .what = "a context", .rows = context_rows, .size = sizeof(struct context_draft), .check = check_context};

static const char *const yes_no[] = {"false", "true", NULL};
static const struct schema_row snmp_rows[] = {
    {"version", SCHEMA_INT, .min = 1, .max = 2, DRAFT(quirks.version)},
    {"bulk", SCHEMA_ENUM, .names = yes_no, DRAFT(bulk)},
    {"max_repetitions", SCHEMA_INT, .min = 1, .max = 100, DRAFT(quirks.max_repetitions)},
    {"timeout", SCHEMA_DURATION, .min = 100, .max = 60 * SECOND, DRAFT(quirks.timeout_ms)},
    {"retries", SCHEMA_INT, .min = 0, .max = 10, DRAFT(quirks.retries)},
    {"message_size", SCHEMA_INT, .min = 484, .max = 65507, DRAFT(quirks.message_size)},
    {"max_rows", SCHEMA_INT, .min = 1, .max = 1000000, DRAFT(quirks.max_rows)},
    {"max_in_flight", SCHEMA_INT, .min = 1, .max = 64, DRAFT(quirks.in_flight)},
    {"contexts", SCHEMA_LIST, .sub = &context_schema, DRAFT(contexts)},
    {0},
};
const struct schema profile_snmp_schema = {.what = "snmp", .rows = snmp_rows, .size = sizeof(struct profile_draft)};

static const struct schema_row modbus_rows[] = {
    {"timeout", SCHEMA_DURATION, .min = 100, .max = 60 * SECOND, DRAFT(quirks.timeout_ms)},
    {"retries", SCHEMA_INT, .min = 0, .max = 10, DRAFT(quirks.retries)},
    {"per_poll", SCHEMA_ENUM, .names = yes_no, DRAFT(per_poll)},
    {"connect_delay", SCHEMA_DURATION, .min = 0, .max = 60 * SECOND, DRAFT(quirks.connect_delay_ms)},
    {"gap", SCHEMA_DURATION, .min = 0, .max = 60 * SECOND, DRAFT(quirks.gap_ms)},
    {"max_registers", SCHEMA_INT, .min = 1, .max = 125, DRAFT(quirks.max_registers)},
    {"gaps", SCHEMA_ENUM, .names = yes_no, DRAFT(gaps)},
    {"holes", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, DRAFT(holes)},
    {0},
};
const struct schema profile_modbus_schema = {
    .what = "modbus", .rows = modbus_rows, .size = sizeof(struct profile_draft)};

/* As poll.every of the settings has them. */
static const struct schema_row every_rows[] = {
    {"status", SCHEMA_DURATION, .min = SECOND, .max = DAY, DRAFT(every_ms[PART_STATUS])},
    {"counters", SCHEMA_DURATION, .min = SECOND, .max = DAY, DRAFT(every_ms[PART_COUNTERS])},
    {"supplies", SCHEMA_DURATION, .min = SECOND, .max = DAY, DRAFT(every_ms[PART_SUPPLIES])},
    {"inventory", SCHEMA_DURATION, .min = SECOND, .max = 7.0 * DAY, DRAFT(every_ms[PART_INVENTORY])},
    {0},
};
const struct schema profile_every_schema = {.what = "every", .rows = every_rows, .size = sizeof(struct profile_draft)};

static void nothing_said(void *section)
{
    struct profile_draft *d = section;

    d->device_class = d->priority = d->bulk = d->per_poll = d->gaps = -1;
    d->quirks.retries = -1;
}

static const struct schema_row profile_rows[] = {
    {"profile", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, DRAFT(name)},
    {"extends", SCHEMA_TEXT_NODE, DRAFT(extends)},
    {"class", SCHEMA_ENUM, .names = profile_classes, DRAFT(device_class)},
    {"title", SCHEMA_LOCAL, DRAFT(title)},
    {"priority", SCHEMA_INT, .min = 0, .max = 1000, DRAFT(priority)},
    {"object_ids", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, DRAFT(object_ids)},
    {"match", SCHEMA_TEXT_NODE, DRAFT(match)},
    {"make", SCHEMA_TEXT_NODE, DRAFT(texts[PROFILE_MAKE])},
    {"model", SCHEMA_TEXT_NODE, DRAFT(texts[PROFILE_MODEL])},
    {"serial", SCHEMA_TEXT_NODE, DRAFT(texts[PROFILE_SERIAL])},
    {"firmware", SCHEMA_TEXT_NODE, DRAFT(texts[PROFILE_FIRMWARE])},
    {"modules", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, DRAFT(modules)},
    {"add_modules", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, DRAFT(add_modules)},
    {"without_modules", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, DRAFT(without_modules)},
    {"every", SCHEMA_SECTION, .sub = &profile_every_schema},
    {"snmp", SCHEMA_SECTION, .sub = &profile_snmp_schema},
    {"modbus", SCHEMA_SECTION, .sub = &profile_modbus_schema},
    {0},
};
const struct schema profile_schema = {
    .what = "a profile", .rows = profile_rows, .size = sizeof(struct profile_draft), .init = nothing_said};

struct profile_file {
    ARRAY(struct yaml_node *) profiles;
};
static const struct schema_row file_rows[] = {
    {"profiles", SCHEMA_LIST, SCHEMA_REQUIRED, .item = SCHEMA_NODE, SCHEMA_FIELD(struct profile_file, profiles)},
    {0},
};
static const struct schema file_schema = {
    .what = "a file of profiles", .rows = file_rows, .size = sizeof(struct profile_file)};

static void check_context(void *section, struct yaml_node *here, struct conf_report *report)
{
    const struct context_draft *c = section;
    uint32_t numbers[OID_PREFIX_MAX];

    if (!c->name == !c->each)
        conf_error(report, here,
                   "a context has either a name ('context') or a column to make one of each row ('each')");
    else if (c->each && oid_numbers(c->each, numbers) == 0)
        conf_error(report, yaml_get(here, "each"), "'%s' is no column: numbers with dots between them are", c->each);
}

struct yaml_node *profile_word(const struct profile_draft *d, const char *section, const char *key)
{
    return yaml_get(section ? yaml_get(d->root, section) : d->root, key);
}

/* ---- Reading ---- */

static void draft_free(struct profile_draft *d)
{
    if (!d)
        return;
    draft_free(d->replaced);
    array_free(&d->all_modules);
    schema_release(&profile_schema, d);
    free(d);
}

/* One of an earlier folder that has its name stays at hand: it may be extended. */
static void take(struct loader *l, struct profile_draft *d)
{
    struct profile_drafts *all = l->profiles;

    d->replaced = dict_put(all->names, d->name->text, d);
    if (!d->replaced) {
        array_push(&all->list, d);
        return;
    }
    loader_may_replace(l, d->name, d->replaced->name, "profile");
    for (size_t i = 0; i < all->list.n; i++)
        if (all->list.v[i] == d->replaced)
            all->list.v[i] = d;
}

static void read_profile(struct loader *l, struct yaml_node *root)
{
    struct profile_draft *d = xcalloc(1, sizeof *d);

    d->root = root;
    schema_defaults(&profile_schema, d);
    schema_read(&profile_schema, root, d, l->report);
    if (d->name && check_slug(d->name->text, d->name, l->report))
        take(l, d);
    else
        draft_free(d);
}

void profile_read(struct loader *l, struct yaml_node *root)
{
    struct profile_file file = {0};

    if (!l->profiles) {
        l->profiles = xcalloc(1, sizeof *l->profiles);
        l->profiles->names = dict_new();
    }
    if (!yaml_get(root, "profiles")) {
        read_profile(l, root);
        return;
    }
    schema_read(&file_schema, root, &file, l->report);
    for (size_t i = 0; i < file.profiles.n; i++)
        if (file.profiles.v[i])
            read_profile(l, file.profiles.v[i]);
    schema_release(&file_schema, &file);
}

void profiles_release(struct loader *l)
{
    if (!l->profiles)
        return;
    for (size_t i = 0; i < l->profiles->list.n; i++)
        draft_free(l->profiles->list.v[i]);
    array_free(&l->profiles->list);
    dict_free(l->profiles->names);
    free(l->profiles);
}

/* ---- Building ---- */

/* What all profiles are built with. */
struct workshop {
    struct loader *l;
    struct scope identify;
    struct dict *modules;  /* by name */
    struct u64dict *texts; /* an expression over the identify columns, by its node: heirs share it */
};

static void add_sources(struct profile *p, const struct module *m)
{
    for (size_t c = 0; c < m->components.n; c++)
        for (size_t i = 0; i < m->components.v[c].columns.n; i++) {
            struct profile_source source = {
                .module = (unsigned)p->modules.n, .component = (unsigned)c, .column = (unsigned)i};

            array_push(&p->sources, source);
        }
}

static void unknown_module(struct workshop *w, struct yaml_node *name)
{
    ARRAY(const char *) known = {0};

    for (size_t i = 0; i < w->l->k->modules.n; i++)
        array_push(&known, w->l->k->modules.v[i]->name);
    array_push(&known, NULL);
    unknown_name(name, "module", known.v, w->l->report);
    array_free(&known);
}

static void add_module(struct workshop *w, struct profile *p, struct yaml_node *name)
{
    const struct module *m = dict_get(w->modules, name->text);

    if (name->bad)
        return;
    if (!m) {
        unknown_module(w, name);
        return;
    }
    if (p->modules.n > 0 && !str_eq(p->modules.v[0]->collector, m->collector))
        conf_error(w->l->report, name, "module '%s' is read by %s, the first one by %s: a profile has one collector",
                   m->name, m->collector, p->modules.v[0]->collector);
    add_sources(p, m);
    array_push(&p->modules, m);
}

static void add_modules(struct workshop *w, const struct profile_draft *from, struct profile *p)
{
    for (size_t i = 0; i < from->all_modules.n; i++)
        add_module(w, p, from->all_modules.v[i].node);
    for (size_t i = 0; i < from->without_modules.n; i++) {
        struct yaml_node *name = from->without_modules.v[i];

        if (name && !name->bad && !dict_get(w->modules, name->text))
            unknown_module(w, name);
    }
    if (from->all_modules.n == 0 && !from->lost && !profile_word(from, NULL, "modules"))
        conf_error(w->l->report, from->name, "a profile needs 'modules', or one to extend that has some");
}

/* Puts a module into the context of that number. */
static void assign_context(struct workshop *w, struct profile *p, struct yaml_node *name, uint8_t number)
{
    for (size_t i = 0; i < p->modules.n; i++) {
        if (!str_eq(p->modules.v[i]->name, name->text))
            continue;
        if (p->module_contexts.v[i])
            conf_error(w->l->report, name, "module '%s' is in two contexts", name->text);
        p->module_contexts.v[i] = number;
        return;
    }
    if (!name->bad)
        conf_error(w->l->report, name, "module '%s' is none of the profile's", name->text);
}

static void add_contexts(struct workshop *w, const struct profile_draft *from, struct profile *p)
{
    enum { MAX_CONTEXTS = 16 };

    if (from->contexts.n == 0)
        return;
    if (from->contexts.n > MAX_CONTEXTS) {
        conf_error(w->l->report, from->contexts.v[MAX_CONTEXTS].here, "more than %d contexts", MAX_CONTEXTS);
        return;
    }
    for (size_t i = 0; i < p->modules.n; i++)
        array_push(&p->module_contexts, 0);
    for (size_t i = 0; i < from->contexts.n; i++) {
        const struct context_draft *c = &from->contexts.v[i];
        struct profile_context context = {.name = xstrdup_null(c->name), .each = xstrdup_null(c->each)};

        array_push(&p->contexts, context);
        for (size_t m = 0; m < c->modules.n; m++)
            if (c->modules.v[m])
                assign_context(w, p, c->modules.v[m], (uint8_t)(i + 1));
    }
}

/* ---- What modules say of the device itself ---- */

static int name_slot(const struct component_def *def, const char *name)
{
    for (size_t i = 0; i < def->columns.n; i++)
        if (str_eq(def->columns.v[i].name, name))
            return (int)i;
    for (size_t i = 0; i < def->aggregates.n; i++)
        if (str_eq(def->aggregates.v[i].name, name))
            return (int)def->aggregates.v[i].slot;
    for (size_t i = 0; i < def->computed.n; i++)
        if (str_eq(def->computed.v[i].name, name))
            return (int)def->computed.v[i].slot;
    return -1;
}

static void add_identity(struct profile *p, const struct component_def *def)
{
    struct profile_identity identity = {.def = def};

    for (int i = 0; i < PROFILE_TEXTS; i++)
        identity.slots[i] = name_slot(def, profile_text_names[i]);
    array_push(&p->identities, identity);
}

/*
 * Components of single values named `identity`. Where the module identify is read by another collector, the first of
 * them takes its place.
 */
static void find_identities(const struct loader *l, struct profile *p)
{
    for (size_t i = 0; i < p->modules.n; i++)
        for (size_t c = 0; c < p->modules.v[i]->components.n; c++) {
            const struct component_def *def = &p->modules.v[i]->components.v[c];

            if (str_eq(def->name, "identity") && !def->table && def->kind)
                add_identity(p, def);
        }
    if (l->k->identify && p->identities.n > 0 && !str_eq(p->modules.v[0]->collector, l->k->identify->collector))
        p->identity = p->identities.v[0].def;
}

/* A wrong one is complained of once, however many inherit it. */
static const struct expr *compile(struct workshop *w, struct scope *scope, struct yaml_node *node, enum value_type want)
{
    struct expr *e = scope == &w->identify && node ? u64dict_get(w->texts, (uintptr_t)node) : NULL;

    if (e || !node)
        return e;
    e = scope_compile(scope, node, want, w->l->report);
    if (!e) {
        node->bad = true;
        return NULL;
    }
    array_push(&w->l->k->texts, e);
    if (scope == &w->identify)
        u64dict_put(w->texts, (uintptr_t)node, e);
    return e;
}

static void build_expressions(struct workshop *w, const struct profile_draft *from, struct profile *p)
{
    struct scope own = {0}, *scope = &w->identify;

    p->match = compile(w, &w->identify, from->match, VALUE_BOOL);
    find_identities(w->l, p);
    if (p->identity) {
        scope_add_row(&own, "", p->identity);
        scope = &own;
    }
    for (int i = 0; i < PROFILE_TEXTS; i++)
        p->texts[i] = compile(w, scope, from->texts[i], VALUE_TEXT);
    scope_fini(&own);
}

static void add_object_id(struct workshop *w, struct profile *p, struct yaml_node *node)
{
    uint32_t numbers[OID_PREFIX_MAX];
    struct oid_prefix prefix = {.n = oid_numbers(node->text, numbers), .where = loader_where(w->l, node)};

    if (prefix.n < 2) {
        conf_error(w->l->report, node, "'%s' is no object identifier: numbers with dots between them are", node->text);
        return;
    }
    if (w->l->k->identification.known[IDENTIFY_OBJECT_ID] >= w->identify.list.n)
        conf_error(w->l->report, node, "nothing is compared with it: module 'identify' has no column 'sysObjectID'");
    prefix.numbers = xcalloc(prefix.n, sizeof *prefix.numbers);
    memcpy(prefix.numbers, numbers, prefix.n * sizeof *numbers);
    array_push(&p->object_ids, prefix);
}

static void build_profile(struct workshop *w, const struct profile_draft *from)
{
    enum { BY_OBJECT_ID = 500, BY_MATCH = 100 };
    struct profile *p = xcalloc(1, sizeof *p);

    p->name = xstrdup(from->name->text);
    p->where = loader_where(w->l, from->name);
    p->device_class = xstrdup(from->device_class >= 0 ? profile_classes[from->device_class] : "other");
    if (from->device_class < 0 && !from->lost && !profile_word(from, NULL, "class"))
        conf_error(w->l->report, from->name, "a profile needs 'class', or one to extend that has it");
    for (int i = 0; i < LANG_COUNT; i++)
        p->title[i] = xstrdup_null(from->title[i]);
    for (size_t i = 0; i < from->object_ids.n; i++)
        if (from->object_ids.v[i])
            add_object_id(w, p, from->object_ids.v[i]);
    p->priority = from->priority >= 0 ? from->priority : from->object_ids.n > 0 ? BY_OBJECT_ID : BY_MATCH;
    p->quirks = from->quirks;
    p->quirks.no_bulk = from->bulk == 0;
    p->quirks.per_poll = from->per_poll == 1;
    p->quirks.no_gaps = from->gaps == 0;
    memcpy(p->every_ms, from->every_ms, sizeof p->every_ms);
    add_modules(w, from, p);
    add_contexts(w, from, p);
    profile_add_holes(w->l, from, p);
    build_expressions(w, from, p);
    profile_say(w->l, from, p);
    array_push(&w->l->k->profiles, p);
}

static int by_priority(const void *a, const void *b)
{
    const struct profile *x = *(const struct profile *const *)a, *y = *(const struct profile *const *)b;

    if (x->priority != y->priority)
        return x->priority > y->priority ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool same_prefix(const struct profile_candidate *a, const struct profile_candidate *b)
{
    return a->prefix->n == b->prefix->n &&
           memcmp(a->prefix->numbers, b->prefix->numbers, a->prefix->n * sizeof *a->prefix->numbers) == 0;
}

/* Two who want the same and have nothing to tell them apart by; equal prefixes stand together. */
static void check_rivals(struct loader *l)
{
    const struct profile_index *x = &l->k->index;

    for (size_t i = 0; i < x->prefixes.n; i++)
        for (size_t j = i + 1; j < x->prefixes.n && same_prefix(&x->prefixes.v[i], &x->prefixes.v[j]); j++) {
            const struct profile_candidate *a = &x->prefixes.v[i], *b = &x->prefixes.v[j];

            if (a->profile == b->profile)
                conf_error_where(l->report, &b->prefix->where, "this object identifier is given twice");
            else if (a->profile->priority == b->profile->priority && !a->profile->match && !b->profile->match)
                conf_error_where(l->report, &b->prefix->where,
                                 "profile '%s' has the same object identifier as '%s' (%s:%d), the same priority, and "
                                 "neither has a 'match' to tell them apart",
                                 b->profile->name, a->profile->name, a->prefix->where.file, a->prefix->where.line);
        }
}

void profiles_build(struct loader *l)
{
    struct workshop w = {.l = l, .modules = dict_new(), .texts = u64dict_new()};
    struct profile_drafts none = {0}, *drafts = l->profiles ? l->profiles : &none;

    identify_scope(l, &w.identify);
    for (size_t i = 0; i < l->k->modules.n; i++)
        dict_put(w.modules, l->k->modules.v[i]->name, l->k->modules.v[i]);
    for (size_t i = 0; i < drafts->list.n; i++)
        profile_inherit(l, drafts->list.v[i]);
    for (size_t i = 0; i < drafts->list.n; i++)
        build_profile(&w, drafts->list.v[i]);
    if (l->k->profiles.n > 0)
        qsort(l->k->profiles.v, l->k->profiles.n, sizeof *l->k->profiles.v, by_priority);
    profile_index_build(&l->k->index, l->k->profiles.v, l->k->profiles.n);
    check_rivals(l);
    scope_fini(&w.identify);
    dict_free(w.modules);
    u64dict_free(w.texts);
}
