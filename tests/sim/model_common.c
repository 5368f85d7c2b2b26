#include "models.h"

#include <stdio.h>

#define SYSTEM "1.3.6.1.2.1.1"
#define ENGINE "1.3.6.1.6.3.10.2.1"
#define HOST "1.3.6.1.2.1.25.1"
#define IF "1.3.6.1.2.1.2.2.1"
#define IFX "1.3.6.1.2.1.31.1.1.1"

enum { LOOPBACK = 24, ETHERNET = 6, PACKET = 600 /* bytes */, DAY_TICKS = 8640000 };

/* ---- SNMPv2-MIB, the system group (RFC 3418), and SNMP-FRAMEWORK-MIB (RFC 3411) ---- */

void model_restart_show(struct machine *m)
{
    static const uint32_t boots[] = {1, 3, 6, 1, 6, 3, 10, 2, 1, 2, 0}, host[] = {1, 3, 6, 1, 2, 1, 25, 1, 5, 0};
    struct ramp seconds = m->uptime;

    simdev_ramp(&m->dev, SNMP_TIMETICKS, &m->uptime, SYSTEM ".3.0");
    if (simdev_get(&m->dev, host, sizeof host / sizeof host[0]) != NULL)
        simdev_ramp(&m->dev, SNMP_TIMETICKS, &m->uptime, HOST ".1.0");
    if (simdev_get(&m->dev, boots, sizeof boots / sizeof boots[0]) == NULL)
        return;
    seconds.den *= 100;
    simdev_int(&m->dev, m->boots, ENGINE ".2.0");
    simdev_ramp(&m->dev, SNMP_INTEGER, &seconds, ENGINE ".3.0");
}

/* Up since some time before the story began, no two alike; some so long that their clock soon begins again. */
static struct ramp up_since(unsigned number)
{
    int64_t ticks = (number + 1) * INT64_C(765432);

    if (number % 7 == 3)
        ticks += INT64_C(0x100000000) - (number + 3) * INT64_C(1000000) - DAY_TICKS;
    return (struct ramp){.base = ticks * 10, .num = 1, .den = 10};
}

void model_system(struct machine *m, const char *descr, const char *object_id)
{
    struct simdev *d = &m->dev;

    m->uptime = up_since(m->number);
    m->boots = 3 + m->number % 11;
    simdev_text(d, descr, SYSTEM ".1.0");
    simdev_oid(d, object_id, SYSTEM ".2.0");
    simdev_text(d, "helpdesk", SYSTEM ".4.0");
    simdev_text(d, m->spec->name, SYSTEM ".5.0");
    simdev_text(d, "2nd floor", SYSTEM ".6.0");
    simdev_int(d, 72, SYSTEM ".7.0");
    model_restart_show(m);
}

void model_engine(struct machine *m)
{
    const uint8_t id[9] = {0x80, 0x00, 0x7e, 0xd9, 0x05, 0x5a, 0, (uint8_t)(m->number >> 8), (uint8_t)m->number};

    simdev_bytes(&m->dev, SNMP_OCTETS, id, sizeof id, ENGINE ".1.0");
    simdev_int(&m->dev, m->boots, ENGINE ".2.0");
    simdev_int(&m->dev, 1472, ENGINE ".4.0");
    model_restart_show(m);
}

/* ---- Interfaces: ifTable and ifXTable (RFC 2863) ---- */

static void pace(const struct machine *m, struct port *p, int64_t now_ms)
{
    int64_t bytes = p->up && m->on ? p->bytes_per_s : 0, packets = bytes / PACKET;

    ramp_turn(&p->in, bytes, now_ms);
    ramp_turn(&p->out, bytes / 2, now_ms);
    ramp_turn(&p->in_packets, packets, now_ms);
    ramp_turn(&p->out_packets, packets / 2, now_ms);
    ramp_turn(&p->in_errors, packets * p->damaged, now_ms);
}

void model_port_show(struct machine *m, struct port *p, int64_t now_ms)
{
    struct simdev *d = &m->dev;
    unsigned i = p->index;

    pace(m, p, now_ms);
    simdev_int(d, p->up ? 1 : 2, IF ".8.%u", i);
    simdev_ramp(d, SNMP_COUNTER32, &p->in, IF ".10.%u", i);
    simdev_ramp(d, SNMP_COUNTER32, &p->in_packets, IF ".11.%u", i);
    simdev_ramp(d, SNMP_COUNTER32, &p->in_errors, IF ".14.%u", i);
    simdev_ramp(d, SNMP_COUNTER32, &p->out, IF ".16.%u", i);
    simdev_ramp(d, SNMP_COUNTER32, &p->out_packets, IF ".17.%u", i);
    if (m->spec->snmp == 1) /* Counter64 is not for v1 */
        return;
    simdev_ramp(d, SNMP_COUNTER64, &p->in, IFX ".6.%u", i);
    simdev_ramp(d, SNMP_COUNTER64, &p->in_packets, IFX ".7.%u", i);
    simdev_ramp(d, SNMP_COUNTER64, &p->out, IFX ".10.%u", i);
    simdev_ramp(d, SNMP_COUNTER64, &p->out_packets, IFX ".11.%u", i);
}

