#include "store/column.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/*
 * A piece: a byte of type (bits 0-2), quality (bits 3-5) and whether it is the
 * last (bit 6), else a varint of how many values it has; then, where the quality
 * leaves something to say, its content. Numbers begin with their scale.
 *
 * Integers: a byte that says which of the ways, then as that way wants it.
 */
enum { QUALITY_SHIFT = 3, LAST_PIECE = 1 << 6 };
enum way { WAY_RUNS, WAY_STEPS, WAY_TURNS, WAY_PACKED_STEPS, WAY_PACKED_TURNS, WAY_COUNT };
enum { SCALES = 6, AS_BITS = SCALES };
enum { PACKED_MOST = 56 }; /* bits: what stands in a 64-bit window wherever it begins */
enum { VARINT_MAX = 10, INT_HEAD = 1 + 3 * VARINT_MAX + 1, ENTRY_MAX = 2 * VARINT_MAX };
#define MANTISSA_MAX 9007199254740992.0 /* 2^53: beyond it doubles skip integers */

static const double power_of_ten[SCALES] = {1, 10, 100, 1000, 10000, 100000};

static bool has_content(uint8_t quality)
{
    return quality == QUALITY_GOOD || quality == QUALITY_STALE;
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

/* Differences wrap, so that every pair of numbers has one. */
static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static unsigned bits_of(uint64_t v)
{
    return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

/* A seventh of its bits, rounded up: 9/64 of up to 64 is near enough. */
static size_t varint_size(uint64_t v)
{
    return ((size_t)(64 - __builtin_clzll(v | 1)) * 9 + 64) / 64;
}

/* ---- Encoding ---- */

void column_scratch_fini(struct column_scratch *s)
{
    free(s->numbers);
    free(s->bytes);
    *s = (struct column_scratch){0};
}

static void make_room(struct column_scratch *s, size_t n)
{
    if (n <= s->cap)
        return;
    column_scratch_fini(s);
    s->cap = n * 2;
    s->numbers = xcalloc(s->cap, sizeof *s->numbers);
    s->bytes = xcalloc(1, INT_HEAD + s->cap * ENTRY_MAX);
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

/* How the ways compare: steps between neighbours, and turns, which are steps between steps. */
struct shape {
    size_t runs, steps, turns; /* bytes that each way takes */
    int64_t least_step, most_step, least_turn, most_turn;
};

static void see_step(struct shape *sh, int64_t step, bool first)
{
    if (first || step < sh->least_step)
        sh->least_step = step;
    if (first || step > sh->most_step)
        sh->most_step = step;
    sh->steps += varint_size(zigzag(step));
}

/* The first turn is the first step, from none, and stands for itself where turns are packed. */
static void see_turn(struct shape *sh, int64_t turn, size_t i)
{
    if (i == 2 || turn < sh->least_turn)
        sh->least_turn = turn;
    if (i == 2 || turn > sh->most_turn)
        sh->most_turn = turn;
    sh->turns += varint_size(zigzag(turn));
    sh->runs += turn != 0 ? 2 + varint_size(zigzag(turn)) : 0;
}

static struct shape look(const int64_t *v, size_t n)
{
    struct shape sh = {.runs = 4};
    int64_t step = 0;

    for (size_t i = 1; i < n; i++) {
        int64_t next = minus(v[i], v[i - 1]);

        see_step(&sh, next, i == 1);
        see_turn(&sh, minus(next, step), i);
        step = next;
    }
    return sh;
}

static size_t packed_size(int64_t least, int64_t most, size_t n)
{
    unsigned width = bits_of((uint64_t)minus(most, least));

    return width > PACKED_MOST ? SIZE_MAX / 2 : varint_size(zigzag(least)) + 1 + (n * width + 7) / 8;
}

static enum way choose(const struct shape *sh, size_t n)
{
    size_t sizes[WAY_COUNT] = {
        [WAY_RUNS] = sh->runs,
        [WAY_STEPS] = sh->steps,
        [WAY_TURNS] = sh->turns,
        [WAY_PACKED_STEPS] = packed_size(sh->least_step, sh->most_step, n - 1),
        [WAY_PACKED_TURNS] = SIZE_MAX / 2,
    };
    enum way best = WAY_RUNS;

    if (n > 2)
        sizes[WAY_PACKED_TURNS] =
            varint_size(zigzag(sh->least_step)) + packed_size(sh->least_turn, sh->most_turn, n - 2);
    for (int way = 1; way < WAY_COUNT; way++)
        if (sizes[way] < sizes[best])
            best = (enum way)way;
    return best;
}

/* Runs of equal steps: how many, and how far the step is from the one before. */
static uint8_t *put_runs(uint8_t *p, const int64_t *v, size_t n)
{
    int64_t before = 0;

    for (size_t i = 1; i < n;) {
        int64_t step = minus(v[i], v[i - 1]);
        size_t run = 1;

        while (i + run < n && minus(v[i + run], v[i + run - 1]) == step)
            run++;
        p = put_varint(p, run);
        p = put_varint(p, zigzag(minus(step, before)));
        before = step;
        i += run;
    }
    return p;
}

static uint8_t *put_each(uint8_t *p, const int64_t *v, size_t n, bool turns)
{
    int64_t before = 0;

    for (size_t i = 1; i < n; i++) {
        int64_t step = minus(v[i], v[i - 1]);

        p = put_varint(p, zigzag(turns ? minus(step, before) : step));
        before = step;
    }
    return p;
}

static uint8_t *put_packed(uint8_t *p, const int64_t *v, size_t n, bool turns, const struct shape *sh)
{
    int64_t least = turns ? sh->least_turn : sh->least_step, most = turns ? sh->most_turn : sh->most_step;
    unsigned width = bits_of((uint64_t)minus(most, least)), filled = 0;
    uint64_t window = 0;
    int64_t before = minus(v[1], v[0]);

    if (turns)
        p = put_varint(p, zigzag(before));
    p = put_varint(p, zigzag(least));
    *p++ = (uint8_t)width;
    for (size_t i = turns ? 2 : 1; i < n; i++) {
        int64_t step = minus(v[i], v[i - 1]);

        window |= (uint64_t)minus(turns ? minus(step, before) : step, least) << filled;
        before = step;
        for (filled += width; filled >= 8; filled -= 8, window >>= 8)
            *p++ = (uint8_t)window;
    }
    if (filled > 0)
        *p++ = (uint8_t)window;
    return p;
}

static bool all_the_same(const int64_t *v, size_t n)
{
    return n > 1 && memcmp(v, v + 1, (n - 1) * sizeof *v) == 0;
}

static uint8_t *put_ints(uint8_t *p, const int64_t *v, size_t n)
{
    struct shape sh = {0};
    enum way way = WAY_PACKED_STEPS; /* of no bits, where it stayed what it was, as most does */

    if (!all_the_same(v, n)) {
        sh = look(v, n);
        way = choose(&sh, n);
    }

    *p++ = (uint8_t)way;
    p = put_varint(p, zigzag(v[0]));
    switch (way) {
    case WAY_RUNS:
        return put_runs(p, v, n);
    case WAY_STEPS:
    case WAY_TURNS:
        return put_each(p, v, n, way == WAY_TURNS);
    case WAY_PACKED_STEPS:
    case WAY_PACKED_TURNS:
        return put_packed(p, v, n, way == WAY_PACKED_TURNS, &sh);
    case WAY_COUNT:
        break;
    }
    return p;
}

void column_encode_ints(struct sbuf *out, struct column_scratch *s, const int64_t *v, size_t n)
{
    if (n == 0)
        return;
    make_room(s, n);
    sbuf_addn(out, s->bytes, (size_t)(put_ints(s->bytes, v, n) - s->bytes));
}

static bool scaled(const struct value *v, size_t n, double by, int64_t *out)
{
    for (size_t i = 0; i < n; i++) {
        double whole = nearbyint(v[i].num * by), back;

        if (!(fabs(whole) <= MANTISSA_MAX)) /* not a number either */
            return false;
        out[i] = (int64_t)whole;
        back = (double)out[i] / by;
        if (!wire_same_double(back, v[i].num))
            return false;
    }
    return true;
}

/* Numbers that no power of ten fits: runs of equal ones, by their bits. */
static uint8_t *put_doubles(uint8_t *p, const struct value *v, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t run = 1;

        while (i + run < n && v[i + run].bits == v[i].bits)
            run++;
        p = put_varint(p, run);
        for (int shift = 56; shift >= 0; shift -= 8)
            *p++ = (uint8_t)(v[i].bits >> shift);
        i += run;
    }
    return p;
}

static uint8_t *put_numbers(uint8_t *p, struct column_scratch *s, const struct value *v, size_t n)
{
    unsigned scale = 0;

    while (scale < SCALES && !scaled(v, n, power_of_ten[scale], s->numbers))
        scale++;
    *p++ = (uint8_t)scale;
    return scale < SCALES ? put_ints(p, s->numbers, n) : put_doubles(p, v, n);
}

static void put_texts(struct sbuf *out, const struct value *v, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint8_t head[VARINT_MAX];
        size_t run = 1;

        while (i + run < n && (v[i + run].text == v[i].text || strcmp(v[i + run].text, v[i].text) == 0))
            run++;
        sbuf_addn(out, head, (size_t)(put_varint(head, run) - head));
        sbuf_addn(out, v[i].text, strlen(v[i].text) + 1);
        i += run;
    }
}

static void put_content(struct sbuf *out, struct column_scratch *s, const struct value *v, size_t n)
{
    uint8_t *p = s->bytes;

    switch ((enum value_type)v->type) {
    case VALUE_NONE:
        return;
    case VALUE_TEXT:
        put_texts(out, v, n);
        return;
    case VALUE_NUM:
        p = put_numbers(p, s, v, n);
        break;
    case VALUE_BOOL:
        for (size_t i = 0; i < n; i++)
            s->numbers[i] = v[i].b;
        p = put_ints(p, s->numbers, n);
        break;
    case VALUE_INT:
    case VALUE_ENUM:
    case VALUE_BITS: /* by their bits, which are an integer's too */
        for (size_t i = 0; i < n; i++)
            s->numbers[i] = v[i].i;
        p = put_ints(p, s->numbers, n);
        break;
    }
    sbuf_addn(out, s->bytes, (size_t)(p - s->bytes));
}

void column_encode(struct sbuf *out, struct column_scratch *s, const struct value *v, size_t n)
{
    make_room(s, n);
    for (size_t i = 0; i < n;) {
        uint8_t head[1 + VARINT_MAX], *p = head;
        size_t run = 1;

        while (i + run < n && v[i + run].type == v[i].type && v[i + run].quality == v[i].quality)
            run++;
        *p++ = (uint8_t)(v[i].type | v[i].quality << QUALITY_SHIFT | (i + run == n ? LAST_PIECE : 0));
        if (i + run < n)
            p = put_varint(p, run);
        sbuf_addn(out, head, (size_t)(p - head));
        if (has_content(v[i].quality))
            put_content(out, s, &v[i], run);
        i += run;
    }
}

/* ---- Decoding ---- */

static void get_runs(struct wire_in *in, int64_t *v, size_t n)
{
    int64_t step = 0;

    for (size_t i = 1; i < n;) {
        uint64_t run = wire_varint(in);

        step = plus(step, wire_zigzag(in));
        if (in->bad || run == 0 || run > n - i) {
            in->bad = true;
            return;
        }
        for (; run > 0; run--, i++)
            v[i] = plus(v[i - 1], step);
    }
}

static void get_each(struct wire_in *in, int64_t *v, size_t n, bool turns)
{
    int64_t step = 0;

    for (size_t i = 1; i < n && !in->bad; i++) {
        step = plus(turns ? step : 0, wire_zigzag(in));
        v[i] = plus(v[i - 1], step);
    }
}

static void get_packed(struct wire_in *in, int64_t *v, size_t n, bool turns)
{
    int64_t step = turns ? wire_zigzag(in) : 0, least = wire_zigzag(in);
    unsigned width = wire_u8(in), filled = 0;
    size_t first = turns ? 2 : 1;
    const uint8_t *p = n >= first && width <= PACKED_MOST ? wire_bytes(in, ((n - first) * width + 7) / 8) : NULL;
    uint64_t window = 0, mask;

    if (!p) {
        in->bad = true;
        return;
    }
    mask = (UINT64_C(1) << width) - 1;
    if (turns)
        v[1] = plus(v[0], step);
    for (size_t i = first; i < n; i++) {
        for (; filled < width; filled += 8)
            window |= (uint64_t)*p++ << filled;
        step = plus(turns ? step : 0, plus(least, (int64_t)(window & mask)));
        window >>= width;
        filled -= width;
        v[i] = plus(v[i - 1], step);
    }
}

void column_decode_ints(struct wire_in *in, int64_t *v, size_t n)
{
    unsigned way;

    if (n == 0)
        return;
    way = wire_u8(in);
    v[0] = wire_zigzag(in);
    if (way == WAY_RUNS)
        get_runs(in, v, n);
    else if (way == WAY_STEPS || way == WAY_TURNS)
        get_each(in, v, n, way == WAY_TURNS);
    else if (way == WAY_PACKED_STEPS || way == WAY_PACKED_TURNS)
        get_packed(in, v, n, way == WAY_PACKED_TURNS);
    else
        in->bad = true;
}

/* Integers go where the values are to be, and are spread from the last one on: a value is wider. */
static void get_ints(struct wire_in *in, struct value *v, size_t n)
{
    int64_t *numbers = (int64_t *)(void *)v;

    column_decode_ints(in, numbers, n);
    for (size_t i = n; i-- > 0 && !in->bad;) {
        int64_t x = numbers[i];

        v[i].i = x;
    }
}

static void get_doubles(struct wire_in *in, struct value *v, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint64_t run = wire_varint(in), bits = wire_u64be(in);

        if (in->bad || run == 0 || run > n - i) {
            in->bad = true;
            return;
        }
        for (; run > 0; run--)
            v[i++].bits = bits;
    }
}

