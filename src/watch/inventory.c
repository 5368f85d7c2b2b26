#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "watch/internal.h"

enum {
    GONE_AFTER_MS = 24 * 3600 * 1000,
    WHOLE_MS = 3600 * 1000,
    LOOK_AHEAD = 64, /* components skipped to meet the next one found, before it is searched for */
};

/* ---- Points ---- */

static bool owns_text(struct value v)
{
    return v.type == VALUE_TEXT && (v.quality == QUALITY_GOOD || v.quality == QUALITY_STALE);
}

static void text_free(struct value v)
{
    if (owns_text(v))
        free((char *)(uintptr_t)v.text);
}

/* Sets a point, owning its text; true if it changed. */
static bool point_set(struct point *point, struct value v)
{
    struct point new = point_of(v);
    struct value before;

    if (v.type == point->type && (v.quality | point->quality) == QUALITY_GOOD && v.type != VALUE_TEXT &&
        v.type != VALUE_BOOL) { /* a number or code, as most are: nothing is owned */
        bool changed = new.low != point->low || new.high != point->high;

        *point = new;
        return changed;
    }
    before = point_get(point);
    if (value_same(before, v)) {
        if (!owns_text(before))
            *point = new; /* why it is not good may have changed */
        return false;
    }
    text_free(before);
    if (owns_text(v)) {
        v.text = xstrdup(v.text);
        new = point_of(v);
    }
    *point = new;
    return true;
}

static void points_free(const struct point *points, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_free(point_get(&points[i]));
}

/* ---- Components ---- */

static int unit_cmp(const struct unit *u, const struct kind *kind, const char *key)
{
    int d = unit_kind(u) == kind ? 0 : strcmp(unit_kind(u)->name, kind->name);

    return d ? d : strcmp(unit_key(u), key);
}

