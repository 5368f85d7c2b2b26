#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "truth.h"

/* Times in seconds here. One printer, polled every minute for an hour; jam: within 190 s, cleared within 190 s. */
enum { S = 1000, END = 3600 };

static struct story *story;

static int parse(void **state)
{
    static const char text[] = "title: T\nstart: 2026-03-02 08:00\nlength: 1h\n"
                               "configuration: {poll: {every: {supplies: 60s}}}\n"
                               "devices:\n  - {name: p, model: copier}\n";
    struct conf_report report = {0};
    int rc = story_parse("s", text, strlen(text), &story, &report);

    (void)state;
    conf_report_free(&report);
    return rc;
}

static int release(void **state)
{
    (void)state;
    story_free(story);
    return 0;
}

static struct truths *begin(void)
{
    struct truths *t = truth_new(story);

    truth_patrold(t, true, 0);
    return t;
}

static void there(struct truths *t, enum truth_rule_id rule, int from, int to)
{
    int toner = truth_in_pieces(rule) ? 1 : -1;

    truth_there(t, 0, rule, toner, true, from * S);
    if (rule == TRUTH_UNREACHABLE)
        truth_hidden(t, 0, true, from * S);
    if (to > 0)
        truth_there(t, 0, rule, toner, false, to * S);
    if (rule == TRUTH_UNREACHABLE)
        truth_hidden(t, 0, false, to * S);
}

static struct expectations finish(struct truths *t)
{
    struct expectations e = {0};

    truth_finish(t, END * S, &e);
    truth_free(t);
    return e;
}

static void must(const struct expectations *e, size_t i, enum truth_rule_id rule, int open_by, int close_by)
{
    const struct expectation *x = &e->list.v[i];

    assert_true(i < e->list.n);
    assert_int_equal(x->rule, rule);
    assert_int_equal(x->open_by_ms, open_by < 0 ? INT64_MAX : (int64_t)open_by * S);
    assert_int_equal(x->close_by_ms, close_by < 0 ? INT64_MAX : (int64_t)close_by * S);
}

static void a_jam_opens_and_clears_in_time(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_JAM, 600, 1200);
    e = finish(t);
    assert_int_equal(e.list.n, 1);
    must(&e, 0, TRUTH_JAM, 790, 1390);
    assert_int_equal(e.list.v[0].from_ms, 650 * S);
    expectations_free(&e);
}

/* Exactly as long as it may take must be told; a moment less need not, but may; much less may not. */
static void its_length_decides(void **state)
{
    static const struct {
        enum truth_rule_id rule;
        int length_ms;
        size_t n;
        bool demanded;
    } rows[] = {
        {TRUTH_JAM, 190000, 1, true},
        {TRUTH_JAM, 189999, 1, false},
        {TRUTH_JAM, 1, 1, false},
        {TRUTH_COVER_OPEN, 310000, 1, true},
        {TRUTH_COVER_OPEN, 309999, 1, false},
        {TRUTH_COVER_OPEN, 110001, 1, false},
        {TRUTH_COVER_OPEN, 110000, 0, false},
        {TRUTH_COVER_OPEN, 10000, 0, false},
        {TRUTH_UNREACHABLE, 50000, 0, false},
        {TRUTH_UNREACHABLE, 250000, 1, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct truths *t = begin();
        struct expectations e;

        truth_there(t, 0, rows[i].rule, -1, true, 600 * S);
        truth_there(t, 0, rows[i].rule, -1, false, 600 * S + rows[i].length_ms);
        e = finish(t);
        if (e.list.n != rows[i].n || (e.list.n > 0 && (e.list.v[0].open_by_ms != INT64_MAX) != rows[i].demanded))
            fail_msg("row %zu: %zu expectations", i, e.list.n);
        expectations_free(&e);
    }
}

static void nothing_is_demanded_beyond_the_end(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_JAM, 600, END - 100); /* opens, has no time to clear */
    there(t, TRUTH_SERVICE, END - 189, 0);
    e = finish(t);
    assert_int_equal(e.list.n, 2);
    must(&e, 0, TRUTH_JAM, 790, -1);
    must(&e, 1, TRUTH_SERVICE, -1, -1);
    expectations_free(&e);
}

static void a_killed_patrold_gets_its_time_again(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_JAM, 600, 2000);
    truth_patrold(t, false, 700 * S);
    truth_patrold(t, true, 900 * S);
    truth_patrold(t, false, 2100 * S);
    truth_patrold(t, true, 2150 * S);
    e = finish(t);
    must(&e, 0, TRUTH_JAM, 1090, 2340);
    expectations_free(&e);
}

