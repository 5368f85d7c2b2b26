#include "conf/drafts.h"

#include <stdlib.h>

#include "base/mem.h"

/* One component whose meaning is being built. */
struct meaning {
    struct loader *l;
    const struct module_draft *from;
    struct module *m;
    struct component_def *def;
    struct scope row;
};

/* ---- Other tables of the module ---- */

static void unknown_component(struct meaning *c, struct yaml_node *name)
{
    ARRAY(const char *) names = {0};

    for (size_t i = 0; i < c->from->components.n; i++)
        array_push(&names, c->from->components.v[i].name);
    array_push(&names, NULL);
    unknown_name(name, "component", names.v, c->l->report);
    array_free(&names);
}

/*
 * Which component is asked. What has no kind is read with those that ask it;
 * components are read at their own rate, so whoever asks one must share it.
 */
static bool ask_component(struct meaning *c, struct yaml_node *name, unsigned *out)
{
    struct component_def *other;
    unsigned i = 0;

    if (!name || name->bad) /* complained of already */
        return false;
    while (i < c->from->components.n && !str_eq(c->from->components.v[i].name, name->text))
        i++;
    if (i == c->from->components.n) {
        unknown_component(c, name);
        return false;
    }
    other = &c->m->components.v[i];
    if (!c->from->components.v[i].kind) {
        other->parts |= (uint8_t)(1 << c->def->part);
    } else if (other->part != c->def->part) {
        conf_error(c->l->report, name,
                   "'%s' is read with %s, but this with %s: write its columns once more, in a component without a kind",
                   name->text, part_names[other->part], part_names[c->def->part]);
        return false;
    }
    *out = i;
    return true;
}

static struct expr *compile_other(struct meaning *c, unsigned component, const struct yaml_node *node,
                                  enum value_type want)
{
    struct scope other = {0};
    struct expr *e;

    scope_add_row(&other, "", &c->m->components.v[component]);
    e = scope_compile(&other, node, want, c->l->report);
    scope_fini(&other);
    return e;
}

static bool free_name(struct meaning *c, const char *name, struct yaml_node *here)
{
    if (!check_identifier(name, here, c->l->report))
        return false;
    for (size_t i = 0; i < c->row.list.n; i++)
        if (str_eq(c->row.list.v[i].name, name)) {
            conf_error(c->l->report, here, "'%s' is the name of a column here: choose another", name);
            return false;
        }
    return true;
}

/* One condition: a name of the other row, and what it is there, over this one. */
static void build_on_pair(struct meaning *c, const struct yaml_pair *pair, const struct scope *theirs,
                          struct join *join)
{
    size_t slot = 0;
    struct join_on on;

    if (pair->key->bad)
        return;
    while (slot < theirs->list.n && !str_eq(theirs->list.v[slot].name, pair->key->text))
        slot++;
    if (slot == theirs->list.n) {
        unknown_name(pair->key, "name", theirs->names.v, c->l->report);
        return;
    }
    if (theirs->list.v[slot].type == VALUE_ENUM || theirs->list.v[slot].type == VALUE_BITS) {
        conf_error(c->l->report, pair->key, "rows are not found by what has members: use a number or a text");
        return;
    }
    if (pair->value->type != YAML_TEXT) {
        conf_error(c->l->report, pair->value, "what '%s' is there: an expression over this row", pair->key->text);
        return;
    }
    on.slot = (unsigned)slot;
    on.value = scope_compile(&c->row, pair->value, theirs->list.v[slot].type, c->l->report);
    if (on.value)
        array_push(&join->on, on);
}

static void build_on(struct meaning *c, const struct join_draft *from, const struct component_def *other,
                     struct join *join)
{
    struct scope theirs = {0};

    if (!from->on || from->on->bad)
        return;
    if (from->on->type != YAML_MAP || from->on->pairs.n == 0) {
        conf_error(c->l->report, from->on, "'on' is a map of names there and what they are: {number: index}");
        return;
    }
    scope_add_row(&theirs, "", other);
    for (size_t i = 0; i < from->on->pairs.n; i++)
        build_on_pair(c, &from->on->pairs.v[i], &theirs, join);
    scope_fini(&theirs);
}

