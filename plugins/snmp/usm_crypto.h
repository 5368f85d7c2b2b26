#ifndef PD_SNMP_USM_CRYPTO_H
#define PD_SNMP_USM_CRYPTO_H

#include <openssl/evp.h>
#include <sys/queue.h>

#include "plugins/snmp/usm.h"

/* The crypto library as usm.c (users, keys, messages' protection) uses it. */

enum {
    USM_AUTHS = PD_AUTH_SHA512 + 1,
    USM_PRIVS = PD_PRIV_AES256_REEDER + 1,
    USM_MAX_BLOCK = 128, /* of a digest's input */
    USM_AES_BLOCK = 16,
};

struct usm_digest {
    const char *name, *algorithm; /* ours, the library's */
    uint8_t block, size, shown;   /* bytes: of a block, of the digest, of what a message shows of it */
};

struct usm_cipher {
    const char *name, *algorithm, *block; /* block: the same cipher, blocks by themselves; NULL: not needed */
    uint8_t nkey;                         /* with what becomes the initial vector */
    bool reeder;                          /* how a short key is extended */
};

struct usm {
    EVP_MD *md[USM_AUTHS]; /* fetched when first used */
    EVP_CIPHER *cipher[USM_PRIVS], *blocks[USM_PRIVS];
    EVP_MD_CTX *hash;
    EVP_CIPHER_CTX *crypt;
    bool failed; /* the library did, in what is being reckoned */
    uint64_t salt;
    LIST_HEAD(, usm_user) users;
    uint8_t plain[USM_MAX_DATA + USM_AES_BLOCK];
};

const struct usm_digest *usm_digest(uint8_t auth);
const struct usm_cipher *usm_cipher(uint8_t priv);

void usm_hash_begin(struct usm *u, uint8_t auth);
void usm_hash_add(struct usm *u, const void *p, size_t n);
void usm_hash_end(struct usm *u, uint8_t out[EVP_MAX_MD_SIZE]);

/* Enciphers, or deciphers, n bytes from in to out, which may be the same. */
bool usm_crypt(struct usm *u, uint8_t priv, bool encrypt, const uint8_t *key, const uint8_t *iv, const uint8_t *in,
               size_t n, uint8_t *out);

#endif
