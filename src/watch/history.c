#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "watch/internal.h"

/*
 * What is remembered of a device for judging: its components' windows and its
 * restarts. In memory on the monotonic clock; written once an hour, and when it
 * can't be had again from stored polls, as one row in the database.
 *
 * The row: version; wall clock; restarts (restart.c); how many and then
 * which windows there are: kind, point or condition, type, length, limit; for
 * each component's: its number, which of these, length of its bytes, its bytes
 * (window.c); for each total (total.c) its component's number and what is known of it; CRC-32C of all before. Times are ages. Windows of an hour and less
 * are left out of the row: the polls that are read back at a start make them.
 */
enum {
    VERSION = 3, /* 1 had no totals, 2 all levels of each window */
    SAVE_MS = 3600000,
    SHORT_MS = 3600000,
    DAY_MS = 86400000,
    CRC_BYTES = 4,
    MAX_DEFS = 10000,
};

static const struct kind_rules *rules_of(const struct watch *w, const struct unit *u)
{
    return unit_kind(u)->number < w->tables.nkinds ? &w->tables.rules[unit_kind(u)->number] : NULL;
}

static uint16_t unit_place(const struct node *n, const struct unit *u)
{
    return (uint16_t)(u - n->units.v);
}

static struct window *window_at(struct node *n, struct unit *u, size_t place)
{
    u->windows |= window_bit(place);
    return windows_make(&n->windows, unit_place(n, u), (uint16_t)place, &rules_of(n->watch, u)->windows.v[place].spec);
}

void history_forget(struct node *n, struct unit *u)
{
    if (u->windows)
        windows_forget(&n->windows, unit_place(n, u));
    u->windows = 0;
}

/* ---- Readings ---- */

/* The points that were read together with a counter. */
struct together {
    struct value (*ask)(const struct together *t, unsigned slot);
    const struct node *node; /* of a read under way: the component's points */
    const struct unit *unit;
    const struct reading *r; /* of a stored poll: those of the component */
    size_t n;
    /* What they say of a counter: most of a component's are bounded alike. */
    const struct counter_bounds *of;
    struct window_counter counter;
};

static struct value ask_points(const struct together *t, unsigned slot)
{
    return unit_point(t->node, t->unit, slot);
}

static struct value ask_stored(const struct together *t, unsigned slot)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->r[i].component == t->r->component && t->r[i].point == slot)
            return t->r[i].value;
    return VALUE_UNKNOWN;
}

/* How many counts a second of 32 bits: as window_counter has it. */
static double fastest(const struct counter_bounds *b, const struct together *t)
{
    struct value wide = b->wide != NO_POINT ? t->ask(t, b->wide) : VALUE_UNKNOWN;
    struct value pace = b->pace != NO_POINT ? t->ask(t, b->pace) : VALUE_UNKNOWN;

    if (b->pace == NO_POINT || (wide.quality == QUALITY_GOOD && wide.type == VALUE_BOOL && wide.b))
        return 0;
    if (pace.quality != QUALITY_GOOD || pace.type != VALUE_NUM || !(pace.num > 0))
        return INFINITY;
    return pace.num / (double)b->bits;
}

static bool same_bounds(const struct counter_bounds *a, const struct counter_bounds *b)
{
    return a->wide == b->wide && a->pace == b->pace && a->begins == b->begins && a->bits == b->bits;
}

static const struct window_counter *counter_of(struct together *t, const struct counter_bounds *b)
{
    struct value begins;

    if (t->of && same_bounds(t->of, b))
        return &t->counter;
    begins = b->begins != NO_POINT ? t->ask(t, b->begins) : VALUE_UNKNOWN;
    t->of = b;
    t->counter = (struct window_counter){
        .has_origin = begins.quality == QUALITY_GOOD && begins.type == VALUE_INT,
        .origin = begins.i,
        .a_second = fastest(b, t),
    };
    return &t->counter;
}

static void feed(struct node *n, struct unit *u, size_t place, int64_t at_ms, struct value v, struct together *t)
{
    const struct kind_window *kw = &rules_of(n->watch, u)->windows.v[place];
    const struct counter_bounds *b = &unit_kind(u)->points.v[kw->slot].bounds;
    struct window *window = window_at(n, u, place);
    bool counts = kw->spec.type == WINDOW_STEPS && kw->spec.counter;

    windows_feed(&n->windows, &n->watch->round, window, &kw->spec, at_ms, v, counts ? counter_of(t, b) : NULL);
}

