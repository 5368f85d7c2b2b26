#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/drafts.h"

/*
 * modules/NAME.yaml: what one MIB or register map tells.
 *
 *     module: printer-mib
 *     reference: RFC 3805
 *     title: {en: Printer MIB, zh_CN: 打印机 MIB}
 *     components:
 *       printer:
 *         kind: printer            # of kinds.yaml; without one it is a table that others only ask
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
 * A row takes columns of other tables, and what is reckoned over their rows:
 *
 *       sensor:
 *         kind: sensor
 *         joins:
 *           entity: entity                        # the row of the same instance: entity.name
 *           parent: {rows: entity, by: [entity.contained]}   # by numbers that make its instance, or begin it
 *           port: {rows: ports, on: {number: index}}         # the first row of which this is true
 *         aggregates:
 *           hottest: {rows: probe, max: value, where: status = "ok"}  # over rows that begin with this one's instance
 *
 *         computed:
 *           name: first(entity.name, parent.name)   # a name for what several expressions need
 *
 * An address that begins with a dot goes on from `base`. `table: false` reads
 * single values. Numbers that are none: `unknown: [-2]`, `some: [-3]`,
 * `limit: [-1]`. What is read in other units is brought to ours by `scale: 0.1`;
 * what cannot be is told by `range: [-40, 120]`. `index: [port, {mac: mac}]`
 * says what the numbers of an instance are. A row is a component only where `when`
 * is true, and never in a read in which the component `unless` has one.
 */
struct module_drafts {
    ARRAY(struct module_draft) list;
};

/* In the order of enum column_type. */
static const char *const type_names[] = {"int", "num",   "text",    "enum", "bits", "oid",
                                         "hex", "flags", "measure", "ip",   "date", NULL};

static const struct schema_row column_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct column_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct column_draft, here)},
    {"address", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct column_draft, address)},
    {"type", SCHEMA_ENUM, .names = type_names, .fallback = "int", SCHEMA_FIELD(struct column_draft, type)},
    {"members", SCHEMA_MAP, .sub = &member_schema, SCHEMA_FIELD(struct column_draft, members)},
    {"unknown", SCHEMA_LIST, .item = SCHEMA_INT, SCHEMA_FIELD(struct column_draft, unknown)},
    {"some", SCHEMA_LIST, .item = SCHEMA_INT, SCHEMA_FIELD(struct column_draft, some)},
    {"limit", SCHEMA_LIST, .item = SCHEMA_INT, SCHEMA_FIELD(struct column_draft, limit)},
    {"scale", SCHEMA_NUM, SCHEMA_FIELD(struct column_draft, scale)},
    {"range", SCHEMA_LIST, .item = SCHEMA_NUM, SCHEMA_FIELD(struct column_draft, range)},
    {"units", SCHEMA_LIST, .item = SCHEMA_NODE, SCHEMA_FIELD(struct column_draft, units)},
    {0},
};
const struct schema column_schema = {
    .what = "a column", .rows = column_rows, .size = sizeof(struct column_draft), .shorthand = "address"};

static const struct schema_row any_rows[] = {
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct any_draft, here)},
    {"rows", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct any_draft, rows)},
    {"where", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct any_draft, where)},
    {0},
};
static const struct schema any_schema = {
    .what = "a condition of any", .rows = any_rows, .size = sizeof(struct any_draft), .shorthand = "where"};

static void check_aggregate(void *section, struct yaml_node *here, struct conf_report *report);
static const struct schema_row join_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct join_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct join_draft, here)},
    {"rows", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct join_draft, rows)},
    {"by", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct join_draft, by)},
    {"on", SCHEMA_NODE, SCHEMA_FIELD(struct join_draft, on)},
    {0},
};
static const struct schema join_schema = {
    .what = "a join", .rows = join_rows, .size = sizeof(struct join_draft), .shorthand = "rows"};

/* In the order of enum aggregate_how. */
static const struct schema_row aggregate_rows[] = {
    {"mean", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct aggregate_draft, of[AGGREGATE_MEAN])},
    {"sum", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct aggregate_draft, of[AGGREGATE_SUM])},
    {"min", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct aggregate_draft, of[AGGREGATE_MIN])},
    {"max", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct aggregate_draft, of[AGGREGATE_MAX])},
    {"count", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct aggregate_draft, of[AGGREGATE_COUNT])},
    {"any", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct aggregate_draft, of[AGGREGATE_ANY])},
    {"first", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct aggregate_draft, of[AGGREGATE_FIRST])},
    {"last", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct aggregate_draft, of[AGGREGATE_LAST])},
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct aggregate_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct aggregate_draft, here)},
    {"rows", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct aggregate_draft, rows)},
    {"where", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct aggregate_draft, where)},
    {"all", SCHEMA_BOOL, SCHEMA_FIELD(struct aggregate_draft, all)},
    {0},
};
static const struct schema aggregate_schema = {
    .what = "an aggregate",
    .rows = aggregate_rows,
    .size = sizeof(struct aggregate_draft),
    .check = check_aggregate,
};

