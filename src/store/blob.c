#include "store/blob.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/wire.h"

/*
 * A reading is a tag byte, then what the tag leaves open. Of a poll that stands by itself:
 *
 *   bits 0-2  content: none, false, true, integer, number, enumeration, flags, text
 *   bits 3-4  where: the next point of the same component; point 0 of the next
 *             component; a later point (varint: how many are left out); a later
 *             component (varint: components left out, varint: point)
 *   bits 5-7  quality; or, of a good integer or enumeration, its value 0, 1 or 2
 *
 * Of one that is told by the poll before it, after a varint of how many milliseconds it came later:
 *
 *   bits 0-1  where, as above
 *   bits 2-7  up to 39: content * 5 + quality; then what it is against what it was last:
 *             the same; an integer that fell (varint: by how much more than 1); a number
 *             that moved (zigzag varint: of its mantissa) at scale 0 to 5; an integer that
 *             rose by more than 15 (varint: by how much more), or by 1 to 15
 *
 * Integers are zigzag varints, flags a varint, texts a varint length and bytes.
 * A number is a varint of zigzag(mantissa) * 8 + scale: mantissa / 10^scale where
 * that is the number to the last bit, else a float or a double follows.
 */
enum content { NONE, IS_FALSE, IS_TRUE, INTEGER, NUMBER, ENUMERATION, FLAGS, TEXT, CONTENTS };
enum step { NEXT_POINT, NEXT_COMPONENT, LATER_POINT, LATER_COMPONENT };
enum {
    QUALITY_BITS = 5,
    STEP_BITS = 3,
    QUALITIES = QUALITY_UNKNOWN + 1,
    VALUE_0 = QUALITIES,
    SMALL_VALUES = 8 - VALUE_0
};
enum { SCALES = 6, AS_FLOAT = SCALES, AS_DOUBLE };
enum { SAME = CONTENTS * QUALITIES, FELL, MOVED, ROSE = MOVED + SCALES, ROSE_0 = ROSE, CODES = 64 };
enum { SMALL_RISE = CODES - 1 - ROSE_0, CODE_BITS = 2 };

enum { BY_ITSELF = 1, BY_THE_LAST = 2 }; /* versions */
enum { TEXT_MAX = 1024, READING_MAX = 1 + 5 + 3 + 19 + TEXT_MAX };
#define MANTISSA_MAX 9007199254740992.0 /* 2^53: beyond it doubles skip integers */

static const double power_of_ten[SCALES] = {1, 10, 100, 1000, 10000, 100000};

/* Where the last reading was: the next one comes after it. */
struct place {
    uint64_t component, point;
};

/* One before (component 0, point 0), in numbers that wrap. */
static const struct place before_first = {.component = 0, .point = UINT64_MAX};

static bool has_content(const struct value *v)
{
    return v->quality == QUALITY_GOOD || v->quality == QUALITY_STALE;
}

/* ---- Encoding ---- */

static enum content content_of(const struct value *v)
{
    switch ((enum value_type)v->type) {
    case VALUE_NONE:
        return NONE;
    case VALUE_BOOL:
        return has_content(v) && v->b ? IS_TRUE : IS_FALSE;
    case VALUE_INT:
        return INTEGER;
    case VALUE_NUM:
        return NUMBER;
    case VALUE_ENUM:
        return ENUMERATION;
    case VALUE_BITS:
        return FLAGS;
    case VALUE_TEXT:
        return TEXT;
    }
    return NONE;
}

static bool is_small(const struct value *v)
{
    return v->quality == QUALITY_GOOD && (v->type == VALUE_INT || v->type == VALUE_ENUM) && v->i >= 0 &&
           v->i < SMALL_VALUES;
}

static enum step step_to(const struct place *from, const struct reading *r)
{
    if (r->component == from->component)
        return r->point == from->point + 1 ? NEXT_POINT : LATER_POINT;
    return r->component == from->component + 1 && r->point == 0 ? NEXT_COMPONENT : LATER_COMPONENT;
}

/* The whole number that is x * 10^scale, if that tells it to the last bit. */
static bool mantissa_of(double x, uint64_t scale, int64_t *out)
{
    double whole = nearbyint(x * power_of_ten[scale]);

    if (!(fabs(whole) <= MANTISSA_MAX)) /* not a number either */
        return false;
    *out = (int64_t)whole;
    return wire_same_double((double)*out / power_of_ten[scale], x);
}

