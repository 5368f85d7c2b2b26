#ifndef PD_TESTS_SNMP_NETSNMP_H
#define PD_TESTS_SNMP_NETSNMP_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "plugins/snmp/pdu.h"

/* net-snmp's codec beside ours. */

/* net-snmp's reading of a packet of version 1 or 2c; NULL if it refuses. */
netsnmp_pdu *netsnmp_decode(const uint8_t *packet, size_t n);
/* Names the first difference between what we and what they make of a message, or NULL. */
const char *netsnmp_difference(const struct snmp_msg *m, const struct snmp_varbinds *vbs, const netsnmp_pdu *pdu);

#endif
