#ifndef PD_WATCH_LOOKUP_H
#define PD_WATCH_LOOKUP_H

#include "watch/rows.h"

/* The rows of a table by the value in one slot, each chain in order of instance. Zeroed: not made yet. */
struct lookup {
    uint32_t *first, *next; /* places in rows->v, + 1; first by hash, a power of two of them */
    size_t nfirst;
};

enum { LOOKUP_END = UINT32_MAX };

/* Makes it, unless it is; it lies in the arena, and is good while the rows are. */
void lookup_make(struct lookup *l, const struct rows *rows, unsigned slot, struct arena *arena);
/* Rows that may have the value (lookup_same() knows), first to last; LOOKUP_END behind the last. */
uint32_t lookup_first(const struct lookup *l, struct value v);
uint32_t lookup_next(const struct lookup *l, uint32_t at);
/* Whether two values are good and alike; numbers by what they come to. */
bool lookup_same(struct value a, struct value b);

#endif
