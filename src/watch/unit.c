#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/internal.h"

/* A device's components and their points, whoever sets them. */

/* ---- Points ---- */

static bool owns_text(struct value v)
{
    return v.type == VALUE_TEXT && (v.quality == QUALITY_GOOD || v.quality == QUALITY_STALE);
}

/* Texts stand in the pool, since most are those of many devices: so they are found near at hand too. */
static void text_drop(struct watch *w, struct value v)
{
    if (owns_text(v))
        pool_drop(w->pool, v.text);
}

static void remember_nothing(struct node *n, size_t at)
{
    struct earlier *e = &n->watch->earlier;

    if (e->of == n)
        e->known.v[at / 64] &= ~(UINT64_C(1) << at % 64);
}

bool point_put(struct node *n, size_t at, struct value v)
{
    struct point *point = &n->points.v[at], new = point_of(v);
    struct value before;

    before = point_get(point);
    if (value_same(before, v)) {
        new.told = point->told;
        if (!owns_text(before))
            *point = new; /* why it is not good may have changed */
        return false;
    }
    remember_nothing(n, at);
    if (owns_text(v)) {
        v.text = pool_text(n->watch->pool, v.text);
        new = point_of(v);
    }
    text_drop(n->watch, before);
    *point = new;
    return true;
}

void points_drop(struct watch *w, const struct point *points, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_drop(w, point_get(&points[i]));
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

/* A gap for so many more behind the points of a component. */
static void points_open(struct node *n, const struct unit *u, size_t more)
{
    size_t end = u->first + u->layout->n;

    n->watch->earlier.of = NULL; /* the places are others */
    array_reserve(&n->points, n->points.n + more);
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
    return point_set(n, u->first + place, &v);
}

/* What it is called, and what is known of how it was found. */
void unit_found(struct watch *w, struct unit *u, const char *key, const char *label, const struct found *f)
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
    unit_found(w, &u, key, label, &(struct found){0});
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
