#include "workhours.h"

enum { MINUTE = 60000, HORIZON_DAYS = 730 };

static const int64_t day_ms = 86400000;

static bool listed(const int64_t *v, size_t n, int64_t day)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] == day)
            return true;
    return false;
}

/* Day 0 was a Thursday. */
static bool is_workday(const struct story_hours *h, int64_t day)
{
    if (listed(h->open.v, h->open.n, day))
        return true;
    return (day + 3) % 7 < 5 && !listed(h->closed.v, h->closed.n, day);
}

static int64_t local_day(const struct story *s, int64_t at_ms)
{
    return zone_local_ms(s->zone, at_ms) / day_ms;
}

/* The part of a segment of a day that lies in [from, to); false: none. */
static bool piece_of(const struct story *s, int64_t day, size_t i, int64_t from_ms, int64_t *begin, int64_t *end)
{
    const struct story_segment *g = &s->hours.segments.v[i];

    *begin = zone_wall_ms(s->zone, day * day_ms + g->from * (int64_t)MINUTE);
    *end = zone_wall_ms(s->zone, day * day_ms + g->to * (int64_t)MINUTE);
    if (*begin < from_ms)
        *begin = from_ms;
    return *begin < *end;
}

int64_t work_between(const struct story *s, bool always, int64_t from_ms, int64_t to_ms)
{
    int64_t sum = 0, begin, end;

    if (always || from_ms >= to_ms)
        return from_ms < to_ms ? to_ms - from_ms : 0;
    for (int64_t day = local_day(s, from_ms); day <= local_day(s, to_ms); day++) {
        for (size_t i = 0; is_workday(&s->hours, day) && i < s->hours.segments.n; i++) {
            if (!piece_of(s, day, i, from_ms, &begin, &end) || begin >= to_ms)
                continue;
            sum += (end < to_ms ? end : to_ms) - begin;
        }
    }
    return sum;
}

int64_t work_after(const struct story *s, bool always, int64_t from_ms, int64_t work_ms)
{
    int64_t first = local_day(s, from_ms), begin, end;

    if (always)
        return from_ms + work_ms;
    for (int64_t day = first; day < first + HORIZON_DAYS; day++) {
        for (size_t i = 0; is_workday(&s->hours, day) && i < s->hours.segments.n; i++) {
            if (!piece_of(s, day, i, from_ms, &begin, &end))
                continue;
            if (end - begin >= work_ms)
                return begin + work_ms;
            work_ms -= end - begin;
        }
    }
    return INT64_MAX;
}
