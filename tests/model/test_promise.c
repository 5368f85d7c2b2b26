#include "model/promise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "tests/model/hours.h"

enum { MINUTE_MS = 60000, MAX_STEPS = 12 };

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- Contracts ---- */

static void names_come_back(void **state)
{
    enum promise p = PROMISE_COUNT;
    enum priority q = PRIORITY_COUNT;

    (void)state;
    for (int i = 0; i < PROMISE_COUNT; i++) {
        assert_int_equal(promise_parse(promise_name((enum promise)i), &p), 0);
        assert_int_equal(p, i);
    }
    for (int i = 0; i < PRIORITY_COUNT; i++) {
        assert_int_equal(priority_parse(priority_name((enum priority)i), &q), 0);
        assert_int_equal(q, i);
    }
    assert_int_equal(promise_parse("onsite", &p), PD_EINVAL);
    assert_int_equal(priority_parse("P5", &q), PD_EINVAL);
    assert_string_equal(promise_name((enum promise)99), "?");
    assert_string_equal(priority_name((enum priority)99), "?");
    assert_string_equal(clock_state_name(CLOCK_NOT_STARTED), "not-started");
    assert_string_equal(clock_state_name(CLOCK_VOID), "void");
}

static void complaints_have_their_own_promises(void **state)
{
    (void)state;
    for (int kind = 0; kind < TICKET_KIND_COUNT; kind++)
        for (int p = 0; p < PROMISE_COUNT; p++)
            assert_int_equal(promise_applies((enum promise)p, (enum ticket_kind)kind),
                             (p == PROMISE_COMPLAINT_REPLY || p == PROMISE_COMPLAINT_RESULT) ==
                                 (kind == TICKET_KIND_COMPLAINT));
}

static void priorities_follow_severity(void **state)
{
    static const struct {
        enum severity severity;
        enum priority priority;
    } rows[] = {{SEVERITY_CRITICAL, PRIORITY_P1},
                {SEVERITY_MAJOR, PRIORITY_P2},
                {SEVERITY_WARNING, PRIORITY_P3},
                {SEVERITY_INFO, PRIORITY_P4}};
    struct calendar *always = hours_calendar("always", "UTC");
    struct service_clock k;
    struct contract c;

    (void)state;
    contract_init(&c, "gold");
    assert_string_equal(c.name, "gold");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct goal *goal = &c.goals[rows[i].priority][PROMISE_FIX];

        assert_false(contract_clock(&c, PROMISE_FIX, rows[i].severity, &k)); /* nothing promised yet */
        *goal = (struct goal){.work_ms = 1000 + (int64_t)i, .calendar = always};
        assert_true(contract_clock(&c, PROMISE_FIX, rows[i].severity, &k));
        assert_int_equal(k.goal.work_ms, 1000 + i);
        assert_false(contract_clock(&c, PROMISE_LOANER, rows[i].severity, &k));
    }
    c.priorities[SEVERITY_INFO] = PRIORITY_P1; /* a contract may see it otherwise */
    assert_true(contract_clock(&c, PROMISE_FIX, SEVERITY_INFO, &k));
    assert_int_equal(k.goal.work_ms, 1000);
    contract_fini(&c);
    calendar_free(always);
}

/* ---- The golden table ---- */

struct golden {
    const char *calendar, *zone;
    enum promise promise;
    const char *goal;
    const char *history; /* "STATE[+loaner] AT, …" */
    const char *now;
    enum clock_state state;
    const char *elapsed, *deadline, *at_75;
};

#define CN "Asia/Shanghai"
#define DE "Europe/Berlin"
#define US "America/New_York"

