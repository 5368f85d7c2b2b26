#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "machine.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static void build(struct machine *m, enum model model)
{
    static const struct story_device specs[] = {
        [MODEL_PRINTER] = {.model = MODEL_PRINTER},
        [MODEL_COPIER] = {.model = MODEL_COPIER},
        [MODEL_SWITCH] = {.model = MODEL_SWITCH},
        [MODEL_SERVER] = {.model = MODEL_SERVER},
        [MODEL_UPS] = {.model = MODEL_UPS},
        [MODEL_SENSOR] = {.model = MODEL_SENSOR},
        [MODEL_MODBUS_UPS] = {.model = MODEL_MODBUS_UPS},
        [MODEL_METER] = {.model = MODEL_METER},
        [MODEL_MODBUS_SENSOR] = {.model = MODEL_MODBUS_SENSOR},
        [MODEL_AIR_CONDITIONER] = {.model = MODEL_AIR_CONDITIONER},
    };
    static struct story_device spec;
    static char name[] = "dev", address[] = "127.1.1.1";

    spec = specs[model];
    spec.name = name;
    spec.serial_of = -1;
    spec.address = address;
    spec.snmp = 2;
    spec.unit = 1;
    spec.toner = 80;
    spec.yield = 2000;
    machine_init(m, &spec, 0);
}

/* The variable of an OID, or NULL. */
static const struct simvar *var(const struct machine *m, const char *oid)
{
    const char *why;
    struct oid o;

    assert_int_equal(oid_parse(oid, &o, &why), 0);
    return simdev_get(&m->dev, o.id, o.n);
}

static int64_t value(const struct machine *m, const char *oid, int64_t now_ms)
{
    const struct simvar *v = var(m, oid);

    if (v == NULL) {
        fail_msg("there is no %s", oid);
        return -1;
    }
    return simvar_is_uint(v) ? (int64_t)simvar_uint(v, now_ms) : simvar_int(v, now_ms);
}

static const char *text(const struct machine *m, const char *oid)
{
    const struct simvar *v = var(m, oid);

    if (v == NULL || v->type != SNMP_OCTETS) {
        fail_msg("there is no text %s", oid);
        return "";
    }
    v->bytes[v->n] = '\0'; /* there is room for it */
    return (const char *)v->bytes;
}

/* A register of the holding space, or of the input registers where there is none. */
static int64_t reg(const struct machine *m, unsigned address, unsigned count, int64_t now_ms)
{
    uint8_t pdu[] = {MB_READ_HOLDING, (uint8_t)(address >> 8), (uint8_t)address, 0, (uint8_t)count};
    uint8_t out[MB_MAX_PDU];
    int64_t v = 0;

    if (regmap_answer(&m->regs, now_ms, pdu, sizeof pdu, out) == 2) {
        pdu[0] = MB_READ_INPUT;
        assert_int_equal(regmap_answer(&m->regs, now_ms, pdu, sizeof pdu, out), 2 + 2 * count);
    }
    for (unsigned i = 0; i < 2 * count; i++)
        v = v << 8 | out[2 + i];
    return count == 1 ? (int16_t)v : v;
}

/* ---- Any machine ---- */

