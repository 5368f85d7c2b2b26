#include "watch/normalise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/arena.h"
#include "watch/beside.h"
#include "watch/decode.h"
#include "watch/harvest.h"
#include "watch/plan.h"

/* ---- Taking cells ---- */

struct batch {
    const struct normaliser *n;
    struct arena arena;
    struct rows *rows;      /* parallel to the plan's tables */
    struct lookup *lookups; /* of each join by `on`, made as they are needed */
    size_t *gave;           /* components of each table */
    uint64_t dropped;
};

/* More than one device can have to say at once: what comes then is dropped. */
enum { BATCH_MAX_BYTES = 32 << 20, KEY_MAX = 200 };

struct batch *batch_new(const struct normaliser *n)
{
    struct batch *b = xcalloc(1, sizeof *b);

    b->n = n;
    b->rows = xcalloc(n->tables.n + 1, sizeof *b->rows);
    b->lookups = xcalloc(n->njoins + 1, sizeof *b->lookups);
    b->gave = xcalloc(n->tables.n + 1, sizeof *b->gave);
    for (size_t i = 0; i < n->tables.n; i++) {
        b->rows[i].nslots = n->tables.v[i].def->nslots;
        b->rows[i].index_slot = n->tables.v[i].def->columns.n;
        b->rows[i].parts = n->tables.v[i].def->index.v;
        b->rows[i].nparts = n->tables.v[i].def->index.n;
    }
    return b;
}

void batch_free(struct batch *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->n->tables.n; i++)
        rows_fini(&b->rows[i]);
    free(b->rows);
    free(b->lookups);
    free(b->gave);
    arena_fini(&b->arena);
    free(b);
}

void batch_reset(struct batch *b)
{
    for (size_t i = 0; i < b->n->tables.n; i++)
        rows_reset(&b->rows[i]);
    arena_reset(&b->arena);
}

void batch_fetch(const struct batch *b)
{
    for (size_t i = 0; i < b->n->tables.n; i++)
        rows_fetch(&b->rows[i]);
}

uint64_t batch_dropped(const struct batch *b)
{
    return b->dropped;
}

static bool acceptable(const struct batch *b, const struct pd_cell *c)
{
    if (c->source >= b->n->sources.n || c->ninstance > PD_MAX_INSTANCE || b->arena.used > BATCH_MAX_BYTES)
        return false;
    return b->n->sources.v[c->source].table == (c->ninstance > 0);
}

/* As nearly all is that devices count. */
static inline bool is_whole(const struct pd_cell *c)
{
    return c->type == PD_CELL_INT || (c->type == PD_CELL_UINT && c->u <= INT64_MAX);
}

static void take_cell(struct batch *b, const struct use *use, const struct pd_cell *c)
{
    struct rows *rows = &b->rows[use->table];
    struct value *slots = rows_expected(rows, c->instance, c->ninstance);

    if (c->type == PD_CELL_ABSENT) { /* makes no row, but takes back what was said before */
        slots = slots ? slots : rows_find(rows, c->instance, c->ninstance);
        if (slots)
            slots[use->column] =
                (struct value){.quality = QUALITY_UNKNOWN, .why = WHY_ABSENT, .slot = (uint16_t)use->column};
        return;
    }
    slots = slots ? slots : rows_at(rows, c->instance, c->ninstance, &b->arena);
    if (!slots) {
        b->dropped++;
        return;
    }
    if (use->plain && is_whole(c))
        slots[use->column] = value_int(c->i);
    else
        slots[use->column] = decode_cell(use->def, c, &b->arena);
    slots[use->column].slot = (uint16_t)use->column;
}

void batch_add(struct batch *b, const struct pd_cell *cells, size_t n)
{
    const uint32_t *use_at = b->n->use_at.v;
    const struct use *uses = b->n->uses.v, *use, *end;

    for (const struct pd_cell *c = cells; c < cells + n; c++) {
        if (!acceptable(b, c)) {
            b->dropped++;
            continue;
        }
        end = uses + use_at[c->source + 1];
        for (use = uses + use_at[c->source]; use < end; use++)
            take_cell(b, use, c);
    }
}

/* ---- Meaning ---- */

/* A member of the point's own dictionary, from the expression's number or code. */
static struct value point_member(const struct point_plan *plan, struct value v)
{
    const struct members *members = &plan->def->members;
    const struct member *m = NULL;

    if (v.type == VALUE_TEXT) {
        m = members_by_code(members, v.text);
    } else if (v.type == VALUE_ENUM && plan->dictionary) {
        m = members_by_number(&plan->dictionary->members, v.i);
        m = m ? members_by_code(members, m->code) : NULL;
    } else if (v.type == VALUE_ENUM) {
        m = members_by_number(members, v.i);
    }
    return m ? value_enum(m->number) : value_unknown(WHY_TYPE);
}

/* The flags that the point knows, renumbered. */
static struct value point_flags(const struct point_plan *plan, struct value v)
{
    const struct members *from = plan->dictionary ? &plan->dictionary->members : &plan->def->members;
    uint64_t bits = 0;

