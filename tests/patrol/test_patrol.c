#include "tests/patrol/beat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

/* In 2026: due on Wed 30 September (before National Day, 1 to 7 October) and Fri 30 October. */
#define MONTHLY                                                                                                        \
    "  monthly:\n"                                                                                                     \
    "    title: {en: Monthly patrol, zh_CN: 月度巡检}\n"                                                           \
    "    rule: FREQ=MONTHLY;BYMONTHDAY=-1\n"                                                                           \
    "    start: 2026-01-01\n"                                                                                          \
    "    shift: back\n"                                                                                                \
    "    calendar: cn-office\n"
#define ON_THE_TENTH                                                                                                   \
    "  tenth:\n"                                                                                                       \
    "    title: {en: Patrol, zh_CN: 巡检}\n"                                                                         \
    "    rule: FREQ=MONTHLY;BYMONTHDAY=10\n"                                                                           \
    "    start: 2026-01-01\n"

static void expect_local(int64_t at_ms, const char *want)
{
    char text[20];

    assert_string_equal(beat_local(at_ms, text), want);
}

/* ---- Occurrences ---- */

static void a_round_is_made_when_its_plan_falls_due(void **state)
{
    struct beat *b = beat_new(MONTHLY);

    (void)state;
    beat_add(b, "printer", "Main office");
    beat_add(b, "switch", NULL); /* counts at the configuration's site */
    beat_until(b, "2026-09-30 08:59");
    assert_int_equal(b->rounds.n, 0);
    beat_until(b, "2026-09-30 09:00");
    assert_int_equal(b->rounds.n, 1);
    assert_int_equal(b->rounds.v[0].state, ROUND_GENERATED);
    assert_int_equal(b->rounds.v[0].n, 1);
    assert_string_equal(b->rounds.v[0].site, "Main office");
    assert_string_equal(b->rounds.v[0].title_zh_CN, "月度巡检");
    expect_local(b->rounds.v[0].due_ms, "2026-09-30 09:00");
    expect_local(b->rounds.v[0].deadline_ms, "2026-10-05 09:00");
    assert_int_equal(b->visits.n, 2);
    assert_string_equal(b->visits.v[0].checklist, "printer");
    assert_string_equal(b->visits.v[1].checklist, "switch");
    assert_int_equal(beat_letters(b, NEWS_ROUND_DUE), 1);
    beat_until(b, "2026-10-30 09:00");
    assert_int_equal(b->rounds.n, 2);
    beat_free(b);
}

static void each_site_has_a_round_of_its_own(void **state)
{
    struct beat *b = beat_new(MONTHLY);

    (void)state;
    beat_add(b, "printer", "East");
    beat_add(b, "printer", "West");
    beat_add(b, "ups", "East");
    beat_until(b, "2026-10-01 00:00");
    assert_int_equal(b->rounds.n, 2);
    assert_int_equal(b->rounds.v[0].n, 1);
    assert_int_equal(b->rounds.v[1].n, 1);
    assert_string_equal(b->rounds.v[0].site, "East");
    assert_string_equal(b->rounds.v[1].site, "West");
    assert_int_equal(b->visits.n, 3);
    beat_free(b);
}

static void what_fell_due_while_it_was_down_is_made_once_each(void **state)
{
    struct beat *b = beat_new(MONTHLY);

    (void)state;
    beat_add(b, "printer", "East");
    beat_until(b, "2026-09-15 00:00");
    beat_restart(b, INT64_C(100) * DAY); /* until 24 December: due on 30 September, 30 October, 30 November */
    assert_int_equal(b->rounds.n, 3);
    for (int64_t n = 1; n <= 3; n++)
        assert_int_equal(beat_round(b, n)->n, n);
    expect_local(beat_round(b, 2)->due_ms, "2026-10-30 09:00");
    expect_local(beat_round(b, 3)->due_ms, "2026-11-30 09:00");
    assert_int_equal(beat_round(b, 1)->state, ROUND_OVERDUE);
    beat_restart(b, 0);
    beat_restart(b, HOUR);
    assert_int_equal(b->rounds.n, 3);
    beat_free(b);
}

