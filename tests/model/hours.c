#include "tests/model/hours.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

enum { MINUTE_MS = 60000 };

/* ---- Calendars ---- */

static struct calendar *new_calendar(const char *name, const char *zone)
{
    struct calendar *c = xcalloc(1, sizeof *c);

    c->name = xstrdup(name);
    if (zone_open(zone, &c->zone) != 0)
        abort();
    return c;
}

static void must(int rc)
{
    if (rc != 0)
        abort();
}

static void fill_week(struct calendar *c, enum weekday last, int from, int to)
{
    for (int day = MONDAY; day <= (int)last; day++)
        must(hours_add(&c->week[day], from, to));
}

/* The dates of the State Council's notices: first and last day off, or a day to work where there is no last. */
static const char *const china[][2] = {
    {"2025-01-01", "2025-01-01"}, {"2025-01-28", "2025-02-04"}, {"2025-01-26", NULL}, {"2025-02-08", NULL},
    {"2025-04-04", "2025-04-06"}, {"2025-05-01", "2025-05-05"}, {"2025-04-27", NULL}, {"2025-05-31", "2025-06-02"},
    {"2025-10-01", "2025-10-08"}, {"2025-09-28", NULL},         {"2025-10-11", NULL}, {"2026-01-01", "2026-01-03"},
    {"2026-01-04", NULL},         {"2026-02-15", "2026-02-23"}, {"2026-02-14", NULL}, {"2026-02-28", NULL},
    {"2026-04-04", "2026-04-06"}, {"2026-05-01", "2026-05-05"}, {"2026-05-09", NULL}, {"2026-06-19", "2026-06-21"},
    {"2026-09-25", "2026-09-27"}, {"2026-10-01", "2026-10-07"}, {"2026-09-20", NULL}, {"2026-10-10", NULL},
};

static int64_t day_of(const char *text)
{
    int64_t day = 0;

    must(date_parse(text, &day));
    return day;
}

static struct holidays *shared_china; /* lives as long as the tests' calendars */

static const struct holidays *china_holidays(void)
{
    if (shared_china)
        return shared_china;
    shared_china = xcalloc(1, sizeof *shared_china);
    shared_china->name = xstrdup("cn");
    array_push(&shared_china->years, 2025);
    array_push(&shared_china->years, 2026);
    for (size_t i = 0; i < sizeof china / sizeof china[0]; i++) {
        int64_t first = day_of(china[i][0]), last = china[i][1] ? day_of(china[i][1]) : first;

        for (int64_t day = first; day <= last; day++)
            must(special_days_add(&shared_china->days,
                                  &(struct special_day){.day = day, .kind = china[i][1] ? DAY_OFF : DAY_MAKE_UP}));
    }
    return shared_china;
}

void hours_release(void)
{
    holidays_free(shared_china);
    shared_china = NULL;
}

struct calendar *hours_calendar(const char *name, const char *zone)
{
    struct calendar *c = new_calendar(name, zone);

    if (str_eq(name, "office") || str_eq(name, "plain")) {
        fill_week(c, FRIDAY, 8 * 60 + 30, 12 * 60);
        fill_week(c, FRIDAY, 13 * 60 + 30, 18 * 60);
    }
    if (str_eq(name, "office"))
        array_push(&c->holidays, china_holidays());
    if (str_eq(name, "always"))
        fill_week(c, SUNDAY, 0, DAY_MINUTES);
    if (str_eq(name, "night")) {
        for (int day = TUESDAY; day <= SATURDAY; day++)
            must(hours_add(&c->week[day], 0, 6 * 60));
        fill_week(c, FRIDAY, 22 * 60, DAY_MINUTES);
    }
    return c;
}

static void random_hours(const struct pd_rng *rng, struct hours *h)
{
    int at = 0;

    h->n = 0;
    for (uint64_t n = rng_below(rng, 4); n > 0 && at < DAY_MINUTES; n--) {
        int from = at + (int)rng_below(rng, (uint64_t)(DAY_MINUTES - at));
        int to = rng_below(rng, 8) == 0 ? DAY_MINUTES : from + 1 + (int)rng_below(rng, (uint64_t)(DAY_MINUTES - from));

        if (rng_below(rng, 4) == 0)
            from = at;
        must(hours_add(h, from, to));
        at = to;
    }
}

