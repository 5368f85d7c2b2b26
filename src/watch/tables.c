#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/internal.h"

/* ---- Which slots a rule reads ---- */

struct slots {
    unsigned own, ndevice; /* points of the rule's kind; behind them the device's */
    uint64_t reads, reads_device;
};

static void note_slot(void *ctx, unsigned slot)
{
    struct slots *s = ctx;

    if (slot >= s->own + s->ndevice)
        return;
    if (slot >= s->own)
        s->reads_device |= slot_bit(slot - s->own);
    else
        s->reads |= slot_bit(slot);
}

/* Those of the extras are none of the points: what history is of does not matter, since it is judged each time. */
static struct slots rule_slots(const struct rule *r, unsigned ndevice)
{
    struct slots s = {.own = (unsigned)r->kind->points.n, .ndevice = ndevice};

    expr_slots(r->when, note_slot, &s);
    if (r->clear)
        expr_slots(r->clear, note_slot, &s);
    for (size_t i = 0; i < r->extras.n; i++)
        if (r->extras.v[i].window.condition)
            expr_slots(r->extras.v[i].window.condition, note_slot, &s);
    return s;
}

/* ---- What rules ask besides ---- */

static bool same_window(const struct kind_window *a, const struct kind_window *b)
{
    return a->spec.type == b->spec.type && a->slot == b->slot && a->spec.length_ms == b->spec.length_ms &&
           a->spec.limit == b->spec.limit && str_eq(a->text, b->text);
}

static uint16_t window_place(struct kind_rules *of, const struct kind_window *w)
{
    size_t i = 0;

    while (i < of->windows.n && !same_window(&of->windows.v[i], w))
        i++;
    if (i == of->windows.n)
        array_push(&of->windows, *w);
    of->windows.v[i].spec.asks |= w->spec.asks;
    return (uint16_t)i;
}

/* Readings of a point are joined up to three intervals of the slowest part that may tell it. */
static int64_t joined_ms(const struct tables *t, const struct kind *kind, unsigned slot)
{
    uint8_t parts = t->told_by[t->base[kind->number] + slot];
    int64_t longest = 0;

    for (unsigned p = 0; p < PART_COUNT; p++)
        if ((parts & (1 << p)) && t->slowest_ms[p] > longest)
            longest = t->slowest_ms[p];
    return STALE_AFTER * longest;
}

static void place_window(struct tables *t, const struct rule *r, const struct expr_window *asked,
                         const struct kind *device_kind, struct extra_place *out)
{
    const struct kind *kind = r->kind;
    struct kind_window w = {.spec.type = window_type_of(asked->history), .spec.asks = window_asks(asked->history)};

    if (w.spec.type == WINDOW_SINCE) {
        w.text = expr_text(asked->condition);
    } else {
        w.slot = asked->slot;
        if (w.slot >= kind->points.n) {
            w.slot -= (unsigned)kind->points.n;
            kind = device_kind;
            out->of_device = true;
        }
        w.spec.length_ms = asked->length_ms;
        w.spec.limit = asked->limit;
        w.spec.counter = kind->points.v[w.slot].counter;
        w.spec.gap_ms = joined_ms(t, kind, w.slot);
    }
    out->window = window_place(&t->rules[kind->number], &w);
    if (!out->of_device && w.spec.type != WINDOW_SINCE)
        out->own = window_bit(out->window);
    out->without = windows_value(NULL, NULL, &w.spec, asked->history, 0);
}

static uint16_t label_place(struct tables *t, const char *name)
{
    size_t i = 0;

    while (i < t->labels.n && !str_eq(t->labels.v[i], name))
        i++;
    if (i == t->labels.n)
        array_push(&t->labels, name);
    return (uint16_t)i;
}

static void place_extras(struct tables *t, const struct rule *r, struct rule_info *info, const struct kind *device_kind)
{
    info->extras = xcalloc(r->extras.n + 1, sizeof *info->extras);
    for (size_t i = 0; i < r->extras.n; i++) {
        const struct rule_extra *e = &r->extras.v[i];

        if (e->type == RULE_WINDOW)
            place_window(t, r, &e->window, device_kind, &info->extras[i]);
        else if (e->type == RULE_DEVICE_LABEL)
            info->extras[i].label = label_place(t, e->name);
    }
}

/* A since() has a window from the beginning. */
static struct kind_rule kind_rule(const struct rule *r, uint16_t place, const struct rule_info *info)
{
    struct kind_rule k = {.def = r, .rule = place, .is_part = info->is_part};

    for (size_t i = 0; i < r->extras.n; i++) {
        if (r->extras.v[i].type != RULE_WINDOW)
            continue;
        k.has_since |= r->extras.v[i].window.history == EXPR_SINCE;
        if (info->extras[i].of_device)
            k.device_windows |= window_bit(info->extras[i].window);
        else
            k.windows |= window_bit(info->extras[i].window);
    }
    return k;
}

/* Of a point that the knowledge may not have, or beyond those that can be told apart. */
static uint64_t own_bit(unsigned slot)
{
    return slot < 63 ? slot_bit(slot) : 0;
}

