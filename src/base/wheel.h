#ifndef PD_BASE_WHEEL_H
#define PD_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A hierarchical timer wheel with ticks of 10 ms: adding, removing and firing
 * cost O(1), nothing is allocated per timer, and timers of one tick fire in the
 * order in which they were added. Times are milliseconds on the monotonic clock.
 */
struct wheel;

enum { WHEEL_TICK_MS = 10 };

typedef void (*timer_fn)(void *arg);

/* Embedded in whatever has a deadline. */
struct timer {
    struct timer *next, **prev; /* the slot's list; prev is NULL while not set */
    int64_t due_ms;
    timer_fn fn;
    void *arg;
};

struct wheel *wheel_new(int64_t now_ms);
/* Timers still set are forgotten, not fired. */
void wheel_free(struct wheel *w);

void timer_init(struct timer *t, timer_fn fn, void *arg);
static inline bool timer_is_set(const struct timer *t)
{
    return t->prev != 0;
}

/* Sets or moves a timer. It fires in the first advance at or after due_ms, never early, never inside this call. */
void wheel_set(struct wheel *w, struct timer *t, int64_t due_ms);
/* Unsets; harmless if it is not set. A callback may unset or set any timer, its own included. */
void wheel_unset(struct wheel *w, struct timer *t);
/* Fires what is due by now_ms, in order of tick. */
void wheel_advance(struct wheel *w, int64_t now_ms);
/* When the next advance has work (rounded up to a tick), or INT64_MAX with no timer set. Never later than the truth. */
int64_t wheel_next(const struct wheel *w);

/*
 * Who wants to know how late timers are: called before each fires that was set ahead of the present, with the
 * tick at which it was to fire. NULL: nobody.
 */
void wheel_observe(struct wheel *w, void (*fn)(void *arg, int64_t due_ms), void *arg);

#endif