/* Where in node->sorted the component is or would be. */
static size_t sorted_place(const struct node *n, const struct kind *kind, const char *key, bool *found)
{
    size_t lo = 0, hi = n->sorted.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int d = unit_cmp(&n->units.v[n->sorted.v[mid]], kind, key);

        if (d == 0) {
            *found = true;
            return mid;
        }
        if (d < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = false;
    return lo;
}

int64_t unit_find(const struct node *n, const struct kind *kind, const char *key)
{
    bool found;
    size_t place = sorted_place(n, kind, key, &found);

    return found ? (int64_t)n->sorted.v[place] : -1;
}

struct unit *unit_numbered(const struct node *n, uint32_t number)
{
    size_t lo = 0, hi = n->units.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (n->units.v[mid].number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n->units.n && n->units.v[lo].number == number ? &n->units.v[lo] : NULL;
}

static void sorted_insert(struct node *n, size_t place, uint32_t unit)
{
    array_push(&n->sorted, unit);
    memmove(&n->sorted.v[place + 1], &n->sorted.v[place], (n->sorted.n - 1 - place) * sizeof *n->sorted.v);
    n->sorted.v[place] = unit;
}

/* ---- Its points ---- */

void unit_spread(const struct node *n, const struct unit *u, struct value *out)
{
    for (size_t i = 0; i < unit_kind(u)->points.n; i++)
        out[i] = VALUE_UNKNOWN;
    for (size_t i = 0; i < u->layout->n; i++)
        out[u->layout->slots[i]] = point_get(&n->points.v[u->first + i]);
}

/* Room for so many more, no larger than needed: what is found first stays. */
static void points_reserve(struct node *n, size_t more)
{
    if (n->points.n + more <= n->points.cap)
        return;
    n->points.v = xreallocarray(n->points.v, n->points.n + more, sizeof *n->points.v);
    n->points.cap = n->points.n + more;
}

/* A gap for so many more behind the points of a component. */
static void points_open(struct node *n, const struct unit *u, size_t more)
{
    size_t end = u->first + u->layout->n;

    points_reserve(n, more);
    if (n->points.n > end)
        memmove(&n->points.v[end + more], &n->points.v[end], (n->points.n - end) * sizeof *n->points.v);
    n->points.n += more;
    for (size_t i = (size_t)(u - n->units.v) + 1; i < n->units.n; i++)
        n->units.v[i].first += (uint32_t)more;
}

void unit_widen(struct node *n, struct unit *u, const struct layout *with)
{
    const struct layout *from = u->layout, *to = layout_both(&n->watch->layouts, from, with);
    struct point *points;

    if (from == to)
        return;
    points_open(n, u, to->n - from->n);
    points = &n->points.v[u->first];
    for (size_t i = to->n; i-- > 0;) {
        uint16_t before = from->places[to->slots[i]];

        points[i] = before == LAYOUT_NONE ? point_of(VALUE_UNKNOWN) : points[before];
    }
    u->layout = to;
}

static bool is_nothing(struct value v)
{
    return v.quality == QUALITY_UNKNOWN && v.type == VALUE_NONE && v.why == WHY_NONE;
}

bool unit_set(struct node *n, struct unit *u, unsigned slot, struct value v)
{
    uint16_t place = layout_place(u->layout, slot), one = (uint16_t)slot;

    if (place == LAYOUT_NONE) {
        if (slot >= unit_kind(u)->points.n || is_nothing(v))
            return false;
        unit_widen(n, u, layout_of(&n->watch->layouts, unit_kind(u), &one, 1));
        place = layout_place(u->layout, slot);
    }
    assert(n->points.v); /* who has a place has a point there */
    return point_set(&n->points.v[u->first + place], v);
}

/* What it is called, and what is known of how it was found. */
static void set_origin(struct watch *w, struct unit *u, const char *key, const char *label, const struct found *f)
{
    const struct origin *before = u->origin;
    size_t key_size = strlen(key) + 1, label_size = strcmp(key, label) == 0 ? 0 : strlen(label) + 1;
    size_t head = sizeof *before + f->ninstance * sizeof *f->instance, size = head + key_size + label_size;
    struct origin *now = xcalloc(1, size);

    now->module = f->module;
    now->def = f->def;
    now->ninstance = (uint32_t)f->ninstance;
    now->label = label_size ? (uint32_t)key_size : 0;
    if (f->ninstance)
        memcpy(now->instance, f->instance, f->ninstance * sizeof *f->instance);
    memcpy((char *)now + head, key, key_size);
    memcpy((char *)now + head + key_size, label, label_size);
    u->origin = pool_take(w->pool, now, size);
    pool_drop(w->pool, before);
    free(now);
}

uint32_t unit_add(struct node *n, const struct kind *kind, const char *key, const char *label, uint32_t number)
{
    struct watch *w = n->watch;
    bool found;
    size_t place = sorted_place(n, kind, key, &found);
    uint32_t at = (uint32_t)n->units.n;
    struct unit u = {
        .layout = layout_of(&w->layouts, kind, NULL, 0),
        .number = number ? number : n->last_number + 1,
        .first = (uint32_t)n->points.n,
        .changed = true,
        .found_ms = watch_mono(n->watch),
        .first_s = (uint32_t)(watch_wall(n->watch) / 1000),
    };

    if (u.number > n->last_number)
        n->last_number = u.number;
    set_origin(w, &u, key, label, &(struct found){0});
    array_push(&n->units, u);
    sorted_insert(n, place, at);
    if (kind == watch_knowledge(n->watch)->vocabulary.kinds.v[0])
        n->device_unit = at;
    return at;
}

void unit_put(struct turn *t, const struct unit *u)
{
    struct component k = {
        .device_id = t->n->d.id,
        .number = u->number,
        .kind = unit_kind(u)->name,
        .key = (char *)(uintptr_t)unit_key(u),
        .label = (char *)(uintptr_t)unit_label(u),
        .first_ms = (int64_t)u->first_s * 1000,
    };

    change_put_component(turn_change(t), &k);
}

const struct kind *kind_named(struct watch *w, const char *name)
{
    const struct kind *known = vocabulary_kind(&watch_knowledge(w)->vocabulary, name);
    struct kind *lost;

    if (known)
        return known;
    for (size_t i = 0; i < w->lost_kinds.n; i++) {
        if (strcmp(w->lost_kinds.v[i]->name, name) == 0)
            return w->lost_kinds.v[i];
    }
    lost = xcalloc(1, sizeof *lost);
    lost->name = xstrdup(name);
    lost->number = UINT32_MAX;
    array_push(&w->lost_kinds, lost);
    return lost;
}

void inventory_free(struct node *n)
{
    points_free(n->points.v, n->points.n);
    array_free(&n->points);
    windows_fini(&n->windows);
    for (size_t i = 0; i < n->units.n; i++) {
        pool_drop(n->watch->pool, n->units.v[i].origin);
    }
    array_free(&n->units);
    array_free(&n->totals);
    array_free(&n->sorted);
}

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
    set_origin(t->w, u, f->key, label, f);
    free(label);
    if (renamed)
        unit_put(t, u);
}

/* The points that were read, and which of those that rules read have changed. */
static uint64_t take_points(struct turn *t, struct unit *u, const struct value *values)
{
    const uint8_t *tells = t->speech->tells + t->w->tables.base[unit_kind(u)->number];
    const struct layout *told = t->speech->layouts[unit_kind(u)->number];
    struct point *points;
    uint64_t changed = 0;

    if (u->layout != told)
        unit_widen(t->n, u, told);
    points = &t->n->points.v[u->first];
    for (size_t i = 0; i < told->n; i++) {
        uint16_t slot = told->slots[i], place = u->layout == told ? (uint16_t)i : u->layout->places[slot];

        if ((tells[slot] & t->parts) && point_set(&points[place], values[i]))
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

/* ---- Readings ---- */

/*
 * Texts and codes seldom change: they are told when they do, and once an hour, so that no window over them has a gap. All
 * else is told each time, since its trend matters.
 */
static bool is_worth_telling(const struct point_def *p, uint64_t fresh, uint32_t whole, uint8_t tells)
{
    bool seldom = p->type == VALUE_TEXT || p->type == VALUE_ENUM || p->type == VALUE_BITS;

    return !seldom || (fresh & slot_bit(p->slot)) || (tells & whole);
}

static void report_unit(struct turn *t, const struct unit *u, uint32_t whole)
{
    const uint8_t *tells = t->speech->tells + t->w->tables.base[unit_kind(u)->number];
    const struct point *points = &t->n->points.v[u->first];
    bool is_device = u == &t->n->units.v[t->n->device_unit];
    bool found = u->seen == t->n->polls;
    uint64_t fresh = found ? *fresh_of(t, (size_t)(u - t->n->units.v)) : 0;
    const struct tables *tables = &t->w->tables;

    array_reserve(&t->w->readings, t->w->readings.n + u->layout->n);
    for (size_t i = 0; i < u->layout->n; i++) {
        uint16_t slot = u->layout->slots[i];
        const struct point_def *p = &unit_kind(u)->points.v[slot];
        uint8_t by = tells[p->total_of != NO_POINT ? p->total_of : slot]; /* a total is told with what it is of */

        if ((found && (by & t->parts) && is_worth_telling(p, fresh, whole, tells[slot])) ||
            (is_device && slot == tables->reachable) || (is_device && slot == tables->ping && t->ping_told))
            t->w->readings.v[t->w->readings.n++] =
                (struct reading){.component = u->number, .point = slot, .value = point_get(&points[i])};
    }
}

void inventory_report(struct turn *t)
{
    struct node *n = t->n;
    struct watch *w = t->w;
    uint32_t whole = 0;

    w->readings.n = 0;
    for (unsigned p = 0; p < PART_COUNT; p++) {
        if (!(t->parts & (1u << p)) || t->mono < n->whole_ms[p])
            continue;
        whole |= 1u << p;
        n->whole_ms[p] = t->mono + WHOLE_MS;
    }
    for (uint32_t i = 0; i < n->units.n; i++) {
        if (n->units.v[i].seen == n->polls || i == n->device_unit)
            report_unit(t, &n->units.v[i], whole);
    }
    n->status.readings = w->readings.n;
    w->counters.readings += w->readings.n;
    if (w->readings.n)
        w->config.ops.readings(w->config.ops.ctx, n->d.id, t->wall, w->readings.v, w->readings.n,
                               n->silent ? -1 : n->asked_ms - n->late_ms);
}

void inventory_report_missed(struct turn *t, int64_t at_ms)
{
    const struct node *n = t->n;
    struct reading r = {
        .component = n->units.v[n->device_unit].number,
        .point = (uint16_t)t->w->tables.reachable,
        .value = value_bool(false),
    };

    t->w->counters.readings++;
    t->w->config.ops.readings(t->w->config.ops.ctx, n->d.id, at_ms, &r, 1, -1);
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

    set_origin(w, u, unit_key(u), unit_label(u), &(struct found){.instance = o->instance, .ninstance = o->ninstance});
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
    points_free(old, nold);
    array_release((void **)&old);
}
