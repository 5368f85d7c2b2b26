#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "watch/internal.h"

enum {
    GONE_AFTER_MS = 24 * 3600 * 1000,
    LOOK_AHEAD = 64, /* components skipped to meet the next one found, before it is searched for */
};

/* ---- A poll ---- */

/*
 * Components are found in the same order poll after poll, so the next one is
 * mostly at the cursor or, where a part was not read, a little further on.
 */
static int64_t expect_unit(struct turn *t, const struct found *f)
{
    const struct node *n = t->n;
    uint32_t at = t->cursor;

    for (unsigned i = 0; i < LOOK_AHEAD && at < n->units.n; i++, at++) {
        const struct unit *u = &n->units.v[at];

        if (unit_kind(u) == f->kind && strcmp(unit_key(u), f->key) == 0)
            return at;
    }
    return unit_find(n, f->kind, f->key);
}

static int64_t new_unit(struct turn *t, const struct found *f)
{
    struct node *n = t->n;
    uint32_t at;

    if (n->units.n >= MAX_UNITS) {
        if (!n->full)
            log_about(LOG_LEVEL_WARN, "watch", &(struct log_about){.device = n->d.name},
                      "%s has more than %d components: the rest is not taken up", n->d.name, MAX_UNITS);
        n->full = true;
        return -1;
    }
    at = unit_add(n, f->kind, f->key, *f->label ? f->label : f->key, 0);
    unit_put(t, &n->units.v[at]);
    return at;
}

static bool same_origin(const struct origin *o, const struct found *f)
{
    return o->def == f->def && o->module == f->module && o->ninstance == f->ninstance &&
           memcmp(o->instance, f->instance, f->ninstance * sizeof *f->instance) == 0;
}

/* Two definitions may find one component by turns and call it differently: only who found it twice running renames it. */
static bool is_renamed(const struct unit *u, const struct found *f)
{
    if (!*f->label || (u->origin->def && u->origin->def != f->def))
        return false;
    if (f->label == f->key && u->origin->label == 0) /* it was found by its key */
        return false;
    return strcmp(unit_label(u), f->label) != 0;
}

static void unit_place(struct turn *t, struct unit *u, const struct found *f)
{
    bool renamed = is_renamed(u, f);
    char *label;

    if (!renamed && same_origin(u->origin, f))
        return;
    label = xstrdup(renamed ? f->label : unit_label(u));
    unit_found(t->w, u, f->key, label, f);
    free(label);
    if (renamed)
        unit_put(t, u);
}

/* The points that were read, and which of those that rules read have changed. */
static uint64_t take_points(struct turn *t, struct unit *u, const struct value *values)
{
    const uint8_t *tells = t->speech->tells + t->w->tables.base[unit_kind(u)->number];
    const struct layout *told = t->speech->layouts[unit_kind(u)->number];
    uint64_t changed = 0;

    if (u->layout != told)
        unit_widen(t->n, u, told);
    for (size_t i = 0; i < told->n; i++) {
        uint16_t slot = told->slots[i], place = u->layout == told ? (uint16_t)i : u->layout->places[slot];

        if ((tells[slot] & t->parts) && point_set(t->n, u->first + place, &values[i]))
            changed |= slot_bit(slot);
    }
    return changed;
}

static void note_change(struct turn *t, struct unit *u, uint64_t slots)
{
    if (slots & t->w->tables.rules[unit_kind(u)->number].reads)
        u->changed = true;
    if (u == &t->n->units.v[t->n->device_unit])
        t->n->device_changed |= slots;
}

/*
 * Where only half an answer came, that a better table has nothing in it says
 * nothing: what gives way to one that the device is known to have stays away.
 */
static bool gives_way(const struct turn *t, const struct component_def *def)
{
    if (!def->unless_module || t->result->status == PD_READ_DONE)
        return false;
    for (size_t i = 0; i < t->n->units.n; i++) {
        const struct unit *u = &t->n->units.v[i];

        if (u->origin->def && !u->gone && str_eq(u->origin->def->name, def->unless_component) &&
            str_eq(u->origin->module->name, def->unless_module))
            return true;
    }
    return false;
}