static void build_join(struct meaning *c, const struct join_draft *from)
{
    struct join join = {.whole = from->by.n == 0 && !from->on, .first_slot = (unsigned)c->row.list.n};
    const struct component_def *other;
    char *prefix;

    if (!free_name(c, from->name, from->here) || !ask_component(c, from->rows, &join.component))
        return;
    other = &c->m->components.v[join.component];
    if (other == c->def && join.whole)
        conf_error(c->l->report, from->rows,
                   "a row joined with itself says nothing new: say by what number, with 'by' or 'on'");
    if (!other->table)
        join.whole = false;
    if (!other->table && (from->by.n > 0 || from->on))
        conf_error(c->l->report, from->here, "'%s' is a group of single values: there is nothing to find by '%s'",
                   from->rows->text, from->on ? "on" : "by");
    if (from->on && from->by.n > 0)
        conf_error(c->l->report, from->here, "a row is found by 'by' or by 'on', not by both");
    for (size_t i = 0; i < from->by.n; i++) {
        struct expr *e = scope_compile(&c->row, from->by.v[i], VALUE_INT, c->l->report);

        if (e)
            array_push(&join.by, e);
    }
    build_on(c, from, other, &join);
    prefix = xasprintf("%s.", from->name);
    scope_add_row(&c->row, prefix, other);
    free(prefix);
    join.name = xstrdup(from->name);
    array_push(&c->def->joins, join);
}

/* A name has no members, so what has some stays a column. */
static void no_dictionary(struct meaning *c, const char *name, struct yaml_node *node, const struct expr *e)
{
    enum value_type type = e ? expr_type(e) : VALUE_NONE;

    if (type == VALUE_ENUM || type == VALUE_BITS)
        conf_error(c->l->report, node, "'%s' is %s: use its column itself, or title(…)", name,
                   type == VALUE_ENUM ? "an enumeration" : "a flag set");
}

/* The first and the last are of what they are; NONE where nobody can say. */
static enum value_type aggregate_type(const struct aggregate *a)
{
    static const enum value_type types[] = {
        [AGGREGATE_MEAN] = VALUE_NUM,   [AGGREGATE_SUM] = VALUE_NUM,   [AGGREGATE_MIN] = VALUE_NUM,
        [AGGREGATE_MAX] = VALUE_NUM,    [AGGREGATE_COUNT] = VALUE_INT, [AGGREGATE_ANY] = VALUE_BOOL,
        [AGGREGATE_FIRST] = VALUE_NONE, [AGGREGATE_LAST] = VALUE_NONE,
    };

    return types[a->how] == VALUE_NONE && a->of ? expr_type(a->of) : types[a->how];
}

static void build_aggregate(struct meaning *c, const struct aggregate_draft *from)
{
    struct aggregate a = {.how = AGGREGATE_MEAN, .all = from->all, .slot = (unsigned)c->row.list.n};
    enum value_type want;

    while (a.how < AGGREGATE_LAST && !from->of[a.how])
        a.how++;
    if (!from->of[a.how] || !free_name(c, from->name, from->here) || !ask_component(c, from->rows, &a.component))
        return;
    want = a.how >= AGGREGATE_FIRST ? VALUE_NONE : a.how >= AGGREGATE_COUNT ? VALUE_BOOL : VALUE_NUM;
    a.of = compile_other(c, a.component, from->of[a.how], want);
    no_dictionary(c, from->name, from->of[a.how], a.of);
    a.where = compile_other(c, a.component, from->where, VALUE_BOOL);
    a.name = xstrdup(from->name);
    scope_add(&c->row, "", from->name, aggregate_type(&a), NULL);
    array_push(&c->def->aggregates, a);
}

static void build_computed(struct meaning *c, const struct computed_draft *from)
{
    struct computed computed = {.slot = (unsigned)c->row.list.n};
    enum value_type type;

    if (!free_name(c, from->name, from->here))
        return;
    computed.value = scope_compile(&c->row, from->value, VALUE_NONE, c->l->report);
    if (!computed.value)
        return;
    type = expr_type(computed.value);
    no_dictionary(c, from->name, from->value, computed.value);
    computed.name = xstrdup(from->name);
    scope_add(&c->row, "", from->name, type, NULL);
    array_push(&c->def->computed, computed);
}

/* ---- Points ---- */

/* An enumeration may be written with any of its members' codes, or be a text that is one. */
static enum value_type wanted_type(enum value_type point)
{
    return point == VALUE_ENUM || point == VALUE_BITS ? VALUE_NONE : point;
}

