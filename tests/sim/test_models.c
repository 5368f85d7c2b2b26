#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"

static void build(struct machine *m, enum model model, int snmp)
{
    static struct story_device spec;
    static char name[] = "dev";

    spec = (struct story_device){.name = name, .model = model, .snmp = snmp, .unit = 1, .toner = 80, .yield = 2000};
    machine_init(m, &spec, 0);
}

/* ---- What the MIBs say of their variables ---- */

struct syntax {
    const char *prefix; /* a scalar, or a column */
    enum snmp_type type;
};

/* RFC 1628 */
static const struct syntax ups_mib[] = {
    {"1.3.6.1.2.1.33.1.1", SNMP_OCTETS},          {"1.3.6.1.2.1.33.1.2", SNMP_INTEGER},
    {"1.3.6.1.2.1.33.1.3.1", SNMP_COUNTER32},     {"1.3.6.1.2.1.33.1.3.2", SNMP_INTEGER},
    {"1.3.6.1.2.1.33.1.3.3", SNMP_INTEGER},       {"1.3.6.1.2.1.33.1.4", SNMP_INTEGER},
    {"1.3.6.1.2.1.33.1.6.1", SNMP_GAUGE32},       {"1.3.6.1.2.1.33.1.6.2.1.2", SNMP_OID},
    {"1.3.6.1.2.1.33.1.6.2.1.3", SNMP_TIMETICKS}, {"1.3.6.1.2.1.33.1.7.3", SNMP_INTEGER},
    {"1.3.6.1.2.1.33.1.7.4", SNMP_OCTETS},        {"1.3.6.1.2.1.33.1.9", SNMP_INTEGER},
};

/* RFC 4133 and RFC 3433 */
static const struct syntax sensor_mibs[] = {
    {"1.3.6.1.2.1.47.1.1.1.1.2", SNMP_OCTETS},   {"1.3.6.1.2.1.47.1.1.1.1.3", SNMP_OID},
    {"1.3.6.1.2.1.47.1.1.1.1.4", SNMP_INTEGER},  {"1.3.6.1.2.1.47.1.1.1.1.5", SNMP_INTEGER},
    {"1.3.6.1.2.1.47.1.1.1.1.6", SNMP_INTEGER},  {"1.3.6.1.2.1.47.1.1.1.1.7", SNMP_OCTETS},
    {"1.3.6.1.2.1.47.1.1.1.1.8", SNMP_OCTETS},   {"1.3.6.1.2.1.47.1.1.1.1.9", SNMP_OCTETS},
    {"1.3.6.1.2.1.47.1.1.1.1.10", SNMP_OCTETS},  {"1.3.6.1.2.1.47.1.1.1.1.11", SNMP_OCTETS},
    {"1.3.6.1.2.1.47.1.1.1.1.12", SNMP_OCTETS},  {"1.3.6.1.2.1.47.1.1.1.1.13", SNMP_OCTETS},
    {"1.3.6.1.2.1.47.1.1.1.1.14", SNMP_OCTETS},  {"1.3.6.1.2.1.47.1.1.1.1.15", SNMP_OCTETS},
    {"1.3.6.1.2.1.47.1.1.1.1.16", SNMP_INTEGER}, {"1.3.6.1.2.1.99.1.1.1.1", SNMP_INTEGER},
    {"1.3.6.1.2.1.99.1.1.1.2", SNMP_INTEGER},    {"1.3.6.1.2.1.99.1.1.1.3", SNMP_INTEGER},
    {"1.3.6.1.2.1.99.1.1.1.4", SNMP_INTEGER},    {"1.3.6.1.2.1.99.1.1.1.5", SNMP_INTEGER},
    {"1.3.6.1.2.1.99.1.1.1.6", SNMP_OCTETS},     {"1.3.6.1.2.1.99.1.1.1.7", SNMP_TIMETICKS},
    {"1.3.6.1.2.1.99.1.1.1.8", SNMP_GAUGE32},
};

