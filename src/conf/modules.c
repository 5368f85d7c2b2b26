#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/loader.h"

/*
 * modules/NAME.yaml: what one MIB or register map tells.
 *
 *     module: printer-mib
 *     reference: RFC 3805
 *     title: {en: Printer MIB, zh_CN: 打印机 MIB}
 *     components:
 *       printer:
 *         kind: printer            # of kinds.yaml; without one it is a table that others only ask, by any:
 *         part: status             # status, counters, supplies, inventory: how often it is read
 *         base: 1.3.6.1.2.1.25.3.5.1.1
 *         columns:
 *           status: {address: .1, type: enum, members: {3: idle, 4: printing}}
 *           errors: {address: .2, type: bits, members: {5: jammed}}
 *         key: index               # names the row for ever; where there is none, its instance does
 *         points:
 *           status: status         # an expression over the columns and index, index1 .. index4
 *           jam: {any: [errors has "jammed", {rows: alerts, where: code = "jam"}]}
 *       alerts:
 *         base: 1.3.6.1.2.1.43.18.1.1
 *         columns:
 *           code: {address: .7, type: enum, members: {8: jam}}
 *
 * An address that begins with a dot goes on from `base`. `table: false` reads
 * single values. Numbers that are none: `unknown: [-2]`, `some: [-3]`,
 * `limit: [-1]`. A row is a component only where `when` is true.
 */
struct column_draft {
    char *name;
    struct yaml_node *here;
    struct yaml_node *address;
    int type;
    struct member_drafts members;
    ARRAY(int64_t) unknown, some, limit;
};

struct any_draft {
    struct yaml_node *here, *rows, *where;
};

struct rule_of_point {
    char *name;
    struct yaml_node *here, *value;
    ARRAY(struct any_draft) any;
};

struct component_draft {
    char *name;
    struct yaml_node *here, *kind;
    bool table;
    uint8_t part;
    char *base;
    ARRAY(struct column_draft) columns;
    struct yaml_node *when, *key, *label;
    ARRAY(struct rule_of_point) points;
};

struct module_draft {
    struct yaml_node *name;
    char *collector;
    char *title[LANG_COUNT];
    char *reference;
    ARRAY(struct component_draft) components;
};

struct module_drafts {
    ARRAY(struct module_draft) list;
};

/* In the order of enum column_type. */
static const char *const type_names[] = {"int", "num", "text", "enum", "bits", "oid", "hex", NULL};

static const struct schema_row column_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct column_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct column_draft, here)},
    {"address", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct column_draft, address)},
    {"type", SCHEMA_ENUM, .names = type_names, .fallback = "int", SCHEMA_FIELD(struct column_draft, type)},
    {"members", SCHEMA_MAP, .sub = &member_schema, SCHEMA_FIELD(struct column_draft, members)},
    {"unknown", SCHEMA_LIST, .item = SCHEMA_INT, SCHEMA_FIELD(struct column_draft, unknown)},
    {"some", SCHEMA_LIST, .item = SCHEMA_INT, SCHEMA_FIELD(struct column_draft, some)},
    {"limit", SCHEMA_LIST, .item = SCHEMA_INT, SCHEMA_FIELD(struct column_draft, limit)},
    {0},
};
static const struct schema column_schema = {
    .what = "a column", .rows = column_rows, .size = sizeof(struct column_draft), .shorthand = "address"};

static const struct schema_row any_rows[] = {
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct any_draft, here)},
    {"rows", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct any_draft, rows)},
    {"where", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct any_draft, where)},
    {0},
};
static const struct schema any_schema = {
    .what = "a condition of any", .rows = any_rows, .size = sizeof(struct any_draft), .shorthand = "where"};

static void check_point(void *section, struct yaml_node *here, struct conf_report *report);
static const struct schema_row point_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct rule_of_point, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct rule_of_point, here)},
    {"value", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct rule_of_point, value)},
    {"any", SCHEMA_LIST, .sub = &any_schema, SCHEMA_FIELD(struct rule_of_point, any)},
    {0},
};
static const struct schema point_schema = {
    .what = "a point",
    .rows = point_rows,
    .size = sizeof(struct rule_of_point),
    .shorthand = "value",
    .check = check_point,
};