static void take_unit(struct turn *t, struct unit *u)
{
    const struct kind_rules *of = rules_of(t->w, u);
    const uint8_t *tells = t->speech->tells + t->w->tables.base[unit_kind(u)->number];
    struct together together = {.ask = ask_points, .node = t->n, .unit = u};

    for (size_t i = 0; i < of->windows.n; i++) {
        const struct kind_window *kw = &of->windows.v[i];

        struct value v;

        if (kw->spec.type == WINDOW_SINCE || !(tells[kw->slot] & t->parts))
            continue;
        v = unit_point(t->n, u, kw->slot);
        if (v.quality == QUALITY_GOOD)
            feed(t->n, u, i, t->mono, v, &together);
    }
}

void history_take(struct turn *t)
{
    struct node *n = t->n;

    for (size_t i = 0; i < n->units.n; i++)
        if (n->units.v[i].seen == n->polls && rules_of(t->w, &n->units.v[i]))
            take_unit(t, &n->units.v[i]);
    windows_end_round(&n->windows, &t->w->round);
    if (n->windows.v.n != n->windows.v.cap)
        windows_settle(&n->windows);
}

static void replay(struct node *n, int64_t at_ms, const struct reading *r, struct together *together)
{
    struct watch *w = n->watch;
    struct unit *u = unit_numbered(n, r->component);
    const struct kind_rules *of = u ? rules_of(w, u) : NULL;

    if (!of || r->value.quality != QUALITY_GOOD || r->point >= unit_kind(u)->points.n ||
        r->value.type != unit_kind(u)->points.v[r->point].type)
        return;
    for (size_t i = 0; i < of->windows.n; i++) {
        const struct kind_window *kw = &of->windows.v[i];

        if (kw->spec.type != WINDOW_SINCE && kw->slot == r->point)
            feed(n, u, i, at_ms, r->value, together);
    }
    if (n->device_unit != NO_UNIT && u == &n->units.v[n->device_unit])
        restart_replay(n, at_ms, r->point, r->value);
}

void history_replay(struct node *n, int64_t at_ms, const struct reading *r, size_t count)
{
    struct together together = {.ask = ask_stored};

    for (size_t i = 0; i < count; i += together.n) {
        together.r = &r[i];
        together.of = NULL;
        for (together.n = 1; i + together.n < count && r[i + together.n].component == r[i].component;)
            together.n++;
        for (size_t j = 0; j < together.n; j++)
            replay(n, at_ms, &r[i + j], &together);
    }
    windows_end_round(&n->windows, &n->watch->round);
}

void history_break(struct node *n)
{
    for (size_t i = 0; i < n->units.n; i++) {
        const struct kind_rules *of = rules_of(n->watch, &n->units.v[i]);
        struct window *w;
        uint16_t place;

        for (size_t at = 0; of && n->units.v[i].windows && (w = windows_next(&n->windows, (uint16_t)i, &at, &place));)
            if (of->windows.v[place].spec.type == WINDOW_STEPS && of->windows.v[place].spec.counter)
                window_break(w);
    }
}

/* ---- What rules ask ---- */

struct value history_value(struct turn *t, uint32_t unit, uint16_t rule, size_t i, const struct value *slots,
                           size_t nslots)
{
    const struct expr_window *asked = &watch_knowledge(t->w)->rules.v[rule]->extras.v[i].window;
    const struct extra_place *place = &t->w->tables.info[rule].extras[i];
    struct node *n = t->n;
    struct unit *u = &n->units.v[place->of_device ? n->device_unit : unit];
    const struct kind_window *kw = &rules_of(t->w, u)->windows.v[place->window];
    struct window *w = NULL;
    struct value condition;

    if (kw->spec.type != WINDOW_SINCE) {
        if (u->windows & window_bit(place->window))
            w = windows_find(&n->windows, unit_place(n, u), place->window);
        return windows_value(&n->windows, w, &kw->spec, asked->history, t->mono);
    }
    condition = expr_eval(asked->condition, slots, nslots);
    w = window_at(n, u, place->window);
    t->remember |= window_judge(w, t->mono, condition);
    return condition.quality == QUALITY_GOOD ? windows_value(&n->windows, w, &kw->spec, asked->history, t->mono)
                                             : VALUE_UNKNOWN;
}

/* ---- As bytes ---- */

static void put(struct sbuf *out, const struct wire_out *w)
{
    sbuf_addn(out, (const char *)w->start, wire_used(w));
}

static void put_number(struct sbuf *out, uint64_t n)
{
    uint8_t bytes[10];
    struct wire_out w = wire_out(bytes, sizeof bytes);

    wire_put_varint(&w, n);
    put(out, &w);
}

static void put_text(struct sbuf *out, const char *s)
{
    put_number(out, strlen(s));
    sbuf_add(out, s);
}

static const char *subject(const struct kind *kind, const struct kind_window *kw)
{
    return kw->text ? kw->text : kind->points.v[kw->slot].name;
}

static void put_def(struct sbuf *out, const struct kind *kind, const struct kind_window *kw)
{
    uint64_t limit;

    memcpy(&limit, &kw->spec.limit, sizeof limit);
    put_text(out, kind->name);
    put_text(out, subject(kind, kw));
    put_number(out, kw->spec.type);
    put_number(out, (uint64_t)kw->spec.length_ms);
    put_number(out, limit);
}

