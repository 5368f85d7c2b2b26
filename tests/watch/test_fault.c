#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
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

static void low_then_empty_is_one_fault_in_two_degrees(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);
    const struct alert *a;

    (void)state;
    fake_int(f, "supply.level", 1, 12);
    site_pass(s, 10 * MINUTE);
    a = site_open(s, id, "supply");
    assert_string_equal(a->rule, "supply-low");
    assert_int_equal(a->severity, SEVERITY_WARNING);
    assert_string_equal(a->label, "Black");
    assert_string_equal(a->message_args, "{\"level\":\"12 %\"}");
    assert_int_equal(a->ticket_id, 1000 + a->id);
    fake_int(f, "supply.level", 1, 1);
    site_pass(s, 10 * MINUTE);
    a = site_open(s, id, "supply");
    assert_string_equal(a->rule, "supply-empty");
    assert_int_equal(a->severity, SEVERITY_MAJOR);
    assert_string_equal(a->message_args, "{\"level\":\"1 %\"}");
    fake_int(f, "supply.level", 1, 10);
    site_pass(s, 10 * MINUTE);
    assert_string_equal(site_open(s, id, "supply")->rule, "supply-low");
    fake_int(f, "supply.level", 1, 100);
    site_pass(s, 10 * MINUTE);
    assert_null(site_open(s, id, "supply"));
    assert_string_equal(s->moves.s, "ogmc");
    assert_int_equal(s->alerts.n, 1);
    assert_int_equal(site_count(s, "alert.changed"), 2);
    site_free(s);
}

static void two_components_are_two_faults(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);
    struct device_status status;

    (void)state;
    fake_int(f, "supply.level", 1, 12);
    fake_int(f, "supply.level", 2, 0);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(site_count(s, "alert.opened"), 2);
    assert_int_equal(s->alerts.v[0].id, 1);
    assert_int_equal(s->alerts.v[1].id, 2);
    watch_device_status(s->watch, id, &status);
    assert_int_equal(status.open_faults, 2);
    site_free(s);
}

static void events_say_what_and_by_which_configuration(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);
    const struct event *e;

    (void)state;
    fake_int(f, "supply.level", 1, 12);
    site_pass(s, 10 * MINUTE);
    e = site_last(s, "alert.opened");
    assert_int_equal(e->device_id, id);
    assert_int_equal(e->alert_id, 1);
    assert_non_null(strstr(e->args, "\"family\":\"supply\""));
    assert_non_null(strstr(e->args, "\"rule\":\"supply-low\""));
    assert_non_null(strstr(e->args, "\"severity\":\"warning\""));
    assert_non_null(strstr(e->args, "\"component\":\"Black\""));
    assert_non_null(strstr(e->args, s->knowledge->hash));
    site_free(s);
}

static void a_part_of_an_open_fault_is_not_told(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    fake_int(f, "box.cover", 0, 1);
    site_pass(s, HOUR);
    assert_int_equal(site_count(s, "alert.opened"), 1);
    assert_non_null(site_open(s, id, "jam"));
    fake_int(f, "box.jam", 0, 0);
    fake_int(f, "box.cover", 0, 0);
    site_pass(s, HOUR);
    assert_string_equal(s->moves.s, "oc");
    site_free(s);
}

static void a_part_is_judged_anew_when_the_whole_ends(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);
    int64_t ended;

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    fake_int(f, "box.cover", 0, 1);
    site_pass(s, HOUR);
    fake_int(f, "box.jam", 0, 0);
    site_pass(s, MINUTE);
    assert_null(site_open(s, id, "jam"));
    ended = site_last(s, "alert.closed")->at_ms;
    assert_null(site_open(s, id, "cover")); /* its hold begins only now */
    site_pass(s, MINUTE);
    assert_non_null(site_open(s, id, "cover"));
    assert_true(site_last(s, "alert.opened")->at_ms >= ended + 30 * SECOND);
    site_free(s);
}

static void a_part_that_was_open_before_lives_on(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "box.cover", 0, 1);
    site_pass(s, 3 * MINUTE);
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, 3 * MINUTE);
    assert_non_null(site_open(s, id, "cover"));
    assert_non_null(site_open(s, id, "jam"));
    fake_int(f, "box.cover", 0, 0);
    site_pass(s, MINUTE);
    assert_null(site_open(s, id, "cover"));
    site_free(s);
}

static void a_fault_can_be_acknowledged_once(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);
    struct change *c = change_new();

    (void)state;
    fake_int(f, "box.jam", 0, 1);
    site_pass(s, MINUTE);
    assert_int_equal(watch_alert_ack(s->watch, 99, "li", c), PD_ENOENT);
    assert_int_equal(watch_alert_ack(s->watch, 1, "li", c), 0);
    assert_int_equal(watch_alert_ack(s->watch, 1, "li", c), PD_ESTATE);
    assert_int_equal(c->events.n, 1);
    assert_string_equal(c->events.v[0].kind, "alert.acked");
    assert_string_equal(c->events.v[0].actor, "li");
    assert_int_equal(c->rows.v[0].alert.state, ALERT_ACKED);
    assert_string_equal(c->rows.v[0].alert.acked_by, "li");
    change_free(c);
    fake_int(f, "box.jam", 0, 0);
    site_pass(s, MINUTE);
    assert_string_equal(s->moves.s, "oac");
    site_free(s);
}

static void a_fault_of_a_component_that_is_gone_closes_after_a_day(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_int(f, "supply.level", 1, 12);
    site_pass(s, 10 * MINUTE);
    fake_absent(f, "supply.level", 1);
    fake_absent(f, "supply.descr", 1);
    site_pass(s, 23 * HOUR);
    assert_non_null(site_open(s, id, "supply"));
    site_pass(s, 2 * HOUR);
    assert_null(site_open(s, id, "supply"));
    assert_non_null(strstr(site_last(s, "alert.closed")->args, "\"reason\":\"component-gone\""));
    for (size_t i = 0; i < s->holds.n; i++)
        assert_int_equal(s->holds.v[i].state, HOLD_OK);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(low_then_empty_is_one_fault_in_two_degrees),
        cmocka_unit_test(two_components_are_two_faults),
        cmocka_unit_test(events_say_what_and_by_which_configuration),
        cmocka_unit_test(a_part_of_an_open_fault_is_not_told),
        cmocka_unit_test(a_part_is_judged_anew_when_the_whole_ends),
        cmocka_unit_test(a_part_that_was_open_before_lives_on),
        cmocka_unit_test(a_fault_can_be_acknowledged_once),
        cmocka_unit_test(a_fault_of_a_component_that_is_gone_closes_after_a_day),
    };

    return cmocka_run_group_tests_name("watch/fault", tests, NULL, NULL);
}
