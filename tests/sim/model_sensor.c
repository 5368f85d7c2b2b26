#include "models.h"

#include <stdio.h>

/*
 * A monitor of a room's climate: ENTITY-MIB (RFC 4133) names its probes,
 * ENTITY-SENSOR-MIB (RFC 3433) tells what they measure.
 */
#define ENTITY "1.3.6.1.2.1.47.1.1.1.1"
#define SENSOR "1.3.6.1.2.1.99.1.1.1"

enum { CHASSIS = 1, FIRST_PROBE = 2, MILLI = 8, UNITS = 9 };

static const struct probe probes[] = {
    {"Rack front temperature", false, 231},
    {"Rack rear temperature", false, 264},
    {"Rack front humidity", true, 455},
};

static void entity(struct machine *m, unsigned i, const char *name, unsigned class, unsigned in)
{
    struct simdev *d = &m->dev;

    simdev_text(d, name, ENTITY ".2.%u", i);
    simdev_oid(d, "0.0", ENTITY ".3.%u", i);
    simdev_int(d, in, ENTITY ".4.%u", i);
    simdev_int(d, class, ENTITY ".5.%u", i);
    simdev_int(d, in == 0 ? -1 : (int64_t)i - FIRST_PROBE, ENTITY ".6.%u", i);
    simdev_text(d, name, ENTITY ".7.%u", i);
    simdev_text(d, "", ENTITY ".8.%u", i);
    simdev_text(d, "", ENTITY ".9.%u", i);
    simdev_text(d, in == 0 ? "1.12" : "", ENTITY ".10.%u", i);
    simdev_text(d, "", ENTITY ".11.%u", i);
    simdev_text(d, "Simsoft", ENTITY ".12.%u", i);
    simdev_text(d, in == 0 ? "RoomWatch 4" : "", ENTITY ".13.%u", i);
    simdev_text(d, "", ENTITY ".14.%u", i);
    simdev_text(d, "", ENTITY ".15.%u", i);
    simdev_int(d, 2, ENTITY ".16.%u", i);
}

/* EntitySensorDataType, EntitySensorDataScale and a precision say how to read a value. */
static void sensor(struct machine *m, unsigned i, int type, int scale, int precision, int64_t value)
{
    static const char *const units[] = {[4] = "volts", [8] = "degrees Celsius", [9] = "percent relative humidity"};
    struct simdev *d = &m->dev;

    simdev_int(d, type, SENSOR ".1.%u", i);
    simdev_int(d, scale, SENSOR ".2.%u", i);
    simdev_int(d, precision, SENSOR ".3.%u", i);
    simdev_int(d, value, SENSOR ".4.%u", i);
    simdev_int(d, 1, SENSOR ".5.%u", i);
    simdev_text(d, units[type], SENSOR ".6.%u", i);
    simdev_uint(d, SNMP_TIMETICKS, 0, SENSOR ".7.%u", i);
    simdev_uint(d, SNMP_GAUGE32, 10000, SENSOR ".8.%u", i);
}

/* entPhysicalIndex of a probe; after the probes comes the sensor of its own supply. */
static unsigned index_of(const struct machine *m, unsigned probe)
{
    return FIRST_PROBE + (m->renumbered % 2 == 0 ? probe : m->nprobes - probe);
}

void model_sensor_show(struct machine *m, int64_t now_ms)
{
    (void)now_ms;
    for (unsigned i = 0; i < m->nprobes; i++) {
        const struct probe *p = &m->probes[i];

        /* The second temperature is told in thousandths, as some do. */
        if (i == 1)
            sensor(m, index_of(m, i), 8, MILLI, 0, p->tenths * 100);
        else
            sensor(m, index_of(m, i), p->humidity ? 9 : 8, UNITS, 1, p->tenths);
    }
    sensor(m, index_of(m, m->nprobes), 4, UNITS, 2, 1198);
}

void model_probes_renumber(struct machine *m)
{
    for (unsigned i = 0; i < m->nprobes; i++)
        entity(m, index_of(m, i), m->probes[i].name, 8, CHASSIS);
    entity(m, index_of(m, m->nprobes), "Supply voltage", 8, CHASSIS);
}

void model_sensor(struct machine *m)
{
    model_system(m, "Simsoft RoomWatch 4, environmental monitor, version 1.12", "1.3.6.1.4.1.32473.4.4");
    model_interfaces(m, 1, 100, 900);
    entity(m, CHASSIS, "RoomWatch 4", 3, 0);
    for (unsigned i = 0; i < sizeof probes / sizeof probes[0]; i++)
        m->probes[m->nprobes++] = probes[i];
    model_probes_renumber(m);
}
