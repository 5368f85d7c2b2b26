#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/report.h"
#include "patrol/internal.h"

/* ---- Cursors ---- */

#define META_PREFIX "plan."

void cursor_put(struct change *c, const struct cursor *k)
{
    char *name = xasprintf(META_PREFIX "%s", k->plan);
    char *value = xasprintf("%" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, k->at_ms, k->n, k->rule_n, k->done_ms);

    change_put_meta(c, name, value);
    free(name);
    free(value);
}

void cursor_free(struct cursor *k)
{
    free(k->plan);
    free(k);
}

static struct cursor *cursor_new(struct patrol *p, const char *plan)
{
    struct cursor *k = xcalloc(1, sizeof *k);

    k->plan = xstrdup(plan);
    k->at_ms = -1;
    dict_put(p->cursors, plan, k);
    return k;
}

void patrol_load_meta(struct patrol *p, const char *name, const char *value)
{
    struct cursor read, *k;

    if (!str_starts(name, META_PREFIX))
        return;
    if (sscanf(value, "%" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &read.at_ms, &read.n, &read.rule_n,
               &read.done_ms) != 4) {
        log_error("patrol", "what was kept of plan %s makes no sense: it begins anew", name + strlen(META_PREFIX));
        return;
    }
    k = cursor_new(p, name + strlen(META_PREFIX));
    read.plan = k->plan;
    *k = read;
}

/* ---- Plans ---- */

static int make_schedule(const struct plan *plan, enum schedule_anchor anchor, const struct zone *zone,
                         const struct calendar *calendar, struct schedule **out, char **why)
{
    const struct schedule_spec spec = {
        .rule = plan->rule,
        .start_day = plan->start_day,
        .at_minute = plan->at_minute,
        .shift = plan->shift,
        .anchor = anchor,
        .zone = zone,
        .calendar = calendar,
    };

    return schedule_new(&spec, out, why);
}

int patrol_check_plans(const struct settings *settings, const struct knowledge *knowledge, struct conf_report *report)
{
    struct zone *zone = NULL;
    int rc = zone_open("UTC", &zone);

    for (size_t i = 0; i < settings->plans.n && zone; i++) {
        const struct plan *plan = &settings->plans.v[i];
        const struct calendar *calendar = plan->calendar ? knowledge_calendar(knowledge, plan->calendar) : NULL;
        struct schedule *s = NULL;
        char *why = NULL;

        if (make_schedule(plan, plan->anchor, zone, calendar, &s, &why) < 0) {
            conf_error_where(report, &plan->rule_where, "%s", why ? why : "is no rule");
            rc = PD_EINVAL;
        }
        schedule_free(s);
        free(why);
    }
    zone_free(zone);
    return rc;
}

static void plan_open(struct patrol *p, const struct plan *plan, struct change *c)
{
    const struct calendar *calendar = plan->calendar ? knowledge_calendar(p->config.knowledge, plan->calendar) : NULL;
    struct planned *pl;
    char *why = NULL;

    array_push(&p->plans, ((struct planned){.plan = plan}));
    pl = &p->plans.v[p->plans.n - 1];
    if (calendar) {
        pl->calendar = *calendar;
        pl->calendar.zone = p->zone;
    }
    pl->cursor = dict_get(p->cursors, plan->name);
    if (!pl->cursor)
        pl->cursor = cursor_new(p, plan->name);
    if (pl->cursor->at_ms < 0) {
        pl->cursor->at_ms = patrol_now(p);
        cursor_put(c, pl->cursor);
    }
    /* The plans stand still in the array by now: the schedule borrows its calendar from there. */
    if (make_schedule(plan, plan->anchor, p->zone, calendar ? &pl->calendar : NULL, &pl->schedule, &why) < 0)
        log_error("patrol", "plan %s falls due never: %s", plan->name, why ? why : "its rule is none");
    free(why);
    planned_next(p, pl);
}

