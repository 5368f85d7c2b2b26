#include "tests/watch/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/format.h"
#include "plugins/modbus/value.h"
#include "tests/watch/bench.h"
#include "watch/recording.h"

enum { REGISTERS = 65536, MAX_OID = 64, MAX_BYTES = 256, MAX_FILE = 1 << 20 };

/* The registers of one space; what nobody set is not there. */
struct space {
    uint16_t v[REGISTERS];
    bool there[REGISTERS];
};

struct walk {
    const char *path;
    unsigned line;
    struct bench bench;
    struct recording *recording;
    struct space *holding, *input;
    struct dict *read;
    bool fed; /* everything was read: from here on lines expect */
};

#define FAIL(w, ...)                                                                                                   \
    do {                                                                                                               \
        print_error("%s:%u: ", (w)->path, (w)->line);                                                                  \
        fail_msg(__VA_ARGS__);                                                                                         \
    } while (0)

/* ---- What the device has ---- */

static size_t parse_oid(const char *s, uint32_t out[static MAX_OID])
{
    size_t n = 0;

    for (; *s >= '0' && *s <= '9' && n < MAX_OID; n++) {
        out[n] = (uint32_t)strtoul(s, (char **)&s, 10);
        s += *s == '.';
    }
    return n;
}

static size_t take_bytes(const char *hex, uint8_t out[static MAX_BYTES])
{
    size_t n = 0;

    for (char *end; *hex && n < MAX_BYTES; hex = end) {
        out[n] = (uint8_t)strtoul(hex, &end, 16);
        if (end == hex)
            break;
        n++;
    }
    return n;
}

static void take_object(struct walk *w, char *line)
{
    char *type = strchr(line, ' '), *value = type ? strchr(type + 1, ' ') : NULL;
    uint32_t oid[MAX_OID], value_oid[MAX_OID];
    uint8_t bytes[MAX_BYTES];
    struct pd_cell cell = {0};

    value = value ? value + 1 : (char *)"";
    switch (type ? type[1] : 0) {
    case 'i':
        cell = (struct pd_cell){.type = PD_CELL_INT, .i = strtoll(value, NULL, 10)};
        break;
    case 'u':
        cell = (struct pd_cell){.type = PD_CELL_UINT, .u = strtoull(value, NULL, 10)};
        break;
    case 's':
        cell = cell_text(value);
        break;
    case 'x':
        cell = cell_bytes(bytes, take_bytes(value, bytes));
        break;
    case 'o':
        cell = (struct pd_cell){.type = PD_CELL_OID, .oid = value_oid, .nbytes = (uint32_t)parse_oid(value, value_oid)};
        break;
    default:
        FAIL(w, "an object is OID TYPE VALUE");
    }
    recording_add(w->recording, oid, parse_oid(line, oid), &cell);
}

static void set_register(struct space *s, size_t at, uint16_t v)
{
    assert_true(at < REGISTERS);
    s->v[at] = v;
    s->there[at] = true;
}

static void take_registers(struct walk *w, struct space *s, const char *line)
{
    char *end;
    size_t at = strtoul(line, &end, 0);

    if (strncmp(end, " = ", 3) != 0)
        FAIL(w, "registers are SPACE ADDRESS = VALUE …");
    end += 3;
    if (str_starts(end, "f32 ")) {
        float f = strtof(end + 4, NULL);
        uint32_t bits;

        memcpy(&bits, &f, sizeof bits);
        set_register(s, at, (uint16_t)(bits >> 16));
        set_register(s, at + 1, (uint16_t)bits);
    } else if (str_starts(end, "text \"")) {
        for (const char *p = end + 6; *p && *p != '"'; p += p[1] && p[1] != '"' ? 2 : 1)
            set_register(s, at++, (uint16_t)((unsigned char)p[0] << 8 | (p[1] && p[1] != '"' ? p[1] : ' ')));
    } else {
        while (*end)
            set_register(s, at++, (uint16_t)strtol(end, &end, 0));
    }
}

/* ---- Reading it ---- */

static void add_cell(struct walk *w, const struct pd_cell *cell)
{
    const char *file = w->bench.sources[cell->source].file;

    if (file && cell->type != PD_CELL_ABSENT)
        dict_put(w->read, strrchr(file, '/') + 1, w->read);
    batch_add(w->bench.b, cell, 1);
}