static void a_round_that_did_not_come_to_the_disk_is_made_again_under_its_number(void **state)
{
    struct beat *b = beat_new(MONTHLY);

    (void)state;
    beat_add(b, "printer", "East");
    beat_until(b, "2026-09-30 08:00");
    b->lost = true;
    beat_until(b, "2026-09-30 10:00");
    assert_int_equal(b->rounds.n, 0);
    beat_restart(b, HOUR);
    assert_int_equal(b->rounds.n, 1);
    assert_int_equal(b->rounds.v[0].n, 1);
    expect_local(b->rounds.v[0].due_ms, "2026-09-30 09:00");
    beat_free(b);
}

static void a_plan_begins_when_it_is_first_seen(void **state)
{
    struct beat *b = beat_new(ON_THE_TENTH);

    (void)state;
    beat_add(b, "printer", "East");
    beat_until(b, "2026-09-11 00:00");
    assert_int_equal(b->rounds.n, 1); /* not those of January to August */
    assert_int_equal(b->rounds.v[0].n, 1);
    beat_free(b);
}

static void an_empty_scope_is_an_event_and_no_round(void **state)
{
    struct beat *b = beat_new(MONTHLY "    classes: [nas]\n");

    (void)state;
    beat_add(b, "printer", "East");
    beat_until(b, "2026-10-31 00:00");
    assert_int_equal(b->rounds.n, 0);
    assert_int_equal(beat_count(b, "plan.empty"), 2);
    beat_restart(b, 0);
    assert_int_equal(beat_count(b, "plan.empty"), 2);
    beat_free(b);
}

static void two_plans_on_one_day_have_a_round_each(void **state)
{
    struct beat *b = beat_new(MONTHLY "  second:\n    title: {en: Second}\n    rule: FREQ=MONTHLY;BYMONTHDAY=30\n"
                                      "    start: 2026-01-01\n");

    (void)state;
    beat_add(b, "printer", "East");
    beat_until(b, "2026-10-01 00:00");
    assert_int_equal(b->rounds.n, 2);
    assert_string_equal(b->rounds.v[0].plan, "monthly");
    assert_string_equal(b->rounds.v[1].plan, "second");
    beat_free(b);
}

static const struct {
    const char *scope;
    const char *devices; /* whose names are in it */
} scopes[] = {
    {"", "d1 d2 d3 d4"},
    {"    sites: [East]\n", "d1 d3"},
    {"    classes: [printer]\n", "d1 d2"},
    {"    classes: [printer, ups]\n    sites: [East]\n", "d1 d3"},
    {"    customers: [Acme]\n", "d1 d2 d3"},
    {"    customers: [Acmee]\n", ""},
    {"    labels: [floor]\n", "d1 d2"},
    {"    labels: [floor=3]\n", "d1"},
    {"    labels: [floor=3, floor=4]\n", "d1 d2"},
    {"    labels: [loor=3]\n", ""},
    {"    labels: [spare]\n", "d3"},
    {"    labels: [floor=]\n", ""},
};

static void a_scope_is_what_fits_each_of_its_lists(void **state)
{
    (void)state;
    for (size_t row = 0; row < sizeof scopes / sizeof *scopes; row++) {
        char *plans = xasprintf("%s%s", ON_THE_TENTH, scopes[row].scope);
        struct beat *b = beat_new(plans);
        struct sbuf got = {0};

        beat_add(b, "printer", "East")->d.labels = xstrdup("owner=li,floor=3");
        beat_add(b, "printer", "West")->d.labels = xstrdup("floor=4");
        beat_add(b, "ups", "East")->d.labels = xstrdup("a=b, spare");
        beat_add(b, "nas", "nobody's");
        beat_until(b, "2026-09-10 09:00");
        sbuf_add(&got, "");
        for (size_t i = 0; i < b->devices.n; i++)
            for (size_t v = 0; v < b->visits.n; v++)
                if (strcmp(b->visits.v[v].device, b->devices.v[i]->d.name) == 0)
                    sbuf_addf(&got, "%s%s", got.n > 0 ? " " : "", b->visits.v[v].device);
        if (strcmp(got.s, scopes[row].devices) != 0)
            fail_msg("%s: %s, not %s", scopes[row].scope, got.s, scopes[row].devices);
        sbuf_free(&got);
        beat_free(b);
        free(plans);
    }
}

