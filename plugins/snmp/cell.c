#include "plugins/snmp/cell.h"

/* What a value of this type on the wire is. */
static enum pd_cell_type cell_type(uint8_t type)
{
    switch (type) {
    case SNMP_INTEGER:
        return PD_CELL_INT;
    case SNMP_COUNTER32:
    case SNMP_GAUGE32:
    case SNMP_UINTEGER32:
    case SNMP_COUNTER64:
        return PD_CELL_UINT;
    case SNMP_TIMETICKS:
        return PD_CELL_TICKS;
    case SNMP_OCTETS:
    case SNMP_IPADDRESS:
    case SNMP_OPAQUE:
    case SNMP_NSAP:
        return PD_CELL_BYTES;
    case SNMP_OID:
        return PD_CELL_OID;
    case SNMP_FLOAT:
    case SNMP_DOUBLE:
        return PD_CELL_FLOAT;
    case SNMP_NULL:
        return PD_CELL_NULL;
    case SNMP_NO_SUCH_OBJECT:
    case SNMP_NO_SUCH_INSTANCE:
    case SNMP_END_OF_MIB_VIEW:
        return PD_CELL_ABSENT;
    default:
        return PD_CELL_INVALID;
    }
}

void snmp_cell_set(struct pd_cell *cell, const struct snmp_varbind *vb)
{
    cell->type = (uint8_t)cell_type(vb->type);
    cell->tag = vb->type;
    switch (cell->type) {
    case PD_CELL_INT:
        cell->i = vb->i;
        break;
    case PD_CELL_UINT:
    case PD_CELL_TICKS:
        cell->u = vb->u;
        break;
    case PD_CELL_FLOAT:
        cell->f = vb->f;
        break;
    case PD_CELL_OID:
        cell->oid = vb->oid;
        cell->nbytes = vb->n;
        break;
    case PD_CELL_BYTES:
        cell->bytes = vb->bytes;
        cell->nbytes = vb->n;
        break;
    default:
        break;
    }
}