static const struct golden golden[] = {
    /* -- the plain course of things; a fix within the day -- */
    {"always", CN, PROMISE_RESPOND, "30m", "", "2026-07-01 09:00", CLOCK_NOT_STARTED, "0", "never", "never"},
    {"always", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 09:00", "2026-07-01 08:59", CLOCK_NOT_STARTED, "0", "never",
     "never"},
    {"always", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 09:00", "2026-07-01 09:00", CLOCK_RUNNING, "0",
     "2026-07-01 09:30", "2026-07-01 09:22:30"},
    {"always", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 09:00", "2026-07-01 09:29", CLOCK_RUNNING, "29m",
     "2026-07-01 09:30", "2026-07-01 09:22:30"},
    {"always", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 09:00, accepted 2026-07-01 09:10", "2026-07-01 12:00",
     CLOCK_MET, "10m", "2026-07-01 09:30", "never"},
    {"always", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 09:00, accepted 2026-07-01 09:25", "2026-07-01 12:00",
     CLOCK_MET, "25m", "2026-07-01 09:30", "2026-07-01 09:22:30"},
    {"always", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 09:00, accepted 2026-07-01 09:45", "2026-07-01 12:00",
     CLOCK_MISSED, "45m", "2026-07-01 09:30", "2026-07-01 09:22:30"},
    {"always", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 09:00", "2026-07-01 12:00", CLOCK_MISSED, "3h",
     "2026-07-01 09:30", "2026-07-01 09:22:30"},
    {"always", CN, PROMISE_DISPATCH, "2h", "new 2026-07-01 09:00, accepted 2026-07-01 09:10", "2026-07-01 10:00",
     CLOCK_RUNNING, "1h", "2026-07-01 11:00", "2026-07-01 10:30"},
    {"always", CN, PROMISE_DISPATCH, "2h",
     "new 2026-07-01 09:00, accepted 2026-07-01 09:10, dispatched 2026-07-01 10:00", "2026-07-02 10:00", CLOCK_MET,
     "1h", "2026-07-01 11:00", "never"},
    {"always", CN, PROMISE_ON_SITE, "4h",
     "new 2026-07-01 09:00, dispatched 2026-07-01 10:00, en-route 2026-07-01 11:00, on-site 2026-07-01 12:00",
     "2026-07-01 18:00", CLOCK_MET, "3h", "2026-07-01 13:00", "2026-07-01 12:00"},
    {"always", CN, PROMISE_ON_SITE, "4h",
     "new 2026-07-01 09:00, accepted 2026-07-01 10:00, remote-fixed 2026-07-01 11:00", "2026-07-01 18:00", CLOCK_MET,
     "2h", "2026-07-01 13:00", "never"}, /* nobody need come */
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, on-site 2026-07-01 12:00, fixed 2026-07-01 13:00",
     "2026-07-01 18:00", CLOCK_MET, "4h", "2026-07-01 17:00", "never"},
    {"always", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 09:00, fixed 2026-07-01 13:00, signed 2026-07-01 14:00, called-back 2026-07-02 09:00, closed "
     "2026-07-02 09:01",
     "2026-07-09 18:00", CLOCK_MET, "4h", "2026-07-01 17:00", "never"}, /* stopped by the fix, not by the papers */
    {"always", CN, PROMISE_COMPLAINT_REPLY, "24h", "new 2026-07-01 09:00, accepted 2026-07-02 08:00",
     "2026-07-03 18:00", CLOCK_MET, "23h", "2026-07-02 09:00", "2026-07-02 03:00"},
    {"office", CN, PROMISE_COMPLAINT_RESULT, "24h", "new 2026-07-01 09:00, accepted 2026-07-01 10:00",
     "2026-07-02 18:00", CLOCK_RUNNING, "15h30m", "2026-07-06 09:00", "2026-07-03 11:00"}, /* three working days */

    /* -- exactly at the boundary -- */
    {"always", CN, PROMISE_FIX, "4h", "new 2026-07-01 09:00", "2026-07-01 13:00", CLOCK_RUNNING, "4h",
     "2026-07-01 13:00", "2026-07-01 12:00"},
    {"always", CN, PROMISE_FIX, "4h", "new 2026-07-01 09:00", "2026-07-01 13:00:01", CLOCK_MISSED, "4h1s",
     "2026-07-01 13:00", "2026-07-01 12:00"},
    {"always", CN, PROMISE_FIX, "4h", "new 2026-07-01 09:00, fixed 2026-07-01 13:00", "2026-07-01 14:00", CLOCK_MET,
     "4h", "2026-07-01 13:00", "2026-07-01 12:00"},
    {"always", CN, PROMISE_FIX, "4h", "new 2026-07-01 09:00, fixed 2026-07-01 13:00:01", "2026-07-01 14:00",
     CLOCK_MISSED, "4h1s", "2026-07-01 13:00", "2026-07-01 12:00"},
    {"plain", CN, PROMISE_FIX, "8h", "new 2026-07-01 08:30, fixed 2026-07-01 18:00", "2026-07-02 14:00", CLOCK_MET,
     "8h", "2026-07-01 18:00", "2026-07-01 16:00"},
    {"plain", CN, PROMISE_FIX, "8h", "new 2026-07-01 08:30, fixed 2026-07-01 18:30", "2026-07-02 14:00", CLOCK_MISSED,
     "8h", "2026-07-01 18:00", "2026-07-01 16:00"}, /* after hours is after the deadline */
    {"plain", CN, PROMISE_FIX, "8h4s", "new 2026-07-01 08:30, fixed 2026-07-02 08:30", "2026-07-02 14:00", CLOCK_MET,
     "8h", "2026-07-02 08:30:04", "2026-07-01 16:00:03"},

    /* -- zero goals -- */
    {"always", CN, PROMISE_RESPOND, "0", "new 2026-07-01 09:00, accepted 2026-07-01 09:00", "2026-07-01 10:00",
     CLOCK_MET, "0", "2026-07-01 09:00", "2026-07-01 09:00"},
    {"always", CN, PROMISE_RESPOND, "0", "new 2026-07-01 09:00, accepted 2026-07-01 09:00:01", "2026-07-01 10:00",
     CLOCK_MISSED, "1s", "2026-07-01 09:00", "2026-07-01 09:00"},
    {"plain", CN, PROMISE_RESPOND, "0", "new 2026-07-01 20:00", "2026-07-01 20:00", CLOCK_RUNNING, "0",
     "2026-07-01 20:00", "2026-07-01 20:00"},
    {"always", CN, PROMISE_RESPOND, "0", "accepted 2026-07-01 09:00", "2026-07-01 10:00", CLOCK_MET, "0",
     "2026-07-01 09:00", "never"}, /* opened by the one who took it on: it never ran */

    /* -- lunch -- */
    {"plain", CN, PROMISE_FIX, "2h", "new 2026-07-01 11:00", "2026-07-01 12:30", CLOCK_RUNNING, "1h",
     "2026-07-01 14:30", "2026-07-01 14:00"},
    {"plain", CN, PROMISE_FIX, "1h", "new 2026-07-01 11:00", "2026-07-01 11:30", CLOCK_RUNNING, "30m",
     "2026-07-01 12:00", "2026-07-01 11:45"},
    {"plain", CN, PROMISE_FIX, "2h", "new 2026-07-01 12:15, fixed 2026-07-01 14:00", "2026-07-01 18:30", CLOCK_MET,
     "30m", "2026-07-01 15:30", "never"},
    {"plain", CN, PROMISE_FIX, "4h", "new 2026-07-01 08:30", "2026-07-01 12:45", CLOCK_RUNNING, "3h30m",
     "2026-07-01 14:00", "2026-07-01 11:30"},

    /* -- started outside hours -- */
    {"plain", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 20:00", "2026-07-01 23:00", CLOCK_RUNNING, "0",
     "2026-07-02 09:00", "2026-07-02 08:52:30"},
    {"plain", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 06:00, accepted 2026-07-01 07:00", "2026-07-01 23:00",
     CLOCK_MET, "0", "2026-07-01 09:00", "never"},
    {"plain", CN, PROMISE_ON_SITE, "4h", "new 2026-07-03 19:00", "2026-07-05 12:00", CLOCK_RUNNING, "0",
     "2026-07-06 14:00", "2026-07-06 11:30"},

    /* -- weekends -- */
    {"plain", CN, PROMISE_FIX, "8h", "new 2026-07-03 16:00", "2026-07-05 12:00", CLOCK_RUNNING, "2h",
     "2026-07-06 16:00", "2026-07-06 14:00"},
    {"plain", CN, PROMISE_FIX, "8h", "new 2026-07-04 10:00, fixed 2026-07-05 12:00", "2026-07-07 12:00", CLOCK_MET, "0",
     "2026-07-06 18:00", "never"},
    {"always", CN, PROMISE_FIX, "48h", "new 2026-07-03 16:00", "2026-07-05 12:00", CLOCK_RUNNING, "44h",
     "2026-07-05 16:00", "2026-07-05 04:00"},

    /* -- holidays: Spring Festival, Labour Day, Golden Week -- */
    {"office", CN, PROMISE_FIX, "8h", "new 2026-02-14 14:00", "2026-02-20 12:00", CLOCK_RUNNING, "4h",
     "2026-02-24 14:00", "2026-02-24 10:30"},
    {"office", CN, PROMISE_FIX, "8h", "new 2026-04-30 17:00", "2026-05-06 09:30", CLOCK_RUNNING, "2h",
     "2026-05-06 17:00", "2026-05-06 15:00"},
    {"office", CN, PROMISE_RESPOND, "1h", "new 2026-10-03 10:00", "2026-10-07 23:59", CLOCK_RUNNING, "0",
     "2026-10-08 09:30", "2026-10-08 09:15"},
    {"always", CN, PROMISE_RESPOND, "1h", "new 2026-10-03 10:00", "2026-10-07 23:59", CLOCK_MISSED, "109h59m",
     "2026-10-03 11:00", "2026-10-03 10:45"},
    {"office", CN, PROMISE_FIX, "16h", "new 2026-09-30 16:00, fixed 2026-10-09 16:30", "2026-10-31 12:00", CLOCK_MISSED,
     "16h30m", "2026-10-09 16:00", "2026-10-09 10:30"},

    /* -- make-up workdays -- */
    {"office", CN, PROMISE_FIX, "8h", "new 2026-02-13 17:00", "2026-02-14 12:00", CLOCK_RUNNING, "4h30m",
     "2026-02-14 17:00", "2026-02-14 15:00"}, /* a Saturday worked */
    {"office", CN, PROMISE_FIX, "8h", "new 2026-10-09 17:00", "2026-10-10 18:30", CLOCK_MISSED, "9h",
     "2026-10-10 17:00", "2026-10-10 15:00"},
    {"plain", CN, PROMISE_FIX, "8h", "new 2026-10-09 17:00", "2026-10-10 18:30", CLOCK_RUNNING, "1h",
     "2026-10-12 17:00", "2026-10-12 15:00"}, /* elsewhere it is a Saturday like any */
    {"office", CN, PROMISE_RESPOND, "30m", "new 2026-09-20 08:00, accepted 2026-09-20 08:50", "2026-09-21 08:00",
     CLOCK_MET, "20m", "2026-09-20 09:00", "never"}, /* a Sunday worked */

    /* -- pauses -- */
    {"always", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 09:00, on-site 2026-07-01 10:00, waiting-customer 2026-07-01 11:00", "2026-07-01 12:00",
     CLOCK_PAUSED, "2h", "2026-07-01 18:00", "never"},
    {"always", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 09:00, on-site 2026-07-01 10:00, waiting-customer 2026-07-01 11:00", "2026-07-03 12:00",
     CLOCK_PAUSED, "2h", "2026-07-03 18:00", "never"},
    {"always", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 09:00, waiting-customer 2026-07-01 11:00, on-site 2026-07-02 11:00", "2026-07-02 12:00",
     CLOCK_RUNNING, "3h", "2026-07-02 17:00", "2026-07-02 15:00"},
    {"always", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 09:00, waiting-customer 2026-07-01 11:00, on-site 2026-07-02 11:00, waiting-customer 2026-07-02 "
     "16:00, on-site 2026-07-03 16:00, fixed 2026-07-03 17:00",
     "2026-07-09 12:00", CLOCK_MET, "8h", "2026-07-03 17:00", "2026-07-02 15:00"},
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, on-site 2026-07-01 10:00, waiting-part 2026-07-01 11:00",
     "2026-07-01 16:00", CLOCK_RUNNING, "7h", "2026-07-01 17:00", "2026-07-01 15:00"}, /* a part is our affair */
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, waiting-vendor 2026-07-01 11:00", "2026-07-01 18:00",
     CLOCK_MISSED, "9h", "2026-07-01 17:00", "2026-07-01 15:00"},
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, waiting-customer 2026-07-01 18:00", "2026-07-05 18:00",
     CLOCK_MISSED, "9h", "2026-07-01 17:00", "2026-07-01 15:00"}, /* asked too late */
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, waiting-customer 2026-07-01 17:00", "2026-07-05 18:00",
     CLOCK_PAUSED, "8h", "2026-07-05 18:00", "2026-07-01 15:00"}, /* paused at the very deadline: no time is left */
    {"always", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 09:00, waiting-customer 2026-07-01 11:00, remote-fixed 2026-07-02 11:00", "2026-07-09 12:00",
     CLOCK_MET, "2h", "2026-07-02 17:00", "never"},
    {"plain", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 16:00, waiting-customer 2026-07-01 20:00, on-site 2026-07-02 06:00", "2026-07-02 07:00",
     CLOCK_RUNNING, "2h", "2026-07-02 16:00", "2026-07-02 14:00"}, /* nothing lost over night */
    {"plain", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 16:00, waiting-customer 2026-07-01 17:00, on-site 2026-07-02 09:30", "2026-07-02 09:30",
     CLOCK_RUNNING, "1h", "2026-07-02 18:00", "2026-07-02 16:00"},
    {"always", CN, PROMISE_FIX, "8h", "waiting-customer 2026-07-01 09:00, on-site 2026-07-01 12:00", "2026-07-01 13:00",
     CLOCK_RUNNING, "1h", "2026-07-01 20:00", "2026-07-01 18:00"},

    /* -- a loaner stops its own clock, not that of the fix -- */
    {"always", CN, PROMISE_LOANER, "8h", "new 2026-07-01 09:00, waiting-part+loaner 2026-07-01 14:00",
     "2026-07-02 12:00", CLOCK_MET, "5h", "2026-07-01 17:00", "never"},
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, waiting-part+loaner 2026-07-01 14:00", "2026-07-02 12:00",
     CLOCK_MISSED, "27h", "2026-07-01 17:00", "2026-07-01 15:00"},
    {"always", CN, PROMISE_LOANER, "8h", "new 2026-07-01 09:00, waiting-part 2026-07-01 14:00", "2026-07-01 16:00",
     CLOCK_RUNNING, "7h", "2026-07-01 17:00", "2026-07-01 15:00"},
    {"always", CN, PROMISE_LOANER, "8h", "new 2026-07-01 09:00, fixed 2026-07-01 14:00", "2026-07-01 20:00", CLOCK_MET,
     "5h", "2026-07-01 17:00", "never"}, /* none is needed any more */
    {"always", CN, PROMISE_LOANER, "8h",
     "new 2026-07-01 09:00, waiting-part+loaner 2026-07-01 14:00, fixed 2026-07-02 14:00, accepted 2026-07-02 15:00",
     "2026-07-09 12:00", CLOCK_MET, "5h", "2026-07-01 17:00", "never"},

    /* -- reopened -- */
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, fixed 2026-07-01 14:00, accepted 2026-07-02 09:00",
     "2026-07-02 10:00", CLOCK_RUNNING, "6h", "2026-07-02 12:00", "2026-07-02 10:00"},
    {"always", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 09:00, fixed 2026-07-01 14:00, accepted 2026-07-02 09:00, fixed 2026-07-02 11:00",
     "2026-07-09 10:00", CLOCK_MET, "7h", "2026-07-02 12:00", "2026-07-02 10:00"},
    {"always", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 09:00, fixed 2026-07-01 14:00, accepted 2026-07-02 09:00, fixed 2026-07-02 13:00",
     "2026-07-09 10:00", CLOCK_MISSED, "9h", "2026-07-02 12:00", "2026-07-02 10:00"},
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, fixed 2026-07-01 18:00, accepted 2026-07-02 09:00",
     "2026-07-02 10:00", CLOCK_MISSED, "10h", "2026-07-01 17:00", "2026-07-01 15:00"}, /* broken stays broken */
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, fixed 2026-07-01 17:00, accepted 2026-07-02 09:00",
     "2026-07-02 09:00", CLOCK_RUNNING, "8h", "2026-07-02 09:00", "2026-07-01 15:00"}, /* no time is left */
    {"always", CN, PROMISE_RESPOND, "30m",
     "new 2026-07-01 09:00, accepted 2026-07-01 09:10, closed 2026-07-01 12:00, accepted 2026-07-20 09:00",
     "2026-07-21 10:00", CLOCK_MET, "10m", "2026-07-01 09:30", "never"},
    {"always", CN, PROMISE_DISPATCH, "2h",
     "new 2026-07-01 09:00, dispatched 2026-07-01 10:00, fixed 2026-07-01 12:00, accepted 2026-07-02 09:00",
     "2026-07-08 10:00", CLOCK_MET, "1h", "2026-07-01 11:00", "never"}, /* once and for all */
    {"always", CN, PROMISE_ON_SITE, "4h",
     "new 2026-07-01 09:00, on-site 2026-07-01 14:00, waiting-part 2026-07-01 15:00, dispatched 2026-07-03 09:00",
     "2026-07-08 10:00", CLOCK_MISSED, "5h", "2026-07-01 13:00", "2026-07-01 12:00"},
    {"office", CN, PROMISE_FIX, "8h", "new 2026-09-30 14:00, closed 2026-09-30 17:00, accepted 2026-10-05 12:00",
     "2026-10-07 10:00", CLOCK_RUNNING, "3h", "2026-10-08 15:00", "2026-10-08 11:30"}, /* in Golden Week */

    /* -- cancelled -- */
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, cancelled 2026-07-01 10:00", "2026-07-09 10:00",
     CLOCK_VOID, "1h", "2026-07-09 17:00", "never"},
    {"always", CN, PROMISE_RESPOND, "30m", "new 2026-07-01 09:00, cancelled 2026-07-01 10:00", "2026-07-09 10:00",
     CLOCK_MISSED, "1h", "2026-07-01 09:30", "2026-07-01 09:22:30"}, /* broken before */
    {"always", CN, PROMISE_FIX, "8h", "new 2026-07-01 09:00, cancelled 2026-07-01 10:00, accepted 2026-07-03 10:00",
     "2026-07-03 12:00", CLOCK_RUNNING, "3h", "2026-07-03 17:00", "2026-07-03 15:00"},
    {"always", CN, PROMISE_FIX, "8h", "cancelled 2026-07-01 09:00", "2026-07-03 12:00", CLOCK_NOT_STARTED, "0", "never",
     "never"},

    /* -- ends of months and years, 29 February -- */
    {"plain", CN, PROMISE_FIX, "8h", "new 2024-02-28 16:00", "2024-02-29 09:30", CLOCK_RUNNING, "3h",
     "2024-02-29 16:00", "2024-02-29 14:00"},
    {"plain", CN, PROMISE_FIX, "8h", "new 2023-02-28 16:00", "2023-03-01 09:30", CLOCK_RUNNING, "3h",
     "2023-03-01 16:00", "2023-03-01 14:00"},
    {"always", CN, PROMISE_FIX, "24h", "new 2024-02-28 16:00", "2024-02-29 09:00", CLOCK_RUNNING, "17h",
     "2024-02-29 16:00", "2024-02-29 10:00"},
    {"always", CN, PROMISE_FIX, "24h", "new 2026-12-31 22:00", "2027-01-01 09:00", CLOCK_RUNNING, "11h",
     "2027-01-01 22:00", "2027-01-01 16:00"},
    {"office", CN, PROMISE_FIX, "8h", "new 2025-12-31 16:00", "2026-01-03 09:00", CLOCK_RUNNING, "2h",
     "2026-01-04 16:00", "2026-01-04 14:00"}, /* New Year, and the Sunday worked for it */
    {"plain", CN, PROMISE_FIX, "8h", "new 2026-04-30 16:00", "2026-05-01 09:30", CLOCK_RUNNING, "3h",
     "2026-05-01 16:00", "2026-05-01 14:00"},

    /* -- clocks go forward -- */
    {"always", DE, PROMISE_FIX, "24h", "new 2026-03-28 18:00", "2026-03-29 12:00", CLOCK_RUNNING, "17h",
     "2026-03-29 19:00", "2026-03-29 13:00"},
    {"always", DE, PROMISE_RESPOND, "30m", "new 2026-03-29 01:45", "2026-03-29 03:10", CLOCK_RUNNING, "25m",
     "2026-03-29 03:15", "2026-03-29 03:07:30"},
    {"always", US, PROMISE_FIX, "4h", "new 2026-03-08 00:00, fixed 2026-03-08 05:00", "2026-03-09 00:00", CLOCK_MET,
     "4h", "2026-03-08 05:00", "2026-03-08 04:00"},
    {"plain", DE, PROMISE_FIX, "8h", "new 2026-03-27 16:00", "2026-03-30 09:30", CLOCK_RUNNING, "3h",
     "2026-03-30 16:00", "2026-03-30 14:00"},
    {"always", DE, PROMISE_FIX, "8h",
     "new 2026-03-28 22:00, waiting-customer 2026-03-29 01:00, on-site 2026-03-29 04:00", "2026-03-29 04:00",
     CLOCK_RUNNING, "3h", "2026-03-29 09:00", "2026-03-29 07:00"},

    /* -- clocks go back -- */
    {"always", DE, PROMISE_FIX, "24h", "new 2026-10-24 18:00", "2026-10-25 12:00", CLOCK_RUNNING, "19h",
     "2026-10-25 17:00", "2026-10-25 11:00"},
    {"always", DE, PROMISE_RESPOND, "1h", "new 2026-10-25 02:30", "2026-10-25 01:15Z", CLOCK_RUNNING, "45m",
     "2026-10-25 01:30Z", "2026-10-25 01:15Z"},
    {"always", US, PROMISE_FIX, "4h", "new 2026-11-01 00:00, fixed 2026-11-01 03:01", "2026-11-09 00:00", CLOCK_MISSED,
     "4h1m", "2026-11-01 03:00", "2026-11-01 02:00"},
    {"plain", US, PROMISE_FIX, "8h", "new 2026-10-30 16:00", "2026-11-02 09:30", CLOCK_RUNNING, "3h",
     "2026-11-02 16:00", "2026-11-02 14:00"},
    {"night", DE, PROMISE_ON_SITE, "6h", "new 2026-10-23 20:00", "2026-10-26 22:30", CLOCK_MISSED, "8h30m",
     "2026-10-24 04:00", "2026-10-24 02:30"},

    /* -- the machine's clock was set back between two steps -- */
    {"always", CN, PROMISE_FIX, "8h",
     "new 2026-07-01 09:00, waiting-customer 2026-07-01 08:00, on-site 2026-07-01 10:00", "2026-07-01 12:00",
     CLOCK_RUNNING, "2h", "2026-07-01 18:00", "2026-07-01 16:00"},
};

