#include "plugins/snmp/v3.h"

#include <string.h>

#include "base/err.h"

enum { USER_BASED = 3, FLAGS = V3_AUTH | V3_PRIV | V3_REPORTABLE };

/* ---- Decoding ---- */

/* An INTEGER from `least` up to 2^31 - 1, as all of the head's are. */
static int32_t take_number(struct wire_in *in, int32_t least)
{
    struct wire_in body = ber_expect(in, BER_INTEGER);
    int64_t v = 0;

    if (in->bad || ber_int(body, &v) < 0 || v < least || v > INT32_MAX) {
        in->bad = true;
        return 0;
    }
    return (int32_t)v;
}

/* An OCTET STRING of at most max bytes. */
static const uint8_t *take_octets(struct wire_in *in, size_t max, uint8_t *n)
{
    struct wire_in body = ber_expect(in, BER_OCTETS);

    *n = 0;
    if (in->bad || wire_left(&body) > max) {
        in->bad = true;
        return NULL;
    }
    *n = (uint8_t)wire_left(&body);
    return body.p;
}

/* The first element, if a message of SNMP begins so, and its version; -1 otherwise. */
static int32_t take_version(struct wire_in *all, struct wire_in *body)
{
    int32_t version;

    *body = ber_expect(all, BER_SEQUENCE);
    version = take_number(body, 0);
    return all->bad || body->bad ? -1 : version;
}

bool v3_is(const void *packet, size_t n)
{
    struct wire_in all = wire_in(packet, n), body;

    return take_version(&all, &body) == SNMP_V3;
}

/* msgGlobalData: the security model. */
static int32_t take_global(struct wire_in *body, struct v3_msg *m)
{
    struct wire_in global = ber_expect(body, BER_SEQUENCE);
    const uint8_t *flags;
    uint8_t nflags;
    int32_t model;

    m->msg_id = take_number(&global, 0);
    m->max_size = take_number(&global, V3_MIN_SIZE);
    flags = take_octets(&global, 1, &nflags);
    model = take_number(&global, 1);
    if (global.bad || wire_left(&global) > 0 || nflags != 1) {
        body->bad = true;
        return 0;
    }
    m->flags = *flags & FLAGS;
    return model;
}

/* msgSecurityParameters: an OCTET STRING with a SEQUENCE of its own in it. */
static void take_security(struct wire_in *body, struct v3_msg *m)
{
    struct wire_in octets = ber_expect(body, BER_OCTETS), in = ber_expect(&octets, BER_SEQUENCE);

    m->engine = take_octets(&in, USM_MAX_ENGINE, &m->nengine);
    m->boots = take_number(&in, 0);
    m->time = take_number(&in, 0);
    m->user = take_octets(&in, USM_MAX_USER, &m->nuser);
    m->digest = take_octets(&in, USM_MAX_DIGEST, &m->ndigest);
    m->salt = take_octets(&in, USM_SALT, &m->nsalt);
    if (octets.bad || in.bad || wire_left(&octets) > 0 || wire_left(&in) > 0)
        body->bad = true;
}

int v3_decode(const void *packet, size_t n, struct v3_msg *out)
{
    struct wire_in all = wire_in(packet, n), body;
    struct v3_msg m = {0};
    int32_t version = take_version(&all, &body), model;

    if (version != SNMP_V3)
        return version < 0 ? PD_EPROTO : PD_EVERSION;
    m.whole = wire_in(packet, n - wire_left(&all));
    model = take_global(&body, &m);
    if (body.bad)
        return PD_EPROTO;
    if (model != USER_BASED)
        return PD_ENOTSUP;
    take_security(&body, &m);
    if ((m.flags & V3_PRIV) && !(m.flags & V3_AUTH)) /* RFC 3412, 7.2 (5d) */
        return PD_EPROTO;
    m.data = m.flags & V3_PRIV ? ber_expect(&body, BER_OCTETS) : body;
    if (body.bad || ((m.flags & V3_PRIV) && wire_left(&body) > 0))
        return PD_EPROTO;
    *out = m;
    return 0;
}

