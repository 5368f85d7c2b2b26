#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "tests/watch/site.h"

/* ---- Judging over history ---- */

static struct site *box(int64_t *id, struct fake_device **f)
{
    struct site *s = site_new();

    *f = site_box(s, "10.0.0.1");
    *id = site_add(s, "prn", "10.0.0.1");
    return s;
}

/* Passes time with heat, a minute at a time; how many of them until the family is open. -1: it never is. */
static int minutes_until(struct site *s, int64_t id, const char *family, bool open, int most)
{
    for (int i = 0; i < most; i++) {
        if ((site_open(s, id, family) != NULL) == open)
            return i;
        site_pass(s, MINUTE);
    }
    return -1;
}

static void a_mean_opens_and_closes_a_fault(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);
    int n;

    (void)state;
    fake_int(f, "box.heat", 0, 20);
    site_pass(s, HOUR);
    fake_int(f, "box.heat", 0, 94);
    n = minutes_until(s, id, "heat", true, 60); /* 20 + 74 n / 15 = 90 */
    assert_in_range(n, 13, 16);
    fake_int(f, "box.heat", 0, 20);
    n = minutes_until(s, id, "heat", false, 60); /* 94 - 74 n / 15 = 75 */
    assert_in_range(n, 3, 6);
    site_free(s);
}

static void unknown_history_fires_nothing_and_clears_nothing(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    fake_int(f, "box.heat", 0, 94);
    site_pass(s, 5 * MINUTE);
    assert_null(site_open(s, id, "heat")); /* not half a window yet */
    site_pass(s, 5 * MINUTE);
    assert_non_null(site_open(s, id, "heat"));
    fake_int(f, "box.heat", 0, -1); /* unknown */
    site_pass(s, 6 * HOUR);
    assert_non_null(site_open(s, id, "heat"));
    site_free(s);
}

static void since_must_have_held_all_the_time(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);
    const struct alert *a;

    (void)state;
    fake_int(f, "box.heat", 0, 20);
    site_pass(s, HOUR);
    for (int i = 0; i < 3; i++) {
        fake_int(f, "box.heat", 0, 96);
        site_pass(s, 15 * MINUTE);
        fake_int(f, "box.heat", 0, 94);
        site_pass(s, MINUTE);
    }
    a = site_open(s, id, "heat");
    assert_string_equal(a->rule, "hot");
    fake_int(f, "box.heat", 0, 96);
    site_pass(s, 22 * MINUTE);
    assert_string_equal(site_open(s, id, "heat")->rule, "too-hot");
    site_free(s);
}

static void a_counter_that_begins_again_is_no_burst(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    fake_int(f, "box.faults", 0, 1000000);
    site_pass(s, HOUR);
    fake_int(f, "box.faults", 0, 3);
    site_pass(s, HOUR);
    assert_null(site_open(s, id, "noise"));
    fake_int(f, "box.faults", 0, 150);
    site_pass(s, 2 * MINUTE);
    assert_non_null(site_open(s, id, "noise"));
    assert_in_range(minutes_until(s, id, "noise", false, 60), 25, 33);
    site_free(s);
}

/* Port 1 goes on for an hour, then leaps by a million octets; with a new origin, or too narrow, nobody can say so. */
static void a_counter_is_compared_only_within_its_bounds(void **state)
{
    static const struct {
        const char *what;
        int64_t width, pace, begins, then;
        bool opens;
    } rows[] = {
        {"64 bits", 64, 1000000000, 5, 5, true},     {"another count", 64, 1000000000, 5, 9, false},
        {"32 bits, slow", 32, 10000000, 5, 5, true}, {"32 bits, fast", 32, 10000000000, 5, 5, false},
        {"32 bits, pace 0", 32, 0, 5, 5, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site *s = site_new();
        struct fake_device *f = site_switch(s, "10.0.0.2", 2);
        int64_t id = site_add(s, "sw", "10.0.0.2");

        fake_int(f, "port.width", 1, rows[i].width);
        fake_int(f, "port.pace", 1, rows[i].pace);
        fake_int(f, "port.begins", 1, rows[i].begins);
        site_pass(s, HOUR);
        fake_int(f, "port.begins", 1, rows[i].then);
        fake_int(f, "port.octets", 1, 1000000);
        site_pass(s, 10 * MINUTE);
        if ((site_open(s, id, "flood") != NULL) != rows[i].opens)
            fail_msg("%s: %s", rows[i].what, rows[i].opens ? "nothing was told" : "it was told");
        site_free(s);
    }
}

static void toner_that_runs_out_is_foreseen(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);
    int opened = -1;

    (void)state;
    for (int hour = 0; hour < 20 * 24; hour++) { /* 4 % a day, from 100 */
        fake_int(f, "supply.level", 1, 100 - hour / 6);
        site_pass(s, HOUR);
        if (opened < 0 && site_open(s, id, "supply-forecast"))
            opened = hour;
    }
    assert_in_range(opened, 18 * 24 - 12, 18 * 24 + 12); /* 28 % last seven days */
    fake_int(f, "supply.level", 1, 100);
    site_pass(s, 2 * HOUR);
    assert_null(site_open(s, id, "supply-forecast"));
    site_free(s);
}

