#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "desk/internal.h"

/* What befalls tickets: by faults, by wishes, by staff. */

/* ---- Writing it down ---- */

struct event *desk_record(struct desk *d, struct change *c, const char *kind, const struct ticket *t)
{
    struct event *e = change_event(c, clock_wall(&d->config.clock), kind);

    e->device_id = t->device_id;
    e->alert_id = t->alert_id;
    e->ticket_id = t->id;
    event_arg(e, "number", t->number);
    return e;
}

static void tell(struct desk *d, struct change *c, const struct ticket *t, enum ticket_move move)
{
    if (d->config.moved)
        d->config.moved(d->config.ctx, c, t, move);
}

/* One more step of its history: into a state, and whether a loaner stands in. The closing stamp follows. */
static void step(struct desk *d, struct change *c, struct held *h, enum ticket_state to, bool loaner)
{
    struct ticket *t = &h->ticket;
    struct ticket_step next = {.at_ms = clock_wall(&d->config.clock), .state = to, .loaner = loaner};
    struct step_record row = {t->id, (uint32_t)h->steps.n + 1, next.at_ms, to, loaner};

    t->state = to;
    t->changed_ms = next.at_ms;
    t->closed_ms = ticket_state_open(to) ? 0 : next.at_ms;
    array_push(&h->steps, next);
    change_put_step(c, &row);
}

static bool has_loaner(const struct held *h)
{
    return h->steps.n > 0 && h->steps.v[h->steps.n - 1].loaner;
}

/* ---- Opening ---- */

/* Numbers a ticket whose content stands, and opens it. Takes h. */
static void open_ticket(struct desk *d, struct change *c, struct held *h, const char *actor)
{
    struct ticket *t = &h->ticket;
    struct event *e;

    t->id = ++d->last_id;
    t->number = xasprintf("%s-%06" PRId64, d->prefix, t->id);
    step(d, c, h, TICKET_NEW, false);
    t->opened_ms = t->changed_ms;
    desk_remember(d, h);
    if (t->origin)
        desk_note_origin(d, t->origin, t->id);

    e = desk_record(d, c, "ticket.opened", t);
    e->actor = xstrdup_null(actor);
    event_arg(e, "kind", ticket_kind_name(t->kind));
    event_arg(e, "severity", severity_name(t->severity));
    if (t->rule)
        event_arg(e, "rule", t->rule);
    if (t->title)
        event_arg(e, "title", t->title);
    if (t->origin)
        event_arg(e, "origin", t->origin);
    if (t->site)
        event_arg(e, "site", t->site);
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_OPENED);
    desk_review(d, c, h);
}

int desk_open(struct desk *d, struct change *c, const struct ticket_wish *w, const char *actor, int64_t *id)
{
    int64_t known = w->origin ? desk_ticket_of_origin(d, w->origin) : 0;
    struct held *h;

    if (!w->title || !*w->title)
        return PD_EINVAL;
    if (known == 0) {
        h = xcalloc(1, sizeof *h);
        desk_held_init(d, h);
        h->ticket.kind = w->kind;
        h->ticket.device_id = w->device_id;
        h->ticket.severity = w->severity;
        h->ticket.site = w->device_id == 0 ? xstrdup_null(w->site) : NULL;
        h->ticket.title = xstrdup(w->title);
        h->ticket.category = xstrdup_null(w->category);
        h->ticket.note = xstrdup_null(w->note);
        h->ticket.origin = xstrdup_null(w->origin);
        h->ticket.label = xstrdup_null(w->label);
        open_ticket(d, c, h, actor);
        known = h->ticket.id;
    }
    *id = known;
    return 0;
}

/* ---- Faults ---- */

static enum ticket_kind kind_of(const struct rule *r)
{
    switch (r->ticket) {
    case RULE_TICKET_PREVENTIVE:
        return TICKET_KIND_PREVENTIVE;
    case RULE_TICKET_SUPPLY:
        return TICKET_KIND_SUPPLY;
    case RULE_TICKET_FAULT:
        return TICKET_KIND_FAULT;
    case RULE_TICKET_NONE:
    case RULE_TICKET_FITTING:
        break;
    }
    return str_eq(r->category, "consumable") ? TICKET_KIND_SUPPLY : TICKET_KIND_FAULT;
}

static void take_degree(struct ticket *t, const struct rule *r, const struct alert *a)
{
    t->kind = kind_of(r);
    t->severity = a->severity;
    xstrset(&t->rule, a->rule);
    xstrset(&t->category, r->category);
}

static void open_for_fault(struct desk *d, struct change *c, const struct rule *r, struct alert *a)
{
    struct held *h = xcalloc(1, sizeof *h);
    struct ticket *t = &h->ticket;

    desk_held_init(d, h);
    t->device_id = a->device_id;
    t->alert_id = a->id;
    t->family = xstrdup(a->family);
    t->component_kind = xstrdup(a->kind);
    t->key = xstrdup(a->key);
    t->label = xstrdup_null(a->label);
    take_degree(t, r, a);
    open_ticket(d, c, h, NULL);
    a->ticket_id = t->id;
}

void desk_fault_opened(struct desk *d, struct change *c, const struct rule *r, struct alert *a)
{
    struct held *h = desk_of_fault(d, a->device_id, a->family, a->kind, a->key);
    struct ticket *t;

    if (!h) {
        if (r->ticket != RULE_TICKET_NONE)
            open_for_fault(d, c, r, a);
        return;
    }
    desk_settle(d, c, h);
    t = &h->ticket;
    a->ticket_id = t->id;
    t->alert_id = a->id;
    if (a->severity > t->severity)
        take_degree(t, r, a);
    t->changed_ms = clock_wall(&d->config.clock);
    event_arg(desk_record(d, c, "ticket.fault-again", t), "severity", severity_name(a->severity));
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_FAULT_AGAIN);
    desk_review(d, c, h);
}