static size_t read_history(const struct zone *z, const char *text, struct ticket_step steps[static MAX_STEPS])
{
    size_t n = 0;

    while (*text) {
        char word[32];
        int used;

        assert_true(n < MAX_STEPS);
        assert_int_equal(sscanf(text, "%31[a-z+-] %n", word, &used), 1);
        steps[n].loaner = strchr(word, '+') != NULL;
        word[strcspn(word, "+")] = '\0';
        assert_int_equal(ticket_state_parse(word, &steps[n].state), 0);
        steps[n++].at_ms = hours_at(z, text + used);
        text += strcspn(text, ",");
        text += strspn(text, ", ");
    }
    return n;
}

static struct service_clock clock_of(enum promise p, const struct calendar *c, int64_t work_ms)
{
    struct service_clock k;
    struct contract contract;

    contract_init(&contract, "c");
    contract.goals[PRIORITY_P2][p] = (struct goal){.work_ms = work_ms, .calendar = c};
    assert_true(contract_clock(&contract, p, SEVERITY_MAJOR, &k));
    contract_fini(&contract);
    return k;
}

static int64_t instant(const struct zone *z, const char *text)
{
    return str_eq(text, "never") ? CLOCK_NEVER : hours_at(z, text);
}

/* True if all is as the row says; else says what is not. */
static bool check_golden(size_t row, const struct golden *g)
{
    struct calendar *c = hours_calendar(g->calendar, g->zone);
    struct service_clock k = clock_of(g->promise, c, hours_span(g->goal));
    struct ticket_step steps[MAX_STEPS] = {0};
    size_t n = read_history(c->zone, g->history, steps);
    int64_t deadline = instant(c->zone, g->deadline);
    bool told = g->state == CLOCK_RUNNING || g->state == CLOCK_MISSED; /* when it is or was over */
    struct clock_reading r;
    char a[32], b[32], d[32];
    bool ok;

    assert_int_equal(clock_read(&k, steps, n, hours_at(c->zone, g->now), &r), 0);
    ok = r.state == g->state && r.elapsed_ms == hours_span(g->elapsed) && r.deadline_ms == deadline &&
         r.at_75_ms == instant(c->zone, g->at_75) && r.at_100_ms == (told ? deadline : CLOCK_NEVER);
    if (!ok)
        print_error("row %zu: %s %s '%s' at %s: %s, elapsed %lld min, deadline %s, 75 %% %s, 100 %% %s\n", row,
                    promise_name(g->promise), g->goal, g->history, g->now, clock_state_name(r.state),
                    (long long)r.elapsed_ms / MINUTE_MS, hours_show(c->zone, r.deadline_ms, a),
                    hours_show(c->zone, r.at_75_ms, b), hours_show(c->zone, r.at_100_ms, d));
    calendar_free(c);
    return ok;
}

