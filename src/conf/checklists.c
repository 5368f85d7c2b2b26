#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/loader.h"

/*
 * checklists/ *.yaml: what is looked at on a patrol, by class of device.
 *
 *     checklists:
 *       printer:                       # a device class, or a name that plans give
 *         title: {en: Printer, zh_CN: 打印机}
 *         items:
 *           supplies:                  # filled from what is polled
 *             title: {en: Supplies, zh_CN: 耗材余量}
 *             kind: supply
 *             where: class != "filled" # which of the device's supplies; all where absent
 *             value: level             # what is written down; with `unit:` where the points say none
 *             attention: level <= 20   # over the kind's points, and device.NAME
 *             fault: level <= 5
 *           rollers:                   # by the technician
 *             title: {en: Rollers cleaned, zh_CN: 搓纸轮已清洁}
 */
struct check_draft {
    char *code;
    struct yaml_node *here, *title, *kind, *where, *value, *unit, *attention, *fault;
};

struct checklist_draft {
    char *name;
    struct yaml_node *here, *title;
    ARRAY(struct check_draft) items;
};

struct checklist_drafts {
    ARRAY(struct checklist_draft) list;
};

static const struct schema_row check_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct check_draft, code)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct check_draft, here)},
    {"title", SCHEMA_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct check_draft, title)},
    {"kind", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct check_draft, kind)},
    {"where", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct check_draft, where)},
    {"value", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct check_draft, value)},
    {"unit", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct check_draft, unit)},
    {"attention", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct check_draft, attention)},
    {"fault", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct check_draft, fault)},
    {0},
};
static const struct schema check_schema = {.what = "an item", .rows = check_rows, .size = sizeof(struct check_draft)};

static const struct schema_row checklist_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct checklist_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct checklist_draft, here)},
    {"title", SCHEMA_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct checklist_draft, title)},
    {"items", SCHEMA_MAP, SCHEMA_REQUIRED, .sub = &check_schema, SCHEMA_FIELD(struct checklist_draft, items)},
    {0},
};
static const struct schema checklist_schema = {
    .what = "a checklist", .rows = checklist_rows, .size = sizeof(struct checklist_draft)};

static const struct schema_row file_rows[] = {
    {"checklists", SCHEMA_MAP, SCHEMA_REQUIRED, .sub = &checklist_schema, SCHEMA_FIELD(struct checklist_drafts, list)},
    {0},
};
static const struct schema file_schema = {
    .what = "a file of checklists", .rows = file_rows, .size = sizeof(struct checklist_drafts)};

static void put_draft(struct loader *l, const struct checklist_draft *draft)
{
    for (size_t i = 0; i < l->checklists->list.n; i++) {
        struct checklist_draft *earlier = &l->checklists->list.v[i];

        if (!str_eq(earlier->name, draft->name))
            continue;
        loader_may_replace(l, draft->here, earlier->here, "checklist");
        schema_release(&checklist_schema, earlier);
        *earlier = *draft;
        return;
    }
    array_push(&l->checklists->list, *draft);
}

void checklists_read(struct loader *l, struct yaml_node *root)
{
    struct checklist_drafts file = {0};

    if (!l->checklists)
        l->checklists = xcalloc(1, sizeof *l->checklists);
    schema_read(&file_schema, root, &file, l->report);
    for (size_t i = 0; i < file.list.n; i++)
        put_draft(l, &file.list.v[i]);
    array_free(&file.list);
}

void checklists_release(struct loader *l)
{
    if (!l->checklists)
        return;
    schema_release(&file_schema, l->checklists);
    free(l->checklists);
}

/* ---- Building ---- */

/* What needs a kind, where none is given. */
static void check_technicians(struct loader *l, const struct check_draft *from)
{
    struct yaml_node *const polled[] = {from->where, from->value, from->unit, from->attention, from->fault};
    static const char *const names[] = {"where", "value", "unit", "attention", "fault"};

    for (size_t i = 0; i < sizeof polled / sizeof *polled; i++)
        if (polled[i])
            conf_error(l->report, polled[i], "'%s' needs 'kind': an item without one is the technician's", names[i]);
}

