#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "daemon/internal.h"

static const struct alert *alert_of(const struct change *change, int64_t id)
{
    for (size_t i = 0; i < change->rows.n; i++)
        if (change->rows.v[i].kind == ROW_ALERT && change->rows.v[i].alert.id == id)
            return &change->rows.v[i].alert;
    return NULL;
}

static const struct ticket *ticket_of(const struct change *change, int64_t id)
{
    for (size_t i = 0; i < change->rows.n; i++)
        if (change->rows.v[i].kind == ROW_TICKET && change->rows.v[i].ticket.id == id)
            return &change->rows.v[i].ticket;
    return NULL;
}

static void tell_fault(const char *device, const struct alert *a, bool opened)
{
    const struct log_about about = {
        .kind = opened ? LOG_KIND_FAULT_OPENED : LOG_KIND_FAULT_CLOSED, .device = device, .rule = a->rule};

    log_about(LOG_LEVEL_INFO, "watch", &about, "fault %s %s: %s, %s", opened ? "opened" : "closed", device, a->rule,
              a->label ? a->label : a->kind);
}

static void tell_ticket(const char *device, const struct ticket *t, const char *what)
{
    const struct log_about about = {
        .kind = strcmp(what, "opened") == 0 ? LOG_KIND_TICKET_OPENED : LOG_KIND_TICKET_CHANGED,
        .device = device,
        .rule = t->rule,
        .ticket = t->number,
    };

    log_about(LOG_LEVEL_INFO, "desk", &about, "ticket %s of %s: %s, now %s", t->number, device ? device : "no device",
              what, ticket_state_name(t->state));
}

static void tell_rounds(const struct change *change)
{
    for (size_t i = 0; i < change->rows.n; i++) {
        const struct round *r = &change->rows.v[i].round;

        if (change->rows.v[i].kind == ROW_ROUND)
            log_info("patrol", "round %" PRId64 " of plan %s at %s: %s", r->id, r->plan, r->site,
                     round_state_name(r->state));
    }
}

void chronicle_write(const struct core *c, const struct change *change)
{
    for (size_t i = 0; i < change->events.n; i++) {
        const struct event *e = &change->events.v[i];
        const struct device *d = watch_device(c->watch, e->device_id);
        const struct alert *a = alert_of(change, e->alert_id);
        const struct ticket *t = ticket_of(change, e->ticket_id);

        if (a && d && (str_eq(e->kind, "alert.opened") || str_eq(e->kind, "alert.closed")))
            tell_fault(d->name, a, str_eq(e->kind, "alert.opened"));
        else if (t && str_starts(e->kind, "ticket."))
            tell_ticket(d ? d->name : NULL, t, e->kind + strlen("ticket."));
    }
    tell_rounds(change);
}
