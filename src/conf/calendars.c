#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "conf/loader.h"

/*
 * calendars/ *.yaml: when people work, and what holidays a state decrees.
 *
 *     calendars:
 *       cn-office:
 *         title: {en: Office hours in China, zh_CN: 中国办公时间}
 *         time_zone: Asia/Shanghai          # where absent: the site's
 *         hours:                            # in local time; days without are free
 *           mon-thu: [08:30-12:00, 13:30-18:00]
 *           fri: 08:30-14:00
 *         holidays: [cn]                    # sets of them, below; the first that speaks of a day counts
 *         make_up: mon                      # whose hours a decreed workday takes
 *         exceptions:                       # what is so here only, before all holidays
 *           - {from: 2026-12-24, hours: 08:30-12:00}
 *           - {from: 2026-08-03, to: 2026-08-07, off: true}
 *           - {from: 2026-08-15, as: mon}
 *
 *     holidays:
 *       cn:
 *         years: [2026]                     # of which this says everything
 *         days:
 *           - title: {en: National Day, zh_CN: 国庆节}
 *             from: 2026-10-01
 *             to: 2026-10-07
 *             work: [2026-09-20, 2026-10-10]  # worked instead
 */
struct exception_draft {
    struct yaml_node *here, *from, *to, *hours;
    int as; /* -1: not given */
    bool off;
};

struct calendar_draft {
    char *name;
    struct yaml_node *here, *time_zone, *hours;
    char *title[LANG_COUNT];
    int make_up;
    ARRAY(struct yaml_node *) holidays;
    ARRAY(struct exception_draft) exceptions;
};

struct holiday_draft {
    struct yaml_node *here, *from, *to;
    char *title[LANG_COUNT];
    ARRAY(struct yaml_node *) work;
};

struct holidays_draft {
    char *name;
    struct yaml_node *here;
    ARRAY(struct yaml_node *) years;
    ARRAY(struct holiday_draft) days;
};

struct calendar_drafts {
    ARRAY(struct calendar_draft) calendars;
    ARRAY(struct holidays_draft) holidays;
};

enum { MAX_EXCEPTION_DAYS = 366, MAX_SPECIAL_DAYS = 3660, FIRST_YEAR = 1970, LAST_YEAR = 9999 };

static const char *const weekday_names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL};

static void init_exception(void *section)
{
    ((struct exception_draft *)section)->as = -1;
}

/* Exactly one way to be special. */
static void check_exception(void *section, struct yaml_node *here, struct conf_report *report)
{
    const struct exception_draft *e = section;

    if (e->off + (e->as >= 0) + (e->hours != NULL) != 1)
        conf_error(report, here, "an exception needs one of 'off: true', 'as: WEEKDAY' and 'hours'");
}

static const struct schema_row exception_rows[] = {
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct exception_draft, here)},
    {"from", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct exception_draft, from)},
    {"to", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct exception_draft, to)},
    {"off", SCHEMA_BOOL, SCHEMA_FIELD(struct exception_draft, off)},
    {"as", SCHEMA_ENUM, .names = weekday_names, SCHEMA_FIELD(struct exception_draft, as)},
    {"hours", SCHEMA_NODE, SCHEMA_FIELD(struct exception_draft, hours)},
    {0},
};
static const struct schema exception_schema = {.what = "an exception",
                                               .rows = exception_rows,
                                               .size = sizeof(struct exception_draft),
                                               .init = init_exception,
                                               .check = check_exception};

static const struct schema_row calendar_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct calendar_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct calendar_draft, here)},
    {"title", SCHEMA_LOCAL, SCHEMA_REQUIRED, SCHEMA_FIELD(struct calendar_draft, title)},
    {"time_zone", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct calendar_draft, time_zone)},
    {"hours", SCHEMA_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct calendar_draft, hours)},
    {"holidays", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct calendar_draft, holidays)},
    {"make_up", SCHEMA_ENUM, .names = weekday_names, .fallback = "mon", SCHEMA_FIELD(struct calendar_draft, make_up)},
    {"exceptions", SCHEMA_LIST, .item = SCHEMA_SECTION, .sub = &exception_schema,
     SCHEMA_FIELD(struct calendar_draft, exceptions)},
    {0},
};
static const struct schema calendar_schema = {
    .what = "a calendar", .rows = calendar_rows, .size = sizeof(struct calendar_draft)};

