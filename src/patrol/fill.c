#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "patrol/internal.h"

enum { MOST_NAMED = 5 };

/* ---- Finding what is meant ---- */

/* An open round, or NULL and an error with *why. */
static struct open_round *want_round(const struct patrol *p, int64_t id, int *rc, char **why)
{
    struct open_round *r = round_find(p, id);

    if (!r) {
        *why = xasprintf("there is no open round %" PRId64, id);
        *rc = PD_ENOENT;
        return NULL;
    }
    if (!round_state_open(r->r.state)) {
        *why = xasprintf("round %" PRId64 " is %s: nothing can be changed in it", id, round_state_name(r->r.state));
        *rc = PD_ESTATE;
        return NULL;
    }
    return r;
}

static struct open_visit *find_visit(const struct open_round *r, const char *device, char **why)
{
    ARRAY(const char *) names = {0};
    const char *near;
    int64_t id = 0;

    if (str_to_i64(device, &id) < 0)
        id = 0;
    for (size_t i = 0; i < r->visits.n; i++)
        if (str_eq(r->visits.v[i]->v.device, device))
            return r->visits.v[i];
    for (size_t i = 0; i < r->visits.n; i++)
        if (id != 0 && r->visits.v[i]->v.device_id == id)
            return r->visits.v[i];
    for (size_t i = 0; i < r->visits.n; i++)
        array_push(&names, r->visits.v[i]->v.device);
    array_push(&names, NULL);
    near = str_nearest(device, names.v);
    *why = near ? xasprintf("round %" PRId64 " has no visit to '%s' (did you mean '%s'?)", r->r.id, device, near)
                : xasprintf("round %" PRId64 " has no visit to '%s'", r->r.id, device);
    array_free(&names);
    return NULL;
}

static struct visit_item *find_item(const struct open_visit *v, const char *code)
{
    for (size_t i = 0; i < v->items.n; i++)
        if (str_eq(v->items.v[i].code, code))
            return &v->items.v[i];
    return NULL;
}

static char *no_item(const struct open_visit *v, const char *code)
{
    ARRAY(const char *) names = {0};
    struct sbuf why = {0};
    const char *near;

    for (size_t i = 0; i < v->items.n; i++)
        array_push(&names, v->items.v[i].code);
    array_push(&names, NULL);
    near = str_nearest(code, names.v);
    sbuf_addf(&why, "the visit to %s has no item '", v->v.device);
    sbuf_add_visible(&why, code);
    sbuf_addf(&why, near ? "' (did you mean '%s'?)" : "'", near);
    for (size_t i = 0; !near && i < v->items.n; i++)
        sbuf_addf(&why, "%s %s", i == 0 ? "; there are" : ",", names.v[i]);
    array_free(&names);
    return sbuf_take(&why);
}

static int check_findings(const struct open_visit *v, const struct patrol_filling *f, char **why)
{
    enum check_result result;

    for (size_t i = 0; i < f->n; i++) {
        if (!find_item(v, f->findings[i].item)) {
            *why = no_item(v, f->findings[i].item);
            return PD_ENOENT;
        }
        if (check_result_parse(f->findings[i].result, &result) < 0 || result == RESULT_OPEN) {
            struct sbuf b = {0};

            sbuf_addf(&b, "%s can't be '", f->findings[i].item);
            sbuf_add_visible(&b, f->findings[i].result);
            sbuf_add(&b, "': a result is ok, attention, fault or not-applicable");
            *why = sbuf_take(&b);
            return PD_EINVAL;
        }
    }
    return 0;
}

/* ---- Visits and rounds move ---- */

static bool visit_over(const struct open_visit *v)
{
    return v->v.state == VISIT_DONE || v->v.state == VISIT_GONE;
}

static void visit_begin(struct patrol *p, struct open_round *r, struct open_visit *v, const char *actor,
                        struct change *c)
{
    if (v->v.state == VISIT_OPEN) {
        v->v.state = VISIT_STARTED;
        v->v.started_ms = patrol_now(p);
        change_put_visit(c, &v->v);
    }
    if (r->r.started_ms == 0) {
        r->r.started_ms = patrol_now(p);
        round_event(p, c, &r->r, "round.started", actor);
    }
    round_go(&r->r, ROUND_START);
    change_put_round(c, &r->r);
}

