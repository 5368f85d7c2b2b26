#ifndef PD_PATROL_PATROL_H
#define PD_PATROL_PATROL_H

#include "conf/conf.h"
#include "model/change.h"
#include "model/knowledge.h"
#include "patrol/schedule.h"
#include "plugin/plugin.h"

/*
 * The patrol: what plans say becomes rounds and preventive tickets when it is
 * due, each once, however long patrold was down; rounds are filled in, signed by
 * the customer, and chased while they are not. Includes nothing of watch, desk or
 * notify; the composition root joins them.
 *
 * Occurrences are numbered from 1 as they are made, so a plan whose rule is
 * changed goes on counting. A plan begins when patrold first sees it: what fell
 * due before is no occurrence. How far each has come is kept as "plan.NAME"
 * among the meta rows, in the change that makes the occurrence.
 *
 * Its events, all with "round" (its id), "plan" and "site": round.generated,
 * .started, .filled, .completed, .overdue, .chased, .signed, .reported,
 * .cancelled; and plan.empty where nothing is in a plan's scope.
 */
struct patrol;

/* A component of a device with its current points; borrowed. */
struct patrol_component {
    const struct kind *kind;
    const char *key, *label;
    const struct value *points; /* kind->points.n */
};

/* A ticket that is wanted. */
struct patrol_wish {
    enum ticket_kind kind; /* finding or preventive */
    int64_t device_id;     /* 0: none */
    const char *site, *title, *note, *label;
    enum severity severity;
    const char *origin; /* unique: the same one is the same ticket */
};

enum patrol_news {
    NEWS_ROUND_DUE,        /* it was made */
    NEWS_ROUND_UNFINISHED, /* its time will soon be over */
    NEWS_ROUND_OVERDUE
};

/* What is to be told of a round. */
struct patrol_letter {
    const struct round *round;
    enum patrol_news news;
    int times; /* how often this was told, this time included */
    int visits, visits_done;
};

/* Wired by the composition root; all called in the loop. What they give is borrowed until the next change. */
struct patrol_ops {
    /* All devices that are not removed, in order of id; one of them, or NULL. */
    void (*devices)(void *ctx, void (*fn)(void *arg, const struct device *d), void *arg);
    const struct device *(*device)(void *ctx, int64_t id);
    const struct device *(*device_named)(void *ctx, const char *name);
    void (*components)(void *ctx, int64_t device_id, void (*fn)(void *arg, const struct patrol_component *k),
                       void *arg);
    /* When the device answered last; 0: never. */
    int64_t (*answered_ms)(void *ctx, int64_t device_id);
    /* Whose a site is, and its time zone; NULL where that is not known. */
    const char *(*customer)(void *ctx, const char *site);
    const char *(*zone)(void *ctx, const char *site);
    /* Opens a ticket in the change, or gives the one of its origin. */
    int (*ticket)(void *ctx, struct change *c, const struct patrol_wish *w, const char *actor, int64_t *id);
    /*
     * An open ticket for the device that is about this already: of a fault of the
     * component that was found (item NULL: the checklist is gone), or a finding of
     * this item. 0: none.
     */
    int64_t (*open_ticket)(void *ctx, int64_t device_id, const struct check_item *item, const struct visit_item *found);
    /* Mails to those whom it concerns. */
    void (*tell)(void *ctx, struct change *c, const struct patrol_letter *l);
    /* Takes the change. */
    void (*submit)(void *ctx, struct change *c);
    void *ctx;
};

struct patrol_config {
    struct pd_services services;
    const struct settings *settings; /* outlives the patrol or the next patrol_reload() */
    const struct knowledge *knowledge;
    struct patrol_ops ops;
};

/*
 * Complains of plans whose rule is none: what the loaders can't see. 0 or PD_EINVAL.
 */
int patrol_check_plans(const struct settings *settings, const struct knowledge *knowledge, struct conf_report *report);

