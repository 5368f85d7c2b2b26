#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/keys.h"

/* What becomes of polls as time goes by: hours, days and months, and that all of them say the same. */

enum { COUNTER = 0, LEVEL = 1, STATE = 2, WORD = 3 };

struct life {
    struct fixture *f;
    int64_t counter; /* as the device counts */
    unsigned polls;
};

static void put_device(struct fixture *f, int64_t id)
{
    struct change *c = change_new();
    struct component k = {.device_id = id, .kind = "device", .key = ""};
    struct device d = {.id = id, .name = "d", .address = "192.0.2.1", .collector = "snmp"};

    change_put_device(c, &d);
    change_put_component(c, &k);
    fixture_submit_change(f, (int)id, c, false);
}

/* Each minute 7 counts; the level goes round; a state changes every hour; the word never does. */
static void poll_once(struct life *l, int64_t device)
{
    unsigned n = l->polls++;
    const struct reading r[] = {
        {.point = COUNTER, .value = value_int(l->counter)},
        {.point = LEVEL, .value = n % 10 == 9 ? value_quality(QUALITY_UNKNOWN) : value_num((double)(n % 10) / 4)},
        {.point = STATE, .value = value_enum(n / 60 % 2)},
        {.point = WORD, .value = value_text("打印")},
    };

    l->counter += 7;
    fixture_put_poll(l->f, device, l->f->clock.wall, r, sizeof r / sizeof *r);
}

static void live(struct life *l, int minutes)
{
    for (int i = 0; i < minutes; i++) {
        poll_once(l, 1);
        fixture_pass(l->f, 60000);
    }
}

static json_t *rows_of(struct fixture *f, int point, const char *step, int64_t after, unsigned limit, int64_t *next)
{
    char filters[200];
    struct answer a;
    json_t *rows;

    snprintf(filters, sizeof filters, "{\"device\":1,\"component\":\"device\",\"point\":%d,\"step\":\"%s\"}", point,
             step);
    fixture_query(f, "series", filters, after, limit, &a);
    if (a.err < 0)
        fail_msg("%s: %s", filters, a.why);
    rows = json_loads(a.rows, 0, NULL);
    assert_non_null(rows);
    assert_int_equal(json_array_size(rows), a.nrows);
    *next = a.next;
    answer_fini(&a);
    return rows;
}

/* All pages of a series. */
static json_t *series(struct fixture *f, int point, const char *step)
{
    json_t *all = json_array(), *page;
    int64_t next = 0;

    do {
        page = rows_of(f, point, step, next, 700, &next);
        json_array_extend(all, page);
        json_decref(page);
    } while (next != 0);
    return all;
}

static double number_of(const json_t *row, const char *name)
{
    return json_number_value(json_object_get(row, name));
}

static double total(const json_t *rows, const char *name)
{
    double sum = 0;

    for (size_t i = 0; i < json_array_size(rows); i++)
        sum += number_of(json_array_get(rows, i), name);
    return sum;
}

/* What the counter rose by, told by its rows as they were read. */
static double raw_rise(const json_t *rows)
{
    double rise = 0;

    for (size_t i = 1; i < json_array_size(rows); i++) {
        double x = number_of(json_array_get(rows, i - 1), "value"), y = number_of(json_array_get(rows, i), "value");

        rise += y < x ? y : y - x;
    }
    return rise;
}

/* What the periods rose by, each by itself and from one to the next. */
static double period_rise(const json_t *rows)
{
    double rise = total(rows, "rise");

    for (size_t i = 1; i < json_array_size(rows); i++) {
        double x = number_of(json_array_get(rows, i - 1), "last"), y = number_of(json_array_get(rows, i), "first");

        rise += y < x ? y : y - x;
    }
    return rise;
}

/* The sum of what was read, by its means. */
static double weighed(const json_t *rows)
{
    double sum = 0;

    for (size_t i = 0; i < json_array_size(rows); i++)
        sum += number_of(json_array_get(rows, i), "avg") * number_of(json_array_get(rows, i), "count");
    return sum;
}

static void expect_agreement(struct fixture *f, size_t polls)
{
    static const char *const steps[] = {"hour", "day"};
    json_t *raw = series(f, COUNTER, "raw"), *levels = series(f, LEVEL, "raw");

    assert_int_equal(json_array_size(raw), polls);
    for (size_t i = 1; i < polls; i++)
        assert_true(number_of(json_array_get(raw, i), "at_ms") > number_of(json_array_get(raw, i - 1), "at_ms"));
    for (int i = 0; i < 2; i++) {
        json_t *counters = series(f, COUNTER, steps[i]), *means = series(f, LEVEL, steps[i]),
               *words = series(f, WORD, steps[i]);

        assert_int_equal(total(counters, "count"), polls);
        assert_float_equal(period_rise(counters), raw_rise(raw), 0);
        assert_float_equal(weighed(means), total(levels, "value"), 1e-6);
        assert_int_equal(total(words, "count"), polls);
        assert_string_equal(json_string_value(json_object_get(json_array_get(words, 0), "last")), "打印");
        json_decref(counters);
        json_decref(means);
        json_decref(words);
    }
    json_decref(raw);
    json_decref(levels);
}

