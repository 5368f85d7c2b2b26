#ifndef PD_SNMP_CELL_H
#define PD_SNMP_CELL_H

#include "plugin/plugin.h"
#include "plugins/snmp/pdu.h"

/* True of the exceptions (RFC 3416, section 3): such a value becomes a PD_CELL_ABSENT. */
static inline bool snmp_is_absent(uint8_t type)
{
    return type >= SNMP_NO_SUCH_OBJECT && type <= SNMP_END_OF_MIB_VIEW;
}

/* Puts a varbind's value into a cell, with its type and tag; pointers are the varbind's. The rest of the cell stays. */
void snmp_cell_set(struct pd_cell *cell, const struct snmp_varbind *vb);

#endif