    if (v.type != VALUE_BITS)
        return value_unknown(WHY_TYPE);
    for (size_t i = 0; i < from->list.n; i++) {
        const struct member *m = &from->list.v[i];

        if (plan->dictionary && (v.bits >> m->number & 1))
            m = members_by_code(&plan->def->members, m->code);
        else if (!(v.bits >> m->number & 1))
            m = NULL;
        if (m)
            bits |= UINT64_C(1) << m->number;
    }
    return value_bits(bits);
}

/* A value that is not plain, as the point's type has it. What does not fit, or is not good, is never a number. */
static struct value point_value(const struct point_plan *plan, struct value v)
{
    if (v.quality != QUALITY_GOOD)
        return value_spoilt(v);
    if (plan->type == VALUE_ENUM)
        return point_member(plan, v);
    if (plan->type == VALUE_BITS)
        return point_flags(plan, v);
    return value_unknown(WHY_TYPE);
}

static void ask_rows(const struct rows *rows, const struct row_test *test, const struct row *row, struct value *verdict)
{
    for (size_t i = rows_lower_bound(rows, row->instance, row->ninstance);
         i < rows->n && row_begins(&rows->v[i], row->instance, row->ninstance) && !beside_is_true(*verdict); i++) {
        struct value v = expr_eval(test->where, rows_slots(rows, i), rows->nslots);

        v.slot = VALUE_NO_SLOT; /* it is another table's */
        beside_hear(v, verdict);
    }
}

/* True as soon as one condition is, false only if one says so. */
static struct value any_value(const struct batch *b, const struct table_plan *table, const struct point_rule *rule,
                              const struct row *row, const struct value *slots, size_t nslots)
{
    struct value verdict = VALUE_UNKNOWN;

    for (size_t i = 0; i < rule->any_here.n && !beside_is_true(verdict); i++)
        beside_hear(expr_eval(rule->any_here.v[i], slots, nslots), &verdict);
    for (size_t i = 0; i < rule->any_rows.n && !beside_is_true(verdict); i++) {
        const struct row_test *test = &rule->any_rows.v[i];

        ask_rows(&b->rows[table->first_of_module + test->component], test, row, &verdict);
    }
    return verdict;
}

/* A point is not of its row any more: what is to blame is numbered among all slots of the profile. */
static uint16_t blamed(const struct table_plan *table, const struct point_plan *plan, struct value v)
{
    bool is_main = v.quality == QUALITY_GOOD || (v.slot == VALUE_NO_SLOT && v.why != WHY_RANGE);

    return is_main ? plan->main_slot : plan_slot(table, v.slot);
}

/* Of what is not good, what says why stays. */
static bool is_better(struct value v, struct value than)
{
    return v.quality == QUALITY_GOOD ||
           (than.quality == QUALITY_UNKNOWN && (v.quality != QUALITY_UNKNOWN || than.why == WHY_NONE));
}

/* What the point takes as it is, as it does most. False for what is not good, or has to be renumbered. */
static inline bool put_plain(const struct point_plan *plan, struct value v, struct value *told)
{
    if (v.quality != QUALITY_GOOD || plan->type == VALUE_ENUM || plan->type == VALUE_BITS)
        return false;
    if (v.type == plan->type)
        *told = v;
    else if (v.type == VALUE_INT && plan->type == VALUE_NUM)
        *told = value_num((double)v.i);
    else
        return false;
    told->slot = plan->main_slot;
    return true;
}

static void put_odd(const struct table_plan *table, const struct point_plan *plan, struct value v, struct value *told)
{
    v = point_value(plan, v);
    if (!is_better(v, *told))
        return;
    *told = v;
    told->slot = blamed(table, plan, v);
}

static inline void put_point(const struct table_plan *table, const struct point_plan *plan, struct value v,
                             struct value *told)
{
    if (!put_plain(plan, v, told))
        put_odd(table, plan, v, told);
}

static void reckon_points(struct batch *b, const struct table_plan *table, const struct row *row,
                          const struct value *slots, size_t nslots, struct value *told)
{
    const struct component_def *def = table->def;
    struct arena *arena = &b->n->harvest->arena;

    for (size_t i = 0; i < def->points.n; i++) {
        const struct point_plan *plan = &table->points[i];
        struct value *to = &told[plan->place];

        if (plan->value)
            put_point(table, plan, expr_eval_in(plan->value, slots, nslots, arena), to);
        else
            put_point(table, plan, any_value(b, table, &def->points.v[i], row, slots, nslots), to);
    }
}

/* ---- Names ---- */

/* A key or label as text; NULL where the expression gives none. */
static const char *name_of(struct arena *arena, const struct expr *e, const struct value *slots, size_t nslots)
{
    struct value v;
    size_t n;
    char *cut;

    if (!e)
        return NULL;
    v = expr_eval_in(e, slots, nslots, arena);
    if (v.quality != QUALITY_GOOD)
        return NULL;
    if (v.type == VALUE_INT)
        return decode_decimal(v.i, arena);
    if (v.type != VALUE_TEXT || !*v.text)
        return NULL;
    n = strlen(v.text);
    if (n <= KEY_MAX)
        return v.text;
    for (n = KEY_MAX; ((unsigned char)v.text[n] & 0xc0) == 0x80;)
        n--;
    cut = arena_alloc(arena, n + 1);
    memcpy(cut, v.text, n);
    cut[n] = '\0';
    return cut;
}

