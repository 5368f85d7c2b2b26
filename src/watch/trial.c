#include "watch/trial.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- Reading ---- */

struct reading_of {
    struct normaliser *n;
    struct batch *b;
};

static void add_cell(void *ctx, const struct pd_cell *cell)
{
    batch_add(((struct reading_of *)ctx)->b, cell, 1);
}

/* Everything that the profile reads of the recording, once. */
static struct reading_of read_all(const struct profile *p, struct recording *r)
{
    struct reading_of x = {.n = normaliser_new(p)};
    size_t n;
    const struct pd_source *sources = normaliser_sources(x.n, &n);

    x.b = batch_new(x.n);
    for (size_t i = 0; i < n; i++)
        recording_feed(r, &sources[i], add_cell, &x);
    return x;
}

static void end(struct reading_of *x)
{
    batch_free(x->b);
    normaliser_free(x->n);
}

static void ignore(void *ctx, const struct found *f)
{
    (void)ctx;
    (void)f;
}

/* ---- Recognition ---- */

/* The module identify as a profile; array_free() both lists. */
static struct profile identify_profile(const struct module *m)
{
    struct profile p = {.name = (char *)(uintptr_t) "(identify)", .by_component = true};

    array_push(&p.modules, m);
    for (unsigned c = 0; c < m->components.n; c++)
        for (unsigned i = 0; i < m->components.v[c].columns.n; i++)
            array_push(&p.sources, ((struct profile_source){.component = c, .column = i}));
    return p;
}

static bool is_true(const struct expr *e, const struct value *row, size_t n)
{
    struct value v = e ? expr_eval(e, row, n) : value_bool(true);

    return v.quality == QUALITY_GOOD && v.type == VALUE_BOOL && v.b;
}

static char *text_of(struct value v)
{
    if (v.quality != QUALITY_GOOD)
        return NULL;
    if (v.type == VALUE_INT)
        return xasprintf("%lld", (long long)v.i);
    return v.type == VALUE_TEXT && *v.text ? xstrdup(v.text) : NULL;
}

/* Who may have it, by the names of the module identify. */
static void choose(const struct knowledge *k, const struct profile *p, const struct value *row, size_t n,
                   struct trial_identity *id)
{
    unsigned slot = k->identification.known[IDENTIFY_OBJECT_ID];
    struct profile_candidates candidates = {0};

    id->object_id = slot < n ? text_of(row[slot]) : NULL;
    profile_candidates(&k->index, id->object_id, &candidates);
    for (size_t i = 0; i < candidates.n; i++) {
        const struct profile *candidate = candidates.v[i].profile;

        if ((candidate != p && id->chosen) || !is_true(candidate->match, row, n))
            continue;
        id->fits |= candidate == p;
        if (!id->chosen)
            id->chosen = candidate;
    }
    array_free(&candidates);
    for (int i = 0; !p->identity && i < PROFILE_TEXTS; i++)
        id->texts[i] = p->texts[i] ? text_of(expr_eval(p->texts[i], row, n)) : NULL;
}

static void ask_identify(const struct knowledge *k, const struct profile *p, struct recording *r,
                         struct trial_identity *id)
{
    const struct identification *names = &k->identification;
    struct profile identify = identify_profile(k->identify);
    struct reading_of x = read_all(&identify, r);
    struct value *row = xcalloc(names->names.n + 1, sizeof *row);

    batch_finish(x.b, ignore, NULL);
    for (size_t i = 0; i < names->names.n; i++) {
        const struct value *slots = batch_single(x.b, names->asks.v[names->names.v[i].ask].def);

        row[i] = slots ? slots[names->names.v[i].slot] : value_unknown(WHY_ABSENT);
    }
    choose(k, p, row, names->names.n, id);
    free(row);
    end(&x);
    array_free(&identify.modules);
    array_free(&identify.sources);
}

/* What the profile's modules tell where it does not itself. */
static void ask_modules(const struct profile *p, struct recording *r, struct trial_identity *id)
{
    struct reading_of x = read_all(p, r);

    batch_finish(x.b, ignore, NULL);
    for (size_t m = 0; m < p->identities.n; m++) {
        const struct value *row = batch_single(x.b, p->identities.v[m].def);

        for (int i = 0; row && i < PROFILE_TEXTS; i++)
            if (!id->texts[i] && p->identities.v[m].slots[i] >= 0)
                id->texts[i] = text_of(row[p->identities.v[m].slots[i]]);
    }
    end(&x);
}

struct trial_identity trial_identify(const struct knowledge *k, const struct profile *p, struct recording *r)
{
    struct trial_identity id = {0};

    id.asked = k->identify && str_eq(k->identify->collector, trial_collector(p));
    if (id.asked)
        ask_identify(k, p, r, &id);
    if (p->identities.n > 0)
        ask_modules(p, r, &id);
    return id;
}

void trial_identity_fini(struct trial_identity *id)
{
    free(id->object_id);
    for (int i = 0; i < PROFILE_TEXTS; i++)
        free(id->texts[i]);
    *id = (struct trial_identity){0};
}

/* ---- Points ---- */

struct showing {
    const struct normaliser *n;
    void (*each)(void *ctx, const struct trial_point *t);
    void *ctx;
};

static void show_found(void *ctx, const struct found *f)
{
    struct showing *s = ctx;
    const struct finding_place at = {f->kind, f->module, f->def, f->instance, f->ninstance};

    for (unsigned i = 0; i < f->kind->points.n; i++) {
        struct reason reason = explain_point(s->n, &at, i, f->points[i]);
        const struct trial_point t = {
            .found = f, .point = &f->kind->points.v[i], .value = f->points[i], .reason = &reason};

        if (f->points[i].quality != QUALITY_UNKNOWN || f->points[i].why != WHY_NONE)
            s->each(s->ctx, &t);
        reason_fini(&reason);
    }
}

void trial_run(const struct profile *p, struct recording *r, void (*each)(void *ctx, const struct trial_point *t),
               void *ctx)
{
    struct reading_of x = read_all(p, r);
    struct showing s = {.n = x.n, .each = each, .ctx = ctx};

    batch_finish(x.b, show_found, &s);
    end(&x);
}

/* ---- What there is to read ---- */

static void sources_of(const struct module *m, void (*each)(void *ctx, const char *address, bool table), void *ctx)
{
    for (size_t c = 0; c < m->components.n; c++)
        for (size_t i = 0; i < m->components.v[c].columns.n; i++)
            each(ctx, m->components.v[c].columns.v[i].address, m->components.v[c].table);
}

const char *trial_collector(const struct profile *p)
{
    return p->modules.n > 0 ? p->modules.v[0]->collector : NULL;
}

void trial_sources(const struct knowledge *k, const struct profile *p,
                   void (*each)(void *ctx, const char *address, bool table), void *ctx)
{
    if (k->identify && str_eq(k->identify->collector, trial_collector(p)))
        sources_of(k->identify, each, ctx);
    for (size_t i = 0; i < p->modules.n; i++)
        sources_of(p->modules.v[i], each, ctx);
}