/* ---- Filling in ---- */

static struct beat *one_round(const char *plans, const char *until)
{
    struct beat *b = beat_new(plans);

    beat_add(b, "printer", "East");
    beat_until(b, until);
    assert_int_equal(b->rounds.n, 1);
    return b;
}

static void what_is_polled_is_filled_in(void **state)
{
    struct beat *b = beat_new(ON_THE_TENTH);
    struct beat_device *d = beat_add(b, "printer", "East");

    (void)state;
    d->drum = 12;
    beat_until(b, "2026-09-10 09:00");
    assert_int_equal(beat_item(b, 1, "d1", "reachable")->result, RESULT_OK);
    assert_null(beat_item(b, 1, "d1", "reachable")->value); /* there is nothing more to say of it */
    assert_int_equal(beat_item(b, 1, "d1", "supplies")->result, RESULT_ATTENTION);
    assert_string_equal(beat_item(b, 1, "d1", "supplies")->value, "drum: 12 %"); /* the gravest is named */
    assert_string_equal(beat_item(b, 1, "d1", "supplies")->key, "drum");
    assert_true(beat_item(b, 1, "d1", "supplies")->value_ms > 0);
    assert_int_equal(beat_item(b, 1, "d1", "waste")->result, RESULT_NOT_APPLICABLE);
    assert_int_equal(beat_item(b, 1, "d1", "pages")->result, RESULT_OPEN); /* nobody told */
    assert_int_equal(beat_item(b, 1, "d1", "rollers")->result, RESULT_OPEN);
    assert_string_equal(beat_item(b, 1, "d1", "rollers")->title_zh_CN, "搓纸轮与走纸通道已清洁");
    beat_free(b);
}

static void all_that_is_well_is_named(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    assert_int_equal(beat_item(b, 1, "d1", "supplies")->result, RESULT_OK);
    assert_string_equal(beat_item(b, 1, "d1", "supplies")->value, "toner: 80 %; drum: 80 %");
    beat_free(b);
}

static void a_visit_takes_what_is_polled_anew(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    b->devices.v[0]->toner = 3;
    assert_int_equal(beat_fill(b, 1, "d1", "rollers=ok", false, NULL), 0);
    assert_int_equal(beat_item(b, 1, "d1", "supplies")->result, RESULT_FAULT);
    assert_string_equal(beat_item(b, 1, "d1", "supplies")->value, "toner: 3 %");
    assert_string_equal(beat_item(b, 1, "d1", "rollers")->by, "li");
    assert_string_equal(beat_item(b, 1, "d1", "rollers")->note, "as seen");
    assert_int_equal(beat_round(b, 1)->state, ROUND_IN_PROGRESS);
    beat_free(b);
}

static void what_is_not_told_any_more_stays_as_it_was(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    b->devices.v[0]->toner = b->devices.v[0]->drum = -1;
    assert_int_equal(beat_fill(b, 1, "d1", "rollers=ok", false, NULL), 0);
    assert_int_equal(beat_item(b, 1, "d1", "supplies")->result, RESULT_OK);
    assert_string_equal(beat_item(b, 1, "d1", "supplies")->value, "toner: 80 %; drum: 80 %");
    beat_free(b);
}

static void a_person_goes_before_what_is_polled(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    assert_int_equal(beat_fill(b, 1, "d1", "supplies=attention", false, NULL), 0);
    assert_int_equal(beat_fill(b, 1, "d1", "rollers=ok", false, NULL), 0);
    assert_int_equal(beat_item(b, 1, "d1", "supplies")->result, RESULT_ATTENTION);
    assert_string_equal(beat_item(b, 1, "d1", "supplies")->by, "li");
    beat_free(b);
}

