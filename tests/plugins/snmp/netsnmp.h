#ifndef PD_TESTS_SNMP_NETSNMP_H
#define PD_TESTS_SNMP_NETSNMP_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "plugins/snmp/pdu.h"
#include "plugins/snmp/v3.h"

/* net-snmp's codec beside ours. */

/* net-snmp's reading of a packet; NULL if it refuses. Of version 3 it reads what its users may have sent. */
netsnmp_pdu *netsnmp_decode(const uint8_t *packet, size_t n);
/* Names the first difference between what we and what they make of a message, or NULL. */
const char *netsnmp_difference(const struct snmp_msg *m, const struct snmp_varbinds *vbs, const netsnmp_pdu *pdu);

/* Of version 3, what is outside the PDU. */
const char *netsnmp_difference3(const struct v3_msg *m, const netsnmp_pdu *pdu);

/* A user whose keys at that engine (digests SHA-1, ciphers AES-128, or none) net-snmp is to know from now on. */
void netsnmp_add_user(const char *name, const uint8_t *engine, size_t n, const struct usm_keys *keys);
/* What it is to believe of the engine's clock. */
void netsnmp_set_clock(const uint8_t *engine, size_t n, int32_t boots, int32_t time);

#endif
