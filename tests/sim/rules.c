#include "rules.h"

#include <stddef.h>

const struct truth_rule truth_rules[TRUTH_RULES] = {
    [TRUTH_UNREACHABLE] = {"unreachable", "reach", "device", PART_STATUS, 120000, 0},
    [TRUTH_JAM] = {"jam", "jam", "printer", PART_STATUS, 60000, 60000},
    [TRUTH_COVER_OPEN] = {"cover-open", "cover", "printer", PART_STATUS, 180000, 60000},
    [TRUTH_SERVICE] = {"service-requested", "service", "printer", PART_STATUS, 60000, 60000},
    [TRUTH_SUPPLY_LOW] = {"supply-low", "supply", "supply", PART_SUPPLIES, 300000, 120000},
    [TRUTH_SUPPLY_EMPTY] = {"supply-empty", "supply", "supply", PART_SUPPLIES, 60000, 120000},
};

const char *const truth_rule_names[TRUTH_RULES + 1] = {
    "unreachable", "jam", "cover-open", "service-requested", "supply-low", "supply-empty", NULL,
};
