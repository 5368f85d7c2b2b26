#include "watch/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/window_inner.h"

_Static_assert(sizeof(struct window) == 32, "there are many of these");

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

uint8_t window_asks(enum expr_history h)
{
    return h == EXPR_AVG ? WINDOW_SUM : h == EXPR_MIN ? WINDOW_LEAST : h == EXPR_MAX ? WINDOW_MOST : 0;
}

unsigned window_columns(const struct window_spec *s)
{
    if (s->type == WINDOW_LEVELS)
        return (unsigned)__builtin_popcount(s->asks);
    return has_pieces(s->type) ? 1 : 0;
}

int window_column(const struct window_spec *s, uint8_t ask)
{
    return s->asks & ask ? __builtin_popcount(s->asks & (ask - 1u)) : -1;
}

double window_number(struct value v)
{
    return v.type == VALUE_INT ? (double)v.i : v.num;
}

void window_set_last(struct window *w, struct value v)
{
    w->last_type = v.type;
    w->last.bits = v.type == VALUE_BOOL ? v.b : v.bits;
}

/* ---- Numbers of pieces ---- */

/* What is whole, not negative and small takes little room. */
static uint8_t width_for(double x)
{
    if (!(x >= 0 && x <= UINT32_MAX) || x != (double)(uint32_t)x || signbit(x))
        return 8;
    return x == 0 ? 0 : x <= UINT8_MAX ? 1 : x <= UINT16_MAX ? 2 : 4;
}

static double number_at(const uint8_t *p, uint8_t width)
{
    uint16_t u16;
    uint32_t u32;
    double x;

    switch (width) {
    case 1:
        return *p;
    case 2:
        memcpy(&u16, p, sizeof u16);
        return u16;
    case 4:
        memcpy(&u32, p, sizeof u32);
        return u32;
    default:
        memcpy(&x, p, sizeof x);
        return x;
    }
}

static void put_at(uint8_t *p, uint8_t width, double x)
{
    uint16_t u16;
    uint32_t u32;

    switch (width) {
    case 1:
        *p = (uint8_t)x;
        break;
    case 2:
        u16 = (uint16_t)x;
        memcpy(p, &u16, sizeof u16);
        break;
    case 4:
        u32 = (uint32_t)x;
        memcpy(p, &u32, sizeof u32);
        break;
    default:
        memcpy(p, &x, sizeof x);
        break;
    }
}

double window_get(const struct windows *all, const struct window *w, unsigned column, unsigned at)
{
    if (w->width == 0)
        return 0;
    return number_at(all->pieces + w->pieces + (column * WINDOW_RING + at) * w->width, w->width);
}

double window_total(const struct windows *all, const struct window *w)
{
    const uint8_t *p = w->width > 0 ? all->pieces + w->pieces : NULL;
    double sum = 0;

    if (w->width == 1) {
        unsigned whole = p[WINDOW_PIECES];

        for (unsigned i = 0; i < WINDOW_PIECES; i++) /* so many at once */
            whole += p[i];
        return whole;
    }
    for (unsigned i = 0; w->width > 0 && i < WINDOW_RING; i++)
        sum += number_at(p + i * w->width, w->width);
    return sum;
}

/* Room for n bytes where the window's numbers end, `had` of which it has; those behind move on. */
static void pieces_open(struct windows *all, struct window *w, size_t had, size_t n)
{
    size_t end = had ? w->pieces + had : all->npieces;

    if (!had)
        w->pieces = (uint32_t)end;
    all->pieces = xreallocarray(all->pieces, all->npieces + n - had, 1);
    memmove(all->pieces + end + n - had, all->pieces + end, all->npieces - end);
    all->npieces += n - had;
    for (size_t i = 0; i < all->v.n; i++)
        if (all->v.v[i].width > 0 && all->v.v[i].pieces >= end && &all->v.v[i] != w)
            all->v.v[i].pieces += (uint32_t)(n - had);
}

static void set_width(struct windows *all, struct window *w, uint8_t width)
{
    unsigned n = w->columns * WINDOW_RING;
    double numbers[WINDOW_COLUMNS * WINDOW_RING];

    for (unsigned i = 0; i < n; i++)
        numbers[i] = window_get(all, w, 0, i);
    pieces_open(all, w, (size_t)n * w->width, (size_t)n * width);
    w->width = width;
    for (unsigned i = 0; i < n; i++)
        put_at(all->pieces + w->pieces + (size_t)i * width, width, numbers[i]);
}

void window_put(struct windows *all, struct window *w, unsigned column, unsigned at, double x)
{
    uint8_t width = width_for(x);

    if (width > w->width)
        set_width(all, w, width);
    if (w->width > 0)
        put_at(all->pieces + w->pieces + (size_t)(column * WINDOW_RING + at) * w->width, w->width, x);
}

/* ---- Beats ---- */

size_t beat_size(enum window_type type)
{
    return sizeof(struct beat) + (type == WINDOW_TREND ? WINDOW_RING * sizeof(double) : 0);
}

static uint16_t beat_place(struct windows *all, struct beat *b)
{
    uint16_t i = 0;

    while (i < all->beats.n && all->beats.v[i])
        i++;
    if (i == all->beats.n)
        array_push(&all->beats, b);
    all->beats.v[i] = b;
    return i;
}

uint16_t beat_add(struct windows *all, const struct window_spec *s)
{
    struct beat *b = xcalloc(1, beat_size(s->type));

    b->spec = *s;
    b->asked_ms = INT64_MIN;
    return beat_place(all, b);
}

uint16_t beat_copy(struct windows *all, const struct beat *from)
{
    struct beat *b = xmemdup(from, beat_size(from->spec.type));

    b->refs = b->followed = 0;
    return beat_place(all, b);
}

