#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/watch/site.h"

/* Reads of a part within the last `ms`. */
static size_t reads_of(const struct site *s, const struct fake_device *f, unsigned part, int64_t ms)
{
    size_t n, count = 0;
    const struct fake_read *r = fake_reads(f, &n);

    for (size_t i = 0; i < n; i++)
        count += r[i].at_ms > s->time.mono - ms && r[i].sources > 2 && (r[i].parts & (1u << part));
    return count;
}

static void each_part_is_read_at_its_own_rate(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, HOUR);
    site_pass(s, HOUR);
    assert_int_equal(reads_of(s, f, PART_STATUS, HOUR), 60);
    assert_int_equal(reads_of(s, f, PART_COUNTERS, HOUR), 12);
    assert_int_equal(reads_of(s, f, PART_SUPPLIES, HOUR), 6);
    assert_int_equal(reads_of(s, f, PART_INVENTORY, HOUR), 0);
    site_free(s);
}

static void parts_due_together_are_read_together(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    size_t before, after;

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, HOUR);
    fake_reads(f, &before);
    site_pass(s, HOUR);
    fake_reads(f, &after);
    assert_int_equal(after - before, 60);
    site_free(s);
}

static void the_first_poll_reads_everything(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    size_t n;
    const struct fake_read *r;

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, SECOND);
    r = fake_reads(f, &n);
    assert_int_equal(n, 2); /* who it is, then all of its parts */
    assert_int_equal(r[1].parts, 1u << PART_STATUS | 1u << PART_COUNTERS | 1u << PART_SUPPLIES);
    site_free(s);
}

static void devices_are_spread_over_the_interval_and_stay_so(void **state)
{
    enum { DEVICES = 60 };
    struct site *s = site_new();
    unsigned seconds[60] = {0};

    (void)state;
    for (int i = 0; i < DEVICES; i++) {
        char name[32];

        snprintf(name, sizeof name, "10.0.0.%d", i);
        site_box(s, name);
        site_add(s, name, name);
    }
    site_pass(s, 10 * MINUTE);
    for (int i = 0; i < DEVICES; i++) {
        char name[32];
        size_t n;
        const struct fake_read *r;

        snprintf(name, sizeof name, "10.0.0.%d", i);
        r = fake_reads(fake_device(s->collector, name), &n);
        seconds[r[n - 1].at_ms / SECOND % 60]++;
        assert_int_equal(r[n - 1].at_ms - r[n - 2].at_ms, MINUTE);
        assert_int_equal(r[n - 2].at_ms - r[n - 3].at_ms, MINUTE);
    }
    for (int i = 0; i < 60; i++)
        assert_true(seconds[i] <= 6);
    site_free(s);
}

/* As many a second as can be read beside the others, of one subnet no more than it has places. */
static void devices_added_in_one_go_are_met_one_after_another(void **state)
{
    static const struct {
        int subnets, each;
        int64_t takes_ms;
    } rows[] = {{1, 10, 45}, {1, 200, 995}, {3, 200, 1662}, {12, 200, 4662}};

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct site *s = site_new();
        int64_t began, last = 0;
        size_t busiest = 0;

        for (int i = 0; i < rows[row].subnets * rows[row].each; i++) {
            char name[32];

            snprintf(name, sizeof name, "10.0.%d.%d", i / rows[row].each, i % rows[row].each);
            site_box(s, name);
            site_add(s, name, name);
        }
        for (began = s->time.mono; s->time.mono - began < 10 * SECOND; site_pass(s, 10))
            busiest = fake_busy(s->collector) > busiest ? fake_busy(s->collector) : busiest;
        for (int i = 0; i < rows[row].subnets * rows[row].each; i++) {
            char name[32];
            size_t n;
            int64_t met;

            snprintf(name, sizeof name, "10.0.%d.%d", i / rows[row].each, i % rows[row].each);
            met = fake_reads(fake_device(s->collector, name), &n)[0].at_ms - began;
            last = met > last ? met : last;
        }
        if (last < rows[row].takes_ms - 10 || last > rows[row].takes_ms + 20 || busiest > 100)
            fail_msg("row %zu: met within %lld ms, %zu at once", row, (long long)last, busiest);
        site_free(s);
    }
}

