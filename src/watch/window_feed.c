#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/window_inner.h"

/*
 * A round takes each beat one reading on, with the first of its windows that has one. The others follow. Who takes the
 * reading otherwise (a counter fell, so it is not joined) leaves for a beat of its own, made of what the beat was before;
 * and so do, at the end, all that had no reading.
 */

static const double LEAP = 0.25; /* of the new distance */

/* ---- A round ---- */

void window_round_fini(struct window_round *r)
{
    for (size_t i = 0; i < r->before.n; i++) {
        free(r->before.v[i]->beat);
        free(r->before.v[i]);
    }
    array_free(&r->before);
    r->n = 0;
}

/* Keeps what the beat is now, in room from earlier rounds where there is. */
static void remember(struct window_round *r, uint16_t place, const struct beat *b)
{
    size_t size = beat_size(b->spec.type);
    struct beat_before *to;

    if (r->n == r->before.n)
        array_push(&r->before, xcalloc(1, sizeof(struct beat_before)));
    to = r->before.v[r->n++];
    if (to->size < size) {
        to->beat = xreallocarray(to->beat, 1, size);
        to->size = size;
    }
    memcpy(to->beat, b, size);
    to->place = place;
    to->rival = NO_BEAT;
}

static struct beat_before *remembered(const struct window_round *r, uint16_t place)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->before.v[i]->place == place)
            return r->before.v[i];
    return NULL;
}

/* ---- A beat ---- */

static void forget_pieces(struct beat *b)
{
    memset(b->piece, 0, sizeof b->piece);
    memset(b->seconds, 0, beat_size(b->spec.type) - sizeof *b);
    b->moved = WINDOW_RING;
}

/* Goes on to the piece that the time lies in. */
static void open_pieces(struct beat *b, int64_t at_ms)
{
    int64_t length = piece_ms(&b->spec), n = (at_ms - b->start_ms) / length;

    b->moved = 0;
    if (n >= WINDOW_RING)
        forget_pieces(b);
    for (int64_t i = 0; i < n && n < WINDOW_RING; i++) {
        b->newest = (uint8_t)((b->newest + 1) % WINDOW_RING);
        b->piece[b->newest].n = b->piece[b->newest].span_ms = 0;
        if (b->spec.type == WINDOW_TREND)
            b->seconds[b->newest] = 0;
        b->moved++;
    }
    if (n > 0)
        b->start_ms += n * length;
}

static void add_span(struct beat *b, int64_t ms)
{
    uint32_t *span = &b->piece[b->newest].span_ms;

    *span = ms > (int64_t)(UINT32_MAX - *span) ? UINT32_MAX : *span + (uint32_t)ms;
}

/* One reading on. anew: what was before is forgotten. */
static void go_on(struct beat *b, int64_t at_ms, bool joined, bool anew)
{
    open_pieces(b, at_ms);
    if (anew)
        forget_pieces(b);
    if (joined)
        add_span(b, at_ms - b->last_ms);
    b->piece[b->newest].n++;
    if (b->spec.type == WINDOW_TREND)
        b->seconds[b->newest] += (double)(at_ms - b->start_ms) / 1000;
    b->joined = joined;
    b->first = false;
    b->last_ms = at_ms;
    b->asked_ms = INT64_MIN;
    b->followed = 0;
    b->step++;
}

/* A beat of trends knows all that one of levels does. */
static bool can_share(const struct window_spec *beat, const struct window_spec *s)
{
    return (beat->type == s->type || (beat->type == WINDOW_TREND && s->type == WINDOW_LEVELS)) &&
           beat->length_ms == s->length_ms && beat->gap_ms == s->gap_ms;
}

/* Who is read for the first time shares the beat of those that are so in the same round. */
static uint16_t first_beat(struct windows *all, const struct window_spec *s, int64_t at_ms)
{
    uint16_t place;
    struct beat *b;

    for (size_t i = 0; i < all->beats.n; i++) {
        b = all->beats.v[i];
        if (b && b->first && b->last_ms == at_ms && can_share(&b->spec, s))
            return (uint16_t)i;
    }
    place = beat_add(all, s);
    b = all->beats.v[place];
    b->start_ms = at_ms;
    go_on(b, at_ms, false, false);
    b->first = true;
    return place;
}

/* ---- A reading ---- */

/* From one reading to the next; between whole numbers exact. */
static double step(struct value from, struct value to)
{
    int64_t d;

    if (from.type == VALUE_INT && to.type == VALUE_INT && !__builtin_sub_overflow(to.i, from.i, &d))
        return (double)d;
    return window_number(to) - window_number(from);
}

static bool leaps_away(const struct window *w, const struct window_spec *s, struct value v)
{
    double now = fabs(window_number(v) - s->limit), before = fabs(window_number(window_last(w)) - s->limit);

    return now - before > LEAP * now;
}

static void heed_counter(struct window *w, int64_t ms, const struct window_counter *c)
{
    static const double round_ms = 4294967296.0 * 1000;

    if (c->has_origin && w->has_origin && c->origin != w->origin)
        w->joined = false;
    if (c->a_second > 0 && c->a_second * (double)ms >= round_ms)
        w->joined = false;
    if (c->has_origin) {
        w->has_origin = true;
        w->origin = c->origin;
    }
}

