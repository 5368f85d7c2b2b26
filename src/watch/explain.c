#include "watch/explain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "watch/plan.h"

/* ---- Names ---- */

/* What others see of a row: its columns, its index, and what is computed where there is no kind. */
static const char *shared_name(const struct component_def *def, unsigned slot)
{
    static const char *const indexes[ROW_INDEX_SLOTS] = {"index", "index1", "index2", "index3", "index4"};

    if (slot < def->columns.n)
        return def->columns.v[slot].name;
    slot -= (unsigned)def->columns.n;
    if (slot < ROW_INDEX_SLOTS)
        return indexes[slot];
    slot -= ROW_INDEX_SLOTS;
    if (slot < def->index.n)
        return def->index.v[slot].name;
    slot -= (unsigned)def->index.n;
    return !def->kind && slot < def->computed.n ? def->computed.v[slot].name : NULL;
}

char *explain_slot(const struct module *m, const struct component_def *def, unsigned slot)
{
    const char *name = shared_name(def, slot);

    if (name)
        return xstrdup(name);
    for (size_t i = 0; i < def->joins.n; i++) {
        const struct join *j = &def->joins.v[i];
        const struct component_def *other = &m->components.v[j->component];

        if (slot >= j->first_slot && slot - j->first_slot < component_shared(other))
            return xasprintf("%s.%s", j->name, shared_name(other, slot - j->first_slot));
    }
    for (size_t i = 0; i < def->aggregates.n; i++)
        if (def->aggregates.v[i].slot == slot)
            return xstrdup(def->aggregates.v[i].name);
    for (size_t i = 0; i < def->computed.n; i++)
        if (def->computed.v[i].slot == slot)
            return xstrdup(def->computed.v[i].name);
    return NULL;
}

/* ---- Places ---- */

/* Whether the column's row has the instance of the component itself. */
static bool same_row(const struct component_def *def, unsigned slot)
{
    if (slot < def->columns.n)
        return def->table;
    for (size_t i = 0; i < def->joins.n; i++)
        if (slot >= def->joins.v[i].first_slot && (i + 1 == def->joins.n || slot < def->joins.v[i + 1].first_slot))
            return def->joins.v[i].whole;
    return false;
}

static char *source_of(const struct module *m, const struct component_def *def, unsigned slot, const uint32_t *instance,
                       size_t n)
{
    const struct column *column = module_column(m, def, slot);
    struct sbuf b = {0};

    if (!column)
        return NULL;
    sbuf_add(&b, column->address);
    for (size_t i = 0; same_row(def, slot) && i < n; i++)
        sbuf_addf(&b, ".%" PRIu32, instance[i]);
    return sbuf_take(&b);
}

/* ---- Reasons ---- */

static const struct point_rule *rule_in(const struct component_def *def, unsigned point)
{
    for (size_t i = 0; i < def->points.n; i++)
        if (def->points.v[i].slot == point)
            return &def->points.v[i];
    return NULL;
}

/* Who tells the point: the definition to blame, the one that found the component, or else the first that has a rule. */
static void find_rule(const struct normaliser *n, const struct finding_place *at, unsigned point, struct reason *r)
{
    r->rule = r->def ? rule_in(r->def, point) : NULL;
    if (!r->rule && at->def) {
        r->module = at->module;
        r->def = at->def;
        r->rule = rule_in(r->def, point);
    }
    for (size_t i = 0; !r->rule && i < n->tables.n; i++) {
        if (n->tables.v[i].def->kind != at->kind)
            continue;
        r->module = n->tables.v[i].module;
        r->def = n->tables.v[i].def;
        r->rule = rule_in(r->def, point);
    }
    if (!r->rule) {
        r->module = NULL;
        r->def = NULL;
    }
}

struct reason explain_point(const struct normaliser *n, const struct finding_place *at, unsigned point, struct value v)
{
    struct reason r = {.quality = (enum quality)v.quality};
    struct blame blame;

    if (v.quality != QUALITY_GOOD && v.quality != QUALITY_STALE)
        r.why = (enum why)v.why;
    if (normaliser_blame(n, v, &blame)) {
        r.module = blame.module;
        r.def = blame.def;
        r.column = explain_slot(blame.module, blame.def, blame.slot);
        r.source = source_of(blame.module, blame.def, blame.slot, at->instance, at->ninstance);
        r.has_raw = r.why == WHY_SENTINEL || r.why == WHY_RANGE;
        r.raw = r.has_raw ? v.i : 0;
    }
    find_rule(n, at, point, &r);
    return r;
}

void reason_fini(struct reason *r)
{
    free(r->column);
    free(r->source);
    *r = (struct reason){0};
}
