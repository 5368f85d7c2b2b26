#include "model/ticket_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* Around the clock: four hours to the fix of what is major, one to the answer; a day to settle a complaint. */
struct fixture {
    struct calendar always;
    struct contract contract;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_int_equal(zone_open("UTC", &f->always.zone), 0);
    for (int day = 0; day < WEEKDAY_COUNT; day++)
        hours_add(&f->always.week[day], 0, DAY_MINUTES);
    contract_init(&f->contract, "HT-1");
    f->contract.goals[PRIORITY_P2][PROMISE_FIX] = (struct goal){4 * HOUR, &f->always};
    f->contract.goals[PRIORITY_P2][PROMISE_RESPOND] = (struct goal){HOUR, &f->always};
    f->contract.goals[PRIORITY_P2][PROMISE_COMPLAINT_RESULT] = (struct goal){DAY, &f->always};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    contract_fini(&f->contract);
    zone_free(f->always.zone);
    free(f);
    return 0;
}

/* ---- Levels ---- */

static void levels_are_read_as_they_were_written(void **state)
{
    enum clock_level levels[PROMISE_COUNT] = {[PROMISE_RESPOND] = LEVEL_ESCALATED,
                                              [PROMISE_ON_SITE] = LEVEL_WARNED,
                                              [PROMISE_COMPLAINT_RESULT] = LEVEL_MISSED};
    enum clock_level back[PROMISE_COUNT];
    char *text = levels_format(levels);

    (void)state;
    assert_string_equal(text, "respond=escalated,on-site=warned,complaint-result=missed");
    levels_parse(text, back);
    assert_memory_equal(back, levels, sizeof levels);
    free(text);
}

static void no_level_is_no_text(void **state)
{
    enum clock_level levels[PROMISE_COUNT];

    (void)state;
    levels_parse(NULL, levels);
    assert_null(levels_format(levels));
}

static void what_is_no_level_is_passed_over(void **state)
{
    static const char *const texts[] = {"",           "fix",        "fix=", "fix=none",     "fix=warnedd",
                                        "fix=warne",  "=warned",    ",,,",  "fixed=missed", "complaint=missed",
                                        "fix missed", "修复=missed"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        enum clock_level levels[PROMISE_COUNT];

        levels_parse(texts[i], levels);
        for (int p = 0; p < PROMISE_COUNT; p++)
            if (levels[p] != LEVEL_NONE)
                fail_msg("'%s': %s is %s", texts[i], promise_name((enum promise)p), clock_level_name(levels[p]));
    }
}

/* ---- What comes next ---- */

struct outlook_row {
    enum ticket_kind kind;
    enum promise promise;
    struct ticket_step steps[4];
    size_t n;
    int64_t now;
    enum clock_level reached;
    int64_t next;
};