/* Whether packed, reckoned up or neither: the same is told of a day with a restart, a reset and a clock set back. */
static void a_day_is_told_the_same_however_it_is_kept(void **state)
{
    struct fixture *f = *state;
    struct life l = {.f = f, .counter = 1000};

    fixture_open(f);
    put_device(f, 1);
    live(&l, 7 * 60 + 13);
    fixture_close(f);
    fixture_open(f);
    live(&l, 5 * 60);
    l.counter = 3; /* it began anew */
    live(&l, 60);
    expect_agreement(f, l.polls);
    f->clock.wall -= 90 * 60000 + 20000; /* into hours that are packed, between the polls of before */
    live(&l, 14 * 60);
    expect_agreement(f, l.polls);
    fixture_expect(f, "SELECT count(*) FROM hourly", "1");
    live(&l, 60 * 24);
    fixture_expect(f, "SELECT count(*) FROM hourly", "2");
    expect_agreement(f, l.polls);
    f->clock.wall -= 25 * 3600000 + 10000; /* into a day that is reckoned up */
    live(&l, 3);
    f->clock.wall += 26 * 3600000;
    live(&l, 30);
    expect_agreement(f, l.polls);
    f->clock.wall += INT64_C(40) * 86400000; /* the month is over */
    live(&l, 3);
    fixture_expect(f, "SELECT count(*) FROM daily", "1");
    expect_agreement(f, l.polls);
}

static void an_hour_is_packed_when_it_is_over_and_the_polls_go(void **state)
{
    struct fixture *f = *state;
    struct life l = {.f = f};
    struct store_state st;

    fixture_open(f);
    put_device(f, 1);
    live(&l, 59);
    fixture_expect(f, "SELECT count(*) FROM poll", "59");
    fixture_expect(f, "SELECT count(*) FROM packed", "0");
    live(&l, 3);
    fixture_expect(f, "SELECT count(*) FROM packed", "1");
    fixture_expect(f, "SELECT count(*) <= 2 FROM poll", "1");
    store_state(f->store, &st);
    assert_int_equal(st.packed_polls, 60);
    assert_int_equal(st.pack_waiting, 0);
    assert_int_equal(st.unreadable_polls, 0);
}

static void many_devices_are_packed_in_groups(void **state)
{
    struct fixture *f = *state;
    struct life l = {.f = f};

    fixture_open(f);
    for (int minute = 0; minute < 62; minute++) {
        for (int64_t device = 1; device <= 90; device++)
            poll_once(&l, device * device * 1000);
        fixture_pass(f, 60000);
    }
    fixture_expect(f, "SELECT count(DISTINCT key >> 12) FROM packed", "90");
    fixture_expect(f, "SELECT count(*) FROM packed", "90");
}

/* An hour of 40 devices ends on a disk that has so much room left, and a minute later has room again. */
static void end_an_hour_with_room(struct fixture *f, int64_t room)
{
    enum { DEVICES = 40 };
    struct life l = {.f = f};
    struct store_state st;
    char left[20];
    json_t *rows;

    fixture_open(f);
    put_device(f, 1);
    fixture_pass(f, 2000);
    for (int minute = 0; minute < 65; minute++) {
        if (minute == 59)
            memvfs_set_room(f->mem, room);
        for (int64_t device = 1; device <= DEVICES; device++)
            poll_once(&l, device);
        fixture_pass(f, 60000);
        rows = series(f, COUNTER, "raw");
        assert_in_range(json_array_size(rows), minute < 59 ? minute + 1 : 59, minute + 1); /* packed or not */
        json_decref(rows);
        if (minute < 62)
            continue;
        store_state(f->store, &st);
        if (room == 0 && minute == 62)
            assert_true(st.stuck && st.packed_polls == 0);
        memvfs_set_room(f->mem, -1);
    }
    fixture_pass(f, 60000);
    rows = series(f, COUNTER, "raw");
    assert_int_equal(json_array_size(rows), 65);
    json_decref(rows);
    store_state(f->store, &st);
    assert_int_equal(st.unreadable_polls, 0);
    assert_true(st.packed_polls >= 60 * DEVICES); /* those that waited for room were packed with them */
    snprintf(left, sizeof left, "%d", 65 * DEVICES - (int)st.packed_polls);
    fixture_expect(f, "SELECT count(*) FROM poll", left);
    fixture_close(f);
}

static void a_disk_that_is_full_while_an_hour_is_packed_loses_nothing(void **state)
{
    static const int64_t rooms[] = {0, 4096, 30000, 100000, 200000, 400000, 1000000, -1};

    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        end_an_hour_with_room(*state, rooms[i]);
        fixture_teardown(state);
        fixture_in_memory(state);
    }
}

