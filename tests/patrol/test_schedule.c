#include "patrol/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/model/hours.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

#define CN "Asia/Shanghai"
#define DE "Europe/Berlin"
#define US "America/New_York"
#define WEEKDAYS "BYDAY=MO,TU,WE,TH,FR"

enum { STAY = SCHEDULE_STAY, BACK = SCHEDULE_BACK, FORWARD = SCHEDULE_FORWARD };

/* A plan and what it borrows. */
struct fixture {
    struct calendar *calendar;
    struct schedule *s;
};

static int open_fixture(struct fixture *f, const char *rule, const char *start, const char *calendar, const char *zone,
                        int shift, enum schedule_anchor anchor, char **why)
{
    struct schedule_spec spec = {.rule = rule, .shift = (enum schedule_shift)shift, .anchor = anchor};
    int hour, minute;
    char day[11];

    f->s = NULL;
    f->calendar = hours_calendar(calendar, zone);
    assert_int_equal(sscanf(start, "%10s %d:%d", day, &hour, &minute), 3);
    assert_int_equal(date_parse(day, &spec.start_day), 0);
    spec.at_minute = hour * 60 + minute;
    spec.zone = f->calendar->zone;
    spec.calendar = f->calendar;
    return schedule_new(&spec, &f->s, why);
}

static void open_good(struct fixture *f, const char *rule, const char *start, const char *calendar, const char *zone,
                      int shift, enum schedule_anchor anchor)
{
    char *why = NULL;

    if (open_fixture(f, rule, start, calendar, zone, shift, anchor, &why) != 0)
        fail_msg("%s", why);
}

static void close_fixture(struct fixture *f)
{
    schedule_free(f->s);
    calendar_free(f->calendar);
}

static void add_occurrence(struct sbuf *out, const struct zone *z, const struct occurrence *o)
{
    char text[20];

    zone_format(z, o->at_ms, text);
    text[16] = '\0';
    sbuf_addf(out, "%s%lld %s", out->n ? ", " : "", (long long)o->n, text + 2);
}

/* ---- The golden table: what falls due in (from, to], as "NUMBER YY-MM-DD HH:MM, …" ---- */

struct golden {
    const char *rule, *start, *calendar, *zone;
    int shift;
    const char *from, *to, *due;
};

