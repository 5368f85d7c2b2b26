#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "expr/program.h"

/*
 * What is made of texts. A text that comes out is as clean as what went in, has
 * at most TEXT_MAX bytes, and is unknown where nothing is left of it.
 */
enum { TEXT_MAX = 1024 };

static struct value keep(const char *s, size_t n, struct arena *arena)
{
    char *copy;

    while (n > 0 && *s == ' ') {
        s++;
        n--;
    }
    if (n > TEXT_MAX)
        for (n = TEXT_MAX; ((unsigned char)s[n] & 0xc0) == 0x80;)
            n--;
    while (n > 0 && s[n - 1] == ' ')
        n--;
    if (n == 0)
        return value_unknown(WHY_ABSENT);
    copy = arena_alloc(arena, n + 1);
    memcpy(copy, s, n);
    copy[n] = '\0';
    return value_text(copy);
}

static struct value after(const char *text, const char *mark, struct arena *arena)
{
    const char *at = strstr(text, mark);

    if (!at)
        return value_unknown(WHY_RULE);
    at += strlen(mark);
    return keep(at, strlen(at), arena);
}

static struct value before(const char *text, const char *mark, struct arena *arena)
{
    const char *at = *mark ? strstr(text, mark) : NULL;

    return keep(text, at ? (size_t)(at - text) : strlen(text), arena);
}

static size_t count_words(const char *text)
{
    size_t n = 0;

    for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
        text += strcspn(text, " ");
        n++;
    }
    return n;
}

/* The nth of what is counted from 1, or from the end by negative numbers, as a place from 0; false if there is none. */
static bool place_of(int64_t nth, size_t count, size_t *out)
{
    int64_t n = (int64_t)count;

    if (nth == 0 || nth > n || nth < -n)
        return false;
    *out = (size_t)(nth > 0 ? nth - 1 : n + nth);
    return true;
}

static struct value word(const char *text, int64_t nth, struct arena *arena)
{
    size_t place;

    if (!place_of(nth, count_words(text), &place))
        return value_unknown(WHY_RULE);
    for (text += strspn(text, " "); place > 0; place--) {
        text += strcspn(text, " ");
        text += strspn(text, " ");
    }
    return keep(text, strcspn(text, " "), arena);
}

static struct value lower(const char *text, struct arena *arena)
{
    struct value v = keep(text, strlen(text), arena);

    if (v.quality == QUALITY_GOOD)
        for (char *p = (char *)(uintptr_t)v.text; *p; p++)
            *p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
    return v;
}

static struct value replace(const char *text, const char *what, const char *by, struct arena *arena)
{
    size_t len = strlen(what);
    struct sbuf b = {0};
    struct value v;

    for (const char *at; len > 0 && (at = strstr(text, what)) && b.n <= TEXT_MAX; text = at + len) {
        sbuf_addn(&b, text, (size_t)(at - text));
        sbuf_add(&b, by);
    }
    sbuf_add(&b, text);
    v = keep(b.s, b.n, arena);
    sbuf_free(&b);
    return v;
}

static struct value number(const char *text)
{
    const char *rest;
    double x;

    return str_leading_number(text, &x, &rest) == 0 ? value_num(x) : value_unknown(WHY_TYPE);
}

static struct value text_of(struct value v, struct arena *arena)
{
    char digits[32];

    switch ((enum value_type)v.type) {
    case VALUE_TEXT:
        return v;
    case VALUE_BOOL:
        return value_text(v.b ? "true" : "false");
    case VALUE_INT:
        snprintf(digits, sizeof digits, "%" PRId64, v.i);
        return keep(digits, strlen(digits), arena);
    case VALUE_NUM:
        snprintf(digits, sizeof digits, "%.12g", v.num);
        return keep(digits, strlen(digits), arena);
    default:
        return value_unknown(WHY_TYPE);
    }
}

static bool ends(const char *text, const char *end)
{
    size_t n = strlen(text), len = strlen(end);

    return len <= n && strcmp(text + n - len, end) == 0;
}

