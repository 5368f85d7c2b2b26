#include "tests/watch/bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct knowledge *load(const char *folder)
{
    const char *srcdir = getenv("srcdir");
    char *dir = xasprintf("%s/%s", srcdir ? srcdir : ".", folder);
    struct conf_report report = {0};
    struct knowledge *k = NULL;

    if (knowledge_load((const char *const[]){dir}, 1, NULL, &k, &report) < 0)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    free(dir);
    return k;
}

struct bench bench_new(const char *folder, const char *profile)
{
    struct bench t = {.k = load(folder)};

    t.p = knowledge_profile(t.k, profile);
    assert_non_null(t.p);
    t.n = normaliser_new(t.p);
    t.b = batch_new(t.n);
    t.sources = normaliser_sources(t.n, &t.nsources);
    return t;
}

void bench_free(struct bench *t)
{
    batch_free(t->b);
    normaliser_free(t->n);
    knowledge_free(t->k);
}

uint32_t bench_source(const struct bench *t, const char *address, unsigned part)
{
    for (uint32_t i = 0; i < t->nsources; i++)
        if (strcmp(t->sources[i].address, address) == 0 && t->sources[i].part == part)
            return i;
    fail_msg("no source %s", address);
    return 0;
}

/* Adds one cell: of row `index`, or a scalar where it is 0. */
void bench_add(struct bench *t, const char *address, uint32_t index, struct pd_cell c)
{
    c.source = bench_source(t, address, PART_STATUS);
    c.instance = &index;
    c.ninstance = index ? 1 : 0;
    batch_add(t->b, &c, 1);
}

struct pd_cell cell_int(int64_t i)
{
    return (struct pd_cell){.type = PD_CELL_INT, .i = i};
}

struct pd_cell cell_bytes(const void *p, size_t n)
{
    return (struct pd_cell){.type = PD_CELL_BYTES, .bytes = p, .nbytes = (uint32_t)n};
}

struct pd_cell cell_text(const char *s)
{
    return cell_bytes(s, strlen(s));
}

static void collect(void *ctx, const struct found *f)
{
    struct bench *t = ctx;

    assert_true(t->nfound < sizeof t->found / sizeof *t->found);
    t->found[t->nfound++] = *f;
}

void bench_finish(struct bench *t)
{
    t->nfound = 0;
    batch_finish(t->b, collect, t);
}

struct value bench_point(const struct bench *t, const char *key, const char *name)
{
    for (size_t i = 0; i < t->nfound; i++)
        if (strcmp(t->found[i].key, key) == 0)
            return t->found[i].points[kind_point(t->found[i].kind, name)->slot];
    fail_msg("no component '%s'", key);
    return VALUE_UNKNOWN;
}

void assert_value(struct value have, struct value want)
{
    if (!value_same(have, want))
        fail_msg("%s %s, wanted %s %s", quality_name(have.quality), value_type_name(have.type),
                 quality_name(want.quality), value_type_name(want.type));
}

void bench_add_at(struct bench *t, const char *address, unsigned part, const uint32_t *instance, size_t n,
                  struct pd_cell c)
{
    c.source = bench_source(t, address, part);
    c.instance = instance;
    c.ninstance = (uint16_t)n;
    batch_add(t->b, &c, 1);
}