static void a_round_with_nothing_open_waits_for_its_signature(void **state)
{
    struct beat *b = beat_new(ON_THE_TENTH);

    (void)state;
    beat_add(b, "printer", "East");
    beat_add(b, "ups", "East");
    beat_until(b, "2026-09-10 10:00");
    assert_int_equal(beat_fill(b, 1, "d1", "", true, NULL), 0);
    assert_int_equal(beat_round(b, 1)->state, ROUND_IN_PROGRESS);
    assert_int_equal(b->visits.v[0].state, VISIT_DONE);
    assert_int_equal(beat_fill(b, 1, "2", "fans=fault", true, NULL), 0); /* by the device's id */
    assert_int_equal(beat_round(b, 1)->state, ROUND_REVIEW);
    assert_int_equal(beat_count(b, "round.completed"), 1);
    assert_int_equal(beat_sign(b, 1, NULL), 0);
    assert_int_equal(beat_round(b, 1)->state, ROUND_SIGNED);
    assert_string_equal(beat_round(b, 1)->signed_by, "王芳");
    beat_free(b);
}

static void every_visit_of_a_round_can_be_ended_at_once(void **state)
{
    struct beat *b = beat_new(ON_THE_TENTH);

    (void)state;
    beat_add(b, "printer", "East");
    beat_add(b, "ups", "East");
    beat_until(b, "2026-09-10 10:00");
    assert_int_equal(beat_fill(b, 1, NULL, "", true, NULL), 0);
    assert_int_equal(beat_round(b, 1)->state, ROUND_REVIEW);
    beat_free(b);
}

static const struct {
    int64_t round;
    const char *device, *pairs;
    int rc;
    const char *why;
} refused[] = {
    {9, "d1", "rollers=ok", PD_ENOENT, "there is no open round 9"},
    {1, "d11", "rollers=ok", PD_ENOENT, "round 1 has no visit to 'd11' (did you mean 'd1'?)"},
    {1, "d1", "roller=ok", PD_ENOENT, "the visit to d1 has no item 'roller' (did you mean 'rollers'?)"},
    {1, "d1", "rollers=good", PD_EINVAL, "rollers can't be 'good': a result is ok, attention, fault or not-applicable"},
    {1, "d1", "rollers=open", PD_EINVAL, "rollers can't be 'open': a result is ok, attention, fault or not-applicable"},
    {1, "d1", "rollers=ok noise=", PD_EINVAL, "noise can't be '': a result is ok, attention, fault or not-applicable"},
    {1, "d1", "", PD_EINVAL, "nothing is filled in: say ITEM=RESULT, or that all the rest is ok"},
    {1, NULL, "rollers=ok", PD_EINVAL, "which device? items are filled in visit by visit"},
};

static void what_makes_no_sense_is_refused_in_words_and_changes_nothing(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char *why = NULL;
        int rc = beat_fill(b, refused[i].round, refused[i].device, refused[i].pairs, false, &why);

        if (rc != refused[i].rc || strcmp(why, refused[i].why) != 0)
            fail_msg("%s %s: %d, %s", refused[i].device, refused[i].pairs, rc, why);
        free(why);
    }
    assert_int_equal(beat_round(b, 1)->state, ROUND_GENERATED);
    assert_int_equal(beat_item(b, 1, "d1", "rollers")->result, RESULT_OPEN);
    beat_free(b);
}

static void what_is_not_complete_is_not_signed(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");
    char *why = NULL;

    (void)state;
    assert_int_equal(beat_sign(b, 1, &why), PD_ESTATE);
    assert_string_equal(why, "round 1 is not complete: d1 (10 of 13 items open)");
    free(why);
    assert_int_equal(beat_round(b, 1)->state, ROUND_GENERATED);
    beat_fill(b, 1, NULL, "", true, NULL);
    assert_int_equal(beat_sign(b, 1, NULL), 0);
    assert_int_equal(beat_sign(b, 1, &why), PD_ESTATE);
    assert_string_equal(why, "round 1 is signed: nothing can be changed in it");
    free(why);
    beat_free(b);
}

static void the_rounds_of_a_plan_are_known_by_its_name(void **state)
{
    struct beat *b = beat_new(ON_THE_TENTH);
    char *why = NULL;
    int64_t id = 0;

    (void)state;
    beat_add(b, "printer", "East");
    beat_until(b, "2026-09-10 09:00");
    assert_int_equal(patrol_ref(b->patrol, "tenth", &id, &why), 0);
    assert_int_equal(id, 1);
    beat_add(b, "printer", "West");
    beat_until(b, "2026-10-10 09:00");
    assert_int_equal(patrol_ref(b->patrol, "tenth", &id, &why), PD_EINVAL);
    assert_string_equal(why, "plan 'tenth' has several open rounds: say which, 1 (East), 2 (East), 3 (West)");
    free(why);
    assert_int_equal(patrol_ref(b->patrol, "eleventh", &id, &why), PD_ENOENT);
    free(why);
    beat_free(b);
}