/* Leaves for a beat that takes the reading as it has to be taken: that of others who did, or a new one. */
static void part(struct windows *all, struct window *w, struct beat_before *others, const struct beat *before,
                 int64_t at_ms, bool joined, bool anew)
{
    uint16_t place;

    if (!anew && others && others->rival != NO_BEAT) {
        window_join(all, w, others->rival);
        return;
    }
    place = beat_copy(all, before);
    go_on(all->beats.v[place], at_ms, joined, anew);
    if (!anew && others)
        others->rival = place;
    window_join(all, w, place);
}

/* Takes its beat to the time. False if it is there already. */
static bool keep_step(struct windows *all, struct window_round *r, struct window *w, const struct window_spec *s,
                      int64_t at_ms, struct value v, const struct window_counter *c)
{
    struct beat *b = all->beats.v[w->beat];
    struct beat_before *others = w->step != b->step ? remembered(r, w->beat) : NULL;
    const struct beat *before = others ? others->beat : b;
    bool anew = s->type == WINDOW_TREND && leaps_away(w, s, v), joined;

    if (at_ms <= before->last_ms)
        return false;
    if (c)
        heed_counter(w, at_ms - before->last_ms, c);
    joined = w->joined && !anew && at_ms - before->last_ms <= window_gap_ms(s) &&
             !(s->type == WINDOW_STEPS && s->counter && step(window_last(w), v) < 0);
    if (others ? anew || joined != b->joined : anew && b->refs > 1) {
        part(all, w, others, before, at_ms, joined, anew);
    } else if (!others) {
        if (b->refs > 1)
            remember(r, w->beat, b);
        go_on(b, at_ms, joined, anew);
    }
    return true;
}

static void take_levels(struct windows *all, struct window *w, const struct window_spec *s, bool first, double x)
{
    unsigned at = all->beats.v[w->beat]->newest;
    int sum = window_column(s, WINDOW_SUM), least = window_column(s, WINDOW_LEAST),
        most = window_column(s, WINDOW_MOST);

    if (sum >= 0)
        window_put(all, w, (unsigned)sum, at, window_get(all, w, (unsigned)sum, at) + x);
    if (least >= 0 && (first || x < window_get(all, w, (unsigned)least, at)))
        window_put(all, w, (unsigned)least, at, x);
    if (most >= 0 && (first || x > window_get(all, w, (unsigned)most, at)))
        window_put(all, w, (unsigned)most, at, x);
}

/* The window's own numbers, once its beat is there. */
static void take(struct windows *all, struct window *w, const struct window_spec *s, struct value v)
{
    struct beat *b = all->beats.v[w->beat];
    double far;

    for (unsigned age = 0; w->width > 0 && age < b->moved; age++)
        for (unsigned column = 0; column < w->columns; column++)
            window_put(all, w, column, piece_at(b, age), 0);
    if (s->type == WINDOW_LEVELS)
        take_levels(all, w, s, b->piece[b->newest].n == 1, window_number(v));
    else if (s->type == WINDOW_TREND)
        window_put(all, w, 0, b->newest, window_get(all, w, 0, b->newest) + window_number(v));
    else if (b->joined && (far = step(window_last(w), v)) != 0)
        window_put(all, w, 0, b->newest, window_get(all, w, 0, b->newest) + far);
    w->step = b->step;
    b->followed++;
}

void windows_feed(struct windows *all, struct window_round *r, struct window *w, const struct window_spec *s,
                  int64_t at_ms, struct value v, const struct window_counter *c)
{
    if (!has_pieces(s->type)) {
        if (w->begun && at_ms <= w->last_ms)
            return;
        w->last_ms = at_ms;
    } else {
        if (!isfinite(window_number(v)))
            return;
        if (!w->begun && c)
            heed_counter(w, 0, c);
        if (!w->begun)
            window_join(all, w, first_beat(all, s, at_ms));
        else if (!keep_step(all, r, w, s, at_ms, v, c))
            return;
        take(all, w, s, v);
    }
    if (s->type != WINDOW_SEEN)
        window_set_last(w, v);
    w->begun = w->joined = true;
}

/* Those that the reading passed by. */
static void leave_behind(struct windows *all, const struct beat_before *before)
{
    const struct beat *b = all->beats.v[before->place];
    uint16_t place = NO_BEAT;

    for (size_t i = 0; i < all->v.n; i++) {
        struct window *w = &all->v.v[i];

        if (w->beat != before->place || w->step == b->step)
            continue;
        if (place == NO_BEAT)
            place = beat_copy(all, before->beat);
        window_join(all, w, place);
    }
}

void windows_end_round(struct windows *all, struct window_round *r)
{
    for (size_t i = 0; i < r->n; i++) {
        const struct beat *b = all->beats.v[r->before.v[i]->place];

        if (b && b->followed < b->refs)
            leave_behind(all, r->before.v[i]);
    }
    r->n = 0;
}