/* Who was silent for 480 s is asked again an eighth of that later. */
static void a_fault_of_a_machine_that_is_off_waits_for_it(void **state)
{
    enum { SILENCE = 480 / 8 };
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_UNREACHABLE, 520, 1000);
    there(t, TRUTH_JAM, 600, 2000);
    there(t, TRUTH_SERVICE, 550, 900); /* came and went unseen */
    e = finish(t);
    assert_int_equal(e.list.n, 3);
    must(&e, 0, TRUTH_UNREACHABLE, 770, 1130 + SILENCE);
    must(&e, 1, TRUTH_SERVICE, -1, 1190 + SILENCE);
    must(&e, 2, TRUTH_JAM, 1190 + SILENCE, 2190);
    expectations_free(&e);
}

static void a_gap_that_nobody_could_see_makes_no_two_faults(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_JAM, 600, 900);
    there(t, TRUTH_JAM, 1000, 1400); /* 100 s later: patrold may or may not have noticed */
    there(t, TRUTH_JAM, 1700, 2100); /* 300 s later: it must have */
    e = finish(t);
    assert_int_equal(e.list.n, 2);
    must(&e, 0, TRUTH_JAM, 790, 1590);
    assert_true(e.list.v[0].parted);
    must(&e, 1, TRUTH_JAM, 1890, 2290);
    assert_false(e.list.v[1].parted);
    expectations_free(&e);
}

static void a_cover_is_told_when_the_jam_is_over(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_COVER_OPEN, 700, 2500);
    there(t, TRUTH_JAM, 600, 1200);
    e = finish(t);
    assert_int_equal(e.list.n, 2);
    must(&e, 0, TRUTH_JAM, 790, 1390);
    must(&e, 1, TRUTH_COVER_OPEN, 1390 + 310, 2690);
    expectations_free(&e);
}

static void a_cover_within_a_jam_need_not_be_told(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_COVER_OPEN, 700, 1150);
    there(t, TRUTH_JAM, 600, 1200);
    e = finish(t);
    must(&e, 1, TRUTH_COVER_OPEN, -1, 1340);
    expectations_free(&e);
}

static void toner_low_then_empty_is_one_fault(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_SUPPLY_LOW, 600, 2600);
    there(t, TRUTH_SUPPLY_EMPTY, 1800, 2600);
    e = finish(t);
    assert_int_equal(e.list.n, 1);
    must(&e, 0, TRUTH_SUPPLY_LOW, 600 + 430, 2600 + 250);
    assert_int_equal(e.list.v[0].piece, 1);
    assert_int_equal(e.list.v[0].degrees[1].by_ms, (1800 + 190) * S);
    expectations_free(&e);
}

static void toner_that_empties_at_once_opens_as_empty(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_SUPPLY_LOW, 600, 2600);
    there(t, TRUTH_SUPPLY_EMPTY, 610, 2600);
    e = finish(t);
    must(&e, 0, TRUTH_SUPPLY_LOW, 610 + 190, 2600 + 250);
    expectations_free(&e);
}

static void polls_that_the_network_lost_do_not_count(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_JAM, 600, 2000);
    truth_unread(t, 0, 660 * S, 668 * S);
    e = finish(t);
    must(&e, 0, TRUTH_JAM, 668 + 190, 2190);
    expectations_free(&e);
}

static void beyond_bearing_a_machine_may_seem_to_be_off(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    truth_blind(t, 0, true, 500 * S);
    truth_blind(t, 0, false, 1500 * S);
    there(t, TRUTH_JAM, 600, 1400);
    e = finish(t);
    assert_int_equal(e.list.n, 2);
    must(&e, 0, TRUTH_UNREACHABLE, -1, 1630);
    must(&e, 1, TRUTH_JAM, -1, 1690);
    expectations_free(&e);
}

/* ---- What came with families, windows and others that a machine is reached by ---- */

static void a_restart_is_told_for_an_hour(void **state)
{
    struct truths *t = truth_new(story);
    struct expectations e = {0};

    (void)state;
    truth_patrold(t, true, 0);
    truth_restarted(t, 0, 600 * S);
    truth_finish(t, 3 * END * S, &e);
    truth_free(t);
    assert_int_equal(e.list.n, 2); /* for sure, and what is possible around it */
    assert_int_equal(e.list.v[0].open_by_ms, (600 + 130) * S);
    assert_int_equal(e.list.v[1].open_by_ms, INT64_MAX);
    assert_true(e.list.v[0].loose);
    assert_int_equal(e.list.v[1].close_by_ms, (600 + 130 + 3600 + 130) * S);
    expectations_free(&e);
}

static void a_restart_that_another_hides_need_not_be_told(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    truth_restarted(t, 0, 600 * S);
    truth_restarted(t, 0, 650 * S);
    e = finish(t);
    for (size_t i = 0; i < e.list.n; i++)
        if (e.list.v[i].began_ms == 600 * S)
            assert_int_equal(e.list.v[i].open_by_ms, INT64_MAX);
    expectations_free(&e);
}

