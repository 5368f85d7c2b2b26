#include "random_story.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "moment.h"
#include "spans.h"
#include "story.h"

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    TRIES = 200,
    MONTH_DAYS = 30,
    SETTLE = 2 * HOUR, /* before the first fault, and after the last */
    UPLINK = 24,
    NEIGHBOUR = 23,
    DESK = 3, /* ports of a switch */
};

/* What a kind of fault is like: how long it lasts, and how long it must be seen to be told for certain. */
struct shape {
    enum happening_kind kind;
    int64_t shortest, longest, seen, gap; /* gap: to the next of its kind */
};

static const struct shape jam = {HAPPENS_JAM, 20 * MINUTE, 5 * HOUR, 200 * SECOND, 20 * MINUTE};
static const struct shape cover = {HAPPENS_COVER_OPEN, 20 * MINUTE, 5 * HOUR, 320 * SECOND, 20 * MINUTE};
static const struct shape toner = {HAPPENS_TONER_DRAIN, 9 * HOUR, 40 * HOUR, 75 * MINUTE, 5 * HOUR};

/* What a machine's answers tell of, beside these. */
static const struct shape plain[] = {
    {HAPPENS_SERVICE, 20 * MINUTE, 9 * HOUR, 200 * SECOND, 20 * MINUTE},
    {HAPPENS_ERRORS, HOUR, 6 * HOUR, 45 * MINUTE, 80 * MINUTE},
    {HAPPENS_CPU, 40 * MINUTE, 5 * HOUR, 30 * MINUTE, HOUR},
    {HAPPENS_MEMORY, HOUR, 8 * HOUR, 45 * MINUTE, 40 * MINUTE},
    {HAPPENS_DISK_FILLING, 12 * HOUR, 30 * HOUR, 45 * MINUTE, HOUR},
    {HAPPENS_ON_BATTERY, 5 * MINUTE, 55 * MINUTE, 200 * SECOND, 20 * MINUTE},
    {HAPPENS_REPLACE_BATTERY, 30 * MINUTE, 9 * HOUR, 14 * MINUTE, 40 * MINUTE},
    {HAPPENS_OVERLOAD, 15 * MINUTE, 5 * HOUR, 8 * MINUTE, 30 * MINUTE},
    {HAPPENS_HEAT, 20 * MINUTE, 6 * HOUR, 8 * MINUTE, 30 * MINUTE},
    {HAPPENS_HUMIDITY, 30 * MINUTE, 8 * HOUR, 14 * MINUTE, 40 * MINUTE},
    {HAPPENS_COOLING_ALARM, 10 * MINUTE, 4 * HOUR, 200 * SECOND, 20 * MINUTE},
};
static const struct shape link_down = {HAPPENS_LINK_DOWN, 10 * MINUTE, 4 * HOUR, 200 * SECOND, 20 * MINUTE};

/* What keeps a machine from answering, or restarts it: never two at a time. */
static const struct shape dark[] = {
    {HAPPENS_DEVICE_OFF, 10 * MINUTE, 2 * HOUR, 260 * SECOND, 20 * MINUTE},
    {HAPPENS_SNMP_SILENT, 12 * MINUTE, 3 * HOUR, 8 * MINUTE, 20 * MINUTE},
    {HAPPENS_ADDRESS_MOVED, 12 * MINUTE, 5 * HOUR, 260 * SECOND, 20 * MINUTE},
    {HAPPENS_ASLEEP, 15 * MINUTE, 6 * HOUR, 0, 20 * MINUTE},
    {HAPPENS_IN_REPAIR, HOUR, 6 * HOUR, 0, HOUR},
    {HAPPENS_RESTART, MINUTE, MINUTE, 0, 20 * MINUTE},
    {HAPPENS_RENUMBERED, MINUTE, MINUTE, 0, 20 * MINUTE},
    {HAPPENS_COUNTER_RESET, MINUTE, MINUTE, 0, 20 * MINUTE},
};

struct author {
    struct sbuf *out;
    struct rng_seeded chance;
    struct pd_rng rng;
    int64_t end;
    unsigned count;  /* faults of a kind on a device */
    struct spans up; /* while patrold runs and the network is bearable */
};

/* What the author remembers of a device. */
struct cast {
    char name[32];
    unsigned number, moves;
    enum model model;
    int64_t yield;
    int parent; /* -1: none */
    bool behind_gateway;
    struct spans answers;            /* while it does, and patrold asks */
    struct spans visible, uncovered; /* when a fault can be seen; an open cover: when there is no jam either */
    struct spans closed;             /* while no cover is open */
    struct spans jammed;
};