static void add_rule(struct tables *t, const struct rule *r, uint16_t place, const struct kind *device_kind)
{
    struct kind_rules *of = &t->rules[r->kind->number];
    struct slots s = rule_slots(r, (unsigned)device_kind->points.n);

    if (r->kind == device_kind) /* `reachable` and `device.reachable` are the same thing there */
        s.reads_device |= s.reads;
    of->reads |= s.reads;
    of->reads_device |= s.reads_device;
    of->has_extras |= r->extras.n > 0;
    t->info[place] = (struct rule_info){
        .reads_reachable = (s.reads_device & (own_bit(t->reachable) | own_bit(t->ping))) != 0,
        .is_part = r->part_of.n > 0,
        .is_reach = str_eq(r->family, FAMILY_REACH),
    };
    place_extras(t, r, &t->info[place], device_kind);
    of->rule = xreallocarray(of->rule, of->n + 1, sizeof *of->rule);
    of->rule[of->n++] = kind_rule(r, place, &t->info[place]);
}

/* ---- The identify module as a profile ---- */

static struct profile *identify_profile(const struct module *m)
{
    struct profile *p = xcalloc(1, sizeof *p);

    p->name = xstrdup("(identify)");
    p->by_component = true;
    array_push(&p->modules, m);
    for (unsigned i = 0; i < m->components.n; i++) {
        for (unsigned j = 0; j < m->components.v[i].columns.n; j++)
            array_push(&p->sources, ((struct profile_source){.module = 0, .component = i, .column = j}));
    }
    return p;
}

static void identify_free(struct profile *p)
{
    if (!p)
        return;
    free(p->name);
    array_free(&p->modules);
    array_free(&p->sources);
    free(p);
}

/* ---- */

static void learn_parts(struct tables *t, const struct module *m)
{
    for (size_t i = 0; i < m->components.n; i++) {
        const struct component_def *def = &m->components.v[i];

        for (size_t j = 0; j < def->points.n; j++)
            t->told_by[t->base[def->kind->number] + def->points.v[j].slot] |= (uint8_t)(1 << def->part);
    }
}

static unsigned slot_named(const struct kind *kind, const char *name, enum value_type type)
{
    const struct point_def *p = kind_point(kind, name);

    return p && p->type == type ? p->slot : UINT16_MAX;
}

/* A profile may read a part more seldom than the settings say. */
static void learn_rates(struct tables *t, const struct knowledge *k, const struct settings *settings)
{
    for (unsigned p = 0; p < PART_COUNT; p++) {
        t->slowest_ms[p] = settings->every_ms[p];
        for (size_t i = 0; i < k->profiles.n; i++)
            if (k->profiles.v[i]->every_ms[p] > t->slowest_ms[p])
                t->slowest_ms[p] = k->profiles.v[i]->every_ms[p];
    }
}

void tables_init(struct tables *t, const struct knowledge *k, const struct settings *settings)
{
    const struct kind *device_kind = k->vocabulary.kinds.v[0];
    size_t most = 0, extras = 0;

    *t = (struct tables){
        .nkinds = k->vocabulary.kinds.n,
        .reachable = slot_named(device_kind, POINT_REACHABLE, VALUE_BOOL),
        .ping = slot_named(device_kind, POINT_PING, VALUE_BOOL),
        .restarts = slot_named(device_kind, POINT_RESTARTS, VALUE_INT),
        .swapped = slot_named(device_kind, POINT_SWAPPED, VALUE_BOOL),
        .conflict = slot_named(device_kind, POINT_CONFLICT, VALUE_BOOL),
        .uptime = slot_named(device_kind, POINT_UPTIME, VALUE_NUM),
        .boots = slot_named(device_kind, POINT_BOOTS, VALUE_INT),
    };
    t->base = xcalloc(t->nkinds, sizeof *t->base);
    t->rules = xcalloc(t->nkinds, sizeof *t->rules);
    t->info = xcalloc(k->rules.n + 1, sizeof *t->info);
    for (size_t i = 0; i < t->nkinds; i++) {
        size_t n = k->vocabulary.kinds.v[i]->points.n;

        t->base[i] = (uint32_t)t->npoints;
        t->npoints += n;
        most = n > most ? n : most;
    }
    learn_rates(t, k, settings);
    t->told_by = xcalloc(t->npoints + 1, 1);
    for (size_t i = 0; i < k->modules.n; i++)
        learn_parts(t, k->modules.v[i]);
    for (size_t i = 0; i < k->rules.n && i < UINT16_MAX; i++) {
        add_rule(t, k->rules.v[i], (uint16_t)i, device_kind);
        extras = k->rules.v[i]->extras.n > extras ? k->rules.v[i]->extras.n : extras;
    }
    t->nrules = k->rules.n;
    t->scratch = xcalloc(most + device_kind->points.n + extras + 1, sizeof *t->scratch);
    t->own_end = most;
    t->chosen = xcalloc(t->nrules + 1, sizeof *t->chosen);
    if (k->identify)
        t->identify = identify_profile(k->identify);
}

void tables_fini(struct tables *t)
{
    for (size_t i = 0; i < t->nkinds; i++) {
        free(t->rules[i].rule);
        array_free(&t->rules[i].windows);
    }
    for (size_t i = 0; i < t->nrules; i++)
        free(t->info[i].extras);
    array_free(&t->labels);
    free(t->told_by);
    free(t->rules);
    free(t->base);
    free(t->info);
    free(t->scratch);
    free(t->chosen);
    identify_free(t->identify);
    memset(t, 0, sizeof *t);
}
