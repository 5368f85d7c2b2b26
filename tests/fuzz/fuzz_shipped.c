/*
 * What devices may send, against every module that is shipped: cells of every type,
 * length and instance. Whatever comes, what is found of them is of its type, in
 * clean UTF-8 of bounded length; and of cells that say nothing no number is made.
 */
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "watch/normalise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is shipped, loaded once for all inputs. */
struct shipped {
    struct knowledge *knowledge;
    ARRAY(struct profile *) alone; /* for each module a profile that speaks it alone */
};

enum { MOST_INPUT = 2048, LONGEST_TEXT = 1024 };

/* ---- Input: bytes as choices; zeroes when there are no more ---- */

struct input {
    const uint8_t *p, *end;
};

static unsigned take(struct input *in, unsigned below)
{
    return in->p < in->end ? *in->p++ % below : 0;
}

static uint64_t take_number(struct input *in)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   2,
                                   100,
                                   65535,
                                   2147483647,
                                   4294967295,
                                   UINT64_MAX,
                                   UINT64_MAX - 1,
                                   UINT64_MAX - 2,
                                   (uint64_t)INT64_MAX,
                                   (uint64_t)INT64_MIN,
                                   (uint64_t)-273,
                                   (uint64_t)-2730};
    uint64_t n = 0;

    if (take(in, 2))
        return odd[take(in, sizeof odd / sizeof *odd)];
    for (unsigned i = take(in, 9); i > 0; i--)
        n = n << 8 | take(in, 256);
    return n;
}

/* ---- The shipped knowledge ---- */

static struct profile *profile_alone(const struct module *m)
{
    struct profile *p = xcalloc(1, sizeof *p);

    array_push(&p->modules, m);
    for (unsigned c = 0; c < m->components.n; c++)
        for (unsigned i = 0; i < m->components.v[c].columns.n; i++)
            array_push(&p->sources, ((struct profile_source){.component = c, .column = i}));
    return p;
}

/* Where the tests and the fuzzers find it: beside them, or where srcdir says. */
static const struct shipped *shipped(void)
{
    static struct shipped s;
    const char *srcdir = getenv("srcdir");
    struct conf_report report = {0};
    char *folder;
    const char *folders[1];

    if (s.knowledge)
        return &s;
    log_set_level(LOG_LEVEL_ERROR);
    folder = xasprintf("%s/conf", srcdir ? srcdir : FUZZ_SOURCE);
    folders[0] = folder;
    if (knowledge_load(folders, 1, NULL, &s.knowledge, &report) < 0) {
        (void)fprintf(stderr, "%s", report.text.s ? report.text.s : folder);
        abort();
    }
    free(folder);
    conf_report_free(&report);
    for (size_t i = 0; i < s.knowledge->modules.n; i++)
        array_push(&s.alone, profile_alone(s.knowledge->modules.v[i]));
    return &s;
}

/* ---- What must hold ---- */

struct check {
    bool nothing_came; /* every cell said nothing */
};

static void complain(const struct found *f, const char *point, const char *what)
{
    (void)fprintf(stderr, "%s.%s, key '%s', %s: %s\n", f->module->name, f->def->name, f->key, point, what);
    abort();
}

static void check_text(const struct found *f, const char *point, const char *text, size_t max)
{
    size_t n = strlen(text);

    if (n > max)
        complain(f, point, "the text is too long");
    if (!str_utf8_valid(text, n))
        complain(f, point, "the text is not UTF-8");
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            complain(f, point, "the text has control characters");
}

struct used {
    const struct component_def *def;
    bool reads;
};

/* Indexes are known though nothing came, and so is how many rows there are. What is computed is looked into. */
static void note_slot(void *ctx, unsigned slot)
{
    struct used *u = ctx;
    size_t index = u->def->columns.n;

    for (size_t i = 0; i < u->def->aggregates.n; i++)
        if (u->def->aggregates.v[i].slot == slot)
            u->reads |= u->def->aggregates.v[i].how != AGGREGATE_COUNT;
    for (size_t i = 0; i < u->def->joins.n; i++)
        u->reads |=
            slot >= u->def->joins.v[i].first_slot && slot < u->def->nslots - u->def->computed.n - u->def->aggregates.n;
    for (size_t i = 0; i < u->def->computed.n; i++)
        if (u->def->computed.v[i].slot == slot)
            expr_slots(u->def->computed.v[i].value, note_slot, u);
    u->reads |= slot < index;
}

/* True where a point's rule reads what a device has to send: then nothing can be known of nothing. */
static bool reads_the_device(const struct found *f, size_t slot)
{
    struct used u = {.def = f->def};

    for (size_t i = 0; i < f->def->points.n; i++)
        if (f->def->points.v[i].slot == slot && f->def->points.v[i].value)
            expr_slots(f->def->points.v[i].value, note_slot, &u);
    return u.reads;
}

