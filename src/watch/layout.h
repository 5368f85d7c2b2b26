#ifndef PD_WATCH_LAYOUT_H
#define PD_WATCH_LAYOUT_H

#include "base/array.h"
#include "model/vocabulary.h"

/*
 * Which points of a kind something has: of the forty of a port a module mostly
 * tells a few, and only these are kept. Components that have the same points
 * share a layout, so whether two agree is whether they are one.
 */
struct layout {
    const struct kind *kind;
    size_t n;
    uint16_t *slots;  /* of the kind, ascending */
    uint16_t *places; /* for each slot of the kind where it stands among them; LAYOUT_NONE */
};

enum { LAYOUT_NONE = UINT16_MAX };

struct layouts { /* an ARRAY */
    struct layout **v;
    size_t n, cap;
};

/* The layout of a kind with these slots, in any order, each once or more often. */
const struct layout *layout_of(struct layouts *all, const struct kind *kind, const uint16_t *slots, size_t n);
/* The one that has what either has; of one kind. */
const struct layout *layout_both(struct layouts *all, const struct layout *a, const struct layout *b);
void layouts_free(struct layouts *all);

/* A value in three quarters of its size: a device has hundreds of them. */
struct point {
    uint32_t low, high; /* of what it is */
    uint8_t type : 4, quality : 3;
    uint8_t told : 1; /* to the store, as it is: in the device's chain of polls */
    uint8_t why;
    uint16_t slot;
};
_Static_assert(sizeof(struct point) == 12, "there are many of these");

static inline struct value point_get(const struct point *p)
{
    return (struct value){.type = p->type,
                          .quality = p->quality,
                          .why = p->why,
                          .slot = p->slot,
                          .bits = (uint64_t)p->high << 32 | p->low};
}

static inline struct point point_of(struct value v)
{
    return (struct point){.low = (uint32_t)v.bits,
                          .high = (uint32_t)(v.bits >> 32),
                          .type = v.type & 15,
                          .quality = v.quality & 7,
                          .why = v.why,
                          .slot = v.slot};
}

/* Where a slot stands; LAYOUT_NONE for one that it has not, or that there is none of. */
static inline uint16_t layout_place(const struct layout *l, unsigned slot)
{
    return slot < l->kind->points.n ? l->places[slot] : (uint16_t)LAYOUT_NONE;
}

#endif
