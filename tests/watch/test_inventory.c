#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/watch/site.h"

static void components_are_found_with_their_points(void **state)
{
    struct site *s = site_new();
    int64_t id;
    struct component_view v;
    struct device_status status;

    (void)state;
    site_box(s, "10.0.0.1");
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, SECOND);
    assert_string_equal(site_point(s, id, "device", "", "name").text, "前台打印机");
    assert_true(site_point(s, id, "device", "", "reachable").b);
    assert_int_equal(site_point(s, id, "device", "", "pages").i, 100);
    assert_true(site_component(s, id, "supply", "1", &v));
    assert_string_equal(v.label, "Black");
    assert_string_equal(v.module->name, "box");
    assert_int_equal(v.ninstance, 1);
    assert_int_equal(v.instance[0], 1);
    watch_device_status(s->watch, id, &status);
    assert_int_equal(status.components, 3);
    assert_int_equal(status.readings, 10 + 2); /* reachable, name, jam, cover, pages, total, four unknown; two levels */
    site_free(s);
}

static void a_component_keeps_its_number_for_ever(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_switch(s, "10.0.0.1", 3);
    int64_t id = site_add(s, "sw", "10.0.0.1");
    struct component_view v;
    uint32_t number;

    (void)state;
    site_pass(s, MINUTE);
    site_component(s, id, "port", "eth2", &v);
    number = v.number;
    /* The same port comes back under another index, and after a restart. */
    fake_absent(f, "port.state", 2);
    fake_absent(f, "port.name", 2);
    fake_absent(f, "port.octets", 2);
    fake_int(f, "port.state", 9, 2);
    fake_text(f, "port.name", 9, "eth2");
    site_pass(s, 2 * MINUTE);
    site_component(s, id, "port", "eth2", &v);
    assert_int_equal(v.number, number);
    assert_int_equal(v.instance[0], 9);
    site_restart(s, MINUTE);
    site_pass(s, 2 * MINUTE);
    site_component(s, id, "port", "eth2", &v);
    assert_int_equal(v.number, number);
    assert_int_equal(s->components.n, 4); /* the device itself, three ports */
    site_free(s);
}

static void readings_are_only_what_the_poll_told(void **state)
{
    struct site *s = site_new();
    int64_t id;

    (void)state;
    site_box(s, "10.0.0.1");
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, MINUTE);
    for (int i = 0; i < 10 && s->readings.n != 7; i++) /* until a poll of the status alone */
        site_pass(s, MINUTE);
    assert_int_equal(s->readings.n, 7);
    assert_int_equal(s->readings_of, id);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(s->readings.v[i].component, 1);
    assert_int_equal(s->readings.v[0].point, 0);
    assert_int_equal(s->readings.v[1].point, 2); /* not 1: the name is what it was */
    site_free(s);
}

static const struct reading *told(const struct site *s, unsigned point)
{
    for (size_t i = 0; i < s->readings.n; i++)
        if (s->readings.v[i].component == 1 && s->readings.v[i].point == point)
            return &s->readings.v[i];
    return NULL;
}

static void texts_are_told_when_they_change_and_once_an_hour(void **state)
{
    enum { NAME = 1, JAM = 2 };
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    unsigned names = 0, jams = 0;

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, 10 * MINUTE);
    assert_null(told(s, NAME));
    fake_text(f, "box.name", 0, "二楼打印机");
    site_pass(s, MINUTE);
    assert_string_equal(told(s, NAME)->value.text, "二楼打印机");
    for (int i = 0; i < 180; i++) {
        site_pass(s, MINUTE);
        names += told(s, NAME) != NULL;
        jams += told(s, JAM) != NULL;
    }
    assert_int_equal(names, 3);
    assert_int_equal(jams, 180);
    site_free(s);
}