static const struct golden golden[] = {
    /* -- every day, week, month, quarter, half year, year -- */
    {"FREQ=DAILY", "2026-07-01 08:00", "plain", CN, STAY, "2026-06-30 00:00", "2026-07-03 08:00",
     "1 26-07-01 08:00, 2 26-07-02 08:00, 3 26-07-03 08:00"},
    {"FREQ=DAILY;INTERVAL=10", "2026-02-20 08:00", "plain", CN, STAY, "2026-01-01 00:00", "2026-03-20 00:00",
     "1 26-02-20 08:00, 2 26-03-02 08:00, 3 26-03-12 08:00"},
    {"FREQ=WEEKLY;BYDAY=MO", "2026-07-01 08:00", "plain", CN, STAY, "2026-07-01 00:00", "2026-07-20 07:59",
     "1 26-07-06 08:00, 2 26-07-13 08:00"},
    {"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", "2026-07-01 08:00", "plain", CN, STAY, "2026-07-01 00:00",
     "2026-07-20 00:00", "1 26-07-02 08:00, 2 26-07-14 08:00, 3 26-07-16 08:00"},
    {"FREQ=WEEKLY", "2026-12-28 08:00", "plain", CN, STAY, "2026-12-01 00:00", "2027-01-12 00:00",
     "1 26-12-28 08:00, 2 27-01-04 08:00, 3 27-01-11 08:00"},
    {"FREQ=MONTHLY", "2026-01-15 09:00", "plain", CN, STAY, "2026-01-01 00:00", "2026-04-01 00:00",
     "1 26-01-15 09:00, 2 26-02-15 09:00, 3 26-03-15 09:00"},
    {"FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1", "2026-01-01 09:00", "plain", CN, STAY, "2025-12-01 00:00",
     "2026-12-31 00:00", "1 26-01-01 09:00, 2 26-04-01 09:00, 3 26-07-01 09:00, 4 26-10-01 09:00"},
    {"FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1", "2026-01-02 09:00", "plain", CN, STAY, "2025-12-01 00:00",
     "2026-12-31 00:00", "1 26-04-01 09:00, 2 26-07-01 09:00, 3 26-10-01 09:00"}, /* the start itself does not fit */
    {"FREQ=YEARLY;BYMONTH=3,6,9,12;BYMONTHDAY=-1", "2026-01-01 09:00", "plain", CN, STAY, "2025-12-01 00:00",
     "2027-01-01 00:00", "1 26-03-31 09:00, 2 26-06-30 09:00, 3 26-09-30 09:00, 4 26-12-31 09:00"},
    {"FREQ=MONTHLY;INTERVAL=6", "2026-03-10 09:00", "plain", CN, STAY, "2025-12-01 00:00", "2027-12-01 00:00",
     "1 26-03-10 09:00, 2 26-09-10 09:00, 3 27-03-10 09:00, 4 27-09-10 09:00"},
    {"FREQ=YEARLY;BYMONTH=6,12;BYDAY=-1FR", "2026-01-01 09:00", "plain", CN, STAY, "2025-12-01 00:00",
     "2027-01-01 00:00", "1 26-06-26 09:00, 2 26-12-25 09:00"},
    {"FREQ=YEARLY", "2026-11-30 09:00", "plain", CN, STAY, "2025-12-01 00:00", "2028-12-01 00:00",
     "1 26-11-30 09:00, 2 27-11-30 09:00, 3 28-11-30 09:00"},
    /* seasonal: air conditioners every two months while in use */
    {"FREQ=YEARLY;BYMONTH=5,7,9;BYDAY=1MO", "2026-01-01 09:00", "plain", CN, STAY, "2025-12-01 00:00",
     "2027-06-01 00:00", "1 26-05-04 09:00, 2 26-07-06 09:00, 3 26-09-07 09:00, 4 27-05-03 09:00"},

    /* -- the 31st, the 30th, the last -- */
    {"FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-01 09:00", "plain", CN, STAY, "2025-12-01 00:00", "2026-08-31 23:00",
     "1 26-01-31 09:00, 2 26-03-31 09:00, 3 26-05-31 09:00, 4 26-07-31 09:00, 5 26-08-31 09:00"},
    {"FREQ=MONTHLY", "2026-01-31 09:00", "plain", CN, STAY, "2025-12-01 00:00", "2026-05-31 23:00",
     "1 26-01-31 09:00, 2 26-03-31 09:00, 3 26-05-31 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=30", "2026-01-01 09:00", "plain", CN, STAY, "2025-12-01 00:00", "2026-04-30 23:00",
     "1 26-01-30 09:00, 2 26-03-30 09:00, 3 26-04-30 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31 09:00", "plain", CN, STAY, "2025-12-01 00:00", "2026-05-01 00:00",
     "1 26-01-31 09:00, 2 26-02-28 09:00, 3 26-03-31 09:00, 4 26-04-30 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=-1", "2028-01-31 09:00", "plain", CN, STAY, "2028-02-01 00:00", "2028-03-01 00:00",
     "2 28-02-29 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=-2", "2026-02-01 09:00", "plain", CN, STAY, "2026-02-01 00:00", "2026-04-01 00:00",
     "1 26-02-27 09:00, 2 26-03-30 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00",
     "2026-04-01 00:00", "1 26-01-31 09:00, 2 26-02-28 09:00, 3 26-03-31 09:00"},

    /* -- 29 February -- */
    {"FREQ=YEARLY", "2024-02-29 09:00", "plain", CN, STAY, "2024-01-01 00:00", "2032-12-31 00:00",
     "1 24-02-29 09:00, 2 28-02-29 09:00, 3 32-02-29 09:00"},
    {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", "2024-02-01 09:00", "plain", CN, STAY, "2024-01-01 00:00",
     "2028-12-31 00:00", "1 24-02-29 09:00, 2 25-02-28 09:00, 3 26-02-28 09:00, 4 27-02-28 09:00, 5 28-02-29 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=29", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00", "2026-04-01 00:00",
     "1 26-01-29 09:00, 2 26-03-29 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=29", "2024-01-01 09:00", "plain", CN, STAY, "2024-01-01 00:00", "2024-04-01 00:00",
     "1 24-01-29 09:00, 2 24-02-29 09:00, 3 24-03-29 09:00"},
    {"FREQ=YEARLY;BYYEARDAY=60", "2024-01-01 09:00", "plain", CN, STAY, "2024-01-01 00:00", "2025-12-31 00:00",
     "1 24-02-29 09:00, 2 25-03-01 09:00"},
    {"FREQ=YEARLY;BYYEARDAY=-1", "2024-01-01 09:00", "plain", CN, STAY, "2024-01-01 00:00", "2025-12-31 10:00",
     "1 24-12-31 09:00, 2 25-12-31 09:00"},

    /* -- BYSETPOS and ordinal weekdays -- */
    {"FREQ=MONTHLY;" WEEKDAYS ";BYSETPOS=-1", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00",
     "2026-06-01 00:00", "1 26-01-30 09:00, 2 26-02-27 09:00, 3 26-03-31 09:00, 4 26-04-30 09:00, 5 26-05-29 09:00"},
    {"FREQ=MONTHLY;" WEEKDAYS ";BYSETPOS=1", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00",
     "2026-04-01 10:00", "1 26-01-01 09:00, 2 26-02-02 09:00, 3 26-03-02 09:00, 4 26-04-01 09:00"},
    {"FREQ=MONTHLY;" WEEKDAYS ";BYSETPOS=-2", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00",
     "2026-03-01 00:00", "1 26-01-29 09:00, 2 26-02-26 09:00"},
    {"FREQ=MONTHLY;" WEEKDAYS ";BYSETPOS=5", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00",
     "2026-03-01 00:00", "1 26-01-07 09:00, 2 26-02-06 09:00"},
    {"FREQ=MONTHLY;BYDAY=2WE", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00", "2026-04-01 00:00",
     "1 26-01-14 09:00, 2 26-02-11 09:00, 3 26-03-11 09:00"},
    {"FREQ=MONTHLY;BYDAY=5FR", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00", "2026-08-01 00:00",
     "1 26-01-30 09:00, 2 26-05-29 09:00, 3 26-07-31 09:00"},
    {"FREQ=MONTHLY;BYDAY=-1SU", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00", "2026-04-01 00:00",
     "1 26-01-25 09:00, 2 26-02-22 09:00, 3 26-03-29 09:00"},
    {"FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00",
     "2026-12-31 00:00", "1 26-02-13 09:00, 2 26-03-13 09:00, 3 26-11-13 09:00"},
    {"FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "2026-01-01 09:00", "plain", CN, STAY, "2026-01-01 00:00", "2027-12-31 00:00",
     "1 26-05-11 09:00, 2 27-05-17 09:00"},

    /* -- ends: COUNT and UNTIL (that day included) -- */
    {"FREQ=MONTHLY;COUNT=2", "2026-01-15 09:00", "plain", CN, STAY, "2025-01-01 00:00", "2030-01-01 00:00",
     "1 26-01-15 09:00, 2 26-02-15 09:00"},
    {"FREQ=MONTHLY;UNTIL=20260315", "2026-01-15 09:00", "plain", CN, STAY, "2025-01-01 00:00", "2030-01-01 00:00",
     "1 26-01-15 09:00, 2 26-02-15 09:00, 3 26-03-15 09:00"},
    {"FREQ=MONTHLY;UNTIL=20260314", "2026-01-15 09:00", "plain", CN, STAY, "2026-02-15 09:00", "2030-01-01 00:00", ""},

    /* -- shifted off weekends -- */
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-07-01 09:00", "plain", CN, FORWARD, "2026-07-01 00:00", "2026-11-30 00:00",
     "1 26-07-01 09:00, 2 26-08-03 09:00, 3 26-09-01 09:00, 4 26-10-01 09:00, 5 26-11-02 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-08-01 09:00", "plain", CN, BACK, "2026-07-01 00:00", "2026-11-30 00:00",
     "1 26-07-31 09:00, 2 26-09-01 09:00, 3 26-10-01 09:00, 4 26-10-30 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-01 09:00", "plain", CN, BACK, "2026-01-01 00:00", "2026-04-01 00:00",
     "1 26-01-30 09:00, 2 26-02-27 09:00, 3 26-03-31 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-01 09:00", "plain", CN, FORWARD, "2026-01-01 00:00", "2026-04-01 00:00",
     "1 26-02-02 09:00, 2 26-03-02 09:00, 3 26-03-31 09:00"},
    {"FREQ=YEARLY", "2027-01-01 09:00", "plain", CN, BACK, "2027-01-01 00:00", "2028-01-01 00:00",
     "1 27-01-01 09:00, 2 27-12-31 09:00"}, /* 1 January 2028 is a Saturday: over the end of the year */

    /* -- off holidays: the first and the last workday of a month by the site's calendar -- */
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-09-01 09:00", "office", CN, FORWARD, "2026-09-01 00:00", "2026-12-01 00:00",
     "1 26-09-01 09:00, 2 26-10-08 09:00, 3 26-11-02 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-01-01 09:00", "office", CN, FORWARD, "2026-01-01 00:00", "2026-06-01 00:00",
     "1 26-01-04 09:00, 2 26-02-02 09:00, 3 26-03-02 09:00, 4 26-04-01 09:00, 5 26-05-06 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-01 09:00", "office", CN, BACK, "2026-01-01 00:00", "2026-04-01 00:00",
     "1 26-01-30 09:00, 2 26-02-28 09:00, 3 26-03-31 09:00"}, /* 28 February is a Saturday worked */
    {"FREQ=MONTHLY;" WEEKDAYS ";BYSETPOS=-1", "2026-02-01 09:00", "office", CN, BACK, "2026-01-01 00:00",
     "2026-03-01 00:00", "1 26-02-27 09:00"}, /* which a rule of weekdays cannot know */
    {"FREQ=MONTHLY;BYMONTHDAY=3", "2026-10-01 09:00", "office", CN, FORWARD, "2026-09-01 00:00", "2026-10-31 00:00",
     "1 26-10-08 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=3", "2026-10-01 09:00", "office", CN, BACK, "2026-09-01 00:00", "2026-10-31 00:00",
     "1 26-09-30 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=3", "2026-10-01 09:00", "office", CN, STAY, "2026-09-01 00:00", "2026-10-31 00:00",
     "1 26-10-03 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=10", "2026-10-01 09:00", "office", CN, BACK, "2026-09-01 00:00", "2026-10-31 00:00",
     "1 26-10-10 09:00"}, /* a make-up Saturday is as good as any */
    {"FREQ=MONTHLY;BYMONTHDAY=10", "2026-10-01 09:00", "plain", CN, BACK, "2026-09-01 00:00", "2026-10-31 00:00",
     "1 26-10-09 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=11", "2026-10-01 09:00", "office", CN, BACK, "2026-09-01 00:00", "2026-10-31 00:00",
     "1 26-10-10 09:00"},
    {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=17", "2026-01-01 09:00", "office", CN, FORWARD, "2026-01-01 00:00",
     "2026-12-31 00:00", "1 26-02-24 09:00"},
    {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=17", "2026-01-01 09:00", "office", CN, BACK, "2026-01-01 00:00",
     "2026-12-31 00:00", "1 26-02-14 09:00"},
    {"FREQ=WEEKLY;BYDAY=SU", "2026-09-14 09:00", "office", CN, STAY, "2026-09-14 00:00", "2026-10-05 00:00",
     "1 26-09-20 09:00, 2 26-09-27 09:00, 3 26-10-04 09:00"},
    {"FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1", "2026-01-01 09:00", "office", CN, FORWARD, "2026-01-01 00:00",
     "2026-12-31 00:00", "1 26-01-04 09:00, 2 26-04-01 09:00, 3 26-07-01 09:00, 4 26-10-08 09:00"},

    /* -- several that come to lie on one day are one -- */
    {"FREQ=DAILY", "2026-09-29 09:00", "office", CN, FORWARD, "2026-09-29 00:00", "2026-10-12 10:00",
     "1 26-09-29 09:00, 2 26-09-30 09:00, 3 26-10-08 09:00, 11 26-10-09 09:00, 12 26-10-10 09:00, 13 26-10-12 09:00"},
    {"FREQ=DAILY", "2026-09-29 09:00", "office", CN, BACK, "2026-09-29 00:00", "2026-10-12 10:00",
     "1 26-09-29 09:00, 2 26-09-30 09:00, 10 26-10-08 09:00, 11 26-10-09 09:00, 12 26-10-10 09:00, 14 26-10-12 09:00"},
    {"FREQ=WEEKLY;BYDAY=WE,FR", "2026-09-28 09:00", "office", CN, FORWARD, "2026-09-28 00:00", "2026-10-17 00:00",
     "1 26-09-30 09:00, 2 26-10-08 09:00, 4 26-10-09 09:00, 5 26-10-14 09:00, 6 26-10-16 09:00"},

    /* -- downtime: what fell due while nobody asked, once -- */
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-01-01 09:00", "plain", CN, STAY, "2026-02-10 00:00", "2026-05-10 00:00",
     "3 26-03-01 09:00, 4 26-04-01 09:00, 5 26-05-01 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-01-01 09:00", "plain", CN, STAY, "2026-02-01 08:59", "2026-02-01 09:00",
     "2 26-02-01 09:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-01-01 09:00", "plain", CN, STAY, "2026-02-01 09:00", "2026-02-01 23:00", ""},
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-01-01 09:00", "office", CN, FORWARD, "2026-09-28 00:00", "2026-10-08 08:59",
     ""},
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-01-01 09:00", "office", CN, FORWARD, "2026-10-02 00:00", "2026-10-09 00:00",
     "10 26-10-08 09:00"}, /* down from after the rule's day to after the shifted one */
    {"FREQ=MONTHLY;BYMONTHDAY=3", "2026-01-01 09:00", "office", CN, BACK, "2026-09-30 09:00", "2026-10-20 00:00",
     ""}, /* it came before the holidays */
    {"FREQ=MONTHLY", "2026-01-15 09:00", "plain", CN, STAY, "2026-05-01 00:00", "2026-04-01 00:00", ""},

    /* -- clocks change, local time does not -- */
    {"FREQ=WEEKLY;BYDAY=SU", "2026-03-22 09:00", "plain", DE, STAY, "2026-03-22 00:00", "2026-04-05 10:00",
     "1 26-03-22 09:00, 2 26-03-29 09:00, 3 26-04-05 09:00"},
    {"FREQ=WEEKLY;BYDAY=SU", "2026-03-22 02:30", "plain", DE, STAY, "2026-03-22 00:00", "2026-04-05 10:00",
     "1 26-03-22 02:30, 2 26-03-29 03:00, 3 26-04-05 02:30"}, /* 02:30 is left out on the 29th */
    {"FREQ=DAILY", "2026-10-24 02:30", "plain", DE, STAY, "2026-10-24 00:00", "2026-10-26 10:00",
     "1 26-10-24 02:30, 2 26-10-25 02:30, 3 26-10-26 02:30"}, /* once, although 02:30 comes twice */
    {"FREQ=DAILY", "2026-03-07 02:00", "plain", US, STAY, "2026-03-07 00:00", "2026-03-09 10:00",
     "1 26-03-07 02:00, 2 26-03-08 03:00, 3 26-03-09 02:00"},
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-10-01 01:30", "plain", US, STAY, "2026-10-02 00:00", "2026-11-01 05:30Z",
     "2 26-11-01 01:30"}, /* the first of the two */
    {"FREQ=MONTHLY;BYMONTHDAY=1", "2026-10-01 01:30", "plain", US, STAY, "2026-11-01 05:30Z", "2026-11-01 07:00Z", ""},
    {"FREQ=DAILY", "2017-10-14 00:00", "plain", "America/Sao_Paulo", STAY, "2017-10-13 00:00", "2017-10-16 10:00",
     "1 17-10-14 00:00, 2 17-10-15 01:00, 3 17-10-16 00:00"}, /* the day begins at 01:00 */
};

