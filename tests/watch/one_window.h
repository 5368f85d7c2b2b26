#ifndef PD_TESTS_ONE_WINDOW_H
#define PD_TESTS_ONE_WINDOW_H

#include <stdlib.h>

#include "base/mem.h"
#include "watch/window.h"

/* A window by itself, each reading a round of its own. */
struct one {
    struct windows all;
    struct window_round round;
    struct window_spec spec;
};

static inline struct one *one_new(const struct window_spec *s)
{
    struct one *o = xcalloc(1, sizeof *o);

    o->spec = *s;
    o->spec.asks = s->asks ? s->asks : WINDOW_ALL_LEVELS;
    windows_make(&o->all, 0, 0, &o->spec);
    return o;
}

static inline void one_free(struct one *o)
{
    if (!o)
        return;
    windows_fini(&o->all);
    window_round_fini(&o->round);
    free(o);
}

static inline struct window *one_window(struct one *o)
{
    return windows_find(&o->all, 0, 0);
}

static inline void one_count(struct one *o, int64_t at_ms, struct value v, const struct window_counter *c)
{
    windows_feed(&o->all, &o->round, one_window(o), &o->spec, at_ms, v, c);
    windows_end_round(&o->all, &o->round);
}

static inline void one_feed(struct one *o, int64_t at_ms, struct value v)
{
    one_count(o, at_ms, v, NULL);
}

static inline struct value one_value(struct one *o, enum expr_history h, int64_t now_ms)
{
    return windows_value(&o->all, one_window(o), &o->spec, h, now_ms);
}

static inline void one_encode(struct one *o, int64_t now_ms, struct wire_out *out)
{
    windows_encode(&o->all, one_window(o), &o->spec, now_ms, out);
}

/* NULL for what cannot be one. */
static inline struct one *one_decode(const struct window_spec *s, int64_t then_ms, struct wire_in *in)
{
    struct one *o = one_new(s);

    windows_decode(&o->all, 0, 0, &o->spec, then_ms, in);
    if (!in->bad)
        return o;
    one_free(o);
    return NULL;
}

#endif