static void the_golden_table(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(golden); i++)
        wrong += !check_golden(i, &golden[i]);
    assert_int_equal(wrong, 0);
}

/* ---- Single things ---- */

static void when_it_started_and_stopped(void **state)
{
    static const struct {
        const char *history, *started, *stopped;
    } rows[] = {
        {"new 2026-07-01 09:00", "2026-07-01 09:00", "never"},
        {"new 2026-07-01 09:00, fixed 2026-07-01 10:00, closed 2026-07-01 11:00", "2026-07-01 09:00",
         "2026-07-01 10:00"},
        {"new 2026-07-01 09:00, fixed 2026-07-01 10:00, accepted 2026-07-01 11:00", "2026-07-01 09:00", "never"},
        {"new 2026-07-01 09:00, fixed 2026-07-01 10:00, accepted 2026-07-01 11:00, signed 2026-07-01 12:00",
         "2026-07-01 09:00", "2026-07-01 12:00"},
        {"new 2026-07-01 09:00, waiting-customer 2026-07-01 10:00", "2026-07-01 09:00", "never"},
        {"new 2026-07-01 09:00, cancelled 2026-07-01 10:00", "2026-07-01 09:00", "2026-07-01 10:00"},
        {"cancelled 2026-07-01 09:00, accepted 2026-07-01 10:00", "2026-07-01 10:00", "never"},
    };
    struct calendar *c = hours_calendar("always", CN);
    struct service_clock k = clock_of(PROMISE_FIX, c, hours_span("30d"));

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ticket_step steps[MAX_STEPS] = {0};
        size_t n = read_history(c->zone, rows[i].history, steps);
        struct clock_reading r;

        assert_int_equal(clock_read(&k, steps, n, hours_at(c->zone, "2026-07-02 09:00"), &r), 0);
        if (r.started_ms != instant(c->zone, rows[i].started) || r.stopped_ms != instant(c->zone, rows[i].stopped))
            fail_msg("row %zu", i);
    }
    calendar_free(c);
}