/* Never two of these in one call: the compiler may ask for them in any order. */
static int64_t between(struct author *a, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(&a->rng, (uint64_t)(high - low + 1));
}

static void add_time(struct sbuf *out, int64_t ms)
{
    moment_add_span(out, ms / SECOND * SECOND);
}

/* ---- What befalls patrold and the network ---- */

/* n stretches, spread over the story, none near another. */
static void add_troubles(struct author *a, const char *event, unsigned n, int64_t shortest, int64_t longest,
                         const char *extra, bool cuts)
{
    int64_t slot = (a->end - 2 * SETTLE) / n;

    for (unsigned i = 0; i < n; i++) {
        int64_t span = between(a, shortest, longest) / SECOND * SECOND;
        int64_t at = SETTLE + i * slot + between(a, 0, slot > span + HOUR ? slot - span - HOUR : 0);

        at = at / SECOND * SECOND;
        sbuf_add(a->out, "  - {at: ");
        add_time(a->out, at);
        sbuf_addf(a->out, ", event: %s, for: ", event);
        add_time(a->out, span);
        sbuf_addf(a->out, "%s}\n", extra);
        if (cuts)
            spans_cut(&a->up, at, at + span);
    }
}

/* Clocks step while patrold runs: what it holds over a restart it can only measure by the clock. */
static void add_steps(struct author *a, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int64_t at, by = between(a, 3 * SECOND, 20 * MINUTE) / SECOND * SECOND;
        bool back = rng_below(&a->rng, 2) == 1;

        do
            at = between(a, SETTLE, a->end - SETTLE) / SECOND * SECOND;
        while (spans_run(&a->up, at - 15 * MINUTE, at + 15 * MINUTE, 30 * MINUTE) < 0);
        sbuf_add(a->out, "  - {at: ");
        add_time(a->out, at);
        sbuf_addf(a->out, ", event: clock-step, by: %c", back ? '-' : '+');
        add_time(a->out, by);
        sbuf_add(a->out, "}\n");
    }
}

/* ---- What befalls devices ---- */

static void add_toner(struct author *a, const struct cast *c, int64_t span)
{
    const char *const *toners = model_toners(c->model);
    int64_t rate = c->yield * HOUR / (span * 2 / 5) + 1; /* empty after two fifths of the time at the latest */
    uint64_t n = 0;

    while (toners[n] != NULL)
        n++;
    sbuf_addf(a->out, ", toner: %s, pages_per_hour: %lld", toners[rng_below(&a->rng, n)], (long long)rate);
}

/* At once so full, or fuller from hour to hour: 90 % before half of the shortest time is over. */
static void add_filling(struct author *a)
{
    sbuf_addf(a->out, ", disk: %s", rng_below(&a->rng, 2) == 0 ? "/" : "/srv");
    if (rng_below(&a->rng, 2) == 0)
        sbuf_addf(a->out, ", percent: %d", (int)between(a, 90, 100));
    else
        sbuf_addf(a->out, ", per_day: %d", (int)between(a, 260, 500));
}

static void add_humidity(struct author *a)
{
    bool high = rng_below(&a->rng, 2) == 0;

    sbuf_addf(a->out, ", percent: %d", (int)between(a, high ? 76 : 5, high ? 95 : 19));
}

/* The keys that only this kind has. */
static void add_extras(struct author *a, struct cast *c, enum happening_kind kind, unsigned port, int64_t span)
{
    switch (kind) {
    case HAPPENS_TONER_DRAIN:
        add_toner(a, c, span);
        break;
    case HAPPENS_DISK_FILLING:
        add_filling(a);
        break;
    case HAPPENS_HUMIDITY:
        add_humidity(a);
        break;
    case HAPPENS_HEAT:
        sbuf_addf(a->out, ", celsius: %d", (int)between(a, 31, 40));
        break;
    case HAPPENS_OVERLOAD:
        sbuf_addf(a->out, ", percent: %d", (int)between(a, 91, 130));
        break;
    case HAPPENS_CPU:
        sbuf_addf(a->out, ", percent: %d", (int)between(a, 92, 100));
        break;
    case HAPPENS_MEMORY:
        sbuf_addf(a->out, ", percent: %d", (int)between(a, 96, 100));
        break;
    case HAPPENS_ERRORS:
        sbuf_addf(a->out, ", port: %d, percent: %d", c->model == MODEL_SWITCH ? 7 : 1, (int)between(a, 3, 20));
        break;
    case HAPPENS_LINK_DOWN:
        sbuf_addf(a->out, ", port: %u", port);
        break;
    case HAPPENS_ADDRESS_MOVED: /* an address of its own each time */
        sbuf_addf(a->out, ", to: 127.%u.%u.%u", 40 + c->moves++ % 60, c->number / 250, c->number % 250 + 1);
        break;
    default:
        break;
    }
}