/* The scoped PDU; behind it stands nothing but a cipher's padding. */
static int take_scoped(struct wire_in data, struct v3_msg *m, struct snmp_msg *pdu)
{
    bool may_pad = m->flags & V3_PRIV;
    struct wire_in scoped = ber_expect(&data, BER_SEQUENCE), context;
    int rc;

    m->context_engine = take_octets(&scoped, USM_MAX_ENGINE, &m->ncontext_engine);
    context = ber_expect(&scoped, BER_OCTETS);
    if (data.bad || scoped.bad || wire_left(&context) > UINT8_MAX || (!may_pad && wire_left(&data) > 0))
        return PD_EPROTO;
    m->context = context.p;
    m->ncontext = (uint8_t)wire_left(&context);
    rc = snmp_decode_pdu(scoped, pdu);
    pdu->community = m->context;
    pdu->ncommunity = m->ncontext;
    return rc;
}

static uint8_t level_of(const struct usm_keys *k)
{
    return (uint8_t)(k ? (k->auth ? V3_AUTH : 0) | (k->priv ? V3_PRIV : 0) : 0);
}

bool v3_is_authentic(struct usm *u, const struct usm_keys *keys, const struct v3_msg *m)
{
    return (m->flags & V3_AUTH) && m->ndigest == usm_digest_size(keys->auth) &&
           usm_verify(u, keys, m->whole.p, wire_left(&m->whole), (size_t)(m->digest - m->whole.p));
}

int v3_open(struct usm *u, const struct usm_keys *keys, struct v3_msg *m, struct snmp_msg *pdu)
{
    struct wire_in data = m->data;
    const uint8_t *plain;

    if (level_of(keys) != (m->flags & (V3_AUTH | V3_PRIV)))
        return PD_EINVAL;
    if ((m->flags & V3_AUTH) && !v3_is_authentic(u, keys, m))
        return PD_EACCES;
    if (m->flags & V3_PRIV) {
        plain = m->nsalt == USM_SALT ? usm_decrypt(u, keys, m->boots, m->time, m->salt, m->data.p, wire_left(&m->data))
                                     : NULL;
        if (!plain || wire_left(&m->data) == 0 || plain[0] != BER_SEQUENCE)
            return PD_ECORRUPT;
        data = wire_in(plain, wire_left(&m->data));
    }
    return take_scoped(data, m, pdu);
}

/* ---- Encoding: what stands before the PDU is written from its end to its beginning, so every length is known ---- */

struct back {
    uint8_t *p, *start;
    bool bad;
};

static uint8_t *back_room(struct back *b, size_t n)
{
    if (b->bad || (size_t)(b->p - b->start) < n) {
        b->bad = true;
        return NULL;
    }
    b->p -= n;
    return b->p;
}

static void back_bytes(struct back *b, const void *p, size_t n)
{
    uint8_t *at = n ? back_room(b, n) : NULL;

    if (at)
        memcpy(at, p, n);
}

/* The head of an element whose contents, up to `end`, are written. */
static void back_head(struct back *b, uint8_t tag, const uint8_t *end)
{
    uint8_t head[8];
    struct wire_out out = wire_out(head, sizeof head);

    ber_put_head(&out, tag, (size_t)(end - b->p));
    back_bytes(b, head, wire_used(&out));
}

static void back_octets(struct back *b, const void *p, size_t n)
{
    const uint8_t *end = b->p;

    back_bytes(b, p, n);
    back_head(b, BER_OCTETS, end);
}

static void back_int(struct back *b, int32_t v)
{
    uint8_t text[8];
    struct wire_out out = wire_out(text, sizeof text);

    ber_put_int(&out, BER_INTEGER, v);
    back_bytes(b, text, wire_used(&out));
}

/* The security parameters, with room for the digest, which is where the result says. */
static uint8_t *back_security(struct back *b, const struct v3_msg *m, size_t ndigest, const uint8_t *salt, size_t nsalt)
{
    static const uint8_t zeros[USM_MAX_DIGEST];
    const uint8_t *end = b->p;
    uint8_t *digest;

    back_octets(b, salt, nsalt);
    digest = b->p - ndigest;
    back_octets(b, zeros, ndigest);
    back_octets(b, m->user, m->nuser);
    back_int(b, m->time);
    back_int(b, m->boots);
    back_octets(b, m->engine, m->nengine);
    back_head(b, BER_SEQUENCE, end);
    back_head(b, BER_OCTETS, end);
    return digest;
}

static void back_global(struct back *b, const struct v3_msg *m, const uint8_t *message_end)
{
    const uint8_t *end = b->p;

    back_int(b, USER_BASED);
    back_octets(b, &m->flags, 1);
    back_int(b, m->max_size);
    back_int(b, m->msg_id);
    back_head(b, BER_SEQUENCE, end);
    back_int(b, SNMP_V3);
    back_head(b, BER_SEQUENCE, message_end);
}

