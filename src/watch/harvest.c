#include "watch/harvest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/decode.h"
#include "watch/plan.h"

/* Half of the buckets stay empty, so that a search always ends. */
void harvest_begin(struct harvest *s, size_t rows)
{
    size_t want = 16;

    while (want < 2 * rows)
        want *= 2;
    if (want > s->nbuckets) {
        free(s->buckets);
        s->buckets = xcalloc(want, sizeof *s->buckets);
        s->nbuckets = want;
    } else {
        memset(s->buckets, 0, s->nbuckets * sizeof *s->buckets);
    }
    s->list.n = 0;
    arena_reset(&s->arena);
}

void harvest_fini(struct harvest *s)
{
    array_free(&s->list);
    free(s->buckets);
    arena_fini(&s->arena);
}

static uint64_t hash_of(const struct kind *kind, const char *key)
{
    uint64_t h = 0xcbf29ce484222325u ^ kind->number;

    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 0x100000001b3u;
    return h ^ h >> 32;
}

/* The bucket that holds the component, or the empty one where it belongs. */
static uint32_t *bucket_of(struct harvest *s, const struct kind *kind, const char *key, uint64_t hash)
{
    for (size_t i = hash;; i++) {
        uint32_t *bucket = &s->buckets[i & (s->nbuckets - 1)];
        const struct finding *f;

        if (*bucket == 0)
            return bucket;
        f = &s->list.v[*bucket - 1];
        if (f->hash == hash && f->f.kind == kind && strcmp(f->f.key, key) == 0)
            return bucket;
    }
}

static const char *numbered_key(struct harvest *s, const char *key, const struct row *row)
{
    const char *instance = decode_dotted(row->instance, row->ninstance, &s->arena);
    size_t n = strlen(key) + strlen(instance) + 2;
    char *numbered = arena_alloc(&s->arena, n);

    snprintf(numbered, n, "%s#%s", key, instance);
    return numbered;
}

static struct finding *add(struct harvest *s, const struct table_plan *plan, const struct told *told,
                           const struct row *row, const char *key)
{
    struct value *points = arena_alloc(&s->arena, (told->slots.n + 1) * sizeof *points);
    struct finding *finding;

    for (size_t i = 0; i < told->slots.n; i++)
        points[i] = VALUE_UNKNOWN;
    array_reserve(&s->list, s->list.n + 1);
    finding = &s->list.v[s->list.n++];
    *finding = (struct finding){
        .f = {.kind = plan->def->kind,
              .module = plan->module,
              .def = plan->def,
              .key = key,
              .instance = row->instance,
              .ninstance = row->ninstance,
              .told = points},
        .told = points,
    };
    return finding;
}

struct finding *harvest_take(struct harvest *s, uint32_t table, const struct table_plan *plan, const struct told *told,
                             const struct row *row, const char *key)
{
    const struct kind *kind = plan->def->kind;

    for (;;) {
        uint64_t hash = hash_of(kind, key);
        uint32_t *bucket = bucket_of(s, kind, key, hash);
        struct finding *f;

        if (*bucket == 0) {
            f = add(s, plan, told, row, key);
            f->hash = hash;
            f->table = table;
            *bucket = (uint32_t)s->list.n;
            return f;
        }
        f = &s->list.v[*bucket - 1];
        if (kind->single || plan->def->merge || f->table != table) {
            f->table = table;
            return f;
        }
        key = numbered_key(s, key, row); /* longer each time, so it ends */
    }
}