static void add_event_at(struct author *a, struct cast *c, enum happening_kind kind, unsigned port, int64_t at,
                         int64_t span)
{
    sbuf_add(a->out, "  - {at: ");
    add_time(a->out, at);
    sbuf_addf(a->out, ", event: %s, device: %s", happening_names[kind], c->name);
    if (!happens_at_once(kind)) {
        sbuf_add(a->out, ", for: ");
        add_time(a->out, span);
    }
    add_extras(a, c, kind, port, span);
    sbuf_add(a->out, "}\n");
}

static void add_event(struct author *a, struct cast *c, const struct shape *s, int64_t at, int64_t span)
{
    add_event_at(a, c, s->kind, 0, at, span);
}

/* Where in a slot a fault can be seen for long enough, and the end of the one before it as well. */
static bool place(struct author *a, const struct shape *s, const struct spans *visible, int64_t from, int64_t to,
                  int64_t last_end, int64_t *at, int64_t *span)
{
    for (int i = 0; i < TRIES; i++) {
        int64_t longest = (to - from) * 2 / 3 < s->longest ? (to - from) * 2 / 3 : s->longest;

        *span = between(a, s->shortest, longest > s->shortest ? longest : s->shortest) / SECOND * SECOND;
        if (from + *span >= to)
            return false;
        *at = between(a, from, to - *span) / SECOND * SECOND;
        /* The toner is empty only after a while. */
        if (spans_run(visible, *at + (s == &toner ? *span * 2 / 5 : 0), *at + *span, s->seen) >= 0 &&
            *at - last_end >= s->gap && spans_run(visible, last_end, *at, s->gap * 4 / 5) >= 0)
            return true;
    }
    return false;
}

/* count faults of a shape; each is handed to note(). */
static void add_faults(struct author *a, struct cast *c, const struct shape *s, const struct spans *visible,
                       void (*note)(struct cast *c, int64_t at, int64_t end))
{
    int64_t slot = (a->end - 2 * SETTLE - HOUR) / a->count, last_end = 0, at, span;

    for (unsigned i = 0; i < a->count; i++) {
        int64_t from = SETTLE + i * slot;

        if (!place(a, s, visible, from, from + slot, last_end, &at, &span))
            continue;
        add_event(a, c, s, at, span);
        last_end = at + span;
        if (note != NULL)
            note(c, at, last_end);
    }
}

/* Until the jam is cleared, an open cover is part of it. */
static void note_jam(struct cast *c, int64_t at, int64_t end)
{
    spans_cut(&c->uncovered, at, end + 200 * SECOND);
    spans_add(&c->jammed, at, end);
}

static void note_cover(struct cast *c, int64_t at, int64_t end)
{
    spans_cut(&c->closed, at, end);
}

/* A cover that opens where no other is open near. */
static void add_cover(struct author *a, struct cast *c, int64_t at, int64_t span)
{
    if (spans_run(&c->closed, at - HOUR, at + span + HOUR, span + 2 * HOUR) < 0)
        return;
    add_event(a, c, &cover, at, span);
    note_cover(c, at, at + span);
}

/* Who clears a jam opens a cover: part of it, and nothing to tell. Others close it again too soon to be told. */
static void add_untold_covers(struct author *a, struct cast *c)
{
    for (size_t i = 0; i < c->jammed.list.n; i++) {
        int64_t span = c->jammed.list.v[i].to - c->jammed.list.v[i].from;

        add_cover(a, c, (c->jammed.list.v[i].from + span / 4) / SECOND * SECOND,
                  between(a, MINUTE, span / 2) / SECOND * SECOND);
    }
    for (int i = 0; i < 3; i++) {
        int64_t at = between(a, SETTLE, a->end - SETTLE) / SECOND * SECOND;

        add_cover(a, c, at, between(a, 10, 100) * SECOND);
    }
}

static void copy_spans(struct spans *to, const struct spans *from)
{
    for (size_t i = 0; i < from->list.n; i++)
        spans_add(to, from->list.v[i].from, from->list.v[i].to);
}