static void the_golden_table(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(golden); i++) {
        const struct golden *g = &golden[i];
        struct occurrences due = {0};
        struct sbuf text = {0};
        struct fixture f;

        open_good(&f, g->rule, g->start, g->calendar, g->zone, g->shift, SCHEDULE_FROM_DUE);
        assert_int_equal(
            schedule_due(f.s, hours_at(f.calendar->zone, g->from), hours_at(f.calendar->zone, g->to), &due), 0);
        sbuf_add(&text, "");
        for (size_t j = 0; j < due.n; j++)
            add_occurrence(&text, f.calendar->zone, &due.v[j]);
        if (!str_eq(text.s, g->due)) {
            print_error("row %zu: %s from %s: '%s', not '%s'\n", i, g->rule, g->start, text.s, g->due);
            wrong++;
        }
        sbuf_free(&text);
        array_free(&due);
        close_fixture(&f);
    }
    assert_int_equal(wrong, 0);
}

/* Asking for the next and the next gives what asking for all gives; in pieces of any size none comes twice. */
static void pieces_make_the_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden); i++) {
        const struct golden *g = &golden[i];
        struct occurrences whole = {0}, pieces = {0};
        struct rng_seeded seeded;
        struct pd_rng rng = rng_seeded_ops(&seeded);
        struct occurrence next;
        struct fixture f;
        int64_t from, to, at;

        rng_seed(&seeded, i);
        open_good(&f, g->rule, g->start, g->calendar, g->zone, g->shift, SCHEDULE_FROM_DUE);
        from = at = hours_at(f.calendar->zone, g->from);
        to = from + 400 * (int64_t)DATE_DAY_MS;
        assert_int_equal(schedule_due(f.s, from, to, &whole), 0);
        while (at < to) {
            int64_t then = at + (int64_t)rng_below(&rng, 70 * (uint64_t)DATE_DAY_MS);

            if (rng_below(&rng, 2) && schedule_first_after(f.s, at, &next) == 0)
                then = next.at_ms; /* exactly when one is due */
            then = then > to ? to : then;
            assert_int_equal(schedule_due(f.s, at, then, &pieces), 0);
            at = then;
        }
        if (pieces.n != whole.n)
            fail_msg("row %zu: %zu, not %zu", i, pieces.n, whole.n);
        at = from;
        for (size_t j = 0; j < whole.n; j++) {
            assert_memory_equal(&pieces.v[j], &whole.v[j], sizeof whole.v[j]);
            assert_int_equal(schedule_first_after(f.s, at, &next), 0);
            assert_int_equal(next.n, whole.v[j].n);
            assert_true(j == 0 || (next.n > whole.v[j - 1].n && next.day > whole.v[j - 1].day));
            at = next.at_ms;
        }
        array_free(&whole);
        array_free(&pieces);
        close_fixture(&f);
    }
}