static void beat_leave(struct windows *all, struct window *w)
{
    struct beat *b = w->beat != NO_BEAT ? all->beats.v[w->beat] : NULL;

    if (b && --b->refs == 0) {
        all->beats.v[w->beat] = NULL;
        free(b);
    }
    w->beat = NO_BEAT;
}

void window_join(struct windows *all, struct window *w, uint16_t beat)
{
    all->beats.v[beat]->refs++;
    beat_leave(all, w);
    w->beat = beat;
}

/* Two that will never differ again, unless somebody misses a reading. */
static bool alike(const struct beat *a, const struct beat *b)
{
    return a->spec.type == b->spec.type && a->spec.length_ms == b->spec.length_ms && a->spec.gap_ms == b->spec.gap_ms &&
           a->start_ms == b->start_ms && a->last_ms == b->last_ms && a->newest == b->newest &&
           memcmp(a->piece, b->piece, sizeof a->piece) == 0 &&
           memcmp(a->seconds, b->seconds, beat_size(a->spec.type) - sizeof *a) == 0;
}

static void unite(struct windows *all, uint16_t keep, uint16_t gone)
{
    for (size_t i = 0; i < all->v.n; i++) {
        if (all->v.v[i].beat != gone)
            continue;
        window_join(all, &all->v.v[i], keep);
        all->v.v[i].step = all->beats.v[keep]->step;
    }
}

void windows_settle(struct windows *all)
{
    for (size_t i = 0; i < all->beats.n; i++)
        for (size_t j = i + 1; j < all->beats.n && all->beats.v[i]; j++)
            if (all->beats.v[j] && alike(all->beats.v[i], all->beats.v[j]))
                unite(all, (uint16_t)i, (uint16_t)j);
    while (all->beats.n > 0 && !all->beats.v[all->beats.n - 1])
        all->beats.n--;
    array_fit(&all->beats);
    array_fit(&all->v);
}

/* ---- All of a device ---- */

void windows_fini(struct windows *all)
{
    for (size_t i = 0; i < all->beats.n; i++)
        free(all->beats.v[i]);
    array_free(&all->beats);
    array_free(&all->v);
    free(all->pieces);
    *all = (struct windows){0};
}

static int order(const struct window *w, uint16_t unit, uint16_t place)
{
    return w->unit != unit ? (w->unit > unit) - (w->unit < unit) : (w->place > place) - (w->place < place);
}

/* They are mostly asked for one after the other: the last one or the next. NULL: it has to be looked for. */
static inline struct window *expected(struct windows *all, uint16_t unit, uint16_t place)
{
    for (size_t i = all->hint; i < all->v.n && i < all->hint + 2; i++) {
        struct window *w = &all->v.v[i];

        if (w->unit != unit || w->place != place)
            continue;
        all->hint = i;
        return w;
    }
    return NULL;
}

/* Where the window is or would be. */
static size_t place_of(struct windows *all, uint16_t unit, uint16_t place, bool *found)
{
    size_t lo = 0, hi = all->v.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (order(&all->v.v[mid], unit, place) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < all->v.n && order(&all->v.v[lo], unit, place) == 0;
    return all->hint = lo;
}

struct window *windows_find(struct windows *all, uint16_t unit, uint16_t place)
{
    struct window *w = expected(all, unit, place);
    bool found;
    size_t at;

    if (w)
        return w;
    at = place_of(all, unit, place, &found);
    return found ? &all->v.v[at] : NULL;
}

struct window *windows_make(struct windows *all, uint16_t unit, uint16_t place, const struct window_spec *s)
{
    const struct window empty = {
        .unit = unit, .place = place, .beat = NO_BEAT, .columns = (uint8_t)(window_columns(s) & 3)};
    struct window *w = expected(all, unit, place);
    bool found;
    size_t at;

    if (w)
        return w;
    at = place_of(all, unit, place, &found);
    if (found)
        return &all->v.v[at];
    array_push(&all->v, empty);
    memmove(&all->v.v[at + 1], &all->v.v[at], (all->v.n - 1 - at) * sizeof empty);
    all->v.v[at] = empty;
    return &all->v.v[at];
}

struct window *windows_next(struct windows *all, uint16_t unit, size_t *at, uint16_t *place)
{
    if (*at == 0) {
        bool found;

        *at = place_of(all, unit, 0, &found);
    }
    if (*at >= all->v.n || all->v.v[*at].unit != unit)
        return NULL;
    *place = all->v.v[*at].place;
    return &all->v.v[(*at)++];
}

/* Takes the window's numbers out. */
static void pieces_close(struct windows *all, struct window *w)
{
    size_t n = (size_t)w->columns * WINDOW_RING * w->width, end = w->pieces + n;

    if (n == 0)
        return;
    memmove(all->pieces + w->pieces, all->pieces + end, all->npieces - end);
    all->npieces -= n;
    for (size_t i = 0; i < all->v.n; i++)
        if (all->v.v[i].width > 0 && all->v.v[i].pieces >= end)
            all->v.v[i].pieces -= (uint32_t)n;
    w->width = 0;
}

void windows_forget(struct windows *all, uint16_t unit)
{
    size_t kept = 0;

    for (size_t i = 0; i < all->v.n; i++) {
        if (all->v.v[i].unit != unit)
            continue;
        beat_leave(all, &all->v.v[i]);
        pieces_close(all, &all->v.v[i]);
    }
    for (size_t i = 0; i < all->v.n; i++)
        if (all->v.v[i].unit != unit)
            all->v.v[kept++] = all->v.v[i];
    all->v.n = kept;
}

void window_break(struct window *w)
{
    w->joined = false;
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
