#ifndef PD_SIM_RULES_H
#define PD_SIM_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/module.h"

/*
 * What the faults of a story should become, written down by hand from what the
 * shipped rules promise to people, never read from them: rule, family, component
 * and hold times. patrold-story(5) shows this table; keep them alike.
 *
 * Rules of one family are degrees of one fault: they stand together, mildest first.
 */
enum truth_rule_id {
    TRUTH_SNMP_SILENT,
    TRUTH_UNREACHABLE,
    TRUTH_RESTARTED,
    TRUTH_RESTARTS_OFTEN,
    TRUTH_JAM,
    TRUTH_COVER_OPEN,
    TRUTH_SERVICE,
    TRUTH_SUPPLY_FORECAST,
    TRUTH_SUPPLY_LOW,
    TRUTH_SUPPLY_EMPTY,
    TRUTH_UPLINK_DOWN,
    TRUTH_PORT_ERRORS,
    TRUTH_DISK_FORECAST,
    TRUTH_DISK_LOW,
    TRUTH_DISK_FULL,
    TRUTH_CPU_HIGH,
    TRUTH_MEMORY_HIGH,
    TRUTH_ON_BATTERY,
    TRUTH_BATTERY_LOW,
    TRUTH_BATTERY_REPLACE,
    TRUTH_UPS_OVERLOAD,
    TRUTH_TEMPERATURE_HIGH,
    TRUTH_TEMPERATURE_VERY_HIGH,
    TRUTH_HUMIDITY_HIGH,
    TRUTH_HUMIDITY_LOW,
    TRUTH_COOLING_ALARM,
    TRUTH_SWAPPED,
    TRUTH_CONFLICT,
    TRUTH_RULES,
};

struct truth_rule {
    const char *name, *family, *kind; /* as in patrold */
    unsigned part;                    /* of a poll: PART_ */
    int64_t hold_ms, clear_hold_ms;
    int64_t window_ms; /* it judges by what was in so long a time: told and cleared so much later at the most */
    bool ticketless;
};

extern const struct truth_rule truth_rules[TRUTH_RULES];
extern const char *const truth_rule_names[TRUTH_RULES + 1];

/* The mildest and the gravest rule of a rule's family. */
enum truth_rule_id truth_mildest(enum truth_rule_id rule);
enum truth_rule_id truth_gravest(enum truth_rule_id rule);

/* It tells of what does not answer, and is judged from the third silent poll on. */
bool truth_of_reach(int rule);
/* Its faults are of a piece of the machine: a toner, a port, a disk. */
bool truth_in_pieces(enum truth_rule_id rule);

/* How many degrees a family has at the most, and of how many pieces (toners, ports, disks) of a machine there are faults. */
enum { TRUTH_DEGREES = 3, TRUTH_PIECES = 32 };

/*
 * What a poll may take: a fault may be told so much later than two poll intervals
 * and its hold, or so much before its hold is over.
 */
enum { TRUTH_GRACE_MS = 10000 };
/* poll.silent: a device that is down is asked at this share of its silence, up to that. */
enum { TRUTH_SILENT_SHARE = 8, TRUTH_SILENT_MS = 300000 };

#endif