static void what_a_window_judges_gets_the_window_as_well(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_CPU_HIGH, 0, 1600); /* counters every 5 minutes, a mean of 15 */
    e = finish(t);
    must(&e, 0, TRUTH_CPU_HIGH, 900 + 610, 1600 + 900 + 300 + 610);
    expectations_free(&e);
}

static void a_milder_degree_is_reached_by_a_graver_one_alone(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    there(t, TRUTH_ON_BATTERY, 600, 2000);
    there(t, TRUTH_BATTERY_LOW, 1500, 2000);
    e = finish(t);
    assert_int_equal(e.list.n, 1);
    must(&e, 0, TRUTH_ON_BATTERY, 600 + 190, 2000 + 190);
    assert_int_equal(e.list.v[0].ndegrees, 2);
    assert_int_equal(e.list.v[0].degrees[1].by_ms, (1500 + 130) * S);
    expectations_free(&e);
}

static void what_is_possible_may_come_and_keeps_nothing_open_for_ever(void **state)
{
    struct truths *t = begin();
    struct expectations e;

    (void)state;
    truth_possible(t, 0, TRUTH_SUPPLY_FORECAST, 1, 600 * S, 1200 * S);
    there(t, TRUTH_SUPPLY_LOW, 900, 2000);
    e = finish(t);
    assert_int_equal(e.list.n, 2);
    must(&e, 0, TRUTH_SUPPLY_FORECAST, -1, -1);
    must(&e, 1, TRUTH_SUPPLY_LOW, 900 + 430, -1); /* a forecast takes hours to clear */
    assert_true(e.list.v[1].loose);
    expectations_free(&e);
}

static void who_is_not_seen_to_fall_asleep_may_seem_to_be_off(void **state)
{
    (void)state;
    for (int seen = 0; seen < 2; seen++) {
        struct truths *t = begin();
        struct expectations e;

        if (!seen)
            truth_unread(t, 0, 640 * S, 641 * S);
        truth_asleep(t, 0, 600 * S, 750 * S, 2000 * S);
        e = finish(t);
        assert_int_equal(e.list.n, seen ? 0 : 1);
        expectations_free(&e);
    }
}

/* Two machines, the second reached by the first. */
static void what_a_machine_is_reached_by_hides_it(void **state)
{
    static const char text[] = "title: T\nstart: 2026-03-02 08:00\nlength: 1h\ndevices:\n"
                               "  - {name: s, model: switch}\n  - {name: p, model: copier, parent: s}\n";
    struct conf_report report = {0};
    struct expectations e = {0};
    struct story *two = NULL;
    struct truths *t;

    (void)state;
    assert_int_equal(story_parse("s", text, strlen(text), &two, &report), 0);
    conf_report_free(&report);
    t = truth_new(two);
    truth_patrold(t, true, 0);
    truth_hidden(t, 0, true, 600 * S);
    truth_hidden(t, 1, true, 600 * S);
    truth_there(t, 1, TRUTH_UNREACHABLE, -1, true, 700 * S);
    truth_hidden(t, 0, false, 1200 * S);
    truth_finish(t, END * S, &e);
    assert_int_equal(e.list.n, 1);
    must(&e, 0, TRUTH_UNREACHABLE, 1200 + 600 / 8 + 130 + 250, -1);
    expectations_free(&e);
    truth_free(t);
    story_free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jam_opens_and_clears_in_time),
        cmocka_unit_test(its_length_decides),
        cmocka_unit_test(nothing_is_demanded_beyond_the_end),
        cmocka_unit_test(a_killed_patrold_gets_its_time_again),
        cmocka_unit_test(a_fault_of_a_machine_that_is_off_waits_for_it),
        cmocka_unit_test(a_gap_that_nobody_could_see_makes_no_two_faults),
        cmocka_unit_test(a_cover_is_told_when_the_jam_is_over),
        cmocka_unit_test(a_cover_within_a_jam_need_not_be_told),
        cmocka_unit_test(toner_low_then_empty_is_one_fault),
        cmocka_unit_test(toner_that_empties_at_once_opens_as_empty),
        cmocka_unit_test(polls_that_the_network_lost_do_not_count),
        cmocka_unit_test(beyond_bearing_a_machine_may_seem_to_be_off),
        cmocka_unit_test(a_restart_is_told_for_an_hour),
        cmocka_unit_test(a_restart_that_another_hides_need_not_be_told),
        cmocka_unit_test(what_a_window_judges_gets_the_window_as_well),
        cmocka_unit_test(a_milder_degree_is_reached_by_a_graver_one_alone),
        cmocka_unit_test(what_is_possible_may_come_and_keeps_nothing_open_for_ever),
        cmocka_unit_test(who_is_not_seen_to_fall_asleep_may_seem_to_be_off),
        cmocka_unit_test(what_a_machine_is_reached_by_hides_it),
    };

    return cmocka_run_group_tests(tests, parse, release);
}
