#include "plugins/modbus/address.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

enum { MAX_WORDS = 12, MAX_WORD = 24, SPACES = 4, REGISTERS = 65536, MIN_REFERENCE = 5, MAX_REFERENCE = 6 };

/* An address on its way to be read: its words, and what was said so far. */
struct parser {
    char words[MAX_WORDS][MAX_WORD];
    size_t n, at;
    struct mb_address a;
    bool typed, flags;
    const char *order; /* as written */
    bool any_width;    /* of the order */
    char *why;
};

static const struct space {
    const char *name;
    uint8_t function;
    uint8_t digit; /* with which traditional references begin: 40001 */
} spaces[SPACES] = {
    {"coil", MB_READ_COILS, 0},
    {"discrete", MB_READ_DISCRETE, 1},
    {"input", MB_READ_INPUT, 3},
    {"holding", MB_READ_HOLDING, 4},
};

static int refuse(struct parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int refuse(struct parser *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(p->why, MB_WHY, fmt, ap);
    va_end(ap);
    return PD_EINVAL;
}

/* ---- Words ---- */

/* Numbers may be there twice, words may not. */
static int check_twice(struct parser *p)
{
    for (size_t i = 1; i < p->n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (!isdigit((unsigned char)p->words[i][0]) && strcmp(p->words[i], p->words[k]) == 0)
                return refuse(p, "'%s' is there twice", p->words[i]);
        }
    }
    return 0;
}

static int split(struct parser *p, const char *text)
{
    for (;;) {
        size_t n;

        text += strspn(text, " \t");
        n = strcspn(text, " \t");
        if (n == 0)
            return check_twice(p);
        if (p->n == MAX_WORDS)
            return refuse(p, "it has more than %d words", MAX_WORDS);
        if (n >= MAX_WORD)
            return refuse(p, "'%.*s...' is no word of an address", MAX_WORD - 1, text);
        memcpy(p->words[p->n], text, n);
        p->words[p->n++][n] = '\0';
        text += n;
    }
}

/* The next word, or "" at the end. */
static const char *next(struct parser *p)
{
    return p->at < p->n ? p->words[p->at++] : "";
}

static bool is_digits(const char *s)
{
    return *s && strspn(s, "0123456789") == strlen(s);
}

/* A decimal or 0x number of at most max. */
static bool number(const char *s, long max, long *out)
{
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    const char *digits = hex ? s + 2 : s;
    long v = 0;

    if (!*digits)
        return false;
    for (; *digits; digits++) {
        int c = tolower((unsigned char)*digits);
        int d = c >= '0' && c <= '9' ? c - '0' : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (d < 0)
            return false;
        v = v * (hex ? 16 : 10) + d;
        if (v > max)
            return false;
    }
    *out = v;
    return true;
}

/* "4-7" or "4". */
static bool range(const char *s, long max, long *first, long *last)
{
    const char *dash = strchr(s, '-');
    char head[MAX_WORD];

    if (!dash)
        return number(s, max, first) && number(s, max, last);
    memcpy(head, s, (size_t)(dash - s));
    head[dash - s] = '\0';
    return number(head, max, first) && number(dash + 1, max, last) && *first <= *last;
}

/* The number that follows a word. */
static int argument(struct parser *p, const char *word, long min, long max, uint16_t *out)
{
    const char *s = next(p);
    long v;

    if (!number(s, max, &v) || v < min)
        return refuse(p, "'%s' needs a number from %ld to %ld, not '%s'", word, min, max, s);
    *out = (uint16_t)v;
    return 0;
}

/* ---- Where ---- */

static const struct space *space_named(const char *word)
{
    for (int i = 0; i < SPACES; i++) {
        if (strcmp(spaces[i].name, word) == 0)
            return &spaces[i];
    }
    return NULL;
}

static const struct space *space_of(uint8_t function)
{
    int i = 0;

    while (spaces[i].function != function)
        i++;
    return &spaces[i];
}

/* 40101 or 400101: the digit says the space, the rest counts from 1. */
static int take_reference(struct parser *p, const char *word)
{
    long v;

    for (int i = 0; i < SPACES; i++) {
        if (spaces[i].digit != word[0] - '0')
            continue;
        if (!number(word + 1, REGISTERS, &v) || v < 1)
            return refuse(p, "'%s' is no reference: behind its first digit comes 1 to 65536", word);
        p->a.function = spaces[i].function;
        p->a.address = (uint16_t)(v - 1);
        return 0;
    }
    return refuse(p, "'%s' is no reference: these begin with 0, 1, 3 or 4", word);
}

