#ifndef PD_WATCH_INSTANCE_H
#define PD_WATCH_INSTANCE_H

#include "base/arena.h"
#include "model/module.h"

/*
 * The numbers of a row's instance as what they stand for. An instance that is
 * not made of just the parts is none of the table's, whatever it may be: it is
 * refused, never guessed at.
 */
bool instance_fits(const struct index_part *parts, size_t nparts, const uint32_t *instance, size_t n);

/* Fills slots[first], one a part, from an instance that fits. What is empty, or no text or address, is unknown. */
void instance_take(const struct index_part *parts, size_t nparts, const uint32_t *instance, size_t n,
                   struct value *slots, size_t first, struct arena *arena);

#endif
