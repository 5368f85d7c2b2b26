#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/watch/site.h"

/*
 * Packets that are lost, devices that are dead, many that are due at once: when a device is down, how often it is
 * asked then, and who waits for whom.
 */

enum { TIMEOUTS = 8 * SECOND }; /* of one request: four tries */

static bool is_down(const struct site *s, int64_t id)
{
    struct device_status status;

    watch_device_status(s->watch, id, &status);
    return status.state == DEVICE_DOWN;
}

static bool is_reachable(const struct site *s, int64_t id)
{
    return site_point(s, id, "device", "", "reachable").b;
}

static size_t reads(const struct fake_device *f)
{
    size_t n;

    fake_reads(f, &n);
    return n;
}

static int64_t last_read(const struct fake_device *f)
{
    size_t n;
    const struct fake_read *r = fake_reads(f, &n);

    return r[n - 1].at_ms;
}

/* A box that was well for ten minutes. */
static struct fake_device *begin(struct site **s, int64_t *id)
{
    struct fake_device *f;

    *s = site_new();
    f = site_box(*s, "10.0.0.1");
    *id = site_add(*s, "prn", "10.0.0.1");
    site_pass(*s, 10 * MINUTE);
    return f;
}

/* ---- Down ---- */

static void one_or_two_lost_polls_are_a_gap_and_a_third_makes_an_outage_from_the_first(void **state)
{
    struct site *s;
    int64_t id, first;
    struct fake_device *f = begin(&s, &id);
    size_t polls = s->polls;

    (void)state;
    fake_mode(f, FAKE_SILENT);
    site_pass(s, MINUTE);
    first = last_read(f) + s->time.wall - s->time.mono;
    site_pass(s, MINUTE);
    assert_false(is_down(s, id));
    assert_true(is_reachable(s, id));
    assert_int_equal(s->polls, polls); /* nothing is said of it */
    assert_int_equal(s->holds.n, 0);
    site_pass(s, MINUTE);
    assert_true(is_down(s, id));
    assert_false(is_reachable(s, id));
    assert_non_null(site_open(s, id, "reach"));
    assert_int_equal(s->polls, polls + 2);
    assert_in_range(s->told_late_ms, first - 10, first);
    site_free(s);
}

static void who_answers_every_third_poll_is_never_down(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    for (int i = 0; i < 30; i++) {
        fake_mode(f, i % 3 == 2 ? FAKE_ANSWERS : FAKE_SILENT);
        site_pass(s, MINUTE);
        assert_true(is_reachable(s, id));
    }
    assert_int_equal(site_count(s, "alert.opened"), 0);
    site_free(s);
}

static void a_gap_makes_what_was_read_stale_but_nobody_down(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    fake_delay(f, 5 * MINUTE); /* it answers, but that takes very long */
    site_pass(s, 4 * MINUTE + 30 * SECOND);
    assert_false(is_down(s, id));
    assert_true(is_reachable(s, id));
    assert_null(site_open(s, id, "reach"));
    site_free(s);
}

/* A fifth is lost each way: all four tries of a request in 1.7 % of polls, three polls in a row in 0.05 of 10,000. */
static void heavy_loss_makes_hardly_anybody_down(void **state)
{
    enum { DEVICES = 300, POLLS = 120 };
    struct site *s = site_new();
    struct watch_counters counters;
    size_t down = 0;

    (void)state;
    for (int i = 0; i < DEVICES; i++) {
        char address[32];

        snprintf(address, sizeof address, "10.0.%d.%d", i / 200, i % 200);
        fake_loss(site_box(s, address), 20);
        site_add(s, address, address);
    }
    site_pass(s, POLLS * MINUTE);
    watch_counters(s->watch, &counters);
    for (size_t i = 0; i < s->events.n; i++)
        down += strcmp(s->events.v[i].kind, "alert.opened") == 0;
    print_message("%llu polls, %llu without an answer, %zu taken for down\n", (unsigned long long)counters.polls,
                  (unsigned long long)counters.failed_polls, down);
    assert_true(counters.polls >= 30000);
    assert_in_range(counters.failed_polls, counters.polls / 100, counters.polls / 40); /* the loss was real */
    assert_true(down <= counters.polls / 10000);
    site_free(s);
}

/* ---- A line that is cut ---- */

enum { LINES = 240 };

struct cut {
    const char *what;
    int64_t every_ms, read_ms, ping_ms;
    int subnet;       /* reads at a time; 0: any */
    int64_t after_ms; /* how long all were well */
};

/* So many devices, each with a jitter of its own, and all of them cut off at one moment. */
static struct site *cut_off(const struct cut *c, int64_t id[LINES])
{
    struct fake_device *f[LINES];
    struct site *s = c->ping_ms ? site_new_with_pings() : site_new();