static const struct schema_row component_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct component_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct component_draft, here)},
    {"kind", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct component_draft, kind)},
    {"table", SCHEMA_BOOL, .fallback = "true", SCHEMA_FIELD(struct component_draft, table)},
    {"part", SCHEMA_ENUM, .names = part_names, .fallback = "status", SCHEMA_FIELD(struct component_draft, part)},
    {"base", SCHEMA_TEXT, SCHEMA_FIELD(struct component_draft, base)},
    {"columns", SCHEMA_MAP, SCHEMA_REQUIRED, .sub = &column_schema, SCHEMA_FIELD(struct component_draft, columns)},
    {"when", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct component_draft, when)},
    {"key", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct component_draft, key)},
    {"label", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct component_draft, label)},
    {"points", SCHEMA_MAP, .sub = &point_schema, SCHEMA_FIELD(struct component_draft, points)},
    {0},
};
static const struct schema component_schema = {
    .what = "a component", .rows = component_rows, .size = sizeof(struct component_draft)};

static const struct schema_row module_rows[] = {
    {"module", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct module_draft, name)},
    {"collector", SCHEMA_TEXT, .fallback = "snmp", SCHEMA_FIELD(struct module_draft, collector)},
    {"title", SCHEMA_LOCAL, SCHEMA_FIELD(struct module_draft, title)},
    {"reference", SCHEMA_TEXT, SCHEMA_FIELD(struct module_draft, reference)},
    {"components", SCHEMA_MAP, SCHEMA_REQUIRED, .sub = &component_schema,
     SCHEMA_FIELD(struct module_draft, components)},
    {0},
};
static const struct schema module_schema = {
    .what = "a module", .rows = module_rows, .size = sizeof(struct module_draft)};

static void check_point(void *section, struct yaml_node *here, struct conf_report *report)
{
    const struct rule_of_point *p = section;

    if (!p->value == (p->any.n == 0))
        conf_error(report, here, "a point needs an expression, or 'any' with a list of conditions");
}

/* ---- Reading ---- */

void module_read(struct loader *l, struct yaml_node *root)
{
    struct module_draft draft = {0};

    if (!l->modules)
        l->modules = xcalloc(1, sizeof *l->modules);
    schema_defaults(&module_schema, &draft);
    schema_read(&module_schema, root, &draft, l->report);
    if (!draft.name || !check_slug(draft.name->text, draft.name, l->report)) {
        schema_release(&module_schema, &draft);
        return;
    }
    for (size_t i = 0; i < l->modules->list.n; i++) {
        struct module_draft *earlier = &l->modules->list.v[i];

        if (!str_eq(earlier->name->text, draft.name->text))
            continue;
        loader_may_replace(l, draft.name, earlier->name, "module");
        schema_release(&module_schema, earlier);
        *earlier = draft;
        return;
    }
    array_push(&l->modules->list, draft);
}

void modules_release(struct loader *l)
{
    if (!l->modules)
        return;
    for (size_t i = 0; i < l->modules->list.n; i++)
        schema_release(&module_schema, &l->modules->list.v[i]);
    array_free(&l->modules->list);
    free(l->modules);
}

/* ---- Columns ---- */

static void add_sentinels(struct column *column, const int64_t *v, size_t n, enum quality quality)
{
    for (size_t i = 0; i < n; i++) {
        struct sentinel s = {.raw = v[i], .quality = quality};

        array_push(&column->sentinels, s);
    }
}

static char *whole_address(struct loader *l, const struct component_draft *c, struct yaml_node *address)
{
    if (!address)
        return xstrdup("");
    if (address->text[0] != '.')
        return xstrdup(address->text);
    if (!c->base)
        conf_error(l->report, address, "the address '%s' goes on from 'base', which is missing", address->text);
    return xasprintf("%s%s", c->base ? c->base : "", address->text);
}

static void build_column(struct loader *l, const struct component_draft *c, const struct column_draft *from,
                         struct component_def *def)
{
    enum { MAX_ENUM = INT32_MAX, MAX_BIT = 63 };
    struct column column = {.name = xstrdup(from->name), .type = (enum column_type)from->type};
    bool has_members = column.type == COLUMN_ENUM || column.type == COLUMN_BITS;

