#include "patrol/patrol.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "patrol/internal.h"

/* The wall clock may be set while the timer, on the other clock, waits: it looks again now and then. */
enum { LONGEST_WAIT_MS = 10 * 60 * 1000 };

static void turn(void *arg);

struct patrol *patrol_new(const struct patrol_config *config)
{
    struct patrol *p = xcalloc(1, sizeof *p);

    p->config = *config;
    p->cursors = dict_new();
    p->rounds = u64dict_new();
    p->zones = dict_new();
    timer_init(&p->timer, turn, p);
    return p;
}

/* ---- Rounds in memory ---- */

void round_drop_visits(struct open_round *r)
{
    for (size_t i = 0; i < r->visits.n; i++) {
        struct open_visit *v = r->visits.v[i];

        for (size_t k = 0; k < v->items.n; k++)
            visit_item_fini(&v->items.v[k]);
        array_free(&v->items);
        visit_fini(&v->v);
        free(v);
    }
    array_free(&r->visits);
}

static void round_free(struct open_round *r)
{
    round_drop_visits(r);
    round_fini(&r->r);
    free(r);
}

void round_drop(struct patrol *p, struct open_round *r)
{
    u64dict_del(p->rounds, (uint64_t)r->r.id);
    round_free(r);
}

struct open_round *round_find(const struct patrol *p, int64_t id)
{
    return u64dict_get(p->rounds, (uint64_t)id);
}

void patrol_free(struct patrol *p)
{
    size_t at = 0;
    const char *name;
    uint64_t id;
    void *v;

    if (!p)
        return;
    wheel_unset(p->config.services.wheel, &p->timer);
    plans_close(p);
    while (u64dict_next(p->rounds, &at, &id, &v))
        round_free(v);
    for (at = 0; dict_next(p->cursors, &at, &name, &v);)
        cursor_free(v);
    for (at = 0; dict_next(p->zones, &at, &name, &v);)
        zone_free(v);
    u64dict_free(p->rounds);
    dict_free(p->cursors);
    dict_free(p->zones);
    free(p);
}

struct event *round_event(struct patrol *p, struct change *c, const struct round *r, const char *kind,
                          const char *actor)
{
    struct event *e = change_event(c, patrol_now(p), kind);

    event_arg_int(e, "round", r->id);
    event_arg(e, "plan", r->plan);
    event_arg(e, "site", r->site);
    e->actor = xstrdup_null(actor);
    return e;
}

void round_tell(struct patrol *p, struct change *c, const struct open_round *r, enum patrol_news news, int times)
{
    struct patrol_letter l = {.round = &r->r, .news = news, .times = times, .visits = (int)r->visits.n};

    for (size_t i = 0; i < r->visits.n; i++)
        l.visits_done += r->visits.v[i]->v.state == VISIT_DONE || r->visits.v[i]->v.state == VISIT_GONE;
    p->config.ops.tell(p->config.ops.ctx, c, &l);
}

void round_go(struct round *r, enum round_verb verb)
{
    int rc = round_next(r->state, verb, &r->state);

    assert(rc == 0);
    (void)rc;
}

/* ---- From the store ---- */

void patrol_load_round(struct patrol *p, const struct round *r)
{
    struct open_round *o = xcalloc(1, sizeof *o);

    round_copy(&o->r, r);
    u64dict_put(p->rounds, (uint64_t)r->id, o);
}

void patrol_load_visit(struct patrol *p, const struct visit *v)
{
    struct open_round *r = round_find(p, v->round_id);
    struct open_visit *o;

    if (!r)
        return;
    o = xcalloc(1, sizeof *o);
    visit_copy(&o->v, v);
    array_push(&r->visits, o);
}

/* They were loaded in order of id. */
static int by_visit_id(const void *id, const void *visit)
{
    int64_t wanted = *(const int64_t *)id, is = (*(struct open_visit *const *)visit)->v.id;

    return wanted < is ? -1 : wanted > is;
}

void patrol_load_item(struct patrol *p, const struct visit_item *i)
{
    const struct open_round *r = round_find(p, i->round_id);
    struct open_visit *const *v = NULL;
    struct visit_item copy;

    if (r && r->visits.n > 0)
        v = bsearch(&i->visit_id, r->visits.v, r->visits.n, sizeof *r->visits.v, by_visit_id);
    if (!v)
        return;
    visit_item_copy(&copy, i);
    array_push(&(*v)->items, copy);
}