/* Which slots of the component changed in this poll. */
static uint64_t *fresh_of(struct turn *t, size_t unit)
{
    array_reserve(&t->w->fresh, unit + 1);
    return &t->w->fresh.v[unit];
}

static void take_found(void *ctx, const struct found *f)
{
    struct turn *t = ctx;
    int64_t at = expect_unit(t, f);
    uint64_t changed, *fresh;
    struct unit *u;

    if (gives_way(t, f->def))
        return;
    if (at < 0)
        at = new_unit(t, f);
    if (at < 0)
        return;
    u = &t->n->units.v[at];
    fresh = fresh_of(t, (size_t)at);
    t->cursor = (uint32_t)at + 1;
    unit_place(t, u, f);
    u->parts |= (uint8_t)(1 << f->def->part);
    if (u->seen != t->n->polls)
        *fresh = 0;
    u->seen = t->n->polls;
    u->found_ms = t->mono;
    u->changed |= u->gone; /* its windows were forgotten */
    u->gone = false;
    changed = take_points(t, u, f->told);
    *fresh |= changed;
    note_change(t, u, changed);
}

void inventory_poll(struct turn *t, struct batch *b)
{
    struct node *n = t->n;

    t->cursor = 0;
    report_begin(n);
    batch_finish_told(b, take_found, t);
    array_fit(&n->units);
    array_fit(&n->sorted);
    identify_settle(t, b);
    n->missing = 0;
    for (size_t i = 0; i < n->units.n; i++)
        n->missing += n->units.v[i].seen != n->polls && (n->units.v[i].parts & t->parts) && !n->units.v[i].gone;
}

bool inventory_fill(struct turn *t, unsigned slot, struct value v)
{
    struct unit *u = &t->n->units.v[t->n->device_unit];

    if (!unit_set(t->n, u, slot, v))
        return false;
    note_change(t, u, slot_bit(slot));
    return true;
}

void inventory_reachable(struct turn *t, struct value reachable, struct value ping)
{
    const struct tables *tables = &t->w->tables;

    if (reachable.quality == QUALITY_GOOD)
        inventory_fill(t, tables->reachable, reachable);
    t->ping_told = inventory_fill(t, tables->ping, ping) || ping.quality == QUALITY_GOOD;
}

/* ---- Age ---- */

/* True if nothing has read the point for STALE_AFTER of the intervals of each part that could have; no part never will. */
static bool point_overdue(const struct turn *t, const struct unit *u, uint8_t parts)
{
    for (unsigned p = 0; p < PART_COUNT; p++) {
        int64_t read = t->n->read_ms[p] < u->found_ms ? t->n->read_ms[p] : u->found_ms;

        if ((parts & (1 << p)) && t->mono - read < STALE_AFTER * rhythm_every(t->n, p))
            return false;
    }
    return true;
}

/* What patrold fills itself is as true as it ever was. */
static bool is_own(const struct tables *tables, unsigned slot)
{
    return slot == tables->reachable || slot == tables->ping || slot == tables->restarts || slot == tables->swapped ||
           slot == tables->conflict;
}

static void unit_age(struct turn *t, struct unit *u)
{
    const struct tables *tables = &t->w->tables;
    bool is_device = u == &t->n->units.v[t->n->device_unit];
    uint64_t changed = 0;

    for (size_t i = 0; i < u->layout->n; i++) {
        struct point *v = &t->n->points.v[u->first + i];
        uint16_t slot = u->layout->slots[i];
        unsigned of = unit_kind(u)->points.v[slot].total_of; /* a total is as old as what it is of */

        if (v->quality != QUALITY_GOOD || (is_device && is_own(tables, slot)))
            continue;
        if (point_overdue(t, u,
                          t->n->speech->tells[tables->base[unit_kind(u)->number] + (of != NO_POINT ? of : slot)])) {
            v->quality = QUALITY_STALE;
            v->told = false;
            changed |= slot_bit(slot);
        }
    }
    if (changed)
        note_change(t, u, changed);
}