    check_identifier(from->name, from->here, l->report);
    if (!from->here->bad && has_members != (from->members.n > 0))
        conf_error(l->report, from->here, "a column of type %s %s 'members'", type_names[from->type],
                   has_members ? "needs" : "cannot have");
    column.address = whole_address(l, c, from->address);
    column.where = loader_where(l, from->here);
    members_build(&from->members, column.type == COLUMN_BITS ? MAX_BIT : MAX_ENUM, column.type == COLUMN_BITS,
                  &column.members, l->report);
    add_sentinels(&column, from->unknown.v, from->unknown.n, QUALITY_UNKNOWN);
    add_sentinels(&column, from->some.v, from->some.n, QUALITY_SOME);
    add_sentinels(&column, from->limit.v, from->limit.n, QUALITY_LIMIT);
    array_push(&def->columns, column);
}

static void build_columns(struct loader *l, const struct component_draft *from, struct module *m)
{
    struct component_def def = {.table = from->table, .part = from->part, .where = loader_where(l, from->here)};

    check_identifier(from->name, from->here, l->report);
    for (size_t i = 0; i < from->columns.n; i++)
        build_column(l, from, &from->columns.v[i], &def);
    array_push(&m->components, def);
}

/* ---- Meaning ---- */

/* An enumeration may be written with any of its members' codes, or be a text that is one. */
static enum value_type wanted_type(enum value_type point)
{
    return point == VALUE_ENUM || point == VALUE_BITS ? VALUE_NONE : point;
}

/* What check_members() looks at while it goes through an expression's slots. */
struct member_check {
    struct loader *l;
    const struct component_def *def;
    const struct point_def *point;
    struct yaml_node *node;
    const struct column *first; /* the first column with members */
};

static bool same_numbers(const struct members *a, const struct members *b)
{
    for (size_t i = 0; i < a->list.n; i++) {
        const struct member *m = members_by_code(b, a->list.v[i].code);

        if (m && m->number != a->list.v[i].number)
            return false;
    }
    return true;
}

/* Every code that the column can give must be one of the point's. */
static void check_members(void *ctx, unsigned slot)
{
    struct member_check *c = ctx;
    const struct column *column = slot < c->def->columns.n ? &c->def->columns.v[slot] : NULL;

    if (!column || column->members.list.n == 0 || c->node->bad)
        return;
    for (size_t i = 0; i < column->members.list.n; i++) {
        const char *code = column->members.list.v[i].code;

        if (!members_by_code(&c->point->members, code)) {
            struct sbuf hint = {0};

            conf_suggest(&hint, code, c->point->members.codes);
            conf_error(c->l->report, c->node, "column '%s' can be '%s', which point '%s' does not know%s", column->name,
                       code, c->point->name, hint.s ? hint.s : "");
            sbuf_free(&hint);
            return;
        }
    }
    if (c->first &&
        (!same_numbers(&column->members, &c->point->members) || !same_numbers(&c->first->members, &c->point->members)))
        conf_error(c->l->report, c->node, "columns '%s' and '%s' must number their members as point '%s' does",
                   c->first->name, column->name, c->point->name);
    c->first = column;
}

/* The expression of a point that has members: a bare text, a column's enumeration or flags. */
static void check_member_point(struct loader *l, const struct component_def *def, const struct point_def *point,
                               struct yaml_node *node, const struct expr *e)
{
    struct member_check check = {.l = l, .def = def, .point = point, .node = node};
    enum value_type type = expr_type(e);

    if (type == point->type)
        expr_slots(e, check_members, &check);
    else if (type != VALUE_TEXT || point->type == VALUE_BITS)
        conf_error(l->report, node, "point '%s' is of type %s, this gives %s", point->name,
                   value_type_name(point->type), value_type_name(type));
}

static void build_any(struct loader *l, const struct module_draft *module, const struct module *m, struct scope *row,
                      const struct any_draft *from, struct point_rule *to)
{
    ARRAY(const char *) names = {0};
    struct row_test test = {.component = 0};
    struct scope other = {0};
    size_t i = 0;

    if (!from->rows) {
        struct expr *e = scope_compile(row, from->where, VALUE_BOOL, l->report);

        if (e)
            array_push(&to->any_here, e);
        return;
    }
    while (i < module->components.n && !str_eq(module->components.v[i].name, from->rows->text))
        i++;
    if (i < module->components.n) {
        scope_add_row(&other, &m->components.v[i]);
        test.component = (unsigned)i;
        test.where = scope_compile(&other, from->where, VALUE_BOOL, l->report);
        if (test.where)
            array_push(&to->any_rows, test);
        scope_fini(&other);
        return;
    }
    for (i = 0; i < module->components.n; i++)
        array_push(&names, module->components.v[i].name);
    array_push(&names, NULL);
    unknown_name(from->rows, "component", names.v, l->report);
    array_free(&names);
}