static int take_place(struct parser *p)
{
    const char *word = next(p);
    const struct space *s = space_named(word);
    long v;

    if (!s && is_digits(word) && strlen(word) >= MIN_REFERENCE && strlen(word) <= MAX_REFERENCE)
        return take_reference(p, word);
    if (!s)
        return refuse(p, "'%s' must be 'coil', 'discrete', 'input' or 'holding', or a reference such as 40001", word);
    word = next(p);
    if (!number(word, REGISTERS - 1, &v))
        return refuse(p, "behind '%s' comes the address as on the wire, 0 to 65535, not '%s'", s->name, word);
    p->a.function = s->function;
    p->a.address = (uint16_t)v;
    return 0;
}

/* ---- What ---- */

static const struct {
    const char *name;
    uint8_t type, registers;
} numbers[] = {
    {"u16", MB_UNSIGNED, 1}, {"s16", MB_SIGNED, 1}, {"u32", MB_UNSIGNED, 2}, {"s32", MB_SIGNED, 2},
    {"u64", MB_UNSIGNED, 4}, {"s64", MB_SIGNED, 4}, {"f32", MB_FLOAT, 2},    {"f64", MB_FLOAT, 4},
};

/* Several names for what the makers of devices call ABCD, DCBA, BADC and CDAB. */
static const struct {
    const char *name;
    uint8_t order;
    bool any; /* makes sense for 16 bits and for text too */
} orders[] = {
    {"be", 0, true},
    {"le", MB_SWAP_BYTES | MB_SWAP_WORDS, true},
    {"be-swap", MB_SWAP_BYTES, false},
    {"le-swap", MB_SWAP_WORDS, false},
    {"abcd", 0, false},
    {"dcba", MB_SWAP_BYTES | MB_SWAP_WORDS, false},
    {"badc", MB_SWAP_BYTES, false},
    {"cdab", MB_SWAP_WORDS, false},
};

static int set_type(struct parser *p, const char *word, uint8_t type, uint16_t count)
{
    if (p->typed)
        return refuse(p, "'%s' is a second type", word);
    p->typed = true;
    p->a.type = type;
    p->a.count = count;
    return 1;
}

/* These give 1 if the word was taken, 0 if it is none of theirs, or an error. */

static int take_type(struct parser *p, const char *word)
{
    bool text = strcmp(word, "text") == 0;
    uint16_t n;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(numbers[i].name, word) == 0)
            return set_type(p, word, numbers[i].type, numbers[i].registers);
    }
    if (!text && strcmp(word, "bytes") != 0)
        return 0;
    if (argument(p, word, 1, MB_MAX_REGISTERS, &n) < 0)
        return PD_EINVAL;
    return set_type(p, word, text ? MB_TEXT : MB_BYTES, n);
}

static int take_order(struct parser *p, const char *word)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        if (strcmp(orders[i].name, word) != 0)
            continue;
        if (p->order)
            return refuse(p, "'%s' is a second byte order", word);
        p->order = word;
        p->any_width = orders[i].any;
        p->a.order = orders[i].order;
        return 1;
    }
    return 0;
}

static int take_bits(struct parser *p)
{
    const char *word = next(p);
    long first, last;

    if (!range(word, 63, &first, &last))
        return refuse(p, "'bits' needs bits such as '4' or '4-7', counted from the lowest, 0, not '%s'", word);
    p->a.bit = (uint8_t)first;
    p->a.bits = (uint8_t)(last - first + 1);
    return 1;
}

/* Of a number its bits; of coils and inputs a run of them. */
static int take_flags(struct parser *p)
{
    p->flags = true;
    if (!mb_is_bits(p->a.function))
        return 1;
    return argument(p, "flags", 1, MB_MAX_FLAGS, &p->a.count) < 0 ? PD_EINVAL : 1;
}

static int take_modifier(struct parser *p, const char *word)
{
    struct mb_address *a = &p->a;

    if (strcmp(word, "bits") == 0 || strcmp(word, "bit") == 0)
        return take_bits(p);
    if (strcmp(word, "flags") == 0)
        return take_flags(p);
    if (strcmp(word, "rows") == 0)
        return argument(p, word, 1, MB_MAX_ROWS, &a->rows) < 0 ? PD_EINVAL : 1;
    if (strcmp(word, "step") == 0)
        return argument(p, word, 1, REGISTERS - 1, &a->step) < 0 ? PD_EINVAL : 1;
    if (strcmp(word, "alone") != 0)
        return 0;
    a->alone = true;
    return 1;
}

