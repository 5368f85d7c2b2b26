#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "patrol/internal.h"

/* An occurrence being made: one change with all its rounds, or tickets, and how far the plan has come. */
struct making {
    struct patrol *p;
    const struct planned *pl;
    struct change *c;
    int64_t n;
    ARRAY(struct open_round *) rounds; /* one a site */
    ARRAY(char *) sites;               /* that have their ticket */
    size_t made;
};

/* ---- Rounds ---- */

static struct open_round *round_of(struct making *m, const char *site)
{
    const struct plan *plan = m->pl->plan;
    struct open_round *r;

    for (size_t i = 0; i < m->rounds.n; i++)
        if (str_eq(m->rounds.v[i]->r.site, site))
            return m->rounds.v[i];
    r = xcalloc(1, sizeof *r);
    r->r = (struct round){
        .id = ++m->p->last_round,
        .plan = xstrdup(plan->name),
        .n = m->n,
        .title_en = xstrdup_null(plan->title[LANG_EN]),
        .title_zh_CN = xstrdup_null(plan->title[LANG_ZH_CN]),
        .site = xstrdup(site),
        .state = ROUND_PLANNED,
        .due_ms = m->pl->next.at_ms,
        .deadline_ms = m->pl->next.at_ms + plan->grace_ms,
        .made_ms = patrol_now(m->p),
        .technician = xstrdup_null(plan->technician),
    };
    round_go(&r->r, ROUND_GENERATE);
    array_push(&m->rounds, r);
    u64dict_put(m->p->rounds, (uint64_t)r->r.id, r);
    change_put_round(m->c, &r->r);
    return r;
}

static const struct checklist *checklist_of(const struct making *m, const struct device *d)
{
    const struct knowledge *k = m->p->config.knowledge;
    const struct checklist *list = NULL;

    if (m->pl->plan->checklist)
        return knowledge_checklist(k, m->pl->plan->checklist);
    if (d->device_class)
        list = knowledge_checklist(k, d->device_class);
    return list ? list : knowledge_checklist(k, CHECKLIST_OTHER);
}

static void add_items(struct making *m, struct open_visit *v, const struct checklist *list)
{
    for (size_t i = 0; i < list->items.n; i++) {
        const struct check_item *from = &list->items.v[i];
        struct visit_item item = {
            .id = ++m->p->last_item,
            .round_id = v->v.round_id,
            .visit_id = v->v.id,
            .n = (int)i + 1,
            .code = xstrdup(from->code),
            .title_en = xstrdup_null(from->title[LANG_EN]),
            .title_zh_CN = xstrdup_null(from->title[LANG_ZH_CN]),
            .polled = from->kind != NULL,
            .result = RESULT_OPEN,
        };

        array_push(&v->items, item);
        change_put_item(m->c, &item);
    }
}

static void add_visit(struct making *m, const struct device *d)
{
    const struct checklist *list = checklist_of(m, d);
    struct open_round *r;
    struct open_visit *v;

    if (!list) {
        log_warn("patrol", "plan %s: there is no checklist for %s", m->pl->plan->name, d->name);
        return;
    }
    r = round_of(m, device_site(m->p, d));
    v = xcalloc(1, sizeof *v);
    v->v = (struct visit){
        .id = ++m->p->last_visit,
        .round_id = r->r.id,
        .n = (int)r->visits.n + 1,
        .device_id = d->id,
        .device = xstrdup(d->name),
        .device_class = xstrdup_null(d->device_class),
        .checklist = xstrdup(list->name),
        .state = VISIT_OPEN,
    };
    array_push(&r->visits, v);
    change_put_visit(m->c, &v->v);
    add_items(m, v, list);
    visit_poll(m->p, v, m->c);
}