/* ---- Findings ---- */

static void findings_become_tickets_when_it_is_signed(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    beat_fill(b, 1, "d1", "rollers=attention noise=fault", true, NULL);
    assert_int_equal(b->tickets.n, 0);
    beat_sign(b, 1, NULL);
    assert_int_equal(b->tickets.n, 2);
    assert_string_equal(b->tickets.v[0].number, "round 1 visit 1 item 7");
    assert_int_equal(b->tickets.v[0].kind, TICKET_KIND_FINDING);
    assert_int_equal(b->tickets.v[0].severity, SEVERITY_WARNING);
    assert_string_equal(b->tickets.v[0].label, "rollers");
    assert_string_equal(b->tickets.v[0].note, "as seen");
    assert_string_equal(b->tickets.v[0].title, "Pick-up rollers and paper path cleaned: attention");
    assert_int_equal(b->tickets.v[1].severity, SEVERITY_MAJOR);
    assert_int_equal(beat_item(b, 1, "d1", "rollers")->ticket_id, b->tickets.v[0].id);
    beat_free(b);
}

static void a_fault_that_has_a_ticket_gets_no_other(void **state)
{
    struct beat *b = beat_new(ON_THE_TENTH);

    (void)state;
    beat_add(b, "printer", "East")->toner = 2;
    b->fault_ticket = 77;
    beat_until(b, "2026-09-10 09:00");
    beat_fill(b, 1, NULL, "", true, NULL);
    beat_sign(b, 1, NULL);
    assert_int_equal(b->tickets.n, 0);
    assert_int_equal(beat_item(b, 1, "d1", "supplies")->ticket_id, 77);
    beat_free(b);
}

static void a_signature_that_was_lost_opens_its_tickets_once(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    beat_fill(b, 1, "d1", "rollers=fault", true, NULL);
    b->lost = true;
    beat_sign(b, 1, NULL);
    assert_int_equal(b->tickets.n, 0);
    beat_restart(b, HOUR);
    assert_int_equal(beat_round(b, 1)->state, ROUND_REVIEW);
    assert_int_equal(beat_sign(b, 1, NULL), 0);
    assert_int_equal(b->tickets.n, 1);
    beat_free(b);
}

/* ---- Devices come and go ---- */

static void a_device_that_is_removed_holds_up_no_round(void **state)
{
    struct beat *b = beat_new(ON_THE_TENTH);
    char *why = NULL;

    (void)state;
    beat_add(b, "printer", "East");
    beat_add(b, "ups", "East");
    beat_until(b, "2026-09-10 09:00");
    b->devices.v[1]->removed = true;
    beat_add(b, "nas", "East"); /* comes too late for this round */
    assert_int_equal(beat_fill(b, 1, "d2", "fans=ok", false, &why), PD_ESTATE);
    assert_string_equal(why, "d2 was removed: its visit is over");
    free(why);
    beat_fill(b, 1, "d1", "", true, NULL);
    assert_int_equal(beat_round(b, 1)->state, ROUND_REVIEW);
    assert_int_equal(b->visits.v[1].state, VISIT_GONE);
    assert_int_equal(b->visits.n, 2);
    beat_restart(b, HOUR);
    assert_int_equal(beat_sign(b, 1, NULL), 0);
    beat_free(b);
}

static void a_round_all_of_whose_devices_are_gone_can_be_signed(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    b->devices.v[0]->removed = true;
    assert_int_equal(beat_sign(b, 1, NULL), 0);
    beat_free(b);
}

/* ---- Reload ---- */