/* Some contracts let waiting for parts pause too. */
static void pauses_are_the_contracts(void **state)
{
    struct calendar *always = hours_calendar("always", "UTC");
    struct ticket_step steps[] = {{0, TICKET_NEW, false}, {1000, TICKET_WAITING_PART, false}};
    struct clock_reading r;
    struct service_clock k;
    struct contract c;

    (void)state;
    contract_init(&c, "c");
    c.pauses |= TICKET_STATE_BIT(TICKET_WAITING_PART);
    c.goals[PRIORITY_P1][PROMISE_FIX] = (struct goal){.work_ms = 60000, .calendar = always};
    assert_true(contract_clock(&c, PROMISE_FIX, SEVERITY_CRITICAL, &k));
    assert_int_equal(clock_read(&k, steps, 2, 5000, &r), 0);
    assert_int_equal(r.state, CLOCK_PAUSED);
    assert_int_equal(r.elapsed_ms, 1000);
    contract_fini(&c);
    calendar_free(always);
}

static void a_calendar_without_hours_is_an_error(void **state)
{
    struct calendar *never = hours_calendar("never", "UTC");
    struct ticket_step step = {0, TICKET_NEW, false};
    struct service_clock k = clock_of(PROMISE_FIX, never, 1000);
    struct clock_reading r;

    (void)state;
    assert_int_equal(clock_read(&k, &step, 1, 5000, &r), PD_ERANGE);
    k.goal.work_ms = 0;
    assert_int_equal(clock_read(&k, &step, 1, 0, &r), 0);
    calendar_free(never);
}

