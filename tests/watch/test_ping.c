#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "tests/watch/site.h"

/* A printer that was well for an hour and is silent from then on; what it says to pings. */
struct quiet {
    struct site *s;
    struct fake_device *snmp, *pings;
    int64_t id;
};

static struct quiet quiet_new(enum fake_mode pings)
{
    struct quiet q = {.s = site_new_with_pings()};

    q.snmp = site_box(q.s, "10.0.0.1");
    q.pings = fake_device(q.s->pinger, "10.0.0.1");
    q.id = site_add(q.s, "prn", "10.0.0.1");
    site_pass(q.s, HOUR);
    fake_mode(q.snmp, FAKE_SILENT);
    fake_mode(q.pings, pings);
    return q;
}

static struct value device_point(const struct quiet *q, const char *point)
{
    return site_point(q->s, q->id, "device", "", point);
}

static size_t pings_of(const struct quiet *q)
{
    size_t n;

    fake_reads(q->pings, &n);
    return n;
}

/* Until one is under way; fails after three minutes. */
static void wait_for_ping(const struct quiet *q)
{
    for (int i = 0; fake_busy(q->s->pinger) == 0; i++) {
        assert_true(i < 180);
        site_pass(q->s, SECOND);
    }
}

static void who_answers_is_not_pinged(void **state)
{
    struct quiet q = quiet_new(FAKE_ANSWERS);

    (void)state;
    assert_int_equal(pings_of(&q), 0);
    assert_int_equal(device_point(&q, "ping").quality, QUALITY_UNKNOWN);
    site_free(q.s);
}

