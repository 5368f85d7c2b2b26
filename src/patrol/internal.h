#ifndef PD_PATROL_INTERNAL_H
#define PD_PATROL_INTERNAL_H

#include "base/dict.h"
#include "patrol/patrol.h"

/* What the files of this folder share. Everything runs in the loop. */

/* How far a plan has come. */
struct cursor {
    char *plan;
    int64_t at_ms;   /* what is due up to here was made; -1: the plan was taken away */
    int64_t n;       /* the last occurrence's number */
    int64_t rule_n;  /* of SCHEDULE_FROM_DONE: what the schedule calls it; 0: none was made */
    int64_t done_ms; /* and when it was done; 0: not yet */
};

/* A plan of the settings under way. */
struct planned {
    const struct plan *plan;
    struct schedule *schedule; /* NULL: its rule is none, see the log */
    struct calendar calendar;  /* the knowledge's in the zone of the settings; zone NULL: none */
    struct cursor *cursor;
    bool has_next;
    struct occurrence next;
};

/* A round with its visits; those of a signed one are not kept. */
struct open_visit {
    struct visit v;
    ARRAY(struct visit_item) items;
};
struct open_round {
    struct round r;
    ARRAY(struct open_visit *) visits;
};

struct patrol {
    struct patrol_config config;
    struct zone *zone; /* the settings' */
    ARRAY(struct planned) plans;
    struct dict *cursors;   /* by plan -> struct cursor */
    struct u64dict *rounds; /* by id -> struct open_round */
    struct dict *zones;     /* of sites, by name -> struct zone */
    struct timer timer;
    int64_t last_round, last_visit, last_item;
    bool started;
};

static inline int64_t patrol_now(const struct patrol *p)
{
    return clock_wall(&p->config.services.clock);
}

/* ---- patrol.c ---- */

struct open_round *round_find(const struct patrol *p, int64_t id);
void round_drop(struct patrol *p, struct open_round *r);
void round_drop_visits(struct open_round *r);
struct event *round_event(struct patrol *p, struct change *c, const struct round *r, const char *kind,
                          const char *actor);
/* Has it told to people. */
void round_tell(struct patrol *p, struct change *c, const struct open_round *r, enum patrol_news news, int times);
/* Goes a way that is there. */
void round_go(struct round *r, enum round_verb verb);
/* Sets the timer for whatever is next. */
void patrol_wind(struct patrol *p);

/* ---- plan.c ---- */

/* The settings' plans with their schedules; those that are gone are noted down in the change. */
void plans_open(struct patrol *p, struct change *c);
void plans_close(struct patrol *p);
void cursor_put(struct change *c, const struct cursor *k);
void cursor_free(struct cursor *k);
/* Finds what is next. */
void planned_next(struct patrol *p, struct planned *pl);
bool plan_fits(const struct patrol *p, const struct plan *plan, const struct device *d);
/* The site at which a device counts. */
const char *device_site(const struct patrol *p, const struct device *d);
/* The work of a plan's occurrence is done where no round of it is open any more. */
void plan_settle(struct patrol *p, const struct round *r, struct change *c);

/* ---- generate.c ---- */

/* Makes the plan's next occurrence and submits it. */
void occurrence_make(struct patrol *p, struct planned *pl);

/* ---- polled.c ---- */

/* Takes what is polled into the items of a visit that nobody filled in. True if any changed; c gets their rows. */
bool visit_poll(struct patrol *p, struct open_visit *v, struct change *c);

/* ---- chase.c ---- */

/* What is to be done about a round now: it lapses, it is chased. */
void round_watch(struct patrol *p, struct open_round *r);
/* When there is something next; INT64_MAX: never. */
int64_t round_due(struct patrol *p, const struct open_round *r);

#endif