/* ---- Kept across restarts and reloads ---- */

/* The same weather with and without patrold's restarts: the same alerts at the same times. */
static void a_restart_changes_nothing_that_is_told(void **state)
{
    struct sbuf told[3] = {{0}};

    (void)state;
    for (int run = 0; run < 3; run++) {
        struct fake_device *f;
        int64_t id;
        struct site *s = box(&id, &f);

        for (int minute = 0; minute < 12 * 60; minute++) {
            int64_t heat = minute % 200 < 100 ? 97 : 20;

            fake_int(f, "box.heat", 0, heat);
            fake_int(f, "box.faults", 0, minute % 300 < 40 ? minute * 10 : 3000 + minute);
            fake_int(f, "supply.level", 1, 60 - minute / 30);
            site_pass(s, MINUTE);
            if (run == 1 && minute % 47 == 46)
                site_restart(s, 10 * SECOND);
            if (run == 2 && minute % 47 == 46)
                site_reload(s, NULL);
        }
        for (size_t i = 0; i < s->events.n; i++) {
            const struct event *e = &s->events.v[i];

            if (str_starts(e->kind, "alert."))
                sbuf_addf(&told[run], "%s %s\n", e->kind, strstr(e->args, "\"family\""));
        }
        site_free(s);
    }
    assert_non_null(strstr(told[0].s, "too-hot"));
    assert_non_null(strstr(told[0].s, "noisy"));
    assert_string_equal(told[1].s, told[0].s);
    assert_string_equal(told[2].s, told[0].s);
    for (int run = 0; run < 3; run++)
        sbuf_free(&told[run]);
}

static void a_trend_of_days_outlives_a_restart(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    for (int hour = 0; hour < 12 * 24; hour++) {
        fake_int(f, "supply.level", 1, 100 - hour / 6);
        site_pass(s, HOUR);
    }
    site_restart(s, 30 * MINUTE);
    site_pass(s, 2 * HOUR);
    assert_null(site_open(s, id, "supply-forecast"));
    for (int hour = 12 * 24 + 2; hour < 19 * 24; hour++) {
        fake_int(f, "supply.level", 1, 100 - hour / 6);
        site_pass(s, HOUR);
    }
    assert_non_null(site_open(s, id, "supply-forecast")); /* half a window after the restart alone, it could not say */
    site_free(s);
}

static void a_torn_memory_is_ignored(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    for (int hour = 0; hour < 17 * 24; hour++) {
        fake_int(f, "supply.level", 1, 100 - hour / 6);
        site_pass(s, HOUR);
    }
    assert_int_equal(s->histories.n, 1);
    s->histories.v[0].data.s[20] ^= 1;
    site_restart(s, MINUTE);
    for (int hour = 17 * 24; hour < 19 * 24; hour++) {
        fake_int(f, "supply.level", 1, 100 - hour / 6);
        site_pass(s, HOUR);
    }
    assert_null(site_open(s, id, "supply-forecast")); /* nothing is believed of it; the trend begins anew */
    s->histories.v[0].data.n = 3;
    site_restart(s, MINUTE);
    site_pass(s, HOUR);
    site_free(s);
}

static void a_clock_that_is_set_moves_no_window(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    fake_int(f, "box.heat", 0, 20);
    site_pass(s, HOUR);
    s->time.wall += 3 * (int64_t)DAY;
    fake_int(f, "box.heat", 0, 94);
    assert_in_range(minutes_until(s, id, "heat", true, 60), 13, 16);
    s->time.wall -= 5 * (int64_t)DAY;
    fake_int(f, "box.heat", 0, 20);
    assert_in_range(minutes_until(s, id, "heat", false, 60), 3, 6);
    site_free(s);
}