/* What the pings of a silent device say, and which faults that makes. */
static void a_silent_device_is_pinged(void **state)
{
    static const struct {
        enum fake_mode mode;
        enum quality quality;
        bool answers, only_silent;
    } rows[] = {
        {FAKE_ANSWERS, QUALITY_GOOD, true, true},
        {FAKE_SILENT, QUALITY_GOOD, false, false},
        {FAKE_REFUSES, QUALITY_UNKNOWN, false, false}, /* ICMP is not possible here */
        {FAKE_BROKEN, QUALITY_UNKNOWN, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct quiet q = quiet_new(rows[i].mode);
        struct value ping;

        site_pass(q.s, 5 * MINUTE);
        ping = device_point(&q, "ping");
        if (ping.quality != rows[i].quality || (ping.quality == QUALITY_GOOD && ping.b != rows[i].answers) ||
            pings_of(&q) != 5 || device_point(&q, "reachable").b)
            fail_msg("row %zu: quality %d, %d, %zu pings", i, ping.quality, ping.b, pings_of(&q));
        if (!site_open(q.s, q.id, "reach") || !site_open(q.s, q.id, "silent") != !rows[i].only_silent)
            fail_msg("row %zu: the faults are others", i);
        site_free(q.s);
    }
}

/* However long the ping takes, its poll's moment is that when it was due. */
static void both_are_judged_as_of_when_the_poll_was_due(void **state)
{
    struct quiet q = quiet_new(FAKE_ANSWERS);
    const struct fake_read *asked;
    int64_t since[2] = {0};
    size_t n;

    (void)state;
    site_pass(q.s, 2 * MINUTE); /* the third poll in a row tells */
    fake_delay(q.pings, 20 * SECOND);
    wait_for_ping(&q);
    assert_int_equal(device_point(&q, "reachable").b, true); /* nothing is known before the ping's end */
    site_pass(q.s, 20 * SECOND);
    assert_int_equal(device_point(&q, "reachable").b, false);
    for (size_t i = 0; i < q.s->holds.n; i++) {
        const struct hold_record *h = &q.s->holds.v[i];

        if (h->state == HOLD_FIRING && strcmp(h->rule, "unreachable") == 0)
            since[0] = h->since_ms;
        if (h->state == HOLD_FIRING && strcmp(h->rule, "silent") == 0)
            since[1] = h->since_ms;
    }
    assert_int_equal(since[0], since[1]);
    asked = fake_reads(q.snmp, &n);
    assert_in_range(q.s->time.wall - since[0] - (q.s->time.mono - asked[n - 1].at_ms), 0, 10); /* a tick at most */
    site_free(q.s);
}

/* Nor does it make an outage known any later: from the second poll on it goes beside the read. */
static void a_ping_without_an_answer_delays_nothing(void **state)
{
    struct quiet q = quiet_new(FAKE_SILENT);
    const struct fake_read *asked;
    size_t n;

    (void)state;
    fake_delay(q.snmp, 8 * SECOND);
    fake_delay(q.pings, 3 * SECOND);
    for (int i = 0; i < 240 && device_point(&q, "reachable").b; i++)
        site_pass(q.s, SECOND);
    asked = fake_reads(q.snmp, &n);
    assert_in_range(q.s->time.mono - asked[n - 1].at_ms, 8 * SECOND, 9 * SECOND);
    assert_int_equal(pings_of(&q), 3);
    assert_int_equal(device_point(&q, "ping").quality, QUALITY_GOOD);
    assert_false(device_point(&q, "ping").b);
    site_free(q.s);
}

/* ---- The end of a long silence ---- */

static size_t reads_of(const struct quiet *q)
{
    size_t n;

    fake_reads(q->snmp, &n);
    return n;
}

/* It was off for hours, so it is probed every five minutes only. */
static struct quiet off_for_hours(void)
{
    struct quiet q = quiet_new(FAKE_SILENT);

    q.s->settings.silent_ms = 5 * MINUTE;
    site_pass(q.s, 2 * HOUR);
    return q;
}

static void who_is_switched_on_again_is_known_within_an_interval(void **state)
{
    (void)state;
    for (int64_t phase = 0; phase < 5 * MINUTE; phase += 17 * SECOND) {
        struct quiet q = off_for_hours();

        site_pass(q.s, phase);
        fake_mode(q.pings, FAKE_ANSWERS);
        fake_mode(q.snmp, FAKE_ANSWERS);
        site_pass(q.s, MINUTE + SECOND);
        if (!device_point(&q, "reachable").b)
            fail_msg("switched on after %lld s more: not seen in its interval", (long long)phase / SECOND);
        site_free(q.s);
    }
}

static void who_takes_minutes_to_start_is_waited_for(void **state)
{
    struct quiet q = off_for_hours();

    (void)state;
    fake_mode(q.pings, FAKE_ANSWERS);
    site_pass(q.s, 4 * MINUTE);
    fake_mode(q.snmp, FAKE_ANSWERS);
    site_pass(q.s, MINUTE + SECOND);
    assert_true(device_point(&q, "reachable").b);
    site_free(q.s);
}

/* One ping an interval, and no more probes than without. */
static void who_is_off_is_pinged_between_its_probes(void **state)
{
    struct quiet q = off_for_hours();
    size_t reads = reads_of(&q), pings = pings_of(&q);

    (void)state;
    site_pass(q.s, HOUR);
    assert_in_range(reads_of(&q) - reads, 12, 13);
    assert_in_range(pings_of(&q) - pings, 59, 61);
    site_free(q.s);
}

static void who_answers_pings_all_the_time_is_not_probed_more_often_for_it(void **state)
{
    struct quiet q = quiet_new(FAKE_ANSWERS);
    size_t reads, pings;

    (void)state;
    q.s->settings.silent_ms = 5 * MINUTE;
    site_pass(q.s, 2 * HOUR);
    reads = reads_of(&q);
    pings = pings_of(&q);
    site_pass(q.s, HOUR);
    assert_in_range(reads_of(&q) - reads, 12, 13);
    assert_in_range(pings_of(&q) - pings, 12, 13);
    site_free(q.s);
}

/* A ping under way when a probe is due, a reload, the end: nothing is lost and nothing hangs. */
static void a_slow_ping_between_probes_is_no_obstacle(void **state)
{
    struct quiet q = off_for_hours();

    (void)state;
    fake_delay(q.pings, 70 * SECOND);
    site_pass(q.s, 20 * MINUTE);
    while (fake_busy(q.s->pinger) == 0)
        site_pass(q.s, SECOND);
    site_reload(q.s, NULL);
    assert_int_equal(fake_busy(q.s->pinger), 0);
    site_pass(q.s, 20 * MINUTE);
    fake_mode(q.snmp, FAKE_ANSWERS);
    site_pass(q.s, 7 * MINUTE);
    assert_true(device_point(&q, "reachable").b);
    site_free(q.s);
}

static void a_ping_takes_no_longer_than_a_request_of_the_devices(void **state)
{
    struct quiet q = quiet_new(FAKE_ANSWERS);

    (void)state;
    q.s->settings.timeout_ms = 250;
    q.s->settings.retries = 1;
    site_pass(q.s, MINUTE + SECOND);
    assert_int_equal(fake_target(q.pings)->timeout_ms, 250);
    assert_int_equal(fake_target(q.pings)->retries, 1);
    site_free(q.s);
    q = quiet_new(FAKE_ANSWERS);
    site_pass(q.s, MINUTE + SECOND);
    assert_int_equal(fake_target(q.pings)->timeout_ms, 1000);
    assert_int_equal(fake_target(q.pings)->retries, 2);
    site_free(q.s);
}

static void who_answers_while_it_is_pinged_is_not_waited_for(void **state)
{
    struct quiet q = quiet_new(FAKE_SILENT);

    (void)state;
    site_pass(q.s, MINUTE);
    fake_mode(q.snmp, FAKE_ANSWERS);
    fake_delay(q.snmp, 5 * SECOND);
    fake_delay(q.pings, 30 * SECOND);
    wait_for_ping(&q);
    site_pass(q.s, 5 * SECOND);
    assert_int_equal(fake_busy(q.s->pinger), 0);
    assert_true(device_point(&q, "reachable").b);
    assert_int_equal(device_point(&q, "ping").quality, QUALITY_UNKNOWN);
    site_free(q.s);
}

static void who_answers_again_has_no_ping_any_more(void **state)
{
    struct quiet q = quiet_new(FAKE_ANSWERS);
    size_t pings;

    (void)state;
    site_pass(q.s, 3 * MINUTE);
    assert_int_equal(device_point(&q, "ping").quality, QUALITY_GOOD);
    fake_mode(q.snmp, FAKE_ANSWERS);
    site_pass(q.s, MINUTE);
    pings = pings_of(&q);
    assert_int_equal(device_point(&q, "ping").quality, QUALITY_UNKNOWN);
    assert_null(site_open(q.s, q.id, "silent"));
    site_pass(q.s, HOUR);
    assert_int_equal(pings_of(&q), pings);
    site_free(q.s);
}

static void without_a_collector_for_it_nothing_is_known(void **state)
{
    struct site *s = site_new();
    int64_t id;

    (void)state;
    fake_mode(site_box(s, "10.0.0.1"), FAKE_SILENT);
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, HOUR);
    assert_int_equal(site_point(s, id, "device", "", "reachable").b, false);
    assert_int_equal(site_point(s, id, "device", "", "ping").quality, QUALITY_UNKNOWN);
    site_free(s);
}

