#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"

/* A ticket that is to be reopened and that desk does not know any more; the command goes on when it is there. */
struct reopening {
    struct order *order;
    char *note;
};

/* Tells desk of the ticket, unless it knows it by now. */
static int take_ticket(struct core *c, const struct fetched_ticket *f, char **why)
{
    if (desk_ticket(c->desk, f->ticket->id))
        return 0;
    if (ticket_state_open(f->ticket->state)) { /* desk closed it: the database will say so in a moment */
        *why = xasprintf("%s is just being closed: try again", f->ticket->number);
        return PD_EBUSY;
    }
    desk_load_ticket(c->desk, f->ticket);
    for (size_t i = 0; i < f->nsteps; i++) {
        struct step_record s = {f->ticket->id, (uint32_t)i + 1, f->steps[i].at_ms, f->steps[i].state,
                                f->steps[i].loaner};

        desk_load_step(c->desk, &s);
    }
    return 0;
}

static void fetched(void *arg, const struct fetched_ticket *f)
{
    struct reopening *r = arg;
    struct core *c = r->order->core;
    char *why = xstrdup_null(f->why);
    int rc = f->err;

    if (rc == 0)
        rc = trouble_refuses(c, &why);
    if (rc == 0)
        rc = take_ticket(c, f, &why);
    if (rc == 0)
        rc = order_ticket_verb(r->order, TICKET_REOPEN, f->ticket->id, NULL, r->note, &why);
    if (rc < 0)
        order_end(r->order, rc, why ? why : pd_strerror(rc));
    free(why);
    free(r->note);
    free(r);
}

void ticket_reopen(struct order *o, const char *ref, const char *note)
{
    struct reopening *r = xcalloc(1, sizeof *r);

    r->order = o;
    r->note = xstrdup_null(note);
    ticket_fetch(o->core, ref, fetched, r);
}
