#include "machine.h"

#include <stdio.h>

/* SNMPv2-MIB, the system group (RFC 3418). */
void model_system(struct machine *m, const char *descr, const char *object_id)
{
    /* Up since some time before the story began, no two alike. */
    struct ramp uptime = {.base = (m->number + 1) * INT64_C(7654321), .num = 1, .den = 10};
    struct simdev *d = &m->dev;

    simdev_text(d, descr, "1.3.6.1.2.1.1.1.0");
    simdev_oid(d, object_id, "1.3.6.1.2.1.1.2.0");
    simdev_ramp(d, SNMP_TIMETICKS, &uptime, "1.3.6.1.2.1.1.3.0");
    simdev_text(d, "helpdesk", "1.3.6.1.2.1.1.4.0");
    simdev_text(d, m->spec->name, "1.3.6.1.2.1.1.5.0");
    simdev_text(d, "2nd floor", "1.3.6.1.2.1.1.6.0");
    simdev_int(d, 72, "1.3.6.1.2.1.1.7.0");
}

/* Counters and state of one port: ifTable and ifXTable (RFC 2863). */
static void port(struct machine *m, unsigned i, const char *name, unsigned type, uint64_t speed_mbps, bool up,
                 int64_t bytes_per_s)
{
    struct ramp in = {.base = (int64_t)i * 1000003000, .num = up ? bytes_per_s * (int64_t)(i % 7 + 1) : 0, .den = 1000};
    struct ramp out = {.base = (int64_t)i * 2000003000, .num = in.num / 2, .den = 1000};
    struct ramp in_packets = {.base = in.base / 600, .num = in.num / 600, .den = 1000};
    struct ramp out_packets = {.base = out.base / 600, .num = out.num / 600, .den = 1000};
    const uint8_t mac[6] = {0x02, 0x5a, 0, (uint8_t)(m->number >> 8), (uint8_t)m->number, (uint8_t)i};
    struct simdev *d = &m->dev;

    simdev_int(d, i, "1.3.6.1.2.1.2.2.1.1.%u", i);
    simdev_text(d, name, "1.3.6.1.2.1.2.2.1.2.%u", i);
    simdev_int(d, type, "1.3.6.1.2.1.2.2.1.3.%u", i);
    simdev_int(d, 1500, "1.3.6.1.2.1.2.2.1.4.%u", i);
    simdev_uint(d, SNMP_GAUGE32, speed_mbps * 1000000, "1.3.6.1.2.1.2.2.1.5.%u", i);
    simdev_bytes(d, SNMP_OCTETS, mac, type == 24 ? 0 : sizeof mac, "1.3.6.1.2.1.2.2.1.6.%u", i);
    simdev_int(d, 1, "1.3.6.1.2.1.2.2.1.7.%u", i);
    simdev_int(d, up ? 1 : 2, "1.3.6.1.2.1.2.2.1.8.%u", i);
    simdev_uint(d, SNMP_TIMETICKS, 500, "1.3.6.1.2.1.2.2.1.9.%u", i);
    simdev_ramp(d, SNMP_COUNTER32, &in, "1.3.6.1.2.1.2.2.1.10.%u", i);
    simdev_ramp(d, SNMP_COUNTER32, &in_packets, "1.3.6.1.2.1.2.2.1.11.%u", i);
    simdev_uint(d, SNMP_COUNTER32, 0, "1.3.6.1.2.1.2.2.1.13.%u", i);
    simdev_uint(d, SNMP_COUNTER32, i % 3, "1.3.6.1.2.1.2.2.1.14.%u", i);
    simdev_ramp(d, SNMP_COUNTER32, &out, "1.3.6.1.2.1.2.2.1.16.%u", i);
    simdev_ramp(d, SNMP_COUNTER32, &out_packets, "1.3.6.1.2.1.2.2.1.17.%u", i);
    simdev_uint(d, SNMP_COUNTER32, 0, "1.3.6.1.2.1.2.2.1.19.%u", i);
    simdev_uint(d, SNMP_COUNTER32, 0, "1.3.6.1.2.1.2.2.1.20.%u", i);

    simdev_text(d, name, "1.3.6.1.2.1.31.1.1.1.1.%u", i);
    if (m->spec->snmp == 2) { /* Counter64 is not for v1 */
        simdev_ramp(d, SNMP_COUNTER64, &in, "1.3.6.1.2.1.31.1.1.1.6.%u", i);
        simdev_ramp(d, SNMP_COUNTER64, &in_packets, "1.3.6.1.2.1.31.1.1.1.7.%u", i);
        simdev_ramp(d, SNMP_COUNTER64, &out, "1.3.6.1.2.1.31.1.1.1.10.%u", i);
        simdev_ramp(d, SNMP_COUNTER64, &out_packets, "1.3.6.1.2.1.31.1.1.1.11.%u", i);
    }
    simdev_uint(d, SNMP_GAUGE32, speed_mbps, "1.3.6.1.2.1.31.1.1.1.15.%u", i);
    simdev_int(d, type == 24 ? 2 : 1, "1.3.6.1.2.1.31.1.1.1.17.%u", i);
    simdev_text(d, "", "1.3.6.1.2.1.31.1.1.1.18.%u", i);
}

