#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/watch/site.h"

/* A box that has been polled for a while. */
static struct fake_device *begin(struct site **s, int64_t *id)
{
    struct fake_device *f;

    *s = site_new();
    f = site_box(*s, "10.0.0.1");
    *id = site_add(*s, "prn", "10.0.0.1");
    site_pass(*s, 20 * MINUTE);
    assert_int_equal(site_count(*s, "alert.opened"), 0);
    return f;
}

static void a_fault_without_hold_opens_and_closes_with_the_next_poll(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    assert_int_equal(site_count(s, "alert.opened"), 1);
    site_pass(s, HOUR);
    assert_int_equal(site_count(s, "alert.opened"), 1);
    fake_int(f, "box.jam", 0, 0);
    site_pass(s, MINUTE);
    assert_int_equal(site_count(s, "alert.closed"), 1);
    assert_non_null(strstr(site_last(s, "alert.closed")->args, "\"reason\":\"cleared\""));
    assert_string_equal(s->moves.s, "oc");
    site_free(s);
}

static void unknown_fires_nothing_and_clears_nothing(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, -1);
    site_pass(s, HOUR);
    assert_int_equal(site_count(s, "alert.opened"), 0);
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    assert_non_null(site_open(s, id, "jam"));
    fake_int(f, "box.jam", 0, -1);
    site_pass(s, HOUR);
    assert_non_null(site_open(s, id, "jam"));
    fake_absent(f, "box.jam", 0);
    site_pass(s, HOUR);
    assert_non_null(site_open(s, id, "jam"));
    site_free(s);
}

static void some_remains_is_not_a_number(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "supply.level", 1, -3);
    fake_int(f, "supply.level", 2, -2);
    site_pass(s, HOUR);
    assert_int_equal(site_point(s, id, "supply", "1", "level").quality, QUALITY_SOME);
    assert_int_equal(site_count(s, "alert.opened"), 0);
    site_free(s);
}

static void a_hold_must_be_held(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.cover", 0, 1);
    site_pass(s, MINUTE);
    fake_int(f, "box.cover", 0, 0); /* shut before 30 s of it were seen */
    site_pass(s, HOUR);
    assert_int_equal(site_count(s, "alert.opened"), 0);
    fake_int(f, "box.cover", 0, 1);
    site_pass(s, 2 * MINUTE + SECOND);
    assert_int_equal(site_count(s, "alert.opened"), 1);
    site_free(s);
}

/* A hold of one interval: the second poll fires, even if it was quicker than the first. */
static void holds_are_reckoned_from_when_polls_were_due(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id;

    (void)state;
    s->settings.every_ms[PART_STATUS] = 30 * SECOND;
    site_reload(s, NULL);
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, 20 * MINUTE);
    fake_delay(f, 8 * SECOND);
    fake_int(f, "box.cover", 0, 1); /* held for 30 s */
    site_pass(s, 30 * SECOND + 8 * SECOND);
    assert_int_equal(s->holds.v[0].state, HOLD_PENDING);
    fake_delay(f, 50);
    site_pass(s, 30 * SECOND);
    assert_non_null(site_open(s, id, "cover"));
    site_free(s);
}

static void the_end_must_be_held_too(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_switch(s, "10.0.0.1", 2);
    struct device d = {.name = (char *)"sw", .address = (char *)"10.0.0.1", .labels = (char *)"a=b, uplink=yes,c"};
    struct change *c = change_new();
    int64_t id;
    char *why = NULL;

    (void)state;
    assert_int_equal(watch_device_add(s->watch, &d, NULL, c, &id, &why), 0);
    change_free(c);
    site_pass(s, 10 * MINUTE);
    fake_int(f, "port.state", 2, 2);
    site_pass(s, 5 * MINUTE);
    assert_non_null(site_open(s, id, "port"));
    assert_string_equal(site_open(s, id, "port")->key, "eth2");
    fake_int(f, "port.state", 2, 1);
    site_pass(s, MINUTE);
    assert_int_equal(site_open(s, id, "port")->state, ALERT_CLEARING);
    fake_int(f, "port.state", 2, 2);
    site_pass(s, MINUTE);
    assert_int_equal(site_open(s, id, "port")->state, ALERT_FIRING);
    fake_int(f, "port.state", 2, 1);
    site_pass(s, 4 * MINUTE);
    assert_null(site_open(s, id, "port"));
    assert_string_equal(s->moves.s, "oc");
    site_free(s);
}