static void an_unreadable_poll_and_those_told_by_it_are_left_out_and_counted(void **state)
{
    struct fixture *f = *state;
    struct life l = {.f = f};
    struct store_state st;

    fixture_open(f);
    put_device(f, 1);
    live(&l, 30);
    fixture_alter(f, "UPDATE poll SET data = zeroblob(9) WHERE key = (SELECT min(key) FROM poll)");
    live(&l, 32);
    store_state(f->store, &st);
    assert_int_equal(st.unreadable_polls, 16); /* a chain */
    assert_int_equal(st.packed_polls, 60);
}

/* What is too old goes by hours, ten minutes between: a clock that is wrong for a while costs little. */
static void old_polls_go_hour_by_hour(void **state)
{
    struct fixture *f = *state;
    struct life l = {.f = f};

    fixture_open(f);
    put_device(f, 1);
    live(&l, 5 * 60);
    f->clock.wall += INT64_C(46) * 86400000;
    fixture_pass(f, 120000);
    fixture_expect(f, "SELECT count(*) BETWEEN 4 AND 5 FROM packed", "1");
    fixture_pass(f, 620000);
    fixture_expect(f, "SELECT count(*) BETWEEN 3 AND 4 FROM packed", "1");
    fixture_pass(f, 3600000);
    fixture_expect(f, "SELECT count(*) FROM packed", "0");
    fixture_expect(f, "SELECT count(*) FROM hourly", "1");
}

static void pages_of_a_series_join(void **state)
{
    struct fixture *f = *state;
    struct life l = {.f = f};
    static const char *const steps[] = {"raw", "hour", "day"};

    fixture_open(f);
    put_device(f, 1);
    live(&l, 50 * 60);
    for (int i = 0; i < 3; i++) {
        json_t *all = series(f, COUNTER, steps[i]), *page;
        int64_t next = 0;
        size_t n = 0;

        do {
            page = rows_of(f, COUNTER, steps[i], next, 1, &next);
            assert_int_equal(json_array_size(page), 1);
            assert_true(json_equal(json_array_get(page, 0), json_array_get(all, n)));
            json_decref(page);
            n++;
        } while (next != 0 && n < 60);
        if (n < 60)
            assert_int_equal(n, json_array_size(all));
        json_decref(all);
    }
}

static void points_are_found_by_name(void **state)
{
    struct fixture *f = *state;
    struct life l = {.f = f};
    struct point_def points[] = {{.name = "pages", .slot = 0}, {.name = "level", .slot = 1}};
    struct kind device = {.name = "device"}, *kinds[] = {&device};
    const struct vocabulary v = {.kinds = {.v = kinds, .n = 1}};
    struct point_numbers numbers = {0};
    struct answer a;

    device.points.v = points;
    device.points.n = 2;
    fixture_open(f);
    put_device(f, 1);
    store_put_points(f->store, &v);
    live(&l, 2);
    fixture_query(f, "series", "{\"device\":\"d\",\"kind\":\"device\",\"point\":\"level\"}", 0, 0, &a);
    assert_int_equal(a.err, 0);
    assert_non_null(strstr(a.rows, "\"value\":0.25"));
    answer_fini(&a);
    fixture_query(f, "series", "{\"device\":\"d\",\"component\":\"device\",\"point\":\"colour\"}", 0, 0, &a);
    assert_int_equal(a.err, PD_ENOENT);
    assert_string_equal(a.why, "the device has no point \"colour\"");
    answer_fini(&a);
    fixture_query(f, "series", "{\"device\":\"d\",\"component\":\"tray:1\",\"point\":\"level\"}", 0, 0, &a);
    assert_string_equal(a.why, "the device has no component \"tray:1\"");
    answer_fini(&a);
    fixture_close(f);
    if (!f->mem) {
        store_read_points(f->path, NULL, &numbers);
        assert_int_equal(numbers.list.n, 2);
        assert_string_equal(numbers.list.v[1].name, "level");
        assert_int_equal(numbers.list.v[1].number, 1);
    }
    point_numbers_free(&numbers);
    fixture_open(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ON_BOTH(an_hour_is_packed_when_it_is_over_and_the_polls_go),
        TEST_ON_BOTH(points_are_found_by_name),
        TEST_IN_MEMORY(a_day_is_told_the_same_however_it_is_kept),
        TEST_IN_MEMORY(many_devices_are_packed_in_groups),
        TEST_IN_MEMORY(an_unreadable_poll_and_those_told_by_it_are_left_out_and_counted),
        TEST_IN_MEMORY(a_disk_that_is_full_while_an_hour_is_packed_loses_nothing),
        TEST_IN_MEMORY(old_polls_go_hour_by_hour),
        TEST_IN_MEMORY(pages_of_a_series_join),
    };

    return cmocka_run_group_tests_name("store/pack", tests, NULL, NULL);
}