static void who_answers_a_ping_and_who_more(void **state)
{
    static const struct {
        const char *what;
        bool on, cut_off, silent, gateway;
        enum sleep sleep;
        bool pings, speaks;
    } rows[] = {
        {"as ever", true, false, false, false, SLEEP_NONE, true, true},
        {"off", false, false, false, false, SLEEP_NONE, false, false},
        {"cut off", true, true, false, false, SLEEP_NONE, false, false},
        {"silent", true, false, true, false, SLEEP_NONE, true, false},
        {"light sleep", true, false, false, false, SLEEP_LIGHT, true, true},
        {"deep sleep", true, false, false, false, SLEEP_DEEP, false, false},
        {"off behind a gateway", false, false, false, true, SLEEP_NONE, true, false},
        {"cut off with its gateway", true, true, false, true, SLEEP_NONE, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct machine m;

        build(&m, MODEL_MODBUS_SENSOR);
        m.gateway = rows[i].gateway;
        machine_set_power(&m, rows[i].on, 1000);
        machine_set_cut_off(&m, rows[i].cut_off);
        machine_set_snmp_silent(&m, rows[i].silent);
        machine_set_asleep(&m, rows[i].sleep, 1000);
        if (machine_pings(&m) != rows[i].pings || machine_speaks(&m) != rows[i].speaks)
            fail_msg("%s: pings %d, speaks %d", rows[i].what, machine_pings(&m), machine_speaks(&m));
        machine_fini(&m);
    }
}

#define UPTIME "1.3.6.1.2.1.1.3.0"
#define BOOTS "1.3.6.1.6.3.10.2.1.2.0"
#define ENGINE_TIME "1.3.6.1.6.3.10.2.1.3.0"
#define IN_OCTETS "1.3.6.1.2.1.31.1.1.1.6.2"

static void a_restart_begins_counters_again_and_counts_boots(void **state)
{
    struct machine m;
    int64_t boots, octets;

    (void)state;
    build(&m, MODEL_SWITCH);
    boots = value(&m, BOOTS, 0);
    assert_true(value(&m, UPTIME, 5000) == value(&m, UPTIME, 0) + 500);
    octets = value(&m, IN_OCTETS, HOUR);
    assert_true(octets > value(&m, IN_OCTETS, 0));
    machine_restart(&m, HOUR);
    assert_int_equal(value(&m, UPTIME, HOUR), 0);
    assert_int_equal(value(&m, UPTIME, HOUR + 2000), 200);
    assert_int_equal(value(&m, ENGINE_TIME, HOUR + 2000), 2);
    assert_int_equal(value(&m, BOOTS, HOUR), boots + 1);
    assert_int_equal(value(&m, IN_OCTETS, HOUR), 0);
    assert_true(value(&m, IN_OCTETS, HOUR + 2000) > 0);
    /* Off and on again is one as well; on while it is on is not. */
    machine_set_power(&m, false, 2 * HOUR);
    machine_set_power(&m, true, 3 * HOUR);
    machine_set_power(&m, true, 4 * HOUR);
    assert_int_equal(value(&m, BOOTS, 4 * HOUR), boots + 2);
    assert_int_equal(value(&m, UPTIME, 4 * HOUR), 360000);
    machine_fini(&m);
}

#define IF_NAME "1.3.6.1.2.1.31.1.1.1.1"
#define STORAGE_NAME "1.3.6.1.2.1.25.2.3.1.3"
#define ENTITY_NAME "1.3.6.1.2.1.47.1.1.1.1.7"
#define SERIAL "1.3.6.1.2.1.43.5.1.1.17.1"
#define PAGES "1.3.6.1.2.1.43.10.2.1.4.1.1"

static void other_numbers_and_back(void **state)
{
    static const struct {
        enum model model;
        const char *names; /* a column */
        unsigned first, last;
    } rows[] = {
        {MODEL_SWITCH, IF_NAME, 1, 25},
        {MODEL_SERVER, STORAGE_NAME, 31, 32},
        {MODEL_SENSOR, ENTITY_NAME, 2, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char first[64], last[64], *before;
        struct machine m;

        snprintf(first, sizeof first, "%s.%u", rows[i].names, rows[i].first);
        snprintf(last, sizeof last, "%s.%u", rows[i].names, rows[i].last);
        build(&m, rows[i].model);
        before = xstrdup(text(&m, first));
        assert_string_not_equal(text(&m, last), before);
        machine_renumber(&m, HOUR);
        assert_string_equal(text(&m, last), before);
        assert_string_not_equal(text(&m, first), before);
        machine_renumber(&m, 2 * HOUR);
        assert_string_equal(text(&m, first), before);
        free(before);
        machine_fini(&m);
    }
}

static void another_machine_has_another_serial_number_and_its_own_pages(void **state)
{
    struct machine m;
    char *serial;

    (void)state;
    build(&m, MODEL_COPIER);
    serial = xstrdup(text(&m, SERIAL));
    machine_reset_pages(&m, HOUR);
    assert_string_equal(text(&m, SERIAL), serial);
    assert_int_equal(value(&m, PAGES, HOUR), 0);
    machine_swap(&m, 2 * HOUR);
    assert_string_not_equal(text(&m, SERIAL), serial);
    assert_int_equal(value(&m, PAGES, 2 * HOUR), 61207);
    assert_int_equal(value(&m, UPTIME, 2 * HOUR), 0);
    assert_false(supply_at_most(machine_toner(&m, 2), 99, 2 * HOUR));
    free(serial);
    machine_fini(&m);
}

static void some_uptimes_begin_again_without_a_restart(void **state)
{
    const struct story_device spec = {.name = (char[]){"s"}, .model = MODEL_SWITCH, .snmp = 2};
    struct machine m;
    int64_t before, after;

    (void)state;
    machine_init(&m, &spec, 3);
    before = value(&m, UPTIME, 0);
    after = value(&m, UPTIME, 2 * DAY);
    assert_true(after < before);
    assert_int_equal(after, before + 2 * DAY / 10 - INT64_C(0x100000000));
    assert_int_equal(value(&m, BOOTS, 2 * DAY), value(&m, BOOTS, 0));
    machine_fini(&m);
}

/* ---- Ports ---- */

#define OPER "1.3.6.1.2.1.2.2.1.8.25"
#define PACKETS "1.3.6.1.2.1.2.2.1.11.25"
#define ERRORS "1.3.6.1.2.1.2.2.1.14.25"
#define NEIGHBOUR "1.0.8802.1.1.2.1.4.1.1.9.0.24.1"

static void a_port_without_link_moves_nothing_and_knows_no_neighbour(void **state)
{
    struct machine m;
    int64_t packets;

    (void)state;
    build(&m, MODEL_SWITCH);
    assert_string_equal(machine_port(&m, 24)->name, "GigabitEthernet0/24");
    assert_int_equal(value(&m, OPER, 0), 1);
    assert_null(var(&m, NEIGHBOUR));
    machine_set_neighbour(&m, 24, "core-switch");
    assert_memory_equal(var(&m, NEIGHBOUR)->bytes, "core-switch", 11);
    machine_set_link(&m, 24, false, HOUR);
    assert_int_equal(value(&m, OPER, HOUR), 2);
    assert_null(var(&m, NEIGHBOUR));
    packets = value(&m, PACKETS, HOUR);
    assert_int_equal(value(&m, PACKETS, 2 * HOUR), packets);
    machine_set_link(&m, 24, true, 2 * HOUR);
    assert_non_null(var(&m, NEIGHBOUR));
    assert_true(value(&m, PACKETS, 3 * HOUR) > packets);
    machine_set_neighbour(&m, 24, NULL);
    assert_null(var(&m, NEIGHBOUR));
    machine_fini(&m);
}

static void damaged_packets_are_a_share_of_those_that_come(void **state)
{
    struct machine m;
    int64_t packets, errors;

    (void)state;
    build(&m, MODEL_SWITCH);
    machine_set_errors(&m, 24, 20, 0);
    packets = value(&m, PACKETS, HOUR) - value(&m, PACKETS, 0);
    errors = value(&m, ERRORS, HOUR) - value(&m, ERRORS, 0);
    assert_int_equal(errors, packets / 50);
    assert_true(errors > 100);
    machine_set_errors(&m, 24, 0, HOUR);
    assert_int_equal(value(&m, ERRORS, 2 * HOUR), value(&m, ERRORS, HOUR));
    machine_fini(&m);
}

/* ---- Servers ---- */

#define HR_USED "1.3.6.1.2.1.25.2.3.1.6.31"
#define DSK_AVAIL "1.3.6.1.4.1.2021.9.1.7.1"
#define DSK_USED "1.3.6.1.4.1.2021.9.1.8.1"
#define DSK_PERCENT "1.3.6.1.4.1.2021.9.1.9.1"

static void disks_fill_to_their_marks_to_the_ms_and_full_is_full(void **state)
{
    struct machine m;
    const struct disk *d;
    int64_t at;

    (void)state;
    build(&m, MODEL_SERVER);
    d = &m.disks[0];
    machine_set_disk(&m, 0, 40, HOUR);
    assert_int_equal(value(&m, HR_USED, 9 * HOUR), d->size / 100 * 40);
    assert_int_equal(disk_reaches(d, 90, HOUR), INT64_MAX);
    machine_set_fill(&m, 0, 240, HOUR); /* 10 % an hour */
    at = disk_reaches(d, 90, HOUR);
    assert_in_range(at, 6 * HOUR - MINUTE, 6 * HOUR + MINUTE);
    assert_true(disk_at_least(d, 90, at));
    assert_false(disk_at_least(d, 90, at - 1));
    assert_int_equal(value(&m, DSK_PERCENT, at), 90);
    assert_int_equal(value(&m, DSK_PERCENT, at - 1), 89);
    assert_int_equal(value(&m, HR_USED, INT64_C(40) * DAY), d->size);
    assert_int_equal(value(&m, DSK_AVAIL, INT64_C(40) * DAY), 0);
    assert_int_equal(value(&m, DSK_USED, INT64_C(40) * DAY), d->size * 4);
    machine_set_fill(&m, 0, -240, 12 * HOUR);
    at = disk_falls_below(d, 87, 12 * HOUR);
    assert_true(disk_at_least(d, 87, at - 1));
    assert_false(disk_at_least(d, 87, at));
    assert_int_equal(disk_falls_below(d, 87, at + 5), at + 5);
    machine_fini(&m);
}

static void a_disk_does_not_fill_while_the_server_is_off(void **state)
{
    struct machine m;
    int64_t used;

    (void)state;
    build(&m, MODEL_SERVER);
    machine_set_fill(&m, 0, 24, 0);
    used = value(&m, HR_USED, HOUR);
    machine_set_power(&m, false, HOUR);
    assert_int_equal(value(&m, HR_USED, 5 * HOUR), used);
    machine_set_power(&m, true, 5 * HOUR);
    assert_int_equal(value(&m, HR_USED, 6 * HOUR), used + m.disks[0].size / 100);
    machine_fini(&m);
}

static void busy_processors_show_everywhere(void **state)
{
    struct machine m;
    int64_t idle;

    (void)state;
    build(&m, MODEL_SERVER);
    machine_set_cpu(&m, 96, HOUR);
    for (unsigned i = 196608; i < 196612; i++) {
        const uint32_t oid[] = {1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2, i};

        assert_int_equal(simdev_get(&m.dev, oid, 12)->i, 96);
    }
    assert_int_equal(value(&m, "1.3.6.1.4.1.2021.11.11.0", HOUR), 4);
    idle = value(&m, "1.3.6.1.4.1.2021.11.53.0", 2 * HOUR) - value(&m, "1.3.6.1.4.1.2021.11.53.0", HOUR);
    assert_int_equal(idle, 4 * 4 * 3600); /* hundredths of a second, of four processors */
    machine_set_cpu(&m, -1, 2 * HOUR);
    assert_true(value(&m, "1.3.6.1.4.1.2021.11.11.0", 2 * HOUR) > 80);
    machine_fini(&m);
}

/* "Used" less buffers and cache is what programs take. */
static int programs_percent(const struct machine *m)
{
    int64_t total = value(m, "1.3.6.1.4.1.2021.4.5.0", 0), left = value(m, "1.3.6.1.4.1.2021.4.6.0", 0);
    int64_t used = value(m, "1.3.6.1.2.1.25.2.3.1.6.1", 0);

    assert_int_equal(used, total - left);
    used -= value(m, "1.3.6.1.4.1.2021.4.14.0", 0) + value(m, "1.3.6.1.4.1.2021.4.15.0", 0);
    assert_true(used >= 0 && left >= 0);
    return (int)(used * 100 / total);
}

static void caches_give_way_to_programs(void **state)
{
    struct machine m;

    (void)state;
    build(&m, MODEL_SERVER);
    assert_in_range(programs_percent(&m), 10, 30);
    for (int percent = 20; percent <= 100; percent += 4) {
        machine_set_memory(&m, percent, 0);
        assert_in_range(programs_percent(&m), percent - 1, percent);
    }
    machine_fini(&m);
}

/* ---- Power ---- */

#define SOURCE "1.3.6.1.2.1.33.1.4.1.0"
#define STATUS "1.3.6.1.2.1.33.1.2.1.0"
#define ON_BATTERY_S "1.3.6.1.2.1.33.1.2.2.0"
#define MINUTES_LEFT "1.3.6.1.2.1.33.1.2.3.0"
#define CHARGE "1.3.6.1.2.1.33.1.2.4.0"
#define ALARMS "1.3.6.1.2.1.33.1.6.1.0"

static void a_battery_empties_while_the_mains_fail_and_charges_after(void **state)
{
    struct machine m;
    int64_t low;

    (void)state;
    build(&m, MODEL_UPS);
    assert_int_equal(value(&m, SOURCE, 0), 3);
    assert_int_equal(machine_next_show(&m, 0), INT64_MAX);
    machine_set_battery(&m, true, HOUR);
    assert_int_equal(value(&m, SOURCE, HOUR), 5);
    assert_int_equal(value(&m, ALARMS, HOUR), 2);
    assert_int_equal(value(&m, ON_BATTERY_S, HOUR + 90000), 90);
    assert_int_equal(value(&m, CHARGE, HOUR + 9 * MINUTE), 80);
    assert_int_equal(value(&m, MINUTES_LEFT, HOUR + 9 * MINUTE), 36);
    assert_true(machine_charge(&m, machine_charge_reaches(&m, 19, HOUR)) == 19);
    assert_true(machine_charge(&m, machine_charge_reaches(&m, 19, HOUR) - 1) == 20);
    low = machine_next_show(&m, HOUR);
    machine_show(&m, low - 1);
    assert_int_equal(value(&m, STATUS, low), 2);
    machine_show(&m, low);
    assert_int_equal(value(&m, STATUS, low), 3);
    assert_int_equal(value(&m, MINUTES_LEFT, low), UPS_LOW_MIN);
    assert_int_equal(value(&m, MINUTES_LEFT, low - 1), UPS_LOW_MIN + 1);
    assert_int_equal(value(&m, ALARMS, low), 3);
    assert_int_equal(value(&m, CHARGE, HOUR + 50 * MINUTE), 0);
    machine_set_battery(&m, false, low);
    assert_int_equal(value(&m, ON_BATTERY_S, low + HOUR), 0);
    assert_int_equal(value(&m, ALARMS, low), 0);
    assert_int_equal(value(&m, CHARGE, low + 4 * HOUR), 100);
    machine_fini(&m);
}

static void a_worn_battery_and_an_overload_are_alarms(void **state)
{
    struct machine m;

    (void)state;
    build(&m, MODEL_UPS);
    machine_set_replace_battery(&m, true, 0);
    assert_non_null(var(&m, "1.3.6.1.2.1.33.1.6.2.1.2.1"));
    machine_set_load(&m, 104, 0);
    assert_int_equal(value(&m, "1.3.6.1.2.1.33.1.4.4.1.5.1", 0), 104);
    assert_non_null(var(&m, "1.3.6.1.2.1.33.1.6.2.1.2.8"));
    machine_set_load(&m, 35, 0);
    machine_set_replace_battery(&m, false, 0);
    assert_int_equal(value(&m, ALARMS, 0), 0);
    assert_null(var(&m, "1.3.6.1.2.1.33.1.6.2.1.2.1"));
    machine_fini(&m);
}

static void a_smart_ups_shows_the_same_in_its_registers(void **state)
{
    struct machine m;

    (void)state;
    build(&m, MODEL_MODBUS_UPS);
    assert_int_equal(reg(&m, 0, 2, 0), 1 << 1); /* online */
    assert_int_equal(reg(&m, 130, 1, 0), (int16_t)(100 * 512));
    machine_set_battery(&m, true, 0);
    assert_int_equal(reg(&m, 0, 2, 0), 1 << 2 | 1 << 6);
    assert_int_equal(reg(&m, 18, 1, 0), 1);
    assert_int_equal(reg(&m, 128, 2, 9 * MINUTE), 36 * 60);
    assert_int_equal(reg(&m, 130, 1, 27 * MINUTE), 40 * 512);
    assert_int_equal(reg(&m, 151, 1, 0), -1);
    machine_set_charge(&m, 5, HOUR);
    assert_int_equal(reg(&m, 18, 1, HOUR), 3);
    machine_set_battery(&m, false, HOUR);
    machine_set_replace_battery(&m, true, HOUR);
    machine_set_load(&m, 101, HOUR);
    assert_int_equal(reg(&m, 22, 1, HOUR), 1 << 2);
    assert_int_equal(reg(&m, 20, 2, HOUR), 1);
    assert_int_equal(reg(&m, 138, 1, HOUR), 101 * 256);
    machine_fini(&m);
}

static void a_meter_counts_what_is_taken(void **state)
{
    float before, after, watts;
    struct machine m;
    uint32_t bits;

    (void)state;
    build(&m, MODEL_METER);
    machine_set_load(&m, 50, 0);
    bits = (uint32_t)reg(&m, 52, 2, 0);
    memcpy(&watts, &bits, sizeof watts);
    bits = (uint32_t)reg(&m, 72, 2, 0);
    memcpy(&before, &bits, sizeof before);
    bits = (uint32_t)reg(&m, 72, 2, 10 * HOUR);
    memcpy(&after, &bits, sizeof after);
    assert_float_equal(watts, 3 * 230 * 30 * 0.95, 0.01);
    assert_float_equal(after - before, watts / 100, 0.1); /* kWh in ten hours */
    machine_fini(&m);
}

/* ---- Climate ---- */

static void temperatures_and_humidity_show_as_each_tells_them(void **state)
{
    struct machine m;

    (void)state;
    build(&m, MODEL_SENSOR);
    machine_set_temperature(&m, 312, 0);
    machine_set_humidity(&m, 801, 0);
    assert_int_equal(value(&m, "1.3.6.1.2.1.99.1.1.1.4.2", 0), 312);
    assert_int_equal(value(&m, "1.3.6.1.2.1.99.1.1.1.4.3", 0), 26400); /* another place, in thousandths */
    assert_int_equal(value(&m, "1.3.6.1.2.1.99.1.1.1.4.4", 0), 801);
    machine_fini(&m);
    build(&m, MODEL_MODBUS_SENSOR);
    machine_set_temperature(&m, -57, 0);
    machine_set_humidity(&m, 801, 0);
    assert_int_equal(reg(&m, 1, 1, 0), -57);
    assert_int_equal(reg(&m, 0, 1, 0), 801);
    machine_fini(&m);
}

static void an_air_conditioner_tells_degrees_fahrenheit(void **state)
{
    static const struct {
        int64_t celsius, fahrenheit; /* tenths */
    } rows[] = {{0, 320}, {300, 860}, {301, 862}, {306, 871}, {353, 955}, {-178, 0}, {-400, -400}};
    struct machine m;

    (void)state;
    build(&m, MODEL_AIR_CONDITIONER);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        machine_set_temperature(&m, rows[i].celsius, 0);
        if ((int32_t)reg(&m, 92, 2, 0) != rows[i].fahrenheit)
            fail_msg("%d tenths of a degree: %d", (int)rows[i].celsius, (int)reg(&m, 92, 2, 0));
    }
    assert_int_equal(reg(&m, 0, 1, 0), 0);
    machine_set_cooling_alarm(&m, true, 0);
    assert_int_equal(reg(&m, 0, 1, 0), 8);
    machine_fini(&m);
}

static void a_printer_in_standby_prints_nothing(void **state)
{
    struct machine m;

    (void)state;
    build(&m, MODEL_PRINTER);
    machine_set_drain(&m, 0, 200, 0);
    machine_set_asleep(&m, SLEEP_LIGHT, HOUR);
    assert_int_equal(value(&m, "1.3.6.1.2.1.25.3.5.1.1.1", HOUR), 1);
    assert_int_equal(value(&m, "1.3.6.1.2.1.25.3.2.1.5.1", HOUR), 2);
    assert_int_equal(value(&m, "1.3.6.1.2.1.43.11.1.1.9.1.1", 9 * HOUR), 70);
    machine_set_asleep(&m, SLEEP_NONE, 9 * HOUR);
    assert_int_equal(value(&m, "1.3.6.1.2.1.25.3.5.1.1.1", 9 * HOUR), 3);
    assert_int_equal(value(&m, "1.3.6.1.2.1.43.11.1.1.9.1.1", 10 * HOUR), 60);
    machine_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_answers_a_ping_and_who_more),
        cmocka_unit_test(a_restart_begins_counters_again_and_counts_boots),
        cmocka_unit_test(other_numbers_and_back),
        cmocka_unit_test(another_machine_has_another_serial_number_and_its_own_pages),
        cmocka_unit_test(some_uptimes_begin_again_without_a_restart),
        cmocka_unit_test(a_port_without_link_moves_nothing_and_knows_no_neighbour),
        cmocka_unit_test(damaged_packets_are_a_share_of_those_that_come),
        cmocka_unit_test(disks_fill_to_their_marks_to_the_ms_and_full_is_full),
        cmocka_unit_test(a_disk_does_not_fill_while_the_server_is_off),
        cmocka_unit_test(busy_processors_show_everywhere),
        cmocka_unit_test(caches_give_way_to_programs),
        cmocka_unit_test(a_battery_empties_while_the_mains_fail_and_charges_after),
        cmocka_unit_test(a_worn_battery_and_an_overload_are_alarms),
        cmocka_unit_test(a_smart_ups_shows_the_same_in_its_registers),
        cmocka_unit_test(a_meter_counts_what_is_taken),
        cmocka_unit_test(temperatures_and_humidity_show_as_each_tells_them),
        cmocka_unit_test(an_air_conditioner_tells_degrees_fahrenheit),
        cmocka_unit_test(a_printer_in_standby_prints_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
