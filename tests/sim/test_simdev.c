#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "machine.h"

static void variables_stand_in_order(void **state)
{
    struct simdev d = {0};
    uint32_t shape;

    (void)state;
    simdev_int(&d, 2, "1.3.6.1.2.1.2.1.0");
    simdev_int(&d, 10, "1.3.6.1.2.1.2.2.1.1.%u", 10U);
    simdev_text(&d, "x", "1.3.6.1.2.1.1.1.0");
    simdev_int(&d, 9, "1.3.6.1.2.1.2.2.1.1.%u", 9U);
    assert_int_equal(d.vars.n, 4);
    for (size_t i = 1; i < d.vars.n; i++)
        assert_true(oid_cmp(d.vars.v[i - 1].oid, d.vars.v[i - 1].noid, d.vars.v[i].oid, d.vars.v[i].noid) < 0);
    shape = d.shape;
    simdev_text(&d, "another value and type", "1.3.6.1.2.1.2.1.0");
    assert_int_equal(d.shape, shape);
    assert_int_equal(d.vars.n, 4);
    simdev_remove(&d, "1.3.6.1.2.1.2.2.1.1");
    assert_int_equal(d.vars.n, 2);
    assert_true(d.shape > shape);
    simdev_fini(&d);
}

static void ramps_reach_their_marks_to_the_ms(void **state)
{
    static const struct {
        struct ramp r;
        int64_t mark;
    } rows[] = {
        {{.base = 80 * 1000, .num = -3, .den = 1000}, 10},
        {{.base = 80 * 1000 + 999, .num = -7, .den = 1000}, 10},
        {{.base = 12345, .num = -1, .den = 1}, 0},
        {{.base = 100 * 3600, .num = -3600, .den = 3600, .since = 500}, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t at = ramp_reaches(&rows[i].r, rows[i].mark, rows[i].r.since);

        assert_true(ramp_at(&rows[i].r, at) <= rows[i].mark);
        assert_true(ramp_at(&rows[i].r, at - 1) > rows[i].mark);
        assert_int_equal(ramp_reaches(&rows[i].r, rows[i].mark, at + 5), at + 5);
    }
    assert_int_equal(ramp_reaches(&(struct ramp){.base = 10, .den = 1}, 5, 0), INT64_MAX);
}

static void a_turned_ramp_goes_on_from_where_it_was(void **state)
{
    struct ramp r = {.base = 1000, .num = -2, .den = 10};

    (void)state;
    ramp_turn(&r, 0, 100);
    assert_int_equal(ramp_at(&r, 100), 80);
    assert_int_equal(ramp_at(&r, 9000), 80);
    ramp_turn(&r, -8, 9000);
    assert_int_equal(ramp_at(&r, 9100), 0);
    assert_int_equal(ramp_at(&r, 99999), 0);
}

static uint64_t value_of(const struct machine *m, const char *text, int64_t now_ms)
{
    const char *why;
    struct oid o;
    const struct simvar *v;

    assert_int_equal(oid_parse(text, &o, &why), 0);
    v = simdev_get(&m->dev, o.id, o.n);
    assert_non_null(v);
    return v->type == SNMP_INTEGER ? (uint64_t)simvar_int(v, now_ms) : simvar_uint(v, now_ms);
}

#define BLACK_LEVEL "1.3.6.1.2.1.43.11.1.1.9.1.1"
#define PAGES "1.3.6.1.2.1.43.10.2.1.4.1.1"

static void toner_drains_by_the_page_and_not_while_off(void **state)
{
    const struct story_device spec = {.name = (char[]){"p"}, .model = MODEL_PRINTER, .toner = 50, .yield = 2000};
    enum { HOUR = 3600000 };
    struct machine m;
    uint64_t pages;

    (void)state;
    machine_init(&m, &spec, 0);
    pages = value_of(&m, PAGES, 0);
    assert_int_equal(value_of(&m, BLACK_LEVEL, 5 * HOUR), 50);
    machine_set_drain(&m, 0, 200, HOUR);
    assert_int_equal(value_of(&m, BLACK_LEVEL, 2 * HOUR), 40);
    assert_int_equal(value_of(&m, PAGES, 2 * HOUR), pages + 200);
    machine_set_power(&m, false, 2 * HOUR);
    assert_int_equal(value_of(&m, BLACK_LEVEL, 9 * HOUR), 40);
    machine_set_power(&m, true, 9 * HOUR);
    assert_int_equal(value_of(&m, BLACK_LEVEL, 12 * HOUR), 10);
    assert_true(supply_at_most(machine_toner(&m, 0), 10, 12 * HOUR));
    assert_false(supply_at_most(machine_toner(&m, 0), 10, 12 * HOUR - HOUR / 10 - 1));
    machine_refill(&m, 0, 13 * HOUR);
    assert_int_equal(value_of(&m, BLACK_LEVEL, 13 * HOUR), 100);
    machine_fini(&m);
}

static void troubles_show_where_the_printer_tells_them(void **state)
{
    static const char state_oid[] = "1.3.6.1.2.1.25.3.5.1.2.1";
    const uint32_t code[] = {1, 3, 6, 1, 2, 1, 43, 18, 1, 1, 7, 1, 1};

    (void)state;
    for (int tells = 0; tells < TELLS_COUNT; tells++) {
        const struct story_device spec = {
            .name = (char[]){"p"}, .model = MODEL_COPIER, .tells = (enum tells)tells, .toner = 80, .yield = 2000};
        const char *why;
        struct machine m;
        struct oid o;

        machine_init(&m, &spec, 0);
        oid_parse(state_oid, &o, &why);
        machine_set_jam(&m, true, 1000);
        assert_int_equal(simdev_get(&m.dev, o.id, o.n)->bytes[0], tells == TELLS_ALERTS ? 0 : 0x04);
        assert_int_equal(simdev_get(&m.dev, code, 13) != NULL, tells != TELLS_STATE);
        machine_set_jam(&m, false, 2000);
        assert_int_equal(simdev_get(&m.dev, o.id, o.n)->bytes[0], 0);
        assert_null(simdev_get(&m.dev, code, 13));
        machine_fini(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_stand_in_order),
        cmocka_unit_test(ramps_reach_their_marks_to_the_ms),
        cmocka_unit_test(a_turned_ramp_goes_on_from_where_it_was),
        cmocka_unit_test(toner_drains_by_the_page_and_not_while_off),
        cmocka_unit_test(troubles_show_where_the_printer_tells_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
