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

/* A cipher and its context, made when first used: to set a context up costs more than to encipher a packet. */
struct usm_context {
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *ctx;
};

struct usm {
    EVP_MD *md[USM_AUTHS]; /* likewise */
    EVP_MD_CTX *hash;
    struct usm_context encrypt[USM_PRIVS], decrypt[USM_PRIVS];
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

/* Enciphers n bytes where they are; false if the library failed. */
bool usm_encipher(struct usm *u, uint8_t priv, const uint8_t *key, const uint8_t *iv, uint8_t *data, size_t n);
/* Deciphers them to out, which has room for a whole number of blocks. */
bool usm_decipher(struct usm *u, uint8_t priv, const uint8_t *key, const uint8_t *iv, const uint8_t *data, size_t n,
                  uint8_t *out);

#endif