static void what_is_not_read_for_three_intervals_is_stale(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");

    (void)state;
    site_pass(s, 20 * MINUTE);
    fake_mode(f, FAKE_SILENT);
    site_pass(s, 2 * MINUTE);
    assert_int_equal(site_point(s, id, "device", "", "name").quality, QUALITY_GOOD);
    assert_int_equal(site_point(s, id, "device", "", "reachable").quality, QUALITY_GOOD);
    site_pass(s, 2 * MINUTE);
    assert_int_equal(site_point(s, id, "device", "", "name").quality, QUALITY_STALE);
    assert_string_equal(site_point(s, id, "device", "", "name").text, "前台打印机");
    assert_int_equal(site_point(s, id, "device", "", "pages").quality, QUALITY_GOOD);
    assert_int_equal(site_point(s, id, "device", "", "reachable").quality, QUALITY_GOOD);
    site_pass(s, 12 * MINUTE);
    assert_int_equal(site_point(s, id, "device", "", "pages").quality, QUALITY_STALE);
    assert_int_equal(site_point(s, id, "supply", "1", "level").quality, QUALITY_GOOD);
    site_pass(s, 15 * MINUTE);
    assert_int_equal(site_point(s, id, "supply", "1", "level").quality, QUALITY_STALE);
    fake_mode(f, FAKE_ANSWERS);
    site_pass(s, MINUTE + SECOND);
    assert_int_equal(site_point(s, id, "supply", "1", "level").quality, QUALITY_GOOD);
    site_free(s);
}

static void a_row_that_vanished_goes_stale_alone(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_switch(s, "10.0.0.1", 2);
    int64_t id = site_add(s, "sw", "10.0.0.1");

    (void)state;
    site_pass(s, 2 * MINUTE);
    fake_absent(f, "port.state", 1);
    fake_absent(f, "port.name", 1);
    fake_absent(f, "port.octets", 1);
    site_pass(s, 20 * MINUTE);
    assert_int_equal(site_point(s, id, "port", "eth1", "state").quality, QUALITY_STALE);
    assert_int_equal(site_point(s, id, "port", "eth2", "state").quality, QUALITY_GOOD);
    site_free(s);
}

static void a_component_is_gone_after_a_day_and_may_return(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_switch(s, "10.0.0.1", 2);
    int64_t id = site_add(s, "sw", "10.0.0.1");
    struct component_view v;

    (void)state;
    site_pass(s, 2 * MINUTE);
    fake_absent(f, "port.state", 1);
    fake_absent(f, "port.name", 1);
    site_pass(s, 23 * HOUR);
    assert_int_equal(site_count(s, "component.gone"), 0);
    site_pass(s, 2 * HOUR);
    assert_int_equal(site_count(s, "component.gone"), 1);
    assert_non_null(strstr(site_last(s, "component.gone")->args, "\"key\":\"eth1\""));
    assert_false(site_component(s, id, "port", "eth1", &v));
    fake_int(f, "port.state", 5, 1);
    fake_text(f, "port.name", 5, "eth1");
    site_pass(s, 2 * MINUTE);
    assert_true(site_component(s, id, "port", "eth1", &v));
    assert_int_equal(v.number, 2);
    site_free(s);
}

/* Words on a panel are gone with the read that does not find them, and nobody is told; if they return they are the same. */
static void what_is_fleeting_is_gone_at_once_and_unsaid(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id = site_add(s, "prn", "10.0.0.1");
    struct component_view v;
    unsigned number;

    (void)state;
    fake_text(f, "word.text", 7, "Cover open");
    site_pass(s, 2 * MINUTE);
    assert_true(site_component(s, id, "word", "Cover open", &v));
    number = v.number;
    fake_absent(f, "word.text", 7);
    site_pass(s, 2 * MINUTE);
    assert_false(site_component(s, id, "word", "Cover open", &v));
    assert_int_equal(site_count(s, "component.gone"), 0);
    fake_text(f, "word.text", 9, "Cover open");
    site_pass(s, 2 * MINUTE);
    assert_true(site_component(s, id, "word", "Cover open", &v));
    assert_int_equal(v.number, number);
    site_free(s);
}

static void a_label_that_changed_is_kept(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, 20 * MINUTE);
    fake_text(f, "supply.descr", 1, "黑色墨粉");
    site_pass(s, 20 * MINUTE);
    assert_string_equal(s->components.v[1].label, "黑色墨粉");
    site_free(s);
}

static void only_what_is_remembered_is_submitted_when_nothing_changed(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    size_t changes, events;

    (void)state;
    site_add(s, "prn", "10.0.0.1");
    site_pass(s, 30 * MINUTE);
    changes = s->changes;
    events = s->events.n;
    for (int i = 0; i < 600; i++) {
        fake_int(f, "box.pages", 0, 200 + i); /* readings are no change */
        site_pass(s, MINUTE);
    }
    assert_int_equal(s->changes, changes + 10); /* once an hour, for judging after a restart */
    assert_int_equal(s->events.n, events);
    site_free(s);
}

