#ifndef PD_PATROL_SCHEDULE_H
#define PD_PATROL_SCHEDULE_H

#include "model/calendar.h"
#include "model/patrol.h"

/*
 * When a plan falls due: a recurrence rule of days (RRULE of RFC 5545), shifted
 * off holidays, at one time of the day in the plan's time zone.
 *
 * The rule is followed in local days and has nothing to do with clocks: only the
 * day found becomes an instant, by zone_wall_ms(). So a plan of 09:00 is due at
 * 09:00 in summer and in winter, and one of 02:30 on the night when that hour is
 * left out as soon as the clocks are set.
 *
 * A month without a 31st has no occurrence of BYMONTHDAY=31, nor of a monthly
 * plan that starts on a 31st: the last day of each month is BYMONTHDAY=-1. The
 * last workday is that with SCHEDULE_BACK, which unlike
 * BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1 knows of holidays and make-up workdays; the first one
 * is BYMONTHDAY=1 with SCHEDULE_FORWARD.
 *
 * Every question is answered from the start on, so that numbers never drift: a
 * millisecond for ten years of months, ten for ten years of days. Who asks often
 * keeps the next occurrence.
 */
struct schedule_spec {
    const char *rule;  /* "FREQ=MONTHLY;BYMONTHDAY=-1": DAILY, WEEKLY, MONTHLY or YEARLY, without times of the day */
    int64_t start_day; /* the first day that can be an occurrence; it is one only if it fits the rule */
    int at_minute;     /* of the day, [0, 1440) */
    enum schedule_shift shift;
    enum schedule_anchor anchor;
    const struct zone *zone;         /* borrowed */
    const struct calendar *calendar; /* whose workdays; borrowed; NULL only with SCHEDULE_STAY */
};

struct schedule;

/*
 * PD_EINVAL with *why, in words (free it), for a rule that is none or never
 * comes.
 */
int schedule_new(const struct schedule_spec *spec, struct schedule **out, char **why);
void schedule_free(struct schedule *s); /* NULL is fine */

/*
 * One time that a plan falls due. The rule's days are numbered from 1 at the
 * start, before any shift, so a number always means the same day and makes the
 * occurrence unique within its plan. Several that come to lie on one day are
 * one, the first of them; the other numbers are left out.
 */
struct occurrence {
    int64_t n;
    int64_t rule_day; /* as the rule says */
    int64_t day;      /* after the shift */
    int64_t at_ms;
};
struct occurrences { /* an ARRAY */
    struct occurrence *v;
    size_t n, cap;
};

/*
 * These three give PD_ENOENT where the rule has come to its end, PD_ERANGE where
 * the calendar has no workday to shift to or the rule takes too many steps.
 */

/* The first occurrence after an instant. With SCHEDULE_FROM_DONE there is only the very first; later ones depend. */
int schedule_first_after(const struct schedule *s, int64_t after_ms, struct occurrence *out);

/*
 * Appends all that fall due in (from, to], in order; none is fine (0). With from
 * kept where the last call's to was, each occurrence comes exactly once, however
 * long nobody asked.
 */
int schedule_due(const struct schedule *s, int64_t from_ms, int64_t to_ms, struct occurrences *out);

/*
 * The one after number n, whose work was done at done_ms: the rule begun anew on
 * that day, and its first day after it. A monthly or yearly rule without days of
 * its own counts the 29th to 31st as the 28th, so that no month is left out.
 * PD_ESTATE with SCHEDULE_FROM_DUE.
 */
int schedule_after_done(const struct schedule *s, int64_t n, int64_t done_ms, struct occurrence *out);

#endif
