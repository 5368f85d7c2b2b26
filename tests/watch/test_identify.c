#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "tests/watch/site.h"

static void a_device_is_recognised_at_first_contact(void **state)
{
    struct site *s = site_new();
    int64_t id;
    const struct device *d;

    (void)state;
    site_box(s, "10.0.0.1");
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, SECOND);
    d = watch_device(s->watch, id);
    assert_string_equal(d->profile, "box");
    assert_string_equal(d->device_class, "printer");
    assert_string_equal(d->make, "Acme");
    assert_string_equal(d->model, "Acme Box 100");
    assert_string_equal(d->serial, "SN-1");
    assert_null(d->firmware);
    assert_int_equal(site_count(s, "device.identified"), 1);
    assert_non_null(strstr(site_last(s, "device.identified")->args, "\"model\":\"Acme Box 100\""));
    assert_non_null(strstr(site_last(s, "device.identified")->args, s->knowledge->hash));
    assert_string_equal(s->devices.v[0].profile, "box");
    site_free(s);
}

static void the_wish_of_the_operator_wins(void **state)
{
    struct site *s = site_new();
    struct device d = {.name = (char *)"prn", .address = (char *)"10.0.0.1", .profile_wish = (char *)"switch"};
    struct change *c = change_new();
    int64_t id;
    char *why = NULL;

    (void)state;
    site_box(s, "10.0.0.1");
    assert_int_equal(watch_device_add(s->watch, &d, NULL, c, &id, &why), 0);
    change_free(c);
    site_pass(s, SECOND);
    assert_string_equal(watch_device(s->watch, id)->profile, "switch");
    site_free(s);
}

/* A meter is not asked what it is: its profile says so, and later its own registers say more. */
static int64_t add_meter(struct site *s)
{
    struct device d = {.name = (char *)"meter", .address = (char *)"10.0.0.7", .profile_wish = (char *)"meter"};
    struct fake_device *f = fake_device(s->collector, "10.0.0.7");
    struct change *c = change_new();
    int64_t id = 0;
    char *why = NULL;

    fake_int(f, "meter.n", 0, 5);
    fake_text(f, "meter.model", 0, "M 3");
    fake_text(f, "meter.serial", 0, "0042");
    assert_int_equal(watch_device_add(s->watch, &d, NULL, c, &id, &why), 0);
    change_free(c);
    return id;
}

static void a_profile_tells_its_collector_class_and_make(void **state)
{
    struct site *s = site_new();
    int64_t id = add_meter(s);
    const struct device *d = watch_device(s->watch, id);

    (void)state;
    assert_string_equal(d->collector, "bus");
    assert_null(d->credential);
    assert_string_equal(d->device_class, "power");
    assert_string_equal(d->make, "Acme");
    assert_null(d->model);
    site_free(s);
}

static void a_device_that_is_not_asked_tells_its_model_as_it_is_read(void **state)
{
    struct site *s = site_new();
    int64_t id = add_meter(s);
    const struct device *d;

    (void)state;
    site_pass(s, SECOND);
    d = watch_device(s->watch, id);
    assert_string_equal(d->make, "Acme");
    assert_string_equal(d->model, "M 3");
    assert_string_equal(d->serial, "0042");
    assert_int_equal(site_count(s, "device.identified"), 1); /* what was told at once belongs to the command */
    assert_string_equal(s->devices.v[0].serial, "0042");
    site_free(s);
}

static void what_it_told_stays_while_it_is_not_read(void **state)
{
    struct site *s = site_new();
    int64_t id = add_meter(s);
    size_t before;

    (void)state;
    site_pass(s, SECOND);
    before = site_count(s, "device.identified");
    fake_absent(fake_device(s->collector, "10.0.0.7"), "meter.model", 0);
    site_restart(s, MINUTE);
    site_pass(s, 2 * DAY);
    assert_string_equal(watch_device(s->watch, id)->model, "M 3");
    assert_string_equal(watch_device(s->watch, id)->serial, "0042");
    assert_int_equal(site_count(s, "device.identified"), before);
    fake_text(fake_device(s->collector, "10.0.0.7"), "meter.serial", 0, "0043"); /* another was put in its place */
    site_pass(s, DAY);
    assert_string_equal(watch_device(s->watch, id)->serial, "0043");
    assert_int_equal(site_count(s, "device.identified"), before + 1);
    site_free(s);
}

static void what_matches_no_profile_is_still_watched(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id;
    struct device_status status;

    (void)state;
    fake_text(f, "id.descr", 0, "Toaster");
    id = site_add(s, "t", "10.0.0.1");
    site_pass(s, 10 * MINUTE);
    assert_null(watch_device(s->watch, id)->profile);
    assert_int_equal(site_count(s, "device.identified"), 1);
    watch_device_status(s->watch, id, &status);
    assert_int_equal(status.state, DEVICE_UP);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 4 * MINUTE);
    assert_non_null(site_open(s, id, "reach"));
    site_free(s);
}