static void put_number(struct wire_out *out, double x)
{
    int64_t m;

    for (uint64_t scale = 0; scale < SCALES; scale++) {
        if (!mantissa_of(x, scale, &m))
            continue;
        wire_put_varint(out, ((uint64_t)m << 1 ^ (m < 0 ? UINT64_MAX : 0)) << 3 | scale);
        return;
    }
    if (wire_same_double((float)x, x)) {
        float f = (float)x;
        uint32_t bits;

        memcpy(&bits, &f, sizeof bits);
        wire_put_varint(out, AS_FLOAT);
        wire_put_u32be(out, bits);
    } else {
        uint64_t bits;

        memcpy(&bits, &x, sizeof bits);
        wire_put_varint(out, AS_DOUBLE);
        wire_put_u64be(out, bits);
    }
}

/* Bytes of the text that are kept: all, or as many whole characters as there is room for. */
static size_t text_length(const char *text)
{
    size_t n = strnlen(text, TEXT_MAX + 1);

    if (n <= TEXT_MAX)
        return n;
    for (n = TEXT_MAX; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
        n--;
    return n;
}

static void put_content(struct wire_out *out, const struct value *v)
{
    size_t n;

    switch ((enum value_type)v->type) {
    case VALUE_NONE:
    case VALUE_BOOL:
        break;
    case VALUE_INT:
    case VALUE_ENUM:
        wire_put_zigzag(out, v->i);
        break;
    case VALUE_NUM:
        put_number(out, v->num);
        break;
    case VALUE_BITS:
        wire_put_varint(out, v->bits);
        break;
    case VALUE_TEXT:
        n = text_length(v->text);
        wire_put_varint(out, n);
        wire_put_bytes(out, v->text, n);
        break;
    }
}

/* What the step leaves open; the place goes on. */
static void put_place(struct wire_out *out, enum step step, struct place *at, const struct reading *r)
{
    assert(r->component > at->component || (r->component == at->component && r->point >= at->point + 1));
    if (step == LATER_POINT) {
        wire_put_varint(out, r->point - at->point - 1);
    } else if (step == LATER_COMPONENT) {
        wire_put_varint(out, r->component - at->component - 1);
        wire_put_varint(out, r->point);
    }
    *at = (struct place){r->component, r->point};
}

static void put_reading(struct wire_out *out, struct place *at, const struct reading *r)
{
    const struct value *v = &r->value;
    enum step step = step_to(at, r);
    unsigned quality = is_small(v) ? VALUE_0 + (unsigned)v->i : v->quality;

    wire_put_u8(out, (uint8_t)((unsigned)content_of(v) | (unsigned)step << STEP_BITS | quality << QUALITY_BITS));
    put_place(out, step, at, r);
    if (has_content(v) && quality < VALUE_0)
        put_content(out, v);
}

/* How far a value moved, as a code and what follows it; code 0: that can't be told. */
struct move {
    unsigned code;
    bool more; /* something follows: */
    uint64_t by;
};

static struct move integer_move(int64_t before, int64_t now)
{
    uint64_t rise = (uint64_t)now - (uint64_t)before;

    if (now < before)
        return (struct move){.code = FELL, .more = true, .by = -rise - 1};
    if (rise <= SMALL_RISE)
        return (struct move){.code = ROSE_0 + (unsigned)rise};
    return (struct move){.code = ROSE, .more = true, .by = rise - SMALL_RISE - 1};
}

static struct move number_move(double before, double now)
{
    int64_t from, to, d;

    for (uint64_t scale = 0; scale < SCALES; scale++) {
        if (!mantissa_of(now, scale, &to))
            continue;
        if (!mantissa_of(before, scale, &from))
            break;
        d = to - from;
        return (struct move){
            .code = MOVED + (unsigned)scale, .more = true, .by = (uint64_t)d << 1 ^ (d < 0 ? UINT64_MAX : 0)};
    }
    return (struct move){0};
}

static struct move move_of(const struct value *now, const struct reading_past *past)
{
    const struct value before = {.bits = past->bits};

    if (now->type != VALUE_TEXT && past->told == PAST_SAME)
        return (struct move){.code = SAME};
    if (past->told != PAST_GOOD || now->quality != QUALITY_GOOD)
        return (struct move){0};
    if (now->type == VALUE_INT && now->i != before.i)
        return integer_move(before.i, now->i);
    return now->type == VALUE_NUM ? number_move(before.num, now->num) : (struct move){0};
}

static void put_next(struct wire_out *out, struct place *at, const struct reading *r, const struct reading_past *past)
{
    const struct value *v = &r->value;
    enum step step = step_to(at, r);
    struct move move = move_of(v, past);
    unsigned code = move.code ? move.code : (unsigned)content_of(v) * QUALITIES + v->quality;

    wire_put_u8(out, (uint8_t)((unsigned)step | code << CODE_BITS));
    put_place(out, step, at, r);
    if (move.more)
        wire_put_varint(out, move.by);
    else if (!move.code && has_content(v))
        put_content(out, v);
}

/* past NULL: by itself. */
static void encode(struct sbuf *out, int64_t gap_ms, const struct reading *readings, const struct reading_past *past,
                   size_t n)
{
    uint8_t chunk[READING_MAX * 2];
    struct wire_out w = wire_out(chunk, sizeof chunk);
    struct place at = before_first;
    size_t start = out->n;

    wire_put_u8(&w, past ? BY_THE_LAST : BY_ITSELF);
    if (past)
        wire_put_varint(&w, (uint64_t)gap_ms);
    wire_put_varint(&w, n);
    for (size_t i = 0; i < n; i++) {
        if (past)
            put_next(&w, &at, &readings[i], &past[i]);
        else
            put_reading(&w, &at, &readings[i]);
        if (wire_used(&w) > sizeof chunk - READING_MAX) {
            sbuf_addn(out, chunk, wire_used(&w));
            w = wire_out(chunk, sizeof chunk);
        }
    }
    sbuf_addn(out, chunk, wire_used(&w));

    w = wire_out(chunk, sizeof chunk);
    wire_put_u32be(&w, wire_crc32c(0, out->s + start, out->n - start));
    sbuf_addn(out, chunk, wire_used(&w));
}

void blob_encode(struct sbuf *out, const struct reading *readings, size_t n)
{
    encode(out, 0, readings, NULL, n);
}

void blob_encode_next(struct sbuf *out, int64_t gap_ms, const struct reading *readings, const struct reading_past *past,
                      size_t n)
{
    encode(out, gap_ms, readings, past, n);
}

/* ---- Decoding ---- */

static double get_number(struct wire_in *in)
{
    uint64_t v = wire_varint(in), scale = v & 7, zigzag = v >> 3;
    double x = 0;

    if (scale < SCALES) {
        x = (double)(int64_t)(zigzag >> 1 ^ -(zigzag & 1)) / power_of_ten[scale];
    } else if (v == AS_FLOAT) {
        uint32_t bits = wire_u32be(in);
        float f;

        memcpy(&f, &bits, sizeof f);
        x = (double)f;
    } else if (v == AS_DOUBLE) {
        uint64_t bits = wire_u64be(in);

        memcpy(&x, &bits, sizeof x);
    } else {
        in->bad = true;
    }
    return x;
}

/* Copied out, as it has no NUL at its end where it lies: there is room, as its length took a byte of the blob. */
static const char *get_text(struct wire_in *in, struct blob_chain *c)
{
    uint64_t n = wire_varint(in);
    const uint8_t *p = n <= TEXT_MAX ? wire_bytes(in, (size_t)n) : NULL;
    char *text = c->texts.v + c->texts.n;

    if (!p || memchr(p, '\0', (size_t)n)) {
        in->bad = true;
        return "";
    }
    memcpy(text, p, (size_t)n);
    text[n] = '\0';
    c->texts.n += (size_t)n + 1;
    return text;
}

static void get_content(struct wire_in *in, struct value *v, struct blob_chain *c)
{
    switch ((enum value_type)v->type) {
    case VALUE_NONE:
    case VALUE_BOOL:
        break;
    case VALUE_INT:
    case VALUE_ENUM:
        v->i = wire_zigzag(in);
        break;
    case VALUE_NUM:
        v->num = get_number(in);
        break;
    case VALUE_BITS:
        v->bits = wire_varint(in);
        break;
    case VALUE_TEXT:
        v->text = get_text(in, c);
        break;
    }
}

static struct value get_value(struct wire_in *in, enum content content, unsigned quality, struct blob_chain *c)
{
    static const uint8_t types[] = {
        [NONE] = VALUE_NONE,  [IS_FALSE] = VALUE_BOOL,    [IS_TRUE] = VALUE_BOOL, [INTEGER] = VALUE_INT,
        [NUMBER] = VALUE_NUM, [ENUMERATION] = VALUE_ENUM, [FLAGS] = VALUE_BITS,   [TEXT] = VALUE_TEXT,
    };
    struct value v = {.type = types[content], .quality = QUALITY_GOOD};

    if (quality < VALUE_0) {
        v.quality = (uint8_t)quality;
        if (content == IS_TRUE)
            v.b = true;
        if (has_content(&v))
            get_content(in, &v, c);
    } else if (content == INTEGER || content == ENUMERATION) {
        v.i = quality - VALUE_0;
    } else {
        in->bad = true;
    }
    return v;
}

static int64_t get_moved_integer(struct wire_in *in, unsigned code, int64_t before)
{
    uint64_t by = code > ROSE_0 ? code - ROSE_0 : wire_varint(in) + (code == ROSE ? SMALL_RISE + 1 : 1);
    int64_t now = (int64_t)((uint64_t)before + (code == FELL ? -by : by));

    in->bad |= code == FELL ? now >= before : now <= before; /* it went beyond what there is */
    return now;
}

static double get_moved_number(struct wire_in *in, unsigned scale, double before)
{
    int64_t by = wire_zigzag(in), from;

    if (!mantissa_of(before, scale, &from) || by > 2 * (int64_t)MANTISSA_MAX || by < -2 * (int64_t)MANTISSA_MAX) {
        in->bad = true;
        return 0;
    }
    return (double)(from + by) / power_of_ten[scale];
}

static void move_value(struct wire_in *in, unsigned code, struct value *v)
{
    bool number = code >= MOVED && code < MOVED + SCALES;

    if (v->type == VALUE_TEXT ||
        (code != SAME && (v->quality != QUALITY_GOOD || v->type != (number ? VALUE_NUM : VALUE_INT))))
        in->bad = true;
    else if (number)
        v->num = get_moved_number(in, code - MOVED, v->num);
    else if (code != SAME)
        v->i = get_moved_integer(in, code, v->i);
}

static void get_place(struct wire_in *in, enum step step, struct place *at)
{
    switch (step) {
    case NEXT_POINT:
        at->point++;
        break;
    case NEXT_COMPONENT:
        *at = (struct place){at->component + 1, 0};
        break;
    case LATER_POINT:
        at->point += wire_varint(in) + 1;
        break;
    case LATER_COMPONENT:
        at->component += wire_varint(in) + 1;
        at->point = wire_varint(in);
        break;
    }
}

/* Goes on to the place of the next reading; false if there is none that makes sense. */
static bool next_place(struct wire_in *in, enum step step, struct place *at)
{
    struct place before = *at;

    get_place(in, step, at);
    if (in->bad || at->component > UINT32_MAX || at->point > UINT16_MAX)
        return false;
    return at->component > before.component ||
           (at->component == before.component && at->point >= before.point + 1); /* + 1 wraps before the first */
}

static bool is_at(const struct reading *r, const struct place *at)
{
    return r->component == at->component && r->point == at->point;
}

static bool is_before(const struct reading *r, const struct place *at)
{
    return r->component < at->component || (r->component == at->component && r->point < at->point);
}

/* Where it stands among those that were told last, from `from` on; there, or where it would. */
static size_t find_last(const struct blob_chain *c, size_t from, const struct place *at)
{
    while (from < c->last.n && is_before(&c->last.v[from], at))
        from++;
    return from;
}

static void insert_last(struct blob_chain *c, size_t i, const struct place *at)
{
    const struct reading r = {.component = (uint32_t)at->component, .point = (uint16_t)at->point};

    array_push(&c->last, r);
    if (i + 1 < c->last.n) {
        memmove(&c->last.v[i + 1], &c->last.v[i], (c->last.n - 1 - i) * sizeof r);
        c->last.v[i] = r;
    }
}

/* Whether the step leads to the next one of those that were told last, as it mostly does. */
static bool leads_to(enum step step, const struct place *at, const struct reading *next)
{
    if (step == NEXT_POINT)
        return next->component == at->component && next->point == at->point + 1;
    return step == NEXT_COMPONENT && next->component == at->component + 1 && next->point == 0;
}

/* The place of what the step leads to among those that were told last, from *i on, made where it was not told yet; *known says which. */
static bool find_reading(struct blob_chain *c, struct wire_in *in, enum step step, struct place *at, size_t *i,
                         bool *known)
{
    *known = *i < c->last.n && leads_to(step, at, &c->last.v[*i]);
    if (*known) {
        *at = (struct place){c->last.v[*i].component, c->last.v[*i].point};
        return true;
    }
    if (!next_place(in, step, at))
        return false;
    *i = find_last(c, *i, at);
    *known = *i < c->last.n && is_at(&c->last.v[*i], at);
    if (!*known)
        insert_last(c, *i, at);
    return true;
}

/* The next reading, by itself or against what was told last; *cursor goes along those. */
static bool get_reading(struct blob_chain *c, struct wire_in *in, bool by_itself, struct place *at, size_t *cursor)
{
    unsigned tag = wire_u8(in), code = tag >> CODE_BITS;
    size_t i = *cursor;
    bool known;

    if (!find_reading(c, in, by_itself ? tag >> STEP_BITS & 3 : tag & 3, at, &i, &known))
        return false;
    c->told.v[c->told.n++] = (uint32_t)i;
    *cursor = i + 1;
    if (by_itself)
        c->last.v[i].value = get_value(in, tag & 7, tag >> QUALITY_BITS, c);
    else if (code < SAME)
        c->last.v[i].value = get_value(in, code / QUALITIES, code % QUALITIES, c);
    else if (known)
        move_value(in, code, &c->last.v[i].value);
    else
        in->bad = true; /* nothing was told of it in this chain */
    return !in->bad;
}

/* Checks the envelope, leaves the readings in *in and says of which version they are. */
static int open_blob(const void *p, size_t n, struct wire_in *in)
{
    const size_t crc_size = 4, least = 1 + 1 + crc_size;
    struct wire_in crc;
    int version;

    if (n < least)
        return PD_ECORRUPT;
    *in = wire_in(p, n - crc_size);
    crc = wire_in(in->end, crc_size);
    if (wire_u32be(&crc) != wire_crc32c(0, p, n - crc_size))
        return PD_ECORRUPT;
    version = wire_u8(in);
    return version == BY_ITSELF || version == BY_THE_LAST ? version : PD_EVERSION;
}

/* Where a poll that is told by another begins: how much later it came is what it says. */
static bool follows(const struct blob_chain *c, struct wire_in *in, int64_t at_ms)
{
    uint64_t gap = wire_varint(in);

    return c->begun && !in->bad && at_ms > c->at_ms && (uint64_t)at_ms - (uint64_t)c->at_ms == gap;
}

static bool get_readings(struct blob_chain *c, struct wire_in *in, bool by_itself)
{
    uint64_t count = wire_varint(in);
    struct place at = before_first;
    size_t cursor = 0;

    if (in->bad || count > wire_left(in)) /* each takes a byte at least */
        return false;
    array_reserve(&c->told, (size_t)count);
    array_reserve(&c->texts, wire_left(in));
    for (uint64_t i = 0; i < count; i++)
        if (!get_reading(c, in, by_itself, &at, &cursor))
            return false;
    return wire_left(in) == 0;
}

/* Mostly a poll tells all that those before it told. */
static void gather(struct blob_chain *c)
{
    c->n = c->told.n;
    c->readings = c->last.v;
    if (c->n == c->last.n)
        return;
    array_reserve(&c->some, c->n);
    for (size_t i = 0; i < c->n; i++)
        c->some.v[i] = c->last.v[c->told.v[i]];
    c->readings = c->some.v;
}

int blob_chain_take(struct blob_chain *c, int64_t at_ms, const void *p, size_t n)
{
    struct wire_in in;
    int version = open_blob(p, n, &in);

    c->n = c->told.n = c->texts.n = 0;
    if (version == BY_ITSELF)
        c->last.n = 0;
    if (version < 0 || (version == BY_THE_LAST && !follows(c, &in, at_ms)) ||
        !get_readings(c, &in, version == BY_ITSELF)) {
        blob_chain_break(c);
        return version < 0 ? version : PD_ECORRUPT;
    }
    gather(c);
    c->begun = true;
    c->at_ms = at_ms;
    return 0;
}

void blob_chain_break(struct blob_chain *c)
{
    c->begun = false;
    c->n = c->last.n = c->told.n = c->texts.n = 0;
}

void blob_chain_fini(struct blob_chain *c)
{
    array_free(&c->last);
    array_free(&c->told);
    array_free(&c->some);
    array_free(&c->texts);
}
