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

/* The first row that begins with the instance; rows->n where there is none. */
static size_t row_by_instance(const struct rows *rows, const uint32_t *instance, uint32_t n)
{
    size_t at = rows_lower_bound(rows, instance, n);

    return at < rows->n && row_begins(&rows->v[at], instance, n) ? at : rows->n;
}

/* The first row of which all conditions are true. */
static size_t row_by_value(const struct join *join, const struct rows *rows, const struct value *slots, size_t nslots,
                           struct lookup *lookup, struct arena *arena)
{
    struct value want[8];
    size_t n = join->on.n < sizeof want / sizeof *want ? join->on.n : sizeof want / sizeof *want;

    for (size_t i = 0; i < n; i++) {
        want[i] = expr_eval_in(join->on.v[i].value, slots, nslots, arena);
        if (want[i].quality != QUALITY_GOOD)
            return rows->n;
    }
    lookup_make(lookup, rows, join->on.v[0].slot, arena);
    for (uint32_t at = lookup_first(lookup, want[0]); at != LOOKUP_END; at = lookup_next(lookup, at)) {
        const struct value *theirs = rows_slots(rows, at);
        size_t i = 0;

        while (i < n && lookup_same(theirs[join->on.v[i].slot], want[i]))
            i++;
        if (i == n)
            return at;
    }
    return rows->n;
}

static size_t joined_row(const struct join *join, const struct rows *rows, const struct row *row,
                         const struct value *slots, size_t nslots, struct lookup *lookup, struct arena *arena)
{
    uint32_t made[PD_MAX_INSTANCE];

    if (join->on.n > 0)
        return row_by_value(join, rows, slots, nslots, lookup, arena);
    if (join->whole)
        return row_by_instance(rows, row->instance, row->ninstance);
    if (join->by.n > PD_MAX_INSTANCE || !wanted_instance(join, slots, nslots, made))
        return rows->n;
    return row_by_instance(rows, made, (uint32_t)join->by.n);
}

/* What the joined row has; unknown where there is no such row. */
static void take_join(const struct table_plan *plan, const struct rows *tables, size_t j, const struct row *row,
                      struct value *slots, const struct beside *with)
{
    const struct join *join = &plan->def->joins.v[j];
    size_t shared = component_shared(&plan->module->components.v[join->component]);
    const struct rows *rows = &tables[join->component];
    size_t at = joined_row(join, rows, row, slots, plan->def->nslots, &with->lookups[j], with->arena);

    for (size_t i = 0; i < shared; i++) {
        struct value *v = &slots[join->first_slot + i];

        *v = at < rows->n ? rows_slots(rows, at)[i] : value_unknown(WHY_ROW);
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

void beside_compute(const struct component_def *def, struct value *slots, struct arena *arena)
{
    for (size_t j = 0; j < def->computed.n; j++)
        slots[def->computed.v[j].slot] = expr_eval_in(def->computed.v[j].value, slots, def->nslots, arena);
}

void beside_ask(const struct table_plan *plan, const struct rows *tables, size_t i, struct value *slots,
                const struct beside *with)
{
    const struct component_def *def = plan->def;
    const struct rows *own = &tables[def - plan->module->components.v];

    for (size_t j = 0; j < def->joins.n; j++)
        take_join(plan, tables, j, &own->v[i], slots, with);
    for (size_t j = 0; j < def->aggregates.n; j++) {
        const struct aggregate *a = &def->aggregates.v[j];
        struct value v = take_aggregate(&tables[a->component], a, own, i, with->arena);

        if (v.quality != QUALITY_GOOD)
            v.quality = QUALITY_UNKNOWN;
        v.slot = (uint16_t)a->slot;
        slots[a->slot] = v;
    }
    beside_compute(def, slots, with->arena);
}