/* ---- Restarts of devices ---- */

static void uptime(struct fake_device *f, int64_t seconds)
{
    fake_int(f, "box.uptime", 0, seconds * 100 % INT64_C(4294967296));
}

static void a_restart_is_told_and_cleared_after_an_hour(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    for (int i = 0; i < 200; i++) {
        uptime(f, i < 60 ? 500000 + 60 * i : 60 * (i - 60) + 7);
        site_pass(s, MINUTE);
        assert_int_equal(site_open(s, id, "restart") != NULL, i >= 60 && i < 120);
    }
    assert_int_equal(site_count(s, "device.restarted"), 1);
    assert_non_null(strstr(site_last(s, "device.restarted")->args, "\"by\":\"uptime\""));
    assert_int_equal(site_point(s, id, "device", "", "restarts").i, 1);
    site_pass(s, DAY + HOUR);
    assert_int_equal(site_point(s, id, "device", "", "restarts").i, 0);
    site_free(s);
}

/* It counts from the start on: more than before says nothing. */
static void a_counter_of_a_restarted_device_is_another(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    for (int i = 0; i < 150; i++) {
        uptime(f, i < 60 ? 500000 + 60 * i : 60 * (i - 60) + 7);
        fake_int(f, "box.faults", 0, i < 60 ? 10 : 5000);
        site_pass(s, MINUTE);
        assert_null(site_open(s, id, "noise"));
    }
    assert_int_equal(site_count(s, "device.restarted"), 1);
    site_free(s);
}

/* 2^32 hundredths of a second. */
static void a_wrap_of_the_uptime_is_no_restart(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    for (int i = 0; i < 40; i++) {
        uptime(f, 42949672 - 20 * 60 + 60 * i);
        site_pass(s, MINUTE);
    }
    assert_int_equal(site_count(s, "device.restarted"), 0);
    uptime(f, 42949672 - 600);
    site_pass(s, MINUTE);
    uptime(f, 3 * 3600); /* not where it would be by a wrap */
    site_pass(s, MINUTE);
    assert_int_equal(site_count(s, "device.restarted"), 1);
    site_free(s);
}

static void boots_tell_of_a_restart_that_the_uptime_hides(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    fake_int(f, "box.boots", 0, 7);
    uptime(f, 100);
    site_pass(s, 2 * MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, HOUR);
    fake_mode(f, FAKE_ANSWERS);
    fake_int(f, "box.boots", 0, 8);
    uptime(f, 1000); /* more than it was */
    site_pass(s, 5 * MINUTE);
    assert_int_equal(site_count(s, "device.restarted"), 1);
    assert_non_null(strstr(site_last(s, "device.restarted")->args, "engine_boots"));
    site_free(s);
}

static void restarts_are_known_across_patrolds_own(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    uptime(f, 90000);
    site_pass(s, 10 * MINUTE);
    uptime(f, 5);
    site_pass(s, 2 * MINUTE);
    assert_int_equal(site_count(s, "device.restarted"), 1);
    uptime(f, 3000);
    site_pass(s, 5 * MINUTE);
    site_restart(s, 5 * MINUTE);
    s->time.wall += DAY / 2; /* a clock set while it was down is no restart either */
    uptime(f, 3600);
    site_pass(s, 5 * MINUTE);
    assert_int_equal(site_count(s, "device.restarted"), 1);
    assert_int_equal(site_point(s, id, "device", "", "restarts").i, 1);
    site_restart(s, 20 * MINUTE);
    uptime(f, 60); /* it was restarted while nobody looked */
    site_pass(s, 5 * MINUTE);
    assert_int_equal(site_count(s, "device.restarted"), 2);
    assert_int_equal(site_point(s, id, "device", "", "restarts").i, 2);
    site_free(s);
}

/* ---- Devices behind others ---- */

struct office {
    struct site *s;
    struct fake_device *core, *access, *printer;
    int64_t core_id, access_id, printer_id;
};

/* printer behind access behind core */
static struct office office_new(void)
{
    struct office o = {.s = site_new()};

