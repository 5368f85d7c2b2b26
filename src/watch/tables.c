#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/internal.h"

/* ---- Which slots a rule reads ---- */

struct slots {
    unsigned own; /* points of the rule's kind; what follows is the device's */
    unsigned reachable, ping;
    uint64_t reads, reads_device;
    bool others; /* anything but device.reachable and device.ping */
};

static void note_slot(void *ctx, unsigned slot)
{
    struct slots *s = ctx;

    if (slot >= s->own)
        s->reads_device |= slot_bit(slot - s->own);
    else
        s->reads |= slot_bit(slot);
    s->others |= slot != s->own + s->reachable && slot != s->own + s->ping;
}

static struct slots rule_slots(const struct rule *r, const struct tables *t)
{
    struct slots s = {.own = (unsigned)r->kind->points.n, .reachable = t->reachable, .ping = t->ping};

    expr_slots(r->when, note_slot, &s);
    if (r->clear)
        expr_slots(r->clear, note_slot, &s);
    return s;
}

static void add_rule(struct tables *t, const struct rule *r, uint16_t place, const struct kind *device_kind)
{
    struct kind_rules *of = &t->rules[r->kind->number];
    struct slots s = rule_slots(r, t);

    if (r->kind == device_kind) { /* `reachable` and `device.reachable` are the same thing there */
        s.reads_device |= s.reads;
        s.others = (s.reads_device & ~(slot_bit(t->reachable) | slot_bit(t->ping))) || t->reachable >= 63;
    }
    of->rule = xreallocarray(of->rule, of->n + 1, sizeof *of->rule);
    of->rule[of->n++] = place;
    of->reads |= s.reads;
    of->reads_device |= s.reads_device;
    t->info[place] = (struct rule_info){.reachable_only = !s.others, .is_part = r->part_of.n > 0};
}

/* ---- The identify module as a profile ---- */

static struct profile *identify_profile(const struct module *m)
{
    struct profile *p = xcalloc(1, sizeof *p);

    p->name = xstrdup("(identify)");
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

void tables_init(struct tables *t, const struct knowledge *k)
{
    const struct kind *device_kind = k->vocabulary.kinds.v[0];
    const struct point_def *reachable = kind_point(device_kind, POINT_REACHABLE);
    const struct point_def *ping = kind_point(device_kind, POINT_PING);
    size_t most = 0;

    *t = (struct tables){
        .nkinds = k->vocabulary.kinds.n,
        .reachable = reachable ? reachable->slot : UINT16_MAX,
        .ping = ping && ping->type == VALUE_BOOL ? ping->slot : UINT16_MAX,
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
    for (size_t i = 0; i < k->rules.n && i < UINT16_MAX; i++)
        add_rule(t, k->rules.v[i], (uint16_t)i, device_kind);
    t->scratch = xcalloc(most + device_kind->points.n + 1, sizeof *t->scratch);
    t->own_end = most;
    if (k->identify)
        t->identify = identify_profile(k->identify);
}

void tables_fini(struct tables *t)
{
    for (size_t i = 0; i < t->nkinds; i++)
        free(t->rules[i].rule);
    free(t->rules);
    free(t->base);
    free(t->info);
    free(t->scratch);
    identify_free(t->identify);
    memset(t, 0, sizeof *t);
}
