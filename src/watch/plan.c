#include "watch/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/harvest.h"

struct dictionary_search {
    const struct module *module;
    const struct component_def *def;
    const struct column *found;
};

static void find_dictionary(void *ctx, unsigned slot)
{
    struct dictionary_search *s = ctx;
    const struct column *column = s->found ? NULL : module_column(s->module, s->def, slot);

    if (column && column->members.list.n > 0)
        s->found = column;
}

static bool numbered_alike(const struct members *a, const struct members *b)
{
    for (size_t i = 0; i < a->list.n; i++) {
        const struct member *m = members_by_code(b, a->list.v[i].code);

        if (!m || m->number != a->list.v[i].number)
            return false;
    }
    return true;
}

/* The first slot that an expression reads which is a column's, else the first at all. */
struct slot_search {
    const struct module *module;
    const struct component_def *def;
    uint32_t column, any;
};

static void note_slot(void *ctx, unsigned slot)
{
    struct slot_search *s = ctx;

    if (s->any == VALUE_NO_SLOT)
        s->any = slot;
    if (s->column == VALUE_NO_SLOT && module_column(s->module, s->def, slot))
        s->column = slot;
}

/* Where what an expression gives comes from, through names that are computed. */
static uint32_t main_slot(const struct module *module, const struct component_def *def, const struct expr *e)
{
    struct slot_search s = {.module = module, .def = def, .column = VALUE_NO_SLOT, .any = VALUE_NO_SLOT};

    expr_slots(e, note_slot, &s);
    if (s.column != VALUE_NO_SLOT)
        return s.column;
    for (size_t i = def->computed.n; i-- > 0;) /* each reads only those before it */
        if (def->computed.v[i].slot == s.any)
            return main_slot(module, def, def->computed.v[i].value);
    return s.any;
}

static struct point_plan plan_point(const struct table_plan *table, const struct point_rule *rule)
{
    const struct module *module = table->module;
    const struct component_def *def = table->def;
    const struct expr *main = rule->value ? rule->value : rule->any_here.n > 0 ? rule->any_here.v[0] : NULL;
    struct point_plan plan = {
        .def = &def->kind->points.v[rule->slot],
        .value = rule->value,
        .type = (uint8_t)def->kind->points.v[rule->slot].type,
        .main_slot = main ? plan_slot(table, main_slot(module, def, main)) : VALUE_NO_SLOT,
    };
    struct dictionary_search search = {.module = module, .def = def};

    if (rule->value && expr_type(rule->value) == plan.def->type &&
        (plan.def->type == VALUE_ENUM || plan.def->type == VALUE_BITS))
        expr_slots(rule->value, find_dictionary, &search);
    if (search.found && !numbered_alike(&search.found->members, &plan.def->members))
        plan.dictionary = search.found;
    return plan;
}

static void plan_tables(struct normaliser *n, const struct profile *p)
{
    uint32_t nslots = 0;

    for (size_t m = 0; m < p->modules.n; m++) {
        const struct module *module = p->modules.v[m];
        uint32_t first = (uint32_t)n->tables.n;

        for (size_t c = 0; c < module->components.n; c++) {
            const struct component_def *def = &module->components.v[c];
            struct table_plan plan = {
                .module = module,
                .def = def,
                .first_of_module = first,
                .first_slot = nslots,
                .asks = def->joins.n + def->aggregates.n + def->computed.n > 0,
                .context = m < p->module_contexts.n ? p->module_contexts.v[m] : 0,
            };

            nslots += (uint32_t)def->nslots;
            plan.instead = NO_TABLE;
            plan.first_join = (uint32_t)n->njoins;
            n->njoins += def->joins.n;
            plan.points = xcalloc(def->points.n + 1, sizeof *plan.points);
            for (size_t i = 0; i < def->points.n; i++)
                plan.points[i] = plan_point(&plan, &def->points.v[i]);
            array_push(&n->tables, plan);
        }
    }
}

static uint32_t told_of(struct normaliser *n, const struct kind *kind)
{
    uint32_t i = 0;

    while (i < n->told.n && n->told.v[i].kind != kind)
        i++;
    if (i == n->told.n)
        array_push(&n->told, ((struct told){.kind = kind}));
    return i;
}

static int compare_slots(const void *a, const void *b)
{
    uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;

    return (x > y) - (x < y);
}

/* Ascending, each once. */
static void order_slots(struct told *t)
{
    size_t kept = 0;

    if (t->slots.n > 0)
        qsort(t->slots.v, t->slots.n, sizeof *t->slots.v, compare_slots);
    for (size_t i = 0; i < t->slots.n; i++)
        if (kept == 0 || t->slots.v[kept - 1] != t->slots.v[i])
            t->slots.v[kept++] = t->slots.v[i];
    t->slots.n = kept;
}

/* Finds what is told of each kind, and where each rule's point stands in that. */
static void plan_told(struct normaliser *n)
{
    for (size_t i = 0; i < n->tables.n; i++) {
        struct table_plan *t = &n->tables.v[i];

        if (!t->def->kind)
            continue;
        t->told = told_of(n, t->def->kind);
        for (size_t k = 0; k < t->def->points.n; k++)
            array_push(&n->told.v[t->told].slots, (uint16_t)t->def->points.v[k].slot);
    }
    for (size_t i = 0; i < n->told.n; i++)
        order_slots(&n->told.v[i]);
    for (size_t i = 0; i < n->tables.n; i++) {
        struct table_plan *t = &n->tables.v[i];

        for (size_t k = 0; t->def->kind && k < t->def->points.n; k++)
            while (n->told.v[t->told].slots.v[t->points[k].place] != t->def->points.v[k].slot)
                t->points[k].place++;
    }
}

