#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "plugins/snmp/v3.h"

static struct rng_seeded seed;

static int start(void **state)
{
    struct pd_rng rng = rng_seeded_ops(&seed);

    rng_seed(&seed, 1);
    *state = usm_new(&rng);
    return 0;
}

static int stop(void **state)
{
    usm_free(*state);
    return 0;
}

static const uint8_t engine[] = {0x80, 0, 0x1f, 0x88, 4, 'x'};
static const uint8_t context_engine[] = {0x80, 0, 0, 9, 1};

static struct usm_keys keys_of(struct usm *u, uint8_t auth, uint8_t priv)
{
    struct pd_usm_secret s = {
        .user = "m", .auth = auth, .priv = priv, .auth_password = "12345678", .priv_password = "abcdefgh"};
    struct usm_user *user;
    struct usm_keys k;
    const char *why;

    assert_int_equal(usm_user_get(u, &s, &user, &why), 0);
    usm_localise(u, user, engine, sizeof engine, &k);
    usm_user_put(user);
    return k;
}

static struct v3_msg head_of(const struct usm_keys *k)
{
    return (struct v3_msg){
        .msg_id = 4711,
        .max_size = 1472,
        .flags = (uint8_t)(V3_REPORTABLE | (k->auth ? V3_AUTH : 0) | (k->priv ? V3_PRIV : 0)),
        .engine = engine,
        .nengine = sizeof engine,
        .user = (const uint8_t *)"patrol",
        .nuser = 6,
        .boots = 7,
        .time = 123456,
        .context_engine = context_engine,
        .ncontext_engine = sizeof context_engine,
        .context = (const uint8_t *)"attic",
        .ncontext = 5,
    };
}