/* IEEE 802.1AB, and RFC 4188 */
static const struct syntax switch_mibs[] = {
    {"1.0.8802.1.1.2.1.3.1", SNMP_INTEGER},     {"1.0.8802.1.1.2.1.3.2", SNMP_OCTETS},
    {"1.0.8802.1.1.2.1.3.3", SNMP_OCTETS},      {"1.0.8802.1.1.2.1.3.4", SNMP_OCTETS},
    {"1.0.8802.1.1.2.1.3.5", SNMP_OCTETS},      {"1.0.8802.1.1.2.1.3.6", SNMP_OCTETS},
    {"1.0.8802.1.1.2.1.3.7.1.2", SNMP_INTEGER}, {"1.0.8802.1.1.2.1.3.7.1.3", SNMP_OCTETS},
    {"1.0.8802.1.1.2.1.3.7.1.4", SNMP_OCTETS},  {"1.0.8802.1.1.2.1.4.1.1.4", SNMP_INTEGER},
    {"1.0.8802.1.1.2.1.4.1.1.5", SNMP_OCTETS},  {"1.0.8802.1.1.2.1.4.1.1.6", SNMP_INTEGER},
    {"1.0.8802.1.1.2.1.4.1.1.7", SNMP_OCTETS},  {"1.0.8802.1.1.2.1.4.1.1.8", SNMP_OCTETS},
    {"1.0.8802.1.1.2.1.4.1.1.9", SNMP_OCTETS},  {"1.0.8802.1.1.2.1.4.1.1.10", SNMP_OCTETS},
    {"1.0.8802.1.1.2.1.4.1.1.11", SNMP_OCTETS}, {"1.0.8802.1.1.2.1.4.1.1.12", SNMP_OCTETS},
    {"1.3.6.1.2.1.17.1.1", SNMP_OCTETS},        {"1.3.6.1.2.1.17.1.2", SNMP_INTEGER},
    {"1.3.6.1.2.1.17.1.3", SNMP_INTEGER},       {"1.3.6.1.2.1.17.1.4.1.1", SNMP_INTEGER},
    {"1.3.6.1.2.1.17.1.4.1.2", SNMP_INTEGER},   {"1.3.6.1.2.1.17.1.4.1.3", SNMP_OID},
    {"1.3.6.1.2.1.17.1.4.1.4", SNMP_COUNTER32}, {"1.3.6.1.2.1.17.1.4.1.5", SNMP_COUNTER32},
};

/* UCD-SNMP-MIB */
static const struct syntax ucd_mib[] = {
    {"1.3.6.1.4.1.2021.4.2", SNMP_OCTETS},      {"1.3.6.1.4.1.2021.4.101", SNMP_OCTETS},
    {"1.3.6.1.4.1.2021.4", SNMP_INTEGER},       {"1.3.6.1.4.1.2021.9.1.2", SNMP_OCTETS},
    {"1.3.6.1.4.1.2021.9.1.3", SNMP_OCTETS},    {"1.3.6.1.4.1.2021.9.1.101", SNMP_OCTETS},
    {"1.3.6.1.4.1.2021.9.1", SNMP_INTEGER},     {"1.3.6.1.4.1.2021.10.1.2", SNMP_OCTETS},
    {"1.3.6.1.4.1.2021.10.1.3", SNMP_OCTETS},   {"1.3.6.1.4.1.2021.10.1.4", SNMP_OCTETS},
    {"1.3.6.1.4.1.2021.10.1.101", SNMP_OCTETS}, {"1.3.6.1.4.1.2021.10.1", SNMP_INTEGER},
    {"1.3.6.1.4.1.2021.11.2", SNMP_OCTETS},     {"1.3.6.1.4.1.2021.11.50", SNMP_COUNTER32},
    {"1.3.6.1.4.1.2021.11.52", SNMP_COUNTER32}, {"1.3.6.1.4.1.2021.11.53", SNMP_COUNTER32},
    {"1.3.6.1.4.1.2021.11", SNMP_INTEGER},
};

/* Every variable below a root has the type that the first fitting row gives it; *seen: how many there were. */
static size_t assert_typed(const struct machine *m, const char *root, const struct syntax *rows, size_t n)
{
    struct oid below, prefix;
    const char *why;
    size_t seen = 0;

    assert_int_equal(oid_parse(root, &below, &why), 0);
    for (size_t i = 0; i < m->dev.vars.n; i++) {
        const struct simvar *v = &m->dev.vars.v[i];
        size_t k;

        if (!oid_below(below.id, below.n, v->oid, v->noid))
            continue;
        seen++;
        for (k = 0; k < n; k++) {
            assert_int_equal(oid_parse(rows[k].prefix, &prefix, &why), 0);
            if (oid_below(prefix.id, prefix.n, v->oid, v->noid))
                break;
        }
        if (k == n)
            fail_msg("variable %zu below %s (it ends in .%u.%u) is none of the MIB's", seen, root, v->oid[v->noid - 2],
                     v->oid[v->noid - 1]);
        if (v->type != rows[k].type)
            fail_msg("%s…%u: type %u instead of %u", rows[k].prefix, v->oid[v->noid - 1], v->type, rows[k].type);
    }
    return seen;
}

#define ROWS(table) table, sizeof table / sizeof table[0]