/* ---- Against a naive model, which looks at every single day ---- */

struct naive_rule {
    char form; /* 'D'aily, 'W'eekly, 'M'onthly */
    int interval, month_day;
    unsigned weekdays; /* a set */
};

static char *naive_text(const struct naive_rule *r)
{
    static const char *const names[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    struct sbuf text = {0};

    if (r->form == 'D')
        return xasprintf("FREQ=DAILY;INTERVAL=%d", r->interval);
    if (r->form == 'M')
        return xasprintf("FREQ=MONTHLY;INTERVAL=%d;BYMONTHDAY=%d", r->interval, r->month_day);
    sbuf_addf(&text, "FREQ=WEEKLY;INTERVAL=%d", r->interval);
    for (int i = 0, first = 1; i < WEEKDAY_COUNT; i++)
        if (r->weekdays >> i & 1) {
            sbuf_addf(&text, "%s%s", first ? ";BYDAY=" : ",", names[i]);
            first = 0;
        }
    return sbuf_take(&text);
}

static bool naive_fits(const struct naive_rule *r, int64_t start, int64_t day)
{
    struct date d = date_of_day(day), s = date_of_day(start);
    int64_t weeks = (day - date_weekday(day) - (start - date_weekday(start))) / WEEKDAY_COUNT;
    int from_end = d.day - date_month_days(d.year, d.month) - 1;

    if (r->form == 'D')
        return (day - start) % r->interval == 0;
    if (r->form == 'W')
        return weeks % r->interval == 0 && (r->weekdays >> date_weekday(day) & 1);
    return ((d.year - s.year) * 12 + d.month - s.month) % r->interval == 0 &&
           (d.day == r->month_day || from_end == r->month_day);
}

static void check_naive(unsigned seed)
{
    static const int month_days[] = {1, 3, 15, 28, 29, 30, 31, -1, -2, -3};
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);
    struct naive_rule r;
    struct occurrences due = {0};
    struct fixture f;
    int64_t start, last = INT64_MIN, n = 0;
    size_t found = 0;
    char *rule, *from, day_text[11];
    int shift;

    rng_seed(&seeded, seed);
    r = (struct naive_rule){.form = "DWM"[rng_below(&rng, 3)],
                            .interval = 1 + (int)rng_below(&rng, 7),
                            .month_day = month_days[rng_below(&rng, COUNT(month_days))],
                            .weekdays = 1 + (unsigned)rng_below(&rng, 127)};
    start = date_to_day(2024, 12, 1) + (int64_t)rng_below(&rng, 400);
    shift = (int)rng_below(&rng, 3);
    date_format(start, day_text);
    from = xasprintf("%s 09:00", day_text);
    rule = naive_text(&r);
    open_good(&f, rule, from, "office", CN, shift, SCHEDULE_FROM_DUE);
    assert_int_equal(schedule_due(f.s, 0, calendar_day_start(f.calendar, start + 600), &due), 0);
    for (int64_t day = start; found < due.n; day++) {
        int64_t shifted = day;

        assert_true(day < start + 700);
        if (!naive_fits(&r, start, day))
            continue;
        n++;
        while (shift != STAY && !calendar_is_workday(f.calendar, shifted))
            shifted += shift == BACK ? -1 : 1;
        if (shifted == last)
            continue;
        last = shifted;
        if (due.v[found].n != n || due.v[found].rule_day != day || due.v[found].day != shifted)
            fail_msg("seed %u: %s from %s: number %lld, not %lld", seed, rule, from, (long long)due.v[found].n,
                     (long long)n);
        found++;
    }
    /* and there is no other before the end */
    for (int64_t day = due.n ? due.v[due.n - 1].rule_day + 1 : start; day < start + 580; day++)
        if (naive_fits(&r, start, day) && shift == STAY)
            fail_msg("seed %u: %s from %s: one is missing", seed, rule, from);
    free(rule);
    free(from);
    array_free(&due);
    close_fixture(&f);
}

