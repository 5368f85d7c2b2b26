#include "watch/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    RING = WINDOW_PIECES + 1, /* and the one under way */
    TREND_PIECES = 4,         /* fewer make no trend */
};

static const double MS_A_DAY = 86400000.0;
static const double ALONG_A_LINE = 0.8; /* least r² */
static const double LEAP = 0.25;        /* of the new distance */

/* Readings and joined milliseconds of a piece; v as its type has it. */
struct piece {
    uint32_t n, span_ms;
    double v[];
};

/* Places in v. */
enum { STEPS_SUM = 0, LEVELS_SUM = 0, LEVELS_MIN = 1, LEVELS_MAX = 2, TREND_SUM = 0, TREND_TIME = 1 /* seconds */ };

struct window {
    int64_t start_ms; /* of the piece under way */
    int64_t last_ms;  /* of the last reading; of SINCE: since when it holds */
    struct value last;
    bool joined; /* a step leads from the last reading to the next; of SINCE: it holds */
    bool begun;  /* there was a reading */
    bool has_origin;
    int64_t origin; /* what the counter counts from */
    uint8_t newest;
    uint64_t pieces[]; /* as many as the type has, each as many words as it needs */
};

enum window_type window_type_of(enum expr_history h)
{
    switch (h) {
    case EXPR_AVG:
    case EXPR_MIN:
    case EXPR_MAX:
        return WINDOW_LEVELS;
    case EXPR_DELTA:
    case EXPR_RATE:
        return WINDOW_STEPS;
    case EXPR_DAYS_LEFT:
        return WINDOW_TREND;
    case EXPR_SEEN:
        return WINDOW_SEEN;
    case EXPR_LAST:
        return WINDOW_LAST;
    case EXPR_SINCE:
        break;
    }
    return WINDOW_SINCE;
}

static size_t doubles(enum window_type type)
{
    static const uint8_t n[] = {[WINDOW_STEPS] = 1, [WINDOW_LEVELS] = 3, [WINDOW_TREND] = 2};

    return type <= WINDOW_TREND ? n[type] : 0;
}

static size_t ring(enum window_type type)
{
    return type <= WINDOW_TREND ? RING : 0;
}

static size_t words(enum window_type type)
{
    return 1 + doubles(type);
}

/* The piece so many before the one under way. */
static struct piece *piece_at(const struct window *w, enum window_type type, size_t age)
{
    size_t place = (w->newest + RING - age) % RING;

    return (struct piece *)(uintptr_t)&w->pieces[place * words(type)];
}

static int64_t piece_ms(const struct window_spec *s)
{
    return s->length_ms / WINDOW_PIECES;
}

static int64_t gap_ms(const struct window_spec *s)
{
    return s->gap_ms > piece_ms(s) ? s->gap_ms : piece_ms(s);
}

struct window *window_new(const struct window_spec *s)
{
    return xcalloc(1, sizeof(struct window) + ring(s->type) * words(s->type) * sizeof(uint64_t));
}

void window_free(struct window *w)
{
    free(w);
}

/* ---- Readings ---- */

static void forget_pieces(struct window *w, const struct window_spec *s)
{
    memset(w->pieces, 0, ring(s->type) * words(s->type) * sizeof(uint64_t));
}

/* Goes on to the piece that the time lies in. */
static void advance(struct window *w, const struct window_spec *s, int64_t at_ms)
{
    int64_t length = piece_ms(s), n = (at_ms - w->start_ms) / length;

    if (n >= RING) {
        forget_pieces(w, s);
        w->start_ms += n * length;
        return;
    }
    for (; n > 0; n--) {
        w->newest = (uint8_t)((w->newest + 1) % RING);
        w->start_ms += length;
        memset(piece_at(w, s->type, 0), 0, words(s->type) * sizeof(uint64_t));
    }
}

static double number(struct value v)
{
    return v.type == VALUE_INT ? (double)v.i : v.num;
}

/* From one reading to the next; between whole numbers exact. */
static double step(struct value from, struct value to)
{
    int64_t d;

    if (from.type == VALUE_INT && to.type == VALUE_INT && !__builtin_sub_overflow(to.i, from.i, &d))
        return (double)d;
    return number(to) - number(from);
}

static void add_span(struct piece *p, int64_t ms)
{
    p->span_ms = ms > (int64_t)(UINT32_MAX - p->span_ms) ? UINT32_MAX : p->span_ms + (uint32_t)ms;
}