static void rules_are_only_for_devices_that_match(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_switch(s, "10.0.0.1", 2);

    (void)state;
    site_add(s, "sw", "10.0.0.1"); /* no label uplink=yes */
    site_pass(s, 10 * MINUTE);
    fake_int(f, "port.state", 2, 2);
    site_pass(s, HOUR);
    assert_int_equal(site_count(s, "alert.opened"), 0);
    site_free(s);
}

static void a_silent_device_is_one_fault_and_keeps_the_others_as_they_are(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, MINUTE + 90 * SECOND + MINUTE);
    assert_int_equal(site_count(s, "alert.opened"), 2);
    assert_non_null(site_open(s, id, "reach"));
    site_pass(s, DAY);
    assert_non_null(site_open(s, id, "jam"));
    assert_int_equal(site_count(s, "alert.opened"), 2);
    assert_int_equal(site_count(s, "alert.closed"), 0);
    fake_int(f, "box.jam", 0, 0);
    fake_mode(f, FAKE_ANSWERS);
    site_pass(s, MINUTE + SECOND);
    assert_null(site_open(s, id, "reach"));
    assert_null(site_open(s, id, "jam"));
    site_free(s);
}

static void a_short_silence_is_no_fault(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_mode(f, FAKE_SILENT);
    site_pass(s, MINUTE);
    fake_mode(f, FAKE_ANSWERS);
    site_pass(s, HOUR);
    assert_int_equal(site_count(s, "alert.opened"), 0);
    site_free(s);
}

static void judging_pauses_while_the_store_is_behind(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);
    size_t polls = s->polls;

    (void)state;
    s->backlog = true;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(site_count(s, "alert.opened"), 0);
    assert_true(s->polls >= polls + 10);
    s->backlog = false;
    site_pass(s, MINUTE);
    assert_int_equal(site_count(s, "alert.opened"), 1);
    site_free(s);
}

static void what_did_not_change_is_not_judged_again(void **state)
{
    struct site *s;
    int64_t id;
    struct watch_counters before, after;

    (void)state;
    begin(&s, &id);
    watch_counters(s->watch, &before);
    site_pass(s, HOUR);
    watch_counters(s->watch, &after);
    /*
     * Only what is part of another fault and what looks back is looked at each time: a cover, a since() of the device and
     * one a supply. Two more of the device look back at points that it does not tell.
     */
    assert_int_equal(after.evaluations - before.evaluations, (1 + 1 + 2) * (after.polls - before.polls));
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_without_hold_opens_and_closes_with_the_next_poll),
        cmocka_unit_test(unknown_fires_nothing_and_clears_nothing),
        cmocka_unit_test(some_remains_is_not_a_number),
        cmocka_unit_test(a_hold_must_be_held),
        cmocka_unit_test(holds_are_reckoned_from_when_polls_were_due),
        cmocka_unit_test(the_end_must_be_held_too),
        cmocka_unit_test(rules_are_only_for_devices_that_match),
        cmocka_unit_test(a_silent_device_is_one_fault_and_keeps_the_others_as_they_are),
        cmocka_unit_test(a_short_silence_is_no_fault),
        cmocka_unit_test(judging_pauses_while_the_store_is_behind),
        cmocka_unit_test(what_did_not_change_is_not_judged_again),
    };

    return cmocka_run_group_tests_name("watch/judge", tests, NULL, NULL);
}