static bool is_kept(const struct kind_window *kw, bool all)
{
    return all || kw->spec.length_ms == 0 || kw->spec.length_ms > SHORT_MS;
}

/* Windows of all kinds in a row: a window's number in a blob is its kind's first and its place. */
static size_t first_of(const struct watch *w, size_t kind)
{
    size_t n = 0;

    for (size_t i = 0; i < kind; i++)
        n += w->tables.rules[i].windows.n;
    return n;
}

static void put_defs(struct sbuf *out, const struct watch *w)
{
    put_number(out, first_of(w, w->tables.nkinds));
    for (size_t i = 0; i < w->tables.nkinds; i++)
        for (size_t j = 0; j < w->tables.rules[i].windows.n; j++)
            put_def(out, watch_knowledge(w)->vocabulary.kinds.v[i], &w->tables.rules[i].windows.v[j]);
}

static void put_totals(struct sbuf *out, const struct node *n)
{
    uint8_t bytes[TOTAL_BYTES];

    for (size_t i = 0; i < n->totals.n; i++) {
        struct wire_out w = wire_out(bytes, sizeof bytes);

        put_number(out, n->units.v[n->totals.v[i].unit].number);
        total_encode(&n->totals.v[i].total, &w);
        put(out, &w);
    }
    put_number(out, 0);
}

static void put_unit(struct sbuf *out, struct node *n, uint16_t unit, int64_t mono, bool all)
{
    const struct unit *u = &n->units.v[unit];
    const struct kind_rules *of = rules_of(n->watch, u);
    uint8_t bytes[WINDOW_MAX_BYTES];
    const struct window *w;
    uint16_t place;

    for (size_t at = 0; of && u->windows && (w = windows_next(&n->windows, unit, &at, &place));) {
        struct wire_out window = wire_out(bytes, sizeof bytes);

        if (!is_kept(&of->windows.v[place], all))
            continue;
        windows_encode(&n->windows, w, &of->windows.v[place].spec, mono, &window);
        put_number(out, u->number);
        put_number(out, first_of(n->watch, unit_kind(u)->number) + place);
        put_number(out, wire_used(&window));
        put(out, &window);
    }
}

static void encode(struct node *n, int64_t mono, int64_t wall, bool all, struct sbuf *out)
{
    uint8_t bytes[RESTARTS_MAX * 10 + 100];
    struct wire_out w = wire_out(bytes, sizeof bytes);
    size_t start = out->n;

    wire_put_u8(&w, VERSION);
    wire_put_zigzag(&w, wall);
    restart_encode(&n->restarts, mono, &w);
    put(out, &w);
    put_defs(out, n->watch);
    for (size_t i = 0; i < n->units.n; i++)
        put_unit(out, n, (uint16_t)i, mono, all);
    put_number(out, 0); /* no component has this number */
    put_totals(out, n);
    w = wire_out(bytes, CRC_BYTES);
    wire_put_u32be(&w, wire_crc32c(0, out->s + start, out->n - start));
    put(out, &w);
}

/* ---- And back ---- */

/* Where a window of the blob goes now. */
struct target {
    const struct kind *kind; /* NULL: nowhere; nobody looks at it any more */
    size_t place;
};

struct decoder {
    struct node *n;
    struct wire_in in;
    int64_t then_ms; /* when it was saved, on this run's monotonic clock */
    ARRAY(struct target) targets;
};

static char *get_text(struct wire_in *in)
{
    uint64_t size = wire_varint(in);
    const uint8_t *s = wire_bytes(in, size <= wire_left(in) ? (size_t)size : SIZE_MAX);

    return s ? xstrndup((const char *)s, (size_t)size) : NULL;
}

static struct target find_target(const struct watch *w, const char *kind, const char *what,
                                 const struct window_spec *spec)
{
    const struct kind *k = vocabulary_kind(&watch_knowledge(w)->vocabulary, kind);
    const struct kind_rules *of = k ? &w->tables.rules[k->number] : NULL;

    for (size_t i = 0; of && i < of->windows.n; i++) {
        const struct kind_window *kw = &of->windows.v[i];

        if (kw->spec.type == spec->type && kw->spec.length_ms == spec->length_ms && kw->spec.limit == spec->limit &&
            str_eq(subject(k, kw), what))
            return (struct target){k, i};
    }
    return (struct target){NULL, 0};
}