static size_t items_open(const struct open_visit *v)
{
    size_t n = 0;

    for (size_t i = 0; i < v->items.n; i++)
        n += v->items.v[i].result == RESULT_OPEN;
    return n;
}

static bool is_gone(const struct patrol *p, const struct open_visit *v)
{
    return !p->config.ops.device(p->config.ops.ctx, v->v.device_id);
}

/* Devices that were removed meanwhile are not looked at any more. */
static void drop_gone(struct patrol *p, struct open_round *r, struct change *c)
{
    for (size_t i = 0; i < r->visits.n; i++) {
        struct visit *v = &r->visits.v[i]->v;

        if (visit_over(r->visits.v[i]) || !is_gone(p, r->visits.v[i]))
            continue;
        v->state = VISIT_GONE;
        v->done_ms = patrol_now(p);
        change_put_visit(c, v);
    }
}

/* What is complete is said to be: visits that were begun, or, to sign, all that have nothing open. */
static void settle(struct patrol *p, struct open_round *r, bool to_sign, const char *actor, struct change *c)
{
    bool all = true;

    drop_gone(p, r, c);
    for (size_t i = 0; i < r->visits.n; i++) {
        struct open_visit *v = r->visits.v[i];

        if (!visit_over(v) && (to_sign || v->v.state == VISIT_STARTED) && items_open(v) == 0) {
            v->v.state = VISIT_DONE;
            v->v.done_ms = patrol_now(p);
            xstrset(&v->v.by, actor);
            change_put_visit(c, &v->v);
        }
        all = all && visit_over(v);
    }
    if (!all || r->r.state == ROUND_REVIEW)
        return;
    if (r->r.state == ROUND_GENERATED) /* all its devices are gone, and nobody went there */
        round_go(&r->r, ROUND_START);
    round_go(&r->r, ROUND_COMPLETE);
    r->r.finished_ms = patrol_now(p);
    round_event(p, c, &r->r, "round.completed", actor);
    change_put_round(c, &r->r);
}

/* ---- Filling in ---- */

static void set_item(struct patrol *p, struct visit_item *i, enum check_result result, const char *value,
                     const char *note, const char *actor, struct change *c)
{
    i->result = result;
    i->set_ms = patrol_now(p);
    xstrset(&i->by, actor ? actor : "patrold");
    if (value)
        xstrset(&i->found, value);
    if (note)
        xstrset(&i->note, note);
    change_put_item(c, i);
}

/* Gives how many items were set. */
static size_t fill_visit(struct patrol *p, struct open_round *r, struct open_visit *v, const struct patrol_filling *f,
                         const char *actor, struct change *c)
{
    size_t set = f->n;

    visit_begin(p, r, v, actor, c);
    visit_poll(p, v, c);
    for (size_t i = 0; i < f->n; i++) {
        enum check_result result = RESULT_OK;

        check_result_parse(f->findings[i].result, &result);
        set_item(p, find_item(v, f->findings[i].item), result, f->value, f->note, actor, c);
    }
    for (size_t i = 0; f->all_ok && i < v->items.n; i++) {
        if (v->items.v[i].result != RESULT_OPEN)
            continue;
        set_item(p, &v->items.v[i], RESULT_OK, f->n == 0 ? f->value : NULL, f->n == 0 ? f->note : NULL, actor, c);
        set++;
    }
    return set;
}

static int check_filling(const struct patrol *p, const struct open_round *r, const struct patrol_filling *f,
                         struct open_visit **visit, char **why)
{
    *visit = NULL;
    if (f->n == 0 && !f->all_ok) {
        *why = xstrdup("nothing is filled in: say ITEM=RESULT, or that all the rest is ok");
        return PD_EINVAL;
    }
    if (!f->device) {
        if (f->n == 0)
            return 0;
        *why = xstrdup("which device? items are filled in visit by visit");
        return PD_EINVAL;
    }
    *visit = find_visit(r, f->device, why);
    if (!*visit)
        return PD_ENOENT;
    if (is_gone(p, *visit)) {
        *why = xasprintf("%s was removed: its visit is over", (*visit)->v.device);
        return PD_ESTATE;
    }
    return check_findings(*visit, f, why);
}