    o.core = site_switch(o.s, "10.0.0.1", 2);
    o.access = site_switch(o.s, "10.0.0.2", 2);
    o.printer = site_box(o.s, "10.0.0.3");
    o.core_id = site_add(o.s, "core", "10.0.0.1");
    o.access_id = site_add(o.s, "access", "10.0.0.2");
    o.printer_id = site_add(o.s, "printer", "10.0.0.3");
    site_say(o.s, o.access_id, NULL, "core", NULL);
    site_say(o.s, o.printer_id, NULL, "access", NULL);
    site_pass(o.s, 10 * MINUTE);
    return o;
}

static bool is_told(const struct office *o, int64_t id)
{
    const struct alert *a = site_open(o->s, id, "reach");

    return a && !a->suppressed;
}

static void silence_behind_a_silent_parent_is_told_once(void **state)
{
    struct office o = office_new();

    (void)state;
    fake_mode(o.core, FAKE_SILENT);
    fake_mode(o.access, FAKE_SILENT);
    fake_mode(o.printer, FAKE_SILENT);
    site_pass(o.s, 10 * MINUTE);
    assert_true(is_told(&o, o.core_id));
    assert_true(site_open(o.s, o.access_id, "reach")->suppressed);
    assert_true(site_open(o.s, o.printer_id, "reach")->suppressed);
    assert_string_equal(o.s->moves.s, "o"); /* one ticket, one mail */
    site_restart(o.s, MINUTE);
    site_pass(o.s, 10 * MINUTE);
    assert_true(site_open(o.s, o.printer_id, "reach")->suppressed);
    fake_mode(o.core, FAKE_ANSWERS);
    fake_mode(o.access, FAKE_ANSWERS);
    fake_mode(o.printer, FAKE_ANSWERS);
    site_pass(o.s, 5 * MINUTE);
    assert_string_equal(o.s->moves.s, "oc");
    site_free(o.s);
}

static void who_fell_silent_before_its_parent_is_not_told_either(void **state)
{
    struct office o = office_new();

    (void)state;
    fake_mode(o.printer, FAKE_SILENT);
    site_pass(o.s, MINUTE); /* its hold has begun */
    fake_mode(o.access, FAKE_SILENT);
    site_pass(o.s, 10 * MINUTE);
    assert_true(is_told(&o, o.access_id));
    assert_true(site_open(o.s, o.printer_id, "reach")->suppressed);
    site_free(o.s);
}

static void who_stays_silent_when_its_parent_is_back_is_told_after_its_hold(void **state)
{
    struct office o = office_new();
    int64_t told;

    (void)state;
    fake_mode(o.access, FAKE_SILENT);
    fake_mode(o.printer, FAKE_SILENT);
    site_pass(o.s, 10 * MINUTE);
    fake_mode(o.access, FAKE_ANSWERS);
    site_pass(o.s, MINUTE);
    assert_false(is_told(&o, o.printer_id));
    for (told = 0; told < 10 && !is_told(&o, o.printer_id); told++)
        site_pass(o.s, MINUTE);
    assert_in_range(told, 1, 3); /* 90 s, by polls a minute apart */
    assert_int_equal(site_count(o.s, "alert.told"), 1);
    assert_string_equal(o.s->moves.s, "oco");
    fake_mode(o.printer, FAKE_ANSWERS);
    site_pass(o.s, 2 * MINUTE);
    assert_string_equal(o.s->moves.s, "ococ");
    site_free(o.s);
}

static void who_is_alone_silent_is_told(void **state)
{
    struct office o = office_new();

    (void)state;
    fake_mode(o.printer, FAKE_SILENT);
    site_pass(o.s, 5 * MINUTE);
    assert_true(is_told(&o, o.printer_id));
    fake_mode(o.access, FAKE_SILENT); /* what was told stays told */
    site_pass(o.s, 5 * MINUTE);
    assert_true(is_told(&o, o.printer_id));
    site_free(o.s);
}

static void who_is_in_repair_is_not_missed(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    site_pass(s, 5 * MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 5 * MINUTE);
    assert_non_null(site_open(s, id, "reach"));
    site_say(s, id, NULL, NULL, "in-repair");
    assert_null(site_open(s, id, "reach"));
    assert_non_null(strstr(site_last(s, "alert.closed")->args, "\"reason\":\"in-repair\""));
    site_pass(s, DAY);
    assert_int_equal(site_count(s, "alert.opened"), 1);
    site_say(s, id, NULL, NULL, "in-service");
    site_pass(s, 5 * MINUTE);
    assert_int_equal(site_count(s, "alert.opened"), 2);
    site_free(s);
}