static void open_rounds_go_on_without_their_plan(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    beat_reload(b, MONTHLY);
    assert_int_equal(beat_fill(b, 1, NULL, "", true, NULL), 0);
    assert_int_equal(beat_sign(b, 1, NULL), 0);
    beat_until(b, "2026-10-11 00:00");
    assert_int_equal(b->rounds.n, 2); /* that of the monthly one */
    assert_string_equal(b->rounds.v[1].plan, "monthly");
    beat_free(b);
}

static void a_plan_that_comes_back_begins_anew(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    beat_reload(b, MONTHLY);
    beat_until(b, "2026-12-01 00:00");
    beat_restart(b, 0);
    beat_reload(b, ON_THE_TENTH);
    beat_until(b, "2026-12-09 00:00");
    assert_int_equal(b->rounds.n, 4); /* three of the monthly one, none of October or November */
    beat_until(b, "2026-12-11 00:00");
    assert_int_equal(b->rounds.n, 5);
    assert_int_equal(b->rounds.v[4].n, 2);
    beat_free(b);
}

static void a_rule_that_changes_goes_on_counting(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    beat_reload(b, "  tenth:\n    title: {en: Patrol}\n    rule: FREQ=WEEKLY;BYDAY=MO\n    start: 2026-09-14\n");
    beat_until(b, "2026-09-22 00:00");
    assert_int_equal(b->rounds.n, 3);
    assert_int_equal(b->rounds.v[2].n, 3);
    expect_local(b->rounds.v[2].due_ms, "2026-09-21 09:00");
    beat_free(b);
}

/* ---- From when it was done ---- */

static void a_plan_can_count_from_when_it_was_done(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH "    anchor: done\n", "2026-09-10 09:00");

    (void)state;
    beat_until(b, "2026-11-20 12:00");
    assert_int_equal(b->rounds.n, 1); /* not while that one is open */
    beat_fill(b, 1, NULL, "", true, NULL);
    beat_sign(b, 1, NULL);
    beat_restart(b, 0);
    beat_until(b, "2026-12-10 08:59");
    assert_int_equal(b->rounds.n, 1);
    beat_until(b, "2026-12-10 09:00");
    assert_int_equal(b->rounds.n, 2);
    assert_int_equal(b->rounds.v[1].n, 2);
    assert_int_equal(beat_cancel(b, 2), 0);
    beat_until(b, "2027-01-10 09:00");
    assert_int_equal(b->rounds.n, 3);
    beat_free(b);
}

/* ---- Chasing ---- */

static void a_round_is_overdue_when_its_time_is_over(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    beat_until(b, "2026-09-15 08:59");
    assert_int_equal(beat_round(b, 1)->state, ROUND_GENERATED);
    beat_until(b, "2026-09-15 09:00");
    assert_int_equal(beat_round(b, 1)->state, ROUND_OVERDUE);
    assert_int_equal(beat_count(b, "round.overdue"), 1);
    beat_fill(b, 1, NULL, "", true, NULL);
    assert_int_equal(beat_round(b, 1)->state, ROUND_REVIEW);
    beat_free(b);
}

/* Tue 15 September 09:00 overdue; told then, and at nine of each workday: 16, 17, 18, 21. */
static void an_overdue_round_is_chased_once_a_workday(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");
    static const char *const when[] = {"2026-09-15 09:00", "2026-09-16 09:00", "2026-09-17 09:00", "2026-09-18 09:00",
                                       "2026-09-21 09:00"};

    (void)state;
    beat_until(b, "2026-09-21 20:00");
    assert_int_equal(b->letters.n, 6); /* the first says that it is due */
    for (size_t i = 0; i < sizeof when / sizeof *when; i++) {
        assert_int_equal(b->letters.v[i + 1].news, NEWS_ROUND_OVERDUE);
        assert_int_equal(b->letters.v[i + 1].times, i + 1);
        expect_local(b->letters.v[i + 1].at_ms, when[i]);
    }
    beat_fill(b, 1, NULL, "", true, NULL);
    beat_sign(b, 1, NULL);
    beat_until(b, "2026-09-30 00:00");
    assert_int_equal(b->letters.n, 6);
    beat_free(b);
}

