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
#include "plugins/snmp/usm.h"

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

static const uint8_t rfc_engine[12] = {[11] = 2}; /* of the examples in RFC 3414, A.3 */

static void assert_hex(const char *row, const uint8_t *p, size_t n, const char *want)
{
    char text[2 * 160 + 1] = "";

    assert_true(n <= 160);
    for (size_t i = 0; i < n; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", p[i]);
    if (strcmp(text, want) != 0)
        fail_msg("%s: %s instead of %s", row, text, want);
}

/* ---- Keys ---- */

/* RFC 3414, A.3.1 and A.3.2; those of SHA-2, of which RFC 7860 gives none, by Python's hashlib. */
static void passwords_give_the_known_keys(void **state)
{
    static const struct {
        const char *name;
        uint8_t auth;
        const char *key, *localised;
    } rows[] = {
        {"MD5", PD_AUTH_MD5, "9faf3283884e92834ebc9847d8edd963", "526f5eed9fcce26f8964c2930787d82b"},
        {"SHA-1", PD_AUTH_SHA1, "9fb5cc0381497b3793528939ff788d5d79145211", "6695febc9288e36282235fc7151f128497b38f3f"},
        {"SHA-224", PD_AUTH_SHA224, "282a5867ee9aac639ad59df9572c7d3ac0fbc13a905b6df07dbbf00b",
         "0bd8827c6e29f8065e08e09237f177e410f69b90e1782be682075674"},
        {"SHA-256", PD_AUTH_SHA256, "ab51014d1e077f6017df2b12bee5f5aa72993177e9bb569c4dff5a4ca0b4afac",
         "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b"},
        {"SHA-384", PD_AUTH_SHA384,
         "e06eccdf2c68a06ed034723c9c26e0db3b669e1e2efed49150b55377a2e98f383c86fb836857444654b287c93f51ff64",
         "3b298f16164a11184279d5432bf169e2d2a48307de02b3d3f7e2b4f36eb6f0455a53689a3937eea07319a633d2ccba78"},
        {"SHA-512", PD_AUTH_SHA512,
         "7e4396de5aadc77be853819b98c9406265b3a9c37cc3176569847a4e4f6fba63dd3a73d04924d31a63f95a601f9385af6be4ed1b37f87"
         "d040f7c6ed6f8d38a91",
         "22a5a36cedfcc085807a128d7bc6c2382167ad6c0dbc5fdff856740f3d84c099ad1ea87a8db096714d9788bd544047c9021e4229ce27e"
         "4c0a69250adfcffbb0b"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t key[USM_MAX_KEY], local[USM_MAX_KEY];
        size_t n = usm_password_key(*state, rows[i].auth, "maplesyrup", key);

        assert_hex(rows[i].name, key, n, rows[i].key);
        n = usm_localise_key(*state, rows[i].auth, key, rfc_engine, sizeof rfc_engine, local);
        assert_hex(rows[i].name, local, n, rows[i].localised);
    }
}

static struct usm_keys keys_of(struct usm *u, uint8_t auth, uint8_t priv)
{
    struct pd_usm_secret s = {.user = "m", .auth = auth, .priv = priv, .auth_password = "maplesyrup"};
    struct usm_user *user;
    struct usm_keys k;
    const char *why;

    s.priv_password = s.auth_password;
    assert_int_equal(usm_user_get(u, &s, &user, &why), 0);
    usm_localise(u, user, rfc_engine, sizeof rfc_engine, &k);
    usm_user_put(user);
    return k;
}

/* Reeder's draft, B.1 and B.2, gives the longer keys; Blumenthal's is the digest of the key appended to it. */
static void short_keys_are_extended_as_the_drafts_say(void **state)
{
    static const struct {
        const char *name;
        uint8_t auth, priv, n;
        const char *key;
    } rows[] = {
        {"Reeder, MD5", PD_AUTH_MD5, PD_PRIV_AES256_REEDER, 32,
         "526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12"},
        {"Reeder, SHA-1", PD_AUTH_SHA1, PD_PRIV_AES256_REEDER, 32,
         "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c"},
        {"Reeder, 192", PD_AUTH_SHA1, PD_PRIV_AES192_REEDER, 24, "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78"},
        {"Blumenthal, MD5", PD_AUTH_MD5, PD_PRIV_AES256, 32,
         "526f5eed9fcce26f8964c2930787d82bfa24a92467426c2f4b09192be10dfaec"},
        {"Blumenthal, SHA-1", PD_AUTH_SHA1, PD_PRIV_AES256, 32,
         "6695febc9288e36282235fc7151f128497b38f3f505e07eb9af25568fa1f5dbe"},
        {"Blumenthal, 192", PD_AUTH_SHA1, PD_PRIV_AES192, 24, "6695febc9288e36282235fc7151f128497b38f3f505e07eb"},
        {"long enough", PD_AUTH_SHA256, PD_PRIV_AES256, 32,
         "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct usm_keys k = keys_of(*state, rows[i].auth, rows[i].priv);

        assert_hex(rows[i].name, k.priv_key, rows[i].n, rows[i].key);
    }
}

static void a_user_is_shared_by_who_asks_for_the_same(void **state)
{
    struct pd_usm_secret s = {.user = "a",
                              .auth = PD_AUTH_SHA256,
                              .priv = PD_PRIV_AES128,
                              .auth_password = "12345678",
                              .priv_password = "abcdefgh"};
    struct usm_user *first, *second, *other;
    const char *why;
    uint8_t n;

    assert_int_equal(usm_user_get(*state, &s, &first, &why), 0);
    assert_int_equal(usm_user_get(*state, &s, &second, &why), 0);
    assert_ptr_equal(first, second);
    assert_string_equal(usm_user_name(first, &n), "a");
    assert_int_equal(n, 1);
    s.priv_password = "abcdefgi";
    assert_int_equal(usm_user_get(*state, &s, &other, &why), 0);
    assert_ptr_not_equal(first, other);
    usm_user_put(first);
    usm_user_put(second);
    usm_user_put(other);
    usm_user_put(NULL);
}

static void a_secret_that_makes_no_sense_is_refused(void **state)
{
    static const char long_name[] = "123456789012345678901234567890123";
    static const struct {
        struct pd_usm_secret s;
        const char *why;
    } rows[] = {
        {{.user = NULL}, "its user's name must have 1 to 32 bytes"},
        {{.user = ""}, "its user's name must have 1 to 32 bytes"},
        {{.user = long_name}, "its user's name must have 1 to 32 bytes"},
        {{.user = "a", .auth = 99}, "it names no known algorithm"},
        {{.user = "a", .auth = PD_AUTH_MD5, .priv = 99}, "it names no known algorithm"},
        {{.user = "a", .priv = PD_PRIV_DES, .priv_password = "12345678"}, "there is no privacy without authentication"},
        {{.user = "a", .auth = PD_AUTH_MD5}, "its authentication password has fewer than 8 bytes"},
        {{.user = "a", .auth = PD_AUTH_MD5, .auth_password = "1234567"},
         "its authentication password has fewer than 8 bytes"},
        {{.user = "a", .auth = PD_AUTH_MD5, .auth_password = "12345678", .priv = PD_PRIV_DES, .priv_password = "短"},
         "its privacy password has fewer than 8 bytes"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct usm_user *user;
        const char *why;

        assert_int_equal(usm_user_get(*state, &rows[i].s, &user, &why), PD_EINVAL);
        assert_string_equal(why, rows[i].why);
    }
}

/* ---- Digests ---- */

static void a_digest_holds_for_its_message_only(void **state)
{
    for (uint8_t auth = PD_AUTH_MD5; auth <= PD_AUTH_SHA512; auth++) {
        struct usm_keys k = keys_of(*state, auth, PD_PRIV_NONE), other = k;
        uint8_t msg[200], digest[USM_MAX_DIGEST];
        size_t n = usm_digest_size(auth);

        for (size_t i = 0; i < sizeof msg; i++)
            msg[i] = (uint8_t)i;
        usm_sign(*state, &k, msg, sizeof msg, 20, digest);
        memcpy(msg + 20, digest, n);
        assert_true(usm_verify(*state, &k, msg, sizeof msg, 20));
        for (size_t i = 0; i < 8 * sizeof msg; i++) {
            msg[i / 8] ^= (uint8_t)(1 << i % 8);
            if (usm_verify(*state, &k, msg, sizeof msg, 20))
                fail_msg("%s: bit %zu does not count", usm_auth_name(auth), i);
            msg[i / 8] ^= (uint8_t)(1 << i % 8);
        }
        assert_false(usm_verify(*state, &k, msg, sizeof msg - 1, 20));
        assert_false(usm_verify(*state, &k, msg, sizeof msg, sizeof msg - n + 1)); /* runs over the end */
        assert_false(usm_verify(*state, &k, msg, 10, 20));
        other.auth_key[0] ^= 1;
        assert_false(usm_verify(*state, &other, msg, sizeof msg, 20));
    }
}

static void nothing_is_authentic_without_a_key(void **state)
{
    struct usm_keys none = {0};
    uint8_t msg[64] = {0};

    assert_false(usm_verify(*state, &none, msg, sizeof msg, 0));
    assert_int_equal(usm_digest_size(PD_AUTH_NONE), 0);
}

/* ---- Ciphers ---- */

static void what_is_enciphered_can_be_deciphered(void **state)
{
    uint8_t text[1000], data[1000 + 8], salt[2][USM_SALT];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7);
    for (uint8_t priv = PD_PRIV_DES; priv <= PD_PRIV_AES256_REEDER; priv++) {
        struct usm_keys k = keys_of(*state, PD_AUTH_SHA256, priv);

        for (size_t len = 0; len < 70; len++) {
            size_t n = usm_padded(priv, len);
            const uint8_t *plain;

            memset(data, 0, sizeof data);
            memcpy(data, text, len);
            usm_encrypt(*state, &k, 3, 4711, data, n, salt[0]);
            if (len > 8)
                assert_memory_not_equal(data, text, len);
            plain = usm_decrypt(*state, &k, 3, 4711, salt[0], data, n);
            assert_non_null(plain);
            if (memcmp(plain, text, len) != 0)
                fail_msg("%s: %zu bytes come back otherwise", usm_priv_name(priv), len);
        }
        usm_encrypt(*state, &k, 3, 4711, data, 64, salt[1]);
        assert_memory_not_equal(salt[0], salt[1], USM_SALT);
    }
}

/* One block of AES (FIPS 197, C.1) as CFB makes it: the vector enciphered, laid over the text. */
static void aes_is_the_known_one(void **state)
{
    struct usm_keys k = {.auth = PD_AUTH_SHA1, .priv = PD_PRIV_AES128};
    uint8_t data[20] = {0}, salt[USM_SALT] = {0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    const uint8_t *plain;

    for (uint8_t i = 0; i < 16; i++)
        k.priv_key[i] = i;
    plain = usm_decrypt(*state, &k, 0x00112233, 0x44556677, salt, data, sizeof data);
    assert_hex("AES-128", plain, 16, "69c4e0d86a7b0430d8cdb78070b4c55a");
}

static void a_length_that_no_cipher_gives_is_refused(void **state)
{
    struct usm_keys des = keys_of(*state, PD_AUTH_MD5, PD_PRIV_DES), aes = keys_of(*state, PD_AUTH_MD5, PD_PRIV_AES128);
    uint8_t salt[USM_SALT] = {0}, *large = xcalloc(1, USM_MAX_DATA + 8);

    assert_null(usm_decrypt(*state, &des, 0, 0, salt, large, 12));
    assert_null(usm_decrypt(*state, &des, 0, 0, salt, large, USM_MAX_DATA + 8));
    assert_null(usm_decrypt(*state, &aes, 0, 0, salt, large, USM_MAX_DATA + 1));
    assert_non_null(usm_decrypt(*state, &aes, 0, 0, salt, large, USM_MAX_DATA));
    free(large);
}

/* ---- Clocks ---- */

static void a_clock_goes_on_by_itself(void **state)
{
    struct usm_clock c = {.boots = 1, .time = 100, .at_ms = 5000, .set = true};

    (void)state;
    assert_int_equal(usm_clock_time(&c, 5999), 100);
    assert_int_equal(usm_clock_time(&c, 65000), 160);
    c.time = INT32_MAX - 1;
    assert_int_equal(usm_clock_time(&c, 65000), INT32_MAX); /* and no further */
}

static void a_clock_is_moved_by_what_is_new_and_refuses_what_is_old(void **state)
{
    static const struct {
        const char *name;
        int32_t boots, time;
        bool taken;
        int32_t then_boots, then_time; /* of the clock */
    } rows[] = {
        {"a little later", 5, 1001, true, 5, 1001}, {"far ahead", 5, 90000, true, 5, 90000},
        {"a new boot", 6, 1, true, 6, 1},           {"the same again", 5, 1000, true, 5, 1000},
        {"150 s old", 5, 850, true, 5, 1000},       {"151 s old", 5, 849, false, 5, 1000},
        {"a boot before", 4, 1001, false, 5, 1000}, {"boots at the end", INT32_MAX, 1, false, INT32_MAX, 1},
        {"boots lost", 0, 1, false, 5, 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct usm_clock c = {.boots = 5, .time = 1000, .at_ms = 0, .set = true};

        if (usm_clock_take(&c, rows[i].boots, rows[i].time, 0) != rows[i].taken || c.boots != rows[i].then_boots ||
            c.time != rows[i].then_time)
            fail_msg("%s: boots %d, time %d", rows[i].name, c.boots, c.time);
    }
}

/* A device whose clock is slow stays in step: what counts is what it said last, not what we made of it. */
static void a_slow_clock_is_followed(void **state)
{
    struct usm_clock c = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        assert_true(usm_clock_take(&c, 0, 10 * i, (int64_t)i * 20000));
    assert_false(usm_clock_take(&c, 0, 9990 - USM_WINDOW_S - 1, (int64_t)999 * 20000));
}

static void the_window_of_our_own_engine_is_open_to_both_sides(void **state)
{
    (void)state;
    assert_true(usm_is_timely(3, 1000, 3, 850));
    assert_true(usm_is_timely(3, 1000, 3, 1150));
    assert_false(usm_is_timely(3, 1000, 3, 849));
    assert_false(usm_is_timely(3, 1000, 3, 1151));
    assert_false(usm_is_timely(3, 1000, 2, 1000));
    assert_false(usm_is_timely(3, 1000, 4, 1000));
    assert_false(usm_is_timely(INT32_MAX, 1000, INT32_MAX, 1000));
    assert_true(usm_is_timely(0, INT32_MAX, 0, INT32_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_give_the_known_keys),
        cmocka_unit_test(short_keys_are_extended_as_the_drafts_say),
        cmocka_unit_test(a_user_is_shared_by_who_asks_for_the_same),
        cmocka_unit_test(a_secret_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_digest_holds_for_its_message_only),
        cmocka_unit_test(nothing_is_authentic_without_a_key),
        cmocka_unit_test(what_is_enciphered_can_be_deciphered),
        cmocka_unit_test(aes_is_the_known_one),
        cmocka_unit_test(a_length_that_no_cipher_gives_is_refused),
        cmocka_unit_test(a_clock_goes_on_by_itself),
        cmocka_unit_test(a_clock_is_moved_by_what_is_new_and_refuses_what_is_old),
        cmocka_unit_test(a_slow_clock_is_followed),
        cmocka_unit_test(the_window_of_our_own_engine_is_open_to_both_sides),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
