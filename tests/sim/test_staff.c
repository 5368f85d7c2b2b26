#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "staff.h"
#include "workhours.h"

/* A site in Shanghai from Wednesday, 30 September 2026, 08:30; times in the tests are minutes after that. */
enum { MINUTE = 60000 };
static const int64_t day_ms = 86400000;

static const char text[] = "title: T\nstart: 2026-09-30 08:30\ntime_zone: Asia/Shanghai\nlength: 20d\n"
                           "working_hours:\n"
                           "  closed: [2026-10-01, 2026-10-02, 2026-10-05, 2026-10-06, 2026-10-07]\n"
                           "  open: [2026-10-10]\n"
                           "archive:\n  - customer: {name: C}\n  - site: {name: S, customer: C}\n"
                           "  - contract: {number: K, customer: C, kind: full-service, calendar: cn-office,\n"
                           "      p1: \"respond=1h,fix=8h\", p2: \"respond=2h\"}\n"
                           "staff:\n  - {name: t, always: true, answers: 10h}\n"
                           "devices:\n  - {name: a, model: printer, site: S}\n  - {name: b, model: printer}\n";

struct office {
    struct story *story;
    struct staff *staff;
    struct sbuf did;
};

static void command(void *ctx, const char *name, const char *args, int64_t case_id)
{
    (void)case_id;
    sbuf_addf(&((struct office *)ctx)->did, "%s %s\n", name, args);
}

static int open_office(void **state)
{
    static struct office o;
    struct conf_report report = {0};
    const struct staff_ops ops = {.command = command, .ctx = &o};

    o = (struct office){0};
    if (story_parse("s", text, strlen(text), &o.story, &report) < 0)
        fail_msg("%s", report.text.s);
    conf_report_free(&report);
    o.staff = staff_new(o.story, &ops);
    staff_patrold(o.staff, true, o.story->start_ms);
    *state = &o;
    return 0;
}

static int close_office(void **state)
{
    struct office *o = *state;

    staff_free(o->staff);
    story_free(o->story);
    sbuf_free(&o->did);
    return 0;
}

static int64_t at(const struct office *o, int64_t minutes)
{
    return o->story->start_ms + minutes * MINUTE;
}

static void hear(struct office *o, int minutes, const char *kind, const char *args)
{
    staff_event(o->staff, kind, 0, 1, args, at(o, minutes));
}

/* What they complain of at the end of so many minutes. */
static void wants(struct office *o, int minutes, unsigned problems, const char *words)
{
    struct sbuf out = {0};
    unsigned n = staff_check(o->staff, at(o, minutes), &out);

    if (n != problems || (words != NULL && strstr(out.s, words) == NULL))
        fail_msg("%u problems: %s", n, out.s ? out.s : "");
    sbuf_free(&out);
}

static const char opened[] = "{\"severity\":\"critical\",\"rule\":\"jam\"}";

/* ---- Hours ---- */

static void working_time_leaves_out_lunch_nights_and_holidays(void **state)
{
    static const struct {
        bool always;
        int64_t from, work, until; /* minutes */
    } rows[] = {
        {true, 0, 600, 600},
        {false, 0, 210, 210},                          /* to the end of the morning */
        {false, 0, 211, 5 * 60 + 1},                   /* a minute after lunch */
        {false, 230, 30, 5 * 60 + 30},                 /* from within lunch */
        {false, 0, 480, 570},                          /* to the end of the day */
        {false, 0, 481, 8 * 24 * 60 + 1},              /* on past the holidays, to 8 October */
        {false, 10 * 60, 60, 8 * 24 * 60 + 60},        /* from the evening */
        {false, 8 * 1440, 2 * 480 + 1, 10 * 1440 + 1}, /* the 8th, the 9th, and Saturday the 10th is a workday */
    };
    const struct office *o = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t until = work_after(o->story, rows[i].always, at(o, rows[i].from), rows[i].work * MINUTE);
        int64_t back = work_between(o->story, rows[i].always, at(o, rows[i].from), at(o, rows[i].until));

        if (until != at(o, rows[i].until) || back != rows[i].work * MINUTE)
            fail_msg("row %zu: after %lld minutes, %lld of work", i, (long long)(until - at(o, 0)) / MINUTE,
                     (long long)back / MINUTE);
    }
}

static void a_story_without_hours_has_no_end_of_them(void **state)
{
    const struct office *o = *state;

    assert_true(work_after(o->story, false, at(o, 0), 800 * day_ms) == INT64_MAX);
}

/* ---- Promises ---- */

static void what_is_told_in_time_is_right(void **state)
{
    struct office *o = *state;

    hear(o, 0, "ticket.opened", opened);
    hear(o, 45, "ticket.warned", "{\"promise\":\"respond\"}");
    hear(o, 60, "ticket.missed", "{\"promise\":\"respond\"}");
    hear(o, 61, "ticket.accept", "{\"to\":\"accepted\"}");
    wants(o, 200, 0, NULL);
}

static void what_is_not_told_is_missed(void **state)
{
    struct office *o = *state;

    hear(o, 0, "ticket.opened", opened);
    hear(o, 45, "ticket.warned", "{\"promise\":\"respond\"}");
    wants(o, 200, 1, "'respond', the end at 2026-09-30 09:30:00: not told");
}

