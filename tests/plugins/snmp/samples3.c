#include "tests/plugins/snmp/samples3.h"

#include <string.h>

enum { DIGEST = 12 };

/* Where a digest belongs. */
static const uint8_t mark[DIGEST] = {0xd1, 0x9e, 0x57, 0xd1, 0x9e, 0x57, 0xd1, 0x9e, 0x57, 0xd1, 0x9e, 0x57};

void samples3_init(struct samples3 *s, const struct pd_rng *rng)
{
    static const uint8_t engine[USM_MIN_ENGINE] = {0x80, 0, 0, 1, 7};

    *s = (struct samples3){.usm = usm_new(rng), .names = {"open", "signed", "secret"}};
    memcpy(s->engine, engine, sizeof engine);
    for (int i = SAMPLE_SIGNED; i < SAMPLE_USERS; i++) {
        s->keys[i].auth = PD_AUTH_SHA1;
        memset(s->keys[i].auth_key, 0x10 + i, 20);
    }
    s->keys[SAMPLE_SECRET].priv = PD_PRIV_AES128;
    memset(s->keys[SAMPLE_SECRET].priv_key, 0x33, 16);
}

void samples3_fini(struct samples3 *s)
{
    usm_free(s->usm);
}

/* ---- Making ---- */

static uint8_t flags_of(enum sample_user user)
{
    return (uint8_t)(user == SAMPLE_OPEN ? 0 : user == SAMPLE_SIGNED ? V3_AUTH : V3_AUTH | V3_PRIV);
}

static void put_text(struct maker *m, const void *text, size_t n)
{
    if (maker_wrong(m))
        n -= n > 0;
    maker_put(m, BER_OCTETS, text, n);
}

static void put_global(struct maker *m)
{
    const struct samples3 *s = m->ctx;
    uint8_t flags[2] = {(uint8_t)(flags_of(s->user) | (maker_below(m, 2) ? V3_REPORTABLE : 0))};

    if (maker_wrong(m))
        flags[0] = (uint8_t)maker_below(m, 256);
    maker_put_number(m, BER_INTEGER, maker_below(m, 1U << 31), 8);
    maker_put_number(m, BER_INTEGER, maker_wrong(m) ? maker_below(m, 600) : V3_MIN_SIZE + maker_below(m, 70000), 8);
    maker_put(m, BER_OCTETS, flags, maker_wrong(m) ? maker_below(m, 3) : 1);
    maker_put_number(m, BER_INTEGER, maker_wrong(m) ? maker_below(m, 5) : 3, 8);
}

static void put_parameters(struct maker *m)
{
    const struct samples3 *s = m->ctx;

    put_text(m, s->engine, sizeof s->engine);
    maker_put_number(m, BER_INTEGER, SAMPLE_BOOTS, 8);
    maker_put_number(m, BER_INTEGER, SAMPLE_TIME + maker_below(m, 3), 8);
    put_text(m, s->names[s->user], strlen(s->names[s->user]));
    put_text(m, mark, s->user == SAMPLE_OPEN && !maker_wrong(m) ? 0 : sizeof mark);
    put_text(m, s->salt, s->user != SAMPLE_SECRET && !maker_wrong(m) ? 0 : sizeof s->salt);
}

static void put_security(struct maker *m)
{
    maker_put_around(m, BER_SEQUENCE, put_parameters);
}

static void put_scoped(struct maker *m)
{
    static const char context[] = "a context";
    const struct samples3 *s = m->ctx;

    put_text(m, s->engine, sizeof s->engine);
    maker_put(m, BER_OCTETS, context, maker_below(m, sizeof context));
    maker_put_pdu(m);
}

/* The data first, whose cipher gives the salt. */
static void put_message(struct maker *m)
{
    struct samples3 *s = m->ctx;
    uint8_t data[MESSAGE_MAX];
    struct maker inner = *m;
    size_t n;

    inner.out = wire_out(data, sizeof data);
    maker_put_around(&inner, BER_SEQUENCE, put_scoped);
    m->out.bad |= inner.out.bad;
    n = wire_used(&inner.out);
    if (s->user == SAMPLE_SECRET)
        usm_encrypt(s->usm, &s->keys[s->user], SAMPLE_BOOTS, SAMPLE_TIME, data, n, s->salt);
    maker_put_number(m, BER_INTEGER, SNMP_V3, 8);
    maker_put_around(m, BER_SEQUENCE, put_global);
    maker_put_around(m, BER_OCTETS, put_security);
    if (s->user == SAMPLE_SECRET)
        maker_put(m, BER_OCTETS, data, n);
    else
        wire_put_bytes(&m->out, data, n);
}

size_t samples3_make(struct samples3 *s, const struct pd_rng *rng, uint8_t *buf)
{
    struct maker m = {.rng = rng, .ctx = s};
    bool spoilt_later = maker_below(&m, 4) == 0;
    uint8_t digest[USM_MAX_DIGEST], *at;
    size_t n;

    s->user = (enum sample_user)maker_below(&m, SAMPLE_USERS);
    n = maker_make(&m, buf, put_message);
    if (!spoilt_later)
        n = maker_spoil(rng, buf, n);
    at = memmem(buf, n, mark, sizeof mark);
    if (at && s->user != SAMPLE_OPEN) {
        usm_sign(s->usm, &s->keys[s->user], buf, n, (size_t)(at - buf), digest);
        memcpy(at, digest, sizeof mark);
    }
    return spoilt_later ? maker_spoil(rng, buf, n) : n;
}

/* ---- Reading ---- */

bool samples3_take(struct samples3 *s, const uint8_t *packet, size_t n, struct v3_msg *out, struct snmp_msg *pdu,
                   struct snmp_varbinds *vbs)
{
    struct usm_clock clock = {.boots = SAMPLE_BOOTS, .time = SAMPLE_TIME, .set = true};
    struct usm_keys keys;
    int user = 0;

    if (v3_decode(packet, n, out) < 0 || out->nengine != sizeof s->engine ||
        memcmp(out->engine, s->engine, sizeof s->engine) != 0)
        return false;
    while (user < SAMPLE_USERS &&
           (strlen(s->names[user]) != out->nuser || memcmp(s->names[user], out->user, out->nuser) != 0))
        user++;
    if (user == SAMPLE_USERS || (out->flags & (V3_AUTH | V3_PRIV) & ~flags_of(user)))
        return false;
    keys = s->keys[user];
    keys.auth = out->flags & V3_AUTH ? keys.auth : PD_AUTH_NONE;
    keys.priv = out->flags & V3_PRIV ? keys.priv : PD_PRIV_NONE;
    return v3_open(s->usm, &keys, out, pdu) == 0 &&
           (!(out->flags & V3_AUTH) || usm_clock_take(&clock, out->boots, out->time, 0)) &&
           snmp_decode_varbinds(pdu, vbs) == 0;
}
