#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/drafts.h"

/* How rows are written: the numbers of their index, the units of their texts, and which table gives way to which. */

/* ---- Index ---- */

/* In the order of enum index_type. */
static const char *const index_names[] = {"int",  "mac",    "string", "implied",     "ipv4",
                                          "inet", "octets", "oid",    "implied oid", NULL};
enum { MAX_OCTETS = 64 };

/* An entry of a list: a bare text, or a map of one key. *value is NULL where nothing is said of it. */
static bool single(struct loader *l, struct yaml_node *node, const char *hint, const char **name,
                   struct yaml_node **value)
{
    if (node->type == YAML_TEXT && !yaml_is_empty(node)) {
        *name = node->text;
        *value = NULL;
        return true;
    }
    if (node->type == YAML_MAP && node->pairs.n == 1 && node->pairs.v[0].value->type == YAML_TEXT) {
        *name = node->pairs.v[0].key->text;
        *value = node->pairs.v[0].value;
        return !node->pairs.v[0].key->bad;
    }
    if (!node->bad)
        conf_error(l->report, node, "%s", hint);
    return false;
}

/* "octets 8" has its size within. */
static bool index_type(struct loader *l, struct yaml_node *node, struct index_part *part)
{
    int64_t size;
    int type;

    if (str_starts(node->text, "octets ")) {
        part->type = INDEX_OCTETS;
        if (str_to_i64(node->text + strlen("octets "), &size) == 0 && size > 0 && size <= MAX_OCTETS) {
            part->size = (unsigned)size;
            return true;
        }
        conf_error(l->report, node, "'octets N' takes 1 to %d octets", MAX_OCTETS);
        return false;
    }
    type = schema_name(node, index_names, l->report);
    part->type = type < 0 ? INDEX_INT : (enum index_type)type;
    return type >= 0;
}

static bool name_is_free(struct loader *l, const struct component_def *def, const char *name, struct yaml_node *here)
{
    static const char *const indexes[ROW_INDEX_SLOTS] = {"index", "index1", "index2", "index3", "index4"};
    bool taken = false;

    if (!check_identifier(name, here, l->report))
        return false;
    for (size_t i = 0; i < ROW_INDEX_SLOTS; i++)
        taken |= str_eq(indexes[i], name);
    for (size_t i = 0; i < def->columns.n; i++)
        taken |= str_eq(def->columns.v[i].name, name);
    for (size_t i = 0; i < def->index.n; i++)
        taken |= str_eq(def->index.v[i].name, name);
    if (taken)
        conf_error(l->report, here, "'%s' is the name of something else in this row: choose another", name);
    return !taken;
}

void shape_index(struct loader *l, const struct component_draft *from, struct component_def *def)
{
    static const char hint[] = "a part of an index is a name, which is a whole number, or {NAME: TYPE}";

    if (from->index.n > 0 && !from->table)
        conf_error(l->report, from->here, "single values have no index");
    for (size_t i = 0; i < from->index.n; i++) {
        struct yaml_node *node = from->index.v[i], *type;
        struct index_part part = {.type = INDEX_INT};
        const char *name;

        if (!single(l, node, hint, &name, &type) || (type && !index_type(l, type, &part)) ||
            !name_is_free(l, def, name, node))
            continue;
        if ((part.type == INDEX_IMPLIED || part.type == INDEX_OID_IMPLIED) && i + 1 < from->index.n)
            conf_error(l->report, node, "only the last part can be implied: it takes all that is left");
        part.name = xstrdup(name);
        array_push(&def->index, part);
    }
}

/* ---- Units ---- */

void shape_units(struct loader *l, const struct column_draft *from, struct column *column)
{
    if (from->units.n > 0 && column->type != COLUMN_MEASURE && !from->here->bad)
        conf_error(l->report, from->here, "only a column of type measure has 'units'");
    for (size_t i = 0; i < from->units.n; i++) {
        struct yaml_node *factor;
        struct unit_name unit = {.factor = 1};
        const char *name;

        if (!single(l, from->units.v[i], "a unit is a text, or {UNIT: FACTOR}", &name, &factor))
            continue;
        if (factor && (str_to_double(factor->text, &unit.factor) != 0 || unit.factor == 0)) {
            conf_error(l->report, factor, "'%s' is no factor: a number that is not 0 is wanted", factor->text);
            continue;
        }
        unit.name = xstrdup(name);
        array_push(&column->units, unit);
    }
}

/* ---- Ordered alternatives ---- */

void shape_unless(const struct component_draft *from, const struct module *m, struct component_def *def)
{
    const char *text = from->unless ? from->unless->text : NULL, *dot = text ? strchr(text, '.') : NULL;

    if (!text || from->unless->bad)
        return;
    def->unless_module = dot ? xstrndup(text, (size_t)(dot - text)) : xstrdup(m->name);
    def->unless_component = xstrdup(dot ? dot + 1 : text);
}

static const struct module *find_module(const struct loader *l, const char *name)
{
    for (size_t i = 0; i < l->k->modules.n; i++)
        if (str_eq(l->k->modules.v[i]->name, name))
            return l->k->modules.v[i];
    return NULL;
}

static void unknown_alternative(struct loader *l, struct yaml_node *node, const struct module *m, const char *word)
{
    ARRAY(const char *) names = {0};
    struct sbuf hint = {0};

    for (size_t i = 0; m && i < m->components.n; i++)
        array_push(&names, m->components.v[i].name);
    for (size_t i = 0; !m && i < l->k->modules.n; i++)
        array_push(&names, l->k->modules.v[i]->name);
    array_push(&names, NULL);
    conf_suggest(&hint, word, names.v);
    conf_error(l->report, node, "unknown %s '%s'%s", m ? "component" : "module", word, hint.s ? hint.s : "");
    sbuf_free(&hint);
    array_free(&names);
}

/* Who gives way must be read together with what it gives way to, and not give way to itself in the end. */
static void check_unless(struct loader *l, struct yaml_node *node, const struct component_def *def)
{
    enum { MAX_CHAIN = 16 };
    const struct component_def *at = def;

    for (int i = 0; at->unless_module; i++) {
        const struct module *m = find_module(l, at->unless_module);
        const struct component_def *next = NULL;

        for (size_t k = 0; m && k < m->components.n; k++)
            if (str_eq(m->components.v[k].name, at->unless_component))
                next = &m->components.v[k];
        if (at == def && !next) {
            unknown_alternative(l, node, m, m ? at->unless_component : at->unless_module);
            return;
        }
        if (next == def || i == MAX_CHAIN) {
            conf_error(l->report, node, "'%s' gives way to itself in the end", def->name);
            return;
        }
        if (!next) /* complained of where it stands */
            return;
        if (at == def && !next->kind)
            conf_error(l->report, node, "'%s' has no 'kind': it is asked, never found", node->text);
        else if (at == def && next->part != def->part)
            conf_error(l->report, node, "'%s' is read with %s, but this with %s: one can't give way to the other",
                       node->text, part_names[next->part], part_names[def->part]);
        at = next;
    }
}

void shape_check_unless(struct loader *l, const struct module_draft *from, const struct module *m)
{
    for (size_t i = 0; i < m->components.n; i++) {
        const struct component_def *def = &m->components.v[i];
        struct yaml_node *node = from->components.v[i].unless;

        if (!def->unless_module)
            continue;
        if (!def->kind)
            conf_error(l->report, node, "only a component with a 'kind' gives way: others are asked, not found");
        else
            check_unless(l, node, def);
    }
}
