#ifndef PD_SNMP_SNMP_H
#define PD_SNMP_SNMP_H

#include "plugin/plugin.h"
#include "plugins/snmp/net.h"
#include "plugins/snmp/trap_limit.h"

/*
 * The SNMP collector: v1 and v2c over IPv4 and IPv6. Addresses of sources are
 * numeric OIDs: of a scalar with its instance ("1.3.6.1.2.1.1.3.0"), of a table
 * its column ("1.3.6.1.2.1.2.2.1.10").
 */
struct pd_snmp_listen {
    const char *host; /* numeric; 0.0.0.0 and :: are all of the machine's */
    uint16_t port;
};

/* Where traps are heard; nowhere, if there is neither a descriptor nor an address. */
struct pd_snmp_traps {
    const int *fds; /* UDP sockets that are open already; they go to the collector */
    size_t nfds;
    const struct pd_snmp_listen *listen;
    size_t nlisten;
    const char *engine_file; /* boots.h; NULL: no informs of version 3 */
    struct trap_rates rates;
};

struct pd_snmp_config {
    int timeout_ms;           /* of one try */
    int retries;              /* after the first try */
    uint16_t max_repetitions; /* of a GETBULK, at most */
    int rcvbuf;               /* receive buffer that is asked for, bytes */
    /* A read is ended beyond these: */
    uint32_t max_varbinds;
    uint64_t max_bytes;
    int64_t max_ms, stall_ms; /* in all; without a new row */
    struct pd_snmp_traps traps;
};

extern const struct pd_snmp_config pd_snmp_defaults;
extern const struct pd_collector_ops pd_snmp_ops;

/* start() on another network than the kernel's; net is copied and its ctx stays the caller's. */
int snmp_start_on(const struct pd_services *services, const struct pd_snmp_config *config, const struct snmp_net *net,
                  struct pd_collector **out);

#endif
