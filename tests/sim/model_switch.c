#include "models.h"

/* LLDP-MIB (IEEE 802.1AB-2005): what a switch says of itself, and of who is at the other end of its cables. */
#define LLDP_LOCAL "1.0.8802.1.1.2.1.3"
#define LLDP_REMOTE "1.0.8802.1.1.2.1.4.1.1"

#define BRIDGE "1.3.6.1.2.1.17.1"

enum { PORTS = 24, PHONE = 3 /* where one is plugged in */, COLUMNS = 12, FIRST_COLUMN = 4 };

/* LldpSystemCapabilitiesMap as BITS: bridge(2), router(4), telephone(5). */
static const uint8_t bridge[1] = {0x20}, bridge_router[1] = {0x28}, telephone[1] = {0x04};

static void local(struct machine *m)
{
    const uint8_t mac[6] = {0x02, 0x5a, 0, (uint8_t)(m->number >> 8), (uint8_t)m->number, 0};
    struct simdev *d = &m->dev;

    simdev_int(d, 4, LLDP_LOCAL ".1.0"); /* the chassis is named by a MAC address */
    simdev_bytes(d, SNMP_OCTETS, mac, sizeof mac, LLDP_LOCAL ".2.0");
    simdev_text(d, m->spec->name, LLDP_LOCAL ".3.0");
    simdev_text(d, "Office switch", LLDP_LOCAL ".4.0");
    simdev_bytes(d, SNMP_OCTETS, bridge_router, 1, LLDP_LOCAL ".5.0");
    simdev_bytes(d, SNMP_OCTETS, bridge, 1, LLDP_LOCAL ".6.0");
    for (unsigned i = 1; i <= m->nports; i++) {
        simdev_int(d, 5, LLDP_LOCAL ".7.1.2.%u", i); /* by its interface's name */
        simdev_text(d, m->ports[i - 1].name, LLDP_LOCAL ".7.1.3.%u", i);
        simdev_text(d, m->ports[i - 1].name, LLDP_LOCAL ".7.1.4.%u", i);
    }
}

/* A MAC address that is always the same for a name. */
static void mac_of(const char *name, uint8_t mac[static 6])
{
    uint32_t hash = 2166136261u;

    for (const char *p = name; *p != '\0'; p++)
        hash = (hash ^ (uint8_t)*p) * 16777619u;
    mac[0] = 0x02;
    mac[1] = 0x5b;
    for (int i = 0; i < 4; i++)
        mac[2 + i] = (uint8_t)(hash >> 8 * i);
}

/* Rows are indexed by when they were learnt, the port, and a number. */
void model_neighbour_show(struct machine *m, unsigned port)
{
    const struct port *p = machine_port(m, port);
    const char *name = p->up ? p->neighbour : NULL;
    const uint8_t *can = p->phone ? telephone : bridge_router;
    struct simdev *d = &m->dev;
    uint8_t mac[6];

    for (unsigned column = FIRST_COLUMN; name == NULL && column <= COLUMNS; column++)
        simdev_remove(d, LLDP_REMOTE ".%u.0.%u.1", column, port);
    if (name == NULL)
        return;
    mac_of(name, mac);
    simdev_int(d, 4, LLDP_REMOTE ".4.0.%u.1", port);
    simdev_bytes(d, SNMP_OCTETS, mac, sizeof mac, LLDP_REMOTE ".5.0.%u.1", port);
    simdev_int(d, 5, LLDP_REMOTE ".6.0.%u.1", port);
    simdev_text(d, p->phone ? "eth0" : "GigabitEthernet0/1", LLDP_REMOTE ".7.0.%u.1", port);
    simdev_text(d, p->phone ? "LAN" : "to the floor", LLDP_REMOTE ".8.0.%u.1", port);
    simdev_text(d, name, LLDP_REMOTE ".9.0.%u.1", port);
    simdev_text(d, p->phone ? "Desk phone" : "Core switch", LLDP_REMOTE ".10.0.%u.1", port);
    simdev_bytes(d, SNMP_OCTETS, can, 1, LLDP_REMOTE ".11.0.%u.1", port);
    simdev_bytes(d, SNMP_OCTETS, can, 1, LLDP_REMOTE ".12.0.%u.1", port);
}

void model_bridge_show(struct machine *m)
{
    for (unsigned i = 1; i <= m->nports; i++)
        simdev_int(&m->dev, m->ports[i - 1].index, BRIDGE ".4.1.2.%u", i);
}

/* BRIDGE-MIB (RFC 4188): it bridges. */
static void bridging(struct machine *m)
{
    const uint8_t mac[6] = {0x02, 0x5a, 0, (uint8_t)(m->number >> 8), (uint8_t)m->number, 0};
    struct simdev *d = &m->dev;

    simdev_int(d, 2, "1.3.6.1.2.1.1.7.0"); /* sysServices: datalink */
    simdev_bytes(d, SNMP_OCTETS, mac, sizeof mac, BRIDGE ".1.0");
    simdev_int(d, m->nports, BRIDGE ".2.0");
    simdev_int(d, 2, BRIDGE ".3.0"); /* transparent-only */
    model_bridge_show(m);
    for (unsigned i = 1; i <= m->nports; i++) {
        simdev_int(d, i, BRIDGE ".4.1.1.%u", i);
        simdev_oid(d, "0.0", BRIDGE ".4.1.3.%u", i);
        simdev_uint(d, SNMP_COUNTER32, 0, BRIDGE ".4.1.4.%u", i);
        simdev_uint(d, SNMP_COUNTER32, 0, BRIDGE ".4.1.5.%u", i);
    }
}

void model_switch(struct machine *m)
{
    model_system(m, "Office switch, 24 ports, software 3.2.1", "1.3.6.1.4.1.32473.2.24");
    model_engine(m);
    simdev_int(&m->dev, 2, "1.3.6.1.2.1.1.7.0");        /* sysServices: a bridge */
    simdev_int(&m->dev, PORTS, "1.3.6.1.2.1.17.1.2.0"); /* dot1dBaseNumPorts */
    model_interfaces(m, PORTS, 1000, 40000);
    bridging(m);
    local(m);
    m->ports[PHONE - 1].neighbour = "desk phone";
    m->ports[PHONE - 1].phone = true;
    model_neighbour_show(m, PHONE);
}