/* A bus's name is no address for pings: its devices' silence is taken in all the same. */
static void what_is_no_address_is_not_pinged(void **state)
{
    struct quiet q = quiet_new(FAKE_ANSWERS);
    int64_t id;

    (void)state;
    fake_shut(q.pings = fake_device(q.s->pinger, "bus"));
    fake_mode(site_box(q.s, "bus"), FAKE_SILENT);
    id = site_add(q.s, "meter", "bus");
    site_pass(q.s, MINUTE);
    assert_int_equal(site_point(q.s, id, "device", "", "reachable").b, false);
    assert_int_equal(site_point(q.s, id, "device", "", "ping").quality, QUALITY_UNKNOWN);
    site_free(q.s);
}

/* A gateway's answer says nothing of a unit behind it; a device that is the only one there is pinged whatever its unit. */
static void units_of_a_gateway_are_not_pinged(void **state)
{
    static const struct {
        uint8_t first, second; /* 0: no second device */
        enum quality quality;
    } rows[] = {{1, 2, QUALITY_UNKNOWN}, {3, 0, QUALITY_GOOD}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct quiet q = quiet_new(FAKE_ANSWERS);
        int64_t id;

        fake_device(q.s->pinger, "10.0.0.9");
        fake_mode(site_box(q.s, "10.0.0.9"), FAKE_SILENT);
        id = site_add_unit(q.s, "meter", "10.0.0.9", rows[i].first);
        if (rows[i].second > 0)
            site_add_unit(q.s, "other", "10.0.0.9", rows[i].second);
        site_pass(q.s, HOUR);
        if (site_point(q.s, id, "device", "", "reachable").b ||
            site_point(q.s, id, "device", "", "ping").quality != rows[i].quality)
            fail_msg("row %zu", i);
        site_free(q.s);
    }
}

/* The device goes, the knowledge changes, or all ends while a ping is under way: nothing is left open. */
static void a_ping_under_way_is_no_obstacle(void **state)
{
    struct quiet q = quiet_new(FAKE_ANSWERS);
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    fake_delay(q.pings, 50 * SECOND);
    wait_for_ping(&q);
    site_reload(q.s, NULL);
    assert_int_equal(fake_busy(q.s->pinger), 0);
    wait_for_ping(&q);
    assert_int_equal(watch_device_poll(q.s->watch, q.id, NULL, NULL), 0); /* not before it has ended */
    assert_int_equal(fake_busy(q.s->collector), 0);
    assert_int_equal(watch_device_remove(q.s->watch, q.id, NULL, c, &why), 0);
    assert_int_equal(fake_busy(q.s->pinger), 0);
    assert_int_equal(fake_open_count(q.s->pinger), 0);
    change_free(c);
    site_free(q.s);
}

/* ---- Devices that are only pinged ---- */

