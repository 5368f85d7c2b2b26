#include "gather/gather.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "gather/rows.h"

enum { PAGE_ROWS = 1000, LOOKBACK_MS = 2 * 3600 * 1000 };

struct gather {
    struct gather_args args;
    struct findings f;
    struct month_args month; /* of the device that is being read */
    void (*done)(void *arg, int err, const char *why, struct findings *f);
    void *arg;
    size_t step;
    size_t at;     /* the device, ticket or round whose turn it is */
    int64_t after; /* cursor of the query */
    bool cancelled;
};

static void go_on(struct gather *g);

static void gather_free(struct gather *g)
{
    array_free(&g->month.series);
    findings_fini(&g->f);
    free(g);
}

static void give_up(struct gather *g, int err, const char *why)
{
    g->done(g->arg, err, why ? why : pd_strerror(err), NULL);
    gather_free(g);
}

/* ---- Devices ---- */

static const char *const device_queries[] = {"{\"retired\":\"false\"}", "{\"retired\":\"true\"}"};

static char *filter_devices(struct gather *g)
{
    return xstrdup(device_queries[g->at]);
}

static bool served(const struct findings *f, const struct found_device *d)
{
    return d->added_ms < f->until_ms && (!d->retired || d->removed_ms > f->day_ms[0]);
}

static void take_device(struct gather *g, const json_t *row)
{
    struct found_device d;

    if (!g->args.mine(g->args.ctx, row_text(row, "site")))
        return;
    row_device(row, &d);
    if (served(&g->f, &d)) {
        array_push(&g->f.devices, d);
        u64dict_put(g->f.places, (uint64_t)d.id, (void *)(uintptr_t)g->f.devices.n);
    } else {
        found_device_fini(&d);
    }
}

static bool more_devices(const struct gather *g)
{
    return g->at < sizeof device_queries / sizeof *device_queries;
}

/* ---- A device's components and its month ---- */

static char *filter_components(struct gather *g)
{
    return xasprintf("{\"device\":\"%" PRId64 "\"}", g->f.devices.v[g->at].id);
}

static unsigned slot_of(const struct knowledge *k, const char *kind, const char *point)
{
    const struct kind *found = vocabulary_kind(&k->vocabulary, kind);
    const struct point_def *p = found ? kind_point(found, point) : NULL;

    return p ? p->slot : UINT16_MAX;
}

static void add_series(struct gather *g, const json_t *row, enum month_series_kind kind, const char *point)
{
    const char *label = row_text(row, "label");
    struct found_series s = {.device = g->at, .kind = xstrdup_null(row_text(row, "kind"))};
    struct month_series series = {.component = (uint32_t)row_int(row, "number"), .kind = kind};

    s.name = xstrdup_null(label ? label : row_text(row, "key"));
    series.point = (uint16_t)slot_of(g->args.knowledge, row_text(row, "kind"), point);
    array_push(&g->month.series, series);
    if (kind == SERIES_LEVEL)
        array_push(&g->f.supplies, s);
    else
        array_push(&g->f.meters, s);
}

static void take_component(struct gather *g, const json_t *row)
{
    const char *kind = row_text(row, "kind");

    if (str_eq(kind, DEVICE_KIND)) {
        g->month.reachable.component = (uint32_t)row_int(row, "number");
        g->month.reachable.point = (uint16_t)slot_of(g->args.knowledge, DEVICE_KIND, POINT_REACHABLE);
    } else if (str_eq(kind, "supply")) {
        add_series(g, row, SERIES_LEVEL, "level");
    } else if (str_eq(kind, "marker")) {
        add_series(g, row, SERIES_COUNTER, "total");
    }
}

