#include "watch/beside.h"

#include <math.h>

bool beside_is_true(struct value v)
{
    return v.quality == QUALITY_GOOD && v.type == VALUE_BOOL && v.b;
}

void beside_hear(struct value v, struct value *verdict)
{
    bool says = v.quality == QUALITY_GOOD && v.type == VALUE_BOOL && !beside_is_true(*verdict);

    if (says || (verdict->why == WHY_NONE && verdict->quality != QUALITY_GOOD && v.quality != QUALITY_GOOD))
        *verdict = v;
}

/* The instance that a join looks for, as long as its numbers can be one; false if it can't. */
static bool wanted_instance(const struct join *join, const struct value *slots, size_t nslots, uint32_t *instance)
{
    for (size_t i = 0; i < join->by.n; i++) {
        struct value v = expr_eval(join->by.v[i], slots, nslots);

        if (v.quality != QUALITY_GOOD || v.type != VALUE_INT || v.i < 0 || v.i > UINT32_MAX)
            return false;
        instance[i] = (uint32_t)v.i;
    }
    return true;
}

/* The joined row's columns; unknown where there is no such row. */
static void take_join(const struct table_plan *plan, const struct rows *tables, const struct join *join,
                      const struct row *row, struct value *slots)
{
    const struct component_def *other = &plan->module->components.v[join->component];
    const struct rows *rows = &tables[join->component];
    uint32_t made[PD_MAX_INSTANCE];
    const uint32_t *instance = join->whole ? row->instance : made;
    uint32_t n = join->whole ? row->ninstance : (uint32_t)join->by.n;
    bool found = n <= PD_MAX_INSTANCE && (join->whole || wanted_instance(join, slots, plan->def->nslots, made));
    size_t at = found ? rows_lower_bound(rows, instance, n) : rows->n;

    found = at < rows->n && row_begins(&rows->v[at], instance, n);
    for (size_t i = 0; i < other->columns.n; i++) {
        struct value *v = &slots[join->first_slot + i];

        *v = found ? rows_slots(rows, at)[i] : value_unknown(WHY_ROW);
        v->slot = (uint16_t)(join->first_slot + i);
    }
}

/* What is reckoned so far over some rows. */
struct tally {
    enum aggregate_how how;
    struct value least, most;
    double sum;
    int64_t n, hits; /* rows that gave a number; whose condition is true */
    struct value any;
    struct value spoilt; /* of the first that gave none: why */
    struct value end;    /* the first or last that is good */
};

static void tally_row(struct tally *t, struct value v)
{
    double x = v.type == VALUE_INT ? (double)v.i : v.num;

    if (t->how == AGGREGATE_COUNT || t->how == AGGREGATE_ANY) {
        t->hits += beside_is_true(v);
        beside_hear(v, &t->any);
        return;
    }
    if (v.quality != QUALITY_GOOD && t->spoilt.why == WHY_NONE)
        t->spoilt = value_spoilt(v);
    if (v.quality == QUALITY_GOOD && (t->how == AGGREGATE_LAST || t->end.quality != QUALITY_GOOD))
        t->end = v;
    if (v.quality != QUALITY_GOOD || (v.type != VALUE_INT && v.type != VALUE_NUM))
        return;
    if (t->n == 0 || x < t->least.num)
        t->least = value_num(x);
    if (t->n == 0 || x > t->most.num)
        t->most = value_num(x);
    t->sum += x;
    t->n++;
}

static struct value tally_end(const struct tally *t)
{
    double x = t->how == AGGREGATE_MEAN && t->n ? t->sum / (double)t->n : t->sum;

    if (t->how == AGGREGATE_COUNT)
        return value_int(t->hits);
    if (t->how == AGGREGATE_ANY)
        return t->any;
    if (t->how >= AGGREGATE_FIRST && t->end.quality == QUALITY_GOOD)
        return t->end;
    if (t->how >= AGGREGATE_FIRST || t->n == 0)
        return t->spoilt.why == WHY_NONE ? value_unknown(WHY_ROW) : t->spoilt;
    if (t->how == AGGREGATE_MIN)
        return t->least;
    if (t->how == AGGREGATE_MAX)
        return t->most;
    return isfinite(x) ? value_num(x) : value_unknown(WHY_RANGE);
}

static struct value aggregate_value(const struct rows *rows, const struct aggregate *a, const uint32_t *instance,
                                    uint32_t n, struct arena *arena)
{
    struct tally tally = {.how = a->how, .any = VALUE_UNKNOWN, .spoilt = VALUE_UNKNOWN, .end = VALUE_UNKNOWN};

    for (size_t i = rows_lower_bound(rows, instance, n); i < rows->n && row_begins(&rows->v[i], instance, n); i++) {
        const struct value *slots = rows_slots(rows, i);

        if (!a->where || beside_is_true(expr_eval(a->where, slots, rows->nslots)))
            tally_row(&tally, expr_eval_in(a->of, slots, rows->nslots, arena));
    }
    return tally_end(&tally);
}

/* Over all rows it is the same for each of ours: the first has it. */
static struct value take_aggregate(const struct rows *rows, const struct aggregate *a, const struct rows *own, size_t i,
                                   struct arena *arena)
{
    const struct row *row = &own->v[i];

    if (a->all && i > 0)
        return rows_slots(own, 0)[a->slot];
    return aggregate_value(rows, a, row->instance, a->all ? 0 : row->ninstance, arena);
}

void beside_ask(const struct table_plan *plan, const struct rows *tables, const struct rows *own, size_t i,
                struct value *slots, struct arena *arena)
{
    const struct component_def *def = plan->def;

    for (size_t j = 0; j < def->joins.n; j++)
        take_join(plan, tables, &def->joins.v[j], &own->v[i], slots);
    for (size_t j = 0; j < def->aggregates.n; j++) {
        const struct aggregate *a = &def->aggregates.v[j];

        slots[a->slot] = take_aggregate(&tables[a->component], a, own, i, arena);
        slots[a->slot].quality = slots[a->slot].quality == QUALITY_GOOD ? QUALITY_GOOD : QUALITY_UNKNOWN;
        slots[a->slot].slot = (uint16_t)a->slot;
    }
    for (size_t j = 0; j < def->computed.n; j++)
        slots[def->computed.v[j].slot] = expr_eval_in(def->computed.v[j].value, slots, def->nslots, arena);
}