/* Where nothing else is new, a read under way goes on and the rhythm stays; the next read is by the new credential. */
static void new_settings_alone_disturb_nobody(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    size_t before, n;

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    fake_delay(f, 5 * SECOND);
    site_pass(s, 10 * MINUTE);
    while (fake_busy(s->collector) == 0)
        site_pass(s, SECOND);
    fake_reads(f, &before);
    xstrset(&s->settings.credentials.v[0].community, "another");
    watch_reload(s->watch, &s->settings, s->knowledge);
    assert_int_equal(fake_busy(s->collector), 1);
    assert_string_equal(fake_target(f)->community, "geheim");
    site_pass(s, 10 * MINUTE);
    assert_string_equal(fake_target(f)->community, "another");
    assert_int_equal(fake_reads(f, &n)[n - 1].at_ms - fake_reads(f, &n)[before - 1].at_ms, 10 * MINUTE);
    assert_int_equal(n - before, 10); /* nor is it asked who it is */
    site_free(s);
}

static void new_settings_find_who_could_not_be_polled(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    size_t before, after;

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, MINUTE);
    xstrset(&s->settings.credentials.v[0].name, "gone");
    watch_reload(s->watch, &s->settings, s->knowledge);
    site_pass(s, MINUTE);
    fake_reads(f, &before);
    site_pass(s, 10 * MINUTE);
    fake_reads(f, &after);
    assert_int_equal(after, before);
    xstrset(&s->settings.credentials.v[0].name, "office");
    watch_reload(s->watch, &s->settings, s->knowledge);
    site_pass(s, 10 * MINUTE);
    fake_reads(f, &after);
    assert_in_range(after - before, 10, 11);
    site_free(s);
}

static void a_new_interval_is_kept_from_the_reload_on(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    struct settings faster = s->settings;
    size_t before, after;

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, 10 * MINUTE);
    faster.every_ms[PART_STATUS] = 10 * SECOND;
    watch_reload(s->watch, &faster, s->knowledge);
    site_pass(s, MINUTE);
    fake_reads(f, &before);
    site_pass(s, MINUTE);
    fake_reads(f, &after);
    assert_int_equal(after - before, 6);
    site_free(s);
}

static void a_dead_device_is_only_probed(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 20 * MINUTE);
    site_pass(s, HOUR);
    assert_int_equal(reads_of(s, f, PART_STATUS, HOUR), 60);
    assert_int_equal(reads_of(s, f, PART_COUNTERS, HOUR), 0);
    assert_int_equal(reads_of(s, f, PART_SUPPLIES, HOUR), 0);
    site_free(s);
}

static void who_never_answered_is_given_up_no_sooner_than_others(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    size_t reads;

    (void)state;
    s->settings.silent_ms = 5 * MINUTE;
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 24 * HOUR); /* its silence begins when it is asked first, not with the clock */
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, 8 * MINUTE);
    fake_reads(f, &reads);
    assert_in_range(reads, 8, 10);
    site_free(s);
}

static void recovery_is_seen_within_one_interval_and_all_is_read(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");
    struct device_status status;

    (void)state;
    site_pass(s, MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, HOUR);
    watch_device_status(s->watch, id, &status);
    assert_int_equal(status.state, DEVICE_DOWN);
    fake_int(f, "supply.level", 1, 33);
    fake_mode(f, FAKE_ANSWERS);
    site_pass(s, MINUTE + SECOND);
    watch_device_status(s->watch, id, &status);
    assert_int_equal(status.state, DEVICE_UP);
    assert_int_equal(status.rtt_ms, 7);
    assert_int_equal((int)site_point(s, id, "supply", "1", "level").num, 33);
    site_free(s);
}

static void a_slow_read_never_overlaps(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    size_t n;

    (void)state;
    fake_delay(f, 150 * SECOND);
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, HOUR); /* the collector would say PD_EBUSY, and no answer would ever come */
    fake_reads(f, &n);
    assert_in_range(n, HOUR / (180 * SECOND), HOUR / (150 * SECOND));
    assert_true(fake_busy(s->collector) <= 1);
    site_free(s);
}

struct waiting {
    unsigned calls;
    enum pd_read_status status;
};

static void polled(void *arg, const struct pd_read_result *r)
{
    struct waiting *w = arg;

    w->calls++;
    w->status = r->status;
}

