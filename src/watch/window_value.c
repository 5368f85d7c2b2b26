#include <math.h>

#include "watch/window_inner.h"

static const double MS_A_DAY = 86400000.0;
static const double ALONG_A_LINE = 0.8; /* least r² */
enum { TREND_PIECES = 4 /* fewer make no trend */ };

/* A window as it is seen now: time has gone on, so pieces have begun in which nothing was read. */
struct view {
    const struct windows *all;
    const struct window *w;
    const struct window_spec *s;
    const struct beat *b;
    int64_t now_ms;
};

/* How many pieces are left of those that were read, newest first. */
static unsigned left(const struct beat *b)
{
    return (unsigned)(WINDOW_RING - b->passed);
}

/* How much of the piece lies in the window. */
static double share(const struct beat *b, unsigned age)
{
    return age + b->passed < WINDOW_PIECES ? 1 : b->oldest;
}

static bool is_covered(const struct beat *b, int64_t now_ms)
{
    double covered = 0;

    if (now_ms - b->last_ms > window_gap_ms(&b->spec))
        return false;
    for (unsigned age = 0; age < left(b); age++)
        covered += share(b, age) * b->piece[piece_at(b, age)].span_ms;
    return covered >= (double)b->spec.length_ms / 2;
}

/* What is the same for all windows of the beat is reckoned out once. */
static void look(struct beat *b, int64_t now_ms)
{
    int64_t length = piece_ms(&b->spec), passed, start;

    if (b->asked_ms == now_ms)
        return;
    passed = (now_ms - b->start_ms) / length;
    passed = passed > 0 ? passed : 0;
    start = b->start_ms + passed * length;
    b->asked_ms = now_ms;
    b->passed = passed < WINDOW_RING ? (uint8_t)passed : WINDOW_RING;
    /* Never more than all of it: a clock may have been set back while patrold was down. */
    b->oldest = fmin(1, 1 - (double)(now_ms - start) / (double)length);
    b->covered = is_covered(b, now_ms);
}

static struct value average(const struct view *v)
{
    int column = window_column(v->s, WINDOW_SUM);
    double sum = 0, n = 0;

    for (unsigned age = 0; column >= 0 && age < left(v->b); age++) {
        unsigned at = piece_at(v->b, age);

        sum += share(v->b, age) * window_get(v->all, v->w, (unsigned)column, at);
        n += share(v->b, age) * v->b->piece[at].n;
    }
    return n > 0 && isfinite(sum) ? value_num(sum / n) : VALUE_UNKNOWN;
}

static struct value extreme(const struct view *v, enum expr_history h)
{
    int column = window_column(v->s, window_asks(h));
    struct value best = VALUE_UNKNOWN;

    for (unsigned age = 0; column >= 0 && age < left(v->b); age++) {
        unsigned at = piece_at(v->b, age);
        double x = window_get(v->all, v->w, (unsigned)column, at);

        if (v->b->piece[at].n > 0 && (best.type == VALUE_NONE || (h == EXPR_MIN ? x < best.num : x > best.num)))
            best = value_num(x);
    }
    return best;
}

static double steps(const struct view *v)
{
    double sum = 0;

    if (v->b->passed == 0 && v->w->width < 8) /* whole numbers: in any order they come to the same */
        return window_total(v->all, v->w) -
               (1 - v->b->oldest) * window_get(v->all, v->w, 0, piece_at(v->b, WINDOW_RING - 1));
    for (unsigned age = 0; age < left(v->b); age++)
        sum += share(v->b, age) * window_get(v->all, v->w, 0, piece_at(v->b, age));
    return sum;
}

static struct value change(const struct view *v, enum expr_history h)
{
    double sum = steps(v), span = 0;

    for (unsigned age = 0; h == EXPR_RATE && age < left(v->b); age++)
        span += share(v->b, age) * v->b->piece[piece_at(v->b, age)].span_ms;
    if (h == EXPR_RATE)
        sum = span > 0 ? sum * 1000 / span : NAN;
    return isfinite(sum) ? value_num(sum) : VALUE_UNKNOWN;
}

/* The line through the pieces' means, each weighing as many readings as it has. */
struct line {
    size_t pieces;
    double n, x, y;    /* sums */
    double xx, xy, yy; /* of squares, from the means */
};

static void mean_of(const struct view *v, unsigned age, double *x, double *y)
{
    unsigned at = piece_at(v->b, age);
    double start = (double)(v->b->start_ms - v->now_ms) - (double)age * (double)piece_ms(v->s);

    *x = (start + 1000 * v->b->seconds[at] / v->b->piece[at].n) / MS_A_DAY;
    *y = window_get(v->all, v->w, 0, at) / v->b->piece[at].n;
}

static struct line fit(const struct view *v)
{
    struct line l = {0};
    double x, y;

    for (unsigned age = 0; age < left(v->b); age++) {
        uint32_t n = v->b->piece[piece_at(v->b, age)].n;

        if (n == 0)
            continue;
        mean_of(v, age, &x, &y);
        l.pieces++;
        l.n += n;
        l.x += n * x;
        l.y += n * y;
    }
    for (unsigned age = 0; age < left(v->b) && l.pieces >= TREND_PIECES; age++) {
        uint32_t n = v->b->piece[piece_at(v->b, age)].n;

        if (n == 0)
            continue;
        mean_of(v, age, &x, &y);
        l.xx += n * (x - l.x / l.n) * (x - l.x / l.n);
        l.xy += n * (x - l.x / l.n) * (y - l.y / l.n);
        l.yy += n * (y - l.y / l.n) * (y - l.y / l.n);
    }
    return l;
}

static struct value days_left(const struct view *v)
{
    struct line l = fit(v);
    double days;

    if (l.pieces < TREND_PIECES || !(l.xx > 0) || !(l.yy > 0) || !(l.xy * l.xy >= ALONG_A_LINE * l.xx * l.yy))
        return VALUE_UNKNOWN;
    days = (v->s->limit - window_number(window_last(v->w))) / (l.xy / l.xx);
    return isfinite(days) && days >= 0 ? value_num(days) : VALUE_UNKNOWN;
}

static struct value over_pieces(const struct view *v, enum expr_history h)
{
    switch (h) {
    case EXPR_AVG:
        return average(v);
    case EXPR_MIN:
    case EXPR_MAX:
        return extreme(v, h);
    case EXPR_DELTA:
    case EXPR_RATE:
        return change(v, h);
    case EXPR_DAYS_LEFT:
        return days_left(v);
    case EXPR_SEEN:
    case EXPR_LAST:
    case EXPR_SINCE:
        break;
    }
    return VALUE_UNKNOWN;
}

struct value windows_value(const struct windows *all, const struct window *w, const struct window_spec *s,
                           enum expr_history h, int64_t now_ms)
{
    struct view v;

    if (s->type == WINDOW_SEEN)
        return value_bool(w && w->begun && now_ms - w->last_ms <= s->length_ms);
    if (s->type == WINDOW_SINCE)
        return value_num(w && w->joined ? (double)(now_ms - w->last_ms) / 1000 : 0);
    if (!w || !w->begun)
        return VALUE_UNKNOWN;
    if (s->type == WINDOW_LAST)
        return window_last(w);
    look(all->beats.v[w->beat], now_ms);
    if (!all->beats.v[w->beat]->covered)
        return VALUE_UNKNOWN;
    v = (struct view){.all = all, .w = w, .s = s, .b = all->beats.v[w->beat], .now_ms = now_ms};
    return over_pieces(&v, h);
}