    s->settings.every_ms[PART_STATUS] = c->every_ms;
    for (int i = 0; i < LINES; i++) {
        char address[32];

        snprintf(address, sizeof address, "10.0.7.%d", i);
        f[i] = site_box(s, address);
        fake_delay(f[i], c->read_ms);
        id[i] = site_add(s, address, address);
        if (s->pinger) {
            fake_delay(fake_device(s->pinger, address), c->ping_ms);
            fake_mode(fake_device(s->pinger, address), FAKE_SILENT);
        }
    }
    site_pass(s, c->after_ms);
    s->settings.subnet_reads = c->subnet;
    for (int i = 0; i < LINES; i++)
        fake_loss(f[i], 100);
    return s;
}

/* Three intervals for three polls that begin in them, then the time-outs of the last one's first request. */
static void total_loss_is_seen_within_three_intervals_and_a_requests_tries(void **state)
{
    enum { STEP = 100 };
    static const struct cut cuts[] = {
        {"between reads", MINUTE, 50, .after_ms = 10 * MINUTE},
        {"in reads that then last beyond the next poll", MINUTE, 40 * SECOND, .after_ms = 10 * MINUTE},
        {"in reads of parts that are read seldom", MINUTE, 40 * SECOND, .after_ms = DAY},
        {"where the first silent poll and its ping last beyond the next", 10 * SECOND, 0, 3 * SECOND,
         .after_ms = 10 * MINUTE},
        {"where a silent subnet keeps all places taken", MINUTE, 50, .subnet = 15, .after_ms = 10 * MINUTE},
    };
    bool late = false;

    (void)state;
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
        int64_t id[LINES], begun, latest = 0;
        struct watch_counters counters = {0};
        struct site *s = cut_off(&cuts[c], id);

        for (begun = s->time.mono; counters.down < LINES && s->time.mono - begun < 10 * MINUTE;) {
            site_pass(s, STEP);
            latest = s->time.mono - begun;
            watch_counters(s->watch, &counters);
        }
        late |= counters.down < LINES || latest > 3 * cuts[c].every_ms + TIMEOUTS + STEP;
        print_message("cut %s: %zu of %d down after %lld ms\n", cuts[c].what, counters.down, LINES, (long long)latest);
        for (int i = 0; i < LINES; i++)
            assert_non_null(site_open(s, id[i], "reach"));
        site_free(s);
    }
    assert_false(late);
}

/* Once a day it is asked who it is, at whatever moment of its interval: that silence makes no outage shorter. */
static void who_is_away_for_less_than_two_intervals_is_not_down(void **state)
{
    (void)state;
    for (int64_t phase = 0; phase < MINUTE; phase += 3 * SECOND) {
        struct site *s = site_new();
        struct fake_device *f = site_box(s, "10.0.0.1");
        size_t n, sources;

        site_pass(s, phase);
        site_add(s, "prn", "10.0.0.1");
        site_pass(s, DAY - SECOND);
        sources = fake_reads(f, &n)->sources; /* of the first read, which is due again */
        fake_mode(f, FAKE_SILENT);
        site_pass(s, 2 * SECOND);
        assert_int_equal(fake_reads(f, &n)[n - 1].sources, sources);
        site_pass(s, 108 * SECOND);
        fake_mode(f, FAKE_ANSWERS);
        site_pass(s, 5 * MINUTE);
        if (site_count(s, "alert.opened") > 0)
            fail_msg("added %lld s late: taken for down", (long long)phase / SECOND);
        site_free(s);
    }
}

/* It chokes on something each time, which takes longer than an interval. */
static void who_always_falls_silent_in_the_midst_is_not_asked_without_a_pause(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);
    size_t before;

    (void)state;
    fake_mode(f, FAKE_FADES);
    fake_delay(f, 70 * SECOND);
    site_pass(s, 10 * MINUTE);
    before = reads(f);
    site_pass(s, HOUR);
    assert_in_range(reads(f) - before, 30,
                    40); /* every other minute, and what else is due; not all 51 that would fit */
    assert_false(is_down(s, id));
    site_free(s);
}

/* ---- The dead ---- */

static void the_longer_it_is_silent_the_more_seldom_it_is_probed(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f;
    size_t before;

    (void)state;
    f = begin(&s, &id);
    s->settings.silent_ms = 5 * MINUTE;
    fake_mode(f, FAKE_SILENT);
    before = reads(f);
    site_pass(s, 8 * MINUTE);
    assert_in_range(reads(f) - before, 7, 8); /* an eighth of that is an interval */
    site_pass(s, HOUR);
    before = reads(f);
    site_pass(s, HOUR);
    assert_in_range(reads(f) - before, 12, 13);
    fake_mode(f, FAKE_ANSWERS);
    site_pass(s, 5 * MINUTE + SECOND);
    assert_false(is_down(s, id));
    before = reads(f);
    site_pass(s, HOUR);
    assert_true(reads(f) - before >= 60);
    site_free(s);
}