static void a_poll_that_is_wanted_comes_at_once_and_whole(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");
    struct waiting w = {0};

    (void)state;
    site_pass(s, MINUTE);
    fake_int(f, "supply.level", 2, 44);
    assert_int_equal(watch_device_poll(s->watch, id, polled, &w), 0);
    assert_int_equal(w.calls, 0);
    site_pass(s, SECOND);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.status, PD_READ_DONE);
    assert_int_equal((int)site_point(s, id, "supply", "2", "level").num, 44);
    site_free(s);
}

static void a_poll_wanted_during_a_read_is_a_new_one(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");
    struct waiting w = {0};

    (void)state;
    site_pass(s, 10 * MINUTE);
    fake_delay(f, 5 * SECOND);
    while (fake_busy(s->collector) == 0)
        site_pass(s, SECOND);
    watch_device_poll(s->watch, id, polled, &w);
    site_pass(s, 6 * SECOND);
    assert_int_equal(w.calls, 0);
    site_pass(s, 15 * SECOND);
    assert_int_equal(w.calls, 1);
    site_free(s);
}

static void who_waits_for_a_dead_or_removed_device_is_told(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");
    struct waiting w = {0};
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    fake_mode(f, FAKE_SILENT);
    watch_device_poll(s->watch, id, polled, &w);
    site_pass(s, SECOND);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.status, PD_READ_NOANSWER);
    watch_device_poll(s->watch, id, polled, &w);
    assert_int_equal(watch_device_remove(s->watch, id, NULL, c, &why), 0);
    change_free(c);
    assert_int_equal(w.calls, 2);
    assert_int_equal(w.status, PD_READ_CANCELLED);
    site_free(s);
}

static void trouble_that_is_not_silence_is_named_once_a_day(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    site_pass(s, MINUTE);
    fake_mode(f, FAKE_REFUSES);
    site_pass(s, 23 * HOUR);
    assert_int_equal(site_count(s, "device.refused"), 1);
    assert_int_equal(site_last(s, "device.refused")->device_id, id);
    assert_true(site_point(s, id, "device", "", "reachable").b);
    site_pass(s, 2 * HOUR);
    assert_int_equal(site_count(s, "device.refused"), 2);
    fake_mode(f, FAKE_BROKEN);
    site_pass(s, HOUR);
    assert_int_equal(site_count(s, "device.broken"), 1);
    assert_int_equal(site_count(s, "alert.opened"), 0);
    site_free(s);
}

static void a_wall_clock_that_was_set_is_an_event_once(void **state)
{
    struct site *s = site_new();

    (void)state;
    site_box(s, "10.0.0.1");
    site_box(s, "10.0.0.2");
    site_add(s, "a", "10.0.0.1");
    site_add(s, "b", "10.0.0.2");
    site_pass(s, 5 * MINUTE);
    s->time.wall += 1500;
    site_pass(s, 5 * MINUTE);
    assert_int_equal(site_count(s, "clock.stepped"), 0);
    s->time.wall -= HOUR;
    site_pass(s, 5 * MINUTE);
    assert_int_equal(site_count(s, "clock.stepped"), 1);
    assert_string_equal(site_last(s, "clock.stepped")->args, "{\"step_ms\":-3600000}");
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_is_read_at_its_own_rate),
        cmocka_unit_test(parts_due_together_are_read_together),
        cmocka_unit_test(the_first_poll_reads_everything),
        cmocka_unit_test(devices_are_spread_over_the_interval_and_stay_so),
        cmocka_unit_test(devices_added_in_one_go_are_met_one_after_another),
        cmocka_unit_test(new_settings_alone_disturb_nobody),
        cmocka_unit_test(new_settings_find_who_could_not_be_polled),
        cmocka_unit_test(a_new_interval_is_kept_from_the_reload_on),
        cmocka_unit_test(a_dead_device_is_only_probed),
        cmocka_unit_test(who_never_answered_is_given_up_no_sooner_than_others),
        cmocka_unit_test(recovery_is_seen_within_one_interval_and_all_is_read),
        cmocka_unit_test(a_slow_read_never_overlaps),
        cmocka_unit_test(a_poll_that_is_wanted_comes_at_once_and_whole),
        cmocka_unit_test(a_poll_wanted_during_a_read_is_a_new_one),
        cmocka_unit_test(who_waits_for_a_dead_or_removed_device_is_told),
        cmocka_unit_test(trouble_that_is_not_silence_is_named_once_a_day),
        cmocka_unit_test(a_wall_clock_that_was_set_is_an_event_once),
    };

    return cmocka_run_group_tests_name("watch/schedule", tests, NULL, NULL);
}
