#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "daemon/internal.h"
#include "daemon/people.h"

/*
 * What was promised for a ticket: the contract that the archive has for it, with
 * its calendar in the time zone that the archive names for the place. Made when first asked for, kept
 * until the archive or the configuration changes.
 */
struct kept {
    struct contract contract;
    struct calendar calendar; /* a copy of the configuration's, in the zone that counts */
};

static void kept_free(struct kept *k)
{
    contract_fini(&k->contract);
    free(k);
}

void contracts_forget(struct core *c)
{
    const char *key;
    size_t at = 0;
    void *k;

    while (c->contracts && dict_next(c->contracts, &at, &key, &k))
        kept_free(k);
    dict_free(c->contracts);
    c->contracts = NULL;
}

/* The named calendar, or day and night where there is none, by the clocks of a place. */
static struct calendar calendar_at(const struct core *c, const char *name, const struct place *place)
{
    const struct calendar *named = name ? knowledge_calendar(c->knowledge, name) : NULL;
    struct calendar calendar = {0};

    if (named)
        calendar = *named;
    for (int day = 0; !named && day < WEEKDAY_COUNT; day++)
        hours_add(&calendar.week[day], 0, DAY_MINUTES);
    if (place->zoned || !calendar.zone)
        calendar.zone = (struct zone *)place->zone; /* never freed by the copy */
    return calendar;
}

static struct kept *keep(const struct core *c, const struct archive_contract *of, const struct place *place)
{
    struct kept *k = xcalloc(1, sizeof *k);

    contract_init(&k->contract, of->entry.name);
    k->calendar = calendar_at(c, of->calendar, place);
    for (int priority = 0; priority < PRIORITY_COUNT; priority++)
        for (int p = 0; p < PROMISE_COUNT; p++)
            if (of->goal_ms[priority][p] > 0)
                k->contract.goals[priority][p] = (struct goal){of->goal_ms[priority][p], &k->calendar};
    return k;
}

const struct contract *core_contract_of(struct core *c, const struct ticket *t)
{
    const struct device *d = watch_device(c->watch, t->device_id);
    const struct archive_contract *of;
    struct place place;
    struct kept *k;
    int64_t day;
    char *key;

    people_place(c, d ? d->site : t->site, &place);
    day = calendar_day(&(const struct calendar){.zone = (struct zone *)place.zone}, t->opened_ms);
    of = people_contract(c, &place, d ? d->name : NULL, day);
    if (!of)
        return NULL;
    if (!c->contracts)
        c->contracts = dict_new();
    key = xasprintf("%" PRId64 " %s", of->entry.id, place.zoned ? zone_name(place.zone) : "");
    k = dict_get(c->contracts, key);
    if (!k) {
        k = keep(c, of, &place);
        dict_put(c->contracts, key, k);
    }
    free(key);
    return &k->contract;
}

/* ---- What is wrong with them ---- */

enum { DAYS_AHEAD = 14 }; /* that the holidays of a year must be known before it begins */

struct doubts {
    struct core *core;
    void (*say)(void *ctx, const char *text);
    void *ctx;
    ARRAY(const struct calendar *) without_holidays; /* said already */
};

static void say_and_free(const struct doubts *d, char *text)
{
    d->say(d->ctx, text);
    free(text);
}

static bool is_said(const struct doubts *d, const struct calendar *calendar)
{
    for (size_t i = 0; i < d->without_holidays.n; i++)
        if (d->without_holidays.v[i] == calendar)
            return true;
    return false;
}

static void doubt_holidays(struct doubts *d, const struct calendar *calendar, int64_t now)
{
    int64_t today = calendar_day(calendar, now);
    int64_t year = calendar_uncovered_year(calendar, today, today + DAYS_AHEAD);

    if (year == 0 || is_said(d, calendar))
        return;
    array_push(&d->without_holidays, calendar);
    say_and_free(d, xasprintf("the calendar '%s' has no holidays for %" PRId64 ": deadlines count them as workdays",
                              calendar->name, year));
}

static void doubt(void *ctx, const struct entry *e)
{
    const struct archive_contract *of = (const struct archive_contract *)e;
    struct doubts *d = ctx;
    const struct calendar *named = of->calendar ? knowledge_calendar(d->core->knowledge, of->calendar) : NULL;
    int64_t now = clock_wall(&d->core->config.services.clock), open;

    if (of->calendar && !named)
        say_and_free(d,
                     xasprintf("contract %s: the configuration has no calendar '%s'; its goals count around the clock",
                               of->entry.name, of->calendar));
    else if (named && calendar_add(named, now, 1, &open) < 0)
        say_and_free(d, xasprintf("contract %s: the calendar '%s' has no working time; its promises are not watched",
                                  of->entry.name, of->calendar));
    else if (named)
        doubt_holidays(d, named, now);
}

void contracts_doubts(struct core *c, void (*say)(void *ctx, const char *text), void *ctx)
{
    struct doubts d = {.core = c, .say = say, .ctx = ctx};

    archive_each(c->archive, ARCHIVE_CONTRACT, doubt, &d);
    array_free(&d.without_holidays);
}