static void who_is_polled_every_few_seconds_is_probed_as_seldom(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    size_t before;

    (void)state;
    s->settings.every_ms[PART_STATUS] = 4 * SECOND;
    s->settings.silent_ms = 5 * MINUTE;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, 10 * MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 2 * HOUR);
    before = reads(f);
    site_pass(s, HOUR);
    assert_in_range(reads(f) - before, 12, 13);
    site_free(s);
}

static void a_short_outage_is_seen_to_end_within_an_interval(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    s->settings.silent_ms = 5 * MINUTE;
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 7 * MINUTE);
    assert_true(is_down(s, id));
    fake_mode(f, FAKE_ANSWERS);
    site_pass(s, MINUTE + SECOND);
    assert_false(is_down(s, id));
    site_free(s);
}

static void an_operator_need_not_wait_for_a_probe(void **state)
{
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id);

    (void)state;
    s->settings.silent_ms = HOUR;
    fake_mode(f, FAKE_SILENT);
    site_pass(s, DAY);
    fake_mode(f, FAKE_ANSWERS);
    watch_device_poll(s->watch, id, NULL, NULL);
    site_pass(s, SECOND);
    assert_false(is_down(s, id));
    site_free(s);
}

/* ---- Not too many at a time ---- */

static void fill_subnet(struct site *s, struct fake_device **f, int n)
{
    for (int i = 0; i < n; i++) {
        char address[32];

        snprintf(address, sizeof address, "10.0.7.%d", i);
        f[i] = site_box(s, address);
        site_add(s, address, address);
    }
}

static void of_a_subnet_so_many_are_read_at_a_time_and_nobody_twice_before_all_once(void **state)
{
    enum { DEVICES = 30, CAP = 4 };
    struct fake_device *f[DEVICES];
    struct site *s = site_new();
    size_t most = 0;

    (void)state;
    fill_subnet(s, f, DEVICES);
    site_pass(s, 10 * MINUTE);
    s->settings.subnet_reads = CAP;
    for (int i = 0; i < DEVICES; i++)
        fake_delay(f[i], 20 * SECOND); /* 150 s for all of them, who are due every 60 */
    for (int t = 0; t < 1800; t++) {
        size_t busy, least = SIZE_MAX, greatest = 0;

        site_pass(s, SECOND);
        busy = fake_busy(s->collector);
        most = busy > most ? busy : most;
        for (int i = 0; i < DEVICES && t > 300; i++) {
            least = reads(f[i]) < least ? reads(f[i]) : least;
            greatest = reads(f[i]) > greatest ? reads(f[i]) : greatest;
        }
        if (t > 300 && greatest - least > 3)
            fail_msg("after %d s one was read %zu times, another %zu", t, greatest, least);
    }
    assert_int_equal(most, CAP);
    site_free(s);
}

static void the_dead_take_nobodys_place(void **state)
{
    enum { DEVICES = 20, DEAD = 15 };
    struct fake_device *f[DEVICES];
    struct site *s = site_new();
    size_t before[DEVICES];

    (void)state;
    fill_subnet(s, f, DEVICES);
    site_pass(s, 10 * MINUTE);
    for (int i = 0; i < DEAD; i++) {
        fake_mode(f[i], FAKE_SILENT);
        fake_delay(f[i], 50 * SECOND);
    }
    site_pass(s, 5 * MINUTE);
    s->settings.subnet_reads = 1;
    for (int i = DEAD; i < DEVICES; i++)
        before[i] = reads(f[i]);
    site_pass(s, HOUR);
    for (int i = DEAD; i < DEVICES; i++)
        assert_in_range(reads(f[i]) - before[i], 60, 75);
    site_free(s);
}

static void behind_a_gateway_one_after_another(void **state)
{
    struct site *s = site_new();
    size_t most = 0;

    (void)state;
    s->settings.gateway_reads = 1;
    fake_delay(site_box(s, "10.0.0.9"), 3 * SECOND);
    for (uint8_t unit = 1; unit <= 5; unit++) {
        char name[16];

        snprintf(name, sizeof name, "unit-%d", unit);
        site_add_unit(s, name, "10.0.0.9", unit);
    }
    for (int t = 0; t < 600; t++) {
        site_pass(s, SECOND);
        most = fake_busy(s->collector) > most ? fake_busy(s->collector) : most;
    }
    assert_int_equal(most, 1);
    assert_in_range(reads(fake_device(s->collector, "10.0.0.9")), 5 * 9, 5 * 13);
    site_free(s);
}