struct calendar *hours_random(const struct pd_rng *rng, int64_t around_day)
{
    static const char *const zones[] = {"UTC",
                                        "Asia/Shanghai",
                                        "Europe/Berlin",
                                        "America/New_York",
                                        "Australia/Lord_Howe",
                                        "America/Havana",    /* falls back to midnight */
                                        "Asia/Beirut",       /* midnight itself moves */
                                        "America/Sao_Paulo", /* likewise, in the south */
                                        "America/St_Johns",  /* a minute past midnight, until 2011 */
                                        "Asia/Kathmandu",
                                        "Pacific/Apia"};
    struct calendar *c = new_calendar("random", zones[rng_below(rng, sizeof zones / sizeof zones[0])]);

    for (int day = MONDAY; day <= SUNDAY; day++)
        if (rng_below(rng, 7) < 5)
            random_hours(rng, &c->week[day]);
    c->make_up = (enum weekday)rng_below(rng, WEEKDAY_COUNT);
    for (uint64_t n = rng_below(rng, 12); n > 0; n--) {
        struct special_day s = {.day = around_day - 10 + (int64_t)rng_below(rng, 20),
                                .kind = (enum special_kind)rng_below(rng, DAY_HOURS + 1),
                                .as = (enum weekday)rng_below(rng, WEEKDAY_COUNT)};

        random_hours(rng, &s.hours);
        special_days_add(&c->own, &s); /* twice the same day is refused, which is fine here */
    }
    return c;
}

/* ---- Instants ---- */

int64_t hours_at(const struct zone *z, const char *text)
{
    int year, month, day, hour, minute, second = 0, n = 0;
    int64_t local;

    if (sscanf(text, "%d-%d-%d %d:%d%n:%d%n", &year, &month, &day, &hour, &minute, &n, &second, &n) < 5)
        abort();
    local = date_to_day(year, month, day) * DATE_DAY_MS + ((hour * 60 + minute) * 60 + second) * INT64_C(1000);
    return text[n] == 'Z' ? local : zone_wall_ms(z, local);
}

int64_t hours_span(const char *text)
{
    int64_t sum = 0;
    char unit;
    int value, n;

    while (sscanf(text, "%d%c%n", &value, &unit, &n) == 2) {
        static const struct {
            char unit;
            int64_t ms;
        } units[] = {{'d', DATE_DAY_MS}, {'h', 3600000}, {'m', MINUTE_MS}, {'s', 1000}};

        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
            sum += units[i].unit == unit ? value * units[i].ms : 0;
        text += n;
    }
    return sum;
}

const char *hours_show(const struct zone *z, int64_t at_ms, char out[static 32])
{
    if (at_ms == INT64_MAX)
        return "never";
    zone_format(z, at_ms, out);
    snprintf(out + 19, 13, ".%03d", (int)(at_ms - date_day_of_ms(at_ms) * DATE_DAY_MS) % 1000);
    return out;
}

/* ---- The naive model ---- */

struct naive naive_begin(const struct calendar *c, int64_t at_ms)
{
    struct naive n = {.c = c, .at_ms = at_ms - DATE_DAY_MS, .shown_ms = INT64_MIN};

    n.shown_ms = zone_local_ms(c->zone, n.at_ms);
    while (n.at_ms < at_ms)
        naive_step(&n);
    return n;
}

void naive_step(struct naive *n)
{
    int64_t local;

    n->at_ms += MINUTE_MS;
    local = zone_local_ms(n->c->zone, n->at_ms);
    if (local > n->shown_ms)
        n->shown_ms = local;
}

static const struct hours *naive_hours(const struct calendar *c, int64_t day)
{
    const struct special_day *found = NULL;

    for (size_t i = 0; i < c->own.n; i++)
        if (c->own.v[i].day == day)
            found = &c->own.v[i];
    for (size_t i = 0; !found && i < c->holidays.n; i++)
        for (size_t j = 0; j < c->holidays.v[i]->days.n; j++)
            if (c->holidays.v[i]->days.v[j].day == day)
                found = &c->holidays.v[i]->days.v[j];
    if (!found)
        return &c->week[date_weekday(day)];
    return found->kind == DAY_OFF       ? NULL
           : found->kind == DAY_MAKE_UP ? &c->week[c->make_up]
           : found->kind == DAY_AS      ? &c->week[found->as]
                                        : &found->hours;
}

bool naive_open(const struct naive *n)
{
    int64_t day = date_day_of_ms(n->shown_ms);
    int minute = (int)((n->shown_ms - day * DATE_DAY_MS) / MINUTE_MS);
    const struct hours *hours = naive_hours(n->c, day);

    for (size_t i = 0; hours && i < hours->n; i++)
        if (hours->v[i].from <= minute && minute < hours->v[i].to)
            return true;
    return false;
}