/* A plan that is taken away and comes back later begins anew. */
static void forget_gone(struct patrol *p, struct change *c)
{
    size_t at = 0;
    const char *name;
    void *cursor;

    while (dict_next(p->cursors, &at, &name, &cursor)) {
        struct cursor *k = cursor;
        bool known = false;

        for (size_t i = 0; i < p->config.settings->plans.n && !known; i++)
            known = str_eq(p->config.settings->plans.v[i].name, name);
        if (known || k->at_ms < 0)
            continue;
        k->at_ms = -1;
        k->rule_n = k->done_ms = 0;
        cursor_put(c, k);
    }
}

static struct zone *open_zone(const char *name)
{
    struct zone *z = NULL;

    if (zone_open(name ? name : "UTC", &z) < 0) {
        log_warn("patrol", "unknown time zone '%s': plans go by UTC", name);
        zone_open("UTC", &z);
    }
    return z;
}

void plans_open(struct patrol *p, struct change *c)
{
    p->zone = open_zone(p->config.settings->time_zone);
    array_reserve(&p->plans, p->config.settings->plans.n);
    for (size_t i = 0; i < p->config.settings->plans.n; i++)
        plan_open(p, &p->config.settings->plans.v[i], c);
    forget_gone(p, c);
}

void plans_close(struct patrol *p)
{
    for (size_t i = 0; i < p->plans.n; i++)
        schedule_free(p->plans.v[i].schedule);
    array_free(&p->plans);
    zone_free(p->zone);
    p->zone = NULL;
}

/* The first one of a plan that counts from when it was done: by its rule, as if it had been followed so far. */
static int first_by_rule(const struct patrol *p, struct planned *pl)
{
    const struct calendar *calendar = pl->calendar.zone ? &pl->calendar : NULL;
    struct schedule *s;
    char *why = NULL;
    int rc = make_schedule(pl->plan, SCHEDULE_FROM_DUE, p->zone, calendar, &s, &why);

    free(why);
    if (rc < 0)
        return rc;
    rc = schedule_first_after(s, pl->cursor->at_ms, &pl->next);
    schedule_free(s);
    return rc;
}

void planned_next(struct patrol *p, struct planned *pl)
{
    const struct cursor *k = pl->cursor;
    int rc;

    pl->has_next = false;
    if (!pl->schedule)
        return;
    if (pl->plan->anchor == SCHEDULE_FROM_DUE)
        rc = schedule_first_after(pl->schedule, k->at_ms, &pl->next);
    else if (k->rule_n == 0)
        rc = first_by_rule(p, pl);
    else if (k->done_ms > 0)
        rc = schedule_after_done(pl->schedule, k->rule_n, k->done_ms, &pl->next);
    else
        return; /* it depends on when the last one is done */
    if (rc < 0 && rc != PD_ENOENT)
        log_warn("patrol", "plan %s: when it falls due next is not known: %s", pl->plan->name, pd_strerror(rc));
    pl->has_next = rc == 0;
}

static bool is_open(const struct patrol *p, const struct round *like)
{
    size_t at = 0;
    uint64_t id;
    void *r;

    while (u64dict_next(p->rounds, &at, &id, &r)) {
        const struct round *other = &((struct open_round *)r)->r;

        if (round_state_open(other->state) && other->n == like->n && str_eq(other->plan, like->plan))
            return true;
    }
    return false;
}

void plan_settle(struct patrol *p, const struct round *r, struct change *c)
{
    for (size_t i = 0; i < p->plans.n; i++) {
        struct planned *pl = &p->plans.v[i];

        if (!str_eq(pl->plan->name, r->plan) || pl->plan->anchor != SCHEDULE_FROM_DONE || pl->cursor->n != r->n ||
            pl->cursor->done_ms > 0 || is_open(p, r))
            continue;
        pl->cursor->done_ms = patrol_now(p);
        cursor_put(c, pl->cursor);
        planned_next(p, pl);
    }
}

/* ---- Scope ---- */

const char *device_site(const struct patrol *p, const struct device *d)
{
    return d->site ? d->site : p->config.settings->site;
}

static bool list_fits(char *const *list, size_t n, const char *value)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i], value))
            return true;
    return n == 0;
}

