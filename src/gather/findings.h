#ifndef PD_GATHER_FINDINGS_H
#define PD_GATHER_FINDINGS_H

#include "base/array.h"
#include "base/dict.h"
#include "model/knowledge.h"
#include "model/patrol.h"
#include "model/promise.h"
#include "model/record.h"
#include "store/month.h"

/*
 * What a monthly report tells, gathered once and in no language: it is written
 * down (document.h) in that of each reader. Texts are owned; NULL is absent.
 */

enum health { HEALTH_OK, HEALTH_ATTENTION, HEALTH_FAULT, HEALTH_COUNT };

/* Why a device is not ok: the gravest reason there is. */
enum worry {
    WORRY_NONE,
    WORRY_OPEN_FAULT, /* of: the fault's place */
    WORRY_IN_REPAIR,
    WORRY_SUPPLY, /* of: the supply's place */
    WORRY_PATROL, /* of: items that were not in order */
    WORRY_DOWN,   /* of: outages */
    WORRY_OFTEN,  /* of: faults in the month */
};

struct found_device {
    int64_t id;
    char *name, *device_class, *make, *model, *serial, *address, *location, *status;
    int64_t added_ms, removed_ms; /* the latter 0: it is there still */
    int64_t warranty_day;
    bool retired;
    struct month_day day[MONTH_DAYS_MAX], sum;
    int64_t outages, longest_ms;
    enum health health;
    enum worry worry;
    size_t worry_of;
    unsigned faults; /* of the month that are more than information, and more than a supply that is used up */
};

/* A supply or a counter: a series of the device's month. */
struct found_series {
    size_t device; /* its place */
    char *kind;    /* the component's */
    char *name;    /* as the device tells it */
    struct month_trend trend;
};

struct found_fault {
    int64_t id;
    size_t device;
    char *family, *rule, *kind, *label;
    enum severity severity;
    int64_t from_ms, to_ms; /* to_ms 0: not over at the end */
    int64_t ticket_id;
};

enum promise_outcome { OUTCOME_KEPT, OUTCOME_MISSED, OUTCOME_RUNNING };
struct found_promise {
    enum promise kind;
    int64_t due_ms, met_ms; /* met_ms 0: not yet */
    enum promise_outcome outcome;
};

struct found_ticket {
    struct ticket ticket; /* as it is now */
    ptrdiff_t device;     /* its place; -1: none of those */
    ARRAY(struct ticket_step) steps;
    ARRAY(struct found_promise) promises;
    enum ticket_state state; /* at the end */
    int64_t closed_ms;       /* 0: not by then */
};

struct found_round {
    int64_t id;
    char *plan, *title[LANG_COUNT], *technician, *signed_by;
    enum round_state state;
    int64_t started_ms, finished_ms;
};

struct found_visit {
    int64_t id;
    size_t round, device; /* their places */
    int64_t at_ms;        /* 0: not visited */
};

struct found_item {
    int64_t id, visit_id;
    char *title[LANG_COUNT], *value, *note;
    enum check_result result;
};

struct found_plan {
    int64_t day;
    char *what[LANG_COUNT], *technician;
};

struct findings {
    int64_t day_ms[MONTH_DAYS_MAX + 1]; /* where each day begins, and the month ends */
    unsigned days;
    int64_t first_day; /* of the month, as a day number */
    int64_t until_ms;  /* the month's end, or now where that is earlier: nothing later counts */
    int64_t as_of_ms, as_of_event;
    ARRAY(struct found_device) devices; /* by rising id */
    struct u64dict *places;             /* device id -> its place + 1 */
    ARRAY(struct found_series) supplies;
    ARRAY(struct found_series) meters;
    ARRAY(struct found_fault) faults;
    ARRAY(struct found_ticket) tickets;
    ARRAY(struct found_round) rounds;
    ARRAY(struct found_visit) visits; /* by round */
    ARRAY(struct found_item) items;   /* by visit, in the order of visits */
    ARRAY(struct found_plan) plans;   /* of the next month */
    int64_t contract_end_day;         /* 0: open, or no contract */
    unsigned months_devices[HEALTH_COUNT];
    int64_t kept, missed, running; /* promises */
    struct month_day sum;
    int64_t outages;
};

void findings_init(struct findings *f);
void findings_fini(struct findings *f);

/* The place of a device, -1 if it is none of those. */
ptrdiff_t findings_device(const struct findings *f, int64_t id);

/* Of a supply at the end: by the levels at which the shipped rules speak. */
enum supply_state { SUPPLY_IS_OK, SUPPLY_IS_LOW, SUPPLY_IS_EMPTY, SUPPLY_IS_UNKNOWN };
enum supply_state supply_state_of(const struct found_series *s);
/* A level as it is told: whole percent. */
int64_t supply_percent(double level);
/* How many days it lasts by its slope; -1: that cannot be said. */
int64_t supply_days_left(const struct found_series *s);

/* How each device is, and what the promises come to; after everything was gathered. */
void findings_judge(struct findings *f);

enum grade { GRADE_OF_EXCELLENT, GRADE_OF_GOOD, GRADE_OF_FAIR, GRADE_OF_POOR };
enum grade findings_grade(const struct findings *f);

#endif