static const struct schema_row holiday_rows[] = {
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct holiday_draft, here)},
    {"title", SCHEMA_LOCAL, SCHEMA_REQUIRED, SCHEMA_FIELD(struct holiday_draft, title)},
    {"from", SCHEMA_TEXT_NODE, SCHEMA_REQUIRED, SCHEMA_FIELD(struct holiday_draft, from)},
    {"to", SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct holiday_draft, to)},
    {"work", SCHEMA_LIST, .item = SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct holiday_draft, work)},
    {0},
};
static const struct schema holiday_schema = {
    .what = "a holiday", .rows = holiday_rows, .size = sizeof(struct holiday_draft)};

static const struct schema_row holidays_rows[] = {
    {.type = SCHEMA_NAME, SCHEMA_FIELD(struct holidays_draft, name)},
    {.type = SCHEMA_HERE, SCHEMA_FIELD(struct holidays_draft, here)},
    {"years", SCHEMA_LIST, SCHEMA_REQUIRED, .item = SCHEMA_TEXT_NODE, SCHEMA_FIELD(struct holidays_draft, years)},
    {"days", SCHEMA_LIST, SCHEMA_REQUIRED, .item = SCHEMA_SECTION, .sub = &holiday_schema,
     SCHEMA_FIELD(struct holidays_draft, days)},
    {0},
};
static const struct schema holidays_schema = {
    .what = "a set of holidays", .rows = holidays_rows, .size = sizeof(struct holidays_draft)};

static const struct schema_row file_rows[] = {
    {"calendars", SCHEMA_MAP, .sub = &calendar_schema, SCHEMA_FIELD(struct calendar_drafts, calendars)},
    {"holidays", SCHEMA_MAP, .sub = &holidays_schema, SCHEMA_FIELD(struct calendar_drafts, holidays)},
    {0},
};
static const struct schema file_schema = {
    .what = "a file of calendars", .rows = file_rows, .size = sizeof(struct calendar_drafts)};

/* ---- Reading ---- */

static void put_calendar(struct loader *l, const struct calendar_draft *draft)
{
    for (size_t i = 0; i < l->calendars->calendars.n; i++) {
        struct calendar_draft *earlier = &l->calendars->calendars.v[i];

        if (!str_eq(earlier->name, draft->name))
            continue;
        loader_may_replace(l, draft->here, earlier->here, "calendar");
        schema_release(&calendar_schema, earlier);
        *earlier = *draft;
        return;
    }
    array_push(&l->calendars->calendars, *draft);
}

static void put_holidays(struct loader *l, const struct holidays_draft *draft)
{
    for (size_t i = 0; i < l->calendars->holidays.n; i++) {
        struct holidays_draft *earlier = &l->calendars->holidays.v[i];

        if (!str_eq(earlier->name, draft->name))
            continue;
        loader_may_replace(l, draft->here, earlier->here, "set of holidays");
        schema_release(&holidays_schema, earlier);
        *earlier = *draft;
        return;
    }
    array_push(&l->calendars->holidays, *draft);
}

void calendars_read(struct loader *l, struct yaml_node *root)
{
    struct calendar_drafts file = {0};

    if (!l->calendars)
        l->calendars = xcalloc(1, sizeof *l->calendars);
    schema_read(&file_schema, root, &file, l->report);
    for (size_t i = 0; i < file.calendars.n; i++)
        put_calendar(l, &file.calendars.v[i]);
    for (size_t i = 0; i < file.holidays.n; i++)
        put_holidays(l, &file.holidays.v[i]);
    array_free(&file.calendars);
    array_free(&file.holidays);
}

void calendars_release(struct loader *l)
{
    if (!l->calendars)
        return;
    schema_release(&file_schema, l->calendars);
    free(l->calendars);
}

/* ---- Dates ---- */

static bool take_date(struct loader *l, struct yaml_node *node, int64_t *day)
{
    if (date_parse(node->text, day) == 0)
        return true;
    conf_error(l->report, node, "'%s' is no date: one like 2026-10-01 is wanted", node->text);
    return false;
}

/* From and to; where to is absent, the one day. */
static bool take_dates(struct loader *l, struct yaml_node *from, struct yaml_node *to, int64_t *first, int64_t *last)
{
    if (!from || !take_date(l, from, first))
        return false;
    *last = *first;
    if (to && !take_date(l, to, last))
        return false;
    if (*last >= *first && *last - *first < MAX_EXCEPTION_DAYS)
        return true;
    conf_error(l->report, to, *last < *first ? "ends before it begins" : "is longer than a year");
    return false;
}

