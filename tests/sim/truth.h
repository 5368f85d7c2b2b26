#ifndef PD_SIM_TRUTH_H
#define PD_SIM_TRUTH_H

#include "rules.h"
#include "spans.h"
#include "story.h"

/*
 * What should come of a story, from what became true of its machines and from
 * who could see it. Fed as the story goes on; at its end it says what patrold
 * ought to have told, and when at the latest.
 *
 * A fault must be told if there was a stretch, as long as the time it may take,
 * in which it was there and patrold could see it: patrold running, the machine
 * on, its answers arriving, and (a cover) no jam that it would be part of.
 */
struct truths;

struct truths *truth_new(const struct story *story);
void truth_free(struct truths *t);

/* A rule's fault is there, or over, as it must be told. piece: toner, port, disk; -1: the machine has one such only. */
void truth_there(struct truths *t, unsigned machine, enum truth_rule_id rule, int piece, bool there, int64_t at_ms);
/* So long an alert of this rule may come and go, though none need. */
void truth_possible(struct truths *t, unsigned machine, enum truth_rule_id rule, int piece, int64_t from_ms,
                    int64_t to_ms);
/* A machine began anew, and has a clock that tells it. */
void truth_restarted(struct truths *t, unsigned machine, int64_t at_ms);
/* It says that it sleeps, and from when to when it does so without an answer. */
void truth_asleep(struct truths *t, unsigned machine, int64_t at_ms, int64_t from_ms, int64_t to_ms);
/* A happening's own expectations. */
void truth_expected(struct truths *t, const struct happening *h);
/* It does not answer, for whatever reason, or does again. */
void truth_hidden(struct truths *t, unsigned machine, bool hidden, int64_t at_ms);
/* Nothing is expected of a machine, not even that it answers. */
void truth_blind(struct truths *t, unsigned machine, bool blind, int64_t at_ms);
/* A poll of it came to nothing although it was on: the network lost it. */
void truth_unread(struct truths *t, unsigned machine, int64_t from_ms, int64_t to_ms);
void truth_patrold(struct truths *t, bool running, int64_t at_ms);

/* A degree of a fault that must be reached, or a graver one. */
struct truth_degree {
    enum truth_rule_id rule;
    int64_t from_ms, by_ms; /* by INT64_MAX: it need not */
};

struct expectation {
    unsigned machine;
    enum truth_rule_id rule;    /* the mildest that was there */
    int piece;                  /* -1: none */
    int64_t began_ms, ended_ms; /* INT64_MAX: it lasted to the end */
    int64_t from_ms, until_ms;  /* an alert may open between these */
    int64_t open_by_ms;         /* and must by then; INT64_MAX: need not at all */
    int64_t close_by_ms;        /* INT64_MAX: need not */
    struct truth_degree degrees[TRUTH_DEGREES];
    unsigned ndegrees;
    struct spans there; /* when it may be open: an alert may close only outside of it */
    bool parted;        /* it came and went in between: may be told as one or as several */
    bool loose;         /* an alert that was possible before or after it may be one with its own */
};

struct expectations {
    ARRAY(struct expectation) list; /* in order of beginning, then machine */
};

/* Ends the story, and reckons. Free with expectations_free(). */
void truth_finish(struct truths *t, int64_t end_ms, struct expectations *out);
void expectations_free(struct expectations *e);

#endif
