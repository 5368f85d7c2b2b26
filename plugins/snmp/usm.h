#ifndef PD_SNMP_USM_H
#define PD_SNMP_USM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "plugin/plugin.h"

/*
 * SNMPv3's user-based security (RFC 3414; AES by RFC 3826, SHA-2 by RFC 7860, longer AES keys by the drafts of
 * Blumenthal and of Reeder): users, their keys at an engine, digests and ciphers. It serves both sides: who is the
 * authoritative engine is the caller's affair, as are engine ids, boots and times. Messages are in v3.h.
 *
 * A user's passwords are turned into keys once (2 ms each), however many devices are asked by that user; to localise
 * them for an engine costs about a microsecond.
 */
enum {
    USM_MIN_ENGINE = 5, /* bytes of an engine's id */
    USM_MAX_ENGINE = 32,
    USM_MAX_USER = 32,
    USM_MIN_PASSWORD = 8,
    USM_MAX_KEY = 64, /* of any digest */
    USM_MAX_CIPHER_KEY = 32,
    USM_MAX_DIGEST = 48, /* in a message */
    USM_SALT = 8,
    USM_MAX_DATA = 65536, /* that is deciphered at once */
    USM_WINDOW_S = 150,
};

/* The crypto library's contexts, used again for every packet: one for each thread. */
struct usm;
/* The generator (copied) gives the first salt. */
struct usm *usm_new(const struct pd_rng *rng);
void usm_free(struct usm *u);

/* What is spoken of an algorithm, "SHA-256"; whether this machine's crypto library has it. */
const char *usm_auth_name(uint8_t auth);
const char *usm_priv_name(uint8_t priv);
bool usm_has_auth(struct usm *u, uint8_t auth);
bool usm_has_priv(struct usm *u, uint8_t priv);

/* ---- Users and keys ---- */

/* Who asks, or is asked: a name, algorithms, and the keys that its passwords give. Shared by devices. */
struct usm_user;
/*
 * The user of a secret: one that is known already, or a new one. PD_EINVAL where the secret makes no sense, PD_ENOTSUP
 * where the crypto library lacks an algorithm, *why says what.
 */
int usm_user_get(struct usm *u, const struct pd_usm_secret *secret, struct usm_user **out, const char **why);
/* Gives it back; NULL is fine. */
void usm_user_put(struct usm_user *user);
const char *usm_user_name(const struct usm_user *user, uint8_t *n);

/* A user's keys at one engine. No secret leaves it but by the functions below. */
struct usm_keys {
    uint8_t auth, priv; /* enum pd_usm_auth, pd_usm_priv: what level of security they are for */
    uint8_t auth_key[USM_MAX_KEY];
    uint8_t priv_key[USM_MAX_CIPHER_KEY];
};
void usm_localise(struct usm *u, const struct usm_user *user, const uint8_t *engine, size_t n, struct usm_keys *out);
/* The one for digests alone, without privacy: always quick. */
void usm_localise_auth(struct usm *u, const struct usm_user *user, const uint8_t *engine, size_t n,
                       struct usm_keys *out);
/* True if that takes milliseconds: Reeder's way to extend a key stretches it like a password, for each engine. */
bool usm_localise_is_slow(const struct usm_user *user);

/* The steps of it: the key of a password (RFC 3414, A.2), and that key at an engine; the bytes of the digest in each. */
size_t usm_password_key(struct usm *u, uint8_t auth, const char *password, uint8_t key[USM_MAX_KEY]);
size_t usm_localise_key(struct usm *u, uint8_t auth, const uint8_t *key, const uint8_t *engine, size_t n,
                        uint8_t out[USM_MAX_KEY]);

/* ---- Digests and ciphers ---- */

/* Bytes that a digest takes in a message; 0 without authentication. */
size_t usm_digest_size(uint8_t auth);
/* The digest of a message whose usm_digest_size() bytes at `at` count as zeros. */
void usm_sign(struct usm *u, const struct usm_keys *k, const uint8_t *msg, size_t n, size_t at,
              uint8_t digest[USM_MAX_DIGEST]);
/* Whether the message holds that digest there; takes as long for a wrong one. */
bool usm_verify(struct usm *u, const struct usm_keys *k, const uint8_t *msg, size_t n, size_t at);

/* Bytes that n bytes take when they are enciphered. */
size_t usm_padded(uint8_t priv, size_t n);
/* Enciphers n bytes, usm_padded(), where they are, with a salt that was never used before. */
void usm_encrypt(struct usm *u, const struct usm_keys *k, int32_t boots, int32_t time, uint8_t *data, size_t n,
                 uint8_t salt[USM_SALT]);
/* The plain text, good until the next call; NULL where n is too large or no length for the cipher. */
const uint8_t *usm_decrypt(struct usm *u, const struct usm_keys *k, int32_t boots, int32_t time,
                           const uint8_t salt[USM_SALT], const uint8_t *data, size_t n);

/* ---- Clocks ---- */

/*
 * What is known of another engine's boots and time (RFC 3414, section 2.3). Only authenticated messages may be given
 * to usm_clock_take().
 */
struct usm_clock {
    int32_t boots, time; /* the latest that were heard, */
    int64_t at_ms;       /* when, by our monotonic clock */
    bool set;            /* by an authenticated message; else they are a guess, or nothing */
};
/* The engine's time by now. */
int32_t usm_clock_time(const struct usm_clock *c, int64_t now_ms);
/* Moves it on by a message's boots and time: false where that is outside the window of 150 s, a replay. */
bool usm_clock_take(struct usm_clock *c, int32_t boots, int32_t time, int64_t now_ms);
/* Whether a message's boots and time are within the window of the engine that is asked, ours. */
bool usm_is_timely(int32_t own_boots, int32_t own_time, int32_t boots, int32_t time);

#endif