/* What check_members() looks at while it goes through an expression's slots. */
struct member_check {
    struct loader *l;
    const struct module *m;
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
    const struct column *column = module_column(c->m, c->def, slot);

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
static void check_member_point(struct meaning *c, const struct point_def *point, struct yaml_node *node,
                               const struct expr *e)
{
    struct member_check check = {.l = c->l, .m = c->m, .def = c->def, .point = point, .node = node};
    enum value_type type = expr_type(e);

    if (type == point->type)
        expr_slots(e, check_members, &check);
    else if (type != VALUE_TEXT || point->type == VALUE_BITS)
        conf_error(c->l->report, node, "point '%s' is of type %s, this gives %s", point->name,
                   value_type_name(point->type), value_type_name(type));
}

static void build_any(struct meaning *c, const struct any_draft *from, struct point_rule *to)
{
    struct row_test test = {.component = 0};

    if (!from->rows) {
        struct expr *e = scope_compile(&c->row, from->where, VALUE_BOOL, c->l->report);

        if (e)
            array_push(&to->any_here, e);
        return;
    }
    if (!ask_component(c, from->rows, &test.component))
        return;
    test.where = compile_other(c, test.component, from->where, VALUE_BOOL);
    if (test.where)
        array_push(&to->any_rows, test);
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

static void build_point(struct meaning *c, const struct rule_of_point *from)
{
    struct loader *l = c->l;
    struct component_def *def = c->def;
    const struct point_def *point = kind_point(def->kind, from->name);
    struct point_rule rule = {.where = loader_where(l, from->here)};

    if (!point) {
        unknown_point(l, from, def->kind);
        return;
    }
    rule.slot = point->slot;
    rule.value = scope_compile(&c->row, from->value, wanted_type(point->type), l->report);
    if (rule.value && wanted_type(point->type) != point->type)
        check_member_point(c, point, from->value, rule.value);
    if (from->any.n > 0 && point->type != VALUE_BOOL)
        conf_error(l->report, from->here, "'any' tells true or false, but point '%s' is of type %s", point->name,
                   value_type_name(point->type));
    for (size_t i = 0; i < from->any.n; i++)
        build_any(c, &from->any.v[i], &rule);
    array_push(&def->points, rule);
}

static const char **kind_names(const struct vocabulary *v)
{
    const char **names = xcalloc(v->kinds.n + 1, sizeof *names);

    for (size_t i = 0; i < v->kinds.n; i++)
        names[i] = v->kinds.v[i]->name;
    return names;
}

static void find_kind(struct meaning *c, const struct component_draft *from)
{
    const struct vocabulary *v = &c->l->k->vocabulary;

    if (from->kind) {
        c->def->kind = vocabulary_kind(v, from->kind->text);
        if (!c->def->kind) {
            const char **names = kind_names(v);

            unknown_name(from->kind, "kind", names, c->l->report);
            free(names);
        }
    } else if (from->points.n > 0) {
        conf_error(c->l->report, from->here, "points need a 'kind'");
    } else if (from->joins.n + from->aggregates.n > 0) {
        conf_error(c->l->report, from->here, "joins and aggregates need a 'kind': nobody asks for theirs");
    }
}

static void build_component(struct meaning *c, const struct component_draft *from)
{
    struct component_def *def = c->def;

    find_kind(c, from);
    scope_add_row(&c->row, "", def);
    for (size_t i = 0; from->kind && i < from->joins.n; i++)
        build_join(c, &from->joins.v[i]);
    for (size_t i = 0; from->kind && i < from->aggregates.n; i++)
        build_aggregate(c, &from->aggregates.v[i]);
    for (size_t i = 0; i < from->computed.n; i++)
        build_computed(c, &from->computed.v[i]);
    def->nslots = c->row.list.n;
    if (def == &c->m->components.v[0] || !str_eq(c->m->name, "identify")) /* whose others are asked by the first */
        def->when = scope_compile(&c->row, from->when, VALUE_BOOL, c->l->report);
    def->key = scope_compile(&c->row, from->key, VALUE_NONE, c->l->report);
    def->label = scope_compile(&c->row, from->label, VALUE_NONE, c->l->report);
    for (size_t i = 0; def->kind && i < from->points.n; i++)
        build_point(c, &from->points.v[i]);
}

void meaning_build(struct loader *l, const struct module_draft *from, struct module *m)
{
    for (size_t i = 0; i < m->components.n; i++)
        if (from->components.v[i].kind)
            m->components.v[i].parts = (uint8_t)(1 << m->components.v[i].part);
    /* Those without a kind first: what is computed there the others can ask. */
    for (int found = 0; found <= 1; found++)
        for (size_t i = 0; i < m->components.n; i++) {
            struct meaning c = {.l = l, .from = from, .m = m, .def = &m->components.v[i]};

            if ((from->components.v[i].kind != NULL) != found)
                continue;
            build_component(&c, &from->components.v[i]);
            scope_fini(&c.row);
        }
}
