#include "watch/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "watch/instance.h"

/* Below, at or above 0 as row stands before, at or behind the instance. */
static int compare(const struct row *row, const uint32_t *instance, uint32_t n)
{
    uint32_t common = row->ninstance < n ? row->ninstance : n;

    for (uint32_t i = 0; i < common; i++)
        if (row->instance[i] != instance[i])
            return row->instance[i] < instance[i] ? -1 : 1;
    return (row->ninstance > n) - (row->ninstance < n);
}

bool row_begins(const struct row *row, const uint32_t *instance, uint32_t n)
{
    return row->ninstance >= n && (n == 0 || memcmp(row->instance, instance, n * sizeof *instance) == 0);
}

size_t rows_lower_bound(const struct rows *r, const uint32_t *instance, uint32_t n)
{
    size_t low = 0, high = r->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare(&r->v[mid], instance, n) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Where the row is or belongs; *found says which. */
static size_t place_of(const struct rows *r, const uint32_t *instance, uint32_t n, bool *found)
{
    size_t at = r->last;

    *found = false;
    if (r->n == 0 || compare(&r->v[r->n - 1], instance, n) < 0)
        return r->n;
    *found = true;
    if (at < r->n && compare(&r->v[at], instance, n) == 0)
        return at;
    if (at + 1 < r->n && compare(&r->v[at + 1], instance, n) == 0)
        return at + 1;
    at = rows_lower_bound(r, instance, n);
    *found = compare(&r->v[at], instance, n) == 0;
    return at;
}

/* index, then index1 .. index4: what the instance has of them. */
static void fill_index(struct value *slot, const uint32_t *instance, uint32_t n)
{
    if (n > 0)
        slot[0] = value_int(instance[n - 1]);
    for (uint32_t i = 0; i < n && i < ROW_INDEX_SLOTS - 1; i++)
        slot[1 + i] = value_int(instance[i]);
}

static struct value *insert(struct rows *r, size_t at, const uint32_t *instance, uint32_t n, struct arena *arena)
{
    uint32_t *kept = arena_alloc(arena, n * sizeof *kept);
    size_t nslots = r->nslots;
    struct value *slots;

    for (uint32_t i = 0; i < n; i++)
        kept[i] = instance[i];
    array_reserve(r, r->n + 1);
    if ((r->n + 1) * nslots > r->slots_cap)
        array_grow((void **)&r->slots, &r->slots_cap, (r->n + 1) * nslots, sizeof *r->slots);
    if (at < r->n)
        memmove(&r->v[at + 1], &r->v[at], (r->n - at) * sizeof *r->v);
    r->v[at] = (struct row){.instance = kept, .ninstance = n, .place = (uint32_t)r->n};
    slots = r->slots + r->n * nslots;
    for (size_t i = 0; i < nslots; i++)
        slots[i] = (struct value){.quality = QUALITY_UNKNOWN, .why = WHY_ABSENT, .slot = (uint16_t)i};
    fill_index(slots + r->index_slot, kept, n);
    if (r->nparts > 0)
        instance_take(r->parts, r->nparts, kept, n, slots, r->index_slot + ROW_INDEX_SLOTS, arena);
    r->n++;
    return slots;
}

struct value *rows_find(struct rows *r, const uint32_t *instance, uint32_t n)
{
    bool found;
    size_t at = place_of(r, instance, n, &found);

    if (!found)
        return NULL;
    r->last = at;
    return r->slots + r->v[at].place * r->nslots;
}

struct value *rows_at(struct rows *r, const uint32_t *instance, uint32_t n, struct arena *arena)
{
    bool found;
    size_t at = place_of(r, instance, n, &found);

    if (!found && (r->n == ROWS_MAX || (r->nparts > 0 && !instance_fits(r->parts, r->nparts, instance, n))))
        return NULL;
    r->last = at;
    return found ? r->slots + r->v[at].place * r->nslots : insert(r, at, instance, n, arena);
}

void rows_fetch(const struct rows *r)
{
    enum { MOST = 4096 }; /* bytes: more would push out what is needed first */
    size_t bytes = r->slots_cap * sizeof *r->slots;

    mem_fetch(r->slots, bytes < MOST ? bytes : MOST);
    mem_fetch(r->v, bytes < MOST ? r->cap * sizeof *r->v : 0);
}

void rows_reset(struct rows *r)
{
    r->n = r->last = 0;
}

void rows_fini(struct rows *r)
{
    free(r->v);
    free(r->slots);
    *r = (struct rows){0};
}
