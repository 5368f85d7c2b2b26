#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/internal.h"

struct fault *fault_of(const struct node *n, uint32_t unit, const char *family)
{
    for (size_t i = 0; i < n->faults.n; i++) {
        struct fault *f = n->faults.v[i];

        if (f->unit == unit && strcmp(f->alert.family, family) == 0)
            return f;
    }
    return NULL;
}

bool fault_covers(const struct node *n, const struct rule *r)
{
    for (size_t i = 0; i < n->faults.n; i++) {
        for (size_t j = 0; j < r->part_of.n; j++) {
            if (strcmp(n->faults.v[i]->alert.family, r->part_of.v[j]) == 0)
                return true;
        }
    }
    return false;
}

/* ---- Telling ---- */

static void describe(struct event *e, const struct alert *a)
{
    e->alert_id = a->id;
    e->ticket_id = a->ticket_id;
    event_arg(e, "family", a->family);
    event_arg(e, "rule", a->rule);
    event_arg(e, "severity", severity_name(a->severity));
    event_arg(e, "kind", a->kind);
    event_arg(e, "key", a->key);
    event_arg(e, "component", a->label);
}

/* Lets the others add their part, then records the alert as they left it. */
static void pass_on(struct turn *t, struct alert *a, enum fault_move move)
{
    const struct watch_ops *ops = &t->w->config.ops;

    if (!a->suppressed)
        ops->fault(ops->ctx, turn_change(t), &t->n->d, a, move);
    change_put_alert(turn_change(t), a);
}

/* ---- Life of a fault ---- */

static void set_degree(struct turn *t, struct fault *f, const struct rule *r)
{
    const struct unit *u = &t->n->units.v[f->unit];
    struct value *points = xcalloc(unit_kind(u)->points.n + 1, sizeof *points);

    unit_spread(t->n, u, points);
    xstrset(&f->alert.rule, r->name);
    f->alert.severity = r->severity;
    free(f->alert.message_args);
    f->alert.message_args = format_message_args(r, points);
    free(points);
}

static void fault_add(struct watch *w, struct node *n, struct fault *f)
{
    f->node = n;
    array_push(&n->faults, f);
    u64dict_put(w->faults, (uint64_t)f->alert.id, f);
}

static void open_fault(struct turn *t, uint32_t unit, const struct rule *r)
{
    const struct unit *u = &t->n->units.v[unit];
    const struct node *cause = strcmp(r->family, FAMILY_REACH) == 0 ? parent_down(t->n) : NULL;
    struct fault *f = xcalloc(1, sizeof *f);
    struct event *e;

    f->unit = unit;
    f->alert = (struct alert){
        .id = ++t->w->last_alert_id,
        .family = xstrdup(r->family),
        .device_id = t->n->d.id,
        .kind = xstrdup(unit_kind(u)->name),
        .key = xstrdup(unit_key(u)),
        .label = xstrdup(unit_label(u)),
        .state = ALERT_FIRING,
        .suppressed = cause != NULL,
        .opened_ms = t->wall,
    };
    set_degree(t, f, r);
    fault_add(t->w, t->n, f);
    e = turn_event(t, "alert.opened");
    describe(e, &f->alert);
    if (cause)
        event_arg(e, "suppressed_by", cause->d.name);
    pass_on(t, &f->alert, FAULT_OPENED);
}

void fault_tell(struct turn *t, struct fault *f)
{
    f->alert.suppressed = false;
    describe(turn_event(t, "alert.told"), &f->alert);
    pass_on(t, &f->alert, FAULT_OPENED);
}

static void change_degree(struct turn *t, struct fault *f, const struct rule *r, enum fault_move move)
{
    struct event *e;

    set_degree(t, f, r);
    e = turn_event(t, "alert.changed");
    describe(e, &f->alert);
    event_arg(e, "move", move == FAULT_GRAVER ? "graver" : "milder");
    pass_on(t, &f->alert, move);
}

void fault_close(struct turn *t, struct fault *f, const char *reason)
{
    struct node *n = t->n;
    struct event *e;
    size_t at = 0;

    f->alert.state = ALERT_OK;
    f->alert.closed_ms = t->wall;
    e = turn_event(t, "alert.closed");
    describe(e, &f->alert);
    event_arg(e, "reason", reason);
    pass_on(t, &f->alert, FAULT_CLOSED);
    while (n->faults.v[at] != f)
        at++;
    array_remove(&n->faults, at);
    u64dict_del(t->w->faults, (uint64_t)f->alert.id);
    alert_fini(&f->alert);
    free(f);
}

