#include "plugins/snmp/usm_crypto.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct usm_digest digests[USM_AUTHS] = {
    [PD_AUTH_NONE] = {.name = "no authentication"},          [PD_AUTH_MD5] = {"MD5", "MD5", 64, 16, 12},
    [PD_AUTH_SHA1] = {"SHA-1", "SHA1", 64, 20, 12},          [PD_AUTH_SHA224] = {"SHA-224", "SHA2-224", 64, 28, 16},
    [PD_AUTH_SHA256] = {"SHA-256", "SHA2-256", 64, 32, 24},  [PD_AUTH_SHA384] = {"SHA-384", "SHA2-384", 128, 48, 32},
    [PD_AUTH_SHA512] = {"SHA-512", "SHA2-512", 128, 64, 48},
};

/* DES is triple DES with one key three times: the library has DES itself only with its old algorithms. */
static const struct usm_cipher ciphers[USM_PRIVS] = {
    [PD_PRIV_NONE] = {.name = "no privacy"},
    [PD_PRIV_DES] = {"DES", "DES-EDE3-CBC", NULL, 16, false},
    [PD_PRIV_AES128] = {"AES-128", "AES-128-CFB", "AES-128-ECB", 16, false},
    [PD_PRIV_AES192] = {"AES-192", "AES-192-CFB", "AES-192-ECB", 24, false},
    [PD_PRIV_AES256] = {"AES-256", "AES-256-CFB", "AES-256-ECB", 32, false},
    [PD_PRIV_AES192_REEDER] = {"AES-192 (Reeder)", "AES-192-CFB", "AES-192-ECB", 24, true},
    [PD_PRIV_AES256_REEDER] = {"AES-256 (Reeder)", "AES-256-CFB", "AES-256-ECB", 32, true},
};

const struct usm_digest *usm_digest(uint8_t auth)
{
    return &digests[auth < USM_AUTHS ? auth : PD_AUTH_NONE];
}

const struct usm_cipher *usm_cipher(uint8_t priv)
{
    return &ciphers[priv < USM_PRIVS ? priv : PD_PRIV_NONE];
}

const char *usm_auth_name(uint8_t auth)
{
    return usm_digest(auth)->name;
}

const char *usm_priv_name(uint8_t priv)
{
    return usm_cipher(priv)->name;
}

struct usm *usm_new(const struct pd_rng *rng)
{
    struct usm *u = xcalloc(1, sizeof *u);

    u->hash = EVP_MD_CTX_new();
    u->salt = rng_u64(rng);
    LIST_INIT(&u->users);
    return u;
}

static void free_context(struct usm_context *e)
{
    EVP_CIPHER_CTX_free(e->ctx);
    EVP_CIPHER_free(e->cipher);
}

void usm_free(struct usm *u)
{
    if (!u)
        return;
    for (int i = 0; i < USM_AUTHS; i++)
        EVP_MD_free(u->md[i]);
    for (int i = 0; i < USM_PRIVS; i++) {
        free_context(&u->encrypt[i]);
        free_context(&u->decrypt[i]);
    }
    EVP_MD_CTX_free(u->hash);
    OPENSSL_cleanse(u->plain, sizeof u->plain);
    free(u);
}

/* The library's record of an algorithm; looking it up costs more than using it, so it is kept. */
static const EVP_MD *md_of(struct usm *u, uint8_t auth)
{
    if (!u->md[auth]) {
        u->md[auth] = EVP_MD_fetch(NULL, usm_digest(auth)->algorithm, NULL);
        ERR_clear_error();
    }
    return u->md[auth];
}

/* The context of a cipher in one direction; NULL where the library lacks it. */
static EVP_CIPHER_CTX *context_of(struct usm_context *e, const char *algorithm, bool encrypt)
{
    EVP_CIPHER_CTX *ctx;

    if (e->ctx)
        return e->ctx;
    if (!e->cipher)
        e->cipher = EVP_CIPHER_fetch(NULL, algorithm, NULL);
    ctx = e->cipher ? EVP_CIPHER_CTX_new() : NULL;
    if (ctx && EVP_CipherInit_ex2(ctx, e->cipher, NULL, NULL, encrypt, NULL) && EVP_CIPHER_CTX_set_padding(ctx, 0))
        e->ctx = ctx;
    else
        EVP_CIPHER_CTX_free(ctx);
    ERR_clear_error();
    return e->ctx;
}

/* AES is deciphered by enciphering (see below). */
static EVP_CIPHER_CTX *encryption(struct usm *u, uint8_t priv)
{
    return context_of(&u->encrypt[priv], usm_cipher(priv)->algorithm, true);
}

