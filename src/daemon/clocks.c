#include "daemon/clocks.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"

/* ---- Rows ---- */

static json_t *stamp_or_null(int64_t ms)
{
    return ms == CLOCK_NEVER ? json_null() : json_integer((json_int_t)ms);
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

struct rows {
    struct core *core;
    const struct ticket *ticket;
    const struct contract *contract;
    enum clock_level told[PROMISE_COUNT];
    const char *wanted; /* the filter "state"; NULL: all */
    json_t *list;
};

/* "soon": three quarters are over, the deadline is not. */
static const char *state_of(const struct clock_reading *r, int64_t now)
{
    if (r->stopped_ms == CLOCK_NEVER && r->state != CLOCK_MISSED && r->at_75_ms <= now)
        return "soon";
    return clock_state_name(r->state);
}

static void add_row(void *ctx, const struct ticket_promise *p)
{
    const struct rows *rows = ctx;
    const struct ticket *t = rows->ticket;
    const struct device *d = watch_device(rows->core->watch, t->device_id);
    const struct clock_reading *r = &p->reading;
    const char *state = state_of(r, clock_wall(&rows->core->config.services.clock));
    json_t *row;

    if (rows->wanted && !str_eq(rows->wanted, state))
        return;
    row = json_pack("{s:I, s:s, s:o, s:s, s:s, s:s, s:s, s:b, s:s}", "ticket_id", (json_int_t)t->id, "ticket",
                    t->number, "device", text_or_null(d ? d->name : NULL), "promise", promise_name(p->promise),
                    "contract", rows->contract->name, "priority", priority_name(p->priority), "state", state, "goes_on",
                    r->stopped_ms == CLOCK_NEVER, "told", clock_level_name(rows->told[p->promise]));
    json_object_set_new(row, "goal_s", json_integer((json_int_t)(p->goal_ms / 1000)));
    json_object_set_new(row, "left_s", json_integer((json_int_t)((p->goal_ms - r->elapsed_ms) / 1000)));
    json_object_set_new(row, "started_ms", stamp_or_null(r->started_ms));
    json_object_set_new(row, "stopped_ms", stamp_or_null(r->stopped_ms));
    json_object_set_new(row, "deadline_ms", stamp_or_null(r->deadline_ms));
    json_array_append_new(rows->list, row);
}

static void rows_of(struct rows *rows, const struct ticket *t)
{
    rows->ticket = t;
    rows->contract = core_contract_of(rows->core, t);
    levels_parse(t->told, rows->told);
}

/* ---- Open ones ---- */

static bool take_filters(struct live_args *a, const char **state)
{
    static const char *const filters[] = {"ticket", "state", NULL};
    static const char *const states[] = {"not-started", "running", "paused", "met", "missed", "void", "soon", NULL};
    size_t i = 0;

    if (!live_check_filters(a, filters))
        return false;
    *state = json_string_value(json_object_get(a->filters, "state"));
    while (*state && states[i] && !str_eq(states[i], *state))
        i++;
    if (!*state || states[i])
        return true;
    a->err = PD_EINVAL;
    a->why = xstrdup("filter \"state\" is one of not-started, running, soon, paused, met, missed, void");
    return false;
}

/* The filter "ticket" as text, NULL if it is not given; free it. */
static char *wanted_ticket(const json_t *filters)
{
    const json_t *which = json_object_get(filters, "ticket");

    if (json_is_integer(which))
        return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(which));
    return xstrdup_null(json_string_value(which));
}

/* The id of the open ticket that the filter names; 0. */
static int64_t open_ticket(struct core *c, const char *ref)
{
    int64_t id = desk_ticket_by_number(c->desk, ref);

    if (id == 0 && (str_to_i64(ref, &id) < 0 || !desk_ticket(c->desk, id)))
        id = 0;
    return id;
}

/* Open tickets, to be gone through in order of id. */
struct tickets {
    ARRAY(const struct ticket *) list;
};

static void collect(void *ctx, const struct ticket *t)
{
    struct tickets *tickets = ctx;

    array_push(&tickets->list, t);
}

static int by_id(const void *a, const void *b)
{
    const struct ticket *x = *(const struct ticket *const *)a, *y = *(const struct ticket *const *)b;

    return (x->id > y->id) - (x->id < y->id);
}

static void add_rows(struct rows *rows, const struct ticket *t)
{
    rows_of(rows, t);
    desk_clocks(rows->core->desk, t->id, clock_wall(&rows->core->config.services.clock), add_row, rows);
}

/* As many tickets beyond the cursor as a page has. */
static void add_page(struct rows *rows, struct live_args *a)
{
    struct tickets tickets = {0};
    int64_t last = 0;
    size_t n = 0;

    desk_tickets(rows->core->desk, collect, &tickets);
    if (tickets.list.n > 0)
        qsort(tickets.list.v, tickets.list.n, sizeof *tickets.list.v, by_id);
    for (size_t i = 0; i < tickets.list.n; i++) {
        const struct ticket *t = tickets.list.v[i];

        if (t->id <= a->after)
            continue;
        if (n++ == a->limit) {
            a->next = last;
            break;
        }
        add_rows(rows, t);
        last = t->id;
    }
    array_free(&tickets.list);
}

json_t *clocks_query(struct core *c, struct live_args *a)
{
    struct rows rows = {.core = c};
    const struct ticket *t;
    char *ref;

    if (!take_filters(a, &rows.wanted))
        return NULL;
    rows.list = json_array();
    ref = wanted_ticket(a->filters);
    t = ref ? desk_ticket(c->desk, open_ticket(c, ref)) : NULL;
    if (t)
        add_rows(&rows, t);
    else if (!ref)
        add_page(&rows, a);
    free(ref);
    return rows.list;
}

/* ---- Ended ones ---- */

bool clocks_are_past(struct core *c, const json_t *filters)
{
    char *ref = wanted_ticket(filters);
    bool past = ref && open_ticket(c, ref) == 0;

    free(ref);
    return past;
}

struct past {
    struct core *core;
    char *state;
    void (*done)(void *arg, json_t *rows, int err, const char *why);
    void *arg;
};

static void fetched(void *arg, const struct fetched_ticket *f)
{
    struct past *p = arg;
    struct rows rows = {.core = p->core, .wanted = p->state};
    int64_t now = clock_wall(&p->core->config.services.clock);

    if (f->err == 0) {
        rows.list = json_array();
        rows_of(&rows, f->ticket);
        for (int i = 0; i < PROMISE_COUNT; i++) {
            struct ticket_promise promise;

            if (ticket_clock(rows.contract, f->ticket, (enum promise)i, f->steps, f->nsteps, now, &promise) == 0)
                add_row(&rows, &promise);
        }
    }
    p->done(p->arg, rows.list, f->err, f->why);
    free(p->state);
    free(p);
}

void clocks_fetch(struct core *c, const json_t *filters,
                  void (*done)(void *arg, json_t *rows, int err, const char *why), void *arg)
{
    struct live_args a = {.filters = filters};
    const char *state;
    struct past *p;
    char *ref;

    if (!take_filters(&a, &state)) {
        done(arg, NULL, a.err, a.why);
        free(a.why);
        return;
    }
    p = xcalloc(1, sizeof *p);
    p->core = c;
    p->state = xstrdup_null(state);
    p->done = done;
    p->arg = arg;
    ref = wanted_ticket(filters);
    ticket_fetch(c, ref, fetched, p);
    free(ref);
}
