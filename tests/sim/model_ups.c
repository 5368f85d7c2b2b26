#include "models.h"

#include <stdio.h>

/* An uninterruptible power supply: UPS-MIB (RFC 1628). */
#define IDENT "1.3.6.1.2.1.33.1.1"
#define BATTERY "1.3.6.1.2.1.33.1.2"
#define INPUT "1.3.6.1.2.1.33.1.3"
#define OUTPUT "1.3.6.1.2.1.33.1.4"
#define ALARM "1.3.6.1.2.1.33.1.6"
#define TEST "1.3.6.1.2.1.33.1.7"
#define CONFIG "1.3.6.1.2.1.33.1.9"

enum {
    RATED_W = 2700, /* what it can deliver */
    VOLT = 230,
};

/* ---- What never changes ---- */

static void identity(struct machine *m)
{
    struct simdev *d = &m->dev;

    simdev_text(d, "Simsoft", IDENT ".1.0");
    simdev_text(d, "PowerStay 3000", IDENT ".2.0");
    simdev_text(d, "05.08.0011", IDENT ".3.0");
    simdev_text(d, "2.4", IDENT ".4.0");
    simdev_text(d, m->spec->name, IDENT ".5.0");
    simdev_text(d, "", IDENT ".6.0");
    simdev_int(d, VOLT, CONFIG ".1.0");
    simdev_int(d, 500, CONFIG ".2.0");
    simdev_int(d, VOLT, CONFIG ".3.0");
    simdev_int(d, 500, CONFIG ".4.0");
    simdev_int(d, 3000, CONFIG ".5.0");
    simdev_int(d, RATED_W, CONFIG ".6.0");
    simdev_int(d, UPS_LOW_MIN, CONFIG ".7.0");
    simdev_int(d, 2, CONFIG ".8.0"); /* it beeps */
    simdev_int(d, 184, CONFIG ".9.0");
    simdev_int(d, 276, CONFIG ".10.0");
}

/* ---- What goes by its state ---- */

static void show_battery(struct machine *m, int64_t now_ms)
{
    struct ramp percent = model_charge_of(m, 100), minutes = model_charge_of(m, UPS_RUNTIME_MIN);
    struct ramp seconds = {.num = m->on_battery ? 1 : 0, .den = 1000, .since = m->battery_since_ms};
    struct simdev *d = &m->dev;

    simdev_int(d, model_battery_low(m, now_ms) ? 3 : 2, BATTERY ".1.0");
    simdev_ramp(d, SNMP_INTEGER, &seconds, BATTERY ".2.0");
    simdev_ramp(d, SNMP_INTEGER, &minutes, BATTERY ".3.0");
    simdev_ramp(d, SNMP_INTEGER, &percent, BATTERY ".4.0");
    simdev_int(d, m->on_battery ? 492 : 546, BATTERY ".5.0"); /* 0.1 V */
    simdev_int(d, m->on_battery ? RATED_W * m->load / 4920 * 10 : 0, BATTERY ".6.0");
    simdev_int(d, 26, BATTERY ".7.0");
}

static void show_lines(struct machine *m)
{
    int watts = RATED_W * m->load / 100, amperes = watts * 10 / VOLT;
    struct simdev *d = &m->dev;

    simdev_uint(d, SNMP_COUNTER32, m->outages, INPUT ".1.0");
    simdev_int(d, 1, INPUT ".2.0");
    simdev_int(d, m->on_battery ? 0 : 500, INPUT ".3.1.2.1"); /* 0.1 Hz */
    simdev_int(d, m->on_battery ? 0 : VOLT + 1, INPUT ".3.1.3.1");
    simdev_int(d, m->on_battery ? 0 : amperes, INPUT ".3.1.4.1"); /* 0.1 A */
    simdev_int(d, m->on_battery ? 0 : watts, INPUT ".3.1.5.1");
    simdev_int(d, m->on_battery ? 5 : 3, OUTPUT ".1.0"); /* battery, normal */
    simdev_int(d, 500, OUTPUT ".2.0");
    simdev_int(d, 1, OUTPUT ".3.0");
    simdev_int(d, VOLT, OUTPUT ".4.1.2.1");
    simdev_int(d, amperes, OUTPUT ".4.1.3.1");
    simdev_int(d, watts, OUTPUT ".4.1.4.1");
    simdev_int(d, m->load, OUTPUT ".4.1.5.1");
}

/* A row while it is there, with a number that it keeps; upsWellKnownAlarms names it. */
static unsigned show_alarm(struct machine *m, unsigned alarm, bool there, int64_t now_ms)
{
    const uint32_t row[] = {1, 3, 6, 1, 2, 1, 33, 1, 6, 2, 1, 2, alarm};
    bool shown = simdev_get(&m->dev, row, sizeof row / sizeof row[0]) != NULL;
    char name[40];

    if (there && !shown) {
        snprintf(name, sizeof name, ALARM ".3.%u", alarm);
        simdev_oid(&m->dev, name, ALARM ".2.1.2.%u", alarm);
        simdev_uint(&m->dev, SNMP_TIMETICKS, (uint64_t)ramp_at(&m->uptime, now_ms), ALARM ".2.1.3.%u", alarm);
    } else if (!there && shown) {
        simdev_remove(&m->dev, ALARM ".2.1.2.%u", alarm);
        simdev_remove(&m->dev, ALARM ".2.1.3.%u", alarm);
    }
    return there;
}

static void show_alarms(struct machine *m, int64_t now_ms)
{
    enum { BATTERY_BAD = 1, ON_BATTERY = 2, LOW_BATTERY = 3, INPUT_BAD = 6, OVERLOAD = 8, TEST_FAILED = 19 };
    unsigned n = 0;

    n += show_alarm(m, BATTERY_BAD, m->replace_battery, now_ms);
    n += show_alarm(m, ON_BATTERY, m->on_battery, now_ms);
    n += show_alarm(m, LOW_BATTERY, m->on_battery && model_battery_low(m, now_ms), now_ms);
    n += show_alarm(m, INPUT_BAD, m->on_battery, now_ms);
    n += show_alarm(m, OVERLOAD, m->load > 100, now_ms);
    n += show_alarm(m, TEST_FAILED, m->replace_battery, now_ms);
    simdev_uint(&m->dev, SNMP_GAUGE32, n, ALARM ".1.0");
    simdev_int(&m->dev, m->replace_battery ? 3 : 1, TEST ".3.0"); /* doneError, donePass */
    simdev_text(&m->dev, m->replace_battery ? "Battery worn out" : "", TEST ".4.0");
}

void model_ups_show(struct machine *m, int64_t now_ms)
{
    show_battery(m, now_ms);
    show_lines(m);
    show_alarms(m, now_ms);
}

void model_ups(struct machine *m)
{
    model_system(m, "Simsoft PowerStay 3000 network card, version 2.4", "1.3.6.1.4.1.32473.3.30");
    model_interfaces(m, 1, 100, 900);
    model_battery(m);
    identity(m);
}