static void unknown_point(struct loader *l, const struct rule_of_point *from, const struct kind *kind)
{
    struct scope points = {0};
    struct sbuf hint = {0};

    scope_add_points(&points, "", kind);
    conf_suggest(&hint, from->name, points.names.v);
    conf_error(l->report, from->here, "kind '%s' has no point '%s'%s", kind->name, from->name, hint.s ? hint.s : "");
    sbuf_free(&hint);
    scope_fini(&points);
}

static void build_point(struct loader *l, const struct module_draft *module, const struct module *m, struct scope *row,
                        struct component_def *def, const struct rule_of_point *from)
{
    const struct point_def *point = kind_point(def->kind, from->name);
    struct point_rule rule = {.where = loader_where(l, from->here)};

    if (!point) {
        unknown_point(l, from, def->kind);
        return;
    }
    rule.slot = point->slot;
    rule.value = scope_compile(row, from->value, wanted_type(point->type), l->report);
    if (rule.value && wanted_type(point->type) != point->type)
        check_member_point(l, def, point, from->value, rule.value);
    if (from->any.n > 0 && point->type != VALUE_BOOL)
        conf_error(l->report, from->here, "'any' tells true or false, but point '%s' is of type %s", point->name,
                   value_type_name(point->type));
    for (size_t i = 0; i < from->any.n; i++)
        build_any(l, module, m, row, &from->any.v[i], &rule);
    array_push(&def->points, rule);
}

static const char **kind_names(const struct vocabulary *v)
{
    const char **names = xcalloc(v->kinds.n + 1, sizeof *names);

    for (size_t i = 0; i < v->kinds.n; i++)
        names[i] = v->kinds.v[i]->name;
    return names;
}

static void build_meaning(struct loader *l, const struct module_draft *module, struct module *m, size_t i)
{
    const struct component_draft *from = &module->components.v[i];
    struct component_def *def = &m->components.v[i];
    struct scope row = {0};

    if (from->kind) {
        def->kind = vocabulary_kind(&l->k->vocabulary, from->kind->text);
        if (!def->kind) {
            const char **names = kind_names(&l->k->vocabulary);

            unknown_name(from->kind, "kind", names, l->report);
            free(names);
        }
    } else if (from->points.n > 0) {
        conf_error(l->report, from->here, "points need a 'kind'");
    }
    scope_add_row(&row, def);
    def->when = scope_compile(&row, from->when, VALUE_BOOL, l->report);
    def->key = scope_compile(&row, from->key, VALUE_NONE, l->report);
    def->label = scope_compile(&row, from->label, VALUE_NONE, l->report);
    for (size_t p = 0; def->kind && p < from->points.n; p++)
        build_point(l, module, m, &row, def, &from->points.v[p]);
    scope_fini(&row);
}

static void build_module(struct loader *l, struct module_draft *from)
{
    struct module *m = xcalloc(1, sizeof *m);

    m->name = xstrdup(from->name->text);
    m->where = loader_where(l, from->name);
    m->collector = xstrdup_null(from->collector);
    m->reference = xstrdup_null(from->reference);
    for (int i = 0; i < LANG_COUNT; i++)
        m->title[i] = xstrdup_null(from->title[i]);
    for (size_t i = 0; i < from->components.n; i++)
        build_columns(l, &from->components.v[i], m);
    for (size_t i = 0; i < from->components.n; i++)
        build_meaning(l, from, m, i);
    array_push(&l->k->modules, m);
}

static void check_identify(struct loader *l, const struct module *m, struct yaml_node *here)
{
    const struct component_def *def = m->components.n == 1 ? &m->components.v[0] : NULL;

    if (!def || def->table || !def->kind || !str_eq(def->kind->name, DEVICE_KIND))
        conf_error(l->report, here, "the module 'identify' must have one component, of kind device and 'table: false'");
    l->k->identify = m;
}

void modules_build(struct loader *l)
{
    for (size_t i = 0; l->modules && i < l->modules->list.n; i++) {
        struct module_draft *from = &l->modules->list.v[i];

        build_module(l, from);
        if (str_eq(from->name->text, "identify"))
            check_identify(l, l->k->modules.v[i], from->name);
    }
    if (!l->k->identify)
        conf_error_file(l->report, "modules/identify.yaml", "no folder has the module 'identify', which is needed");
}