static int64_t add_pinged(struct site *s, const char *profile, int *err, char **why)
{
    struct device d = {.name = xstrdup("rtr"),
                       .address = xstrdup("10.0.0.2"),
                       .collector = xstrdup("icmp"),
                       .profile_wish = xstrdup_null(profile)};
    struct change *c = change_new();
    int64_t id = 0;

    *err = watch_device_add(s->watch, &d, NULL, c, &id, why);
    change_free(c);
    device_fini(&d);
    return id;
}

static void a_device_that_is_only_pinged_is_what_its_profile_says(void **state)
{
    struct site *s = site_new_with_pings();
    struct fake_device *f = fake_device(s->pinger, "10.0.0.2");
    const struct device *d;
    char *why = NULL;
    int64_t id;
    int err;

    (void)state;
    fake_int(f, "rtt", 0, 7);
    id = add_pinged(s, "pinged", &err, &why);
    assert_int_equal(err, 0);
    d = watch_device(s->watch, id);
    assert_null(d->credential);
    assert_string_equal(d->profile, "pinged");
    assert_string_equal(d->device_class, "router");
    assert_string_equal(d->make, "Acme");
    site_pass(s, 5 * MINUTE);
    assert_true(site_point(s, id, "device", "", "reachable").b);
    assert_true(site_point(s, id, "device", "", "ping").b);
    assert_true(site_point(s, id, "device", "", "rtt").num == 7);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 5 * MINUTE);
    assert_false(site_point(s, id, "device", "", "reachable").b);
    assert_false(site_point(s, id, "device", "", "ping").b);
    assert_non_null(site_open(s, id, "reach"));
    site_free(s);
}

static void it_needs_a_profile_of_its_collector(void **state)
{
    static const struct {
        const char *profile, *why;
    } rows[] = {
        {NULL, "rtr needs a profile: a device can't be asked by icmp what it is; there are pinged (router)"},
        {"box", "profile 'box' is read by snmp, not by icmp"},
        {"nothing", "there is no profile 'nothing'"},
    };
    struct site *s = site_new_with_pings();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *why = NULL;
        int err;

        add_pinged(s, rows[i].profile, &err, &why);
        if (err != PD_EINVAL || strcmp(why, rows[i].why) != 0)
            fail_msg("row %zu: %d, %s", i, err, why ? why : "-");
        free(why);
    }
    site_free(s);
}

/* Where ICMP is not possible nothing is known of it, and it is no fault. */
static void nothing_is_known_where_nobody_may_ping(void **state)
{
    struct site *s = site_new_with_pings();
    struct device_status status;
    struct value reachable;
    char *why = NULL;
    int64_t id;
    int err;

    (void)state;
    fake_mode(fake_device(s->pinger, "10.0.0.2"), FAKE_REFUSES);
    id = add_pinged(s, "pinged", &err, &why);
    site_pass(s, HOUR);
    reachable = site_point(s, id, "device", "", "reachable");
    assert_int_equal(reachable.quality, QUALITY_UNKNOWN);
    watch_device_status(s->watch, id, &status);
    assert_int_equal(status.state, DEVICE_NEW);
    assert_int_equal(site_count(s, "alert.opened"), 0);
    assert_int_equal(site_count(s, "device.refused"), 1);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_answers_is_not_pinged),
        cmocka_unit_test(a_silent_device_is_pinged),
        cmocka_unit_test(both_are_judged_as_of_when_the_poll_was_due),
        cmocka_unit_test(a_ping_without_an_answer_delays_nothing),
        cmocka_unit_test(who_is_switched_on_again_is_known_within_an_interval),
        cmocka_unit_test(who_takes_minutes_to_start_is_waited_for),
        cmocka_unit_test(who_is_off_is_pinged_between_its_probes),
        cmocka_unit_test(who_answers_pings_all_the_time_is_not_probed_more_often_for_it),
        cmocka_unit_test(a_slow_ping_between_probes_is_no_obstacle),
        cmocka_unit_test(a_ping_takes_no_longer_than_a_request_of_the_devices),
        cmocka_unit_test(who_answers_while_it_is_pinged_is_not_waited_for),
        cmocka_unit_test(who_answers_again_has_no_ping_any_more),
        cmocka_unit_test(without_a_collector_for_it_nothing_is_known),
        cmocka_unit_test(what_is_no_address_is_not_pinged),
        cmocka_unit_test(units_of_a_gateway_are_not_pinged),
        cmocka_unit_test(a_ping_under_way_is_no_obstacle),
        cmocka_unit_test(a_device_that_is_only_pinged_is_what_its_profile_says),
        cmocka_unit_test(it_needs_a_profile_of_its_collector),
        cmocka_unit_test(nothing_is_known_where_nobody_may_ping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