/* What lies in a parent's answers as well: the rest is cut out, with some minutes for patrold to see it back. */
static void copy_common(struct spans *of, const struct spans *parent)
{
    int64_t since = 0;

    for (size_t i = 0; i < parent->list.n; i++) {
        spans_cut(of, since, parent->list.v[i].from + 5 * MINUTE);
        since = parent->list.v[i].to;
    }
    spans_cut(of, since, INT64_MAX);
}

static void befall_printer(struct author *a, struct cast *c)
{
    copy_spans(&c->uncovered, &c->visible);
    spans_add(&c->closed, 0, a->end);
    add_faults(a, c, &jam, &c->visible, note_jam);
    add_faults(a, c, &cover, &c->uncovered, note_cover);
    add_untold_covers(a, c);
    add_faults(a, c, &toner, &c->visible, NULL);
}

/* Cables of uplinks are pulled, one named by a person and one where another switch is; and one of somebody's desk. */
static void befall_switch(struct author *a, struct cast *c)
{
    static const unsigned ports[] = {UPLINK, NEIGHBOUR, DESK};

    for (unsigned p = 0; p < sizeof ports / sizeof ports[0]; p++) {
        for (unsigned i = 0; i < a->count; i++) {
            int64_t slot = (a->end - 2 * SETTLE - HOUR) / a->count, at, span;

            if (place(a, &link_down, &c->visible, SETTLE + i * slot, SETTLE + (i + 1) * slot - link_down.gap,
                      SETTLE / 2, &at, &span))
                add_event_at(a, c, HAPPENS_LINK_DOWN, ports[p], at, span);
        }
    }
}

/* In repair it is switched off meanwhile, and that is nobody's trouble. */
static void add_repair(struct author *a, struct cast *c, int64_t at, int64_t span)
{
    add_event_at(a, c, HAPPENS_DEVICE_OFF, 0, at + 5 * MINUTE, span - 15 * MINUTE);
}

static bool may_darken(const struct cast *c, enum happening_kind kind)
{
    if (kind == HAPPENS_ADDRESS_MOVED || kind == HAPPENS_SNMP_SILENT)
        return happens_to(kind, c->model) && !c->behind_gateway;
    return happens_to(kind, c->model) && (kind != HAPPENS_RESTART || !model_is_modbus(c->model));
}

/* Who says that it moved, or is in repair, says so to a patrold that runs. */
static bool place_dark(struct author *a, const struct shape *s, int64_t from, int64_t to, int64_t *at, int64_t *span)
{
    for (int i = 0; i < TRIES; i++)
        if (place(a, s, &a->up, from, to, from - s->gap, at, span) &&
            spans_run(&a->up, *at + *span - 2 * MINUTE, *at + *span + 2 * MINUTE, 4 * MINUTE) >= 0 &&
            spans_run(&a->up, *at - 2 * MINUTE, *at + 2 * MINUTE, 4 * MINUTE) >= 0)
            return true;
    return false;
}

/* What keeps it from answering takes turns: each has a slot of its own. */
static void darken(struct author *a, struct cast *c)
{
    const unsigned kinds = sizeof dark / sizeof dark[0];
    int64_t slot = (a->end - 2 * SETTLE - HOUR) / (a->count * kinds), at, span;

    for (unsigned i = 0; i < a->count * kinds; i++) {
        const struct shape *s = &dark[i % kinds];
        int64_t from = SETTLE + i * slot;

        if (!may_darken(c, s->kind) || !place_dark(a, s, from, from + slot - s->gap, &at, &span))
            continue;
        add_event(a, c, s, at, span);
        if (s->kind == HAPPENS_IN_REPAIR)
            add_repair(a, c, at, span);
        spans_cut(&c->answers, at, at + span);
    }
}

static void befall(struct author *a, struct cast *cast, struct cast *c)
{
    copy_spans(&c->answers, &a->up);
    darken(a, c);
    copy_spans(&c->visible, &c->answers);
    if (c->parent >= 0)
        copy_common(&c->visible, &cast[c->parent].answers);
    if (model_prints(c->model))
        befall_printer(a, c);
    if (c->model == MODEL_SWITCH)
        befall_switch(a, c);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (happens_to(plain[i].kind, c->model))
            add_faults(a, c, &plain[i], &c->visible, NULL);
    spans_free(&c->visible);
    spans_free(&c->uncovered);
    spans_free(&c->closed);
    spans_free(&c->jammed);
}

/* ---- The cast ---- */