static const struct schema_row computed_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct computed_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct computed_draft, here)},
    {"value", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct computed_draft, value)},
    {0},
};
static const struct schema computed_schema = {
    .what = "a computed name", .rows = computed_rows, .size = sizeof(struct computed_draft), .shorthand = "value"};

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
    {"merge", SCHEMA_BOOL, SCHEMA_FIELD(struct component_draft, merge)},
    {"part", SCHEMA_ENUM, .names = part_names, .fallback = "status", SCHEMA_FIELD(struct component_draft, part)},
    {"base", SCHEMA_TEXT, SCHEMA_FIELD(struct component_draft, base)},
    {"index", SCHEMA_LIST, .item = SCHEMA_NODE, SCHEMA_FIELD(struct component_draft, index)},
    {"unless", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct component_draft, unless)},
    {"columns", SCHEMA_MAP, SCHEMA_REQUIRED, .sub = &column_schema, SCHEMA_FIELD(struct component_draft, columns)},
    {"joins", SCHEMA_MAP, .sub = &join_schema, SCHEMA_FIELD(struct component_draft, joins)},
    {"aggregates", SCHEMA_MAP, .sub = &aggregate_schema, SCHEMA_FIELD(struct component_draft, aggregates)},
    {"computed", SCHEMA_MAP, .sub = &computed_schema, SCHEMA_FIELD(struct component_draft, computed)},
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
    {"traps", SCHEMA_MAP, .sub = &trap_schema, SCHEMA_FIELD(struct module_draft, traps)},
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

static void check_aggregate(void *section, struct yaml_node *here, struct conf_report *report)
{
    const struct aggregate_draft *a = section;
    unsigned n = 0;

    for (size_t i = 0; i < AGGREGATES; i++)
        n += a->of[i] != NULL;
    if (n != 1)
        conf_error(report, here, "an aggregate needs one of mean, sum, min, max, count, any, first and last");
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

static char *whole_address(struct loader *l, const char *base, struct yaml_node *address)
{
    if (!address)
        return xstrdup("");
    if (address->text[0] != '.')
        return xstrdup(address->text);
    if (!base)
        conf_error(l->report, address, "the address '%s' goes on from 'base', which is missing", address->text);
    return xasprintf("%s%s", base ? base : "", address->text);
}

/* Whether numbers are read: the only thing that has a scale and a range. */
static bool is_number(enum column_type type)
{
    return type == COLUMN_INT || type == COLUMN_NUM || type == COLUMN_MEASURE;
}

static void build_numbers(struct loader *l, const struct column_draft *from, struct column *column)
{
    if (!from->here->bad && (from->scale != 0 || from->range.n > 0) && !is_number(column->type)) {
        conf_error(l->report, from->here, "a column of type %s cannot have 'scale' or 'range'", type_names[from->type]);
        return;
    }
    if (!from->here->bad && from->range.n > 0 && (from->range.n != 2 || from->range.v[0] > from->range.v[1]))
        conf_error(l->report, from->here, "'range' is the least and the most that can be: [0, 100]");
    else if (from->range.n > 0) {
        column->limited = true;
        column->least = from->range.v[0];
        column->most = from->range.v[1];
    }
    if (from->scale == 0)
        return;
    if (column->type == COLUMN_INT)
        column->type = COLUMN_NUM;
    column->divide = fabs(from->scale) < 1 && fabs(round(1 / from->scale) * from->scale - 1) < 1e-9;
    column->scale = column->divide ? round(1 / from->scale) : from->scale;
}

struct column column_build(struct loader *l, const char *base, const struct column_draft *from)
{
    enum { MAX_ENUM = INT32_MAX, MAX_BIT = 63 };
    struct column column = {.name = xstrdup(from->name), .type = (enum column_type)from->type};
    bool flags = column.type == COLUMN_BITS || column.type == COLUMN_FLAGS;
    bool has_members = column.type == COLUMN_ENUM || flags;

    check_identifier(from->name, from->here, l->report);
    if (!from->here->bad && has_members != (from->members.n > 0))
        conf_error(l->report, from->here, "a column of type %s %s 'members'", type_names[from->type],
                   has_members ? "needs" : "cannot have");
    column.address = whole_address(l, base, from->address);
    column.where = loader_where(l, from->here);
    members_build(&from->members, flags ? MAX_BIT : MAX_ENUM, flags, &column.members, l->report);
    add_sentinels(&column, from->unknown.v, from->unknown.n, QUALITY_UNKNOWN);
    add_sentinels(&column, from->some.v, from->some.n, QUALITY_SOME);
    add_sentinels(&column, from->limit.v, from->limit.n, QUALITY_LIMIT);
    build_numbers(l, from, &column);
    shape_units(l, from, &column);
    return column;
}

static void build_columns(struct loader *l, const struct component_draft *from, struct module *m)
{
    struct component_def def = {
        .name = xstrdup(from->name),
        .table = from->table,
        .merge = from->merge,
        .part = from->part,
        .where = loader_where(l, from->here),
    };

    check_identifier(from->name, from->here, l->report);
    for (size_t i = 0; i < from->columns.n; i++)
        array_push(&def.columns, column_build(l, from->base, &from->columns.v[i]));
    shape_index(l, from, &def);
    shape_unless(from, m, &def);
    array_push(&m->components, def);
}

/* ---- Building ---- */

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
    meaning_build(l, from, m);
    traps_build(l, from, m);
    array_push(&l->k->modules, m);
}

void modules_build(struct loader *l)
{
    for (size_t i = 0; l->modules && i < l->modules->list.n; i++) {
        struct module_draft *from = &l->modules->list.v[i];

        build_module(l, from);
        if (str_eq(from->name->text, "identify"))
            identify_build(l, from, l->k->modules.v[i]);
    }
    for (size_t i = 0; l->modules && i < l->modules->list.n; i++)
        shape_check_unless(l, &l->modules->list.v[i], l->k->modules.v[i]);
    traps_index(l);
    if (!l->k->identify)
        conf_error_file(l->report, "modules/identify.yaml", "no folder has the module 'identify', which is needed");
}
