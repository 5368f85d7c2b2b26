#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "watch/explain.h"
#include "watch/internal.h"

const struct device *watch_device(const struct watch *w, int64_t id)
{
    const struct node *n = watch_node(w, id);

    return n ? &n->d : NULL;
}

const struct device *watch_device_named(const struct watch *w, const char *name)
{
    const struct node *n = dict_get(w->names, name);

    return n ? &n->d : NULL;
}

int watch_device_status(const struct watch *w, int64_t id, struct device_status *out)
{
    const struct node *n = watch_node(w, id);

    if (!n)
        return PD_ENOENT;
    *out = n->status;
    out->open_faults = (unsigned)n->faults.n;
    out->components = 0;
    for (size_t i = 0; i < n->units.n; i++)
        out->components += !n->units.v[i].gone;
    return 0;
}

void watch_devices(const struct watch *w, void (*fn)(void *ctx, const struct device *d), void *ctx)
{
    uint64_t id;
    void *node;

    for (size_t at = 0; u64dict_next(w->nodes, &at, &id, &node);)
        fn(ctx, &((struct node *)node)->d);
}

void watch_devices_after(const struct watch *w, int64_t after, bool (*fn)(void *ctx, const struct device *d), void *ctx)
{
    uint64_t id;
    void *node;
    bool more = true;

    for (size_t at = u64dict_after(w->nodes, (uint64_t)after); more && u64dict_next(w->nodes, &at, &id, &node);)
        more = fn(ctx, &((struct node *)node)->d);
}

void watch_alerts(const struct watch *w, void (*fn)(void *ctx, const struct alert *a), void *ctx)
{
    uint64_t id;
    void *fault;

    for (size_t at = 0; u64dict_next(w->faults, &at, &id, &fault);)
        fn(ctx, &((struct fault *)fault)->alert);
}

const struct hist_window *watch_lateness(const struct watch *w)
{
    return w->lateness;
}

void watch_counters(const struct watch *w, struct watch_counters *out)
{
    *out = w->counters;
    out->devices = u64dict_count(w->nodes);
    out->open_faults = u64dict_count(w->faults);
    out->fresh = w->states[DEVICE_NEW];
    out->up = w->states[DEVICE_UP];
    out->down = w->states[DEVICE_DOWN];
}

/* ---- Components, with where each point was read ---- */

struct first_column {
    size_t ncolumns;
    int64_t slot; /* -1: none */
};

static void note_column(void *ctx, unsigned slot)
{
    struct first_column *f = ctx;

    if (f->slot < 0 && slot < f->ncolumns)
        f->slot = slot;
}

/* The first column that an expression reads, or NULL. */
static const struct column *column_of(const struct component_def *def, const struct expr *e)
{
    struct first_column f = {.ncolumns = def->columns.n, .slot = -1};

    if (e)
        expr_slots(e, note_column, &f);
    return f.slot < 0 ? NULL : &def->columns.v[f.slot];
}

static const struct column *rule_column(const struct module *m, const struct component_def *def,
                                        const struct point_rule *r)
{
    const struct column *c = column_of(def, r->value);

    for (size_t i = 0; !c && i < r->any_here.n; i++)
        c = column_of(def, r->any_here.v[i]);
    for (size_t i = 0; !c && i < r->any_rows.n; i++)
        c = column_of(&m->components.v[r->any_rows.v[i].component], r->any_rows.v[i].where);
    return c;
}

static const struct column *def_column(const struct module *m, const struct component_def *def, unsigned slot)
{
    for (size_t i = 0; i < def->points.n; i++) {
        if (def->points.v[i].slot == slot)
            return rule_column(m, def, &def->points.v[i]);
    }
    return NULL;
}

/* The column behind a point: by the definition that found the component, else by another of its kind. */
static const struct column *point_column(const struct node *n, const struct unit *u, unsigned slot)
{
    const struct column *c = u->origin->def ? def_column(u->origin->module, u->origin->def, slot) : NULL;

    for (size_t i = 0; !c && n->speech && i < n->speech->profile->modules.n; i++) {
        const struct module *m = n->speech->profile->modules.v[i];

        for (size_t j = 0; !c && j < m->components.n; j++) {
            if (m->components.v[j].kind == unit_kind(u))
                c = def_column(m, &m->components.v[j], slot);
        }
    }
    return c;
}

