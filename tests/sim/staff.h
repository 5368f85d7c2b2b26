#ifndef PD_SIM_STAFF_H
#define PD_SIM_STAFF_H

#include "base/rng.h"
#include "base/str.h"
#include "story.h"

/*
 * The people of a story: who work on tickets and patrol rounds as people do, by
 * commands, hours after they were told; and who remember what happened when. At
 * the end their memory says what patrold ought to have warned of.
 *
 * Times are wall clock, UTC. Whoever owns the clock asks when they want to do
 * something next.
 */
struct staff_ops {
    /* A command; refused() is called if it is not taken. */
    void (*command)(void *ctx, const char *name, const char *args, int64_t case_id);
    void *ctx;
};

struct staff;

/* The story outlives it. */
struct staff *staff_new(const struct story *story, const struct staff_ops *ops);
void staff_free(struct staff *s);

/* An event of patrold's about a ticket or a round, as it was committed. machine: -1: none. */
void staff_event(struct staff *s, const char *kind, int machine, int64_t ticket_id, const char *args, int64_t wall_ms);
/* A command for a ticket or round was refused: in words. */
void staff_refused(struct staff *s, int64_t case_id, const char *why, int64_t wall_ms);
/* patrold runs, or does not: commands wait meanwhile. */
void staff_patrold(struct staff *s, bool running, int64_t wall_ms);

/* When somebody does something next; INT64_MAX: nothing to do. */
int64_t staff_next(const struct staff *s);
void staff_advance(struct staff *s, int64_t wall_ms);

/* What is wrong at the end, a line "problem: …" each: how many. */
unsigned staff_check(struct staff *s, int64_t wall_ms, struct sbuf *out);
/* A line that tells what they did; nothing if there is no staff. */
void staff_sum(const struct staff *s, struct sbuf *out);

#endif