/* A PDU with that many varbinds behind the headroom. */
static size_t put_pdu(uint8_t *buf, size_t n, int varbinds)
{
    static const uint32_t name[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
    struct snmp_msg head = {.version = SNMP_V3, .type = SNMP_GET, .request_id = 99};
    struct snmp_writer w;

    snmp_begin(&w, buf + V3_HEADROOM, n - V3_HEADROOM - V3_TAIL, &head);
    for (int i = 0; i < varbinds; i++)
        snmp_put_name(&w, name, 9, NULL, 0);
    return snmp_end(&w);
}

/* A message in a block of exactly its size. */
static uint8_t *seal(struct usm *u, const struct usm_keys *k, const struct v3_msg *m, int varbinds, size_t *n)
{
    uint8_t *buf = xmalloc(4096), *exact;
    const uint8_t *at;

    *n = v3_seal(u, k, m, buf, put_pdu(buf, 4096, varbinds), &at);
    assert_true(*n > 0);
    exact = xmemdup(at, *n);
    free(buf);
    return exact;
}

static void what_is_sealed_can_be_opened(void **state)
{
    for (uint8_t auth = PD_AUTH_NONE; auth <= PD_AUTH_SHA512; auth++) {
        for (uint8_t priv = PD_PRIV_NONE; priv <= (auth ? PD_PRIV_AES256_REEDER : PD_PRIV_NONE); priv++) {
            struct usm_keys k = keys_of(*state, auth, priv);
            struct v3_msg m = head_of(&k), got;
            struct snmp_msg pdu;

            for (int varbinds = 0; varbinds < 60; varbinds += varbinds < 12 ? 1 : 13) {
                size_t n;
                uint8_t *p = seal(*state, &k, &m, varbinds, &n);

                assert_true(v3_is(p, n));
                assert_int_equal(v3_decode(p, n, &got), 0);
                assert_int_equal(got.msg_id, 4711);
                assert_int_equal(got.max_size, 1472);
                assert_int_equal(got.flags, m.flags);
                assert_int_equal(got.boots, 7);
                assert_int_equal(got.time, 123456);
                assert_int_equal(got.nengine, sizeof engine);
                assert_memory_equal(got.engine, engine, sizeof engine);
                assert_memory_equal(got.user, "patrol", 6);
                if (v3_open(*state, &k, &got, &pdu) < 0)
                    fail_msg("%s %s with %d varbinds", usm_auth_name(auth), usm_priv_name(priv), varbinds);
                assert_memory_equal(got.context_engine, context_engine, sizeof context_engine);
                assert_int_equal(pdu.version, SNMP_V3);
                assert_int_equal(pdu.request_id, 99);
                assert_int_equal(pdu.ncommunity, 5);
                assert_memory_equal(pdu.community, "attic", 5);
                assert_int_equal(wire_left(&pdu.varbinds), 14 * varbinds);
                assert_true(n - wire_left(&pdu.varbinds) <=
                            v3_overhead(auth, priv, sizeof engine, 6, 5) + 24 /* of the PDU */);
                free(p);
            }
        }
    }
}

/* An engine that is not known yet, a user without a name. */
static void empty_names_are_names(void **state)
{
    struct usm_keys none = {0};
    struct v3_msg m = {.msg_id = 1, .max_size = 484, .flags = V3_REPORTABLE}, got;
    struct snmp_msg pdu;
    size_t n;
    uint8_t *p = seal(*state, NULL, &m, 0, &n);

    assert_int_equal(v3_decode(p, n, &got), 0);
    assert_int_equal(got.nengine, 0);
    assert_int_equal(got.nuser, 0);
    assert_int_equal(v3_open(*state, NULL, &got, &pdu), 0);
    assert_int_equal(v3_open(*state, &none, &got, &pdu), 0);
    assert_int_equal(pdu.type, SNMP_GET);
    free(p);
}

static void the_longest_names_fit(void **state)
{
    static const uint8_t longest[UINT8_MAX] = {1};
    struct usm_keys k = keys_of(*state, PD_AUTH_SHA512, PD_PRIV_DES);
    struct v3_msg m = head_of(&k), got;
    struct snmp_msg pdu;
    size_t n;
    uint8_t *p;

    m.msg_id = m.max_size = m.boots = m.time = INT32_MAX;
    m.engine = m.context_engine = m.user = m.context = longest;
    m.nengine = m.ncontext_engine = USM_MAX_ENGINE;
    m.nuser = USM_MAX_USER;
    m.ncontext = UINT8_MAX;
    p = seal(*state, &k, &m, 60, &n);
    assert_int_equal(v3_decode(p, n, &got), 0);
    assert_int_equal(v3_open(*state, &k, &got, &pdu), 0);
    assert_int_equal(pdu.ncommunity, UINT8_MAX);
    assert_true(n <= 60 * 14 + 24 + v3_overhead(PD_AUTH_SHA512, PD_PRIV_DES, USM_MAX_ENGINE, USM_MAX_USER, UINT8_MAX));
    free(p);
}

static void a_part_of_a_message_is_none(void **state)
{
    struct usm_keys k = keys_of(*state, PD_AUTH_SHA256, PD_PRIV_AES128);
    struct v3_msg m = head_of(&k), got;
    size_t n;
    uint8_t *p = seal(*state, &k, &m, 3, &n);

    for (size_t i = 0; i < n; i++) {
        uint8_t *part = xmemdup(p, i ? i : 1);

        assert_int_equal(v3_decode(part, i, &got), PD_EPROTO);
        free(part);
    }
    free(p);
}

static void bytes_behind_a_message_are_not_its(void **state)
{
    struct usm_keys k = keys_of(*state, PD_AUTH_SHA256, PD_PRIV_NONE);
    struct v3_msg m = head_of(&k), got;
    struct snmp_msg pdu;
    size_t n;
    uint8_t *p = seal(*state, &k, &m, 3, &n), *more = xcalloc(1, n + 5);

    memcpy(more, p, n);
    assert_int_equal(v3_decode(more, n + 5, &got), 0);
    assert_int_equal(v3_open(*state, &k, &got, &pdu), 0);
    free(more);
    free(p);
}

/* Whatever bit is turned, nothing opens. */
static void every_bit_is_protected(void **state)
{
    static const uint8_t privs[] = {PD_PRIV_NONE, PD_PRIV_DES, PD_PRIV_AES128};

    for (size_t row = 0; row < sizeof privs; row++) {
        struct usm_keys k = keys_of(*state, PD_AUTH_SHA1, privs[row]);
        struct v3_msg m = head_of(&k), got;
        struct snmp_msg pdu;
        size_t n;
        uint8_t *p = seal(*state, &k, &m, 3, &n);

        for (size_t i = 0; i < 8 * n; i++) {
            p[i / 8] ^= (uint8_t)(1 << i % 8);
            if (v3_decode(p, n, &got) == 0 && v3_open(*state, &k, &got, &pdu) == 0)
                fail_msg("%s: bit %zu of byte %zu", usm_priv_name(privs[row]), i % 8, i / 8);
            p[i / 8] ^= (uint8_t)(1 << i % 8);
        }
        assert_int_equal(v3_decode(p, n, &got), 0);
        assert_int_equal(v3_open(*state, &k, &got, &pdu), 0);
        free(p);
    }
}

static void keys_of_another_level_open_nothing(void **state)
{
    struct usm_keys full = keys_of(*state, PD_AUTH_SHA1, PD_PRIV_AES128), half = keys_of(*state, PD_AUTH_SHA1, 0),
                    none = {0};
    const struct usm_keys *all[] = {&full, &half, &none};
    struct snmp_msg pdu;
    uint8_t buf[1024];
    const uint8_t *at;

    for (int i = 0; i < 3; i++) {
        struct v3_msg m = head_of(all[i]), got;
        size_t n;
        uint8_t *p = seal(*state, all[i], &m, 1, &n);

        assert_int_equal(v3_decode(p, n, &got), 0);
        for (int j = 0; j < 3; j++) {
            assert_int_equal(v3_open(*state, all[j], &got, &pdu), i == j ? 0 : PD_EINVAL);
            if (i != j)
                assert_int_equal(v3_seal(*state, all[j], &m, buf, put_pdu(buf, sizeof buf, 1), &at), 0);
        }
        free(p);
    }
    assert_int_equal(v3_seal(*state, &full, &(struct v3_msg){.flags = V3_AUTH | V3_PRIV}, buf, 0, &at), 0); /* no PDU */
}

static void another_digest_or_cipher_opens_nothing(void **state)
{
    struct usm_keys right = keys_of(*state, PD_AUTH_SHA256, PD_PRIV_AES128), wrong;
    struct v3_msg m = head_of(&right), got;
    struct snmp_msg pdu;
    size_t n;
    uint8_t *p = seal(*state, &right, &m, 1, &n);

    assert_int_equal(v3_decode(p, n, &got), 0);
    wrong = keys_of(*state, PD_AUTH_SHA512, PD_PRIV_AES128); /* a longer digest */
    assert_int_equal(v3_open(*state, &wrong, &got, &pdu), PD_EACCES);
    wrong = right;
    wrong.auth_key[31] ^= 1;
    assert_int_equal(v3_open(*state, &wrong, &got, &pdu), PD_EACCES);
    wrong = right;
    wrong.priv_key[15] ^= 1;
    assert_int_equal(v3_open(*state, &wrong, &got, &pdu), PD_ECORRUPT);
    free(p);
}

/* ---- What is not as it should be ---- */

struct raw {
    const char *name;
    int rc;
    int64_t version, id, size, model, boots, time;
    uint8_t nflags, flags, nengine, nuser, ndigest, nsalt;
    uint8_t behind; /* bytes too many: 1 in the message's head, 2 in its parameters, 3 behind those, 4 behind the PDU */
};

static size_t write_raw(uint8_t *buf, size_t n, const struct raw *r)
{
    static const uint8_t zeros[64];
    struct wire_out out = wire_out(buf, n);
    size_t message = ber_begin(&out, BER_SEQUENCE), at, inner;

    ber_put_int(&out, BER_INTEGER, r->version);
    at = ber_begin(&out, BER_SEQUENCE);
    ber_put_int(&out, BER_INTEGER, r->id);
    ber_put_int(&out, BER_INTEGER, r->size);
    ber_put_octets(&out, BER_OCTETS, (const uint8_t[]){r->flags, 0}, r->nflags);
    ber_put_int(&out, BER_INTEGER, r->model);
    if (r->behind == 1)
        wire_put_u8(&out, 0);
    ber_end(&out, at);
    at = ber_begin(&out, BER_OCTETS);
    inner = ber_begin(&out, BER_SEQUENCE);
    ber_put_octets(&out, BER_OCTETS, zeros, r->nengine);
    ber_put_int(&out, BER_INTEGER, r->boots);
    ber_put_int(&out, BER_INTEGER, r->time);
    ber_put_octets(&out, BER_OCTETS, zeros, r->nuser);
    ber_put_octets(&out, BER_OCTETS, zeros, r->ndigest);
    ber_put_octets(&out, BER_OCTETS, zeros, r->nsalt);
    if (r->behind == 2)
        wire_put_u8(&out, 0);
    ber_end(&out, inner);
    if (r->behind == 3)
        wire_put_u8(&out, 0);
    ber_end(&out, at);
    at = ber_begin(&out, r->flags & V3_PRIV ? BER_OCTETS : BER_SEQUENCE);
    ber_put_octets(&out, BER_OCTETS, zeros, 5);
    ber_put_octets(&out, BER_OCTETS, zeros, 0);
    inner = ber_begin(&out, SNMP_GET);
    for (int i = 0; i < 3; i++)
        ber_put_int(&out, BER_INTEGER, 0);
    ber_put_head(&out, BER_SEQUENCE, 0);
    ber_end(&out, inner);
    ber_end(&out, at);
    if (r->behind == 4)
        wire_put_u8(&out, 0);
    ber_end(&out, message);
    assert_false(out.bad);
    return wire_used(&out);
}

static void nonsense_is_refused(void **state)
{
    static const struct raw good = {
        .name = "good", .version = 3, .id = 1, .size = 484, .model = 3, .nflags = 1, .nengine = 5, .nuser = 1};
    struct raw rows[] = {good, good, good, good, good, good, good, good, good, good, good, good, good,
                         good, good, good, good, good, good, good, good, good, good, good, good, good};
    size_t n = 0;

#define ROW(what, err, set) (rows[n].name = (what), rows[n].rc = (err), rows[n].set, n++)
    ROW("as it should be", 0, id = 1);
    ROW("the largest numbers", 0, id = INT32_MAX);
    ROW("the largest size", 0, size = INT32_MAX);
    ROW("the longest names", 0, nengine = 32);
    ROW("version 1", PD_EVERSION, version = 0);
    ROW("version 4", PD_EVERSION, version = 4);
    ROW("a negative version", PD_EPROTO, version = -3);
    ROW("a negative id", PD_EPROTO, id = -1);
    ROW("too large an id", PD_EPROTO, id = INT64_C(1) << 31);
    ROW("too small a size", PD_EPROTO, size = 483);
    ROW("a negative size", PD_EPROTO, size = -1);
    ROW("no flags", PD_EPROTO, nflags = 0);
    ROW("too many flags", PD_EPROTO, nflags = 2);
    ROW("privacy alone", PD_EPROTO, flags = V3_PRIV);
    ROW("flags of the future", 0, flags = 0xf8);
    ROW("another security model", PD_ENOTSUP, model = 2);
    ROW("security model 0", PD_EPROTO, model = 0);
    ROW("too long an engine id", PD_EPROTO, nengine = 33);
    ROW("too long a user", PD_EPROTO, nuser = 33);
    ROW("too long a digest", PD_EPROTO, ndigest = 49);
    ROW("too long a salt", PD_EPROTO, nsalt = 9);
    ROW("negative boots", PD_EPROTO, boots = -1);
    ROW("negative time", PD_EPROTO, time = -1);
    ROW("more in the head", PD_EPROTO, behind = 1);
    ROW("more in the parameters", PD_EPROTO, behind = 2);
    ROW("more behind the parameters", PD_EPROTO, behind = 3);
#undef ROW
    assert_int_equal(n, sizeof rows / sizeof *rows);
    for (size_t i = 0; i < n; i++) {
        uint8_t buf[512];
        struct v3_msg m;
        struct snmp_msg pdu;
        int rc = v3_decode(buf, write_raw(buf, sizeof buf, &rows[i]), &m);

        if (rc == 0)
            rc = v3_open(*state, NULL, &m, &pdu);
        if (rc != rows[i].rc)
            fail_msg("%s: %d instead of %d", rows[i].name, rc, rows[i].rc);
    }
}

/* The PDU ends the message, unless a cipher padded it. */
static void more_behind_the_pdu_is_refused(void **state)
{
    struct raw r = {.version = 3, .id = 1, .size = 484, .model = 3, .nflags = 1, .nengine = 5, .nuser = 1, .behind = 4};
    struct v3_msg m;
    struct snmp_msg pdu;
    uint8_t buf[512];

    assert_int_equal(v3_decode(buf, write_raw(buf, sizeof buf, &r), &m), 0);
    assert_int_equal(v3_open(*state, NULL, &m, &pdu), PD_EPROTO);
}

static void a_trap_of_version_1_is_no_pdu_of_version_3(void **state)
{
    static const uint8_t trap[] = {SNMP_TRAP_V1, 0};
    struct snmp_msg pdu;

    (void)state;
    assert_int_equal(snmp_decode_pdu(wire_in(trap, sizeof trap), &pdu), PD_EPROTO);
    assert_int_equal(snmp_decode_pdu(wire_in(trap, 0), &pdu), PD_EPROTO);
}

/* ---- Reports ---- */

static void reports_are_known_by_their_oids(void **state)
{
    (void)state;
    for (int what = V3_UNSUPPORTED_LEVEL; what <= V3_UNKNOWN_CONTEXT; what++) {
        uint8_t buf[128];
        size_t n = v3_put_report(buf, sizeof buf, 5, (enum v3_report)what, 17);
        struct snmp_msg pdu;

        assert_int_equal(snmp_decode_pdu(wire_in(buf, n), &pdu), 0);
        assert_int_equal(pdu.type, SNMP_REPORT);
        assert_int_equal(pdu.request_id, 5);
        assert_int_equal(v3_report(&pdu), what);
    }
}

static void other_reports_are_others(void **state)
{
    static const char *const rows[] = {"1.3.6.1.6.3.15.1.1.7.0",   "1.3.6.1.6.3.15.1.1.4.1", "1.3.6.1.6.3.15.1.1.4",
                                       "1.3.6.1.6.3.15.1.1.4.0.0", "1.3.6.1.2.1.1.3.0",      "0.0"};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct snmp_msg head = {.version = SNMP_V3, .type = SNMP_REPORT}, pdu;
        struct snmp_writer w;
        struct oid o;
        const char *why;
        uint8_t buf[128];

        assert_int_equal(oid_parse(rows[i], &o, &why), 0);
        snmp_begin(&w, buf, sizeof buf, &head);
        snmp_put_name(&w, o.id, o.n, NULL, 0);
        assert_int_equal(snmp_decode_pdu(wire_in(buf, snmp_end(&w)), &pdu), 0);
        if (v3_report(&pdu) != V3_REPORT_OTHER)
            fail_msg("%s is %d", rows[i], v3_report(&pdu));
        pdu.varbinds.end = pdu.varbinds.p; /* and one about nothing */
        assert_int_equal(v3_report(&pdu), V3_REPORT_OTHER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_can_be_opened),
        cmocka_unit_test(empty_names_are_names),
        cmocka_unit_test(the_longest_names_fit),
        cmocka_unit_test(a_part_of_a_message_is_none),
        cmocka_unit_test(bytes_behind_a_message_are_not_its),
        cmocka_unit_test(every_bit_is_protected),
        cmocka_unit_test(keys_of_another_level_open_nothing),
        cmocka_unit_test(another_digest_or_cipher_opens_nothing),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(more_behind_the_pdu_is_refused),
        cmocka_unit_test(a_trap_of_version_1_is_no_pdu_of_version_3),
        cmocka_unit_test(reports_are_known_by_their_oids),
        cmocka_unit_test(other_reports_are_others),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