static void no_day_is_told_of_twice_by_a_restart(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");

    (void)state;
    beat_until(b, "2026-09-15 09:30");
    assert_int_equal(b->letters.n, 2);
    beat_restart(b, HOUR);
    beat_restart(b, HOUR);
    assert_int_equal(b->letters.n, 2);
    beat_restart(b, INT64_C(3) * DAY); /* three days of silence are one mail */
    assert_int_equal(b->letters.n, 3);
    beat_free(b);
}

/* Its grace ends in October, but the month ends on Wed the 30th: the last three workdays are 28, 29, 30. */
static void an_unfinished_round_is_chased_before_the_month_ends(void **state)
{
    struct beat *b = beat_new("  late:\n    title: {en: Late}\n    rule: FREQ=MONTHLY;BYMONTHDAY=10\n"
                              "    start: 2026-01-01\n    grace: 30d\n    calendar: cn-office\n");

    (void)state;
    beat_add(b, "printer", "East");
    beat_until(b, "2026-09-27 23:00");
    assert_int_equal(beat_letters(b, NEWS_ROUND_UNFINISHED), 0);
    beat_until(b, "2026-09-28 23:00");
    assert_int_equal(beat_letters(b, NEWS_ROUND_UNFINISHED), 1);
    expect_local(b->letters.v[1].at_ms, "2026-09-28 08:30");
    beat_until(b, "2026-10-07 23:00"); /* National Day: nobody works */
    assert_int_equal(beat_letters(b, NEWS_ROUND_UNFINISHED), 3);
    beat_until(b, "2026-10-08 23:00");
    assert_int_equal(beat_letters(b, NEWS_ROUND_UNFINISHED), 4);
    beat_free(b);
}

static void it_is_chased_in_the_hours_of_its_site(void **state)
{
    struct beat *b = beat_new(ON_THE_TENTH);

    (void)state;
    beat_add(b, "printer", "Berlin");
    beat_until(b, "2026-09-16 00:00");
    assert_int_equal(beat_letters(b, NEWS_ROUND_OVERDUE), 1);
    expect_local(b->letters.v[1].at_ms, "2026-09-15 15:00"); /* nine in Berlin */
    beat_free(b);
}

/* ---- Preventive plans ---- */

#define AIR                                                                                                            \
    "  air:\n    title: {en: Filters, zh_CN: 清洗}\n    kind: preventive\n    rule: FREQ=MONTHLY;BYMONTHDAY=10\n"    \
    "    start: 2026-01-01\n    classes: [air-conditioner]\n"

static void a_preventive_plan_opens_a_ticket_at_each_site(void **state)
{
    struct beat *b = beat_new(AIR);

    (void)state;
    beat_add(b, "air-conditioner", "East");
    beat_add(b, "air-conditioner", "East");
    beat_add(b, "air-conditioner", "West");
    beat_add(b, "printer", "North");
    beat_until(b, "2026-09-11 00:00");
    assert_int_equal(b->rounds.n, 0);
    assert_int_equal(b->tickets.n, 2);
    assert_string_equal(b->tickets.v[0].number, "plan air 1 site East");
    assert_int_equal(b->tickets.v[0].kind, TICKET_KIND_PREVENTIVE);
    beat_restart(b, INT64_C(30) * DAY);
    assert_int_equal(b->tickets.n, 4);
    assert_string_equal(b->tickets.v[3].number, "plan air 2 site West");
    beat_free(b);
}

static void or_for_each_device(void **state)
{
    struct beat *b = beat_new(AIR "    each: device\n");

    (void)state;
    beat_add(b, "air-conditioner", "East");
    beat_add(b, "air-conditioner", "East");
    beat_until(b, "2026-09-11 00:00");
    assert_int_equal(b->tickets.n, 2);
    assert_string_equal(b->tickets.v[1].number, "plan air 1 device 2");
    assert_int_equal(b->tickets.v[1].device_id, 2);
    beat_free(b);
}

/* ---- What is coming, what was reported ---- */

static void count(void *ctx, const struct plan *plan, int64_t due_ms)
{
    struct sbuf *out = ctx;
    char text[20];

    sbuf_addf(out, "%s %s;", plan->name, beat_local(due_ms, text));
}

