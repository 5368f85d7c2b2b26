#include "watch/decode.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

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

static bool other_number(const struct pd_cell *cell, int64_t *out)
{
    char text[32];

    switch (cell->type) {
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

static inline bool whole_number(const struct pd_cell *cell, int64_t *out)
{
    if (cell->type != PD_CELL_INT && cell->type != PD_CELL_UINT)
        return other_number(cell, out);
    *out = cell->i;
    return cell->type == PD_CELL_INT || cell->u <= INT64_MAX;
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

/* A number as read, as the column has it. */
static struct value number_of(const struct column *column, double x)
{
    int64_t raw = raw_of(x);

    for (size_t i = 0; i < column->sentinels.n; i++)
        if ((double)column->sentinels.v[i].raw == x)
            return no_value((enum quality)column->sentinels.v[i].quality, WHY_SENTINEL, raw);
    x = scaled(column, x);
    return beyond(column, x) || !isfinite(x) ? no_value(QUALITY_UNKNOWN, WHY_RANGE, raw) : value_num(x);
}

static struct value decode_num(const struct column *column, const struct pd_cell *cell)
{
    double x;

    return any_number(cell, &x) ? number_of(column, x) : no_number(cell);
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

static struct value text_of(const struct pd_cell *cell, struct arena *arena)
{
    int64_t n;

    if (cell->type == PD_CELL_BYTES)
        return decode_text(cell->bytes, cell->nbytes, arena);
    if (cell->type == PD_CELL_OID)
        return decode_oid(cell, arena);
    return whole_number(cell, &n) ? value_text(decode_decimal(n, arena)) : no_number(cell);
}

/* Letters alike, capital or small: units are written either way. */
static bool same_unit(const char *unit, const char *text, size_t n)
{
    return strlen(unit) == n && strncasecmp(unit, text, n) == 0;
}

/* A number as the column has it, of a text like "23.5 C"; what has no unit has the first. */
static struct value measure_of(const struct column *column, const struct pd_cell *cell)
{
    char text[128];
    const char *rest;
    double x, factor = 1;
    size_t n = cell->nbytes < sizeof text ? cell->nbytes : sizeof text - 1, i = 0;

    memcpy(text, cell->bytes, n);
    text[n] = '\0';
    if (str_leading_number(text, &x, &rest) != 0)
        return no_number(cell);
    rest += strspn(rest, " ");
    n = strlen(rest);
    while (n > 0 && (rest[n - 1] == ' ' || rest[n - 1] == '\n' || rest[n - 1] == '\r'))
        n--;
    while (i < column->units.n && n > 0 && !same_unit(column->units.v[i].name, rest, n))
        i++;
    if (column->units.n > 0 && i == column->units.n)
        return value_unknown(WHY_TYPE);
    if (column->units.n > 0)
        factor = column->units.v[i].factor;
    return number_of(column, x * factor);
}

/* Flags of a number's bits, or of digits 0 and 1, the first of which is flag 0. */
static struct value decode_flags(const struct pd_cell *cell)
{
    uint64_t bits = 0;
    int64_t n;

    if (cell->type != PD_CELL_BYTES)
        return whole_number(cell, &n) ? value_bits((uint64_t)n) : no_number(cell);
    if (cell->nbytes == 0)
        return value_unknown(WHY_ABSENT);
    for (uint32_t i = 0; i < cell->nbytes; i++) {
        if (cell->bytes[i] != '0' && cell->bytes[i] != '1')
            return value_unknown(WHY_TYPE);
        if (i < 64 && cell->bytes[i] == '1')
            bits |= UINT64_C(1) << i;
    }
    return value_bits(bits);
}

/* What only octets can say. */
static struct value decode_octets(const struct column *column, const struct pd_cell *cell, struct arena *arena)
{
    if (cell->type != PD_CELL_BYTES)
        return value_unknown(cell->type == PD_CELL_NULL ? WHY_ABSENT : WHY_TYPE);
    switch (column->type) {
    case COLUMN_HEX:
        return decode_hex(cell->bytes, cell->nbytes, arena);
    case COLUMN_IP:
        return decode_ip(cell->bytes, cell->nbytes, arena);
    case COLUMN_DATE:
        return decode_date(cell->bytes, cell->nbytes, arena);
    default:
        return decode_bits(cell);
    }
}

struct value decode_cell(const struct column *column, const struct pd_cell *cell, struct arena *arena)
{
    switch (column->type) {
    case COLUMN_INT:
        return decode_int(column, cell);
    case COLUMN_NUM:
        return decode_num(column, cell);
    case COLUMN_MEASURE:
        return cell->type == PD_CELL_BYTES ? measure_of(column, cell) : decode_num(column, cell);
    case COLUMN_TEXT:
        return text_of(cell, arena);
    case COLUMN_ENUM:
        return decode_enum(column, cell);
    case COLUMN_OID:
        return decode_oid(cell, arena);
    case COLUMN_FLAGS:
        return decode_flags(cell);
    case COLUMN_BITS:
    case COLUMN_HEX:
    case COLUMN_IP:
    case COLUMN_DATE:
        return decode_octets(column, cell, arena);
    }
    return value_unknown(WHY_TYPE);
}