static void note_error(void *ctx, const struct log_line *line)
{
    unsigned *errors = ctx;

    if (line->level == LOG_LEVEL_ERROR && strstr(line->msg, "bad.yaml:8:") && strstr(line->msg, "a bad address"))
        ++*errors;
}

static void a_profile_that_cannot_be_compiled_is_named_once_and_the_device_still_watched(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    unsigned errors = 0;
    int64_t id;

    (void)state;
    log_set_sink(note_error, &errors);
    fake_text(f, "id.descr", 0, "Bad Thing");
    id = site_add(s, "b", "10.0.0.1");
    site_pass(s, 2 * DAY);
    assert_int_equal(errors, 1);
    assert_string_equal(watch_device(s->watch, id)->profile, "bad");
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 4 * MINUTE);
    assert_non_null(site_open(s, id, "reach"));
    log_set_sink(NULL, NULL);
    site_free(s);
}

static void who_is_back_is_asked_again_who_it_is(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    site_pass(s, MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 5 * MINUTE);
    fake_text(f, "id.serial", 0, "SN-2");
    fake_mode(f, FAKE_ANSWERS);
    site_pass(s, MINUTE + SECOND);
    assert_string_equal(watch_device(s->watch, id)->serial, "SN-2");
    assert_int_equal(site_count(s, "device.identified"), 2);
    site_free(s);
}

static void once_a_day_it_is_asked_again(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    site_pass(s, MINUTE);
    fake_text(f, "id.descr", 0, "Acme Switch 24");
    site_pass(s, 23 * HOUR);
    assert_string_equal(watch_device(s->watch, id)->profile, "box");
    site_pass(s, HOUR);
    assert_string_equal(watch_device(s->watch, id)->profile, "switch");
    site_free(s);
}

static void the_same_identity_is_no_news(void **state)
{
    struct site *s = site_new();

    (void)state;
    site_box(s, "10.0.0.1");
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, 3 * DAY);
    assert_int_equal(site_count(s, "device.identified"), 1);
    site_free(s);
}

static void half_an_answer_takes_nothing_away(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    site_pass(s, MINUTE);
    fake_mode(f, FAKE_PARTIAL); /* the serial is in the half that is missing */
    site_pass(s, 2 * DAY);
    assert_string_equal(watch_device(s->watch, id)->serial, "SN-1");
    assert_int_equal(site_count(s, "device.identified"), 1);
    site_free(s);
}

static void hostile_texts_are_made_safe(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id;

    (void)state;
    fake_text(f, "id.serial", 0, " \x01\xff\x1b[31mSN\n ");
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, MINUTE);
    for (const char *p = watch_device(s->watch, id)->serial; *p; p++)
        assert_true((unsigned char)*p >= ' ');
    site_free(s);
}

static struct fake_device *add_stack(struct site *s, int64_t *id)
{
    struct fake_device *f = fake_device(s->collector, "10.0.0.9");

    fake_text(f, "id.descr", 0, "Acme Stack of two");
    fake_text(f, "id.stack", 0, "S 2");
    fake_int(f, "stack.n", 0, 2);
    fake_text(f, "stack.serial", 0, "MEMBER-1");
    fake_text(f, "stack.version", 0, "Release V4.5");
    *id = site_add(s, "stack", "10.0.0.9");
    return f;
}

static void further_questions_are_asked_of_whom_they_matter_to(void **state)
{
    struct site *s = site_new();
    const struct fake_read *reads;
    int64_t stack, box;
    size_t n;

    (void)state;
    site_box(s, "10.0.0.1");
    box = site_add(s, "prn", "10.0.0.1");
    reads = fake_reads(add_stack(s, &stack), &n);
    site_pass(s, 10 * SECOND);
    assert_string_equal(watch_device(s->watch, stack)->profile, "stack");
    assert_string_equal(watch_device(s->watch, stack)->model, "S 2");
    assert_string_equal(watch_device(s->watch, box)->profile, "box");
    reads = fake_reads(fake_device(s->collector, "10.0.0.9"), &n);
    assert_true(n >= 2);
    assert_int_equal(reads[0].parts, 1);
    assert_int_equal(reads[1].parts, 3);
    reads = fake_reads(fake_device(s->collector, "10.0.0.1"), &n);
    assert_int_equal(reads[0].parts, 1);
    assert_int_not_equal(reads[1].parts, 3); /* its first poll */
    /* Both answers make one identification; the second event is of what the modules tell. */
    assert_int_equal(site_count(s, "device.identified"), 3);
    site_free(s);
}