static void random_rules_agree_with_the_naive_model(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 300; seed++)
        check_naive(seed);
}

static void the_rule_s_own_day_is_kept(void **state)
{
    struct occurrence o;
    struct fixture f;
    char text[11];

    (void)state;
    open_good(&f, "FREQ=MONTHLY;BYMONTHDAY=1", "2026-10-01 09:00", "office", CN, FORWARD, SCHEDULE_FROM_DUE);
    assert_int_equal(schedule_first_after(f.s, INT64_MIN, &o), 0);
    date_format(o.rule_day, text);
    assert_string_equal(text, "2026-10-01");
    date_format(o.day, text);
    assert_string_equal(text, "2026-10-08");
    close_fixture(&f);
}

static void after_the_end_comes_nothing(void **state)
{
    struct occurrence o = {.n = 42};
    struct fixture f;

    (void)state;
    open_good(&f, "FREQ=DAILY;COUNT=3", "2026-07-01 09:00", "plain", CN, STAY, SCHEDULE_FROM_DUE);
    assert_int_equal(schedule_first_after(f.s, hours_at(f.calendar->zone, "2026-07-03 09:00"), &o), PD_ENOENT);
    assert_int_equal(o.n, 42);
    close_fixture(&f);
}

/* ---- Counted from when it was done ---- */

