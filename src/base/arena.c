#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/mem.h"

struct arena_block {
    struct arena_block *next;
    size_t n, size;
    alignas(max_align_t) unsigned char data[];
};

enum { BLOCK = 16384 };

static struct arena_block *block_new(size_t size)
{
    struct arena_block *b = xmalloc(sizeof *b + size);

    b->next = NULL;
    b->n = 0;
    b->size = size;
    return b;
}

/* Moves on to a block with room for n more bytes; blocks that lie behind stay for the next reset. */
static void next_block(struct arena *a, size_t n)
{
    struct arena_block *next = a->current ? a->current->next : a->first;

    if (!next || next->size < n) {
        struct arena_block *b = block_new(n > BLOCK ? n : BLOCK);

        b->next = next;
        if (a->current)
            a->current->next = b;
        else
            a->first = b;
        next = b;
    }
    next->n = 0;
    a->current = next;
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *p;

    n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (!a->current || a->current->size - a->current->n < n)
        next_block(a, n);
    p = a->current->data + a->current->n;
    a->current->n += n;
    a->used += n;
    return p;
}

void arena_reset(struct arena *a)
{
    a->current = NULL;
    a->used = 0;
}

void arena_fini(struct arena *a)
{
    for (struct arena_block *b = a->first; b;) {
        struct arena_block *next = b->next;

        free(b);
        b = next;
    }
    *a = (struct arena){0};
}
