#ifndef PD_MODEL_PATROL_H
#define PD_MODEL_PATROL_H

#include "base/array.h"
#include "base/text.h"
#include "model/module.h"

/*
 * The patrol (DOMAIN.md): plans say when rounds are due, checklists what is
 * looked at, by class of device. A round is one occurrence of a plan at one
 * site; it has a visit for each device, and a visit the items of the checklist.
 */

/* ---- Checklists (conf/checklists) ---- */

/*
 * One thing to be looked at: from what was polled, where it has a kind, else by
 * the technician. Over several components of the kind the gravest counts, and
 * the value names it. Slots of expressions: the points of the kind, then those of kind "device", as of rules.
 */
struct check_item {
    char *code; /* "supplies" */
    char *title[LANG_COUNT];
    const struct kind *kind;        /* NULL: by the technician */
    struct expr *where;             /* which components of the kind; NULL: all */
    struct expr *value;             /* what is written down; NULL: nothing */
    const struct point_def *point;  /* that value is and no more, for its unit and words; NULL: reckoned */
    char *unit;                     /* of the value, where the point says none; NULL */
    struct expr *attention, *fault; /* NULL: never */
};

struct checklist {
    char *name; /* of a device class: its devices have it unless a plan says otherwise */
    char *title[LANG_COUNT];
    ARRAY(struct check_item) items;
    struct where where;
};
void checklist_free(struct checklist *c);
const struct check_item *checklist_item(const struct checklist *c, const char *code); /* NULL if there is none */
/* For devices of a class that has no checklist of its own. */
#define CHECKLIST_OTHER "other"

/* ---- Plans (patrold.yaml) ---- */

enum plan_kind {
    PLAN_PATROL,    /* an occurrence is a round at each site */
    PLAN_PREVENTIVE /* an occurrence is a ticket */
};

/* To which workday an occurrence is moved. */
enum schedule_shift {
    SCHEDULE_STAY,
    SCHEDULE_BACK,   /* to the last workday before */
    SCHEDULE_FORWARD /* to the first workday after */
};

/* What the next occurrence is counted from. */
enum schedule_anchor {
    SCHEDULE_FROM_DUE, /* the rule alone, however late the work was done */
    SCHEDULE_FROM_DONE /* the day on which the work was done */
};

struct plan {
    char *name;
    char *title[LANG_COUNT];
    enum plan_kind kind;
    char *rule;        /* RRULE of days */
    int64_t start_day; /* day number */
    int at_minute;
    enum schedule_shift shift;
    enum schedule_anchor anchor;
    char *calendar; /* whose workdays; NULL: none */
    /* Scope: all devices where nothing is said; else those that fit each list. */
    ARRAY(char *) sites;
    ARRAY(char *) customers;
    ARRAY(char *) classes;
    ARRAY(char *) labels; /* "floor=3", or "floor" whatever its value */
    char *checklist;      /* instead of those by class */
    char *technician;     /* a staff's login; NULL: whoever works at the site */
    int64_t grace_ms;     /* how long after it is due a round may take */
    bool each_device;     /* a preventive ticket for each device, not for each site */
    struct where where, rule_where, calendar_where, checklist_where;
};
void plan_fini(struct plan *p);
const char *plan_kind_name(enum plan_kind k); /* "patrol" */

/* ---- Rounds ---- */

enum round_state {
    ROUND_PLANNED, /* foreseen; never stored */
    ROUND_GENERATED,
    ROUND_IN_PROGRESS,
    ROUND_REVIEW, /* every visit is complete; the customer has not signed */
    ROUND_SIGNED,
    ROUND_REPORTED, /* in a monthly report */
    ROUND_OVERDUE,  /* not complete, and its time is over; work goes on */
    ROUND_CANCELLED,
    ROUND_STATE_COUNT
};
const char *round_state_name(enum round_state s); /* "in-progress" */
static inline bool round_state_open(enum round_state s)
{
    return s == ROUND_GENERATED || s == ROUND_IN_PROGRESS || s == ROUND_REVIEW || s == ROUND_OVERDUE;
}

enum round_verb {
    ROUND_GENERATE,
    ROUND_START,    /* the first visit begins */
    ROUND_COMPLETE, /* the last one is complete */
    ROUND_LAPSE,    /* its time is over */
    ROUND_SIGN,
    ROUND_REPORT,
    ROUND_CANCEL,
    ROUND_VERB_COUNT
};
/* The state that a verb leads to; PD_ESTATE if it can't be done there. One table. */
int round_next(enum round_state from, enum round_verb verb, enum round_state *to);

enum check_result {
    RESULT_OPEN, /* nobody looked yet */
    RESULT_OK,
    RESULT_ATTENTION,
    RESULT_FAULT,
    RESULT_NOT_APPLICABLE,
    RESULT_COUNT
};
extern const char *const check_results[RESULT_COUNT + 1]; /* "open", "ok", …; ended by NULL */
const char *check_result_name(enum check_result r);
/* PD_EINVAL for none of the codes. */
int check_result_parse(const char *s, enum check_result *out);

enum visit_state { VISIT_OPEN, VISIT_STARTED, VISIT_DONE, VISIT_GONE /* the device was removed */, VISIT_STATE_COUNT };
const char *visit_state_name(enum visit_state s);

/* ---- Records, as of model/record.h ---- */

struct round {
    int64_t id;
    char *plan; /* its name; (plan, n, site) is unique */
    int64_t n;  /* which occurrence of the plan, counted from 1 */
    char *title_en, *title_zh_CN;
    char *site;
    enum round_state state;
    int64_t due_ms, deadline_ms; /* when it is to be begun, and done */
    int64_t made_ms, started_ms, finished_ms, signed_ms;
    char *technician;
    char *signed_by; /* the customer's name */
    char *note;
    int chases; /* mails that it is not done */
    int64_t chased_ms;
};
void round_copy(struct round *dst, const struct round *src);
void round_fini(struct round *r);

struct visit {
    int64_t id, round_id;
    int n; /* within the round, from 1 */
    int64_t device_id;
    char *device, *device_class; /* as they were then */
    char *checklist;
    enum visit_state state;
    int64_t started_ms, done_ms;
    char *by; /* who filled it in */
};
void visit_copy(struct visit *dst, const struct visit *src);
void visit_fini(struct visit *v);

struct visit_item {
    int64_t id, round_id, visit_id;
    int n; /* within the visit, from 1 */
    char *code;
    char *title_en, *title_zh_CN; /* as the checklist had them */
    bool polled;                  /* filled from what is polled, as far as that tells */
    char *kind, *key;             /* of the component that counted, where one did */
    char *value;                  /* as polled */
    int64_t value_ms;             /* when the device told it; 0: never */
    char *found;                  /* as the technician found it */
    enum check_result result;
    char *note;
    char *by; /* who said the result; NULL: patrold, from what was polled */
    int64_t set_ms;
    int64_t ticket_id; /* of the finding */
};
void visit_item_copy(struct visit_item *dst, const struct visit_item *src);
void visit_item_fini(struct visit_item *i);

#endif
