#ifndef PD_GATHER_GATHER_H
#define PD_GATHER_GATHER_H

#include "gather/findings.h"
#include "store/store.h"

/*
 * Collects what happened at a site in a month, by queries of the store, one
 * after another, each answered in pages: nothing waits, and what is held at a
 * time is the findings and one page.
 */
struct gather;

/* Which month, and of whom. Everything borrowed outlives the gathering, but for the knowledge: gather_cancel() before a reload. */
struct gather_args {
    struct store *store;
    const struct knowledge *knowledge;
    int64_t first_day; /* of the month */
    const struct zone *zone;
    int64_t now_ms;    /* it is prepared now: nothing later counts */
    int64_t speaks_ms; /* how long a poll stands for what follows at most */
    /* Whether what stands at this site (NULL: it says none) belongs to the report. */
    bool (*mine)(void *ctx, const char *site);
    /* What was promised for a ticket; NULL: nothing. */
    const struct contract *(*contract)(void *ctx, const struct ticket *t);
    void *ctx;
};

/*
 * done is called once, in the loop, never before this returns: with err 0 and the findings (the caller takes what they
 * hold by findings_fini()), or with an error and its reason.
 */
struct gather *gather_start(const struct gather_args *args,
                            void (*done)(void *arg, int err, const char *why, struct findings *f), void *arg);
/* done is not called any more; frees itself when the query under way is answered. NULL is fine. */
void gather_cancel(struct gather *g);

#endif