static void neither_early_nor_late_nor_twice_nor_for_nothing(void **state)
{
    static const struct {
        int warned;
        const char *promise, *words;
    } rows[] = {
        {44, "respond", "told too early"},
        {47, "respond", "told late"},
        {45, "on-site", "told for nothing"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct office *o = *state;
        char args[64];

        snprintf(args, sizeof args, "{\"promise\":\"%s\"}", rows[i].promise);
        hear(o, 0, "ticket.opened", opened);
        hear(o, rows[i].warned, "ticket.warned", args);
        if (i == 2)
            hear(o, 45, "ticket.warned", "{\"promise\":\"respond\"}");
        hear(o, 50, "ticket.accept", "{\"to\":\"accepted\"}");
        wants(o, 200, 1, rows[i].words);
        close_office(state);
        open_office(state);
    }
}

static void waiting_for_the_customer_stops_the_clock(void **state)
{
    struct office *o = *state;

    hear(o, 0, "ticket.opened", opened);
    hear(o, 10, "ticket.accept", "{\"to\":\"accepted\"}");
    hear(o, 20, "ticket.wait-customer", "{\"to\":\"waiting-customer\"}");
    wants(o, 3 * 1440, 1, "nobody could resume it"); /* and that is all */
}

static void a_graver_fault_has_less_time(void **state)
{
    struct office *o = *state;

    hear(o, 0, "ticket.opened", "{\"severity\":\"major\",\"rule\":\"jam\"}");
    hear(o, 50, "ticket.graver", "{\"severity\":\"critical\"}");
    hear(o, 50, "ticket.warned", "{\"promise\":\"respond\"}");
    hear(o, 60, "ticket.missed", "{\"promise\":\"respond\"}");
    hear(o, 61, "ticket.accept", "{\"to\":\"accepted\"}");
    wants(o, 200, 0, NULL);
}

static void what_became_due_in_a_downtime_is_told_after_it(void **state)
{
    struct office *o = *state;

    hear(o, 0, "ticket.opened", opened);
    staff_patrold(o->staff, false, at(o, 30));
    staff_patrold(o->staff, true, at(o, 90));
    hear(o, 90, "ticket.missed", "{\"promise\":\"respond\"}");
    hear(o, 95, "ticket.accept", "{\"to\":\"accepted\"}");
    wants(o, 200, 0, NULL);
}

/* ---- Work ---- */

static void they_take_a_ticket_on(void **state)
{
    struct office *o = *state;
    int64_t next;

    hear(o, 0, "ticket.opened", opened);
    next = staff_next(o->staff);
    assert_in_range(next - at(o, 0), 5 * 60 * MINUTE, 15 * 60 * MINUTE);
    staff_advance(o->staff, next);
    assert_string_equal(o->did.s, "ticket.accept {\"ticket\":1}\n");
}

static void they_do_not_fix_what_is_broken(void **state)
{
    struct office *o = *state;

    hear(o, 0, "ticket.opened", opened);
    for (int i = 0; i < 50 && (o->did.s == NULL || strstr(o->did.s, "ticket.fix") == NULL); i++) {
        if (i == 20)
            hear(o, 0, "ticket.fault-cleared", "{}");
        o->did.n = 0;
        hear(o, i * 600, "ticket.arrive", "{\"to\":\"on-site\"}");
        staff_advance(o->staff, staff_next(o->staff));
        if (i < 20 && o->did.n > 0)
            assert_null(strstr(o->did.s, "ticket.fix"));
    }
    assert_non_null(strstr(o->did.s, "ticket.fix"));
}

static void a_command_that_is_refused_is_a_problem(void **state)
{
    struct office *o = *state;

    hear(o, 0, "ticket.opened", opened);
    staff_refused(o->staff, 1, "no", at(o, 10));
    hear(o, 11, "ticket.accept", "{\"to\":\"accepted\"}");
    wants(o, 12, 1, "ticket 1: accept");
}

static void two_rounds_of_one_plan_on_a_day_are_one_too_many(void **state)
{
    struct office *o = *state;

    hear(o, 0, "round.generated", "{\"round\":1,\"plan\":\"m\",\"site\":\"S\"}");
    hear(o, 1, "round.generated", "{\"round\":2,\"plan\":\"m\",\"site\":\"S\"}");
    hear(o, 2, "round.generated", "{\"round\":3,\"plan\":\"m\",\"site\":\"elsewhere\"}");
    wants(o, 3, 1, "two rounds of m at S");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(working_time_leaves_out_lunch_nights_and_holidays, open_office, close_office),
        cmocka_unit_test_setup_teardown(a_story_without_hours_has_no_end_of_them, open_office, close_office),
        cmocka_unit_test_setup_teardown(what_is_told_in_time_is_right, open_office, close_office),
        cmocka_unit_test_setup_teardown(what_is_not_told_is_missed, open_office, close_office),
        cmocka_unit_test_setup_teardown(neither_early_nor_late_nor_twice_nor_for_nothing, open_office, close_office),
        cmocka_unit_test_setup_teardown(waiting_for_the_customer_stops_the_clock, open_office, close_office),
        cmocka_unit_test_setup_teardown(a_graver_fault_has_less_time, open_office, close_office),
        cmocka_unit_test_setup_teardown(what_became_due_in_a_downtime_is_told_after_it, open_office, close_office),
        cmocka_unit_test_setup_teardown(they_take_a_ticket_on, open_office, close_office),
        cmocka_unit_test_setup_teardown(they_do_not_fix_what_is_broken, open_office, close_office),
        cmocka_unit_test_setup_teardown(a_command_that_is_refused_is_a_problem, open_office, close_office),
        cmocka_unit_test_setup_teardown(two_rounds_of_one_plan_on_a_day_are_one_too_many, open_office, close_office),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
