#include <stdlib.h>

#include "base/mem.h"
#include "daemon/internal.h"
#include "daemon/people.h"

/*
 * Who is told what of a ticket. What befalls it goes to the configuration's
 * recipients and, of its beginning and the fault's end, to the customer's contacts
 * who get tickets; not where it is mere information, as what was foreseen and what
 * is planned. What time makes of its promises goes to staff, step by step
 * further up.
 */

struct readers {
    struct core *core;
    ARRAY(struct notice_reader) list;
};

static void add_reader(struct readers *r, const char *mail, const char *language)
{
    if (mail)
        array_push(&r->list, ((struct notice_reader){mail, people_lang(r->core, language)}));
}

static void add_contact(void *ctx, const struct archive_contact *contact)
{
    add_reader(ctx, contact->mail, contact->language);
}

static void add_staff(void *ctx, const struct archive_staff *staff)
{
    add_reader(ctx, staff->mail, staff->language);
}

/* ---- What stands in every notice ---- */

struct telling {
    struct notice_about about;
    struct place place;
    char *location;
    ARRAY(struct ticket_promise) promises;
};

static void telling_begin(struct telling *tell, struct core *c, enum notice what, const struct ticket *t)
{
    const struct device *d = c->fault_device ? c->fault_device : watch_device(c->watch, t->device_id);

    *tell = (struct telling){0};
    people_place(c, d ? d->site : t->site, &tell->place);
    tell->location = d && d->location ? xstrdup(d->location) : d ? core_device_text(c, d->id, "location") : NULL;
    tell->about = (struct notice_about){
        .what = what,
        .ticket = t,
        .device = d,
        .location = tell->location,
        .site = tell->place.site,
        .zone = tell->place.zone,
    };
}

static void telling_end(struct telling *tell)
{
    free(tell->location);
    array_free(&tell->promises);
}

/* ---- What befalls a ticket ---- */

void tell_ticket_moved(struct core *c, struct change *change, const struct ticket *t, enum ticket_move move)
{
    static const enum notice notices[] = {
        [TICKET_MOVE_OPENED] = NOTICE_TICKET_OPENED,
        [TICKET_MOVE_GRAVER] = NOTICE_TICKET_GRAVER,
        [TICKET_MOVE_FAULT_CLEARED] = NOTICE_FAULT_CLEARED,
        [TICKET_MOVE_FAULT_AGAIN] = NOTICE_FAULT_AGAIN,
    };
    struct readers readers = {.core = c};
    struct telling tell;

    if (move == TICKET_MOVE_CHANGED) /* staff did that themselves */
        return;
    telling_begin(&tell, c, notices[move], t);
    tell.about.alert = c->fault_alert;
    if ((move == TICKET_MOVE_OPENED || move == TICKET_MOVE_FAULT_CLEARED) && t->severity > SEVERITY_INFO)
        people_contacts(c, &tell.place, "tickets", add_contact, &readers);
    notify_ticket(c->notify, change, &tell.about, readers.list.v, readers.list.n, true);
    array_free(&readers.list);
    telling_end(&tell);
}

/* ---- What time makes of its promises ---- */

/* The roles that a level goes to: the first of which anybody works there and has a mail address. Ended by NULL. */
static const char *const roles[LEVEL_COUNT][4] = {
    [LEVEL_WARNED] = {"technician", "operator", NULL},
    [LEVEL_MISSED] = {"supervisor", "manager", NULL},
    [LEVEL_ESCALATED] = {"manager", NULL},
};

/* At first whoever works on it is told, if that is somebody we can write to. */
static void add_assignee(struct readers *r, const struct ticket *t)
{
    const struct archive_staff *staff = t->assignee ? people_staff_named(r->core, t->assignee) : NULL;

    if (staff)
        add_staff(r, staff);
}

struct sorting {
    struct telling *tell;
    const struct desk_warning *warning;
    bool concerned; /* those that the warning is about, or the others */
};

static bool is_about(const struct desk_warning *w, enum promise p)
{
    for (size_t i = 0; i < w->n; i++)
        if (w->promises[i] == p)
            return true;
    return false;
}

static void add_promise(void *ctx, const struct ticket_promise *p)
{
    const struct sorting *s = ctx;

    if (is_about(s->warning, p->promise) == s->concerned)
        array_push(&s->tell->promises, *p);
}

/* How all promises stand, those that the warning is about first. */
static void add_promises(struct core *c, struct telling *tell, const struct desk_warning *w)
{
    int64_t now = clock_wall(&c->config.services.clock), id = tell->about.ticket->id;

    desk_clocks(c->desk, id, now, add_promise, &(struct sorting){tell, w, true});
    tell->about.nabout = tell->promises.n;
    desk_clocks(c->desk, id, now, add_promise, &(struct sorting){tell, w, false});
    tell->about.promises = tell->promises.v;
    tell->about.npromises = tell->promises.n;
}

void tell_ticket_warned(struct core *c, struct change *change, const struct ticket *t, const struct desk_warning *w)
{
    static const enum notice notices[LEVEL_COUNT] = {
        [LEVEL_WARNED] = NOTICE_PROMISE_WARNED,
        [LEVEL_MISSED] = NOTICE_PROMISE_MISSED,
        [LEVEL_ESCALATED] = NOTICE_PROMISE_ESCALATED,
    };
    struct readers readers = {.core = c};
    struct telling tell;

    telling_begin(&tell, c, notices[w->level], t);
    add_promises(c, &tell, w);
    if (w->level == LEVEL_WARNED)
        add_assignee(&readers, t);
    for (const char *const *role = roles[w->level]; *role && readers.list.n == 0; role++)
        people_staff(c, &tell.place, *role, add_staff, &readers);
    /* A manager there may be none; but that a promise is in danger must not be lost on nobody. */
    if (readers.list.n > 0 || w->level != LEVEL_ESCALATED)
        notify_ticket(c->notify, change, &tell.about, readers.list.v, readers.list.n, readers.list.n == 0);
    array_free(&readers.list);
    telling_end(&tell);
}