static void add_day(struct loader *l, struct special_days *list, const struct special_day *day, struct yaml_node *node)
{
    char text[11];

    if (node->bad)
        return;
    date_format(day->day, text);
    if (list->n == MAX_SPECIAL_DAYS)
        conf_error(l->report, node, "more than %d days are special", MAX_SPECIAL_DAYS);
    else if (special_days_add(list, day) == PD_EEXIST)
        conf_error(l->report, node, "something else is said of %s already", text);
}

/* ---- Hours ---- */

/* HH:MM up to 24:00, as minutes; -1 if it is none. */
static int take_clock(const char *s)
{
    int minutes;

    if (strspn(s, "0123456789") != 2 || s[2] != ':' || strspn(s + 3, "0123456789") < 2)
        return -1;
    minutes = ((s[0] - '0') * 10 + (s[1] - '0')) * 60 + (s[3] - '0') * 10 + (s[4] - '0');
    return s[3] < '6' && minutes <= DAY_MINUTES ? minutes : -1;
}

static void take_segment(struct loader *l, struct yaml_node *node, struct hours *hours)
{
    const char *s = node->text;
    int from, to, rc;

    if (node->bad)
        return;
    if (node->type != YAML_TEXT || strlen(s) != strlen("HH:MM-HH:MM") || s[5] != '-' || (from = take_clock(s)) < 0 ||
        (to = take_clock(s + 6)) < 0) {
        conf_error(l->report, node, "hours like 08:30-12:00 are wanted here");
        return;
    }
    if (from >= to) {
        conf_error(l->report, node, "ends before it begins; a night is written in two: until 24:00, and from 00:00");
        return;
    }
    rc = hours_add(hours, from, to);
    if (rc == PD_EINVAL)
        conf_error(l->report, node, "begins before the hours ahead of it end");
    else if (rc == PD_ERANGE)
        conf_error(l->report, node, "a day can have no more than %d pieces of hours", HOURS_MAX);
}

/* One piece, or a list of them. */
static struct hours take_hours(struct loader *l, struct yaml_node *node)
{
    struct hours hours = {0};

    if (node->type != YAML_LIST)
        take_segment(l, node, &hours);
    for (size_t i = 0; node->type == YAML_LIST && i < node->items.n; i++)
        take_segment(l, node->items.v[i], &hours);
    return hours;
}

static int weekday_of(const char *s, size_t n)
{
    for (int i = 0; i < WEEKDAY_COUNT; i++)
        if (n == 3 && strncmp(weekday_names[i], s, n) == 0)
            return i;
    return -1;
}

/* "fri", or "mon-fri", in the order of the week. */
static bool take_weekdays(struct loader *l, struct yaml_node *node, int *first, int *last)
{
    size_t n = strcspn(node->text, "-");

    if (node->bad)
        return false;
    *first = weekday_of(node->text, n);
    *last = node->text[n] ? weekday_of(node->text + n + 1, strlen(node->text + n + 1)) : *first;
    if (*first >= 0 && *first <= *last)
        return true;
    conf_error(l->report, node, "a weekday (mon, tue, wed, thu, fri, sat, sun) or some, such as mon-fri, is wanted");
    return false;
}

static void take_week(struct loader *l, struct yaml_node *node, struct calendar *c)
{
    if (node->bad)
        return;
    if (node->type != YAML_MAP || node->pairs.n == 0) {
        conf_error(l->report, node, "hours by weekday are wanted, such as {mon-fri: 08:30-18:00}");
        return;
    }
    for (size_t i = 0; i < node->pairs.n; i++) {
        const struct yaml_pair *pair = &node->pairs.v[i];
        struct hours hours = take_hours(l, pair->value);
        int first, last;

        if (!take_weekdays(l, pair->key, &first, &last))
            continue;
        for (int day = first; day <= last; day++) {
            if (c->week[day].n > 0)
                conf_error(l->report, pair->key, "the hours of '%s' are given twice", weekday_names[day]);
            c->week[day] = hours;
        }
    }
}

/* ---- Building ---- */

static void build_years(struct loader *l, const struct holidays_draft *from, struct holidays *h)
{
    int64_t year;

    for (size_t i = 0; i < from->years.n; i++)
        if (from->years.v[i] && schema_int(from->years.v[i], FIRST_YEAR, LAST_YEAR, &year, l->report))
            array_push(&h->years, (int)year);
}

/* A slip in a year would go unseen. */
static void check_year(struct loader *l, const struct holidays *h, int64_t day, struct yaml_node *node)
{
    int64_t year = date_of_day(day).year;

    for (size_t i = 0; i < h->years.n; i++)
        if (h->years.v[i] == year)
            return;
    conf_error(l->report, node, "lies in none of the set's 'years'");
}

