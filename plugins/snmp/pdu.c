#include "plugins/snmp/pdu.h"

#include <string.h>

#include "base/err.h"

/* ---- Decoding ---- */

/* An INTEGER of 32 bits, where the message's structure demands one. */
static int32_t take_int32(struct wire_in *in)
{
    struct wire_in body = ber_expect(in, BER_INTEGER);
    int64_t v = 0;

    if (in->bad || ber_int(body, &v) < 0 || v < INT32_MIN || v > INT32_MAX) {
        in->bad = true;
        return 0;
    }
    return (int32_t)v;
}

/* The PDU that is next; true if it makes sense. */
static bool take_pdu(struct wire_in *in, struct snmp_msg *m)
{
    struct wire_in pdu;

    m->type = ber_open(in, &pdu);
    if (in->bad || m->type < SNMP_GET || m->type > SNMP_REPORT)
        return false;
    if (m->type != SNMP_TRAP_V1) {
        m->request_id = take_int32(&pdu);
        m->status = take_int32(&pdu);
        m->index = take_int32(&pdu);
        m->varbinds = ber_expect(&pdu, BER_SEQUENCE);
    } else {
        m->varbinds = pdu;
    }
    return !pdu.bad;
}

int snmp_decode_pdu(struct wire_in in, struct snmp_msg *out)
{
    struct snmp_msg m = {.version = SNMP_V3};

    if (!take_pdu(&in, &m) || m.type == SNMP_TRAP_V1)
        return PD_EPROTO;
    *out = m;
    return 0;
}

int snmp_decode(const void *packet, size_t n, struct snmp_msg *out)
{
    struct wire_in all = wire_in(packet, n), body, community;
    struct snmp_msg m = {0};
    int32_t version;

    body = ber_expect(&all, BER_SEQUENCE);
    version = take_int32(&body);
    if (all.bad || body.bad)
        return PD_EPROTO;
    if (version != SNMP_V1 && version != SNMP_V2C)
        return PD_EVERSION;
    m.version = (uint8_t)version;
    community = ber_expect(&body, BER_OCTETS);
    m.community = community.p;
    m.ncommunity = wire_left(&community);
    if (body.bad || !take_pdu(&body, &m))
        return PD_EPROTO;
    *out = m;
    return 0;
}

/*
 * Net-SNMP's way to send floating point numbers: an Opaque whose contents are an
 * element of their own, with the tag 9f 78 (single) or 9f 79 (double).
 */
static void decode_opaque(struct wire_in body, struct snmp_varbind *vb)
{
    uint64_t bits;
    uint32_t bits32;
    float single;

    vb->type = SNMP_OPAQUE;
    vb->bytes = body.p;
    vb->n = (uint32_t)wire_left(&body);
    if (vb->n < 3 || body.p[0] != 0x9f)
        return;
    if (vb->n == 7 && body.p[1] == 0x78 && body.p[2] == 4) {
        wire_bytes(&body, 3);
        bits32 = wire_u32be(&body);
        memcpy(&single, &bits32, sizeof single);
        vb->type = SNMP_FLOAT;
        vb->f = single;
    } else if (vb->n == 11 && body.p[1] == 0x79 && body.p[2] == 8) {
        wire_bytes(&body, 3);
        bits = wire_u64be(&body);
        memcpy(&vb->f, &bits, sizeof vb->f);
        vb->type = SNMP_DOUBLE;
    }
}

/* A value whose element is whole. What is wrong inside spoils this value only. */
static inline void decode_value(uint8_t tag, const struct wire_in *body, struct snmp_varbind *vb, uint32_t *ids)
{
    int rc = 0;

    vb->type = tag;
    vb->n = (uint32_t)wire_left(body);
    vb->bytes = body->p;
    switch (tag) {
    case SNMP_INTEGER:
        rc = ber_int_of(body->p, vb->n, &vb->i);
        break;
    case SNMP_COUNTER32:
    case SNMP_GAUGE32:
    case SNMP_TIMETICKS:
    case SNMP_UINTEGER32:
        rc = ber_uint_of(body->p, vb->n, 32, &vb->u);
        break;
    case SNMP_COUNTER64:
        rc = ber_uint_of(body->p, vb->n, 64, &vb->u);
        break;
    case SNMP_OID:
        rc = ber_oid(*body, ids, OID_MAX);
        vb->oid = ids;
        vb->n = rc > 0 ? (uint32_t)rc : 0;
        break;
    case SNMP_IPADDRESS:
        rc = vb->n == 4 ? 0 : PD_EPROTO;
        break;
    case SNMP_OPAQUE:
        decode_opaque(*body, vb);
        break;
    case SNMP_OCTETS:
    case SNMP_NSAP:
    case SNMP_NULL:
    case SNMP_NO_SUCH_OBJECT:
    case SNMP_NO_SUCH_INSTANCE:
    case SNMP_END_OF_MIB_VIEW:
        break;
    default:
        rc = PD_EPROTO;
    }
    if (rc < 0)
        vb->type = SNMP_BAD;
}