static void an_ups_is_typed_as_its_mib_says(void **state)
{
    struct machine m;

    (void)state;
    build(&m, MODEL_UPS, 2);
    machine_set_battery(&m, true, 0);
    machine_set_replace_battery(&m, true, 0);
    assert_true(assert_typed(&m, "1.3.6.1.2.1.33", ROWS(ups_mib)) > 40);
    machine_fini(&m);
}

static void a_sensor_is_typed_as_its_mibs_say(void **state)
{
    struct machine m;

    (void)state;
    build(&m, MODEL_SENSOR, 2);
    assert_int_equal(assert_typed(&m, "1.3.6.1.2.1.47", ROWS(sensor_mibs)), 5 * 15);
    assert_int_equal(assert_typed(&m, "1.3.6.1.2.1.99", ROWS(sensor_mibs)), 4 * 8);
    machine_fini(&m);
}

static void a_switch_is_typed_as_its_mibs_say(void **state)
{
    struct machine m;
    size_t before;

    (void)state;
    build(&m, MODEL_SWITCH, 2);
    before = assert_typed(&m, "1.0.8802.1.1.2", ROWS(switch_mibs));
    machine_set_neighbour(&m, 24, "core");
    assert_int_equal(assert_typed(&m, "1.0.8802.1.1.2", ROWS(switch_mibs)), before + 9);
    assert_int_equal(assert_typed(&m, "1.3.6.1.2.1.17", ROWS(switch_mibs)), 3 + 24 * 5);
    machine_fini(&m);
}

static void a_server_is_typed_as_its_mib_says(void **state)
{
    struct machine m;

    (void)state;
    build(&m, MODEL_SERVER, 2);
    assert_true(assert_typed(&m, "1.3.6.1.4.1.2021", ROWS(ucd_mib)) > 60);
    machine_fini(&m);
}

/* ---- All of them ---- */

static void assert_sorted(const struct machine *m)
{
    for (size_t i = 1; i < m->dev.vars.n; i++) {
        const struct simvar *a = &m->dev.vars.v[i - 1], *b = &m->dev.vars.v[i];

        if (oid_cmp(a->oid, a->noid, b->oid, b->noid) >= 0)
            fail_msg("model %s: variable %zu does not rise", model_names[m->spec->model], i);
    }
    for (size_t i = 1; i < m->regs.regs.n; i++) {
        const struct reg *a = &m->regs.regs.v[i - 1], *b = &m->regs.regs.v[i];

        if (a->function > b->function || (a->function == b->function && a->address + a->count > b->address))
            fail_msg("model %s: register %u lies over another", model_names[m->spec->model], b->address);
    }
}

static void every_model_stays_in_order_whatever_befalls_it(void **state)
{
    (void)state;
    for (int model = 0; model < MODEL_COUNT; model++) {
        struct machine m;

        build(&m, (enum model)model, 2);
        assert_true((m.regs.regs.n > 0) == model_is_modbus((enum model)model));
        assert_true((m.dev.vars.n > 0) != model_is_modbus((enum model)model));
        assert_sorted(&m);
        machine_set_power(&m, false, 1000);
        machine_set_power(&m, true, 2000);
        machine_restart(&m, 3000);
        if (m.nports > 0) {
            machine_set_link(&m, 1, false, 4000);
            machine_set_errors(&m, 1, 30, 4000);
        }
        machine_set_temperature(&m, 391, 4000);
        machine_set_humidity(&m, 91, 4000);
        machine_set_cooling_alarm(&m, true, 4000);
        if (m.charge.den > 0) {
            machine_set_battery(&m, true, 4000);
            machine_set_charge(&m, 3, 4000);
        }
        machine_set_load(&m, 120, 4000);
        assert_sorted(&m);
        machine_fini(&m);
    }
}

static void no_counter_of_64_bits_for_version_1(void **state)
{
    static const enum model models[] = {MODEL_PRINTER, MODEL_SWITCH, MODEL_SERVER, MODEL_UPS, MODEL_SENSOR};

    (void)state;
    for (size_t k = 0; k < sizeof models / sizeof models[0]; k++) {
        struct machine m;

        build(&m, models[k], 1);
        machine_restart(&m, 1000);
        for (size_t i = 0; i < m.dev.vars.n; i++)
            assert_int_not_equal(m.dev.vars.v[i].type, SNMP_COUNTER64);
        machine_fini(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ups_is_typed_as_its_mib_says),
        cmocka_unit_test(a_sensor_is_typed_as_its_mibs_say),
        cmocka_unit_test(a_switch_is_typed_as_its_mibs_say),
        cmocka_unit_test(a_server_is_typed_as_its_mib_says),
        cmocka_unit_test(every_model_stays_in_order_whatever_befalls_it),
        cmocka_unit_test(no_counter_of_64_bits_for_version_1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
