#include "desk/desk.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

struct desk {
    struct desk_config config;
    char *prefix;
    int64_t last_id;
    struct u64dict *by_id; /* -> struct ticket, which it owns */
    struct dict *by_fault; /* fault key -> the open ticket of that fault */
};

struct desk *desk_new(const struct desk_config *config)
{
    struct desk *d = xcalloc(1, sizeof *d);

    d->config = *config;
    d->prefix = xstrdup(config->prefix);
    d->by_id = u64dict_new();
    d->by_fault = dict_new();
    return d;
}

static void ticket_free(struct ticket *t)
{
    ticket_fini(t);
    free(t);
}

void desk_free(struct desk *d)
{
    size_t at = 0;
    uint64_t id;
    void *t;

    if (!d)
        return;
    while (u64dict_next(d->by_id, &at, &id, &t))
        ticket_free(t);
    u64dict_free(d->by_id);
    dict_free(d->by_fault);
    free(d->prefix);
    free(d);
}

void desk_set_last_id(struct desk *d, int64_t ticket_id)
{
    d->last_id = ticket_id;
}

/* ---- The tickets in memory ---- */

static char *fault_key(int64_t device_id, const char *family, const char *kind, const char *key)
{
    return xasprintf("%" PRId64 "\x1f%s\x1f%s\x1f%s", device_id, family, kind, key);
}

static struct ticket *of_fault(const struct desk *d, int64_t device_id, const char *family, const char *kind,
                               const char *key)
{
    char *k = fault_key(device_id, family, kind, key);
    struct ticket *t = dict_get(d->by_fault, k);

    free(k);
    return t;
}

/* The open ticket of the fault that a (maybe closed) ticket is about. */
static struct ticket *sibling(const struct desk *d, const struct ticket *t)
{
    return t->family ? of_fault(d, t->device_id, t->family, t->component_kind, t->key) : NULL;
}

/* Makes by_fault say what t's state says. */
static void index_fault(struct desk *d, struct ticket *t)
{
    char *k;

    if (!t->family)
        return;
    k = fault_key(t->device_id, t->family, t->component_kind, t->key);
    if (ticket_state_open(t->state))
        dict_put(d->by_fault, k, t);
    else if (dict_get(d->by_fault, k) == t)
        dict_del(d->by_fault, k);
    free(k);
}

static void remember(struct desk *d, struct ticket *t)
{
    struct ticket *before = u64dict_put(d->by_id, (uint64_t)t->id, t);

    index_fault(d, t);
    if (before)
        ticket_free(before);
}

static void forget(struct desk *d, struct ticket *t)
{
    index_fault(d, t);
    u64dict_del(d->by_id, (uint64_t)t->id);
    ticket_free(t);
}

void desk_load_ticket(struct desk *d, const struct ticket *t)
{
    struct ticket *copy = xmalloc(sizeof *copy);

    ticket_copy(copy, t);
    if (copy->family) {
        copy->component_kind = copy->component_kind ? copy->component_kind : xstrdup("");
        copy->key = copy->key ? copy->key : xstrdup("");
    }
    remember(d, copy);
}

const struct ticket *desk_ticket(const struct desk *d, int64_t id)
{
    return u64dict_get(d->by_id, (uint64_t)id);
}

const struct ticket *desk_ticket_of_fault(const struct desk *d, const struct alert *a)
{
    return of_fault(d, a->device_id, a->family, a->kind, a->key);
}

int64_t desk_ticket_by_number(const struct desk *d, const char *number)
{
    size_t at = 0;
    uint64_t id;
    void *t;

    while (u64dict_next(d->by_id, &at, &id, &t))
        if (strcmp(((const struct ticket *)t)->number, number) == 0)
            return (int64_t)id;
    return 0;
}

size_t desk_open_tickets(const struct desk *d)
{
    return u64dict_count(d->by_id);
}

void desk_tickets(const struct desk *d, void (*fn)(void *ctx, const struct ticket *t), void *ctx)
{
    size_t at = 0;
    uint64_t id;
    void *t;

    while (u64dict_next(d->by_id, &at, &id, &t))
        fn(ctx, t);
}

/* ---- What befalls them ---- */

static struct event *record(struct desk *d, struct change *c, const char *kind, const struct ticket *t)
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

/* Enters a state; the closing stamp follows. */
static void enter(struct desk *d, struct ticket *t, enum ticket_state to)
{
    t->state = to;
    t->changed_ms = clock_wall(&d->config.clock);
    t->closed_ms = ticket_state_open(to) ? 0 : t->changed_ms;
}

static enum ticket_kind kind_of(const struct rule *r)
{
    return str_eq(r->category, "consumable") ? TICKET_KIND_SUPPLY : TICKET_KIND_FAULT;
}