static void build_holiday(struct loader *l, struct holiday_draft *from, struct holidays *h)
{
    struct holiday *cause = xcalloc(1, sizeof *cause);
    struct special_day s = {.kind = DAY_OFF, .cause = cause};
    int64_t first, last;

    array_push(&h->causes, cause);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        cause->title[lang] = xstrdup_null(from->title[lang]);
    if (take_dates(l, from->from, from->to, &first, &last)) {
        check_year(l, h, first, from->from);
        for (s.day = first; s.day <= last; s.day++)
            add_day(l, &h->days, &s, from->from);
    }
    s.kind = DAY_MAKE_UP;
    for (size_t i = 0; i < from->work.n; i++)
        if (from->work.v[i] && take_date(l, from->work.v[i], &s.day)) {
            check_year(l, h, s.day, from->work.v[i]);
            add_day(l, &h->days, &s, from->work.v[i]);
        }
}

static void build_holidays(struct loader *l, const struct holidays_draft *from)
{
    struct holidays *h = xcalloc(1, sizeof *h);

    array_push(&l->k->holidays, h);
    h->name = xstrdup(from->name);
    h->where = loader_where(l, from->here);
    check_slug(from->name, from->here, l->report);
    build_years(l, from, h);
    for (size_t i = 0; i < from->days.n; i++)
        build_holiday(l, &from->days.v[i], h);
}

static void build_exception(struct loader *l, const struct exception_draft *from, struct calendar *c)
{
    struct special_day s = {.kind = from->off ? DAY_OFF : from->hours ? DAY_HOURS : DAY_AS};
    int64_t first, last;

    if (from->hours)
        s.hours = take_hours(l, from->hours);
    else if (from->as >= 0)
        s.as = (enum weekday)from->as;
    if (!take_dates(l, from->from, from->to, &first, &last))
        return;
    for (s.day = first; s.day <= last; s.day++)
        add_day(l, &c->own, &s, from->from);
}

static void take_zone(struct loader *l, const struct calendar_draft *from, struct calendar *c)
{
    if (zone_open(from->time_zone ? from->time_zone->text : l->time_zone, &c->zone) != 0)
        conf_error(l->report, from->time_zone ? from->time_zone : from->here,
                   "unknown time zone '%s': a name such as Asia/Shanghai is wanted",
                   from->time_zone ? from->time_zone->text : l->time_zone);
}

static void take_holidays(struct loader *l, const struct calendar_draft *from, struct calendar *c)
{
    ARRAY(const char *) known = {0};

    for (size_t i = 0; i < l->k->holidays.n; i++)
        array_push(&known, l->k->holidays.v[i]->name);
    array_push(&known, NULL);
    for (size_t i = 0; i < from->holidays.n; i++) {
        struct yaml_node *name = from->holidays.v[i];
        const struct holidays *h = name ? knowledge_holidays(l->k, name->text) : NULL;

        if (h)
            array_push(&c->holidays, h);
        else if (name)
            unknown_name(name, "set of holidays", known.v, l->report);
    }
    array_free(&known);
}

static void build_calendar(struct loader *l, const struct calendar_draft *from)
{
    struct calendar *c = xcalloc(1, sizeof *c);

    array_push(&l->k->calendars, c);
    c->name = xstrdup(from->name);
    c->where = loader_where(l, from->here);
    check_slug(from->name, from->here, l->report);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        c->title[lang] = xstrdup_null(from->title[lang]);
    take_zone(l, from, c);
    if (from->hours)
        take_week(l, from->hours, c);
    take_holidays(l, from, c);
    c->make_up = (enum weekday)from->make_up;
    if (!from->here->bad && c->holidays.n > 0 && c->week[c->make_up].n == 0)
        conf_error(l->report, from->here,
                   "decreed workdays take the hours of '%s', which has none: say 'make_up: WEEKDAY'",
                   weekday_names[c->make_up]);
    for (size_t i = 0; i < from->exceptions.n; i++)
        build_exception(l, &from->exceptions.v[i], c);
}

void calendars_build(struct loader *l)
{
    if (!l->calendars)
        return;
    for (size_t i = 0; i < l->calendars->holidays.n; i++)
        build_holidays(l, &l->calendars->holidays.v[i]);
    for (size_t i = 0; i < l->calendars->calendars.n; i++)
        build_calendar(l, &l->calendars->calendars.v[i]);
}