static void get_numbers(struct wire_in *in, struct value *v, size_t n)
{
    unsigned scale = wire_u8(in);

    if (scale == AS_BITS) {
        get_doubles(in, v, n);
    } else if (scale < SCALES) {
        get_ints(in, v, n);
        for (size_t i = 0; i < n && !in->bad; i++)
            v[i].num = (double)v[i].i / power_of_ten[scale];
    } else {
        in->bad = true;
    }
}

static void get_texts(struct wire_in *in, struct value *v, size_t n)
{
    for (size_t i = 0; i < n;) {
        uint64_t run = wire_varint(in);
        const uint8_t *end = memchr(in->p, '\0', wire_left(in));
        const char *text = (const char *)in->p;

        if (in->bad || !end || run == 0 || run > n - i) {
            in->bad = true;
            return;
        }
        in->p = end + 1;
        for (; run > 0; run--)
            v[i++].text = text;
    }
}

static void get_bools(struct wire_in *in, struct value *v, size_t n)
{
    get_ints(in, v, n);
    for (size_t i = 0; i < n && !in->bad; i++) {
        in->bad |= v[i].i != 0 && v[i].i != 1;
        v[i].b = v[i].i == 1;
    }
}

static void get_content(struct wire_in *in, enum value_type type, struct value *v, size_t n)
{
    switch (type) {
    case VALUE_NONE:
        break;
    case VALUE_BOOL:
        get_bools(in, v, n);
        break;
    case VALUE_INT:
    case VALUE_ENUM:
    case VALUE_BITS:
        get_ints(in, v, n);
        break;
    case VALUE_NUM:
        get_numbers(in, v, n);
        break;
    case VALUE_TEXT:
        get_texts(in, v, n);
        break;
    }
}

static void get_piece(struct wire_in *in, unsigned head, struct value *v, size_t n)
{
    uint8_t type = head & 7, quality = (uint8_t)(head >> QUALITY_SHIFT & 7);

    if (type > VALUE_TEXT || quality > QUALITY_UNKNOWN) {
        in->bad = true;
        return;
    }
    if (has_content(quality))
        get_content(in, (enum value_type)type, v, n);
    else
        memset(v, 0, n * sizeof *v);
    for (size_t i = 0; i < n && !in->bad; i++) {
        v[i].type = type;
        v[i].quality = quality;
        v[i].why = 0;
        v[i].slot = 0;
    }
}

void column_decode(struct wire_in *in, struct value *v, size_t n)
{
    for (size_t i = 0; i < n && !in->bad;) {
        unsigned head = wire_u8(in);
        uint64_t count = head & LAST_PIECE ? n - i : wire_varint(in);

        if (in->bad || count == 0 || count > n - i || head > (LAST_PIECE | 0x3f) ||
            (!(head & LAST_PIECE) && count == n - i)) {
            in->bad = true;
            return;
        }
        get_piece(in, head, v + i, (size_t)count);
        i += (size_t)count;
    }
}
