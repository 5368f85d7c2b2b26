#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/watch/site.h"

static struct fake_device *begin(struct site **s, int64_t *id)
{
    struct fake_device *f;

    *s = site_new();
    f = site_box(*s, "10.0.0.1");
    *id = site_add(*s, "prn", "10.0.0.1");
    site_pass(*s, 20 * MINUTE);
    return f;
}

/* ---- Restart ---- */

static void an_open_fault_is_not_told_again_after_a_restart(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    site_restart(s, HOUR);
    site_pass(s, HOUR);
    assert_int_equal(site_count(s, "alert.opened"), 1);
    fake_int(f, "box.jam", 0, 0);
    site_pass(s, MINUTE);
    assert_string_equal(s->moves.s, "oc");
    site_free(s);
}

static void a_fault_that_ended_meanwhile_closes_after_a_restart(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    fake_int(f, "box.jam", 0, 0);
    site_restart(s, HOUR);
    site_pass(s, MINUTE + SECOND);
    assert_null(site_open(s, id, "jam"));
    site_free(s);
}

/* The alert stands, but its hold was lost: the alert is believed. */
static void a_fault_without_a_kept_hold_goes_on(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    for (size_t i = 0; i < s->holds.n; i++)
        s->holds.v[i].state = HOLD_OK;
    site_restart(s, MINUTE);
    site_pass(s, 5 * MINUTE);
    assert_int_equal(site_count(s, "alert.opened"), 1);
    assert_int_equal(site_count(s, "alert.closed"), 0);
    fake_int(f, "box.jam", 0, 0);
    site_pass(s, MINUTE);
    assert_string_equal(s->moves.s, "oc");
    site_free(s);
}

static void a_pending_hold_keeps_its_time_over_a_restart(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_text(f, "box.name", 0, "worn"); /* held for 90 s */
    site_pass(s, MINUTE);
    assert_int_equal(s->holds.n, 1);
    assert_int_equal(s->holds.v[0].state, HOLD_PENDING);
    site_restart(s, 100 * SECOND);
    site_pass(s, MINUTE + SECOND);
    assert_non_null(site_open(s, id, "worn"));
    site_free(s);
}

static void a_hold_from_the_future_begins_now(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_text(f, "box.name", 0, "worn");
    site_pass(s, MINUTE);
    site_restart(s, -DAY); /* the wall clock was set back */
    site_pass(s, MINUTE + SECOND);
    assert_null(site_open(s, id, "worn"));
    site_pass(s, 2 * MINUTE);
    assert_non_null(site_open(s, id, "worn"));
    site_free(s);
}

static void a_hold_keeps_its_time_over_a_clock_step_and_a_restart(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);
    int64_t since;

    (void)state;
    fake_text(f, "box.name", 0, "worn");
    site_pass(s, MINUTE);
    since = s->holds.v[0].since_ms;
    s->time.wall += HOUR;
    site_pass(s, MINUTE);
    assert_int_equal(site_count(s, "clock.stepped"), 1);
    assert_int_equal(s->holds.v[0].since_ms, since + HOUR);
    site_free(s);
}

static void what_was_read_before_is_shown_as_stale_after_a_restart(void **state)
{
    struct site *s;
    int64_t id;

    (void)state;
    begin(&s, &id);
    site_restart(s, MINUTE);
    assert_int_equal(site_point(s, id, "device", "", "jam").quality, QUALITY_STALE);
    assert_false(site_point(s, id, "device", "", "jam").b);
    site_pass(s, MINUTE + SECOND);
    assert_int_equal(site_point(s, id, "device", "", "name").quality, QUALITY_GOOD);
    assert_int_equal(site_point(s, id, "supply", "1", "level").quality, QUALITY_GOOD);
    site_free(s);
}

static void a_known_device_needs_no_new_introduction(void **state)
{
    struct site *s;
    int64_t id;

    (void)state;
    begin(&s, &id);
    site_restart(s, MINUTE);
    site_pass(s, 2 * DAY);
    assert_int_equal(site_count(s, "device.identified"), 1);
    assert_string_equal(watch_device(s->watch, id)->profile, "box");
    site_free(s);
}

static void ids_go_on_after_a_restart(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    fake_int(f, "box.jam", 0, 0);
    site_pass(s, MINUTE);
    site_restart(s, MINUTE);
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, 2 * MINUTE);
    assert_int_equal(site_open(s, id, "jam")->id, 2);
    assert_int_equal(site_add(s, "next", "10.0.0.2"), id + 1);
    site_free(s);
}

/* ---- Reload ---- */

