#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/internal.h"

/* ---- Which rules fit a device ---- */

static bool fits(const struct node *n, uint16_t rule)
{
    return n->fits[rule / 64] >> (rule % 64) & 1;
}

/* The value of a label in "a=b,c": "b", "" where it has none, or NULL. The caller frees it. */
static char *label_value(const char *labels, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = labels; p && *p;) {
        size_t n = strcspn(p, ",");
        size_t skip = strspn(p, " ");

        if (skip < n && n - skip >= len && strncmp(p + skip, name, len) == 0) {
            const char *rest = p + skip + len;
            size_t left = n - skip - len;

            if (left == 0)
                return xstrdup("");
            if (*rest == '=')
                return xstrndup(rest + 1, left - 1);
        }
        p += n;
        p += *p == ',';
    }
    return NULL;
}

static struct value text_or_unknown(const char *text)
{
    return text ? value_text(text) : VALUE_UNKNOWN;
}

static bool rule_matches(const struct rule *r, const struct device *d)
{
    size_t nlabels = r->match_labels.n;
    struct value *slots = xcalloc(MATCH_SLOTS + nlabels, sizeof *slots);
    char **labels = xcalloc(nlabels + 1, sizeof *labels);
    struct value v;

    slots[MATCH_CLASS] = text_or_unknown(d->device_class);
    slots[MATCH_MAKE] = text_or_unknown(d->make);
    slots[MATCH_MODEL] = text_or_unknown(d->model);
    slots[MATCH_PROFILE] = text_or_unknown(d->profile);
    slots[MATCH_NAME] = text_or_unknown(d->name);
    slots[MATCH_SITE] = text_or_unknown(d->site);
    for (size_t i = 0; i < nlabels; i++) {
        labels[i] = label_value(d->labels, r->match_labels.v[i]);
        slots[MATCH_SLOTS + i] = text_or_unknown(labels[i]);
    }
    v = expr_eval(r->match, slots, MATCH_SLOTS + nlabels);
    for (size_t i = 0; i < nlabels; i++)
        free(labels[i]);
    free(labels);
    free(slots);
    return v.quality == QUALITY_GOOD && v.type == VALUE_BOOL && v.b;
}

/* Those of its labels that rules ask. */
static void take_labels(struct turn *t)
{
    const struct tables *tables = &t->w->tables;
    struct node *n = t->n;

    judge_forget_labels(n);
    n->labels = xcalloc(tables->labels.n + 1, sizeof *n->labels);
    n->nlabels = tables->labels.n;
    for (size_t i = 0; i < n->nlabels; i++)
        n->labels[i] = label_value(n->d.labels, tables->labels.v[i]);
}

void judge_forget_labels(struct node *n)
{
    for (size_t i = 0; i < n->nlabels; i++)
        free(n->labels[i]);
    free(n->labels);
    n->labels = NULL;
    n->nlabels = 0;
}

/* ---- Holds ---- */

/* Where the hold is or would be. */
static size_t held_place(const struct node *n, uint32_t unit, uint16_t rule, bool *found)
{
    size_t lo = 0, hi = n->holds.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct held *h = &n->holds.v[mid];

        if (h->unit < unit || (h->unit == unit && h->rule < rule))
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < n->holds.n && n->holds.v[lo].unit == unit && n->holds.v[lo].rule == rule;
    return lo;
}

struct held *judge_held(const struct node *n, uint32_t unit, uint16_t rule)
{
    bool found;
    size_t place = held_place(n, unit, rule, &found);

    return found ? &n->holds.v[place] : NULL;
}

static void hold_put(struct turn *t, uint32_t unit, const char *rule, const struct hold *h)
{
    const struct unit *u = &t->n->units.v[unit];
    struct hold_record r = {
        .device_id = t->n->d.id,
        .kind = unit_kind(u)->name,
        .key = (char *)(uintptr_t)unit_key(u),
        .rule = (char *)(uintptr_t)rule,
        .state = h->state,
        .since_ms = t->wall - (t->mono - h->since_ms),
    };

    change_put_hold(turn_change(t), &r);
}