/* What a complete read does not find for a day is gone: its faults close, its number stays its own. */
static void unit_gone(struct turn *t, uint32_t at)
{
    struct unit *u = &t->n->units.v[at];

    if (!unit_kind(u)->fleeting) {
        struct event *e = turn_event(t, "component.gone");

        event_arg(e, "kind", unit_kind(u)->name);
        event_arg(e, "key", unit_key(u));
        event_arg(e, "component", unit_label(u));
    }
    u->gone = true;
    history_forget(t->n, u);
    judge_forget(t, at);
    fault_settle(t, at, "component-gone");
}

static bool any_part_late(const struct turn *t)
{
    for (unsigned p = 0; p < PART_COUNT; p++) {
        if ((t->n->speech->parts & (1u << p)) && t->mono - t->n->read_ms[p] >= STALE_AFTER * rhythm_every(t->n, p))
            return true;
    }
    return false;
}

void inventory_age(struct turn *t, bool complete)
{
    struct node *n = t->n;

    /* Who speaks otherwise than before has points that nobody tells any more. */
    if (!n->speech || (n->missing == 0 && n->aged == n->speech && !any_part_late(t)))
        return;
    n->aged = n->speech;
    for (uint32_t i = 0; i < n->units.n; i++) {
        struct unit *u = &n->units.v[i];

        unit_age(t, u);
        if (complete && !u->gone && u->seen != n->polls && (u->parts & t->parts) && i != n->device_unit &&
            (unit_kind(u)->fleeting || t->mono - u->found_ms >= GONE_AFTER_MS))
            unit_gone(t, i);
    }
}

/* ---- A reload ---- */

/* Moves what both have of the same name and type; old is by the former layout. */
static void move_points(struct node *n, struct unit *u, const struct layout *from, const struct point *old)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct point_def *was = &from->kind->points.v[from->slots[i]], *def = kind_point(unit_kind(u), was->name);
        struct value v = point_get(&old[i]);

        v.slot = VALUE_NO_SLOT; /* it was numbered by a profile that is gone */
        if (def && def->type == was->type)
            unit_set(n, u, def->slot, v);
    }
}

/* It stays called what it is, and where it was. */
static void forget_finder(struct watch *w, struct unit *u)
{
    const struct origin *o = pool_hold(u->origin);

    unit_found(w, u, unit_key(u), unit_label(u), &(struct found){.instance = o->instance, .ninstance = o->ninstance});
    pool_drop(w->pool, o);
}

void inventory_remap(struct watch *w, struct node *n)
{
    struct point *old = n->points.v;
    size_t nold = n->points.n, at = 0;

    n->points.v = NULL;
    n->points.n = n->points.cap = 0;
    n->aged = NULL;
    for (size_t i = 0; i < n->units.n; i++)
        n->units.v[i].first = 0;
    for (size_t i = 0; i < n->units.n; i++) {
        struct unit *u = &n->units.v[i];
        const struct layout *before = u->layout;
        const struct kind *kind = kind_named(w, unit_kind(u)->name);

        u->first = (uint32_t)n->points.n;
        u->layout = layout_of(&w->layouts, kind, NULL, 0);
        assert(old || before->n == 0);
        if (before->n > 0)
            move_points(n, u, before, &old[at]);
        at += before->n;
        forget_finder(w, u);
        u->changed = true;
    }
    array_fit(&n->points);
    points_drop(w, old, nold);
    array_release((void **)&old);
}

void inventory_free(struct node *n)
{
    points_drop(n->watch, n->points.v, n->points.n);
    array_free(&n->points);
    windows_fini(&n->windows);
    for (size_t i = 0; i < n->units.n; i++) {
        pool_drop(n->watch->pool, n->units.v[i].origin);
    }
    array_free(&n->units);
    array_free(&n->totals);
    array_free(&n->sorted);
}
