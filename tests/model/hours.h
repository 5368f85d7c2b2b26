#ifndef PD_TESTS_MODEL_HOURS_H
#define PD_TESTS_MODEL_HOURS_H

#include "base/rng.h"
#include "model/calendar.h"

/* Calendars for tests, how tests write instants, and a naive model that says what calendars ought to. */

/*
 * By name: "office" works Mon-Fri 08:30-12:00 and 13:30-18:00 and follows China's holidays of 2025 and 2026, "plain"
 * the same without holidays, "always" is 24x7, "night" works Mon-Fri 22:00-06:00, "never" not at all.
 */
struct calendar *hours_calendar(const char *name, const char *zone);
/* China's holidays as in "office": shared, freed by hours_release(). */
void hours_release(void);

/* "2026-09-30 16:15" of the zone, the first where there are two, or with a Z at the end UTC; seconds may follow. */
int64_t hours_at(const struct zone *z, const char *text);
/* "1h30m", "45s", "0" -> ms. */
int64_t hours_span(const char *text);
/* Local time to the millisecond, "never" for INT64_MAX. */
const char *hours_show(const struct zone *z, int64_t at_ms, char out[static 32]);

/* Any week, any special days around a day, in one of some zones with odd clocks. */
struct calendar *hours_random(const struct pd_rng *rng, int64_t around_day);

/*
 * Walks minute by minute. What counts is the latest that the local clock has
 * ever shown, so that an hour that comes again is not a second one.
 */
struct naive {
    const struct calendar *c;
    int64_t at_ms, shown_ms;
};
struct naive naive_begin(const struct calendar *c, int64_t at_ms); /* at_ms is a whole minute */
bool naive_open(const struct naive *n);                            /* works the minute that begins now? */
void naive_step(struct naive *n);

#endif