/* Keeps the hold as it is now, with its row. */
static void hold_keep(struct turn *t, uint32_t unit, uint16_t rule, const struct hold *h)
{
    struct node *n = t->n;
    bool found;
    size_t place = held_place(n, unit, rule, &found);
    struct held held = {.unit = unit, .rule = rule, .hold = *h};

    hold_put(t, unit, watch_knowledge(t->w)->rules.v[rule]->name, h);
    if (h->state == HOLD_OK) {
        if (found)
            array_remove(&n->holds, place);
        return;
    }
    if (!found) {
        array_push(&n->holds, held);
        assert(n->holds.v);
        memmove(&n->holds.v[place + 1], &n->holds.v[place], (n->holds.n - 1 - place) * sizeof held);
    }
    n->holds.v[place] = held;
}

static void hold_forget(struct turn *t, uint32_t unit, uint16_t rule)
{
    hold_keep(t, unit, rule, &(struct hold){.state = HOLD_OK, .since_ms = t->mono});
}

/* ---- Judging ---- */

/* A judgement under way: the device's points are put in place once, and only if a rule reads them. */
struct judgement {
    struct turn *turn;
    bool device_in_place;
    bool parts_of; /* the rules that are part of other faults have their turn */
    bool answered;
    const struct kind *kind;     /* whose rules were chosen last: components of a kind mostly stand together */
    const struct kind_rules *of; /* its rules; NULL if it is lost */
    size_t nchosen;
    uint32_t windows, device_windows; /* that one of them looks at */
    bool always;                      /* one has to be judged whatever was read */
};

static void put_device(struct judgement *j)
{
    const struct node *n = j->turn->n;
    const struct unit *device = &n->units.v[n->device_unit];
    struct tables *tables = &j->turn->w->tables;

    if (!j->device_in_place)
        unit_spread(n, device, &tables->scratch[tables->own_end]);
    j->device_in_place = true;
}

/* Those of the component's points that rules read by the slots of its kind, and the device's behind them where a rule may read those. */
static const struct value *unit_slots(struct judgement *j, uint32_t at, size_t *count)
{
    struct node *n = j->turn->n;
    struct tables *tables = &j->turn->w->tables;
    const struct unit *u = &n->units.v[at];
    const struct layout *l = u->layout;
    size_t own = unit_kind(u)->points.n;
    struct value *slots = &tables->scratch[tables->own_end - own];
    uint64_t reads = j->of->reads;

    for (size_t i = 0; tables->in_scratch != l && i < own; i++)
        slots[i] = VALUE_UNKNOWN;
    for (size_t i = 0; i < l->n; i++)
        if (reads & slot_bit(l->slots[i]))
            slots[l->slots[i]] = point_get(&n->points.v[u->first + i]);
    tables->in_scratch = l;
    *count = own;
    if (j->of->reads_device || j->of->has_extras) {
        put_device(j);
        *count += unit_kind(&n->units.v[n->device_unit])->points.n;
    }
    return slots;
}

/* What the rule asks besides: the i-th, before which nslots are in place. */
static struct value extra_value(struct judgement *j, uint32_t unit, const struct kind_rule *k, size_t i,
                                const struct value *slots, size_t nslots)
{
    const struct node *n = j->turn->n;

    switch (k->def->extras.v[i].type) {
    case RULE_KEY:
        return value_text(unit_key(&n->units.v[unit]));
    case RULE_LABEL:
        return value_text(unit_label(&n->units.v[unit]));
    case RULE_DEVICE_LABEL:
        return text_or_unknown(n->labels[j->turn->w->tables.info[k->rule].extras[i].label]);
    case RULE_WINDOW:
        return history_value(j->turn, unit, k->rule, i, slots, nslots);
    }
    return VALUE_UNKNOWN;
}

/* Puts it behind the points; how many slots there are then. */
static size_t put_extras(struct judgement *j, uint32_t unit, const struct kind_rule *k, const struct value *slots,
                         size_t nslots)
{
    const struct extra_place *extra = j->turn->w->tables.info[k->rule].extras;
    uint32_t has = j->turn->n->units.v[unit].windows;
    size_t n = k->def->extras.n;
    struct value *to = (struct value *)(uintptr_t)slots + nslots; /* slots are scratch where a rule has extras */

    for (size_t i = 0; i < n; i++) {
        if (extra[i].own && !(extra[i].own & has))
            to[i] = extra[i].without;
        else
            to[i] = extra_value(j, unit, k, i, slots, nslots + i);
    }
    return nslots + n;
}

static enum truth truth_of(struct value v)
{
    if (v.quality != QUALITY_GOOD || v.type != VALUE_BOOL)
        return TRUTH_UNKNOWN;
    return v.b ? TRUTH_TRUE : TRUTH_FALSE;
}

