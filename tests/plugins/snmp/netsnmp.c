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

static bool same_text(const uint8_t *ours, size_t n, const void *theirs, size_t ntheirs)
{
    return n == ntheirs && (n == 0 || memcmp(ours, theirs, n) == 0);
}

const char *netsnmp_difference3(const struct v3_msg *m, const netsnmp_pdu *pdu)
{
    static const int levels[] = {[0] = SNMP_SEC_LEVEL_NOAUTH,
                                 [V3_AUTH] = SNMP_SEC_LEVEL_AUTHNOPRIV,
                                 [V3_AUTH | V3_PRIV] = SNMP_SEC_LEVEL_AUTHPRIV};

    if (pdu->version != SNMP_VERSION_3)
        return "version";
    if ((int32_t)pdu->msgid != m->msg_id || pdu->securityLevel != levels[m->flags & (V3_AUTH | V3_PRIV)])
        return "head of version 3";
    if (!same_text(m->engine, m->nengine, pdu->securityEngineID, pdu->securityEngineIDLen) ||
        !same_text(m->user, m->nuser, pdu->securityName, pdu->securityNameLen))
        return "who sent it";
    if (!same_text(m->context_engine, m->ncontext_engine, pdu->contextEngineID, pdu->contextEngineIDLen) ||
        !same_text(m->context, m->ncontext, pdu->contextName, pdu->contextNameLen))
        return "context";
    return NULL;
}

static void set_key(u_char **key, size_t *n, const uint8_t *from, size_t size)
{
    *key = malloc(size);
    memcpy(*key, from, size);
    *n = size;
}

void netsnmp_add_user(const char *name, const uint8_t *engine, size_t n, const struct usm_keys *keys)
{
    enum { SHA1_KEY = 20, AES_KEY = 16, PROTOCOL = 10 };
    struct usmUser *user;

    if (usm_get_user(engine, n, name))
        return;
    user = usm_create_user();
    user->name = strdup(name);
    user->secName = strdup(name);
    user->userStatus = RS_ACTIVE;
    set_key(&user->engineID, &user->engineIDLen, engine, n);
    if (keys->auth) {
        free(user->authProtocol);
        user->authProtocol = snmp_duplicate_objid(usmHMACSHA1AuthProtocol, PROTOCOL);
        user->authProtocolLen = PROTOCOL;
        set_key(&user->authKey, &user->authKeyLen, keys->auth_key, SHA1_KEY);
    }
    if (keys->priv) {
        free(user->privProtocol);
        user->privProtocol = snmp_duplicate_objid(usmAESPrivProtocol, PROTOCOL);
        user->privProtocolLen = PROTOCOL;
        set_key(&user->privKey, &user->privKeyLen, keys->priv_key, AES_KEY);
    }
    usm_add_user(user);
}

void netsnmp_set_clock(const uint8_t *engine, size_t n, int32_t boots, int32_t time)
{
    set_enginetime(engine, (u_int)n, (u_int)boots, (u_int)time, TRUE);
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
