#include "plugins/snmp/trap.h"

#include <string.h>
#include <sys/socket.h>

#include "base/err.h"

enum { GENERIC = 6, LAST_GENERIC = GENERIC - 1 }; /* GENERIC: it is the enterprise that says which */

static const uint32_t generic_traps[] = {1, 3, 6, 1, 6, 3, 1, 1, 5};
/* What each trap of version 2 tells first: since when the sender is up, and what the trap is. */
static const uint32_t up_time[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
static const uint32_t trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
/* A proxy tells of whom the trap was (RFC 3584, section 3.1 (4)). */
static const uint32_t trap_address[] = {1, 3, 6, 1, 6, 3, 18, 1, 3, 0};

#define COUNT(a) (sizeof(a) / sizeof *(a))

static bool is_named(const struct snmp_varbind *vb, const uint32_t *oid, size_t n)
{
    return oid_cmp(vb->name, vb->nname, oid, n) == 0;
}

static void set_agent(struct snmp_trap *t, const uint8_t address[4])
{
    t->agent = (union pd_addr){.in = {.sin_family = AF_INET}};
    memcpy(&t->agent.in.sin_addr, address, 4);
    t->has_agent = t->agent.in.sin_addr.s_addr != INADDR_ANY;
}

static bool set_oid(struct oid *to, const uint32_t *from, size_t n)
{
    if (n > OID_MAX)
        return false;
    memcpy(to->id, from, n * sizeof *from);
    to->n = (uint16_t)n;
    return true;
}

/* ---- Version 1 ---- */

static int64_t take_int(struct wire_in *in)
{
    struct wire_in body = ber_expect(in, BER_INTEGER);
    int64_t v = -1;

    if (in->bad || ber_int(body, &v) < 0 || v < 0 || v > INT32_MAX)
        in->bad = true;
    return v;
}

/* What the generic and the specific number make of the enterprise. */
static bool name_v1(struct snmp_trap *t, const uint32_t *enterprise, size_t n, int64_t generic, int64_t specific)
{
    if (generic <= LAST_GENERIC) {
        set_oid(&t->oid, generic_traps, COUNT(generic_traps));
        t->oid.id[t->oid.n++] = (uint32_t)generic + 1;
        return true;
    }
    if (generic != GENERIC || !set_oid(&t->oid, enterprise, n) || n + 2 > OID_MAX)
        return false;
    t->oid.id[t->oid.n++] = 0;
    t->oid.id[t->oid.n++] = (uint32_t)specific;
    return true;
}

static int read_v1(const struct snmp_msg *m, struct snmp_varbinds *room, struct snmp_trap *t)
{
    struct wire_in pdu = m->varbinds, enterprise = ber_expect(&pdu, BER_OID);
    struct wire_in agent = ber_expect(&pdu, SNMP_IPADDRESS), ticks;
    int64_t generic = take_int(&pdu), specific = take_int(&pdu);
    struct snmp_msg list = *m;
    uint32_t ids[OID_MAX];
    int n, rc;

    ticks = ber_expect(&pdu, SNMP_TIMETICKS);
    list.varbinds = ber_expect(&pdu, BER_SEQUENCE);
    n = pdu.bad ? -1 : ber_oid(enterprise, ids, OID_MAX);
    if (n < 0 || wire_left(&agent) != 4 || ber_uint(ticks, 32, &t->uptime) < 0 ||
        !name_v1(t, ids, (size_t)n, generic, specific))
        return PD_EPROTO;
    set_agent(t, agent.p);
    rc = snmp_decode_varbinds(&list, room);
    t->v = room->v;
    t->n = room->n;
    return rc;
}

/* ---- Version 2 and later ---- */

static int read_v2(const struct snmp_msg *m, struct snmp_varbinds *room, struct snmp_trap *t)
{
    const struct snmp_varbind *v = room->v;
    int rc = snmp_decode_varbinds(m, room);

    if (rc < 0)
        return rc;
    if (room->n < 2 || !is_named(&v[0], up_time, COUNT(up_time)) || v[0].type != SNMP_TIMETICKS ||
        !is_named(&v[1], trap_oid, COUNT(trap_oid)) || v[1].type != SNMP_OID || !set_oid(&t->oid, v[1].oid, v[1].n))
        return PD_EPROTO;
    t->uptime = v[0].u;
    t->v = v + 2;
    t->n = room->n - 2;
    for (size_t i = 0; i < t->n; i++) {
        if (t->v[i].type == SNMP_IPADDRESS && is_named(&t->v[i], trap_address, COUNT(trap_address)))
            set_agent(t, t->v[i].bytes);
    }
    return 0;
}

int snmp_trap_read(const struct snmp_msg *m, struct snmp_varbinds *room, struct snmp_trap *out)
{
    struct snmp_trap t = {0};
    int rc = PD_EINVAL;

    if (m->type == SNMP_TRAP_V1 && m->version == SNMP_V1)
        rc = read_v1(m, room, &t);
    else if ((m->type == SNMP_TRAP || m->type == SNMP_INFORM) && m->version != SNMP_V1)
        rc = read_v2(m, room, &t);
    if (rc == 0)
        *out = t;
    return rc;
}