/* ---- From holds to faults ---- */

/* Place of the gravest open rule of a family on the component, or -1: within a family they lie gravest first. */
static int gravest_open(const struct node *n, const struct knowledge *k, uint32_t unit, const char *family)
{
    for (size_t i = 0; i < n->holds.n; i++) {
        const struct held *h = &n->holds.v[i];

        if (h->unit == unit && hold_open(&h->hold) && strcmp(k->rules.v[h->rule]->family, family) == 0)
            return h->rule;
    }
    return -1;
}

/* FIRING or ACKED while the condition holds, CLEARING while its end is being timed: a row, but no event. */
static void follow_state(struct turn *t, struct fault *f, const struct hold *h)
{
    enum alert_state state = h->state == HOLD_CLEARING ? ALERT_CLEARING
                             : f->alert.acked_ms       ? ALERT_ACKED
                                                       : ALERT_FIRING;

    if (f->alert.state != state) {
        f->alert.state = state;
        change_put_alert(turn_change(t), &f->alert);
    }
}

/* Graver is what stands before the present rule in the knowledge; a rule that is gone or was changed ranks by severity. */
static enum fault_move degree_move(const struct knowledge *k, const struct alert *a, int rule)
{
    for (size_t i = 0; i < k->rules.n; i++) {
        if ((size_t)rule != i && strcmp(k->rules.v[i]->name, a->rule) == 0)
            return (size_t)rule < i ? FAULT_GRAVER : FAULT_MILDER;
    }
    return k->rules.v[rule]->severity > a->severity ? FAULT_GRAVER : FAULT_MILDER;
}

static void settle_fault(struct turn *t, struct fault *f, const char *reason)
{
    const struct knowledge *k = watch_knowledge(t->w);
    int rule = gravest_open(t->n, k, f->unit, f->alert.family);

    if (rule < 0) {
        fault_close(t, f, reason);
        return;
    }
    if (strcmp(f->alert.rule, k->rules.v[rule]->name) != 0 || f->alert.severity != k->rules.v[rule]->severity)
        change_degree(t, f, k->rules.v[rule], degree_move(k, &f->alert, rule));
    follow_state(t, f, &judge_held(t->n, f->unit, (uint16_t)rule)->hold);
}

void fault_settle(struct turn *t, uint32_t unit, const char *reason)
{
    const struct knowledge *k = watch_knowledge(t->w);
    struct node *n = t->n;

    for (size_t i = n->faults.n; i-- > 0;) {
        if (n->faults.v[i]->unit == unit)
            settle_fault(t, n->faults.v[i], reason);
    }
    for (size_t i = 0; i < n->holds.n; i++) {
        const struct held *h = &n->holds.v[i];

        /* The first open one of a family is its gravest. */
        if (h->unit == unit && hold_open(&h->hold) && !fault_of(n, unit, k->rules.v[h->rule]->family))
            open_fault(t, unit, k->rules.v[h->rule]);
    }
}

bool fault_held(const struct watch *w, const struct fault *f)
{
    return gravest_open(f->node, watch_knowledge(w), f->unit, f->alert.family) >= 0;
}

void fault_ack(struct turn *t, struct fault *f, const char *actor)
{
    struct event *e;

    f->alert.acked_ms = t->wall;
    xstrset(&f->alert.acked_by, actor);
    if (f->alert.state == ALERT_FIRING)
        f->alert.state = ALERT_ACKED;
    e = turn_event(t, "alert.acked");
    e->actor = xstrdup_null(actor);
    describe(e, &f->alert);
    pass_on(t, &f->alert, FAULT_ACKED);
}

void fault_restore(struct turn *t, const struct alert *a)
{
    const struct kind *kind = kind_named(t->w, a->kind);
    int64_t unit = unit_find(t->n, kind, a->key);
    struct fault *f;

    if (unit < 0) {
        unit = unit_add(t->n, kind, a->key, a->label ? a->label : a->key, 0);
        unit_put(t, &t->n->units.v[unit]);
    }
    f = xcalloc(1, sizeof *f);
    alert_copy(&f->alert, a);
    f->unit = (uint32_t)unit;
    fault_add(t->w, t->n, f);
}
