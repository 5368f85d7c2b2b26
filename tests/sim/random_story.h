#ifndef PD_SIM_RANDOM_STORY_H
#define PD_SIM_RANDOM_STORY_H

#include "base/str.h"

/*
 * Makes up a story by a seed, as text: faults of every kind that its devices
 * know, at least three a device and month, over each other, with restarts,
 * losses and clock steps. The same arguments give the same text.
 */
void random_story(struct sbuf *out, uint64_t seed, unsigned devices, unsigned days);

#endif
