#include "models.h"

#include <stdio.h>

/*
 * Devices that speak Modbus, each with the registers of its maker's map; numbers in brackets below are the maps' own
 * names for what stands at an address.
 */
#define INPUT MB_READ_INPUT
#define HOLDING MB_READ_HOLDING
enum { HOUR = 3600000 };

static void serial_number(const struct machine *m, char out[static 24])
{
    snprintf(out, 24, "SIM%09u", 2309000 + m->number);
}

/* ---- Smart-UPS: Schneider Electric 990-9840; numbers are fixed-point ---- */

enum { STATUS = 0, SIGNALS = 18, GENERAL_ERROR = 19, POWER_ERROR = 20, BATTERY_ERROR = 22, TEST_STATUS = 23 };

static void show_ups_status(struct machine *m, int64_t now_ms)
{
    enum { ONLINE = 1 << 1, ON_BATTERY = 1 << 2, INPUT_BAD = 1 << 6 };
    enum { POWER_FAILURE = 1 << 0, SHUTDOWN_IMMINENT = 1 << 1, NEEDS_REPLACEMENT = 1 << 2, FAILED = 1 << 3 };
    bool low = m->on_battery && model_battery_low(m, now_ms);
    struct regmap *r = &m->regs;

    regmap_int(r, HOLDING, STATUS, 2, m->on_battery ? ON_BATTERY | INPUT_BAD : ONLINE);
    regmap_int(r, HOLDING, STATUS + 2, 1, m->outages > 0 ? 2 : 0); /* why it last changed: input voltage too low */
    regmap_int(r, HOLDING, STATUS + 3, 2, 1);                      /* main outlets on */
    regmap_int(r, HOLDING, SIGNALS, 1, (m->on_battery ? POWER_FAILURE : 0) | (low ? SHUTDOWN_IMMINENT : 0));
    regmap_int(r, HOLDING, GENERAL_ERROR, 1, 0);
    regmap_int(r, HOLDING, POWER_ERROR, 2, m->load > 100 ? 1 : 0);
    regmap_int(r, HOLDING, BATTERY_ERROR, 1, m->replace_battery ? NEEDS_REPLACEMENT : 0);
    regmap_int(r, HOLDING, TEST_STATUS, 1, m->replace_battery ? FAILED : 1 << 2 /* passed */);
    regmap_int(r, HOLDING, TEST_STATUS + 1, 1, 0);
}

void model_modbus_ups_show(struct machine *m, int64_t now_ms)
{
    const struct ramp seconds = model_charge_of(m, UPS_RUNTIME_MIN * 60), charge = model_charge_of(m, 100 * 512);
    struct regmap *r = &m->regs;

    show_ups_status(m, now_ms);
    regmap_ramp(r, HOLDING, 128, 2, &seconds);
    regmap_ramp(r, HOLDING, 130, 1, &charge);
    regmap_int(r, HOLDING, 131, 1, (m->on_battery ? 49 : 54) * 32);
    regmap_int(r, HOLDING, 132, 1, 0xffff); /* there is no negative half */
    regmap_int(r, HOLDING, 135, 1, 27 * 128 + 32);
    regmap_int(r, HOLDING, 136, 1, m->load * 256 * 9 / 10);
    regmap_int(r, HOLDING, 138, 1, m->load * 256);
    regmap_int(r, HOLDING, 140, 1, m->load * 13 * 32 / 100);
    regmap_int(r, HOLDING, 142, 1, 230 * 64);
    regmap_int(r, HOLDING, 144, 1, 50 * 128);
    regmap_int(r, HOLDING, 150, 1, m->on_battery ? 1 << 2 /* voltage too low */ : 1 /* acceptable */);
    regmap_int(r, HOLDING, 151, 1, m->on_battery ? 0xffff : 231 * 64); /* "not applicable" */
    regmap_int(r, HOLDING, 154, 1, m->on_battery ? 0xfffe : 96 * 128);
}

void model_modbus_ups(struct machine *m)
{
    struct regmap *r = &m->regs;
    char serial[24];

    serial_number(m, serial);
    model_battery(m);
    regmap_int(r, HOLDING, 133, 1, 8400 + m->number); /* battery date: days since 2000 */
    regmap_int(r, HOLDING, 145, 2, 734000 + m->number);
    regmap_text(r, HOLDING, 516, 8, "UPS 04.1");
    regmap_text(r, HOLDING, 532, 16, "Smart-UPS 3000");
    regmap_text(r, HOLDING, 548, 16, "SMT3000RMI2UC");
    regmap_text(r, HOLDING, 564, 8, serial);
    regmap_int(r, HOLDING, 588, 1, 3000);
    regmap_int(r, HOLDING, 589, 1, 2700);
    regmap_text(r, HOLDING, 596, 8, m->spec->name);
}

/* ---- SDM630-Modbus: Eastron's protocol 1.8; floats in input registers ---- */

enum { VOLT = 230, AMPERES = 60 /* rated */ };

static const double power_factor = 0.95;

/* Three phases, loaded a little differently. */
static void show_phases(struct machine *m, double amperes)
{
    for (unsigned i = 0; i < 3; i++) {
        double volt = VOLT + 0.5 * i, ampere = amperes * (0.9 + 0.1 * i), va = volt * ampere;
        uint16_t at = (uint16_t)(2 * i);
        struct regmap *r = &m->regs;

        regmap_float(r, INPUT, at, 2, volt);
        regmap_float(r, INPUT, (uint16_t)(6 + at), 2, ampere);
        regmap_float(r, INPUT, (uint16_t)(12 + at), 2, va * power_factor);
        regmap_float(r, INPUT, (uint16_t)(18 + at), 2, va);
        regmap_float(r, INPUT, (uint16_t)(24 + at), 2, va * 0.31);
        regmap_float(r, INPUT, (uint16_t)(30 + at), 2, power_factor);
        regmap_float(r, INPUT, (uint16_t)(36 + at), 2, 18.2);
    }
}