static void feed_cell(struct walk *w, uint32_t source, const uint32_t *instance, size_t n, struct pd_cell c)
{
    c.source = source;
    c.instance = instance;
    c.ninstance = (uint16_t)n;
    add_cell(w, &c);
}

static void feed_object(void *ctx, const struct pd_cell *cell)
{
    add_cell(ctx, cell);
}

/* One row, or the one value, if all its registers are there. */
static void feed_row(struct walk *w, const struct pd_source *s, const struct mb_address *a, uint32_t row)
{
    const struct space *space = a->function == MB_READ_INPUT ? w->input : w->holding;
    uint16_t at = (uint16_t)(a->address + (row ? row - 1 : 0) * a->step);
    struct mb_ask ask = {.function = a->function, .address = at, .count = a->count};
    uint8_t data[MB_MAX_DATA] = {0}, scratch[MB_FLAG_BYTES];
    struct mb_block block;
    struct pd_cell c = {0};

    for (uint16_t i = 0; i < a->count; i++) {
        if (!space->there[at + i] && a->type != MB_TEXT)
            return;
        data[2 * i] = (uint8_t)(space->v[at + i] >> 8);
        data[2 * i + 1] = (uint8_t)space->v[at + i];
    }
    mb_block_init(&block, &ask, data);
    mb_value(a, at, &block, scratch, &c);
    feed_cell(w, s->id, &row, row ? 1 : 0, c);
}

static void feed(struct walk *w)
{
    bool modbus = str_eq(w->bench.p->modules.v[0]->collector, "modbus");
    char why[MB_WHY];

    for (size_t i = 0; i < w->bench.nsources; i++) {
        const struct pd_source *s = &w->bench.sources[i];
        struct mb_address a;

        if (!modbus) {
            recording_feed(w->recording, s, feed_object, w);
            continue;
        }
        if (mb_address_parse(s->address, s->table, &a, why) != 0)
            FAIL(w, "%s:%d: %s", s->file, s->line, why);
        for (uint32_t row = s->table; row <= a.rows; row++)
            feed_row(w, s, &a, row);
    }
    bench_finish(&w->bench);
    w->fed = true;
}

/* ---- What comes of it ---- */

static const struct found *find(const struct walk *w, const char *kind, const char *key)
{
    for (size_t i = 0; i < w->bench.nfound; i++)
        if (str_eq(w->bench.found[i].kind->name, kind) && str_eq(w->bench.found[i].key, key))
            return &w->bench.found[i];
    return NULL;
}

/* Cuts the next field off at " | ". */
static char *field(char **rest)
{
    char *s = *rest, *bar = strstr(s, " | ");

    if (bar)
        *bar = '\0';
    *rest = bar ? bar + 3 : s + strlen(s);
    return s;
}

/* What the modules tell of the device itself; "unknown" where none does. The result is the caller's. */
static char *identity_text(const struct walk *w, const char *name)
{
    const struct profile *p = w->bench.p;
    char *text = NULL;
    int what = 0;

    while (what < PROFILE_TEXTS && !str_eq(name, profile_text_names[what]))
        what++;
    if (what == PROFILE_TEXTS)
        FAIL(w, "no '%s' is told of a device", name);
    for (size_t i = 0; i < p->identities.n && !text; i++) {
        int slot = p->identities.v[i].slots[what];
        const struct value *row = slot >= 0 ? batch_single(w->bench.b, p->identities.v[i].def) : NULL;

        if (row && row[slot].quality == QUALITY_GOOD && *row[slot].text)
            text = xstrdup(row[slot].text);
    }
    return text ? text : xstrdup("unknown");
}

static void expect_identity(const struct walk *w, char *line)
{
    char *name = field(&line), *text = identity_text(w, name);

    if (!str_eq(text, line))
        FAIL(w, "%s is '%s'", name, text);
    free(text);
}

