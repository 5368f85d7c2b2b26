#ifndef PD_SNMP_CELL_H
#define PD_SNMP_CELL_H

#include "plugin/plugin.h"
#include "plugins/snmp/pdu.h"

/* What a value of this type on the wire is. */
enum pd_cell_type snmp_cell_type(uint8_t type);
/* Puts a varbind's value into a cell, with its type and tag; pointers are the varbind's. The rest of the cell stays. */
void snmp_cell_set(struct pd_cell *cell, const struct snmp_varbind *vb);

#endif
