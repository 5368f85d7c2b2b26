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

static bool owns_text(const struct value *v)
{
    return v->type == VALUE_TEXT && (v->quality == QUALITY_GOOD || v->quality == QUALITY_STALE);
}

bool point_set(struct value *point, struct value v)
{
    if (value_same(*point, v)) {
        if (!owns_text(point))
            *point = v; /* why it is not good may have changed */
        return false;
    }
    if (owns_text(point))
        free((char *)(uintptr_t)point->text);
    *point = v;
    if (owns_text(point))
        point->text = xstrdup(v.text);
    return true;
}

static void points_free(struct value *points, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (owns_text(&points[i]))
            free((char *)(uintptr_t)points[i].text);
    }
}

/* ---- Components ---- */

static int unit_cmp(const struct unit *u, const struct kind *kind, const char *key)
{
    int d = u->kind == kind ? 0 : strcmp(u->kind->name, kind->name);

    return d ? d : strcmp(u->key, key);
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

/* Unknown points for a component, at the end. */
static uint32_t points_add(struct node *n, const struct kind *kind)
{
    uint32_t first = (uint32_t)n->points.n;

    array_reserve(&n->points, n->points.n + kind->points.n);
    for (size_t i = 0; i < kind->points.n; i++)
        n->points.v[n->points.n++] = VALUE_UNKNOWN;
    return first;
}

uint32_t unit_add(struct node *n, const struct kind *kind, const char *key, const char *label, uint32_t number)
{
    bool found;
    size_t place = sorted_place(n, kind, key, &found);
    uint32_t at = (uint32_t)n->units.n;
    struct unit u = {
        .kind = kind,
        .key = xstrdup(key),
        .label = xstrdup(label),
        .number = number ? number : n->last_number + 1,
        .first = points_add(n, kind),
        .changed = true,
        .found_ms = watch_mono(n->watch),
        .first_ms = watch_wall(n->watch),
    };

    if (u.number > n->last_number)
        n->last_number = u.number;
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
        .kind = u->kind->name,
        .key = u->key,
        .label = u->label,
        .first_ms = u->first_ms,
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
    for (size_t i = 0; i < n->units.n; i++) {
        history_forget(n, &n->units.v[i]);
        free(n->units.v[i].key);
        free(n->units.v[i].label);
        free(n->units.v[i].instance);
        free(n->units.v[i].total);
    }
    array_free(&n->units);
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

        if (u->kind == f->kind && strcmp(u->key, f->key) == 0)
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

static void unit_place(struct unit *u, const struct found *f)
{
    if (u->ninstance != f->ninstance) {
        free(u->instance);
        u->instance = f->ninstance ? xcalloc(f->ninstance, sizeof *u->instance) : NULL;
        u->ninstance = (uint16_t)f->ninstance;
    }
    if (f->ninstance)
        memcpy(u->instance, f->instance, f->ninstance * sizeof *u->instance);
    u->module = f->module;
    u->def = f->def;
}

/* Two definitions may find one component by turns and call it differently: only who found it twice running renames it. */
static void take_label(struct turn *t, struct unit *u, const struct found *f)
{
    if (!*f->label || (u->def && u->def != f->def) || strcmp(u->label, f->label) == 0)
        return;
    xstrset(&u->label, f->label);
    unit_put(t, u);
}

/* The points that were read, and which of those that rules read have changed. */
static uint64_t take_points(struct turn *t, struct unit *u, const struct value *values)
{
    const uint8_t *tells = t->speech->tells + t->w->tables.base[u->kind->number];
    struct value *points = &t->n->points.v[u->first];
    uint64_t changed = 0;

    for (unsigned i = 0; i < u->kind->points.n; i++) {
        if ((tells[i] & t->parts) && point_set(&points[i], values[i]))
            changed |= slot_bit(i);
    }
    return changed;
}

static void note_change(struct turn *t, struct unit *u, uint64_t slots)
{
    if (slots & t->w->tables.rules[u->kind->number].reads)
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

        if (u->def && !u->gone && str_eq(u->def->name, def->unless_component) &&
            str_eq(u->module->name, def->unless_module))
            return true;
    }
    return false;
}

static void take_found(void *ctx, const struct found *f)
{
    struct turn *t = ctx;
    int64_t at = expect_unit(t, f);
    uint64_t changed;
    struct unit *u;

    if (gives_way(t, f->def))
        return;
    if (at < 0)
        at = new_unit(t, f);
    if (at < 0)
        return;
    u = &t->n->units.v[at];
    t->cursor = (uint32_t)at + 1;
    take_label(t, u, f);
    unit_place(u, f);
    u->parts |= (uint8_t)(1 << f->def->part);
    u->fresh = u->seen == t->n->polls ? u->fresh : 0;
    u->seen = t->n->polls;
    u->found_ms = t->mono;
    u->gone = false;
    changed = take_points(t, u, f->points);
    u->fresh |= changed;
    note_change(t, u, changed);
}

void inventory_poll(struct turn *t, struct batch *b)
{
    struct node *n = t->n;

    t->cursor = 0;
    batch_finish(b, take_found, t);
    identify_settle(t, b);
    n->missing = 0;
    for (size_t i = 0; i < n->units.n; i++)
        n->missing += n->units.v[i].seen != n->polls && (n->units.v[i].parts & t->parts) && !n->units.v[i].gone;
}

bool inventory_fill(struct turn *t, unsigned slot, struct value v)
{
    struct unit *u = &t->n->units.v[t->n->device_unit];

    if (slot >= u->kind->points.n || !point_set(&t->n->points.v[u->first + slot], v))
        return false;
    note_change(t, u, slot_bit(slot));
    return true;
}

void inventory_reachable(struct turn *t, bool reachable, struct value ping)
{
    const struct tables *tables = &t->w->tables;

    inventory_fill(t, tables->reachable, value_bool(reachable));
    t->ping_told = inventory_fill(t, tables->ping, ping) || ping.quality == QUALITY_GOOD;
}

/* ---- Age ---- */

/* True if nothing has read the point for STALE_AFTER of the intervals of each part that could have; no part never will. */
static bool point_overdue(const struct turn *t, const struct unit *u, uint8_t parts)
{
    for (unsigned p = 0; p < PART_COUNT; p++) {
        int64_t read = t->n->read_ms[p] < u->found_ms ? t->n->read_ms[p] : u->found_ms;

        if ((parts & (1 << p)) && t->mono - read < STALE_AFTER * schedule_every(t->n, p))
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

    for (unsigned i = 0; i < u->kind->points.n; i++) {
        struct value *v = &t->n->points.v[u->first + i];

        if (v->quality != QUALITY_GOOD || (is_device && is_own(tables, i)))
            continue;
        if (point_overdue(t, u, t->n->speech->tells[tables->base[u->kind->number] + i])) {
            v->quality = QUALITY_STALE;
            changed |= slot_bit(i);
        }
    }
    if (changed)
        note_change(t, u, changed);
}

/* What a complete read does not find for a day is gone: its faults close, its number stays its own. */
static void unit_gone(struct turn *t, uint32_t at)
{
    struct unit *u = &t->n->units.v[at];

    if (!u->kind->fleeting) {
        struct event *e = turn_event(t, "component.gone");

        event_arg(e, "kind", u->kind->name);
        event_arg(e, "key", u->key);
        event_arg(e, "component", u->label);
    }
    u->gone = true;
    history_forget(t->n, u);
    judge_forget(t, at);
    fault_settle(t, at, "component-gone");
}

static bool any_part_late(const struct turn *t)
{
    for (unsigned p = 0; p < PART_COUNT; p++) {
        if (t->mono - t->n->read_ms[p] >= STALE_AFTER * schedule_every(t->n, p))
            return true;
    }
    return false;
}

void inventory_age(struct turn *t, bool complete)
{
    struct node *n = t->n;

    if (!n->speech || (n->missing == 0 && !any_part_late(t)))
        return;
    for (uint32_t i = 0; i < n->units.n; i++) {
        struct unit *u = &n->units.v[i];

        unit_age(t, u);
        if (complete && !u->gone && u->seen != n->polls && (u->parts & t->parts) && i != n->device_unit &&
            (u->kind->fleeting || t->mono - u->found_ms >= GONE_AFTER_MS))
            unit_gone(t, i);
    }
}

/* ---- Readings ---- */

/*
 * Texts and codes seldom change: they are told when they do, and once an hour, so that no window over them has a gap. All
 * else is told each time, since its trend matters.
 */
static bool is_worth_telling(const struct unit *u, const struct point_def *p, uint32_t whole, uint8_t tells)
{
    bool seldom = p->type == VALUE_TEXT || p->type == VALUE_ENUM || p->type == VALUE_BITS;

    return !seldom || (u->fresh & slot_bit(p->slot)) || (tells & whole);
}

static void report_unit(struct turn *t, const struct unit *u, uint32_t whole)
{
    const uint8_t *tells = t->speech->tells + t->w->tables.base[u->kind->number];
    const struct value *points = &t->n->points.v[u->first];
    bool is_device = u == &t->n->units.v[t->n->device_unit];
    bool found = u->seen == t->n->polls;
    const struct tables *tables = &t->w->tables;

    for (unsigned i = 0; i < u->kind->points.n; i++) {
        unsigned of = u->kind->points.v[i].total_of; /* a total is told with what it is of */

        if ((found && (tells[of != NO_POINT ? of : i] & t->parts) &&
             is_worth_telling(u, &u->kind->points.v[i], whole, tells[i])) ||
            (is_device && i == tables->reachable) || (is_device && i == tables->ping && t->ping_told))
            array_push(&t->w->readings,
                       ((struct reading){.component = u->number, .point = (uint16_t)i, .value = points[i]}));
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
                               n->asked_ms - n->late_ms);
}

/* ---- A reload ---- */

/* Moves what both have of the same name and type. */
static void move_points(const struct kind *from, struct value *old, const struct kind *to, struct value *points)
{
    for (size_t i = 0; i < from->points.n; i++) {
        const struct point_def *def = kind_point(to, from->points.v[i].name);

        old[i].slot = VALUE_NO_SLOT; /* it was numbered by a profile that is gone */
        if (def && def->type == from->points.v[i].type)
            point_set(&points[def->slot], old[i]);
    }
}

void inventory_remap(struct watch *w, struct node *n)
{
    struct value *old = n->points.v;
    size_t nold = n->points.n;

    n->points.v = NULL;
    n->points.n = n->points.cap = 0;
    for (size_t i = 0; i < n->units.n; i++) {
        struct unit *u = &n->units.v[i];
        const struct kind *kind = kind_named(w, u->kind->name);
        uint32_t first = points_add(n, kind);

        move_points(u->kind, &old[u->first], kind, &n->points.v[first]);
        u->kind = kind;
        u->first = first;
        u->module = NULL;
        u->def = NULL;
        u->changed = true;
    }
    points_free(old, nold);
    array_release((void **)&old);
}
