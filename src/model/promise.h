#ifndef PD_MODEL_PROMISE_H
#define PD_MODEL_PROMISE_H

#include "model/calendar.h"
#include "model/record.h"

/*
 * Service-level clocks: what a contract promises (DOMAIN.md, "Promises"), and how
 * a ticket stands against it. Nothing of a clock is stored: one pure function
 * computes it from the ticket's history, so a deadline can be neither lost nor
 * shifted twice.
 */
enum promise {
    PROMISE_RESPOND,          /* a person takes the ticket on */
    PROMISE_DISPATCH,         /* somebody is assigned, and the reporter told */
    PROMISE_ON_SITE,          /* the technician is there */
    PROMISE_FIX,              /* it works again */
    PROMISE_LOANER,           /* a machine stands in */
    PROMISE_COMPLAINT_REPLY,  /* a complaint is answered */
    PROMISE_COMPLAINT_RESULT, /* and settled */
    PROMISE_COUNT
};
const char *promise_name(enum promise p); /* "on-site" */
int promise_parse(const char *s, enum promise *out);
/* Complaints have promises of their own; all other tickets have the rest. */
bool promise_applies(enum promise p, enum ticket_kind kind);

enum priority { PRIORITY_P1, PRIORITY_P2, PRIORITY_P3, PRIORITY_P4, PRIORITY_COUNT };
const char *priority_name(enum priority p); /* "P1" */
int priority_parse(const char *s, enum priority *out);

/* So much working time of a calendar; "3 working days" of 8 hours are 24 hours. No calendar: nothing is promised. */
struct goal {
    int64_t work_ms; /* 0: at once */
    const struct calendar *calendar;
};

typedef uint32_t ticket_states; /* a set */
#define TICKET_STATE_BIT(state) ((ticket_states)1 << (state))

struct contract {
    char *name;
    enum priority priorities[SEVERITY_COUNT]; /* a ticket's by its severity */
    ticket_states pauses;                     /* in which all its clocks stand still */
    struct goal goals[PRIORITY_COUNT][PROMISE_COUNT];
};
/* Promises nothing; critical is P1, info P4; only waiting for the customer pauses. */
void contract_init(struct contract *c, const char *name);
void contract_fini(struct contract *c);

/* ---- One clock ---- */

/*
 * It starts when the ticket first is in one of the states `start` and stops in
 * one of `stop`, which goes before `pause`.
 *
 * What happens to a ticket that is reopened: a person has answered, somebody was
 * sent and has arrived once and for all, so those clocks stay stopped (`once`).
 * A fix that did not hold is none: fix and result go on from where they stood, and the
 * time in which all thought it fixed is not counted. A promise broken before
 * stays broken. A cancelled ticket's clocks stand still likewise.
 */
struct service_clock {
    ticket_states start, stop, pause;
    bool once;
    bool loaner; /* a loaner stops it too, once and for all */
    struct goal goal;
};

/* The clock of a promise for a severity; false if the contract does not give it. */
bool contract_clock(const struct contract *c, enum promise p, enum severity s, struct service_clock *out);

/* What a ticket went through, oldest first: the state it came into and whether a loaner stands in from then on. */
struct ticket_step {
    int64_t at_ms;
    enum ticket_state state;
    bool loaner;
};

enum clock_state {
    CLOCK_NOT_STARTED,
    CLOCK_RUNNING,
    CLOCK_PAUSED,
    CLOCK_MET,    /* stopped at its deadline or before */
    CLOCK_MISSED, /* the deadline is over; stopped or not */
    CLOCK_VOID    /* the ticket was cancelled before: neither kept nor broken */
};
const char *clock_state_name(enum clock_state s); /* "not-started" */

#define CLOCK_NEVER INT64_MAX

/*
 * How a clock stands at a time. Working time of the goal's calendar alone
 * counts, pauses taken out. The deadline is the first instant at which the goal's
 * time has passed: the end of a day rather than the beginning of the next. To
 * stop at that very instant is in time; a millisecond later is not, even when no
 * working time lies between.
 */
struct clock_reading {
    enum clock_state state;
    int64_t started_ms; /* CLOCK_NEVER: not yet */
    int64_t stopped_ms; /* CLOCK_NEVER: goes on, or will go on */
    int64_t elapsed_ms; /* working time */
    /*
     * Paused or cancelled: as if it went on now. Stopped: the one it had. CLOCK_NEVER before it starts.
     */
    int64_t deadline_ms;
    /* When three quarters and all of the goal's time had or will have passed if nothing changes, else CLOCK_NEVER. */
    int64_t at_75_ms, at_100_ms;
};

/*
 * Steps after now_ms are not yet known of, so any moment of the past can be
 * read. A step that lies before the one ahead of it (the machine's clock was set
 * back) counts as at the same time. PD_ERANGE where the calendar does not come
 * to the goal (calendar_add).
 */
int clock_read(const struct service_clock *k, const struct ticket_step *steps, size_t n, int64_t now_ms,
               struct clock_reading *out);

#endif
