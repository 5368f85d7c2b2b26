#include "watch/decode.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* ---- Texts ---- */

static const char *keep_text(const void *p, size_t n, struct arena *arena)
{
    char *s = arena_alloc(arena, n + 1);

    memcpy(s, p, n);
    s[n] = '\0';
    return s;
}

/* Text that str_clean() would leave as it is: nearly all there is, so it is not allocated twice. */
static bool is_clean(const uint8_t *p, size_t n)
{
    bool ascii = true;

    if (n > DECODE_MAX_TEXT || p[0] == ' ' || p[n - 1] == ' ')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0x20 || p[i] == 0x7f || (p[i] == 0xc2 && i + 1 < n && p[i + 1] < 0xa0)) /* C0, DEL, C1 */
            return false;
        ascii = ascii && p[i] < 0x80;
    }
    return ascii || str_utf8_valid(p, n);
}

static struct value text_of_bytes(const uint8_t *p, size_t n, struct arena *arena)
{
    char *clean;
    struct value v = value_unknown(WHY_ABSENT);

    if (n == 0)
        return v;
    if (is_clean(p, n))
        return value_text(keep_text(p, n, arena));
    clean = str_clean(p, n, DECODE_MAX_TEXT);
    if (*clean)
        v = value_text(keep_text(clean, strlen(clean), arena));
    free(clean);
    return v;
}

/* Writes n in decimal at p; gives the place behind it. */
static char *put_u32(char *p, uint32_t n)
{
    char digits[10];
    size_t i = 0;

    do
        digits[i++] = (char)('0' + n % 10);
    while (n /= 10);
    while (i > 0)
        *p++ = digits[--i];
    return p;
}

const char *decode_dotted(const uint32_t *v, size_t n, struct arena *arena)
{
    char *s = arena_alloc(arena, n * 11 + 1), *p = s; /* at most ten digits and a dot each */

    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *p++ = '.';
        p = put_u32(p, v[i]);
    }
    *p = '\0';
    return s;
}

const char *decode_decimal(int64_t n, struct arena *arena)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRId64, n);

    return keep_text(digits, (size_t)len, arena);
}

static struct value hex_of_bytes(const uint8_t *p, size_t n, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    char *s, *to;

    if (n == 0 || n > DECODE_MAX_TEXT / 3)
        return value_unknown(n == 0 ? WHY_ABSENT : WHY_RANGE);
    s = to = arena_alloc(arena, n * 3);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            *to++ = ':';
        *to++ = digits[p[i] >> 4];
        *to++ = digits[p[i] & 15];
    }
    *to = '\0';
    return value_text(s);
}

/* ---- Numbers ---- */

/* A number that a device sends as text, blanks around it aside; false if it is none. */
static bool number_text(const struct pd_cell *cell, char out[static 32])
{
    const uint8_t *p = cell->bytes, *end = p + cell->nbytes;

    while (p < end && *p == ' ')
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\0'))
        end--;
    if (p == end || end - p > 31 || memchr(p, '\0', (size_t)(end - p)))
        return false;
    memcpy(out, p, (size_t)(end - p));
    out[end - p] = '\0';
    return true;
}

static bool whole_number(const struct pd_cell *cell, int64_t *out)
{
    char text[32];

    switch (cell->type) {
    case PD_CELL_INT:
        *out = cell->i;
        return true;
    case PD_CELL_UINT:
    case PD_CELL_TICKS:
        *out = (int64_t)cell->u;
        return cell->u <= INT64_MAX;
    case PD_CELL_FLOAT:
        if (!(fabs(cell->f) < 0x1p63) || cell->f != trunc(cell->f))
            return false;
        *out = (int64_t)cell->f;
        return true;
    case PD_CELL_BYTES:
        return number_text(cell, text) && str_to_i64(text, out) == 0;
    default:
        return false;
    }
}

static bool any_number(const struct pd_cell *cell, double *out)
{
    char text[32];
    int64_t n;

    if (cell->type == PD_CELL_FLOAT) {
        *out = cell->f;
        return isfinite(cell->f);
    }
    if (cell->type == PD_CELL_BYTES)
        return number_text(cell, text) && str_to_double(text, out) == 0;
    if (!whole_number(cell, &n))
        return false;
    *out = (double)n;
    return true;
}

/* A number that was read and is none; what it was goes along, for people who ask. */
static struct value no_value(enum quality quality, enum why why, int64_t raw)
{
    return (struct value){.quality = (uint8_t)quality, .why = (uint8_t)why, .i = raw};
}

