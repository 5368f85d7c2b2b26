#include "watch/lookup.h"

#include <math.h>
#include <string.h>

/* A whole number as such, whatever its type: so that equal ones have equal hashes. */
static struct value plain(struct value v)
{
    if (v.type == VALUE_NUM && fabs(v.num) < 0x1p53 && v.num == trunc(v.num))
        return value_int((int64_t)v.num);
    return v;
}

static uint64_t hash_of(struct value v)
{
    uint64_t h = 0xcbf29ce484222325u;

    v = plain(v);
    if (v.type == VALUE_BOOL)
        return v.b;
    if (v.type != VALUE_TEXT)
        return (uint64_t)v.i * 0x9e3779b97f4a7c15u >> 32;
    for (const char *p = v.text; *p; p++)
        h = (h ^ (unsigned char)*p) * 0x100000001b3u;
    return h ^ h >> 32;
}

bool lookup_same(struct value a, struct value b)
{
    if (a.quality != QUALITY_GOOD || b.quality != QUALITY_GOOD)
        return false;
    return value_same(plain(a), plain(b));
}

void lookup_make(struct lookup *l, const struct rows *rows, unsigned slot, struct arena *arena)
{
    size_t n = 8;

    if (l->first)
        return;
    while (n < rows->n)
        n *= 2;
    l->nfirst = n;
    l->first = arena_alloc(arena, n * sizeof *l->first);
    l->next = arena_alloc(arena, (rows->n + 1) * sizeof *l->next);
    memset(l->first, 0, n * sizeof *l->first);
    for (size_t i = rows->n; i-- > 0;) {
        struct value v = rows_slots(rows, i)[slot];
        uint32_t *first;

        if (v.quality != QUALITY_GOOD)
            continue;
        first = &l->first[hash_of(v) & (n - 1)];
        l->next[i] = *first;
        *first = (uint32_t)i + 1;
    }
}

uint32_t lookup_first(const struct lookup *l, struct value v)
{
    return l->first[hash_of(v) & (l->nfirst - 1)] - 1;
}

uint32_t lookup_next(const struct lookup *l, uint32_t at)
{
    return l->next[at] - 1;
}
