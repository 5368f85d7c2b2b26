#include "store/blob.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/wire.h"

/*
 * A reading is a tag byte, then what the tag leaves open:
 *
 *   bits 0-2  content: none, false, true, integer, number, enumeration, flags, text
 *   bits 3-4  where: the next point of the same component; point 0 of the next
 *             component; a later point (varint: how many are left out); a later
 *             component (varint: components left out, varint: point)
 *   bits 5-7  quality; or, of a good integer or enumeration, its value 0, 1 or 2
 *
 * Integers are zigzag varints, flags a varint, texts a varint length and bytes.
 * A number is a varint of zigzag(mantissa) * 8 + scale: mantissa / 10^scale where
 * that is the number to the last bit, else a float or a double follows.
 */
enum content { NONE, IS_FALSE, IS_TRUE, INTEGER, NUMBER, ENUMERATION, FLAGS, TEXT };
enum step { NEXT_POINT, NEXT_COMPONENT, LATER_POINT, LATER_COMPONENT };
enum { QUALITY_BITS = 5, STEP_BITS = 3, VALUE_0 = QUALITY_UNKNOWN + 1, SMALL_VALUES = 8 - VALUE_0 };
enum { SCALES = 6, AS_FLOAT = SCALES, AS_DOUBLE };

enum { VERSION = 1, TEXT_MAX = 1024, READING_MAX = 1 + 5 + 3 + 19 + TEXT_MAX };
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

static void put_number(struct wire_out *out, double x)
{
    for (uint64_t scale = 0; scale < SCALES; scale++) {
        double whole = nearbyint(x * power_of_ten[scale]);
        int64_t m;

        if (!(fabs(whole) <= MANTISSA_MAX)) /* not a number either */
            break;
        m = (int64_t)whole;
        if (!wire_same_double((double)m / power_of_ten[scale], x))
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

static void put_reading(struct wire_out *out, struct place *at, const struct reading *r)
{
    const struct value *v = &r->value;
    enum step step = step_to(at, r);
    unsigned quality = is_small(v) ? VALUE_0 + (unsigned)v->i : v->quality;

    assert(r->component > at->component || (r->component == at->component && r->point >= at->point + 1));
    wire_put_u8(out, (uint8_t)((unsigned)content_of(v) | (unsigned)step << STEP_BITS | quality << QUALITY_BITS));
    if (step == LATER_POINT) {
        wire_put_varint(out, r->point - at->point - 1);
    } else if (step == LATER_COMPONENT) {
        wire_put_varint(out, r->component - at->component - 1);
        wire_put_varint(out, r->point);
    }
    if (has_content(v) && quality < VALUE_0)
        put_content(out, v);
    *at = (struct place){r->component, r->point};
}

void blob_encode(struct sbuf *out, const struct reading *readings, size_t n)
{
    uint8_t chunk[READING_MAX * 2];
    struct wire_out w = wire_out(chunk, sizeof chunk);
    struct place at = before_first;
    size_t start = out->n;

    wire_put_u8(&w, VERSION);
    wire_put_varint(&w, n);
    for (size_t i = 0; i < n; i++) {
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

/* Copied out, as it has no NUL at its end where it lies. */
static const char *get_text(struct wire_in *in, char text[static TEXT_MAX + 1])
{
    uint64_t n = wire_varint(in);
    const uint8_t *p = n <= TEXT_MAX ? wire_bytes(in, (size_t)n) : NULL;

    if (!p || memchr(p, '\0', (size_t)n)) {
        in->bad = true;
        n = 0;
    } else {
        memcpy(text, p, (size_t)n);
    }
    text[n] = '\0';
    return text;
}

static void get_content(struct wire_in *in, struct value *v, char text[static TEXT_MAX + 1])
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
        v->text = get_text(in, text);
        break;
    }
}

static struct value get_value(struct wire_in *in, enum content content, unsigned quality, char *text)
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
            get_content(in, &v, text);
    } else if (content == INTEGER || content == ENUMERATION) {
        v.i = quality - VALUE_0;
    } else {
        in->bad = true;
    }
    return v;
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

/* The next reading; false if there is none that makes sense. */
static bool get_reading(struct wire_in *in, struct place *at, struct reading *r, char *text)
{
    unsigned tag = wire_u8(in);
    struct place before = *at;

    get_place(in, tag >> STEP_BITS & 3, at);
    r->value = get_value(in, tag & 7, tag >> QUALITY_BITS, text);
    if (in->bad || at->component > UINT32_MAX || at->point > UINT16_MAX)
        return false;
    if (at->component < before.component ||
        (at->component == before.component && at->point < before.point + 1)) /* + 1 wraps before the first */
        return false;
    r->component = (uint32_t)at->component;
    r->point = (uint16_t)at->point;
    return true;
}

/* Checks the envelope and leaves the readings in *in. */
static int open_blob(const void *p, size_t n, struct wire_in *in)
{
    const size_t crc_size = 4, least = 1 + 1 + crc_size;
    struct wire_in crc;

    if (n < least)
        return PD_ECORRUPT;
    *in = wire_in(p, n - crc_size);
    crc = wire_in(in->end, crc_size);
    if (wire_u32be(&crc) != wire_crc32c(0, p, n - crc_size))
        return PD_ECORRUPT;
    return wire_u8(in) == VERSION ? 0 : PD_EVERSION;
}

int blob_decode(const void *p, size_t n, void (*fn)(void *ctx, const struct reading *r), void *ctx)
{
    struct place at = before_first;
    char text[TEXT_MAX + 1];
    struct wire_in in;
    uint64_t count;
    int rc = open_blob(p, n, &in);

    if (rc < 0)
        return rc;
    count = wire_varint(&in);
    if (in.bad || count > wire_left(&in)) /* each takes a byte at least */
        return PD_ECORRUPT;
    for (uint64_t i = 0; i < count; i++) {
        struct reading r;

        if (!get_reading(&in, &at, &r, text))
            return PD_ECORRUPT;
        fn(ctx, &r);
    }
    return wire_left(&in) == 0 ? 0 : PD_ECORRUPT;
}
