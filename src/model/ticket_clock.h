#ifndef PD_MODEL_TICKET_CLOCK_H
#define PD_MODEL_TICKET_CLOCK_H

#include "model/promise.h"

/*
 * How a ticket stands against its contract: for the desk that warns, for those
 * who look, and for reports, so that they cannot differ. Pure functions of the
 * ticket, what it went through, the contract and a time.
 */

/* A promise as it stands for a ticket at some time. */
struct ticket_promise {
    enum promise promise;
    enum priority priority;
    int64_t goal_ms; /* working time of the contract's calendar */
    struct clock_reading reading;
};
/* PD_ENOENT if nothing is promised (contract NULL among that), PD_ERANGE where its calendar does not come to the goal. */
int ticket_clock(const struct contract *c, const struct ticket *t, enum promise p, const struct ticket_step *steps,
                 size_t n, int64_t now_ms, struct ticket_promise *out);

/* How far a clock has gone, as people are told of it. Each level goes to those one step further up. */
enum clock_level {
    LEVEL_NONE,
    LEVEL_WARNED,    /* three quarters of the goal are over */
    LEVEL_MISSED,    /* the deadline is over */
    LEVEL_ESCALATED, /* and as much again: of what must come to an end (a fix, a complaint's result) */
    LEVEL_COUNT
};
const char *clock_level_name(enum clock_level l); /* "warned" */

/* The level of each promise, as struct ticket's `told` keeps it: "respond=missed,fix=warned". What is not known is passed over. */
void levels_parse(const char *text, enum clock_level out[static PROMISE_COUNT]);
char *levels_format(const enum clock_level levels[static PROMISE_COUNT]); /* NULL for none at all; free it */

struct clock_outlook {
    enum clock_level reached; /* of a clock that stops right now: missed, or none; of one that stopped before: none */
    int64_t next_ms;          /* when it will reach another if nothing changes; CLOCK_NEVER */
};
/* Errors as ticket_clock(). */
int ticket_outlook(const struct contract *c, const struct ticket *t, enum promise p, const struct ticket_step *steps,
                   size_t n, int64_t now_ms, struct clock_outlook *out);

#endif
