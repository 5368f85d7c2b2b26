/* SNMPv3's keys, digests and ciphers against net-snmp's, on what neither chose: random passwords, engines and messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "base/mem.h"
#include "base/rng.h"
#include "plugins/snmp/usm.h"

enum { AUTHS = PD_AUTH_SHA512 + 1, PRIVS = PD_PRIV_AES256_REEDER + 1, ROUNDS = 4, MAX_TEXT = 1500 };

/* Theirs by our names. */
static const struct {
    const oid *id;
    u_int bytes; /* of the key */
} auths[AUTHS] = {
    [PD_AUTH_MD5] = {usmHMACMD5AuthProtocol, 16},          [PD_AUTH_SHA1] = {usmHMACSHA1AuthProtocol, 20},
    [PD_AUTH_SHA224] = {usmHMAC128SHA224AuthProtocol, 28}, [PD_AUTH_SHA256] = {usmHMAC192SHA256AuthProtocol, 32},
    [PD_AUTH_SHA384] = {usmHMAC256SHA384AuthProtocol, 48}, [PD_AUTH_SHA512] = {usmHMAC384SHA512AuthProtocol, 64},
};
enum { AUTH_OID = 10 }; /* numbers, of each */

static const struct {
    const oid *id;
    size_t nid;
    int type;
    u_int bytes; /* of the key */
} privs[PRIVS] = {
    [PD_PRIV_DES] = {usmDESPrivProtocol, 10, USM_CREATE_USER_PRIV_DES, 16},
    [PD_PRIV_AES128] = {usmAESPrivProtocol, 10, USM_CREATE_USER_PRIV_AES, 16},
    [PD_PRIV_AES192] = {usmAES192PrivProtocol, 9, USM_CREATE_USER_PRIV_AES192, 24},
    [PD_PRIV_AES256] = {usmAES256PrivProtocol, 9, USM_CREATE_USER_PRIV_AES256, 32},
    [PD_PRIV_AES192_REEDER] = {usmAES192PrivProtocol, 9, USM_CREATE_USER_PRIV_AES192_CISCO, 24},
    [PD_PRIV_AES256_REEDER] = {usmAES256PrivProtocol, 9, USM_CREATE_USER_PRIV_AES256_CISCO, 32},
};

struct sample {
    char auth_password[40], priv_password[40];
    uint8_t engine[USM_MAX_ENGINE], text[MAX_TEXT + 8];
    size_t nengine, ntext;
    int32_t boots, time;
};

static struct rng_seeded seed;

static int start(void **state)
{
    struct pd_rng rng = rng_seeded_ops(&seed);

    rng_seed(&seed, 20);
    assert_int_equal(sc_init(), 0);
    *state = usm_new(&rng);
    return 0;
}

static int stop(void **state)
{
    usm_free(*state);
    return 0;
}

static void some_password(const struct pd_rng *r, char *out)
{
    size_t n = 8 + rng_below(r, 31);

    for (size_t i = 0; i < n; i++)
        out[i] = (char)(1 + rng_below(r, 255));
    out[n] = '\0';
}

static struct sample some_sample(void)
{
    struct pd_rng r = rng_seeded_ops(&seed);
    struct sample s;

    some_password(&r, s.auth_password);
    some_password(&r, s.priv_password);
    s.nengine = 5 + rng_below(&r, 28);
    s.ntext = 60 + rng_below(&r, MAX_TEXT - 60);
    r.fill(r.ctx, s.engine, sizeof s.engine);
    r.fill(r.ctx, s.text, sizeof s.text);
    s.boots = (int32_t)(rng_u32(&r) & INT32_MAX);
    s.time = (int32_t)(rng_u32(&r) & INT32_MAX);
    return s;
}

static struct usm_keys our_keys(struct usm *u, const struct sample *s, uint8_t auth, uint8_t priv)
{
    struct pd_usm_secret secret = {
        .user = "u", .auth = auth, .priv = priv, .auth_password = s->auth_password, .priv_password = s->priv_password};
    struct usm_user *user;
    struct usm_keys k;
    const char *why;

    assert_int_equal(usm_user_get(u, &secret, &user, &why), 0);
    usm_localise(u, user, s->engine, s->nengine, &k);
    usm_user_put(user);
    return k;
}