static void who_may_be_off_is_not_missed(void **state)
{
    struct fake_device *f;
    int64_t id;
    struct site *s = box(&id, &f);

    (void)state;
    site_say(s, id, "floor=3,may-be-off", NULL, NULL);
    site_pass(s, 5 * MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, HOUR);
    assert_null(site_open(s, id, "reach"));
    site_say(s, id, "floor=3", NULL, NULL);
    site_pass(s, 5 * MINUTE);
    assert_non_null(site_open(s, id, "reach"));
    site_free(s);
}

/* ---- Uplinks ---- */

static void only_an_uplink_must_be_up(void **state)
{
    static const struct {
        const char *what, *labels, *neighbour;
        bool told;
    } rows[] = {
        {"an edge port", "floor=3", NULL, false},
        {"by label", "uplink=eth2", NULL, true},
        {"one of several", "uplink=eth9; eth2", NULL, true},
        {"another port's label", "uplink=eth20;eth1", NULL, false},
        {"by a neighbour", "floor=3", "核心交换机", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site *s = site_new();
        struct fake_device *f = site_switch(s, "10.0.0.1", 3);
        int64_t id = site_add(s, "sw", "10.0.0.1");

        site_say(s, id, rows[i].labels, NULL, NULL);
        if (rows[i].neighbour)
            fake_text(f, "port.neighbour", 2, rows[i].neighbour);
        site_pass(s, HOUR);
        fake_int(f, "port.state", 2, 2);
        fake_absent(f, "port.neighbour", 2); /* who is cut off is no longer seen */
        site_pass(s, 5 * MINUTE);
        if ((site_open(s, id, "uplink") != NULL) != rows[i].told)
            fail_msg("%s: told %d", rows[i].what, !rows[i].told);
        site_free(s);
    }
}

static void a_neighbour_is_forgotten_after_its_month(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_switch(s, "10.0.0.1", 3);
    int64_t id = site_add(s, "sw", "10.0.0.1");

    (void)state;
    fake_text(f, "port.neighbour", 2, "核心交换机");
    site_pass(s, HOUR);
    fake_absent(f, "port.neighbour", 2);
    site_pass(s, 29 * (int64_t)DAY);
    site_restart(s, MINUTE);
    fake_int(f, "port.state", 2, 2);
    site_pass(s, 5 * MINUTE);
    assert_non_null(site_open(s, id, "uplink"));
    site_pass(s, DAY);
    assert_null(site_open(s, id, "uplink"));
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mean_opens_and_closes_a_fault),
        cmocka_unit_test(unknown_history_fires_nothing_and_clears_nothing),
        cmocka_unit_test(since_must_have_held_all_the_time),
        cmocka_unit_test(a_counter_that_begins_again_is_no_burst),
        cmocka_unit_test(a_counter_is_compared_only_within_its_bounds),
        cmocka_unit_test(toner_that_runs_out_is_foreseen),
        cmocka_unit_test(a_restart_changes_nothing_that_is_told),
        cmocka_unit_test(a_trend_of_days_outlives_a_restart),
        cmocka_unit_test(a_torn_memory_is_ignored),
        cmocka_unit_test(a_clock_that_is_set_moves_no_window),
        cmocka_unit_test(a_restart_is_told_and_cleared_after_an_hour),
        cmocka_unit_test(a_counter_of_a_restarted_device_is_another),
        cmocka_unit_test(a_wrap_of_the_uptime_is_no_restart),
        cmocka_unit_test(boots_tell_of_a_restart_that_the_uptime_hides),
        cmocka_unit_test(restarts_are_known_across_patrolds_own),
        cmocka_unit_test(silence_behind_a_silent_parent_is_told_once),
        cmocka_unit_test(who_fell_silent_before_its_parent_is_not_told_either),
        cmocka_unit_test(who_stays_silent_when_its_parent_is_back_is_told_after_its_hold),
        cmocka_unit_test(who_is_alone_silent_is_told),
        cmocka_unit_test(who_is_in_repair_is_not_missed),
        cmocka_unit_test(who_may_be_off_is_not_missed),
        cmocka_unit_test(only_an_uplink_must_be_up),
        cmocka_unit_test(a_neighbour_is_forgotten_after_its_month),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
