#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/watch/site.h"

/* Agents that give their rows other numbers: what is known of a port goes with its name. */

enum { CALM = 1000 }; /* octets */

/* One row of the switch as its agent shows it. */
struct shown {
    uint32_t row;
    const char *name;
    int64_t state, octets; /* state 2: down */
};

static void show(struct fake_device *f, const struct shown *rows, size_t n)
{
    static const char *const columns[] = {"port.name", "port.state", "port.octets"};

    for (uint32_t row = 1; row <= 40; row++)
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            fake_absent(f, columns[i], row);
    for (size_t i = 0; i < n; i++) {
        fake_text(f, "port.name", rows[i].row, rows[i].name);
        fake_int(f, "port.state", rows[i].row, rows[i].state);
        fake_int(f, "port.octets", rows[i].row, rows[i].octets);
    }
}

static struct fake_device *begin(struct site **s, int64_t *id, const struct shown *rows, size_t n)
{
    struct fake_device *f;

    *s = site_new();
    f = site_switch(*s, "10.0.0.1", 0);
    show(f, rows, n);
    *id = site_add(*s, "sw", "10.0.0.1");
    site_say(*s, *id, "uplink=eth1;eth2", NULL, NULL);
    return f;
}

static uint32_t number(const struct site *s, int64_t id, const char *key)
{
    struct component_view v;

    assert_true(site_component(s, id, "port", key, &v));
    return v.number;
}

static uint32_t row_of(const struct site *s, int64_t id, const char *key)
{
    struct component_view v;

    assert_true(site_component(s, id, "port", key, &v));
    return v.instance[0];
}

static void an_alert_and_its_ticket_stay_with_the_port_whose_row_another_took(void **state)
{
    static const struct shown before[] = {{1, "eth1", 2, CALM}, {2, "eth2", 1, CALM}},
                              after[] = {{1, "eth2", 1, CALM}, {2, "eth1", 2, CALM}};
    struct site *s;
    int64_t id, alert, ticket;
    struct fake_device *f = begin(&s, &id, before, 2);
    uint32_t eth1, eth2;

    (void)state;
    site_pass(s, 10 * MINUTE);
    assert_string_equal(site_open(s, id, "uplink")->key, "eth1");
    alert = site_open(s, id, "uplink")->id;
    ticket = site_open(s, id, "uplink")->ticket_id;
    eth1 = number(s, id, "eth1");
    eth2 = number(s, id, "eth2");
    for (int i = 0; i < 4; i++) { /* to and fro, and over restarts of patrold */
        show(f, i % 2 ? before : after, 2);
        if (i >= 2)
            site_restart(s, MINUTE);
        site_pass(s, 10 * MINUTE);
        assert_int_equal(number(s, id, "eth1"), eth1);
        assert_int_equal(number(s, id, "eth2"), eth2);
        assert_int_equal(row_of(s, id, "eth1"), i % 2 ? 1 : 2);
        assert_int_equal(site_open(s, id, "uplink")->id, alert);
        assert_int_equal(site_open(s, id, "uplink")->ticket_id, ticket);
        assert_string_equal(site_open(s, id, "uplink")->key, "eth1");
    }
    assert_int_equal(site_count(s, "alert.opened"), 1);
    assert_int_equal(site_count(s, "alert.closed"), 0);
    site_free(s);
}

static void a_counter_under_another_number_is_no_burst_of_somebody_else(void **state)
{
    static const struct shown before[] = {{1, "eth1", 1, 5}, {2, "eth2", 1, 1000000}},
                              after[] = {{1, "eth2", 1, 1000010}, {2, "eth1", 1, 15}},
                              burst[] = {{1, "eth2", 1, 1000500}, {2, "eth1", 1, 20}};
    struct site *s;
    int64_t id;
    struct fake_device *f = begin(&s, &id, before, 2);

    (void)state;
    site_pass(s, HOUR);
    show(f, after, 2);
    site_pass(s, HOUR);
    assert_int_equal(site_count(s, "alert.opened"), 0);
    /* The window went along too: what it holds is judged where the port is now. */
    show(f, burst, 2);
    site_pass(s, 10 * MINUTE);
    assert_non_null(site_open(s, id, "flood"));
    assert_string_equal(site_open(s, id, "flood")->key, "eth2");
    show(f, (const struct shown[]){{7, "eth2", 1, 1000500}, {8, "eth1", 1, 20}}, 2);
    site_pass(s, 5 * MINUTE);
    assert_string_equal(site_open(s, id, "flood")->key, "eth2");
    assert_int_equal(site_count(s, "alert.opened"), 1);
    site_free(s);
}

static void a_name_that_two_had_stays_with_the_first_when_it_is_alone(void **state)
{
    static const struct shown once[] = {{1, "eth1", 2, CALM}, {2, "eth2", 1, CALM}},
                              twice[] = {{1, "eth1", 2, CALM}, {2, "eth2", 1, CALM}, {3, "eth1", 1, CALM}},
                              moved[] = {{5, "eth2", 1, CALM}, {6, "eth1", 2, CALM}};
    struct site *s;
    int64_t id, alert;
    struct fake_device *f = begin(&s, &id, twice, 3);
    uint32_t eth1;

    (void)state;
    site_pass(s, 10 * MINUTE);
    alert = site_open(s, id, "uplink")->id;
    eth1 = number(s, id, "eth1");
    assert_int_equal(row_of(s, id, "eth1"), 1);
    assert_int_equal(row_of(s, id, "eth1#3"), 3); /* a component of its own: two rows are never one */
    show(f, once, 2);
    site_pass(s, HOUR);
    show(f, twice, 3);
    site_pass(s, HOUR);
    show(f, moved, 2);
    site_restart(s, MINUTE);
    site_pass(s, HOUR);
    assert_int_equal(number(s, id, "eth1"), eth1);
    assert_int_equal(row_of(s, id, "eth1"), 6);
    assert_int_equal(site_open(s, id, "uplink")->id, alert);
    assert_int_equal(site_count(s, "alert.opened"), 1);
    site_free(s);
}

/* Without a name a row is its number, and nothing that is known of one is put to another with a name. */
static void a_row_without_a_name_takes_nothing_over(void **state)
{
    static const struct shown before[] = {{1, "eth1", 2, CALM}, {2, "eth2", 1, CALM}},
                              after[] = {{1, "", 1, CALM}, {2, "eth1", 2, CALM}};
    struct site *s;
    int64_t id, alert;
    struct fake_device *f = begin(&s, &id, before, 2);

    (void)state;
    site_pass(s, 10 * MINUTE);
    alert = site_open(s, id, "uplink")->id;
    show(f, after, 2);
    site_pass(s, 10 * MINUTE);
    assert_int_equal(site_open(s, id, "uplink")->id, alert);
    assert_string_equal(site_open(s, id, "uplink")->key, "eth1");
    assert_int_equal(row_of(s, id, "eth1"), 2);
    assert_int_equal(row_of(s, id, "1"), 1);
    site_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_alert_and_its_ticket_stay_with_the_port_whose_row_another_took),
        cmocka_unit_test(a_counter_under_another_number_is_no_burst_of_somebody_else),
        cmocka_unit_test(a_name_that_two_had_stays_with_the_first_when_it_is_alone),
        cmocka_unit_test(a_row_without_a_name_takes_nothing_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