/* A password's key at the sample's engine, by them. */
static size_t their_key(const struct sample *s, uint8_t auth, const char *password, u_char out[64])
{
    u_char ku[64];
    size_t nku = sizeof ku, n = 64;

    assert_int_equal(generate_Ku(auths[auth].id, AUTH_OID, (const u_char *)password, strlen(password), ku, &nku), 0);
    assert_int_equal(generate_kul(auths[auth].id, AUTH_OID, s->engine, s->nengine, ku, nku, out, &n), 0);
    assert_int_equal(n, auths[auth].bytes);
    return n;
}

static void keys_and_digests_are_theirs(void **state)
{
    for (uint8_t auth = PD_AUTH_MD5; auth < AUTHS; auth++) {
        for (int round = 0; round < ROUNDS; round++) {
            struct sample s = some_sample();
            struct usm_keys k = our_keys(*state, &s, auth, PD_PRIV_NONE);
            u_char key[64], mac[64];
            uint8_t digest[USM_MAX_DIGEST];
            size_t n = their_key(&s, auth, s.auth_password, key), nmac = usm_digest_size(auth);

            assert_memory_equal(k.auth_key, key, n);
            memset(s.text + 13, 0, nmac); /* as they want it; we take it so */
            assert_int_equal(
                sc_generate_keyed_hash(auths[auth].id, AUTH_OID, key, (u_int)n, s.text, (u_int)s.ntext, mac, &nmac), 0);
            assert_int_equal(nmac, usm_digest_size(auth));
            memset(s.text + 13, 0x5a, nmac);
            usm_sign(*state, &k, s.text, s.ntext, 13, digest);
            assert_memory_equal(digest, mac, nmac);
        }
    }
}

static void their_iv(const struct usm_keys *k, const struct sample *s, const uint8_t salt[USM_SALT], u_char iv[16])
{
    for (int i = 0; i < USM_SALT; i++)
        iv[i] = k->priv_key[8 + i] ^ salt[i]; /* DES */
    if (k->priv == PD_PRIV_DES)
        return;
    for (int i = 0; i < 4; i++) {
        iv[i] = (u_char)((uint32_t)s->boots >> (24 - 8 * i));
        iv[4 + i] = (u_char)((uint32_t)s->time >> (24 - 8 * i));
    }
    memcpy(iv + 8, salt, USM_SALT);
}

static void compare_cipher(struct usm *u, uint8_t auth, uint8_t priv)
{
    struct sample s = some_sample();
    struct usm_keys k = our_keys(u, &s, auth, priv);
    u_char *key = xmalloc(128), iv[16], theirs[MAX_TEXT + 64];
    size_t nkey = their_key(&s, auth, s.priv_password, key), n = usm_padded(priv, s.ntext), ntheirs = sizeof theirs;
    u_int niv = priv == PD_PRIV_DES ? 8 : 16;
    uint8_t ours[MAX_TEXT + 8], salt[USM_SALT];

    assert_int_equal(netsnmp_extend_kul(privs[priv].bytes, (oid *)(uintptr_t)auths[auth].id, AUTH_OID, privs[priv].type,
                                        s.engine, (u_int)s.nengine, &key, &nkey, 128),
                     0);
    assert_memory_equal(k.priv_key, key, privs[priv].bytes);
    memcpy(ours, s.text, n);
    usm_encrypt(u, &k, s.boots, s.time, ours, n, salt);
    their_iv(&k, &s, salt, iv);
    assert_int_equal(sc_encrypt(privs[priv].id, privs[priv].nid, key, privs[priv].bytes, iv, niv, s.text, (u_int)n,
                                theirs, &ntheirs),
                     0);
    assert_int_equal(ntheirs, n);
    assert_memory_equal(ours, theirs, n);
    assert_memory_equal(usm_decrypt(u, &k, s.boots, s.time, salt, theirs, n), s.text, n);
    free(key);
}

static void ciphers_are_theirs(void **state)
{
    for (uint8_t auth = PD_AUTH_MD5; auth < AUTHS; auth++)
        for (uint8_t priv = PD_PRIV_DES; priv < PRIVS; priv++)
            compare_cipher(*state, auth, priv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_digests_are_theirs),
        cmocka_unit_test(ciphers_are_theirs),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