/* Whether one of a device's labels ("a=b,c") is the wanted one: "a=b", or "a" whatever its value. */
static bool has_label(const char *labels, const char *wanted)
{
    size_t want = strlen(wanted);

    for (const char *p = labels; p && *p;) {
        size_t n, name;

        p += strspn(p, " ,");
        n = strcspn(p, ",");
        while (n > 0 && p[n - 1] == ' ')
            n--;
        name = strcspn(p, "=,");
        if ((n == want || (name == want && p[name] == '=')) && strncmp(p, wanted, want) == 0)
            return true;
        p += strcspn(p, ",");
    }
    return false;
}

static bool any_label(const struct plan *plan, const struct device *d)
{
    for (size_t i = 0; i < plan->labels.n; i++)
        if (has_label(d->labels, plan->labels.v[i]))
            return true;
    return plan->labels.n == 0;
}

bool plan_fits(const struct patrol *p, const struct plan *plan, const struct device *d)
{
    const char *site = device_site(p, d);

    return list_fits(plan->sites.v, plan->sites.n, site) &&
           list_fits(plan->classes.v, plan->classes.n, d->device_class) && any_label(plan, d) &&
           (plan->customers.n == 0 ||
            list_fits(plan->customers.v, plan->customers.n, p->config.ops.customer(p->config.ops.ctx, site)));
}

/* ---- What is coming ---- */

void patrol_upcoming(const struct patrol *p, int64_t from_ms, int64_t to_ms,
                     void (*fn)(void *ctx, const struct plan *plan, int64_t due_ms), void *ctx)
{
    for (size_t i = 0; i < p->plans.n; i++) {
        const struct planned *pl = &p->plans.v[i];
        struct occurrences list = {0};

        if (pl->schedule && pl->plan->anchor == SCHEDULE_FROM_DUE)
            schedule_due(pl->schedule, from_ms, to_ms, &list);
        else if (pl->has_next && pl->next.at_ms > from_ms && pl->next.at_ms <= to_ms)
            array_push(&list, pl->next);
        for (size_t k = 0; k < list.n; k++)
            fn(ctx, pl->plan, list.v[k].at_ms);
        array_free(&list);
    }
}

struct census {
    const struct patrol *p;
    const struct plan *plan;
    const char *site; /* NULL: any */
    size_t n;
};

static void count_device(void *arg, const struct device *d)
{
    struct census *c = arg;

    if ((!c->site || str_eq(c->site, device_site(c->p, d))) && plan_fits(c->p, c->plan, d))
        c->n++;
}

bool patrol_covers(const struct patrol *p, const struct plan *plan, const char *site)
{
    struct census c = {.p = p, .plan = plan, .site = site};

    p->config.ops.devices(p->config.ops.ctx, count_device, &c);
    return c.n > 0;
}

static void view_rounds(const struct patrol *p, struct patrol_plan_view *v)
{
    size_t at = 0;
    uint64_t id;
    void *r;

    while (u64dict_next(p->rounds, &at, &id, &r))
        v->open_rounds += str_eq(((struct open_round *)r)->r.plan, v->plan->name) &&
                          round_state_open(((struct open_round *)r)->r.state);
}

static void view_next(const struct planned *pl, struct patrol_plan_view *v)
{
    struct occurrence o = pl->next;

    for (size_t i = 0; pl->has_next && i < sizeof v->next_ms / sizeof *v->next_ms; i++) {
        v->next_ms[i] = o.at_ms;
        if (pl->plan->anchor != SCHEDULE_FROM_DUE || schedule_first_after(pl->schedule, o.at_ms, &o) < 0)
            return;
    }
}

void patrol_plans(const struct patrol *p, void (*fn)(void *ctx, const struct patrol_plan_view *v), void *ctx)
{
    for (size_t i = 0; i < p->plans.n; i++) {
        const struct planned *pl = &p->plans.v[i];
        struct census c = {.p = p, .plan = pl->plan};
        struct patrol_plan_view v = {.plan = pl->plan, .last_n = pl->cursor->n};

        p->config.ops.devices(p->config.ops.ctx, count_device, &c);
        v.devices = c.n;
        view_rounds(p, &v);
        view_next(pl, &v);
        if (v.last_n > 0)
            v.last_ms = pl->cursor->at_ms;
        fn(ctx, &v);
    }
}