int patrol_fill(struct patrol *p, int64_t round, const struct patrol_filling *f, const char *actor, struct change *c,
                char **why)
{
    struct open_visit *visit = NULL;
    size_t set = 0;
    struct event *e;
    int rc = 0;
    struct open_round *r = want_round(p, round, &rc, why);

    if (r)
        rc = check_filling(p, r, f, &visit, why);
    if (rc < 0)
        return rc;
    drop_gone(p, r, c);
    if (visit)
        set = fill_visit(p, r, visit, f, actor, c);
    for (size_t i = 0; !visit && i < r->visits.n; i++)
        if (!visit_over(r->visits.v[i]))
            set += fill_visit(p, r, r->visits.v[i], f, actor, c);
    e = round_event(p, c, &r->r, "round.filled", actor);
    if (visit)
        e->device_id = visit->v.device_id;
    event_arg_int(e, "items", (int64_t)set);
    settle(p, r, false, actor, c);
    patrol_wind(p);
    return 0;
}

int patrol_begin(struct patrol *p, int64_t round, const char *device, const char *actor, struct change *c, char **why)
{
    struct open_visit *visit = NULL;
    int rc = 0;
    struct open_round *r = want_round(p, round, &rc, why);

    if (!r)
        return rc;
    if (device) {
        visit = find_visit(r, device, why);
        if (!visit)
            return PD_ENOENT;
    }
    drop_gone(p, r, c);
    for (size_t i = 0; i < r->visits.n; i++) {
        struct open_visit *v = r->visits.v[i];

        if (visit_over(v) || (visit && v != visit))
            continue;
        visit_begin(p, r, v, actor, c);
        visit_poll(p, v, c);
    }
    settle(p, r, false, actor, c);
    patrol_wind(p);
    return 0;
}

/* ---- The end ---- */

/* What keeps a round from being signed; NULL: nothing. */
static char *what_is_open(const struct patrol *p, const struct open_round *r)
{
    struct sbuf b = {0};
    size_t n = 0;

    sbuf_addf(&b, "round %" PRId64 " is not complete:", r->r.id);
    for (size_t i = 0; i < r->visits.n; i++) {
        const struct open_visit *v = r->visits.v[i];

        if (visit_over(v) || is_gone(p, v) || items_open(v) == 0)
            continue;
        if (n++ < MOST_NAMED)
            sbuf_addf(&b, "%s %s (%zu of %zu items open)", n > 1 ? "," : "", v->v.device, items_open(v), v->items.n);
    }
    if (n > MOST_NAMED)
        sbuf_addf(&b, " and %zu more", n - MOST_NAMED);
    if (n > 0)
        return sbuf_take(&b);
    sbuf_free(&b);
    return NULL;
}

/* What was found, in a line: "Page counter: attention". An item's title alone says how it ought to be. free() it. */
static char *finding_title(enum lang lang, const struct visit_item *i)
{
    const char *title = lang == LANG_ZH_CN && i->title_zh_CN ? i->title_zh_CN : i->title_en;
    char *result = xasprintf("check-result.%s", check_result_name(i->result));
    struct sbuf out = {0};

    sbuf_add(&out, title ? title : i->code);
    sbuf_add(&out, text_get(lang, "word.colon"));
    sbuf_add(&out, text_get(lang, result));
    free(result);
    return sbuf_take(&out);
}

