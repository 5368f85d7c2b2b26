#ifndef PD_WATCH_WINDOW_H
#define PD_WATCH_WINDOW_H

#include "base/array.h"
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
 * All windows of a device lie together, and are small. When something was read,
 * and which of it is joined, is the same for all points that are read in one
 * go: windows of one length share this (a beat) until one of them misses a reading.
 * Memory, on 64 bits: 32 bytes for each, and for seen, last and since no more. For delta
 * and rate (one window for both), for days_left and for each of avg, min and max that is asked a
 * number of 0, 1, 2, 4 or 8 bytes a piece: 8 where one is not whole, else as large as they come
 * to. 208 a beat, 344 for days_left. So a switch of 48 ports whose errors are counted has 5 KB
 * of windows with the shipped rules, and one on which there are none 3 KB.
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

/* Which of LEVELS is asked, as bits; nothing else is kept. */
enum { WINDOW_SUM = 1, WINDOW_LEAST = 2, WINDOW_MOST = 4, WINDOW_ALL_LEVELS = 7 };
uint8_t window_asks(enum expr_history h); /* 0 of the others */

/* What windows of one kind have in common; two of the same type, length and limit are the same. */
struct window_spec {
    enum window_type type;
    bool counter;
    uint8_t asks;      /* of LEVELS */
    int64_t length_ms; /* 0 of LAST and SINCE */
    int64_t gap_ms;    /* up to which readings are joined, if it is more than a piece */
    double limit;
};

struct window;
struct beat;

/* The windows of a device, in order of component and place; zeroed: none. */
struct windows {
    ARRAY(struct window) v;
    ARRAY(struct beat *) beats; /* NULL: free */
    uint8_t *pieces;            /* of all windows */
    size_t npieces, hint;
};
void windows_fini(struct windows *all);
/* The component's window at a place among those of its kind; NULL. */
struct window *windows_find(struct windows *all, uint16_t unit, uint16_t place);
/* The same, made if there is none yet. Good until another is made or forgotten. */
struct window *windows_make(struct windows *all, uint16_t unit, uint16_t place, const struct window_spec *s);
void windows_forget(struct windows *all, uint16_t unit);
/* Gives back room that is not needed; beats that have become alike are one again. */
void windows_settle(struct windows *all);

/*
 * Readings come in rounds, all of one moment: windows_feed() for each, then windows_end_round(). A round can be used
 * again and again, for one device after the other.
 */
struct window_round {
    ARRAY(struct beat_before *) before; /* beats as they were, of those that others share */
    size_t n;
};
void window_round_fini(struct window_round *r);

/*
 * Of a counter: no step leads to a reading where it counts from something else than at the one before, or could have
 * gone round since.
 */
struct window_counter {
    bool has_origin;
    int64_t origin;  /* what it counts from */
    double a_second; /* counts of 32 bits at the most; 0: it never goes round, INFINITY: nobody knows */
};

/*
 * A good reading; times (ms, one clock for all calls) rise, what is not after the last is left out. c NULL: nothing is
 * known of a counter's bounds.
 */
void windows_feed(struct windows *all, struct window_round *r, struct window *w, const struct window_spec *s,
                  int64_t at_ms, struct value v, const struct window_counter *c);
void windows_end_round(struct windows *all, struct window_round *r);

/* The device was restarted: no step leads to the next reading. */
void window_break(struct window *w);
/* Of SINCE: how the condition was judged. True if it begins or ends to hold. */
bool window_judge(struct window *w, int64_t at_ms, struct value condition);
/* What it tells now; window NULL: nothing was ever read. */
struct value windows_value(const struct windows *all, const struct window *w, const struct window_spec *s,
                           enum expr_history h, int64_t now_ms);

/* As bytes, relative to now. The longest is WINDOW_MAX_BYTES. */
enum { WINDOW_MAX_BYTES = 700 };
void windows_encode(const struct windows *all, const struct window *w, const struct window_spec *s, int64_t now_ms,
                    struct wire_out *out);
/*
 * One that was saved when the clock showed then_ms, as the component's at that place. in->bad for what cannot be one. One
 * that lacks what is asked now is left out.
 */
void windows_decode(struct windows *all, uint16_t unit, uint16_t place, const struct window_spec *s, int64_t then_ms,
                    struct wire_in *in);

/* Each window of a component, from the first: *at begins at 0. NULL behind the last. */
struct window *windows_next(struct windows *all, uint16_t unit, size_t *at, uint16_t *place);

#endif
