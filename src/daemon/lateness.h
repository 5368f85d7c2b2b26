#ifndef PD_DAEMON_LATENESS_H
#define PD_DAEMON_LATENESS_H

#include "base/array.h"
#include "base/hist.h"

/* How long after they were due polls are on disk: the store commits them in the order in which they were queued. */
struct lateness {
    ARRAY(int64_t) due; /* of those not on disk yet, from `first` on; monotonic */
    size_t first;
    struct hist_window *stored; /* in microseconds */
};

void lateness_init(struct lateness *l);
void lateness_fini(struct lateness *l);
/* A poll was queued; due_ms -1: one that is not counted. */
void lateness_queued(struct lateness *l, int64_t due_ms);
/* The n oldest are on disk. */
void lateness_stored(struct lateness *l, size_t n, int64_t now_ms);

#endif