/* The elements of a varbind. */
struct pair {
    struct wire_in name, value;
    uint8_t tag;
};

/* Takes a varbind all of whose lengths take one byte, as nearly all do: that is quick. False for any other. */
static inline bool take_short_pair(struct wire_in *list, struct pair *out)
{
    const uint8_t *p = list->p, *value;
    size_t left = wire_left(list), size;

    if (left < 6 || p[0] != BER_SEQUENCE || p[1] >= 0x80 || p[2] != BER_OID)
        return false;
    size = p[1];
    if (size > left - 2 || size < p[3] + 4u)
        return false;
    value = p + 4 + p[3];
    if ((value[0] & 0x1f) == 0x1f || p[3] + 4u + value[1] != size)
        return false;
    out->name = (struct wire_in){.p = p + 4, .end = value};
    out->tag = value[0];
    out->value = (struct wire_in){.p = value + 2, .end = p + 2 + size};
    list->p = p + 2 + size;
    return true;
}

static bool take_pair(struct wire_in *list, struct pair *out)
{
    struct wire_in pair;

    if (take_short_pair(list, out))
        return true;
    pair = ber_expect(list, BER_SEQUENCE);
    out->name = ber_expect(&pair, BER_OID);
    out->tag = ber_open(&pair, &out->value);
    return !list->bad && !pair.bad && wire_left(&pair) == 0;
}

/* memcmp() == 0. Names of columns mostly have 8 to 16 bytes: those are compared as two words that may overlap. */
static inline bool same_bytes(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint64_t a0, a1, b0, b1;

    if (n < sizeof a0 || n > 2 * sizeof a0)
        return memcmp(a, b, n) == 0;
    memcpy(&a0, a, sizeof a0);
    memcpy(&b0, b, sizeof b0);
    memcpy(&a1, a + n - sizeof a1, sizeof a1);
    memcpy(&b1, b + n - sizeof b1, sizeof b1);
    return a0 == b0 && a1 == b1;
}

static inline int take_name(const struct wire_in *name, const struct snmp_name *like, uint32_t *ids, uint8_t *known)
{
    const uint8_t *rest;

    *known = 0;
    if (!like || wire_left(name) < like->nencoded || !same_bytes(name->p, like->encoded, like->nencoded))
        return ber_oid(*name, ids, OID_MAX);
    *known = like->n;
    memcpy(ids, like->ids, like->n * sizeof *ids);
    rest = name->p + like->nencoded;
    if (name->end - rest != 1 || *rest >= 0x80 || like->n == OID_MAX)
        return ber_oid_rest(rest, name->end, ids, like->n, OID_MAX);
    ids[like->n] = *rest; /* a row's number, as nearly always */
    return like->n + 1;
}

int snmp_decode_varbinds(const struct snmp_msg *m, struct snmp_varbinds *out)
{
    return snmp_decode_expected(m, &(struct snmp_expected){0}, out);
}

int snmp_decode_expected(const struct snmp_msg *m, const struct snmp_expected *expected, struct snmp_varbinds *out)
{
    struct wire_in list = m->varbinds;
    uint32_t *ids = out->ids;
    size_t next = 0;

    out->n = 0;
    while (wire_left(&list) > 0) {
        const uint8_t *begin = list.p;
        struct snmp_varbind *vb = &out->v[out->n];
        const struct snmp_name *like = next < expected->n ? expected->names[next] : NULL;
        struct pair pair;
        uint8_t known;
        size_t size;
        int n;

        if (out->n == SNMP_MAX_VARBINDS)
            return PD_ERANGE;
        if (!take_pair(&list, &pair))
            return PD_EPROTO;
        n = take_name(&pair.name, like, ids, &known);
        if (n < 0)
            return PD_EPROTO;
        size = (size_t)(list.p - begin);
        *vb = (struct snmp_varbind){
            .name = ids, .nname = (uint8_t)n, .known = known, .size = size < UINT8_MAX ? (uint8_t)size : UINT8_MAX};
        if (++next == expected->n)
            next = expected->again;
        ids += n;
        decode_value(pair.tag, &pair.value, vb, ids);
        if (vb->type == SNMP_OID)
            ids += vb->n;
        out->n++;
    }
    return 0;
}

