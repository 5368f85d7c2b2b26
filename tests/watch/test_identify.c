#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
