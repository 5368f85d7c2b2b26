#ifndef PD_BASE_HIST_H
#define PD_BASE_HIST_H

#include <stdint.h>

/*
 * How often which value was seen, in fixed memory: exact below 16, from there in
 * sixteen steps a doubling, so a quantile is at most 1/16 above the truth and
 * never below. Values beyond 2^40 count as that. What the unit is, the user says.
 */
enum {
    HIST_BITS = 4,
    HIST_STEPS = 1 << HIST_BITS,
    HIST_TOP = 40,
    HIST_SLOTS = (HIST_TOP - HIST_BITS + 1) * HIST_STEPS
};

struct hist {
    uint64_t count, sum, max;
    uint32_t slots[HIST_SLOTS];
};

void hist_clear(struct hist *h);
/* What is negative counts as 0. */
void hist_add(struct hist *h, int64_t value);
void hist_merge(struct hist *into, const struct hist *from);
/* The least value that at least this share (0 to 1) of all does not exceed, rounded up to its step; 1: the largest. 0 if empty. */
uint64_t hist_quantile(const struct hist *h, double share);

/* The values of the last minute: pieces of five seconds, so up to five seconds more. Times never go back. */
struct hist_window;

struct hist_window *hist_window_new(void);
void hist_window_free(struct hist_window *w);
void hist_window_add(struct hist_window *w, int64_t now_ms, int64_t value);
/* Into *out, which is overwritten. */
void hist_window_sum(const struct hist_window *w, int64_t now_ms, struct hist *out);

#endif