/* The device's series stand at the end of their lists, in the order in which they were asked for. */
static void take_trends(struct gather *g, const struct month *m)
{
    size_t levels = 0, counters = 0, supply, meter, n = g->month.series.n;

    for (size_t i = 0; i < n; i++)
        levels += g->month.series.v[i].kind == SERIES_LEVEL;
    counters = n - levels;
    supply = g->f.supplies.n - levels;
    meter = g->f.meters.n - counters;
    for (size_t i = 0; i < n; i++) {
        if (g->month.series.v[i].kind == SERIES_LEVEL)
            g->f.supplies.v[supply++].trend = m->trends[i];
        else
            g->f.meters.v[meter++].trend = m->trends[i];
    }
}

static void take_month(void *arg, int err, const struct month *m)
{
    struct gather *g = arg;
    struct found_device *d;

    if (g->cancelled) {
        gather_free(g);
        return;
    }
    if (err < 0) {
        give_up(g, err, NULL);
        return;
    }
    d = &g->f.devices.v[g->at];
    memcpy(d->day, m->day, sizeof d->day);
    d->sum = m->sum;
    d->outages = m->outages;
    d->longest_ms = m->longest_ms;
    take_trends(g, m);
    g->month.series.n = 0;
    g->at++;
    go_on(g);
}

/* After the components of a device: reads its month. */
static void read_month(struct gather *g)
{
    const struct found_device *d = &g->f.devices.v[g->at];
    struct month_args m = g->month;

    m.device_id = d->id;
    m.days = g->f.days;
    memcpy(m.day_ms, g->f.day_ms, sizeof m.day_ms);
    m.since_ms = d->added_ms;
    m.until_ms = d->retired && d->removed_ms < g->args.now_ms ? d->removed_ms : g->args.now_ms;
    m.speaks_ms = g->args.speaks_ms;
    m.lookback_ms = LOOKBACK_MS;
    m.series.v = NULL;
    m.series.n = m.series.cap = 0;
    for (size_t i = 0; i < g->month.series.n; i++)
        array_push(&m.series, g->month.series.v[i]);
    store_month(g->args.store, &m, take_month, g);
}

static bool more_months(const struct gather *g)
{
    return g->at < g->f.devices.n;
}

/* ---- Faults and tickets ---- */

static char *filter_month(struct gather *g)
{
    return xasprintf("{\"state\":\"all\",\"from\":\"%" PRId64 "\",\"to\":\"%" PRId64 "\"}", g->f.day_ms[0],
                     g->f.until_ms);
}

static void take_fault(struct gather *g, const json_t *row)
{
    ptrdiff_t device = findings_device(&g->f, row_int(row, "device_id"));
    struct found_fault f;

    if (device < 0 || json_is_true(json_object_get(row, "suppressed")))
        return;
    row_fault(row, &f);
    f.device = (size_t)device;
    f.to_ms = f.to_ms >= g->f.until_ms ? 0 : f.to_ms;
    array_push(&g->f.faults, f);
}

static void take_ticket(struct gather *g, const json_t *row)
{
    struct found_ticket t = {.device = findings_device(&g->f, row_int(row, "device_id"))};

    if (t.device < 0 && (row_int(row, "device_id") != 0 || !g->args.mine(g->args.ctx, row_text(row, "site"))))
        return;
    if (row_ticket(row, &t.ticket) < 0)
        return;
    t.state = t.ticket.state;
    t.closed_ms = t.ticket.closed_ms >= g->f.until_ms ? 0 : t.ticket.closed_ms;
    array_push(&g->f.tickets, t);
}

static char *filter_steps(struct gather *g)
{
    return xasprintf("{\"ticket\":\"%" PRId64 "\"}", g->f.tickets.v[g->at].ticket.id);
}

static void take_step(struct gather *g, const json_t *row)
{
    struct found_ticket *t = &g->f.tickets.v[g->at];
    struct ticket_step s = {.at_ms = row_int(row, "at_ms"), .loaner = json_is_true(json_object_get(row, "loaner"))};
    const char *state = row_text(row, "state");

    if (s.at_ms >= g->f.until_ms || !state || ticket_state_parse(state, &s.state) < 0)
        return;
    t->state = s.state;
    array_push(&t->steps, s);
}

