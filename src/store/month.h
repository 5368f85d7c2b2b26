#ifndef PD_STORE_MONTH_H
#define PD_STORE_MONTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"

/*
 * What a device's raw readings say of a month: how long it was up, down and not
 * observed, day by day, and how chosen points moved. Points are told by
 * component and slot, since names are knowledge and not here.
 *
 * A poll tells how the device was from then until the next one. Where that does
 * not come within speaks_ms, the time between the two is a gap: nobody looked.
 */
enum { MONTH_DAYS_MAX = 31 };

enum month_series_kind {
    SERIES_LEVEL,   /* falls, and rises when something is filled up or replaced */
    SERIES_COUNTER, /* rises, and falls when it begins anew */
};

struct month_series {
    uint32_t component;
    uint16_t point;
    enum month_series_kind kind;
};

struct month_args {
    int64_t device_id;
    int64_t day_ms[MONTH_DAYS_MAX + 1]; /* where each day begins, and the last one ends */
    unsigned days;
    int64_t since_ms; /* in service from then on; of what was before nothing is said */
    int64_t until_ms; /* nothing later is counted */
    int64_t speaks_ms;
    int64_t lookback_ms;               /* how far before the month its first values are looked for */
    struct month_series reachable;     /* whose bool tells up from down; its kind is not looked at */
    ARRAY(struct month_series) series; /* by rising component, then point; taken */
};

struct month_day {
    int64_t up_ms, down_ms, gap_ms;
};

/* How a series moved. Only readings that can be reckoned with count. */
struct month_trend {
    bool known;         /* there is a reading; else nothing below says anything */
    double first, last; /* the last one at or before the month's beginning, else the first in it; and the last one */
    int64_t first_ms, last_ms;
    unsigned jumps; /* levels: replaced or filled up; counters: began anew */
    double risen;   /* counters: what they counted, over every new beginning */
    double per_day; /* levels: the slope since the last jump; 0 where a day has not passed */
};

struct month {
    struct month_day day[MONTH_DAYS_MAX];
    struct month_day sum;
    int64_t outages, longest_ms; /* those that reach into the month; the longest counts its time within it */
    int64_t polls;
    struct month_trend *trends; /* one a series */
};

/* A level that rises by so many points at once was filled up. */
#define MONTH_JUMP 10.0

typedef void (*month_done)(void *arg, int err, const struct month *m);

#endif