static void expect(struct walk *w, char *line)
{
    char *kind = field(&line), *key, *name;
    const struct found *f;
    const struct point_def *p;
    struct sbuf text = {0};

    if (!w->fed)
        feed(w);
    if (str_eq(kind, "identity")) {
        expect_identity(w, line);
        return;
    }
    key = field(&line);
    name = field(&line);
    f = find(w, kind, str_eq(key, "-") ? "" : key);
    if (str_eq(name, "none")) {
        if (f)
            FAIL(w, "there is a %s '%s'", kind, key);
        return;
    }
    if (!f)
        FAIL(w, "no %s '%s'", kind, key);
    p = kind_point(f->kind, name);
    if (!p)
        FAIL(w, "no point '%s'", name);
    format_value(&text, p, f->points[p->slot]);
    if (!str_eq(text.s, line))
        FAIL(w, "%s of %s '%s' is %s", name, kind, key, text.s);
    sbuf_free(&text);
}

/* What a rule reads besides: no labels, and of history what the line says. */
static struct value extra_value(const struct rule_extra *e, const struct found *f, const char *history)
{
    if (e->type == RULE_KEY)
        return value_text(f->key);
    if (e->type == RULE_WINDOW && *history)
        return value_num(strtod(history, NULL));
    return e->type == RULE_LABEL ? value_text(f->label) : VALUE_UNKNOWN;
}

static void judge(struct walk *w, char *line)
{
    char *name = field(&line), *key = field(&line), *wanted = field(&line);
    const struct rule *r = NULL;
    const struct found *f, *device;
    ARRAY(struct value) slots = {0};
    struct value v;
    const char *said;

    if (!w->fed)
        feed(w);
    for (size_t i = 0; i < w->bench.k->rules.n; i++)
        if (str_eq(w->bench.k->rules.v[i]->name, name))
            r = w->bench.k->rules.v[i];
    f = r ? find(w, r->kind->name, str_eq(key, "-") ? "" : key) : NULL;
    if (!f)
        FAIL(w, "no rule '%s', or no component '%s' that it is for", name, key);
    device = find(w, DEVICE_KIND, "");
    for (size_t i = 0; i < r->kind->points.n; i++)
        array_push(&slots, f->points[i]);
    for (size_t i = 0; i < w->bench.k->vocabulary.kinds.v[0]->points.n; i++)
        array_push(&slots, device ? device->points[i] : VALUE_UNKNOWN);
    for (size_t i = 0; i < r->extras.n; i++)
        array_push(&slots, extra_value(&r->extras.v[i], f, line));
    v = expr_eval(r->when, slots.v, slots.n);
    said = v.quality != QUALITY_GOOD ? "unknown" : v.b ? "true" : "false";
    if (!str_eq(said, wanted))
        FAIL(w, "rule '%s' says of '%s': %s", name, key, said);
    array_free(&slots);
}

/* A further device begins with nothing. */
static void begin(struct walk *w, const char *profile)
{
    if (w->bench.k) {
        bench_free(&w->bench);
        recording_free(w->recording);
        w->recording = recording_new();
        w->fed = false;
    }
    w->bench = bench_new("conf", profile);
}

static void take_line(struct walk *w, char *line)
{
    char *comment = strstr(line, " # ");

    if (comment)
        *comment = '\0';
    for (size_t n = strlen(line); n > 0 && line[n - 1] == ' ';)
        line[--n] = '\0';
    if (*line == '\0' || *line == '#')
        return;
    if (str_starts(line, "profile "))
        begin(w, line + 8);
    else if (str_starts(line, "expect "))
        expect(w, line + 7);
    else if (str_starts(line, "judge "))
        judge(w, line + 6);
    else if (str_starts(line, "holding "))
        take_registers(w, w->holding, line + 8);
    else if (str_starts(line, "input "))
        take_registers(w, w->input, line + 6);
    else
        take_object(w, line);
}

void walk_check(const char *path, struct dict *read)
{
    const char *srcdir = getenv("srcdir");
    char *full = xasprintf("%s/%s", srcdir ? srcdir : ".", path), *text, *line, *rest;
    struct walk w = {.path = path,
                     .read = read,
                     .holding = xcalloc(1, sizeof *w.holding),
                     .input = xcalloc(1, sizeof *w.input),
                     .recording = recording_new()};
    size_t n;

    assert_int_equal(file_read(full, MAX_FILE, &text, &n), 0);
    for (rest = text; (line = strsep(&rest, "\n"));) {
        w.line++;
        take_line(&w, line);
    }
    assert_true(w.fed);
    bench_free(&w.bench);
    recording_free(w.recording);
    free(w.holding);
    free(w.input);
    free(text);
    free(full);
}
