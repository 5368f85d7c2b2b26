#include "plugins/modbus/plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/err.h"
#include "base/mem.h"

enum { PARTS = 32 };

/* ---- Compiling ---- */

static int refuse(const struct pd_source *s, const char *why, struct pd_compile_error *err)
{
    err->source = s->id;
    (void)snprintf(err->msg, sizeof err->msg, "address '%.30s': %s", s->address, why);
    return PD_EINVAL;
}

static int by_place(const void *a, const void *b)
{
    const struct mb_item *x = a, *y = b;

    if (x->a.function != y->a.function)
        return x->a.function < y->a.function ? -1 : 1;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->a.count != y->a.count)
        return x->a.count < y->a.count ? -1 : 1;
    return x->source < y->source ? -1 : x->source > y->source;
}

static bool is_plain(const struct mb_address *a)
{
    return !mb_is_bits(a->function) && a->type == MB_UNSIGNED && a->count == 1 && a->order == 0 && a->bit == 0 &&
           a->bits == 0;
}

static int add_source(struct pd_plan *p, size_t *cap, const struct pd_source *s, struct pd_compile_error *err)
{
    struct mb_item item = {.source = s->id, .part = s->part};
    char why[MB_WHY];
    size_t rows;

    if (mb_address_parse(s->address, s->table, &item.a, why) < 0)
        return refuse(s, why, err);
    if (s->part >= PARTS)
        return refuse(s, "it belongs to a part above 31", err);
    item.plain = is_plain(&item.a);
    rows = s->table ? item.a.rows : 1;
    if (p->n + rows > MB_MAX_ITEMS)
        return refuse(s, "with it there are more than 16384 values", err);
    array_grow((void **)&p->items, cap, p->n + rows, sizeof *p->items);
    for (size_t i = 0; i < rows; i++) {
        item.at = (uint16_t)(item.a.address + i * item.a.step);
        item.row = s->table ? (uint32_t)i + 1 : 0;
        p->items[p->n++] = item;
    }
    return 0;
}

int mb_plan_compile(const struct pd_source *sources, size_t n, struct pd_plan **out, struct pd_compile_error *err)
{
    struct pd_plan *p = xcalloc(1, sizeof *p);
    size_t cap = 0;

    for (size_t i = 0; i < n; i++) {
        int rc = add_source(p, &cap, &sources[i], err);

        if (rc < 0) {
            mb_plan_free(p);
            return rc;
        }
    }
    if (p->n > 0)
        qsort(p->items, p->n, sizeof *p->items, by_place);
    *out = p;
    return 0;
}

struct pd_plan *mb_plan_walk(uint8_t function, uint16_t first, uint16_t last)
{
    struct pd_plan *p = xcalloc(1, sizeof *p);

    p->walk = true;
    p->n = last - first + 1u;
    p->items = xcalloc(p->n, sizeof *p->items);
    for (size_t i = 0; i < p->n; i++) {
        p->items[i] = (struct mb_item){
            .a = {.function = function, .type = MB_UNSIGNED, .count = 1, .address = (uint16_t)(first + i)},
            .at = (uint16_t)(first + i),
            .row = 1,
            .plain = !mb_is_bits(function),
        };
    }
    return p;
}

void mb_plan_free(struct pd_plan *p)
{
    if (!p)
        return;
    free(p->items);
    free(p);
}

/* ---- What a device taught us ---- */

static uint64_t key_of(const struct mb_item *item)
{
    return (uint64_t)item->a.function << 32 | (uint64_t)item->at << 16 | item->a.count;
}

/* The marks themselves are the values. */
unsigned mb_learnt_marks(const struct mb_learnt *l, const struct mb_item *item)
{
    return (unsigned)(uintptr_t)u64dict_get(l->marks, key_of(item));
}

void mb_learnt_mark(struct mb_learnt *l, const struct mb_item *item, enum mb_mark mark)
{
    uintptr_t marks = mark;

    if (!l->marks)
        l->marks = u64dict_new();
    else
        marks |= mb_learnt_marks(l, item);
    u64dict_put(l->marks, key_of(item), (void *)marks); // NOLINT(performance-no-int-to-ptr)
}

void mb_learnt_forget(struct mb_learnt *l)
{
    struct u64dict *kept = NULL;
    uint64_t key;
    void *marks;

    for (size_t at = 0; l->marks && u64dict_next(l->marks, &at, &key, &marks);) {
        uintptr_t left = (uintptr_t)marks & ~(uintptr_t)MB_MARK_ABSENT;

        if (left && !kept)
            kept = u64dict_new();
        if (left)
            u64dict_put(kept, key, (void *)left); // NOLINT(performance-no-int-to-ptr)
    }
    mb_learnt_free(l);
    l->marks = kept;
}

void mb_learnt_free(struct mb_learnt *l)
{
    u64dict_free(l->marks);
    l->marks = NULL;
}

