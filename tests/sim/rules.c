#include "rules.h"

#include <stddef.h>
#include <string.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

/* Its clear hold comes last, and after it whatever else there is to say. */
#define RULE(n, f, k, p, hold, ...)                                                                                    \
    {                                                                                                                  \
        .name = n, .family = f, .kind = k, .part = p, .hold_ms = hold, .clear_hold_ms = __VA_ARGS__                    \
    }

const struct truth_rule truth_rules[TRUTH_RULES] = {
    [TRUTH_SNMP_SILENT] = RULE("snmp-silent", "reach", "device", PART_STATUS, 3 * MINUTE, MINUTE),
    [TRUTH_UNREACHABLE] = RULE("unreachable", "reach", "device", PART_STATUS, 0, 0),
    [TRUTH_RESTARTED] = RULE("restarted", "restart", "device", PART_STATUS, 0, 0, .ticketless = true),
    [TRUTH_RESTARTS_OFTEN] = RULE("restarts-often", "restart", "device", PART_STATUS, 0, 0),
    [TRUTH_JAM] = RULE("jam", "jam", "printer", PART_STATUS, MINUTE, MINUTE),
    [TRUTH_COVER_OPEN] = RULE("cover-open", "cover", "printer", PART_STATUS, 3 * MINUTE, MINUTE),
    [TRUTH_SERVICE] = RULE("service-requested", "service", "printer", PART_STATUS, MINUTE, MINUTE),
    [TRUTH_SUPPLY_FORECAST] = RULE("supply-forecast", "supply", "supply", PART_SUPPLIES, HOUR, 6 * HOUR),
    [TRUTH_SUPPLY_LOW] = RULE("supply-low", "supply", "supply", PART_SUPPLIES, 5 * MINUTE, 2 * MINUTE),
    [TRUTH_SUPPLY_EMPTY] = RULE("supply-empty", "supply", "supply", PART_SUPPLIES, MINUTE, 2 * MINUTE),
    [TRUTH_UPLINK_DOWN] = RULE("uplink-down", "link", "port", PART_STATUS, MINUTE, MINUTE),
    [TRUTH_PORT_ERRORS] =
        RULE("port-errors", "port-errors", "port", PART_COUNTERS, 0, 30 * MINUTE, .window_ms = 30 * MINUTE),
    [TRUTH_DISK_FORECAST] = RULE("disk-forecast", "disk", "storage", PART_COUNTERS, HOUR, 6 * HOUR),
    [TRUTH_DISK_LOW] = RULE("disk-low", "disk", "storage", PART_COUNTERS, 10 * MINUTE, 10 * MINUTE),
    [TRUTH_DISK_FULL] = RULE("disk-full", "disk", "storage", PART_COUNTERS, 10 * MINUTE, 10 * MINUTE),
    [TRUTH_CPU_HIGH] = RULE("cpu-high", "cpu", "device", PART_COUNTERS, 0, 5 * MINUTE, .window_ms = 15 * MINUTE),
    [TRUTH_MEMORY_HIGH] = RULE("memory-high", "memory", "mempool", PART_COUNTERS, 30 * MINUTE, 10 * MINUTE),
    [TRUTH_ON_BATTERY] = RULE("on-battery", "power", "ups", PART_STATUS, MINUTE, MINUTE),
    [TRUTH_BATTERY_LOW] = RULE("battery-low", "power", "ups", PART_STATUS, 0, MINUTE),
    [TRUTH_BATTERY_REPLACE] = RULE("battery-replace", "battery", "ups", PART_STATUS, 10 * MINUTE, 10 * MINUTE),
    [TRUTH_UPS_OVERLOAD] = RULE("ups-overload", "load", "ups", PART_STATUS, 5 * MINUTE, 5 * MINUTE),
    [TRUTH_TEMPERATURE_HIGH] = RULE("temperature-high", "temperature", "sensor", PART_STATUS, 5 * MINUTE, 5 * MINUTE),
    [TRUTH_TEMPERATURE_VERY_HIGH] =
        RULE("temperature-very-high", "temperature", "sensor", PART_STATUS, 2 * MINUTE, 5 * MINUTE),
    [TRUTH_HUMIDITY_HIGH] = RULE("humidity-high", "humidity-high", "sensor", PART_STATUS, 10 * MINUTE, 10 * MINUTE),
    [TRUTH_HUMIDITY_LOW] = RULE("humidity-low", "humidity-low", "sensor", PART_STATUS, 10 * MINUTE, 10 * MINUTE),
    [TRUTH_COOLING_ALARM] = RULE("cooling-alarm", "cooling", "cooling", PART_STATUS, MINUTE, MINUTE),
    [TRUTH_SWAPPED] = RULE("device-swapped", "swapped", "device", PART_STATUS, 0, 0, .ticketless = true),
    [TRUTH_CONFLICT] = RULE("identity-conflict", "identity", "device", PART_STATUS, 0, 0, .ticketless = true),
};

const char *const truth_rule_names[TRUTH_RULES + 1] = {
    "snmp-silent",
    "unreachable",
    "restarted",
    "restarts-often",
    "jam",
    "cover-open",
    "service-requested",
    "supply-forecast",
    "supply-low",
    "supply-empty",
    "uplink-down",
    "port-errors",
    "disk-forecast",
    "disk-low",
    "disk-full",
    "cpu-high",
    "memory-high",
    "on-battery",
    "battery-low",
    "battery-replace",
    "ups-overload",
    "temperature-high",
    "temperature-very-high",
    "humidity-high",
    "humidity-low",
    "cooling-alarm",
    "device-swapped",
    "identity-conflict",
    NULL,
};

enum truth_rule_id truth_mildest(enum truth_rule_id rule)
{
    while (rule > 0 && strcmp(truth_rules[rule - 1].family, truth_rules[rule].family) == 0)
        rule--;
    return rule;
}

enum truth_rule_id truth_gravest(enum truth_rule_id rule)
{
    while (rule + 1 < TRUTH_RULES && strcmp(truth_rules[rule + 1].family, truth_rules[rule].family) == 0)
        rule++;
    return rule;
}

bool truth_of_reach(int rule)
{
    return rule == TRUTH_UNREACHABLE || rule == TRUTH_SNMP_SILENT;
}

bool truth_in_pieces(enum truth_rule_id rule)
{
    switch (truth_mildest(rule)) {
    case TRUTH_SUPPLY_FORECAST:
    case TRUTH_UPLINK_DOWN:
    case TRUTH_PORT_ERRORS:
    case TRUTH_DISK_FORECAST:
        return true;
    default:
        return false;
    }
}