static char *source_text(const struct unit *u, const struct column *c)
{
    struct sbuf b = {0};

    sbuf_add(&b, c->address);
    for (size_t i = 0; i < u->origin->ninstance; i++)
        sbuf_addf(&b, ".%" PRIu32, u->origin->instance[i]);
    return sbuf_take(&b);
}

/* Room for all points of the device, so that what is shown stays while the others are. */
static void begin_show(const struct node *n)
{
    struct watch *w = n->watch;
    size_t all = 1;

    for (size_t i = 0; i < n->units.n; i++)
        all += unit_kind(&n->units.v[i])->points.n;
    w->shown.n = 0;
    array_reserve(&w->shown, all);
}

static const struct value *show_points(const struct node *n, const struct unit *u)
{
    struct watch *w = n->watch;
    struct value *points = &w->shown.v[w->shown.n];

    unit_spread(n, u, points);
    w->shown.n += unit_kind(u)->points.n;
    return points;
}

static struct component_view view_of(const struct node *n, const struct unit *u)
{
    return (struct component_view){
        .kind = unit_kind(u),
        .number = u->number,
        .key = unit_key(u),
        .label = unit_label(u),
        .instance = u->origin->instance,
        .ninstance = u->origin->ninstance,
        .module = u->origin->module,
        .points = show_points(n, u),
    };
}

static void show_unit(const struct node *n, const struct unit *u, void (*fn)(void *ctx, const struct component_view *v),
                      void *ctx)
{
    size_t npoints = unit_kind(u)->points.n;
    char **sources = xcalloc(npoints + 1, sizeof *sources);
    struct reason *reasons = xcalloc(npoints + 1, sizeof *reasons);
    struct component_view v = view_of(n, u);
    const struct finding_place at = {unit_kind(u), v.module, u->origin->def, v.instance, v.ninstance};

    v.sources = (const char *const *)sources;
    v.reasons = reasons;
    for (unsigned i = 0; i < npoints; i++) {
        const struct column *c = point_column(n, u, i);

        sources[i] = c ? source_text(u, c) : NULL;
        if (n->speech)
            reasons[i] = explain_point(n->speech->normaliser, &at, i, v.points[i]);
    }
    fn(ctx, &v);
    for (size_t i = 0; i < npoints; i++) {
        reason_fini(&reasons[i]);
        free(sources[i]);
    }
    free(reasons);
    free(sources);
}

static int unit_order(const void *a, const void *b)
{
    const struct unit *x = *(const struct unit *const *)a, *y = *(const struct unit *const *)b;

    if (unit_kind(x)->number != unit_kind(y)->number)
        return unit_kind(x)->number < unit_kind(y)->number ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

int watch_device_components(const struct watch *w, int64_t id, void (*fn)(void *ctx, const struct component_view *v),
                            void *ctx)
{
    const struct node *n = watch_node(w, id);
    const struct unit **order;

    if (!n)
        return PD_ENOENT;
    begin_show(n);
    order = xcalloc(n->units.n + 1, sizeof *order);
    for (size_t i = 0; i < n->units.n; i++)
        order[i] = &n->units.v[i];
    if (n->units.n)
        qsort(order, n->units.n, sizeof *order, unit_order);
    for (size_t i = 0; i < n->units.n; i++) {
        if (!order[i]->gone)
            show_unit(n, order[i], fn, ctx);
    }
    free(order);
    return 0;
}

int watch_device_points(const struct watch *w, int64_t id, void (*fn)(void *ctx, const struct component_view *v),
                        void *ctx)
{
    const struct node *n = watch_node(w, id);

    if (!n)
        return PD_ENOENT;
    begin_show(n);
    for (size_t i = 0; i < n->units.n; i++) {
        struct component_view v = view_of(n, &n->units.v[i]);

        if (!n->units.v[i].gone)
            fn(ctx, &v);
    }
    return 0;
}
