#ifndef PD_WATCH_WINDOW_INNER_H
#define PD_WATCH_WINDOW_INNER_H

#include "watch/window.h"

/* How a window is kept: what the files window*.c share. */

enum {
    WINDOW_RING = WINDOW_PIECES + 1, /* and the piece under way */
    WINDOW_COLUMNS = 3,              /* most numbers of a piece */
    NO_BEAT = UINT16_MAX,
};

struct window {
    union {
        int64_t i;
        double num;
        uint64_t bits;
    } last; /* reading */
    union {
        int64_t origin;  /* STEPS: what the counter counts from */
        int64_t last_ms; /* SEEN, LAST: of the last reading; SINCE: since when it holds */
    };
    uint32_t pieces; /* where its numbers begin among all */
    uint16_t unit, place;
    uint16_t beat;     /* place in beats; NO_BEAT: none yet, or none of this type */
    uint8_t step;      /* how far it has followed the beat */
    uint8_t last_type; /* enum value_type */
    uint8_t width;     /* bytes of each number; 0: all are 0 */
    bool joined : 1;   /* a step leads from the last reading to the next; of SINCE: it holds */
    bool begun : 1;    /* there was a reading */
    bool has_origin : 1;
    uint8_t columns : 2; /* numbers of a piece */
};

/* When windows of one length were read: the pieces are at one place in all of them. */
struct beat {
    struct window_spec spec; /* type, length and gap count */
    int64_t start_ms;        /* of the piece under way */
    int64_t last_ms;         /* of the last reading */
    int64_t asked_ms;        /* when it was looked at last; what came of that: */
    double oldest;           /* how much of the oldest piece lies in the window */
    uint32_t refs, followed; /* windows; those that have taken the last reading */
    uint8_t step;            /* one more each reading */
    uint8_t newest;
    uint8_t moved;  /* pieces that began with the last reading; WINDOW_RING: all are forgotten */
    bool joined;    /* the last reading is to the one before */
    bool first;     /* there was none before */
    uint8_t passed; /* pieces that have begun since the last reading; WINDOW_RING: all */
    bool covered;   /* enough was read for an answer */
    struct {
        uint32_t n, span_ms; /* readings, and joined milliseconds */
    } piece[WINDOW_RING];
    double seconds[]; /* of TREND: the sum of the readings' distances from the piece's start */
};

/* A beat as it was before the reading under way, for those that do not take part in it, or not alike. */
struct beat_before {
    uint16_t place;
    uint16_t rival; /* the beat of those that took it otherwise; NO_BEAT */
    struct beat *beat;
    size_t size;
};

size_t beat_size(enum window_type type);
/* A beat of windows like this, all zero but its spec. Its place. */
uint16_t beat_add(struct windows *all, const struct window_spec *s);
/* A copy of a beat that nobody has yet. */
uint16_t beat_copy(struct windows *all, const struct beat *b);
/* The window leaves its beat for another. */
void window_join(struct windows *all, struct window *w, uint16_t beat);

static inline bool has_pieces(enum window_type type)
{
    return type <= WINDOW_TREND;
}
static inline int64_t piece_ms(const struct window_spec *s)
{
    return s->length_ms / WINDOW_PIECES;
}
static inline int64_t window_gap_ms(const struct window_spec *s)
{
    return s->gap_ms > piece_ms(s) ? s->gap_ms : piece_ms(s);
}
/* The place of the piece so many before the one under way. */
static inline unsigned piece_at(const struct beat *b, unsigned age)
{
    unsigned at = b->newest + WINDOW_RING - age;

    return at < WINDOW_RING ? at : at - WINDOW_RING;
}
/* How many numbers a piece has, and which of them is the one that is asked; -1: it is not kept. */
unsigned window_columns(const struct window_spec *s);
int window_column(const struct window_spec *s, uint8_t ask);

static inline struct value window_last(const struct window *w)
{
    struct value v = {.type = w->last_type, .bits = w->last.bits};

    if (v.type == VALUE_BOOL)
        v = value_bool(w->last.bits != 0);
    return v;
}
double window_number(struct value v);
void window_set_last(struct window *w, struct value v);

/* A piece's number, and all of a column's. */
double window_get(const struct windows *all, const struct window *w, unsigned column, unsigned at);
void window_put(struct windows *all, struct window *w, unsigned column, unsigned at, double x);
double window_total(const struct windows *all, const struct window *w);

#endif
