#include "plugins/snmp/usm.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/wire.h"
#include "plugins/snmp/usm_crypto.h"

enum { PASSWORD_BYTES = 1 << 20, CHUNK = 4096 };

struct usm_user {
    LIST_ENTRY(usm_user) link;
    unsigned refs;
    char *name, *auth_password, *priv_password; /* by which the same user is known again */
    uint8_t nname, auth, priv;
    uint8_t auth_key[USM_MAX_KEY], priv_key[USM_MAX_KEY]; /* not localised */
};

/* ---- Keys ---- */

/* A megabyte of the password, over and over, digested. */
static size_t stretch(struct usm *u, uint8_t auth, const uint8_t *password, size_t n, uint8_t key[USM_MAX_KEY])
{
    uint8_t chunk[CHUNK], out[EVP_MAX_MD_SIZE];
    size_t whole = 0;

    if (n == 0 || n > CHUNK || !usm_has_auth(u, auth) || auth == PD_AUTH_NONE)
        return 0;
    for (; whole + n <= CHUNK; whole += n)
        memcpy(chunk + whole, password, n);
    usm_hash_begin(u, auth);
    for (size_t left = PASSWORD_BYTES; left > 0; left -= whole < left ? whole : left)
        usm_hash_add(u, chunk, whole < left ? whole : left);
    usm_hash_end(u, out);
    memcpy(key, out, usm_digest(auth)->size);
    OPENSSL_cleanse(chunk, sizeof chunk);
    return usm_digest(auth)->size;
}

size_t usm_password_key(struct usm *u, uint8_t auth, const char *password, uint8_t key[USM_MAX_KEY])
{
    return stretch(u, auth, (const uint8_t *)password, strlen(password), key);
}

size_t usm_localise_key(struct usm *u, uint8_t auth, const uint8_t *key, const uint8_t *engine, size_t n,
                        uint8_t out[USM_MAX_KEY])
{
    size_t size = usm_digest(auth)->size;

    if (size == 0)
        return 0;
    usm_hash_begin(u, auth);
    usm_hash_add(u, key, size);
    usm_hash_add(u, engine, n);
    usm_hash_add(u, key, size);
    usm_hash_end(u, out);
    return size;
}

/* Blumenthal: the digest of all that there is so far is appended until it is enough. */
static void extend_by_digest(struct usm *u, uint8_t auth, uint8_t *key, size_t have, size_t want)
{
    uint8_t more[EVP_MAX_MD_SIZE];

    for (; have < want; have += usm_digest(auth)->size) {
        usm_hash_begin(u, auth);
        usm_hash_add(u, key, have);
        usm_hash_end(u, more);
        memcpy(key + have, more, usm_digest(auth)->size);
    }
}

/* Reeder: what there is last counts as a password whose localised key is appended; a megabyte an engine, so slow. */
static void extend_by_password(struct usm *u, uint8_t auth, const uint8_t *engine, size_t n, uint8_t *key, size_t have,
                               size_t want)
{
    size_t size = usm_digest(auth)->size;
    uint8_t stretched[USM_MAX_KEY];

    for (; have < want; have += size) {
        stretch(u, auth, key + have - size, size, stretched);
        usm_localise_key(u, auth, stretched, engine, n, key + have);
    }
}

void usm_localise_auth(struct usm *u, const struct usm_user *user, const uint8_t *engine, size_t n,
                       struct usm_keys *out)
{
    *out = (struct usm_keys){.auth = user->auth};
    if (user->auth != PD_AUTH_NONE)
        usm_localise_key(u, user->auth, user->auth_key, engine, n, out->auth_key);
}

void usm_localise(struct usm *u, const struct usm_user *user, const uint8_t *engine, size_t n, struct usm_keys *out)
{
    const struct usm_cipher *c = usm_cipher(user->priv);
    uint8_t key[2 * USM_MAX_KEY + USM_MAX_CIPHER_KEY];
    size_t have;

    usm_localise_auth(u, user, engine, n, out);
    out->priv = user->priv;
    if (user->auth == PD_AUTH_NONE || user->priv == PD_PRIV_NONE)
        return;
    have = usm_localise_key(u, user->auth, user->priv_key, engine, n, key);
    if (c->reeder)
        extend_by_password(u, user->auth, engine, n, key, have, c->nkey);
    else
        extend_by_digest(u, user->auth, key, have, c->nkey);
    memcpy(out->priv_key, key, c->nkey);
    OPENSSL_cleanse(key, sizeof key);
}

bool usm_localise_is_slow(const struct usm_user *user)
{
    const struct usm_cipher *c = usm_cipher(user->priv);

    return c->reeder && usm_digest(user->auth)->size < c->nkey;
}