/* ---- Against the naive model ---- */

/*
 * Lives through a history minute by minute. It knows nothing of stretches: each
 * minute either counts or does not.
 */
struct life {
    const struct service_clock *k;
    struct naive calendar;
    bool started, latched;
    enum clock_state does;
    int64_t worked;            /* minutes */
    int64_t at_75_ms, over_ms; /* over: it ran on with nothing left */
    int64_t stopped_ms, due_ms /* when stopped: when it would have been over */;
};

static int64_t goal_minutes(const struct service_clock *k)
{
    return k->goal.work_ms / MINUTE_MS;
}

/* Where the time left would end, walking on from here. */
static int64_t walk_on(const struct life *l, int64_t minutes)
{
    struct naive n = l->calendar;

    for (int64_t worked = l->worked; worked < minutes; naive_step(&n))
        worked += naive_open(&n);
    return n.at_ms;
}

static void life_step(struct life *l, const struct ticket_step *s)
{
    ticket_states in = TICKET_STATE_BIT(s->state);
    bool was_stopped = l->does == CLOCK_MET;

    if (l->latched || (!l->started && !(l->k->start & in)))
        return;
    l->started = true;
    if ((l->k->stop & in) || (l->k->loaner && s->loaner)) {
        l->does = CLOCK_MET;
        l->latched = l->k->once || (l->k->loaner && s->loaner);
        if (!was_stopped) {
            l->stopped_ms = l->calendar.at_ms;
            l->due_ms = walk_on(l, goal_minutes(l->k));
        }
        return;
    }
    l->stopped_ms = CLOCK_NEVER;
    l->does = s->state == TICKET_CANCELLED ? CLOCK_VOID : (l->k->pause & in) ? CLOCK_PAUSED : CLOCK_RUNNING;
    if (l->does == CLOCK_VOID)
        l->stopped_ms = l->calendar.at_ms;
}

