#ifndef PD_BASE_WORKER_H
#define PD_BASE_WORKER_H

#include <stddef.h>

#include "base/wheel.h"

/*
 * Jobs that may wait (disk, DNS, TLS) run elsewhere than in the loop. A worker
 * is either threads with a queue, or, in virtual time, the same job run inline
 * by a timer after a scripted delay. Either way work() sees only its own job,
 * and done() runs in the loop, in the order of completion.
 */
struct worker;

struct job {
    void (*work)(struct job *j); /* anywhere but in the loop; touches nothing but the job */
    void (*done)(struct job *j); /* in the loop, from worker_reap() or the timer; may free the job */
    struct job *next;            /* the worker's */
};

/* n threads; with n = 1 jobs run strictly in order. */
int worker_start(unsigned nthreads, struct worker **out);
/* No threads: each job runs by a timer delay_ms() after it was submitted, in order. */
struct worker *worker_start_inline(struct wheel *wheel, int64_t (*now_mono)(void *ctx), int64_t (*delay_ms)(void *ctx),
                                   void *ctx);
/* Waits for jobs under way; those still queued get neither work() nor done() and are handed to drop() (may be NULL). */
void worker_stop(struct worker *w, void (*drop)(struct job *j));

/* Takes the job until done(). */
void worker_submit(struct worker *w, struct job *j);
/* Becomes readable when worker_reap() has something to do; -1 for an inline worker. */
int worker_fd(const struct worker *w);
/* Runs done() of whatever completed. */
void worker_reap(struct worker *w);
/* Blocks until every job is done, those included that done() submits: for an orderly end. */
void worker_drain(struct worker *w);
/* Jobs submitted and not yet done. */
size_t worker_pending(const struct worker *w);

#endif
