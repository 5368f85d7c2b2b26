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
    u->crypt = EVP_CIPHER_CTX_new();
    u->salt = rng_u64(rng);
    LIST_INIT(&u->users);
    return u;
}

void usm_free(struct usm *u)
{
    if (!u)
        return;
    for (int i = 0; i < USM_AUTHS; i++)
        EVP_MD_free(u->md[i]);
    for (int i = 0; i < USM_PRIVS; i++) {
        EVP_CIPHER_free(u->cipher[i]);
        EVP_CIPHER_free(u->blocks[i]);
    }
    EVP_MD_CTX_free(u->hash);
    EVP_CIPHER_CTX_free(u->crypt);
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

static const EVP_CIPHER *cipher_of(EVP_CIPHER **kept, const char *algorithm)
{
    if (!*kept) {
        *kept = EVP_CIPHER_fetch(NULL, algorithm, NULL);
        ERR_clear_error();
    }
    return *kept;
}

bool usm_has_auth(struct usm *u, uint8_t auth)
{
    return auth == PD_AUTH_NONE || (auth < USM_AUTHS && md_of(u, auth));
}

bool usm_has_priv(struct usm *u, uint8_t priv)
{
    const struct usm_cipher *c = usm_cipher(priv);

    if (priv == PD_PRIV_NONE)
        return true;
    return priv < USM_PRIVS && cipher_of(&u->cipher[priv], c->algorithm) &&
           (!c->block || cipher_of(&u->blocks[priv], c->block));
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

static bool run(struct usm *u, const EVP_CIPHER *c, bool encrypt, const uint8_t *key, const uint8_t *iv,
                const uint8_t *in, size_t n, uint8_t *out)
{
    int got = 0;

    return c && EVP_CipherInit_ex2(u->crypt, c, key, iv, encrypt, NULL) && EVP_CIPHER_CTX_set_padding(u->crypt, 0) &&
           EVP_CipherUpdate(u->crypt, out, &got, in, (int)n) && (size_t)got == n;
}

/*
 * The plain text of CFB is each block of the cipher text enciphered, which needs no block before it: all of them at
 * once, several times as fast as the library's CFB, which goes block by block.
 */
static bool decrypt_cfb(struct usm *u, uint8_t priv, const uint8_t *key, const uint8_t *iv, const uint8_t *in, size_t n,
                        uint8_t *out)
{
    const EVP_CIPHER *c = cipher_of(&u->blocks[priv], usm_cipher(priv)->block);
    size_t whole = (n + USM_AES_BLOCK - 1) / USM_AES_BLOCK * USM_AES_BLOCK;

    if (n == 0)
        return true;
    memcpy(out, iv, USM_AES_BLOCK);
    memcpy(out + USM_AES_BLOCK, in, whole - USM_AES_BLOCK);
    if (!run(u, c, true, key, NULL, out, whole, out))
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] ^= in[i];
    return true;
}

static bool crypt_des(struct usm *u, bool encrypt, const uint8_t *key, const uint8_t *iv, const uint8_t *in, size_t n,
                      uint8_t *out)
{
    uint8_t thrice[24];
    bool done;

    for (int i = 0; i < 3; i++)
        memcpy(thrice + 8 * i, key, 8);
    done =
        run(u, cipher_of(&u->cipher[PD_PRIV_DES], usm_cipher(PD_PRIV_DES)->algorithm), encrypt, thrice, iv, in, n, out);
    OPENSSL_cleanse(thrice, sizeof thrice);
    return done;
}

bool usm_crypt(struct usm *u, uint8_t priv, bool encrypt, const uint8_t *key, const uint8_t *iv, const uint8_t *in,
               size_t n, uint8_t *out)
{
    if (priv == PD_PRIV_DES)
        return crypt_des(u, encrypt, key, iv, in, n, out);
    if (!encrypt)
        return decrypt_cfb(u, priv, key, iv, in, n, out);
    return run(u, cipher_of(&u->cipher[priv], usm_cipher(priv)->algorithm), true, key, iv, in, n, out);
}
