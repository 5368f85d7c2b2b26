#include "patrol/schedule.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <libical/ical.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

enum { MAX_RULE = 500, MAX_STEPS = 100000, MINUTE_MS = 60000, LAST_DAY_OF_ALL_MONTHS = 28 };

struct schedule {
    struct schedule_spec spec; /* without the rule's text */
    struct icalrecurrencetype rule;
};

/* ---- Rules ---- */

static bool given(const short *part)
{
    return part[0] != ICAL_RECURRENCE_ARRAY_MAX;
}

/* What is wrong with a rule that libical understands, in words; NULL if nothing. */
static const char *objection(const struct icalrecurrencetype *r)
{
    if (r->freq < ICAL_DAILY_RECURRENCE)
        return "is of times of the day: DAILY is the shortest";
    if (given(r->by_hour) || given(r->by_minute) || given(r->by_second))
        return "has a time of the day: the plan itself has one";
    if (r->rscale)
        return "has RSCALE, which is not supported";
    if (!icaltime_is_null_time(r->until) && !r->until.is_date)
        return "ends at a time: UNTIL must be a day, such as 20261231";
    return NULL;
}

static int read_rule(const char *text, struct icalrecurrencetype *rule, char **why)
{
    const char *wrong = "is no recurrence rule as in RFC 5545, such as FREQ=MONTHLY;BYMONTHDAY=-1";

    if (strlen(text) > MAX_RULE) {
        *why = xasprintf("a recurrence rule has at most %d characters", MAX_RULE);
        return PD_EINVAL;
    }
    *rule = icalrecurrencetype_from_string(text);
    if (rule->freq != ICAL_NO_RECURRENCE)
        wrong = objection(rule);
    icalmemory_free_buffer(rule->rscale);
    rule->rscale = NULL;
    if (!wrong)
        return 0;
    *why = xasprintf("'%s' %s", text, wrong);
    return PD_EINVAL;
}

int schedule_new(const struct schedule_spec *spec, struct schedule **out, char **why)
{
    struct schedule *s = xcalloc(1, sizeof *s);
    struct occurrence first;
    int rc = read_rule(spec->rule, &s->rule, why);

    s->spec = *spec;
    s->spec.rule = NULL;
    if (rc == 0 && (rc = schedule_first_after(s, INT64_MIN, &first)) < 0) {
        *why = rc == PD_ENOENT ? xasprintf("'%s' never comes", spec->rule)
                               : xasprintf("'%s' has no workday to shift to", spec->rule);
        rc = PD_EINVAL;
    }
    if (rc < 0)
        schedule_free(s);
    else
        *out = s;
    return rc;
}

void schedule_free(struct schedule *s)
{
    free(s);
}

/* ---- Following a rule ---- */

struct cursor {
    const struct schedule *s;
    icalrecur_iterator *rule;
    int64_t n;    /* of the day found last */
    int64_t last; /* what is given next lies after this day, by the rule and after the shift */
    int steps;
};

/* PD_ENOENT where libical knows at once that the rule never comes. */
static int cursor_open(const struct schedule *s, const struct icalrecurrencetype *rule, int64_t day, int64_t n,
                       struct cursor *c)
{
    struct date d = date_of_day(day);
    struct icaltimetype start = icaltime_null_time(); /* icaltime_null_date() is an hour before midnight */

    start.is_date = 1;
    start.year = (int)d.year;
    start.month = d.month;
    start.day = d.day;
    *c = (struct cursor){.s = s, .rule = icalrecur_iterator_new(*rule, start), .n = n, .last = INT64_MIN};
    return c->rule ? 0 : PD_ENOENT;
}

static void cursor_close(struct cursor *c)
{
    if (c->rule)
        icalrecur_iterator_free(c->rule);
}

