#ifndef PD_DESK_INTERNAL_H
#define PD_DESK_INTERNAL_H

#include "base/dict.h"
#include "desk/desk.h"

/* What the files of the desk share. */

/* An open ticket, or an ended one that is just being reopened. */
struct held {
    struct ticket ticket;
    ARRAY(struct ticket_step) steps;
    struct desk *desk;
    struct timer timer; /* at next_ms */
    int64_t next_ms;    /* when a clock of it comes to a level; CLOCK_NEVER */
};

struct desk {
    struct desk_config config;
    char *prefix;
    int64_t last_id;
    struct u64dict *by_id;  /* -> struct held, which it owns */
    struct dict *by_fault;  /* fault key -> the held open ticket of that fault */
    struct dict *by_origin; /* -> the id of the ticket that came from it, open or ended */
    struct timer drift;     /* looks whether the wall clock was set */
    int64_t offset_ms;      /* of the wall clock from the monotonic one, when timers were set */
};

/* ---- desk.c ---- */

struct held *desk_held(const struct desk *d, int64_t id); /* NULL */
struct held *desk_of_fault(const struct desk *d, int64_t device_id, const char *family, const char *kind,
                           const char *key);
void desk_remember(struct desk *d, struct held *h);
void desk_forget(struct desk *d, struct held *h);
/* Makes by_fault say what its state says. */
void desk_index_fault(struct desk *d, struct held *h);
void desk_note_origin(struct desk *d, const char *origin, int64_t ticket_id);
int64_t desk_ticket_of_origin(const struct desk *d, const char *origin); /* 0: none */

/* ---- moves.c ---- */

/* An event of what befell a ticket. */
struct event *desk_record(struct desk *d, struct change *c, const char *kind, const struct ticket *t);

/* ---- clocks.c ---- */

void desk_clocks_init(struct desk *d);
void desk_held_init(struct desk *d, struct held *h);
/* Warns of what is due by now and was not told: before anything else befalls the ticket. */
void desk_settle(struct desk *d, struct change *c, struct held *h);
/* Likewise after something did, and sets the timer. */
void desk_review(struct desk *d, struct change *c, struct held *h);

#endif