static const struct outlook_row outlooks[] = {
    /* up to three quarters, to the deadline, to the instant after it, and to as much again */
    {TICKET_KIND_FAULT, PROMISE_FIX, {{0, TICKET_NEW, false}}, 1, 0, LEVEL_NONE, 3 * HOUR},
    {TICKET_KIND_FAULT, PROMISE_FIX, {{0, TICKET_NEW, false}}, 1, 3 * HOUR - 1, LEVEL_NONE, 3 * HOUR},
    {TICKET_KIND_FAULT, PROMISE_FIX, {{0, TICKET_NEW, false}}, 1, 3 * HOUR, LEVEL_WARNED, 4 * HOUR + 1},
    {TICKET_KIND_FAULT, PROMISE_FIX, {{0, TICKET_NEW, false}}, 1, 4 * HOUR, LEVEL_WARNED, 4 * HOUR + 1},
    {TICKET_KIND_FAULT, PROMISE_FIX, {{0, TICKET_NEW, false}}, 1, 4 * HOUR + 1, LEVEL_MISSED, 8 * HOUR + 1},
    {TICKET_KIND_FAULT, PROMISE_FIX, {{0, TICKET_NEW, false}}, 1, 8 * HOUR, LEVEL_MISSED, 8 * HOUR + 1},
    {TICKET_KIND_FAULT, PROMISE_FIX, {{0, TICKET_NEW, false}}, 1, 8 * HOUR + 1, LEVEL_ESCALATED, CLOCK_NEVER},
    /* only what must come to an end goes further up than missed */
    {TICKET_KIND_FAULT, PROMISE_RESPOND, {{0, TICKET_NEW, false}}, 1, HOUR + 1, LEVEL_MISSED, CLOCK_NEVER},
    {TICKET_KIND_FAULT, PROMISE_RESPOND, {{0, TICKET_NEW, false}}, 1, 9 * DAY, LEVEL_MISSED, CLOCK_NEVER},
    {TICKET_KIND_COMPLAINT,
     PROMISE_COMPLAINT_RESULT,
     {{0, TICKET_NEW, false}},
     1,
     2 * DAY + 1,
     LEVEL_ESCALATED,
     CLOCK_NEVER},
    /* a pause: nothing comes next, what was reached stays */
    {TICKET_KIND_FAULT,
     PROMISE_FIX,
     {{0, TICKET_NEW, false}, {HOUR, TICKET_WAITING_CUSTOMER, false}},
     2,
     DAY,
     LEVEL_NONE,
     CLOCK_NEVER},
    {TICKET_KIND_FAULT,
     PROMISE_FIX,
     {{0, TICKET_NEW, false}, {4 * HOUR - 1, TICKET_WAITING_CUSTOMER, false}},
     2,
     DAY,
     LEVEL_WARNED,
     CLOCK_NEVER},
    {TICKET_KIND_FAULT,
     PROMISE_FIX,
     {{0, TICKET_NEW, false}, {HOUR, TICKET_WAITING_CUSTOMER, false}, {DAY, TICKET_ON_SITE, false}},
     3,
     DAY,
     LEVEL_NONE,
     DAY + 2 * HOUR},
    /* stopped: in time nothing is to be told, also of three quarters; too late is missed, however much, but news once */
    {TICKET_KIND_FAULT,
     PROMISE_FIX,
     {{0, TICKET_NEW, false}, {4 * HOUR, TICKET_FIXED, false}},
     2,
     DAY,
     LEVEL_NONE,
     CLOCK_NEVER},
    {TICKET_KIND_FAULT,
     PROMISE_FIX,
     {{0, TICKET_NEW, false}, {4 * HOUR + 1, TICKET_FIXED, false}},
     2,
     4 * HOUR + 1,
     LEVEL_MISSED,
     CLOCK_NEVER},
    {TICKET_KIND_FAULT,
     PROMISE_FIX,
     {{0, TICKET_NEW, false}, {4 * HOUR + 1, TICKET_FIXED, false}},
     2,
     DAY,
     LEVEL_NONE,
     CLOCK_NEVER},
    {TICKET_KIND_FAULT,
     PROMISE_FIX,
     {{0, TICKET_NEW, false}, {9 * HOUR, TICKET_FIXED, false}},
     2,
     9 * HOUR,
     LEVEL_MISSED,
     CLOCK_NEVER},
    {TICKET_KIND_FAULT,
     PROMISE_FIX,
     {{0, TICKET_NEW, false}, {3 * HOUR, TICKET_CANCELLED, false}},
     2,
     DAY,
     LEVEL_NONE,
     CLOCK_NEVER},
    /* reopened: it goes on from where it stood */
    {TICKET_KIND_FAULT,
     PROMISE_FIX,
     {{0, TICKET_NEW, false}, {HOUR, TICKET_FIXED, false}, {DAY, TICKET_ACCEPTED, false}},
     3,
     DAY,
     LEVEL_NONE,
     DAY + 2 * HOUR},
    /* nothing has begun */
    {TICKET_KIND_FAULT, PROMISE_FIX, {{0, TICKET_NEW, false}}, 0, DAY, LEVEL_NONE, CLOCK_NEVER},
};