struct patrol *patrol_new(const struct patrol_config *config);
void patrol_free(struct patrol *p); /* NULL is fine */

/* From the store, before patrol_start(): rounds first, then visits, then items, each in order of id. */
void patrol_load_round(struct patrol *p, const struct round *r);
void patrol_load_visit(struct patrol *p, const struct visit *v);
void patrol_load_item(struct patrol *p, const struct visit_item *i);
/* Takes those rows that are its own. */
void patrol_load_meta(struct patrol *p, const char *name, const char *value);
void patrol_set_last_ids(struct patrol *p, int64_t round_id, int64_t visit_id, int64_t item_id);
/* Makes what fell due meanwhile, and goes on from there. */
void patrol_start(struct patrol *p);
/* New settings and knowledge; the old may be freed then. Rounds of plans that are gone go on. */
void patrol_reload(struct patrol *p, const struct settings *settings, const struct knowledge *knowledge);
/* A site is called otherwise. */
void patrol_site_renamed(struct patrol *p, const char *from, const char *to, struct change *c);

/* ---- Commands: each builds, applies and gives the change that the caller submits ---- */

/*
 * The round that a reference means: its id in digits, or the name of a plan of
 * which one round is open. PD_ENOENT, PD_EINVAL (several are) and *why (free it).
 */
int patrol_ref(const struct patrol *p, const char *ref, int64_t *id, char **why);

/* What was found of one item; result as its code. */
struct patrol_finding {
    const char *item, *result;
};

/* What a technician says of a visit. */
struct patrol_filling {
    const char *device; /* name, or id in digits; NULL: every visit of the round, with all_ok only */
    const struct patrol_finding *findings;
    size_t n;
    bool all_ok;              /* what is still open after that is ok */
    const char *value, *note; /* of the findings; NULL: not said */
};

/*
 * Each gives 0, or PD_ENOENT, PD_EINVAL, PD_ESTATE with *why (free it), which
 * says what is possible.
 */

/* Fills items in: the visit begins, what is polled is polled anew, and what is complete is said to be. */
int patrol_fill(struct patrol *p, int64_t round, const struct patrol_filling *f, const char *actor, struct change *c,
                char **why);
/* A visit begins. device NULL: the round, with every visit's polled items taken anew. */
int patrol_begin(struct patrol *p, int64_t round, const char *device, const char *actor, struct change *c, char **why);
/* The customer's name under it, once all visits are complete; findings become tickets. */
int patrol_sign(struct patrol *p, int64_t round, const char *by, const char *note, const char *actor, struct change *c,
                char **why);
/* It will not be done. */
int patrol_cancel(struct patrol *p, int64_t round, const char *note, const char *actor, struct change *c, char **why);
/* Signed rounds of a site that were due in [from, to) stand in a report now. */
void patrol_reported(struct patrol *p, const char *site, int64_t from_ms, int64_t to_ms, struct change *c);

/* ---- What is known now ---- */

/* A round that is neither reported nor cancelled; NULL. Borrowed until the next command. */
const struct round *patrol_round(const struct patrol *p, int64_t id);
/* How many rounds are open. */
size_t patrol_open_rounds(const struct patrol *p);

struct patrol_plan_view {
    const struct plan *plan;
    int64_t last_ms, last_n; /* made last; 0: none */
    int64_t next_ms[3];      /* when it falls due; 0: not known */
    size_t devices;          /* in its scope */
    size_t open_rounds;
};
void patrol_plans(const struct patrol *p, void (*fn)(void *ctx, const struct patrol_plan_view *v), void *ctx);

/* What will fall due in (from, to], plan by plan in the order of the settings. */
void patrol_upcoming(const struct patrol *p, int64_t from_ms, int64_t to_ms,
                     void (*fn)(void *ctx, const struct plan *plan, int64_t due_ms), void *ctx);
/* Whether a device of the site is in the plan's scope. */
bool patrol_covers(const struct patrol *p, const struct plan *plan, const char *site);

#endif