static void tell_rounds(struct making *m)
{
    for (size_t i = 0; i < m->rounds.n; i++) {
        const struct open_round *r = m->rounds.v[i];
        struct event *e = round_event(m->p, m->c, &r->r, "round.generated", NULL);

        event_arg_int(e, "n", r->r.n);
        event_arg_int(e, "visits", (int64_t)r->visits.n);
        round_tell(m->p, m->c, r, NEWS_ROUND_DUE, 1);
    }
}

/* ---- Preventive tickets ---- */

static void open_preventive(struct making *m, const struct device *d, const char *site)
{
    const struct plan *plan = m->pl->plan;
    const struct patrol_ops *ops = &m->p->config.ops;
    enum lang lang = m->p->config.settings->lang;
    char *origin = d ? xasprintf("plan %s %" PRId64 " device %" PRId64, plan->name, m->n, d->id)
                     : xasprintf("plan %s %" PRId64 " site %s", plan->name, m->n, site);
    const struct patrol_wish wish = {
        .kind = TICKET_KIND_PREVENTIVE,
        .device_id = d ? d->id : 0,
        .site = site,
        .title = plan->title[lang]      ? plan->title[lang]
                 : plan->title[LANG_EN] ? plan->title[LANG_EN]
                                        : plan->name,
        .severity = SEVERITY_INFO,
        .label = plan->name,
        .origin = origin,
    };
    int64_t id;
    int rc = ops->ticket(ops->ctx, m->c, &wish, NULL, &id);

    if (rc < 0)
        log_error("patrol", "%s: no ticket: %s", origin, pd_strerror(rc));
    m->made++;
    free(origin);
}

static void add_preventive(struct making *m, const struct device *d)
{
    const char *site = device_site(m->p, d);

    if (m->pl->plan->each_device) {
        open_preventive(m, d, site);
        return;
    }
    for (size_t i = 0; i < m->sites.n; i++)
        if (str_eq(m->sites.v[i], site))
            return;
    array_push(&m->sites, xstrdup(site));
    open_preventive(m, NULL, site);
}

/* ---- All of it ---- */

/* First only gathered: a ticket that is opened may move what the devices are given from. */
struct gathered {
    const struct making *m;
    ARRAY(int64_t) devices;
};

static void gather(void *arg, const struct device *d)
{
    struct gathered *g = arg;

    if (plan_fits(g->m->p, g->m->pl->plan, d))
        array_push(&g->devices, d->id);
}

static void fill_in(struct making *m)
{
    const struct patrol_ops *ops = &m->p->config.ops;
    struct gathered g = {.m = m};

    ops->devices(ops->ctx, gather, &g);
    for (size_t i = 0; i < g.devices.n; i++) {
        const struct device *d = ops->device(ops->ctx, g.devices.v[i]);

        if (d && m->pl->plan->kind == PLAN_PATROL)
            add_visit(m, d);
        else if (d)
            add_preventive(m, d);
    }
    array_free(&g.devices);
    tell_rounds(m);
    m->made += m->rounds.n;
}

static void note_empty(struct making *m)
{
    struct event *e = change_event(m->c, patrol_now(m->p), "plan.empty");

    event_arg(e, "plan", m->pl->plan->name);
    event_arg_int(e, "n", m->n);
}

void occurrence_make(struct patrol *p, struct planned *pl)
{
    struct making m = {.p = p, .pl = pl, .c = change_new(), .n = pl->cursor->n + 1};
    struct cursor *k = pl->cursor;

    fill_in(&m);
    if (m.made == 0)
        note_empty(&m);
    k->n = m.n;
    k->at_ms = pl->next.at_ms;
    k->rule_n = pl->next.n;
    k->done_ms = m.rounds.n > 0 ? 0 : patrol_now(p);
    cursor_put(m.c, k);
    p->config.ops.submit(p->config.ops.ctx, m.c);
    for (size_t i = 0; i < m.sites.n; i++)
        free(m.sites.v[i]);
    array_free(&m.sites);
    array_free(&m.rounds);
    planned_next(p, pl);
}