static uint32_t table_named(const struct normaliser *n, const char *module, const char *component)
{
    for (uint32_t i = 0; i < n->tables.n; i++)
        if (str_eq(n->tables.v[i].module->name, module) && str_eq(n->tables.v[i].def->name, component))
            return i;
    return NO_TABLE;
}

/* Puts a table into the order, behind the one it gives way to; there is no circle in what was loaded. */
static void order_table(struct normaliser *n, bool *placed, uint32_t table)
{
    struct table_plan *t = &n->tables.v[table];

    if (placed[table] || !t->def->kind)
        return;
    placed[table] = true;
    if (t->def->unless_module)
        t->instead = table_named(n, t->def->unless_module, t->def->unless_component);
    if (t->instead != NO_TABLE)
        order_table(n, placed, t->instead);
    array_push(&n->order, table);
}

static void order_tables(struct normaliser *n)
{
    bool *placed = xcalloc(n->tables.n + 1, sizeof *placed);

    for (uint32_t i = 0; i < n->tables.n; i++)
        order_table(n, placed, i);
    free(placed);
}

static bool same_source(const struct pd_source *a, const struct pd_source *b)
{
    return a->part == b->part && a->context == b->context && a->table == b->table &&
           strcmp(a->address, b->address) == 0;
}

/* The source that reads a column in a part, shared with columns of the same address, part and context. */
static uint32_t source_for(struct normaliser *n, const struct table_plan *table, const struct column *column,
                           uint8_t part)
{
    struct pd_source source = {
        .id = (uint32_t)n->sources.n,
        .address = column->address,
        .table = table->def->table,
        .part = part,
        .context = table->context,
        .file = column->where.file,
        .line = column->where.line,
        .col = column->where.col,
    };

    for (size_t i = 0; i < n->sources.n; i++)
        if (same_source(&n->sources.v[i], &source))
            return (uint32_t)i;
    array_push(&n->sources, source);
    return source.id;
}

static uint32_t table_of(const struct normaliser *n, const struct profile *p, const struct profile_source *s)
{
    uint32_t table = s->component;

    for (unsigned m = 0; m < s->module; m++)
        table += (uint32_t)p->modules.v[m]->components.n;
    return table < n->tables.n ? table : 0;
}

/* A column that something reads, in one of the parts that it is read in. */
struct wanted {
    uint32_t source;
    struct use use;
};

static void plan_sources(struct normaliser *n, const struct profile *p)
{
    ARRAY(struct wanted) wanted = {0};

    for (size_t i = 0; i < p->sources.n; i++) {
        struct use use = {.table = table_of(n, p, &p->sources.v[i]), .column = p->sources.v[i].column};
        const struct component_def *def = n->tables.v[use.table].def;
        uint32_t parts = p->by_component ? 1u << p->sources.v[i].component : def->parts;

        use.def = &def->columns.v[use.column];
        use.plain = use.def->type == COLUMN_INT && use.def->sentinels.n == 0 && !use.def->limited;
        for (unsigned part = 0; parts >> part; part++) {
            struct wanted w = {.use = use};

            if (!(parts >> part & 1))
                continue;
            w.source = source_for(n, &n->tables.v[use.table], use.def, (uint8_t)part);
            array_push(&wanted, w);
        }
    }
    for (uint32_t s = 0; s < n->sources.n; s++) {
        array_push(&n->use_at, (uint32_t)n->uses.n);
        for (size_t i = 0; i < wanted.n; i++)
            if (wanted.v[i].source == s)
                array_push(&n->uses, wanted.v[i].use);
    }
    array_push(&n->use_at, (uint32_t)n->uses.n);
    array_free(&wanted);
}

struct normaliser *normaliser_new(const struct profile *p)
{
    struct normaliser *n = xcalloc(1, sizeof *n);

    plan_tables(n, p);
    plan_told(n);
    order_tables(n);
    plan_sources(n, p);
    n->harvest = xcalloc(1, sizeof *n->harvest);
    return n;
}

void normaliser_free(struct normaliser *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->tables.n; i++)
        free(n->tables.v[i].points);
    array_free(&n->tables);
    for (size_t i = 0; i < n->told.n; i++)
        array_free(&n->told.v[i].slots);
    array_free(&n->told);
    array_free(&n->order);
    array_free(&n->sources);
    array_free(&n->use_at);
    array_free(&n->uses);
    harvest_fini(n->harvest);
    free(n->harvest);
    free(n);
}

const struct pd_source *normaliser_sources(const struct normaliser *n, size_t *count)
{
    *count = n->sources.n;
    return n->sources.v;
}

bool normaliser_blame(const struct normaliser *n, struct value v, struct blame *out)
{
    if (v.slot == VALUE_NO_SLOT || (v.quality == QUALITY_UNKNOWN && v.why == WHY_NONE))
        return false;
    for (size_t i = 0; i < n->tables.n; i++) {
        const struct table_plan *t = &n->tables.v[i];

        if (v.slot >= t->first_slot && v.slot - t->first_slot < t->def->nslots) {
            *out = (struct blame){.module = t->module, .def = t->def, .slot = v.slot - t->first_slot};
            return true;
        }
    }
    return false;
}
