#ifndef PD_SIM_STAFF_MEMORY_H
#define PD_SIM_STAFF_MEMORY_H

#include "base/array.h"
#include "spans.h"
#include "staff.h"

/* What the staff remember: for staff.c and staff_check.c alone. */
enum case_state {
    CASE_NEW,
    CASE_TAKEN,    /* accepted, or waiting for a part: somebody has it */
    CASE_SENT,     /* dispatched or on the way */
    CASE_THERE,    /* on site */
    CASE_CUSTOMER, /* waits for the customer: promises stand still */
    CASE_DONE,
    CASE_OVER /* closed or cancelled */
};

struct memory {
    int64_t at_ms;
    enum case_state state;
    int priority; /* 0 to 3; as it was from then on */
};

/* What patrold told of a promise. */
struct telling {
    int promise, level;
    int64_t at_ms;
};

struct staff_case {
    int64_t id;
    bool round;
    char *key; /* of a round: plan and site */
    bool fault, cleared, waited, remote;
    int machine;                           /* -1: none */
    const struct story_contract *contract; /* NULL: nothing is promised */
    char *state;                           /* patrold's word for it */
    unsigned filled;                       /* of a round: devices */
    const struct story_person *person;
    ARRAY(struct memory) past;
    ARRAY(struct telling) told;
    const char *verb; /* what is done next; NULL: nothing */
    int64_t due_ms;
};

struct staff {
    const struct story *story;
    struct staff_ops ops;
    struct rng_seeded chance;
    struct pd_rng rng;
    ARRAY(struct staff_case *) cases;
    int64_t next_ms; /* the earliest that something is due */
    struct spans running;
    int64_t running_since;
    ARRAY(char *) troubles; /* commands that made no sense to patrold */
};

enum { LEVEL_75 = 1, LEVEL_100, LEVEL_200 };

#endif
