#include "model/calendar.h"

#include <stdlib.h>

#include "base/err.h"

enum { CENTURY_DAYS = 36525, MINUTE_MS = 60000 };

static const struct hours no_hours;

void calendar_free(struct calendar *c)
{
    if (!c)
        return;
    free(c->name);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        free(c->title[lang]);
    zone_free(c->zone);
    array_free(&c->own);
    array_free(&c->holidays);
    free(c);
}

void holidays_free(struct holidays *h)
{
    if (!h)
        return;
    free(h->name);
    for (size_t i = 0; i < h->causes.n; i++) {
        for (int lang = 0; lang < LANG_COUNT; lang++)
            free(h->causes.v[i]->title[lang]);
        free(h->causes.v[i]);
    }
    array_free(&h->causes);
    array_free(&h->years);
    array_free(&h->days);
    free(h);
}

int hours_add(struct hours *h, int from, int to)
{
    if (from < 0 || to > DAY_MINUTES || from >= to || (h->n > 0 && from < h->v[h->n - 1].to))
        return PD_EINVAL;
    if (h->n == HOURS_MAX)
        return PD_ERANGE;
    h->v[h->n++] = (struct segment){.from = (uint16_t)from, .to = (uint16_t)to};
    return 0;
}

/* ---- Days ---- */