static bool leaps_away(const struct window *w, const struct window_spec *s, struct value v)
{
    double now = fabs(number(v) - s->limit), before = fabs(number(w->last) - s->limit);

    return now - before > LEAP * now;
}

static void feed_piece(struct window *w, const struct window_spec *s, int64_t at_ms, struct value v)
{
    struct piece *p = piece_at(w, s->type, 0);
    double x = number(v);

    switch (s->type) {
    case WINDOW_LEVELS:
        p->v[LEVELS_SUM] += x;
        p->v[LEVELS_MIN] = p->n == 0 || x < p->v[LEVELS_MIN] ? x : p->v[LEVELS_MIN];
        p->v[LEVELS_MAX] = p->n == 0 || x > p->v[LEVELS_MAX] ? x : p->v[LEVELS_MAX];
        break;
    case WINDOW_TREND:
        p->v[TREND_SUM] += x;
        p->v[TREND_TIME] += (double)(at_ms - w->start_ms) / 1000;
        break;
    case WINDOW_STEPS:
    case WINDOW_SEEN:
    case WINDOW_LAST:
    case WINDOW_SINCE:
        break;
    }
    p->n++;
}

/* What lies between the last reading and this one. */
static void feed_step(struct window *w, const struct window_spec *s, int64_t at_ms, struct value v)
{
    struct piece *p = piece_at(w, s->type, 0);

    if (s->type == WINDOW_STEPS) {
        double d = step(w->last, v);

        if (s->counter && d < 0)
            return;
        p->v[STEPS_SUM] += d;
    }
    add_span(p, at_ms - w->last_ms);
}

static void feed_pieces(struct window *w, const struct window_spec *s, int64_t at_ms, struct value v)
{
    if (!w->begun)
        w->start_ms = at_ms;
    advance(w, s, at_ms);
    if (s->type == WINDOW_TREND && w->begun && leaps_away(w, s, v)) {
        forget_pieces(w, s);
        w->joined = false;
    }
    if (w->joined && at_ms - w->last_ms <= gap_ms(s))
        feed_step(w, s, at_ms, v);
    feed_piece(w, s, at_ms, v);
}

void window_feed(struct window *w, const struct window_spec *s, int64_t at_ms, struct value v)
{
    if (w->begun && at_ms <= w->last_ms)
        return;
    if (ring(s->type) > 0) {
        if (!isfinite(number(v)))
            return;
        feed_pieces(w, s, at_ms, v);
    }
    if (s->type != WINDOW_SEEN)
        w->last = v;
    w->last_ms = at_ms;
    w->begun = w->joined = true;
}

void window_break(struct window *w)
{
    w->joined = false;
}

void window_counter(struct window *w, int64_t at_ms, const struct window_counter *c)
{
    static const double round_ms = 4294967296.0 * 1000;

    if (c->has_origin && w->has_origin && c->origin != w->origin)
        w->joined = false;
    if (c->a_second > 0 && c->a_second * (double)(at_ms - w->last_ms) >= round_ms)
        w->joined = false;
    if (c->has_origin) {
        w->has_origin = true;
        w->origin = c->origin;
    }
}

bool window_judge(struct window *w, int64_t at_ms, struct value condition)
{
    bool holds = condition.quality == QUALITY_GOOD && condition.type == VALUE_BOOL && condition.b;

    if (holds == w->joined)
        return false;
    w->joined = holds;
    w->begun = true;
    w->last_ms = at_ms;
    return true;
}

/* ---- What it tells ---- */

/* How much of the piece lies in the window. */
static double share(const struct window *w, const struct window_spec *s, size_t age, int64_t now_ms)
{
    /* Never more than all of it: a clock may have been set back while patrold was down. */
    return age < WINDOW_PIECES ? 1 : fmin(1, 1 - (double)(now_ms - w->start_ms) / (double)piece_ms(s));
}

static bool is_covered(const struct window *w, const struct window_spec *s, int64_t now_ms)
{
    double covered = 0;

    if (!w->begun || now_ms - w->last_ms > gap_ms(s))
        return false;
    for (size_t age = 0; age < RING; age++)
        covered += share(w, s, age, now_ms) * piece_at(w, s->type, age)->span_ms;
    return covered >= (double)s->length_ms / 2;
}

static struct value average(const struct window *w, const struct window_spec *s, int64_t now_ms)
{
    double sum = 0, n = 0;

    for (size_t age = 0; age < RING; age++) {
        const struct piece *p = piece_at(w, s->type, age);
        double part = share(w, s, age, now_ms);

        sum += part * p->v[LEVELS_SUM];
        n += part * p->n;
    }
    return n > 0 && isfinite(sum) ? value_num(sum / n) : VALUE_UNKNOWN;
}