static void take_degree(struct ticket *t, const struct rule *r, const struct alert *a)
{
    t->severity = a->severity;
    xstrset(&t->rule, a->rule);
    xstrset(&t->category, r->category);
}

static void open_ticket(struct desk *d, struct change *c, const struct rule *r, struct alert *a)
{
    struct ticket *t = xcalloc(1, sizeof *t);
    struct event *e;

    t->id = ++d->last_id;
    t->number = xasprintf("%s-%06" PRId64, d->prefix, t->id);
    t->kind = kind_of(r);
    t->device_id = a->device_id;
    t->alert_id = a->id;
    t->family = xstrdup(a->family);
    t->component_kind = xstrdup(a->kind);
    t->key = xstrdup(a->key);
    t->label = xstrdup_null(a->label);
    take_degree(t, r, a);
    enter(d, t, TICKET_NEW);
    t->opened_ms = t->changed_ms;
    a->ticket_id = t->id;
    remember(d, t);

    e = record(d, c, "ticket.opened", t);
    event_arg(e, "kind", ticket_kind_name(t->kind));
    event_arg(e, "severity", severity_name(t->severity));
    event_arg(e, "rule", t->rule);
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_OPENED);
}

void desk_fault_opened(struct desk *d, struct change *c, const struct rule *r, struct alert *a)
{
    struct ticket *t = of_fault(d, a->device_id, a->family, a->kind, a->key);

    if (!t) {
        if (r->ticket)
            open_ticket(d, c, r, a);
        return;
    }
    a->ticket_id = t->id;
    t->alert_id = a->id;
    if (a->severity > t->severity)
        take_degree(t, r, a);
    t->changed_ms = clock_wall(&d->config.clock);
    event_arg(record(d, c, "ticket.fault-again", t), "severity", severity_name(a->severity));
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_FAULT_AGAIN);
}

void desk_fault_changed(struct desk *d, struct change *c, const struct rule *r, struct alert *a)
{
    struct ticket *t = of_fault(d, a->device_id, a->family, a->kind, a->key);
    struct event *e;

    if (!t) {
        if (r->ticket)
            open_ticket(d, c, r, a);
        return;
    }
    if (a->severity <= t->severity)
        return;
    take_degree(t, r, a);
    t->changed_ms = clock_wall(&d->config.clock);
    e = record(d, c, "ticket.graver", t);
    event_arg(e, "severity", severity_name(t->severity));
    event_arg(e, "rule", t->rule);
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_GRAVER);
}

void desk_fault_closed(struct desk *d, struct change *c, const struct alert *a)
{
    struct ticket *t = of_fault(d, a->device_id, a->family, a->kind, a->key);
    bool untouched;
    struct event *e;

    if (!t)
        return;
    untouched = t->state == TICKET_NEW;
    t->changed_ms = clock_wall(&d->config.clock);
    record(d, c, "ticket.fault-cleared", t);
    if (untouched) {
        e = record(d, c, "ticket.cancel", t);
        event_arg(e, "from", ticket_state_name(t->state));
        enter(d, t, TICKET_CANCELLED);
        event_arg(e, "to", ticket_state_name(t->state));
        event_arg(e, "reason", "recovered");
    }
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_FAULT_CLEARED);
    if (untouched)
        forget(d, t);
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

/* Whether the verb can be done, and to where it leads. */
static int check_verb(const struct desk *d, const struct ticket *t, enum ticket_verb verb, const char *assignee,
                      enum ticket_state *to, char **why)
{
    const struct ticket *other;

    if (ticket_next(t->state, verb, to) < 0) {
        *why = what_is_possible(t, verb);
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
    if (verb == TICKET_REOPEN && other && other != t) {
        *why = xasprintf("%s cannot be reopened: %s is open for the same fault", t->number, other->number);
        return PD_EEXIST;
    }
    return 0;
}

static void apply_verb(struct desk *d, struct ticket *t, enum ticket_verb verb, enum ticket_state to,
                       const char *assignee, const char *note, const char *actor, struct change *c)
{
    char *kind = xasprintf("ticket.%s", ticket_verb_name(verb));
    struct event *e = record(d, c, kind, t);

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
    enter(d, t, to);
    index_fault(d, t);
    change_put_ticket(c, t);
    tell(d, c, t, TICKET_MOVE_CHANGED);
    free(kind);
}

int desk_ticket_verb(struct desk *d, int64_t id, enum ticket_verb verb, const char *assignee, const char *note,
                     const char *actor, struct change *c, char **why)
{
    struct ticket *t = u64dict_get(d->by_id, (uint64_t)id);
    enum ticket_state to;
    int rc;

    if (!t)
        return PD_ENOENT;
    rc = check_verb(d, t, verb, assignee, &to, why);
    if (rc == 0)
        apply_verb(d, t, verb, to, assignee, note, actor, c);
    if (!ticket_state_open(t->state))
        forget(d, t);
    return rc;
}