/* A cell that is no number: a device that sends nothing has nothing to say. */
static struct value no_number(const struct pd_cell *cell)
{
    bool empty = cell->type == PD_CELL_NULL || (cell->type == PD_CELL_BYTES && cell->nbytes == 0);

    return value_unknown(empty ? WHY_ABSENT : WHY_TYPE);
}

/* A raw number for people to read. */
static int64_t raw_of(double x)
{
    return fabs(x) < 0x1p63 ? llround(x) : x < 0 ? INT64_MIN : INT64_MAX;
}

static bool beyond(const struct column *column, double x)
{
    return column->limited && (x < column->least || x > column->most);
}

static double scaled(const struct column *column, double x)
{
    if (column->scale == 0)
        return x;
    return column->divide ? x / column->scale : x * column->scale;
}

static struct value decode_int(const struct column *column, const struct pd_cell *cell)
{
    int64_t n;

    if (!whole_number(cell, &n))
        return no_number(cell);
    for (size_t i = 0; i < column->sentinels.n; i++)
        if (column->sentinels.v[i].raw == n)
            return no_value(column->sentinels.v[i].quality, WHY_SENTINEL, n);
    return beyond(column, (double)n) ? no_value(QUALITY_UNKNOWN, WHY_RANGE, n) : value_int(n);
}

static struct value decode_num(const struct column *column, const struct pd_cell *cell)
{
    double x;
    int64_t raw;

    if (!any_number(cell, &x))
        return no_number(cell);
    for (size_t i = 0; i < column->sentinels.n; i++)
        if ((double)column->sentinels.v[i].raw == x)
            return no_value(column->sentinels.v[i].quality, WHY_SENTINEL, column->sentinels.v[i].raw);
    raw = raw_of(x);
    x = scaled(column, x);
    return beyond(column, x) || !isfinite(x) ? no_value(QUALITY_UNKNOWN, WHY_RANGE, raw) : value_num(x);
}

static struct value decode_enum(const struct column *column, const struct pd_cell *cell)
{
    struct value v = decode_int(column, cell);
    const struct member *m;

    if (v.quality != QUALITY_GOOD)
        return v;
    m = members_by_number(&column->members, v.i);
    return m ? value_enum(members_by_code(&column->members, m->code)->number)
             : no_value(QUALITY_UNKNOWN, WHY_RANGE, v.i);
}

static struct value decode_bits(const struct pd_cell *cell)
{
    uint64_t bits = 0;

    if (cell->type != PD_CELL_BYTES)
        return value_unknown(cell->type == PD_CELL_NULL ? WHY_ABSENT : WHY_TYPE);
    /* Octets that are not sent are 0, so none at all says that no flag is set. */
    for (uint32_t i = 0; i < cell->nbytes && i < 8; i++)
        for (unsigned k = 0; k < 8; k++)
            if (cell->bytes[i] & 0x80 >> k)
                bits |= UINT64_C(1) << (i * 8 + k);
    return value_bits(bits);
}

static struct value decode_oid(const struct pd_cell *cell, struct arena *arena)
{
    enum { MAX_OID = 128 };

    if (cell->type != PD_CELL_OID || cell->nbytes == 0 || cell->nbytes > MAX_OID)
        return value_unknown(WHY_TYPE);
    return value_text(decode_dotted(cell->oid, cell->nbytes, arena));
}

static struct value decode_text(const struct pd_cell *cell, struct arena *arena)
{
    int64_t n;

    if (cell->type == PD_CELL_BYTES)
        return text_of_bytes(cell->bytes, cell->nbytes, arena);
    if (cell->type == PD_CELL_OID)
        return decode_oid(cell, arena);
    return whole_number(cell, &n) ? value_text(decode_decimal(n, arena)) : no_number(cell);
}

struct value decode_cell(const struct column *column, const struct pd_cell *cell, struct arena *arena)
{
    switch (column->type) {
    case COLUMN_INT:
        return decode_int(column, cell);
    case COLUMN_NUM:
        return decode_num(column, cell);
    case COLUMN_TEXT:
        return decode_text(cell, arena);
    case COLUMN_ENUM:
        return decode_enum(column, cell);
    case COLUMN_BITS:
        return decode_bits(cell);
    case COLUMN_OID:
        return decode_oid(cell, arena);
    case COLUMN_HEX:
        return cell->type == PD_CELL_BYTES ? hex_of_bytes(cell->bytes, cell->nbytes, arena) : value_unknown(WHY_TYPE);
    }
    return value_unknown(WHY_TYPE);
}
