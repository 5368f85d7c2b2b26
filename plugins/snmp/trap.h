#ifndef PD_SNMP_TRAP_H
#define PD_SNMP_TRAP_H

#include "plugin/addr.h"
#include "plugins/snmp/pdu.h"

/*
 * What a trap says, whatever version it was sent in. Version 1's are put as RFC 3584, section 3.1 says: what is
 * generic is below snmpTraps, what is a maker's is ENTERPRISE.0.SPECIFIC.
 */
struct snmp_trap {
    uint64_t uptime; /* hundredths of a second */
    struct oid oid;  /* the value of snmpTrapOID */
    bool has_agent;
    union pd_addr agent;          /* of whom it tells, if it says so; version 1 always does, but for 0.0.0.0 */
    const struct snmp_varbind *v; /* the other varbinds */
    size_t n;
};

/*
 * Reads a v1 trap, a v2 trap or an inform, as snmp_decode() or v3_open() gave it. The result points into *m and *room.
 * PD_EPROTO for nonsense, PD_ERANGE for more varbinds than there is room for, PD_EINVAL for any other PDU.
 */
int snmp_trap_read(const struct snmp_msg *m, struct snmp_varbinds *room, struct snmp_trap *out);

#endif