static void add_promise(struct found_ticket *t, enum promise kind, const struct clock_reading *r)
{
    struct found_promise p = {.kind = kind, .due_ms = r->deadline_ms};
    bool stopped = r->stopped_ms != CLOCK_NEVER;

    if (r->state == CLOCK_NOT_STARTED || r->state == CLOCK_VOID || r->deadline_ms == CLOCK_NEVER || r->deadline_ms < 0)
        return;
    if (r->state == CLOCK_MET || (r->state == CLOCK_MISSED && stopped))
        p.met_ms = r->stopped_ms;
    p.outcome = r->state == CLOCK_MET ? OUTCOME_KEPT : r->state == CLOCK_MISSED ? OUTCOME_MISSED : OUTCOME_RUNNING;
    /* What the document says must follow from its stamps. */
    if (p.met_ms != 0)
        p.outcome = p.met_ms <= p.due_ms ? OUTCOME_KEPT : OUTCOME_MISSED;
    array_push(&t->promises, p);
}

/*
 * When it was closed, as it was known then: a ticket that is reopened later was closed all the same. False if that was
 * before the month.
 */
static bool close_by_steps(const struct findings *f, struct found_ticket *t)
{
    if (t->steps.n == 0)
        return true;
    t->closed_ms = ticket_state_open(t->state) ? 0 : t->steps.v[t->steps.n - 1].at_ms;
    return t->closed_ms == 0 || t->closed_ms >= f->day_ms[0];
}

static void read_promises(struct gather *g, struct found_ticket *t)
{
    const struct contract *c = g->args.contract(g->args.ctx, &t->ticket);

    for (int p = 0; c && p < PROMISE_COUNT; p++) {
        struct service_clock clock;
        struct clock_reading r;

        if (promise_applies((enum promise)p, t->ticket.kind) &&
            contract_clock(c, (enum promise)p, t->ticket.severity, &clock) &&
            clock_read(&clock, t->steps.v, t->steps.n, g->f.until_ms - 1, &r) == 0)
            add_promise(t, (enum promise)p, &r);
    }
}

/* After a ticket's history: how it stands against what was promised. */
static void end_ticket(struct gather *g)
{
    struct found_ticket *t = &g->f.tickets.v[g->at];

    if (close_by_steps(&g->f, t)) {
        read_promises(g, t);
        g->at++;
    } else {
        ticket_fini(&t->ticket);
        array_free(&t->steps);
        array_remove(&g->f.tickets, g->at);
    }
    go_on(g);
}

static bool more_tickets(const struct gather *g)
{
    return g->at < g->f.tickets.n;
}

/* ---- The patrol ---- */

static char *filter_rounds(struct gather *g)
{
    return xasprintf("{\"from\":\"%" PRId64 "\",\"to\":\"%" PRId64 "\"}", g->f.day_ms[0], g->f.day_ms[g->f.days]);
}

static void take_round(struct gather *g, const json_t *row)
{
    struct found_round r;

    if (!g->args.mine(g->args.ctx, row_text(row, "site")) || row_round(row, &r) < 0)
        return;
    array_push(&g->f.rounds, r);
}

static char *filter_round(struct gather *g)
{
    return xasprintf("{\"round\":\"%" PRId64 "\"}", g->f.rounds.v[g->at].id);
}

static void take_visit(struct gather *g, const json_t *row)
{
    struct found_visit v = {.id = row_int(row, "id"), .round = g->at};
    ptrdiff_t device = findings_device(&g->f, row_int(row, "device_id"));

    if (device < 0)
        return;
    v.device = (size_t)device;
    v.at_ms = row_int(row, "done_ms");
    array_push(&g->f.visits, v);
}

static void take_item(struct gather *g, const json_t *row)
{
    struct found_item i;

    if (findings_device(&g->f, row_int(row, "device_id")) >= 0 && row_item(row, &i) == 0)
        array_push(&g->f.items, i);
}