static void check_value(const struct check *c, const struct found *f, size_t slot)
{
    const struct point_def *def = &f->kind->points.v[slot];
    struct value v = f->points[slot];

    if (v.quality != QUALITY_GOOD)
        return;
    if (v.type != def->type)
        complain(f, def->name, "is of another type");
    if (v.type == VALUE_NUM && !isfinite(v.num))
        complain(f, def->name, "is no number");
    if (v.type == VALUE_ENUM && !members_by_number(&def->members, v.i))
        complain(f, def->name, "is no member");
    if (v.type == VALUE_TEXT)
        check_text(f, def->name, v.text, LONGEST_TEXT);
    if (c->nothing_came && (v.type == VALUE_INT || v.type == VALUE_NUM) && reads_the_device(f, slot))
        complain(f, def->name, "is a number made of nothing");
}

static void check_found(void *ctx, const struct found *f)
{
    check_text(f, "key", f->key, SIZE_MAX);
    check_text(f, "label", f->label, SIZE_MAX);
    for (size_t i = 0; i < f->kind->points.n; i++)
        check_value(ctx, f, i);
}

/* ---- Cells ---- */

struct content {
    uint8_t bytes[1500];
    uint32_t oid[PD_MAX_INSTANCE], instance[PD_MAX_INSTANCE];
};

static void fill_bytes(struct input *in, struct pd_cell *c, struct content *x)
{
    static const char *const words[] = {"",     "23.5 C", "-1", "4294967295", "n/a", "\xe7\xa9\xba", "\x83\x65\x83\x58",
                                        "\0\0x"};
    unsigned how = take(in, 3);

    c->bytes = x->bytes;
    if (how == 0) {
        const char *word = words[take(in, sizeof words / sizeof *words)];

        c->nbytes = (uint32_t)strlen(word);
        memcpy(x->bytes, word, c->nbytes);
        return;
    }
    c->nbytes = how == 1 ? take(in, 20) : take(in, 256) * 5;
    for (uint32_t i = 0; i < c->nbytes; i++)
        x->bytes[i] = (uint8_t)(in->p < in->end ? *in->p++ : i * 37);
}

static void fill_instance(struct input *in, struct pd_cell *c, bool table, struct content *x)
{
    unsigned n = table ? take(in, 8) : 0;

    if (take(in, 40) == 39)
        n = PD_MAX_INSTANCE;
    for (unsigned i = 0; i < n; i++)
        x->instance[i] = take(in, 4) ? take(in, 4) : (uint32_t)take_number(in);
    c->instance = x->instance;
    c->ninstance = (uint16_t)n;
}

static bool is_sentinel(const struct column *column, int64_t raw)
{
    for (size_t i = 0; i < column->sentinels.n; i++)
        if (column->sentinels.v[i].raw == raw)
            return column->sentinels.v[i].quality == QUALITY_UNKNOWN;
    return false;
}

/* A number that says nothing, for all columns that are read from the address: true if there is one. */
static bool find_sentinel(const struct module *m, const char *address, int64_t *out)
{
    const struct column *first = NULL;
    bool all = true;

    for (size_t c = 0; c < m->components.n; c++) {
        for (size_t i = 0; i < m->components.v[c].columns.n; i++) {
            const struct column *column = &m->components.v[c].columns.v[i];

            if (strcmp(column->address, address) != 0)
                continue;
            first = first ? first : column;
            all = all && first->sentinels.n > 0 && is_sentinel(column, first->sentinels.v[0].raw);
        }
    }
    if (!first || !all)
        return false;
    *out = first->sentinels.v[0].raw;
    return true;
}

static void add_cell(struct batch *b, struct input *in, const struct module *m, const struct pd_source *s, bool nothing)
{
    static const uint8_t nothings[] = {PD_CELL_NULL, PD_CELL_ABSENT, PD_CELL_INVALID};
    struct content x;
    struct pd_cell c = {.source = s->id};

    fill_instance(in, &c, s->table, &x);
    c.type = nothing ? nothings[take(in, 3)] : (uint8_t)take(in, PD_CELL_INVALID + 1);
    if (c.type == PD_CELL_BYTES) {
        fill_bytes(in, &c, &x);
    } else if (c.type == PD_CELL_OID) {
        c.oid = x.oid;
        c.nbytes = take(in, 16);
        for (uint32_t i = 0; i < c.nbytes; i++)
            x.oid[i] = (uint32_t)take_number(in);
    } else {
        c.u = take_number(in);
    }
    if (nothing && take(in, 2) && find_sentinel(m, s->address, &c.i))
        c.type = PD_CELL_INT;
    batch_add(b, &c, 1);
}

static void try_module(const struct profile *p, struct input *in)
{
    struct check check = {.nothing_came = take(in, 4) == 0};
    struct normaliser *n = normaliser_new(p);
    struct batch *b = batch_new(n);
    size_t nsources;
    const struct pd_source *sources = normaliser_sources(n, &nsources);

    for (unsigned rounds = 1 + take(in, 3); rounds > 0; rounds--) {
        for (size_t i = 0; i < nsources; i++) {
            for (unsigned rows = take(in, 4); rows > 0; rows--)
                add_cell(b, in, p->modules.v[0], &sources[i], check.nothing_came);
        }
    }
    batch_finish(b, check_found, &check);
    batch_free(b);
    normaliser_free(n);
}

/* The first byte chooses the module. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct shipped *s = shipped();
    struct input in = {.p = data, .end = data + (size < MOST_INPUT ? size : MOST_INPUT)};

    if (size > 0)
        try_module(s->alone.v[take(&in, 256) % s->alone.n], &in);
    return 0;
}
