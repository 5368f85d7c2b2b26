#ifndef PD_SIM_RULES_H
#define PD_SIM_RULES_H

#include <stdint.h>

#include "model/module.h"

/*
 * What the faults of a story should become, written down by hand from what the
 * shipped rules promise to people, never read from them: rule, family, component
 * and hold times. patrold-story(5) shows this table; keep them alike.
 */
enum truth_rule_id {
    TRUTH_UNREACHABLE,
    TRUTH_JAM,
    TRUTH_COVER_OPEN,
    TRUTH_SERVICE,
    TRUTH_SUPPLY_LOW,
    TRUTH_SUPPLY_EMPTY,
    TRUTH_RULES,
};

struct truth_rule {
    const char *name, *family, *kind; /* as in patrold */
    unsigned part;                    /* of a poll: PART_ */
    int64_t hold_ms, clear_hold_ms;
};

extern const struct truth_rule truth_rules[TRUTH_RULES];
extern const char *const truth_rule_names[TRUTH_RULES + 1];

/*
 * What a poll may take: a fault may be told so much later than two poll intervals
 * and its hold, or so much before its hold is over.
 */
enum { TRUTH_GRACE_MS = 10000 };

#endif