/* ---- Findings ---- */

static void find_row(struct batch *b, uint32_t table, size_t i)
{
    const struct table_plan *plan = &b->n->tables.v[table];
    const struct component_def *def = plan->def;
    const struct rows *rows = &b->rows[table];
    const struct row *row = &rows->v[i];
    struct value *slots = rows->slots + row->place * rows->nslots;
    struct harvest *harvest = b->n->harvest;
    const char *key = "", *label;
    struct finding *f;

    if (plan->asks)
        beside_ask(plan, &b->rows[plan->first_of_module], i, slots,
                   &(struct beside){b->lookups + plan->first_join, &b->arena});
    if (def->when && !beside_is_true(expr_eval(def->when, slots, rows->nslots)))
        return;
    if (!def->kind->single) {
        key = name_of(&harvest->arena, def->key, slots, rows->nslots);
        if (!key)
            key = decode_dotted(row->instance, row->ninstance, &harvest->arena);
    }
    f = harvest_take(harvest, table, plan, &b->n->told.v[plan->told], row, key);
    b->gave[table]++;
    label = name_of(&harvest->arena, def->label, slots, rows->nslots);
    if (!f->f.row)
        f->f.row = slots;
    if (!f->f.label)
        f->f.label = label;
    reckon_points(b, plan, row, slots, rows->nslots, f->told);
}

/* What a table without a kind computes, for those that ask it. */
static void compute_rows(struct batch *b, uint32_t table)
{
    for (size_t i = 0; b->n->tables.v[table].def->computed.n > 0 && i < b->rows[table].n; i++)
        beside_compute(b->n->tables.v[table].def, b->rows[table].slots + i * b->rows[table].nslots, &b->arena);
}

/* One that gives way does so by what was found in this read. */
static void find_rows(struct batch *b, uint32_t table)
{
    uint32_t instead = b->n->tables.v[table].instead;

    if (instead != NO_TABLE && b->gave[instead] > 0) {
        b->gave[table] = b->gave[instead]; /* what gives way to this one gives way to that one too */
        return;
    }
    for (size_t i = 0; i < b->rows[table].n; i++)
        find_row(b, table, i);
}

/* What the batch comes to; it stands until another one is reckoned out. */
static struct harvest *reckon(struct batch *b)
{
    size_t rows = 0;

    for (size_t i = 0; i < b->n->tables.n; i++)
        rows += b->rows[i].n;
    harvest_begin(b->n->harvest, rows);
    memset(b->lookups, 0, b->n->njoins * sizeof *b->lookups);
    memset(b->gave, 0, b->n->tables.n * sizeof *b->gave);
    for (uint32_t t = 0; t < b->n->tables.n; t++)
        if (!b->n->tables.v[t].def->kind)
            compute_rows(b, t);
    for (uint32_t i = 0; i < b->n->order.n; i++)
        find_rows(b, b->n->order.v[i]);
    return b->n->harvest;
}

void batch_finish_told(struct batch *b, void (*fn)(void *ctx, const struct found *f), void *ctx)
{
    struct harvest *harvest = reckon(b);

    for (size_t i = 0; i < harvest->list.n; i++) {
        struct found *f = &harvest->list.v[i].f;

        if (!f->label)
            f->label = f->key;
        fn(ctx, f);
    }
}

/* What is told of a component, by the slots of its kind. */
static const struct value *all_points(const struct normaliser *n, const struct finding *f)
{
    const struct told *told = &n->told.v[n->tables.v[f->table].told];
    struct value *points = arena_alloc(&n->harvest->arena, (f->f.kind->points.n + 1) * sizeof *points);

    for (size_t i = 0; i < f->f.kind->points.n; i++)
        points[i] = VALUE_UNKNOWN;
    for (size_t i = 0; i < told->slots.n; i++)
        points[told->slots.v[i]] = f->told[i];
    return points;
}

void batch_finish(struct batch *b, void (*fn)(void *ctx, const struct found *f), void *ctx)
{
    struct harvest *harvest = reckon(b);

    for (size_t i = 0; i < harvest->list.n; i++) {
        struct found *f = &harvest->list.v[i].f;

        if (!f->label)
            f->label = f->key;
        f->points = all_points(b->n, &harvest->list.v[i]);
        fn(ctx, f);
    }
}

const struct value *batch_single(const struct batch *b, const struct component_def *def)
{
    for (uint32_t t = 0; t < b->n->tables.n; t++) {
        const struct rows *rows = &b->rows[t];
        const struct value *slots;

        if (b->n->tables.v[t].def != def || rows->n == 0)
            continue;
        slots = rows->slots + rows->v[0].place * rows->nslots;
        if (!def->when || beside_is_true(expr_eval(def->when, slots, rows->nslots)))
            return slots;
    }
    return NULL;
}