static enum truth not(enum truth t) { return t == TRUTH_UNKNOWN ? t : t == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE; }

/* One rule on one component. True if its hold moved. */
static bool judge_rule(struct judgement *j, uint32_t unit, const struct kind_rule *k, const struct value *slots,
                       size_t nslots)
{
    struct turn *t = j->turn;
    const struct rule *r = k->def;
    const struct held *held = t->n->holds.n ? judge_held(t->n, unit, k->rule) : NULL;
    struct hold h = held ? held->hold : (struct hold){.state = HOLD_OK};
    enum truth when, clear;

    if (j->parts_of && !hold_open(&h) && fault_covers(t->n, r)) {
        if (held)
            hold_forget(t, unit, k->rule);
        return held != NULL;
    }
    t->w->counters.evaluations++;
    if (r->extras.n)
        nslots = put_extras(j, unit, k, slots, nslots);
    when = truth_of(expr_eval(r->when, slots, nslots));
    if (!held && when != TRUTH_TRUE) /* it was all right, and still is */
        return false;
    clear = r->clear && hold_open(&h) ? truth_of(expr_eval(r->clear, slots, nslots)) : not(when);
    if (!hold_step(&h, when, clear, r->hold_ms, r->clear_hold_ms, t->asked_ms))
        return false;
    hold_keep(t, unit, k->rule, &h);
    return true;
}

/*
 * Nothing new was read and nothing is being timed: the outcome would be the last one again. What a rule asks of history
 * goes on from when it has a window.
 */
static bool can_skip(const struct node *n, const struct unit *u, uint32_t unit, const struct kind_rule *r)
{
    if (r->is_part || r->has_since || (u->windows & r->windows) ||
        (r->device_windows & n->units.v[n->device_unit].windows))
        return false;
    return n->holds.n == 0 || !judge_held(n, unit, r->rule);
}

/* Something that rules on the component read has changed. */
static bool is_fresh(const struct judgement *j, const struct unit *u)
{
    return u->changed || (j->of->reads_device & j->turn->n->device_changed);
}

static bool is_lost(const struct turn *t, const struct kind *kind)
{
    return kind->number >= t->w->tables.nkinds;
}

/* Those of the kind's rules that have their turn. */
static void choose(struct judgement *j, const struct kind *kind)
{
    struct tables *tables = &j->turn->w->tables;
    const struct kind_rules *of = is_lost(j->turn, kind) ? NULL : &tables->rules[kind->number];

    j->kind = kind;
    j->of = of;
    j->nchosen = 0;
    j->windows = j->device_windows = 0;
    j->always = false;
    for (size_t i = 0; of && i < of->n; i++) {
        const struct kind_rule *r = &of->rule[i];

        if (r->is_part != j->parts_of || !fits(j->turn->n, r->rule) ||
            !(j->answered || tables->info[r->rule].reads_reachable))
            continue;
        tables->chosen[j->nchosen++] = r;
        j->windows |= r->windows;
        j->device_windows |= r->device_windows;
        j->always |= r->is_part || r->has_since;
    }
}

/* Whether no chosen rule on the component can have anything to say. */
static bool is_quiet(const struct judgement *j, const struct unit *u, bool fresh)
{
    const struct node *n = j->turn->n;

    return !fresh && !j->always && n->holds.n == 0 && !(u->windows & j->windows) &&
           !(j->device_windows & n->units.v[n->device_unit].windows);
}

static void judge_unit(struct judgement *j, uint32_t at)
{
    struct node *n = j->turn->n;
    const struct tables *tables = &j->turn->w->tables;
    const struct unit *u = &n->units.v[at];
    bool moved = false, fresh;
    const struct value *slots = NULL;
    size_t nslots = 0;

    if (unit_kind(u) != j->kind)
        choose(j, unit_kind(u));
    if (j->nchosen == 0)
        return;
    fresh = is_fresh(j, u);
    if (is_quiet(j, u, fresh))
        return;
    for (size_t i = 0; i < j->nchosen; i++) {
        const struct kind_rule *r = tables->chosen[i];

        if (!fresh && can_skip(n, u, at, r))
            continue;
        if (!slots)
            slots = unit_slots(j, at, &nslots);
        moved |= judge_rule(j, at, r, slots, nslots);
    }
    if (moved)
        fault_settle(j->turn, at, "cleared");
}

