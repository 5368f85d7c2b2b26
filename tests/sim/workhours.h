#ifndef PD_SIM_WORKHOURS_H
#define PD_SIM_WORKHOURS_H

#include "story.h"

/*
 * Working time as a story tells of it, reckoned day by day: the simulator's own
 * arithmetic, which shares nothing with patrold's. Times are wall clock, UTC.
 */

/* Working time between two times; always: all of it. */
int64_t work_between(const struct story *s, bool always, int64_t from_ms, int64_t to_ms);
/* When so much of it is over; INT64_MAX: not within two years. */
int64_t work_after(const struct story *s, bool always, int64_t from_ms, int64_t work_ms);

#endif