static EVP_CIPHER_CTX *decryption(struct usm *u, uint8_t priv)
{
    const struct usm_cipher *c = usm_cipher(priv);

    return context_of(&u->decrypt[priv], c->block ? c->block : c->algorithm, c->block != NULL);
}

bool usm_has_auth(struct usm *u, uint8_t auth)
{
    return auth == PD_AUTH_NONE || (auth < USM_AUTHS && md_of(u, auth));
}

/* ---- Digests ---- */

void usm_hash_begin(struct usm *u, uint8_t auth)
{
    u->failed = !EVP_DigestInit_ex2(u->hash, md_of(u, auth), NULL);
}

void usm_hash_add(struct usm *u, const void *p, size_t n)
{
    u->failed |= !EVP_DigestUpdate(u->hash, p, n);
}

void usm_hash_end(struct usm *u, uint8_t out[EVP_MAX_MD_SIZE])
{
    unsigned n;

    u->failed |= !EVP_DigestFinal_ex(u->hash, out, &n);
}

/* ---- Ciphers ---- */

static bool run(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *iv, const uint8_t *in, size_t n, uint8_t *out)
{
    int got = 0;

    return ctx && EVP_CipherInit_ex2(ctx, NULL, key, iv, -1, NULL) && EVP_CipherUpdate(ctx, out, &got, in, (int)n) &&
           (size_t)got == n;
}

/* out ^= in. */
static void lay_over(uint8_t *out, const uint8_t *in, size_t n)
{
    for (; n >= sizeof(uint64_t); n -= sizeof(uint64_t), out += sizeof(uint64_t), in += sizeof(uint64_t)) {
        uint64_t a, b;

        memcpy(&a, out, sizeof a);
        memcpy(&b, in, sizeof b);
        a ^= b;
        memcpy(out, &a, sizeof a);
    }
    for (size_t i = 0; i < n; i++)
        out[i] ^= in[i];
}

/*
 * The plain text of CFB is each block of the cipher text enciphered, which needs no block before it: all of them at
 * once, several times as fast as the library's CFB, which goes block by block.
 */
static bool decrypt_cfb(struct usm *u, uint8_t priv, const uint8_t *key, const uint8_t *iv, const uint8_t *in, size_t n,
                        uint8_t *out)
{
    size_t whole = (n + USM_AES_BLOCK - 1) / USM_AES_BLOCK * USM_AES_BLOCK;

    if (n == 0)
        return true;
    memcpy(out, iv, USM_AES_BLOCK);
    memcpy(out + USM_AES_BLOCK, in, whole - USM_AES_BLOCK);
    if (!run(decryption(u, priv), key, NULL, out, whole, out))
        return false;
    lay_over(out, in, n);
    return true;
}

static bool run_des(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *iv, const uint8_t *in, size_t n,
                    uint8_t *out)
{
    uint8_t thrice[24];
    bool done;

    for (int i = 0; i < 3; i++)
        memcpy(thrice + 8 * i, key, 8);
    done = run(ctx, thrice, iv, in, n, out);
    OPENSSL_cleanse(thrice, sizeof thrice);
    return done;
}

bool usm_encipher(struct usm *u, uint8_t priv, const uint8_t *key, const uint8_t *iv, uint8_t *data, size_t n)
{
    if (priv == PD_PRIV_DES)
        return run_des(encryption(u, priv), key, iv, data, n, data);
    return run(encryption(u, priv), key, iv, data, n, data);
}

bool usm_decipher(struct usm *u, uint8_t priv, const uint8_t *key, const uint8_t *iv, const uint8_t *data, size_t n,
                  uint8_t *out)
{
    if (priv == PD_PRIV_DES)
        return run_des(decryption(u, priv), key, iv, data, n, out);
    return decrypt_cfb(u, priv, key, iv, data, n, out);
}

/* A library may have a cipher and yet refuse such a key as DES has here. */
bool usm_has_priv(struct usm *u, uint8_t priv)
{
    static const uint8_t key[USM_MAX_CIPHER_KEY] = {1, 2, 3}, iv[USM_AES_BLOCK];
    uint8_t data[USM_AES_BLOCK] = {0}, out[USM_AES_BLOCK];

    return priv == PD_PRIV_NONE || (priv < USM_PRIVS && usm_encipher(u, priv, key, iv, data, sizeof data) &&
                                    usm_decipher(u, priv, key, iv, data, sizeof data, out));
}