static enum model model_of(unsigned i)
{
    static const enum model models[] = {
        MODEL_PRINTER, MODEL_COPIER,     MODEL_SWITCH,        MODEL_PRINTER, MODEL_SERVER,
        MODEL_UPS,     MODEL_MODBUS_UPS, MODEL_MODBUS_SENSOR, MODEL_SENSOR,  MODEL_AIR_CONDITIONER,
        MODEL_PRINTER, MODEL_COPIER,     MODEL_METER,         MODEL_SERVER,  MODEL_SWITCH,
    };

    return models[i % (sizeof models / sizeof models[0])];
}

/* Some are reached by the switch before them. */
static int parent_of(struct author *a, const struct cast *cast, unsigned i)
{
    if (rng_below(&a->rng, 3) > 0)
        return -1;
    for (unsigned k = i; k-- > 0;)
        if (cast[k].model == MODEL_SWITCH)
            return (int)k;
    return -1;
}

static void add_device(struct author *a, struct cast *cast, unsigned i)
{
    static const char *const tells[] = {"both", "state", "alerts"};
    struct cast *c = &cast[i];
    unsigned place; /* that its address is of: units of a gateway share one */

    c->model = model_of(i);
    c->number = i;
    c->yield = between(a, 10, 40) * 100;
    c->parent = parent_of(a, cast, i);
    place = i;
    if (i > 0 && c->model == MODEL_MODBUS_SENSOR && cast[i - 1].model == MODEL_MODBUS_UPS) {
        c->parent = cast[i - 1].parent;
        c->behind_gateway = cast[i - 1].behind_gateway = true;
        place = i - 1;
    }
    snprintf(c->name, sizeof c->name, "%s-%u", model_names[c->model], i + 1);
    sbuf_addf(a->out, "  - {name: %s, model: %s, address: 127.30.%u.%u", c->name, model_names[c->model], place / 250,
              place % 250 + 1);
    if (c->behind_gateway)
        sbuf_add(a->out, ", unit: 2");
    if (!model_is_modbus(c->model))
        sbuf_addf(a->out, ", snmp: %d", rng_below(&a->rng, 5) == 0 ? 1 : 2);
    if (model_prints(c->model)) {
        sbuf_addf(a->out, ", tells: %s", tells[rng_below(&a->rng, 3)]);
        sbuf_addf(a->out, ", toner: %d, yield: %lld", (int)between(a, 60, 100), (long long)c->yield);
    }
    if (c->model == MODEL_SWITCH)
        sbuf_addf(a->out, ", uplink: %d, neighbour: %d", UPLINK, NEIGHBOUR);
    if (c->parent >= 0)
        sbuf_addf(a->out, ", parent: %s", cast[c->parent].name);
    if (i % 12 == 10)
        sbuf_add(a->out, ", may_be_off: true");
    sbuf_add(a->out, "}\n");
}

static unsigned a_month(const struct author *a, unsigned n)
{
    int64_t days = a->end / (24 * HOUR);
    unsigned scaled = (unsigned)((n * days + MONTH_DAYS - 1) / MONTH_DAYS);

    return scaled > 0 ? scaled : 1;
}

void random_story(struct sbuf *out, uint64_t seed, unsigned devices, unsigned days)
{
    struct author a = {.out = out, .end = (int64_t)days * 24 * HOUR};
    struct cast *cast = xcalloc(devices, sizeof *cast);

    rng_seed(&a.chance, seed);
    a.rng = rng_seeded_ops(&a.chance);
    sbuf_addf(out, "title: Made up from seed %llu\nstart: 2026-03-01 00:00\ntime_zone: Asia/Shanghai\n",
              (unsigned long long)seed);
    sbuf_addf(out, "length: %ud\nseed: %llu\n", days, (unsigned long long)seed);
    sbuf_addf(out, "network: {delay: %dms, ", (int)between(&a, 1, 80));
    sbuf_addf(out, "loss: 0.%d}\ndevices:\n", (int)between(&a, 0, 5));
    for (unsigned i = 0; i < devices; i++)
        add_device(&a, cast, i);
    sbuf_add(out, "events:\n");
    spans_add(&a.up, 0, a.end);
    add_troubles(&a, "patrold-killed", a_month(&a, 8), 5 * SECOND, 15 * MINUTE, "", true);
    add_troubles(&a, "packet-loss", a_month(&a, 5), HOUR, 8 * HOUR, ", percent: 5", false);
    add_steps(&a, a_month(&a, 5));
    a.count = a_month(&a, 4);
    for (unsigned i = 0; i < devices; i++)
        befall(&a, cast, &cast[i]);
    for (unsigned i = 0; i < devices; i++)
        spans_free(&cast[i].answers);
    spans_free(&a.up);
    free(cast);
}