/* ---- Encoding ---- */

enum { GROWTH = 12 }; /* bytes that the lengths of the three open elements may still come to need */

void snmp_begin(struct snmp_writer *w, void *buf, size_t n, const struct snmp_msg *head)
{
    w->out = wire_out(buf, n);
    w->bare = head->version == SNMP_V3;
    if (!w->bare) {
        w->message = ber_begin(&w->out, BER_SEQUENCE);
        ber_put_int(&w->out, BER_INTEGER, head->version);
        ber_put_octets(&w->out, BER_OCTETS, head->community, head->ncommunity);
    }
    w->pdu = ber_begin(&w->out, head->type);
    ber_put_int(&w->out, BER_INTEGER, head->request_id);
    ber_put_int(&w->out, BER_INTEGER, head->status);
    ber_put_int(&w->out, BER_INTEGER, head->index);
    w->list = ber_begin(&w->out, BER_SEQUENCE);
}

/* Keeps what was added since `before`, if the message can still be ended around it. */
static bool keep(struct snmp_writer *w, const struct wire_out *before)
{
    if (!w->out.bad && (size_t)(w->out.end - w->out.p) >= GROWTH)
        return true;
    w->out = *before;
    return false;
}

static void put_value(struct wire_out *out, const struct snmp_varbind *vb)
{
    uint8_t opaque[11] = {0x9f, vb->type, vb->type == SNMP_FLOAT ? 4 : 8};
    struct wire_out special = wire_out(opaque + 3, sizeof opaque - 3);
    float single = 0;
    uint64_t bits;
    uint32_t bits32;

    switch (vb->type) {
    case SNMP_INTEGER:
        ber_put_int(out, vb->type, vb->i);
        break;
    case SNMP_COUNTER32:
    case SNMP_GAUGE32:
    case SNMP_TIMETICKS:
    case SNMP_UINTEGER32:
    case SNMP_COUNTER64:
        ber_put_uint(out, vb->type, vb->u);
        break;
    case SNMP_OID:
        ber_put_oid(out, vb->oid, vb->n, NULL, 0);
        break;
    case SNMP_FLOAT:
        single = (float)vb->f;
        memcpy(&bits32, &single, sizeof bits32);
        wire_put_u32be(&special, bits32);
        ber_put_octets(out, SNMP_OPAQUE, opaque, 7);
        break;
    case SNMP_DOUBLE:
        memcpy(&bits, &vb->f, sizeof bits);
        wire_put_u64be(&special, bits);
        ber_put_octets(out, SNMP_OPAQUE, opaque, 11);
        break;
    case SNMP_OCTETS:
    case SNMP_IPADDRESS:
    case SNMP_OPAQUE:
    case SNMP_NSAP:
        ber_put_octets(out, vb->type, vb->bytes, vb->n);
        break;
    default: /* NULL and the exceptions have no contents */
        ber_put_head(out, vb->type, 0);
    }
}

bool snmp_put(struct snmp_writer *w, const struct snmp_varbind *vb)
{
    struct wire_out before = w->out;
    size_t at = ber_begin(&w->out, BER_SEQUENCE);

    ber_put_oid(&w->out, vb->name, vb->nname, NULL, 0);
    put_value(&w->out, vb);
    ber_end(&w->out, at);
    return keep(w, &before);
}

bool snmp_put_encoded(struct snmp_writer *w, const void *varbind, size_t n)
{
    struct wire_out before = w->out;

    wire_put_bytes(&w->out, varbind, n);
    return keep(w, &before);
}

bool snmp_put_name(struct snmp_writer *w, const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    struct wire_out before = w->out;

    snmp_encode_name(&w->out, a, na, b, nb);
    return keep(w, &before);
}

void snmp_encode_name(struct wire_out *out, const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    size_t at = ber_begin(out, BER_SEQUENCE);

    ber_put_oid(out, a, na, b, nb);
    ber_put_head(out, BER_NULL, 0);
    ber_end(out, at);
}

size_t snmp_end(struct snmp_writer *w)
{
    ber_end(&w->out, w->list);
    ber_end(&w->out, w->pdu);
    if (!w->bare)
        ber_end(&w->out, w->message);
    return w->out.bad ? 0 : wire_used(&w->out);
}