static void modules_fill_what_identification_leaves_unknown(void **state)
{
    struct site *s = site_new();
    struct fake_device *f;
    int64_t id;

    (void)state;
    f = add_stack(s, &id);
    site_pass(s, 10 * SECOND);
    assert_string_equal(watch_device(s->watch, id)->serial, "MEMBER-1");
    assert_string_equal(watch_device(s->watch, id)->firmware, "4.5");
    site_pass(s, 3 * DAY); /* asked again each day, and no news */
    assert_string_equal(watch_device(s->watch, id)->serial, "MEMBER-1");
    assert_int_equal(site_count(s, "device.identified"), 2);
    fake_text(f, "stack.version", 0, "Release V4.6");
    site_pass(s, 2 * DAY);
    assert_string_equal(watch_device(s->watch, id)->firmware, "4.6");
    site_free(s);
}

static void what_identification_tells_itself_no_module_changes(void **state)
{
    struct site *s = site_new();
    struct fake_device *f;
    int64_t id;

    (void)state;
    f = add_stack(s, &id);
    fake_text(f, "id.serial", 0, "CHASSIS-9");
    site_pass(s, 3 * DAY);
    assert_string_equal(watch_device(s->watch, id)->serial, "CHASSIS-9");
    assert_string_equal(watch_device(s->watch, id)->firmware, "4.5");
    site_restart(s, MINUTE);
    site_pass(s, 3 * DAY);
    assert_string_equal(watch_device(s->watch, id)->serial, "CHASSIS-9");
    assert_int_equal(site_count(s, "device.identified"), 2);
    site_free(s);
}

static void a_profile_has_rates_of_its_own(void **state)
{
    struct site *s = site_new();
    size_t before, n;
    int64_t id;

    (void)state;
    add_stack(s, &id);
    site_pass(s, 10 * MINUTE);
    fake_reads(fake_device(s->collector, "10.0.0.9"), &before);
    site_pass(s, HOUR);
    fake_reads(fake_device(s->collector, "10.0.0.9"), &n);
    assert_in_range(n - before, 119, 121); /* every half minute */
    site_free(s);
}

static void a_device_is_asked_as_its_profile_says(void **state)
{
    struct site *s = site_new();
    const struct pd_target *t;
    int64_t id;

    (void)state;
    add_stack(s, &id);
    site_pass(s, MINUTE);
    t = fake_target(fake_device(s->collector, "10.0.0.9"));
    assert_int_equal(t->version, 1);
    assert_true(t->no_bulk);
    assert_int_equal(t->timeout_ms, 3000);
    assert_int_equal(t->retries, 0);
    assert_int_equal(t->message_size, 1400);
    assert_int_equal(t->max_rows, 50);
    assert_int_equal(t->in_flight, 1);
    site_free(s);
}

static void what_was_told_is_at_hand_for_who_asks_why(void **state)
{
    struct site *s = site_new();
    const struct value *row;
    size_t n = 0;
    int64_t id;

    (void)state;
    add_stack(s, &id);
    assert_int_equal(watch_device_identification(s->watch, id, &row, &n), PD_ESTATE);
    assert_int_equal(watch_device_identification(s->watch, id + 1, &row, &n), PD_ENOENT);
    site_pass(s, 10 * SECOND);
    assert_int_equal(watch_device_identification(s->watch, id, &row, &n), 0);
    assert_int_equal(n, 3);
    assert_string_equal(row[0].text, "Acme Stack of two");
    assert_int_equal(row[1].why, WHY_ABSENT);
    assert_string_equal(row[2].text, "S 2");
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(further_questions_are_asked_of_whom_they_matter_to),
        cmocka_unit_test(modules_fill_what_identification_leaves_unknown),
        cmocka_unit_test(what_identification_tells_itself_no_module_changes),
        cmocka_unit_test(a_profile_has_rates_of_its_own),
        cmocka_unit_test(a_device_is_asked_as_its_profile_says),
        cmocka_unit_test(what_was_told_is_at_hand_for_who_asks_why),
        cmocka_unit_test(a_device_is_recognised_at_first_contact),
        cmocka_unit_test(the_wish_of_the_operator_wins),
        cmocka_unit_test(a_profile_tells_its_collector_class_and_make),
        cmocka_unit_test(a_device_that_is_not_asked_tells_its_model_as_it_is_read),
        cmocka_unit_test(what_it_told_stays_while_it_is_not_read),
        cmocka_unit_test(what_matches_no_profile_is_still_watched),
        cmocka_unit_test(a_profile_that_cannot_be_compiled_is_named_once_and_the_device_still_watched),
        cmocka_unit_test(who_is_back_is_asked_again_who_it_is),
        cmocka_unit_test(once_a_day_it_is_asked_again),
        cmocka_unit_test(the_same_identity_is_no_news),
        cmocka_unit_test(half_an_answer_takes_nothing_away),
        cmocka_unit_test(hostile_texts_are_made_safe),
    };

    return cmocka_run_group_tests_name("watch/identify", tests, NULL, NULL);
}