static void a_fault_whose_rule_is_gone_closes(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    site_reload(s, "jam");
    assert_null(site_open(s, id, "jam"));
    assert_non_null(strstr(site_last(s, "alert.closed")->args, "\"reason\":\"rule-gone\""));
    for (size_t i = 0; i < s->holds.n; i++)
        assert_int_equal(s->holds.v[i].state, HOLD_OK);
    site_pass(s, HOUR);
    assert_string_equal(s->moves.s, "oc");
    site_free(s);
}

static void a_fault_whose_gravest_rule_is_gone_falls_to_the_next(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "supply.level", 1, 1);
    site_pass(s, 10 * MINUTE);
    assert_string_equal(site_open(s, id, "supply")->rule, "supply-empty");
    site_reload(s, "supply-empty");
    assert_string_equal(site_open(s, id, "supply")->rule, "supply-low");
    assert_string_equal(s->moves.s, "om");
    site_free(s);
}

static void a_rule_gone_while_stopped_closes_at_the_start(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    s->alerts.v[0].rule[0] = 'x'; /* no rule has this name any more */
    s->holds.v[0].rule[0] = 'x';
    site_restart(s, MINUTE);
    assert_int_equal(site_count(s, "alert.closed"), 1);
    assert_non_null(strstr(site_last(s, "alert.closed")->args, "\"reason\":\"rule-gone\""));
    assert_int_equal(s->holds.v[0].state, HOLD_OK);
    site_free(s);
}

static void a_fault_takes_over_the_new_severity_of_its_rule(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    s->alerts.v[0].severity = SEVERITY_WARNING; /* as if the rule had said so */
    site_restart(s, MINUTE);
    assert_int_equal(site_open(s, id, "jam")->severity, SEVERITY_MAJOR);
    assert_string_equal(s->moves.s, "og");
    s->alerts.v[0].severity = SEVERITY_CRITICAL;
    site_restart(s, MINUTE);
    assert_int_equal(site_open(s, id, "jam")->severity, SEVERITY_MAJOR);
    assert_string_equal(s->moves.s, "ogm");
    site_free(s);
}

static void holds_and_points_live_through_a_reload(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_text(f, "box.name", 0, "worn");
    site_pass(s, MINUTE);
    assert_int_equal(s->holds.v[0].state, HOLD_PENDING);
    site_reload(s, "cover-open");
    assert_string_equal(site_point(s, id, "device", "", "name").text, "worn");
    assert_int_equal((int)site_point(s, id, "supply", "1", "level").num, 80);
    site_pass(s, 2 * MINUTE + SECOND);
    assert_non_null(site_open(s, id, "worn"));
    site_free(s);
}

static void a_reload_begins_reads_anew_and_takes_new_targets(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);
    char new_secret[] = "neu", *old = s->settings.credentials.v[0].community;

    (void)state;
    assert_string_equal(fake_target(f)->community, "geheim");
    fake_delay(f, 30 * SECOND);
    while (fake_busy(s->collector) == 0)
        site_pass(s, SECOND);
    s->settings.credentials.v[0].community = new_secret;
    site_reload(s, NULL);
    s->settings.credentials.v[0].community = old;
    assert_int_equal(fake_busy(s->collector), 0);
    assert_string_equal(fake_target(f)->community, "neu");
    fake_delay(f, 50);
    site_pass(s, 2 * MINUTE);
    assert_int_equal(site_count(s, "device.identified"), 1);
    assert_int_equal(fake_open_count(s->collector), 1);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_fault_is_not_told_again_after_a_restart),
        cmocka_unit_test(a_fault_that_ended_meanwhile_closes_after_a_restart),
        cmocka_unit_test(a_fault_without_a_kept_hold_goes_on),
        cmocka_unit_test(a_pending_hold_keeps_its_time_over_a_restart),
        cmocka_unit_test(a_hold_from_the_future_begins_now),
        cmocka_unit_test(a_hold_keeps_its_time_over_a_clock_step_and_a_restart),
        cmocka_unit_test(what_was_read_before_is_shown_as_stale_after_a_restart),
        cmocka_unit_test(a_known_device_needs_no_new_introduction),
        cmocka_unit_test(ids_go_on_after_a_restart),
        cmocka_unit_test(a_fault_whose_rule_is_gone_closes),
        cmocka_unit_test(a_fault_whose_gravest_rule_is_gone_falls_to_the_next),
        cmocka_unit_test(a_rule_gone_while_stopped_closes_at_the_start),
        cmocka_unit_test(a_fault_takes_over_the_new_severity_of_its_rule),
        cmocka_unit_test(holds_and_points_live_through_a_reload),
        cmocka_unit_test(a_reload_begins_reads_anew_and_takes_new_targets),
    };

    return cmocka_run_group_tests_name("watch/watch", tests, NULL, NULL);
}
