#ifndef PD_MODEL_CALENDAR_H
#define PD_MODEL_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/date.h"
#include "base/text.h"
#include "base/zone.h"
#include "model/module.h"

/*
 * When people work: hours by weekday, then dated exceptions, in the local time
 * of one place. Days are day numbers (base/date.h).
 *
 * Hours become instants by zone_wall_ms(): a segment begins and ends at the
 * first instant at which the local clock shows its bounds or later. So its time
 * is always in one piece; on the night when clocks go back 00:00-24:00 lasts 25
 * hours, when they go forward 23, and hours that are left out are no time.
 */

/* Minutes of the local day, [from, to) within [0, 1440]. A night shift is two: up to 24:00, and from 00:00. */
struct segment {
    uint16_t from, to;
};

enum { HOURS_MAX = 8, DAY_MINUTES = 1440 };

/* Of one day: rising and apart. None: no workday. */
struct hours {
    uint8_t n;
    struct segment v[HOURS_MAX];
};

/* Why a day is special: "Spring Festival". */
struct holiday {
    char *title[LANG_COUNT];
};

/* A day that is not like its weekday. */
enum special_kind {
    DAY_OFF,     /* a holiday: no hours */
    DAY_MAKE_UP, /* worked instead of another (调休上班): the hours that the calendar has for such days */
    DAY_AS,      /* the hours of a weekday */
    DAY_HOURS    /* hours of its own */
};
struct special_day {
    int64_t day;
    enum special_kind kind;
    enum weekday as;
    struct hours hours;
    const struct holiday *cause; /* NULL: not told */
};
struct special_days { /* an ARRAY, rising, no day twice */
    struct special_day *v;
    size_t n, cap;
};

/* What a state decrees year by year, for every calendar that follows it. */
struct holidays {
    char *name;       /* "cn" */
    ARRAY(int) years; /* of which it says everything */
    ARRAY(struct holiday *) causes;
    struct special_days days;
    struct where where;
};

struct calendar {
    char *name; /* "cn-office" */
    char *title[LANG_COUNT];
    struct zone *zone; /* owned; a copy of the struct with another zone is the same hours elsewhere */
    struct hours week[WEEKDAY_COUNT];
    enum weekday make_up;                    /* whose hours DAY_MAKE_UP takes */
    struct special_days own;                 /* these go before what is decreed */
    ARRAY(const struct holidays *) holidays; /* borrowed; the first that speaks of a day counts */
    struct where where;
};

void calendar_free(struct calendar *c);
void holidays_free(struct holidays *h);

/*
 * Appends a segment: PD_EINVAL unless it lies within the day, is not empty and
 * begins no earlier than the one before it ends; PD_ERANGE if they are too many.
 */
int hours_add(struct hours *h, int from, int to);
/* Puts a copy of a day in its place; PD_EEXIST if it is there already. */
int special_days_add(struct special_days *list, const struct special_day *day);

/* ---- Days ---- */

/* The local day in which an instant lies, and the instant at which a day begins. */
int64_t calendar_day(const struct calendar *c, int64_t at_ms);
int64_t calendar_day_start(const struct calendar *c, int64_t day);

const struct hours *calendar_hours(const struct calendar *c, int64_t day);
bool calendar_is_workday(const struct calendar *c, int64_t day);
/* How a day is special, NULL if it is like its weekday. */
const struct special_day *calendar_special(const struct calendar *c, int64_t day);

/* How far ahead or back is looked for working time before there is none: ten years. */
enum { CALENDAR_REACH_DAYS = 3653 };

/* The first workday on or after a day, and the last on or before it; PD_ERANGE if there is none within reach. */
int calendar_workday_from(const struct calendar *c, int64_t day, int64_t *out);
int calendar_workday_to(const struct calendar *c, int64_t day, int64_t *out);
/* The first and the last workday of a month; PD_ENOENT if it has none. */
int calendar_first_workday(const struct calendar *c, int64_t year, int month, int64_t *out);
int calendar_last_workday(const struct calendar *c, int64_t year, int month, int64_t *out);

/*
 * The first year of those in which the two days lie and of those between that no
 * set of holidays covers; 0 if all are covered or the calendar follows none. For
 * warnings: "no holiday data for 2027".
 */
int64_t calendar_uncovered_year(const struct calendar *c, int64_t first_day, int64_t last_day);

/* ---- Time ---- */

bool calendar_is_open(const struct calendar *c, int64_t at_ms);

/* Working milliseconds in [from, to); 0 where to is not after from. PD_ERANGE over more than a century. */
int calendar_between(const struct calendar *c, int64_t from_ms, int64_t to_ms, int64_t *out);

/*
 * The first instant, not before from, up to which work_ms of working time have
 * passed: the end of a day, not the beginning of the next; from itself for 0.
 * PD_EINVAL if work_ms is negative; PD_ERANGE after ten years without working
 * time or a century in all.
 */
int calendar_add(const struct calendar *c, int64_t from_ms, int64_t work_ms, int64_t *out);

#endif