size_t v3_seal(struct usm *u, const struct usm_keys *keys, const struct v3_msg *m, uint8_t *buf, size_t npdu,
               const uint8_t **start)
{
    struct back b = {.p = buf + V3_HEADROOM, .start = buf};
    uint8_t *end = b.p + npdu, *digest, salt[USM_SALT];
    bool auth = m->flags & V3_AUTH, priv = m->flags & V3_PRIV;

    back_octets(&b, m->context, m->ncontext);
    back_octets(&b, m->context_engine, m->ncontext_engine);
    back_head(&b, BER_SEQUENCE, end);
    if (b.bad || npdu == 0 || level_of(keys) != (m->flags & (V3_AUTH | V3_PRIV)))
        return 0;
    if (priv) {
        size_t plain = (size_t)(end - b.p), n = usm_padded(keys->priv, plain);

        memset(end, 0, n - plain);
        end = b.p + n;
        usm_encrypt(u, keys, m->boots, m->time, b.p, n, salt);
        back_head(&b, BER_OCTETS, end);
    }
    digest = back_security(&b, m, auth ? usm_digest_size(keys->auth) : 0, salt, priv ? USM_SALT : 0);
    back_global(&b, m, end);
    if (b.bad)
        return 0;
    if (auth)
        usm_sign(u, keys, b.p, (size_t)(end - b.p), (size_t)(digest - b.p), digest);
    *start = b.p;
    return (size_t)(end - b.p);
}

size_t v3_overhead(uint8_t auth, uint8_t priv, size_t nengine, size_t nuser, size_t ncontext)
{
    enum { HEADS = 80 }; /* every tag, length and number at its longest, and a cipher's padding */

    return HEADS + 2 * nengine + nuser + ncontext + usm_digest_size(auth) + (priv ? USM_SALT : 0);
}

/* ---- Reports ---- */

/* The counters that reports are about, below snmpModules. */
static const struct {
    uint8_t n;
    uint32_t id[5];
} counters[] = {
    [V3_UNSUPPORTED_LEVEL] = {5, {15, 1, 1, 1, 0}}, [V3_NOT_IN_WINDOW] = {5, {15, 1, 1, 2, 0}},
    [V3_UNKNOWN_USER] = {5, {15, 1, 1, 3, 0}},      [V3_UNKNOWN_ENGINE] = {5, {15, 1, 1, 4, 0}},
    [V3_WRONG_DIGEST] = {5, {15, 1, 1, 5, 0}},      [V3_DECRYPTION_ERROR] = {5, {15, 1, 1, 6, 0}},
    [V3_UNAVAILABLE_CONTEXT] = {4, {12, 1, 4, 0}},  [V3_UNKNOWN_CONTEXT] = {4, {12, 1, 5, 0}},
};
static const uint32_t modules[] = {1, 3, 6, 1, 6, 3};

enum { COUNTERS = sizeof counters / sizeof *counters, NMODULES = sizeof modules / sizeof *modules };

enum v3_report v3_report(const struct snmp_msg *pdu)
{
    struct wire_in list = pdu->varbinds, pair = ber_expect(&list, BER_SEQUENCE), name = ber_expect(&pair, BER_OID);
    uint32_t ids[NMODULES + 5];
    int n = list.bad || pair.bad ? -1 : ber_oid(name, ids, sizeof ids / sizeof *ids);

    if (n < NMODULES || memcmp(ids, modules, sizeof modules) != 0)
        return V3_REPORT_OTHER;
    for (int i = V3_REPORT_OTHER + 1; i < COUNTERS; i++) {
        if (oid_cmp(ids + NMODULES, (size_t)n - NMODULES, counters[i].id, counters[i].n) == 0)
            return (enum v3_report)i;
    }
    return V3_REPORT_OTHER;
}

size_t v3_put_report(uint8_t *buf, size_t n, int32_t request_id, enum v3_report what, uint32_t count)
{
    struct snmp_msg head = {.version = SNMP_V3, .type = SNMP_REPORT, .request_id = request_id};
    uint32_t ids[NMODULES + 5];
    struct snmp_varbind vb = {.name = ids, .type = SNMP_COUNTER32, .u = count};
    struct snmp_writer w;

    memcpy(ids, modules, sizeof modules);
    memcpy(ids + NMODULES, counters[what].id, sizeof counters[what].id);
    vb.nname = (uint16_t)(NMODULES + counters[what].n);
    snmp_begin(&w, buf, n, &head);
    snmp_put(&w, &vb);
    return snmp_end(&w);
}