static void who_is_removed_while_it_waits_is_forgotten(void **state)
{
    struct fake_device *f[3];
    struct site *s = site_new();
    struct change *c = change_new();
    char *why = NULL;

    (void)state;
    fill_subnet(s, f, 3);
    site_pass(s, 5 * MINUTE);
    s->settings.subnet_reads = 1;
    for (int i = 0; i < 3; i++)
        fake_delay(f[i], 2 * MINUTE);
    site_pass(s, 5 * MINUTE); /* all are due, one is read */
    assert_int_equal(watch_device_remove(s->watch, 2, "op", c, &why), 0);
    site_submit(s, c);
    site_pass(s, HOUR);
    assert_true(reads(f[0]) > 10 && reads(f[2]) > 10);
    site_free(s);
}

/* ---- After a start ---- */

static void a_device_keeps_its_moment_over_restarts_and_is_not_asked_before_it(void **state)
{
    enum { DEVICES = 40 };
    struct fake_device *f[DEVICES];
    struct site *s = site_new();
    int64_t moment[DEVICES];
    size_t seconds[60] = {0};

    (void)state;
    fill_subnet(s, f, DEVICES);
    site_pass(s, 10 * MINUTE);
    for (int i = 0; i < DEVICES; i++)
        moment[i] = (last_read(f[i]) + s->time.wall - s->time.mono) % MINUTE;
    site_restart(s, 17 * SECOND);
    site_pass(s, MINUTE);
    for (int i = 0; i < DEVICES; i++) {
        int64_t now = (last_read(f[i]) + s->time.wall - s->time.mono) % MINUTE;

        if (now < moment[i] - 10 || now > moment[i] + 10)
            fail_msg("device %d: %lld ms within the minute before, %lld after", i, (long long)moment[i],
                     (long long)now);
        seconds[now / SECOND]++;
    }
    for (int i = 0; i < 60; i++)
        assert_true(seconds[i] <= 5);
    site_free(s);
}

/* A start after many were added that nobody has met yet. */
static void strangers_are_met_a_few_at_a_time(void **state)
{
    enum { DEVICES = 9000 };
    struct fake_device **f = calloc(DEVICES, sizeof(struct fake_device *));
    struct site *s = site_new();
    size_t met_by[4] = {0};

    (void)state;
    s->settings.every_ms[PART_STATUS] = 5 * SECOND;
    for (int i = 0; i < DEVICES; i++) {
        char address[32];

        snprintf(address, sizeof address, "10.1.%d.%d", i / 200, i % 200);
        f[i] = site_box(s, address);
        site_add(s, address, address);
    }
    site_restart(s, SECOND);
    for (int interval = 0; interval < 4; interval++) {
        size_t met = 0;

        site_pass(s, 5 * SECOND);
        for (int i = 0; i < DEVICES; i++)
            met += reads(f[i]) > 0;
        met_by[interval] = met;
    }
    assert_in_range(met_by[0], DEVICES / 5, DEVICES * 3 / 10); /* in four intervals, a fourth in each */
    assert_in_range(met_by[1], DEVICES * 2 / 5, DEVICES * 3 / 5);
    assert_int_equal(met_by[3], DEVICES);
    free(f);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_or_two_lost_polls_are_a_gap_and_a_third_makes_an_outage_from_the_first),
        cmocka_unit_test(who_answers_every_third_poll_is_never_down),
        cmocka_unit_test(a_gap_makes_what_was_read_stale_but_nobody_down),
        cmocka_unit_test(heavy_loss_makes_hardly_anybody_down),
        cmocka_unit_test(total_loss_is_seen_within_three_intervals_and_a_requests_tries),
        cmocka_unit_test(who_is_away_for_less_than_two_intervals_is_not_down),
        cmocka_unit_test(who_always_falls_silent_in_the_midst_is_not_asked_without_a_pause),
        cmocka_unit_test(the_longer_it_is_silent_the_more_seldom_it_is_probed),
        cmocka_unit_test(who_is_polled_every_few_seconds_is_probed_as_seldom),
        cmocka_unit_test(a_short_outage_is_seen_to_end_within_an_interval),
        cmocka_unit_test(an_operator_need_not_wait_for_a_probe),
        cmocka_unit_test(of_a_subnet_so_many_are_read_at_a_time_and_nobody_twice_before_all_once),
        cmocka_unit_test(the_dead_take_nobodys_place),
        cmocka_unit_test(behind_a_gateway_one_after_another),
        cmocka_unit_test(who_is_removed_while_it_waits_is_forgotten),
        cmocka_unit_test(strangers_are_met_a_few_at_a_time),
        cmocka_unit_test(a_device_keeps_its_moment_over_restarts_and_is_not_asked_before_it),
    };

    return cmocka_run_group_tests_name("watch/loss", tests, NULL, NULL);
}
