#ifndef PD_SIM_RANDOM_H
#define PD_SIM_RANDOM_H

#include "run.h"

/* Stories made up by seed, each run in a process of its own, several at a time; told in order of their seeds. */
struct random_options {
    uint64_t first, last; /* seeds */
    unsigned devices, days, jobs;
    struct run_options run;
};

/* Prints each story's line and sums by kind; true if all was found, in time, once, and nothing else. */
bool random_run(const struct random_options *options);

#endif
