#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "watch/internal.h"

/* For each point of each kind, which parts of a poll tell it. */
static void learn_tells(struct speech *s, const struct tables *t)
{
    for (size_t m = 0; m < s->profile->modules.n; m++) {
        const struct module *module = s->profile->modules.v[m];

        for (size_t i = 0; i < module->components.n; i++) {
            const struct component_def *def = &module->components.v[i];

            s->parts |= s->profile->by_component ? 1 : def->parts; /* who is not known is asked the first again */
            for (size_t j = 0; j < def->points.n; j++)
                s->tells[t->base[def->kind->number] + def->points.v[j].slot] |= (uint8_t)(1 << def->part);
        }
    }
}

/* What is told of each kind. */
static void learn_layouts(struct speech *s, struct watch *w)
{
    const struct vocabulary *v = &watch_knowledge(w)->vocabulary;
    ARRAY(uint16_t) slots = {0};

    for (size_t i = 0; i < w->tables.nkinds; i++) {
        slots.n = 0;
        for (size_t k = 0; k < v->kinds.v[i]->points.n; k++)
            if (s->tells[w->tables.base[i] + k])
                array_push(&slots, (uint16_t)k);
        s->layouts[i] = layout_of(&w->layouts, v->kinds.v[i], slots.v, slots.n);
    }
    array_free(&slots);
}

static int compile(struct watch *w, struct speech *s)
{
    struct pd_compile_error err = {0};
    size_t n = 0;
    const struct pd_source *sources = normaliser_sources(s->normaliser, &n);
    int rc =
        w->config.collector_ops[s->collector]->compile(w->config.collectors[s->collector], sources, n, &s->plan, &err);

    if (rc == PD_EINVAL && err.source < n)
        log_error("watch", "profile %s: %s:%d:%d: %s", s->profile->name, sources[err.source].file,
                  sources[err.source].line, sources[err.source].col, err.msg);
    else if (rc)
        log_error("watch", "profile %s can't be compiled: %s", s->profile->name, pd_strerror(rc));
    return rc;
}

struct speech *speech_get(struct watch *w, const struct profile *p, unsigned collector)
{
    struct speech *s;

    for (size_t i = 0; i < w->speeches.n; i++) {
        s = w->speeches.v[i];
        if (s->profile == p && s->collector == collector)
            return s->plan ? s : NULL;
    }
    s = xcalloc(1, sizeof *s);
    s->profile = p;
    s->collector = collector;
    s->normaliser = normaliser_new(p);
    s->tells = xcalloc(w->tables.npoints + 1, 1);
    learn_tells(s, &w->tables);
    s->layouts = xcalloc(w->tables.nkinds + 1, sizeof(const struct layout *));
    learn_layouts(s, w);
    array_push(&w->speeches, s);
    return compile(w, s) == 0 ? s : NULL;
}

struct batch *speech_batch(struct speech *s)
{
    return s->idle.n > 0 ? s->idle.v[--s->idle.n] : batch_new(s->normaliser);
}

void speech_batch_done(struct speech *s, struct batch *b)
{
    batch_reset(b);
    array_push(&s->idle, b);
}

void speech_free_all(struct watch *w)
{
    for (size_t i = 0; i < w->speeches.n; i++) {
        struct speech *s = w->speeches.v[i];

        for (size_t j = 0; j < s->idle.n; j++)
            batch_free(s->idle.v[j]);
        array_free(&s->idle);
        if (s->plan)
            w->config.collector_ops[s->collector]->plan_free(s->plan);
        normaliser_free(s->normaliser);
        free(s->tells);
        free(s->layouts);
        free(s);
    }
    array_free(&w->speeches);
}