void judge_run(struct turn *t, bool answered)
{
    struct node *n = t->n;
    struct judgement j = {.turn = t, .answered = answered};

    for (int pass = 0; pass < 2; pass++) {
        j.parts_of = pass == 1;
        j.kind = NULL;
        for (uint32_t i = 0; i < n->units.n; i++) {
            if (!n->units.v[i].gone)
                judge_unit(&j, i);
        }
    }
    parent_reveal(t);
    if (!answered)
        return;
    for (size_t i = 0; i < n->units.n; i++)
        n->units.v[i].changed = false;
    n->device_changed = 0;
}

/* ---- Changes from outside ---- */

void judge_fit(struct turn *t)
{
    const struct knowledge *k = watch_knowledge(t->w);
    struct node *n = t->n;
    bool in_repair = str_eq(n->d.status, STATUS_IN_REPAIR);

    take_labels(t);
    free(n->fits);
    n->fits = xcalloc(k->rules.n / 64 + 1, sizeof *n->fits);
    for (size_t i = 0; i < k->rules.n && i < UINT16_MAX; i++) {
        if (in_repair && t->w->tables.info[i].is_reach) /* it is not expected to be there */
            continue;
        if (!k->rules.v[i]->match || rule_matches(k->rules.v[i], &n->d))
            n->fits[i / 64] |= UINT64_C(1) << (i % 64);
    }
    for (size_t i = n->holds.n; i-- > 0;) {
        if (!fits(n, n->holds.v[i].rule))
            hold_forget(t, n->holds.v[i].unit, n->holds.v[i].rule);
    }
    for (uint32_t i = 0; i < n->units.n; i++) {
        n->units.v[i].changed = true;
        fault_settle(t, i, in_repair ? "in-repair" : "rule-gone");
    }
}

bool judge_restore(struct turn *t, const struct hold_record *r)
{
    const struct knowledge *k = watch_knowledge(t->w);
    struct node *n = t->n;
    int64_t unit = unit_find(n, kind_named(t->w, r->kind), r->key);
    int64_t elapsed = t->wall > r->since_ms ? t->wall - r->since_ms : 0;

    for (size_t i = 0; unit >= 0 && i < k->rules.n && i < UINT16_MAX; i++) {
        struct held held = {
            .unit = (uint32_t)unit,
            .rule = (uint16_t)i,
            .hold = {.state = r->state, .since_ms = t->mono - elapsed},
        };
        bool found;
        size_t place;

        if (strcmp(k->rules.v[i]->name, r->rule) != 0 || k->rules.v[i]->kind != unit_kind(&n->units.v[unit]))
            continue;
        place = held_place(n, held.unit, held.rule, &found);
        if (found)
            return true;
        array_push(&n->holds, held);
        memmove(&n->holds.v[place + 1], &n->holds.v[place], (n->holds.n - 1 - place) * sizeof held);
        n->holds.v[place] = held;
        return true;
    }
    return false;
}

void judge_forget(struct turn *t, int64_t unit)
{
    struct node *n = t->n;

    for (size_t i = n->holds.n; i-- > 0;) {
        if (unit < 0 || n->holds.v[i].unit == unit)
            hold_forget(t, n->holds.v[i].unit, n->holds.v[i].rule);
    }
}

void judge_restamp(struct turn *t)
{
    const struct node *n = t->n;

    for (size_t i = 0; i < n->holds.n; i++)
        hold_put(t, n->holds.v[i].unit, watch_knowledge(t->w)->rules.v[n->holds.v[i].rule]->name, &n->holds.v[i].hold);
}

static int held_cmp(const void *a, const void *b)
{
    const struct held *x = a, *y = b;

    if (x->unit != y->unit)
        return x->unit < y->unit ? -1 : 1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

void judge_remap(struct turn *t, const uint16_t *map, const struct knowledge *old)
{
    struct node *n = t->n;
    size_t kept = 0;

    for (size_t i = 0; i < n->holds.n; i++) {
        struct held h = n->holds.v[i];
        uint16_t rule = map[h.rule];

        if (rule != UINT16_MAX && watch_knowledge(t->w)->rules.v[rule]->kind == unit_kind(&n->units.v[h.unit])) {
            h.rule = rule;
            n->holds.v[kept++] = h;
        } else {
            hold_put(t, h.unit, old->rules.v[h.rule]->name, &(struct hold){.state = HOLD_OK, .since_ms = t->mono});
        }
    }
    n->holds.n = kept;
    if (kept > 1)
        qsort(n->holds.v, kept, sizeof *n->holds.v, held_cmp);
}