static struct value extreme(const struct window *w, const struct window_spec *s, enum expr_history h)
{
    struct value best = VALUE_UNKNOWN;

    for (size_t age = 0; age < RING; age++) {
        const struct piece *p = piece_at(w, s->type, age);
        double x = p->v[h == EXPR_MIN ? LEVELS_MIN : LEVELS_MAX];

        if (p->n > 0 && (best.type == VALUE_NONE || (h == EXPR_MIN ? x < best.num : x > best.num)))
            best = value_num(x);
    }
    return best;
}

static struct value change(const struct window *w, const struct window_spec *s, enum expr_history h, int64_t now_ms)
{
    double sum = 0, span = 0;

    for (size_t age = 0; age < RING; age++) {
        const struct piece *p = piece_at(w, s->type, age);
        double part = share(w, s, age, now_ms);

        sum += part * p->v[STEPS_SUM];
        span += part * p->span_ms;
    }
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

static void mean_of(const struct window *w, const struct window_spec *s, size_t age, int64_t now_ms, double *x,
                    double *y)
{
    const struct piece *p = piece_at(w, s->type, age);
    double start = (double)(w->start_ms - now_ms) - (double)age * (double)piece_ms(s);

    *x = (start + 1000 * p->v[TREND_TIME] / p->n) / MS_A_DAY;
    *y = p->v[TREND_SUM] / p->n;
}

static struct line fit(const struct window *w, const struct window_spec *s, int64_t now_ms)
{
    struct line l = {0};
    double x, y;

    for (size_t age = 0; age < RING; age++) {
        uint32_t n = piece_at(w, s->type, age)->n;

        if (n == 0)
            continue;
        mean_of(w, s, age, now_ms, &x, &y);
        l.pieces++;
        l.n += n;
        l.x += n * x;
        l.y += n * y;
    }
    for (size_t age = 0; age < RING && l.pieces > 0; age++) {
        uint32_t n = piece_at(w, s->type, age)->n;

        if (n == 0)
            continue;
        mean_of(w, s, age, now_ms, &x, &y);
        l.xx += n * (x - l.x / l.n) * (x - l.x / l.n);
        l.xy += n * (x - l.x / l.n) * (y - l.y / l.n);
        l.yy += n * (y - l.y / l.n) * (y - l.y / l.n);
    }
    return l;
}

static struct value days_left(const struct window *w, const struct window_spec *s, int64_t now_ms)
{
    struct line l = fit(w, s, now_ms);
    double days;

