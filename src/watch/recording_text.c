#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "watch/recording.h"

/* Recordings as text: OID|TAG|VALUE, and what snmpwalk prints. */

/* BER tags of values (RFC 3416). */
enum {
    TAG_INTEGER = 2,
    TAG_STRING = 4,
    TAG_NULL = 5,
    TAG_OID = 6,
    TAG_ADDRESS = 64,
    TAG_COUNTER = 65,
    TAG_GAUGE = 66,
    TAG_TICKS = 67,
    TAG_OPAQUE = 68,
    TAG_COUNTER64 = 70,
};

struct bytes { /* an ARRAY */
    uint8_t *v;
    size_t n, cap;
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Octets in hexadecimal, with or without blanks between them; what is no digit ends it. */
static void add_hex(struct bytes *b, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int high = hex_digit(s[i]), low = i + 1 < n ? hex_digit(s[i + 1]) : -1;

        if (s[i] == ' ' || s[i] == '\n' || s[i] == '\r')
            continue;
        if (high < 0)
            return;
        array_push(b, (uint8_t)(low < 0 ? high : high << 4 | low));
        i += low >= 0;
    }
}

static void add_escaped(struct bytes *b, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)s[i];

        if (c == '\\' && i + 1 < n) {
            c = (uint8_t)s[++i];
            c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c == '0' ? '\0' : c;
            if (s[i] == 'x' && i + 2 < n && hex_digit(s[i + 1]) >= 0 && hex_digit(s[i + 2]) >= 0) {
                c = (uint8_t)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2]));
                i += 2;
            }
        }
        array_push(b, c);
    }
}

static bool octets(struct pd_cell *cell, const struct bytes *b)
{
    *cell = (struct pd_cell){.type = PD_CELL_BYTES, .nbytes = (uint32_t)b->n, .bytes = b->v};
    return true;
}

static uint64_t bits_of(const uint8_t *p, size_t n)
{
    uint64_t x = 0;

    while (n-- > 0)
        x = x << 8 | *p++;
    return x;
}

/* Net-SNMP's floating point numbers: an Opaque of 0x9f, a type, a length, and the number. Others are octets. */
static bool opaque(struct pd_cell *cell, const struct bytes *b)
{
    uint32_t small;
    uint64_t large;
    float f;

    *cell = (struct pd_cell){.type = PD_CELL_FLOAT};
    if (b->n == 7 && memcmp(b->v, "\x9f\x78\x04", 3) == 0) {
        small = (uint32_t)bits_of(b->v + 3, 4);
        memcpy(&f, &small, sizeof f);
        cell->f = (double)f;
        return true;
    }
    if (b->n == 11 && memcmp(b->v, "\x9f\x79\x08", 3) == 0) {
        large = bits_of(b->v + 3, 8);
        memcpy(&cell->f, &large, sizeof cell->f);
        return true;
    }
    return octets(cell, b);
}

static bool whole(struct pd_cell *cell, bool negative, const char *s, size_t n)
{
    char text[32], *end;

    while (n > 0 && *s == ' ') {
        s++;
        n--;
    }
    if (n == 0 || n >= sizeof text)
        return false;
    memcpy(text, s, n);
    text[n] = '\0';
    if (negative)
        *cell = (struct pd_cell){.type = PD_CELL_INT, .i = strtoll(text, &end, 10)};
    else
        *cell = (struct pd_cell){.type = PD_CELL_UINT, .u = strtoull(text, &end, 10)};
    return end > text && (*end == '\0' || *end == ' ');
}

/* Where an address or identifier is kept while the cell borrows it. */
struct scratch {
    struct bytes bytes;
    uint32_t oid[PD_MAX_INSTANCE];
};

static bool dotted(struct pd_cell *cell, struct scratch *x, const char *s, size_t n)
{
    size_t numbers = recording_oid(s, n, x->oid);

    *cell = (struct pd_cell){.type = PD_CELL_OID, .nbytes = (uint32_t)numbers, .oid = x->oid};
    return numbers > 0;
}

static bool address(struct pd_cell *cell, struct scratch *x, const char *s, size_t n)
{
    size_t numbers = x->bytes.n == 4 ? 0 : recording_oid(s, n, x->oid);

    for (size_t i = 0; i < numbers && numbers == 4; i++) {
        x->bytes.n = i;
        array_push(&x->bytes, (uint8_t)x->oid[i]);
    }
    return octets(cell, &x->bytes);
}