void patrol_set_last_ids(struct patrol *p, int64_t round_id, int64_t visit_id, int64_t item_id)
{
    p->last_round = round_id;
    p->last_visit = visit_id;
    p->last_item = item_id;
}

/* ---- Time ---- */

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void patrol_wind(struct patrol *p)
{
    int64_t now = patrol_now(p), due = now + LONGEST_WAIT_MS;
    size_t at = 0;
    uint64_t id;
    void *r;

    if (!p->started)
        return;
    if (p->plans.n == 0 && u64dict_count(p->rounds) == 0) {
        wheel_unset(p->config.services.wheel, &p->timer);
        return;
    }
    for (size_t i = 0; i < p->plans.n; i++)
        if (p->plans.v[i].has_next)
            due = sooner(due, p->plans.v[i].next.at_ms);
    while (u64dict_next(p->rounds, &at, &id, &r))
        due = sooner(due, round_due(p, r));
    wheel_set(p->config.services.wheel, &p->timer, clock_mono(&p->config.services.clock) + (due > now ? due - now : 0));
}

/* Everything whose time has come. */
static void turn(void *arg)
{
    struct patrol *p = arg;
    int64_t now = patrol_now(p);
    size_t at = 0;
    uint64_t id;
    void *r;

    for (size_t i = 0; i < p->plans.n; i++)
        while (p->plans.v[i].has_next && p->plans.v[i].next.at_ms <= now)
            occurrence_make(p, &p->plans.v[i]);
    while (u64dict_next(p->rounds, &at, &id, &r))
        round_watch(p, r);
    patrol_wind(p);
}

static void open_plans(struct patrol *p)
{
    struct change *c = change_new();

    plans_open(p, c);
    if (change_empty(c))
        change_free(c);
    else
        p->config.ops.submit(p->config.ops.ctx, c);
}

void patrol_start(struct patrol *p)
{
    p->started = true;
    open_plans(p);
    turn(p);
}

void patrol_reload(struct patrol *p, const struct settings *settings, const struct knowledge *knowledge)
{
    plans_close(p);
    p->config.settings = settings;
    p->config.knowledge = knowledge;
    open_plans(p);
    turn(p);
}

void patrol_site_renamed(struct patrol *p, const char *from, const char *to, struct change *c)
{
    size_t at = 0;
    uint64_t id;
    void *v;

    while (u64dict_next(p->rounds, &at, &id, &v)) {
        struct open_round *r = v;

        if (!str_eq(r->r.site, from))
            continue;
        xstrset(&r->r.site, to);
        change_put_round(c, &r->r);
    }
}

/* ---- What is known ---- */

const struct round *patrol_round(const struct patrol *p, int64_t id)
{
    const struct open_round *r = round_find(p, id);

    return r ? &r->r : NULL;
}

size_t patrol_open_rounds(const struct patrol *p)
{
    size_t at = 0, n = 0;
    uint64_t id;
    void *r;

    while (u64dict_next(p->rounds, &at, &id, &r))
        n += round_state_open(((struct open_round *)r)->r.state);
    return n;
}

/* The open rounds of a plan; *first is one of them. */
static size_t rounds_of(const struct patrol *p, const char *plan, int64_t *first, struct sbuf *which)
{
    size_t at = 0, n = 0;
    uint64_t id;
    void *v;

    while (u64dict_next(p->rounds, &at, &id, &v)) {
        const struct round *r = &((struct open_round *)v)->r;

        if (!round_state_open(r->state) || !str_eq(r->plan, plan))
            continue;
        *first = n == 0 ? r->id : *first;
        sbuf_addf(which, "%s%" PRId64 " (%s)", n > 0 ? ", " : "", r->id, r->site);
        n++;
    }
    return n;
}

int patrol_ref(const struct patrol *p, const char *ref, int64_t *id, char **why)
{
    struct sbuf which = {0};
    int64_t first = 0;
    size_t n = 0;
    int rc = 0;

    if (str_to_i64(ref, id) == 0 && round_find(p, *id))
        return 0;
    n = rounds_of(p, ref, &first, &which);
    if (n == 1) {
        *id = first;
    } else if (n > 1) {
        *why = xasprintf("plan '%s' has several open rounds: say which, %s", ref, which.s);
        rc = PD_EINVAL;
    } else {
        *why = xasprintf("there is no open round '%s'", ref);
        rc = PD_ENOENT;
    }
    sbuf_free(&which);
    return rc;
}