static void hostile_cells_do_no_harm(void **state)
{
    static const uint32_t far[PD_MAX_INSTANCE] = {1, 2, UINT32_MAX};
    static const uint8_t noise[] = {0xff, 0, 0x1b, '[', 0xe9};
    static const struct pd_cell cells[] = {
        {.source = UINT32_MAX, .type = PD_CELL_INT, .i = 1},
        {.source = 0, .type = 99, .i = 1},
        {.source = 0, .type = PD_CELL_BYTES, .bytes = noise, .nbytes = sizeof noise},
        {.source = 1, .type = PD_CELL_OID, .oid = far, .nbytes = PD_MAX_INSTANCE},
        {.source = 1, .type = PD_CELL_FLOAT, .f = -1e300},
        {.source = 2, .type = PD_CELL_UINT, .u = UINT64_MAX, .instance = far, .ninstance = PD_MAX_INSTANCE},
        {.source = 3, .type = PD_CELL_NULL},
        {.source = 4, .type = PD_CELL_INVALID, .instance = far, .ninstance = 3},
        {.source = 4, .type = PD_CELL_INT, .i = INT64_MIN, .instance = far, .ninstance = 3},
    };
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    int64_t id;
    struct device_status status;

    (void)state;
    fake_hostile(f, cells, sizeof cells / sizeof *cells);
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, HOUR);
    watch_device_status(s->watch, id, &status);
    assert_int_equal(status.state, DEVICE_UP);
    assert_true(status.components < 10);
    site_free(s);
}

static void components_without_end_are_bounded(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_switch(s, "10.0.0.1", 1);
    int64_t id = site_add(s, "sw", "10.0.0.1");
    struct device_status status;

    (void)state;
    for (int round = 0; round < 25; round++) {
        for (uint32_t i = 1; i <= 1000; i++) { /* other names for the same rows, again and again */
            char name[32];

            snprintf(name, sizeof name, "r%dp%u", round, i);
            fake_text(f, "port.name", i, name);
            if (round == 0)
                fake_int(f, "port.state", i, 1);
        }
        site_pass(s, MINUTE);
    }
    watch_device_status(s->watch, id, &status);
    assert_in_range(status.components, 10000, 20000);
    site_free(s);
}

/* That the better table did not come tells only of a complete read that it is empty. */
static void half_an_answer_brings_no_second_choice(void **state)
{
    struct site *s = site_new();
    struct fake_device *f = site_box(s, "10.0.0.1");
    struct component_view v;
    int64_t id;

    (void)state;
    fake_text(f, "word.text", 1, "Toner low");
    fake_text(f, "hint.text", 1, "Hint");
    id = site_add(s, "prn", "10.0.0.1");
    site_pass(s, MINUTE);
    assert_true(site_component(s, id, "word", "Toner low", &v));
    assert_false(site_component(s, id, "word", "Hint", &v));
    fake_mode(f, FAKE_PARTIAL); /* which leaves out the words */
    site_pass(s, 3 * MINUTE);
    assert_false(site_component(s, id, "word", "Hint", &v));
    fake_mode(f, FAKE_ANSWERS);
    fake_absent(f, "word.text", 1);
    site_pass(s, 2 * MINUTE);
    assert_true(site_component(s, id, "word", "Hint", &v));
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(components_are_found_with_their_points),
        cmocka_unit_test(a_component_keeps_its_number_for_ever),
        cmocka_unit_test(readings_are_only_what_the_poll_told),
        cmocka_unit_test(texts_are_told_when_they_change_and_once_an_hour),
        cmocka_unit_test(what_is_not_read_for_three_intervals_is_stale),
        cmocka_unit_test(a_row_that_vanished_goes_stale_alone),
        cmocka_unit_test(a_component_is_gone_after_a_day_and_may_return),
        cmocka_unit_test(what_is_fleeting_is_gone_at_once_and_unsaid),
        cmocka_unit_test(a_label_that_changed_is_kept),
        cmocka_unit_test(only_what_is_remembered_is_submitted_when_nothing_changed),
        cmocka_unit_test(hostile_cells_do_no_harm),
        cmocka_unit_test(components_without_end_are_bounded),
        cmocka_unit_test(half_an_answer_brings_no_second_choice),
    };

    return cmocka_run_group_tests_name("watch/inventory", tests, NULL, NULL);
}