static void life_minute(struct life *l)
{
    bool counts = l->does == CLOCK_RUNNING && naive_open(&l->calendar);

    if (l->does == CLOCK_RUNNING && l->worked >= goal_minutes(l->k) && l->over_ms == CLOCK_NEVER)
        l->over_ms = l->calendar.at_ms;
    naive_step(&l->calendar);
    l->worked += counts;
    if (l->does == CLOCK_RUNNING && 4 * l->worked >= 3 * goal_minutes(l->k) && l->at_75_ms == CLOCK_NEVER)
        l->at_75_ms = l->calendar.at_ms;
}

static struct life live(const struct service_clock *k, const struct ticket_step *steps, size_t n, int64_t now_ms)
{
    struct life l = {.k = k,
                     .calendar = naive_begin(k->goal.calendar, steps[0].at_ms),
                     .at_75_ms = CLOCK_NEVER,
                     .over_ms = CLOCK_NEVER,
                     .stopped_ms = CLOCK_NEVER,
                     .due_ms = CLOCK_NEVER};
    size_t next = 0;

    for (;;) {
        while (next < n && steps[next].at_ms <= l.calendar.at_ms)
            life_step(&l, &steps[next++]);
        if (l.calendar.at_ms >= now_ms)
            return l;
        life_minute(&l);
    }
}

static struct clock_reading expected(const struct life *l, int64_t now_ms, int64_t started_ms)
{
    const struct service_clock *k = l->k;
    struct clock_reading r = {.state = l->does,
                              .started_ms = started_ms,
                              .stopped_ms = l->stopped_ms,
                              .elapsed_ms = l->worked * MINUTE_MS,
                              .at_75_ms = l->at_75_ms,
                              .at_100_ms = l->over_ms};