/* A value by its tag; coded: what of it was in hexadecimal or escaped is octets already. */
static bool tagged(struct pd_cell *cell, unsigned long tag, bool coded, struct scratch *x, const char *s, size_t n)
{
    switch (tag) {
    case TAG_INTEGER:
        return whole(cell, true, s, n);
    case TAG_STRING:
        return octets(cell, &x->bytes);
    case TAG_NULL:
        *cell = (struct pd_cell){.type = PD_CELL_NULL};
        return true;
    case TAG_OID:
        return dotted(cell, x, s, n);
    case TAG_ADDRESS:
        if (coded)
            return octets(cell, &x->bytes);
        x->bytes.n = 0;
        return address(cell, x, s, n);
    case TAG_COUNTER:
    case TAG_GAUGE:
    case TAG_COUNTER64:
        return whole(cell, false, s, n);
    case TAG_TICKS:
        if (!whole(cell, false, s, n))
            return false;
        cell->type = PD_CELL_TICKS;
        return true;
    case TAG_OPAQUE:
        return opaque(cell, &x->bytes);
    default:
        return false;
    }
}

/* OID|TAG|VALUE */
static bool read_tagged(struct recording *r, const char *line, size_t n, struct scratch *x)
{
    const char *bar = memchr(line, '|', n);
    const char *value = bar ? memchr(bar + 1, '|', n - (size_t)(bar + 1 - line)) : NULL;
    uint32_t oid[PD_MAX_INSTANCE];
    size_t noid = value ? recording_oid(line, (size_t)(bar - line), oid) : 0, rest;
    struct pd_cell cell;
    unsigned long tag;
    char *kind;

    if (noid == 0)
        return false;
    value++;
    rest = n - (size_t)(value - line);
    tag = strtoul(bar + 1, &kind, 10);
    x->bytes.n = 0;
    if (*kind == 'x')
        add_hex(&x->bytes, value, rest);
    else if (*kind == 'e')
        add_escaped(&x->bytes, value, rest);
    else if (*kind == '|')
        for (size_t i = 0; i < rest; i++)
            array_push(&x->bytes, (uint8_t)value[i]);
    else
        return false; /* a value that is simulated */
    if (!tagged(&cell, tag, *kind != '|', x, value, rest))
        return false;
    recording_add(r, oid, noid, &cell);
    return true;
}

/* ---- What snmpwalk prints: OID = TYPE: VALUE ---- */

/* A quoted text, with \" and \\ in it; it may go on over lines. */
static void add_quoted(struct bytes *b, const char *s, size_t n)
{
    for (size_t i = 1; i < n && s[i] != '"'; i++) {
        if (s[i] == '\\' && i + 1 < n && (s[i + 1] == '"' || s[i + 1] == '\\'))
            i++;
        array_push(b, (uint8_t)s[i]);
    }
}

static bool named(struct pd_cell *cell, const char *type, size_t len, struct scratch *x, const char *s, size_t n)
{
    static const struct {
        const char *name;
        uint8_t tag;
    } types[] = {
        {"INTEGER", TAG_INTEGER},   {"Counter32", TAG_COUNTER}, {"Gauge32", TAG_GAUGE},
        {"Unsigned32", TAG_GAUGE},  {"Timeticks", TAG_TICKS},   {"Counter64", TAG_COUNTER64},
        {"OID", TAG_OID},           {"IpAddress", TAG_ADDRESS}, {"STRING", TAG_STRING},
        {"Hex-STRING", TAG_STRING}, {"BITS", TAG_STRING},       {"Network Address", TAG_ADDRESS},
        {"Opaque", TAG_OPAQUE},
    };
    const char *paren = memchr(s, '(', n);
    size_t i = 0;

    while (i < sizeof types / sizeof *types && (strlen(types[i].name) != len || memcmp(types[i].name, type, len) != 0))
        i++;
    if (i == sizeof types / sizeof *types)
        return false;
    x->bytes.n = 0;
    if (types[i].tag == TAG_OPAQUE && n > 7 && memcmp(s, "Float: ", 7) == 0) {
        *cell = (struct pd_cell){.type = PD_CELL_FLOAT, .f = strtod(s + 7, NULL)};
        return true;
    }
    if (types[i].tag == TAG_ADDRESS && memchr(s, ':', n)) { /* Network Address: C0:00:02:01 */
        for (size_t k = 0; k + 1 < n; k += 3)
            add_hex(&x->bytes, s + k, 2);
        return octets(cell, &x->bytes);
    }
    if (types[i].tag == TAG_STRING && *s == '"' && type[0] == 'S')
        add_quoted(&x->bytes, s, n);
    else if (types[i].tag == TAG_STRING && type[0] == 'S')
        for (size_t k = 0; k < n; k++)
            array_push(&x->bytes, (uint8_t)s[k]);
    else if (types[i].tag == TAG_STRING || types[i].tag == TAG_OPAQUE)
        add_hex(&x->bytes, s, n);
    if (paren && (types[i].tag == TAG_TICKS || types[i].tag == TAG_INTEGER)) { /* (123) 0:00:01.23, up(1) */
        const char *close = memchr(paren, ')', n - (size_t)(paren - s));

        n = close ? (size_t)(close - paren - 1) : 0;
        s = paren + 1;
    }
    return tagged(cell, types[i].tag, false, x, s, n);
}

