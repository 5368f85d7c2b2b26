#include "base/dict.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/*
 * Entries stand in an array in order of insertion; an index of open addressing
 * (linear probing) points into it. A removed entry stays in the array as a
 * gravestone (value NULL), so that probing goes on past it, until the array is
 * full and is packed or doubled.
 */
struct entry {
    uint64_t num; /* the hash of key, or the number that is the key */
    char *key;    /* NULL in a u64dict */
    void *value;
};

struct table {
    struct entry *entries;
    uint32_t *index; /* entry number + 1, or 0; two cells an entry */
    size_t used;     /* entries in use, gravestones included */
    size_t live;
    size_t cap; /* entries there is room for: 0 or a power of two */
};

struct dict {
    struct table t;
};

struct u64dict {
    struct table t;
};

#define CAP_MIN 8

static uint64_t hash_text(const char *s)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a */

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return h;
}

/* Spreads what FNV and small numbers leave in a few bits. */
static size_t first_cell(const struct table *t, uint64_t num)
{
    num ^= num >> 32;
    num *= 0x9e3779b97f4a7c15u;
    num ^= num >> 29;
    return (size_t)num & (t->cap * 2 - 1);
}

static struct entry *find(const struct table *t, uint64_t num, const char *key)
{
    if (t->cap == 0)
        return NULL;
    for (size_t i = first_cell(t, num); t->index[i]; i = (i + 1) & (t->cap * 2 - 1)) {
        struct entry *e = &t->entries[t->index[i] - 1];

        if (e->value && e->num == num && (!key || strcmp(e->key, key) == 0))
            return e;
    }
    return NULL;
}

static void index_entry(struct table *t, size_t n)
{
    size_t i = first_cell(t, t->entries[n].num);

    while (t->index[i])
        i = (i + 1) & (t->cap * 2 - 1);
    t->index[i] = (uint32_t)n + 1;
}

/* Makes room for one more: drops the gravestones, and doubles if more than half were alive. */
static void make_room(struct table *t)
{
    size_t n = 0;

    if (t->live >= t->cap / 2)
        t->cap = t->cap ? t->cap * 2 : CAP_MIN;
    for (size_t i = 0; i < t->used; i++)
        if (t->entries[i].value)
            t->entries[n++] = t->entries[i];
    t->used = n;
    t->entries = xreallocarray(t->entries, t->cap, sizeof *t->entries);
    free(t->index);
    t->index = xcalloc(t->cap * 2, sizeof *t->index);
    for (size_t i = 0; i < n; i++)
        index_entry(t, i);
}

static void *put(struct table *t, uint64_t num, const char *key, void *value)
{
    struct entry *e = find(t, num, key);
    void *old;

    assert(value);
    if (e) {
        old = e->value;
        e->value = value;
        return old;
    }
    if (t->used == t->cap)
        make_room(t);
    t->entries[t->used] = (struct entry){.num = num, .key = xstrdup_null(key), .value = value};
    index_entry(t, t->used++);
    t->live++;
    return NULL;
}

static void *del(struct table *t, uint64_t num, const char *key)
{
    struct entry *e = find(t, num, key);
    void *old;

    if (!e)
        return NULL;
    old = e->value;
    free(e->key);
    e->key = NULL;
    e->value = NULL;
    t->live--;
    return old;
}

static const struct entry *next(const struct table *t, size_t *at)
{
    while (*at < t->used) {
        const struct entry *e = &t->entries[(*at)++];

        if (e->value)
            return e;
    }
    return NULL;
}

static void release(struct table *t)
{
    for (size_t i = 0; i < t->used; i++)
        free(t->entries[i].key);
    free(t->entries);
    free(t->index);
}

struct dict *dict_new(void)
{
    return xcalloc(1, sizeof(struct dict));
}

void dict_free(struct dict *d)
{
    if (!d)
        return;
    release(&d->t);
    free(d);
}

void *dict_get(const struct dict *d, const char *key)
{
    const struct entry *e = find(&d->t, hash_text(key), key);

    return e ? e->value : NULL;
}

void *dict_put(struct dict *d, const char *key, void *value)
{
    return put(&d->t, hash_text(key), key, value);
}

void *dict_del(struct dict *d, const char *key)
{
    return del(&d->t, hash_text(key), key);
}

size_t dict_count(const struct dict *d)
{
    return d->t.live;
}

bool dict_next(const struct dict *d, size_t *at, const char **key, void **value)
{
    const struct entry *e = next(&d->t, at);

    if (!e)
        return false;
    *key = e->key;
    *value = e->value;
    return true;
}

struct u64dict *u64dict_new(void)
{
    return xcalloc(1, sizeof(struct u64dict));
}

void u64dict_free(struct u64dict *d)
{
    if (!d)
        return;
    release(&d->t);
    free(d);
}

void *u64dict_get(const struct u64dict *d, uint64_t key)
{
    const struct entry *e = find(&d->t, key, NULL);

    return e ? e->value : NULL;
}

void *u64dict_put(struct u64dict *d, uint64_t key, void *value)
{
    return put(&d->t, key, NULL, value);
}

void *u64dict_del(struct u64dict *d, uint64_t key)
{
    return del(&d->t, key, NULL);
}

size_t u64dict_count(const struct u64dict *d)
{
    return d->t.live;
}

size_t u64dict_after(const struct u64dict *d, uint64_t key)
{
    size_t lo = 0, hi = d->t.used;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (d->t.entries[mid].num <= key)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool u64dict_next(const struct u64dict *d, size_t *at, uint64_t *key, void **value)
{
    const struct entry *e = next(&d->t, at);

    if (!e)
        return false;
    *key = e->num;
    *value = e->value;
    return true;
}