/* The fault's or finding's ticket that is open already, or a new one. */
static void open_finding(struct patrol *p, const struct open_round *r, const struct visit *v, struct visit_item *i,
                         const char *actor, struct change *c)
{
    const struct patrol_ops *ops = &p->config.ops;
    char *title = finding_title(p->config.settings->lang, i);
    char *origin = xasprintf("round %" PRId64 " visit %d item %d", r->r.id, v->n, i->n);
    const char *said = i->found ? i->found : i->value;
    struct sbuf note = {0};
    const struct checklist *list = knowledge_checklist(p->config.knowledge, v->checklist);
    int64_t id = ops->open_ticket(ops->ctx, v->device_id, list ? checklist_item(list, i->code) : NULL, i);
    int rc = 0;

    sbuf_add(&note, said ? said : "");
    if (i->note)
        sbuf_addf(&note, "%s%s", note.n > 0 ? "; " : "", i->note);
    if (id == 0) {
        const struct patrol_wish wish = {
            .kind = TICKET_KIND_FINDING,
            .device_id = v->device_id,
            .site = r->r.site,
            .title = title,
            .note = note.n > 0 ? note.s : NULL,
            .label = i->code,
            .severity = i->result == RESULT_FAULT ? SEVERITY_MAJOR : SEVERITY_WARNING,
            .origin = origin,
        };

        rc = ops->ticket(ops->ctx, c, &wish, actor, &id);
    }
    if (rc < 0)
        log_error("patrol", "%s: no ticket: %s", origin, pd_strerror(rc));
    else
        i->ticket_id = id;
    change_put_item(c, i);
    sbuf_free(&note);
    free(origin);
    free(title);
}

static size_t open_findings(struct patrol *p, const struct open_round *r, const char *actor, struct change *c)
{
    size_t n = 0;

    for (size_t k = 0; k < r->visits.n; k++) {
        struct open_visit *v = r->visits.v[k];

        for (size_t i = 0; i < v->items.n && v->v.state == VISIT_DONE; i++) {
            struct visit_item *item = &v->items.v[i];

            if ((item->result != RESULT_FAULT && item->result != RESULT_ATTENTION) || item->ticket_id != 0)
                continue;
            open_finding(p, r, &v->v, item, actor, c);
            n++;
        }
    }
    return n;
}

int patrol_sign(struct patrol *p, int64_t round, const char *by, const char *note, const char *actor, struct change *c,
                char **why)
{
    struct event *e;
    size_t findings;
    int rc = 0;
    struct open_round *r = want_round(p, round, &rc, why);

    if (!r)
        return rc;
    *why = what_is_open(p, r);
    if (*why)
        return PD_ESTATE;
    settle(p, r, true, actor, c);
    findings = open_findings(p, r, actor, c);
    round_go(&r->r, ROUND_SIGN);
    r->r.signed_ms = patrol_now(p);
    xstrset(&r->r.signed_by, by);
    if (note)
        xstrset(&r->r.note, note);
    e = round_event(p, c, &r->r, "round.signed", actor);
    event_arg(e, "by", by);
    event_arg_int(e, "findings", (int64_t)findings);
    change_put_round(c, &r->r);
    plan_settle(p, &r->r, c);
    round_drop_visits(r);
    patrol_wind(p);
    return 0;
}

int patrol_cancel(struct patrol *p, int64_t round, const char *note, const char *actor, struct change *c, char **why)
{
    struct event *e;
    int rc = 0;
    struct open_round *r = want_round(p, round, &rc, why);

    if (!r)
        return rc;
    round_go(&r->r, ROUND_CANCEL);
    xstrset(&r->r.note, note);
    e = round_event(p, c, &r->r, "round.cancelled", actor);
    if (note)
        event_arg(e, "note", note);
    change_put_round(c, &r->r);
    plan_settle(p, &r->r, c);
    round_drop(p, r);
    patrol_wind(p);
    return 0;
}

void patrol_reported(struct patrol *p, const char *site, int64_t from_ms, int64_t to_ms, struct change *c)
{
    ARRAY(struct open_round *) done = {0};
    size_t at = 0;
    uint64_t id;
    void *v;

    while (u64dict_next(p->rounds, &at, &id, &v)) {
        struct open_round *r = v;

        if (r->r.state == ROUND_SIGNED && str_eq(r->r.site, site) && r->r.due_ms >= from_ms && r->r.due_ms < to_ms)
            array_push(&done, r);
    }
    for (size_t i = 0; i < done.n; i++) {
        round_go(&done.v[i]->r, ROUND_REPORT);
        round_event(p, c, &done.v[i]->r, "round.reported", NULL);
        change_put_round(c, &done.v[i]->r);
        round_drop(p, done.v[i]);
    }
    array_free(&done);
}