/* ---- Users ---- */

static const char *check_secret(const struct pd_usm_secret *s)
{
    size_t n = s->user ? strlen(s->user) : 0;

    if (n == 0 || n > USM_MAX_USER)
        return "its user's name must have 1 to 32 bytes";
    if (s->auth >= USM_AUTHS || s->priv >= USM_PRIVS)
        return "it names no known algorithm";
    if (s->priv != PD_PRIV_NONE && s->auth == PD_AUTH_NONE)
        return "there is no privacy without authentication";
    if (s->auth != PD_AUTH_NONE && (!s->auth_password || strlen(s->auth_password) < USM_MIN_PASSWORD))
        return "its authentication password has fewer than 8 bytes";
    if (s->priv != PD_PRIV_NONE && (!s->priv_password || strlen(s->priv_password) < USM_MIN_PASSWORD))
        return "its privacy password has fewer than 8 bytes";
    if ((s->auth_password && strlen(s->auth_password) > CHUNK) ||
        (s->priv_password && strlen(s->priv_password) > CHUNK))
        return "its password has more than 4096 bytes";
    return NULL;
}

static bool is_of(const struct usm_user *user, const struct pd_usm_secret *s)
{
    return user->auth == s->auth && user->priv == s->priv && str_eq(user->name, s->user) &&
           (s->auth == PD_AUTH_NONE || str_eq(user->auth_password, s->auth_password)) &&
           (s->priv == PD_PRIV_NONE || str_eq(user->priv_password, s->priv_password));
}

int usm_user_get(struct usm *u, const struct pd_usm_secret *s, struct usm_user **out, const char **why)
{
    struct usm_user *user;

    *why = check_secret(s);
    if (*why)
        return PD_EINVAL;
    if (!usm_has_auth(u, s->auth) || !usm_has_priv(u, s->priv)) {
        *why = "this machine's crypto library lacks its algorithm";
        return PD_ENOTSUP;
    }
    LIST_FOREACH(user, &u->users, link)
    {
        if (is_of(user, s)) {
            user->refs++;
            *out = user;
            return 0;
        }
    }
    user = xcalloc(1, sizeof *user);
    *user = (struct usm_user){.refs = 1, .auth = s->auth, .priv = s->priv};
    user->name = xstrdup(s->user);
    user->nname = (uint8_t)strlen(s->user);
    if (s->auth != PD_AUTH_NONE) {
        user->auth_password = xstrdup(s->auth_password);
        usm_password_key(u, s->auth, s->auth_password, user->auth_key);
    }
    if (s->priv != PD_PRIV_NONE) {
        user->priv_password = xstrdup(s->priv_password);
        usm_password_key(u, s->auth, s->priv_password, user->priv_key);
    }
    LIST_INSERT_HEAD(&u->users, user, link);
    *out = user;
    return 0;
}

static void forget_text(char *s)
{
    if (s)
        OPENSSL_cleanse(s, strlen(s));
    free(s);
}

void usm_user_put(struct usm_user *user)
{
    if (!user || --user->refs > 0)
        return;
    LIST_REMOVE(user, link);
    forget_text(user->auth_password);
    forget_text(user->priv_password);
    free(user->name);
    OPENSSL_cleanse(user, sizeof *user);
    free(user);
}

const char *usm_user_name(const struct usm_user *user, uint8_t *n)
{
    *n = user->nname;
    return user->name;
}

/* ---- Digests: HMAC (RFC 2104) ---- */

size_t usm_digest_size(uint8_t auth)
{
    return usm_digest(auth)->shown;
}

static void begin_padded(struct usm *u, const struct usm_keys *k, uint8_t with)
{
    const struct usm_digest *d = usm_digest(k->auth);
    uint8_t pad[USM_MAX_BLOCK];

    memset(pad, with, sizeof pad);
    for (size_t i = 0; i < d->size; i++)
        pad[i] ^= k->auth_key[i];
    usm_hash_begin(u, k->auth);
    usm_hash_add(u, pad, d->block);
}

/* The digest in full; false if the crypto library failed. */
static bool reckon(struct usm *u, const struct usm_keys *k, const uint8_t *msg, size_t n, size_t at,
                   uint8_t out[EVP_MAX_MD_SIZE])
{
    static const uint8_t zeros[USM_MAX_DIGEST];
    size_t shown = usm_digest(k->auth)->shown;
    bool failed;

    begin_padded(u, k, 0x36);
    usm_hash_add(u, msg, at);
    usm_hash_add(u, zeros, shown);
    usm_hash_add(u, msg + at + shown, n - at - shown);
    usm_hash_end(u, out);
    failed = u->failed;
    begin_padded(u, k, 0x5c);
    usm_hash_add(u, out, usm_digest(k->auth)->size);
    usm_hash_end(u, out);
    return !failed && !u->failed;
}