/* ---- Requests ---- */

static uint32_t end_of(const struct mb_item *item)
{
    return (uint32_t)item->at + item->a.count;
}

static bool same_place(const struct mb_item *a, const struct mb_item *b)
{
    return a->a.function == b->a.function && a->at == b->at && a->a.count == b->a.count;
}

bool mb_merge_forbids(const struct mb_merge *merge, uint8_t function, uint32_t first, uint32_t end)
{
    for (size_t i = 0; i < merge->nholes; i++) {
        const struct pd_hole *h = &merge->holes[i];

        if (h->function == function && h->first < end && h->last >= first)
            return true;
    }
    return false;
}

/* May the item join a chunk that begins with `first` and reaches up to `end`, if it goes by their places alone? */
static inline bool is_near(const struct mb_item *first, uint32_t end, uint32_t limit, const struct mb_item *item,
                           uint32_t gap)
{
    return item->a.function == first->a.function && item->at <= end + gap && end_of(item) - first->at <= limit &&
           !item->a.alone && !first->a.alone;
}

/* If it goes by what the device taught us, and by its map? */
static bool may_reach(uint32_t end, const struct mb_item *item, const struct mb_learnt *l, const struct mb_merge *merge)
{
    if (item->at > end && mb_merge_forbids(merge, item->a.function, end, item->at))
        return false;
    return !mb_learnt_is(l, item, MB_MARK_CUT);
}

static void begin_chunk(const struct pd_plan *p, size_t i, struct mb_chunk *c)
{
    const struct mb_item *item = &p->items[i];

    *c = (struct mb_chunk){.first = i, .end = i + 1};
    c->ask = (struct mb_ask){.function = item->a.function, .address = item->at, .count = item->a.count};
}

/* Adds what lies behind to a chunk that has begun. */
static void extend_chunk(const struct pd_plan *p, uint32_t parts, const struct mb_learnt *l,
                         const struct mb_merge *merge, struct mb_chunk *c)
{
    const struct mb_item *first = &p->items[c->first], *last = &p->items[p->n], *item;
    const bool special = l->marks || merge->nholes > 0;
    const uint32_t gap = merge->gap, limit = mb_is_bits(first->a.function) ? merge->bits : merge->registers;
    const struct mb_item *behind = first + 1;
    uint32_t end = end_of(first);

    for (item = behind; item < last; item++) {
        if (!mb_wanted(item, parts) || (special && mb_plan_lacks(l, merge, item)))
            continue;
        if (!(is_near(first, end, limit, item, gap) && (!special || may_reach(end, item, l, merge))) &&
            !same_place(first, item))
            break;
        behind = item + 1;
        end = end_of(item) > end ? end_of(item) : end;
    }
    c->end = (size_t)(behind - p->items);
    c->ask.count = (uint16_t)(end - first->at);
}

bool mb_plan_next(const struct pd_plan *p, size_t from, uint32_t parts, const struct mb_learnt *l,
                  const struct mb_merge *merge, struct mb_chunk *out)
{
    for (size_t i = from; i < p->n; i++) {
        if (!mb_wanted(&p->items[i], parts) || mb_plan_lacks(l, merge, &p->items[i]))
            continue;
        begin_chunk(p, i, out);
        extend_chunk(p, parts, l, merge, out);
        return true;
    }
    return false;
}

bool mb_plan_first(const struct pd_plan *p, uint32_t parts, const struct mb_merge *merge, struct mb_chunk *out)
{
    static const struct mb_learnt nothing;

    for (size_t i = 0; i < p->n; i++) {
        if (!mb_wanted(&p->items[i], parts) || mb_plan_lacks(&nothing, merge, &p->items[i]))
            continue;
        begin_chunk(p, i, out);
        return true;
    }
    return false;
}

bool mb_plan_cut(const struct pd_plan *p, uint32_t parts, struct mb_learnt *l, const struct mb_chunk *c, bool middle)
{
    const struct mb_item *first = &p->items[c->first], *best = NULL;
    uint32_t end = end_of(first), half = c->ask.address + c->ask.count / 2u, best_gap = 0, best_off = 0;

    for (size_t i = c->first + 1; i < c->end; i++) {
        const struct mb_item *item = &p->items[i];
        uint32_t gap = !middle && item->at > end ? item->at - end : 0;
        uint32_t off = item->at > half ? item->at - half : half - item->at;

        if (!mb_wanted(item, parts) || mb_learnt_is(l, item, MB_MARK_ABSENT) || same_place(first, item))
            continue;
        end = end_of(item) > end ? end_of(item) : end;
        if (best && (gap < best_gap || (gap == best_gap && off >= best_off)))
            continue;
        best = item;
        best_gap = gap;
        best_off = off;
    }
    if (best)
        mb_learnt_mark(l, best, MB_MARK_CUT);
    return best != NULL;
}