void desk_fault_changed(struct desk *d, struct change *c, const struct rule *r, struct alert *a)
{
    struct held *h = desk_of_fault(d, a->device_id, a->family, a->kind, a->key);
    struct ticket *t;
    struct event *e;

    if (!h) {
        if (r->ticket != RULE_TICKET_NONE)
            open_for_fault(d, c, r, a);
        return;
    }
    t = &h->ticket;
    if (a->severity <= t->severity)
        return;
    desk_settle(d, c, h);
    take_degree(t, r, a);
    t->changed_ms = clock_wall(&d->config.clock);
    e = desk_record(d, c, "ticket.graver", t);
    event_arg(e, "severity", severity_name(t->severity));
    event_arg(e, "rule", t->rule);
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_GRAVER);
    desk_review(d, c, h);
}

void desk_fault_closed(struct desk *d, struct change *c, const struct alert *a)
{
    struct held *h = desk_of_fault(d, a->device_id, a->family, a->kind, a->key);
    struct ticket *t;
    bool untouched;
    struct event *e;

    if (!h)
        return;
    t = &h->ticket;
    untouched = t->state == TICKET_NEW;
    desk_settle(d, c, h);
    t->changed_ms = clock_wall(&d->config.clock);
    desk_record(d, c, "ticket.fault-cleared", t);
    if (untouched) {
        e = desk_record(d, c, "ticket.cancel", t);
        event_arg(e, "from", ticket_state_name(t->state));
        step(d, c, h, TICKET_CANCELLED, has_loaner(h));
        event_arg(e, "to", ticket_state_name(t->state));
        event_arg(e, "reason", "recovered");
    }
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_FAULT_CLEARED);
    if (untouched)
        desk_forget(d, h);
}

/* ---- Staff's verbs ---- */

static char *what_is_possible(const struct ticket *t, enum ticket_verb verb)
{
    const char *const *verbs = ticket_verbs(t->state);
    struct sbuf b = {0};

    sbuf_addf(&b, "%s is %s: '%s' is not possible now, but ", t->number, ticket_state_name(t->state),
              ticket_verb_name(verb));
    for (size_t i = 0; verbs[i]; i++)
        sbuf_addf(&b, "%s%s", i == 0 ? "" : verbs[i + 1] ? ", " : " or ", verbs[i]);
    return sbuf_take(&b);
}

/* The open ticket of the fault that a (maybe ended) ticket is about. */
static const struct held *sibling(const struct desk *d, const struct ticket *t)
{
    return t->family ? desk_of_fault(d, t->device_id, t->family, t->component_kind, t->key) : NULL;
}

/* Whether the verb can be done, and to where it leads. */
static int check_verb(const struct desk *d, const struct held *h, enum ticket_verb verb, const char *assignee,
                      enum ticket_state *to, char **why)
{
    const struct ticket *t = &h->ticket;
    const struct held *other;

    if (ticket_next(t->state, verb, to) < 0) {
        *why = what_is_possible(t, verb);
        return PD_ESTATE;
    }
    if (verb == TICKET_LOANER && has_loaner(h)) {
        *why = xasprintf("a loaner stands in for %s already", t->number);
        return PD_ESTATE;
    }
    if (assignee && verb != TICKET_DISPATCH) {
        *why = xasprintf("an assignee is named with dispatch only, not with %s", ticket_verb_name(verb));
        return PD_EINVAL;
    }
    if (verb == TICKET_DISPATCH && !assignee && !t->assignee) {
        *why = xasprintf("to whom is %s dispatched? name an assignee", t->number);
        return PD_EINVAL;
    }
    other = sibling(d, t);
    if (verb == TICKET_REOPEN && other && other != h) {
        *why = xasprintf("%s cannot be reopened: %s is open for the same fault", t->number, other->ticket.number);
        return PD_EEXIST;
    }
    return 0;
}

/* A loaner stays until it is settled; what is reopened has lost it. */
static void apply_verb(struct desk *d, struct held *h, enum ticket_verb verb, enum ticket_state to,
                       const char *assignee, const char *note, const char *actor, struct change *c)
{
    struct ticket *t = &h->ticket;
    char *kind = xasprintf("ticket.%s", ticket_verb_name(verb));
    struct event *e = desk_record(d, c, kind, t);

    event_arg(e, "from", ticket_state_name(t->state));
    event_arg(e, "to", ticket_state_name(to));
    if (assignee) {
        event_arg(e, "assignee", assignee);
        xstrset(&t->assignee, assignee);
    }
    if (note) {
        event_arg(e, "note", note);
        xstrset(&t->note, note);
    }
    e->actor = xstrdup_null(actor);
    step(d, c, h, to, verb == TICKET_LOANER || (verb != TICKET_REOPEN && has_loaner(h)));
    desk_index_fault(d, h);
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_CHANGED);
    free(kind);
}

int desk_ticket_verb(struct desk *d, int64_t id, enum ticket_verb verb, const char *assignee, const char *note,
                     const char *actor, struct change *c, char **why)
{
    struct held *h = desk_held(d, id);
    enum ticket_state to;
    int rc;

    if (!h)
        return PD_ENOENT;
    rc = check_verb(d, h, verb, assignee, &to, why);
    if (rc == 0) {
        desk_settle(d, c, h);
        apply_verb(d, h, verb, to, assignee, note, actor, c);
        desk_review(d, c, h);
    }
    if (!ticket_state_open(h->ticket.state))
        desk_forget(d, h);
    return rc;
}