static void each_level_is_reached_at_its_instant(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof outlooks / sizeof outlooks[0]; i++) {
        const struct outlook_row *row = &outlooks[i];
        struct ticket t = {.kind = row->kind, .severity = SEVERITY_MAJOR};
        struct clock_outlook o;
        int rc = ticket_outlook(&f->contract, &t, row->promise, row->steps, row->n, row->now, &o);

        if (rc != 0 || o.reached != row->reached || o.next_ms != row->next)
            fail_msg("row %zu: %d, %s, next %lld; not %s, next %lld", i, rc, clock_level_name(o.reached),
                     (long long)o.next_ms, clock_level_name(row->reached), (long long)row->next);
    }
}

static void a_clock_says_what_it_goes_by(void **state)
{
    struct fixture *f = *state;
    struct ticket t = {.kind = TICKET_KIND_FAULT, .severity = SEVERITY_MAJOR};
    struct ticket_step opened = {0, TICKET_NEW, false};
    struct ticket_promise p;

    assert_int_equal(ticket_clock(&f->contract, &t, PROMISE_FIX, &opened, 1, HOUR, &p), 0);
    assert_int_equal(p.promise, PROMISE_FIX);
    assert_int_equal(p.priority, PRIORITY_P2);
    assert_int_equal(p.goal_ms, 4 * HOUR);
    assert_int_equal(p.reading.elapsed_ms, HOUR);
    assert_int_equal(p.reading.deadline_ms, 4 * HOUR);
}

static void what_was_not_promised_has_no_clock(void **state)
{
    struct fixture *f = *state;
    struct ticket fault = {.kind = TICKET_KIND_FAULT, .severity = SEVERITY_MAJOR};
    struct ticket milder = {.kind = TICKET_KIND_FAULT, .severity = SEVERITY_WARNING};
    struct ticket complaint = {.kind = TICKET_KIND_COMPLAINT, .severity = SEVERITY_MAJOR};
    struct ticket_step opened = {0, TICKET_NEW, false};
    struct ticket_promise p;
    struct clock_outlook o;

    assert_int_equal(ticket_clock(NULL, &fault, PROMISE_FIX, &opened, 1, 0, &p), PD_ENOENT);
    assert_int_equal(ticket_outlook(NULL, &fault, PROMISE_FIX, &opened, 1, 0, &o), PD_ENOENT);
    assert_int_equal(ticket_clock(&f->contract, &fault, PROMISE_ON_SITE, &opened, 1, 0, &p), PD_ENOENT);
    assert_int_equal(ticket_clock(&f->contract, &milder, PROMISE_FIX, &opened, 1, 0, &p), PD_ENOENT);
    assert_int_equal(ticket_clock(&f->contract, &complaint, PROMISE_FIX, &opened, 1, 0, &p), PD_ENOENT);
    assert_int_equal(ticket_clock(&f->contract, &fault, PROMISE_COMPLAINT_RESULT, &opened, 1, 0, &p), PD_ENOENT);
}

static void a_calendar_without_time_has_no_deadline(void **state)
{
    struct fixture *f = *state;
    struct ticket t = {.kind = TICKET_KIND_FAULT, .severity = SEVERITY_MAJOR};
    struct ticket_step opened = {0, TICKET_NEW, false};
    struct clock_outlook o = {.next_ms = 7};

    for (int day = 0; day < WEEKDAY_COUNT; day++)
        f->always.week[day].n = 0;
    assert_int_equal(ticket_outlook(&f->contract, &t, PROMISE_FIX, &opened, 1, 0, &o), PD_ERANGE);
    assert_int_equal(o.next_ms, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_read_as_they_were_written),
        cmocka_unit_test(no_level_is_no_text),
        cmocka_unit_test(what_is_no_level_is_passed_over),
        cmocka_unit_test_setup_teardown(each_level_is_reached_at_its_instant, setup, teardown),
        cmocka_unit_test_setup_teardown(a_clock_says_what_it_goes_by, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_promised_has_no_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(a_calendar_without_time_has_no_deadline, setup, teardown),
    };

    return cmocka_run_group_tests_name("model/ticket_clock", tests, NULL, NULL);
}