static bool read_walked(struct recording *r, const char *line, size_t n, struct scratch *x)
{
    const char *equals = memmem(line, n, " = ", 3);
    const char *value = equals ? equals + 3 : NULL, *colon;
    uint32_t oid[PD_MAX_INSTANCE];
    size_t noid = equals ? recording_oid(line, (size_t)(equals - line), oid) : 0, rest;
    struct pd_cell cell = {.type = PD_CELL_BYTES, .bytes = (const uint8_t *)""};
    bool empty;

    if (noid == 0)
        return false;
    rest = n - (size_t)(value - line);
    if (rest > 3 && memcmp(value, "No ", 3) == 0) /* No Such Object …, No more variables … */
        return true;
    if (rest > 12 && memcmp(value, "Wrong Type (", 12) == 0 && (colon = memmem(value, rest, "): ", 3))) {
        rest -= (size_t)(colon + 3 - value);
        value = colon + 3;
    }
    colon = memmem(value, rest, ": ", 2);
    empty = (rest == 2 && memcmp(value, "\"\"", 2) == 0) || (!colon && rest > 0 && value[rest - 1] == ':');
    if (rest == 4 && memcmp(value, "NULL", 4) == 0)
        cell = (struct pd_cell){.type = PD_CELL_NULL};
    else if (!empty && (!colon || !named(&cell, value, (size_t)(colon - value), x, colon + 2,
                                         rest - (size_t)(colon + 2 - value))))
        return false;
    recording_add(r, oid, noid, &cell);
    return true;
}

/* Whether a line begins an object, so that the one before it is whole. */
static bool begins(const char *p, const char *end)
{
    uint32_t oid[PD_MAX_INSTANCE];
    const char *stop = p;

    while (stop < end && ((*stop >= '0' && *stop <= '9') || *stop == '.'))
        stop++;
    return recording_oid(p, (size_t)(stop - p), oid) > 1 &&
           (stop == end || *stop == '|' || (end - stop >= 3 && memcmp(stop, " = ", 3) == 0));
}

/* An equals sign comes before any bar. */
static bool is_walked(const char *line, size_t n)
{
    const char *equals = memmem(line, n, " = ", 3), *bar = memchr(line, '|', n);

    return equals && (!bar || equals < bar);
}

static const char *end_of_line(const char *p, const char *end)
{
    const char *nl = memchr(p, '\n', (size_t)(end - p));

    return nl ? nl : end;
}

size_t recording_read(struct recording *r, const char *text, size_t n, size_t *first)
{
    struct scratch *x = xcalloc(1, sizeof *x);
    size_t wrong = 0, line = 1;

    for (const char *p = text, *end = text + n, *stop; p < end; p = stop + 1) {
        const char *content;
        size_t at = line++;
        bool walked;

        stop = end_of_line(p, end);
        walked = begins(p, stop) && is_walked(p, (size_t)(stop - p));
        for (; walked && stop < end && !begins(stop + 1, end_of_line(stop + 1, end)) && stop + 1 < end; line++)
            stop = end_of_line(stop + 1, end); /* a text that holds ends of lines */
        content = stop;
        while (content > p && (content[-1] == '\r' || content[-1] == '\n'))
            content--;
        if (content == p || *p == '#')
            continue;
        if (walked ? read_walked(r, p, (size_t)(content - p), x) : read_tagged(r, p, (size_t)(content - p), x))
            continue;
        if (wrong++ == 0)
            *first = at;
    }
    free(x->bytes.v);
    free(x);
    return wrong;
}