static bool more_rounds(const struct gather *g)
{
    return g->at < g->f.rounds.n;
}

static void next_round(struct gather *g)
{
    g->at++;
    go_on(g);
}

/* ---- One step after another ---- */

static void next_step(struct gather *g)
{
    g->step++;
    g->at = 0;
    go_on(g);
}

/*
 * A query, whose rows are taken one by one, and what follows when it has come to
 * its end: it is asked again while there are more that it can be asked of.
 */
static const struct step {
    const char *query;
    char *(*filters)(struct gather *g);
    void (*take)(struct gather *g, const json_t *row);
    void (*end)(struct gather *g);
    bool (*more)(const struct gather *g); /* NULL: it is asked once */
} steps[] = {
    {"devices", filter_devices, take_device, next_round, more_devices},
    {"components", filter_components, take_component, read_month, more_months},
    {"alerts", filter_month, take_fault, next_step, NULL},
    {"tickets", filter_month, take_ticket, next_step, NULL},
    {"ticket_steps", filter_steps, take_step, end_ticket, more_tickets},
    {"rounds", filter_rounds, take_round, next_step, NULL},
    {"visits", filter_round, take_visit, next_round, more_rounds},
    {"items", filter_round, take_item, next_round, more_rounds},
};
enum { STEPS = sizeof steps / sizeof *steps };

static void take_page(void *arg, const struct query_page *page)
{
    struct gather *g = arg;
    json_t *rows, *row;
    size_t i;

    if (g->cancelled) {
        gather_free(g);
        return;
    }
    if (page->err < 0) {
        give_up(g, page->err, page->why);
        return;
    }
    rows = json_loads(page->rows, 0, NULL);
    json_array_foreach(rows, i, row)
    {
        steps[g->step].take(g, row);
    }
    json_decref(rows);
    g->after = page->next;
    if (page->next == 0)
        steps[g->step].end(g);
    else
        go_on(g);
}

static void finish(struct gather *g)
{
    rows_sort(&g->f);
    findings_judge(&g->f);
    g->done(g->arg, 0, NULL, &g->f);
    g->f = (struct findings){0};
    gather_free(g);
}

/* The step's query, or its next page. */
static void ask(struct gather *g)
{
    char *filters = steps[g->step].filters(g);
    const struct query_args args = {
        .name = steps[g->step].query, .filters = filters, .after = g->after, .limit = PAGE_ROWS};

    store_query(g->args.store, &args, take_page, g);
    free(filters);
}

static void go_on(struct gather *g)
{
    while (g->step < STEPS && steps[g->step].more && g->after == 0 && !steps[g->step].more(g)) {
        g->step++;
        g->at = 0;
    }
    if (g->step == STEPS)
        finish(g);
    else
        ask(g);
}

struct gather *gather_start(const struct gather_args *args,
                            void (*done)(void *arg, int err, const char *why, struct findings *f), void *arg)
{
    struct gather *g = xcalloc(1, sizeof *g);
    struct date first = date_of_day(args->first_day);
    struct store_state state;

    g->args = *args;
    g->done = done;
    g->arg = arg;
    findings_init(&g->f);
    g->f.first_day = args->first_day;
    g->f.days = (unsigned)date_month_days(first.year, first.month);
    for (unsigned i = 0; i <= g->f.days; i++)
        g->f.day_ms[i] = zone_wall_ms(args->zone, (args->first_day + i) * DATE_DAY_MS);
    g->f.as_of_ms = args->now_ms;
    g->f.until_ms = args->now_ms < g->f.day_ms[g->f.days] ? args->now_ms : g->f.day_ms[g->f.days];
    store_state(args->store, &state);
    g->f.as_of_event = state.last_event;
    ask(g);
    return g;
}

void gather_cancel(struct gather *g)
{
    if (g)
        g->cancelled = true;
}
