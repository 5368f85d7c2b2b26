#include <math.h>
#include <string.h>

#include "watch/window_inner.h"

/*
 * flags (1 begun, 2 joined, 4 counted from something; of LEVELS 8 without sums, 16 without least, 32 without most), then if
 * begun: age of the last reading; if so: what it counts from; unless SEEN or SINCE: its type and 64 bits; unless
 * LAST: age of the piece under way; for each piece, newest first: readings, then if any joined milliseconds and its
 * numbers: of a TREND the sum of what was read and that of seconds from the piece's start.
 */
enum { FLAG_BEGUN = 1, FLAG_JOINED = 2, FLAG_ORIGIN = 4, LEVELS_SHIFT = 3 };

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

static uint8_t flags_of(const struct window *w, const struct window_spec *s)
{
    uint8_t flags = (uint8_t)((w->begun ? FLAG_BEGUN : 0) | (w->joined ? FLAG_JOINED : 0) |
                              (w->begun && w->has_origin ? FLAG_ORIGIN : 0));

    if (s->type == WINDOW_LEVELS && w->begun)
        flags |= (uint8_t)((~s->asks & WINDOW_ALL_LEVELS) << LEVELS_SHIFT);
    return flags;
}

static void put_pieces(const struct windows *all, const struct window *w, const struct window_spec *s,
                       struct wire_out *out)
{
    const struct beat *b = all->beats.v[w->beat];

    for (unsigned age = 0; age < WINDOW_RING; age++) {
        unsigned at = piece_at(b, age);

        wire_put_varint(out, b->piece[at].n);
        if (b->piece[at].n == 0)
            continue;
        wire_put_varint(out, b->piece[at].span_ms);
        for (unsigned i = 0; i < w->columns; i++)
            put_double(out, window_get(all, w, i, at));
        if (s->type == WINDOW_TREND)
            put_double(out, b->seconds[at]);
    }
}

void windows_encode(const struct windows *all, const struct window *w, const struct window_spec *s, int64_t now_ms,
                    struct wire_out *out)
{
    const struct beat *b = w->beat != NO_BEAT ? all->beats.v[w->beat] : NULL;

    wire_put_u8(out, flags_of(w, s));
    if (!w->begun)
        return;
    wire_put_varint(out, age_of(b ? b->last_ms : w->last_ms, now_ms));
    if (w->has_origin)
        wire_put_zigzag(out, w->origin);
    if (has_value(s->type)) {
        wire_put_u8(out, w->last_type);
        wire_put_u64be(out, w->last.bits);
    }
    if (!b)
        return;
    wire_put_varint(out, age_of(b->start_ms, now_ms));
    put_pieces(all, w, s, out);
}

/* ---- And back ---- */

/* A window as it is read, before anything of it is believed. */
struct decoded {
    uint8_t flags, kept; /* LEVELS: which are there */
    int64_t last_age, start_age, origin;
    struct value last;
    struct {
        uint32_t n, span_ms;
        double number[WINDOW_COLUMNS], seconds;
    } piece[WINDOW_RING];
};

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

static void get_last(struct decoded *d, const struct window_spec *s, struct wire_in *in)
{
    enum value_type type = (enum value_type)wire_u8(in);

    d->last = (struct value){.type = (uint8_t)type};
    if (type == VALUE_NUM)
        d->last.num = get_double(in);
    else if (type == VALUE_BOOL)
        d->last.b = wire_u64be(in) != 0;
    else
        d->last.bits = wire_u64be(in);
    in->bad |= type == VALUE_NONE || type >= VALUE_TEXT;
    in->bad |= s->type != WINDOW_LAST && type != VALUE_NUM && type != VALUE_INT;
}

