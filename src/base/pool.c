#include "base/pool.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct entry {
    struct entry *next;
    uint64_t hash;
    size_t n;
    uint32_t refs;
    alignas(max_align_t) unsigned char bytes[];
};

struct pool {
    struct entry **buckets; /* a power of two of them */
    size_t nbuckets, count;
};

enum { BUCKETS_MIN = 64 };

static uint64_t hash_of(const void *bytes, size_t n)
{
    const unsigned char *s = bytes;
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < n; i++)
        h = (h ^ s[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

static struct entry *entry_of(const void *held)
{
    return (struct entry *)((uintptr_t)held - offsetof(struct entry, bytes));
}

struct pool *pool_new(void)
{
    struct pool *p = xcalloc(1, sizeof *p);

    p->nbuckets = BUCKETS_MIN;
    p->buckets = xcalloc(p->nbuckets, sizeof *p->buckets);
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->nbuckets; i++) {
        for (struct entry *e = p->buckets[i]; e;) {
            struct entry *next = e->next;

            free(e);
            e = next;
        }
    }
    free(p->buckets);
    free(p);
}

static struct entry **bucket_of(const struct pool *p, uint64_t hash)
{
    return &p->buckets[hash & (p->nbuckets - 1)];
}

static void grow(struct pool *p)
{
    struct entry **old = p->buckets;
    size_t nold = p->nbuckets;

    p->nbuckets *= 2;
    p->buckets = xcalloc(p->nbuckets, sizeof *p->buckets);
    for (size_t i = 0; i < nold; i++) {
        for (struct entry *e = old[i]; e;) {
            struct entry *next = e->next, **bucket = bucket_of(p, e->hash);

            e->next = *bucket;
            *bucket = e;
            e = next;
        }
    }
    free(old);
}

const void *pool_take(struct pool *p, const void *bytes, size_t n)
{
    uint64_t hash = hash_of(bytes, n);
    struct entry *e = *bucket_of(p, hash);

    while (e && !(e->hash == hash && e->n == n && memcmp(e->bytes, bytes, n) == 0))
        e = e->next;
    if (e) {
        e->refs++;
        return e->bytes;
    }
    if (p->count == p->nbuckets)
        grow(p);
    e = xmalloc(sizeof *e + n);
    *e = (struct entry){.next = *bucket_of(p, hash), .hash = hash, .n = n, .refs = 1};
    memcpy(e->bytes, bytes, n);
    *bucket_of(p, hash) = e;
    p->count++;
    return e->bytes;
}

const char *pool_text(struct pool *p, const char *text)
{
    return pool_take(p, text, strlen(text) + 1);
}

const void *pool_hold(const void *held)
{
    if (held)
        entry_of(held)->refs++;
    return held;
}

void pool_drop(struct pool *p, const void *held)
{
    struct entry *e, **at;

    if (!held)
        return;
    e = entry_of(held);
    if (--e->refs > 0)
        return;
    for (at = bucket_of(p, e->hash); *at != e;)
        at = &(*at)->next;
    *at = e->next;
    p->count--;
    free(e);
}

size_t pool_count(const struct pool *p)
{
    return p->count;
}