/* * stands for any characters, ? for one. A star that took too few takes one more: no more than n times m steps. */
static bool glob(const char *text, const char *pattern)
{
    const char *star = NULL, *resume = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?') {
            pattern++;
            for (text++; ((unsigned char)*text & 0xc0) == 0x80;)
                text++;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

/* ---- Object identifiers, dotted ---- */

static bool is_oid(const char *s)
{
    for (;; s++) {
        size_t digits = strspn(s, "0123456789");

        if (digits == 0 || digits > 10)
            return false;
        s += digits;
        if (*s != '.')
            return *s == '\0';
    }
}

static struct value oid_part(const char *oid, int64_t nth)
{
    size_t count = 1, place;

    if (!is_oid(oid))
        return value_unknown(WHY_TYPE);
    for (const char *p = oid; *p; p++)
        count += *p == '.';
    if (!place_of(nth, count, &place))
        return value_unknown(WHY_RULE);
    for (; place > 0; place--)
        oid = strchr(oid, '.') + 1;
    return value_int(strtoll(oid, NULL, 10));
}

/* By whole numbers: 1.3.6 begins 1.3.6.1, but 1.3.60 does not begin with it. A leading dot says nothing. */
static bool starts_oid(const char *oid, const char *prefix)
{
    size_t len;

    oid += *oid == '.';
    prefix += *prefix == '.';
    len = strlen(prefix);
    return strncmp(oid, prefix, len) == 0 && (len == 0 || oid[len] == '\0' || oid[len] == '.');
}

/* ---- All of them ---- */

/* With the types that the table of functions (types.c) demands: a text first, unless it is text(); then texts or whole numbers. */
static bool fit(enum op op, const struct value *v, size_t n)
{
    enum value_type rest = op == OP_WORD || op == OP_OID_PART ? VALUE_INT : VALUE_TEXT;

    if (op != OP_TEXT && v[0].type != VALUE_TEXT)
        return false;
    for (size_t i = 1; i < n; i++)
        if (v[i].type != rest)
            return false;
    return true;
}

struct value words_run(enum op op, const struct value *v, size_t n, struct arena *arena)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].quality != QUALITY_GOOD)
            return value_spoilt(v[i]);
    if (!fit(op, v, n))
        return value_unknown(WHY_TYPE);
    switch (op) {
    case OP_AFTER:
        return after(v[0].text, v[1].text, arena);
    case OP_BEFORE:
        return before(v[0].text, v[1].text, arena);
    case OP_WORD:
        return word(v[0].text, v[1].i, arena);
    case OP_TRIM:
        return keep(v[0].text, strlen(v[0].text), arena);
    case OP_LOWER:
        return lower(v[0].text, arena);
    case OP_REPLACE:
        return replace(v[0].text, v[1].text, v[2].text, arena);
    case OP_TEXT:
        return text_of(v[0], arena);
    case OP_NUMBER:
        return number(v[0].text);
    case OP_ENDS:
        return value_bool(ends(v[0].text, v[1].text));
    case OP_MATCHES:
        return value_bool(glob(v[0].text, v[1].text));
    case OP_OID_LAST:
        return oid_part(v[0].text, -1);
    case OP_OID_PART:
        return oid_part(v[0].text, v[1].i);
    case OP_STARTS_OID:
        return value_bool(starts_oid(v[0].text, v[1].text));
    default:
        return value_unknown(WHY_RULE);
    }
}

/* ---- What a dictionary says of its members ---- */

/* Of several flags the gravest; codes lie in order of gravity. */
static struct value gravest(const struct value *table, size_t n, uint64_t bits)
{
    static const char *const order[] = {"ok", "info", "unknown", "warning", "major", "critical"};
    size_t worst = 0;

    for (size_t i = 0; i < n; i++) {
        if (!(bits >> table[2 * i].i & 1))
            continue;
        for (size_t k = worst + 1; k < sizeof order / sizeof *order; k++)
            if (str_eq(order[k], table[2 * i + 1].text))
                worst = k;
    }
    return value_text(order[worst]);
}

struct value words_member(struct value v, const struct value *table)
{
    size_t n = (size_t)table->i;

    table++;
    if (v.quality != QUALITY_GOOD)
        return value_spoilt(v);
    if (v.type == VALUE_BITS)
        return gravest(table, n, v.bits);
    if (v.type != VALUE_ENUM)
        return value_unknown(WHY_TYPE);
    for (size_t i = 0; i < n; i++)
        if (table[2 * i].i == v.i)
            return table[2 * i + 1];
    return value_unknown(WHY_RULE);
}