/* Where a day stands in the list, or would. */
static size_t special_place(const struct special_days *list, int64_t day)
{
    size_t lo = 0, hi = list->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (list->v[mid].day < day)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static const struct special_day *special_find(const struct special_days *list, int64_t day)
{
    size_t i = special_place(list, day);

    return i < list->n && list->v[i].day == day ? &list->v[i] : NULL;
}

int special_days_add(struct special_days *list, const struct special_day *day)
{
    size_t place = special_place(list, day->day);

    if (place < list->n && list->v[place].day == day->day)
        return PD_EEXIST;
    array_push(list, *day); /* makes room; the later ones move up */
    for (size_t i = list->n - 1; i > place; i--)
        list->v[i] = list->v[i - 1];
    list->v[place] = *day;
    return 0;
}

int64_t calendar_day(const struct calendar *c, int64_t at_ms)
{
    return date_day_of_ms(zone_local_ms(c->zone, at_ms));
}

/* The instant of a minute of a local day. */
static int64_t minute_start(const struct calendar *c, int64_t day, int minute)
{
    return zone_wall_ms(c->zone, day * DATE_DAY_MS + (int64_t)minute * MINUTE_MS);
}

int64_t calendar_day_start(const struct calendar *c, int64_t day)
{
    return minute_start(c, day, 0);
}

const struct special_day *calendar_special(const struct calendar *c, int64_t day)
{
    const struct special_day *found = special_find(&c->own, day);

    for (size_t i = 0; !found && i < c->holidays.n; i++)
        found = special_find(&c->holidays.v[i]->days, day);
    return found;
}

const struct hours *calendar_hours(const struct calendar *c, int64_t day)
{
    const struct special_day *special = calendar_special(c, day);

    if (!special)
        return &c->week[date_weekday(day)];
    switch (special->kind) {
    case DAY_OFF:
        break;
    case DAY_MAKE_UP:
        return &c->week[c->make_up];
    case DAY_AS:
        return &c->week[special->as];
    case DAY_HOURS:
        return &special->hours;
    }
    return &no_hours;
}

bool calendar_is_workday(const struct calendar *c, int64_t day)
{
    return calendar_hours(c, day)->n > 0;
}

/* The nearest workday, beginning with day itself, within so many days. */
static int seek_workday(const struct calendar *c, int64_t day, int step, int days, int64_t *out)
{
    for (int i = 0; i < days; i++, day += step)
        if (calendar_is_workday(c, day)) {
            *out = day;
            return 0;
        }
    return PD_ERANGE;
}

int calendar_workday_from(const struct calendar *c, int64_t day, int64_t *out)
{
    return seek_workday(c, day, 1, CALENDAR_REACH_DAYS, out);
}

int calendar_workday_to(const struct calendar *c, int64_t day, int64_t *out)
{
    return seek_workday(c, day, -1, CALENDAR_REACH_DAYS, out);
}

int calendar_first_workday(const struct calendar *c, int64_t year, int month, int64_t *out)
{
    int days = date_month_days(year, month);

    return seek_workday(c, date_to_day(year, month, 1), 1, days, out) == 0 ? 0 : PD_ENOENT;
}

int calendar_last_workday(const struct calendar *c, int64_t year, int month, int64_t *out)
{
    int days = date_month_days(year, month);

    return seek_workday(c, date_to_day(year, month, days), -1, days, out) == 0 ? 0 : PD_ENOENT;
}

static bool covers(const struct calendar *c, int64_t year)
{
    for (size_t i = 0; i < c->holidays.n; i++)
        for (size_t j = 0; j < c->holidays.v[i]->years.n; j++)
            if (c->holidays.v[i]->years.v[j] == year)
                return true;
    return c->holidays.n == 0;
}

int64_t calendar_uncovered_year(const struct calendar *c, int64_t first_day, int64_t last_day)
{
    int64_t last = date_of_day(last_day).year;

    for (int64_t year = date_of_day(first_day).year; year <= last; year++)
        if (!covers(c, year))
            return year;
    return 0;
}

/* ---- Time ---- */

struct span {
    int64_t from, to;
};

/* The instants of a segment, cut off before `earliest`; empty where to is not after from. */
static struct span segment_span(const struct calendar *c, int64_t day, const struct segment *s, int64_t earliest)
{
    struct span span = {minute_start(c, day, s->from), minute_start(c, day, s->to)};

    if (span.from < earliest)
        span.from = earliest;
    return span;
}

bool calendar_is_open(const struct calendar *c, int64_t at_ms)
{
    int64_t work;

    return calendar_between(c, at_ms, at_ms + 1, &work) == 0 && work > 0;
}

/* Working time of a day within [from, to). */
static int64_t day_between(const struct calendar *c, int64_t day, int64_t from_ms, int64_t to_ms)
{
    const struct hours *hours = calendar_hours(c, day);
    int64_t sum = 0;

    for (size_t i = 0; i < hours->n; i++) {
        struct span span = segment_span(c, day, &hours->v[i], from_ms);

        if (span.to > to_ms)
            span.to = to_ms;
        if (span.to > span.from)
            sum += span.to - span.from;
    }
    return sum;
}

/* Where clocks go back over midnight, the next day has begun before: so one day more is looked at. */
int calendar_between(const struct calendar *c, int64_t from_ms, int64_t to_ms, int64_t *out)
{
    int64_t sum = 0, last;

    if (to_ms <= from_ms) {
        *out = 0;
        return 0;
    }
    if ((uint64_t)to_ms - (uint64_t)from_ms > (uint64_t)CENTURY_DAYS * DATE_DAY_MS)
        return PD_ERANGE;
    last = calendar_day(c, to_ms) + 1;
    for (int64_t day = calendar_day(c, from_ms); day <= last; day++)
        sum += day_between(c, day, from_ms, to_ms);
    *out = sum;
    return 0;
}

/* Takes what a day has from *left; true when that was all, with the instant. */
static bool day_takes(const struct calendar *c, int64_t day, int64_t from_ms, int64_t *left, int64_t *out)
{
    const struct hours *hours = calendar_hours(c, day);

    for (size_t i = 0; i < hours->n; i++) {
        struct span span = segment_span(c, day, &hours->v[i], from_ms);

        if (span.to <= span.from)
            continue;
        if (span.to - span.from >= *left) {
            *out = span.from + *left;
            return true;
        }
        *left -= span.to - span.from;
    }
    return false;
}

int calendar_add(const struct calendar *c, int64_t from_ms, int64_t work_ms, int64_t *out)
{
    int64_t begin = calendar_day(c, from_ms), last = begin + CALENDAR_REACH_DAYS, left = work_ms, before;

    if (work_ms < 0)
        return PD_EINVAL;
    if (work_ms == 0) {
        *out = from_ms;
        return 0;
    }
    for (int64_t day = begin; day <= last && day <= begin + CENTURY_DAYS; day++) {
        before = left;
        if (day_takes(c, day, from_ms, &left, out))
            return 0;
        if (left < before)
            last = day + CALENDAR_REACH_DAYS;
    }
    return PD_ERANGE;
}