static bool holds_digest(const struct usm_keys *k, size_t n, size_t at)
{
    size_t shown = usm_digest(k->auth)->shown;

    return shown > 0 && at <= n && n - at >= shown;
}

void usm_sign(struct usm *u, const struct usm_keys *k, const uint8_t *msg, size_t n, size_t at,
              uint8_t digest[USM_MAX_DIGEST])
{
    uint8_t full[EVP_MAX_MD_SIZE] = {0};

    if (holds_digest(k, n, at))
        (void)reckon(u, k, msg, n, at, full); /* a digest that could not be made is one that nobody takes */
    memcpy(digest, full, usm_digest(k->auth)->shown);
}

bool usm_verify(struct usm *u, const struct usm_keys *k, const uint8_t *msg, size_t n, size_t at)
{
    uint8_t full[EVP_MAX_MD_SIZE];

    return holds_digest(k, n, at) && reckon(u, k, msg, n, at, full) &&
           CRYPTO_memcmp(full, msg + at, usm_digest(k->auth)->shown) == 0;
}

/* ---- Ciphers ---- */

size_t usm_padded(uint8_t priv, size_t n)
{
    return priv == PD_PRIV_DES ? (n + 7) / 8 * 8 : n;
}

/* The initial vector: for DES the key's second half with the salt (RFC 3414, 8.1.1.1), else as in RFC 3826, 3.1.2.1. */
static void make_iv(const struct usm_keys *k, int32_t boots, int32_t time, const uint8_t salt[USM_SALT],
                    uint8_t iv[USM_AES_BLOCK])
{
    struct wire_out out = wire_out(iv, USM_AES_BLOCK);

    if (k->priv == PD_PRIV_DES) {
        for (int i = 0; i < USM_SALT; i++)
            wire_put_u8(&out, k->priv_key[USM_SALT + i] ^ salt[i]);
        return;
    }
    wire_put_u32be(&out, (uint32_t)boots);
    wire_put_u32be(&out, (uint32_t)time);
    wire_put_bytes(&out, salt, USM_SALT);
}

void usm_encrypt(struct usm *u, const struct usm_keys *k, int32_t boots, int32_t time, uint8_t *data, size_t n,
                 uint8_t salt[USM_SALT])
{
    struct wire_out out = wire_out(salt, USM_SALT);
    uint8_t iv[USM_AES_BLOCK];

    u->salt++;
    if (k->priv == PD_PRIV_DES) {
        wire_put_u32be(&out, (uint32_t)boots);
        wire_put_u32be(&out, (uint32_t)u->salt);
    } else {
        wire_put_u64be(&out, u->salt);
    }
    make_iv(k, boots, time, salt, iv);
    if (!usm_encipher(u, k->priv, k->priv_key, iv, data, n))
        memset(data, 0, n); /* nothing leaves in the clear */
}

const uint8_t *usm_decrypt(struct usm *u, const struct usm_keys *k, int32_t boots, int32_t time,
                           const uint8_t salt[USM_SALT], const uint8_t *data, size_t n)
{
    uint8_t iv[USM_AES_BLOCK];

    if (n > USM_MAX_DATA || k->priv == PD_PRIV_NONE || usm_padded(k->priv, n) != n)
        return NULL;
    make_iv(k, boots, time, salt, iv);
    return usm_decipher(u, k->priv, k->priv_key, iv, data, n, u->plain) ? u->plain : NULL;
}

/* ---- Clocks ---- */

int32_t usm_clock_time(const struct usm_clock *c, int64_t now_ms)
{
    int64_t t = c->time + (now_ms - c->at_ms) / 1000;

    return t < 0 ? 0 : t > INT32_MAX ? INT32_MAX : (int32_t)t;
}

bool usm_clock_take(struct usm_clock *c, int32_t boots, int32_t time, int64_t now_ms)
{
    if (!c->set || boots > c->boots || (boots == c->boots && time > c->time))
        *c = (struct usm_clock){.boots = boots, .time = time, .at_ms = now_ms, .set = true};
    return c->boots != INT32_MAX && boots == c->boots && time >= usm_clock_time(c, now_ms) - USM_WINDOW_S;
}

bool usm_is_timely(int32_t own_boots, int32_t own_time, int32_t boots, int32_t time)
{
    return own_boots != INT32_MAX && boots == own_boots && time >= (int64_t)own_time - USM_WINDOW_S &&
           time <= (int64_t)own_time + USM_WINDOW_S;
}