static int shifted(const struct schedule_spec *spec, int64_t day, int64_t *out)
{
    switch (spec->shift) {
    case SCHEDULE_BACK:
        return calendar_workday_to(spec->calendar, day, out);
    case SCHEDULE_FORWARD:
        return calendar_workday_from(spec->calendar, day, out);
    case SCHEDULE_STAY:
        break;
    }
    *out = day;
    return 0;
}

static int cursor_step(struct cursor *c, struct occurrence *o)
{
    struct icaltimetype t = icalrecur_iterator_next(c->rule);

    if (icaltime_is_null_time(t))
        return PD_ENOENT;
    if (++c->steps > MAX_STEPS)
        return PD_ERANGE;
    o->n = ++c->n;
    o->rule_day = date_to_day(t.year, t.month, t.day);
    return shifted(&c->s->spec, o->rule_day, &o->day);
}

/* Shifts keep the order of days, so a day that was given before is seen by its not being later. */
static int cursor_next(struct cursor *c, struct occurrence *out)
{
    const struct schedule_spec *spec = &c->s->spec;
    struct occurrence o;
    int rc;

    do {
        rc = cursor_step(c, &o);
        if (rc < 0)
            return rc;
    } while (o.rule_day <= c->last || o.day <= c->last);
    c->last = o.day;
    o.at_ms = zone_wall_ms(spec->zone, o.day * DATE_DAY_MS + (int64_t)spec->at_minute * MINUTE_MS);
    *out = o;
    return 0;
}

/* The next occurrence by the rule alone; where more depends on what was done, only the first. */
static int cursor_next_due(struct cursor *c, struct occurrence *out)
{
    if (c->n > 0 && c->s->spec.anchor == SCHEDULE_FROM_DONE)
        return PD_ENOENT;
    return cursor_next(c, out);
}

int schedule_first_after(const struct schedule *s, int64_t after_ms, struct occurrence *out)
{
    struct cursor c;
    struct occurrence o;
    int rc = cursor_open(s, &s->rule, s->spec.start_day, 0, &c);

    while (rc == 0 && (rc = cursor_next_due(&c, &o)) == 0 && o.at_ms <= after_ms)
        continue;
    if (rc == 0)
        *out = o;
    cursor_close(&c);
    return rc;
}

int schedule_due(const struct schedule *s, int64_t from_ms, int64_t to_ms, struct occurrences *out)
{
    struct cursor c;
    struct occurrence o;
    int rc = cursor_open(s, &s->rule, s->spec.start_day, 0, &c);

    while (rc == 0 && (rc = cursor_next_due(&c, &o)) == 0 && o.at_ms <= to_ms)
        if (o.at_ms > from_ms)
            array_push(out, o);
    cursor_close(&c);
    return rc == PD_ENOENT ? 0 : rc;
}

/* The rule takes the day of the month from its start. */
static bool day_from_start(const struct icalrecurrencetype *r)
{
    return r->freq >= ICAL_MONTHLY_RECURRENCE && !given(r->by_month_day) && !given(r->by_day) &&
           !given(r->by_year_day) && !given(r->by_week_no);
}

int schedule_after_done(const struct schedule *s, int64_t n, int64_t done_ms, struct occurrence *out)
{
    struct icalrecurrencetype rule = s->rule;
    int64_t done = date_day_of_ms(zone_local_ms(s->spec.zone, done_ms)), start = done;
    struct date d = date_of_day(done);
    struct cursor c;
    int rc;

    if (s->spec.anchor != SCHEDULE_FROM_DONE)
        return PD_ESTATE;
    if (rule.count > 0 && n >= rule.count)
        return PD_ENOENT;
    rule.count = 0; /* counted above, as the rule is begun anew each time */
    if (day_from_start(&rule) && d.day > LAST_DAY_OF_ALL_MONTHS)
        start -= d.day - LAST_DAY_OF_ALL_MONTHS;
    rc = cursor_open(s, &rule, start, n, &c);
    c.last = done;
    if (rc == 0)
        rc = cursor_next(&c, out);
    if (rc == 0)
        out->n = n + 1;
    cursor_close(&c);
    return rc;
}