    if (l->over_ms != CLOCK_NEVER && l->over_ms < now_ms) {
        r.state = CLOCK_MISSED;
        r.deadline_ms = l->over_ms;
        return r;
    }
    r.deadline_ms = l->does == CLOCK_MET ? l->due_ms : walk_on(l, goal_minutes(k));
    if (l->does == CLOCK_RUNNING) {
        r.at_100_ms = r.deadline_ms;
        if (r.at_75_ms == CLOCK_NEVER)
            r.at_75_ms = walk_on(l, (3 * goal_minutes(k) + 3) / 4);
    }
    return r;
}

static void random_history(const struct pd_rng *rng, int64_t at_ms, struct ticket_step *steps, size_t n)
{
    steps[0] = (struct ticket_step){.at_ms = at_ms, .state = TICKET_NEW};
    for (size_t i = 1; i < n; i++) {
        int64_t wait = (int64_t)rng_below(rng, rng_below(rng, 3) ? 300 : 2000) * MINUTE_MS;

        steps[i] = (struct ticket_step){.at_ms = steps[i - 1].at_ms + (rng_below(rng, 8) ? wait : 0),
                                        .state = (enum ticket_state)rng_below(rng, TICKET_STATE_COUNT),
                                        .loaner = rng_below(rng, steps[i - 1].loaner ? 4 : 12) == 0};
    }
}

/* Any; or what brings one of the steps to the very instant at which all or three quarters of it have passed. */
static int64_t random_goal(const struct pd_rng *rng, const struct calendar *c, const struct ticket_step *steps,
                           size_t n)
{
    int64_t work = 0;

    if (rng_below(rng, 2) == 0)
        return (int64_t)rng_below(rng, 1600) * MINUTE_MS;
    assert_int_equal(calendar_between(c, steps[0].at_ms, steps[rng_below(rng, n)].at_ms, &work), 0);
    return rng_below(rng, 2) == 0 ? work : work / (3 * MINUTE_MS) * 4 * MINUTE_MS;
}

static void check_random(unsigned seed)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);
    struct ticket_step steps[MAX_STEPS];
    struct clock_reading got, want;
    struct calendar *c;
    struct service_clock k;
    struct life l;
    int64_t from, now;
    size_t n;

    rng_seed(&seeded, seed);
    from = (int64_t)(1262304000 + rng_below(&rng, 536457600)) / 60 * MINUTE_MS; /* 2010 to 2026 */
    c = hours_random(&rng, date_day_of_ms(from));
    hours_add(&c->week[WEDNESDAY], c->week[WEDNESDAY].n ? 1439 : 1000, 1440); /* so that there is always some time */
    n = 1 + rng_below(&rng, MAX_STEPS);
    random_history(&rng, from, steps, n);
    k = clock_of((enum promise)rng_below(&rng, PROMISE_COUNT), c, random_goal(&rng, c, steps, n));
    now = from + (int64_t)rng_below(&rng, (uint64_t)(steps[n - 1].at_ms - from) / MINUTE_MS + 3000) * MINUTE_MS;
    l = live(&k, steps, n, now);
    want = expected(&l, now, from);
    assert_int_equal(clock_read(&k, steps, n, now, &got), 0);
    if (got.state != want.state || got.started_ms != want.started_ms || got.stopped_ms != want.stopped_ms ||
        got.elapsed_ms != want.elapsed_ms || got.deadline_ms != want.deadline_ms || got.at_100_ms != want.at_100_ms ||
        (goal_minutes(&k) % 4 == 0 && k.goal.work_ms > 0 && got.at_75_ms != want.at_75_ms))
        fail_msg("seed %u: goal %lld min in %s: %s, not %s; elapsed %lld, not %lld; deadline %lld, not %lld; "
                 "75 %% %lld, not %lld; stopped %lld, not %lld (minutes)",
                 seed, (long long)goal_minutes(&k), zone_name(c->zone), clock_state_name(got.state),
                 clock_state_name(want.state), (long long)got.elapsed_ms / MINUTE_MS, (long long)l.worked,
                 (long long)(got.deadline_ms - from) / MINUTE_MS, (long long)(want.deadline_ms - from) / MINUTE_MS,
                 (long long)(got.at_75_ms - from) / MINUTE_MS, (long long)(want.at_75_ms - from) / MINUTE_MS,
                 (long long)(got.stopped_ms - from) / MINUTE_MS, (long long)(want.stopped_ms - from) / MINUTE_MS);
    calendar_free(c);
}

static void random_histories_agree_with_the_naive_model(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 1500; seed++)
        check_random(seed);
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
        cmocka_unit_test(names_come_back),
        cmocka_unit_test(complaints_have_their_own_promises),
        cmocka_unit_test(priorities_follow_severity),
        cmocka_unit_test(the_golden_table),
        cmocka_unit_test(when_it_started_and_stopped),
        cmocka_unit_test(pauses_are_the_contracts),
        cmocka_unit_test(a_calendar_without_hours_is_an_error),
        cmocka_unit_test(random_histories_agree_with_the_naive_model),
    };

    return cmocka_run_group_tests_name("promise", tests, NULL, release);
}
