#include "daemon/collectors.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plugins/icmp/icmp.h"
#include "plugins/modbus/modbus.h"
#include "plugins/snmp/snmp.h"

const struct pd_collector_ops *const collector_table[COLLECTOR_COUNT] = {&pd_snmp_ops, &pd_modbus_ops, &pd_icmp_ops};

enum { TRAP_BURST_S = 10 };

struct collector_configs {
    struct pd_modbus_config modbus;
    struct pd_modbus_bus *buses;
    struct pd_modbus_endpoint *endpoints;
    struct pd_icmp_config icmp;
    struct pd_snmp_config snmp;
    struct pd_snmp_listen *listen;
    char *engine_file;
    const void *list[COLLECTOR_COUNT];
};

static struct pd_modbus_bus bus_of(const struct modbus_bus *from)
{
    static const char parities[] = {[BUS_EVEN] = 'E', [BUS_NONE] = 'N', [BUS_ODD] = 'O'};
    static const enum pd_modbus_rs485 ways[] = {
        [BUS_ADAPTER] = PD_MODBUS_RS485_ADAPTER,
        [BUS_KERNEL] = PD_MODBUS_RS485_KERNEL,
        [BUS_RTS_UP] = PD_MODBUS_RS485_RTS_UP,
        [BUS_RTS_DOWN] = PD_MODBUS_RS485_RTS_DOWN,
    };

    return (struct pd_modbus_bus){
        .name = from->name,
        .device = from->device,
        .baud = from->baud,
        .parity = parities[from->parity],
        .stop_bits = from->stop_bits,
        .rs485 = ways[from->rs485],
        .rts_delay_us = (int)from->rts_delay_ms * 1000,
        .response_ms = (int)from->response_ms,
        .gap_ms = (int)from->gap_ms,
    };
}

static struct pd_modbus_endpoint endpoint_of(const struct modbus_endpoint *from)
{
    return (struct pd_modbus_endpoint){
        .address = from->address,
        .port = from->port,
        .manners = {.connect_delay_ms = (int)from->connect_delay_ms,
                    .gap_ms = (int)from->gap_ms,
                    .per_poll = from->per_poll},
    };
}

static void configure_modbus(struct collector_configs *c, const struct modbus_settings *s)
{
    c->modbus = pd_modbus_defaults;
    c->modbus.timeout_ms = (int)s->timeout_ms;
    c->modbus.retries = s->retries;
    c->buses = xcalloc(s->buses.n + 1, sizeof *c->buses);
    for (size_t i = 0; i < s->buses.n; i++)
        c->buses[i] = bus_of(&s->buses.v[i]);
    c->endpoints = xcalloc(s->endpoints.n + 1, sizeof *c->endpoints);
    for (size_t i = 0; i < s->endpoints.n; i++)
        c->endpoints[i] = endpoint_of(&s->endpoints.v[i]);
    c->modbus.buses = c->buses;
    c->modbus.nbuses = s->buses.n;
    c->modbus.endpoints = c->endpoints;
    c->modbus.nendpoints = s->endpoints.n;
}

/* Our engine of version 3 is kept beside the database, but in no backup of it. */
static char *engine_file(const char *database)
{
    const char *slash = strrchr(database, '/');

    return xasprintf("%.*ssnmp-engine", slash ? (int)(slash - database) + 1 : 0, database);
}

static void configure_snmp(struct collector_configs *c, const struct settings *s, const int *traps, size_t ntraps)
{
    struct pd_snmp_traps *t = &c->snmp.traps;

    c->snmp = pd_snmp_defaults;
    c->listen = xcalloc(s->traps.listen.n + 1, sizeof *c->listen);
    for (size_t i = 0; i < s->traps.listen.n; i++)
        c->listen[i] = (struct pd_snmp_listen){s->traps.listen.v[i].host, s->traps.listen.v[i].port};
    c->engine_file = engine_file(s->database);
    t->fds = traps;
    t->nfds = ntraps;
    t->listen = c->listen;
    t->nlisten = s->traps.listen.n;
    t->engine_file = c->engine_file;
    t->rates.source = (struct trap_rate){s->traps.per_source, s->traps.per_source * TRAP_BURST_S};
    t->rates.all = (struct trap_rate){s->traps.total, s->traps.total * 2};
}

static const void *config_of(const struct collector_configs *c, const struct pd_collector_ops *ops)
{
    return ops == &pd_modbus_ops ? (const void *)&c->modbus : ops == &pd_icmp_ops ? (const void *)&c->icmp : &c->snmp;
}

struct collector_configs *collector_configs_new(const struct settings *s, const struct pd_icmp_sockets *icmp,
                                                const int *traps, size_t ntraps)
{
    struct collector_configs *c = xcalloc(1, sizeof *c);

    configure_snmp(c, s, traps, ntraps);
    configure_modbus(c, &s->modbus);
    c->icmp = pd_icmp_defaults;
    c->icmp.sockets = icmp;
    c->icmp.timeout_ms = (int)s->icmp.timeout_ms;
    c->icmp.tries = s->icmp.tries;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        c->list[i] = config_of(c, collector_table[i]);
    return c;
}

void collector_configs_free(struct collector_configs *c)
{
    if (!c)
        return;
    free(c->listen);
    free(c->engine_file);
    free(c->buses);
    free(c->endpoints);
    free(c);
}

const void *const *collector_configs_list(const struct collector_configs *c)
{
    return c->list;
}