    if (l.pieces < TREND_PIECES || !(l.xx > 0) || !(l.yy > 0) || !(l.xy * l.xy >= ALONG_A_LINE * l.xx * l.yy))
        return VALUE_UNKNOWN;
    days = (s->limit - number(w->last)) / (l.xy / l.xx);
    return isfinite(days) && days >= 0 ? value_num(days) : VALUE_UNKNOWN;
}

struct value window_value(struct window *w, const struct window_spec *s, enum expr_history h, int64_t now_ms)
{
    if (s->type == WINDOW_SEEN)
        return value_bool(w && w->begun && now_ms - w->last_ms <= s->length_ms);
    if (s->type == WINDOW_SINCE)
        return value_num(w && w->joined ? (double)(now_ms - w->last_ms) / 1000 : 0);
    if (!w || !w->begun)
        return VALUE_UNKNOWN;
    if (s->type == WINDOW_LAST)
        return w->last;
    advance(w, s, now_ms);
    if (!is_covered(w, s, now_ms))
        return VALUE_UNKNOWN;
    switch (h) {
    case EXPR_AVG:
        return average(w, s, now_ms);
    case EXPR_MIN:
    case EXPR_MAX:
        return extreme(w, s, h);
    case EXPR_DELTA:
    case EXPR_RATE:
        return change(w, s, h, now_ms);
    case EXPR_DAYS_LEFT:
        return days_left(w, s, now_ms);
    case EXPR_SEEN:
    case EXPR_LAST:
    case EXPR_SINCE:
        break;
    }
    return VALUE_UNKNOWN;
}

/* ---- As bytes ---- */

/*
 * flags (1 begun, 2 joined, 4 counted from something), then if begun: age of the last reading; if so: what it
 * counts from; unless SEEN or SINCE: its type and 64 bits; unless LAST: age of the piece under way; for each
 * piece, newest first: readings, then if any joined milliseconds and its numbers.
 */
enum { FLAG_BEGUN = 1, FLAG_JOINED = 2, FLAG_ORIGIN = 4 };

static void put_double(struct wire_out *out, double x)
{
    uint64_t bits;

    memcpy(&bits, &x, sizeof bits);
    wire_put_u64be(out, bits);
}

static double get_double(struct wire_in *in)
{
    uint64_t bits = wire_u64be(in);
    double x;

    memcpy(&x, &bits, sizeof x);
    in->bad |= !isfinite(x);
    return x;
}

static bool has_value(enum window_type type)
{
    return type != WINDOW_SEEN && type != WINDOW_SINCE;
}

static uint64_t age_of(int64_t at_ms, int64_t now_ms)
{
    return now_ms > at_ms ? (uint64_t)(now_ms - at_ms) : 0;
}

void window_encode(const struct window *w, const struct window_spec *s, int64_t now_ms, struct wire_out *out)
{
    wire_put_u8(out, (uint8_t)((w->begun ? FLAG_BEGUN : 0) | (w->joined ? FLAG_JOINED : 0) |
                               (w->begun && w->has_origin ? FLAG_ORIGIN : 0)));
    if (!w->begun)
        return;
    wire_put_varint(out, age_of(w->last_ms, now_ms));
    if (w->has_origin)
        wire_put_zigzag(out, w->origin);
    if (has_value(s->type)) {
        wire_put_u8(out, w->last.type);
        wire_put_u64be(out, w->last.type == VALUE_BOOL ? w->last.b : w->last.bits);
    }
    if (ring(s->type) == 0)
        return;
    wire_put_varint(out, age_of(w->start_ms, now_ms));
    for (size_t age = 0; age < RING; age++) {
        const struct piece *p = piece_at(w, s->type, age);

        wire_put_varint(out, p->n);
        if (p->n == 0)
            continue;
        wire_put_varint(out, p->span_ms);
        for (size_t i = 0; i < doubles(s->type); i++)
            put_double(out, p->v[i]);
    }
}

/* Milliseconds ago. */
static int64_t get_age(struct wire_in *in)
{
    uint64_t ms = wire_varint(in);

    in->bad |= ms > INT64_MAX / 4;
    return in->bad ? 0 : (int64_t)ms;
}

static uint32_t get_u32(struct wire_in *in)
{
    uint64_t n = wire_varint(in);

    in->bad |= n > UINT32_MAX;
    return (uint32_t)n;
}

static void get_pieces(struct window *w, const struct window_spec *s, struct wire_in *in)
{
    w->newest = RING - 1;
    for (size_t age = 0; age < RING && !in->bad; age++) {
        struct piece *p = piece_at(w, s->type, age);

        p->n = get_u32(in);
        if (p->n == 0)
            continue;
        p->span_ms = get_u32(in);
        for (size_t i = 0; i < doubles(s->type); i++)
            p->v[i] = get_double(in);
    }
}

static void get_last(struct window *w, const struct window_spec *s, struct wire_in *in)
{
    enum value_type type = (enum value_type)wire_u8(in);

    w->last = (struct value){.type = (uint8_t)type};
    if (type == VALUE_NUM)
        w->last.num = get_double(in);
    else if (type == VALUE_BOOL)
        w->last.b = wire_u64be(in) != 0;
    else
        w->last.bits = wire_u64be(in);
    in->bad |= type == VALUE_NONE || type >= VALUE_TEXT;
    in->bad |= s->type != WINDOW_LAST && type != VALUE_NUM && type != VALUE_INT;
}

struct window *window_decode(const struct window_spec *s, int64_t then_ms, struct wire_in *in)
{
    struct window *w = window_new(s);
    uint8_t flags = wire_u8(in);

    w->begun = flags & FLAG_BEGUN;
    w->joined = flags & FLAG_JOINED;
    w->has_origin = w->begun && (flags & FLAG_ORIGIN);
    if (w->begun)
        w->last_ms = then_ms - get_age(in);
    if (w->has_origin)
        w->origin = wire_zigzag(in);
    if (w->begun && has_value(s->type))
        get_last(w, s, in);
    if (w->begun && ring(s->type) > 0) {
        w->start_ms = then_ms - get_age(in);
        get_pieces(w, s, in);
    }
    in->bad |= (flags & ~(FLAG_BEGUN | FLAG_JOINED | FLAG_ORIGIN)) || (flags == FLAG_ORIGIN);
    if (!in->bad)
        return w;
    window_free(w);
    return NULL;
}
