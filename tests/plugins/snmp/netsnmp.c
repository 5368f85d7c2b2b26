#include "tests/plugins/snmp/netsnmp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool same_ids(const uint32_t *ours, size_t n, const oid *theirs, size_t ntheirs)
{
    if (n != ntheirs)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (ours[i] != (uint32_t)theirs[i])
            return false;
    }
    return true;
}

static bool same_value(const struct snmp_varbind *vb, const netsnmp_variable_list *var)
{
    switch (vb->type) {
    case SNMP_INTEGER:
        return vb->i == (int64_t)*var->val.integer;
    case SNMP_COUNTER32:
    case SNMP_GAUGE32:
    case SNMP_TIMETICKS:
    case SNMP_UINTEGER32:
        return vb->u == (uint32_t)*var->val.integer;
    case SNMP_COUNTER64:
        return vb->u == ((uint64_t)var->val.counter64->high << 32 | (uint32_t)var->val.counter64->low);
    case SNMP_OID:
        return same_ids(vb->oid, vb->n, var->val.objid, var->val_len / sizeof(oid));
    case SNMP_FLOAT:
        return isnan(vb->f) ? isnan(*var->val.floatVal) : (float)vb->f == *var->val.floatVal;
    case SNMP_DOUBLE:
        return isnan(vb->f) ? isnan(*var->val.doubleVal) : vb->f == *var->val.doubleVal;
    case SNMP_OCTETS:
    case SNMP_IPADDRESS:
    case SNMP_NSAP:
    case SNMP_OPAQUE:
        return vb->n == var->val_len && memcmp(vb->bytes, var->val.string, vb->n) == 0;
    default:
        return true;
    }
}

const char *netsnmp_difference(const struct snmp_msg *m, const struct snmp_varbinds *vbs, const netsnmp_pdu *pdu)
{
    const netsnmp_variable_list *var = pdu->variables;

    if ((uint8_t)pdu->command != m->type)
        return "type";
    if ((int32_t)pdu->reqid != m->request_id || (int32_t)pdu->errstat != m->status ||
        (int32_t)pdu->errindex != m->index)
        return "numbers of the head";
    for (size_t i = 0; i < vbs->n; i++, var = var->next_variable) {
        if (!var)
            return "too few for net-snmp";
        if (!same_ids(vbs->v[i].name, vbs->v[i].nname, var->name, var->name_length))
            return "name";
        if (vbs->v[i].type != SNMP_BAD && vbs->v[i].type != var->type)
            return "value's type";
        if (vbs->v[i].type != SNMP_BAD && !same_value(&vbs->v[i], var))
            return "value";
    }
    return var ? "too many for net-snmp" : NULL;
}

netsnmp_pdu *netsnmp_decode(const uint8_t *packet, size_t n)
{
    netsnmp_pdu *pdu = SNMP_MALLOC_TYPEDEF(netsnmp_pdu);
    netsnmp_session session = {0};
    uint8_t *copy = malloc(n + 64); /* it looks a little past the end */

    memset(copy, 0, n + 64);
    memcpy(copy, packet, n);
    session.version = SNMP_DEFAULT_VERSION; /* either */
    if (snmp_parse(NULL, &session, pdu, copy, n) != 0) {
        snmp_free_pdu(pdu);
        pdu = NULL;
    }
    free(copy);
    return pdu;
}