static int unknown_word(struct parser *p, const char *word)
{
    static const char *const known[] = {"u16",  "s16",     "u32",  "s32",  "u64",   "s64",   "f32",     "f64",
                                        "text", "bytes",   "be",   "le",   "abcd",  "dcba",  "badc",    "cdab",
                                        "bits", "be-swap", "rows", "step", "alone", "flags", "le-swap", NULL};
    const char *near = str_nearest(word, known);

    return refuse(p, "'%s' is no type, byte order or 'bits', 'flags', 'rows', 'step', 'alone'%s%s%s", word,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* ---- Whether it makes sense ---- */

static int check_bits(struct parser *p)
{
    const struct mb_address *a = &p->a;

    if (p->typed || p->order || a->bits > 0)
        return refuse(p, "'%s' is one bit: it has no type, byte order or 'bits'", space_of(a->function)->name);
    return 0;
}

static int check_registers(struct parser *p)
{
    const struct mb_address *a = &p->a;
    int width = a->count * 16;

    if (p->order && !p->any_width && (a->count == 1 || a->type == MB_TEXT || a->type == MB_BYTES))
        return refuse(p, "'%s' orders several registers; here it can be 'be' or 'le'", p->order);
    if ((a->bits > 0 || p->flags) && a->type != MB_UNSIGNED)
        return refuse(p, "'bits' and 'flags' need u16, u32 or u64");
    if (a->bits > 0 && p->flags)
        return refuse(p, "'bits' and 'flags' exclude each other");
    if (a->bit + a->bits > width)
        return refuse(p, "bit %d lies beyond u%d", a->bit + a->bits - 1, width);
    return 0;
}

static int check_rows(struct parser *p, bool table)
{
    struct mb_address *a = &p->a;
    long rows = a->rows ? a->rows : 1;

    if (table && !a->rows)
        return refuse(p, "a table's column needs 'rows N' (and 'step K', from row to row)");
    if (!table && a->rows)
        return refuse(p, "'rows' is for columns of tables");
    if (a->step && !a->rows)
        return refuse(p, "'step' needs 'rows'");
    if (a->step && a->step < a->count)
        return refuse(p, "a step of %d is less than the %d of a row", a->step, a->count);
    if (!a->step)
        a->step = a->count;
    if (a->address + (rows - 1) * a->step + a->count > REGISTERS)
        return refuse(p, "it goes beyond the last address, 65535");
    return 0;
}

static int take_word(struct parser *p)
{
    const char *word = next(p);
    int rc = take_type(p, word);

    if (rc == 0)
        rc = take_order(p, word);
    if (rc == 0)
        rc = take_modifier(p, word);
    if (rc == 0)
        rc = unknown_word(p, word);
    return rc < 0 ? rc : 0;
}

int mb_address_parse(const char *text, bool table, struct mb_address *out, char why[static MB_WHY])
{
    struct parser p = {.a = {.type = MB_UNSIGNED, .count = 1}, .why = why};
    int rc = split(&p, text);

    if (rc == 0 && p.n == 0)
        rc = refuse(&p, "it is empty; right would be, for example, 'holding 100 u16'");
    if (rc == 0)
        rc = take_place(&p);
    while (rc == 0 && p.at < p.n)
        rc = take_word(&p);
    if (rc == 0)
        rc = mb_is_bits(p.a.function) ? check_bits(&p) : check_registers(&p);
    if (rc == 0)
        rc = check_rows(&p, table);
    if (rc < 0)
        return rc;
    if (p.flags)
        p.a.type = MB_FLAGS;
    *out = p.a;
    return 0;
}

int mb_range_parse(const char *text, uint8_t *function, uint16_t *first, uint16_t *last, char why[static MB_WHY])
{
    struct parser p = {.why = why};
    const struct space *s;
    long a = 0, b = REGISTERS - 1;
    int rc = split(&p, text);

    if (rc < 0)
        return rc;
    s = p.n >= 1 ? space_named(p.words[0]) : NULL;
    if (!s || p.n > 2 || (p.n == 2 && !range(p.words[1], REGISTERS - 1, &a, &b)))
        return refuse(&p, "right would be, for example, 'holding 0-99' ('coil', 'discrete', 'input' likewise)");
    *function = s->function;
    *first = (uint16_t)a;
    *last = (uint16_t)b;
    return 0;
}

uint32_t mb_space_digit(uint8_t function)
{
    return space_of(function)->digit;
}

void mb_place(const struct mb_ask *ask, char out[static MB_PLACE])
{
    const char *name = space_of(ask->function)->name;

    if (ask->count == 1)
        (void)snprintf(out, MB_PLACE, "%s %u", name, ask->address);
    else
        (void)snprintf(out, MB_PLACE, "%s %u-%u", name, ask->address, ask->address + ask->count - 1u);
}