static void what_is_coming_is_told_plan_by_plan(void **state)
{
    struct beat *b = beat_new(MONTHLY ON_THE_TENTH);
    int64_t october = INT64_C(1790784000000), november = october + 31 * (int64_t)DAY;
    struct sbuf got = {0};

    (void)state;
    patrol_upcoming(b->patrol, october, november, count, &got);
    assert_string_equal(got.s, "monthly 2026-10-30 09:00;tenth 2026-10-10 09:00;");
    sbuf_free(&got);
    beat_free(b);
}

static void a_signed_round_is_reported_once(void **state)
{
    struct beat *b = one_round(ON_THE_TENTH, "2026-09-10 09:00");
    struct change *c = change_new();
    int64_t due = b->rounds.v[0].due_ms;

    (void)state;
    patrol_reported(b->patrol, "East", due, due + 1, c);
    assert_true(change_empty(c)); /* it is not signed yet */
    beat_fill(b, 1, NULL, "", true, NULL);
    beat_sign(b, 1, NULL);
    patrol_reported(b->patrol, "West", due, due + 1, c);
    patrol_reported(b->patrol, "East", due - 1, due, c);
    assert_true(change_empty(c));
    patrol_reported(b->patrol, "East", due, due + 1, c);
    assert_int_equal(c->rows.n, 1);
    assert_int_equal(c->rows.v[0].round.state, ROUND_REPORTED);
    assert_null(patrol_round(b->patrol, 1));
    change_free(c);
    beat_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_is_made_when_its_plan_falls_due),
        cmocka_unit_test(each_site_has_a_round_of_its_own),
        cmocka_unit_test(what_fell_due_while_it_was_down_is_made_once_each),
        cmocka_unit_test(a_round_that_did_not_come_to_the_disk_is_made_again_under_its_number),
        cmocka_unit_test(a_plan_begins_when_it_is_first_seen),
        cmocka_unit_test(an_empty_scope_is_an_event_and_no_round),
        cmocka_unit_test(two_plans_on_one_day_have_a_round_each),
        cmocka_unit_test(a_scope_is_what_fits_each_of_its_lists),
        cmocka_unit_test(what_is_polled_is_filled_in),
        cmocka_unit_test(all_that_is_well_is_named),
        cmocka_unit_test(a_visit_takes_what_is_polled_anew),
        cmocka_unit_test(what_is_not_told_any_more_stays_as_it_was),
        cmocka_unit_test(a_person_goes_before_what_is_polled),
        cmocka_unit_test(a_round_with_nothing_open_waits_for_its_signature),
        cmocka_unit_test(every_visit_of_a_round_can_be_ended_at_once),
        cmocka_unit_test(what_makes_no_sense_is_refused_in_words_and_changes_nothing),
        cmocka_unit_test(what_is_not_complete_is_not_signed),
        cmocka_unit_test(the_rounds_of_a_plan_are_known_by_its_name),
        cmocka_unit_test(findings_become_tickets_when_it_is_signed),
        cmocka_unit_test(a_fault_that_has_a_ticket_gets_no_other),
        cmocka_unit_test(a_signature_that_was_lost_opens_its_tickets_once),
        cmocka_unit_test(a_device_that_is_removed_holds_up_no_round),
        cmocka_unit_test(a_round_all_of_whose_devices_are_gone_can_be_signed),
        cmocka_unit_test(open_rounds_go_on_without_their_plan),
        cmocka_unit_test(a_plan_that_comes_back_begins_anew),
        cmocka_unit_test(a_rule_that_changes_goes_on_counting),
        cmocka_unit_test(a_plan_can_count_from_when_it_was_done),
        cmocka_unit_test(a_round_is_overdue_when_its_time_is_over),
        cmocka_unit_test(an_overdue_round_is_chased_once_a_workday),
        cmocka_unit_test(no_day_is_told_of_twice_by_a_restart),
        cmocka_unit_test(an_unfinished_round_is_chased_before_the_month_ends),
        cmocka_unit_test(it_is_chased_in_the_hours_of_its_site),
        cmocka_unit_test(a_preventive_plan_opens_a_ticket_at_each_site),
        cmocka_unit_test(or_for_each_device),
        cmocka_unit_test(what_is_coming_is_told_plan_by_plan),
        cmocka_unit_test(a_signed_round_is_reported_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