static void after_it_was_done(void **state)
{
    static const struct {
        const char *rule, *calendar;
        int shift;
        int64_t n;
        const char *done, *next; /* NULL: none */
    } rows[] = {
        {"FREQ=MONTHLY;INTERVAL=3", "plain", STAY, 1, "2026-01-15 16:00", "2 26-04-15 09:00"},
        {"FREQ=MONTHLY;INTERVAL=3", "plain", STAY, 7, "2026-02-03 00:00", "8 26-05-03 09:00"},
        {"FREQ=MONTHLY", "plain", STAY, 1, "2026-01-31 16:00", "2 26-02-28 09:00"},
        {"FREQ=MONTHLY", "plain", STAY, 1, "2026-01-28 16:00", "2 26-02-28 09:00"},
        {"FREQ=MONTHLY;INTERVAL=6", "plain", STAY, 1, "2026-08-31 16:00", "2 27-02-28 09:00"},
        {"FREQ=YEARLY", "plain", STAY, 1, "2024-02-29 16:00", "2 25-02-28 09:00"},
        {"FREQ=DAILY;INTERVAL=90", "plain", STAY, 3, "2026-01-01 23:59", "4 26-04-01 09:00"},
        {"FREQ=WEEKLY;INTERVAL=2", "plain", STAY, 3, "2026-12-30 12:00", "4 27-01-13 09:00"},
        {"FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1", "plain", STAY, 1, "2026-01-15 12:00", "2 26-03-01 09:00"},
        {"FREQ=MONTHLY;BYMONTHDAY=-1", "plain", STAY, 1, "2026-01-31 12:00", "2 26-02-28 09:00"},
        {"FREQ=MONTHLY;INTERVAL=9", "office", FORWARD, 1, "2026-01-02 12:00", "2 26-10-08 09:00"},
        {"FREQ=MONTHLY;INTERVAL=9", "office", BACK, 1, "2026-01-02 12:00", "2 26-09-30 09:00"},
        {"FREQ=MONTHLY;BYMONTHDAY=1", "office", BACK, 1, "2026-09-30 12:00",
         "2 26-10-30 09:00"}, /* October's is done */
        {"FREQ=DAILY", "office", FORWARD, 1, "2026-10-03 12:00", "2 26-10-08 09:00"},
        {"FREQ=MONTHLY;COUNT=3", "plain", STAY, 2, "2026-03-15 12:00", "3 26-04-15 09:00"},
        {"FREQ=MONTHLY;COUNT=3", "plain", STAY, 3, "2026-03-15 12:00", NULL},
        {"FREQ=MONTHLY;UNTIL=20260415", "plain", STAY, 3, "2026-03-15 12:00", "4 26-04-15 09:00"},
        {"FREQ=MONTHLY;UNTIL=20260414", "plain", STAY, 3, "2026-03-15 12:00", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sbuf text = {0};
        struct occurrence o;
        struct fixture f;
        int rc;

        open_good(&f, rows[i].rule, "2024-01-01 09:00", rows[i].calendar, CN, rows[i].shift, SCHEDULE_FROM_DONE);
        rc = schedule_after_done(f.s, rows[i].n, hours_at(f.calendar->zone, rows[i].done), &o);
        if (rc == 0)
            add_occurrence(&text, f.calendar->zone, &o);
        if (rc != (rows[i].next ? 0 : PD_ENOENT) || !str_eq(text.s, rows[i].next))
            fail_msg("row %zu: %d, '%s'", i, rc, text.s ? text.s : "");
        sbuf_free(&text);
        close_fixture(&f);
    }
}

static void only_the_first_is_known_before(void **state)
{
    struct occurrences due = {0};
    struct occurrence o;
    struct fixture f;

    (void)state;
    open_good(&f, "FREQ=MONTHLY", "2026-01-15 09:00", "plain", CN, STAY, SCHEDULE_FROM_DONE);
    assert_int_equal(schedule_due(f.s, 0, hours_at(f.calendar->zone, "2030-01-01 00:00"), &due), 0);
    assert_int_equal(due.n, 1);
    assert_int_equal(schedule_first_after(f.s, due.v[0].at_ms, &o), PD_ENOENT);
    array_free(&due);
    close_fixture(&f);
    open_good(&f, "FREQ=MONTHLY", "2026-01-15 09:00", "plain", CN, STAY, SCHEDULE_FROM_DUE);
    assert_int_equal(schedule_after_done(f.s, 1, 0, &o), PD_ESTATE);
    close_fixture(&f);
}

/* ---- Rules that are none ---- */

static void refused_rules(void **state)
{
    static const struct {
        const char *rule, *why;
    } rows[] = {
        {"", "is no recurrence rule"},
        {"monthly", "is no recurrence rule"},
        {"RRULE:FREQ=DAILY", "is no recurrence rule"},
        {"FREQ=FORTNIGHTLY", "is no recurrence rule"},
        {"FREQ=MONTHLY;BYMONTHDAY=32", "is no recurrence rule"},
        {"FREQ=MONTHLY;BYMONTHDAY=0", "is no recurrence rule"},
        {"FREQ=MONTHLY;INTERVAL=0", "is no recurrence rule"},
        {"FREQ=WEEKLY;BYDAY=XX", "is no recurrence rule"},
        {"FREQ=DAILY;COUNT=3;UNTIL=20260101", "is no recurrence rule"},
        {"FREQ=每月", "is no recurrence rule"},
        {"FREQ=HOURLY", "DAILY is the shortest"},
        {"FREQ=SECONDLY", "DAILY is the shortest"},
        {"FREQ=DAILY;BYHOUR=9,17", "has a time of the day"},
        {"FREQ=DAILY;BYMINUTE=30", "has a time of the day"},
        {"FREQ=DAILY;UNTIL=20261231T090000Z", "UNTIL must be a day"},
        {"RSCALE=CHINESE;FREQ=YEARLY", "RSCALE"},
        {"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes"},
        {"FREQ=MONTHLY;UNTIL=20250101", "never comes"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        char *why = NULL;

        if (open_fixture(&f, rows[i].rule, "2026-01-01 09:00", "plain", CN, STAY, SCHEDULE_FROM_DUE, &why) !=
                PD_EINVAL ||
            !why || !strstr(why, rows[i].why) || f.s)
            fail_msg("row %zu: %s: %s", i, rows[i].rule, why ? why : "taken");
        free(why);
        close_fixture(&f);
    }
}

static void a_rule_of_any_length(void **state)
{
    struct sbuf rule = {0};
    struct fixture f;
    char *why = NULL;

    (void)state;
    sbuf_add(&rule, "FREQ=YEARLY;BYYEARDAY=1");
    for (int i = 2; i < 300; i++)
        sbuf_addf(&rule, ",%d", i);
    assert_int_equal(open_fixture(&f, rule.s, "2026-01-01 09:00", "plain", CN, STAY, SCHEDULE_FROM_DUE, &why),
                     PD_EINVAL);
    assert_string_equal(why, "a recurrence rule has at most 500 characters");
    free(why);
    close_fixture(&f);
    sbuf_free(&rule);
}

static void a_calendar_without_workdays(void **state)
{
    struct fixture f;
    char *why = NULL;

    (void)state;
    assert_int_equal(open_fixture(&f, "FREQ=DAILY", "2026-01-01 09:00", "never", CN, FORWARD, SCHEDULE_FROM_DUE, &why),
                     PD_EINVAL);
    assert_string_equal(why, "'FREQ=DAILY' has no workday to shift to");
    free(why);
    close_fixture(&f);
}

static int release(void **state)
{
    (void)state;
    hours_release();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_golden_table),
        cmocka_unit_test(pieces_make_the_whole),
        cmocka_unit_test(random_rules_agree_with_the_naive_model),
        cmocka_unit_test(the_rule_s_own_day_is_kept),
        cmocka_unit_test(after_the_end_comes_nothing),
        cmocka_unit_test(after_it_was_done),
        cmocka_unit_test(only_the_first_is_known_before),
        cmocka_unit_test(refused_rules),
        cmocka_unit_test(a_rule_of_any_length),
        cmocka_unit_test(a_calendar_without_workdays),
    };

    return cmocka_run_group_tests_name("schedule", tests, NULL, release);
}
