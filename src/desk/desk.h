#ifndef PD_DESK_DESK_H
#define PD_DESK_DESK_H

#include "base/clock.h"
#include "base/wheel.h"
#include "model/change.h"
#include "model/knowledge.h"
#include "model/ticket_clock.h"

/*
 * Tickets: opened by faults and people, moved by staff. One open fault, one open
 * ticket. Includes nothing of watch or notify; the composition root joins them.
 */
struct desk;

/* What befell a ticket, told inside the change that records it. */
enum ticket_move {
    TICKET_MOVE_OPENED,
    TICKET_MOVE_CHANGED,
    TICKET_MOVE_GRAVER,
    TICKET_MOVE_FAULT_CLEARED,
    TICKET_MOVE_FAULT_AGAIN
};

/* Promises of a ticket that come to a level together. */
struct desk_warning {
    enum clock_level level;
    enum promise promises[PROMISE_COUNT];
    size_t n;
};

struct desk_config {
    struct pd_clock clock;
    struct wheel *wheel; /* wakes it; NULL: nothing does */
    const char *prefix;  /* of ticket numbers */
    void (*moved)(void *ctx, struct change *c, const struct ticket *t, enum ticket_move move);
    /* What was promised for a ticket, borrowed until the next call; NULL: nothing. May be NULL. */
    const struct contract *(*contract)(void *ctx, const struct ticket *t);
    /* A promise is in danger or broken: to be told inside the change that writes it down. May be NULL. */
    void (*warned)(void *ctx, struct change *c, const struct ticket *t, const struct desk_warning *w);
    /* Takes a change that time alone has brought. */
    void (*submit)(void *ctx, struct change *c);
    void *ctx;
};

struct desk *desk_new(const struct desk_config *config);
void desk_free(struct desk *d);
/* From the store: the open tickets at start, and a closed one that is to be reopened by desk_ticket_verb(). */
void desk_load_ticket(struct desk *d, const struct ticket *t);
/* Then what each went through, oldest first. */
void desk_load_step(struct desk *d, const struct step_record *s);
/* And from what every ticket there ever was came, where it says so. */
void desk_load_origin(struct desk *d, const char *origin, int64_t ticket_id);
void desk_set_last_id(struct desk *d, int64_t ticket_id);

/*
 * Once everything is loaded: warns of what became due meanwhile, of each promise
 * the gravest level alone, and sets the timers. desk_review_all() does the same
 * within a change, after contracts, calendars, or what they hold for, may be others.
 */
void desk_start(struct desk *d);
void desk_review_all(struct desk *d, struct change *c);

/*
 * A fault opened: opens a ticket if the rule wants one, or joins the one that is
 * still open for this fault. Sets a->ticket_id.
 */
void desk_fault_opened(struct desk *d, struct change *c, const struct rule *r, struct alert *a);
/*
 * A fault has another degree. The ticket keeps the gravest one of its life; a
 * degree that wants a ticket where none is open gets one.
 */
void desk_fault_changed(struct desk *d, struct change *c, const struct rule *r, struct alert *a);
/* A fault closed: a ticket nobody has accepted is cancelled as recovered by itself; others are only told. */
void desk_fault_closed(struct desk *d, struct change *c, const struct alert *a);

/* A ticket that no fault opens: of people, of plans, of findings. Texts are borrowed; NULL: none. */
struct ticket_wish {
    enum ticket_kind kind;
    int64_t device_id; /* 0: none */
    const char *site;  /* of one without a device */
    const char *title; /* what it is about; must be there */
    enum severity severity;
    const char *category, *note;
    const char *
        origin; /* for ever one ticket: a second wish of the same origin gives it, open or ended, and changes nothing */
    const char *label; /* of the part of the device that it is about */
};
/* 0 and the ticket's id; PD_EINVAL without a title. */
int desk_open(struct desk *d, struct change *c, const struct ticket_wish *w, const char *actor, int64_t *id);

/*
 * Staff's verbs. note may be NULL; assignee only with DISPATCH. PD_ENOENT; PD_EINVAL, PD_EEXIST (another
 * ticket is open for the fault of one to be reopened) and PD_ESTATE with *why (free it) naming what is
 * possible.
 */
int desk_ticket_verb(struct desk *d, int64_t id, enum ticket_verb verb, const char *assignee, const char *note,
                     const char *actor, struct change *c, char **why);

const struct ticket *desk_ticket(const struct desk *d, int64_t id);                     /* open ones; NULL */
const struct ticket *desk_ticket_of_fault(const struct desk *d, const struct alert *a); /* open ones; NULL */
int64_t desk_ticket_by_number(const struct desk *d, const char *number);                /* 0 if no open one */
/* A site is called otherwise: so are the open tickets of no device there. */
/* Two devices are one: open tickets of one are the other's from now on. */
void desk_device_merged(struct desk *d, int64_t gone, int64_t keep, struct change *c);
/* It was a mistake: those that were gone's are those of its new record, again. */
void desk_device_split(struct desk *d, int64_t gone, int64_t again, struct change *c);
void desk_site_renamed(struct desk *d, const char *from, const char *to, struct change *c);

/* What an open ticket went through, oldest first; *n 0 for one that is not known. Borrowed until the next change. */
const struct ticket_step *desk_steps(const struct desk *d, int64_t id, size_t *n);
/* How the promises for an open ticket stand at a time, as far as it has any: by model/ticket_clock.h, as reports have them. */
void desk_clocks(const struct desk *d, int64_t id, int64_t now_ms,
                 void (*fn)(void *ctx, const struct ticket_promise *p), void *ctx);
/* When the next of its clocks comes to a level; CLOCK_NEVER. */
int64_t desk_next_ms(const struct desk *d, int64_t id);
size_t desk_open_tickets(const struct desk *d);
/* All open ones, in order of id. */
void desk_tickets(const struct desk *d, void (*fn)(void *ctx, const struct ticket *t), void *ctx);

#endif
