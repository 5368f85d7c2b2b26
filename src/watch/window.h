#ifndef PD_WATCH_WINDOW_H
#define PD_WATCH_WINDOW_H

#include "base/wire.h"
#include "expr/expr.h"

/*
 * What one point was over a length of time, in a fixed number of pieces: the
 * length's sixteenth each, 16 whole ones and the one under way, whatever the rate
 * of polling. Of the oldest only the share counts that the window still covers
 * (for min and max all of it: they look back up to a sixteenth too far).
 *
 * Two readings are joined when they lie no further apart than three intervals of
 * the part that tells the point, or a sixteenth of the length where that is more;
 * what lies between readings that are not joined is a gap. A window answers when
 * gaps and what was before the first reading make up no more than half of it,
 * and its last reading is joined to now; else it is unknown. Readings that are
 * not good are left out.
 *
 * delta is the sum of the steps between joined readings, rate that by the time
 * they took. A counter's fall (it was reset, or wrapped) is no step, and its time
 * is left out. days_left is the distance of the last reading to the limit by the
 * slope of a straight line through the pieces' means (least squares): unknown
 * with fewer than four pieces, where the line leads away from the limit, and
 * where the readings do not lie along a line (r² below 0.8: a step is no trend).
 * A leap away from the limit by more than a quarter of the new distance, such as
 * a new cartridge, begins the trend anew.
 *
 * Memory, on 64 bits: 328 bytes for delta and rate (one window for both), 600 for
 * avg, min and max, 464 for days_left, 56 for seen, last and since, and 8 a window that a
 * component's kind has. So a switch of 48 ports with the shipped rules has 68 KB
 * of windows, a server with five disks 3 KB.
 */
enum { WINDOW_PIECES = 16 };

enum window_type {
    WINDOW_STEPS,  /* delta, rate */
    WINDOW_LEVELS, /* avg, min, max */
    WINDOW_TREND,  /* days_left */
    WINDOW_SEEN,
    WINDOW_LAST,
    WINDOW_SINCE,
};
enum window_type window_type_of(enum expr_history h);

/* What windows of one kind have in common; two of the same type, length and limit are the same. */
struct window_spec {
    enum window_type type;
    bool counter;
    int64_t length_ms; /* 0 of LAST and SINCE */
    int64_t gap_ms;    /* up to which readings are joined, if it is more than a piece */
    double limit;
};

struct window;

struct window *window_new(const struct window_spec *s);
void window_free(struct window *w); /* NULL is fine */

/* A good reading; times (ms, one clock for all calls) rise, what is not after the last is left out. */
void window_feed(struct window *w, const struct window_spec *s, int64_t at_ms, struct value v);
/* The device was restarted: no step leads to the next reading. */
void window_break(struct window *w);
/*
 * Of a counter, before its reading is fed: no step leads to it where it counts
 * from something else than the one before, or could have gone round since.
 */
struct window_counter {
    bool has_origin;
    int64_t origin;  /* what it counts from */
    double a_second; /* counts of 32 bits at the most; 0: it never goes round, INFINITY: nobody knows */
};
void window_counter(struct window *w, int64_t at_ms, const struct window_counter *c);
/* Of SINCE: how the condition was judged. True if it begins or ends to hold. */
bool window_judge(struct window *w, int64_t at_ms, struct value condition);
/* What it tells now; window NULL: nothing was ever read. */
struct value window_value(struct window *w, const struct window_spec *s, enum expr_history h, int64_t now_ms);

/* As bytes, relative to now. The longest is WINDOW_MAX_BYTES. */
enum { WINDOW_MAX_BYTES = 700 };
void window_encode(const struct window *w, const struct window_spec *s, int64_t now_ms, struct wire_out *out);
/* One that was saved when the clock showed then_ms. NULL and in->bad for what cannot be one. */
struct window *window_decode(const struct window_spec *s, int64_t then_ms, struct wire_in *in);

#endif