static void compile_check(struct loader *l, const struct check_draft *from, struct check_item *c)
{
    struct scope points = {0};

    scope_add_points(&points, "", c->kind);
    scope_add_points(&points, "device.", l->k->vocabulary.kinds.v[0]);
    c->where = scope_compile(&points, from->where, VALUE_BOOL, l->report);
    c->value = scope_compile(&points, from->value, VALUE_NONE, l->report);
    c->attention = scope_compile(&points, from->attention, VALUE_BOOL, l->report);
    c->fault = scope_compile(&points, from->fault, VALUE_BOOL, l->report);
    c->unit = from->unit ? xstrdup(from->unit->text) : NULL;
    c->point = from->value ? kind_point(c->kind, from->value->text) : NULL;
    scope_fini(&points);
    if (!from->value && !from->attention && !from->fault)
        conf_error(l->report, from->here, "an item with a kind needs 'value', 'attention' or 'fault'");
}

static void build_check(struct loader *l, const struct check_draft *from, struct checklist *list)
{
    struct check_item c = {.code = xstrdup(from->code)};

    check_slug(from->code, from->here, l->report);
    loader_texts(l, from->title, c.title);
    c.kind = from->kind ? vocabulary_kind(&l->k->vocabulary, from->kind->text) : NULL;
    if (c.kind)
        compile_check(l, from, &c);
    else if (from->kind)
        unknown_kind(l, from->kind);
    else
        check_technicians(l, from);
    array_push(&list->items, c);
}

static void build_checklist(struct loader *l, const struct checklist_draft *from)
{
    struct checklist *list = xcalloc(1, sizeof *list);

    array_push(&l->k->checklists, list);
    list->name = xstrdup(from->name);
    list->where = loader_where(l, from->here);
    check_slug(from->name, from->here, l->report);
    loader_texts(l, from->title, list->title);
    if (from->items.n == 0 && !from->here->bad)
        conf_error(l->report, from->here, "a checklist needs at least one item");
    for (size_t i = 0; i < from->items.n; i++)
        build_check(l, &from->items.v[i], list);
}

void checklists_build(struct loader *l)
{
    for (size_t i = 0; l->checklists && i < l->checklists->list.n; i++)
        build_checklist(l, &l->checklists->list.v[i]);
}

/* ---- Plans, which name checklists and calendars ---- */

static void unknown_here(struct loader *l, const struct where *at, const char *what, const char *name,
                         const char *const *known)
{
    struct sbuf hint = {0};

    conf_suggest(&hint, name, known);
    conf_error_where(l->report, at, "there is no %s '%s'%s", what, name, hint.s ? hint.s : "");
    sbuf_free(&hint);
}

struct names {
    ARRAY(const char *) list; /* ended by NULL */
};

static void check_classes(struct loader *l, const struct plan *p, const struct names *classes)
{
    for (size_t i = 0; i < p->classes.n; i++) {
        size_t at = 0;

        while (classes->list.v[at] && !str_eq(classes->list.v[at], p->classes.v[i]))
            at++;
        if (!classes->list.v[at])
            unknown_here(l, &p->where, "device class", p->classes.v[i], classes->list.v);
    }
}

void plans_check(struct loader *l, const struct settings *settings)
{
    struct names calendars = {0}, checklists = {0}, classes = {0};

    for (size_t i = 0; i < l->k->calendars.n; i++)
        array_push(&calendars.list, l->k->calendars.v[i]->name);
    for (size_t i = 0; i < l->k->checklists.n; i++) {
        array_push(&checklists.list, l->k->checklists.v[i]->name);
        array_push(&classes.list, l->k->checklists.v[i]->name);
    }
    for (size_t i = 0; i < l->k->profiles.n; i++)
        array_push(&classes.list, l->k->profiles.v[i]->device_class);
    array_push(&calendars.list, NULL);
    array_push(&checklists.list, NULL);
    array_push(&classes.list, NULL);
    for (size_t i = 0; i < settings->plans.n; i++) {
        const struct plan *p = &settings->plans.v[i];

        if (p->calendar && !knowledge_calendar(l->k, p->calendar))
            unknown_here(l, &p->calendar_where, "calendar", p->calendar, calendars.list.v);
        if (p->checklist && !knowledge_checklist(l->k, p->checklist))
            unknown_here(l, &p->checklist_where, "checklist", p->checklist, checklists.list.v);
        check_classes(l, p, &classes);
    }
    array_free(&calendars.list);
    array_free(&checklists.list);
    array_free(&classes.list);
}
