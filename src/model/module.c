#include "model/module.h"

#include <stdlib.h>

const char *const part_names[PART_COUNT + 1] = {"status", "counters", "supplies", "inventory", NULL};

static void point_rule_free(struct point_rule *p)
{
    expr_free(p->value);
    for (size_t i = 0; i < p->any_here.n; i++)
        expr_free(p->any_here.v[i]);
    for (size_t i = 0; i < p->any_rows.n; i++)
        expr_free(p->any_rows.v[i].where);
    array_free(&p->any_here);
    array_free(&p->any_rows);
}

static void join_free(struct join *j)
{
    free(j->name);
    for (size_t i = 0; i < j->by.n; i++)
        expr_free(j->by.v[i]);
    for (size_t i = 0; i < j->on.n; i++)
        expr_free(j->on.v[i].value);
    array_free(&j->by);
    array_free(&j->on);
}

static void aggregate_free(struct aggregate *a)
{
    free(a->name);
    expr_free(a->of);
    expr_free(a->where);
}

static void column_free(struct column *c)
{
    free(c->name);
    free(c->address);
    members_free(&c->members);
    array_free(&c->sentinels);
    for (size_t i = 0; i < c->units.n; i++)
        free(c->units.v[i].name);
    array_free(&c->units);
}

static void component_def_free(struct component_def *c)
{
    for (size_t i = 0; i < c->columns.n; i++)
        column_free(&c->columns.v[i]);
    for (size_t i = 0; i < c->index.n; i++)
        free(c->index.v[i].name);
    array_free(&c->index);
    free(c->unless_module);
    free(c->unless_component);
    for (size_t i = 0; i < c->points.n; i++)
        point_rule_free(&c->points.v[i]);
    for (size_t i = 0; i < c->joins.n; i++)
        join_free(&c->joins.v[i]);
    for (size_t i = 0; i < c->aggregates.n; i++)
        aggregate_free(&c->aggregates.v[i]);
    for (size_t i = 0; i < c->computed.n; i++) {
        free(c->computed.v[i].name);
        expr_free(c->computed.v[i].value);
    }
    array_free(&c->columns);
    array_free(&c->computed);
    array_free(&c->joins);
    array_free(&c->aggregates);
    array_free(&c->points);
    free(c->name);
    expr_free(c->when);
    expr_free(c->key);
    expr_free(c->label);
}

static void trap_def_free(struct trap_def *t)
{
    for (size_t i = 0; i < t->values.n; i++)
        free(t->values.v[i].name);
    for (size_t i = 0; i < t->own.n; i++)
        column_free(&t->own.v[i]);
    array_free(&t->values);
    array_free(&t->own);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        free(t->title[lang]);
    free(t->name);
    free(t->oid);
}

void module_free(struct module *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->traps.n; i++)
        trap_def_free(&m->traps.v[i]);
    array_free(&m->traps);
    for (size_t i = 0; i < m->components.n; i++)
        component_def_free(&m->components.v[i]);
    array_free(&m->components);
    free(m->name);
    free(m->collector);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        free(m->title[lang]);
    free(m->reference);
    free(m);
}

size_t component_shared(const struct component_def *def)
{
    return def->kind ? def->columns.n + ROW_INDEX_SLOTS + def->index.n : def->nslots;
}

const struct column *module_column(const struct module *m, const struct component_def *def, unsigned slot)
{
    if (slot < def->columns.n)
        return &def->columns.v[slot];
    for (size_t i = 0; i < def->joins.n; i++) {
        const struct join *j = &def->joins.v[i];
        const struct component_def *other = &m->components.v[j->component];

        if (slot >= j->first_slot && slot < j->first_slot + other->columns.n)
            return &other->columns.v[slot - j->first_slot];
    }
    return NULL;
}