static void start_counters(struct port *p, int64_t bytes, int64_t errors, int64_t now_ms)
{
    p->in = (struct ramp){.base = bytes * 1000, .den = 1000, .since = now_ms};
    p->out = (struct ramp){.base = bytes * 2000, .den = 1000, .since = now_ms};
    p->in_packets = (struct ramp){.base = p->in.base / PACKET, .den = 1000, .since = now_ms};
    p->out_packets = (struct ramp){.base = p->out.base / PACKET, .den = 1000, .since = now_ms};
    p->in_errors = (struct ramp){.base = errors * 1000000, .den = 1000000, .since = now_ms};
}

/* Its rows, but for what moves. */
static void show_port(struct machine *m, const struct port *p)
{
    const uint8_t mac[6] = {0x02, 0x5a, (uint8_t)m->hardware, (uint8_t)(m->number >> 8), (uint8_t)m->number, p->mac};
    struct simdev *d = &m->dev;
    unsigned i = p->index, type = p == &m->loopback ? LOOPBACK : ETHERNET;

    simdev_int(d, i, IF ".1.%u", i);
    simdev_text(d, p->name, IF ".2.%u", i);
    simdev_int(d, type, IF ".3.%u", i);
    simdev_int(d, 1500, IF ".4.%u", i);
    simdev_uint(d, SNMP_GAUGE32, p->speed_mbps * 1000000, IF ".5.%u", i);
    simdev_bytes(d, SNMP_OCTETS, mac, type == LOOPBACK ? 0 : sizeof mac, IF ".6.%u", i);
    simdev_int(d, 1, IF ".7.%u", i);
    simdev_uint(d, SNMP_TIMETICKS, 500, IF ".9.%u", i);
    simdev_uint(d, SNMP_COUNTER32, 0, IF ".13.%u", i);
    simdev_uint(d, SNMP_COUNTER32, 0, IF ".19.%u", i);
    simdev_uint(d, SNMP_COUNTER32, 0, IF ".20.%u", i);
    simdev_text(d, p->name, IFX ".1.%u", i);
    simdev_uint(d, SNMP_GAUGE32, p->speed_mbps, IFX ".15.%u", i);
    simdev_int(d, type == LOOPBACK ? 2 : 1, IFX ".17.%u", i);
    simdev_text(d, "", IFX ".18.%u", i);
}

static void port(struct machine *m, struct port *p)
{
    p->index = p->mac;
    start_counters(p, p->index * INT64_C(1000003), p->index % 3, 0);
    show_port(m, p);
    model_port_show(m, p, 0);
}

void model_interfaces(struct machine *m, unsigned ports, uint64_t speed_mbps, int64_t bytes_per_s)
{
    simdev_int(&m->dev, ports + 1, "1.3.6.1.2.1.2.1.0");
    m->loopback = (struct port){.name = "lo", .mac = 1, .speed_mbps = 10, .up = true, .bytes_per_s = 700};
    port(m, &m->loopback);
    m->nports = ports;
    for (unsigned i = 1; i <= ports; i++) {
        struct port *p = &m->ports[i - 1];

        *p = (struct port){.mac = (uint8_t)(i + 1), .speed_mbps = speed_mbps, .up = i % 5 != 0};
        p->bytes_per_s = bytes_per_s * (i % 7 + 1);
        snprintf(p->name, sizeof p->name, ports > 4 ? "GigabitEthernet0/%u" : "eth%u", ports > 4 ? i : i - 1);
        port(m, p);
    }
}

static struct port *nth_port(struct machine *m, unsigned i)
{
    return i == 0 ? &m->loopback : &m->ports[i - 1];
}

void model_ports_renumber(struct machine *m, int64_t now_ms)
{
    simdev_remove(&m->dev, IF);
    simdev_remove(&m->dev, IFX);
    for (unsigned i = 0; i <= m->nports; i++) {
        struct port *p = nth_port(m, i);

        p->index = m->renumbered % 2 == 0 ? p->mac : m->nports + 2 - p->mac;
        show_port(m, p);
        model_port_show(m, p, now_ms);
    }
    if (m->spec->model == MODEL_SWITCH)
        model_bridge_show(m);
}

void model_ports_restart(struct machine *m, int64_t now_ms)
{
    for (unsigned i = 0; i <= m->nports && m->nports > 0; i++) {
        struct port *p = nth_port(m, i);

        start_counters(p, 0, 0, now_ms);
        simdev_uint(&m->dev, SNMP_TIMETICKS, 500, IF ".9.%u", p->index);
        model_port_show(m, p, now_ms);
    }
}