void model_meter_show(struct machine *m, int64_t now_ms)
{
    double amperes = AMPERES * m->load / 100.0, watts = 3 * VOLT * amperes * power_factor;
    struct regmap *r = &m->regs;

    ramp_turn(&m->energy, m->on ? (int64_t)watts : 0, now_ms);
    show_phases(m, amperes);
    regmap_float(r, INPUT, 42, 2, VOLT + 0.5);
    regmap_float(r, INPUT, 46, 2, amperes);
    regmap_float(r, INPUT, 48, 2, 3 * amperes);
    regmap_float(r, INPUT, 52, 2, watts);
    regmap_float(r, INPUT, 56, 2, watts / power_factor);
    regmap_float(r, INPUT, 60, 2, watts * 0.33);
    regmap_float(r, INPUT, 62, 2, power_factor);
    regmap_float(r, INPUT, 66, 2, 18.2);
    regmap_float(r, INPUT, 70, 2, 50.01);
    regmap_float_ramp(r, INPUT, 72, 2, &m->energy, 0.001); /* kWh */
    regmap_float(r, INPUT, 74, 2, 0);
    regmap_float_ramp(r, INPUT, 342, 2, &m->energy, 0.001);
}

void model_meter(struct machine *m)
{
    m->load = 20;
    m->energy = (struct ramp){.base = (4821500 + m->number * INT64_C(1000)) * HOUR, .den = HOUR};
    regmap_float(&m->regs, HOLDING, 12, 2, 60); /* ms of a pulse */
    regmap_float(&m->regs, HOLDING, 18, 2, 1);  /* parity and stop bits */
    regmap_float(&m->regs, HOLDING, 20, 2, m->spec->unit);
    regmap_float(&m->regs, HOLDING, 28, 2, 2); /* 9600 baud */
}

/* ---- RS-WS-N01: Renke's transmitter; tenths ---- */

void model_modbus_sensor_show(struct machine *m, int64_t now_ms)
{
    (void)now_ms;
    regmap_int(&m->regs, HOLDING, 0, 1, m->probes[1].tenths);
    regmap_int(&m->regs, HOLDING, 1, 1, m->probes[0].tenths);
}

void model_modbus_sensor(struct machine *m)
{
    m->probes[0] = (struct probe){"temperature", false, 228};
    m->probes[1] = (struct probe){"humidity", true, 482};
    m->nprobes = 2;
    regmap_int(&m->regs, HOLDING, 0x7d0, 1, m->spec->unit);
    regmap_int(&m->regs, HOLDING, 0x7d1, 1, 2); /* 9600 baud */
}

/* ---- InRow SC: APC 990-3027B; 32 bits, tenths, degrees Fahrenheit ---- */

/* Tenths of a degree Celsius -> of a degree Fahrenheit, to the nearest. */
static int64_t fahrenheit(int64_t tenths)
{
    int64_t by_five = tenths * 9;

    return 320 + (by_five >= 0 ? by_five + 2 : by_five - 2) / 5;
}

void model_air_conditioner_show(struct machine *m, int64_t now_ms)
{
    struct regmap *r = &m->regs;

    (void)now_ms;
    regmap_int(r, HOLDING, 0, 1, m->cooling_alarm ? 8 : 0); /* critical, no alarm */
    regmap_int(r, HOLDING, 87, 1, 1);                       /* on */
    regmap_int(r, HOLDING, 88, 2, m->cooling_alarm ? 0 : 42);
    regmap_int(r, HOLDING, 90, 2, 44);
    regmap_int(r, HOLDING, 92, 2, fahrenheit(m->probes[0].tenths));
    regmap_int(r, HOLDING, 94, 2, fahrenheit(m->cooling_alarm ? 240 : 184));
    regmap_int(r, HOLDING, 96, 2, fahrenheit(m->probes[0].tenths + 45));
    regmap_int(r, HOLDING, 98, 2, fahrenheit(402));
}

void model_air_conditioner(struct machine *m)
{
    struct regmap *r = &m->regs;
    char serial[24];

    serial_number(m, serial);
    m->probes[0] = (struct probe){"rack inlet", false, 226};
    m->nprobes = 1;
    regmap_int(r, HOLDING, 1, 2, fahrenheit(240)); /* wanted */
    regmap_int(r, HOLDING, 3, 2, fahrenheit(180));
    regmap_int(r, HOLDING, 5, 1, 2); /* in a row */
    regmap_int(r, HOLDING, 6, 1, 2); /* fans at medium speed */
    regmap_int(r, HOLDING, 7, 1, 1);
    regmap_int(r, HOLDING, 8, 1, 1);
    regmap_int(r, HOLDING, 9, 2, 18);
    regmap_text(r, HOLDING, 11, 21, m->spec->name);
    regmap_text(r, HOLDING, 32, 21, "2nd floor");
    regmap_text(r, HOLDING, 53, 10, "ACSC100");
    regmap_text(r, HOLDING, 63, 10, serial);
    regmap_text(r, HOLDING, 73, 4, "3.7.0");
    regmap_text(r, HOLDING, 77, 4, "B2");
    regmap_text(r, HOLDING, 81, 6, "02/11/2024");
}