static void get_def(struct decoder *d)
{
    char *kind = get_text(&d->in), *what = get_text(&d->in);
    struct window_spec spec = {.type = (enum window_type)wire_varint(&d->in)};
    uint64_t limit;

    spec.length_ms = (int64_t)wire_varint(&d->in);
    limit = wire_varint(&d->in);
    memcpy(&spec.limit, &limit, sizeof limit);
    if (!d->in.bad)
        array_push(&d->targets, find_target(d->n->watch, kind, what, &spec));
    free(kind);
    free(what);
}

static void get_window(struct decoder *d, uint64_t number)
{
    uint64_t def = wire_varint(&d->in), size = wire_varint(&d->in);
    const uint8_t *bytes = wire_bytes(&d->in, size <= wire_left(&d->in) ? (size_t)size : SIZE_MAX);
    struct unit *u = number <= UINT32_MAX ? unit_numbered(d->n, (uint32_t)number) : NULL;
    const struct target *to = def < d->targets.n ? &d->targets.v[def] : NULL;
    struct wire_in in;

    d->in.bad |= !to;
    if (d->in.bad || !u || !to->kind || unit_kind(u) != to->kind)
        return;
    in = wire_in(bytes, (size_t)size);
    windows_decode(&d->n->windows, unit_place(d->n, u), (uint16_t)to->place,
                   &rules_of(d->n->watch, u)->windows.v[to->place].spec, d->then_ms, &in);
    u->windows |= window_bit(to->place);
    d->in.bad |= in.bad;
}

static void get_total(struct decoder *d, uint64_t number)
{
    struct unit *u = number <= UINT32_MAX ? unit_numbered(d->n, (uint32_t)number) : NULL;
    struct total total;

    total_decode(&total, &d->in);
    if (!d->in.bad && u && unit_kind(u)->totals)
        total_put(d->n, u, &total);
}

/* That it is whole, and what of it can be used. */
static int check(const void *p, size_t size, struct wire_in *in, unsigned *version)
{
    struct wire_in crc;

    if (size < CRC_BYTES + 1)
        return PD_ECORRUPT;
    crc = wire_in((const uint8_t *)p + size - CRC_BYTES, CRC_BYTES);
    if (wire_u32be(&crc) != wire_crc32c(0, p, size - CRC_BYTES))
        return PD_ECORRUPT;
    *in = wire_in(p, size - CRC_BYTES);
    *version = wire_u8(in);
    return *version >= 1 && *version <= VERSION ? 0 : PD_EVERSION;
}

int history_decode(struct node *n, int64_t mono, int64_t wall, const void *p, size_t size)
{
    struct decoder d = {.n = n};
    unsigned version;
    int rc = check(p, size, &d.in, &version);
    uint64_t defs, number;
    int64_t saved;

    if (rc < 0)
        return rc;
    saved = wire_zigzag(&d.in);
    d.then_ms = wall > saved ? mono - (wall - saved) : mono;
    restart_decode(&n->restarts, d.then_ms, &d.in);
    defs = wire_varint(&d.in);
    d.in.bad |= defs > MAX_DEFS;
    for (uint64_t i = 0; i < defs && !d.in.bad; i++)
        get_def(&d);
    while (!d.in.bad && (number = wire_varint(&d.in)) != 0)
        get_window(&d, number);
    while (version > 1 && !d.in.bad && (number = wire_varint(&d.in)) != 0)
        get_total(&d, number);
    array_free(&d.targets);
    windows_settle(&n->windows);
    if (version > 1 && !d.in.bad)
        n->totals_ms = saved;
    return d.in.bad ? PD_ECORRUPT : 0;
}

/* Whether anything is worth keeping. */
static bool has_memory(const struct node *n)
{
    if (n->restarts.knows_uptime || n->restarts.knows_boots)
        return true;
    return n->windows.v.n > 0 || n->totals.n > 0;
}

void history_put_aside(struct node *n)
{
    sbuf_reset(&n->aside);
    if (has_memory(n))
        encode(n, watch_mono(n->watch), watch_wall(n->watch), true, &n->aside);
    for (size_t i = 0; i < n->units.n; i++)
        n->units.v[i].windows = 0;
    windows_fini(&n->windows);
}

void history_restore(struct node *n)
{
    if (n->aside.n == 0)
        return;
    history_decode(n, watch_mono(n->watch), watch_wall(n->watch), n->aside.s, n->aside.n);
    sbuf_free(&n->aside);
}

/* ---- Keeping it ---- */

int64_t history_phase(const struct node *n)
{
    return rhythm_identify_phase(n) % SAVE_MS;
}

void history_save(struct turn *t)
{
    struct node *n = t->n;
    struct sbuf blob = {0};

    if ((t->mono < n->history_ms && !t->remember) || !has_memory(n))
        return;
    n->history_ms = t->mono + SAVE_MS;
    t->remember = false;
    windows_settle(&n->windows);
    encode(n, t->mono, t->wall, false, &blob);
    change_put_history(turn_change(t), n->d.id, blob.s, blob.n);
    sbuf_free(&blob);
}