static void get_pieces(struct decoded *d, const struct window_spec *s, struct wire_in *in)
{
    unsigned columns = s->type == WINDOW_LEVELS ? (unsigned)__builtin_popcount(d->kept) : 1;

    for (unsigned age = 0; age < WINDOW_RING && !in->bad; age++) {
        d->piece[age].n = get_u32(in);
        if (d->piece[age].n == 0)
            continue;
        d->piece[age].span_ms = get_u32(in);
        for (unsigned i = 0; i < columns; i++)
            d->piece[age].number[i] = get_double(in);
        if (s->type == WINDOW_TREND)
            d->piece[age].seconds = get_double(in);
    }
}

static void get_window(struct decoded *d, const struct window_spec *s, struct wire_in *in)
{
    uint8_t known = FLAG_BEGUN | FLAG_JOINED | FLAG_ORIGIN;

    *d = (struct decoded){.flags = wire_u8(in)};
    if (s->type == WINDOW_LEVELS)
        known |= WINDOW_ALL_LEVELS << LEVELS_SHIFT;
    in->bad |= (d->flags & ~known) || d->flags == FLAG_ORIGIN;
    d->kept = (uint8_t)(~d->flags >> LEVELS_SHIFT & WINDOW_ALL_LEVELS);
    if (!(d->flags & FLAG_BEGUN) || in->bad)
        return;
    d->last_age = get_age(in);
    if (d->flags & FLAG_ORIGIN)
        d->origin = wire_zigzag(in);
    if (has_value(s->type))
        get_last(d, s, in);
    if (!has_pieces(s->type))
        return;
    d->start_age = get_age(in);
    get_pieces(d, s, in);
}

/* Which of the decoded numbers a column's is. */
static unsigned decoded_column(const struct decoded *d, const struct window_spec *s, unsigned column)
{
    unsigned i = 0;

    for (uint8_t ask = WINDOW_SUM; s->type == WINDOW_LEVELS && ask <= WINDOW_MOST; ask = (uint8_t)(ask << 1)) {
        if (window_column(s, ask) == (int)column)
            return i;
        i += (d->kept & ask) != 0;
    }
    return 0;
}

static void restore_pieces(struct windows *all, struct window *w, const struct window_spec *s, int64_t then_ms,
                           const struct decoded *d)
{
    uint16_t place = beat_add(all, s);
    struct beat *b = all->beats.v[place];

    b->newest = WINDOW_RING - 1;
    b->start_ms = then_ms - d->start_age;
    b->last_ms = then_ms - d->last_age;
    window_join(all, w, place);
    w->step = b->step;
    for (unsigned age = 0; age < WINDOW_RING; age++) {
        unsigned at = piece_at(b, age);

        b->piece[at].n = d->piece[age].n;
        b->piece[at].span_ms = d->piece[age].span_ms;
        if (s->type == WINDOW_TREND)
            b->seconds[at] = d->piece[age].seconds;
        for (unsigned i = 0; d->piece[age].n > 0 && i < w->columns; i++)
            window_put(all, w, i, at, d->piece[age].number[decoded_column(d, s, i)]);
    }
}

void windows_decode(struct windows *all, uint16_t unit, uint16_t place, const struct window_spec *s, int64_t then_ms,
                    struct wire_in *in)
{
    struct decoded d;
    struct window *w;

    get_window(&d, s, in);
    if (in->bad || (s->type == WINDOW_LEVELS && (s->asks & ~d.kept)))
        return;
    w = windows_make(all, unit, place, s);
    if (w->begun) /* a row that tells of it twice: the first is as good */
        return;
    w->begun = d.flags & FLAG_BEGUN;
    w->joined = d.flags & FLAG_JOINED;
    if (!w->begun)
        return;
    w->has_origin = d.flags & FLAG_ORIGIN;
    if (has_value(s->type))
        window_set_last(w, d.last);
    if (!has_pieces(s->type))
        w->last_ms = then_ms - d.last_age;
    else
        restore_pieces(all, w, s, then_ms, &d);
    if (w->has_origin && has_pieces(s->type))
        w->origin = d.origin;
}