void model_interfaces(struct machine *m, unsigned ports, uint64_t speed_mbps, int64_t bytes_per_s)
{
    char name[32];

    simdev_int(&m->dev, ports + 1, "1.3.6.1.2.1.2.1.0");
    port(m, 1, "lo", 24, 10, true, 50);
    for (unsigned i = 2; i <= ports + 1; i++) {
        snprintf(name, sizeof name, ports > 4 ? "GigabitEthernet0/%u" : "eth%u", i - (ports > 4 ? 1 : 2));
        port(m, i, name, 6, speed_mbps, i % 5 != 0, bytes_per_s);
    }
}

void model_switch(struct machine *m)
{
    model_system(m, "Office switch, 24 ports, software 3.2.1", "1.3.6.1.4.1.32473.2.24");
    model_interfaces(m, 24, 1000, 40000);
}

/* HOST-RESOURCES-MIB, hrStorageTable and hrProcessorTable (RFC 2790). */
static void storage(struct simdev *d, unsigned i, unsigned type, const char *descr, int64_t unit, int64_t size,
                    const struct ramp *used)
{
    char type_oid[64];

    snprintf(type_oid, sizeof type_oid, "1.3.6.1.2.1.25.2.1.%u", type);
    simdev_int(d, i, "1.3.6.1.2.1.25.2.3.1.1.%u", i);
    simdev_oid(d, type_oid, "1.3.6.1.2.1.25.2.3.1.2.%u", i);
    simdev_text(d, descr, "1.3.6.1.2.1.25.2.3.1.3.%u", i);
    simdev_int(d, unit, "1.3.6.1.2.1.25.2.3.1.4.%u", i);
    simdev_int(d, size, "1.3.6.1.2.1.25.2.3.1.5.%u", i);
    simdev_ramp(d, SNMP_INTEGER, used, "1.3.6.1.2.1.25.2.3.1.6.%u", i);
}

void model_server(struct machine *m)
{
    struct ramp uptime = {.base = (m->number + 1) * INT64_C(7654321), .num = 1, .den = 10};
    struct ramp memory = {.base = 1500000, .den = 1}, root = {.base = 3000000, .num = 1, .den = 1000};
    struct ramp data = {.base = 90000000000, .num = 3, .den = 1000};
    struct simdev *d = &m->dev;

    model_system(m, "Linux files 6.1.0-18-amd64 #1 SMP x86_64", "1.3.6.1.4.1.8072.3.2.10");
    model_interfaces(m, 2, 1000, 90000);
    simdev_ramp(d, SNMP_TIMETICKS, &uptime, "1.3.6.1.2.1.25.1.1.0");
    simdev_uint(d, SNMP_GAUGE32, 2, "1.3.6.1.2.1.25.1.5.0");
    simdev_uint(d, SNMP_GAUGE32, 143, "1.3.6.1.2.1.25.1.6.0");
    simdev_int(d, 8150000, "1.3.6.1.2.1.25.2.2.0");
    storage(d, 1, 2, "Physical memory", 1024, 8150000, &memory);
    storage(d, 31, 4, "/", 4096, 10000000, &root);
    storage(d, 36, 4, "/srv", 4096, 240000000, &data);
    for (unsigned i = 0; i < 4; i++) {
        unsigned index = 196608 + i;

        simdev_int(d, index, "1.3.6.1.2.1.25.3.2.1.1.%u", index);
        simdev_oid(d, "1.3.6.1.2.1.25.3.1.3", "1.3.6.1.2.1.25.3.2.1.2.%u", index);
        simdev_text(d, "x86_64 processor", "1.3.6.1.2.1.25.3.2.1.3.%u", index);
        simdev_int(d, 2, "1.3.6.1.2.1.25.3.2.1.5.%u", index);
        simdev_oid(d, "0.0", "1.3.6.1.2.1.25.3.3.1.1.%u", index);
        simdev_int(d, 7 + (int)i * 3, "1.3.6.1.2.1.25.3.3.1.2.%u", index);
    }
}
