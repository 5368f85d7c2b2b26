#ifndef PD_SIM_SPANS_H
#define PD_SIM_SPANS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"

/* Stretches of time [from, to), in order and apart from each other. */
struct span {
    int64_t from, to;
};

struct spans {
    ARRAY(struct span) list;
};

void spans_free(struct spans *s);
/* Adds a stretch that begins no earlier than the last one did; what touches becomes one. Empty ones are left out. */
void spans_add(struct spans *s, int64_t from, int64_t to);
/* Takes a stretch out, wherever it lies. */
void spans_cut(struct spans *s, int64_t from, int64_t to);
/* Where the first stretch of at least `length` within [from, to) begins; -1: there is none. */
int64_t spans_run(const struct spans *s, int64_t from, int64_t to, int64_t length);
bool spans_hold(const struct spans *s, int64_t at);

#endif
