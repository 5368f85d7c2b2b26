#ifndef PD_BASE_ARENA_H
#define PD_BASE_ARENA_H

#include <stddef.h>

/* Storage that is given out piece by piece and taken back all at once, keeping the blocks for the next time. */
struct arena_block;

struct arena {
    struct arena_block *first, *current;
    size_t used; /* given out since the last reset */
};

/* Aligned for anything. */
void *arena_alloc(struct arena *a, size_t n);
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif
