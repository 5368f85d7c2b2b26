#include "watch/target.h"

#include <string.h>

/* The settings' names for algorithms are the collector's: neither room may include the other. */
_Static_assert((int)USM_AUTH_NONE == (int)PD_AUTH_NONE && (int)USM_AUTH_MD5 == (int)PD_AUTH_MD5 &&
                   (int)USM_AUTH_SHA1 == (int)PD_AUTH_SHA1 && (int)USM_AUTH_SHA224 == (int)PD_AUTH_SHA224 &&
                   (int)USM_AUTH_SHA256 == (int)PD_AUTH_SHA256 && (int)USM_AUTH_SHA384 == (int)PD_AUTH_SHA384 &&
                   (int)USM_AUTH_SHA512 == (int)PD_AUTH_SHA512,
               "the same digests");
_Static_assert((int)USM_PRIVACY_NONE == (int)PD_PRIV_NONE && (int)USM_PRIVACY_DES == (int)PD_PRIV_DES &&
                   (int)USM_PRIVACY_AES128 == (int)PD_PRIV_AES128 && (int)USM_PRIVACY_AES192 == (int)PD_PRIV_AES192 &&
                   (int)USM_PRIVACY_AES256 == (int)PD_PRIV_AES256 &&
                   (int)USM_PRIVACY_AES192_REEDER == (int)PD_PRIV_AES192_REEDER &&
                   (int)USM_PRIVACY_AES256_REEDER == (int)PD_PRIV_AES256_REEDER,
               "the same ciphers");

struct pd_usm_secret target_usm(const struct credential *c)
{
    return (struct pd_usm_secret){
        .user = c->user,
        .auth = c->auth,
        .priv = c->privacy,
        .auth_password = c->auth_password,
        .priv_password = c->privacy_password,
        .context = c->context,
    };
}

void target_put_credential(struct pd_target *t, struct pd_usm_secret *usm, const struct credential *c,
                           const struct settings *s)
{
    t->version = c ? c->version : 0;
    t->community = c && c->community ? c->community : "";
    t->timeout_ms = c ? (int)s->timeout_ms : 0;
    t->retries = c ? s->retries : -1;
    t->usm = NULL;
    if (c && c->version == 3) {
        *usm = target_usm(c);
        t->usm = usm;
    }
}

/* ---- The hash (FNV-1a) ---- */

static uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    const unsigned char *s = p;

    for (size_t i = 0; i < n; i++)
        h = (h ^ s[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* A text that is not there is another one than an empty text. */
static uint64_t hash_text(uint64_t h, const char *s)
{
    return s ? hash_bytes(h, s, strlen(s) + 1) : hash_bytes(h, "\xff", 1);
}

static uint64_t hash_usm(uint64_t h, const struct pd_usm_secret *u)
{
    const uint8_t algorithms[] = {u->auth, u->priv};

    h = hash_bytes(h, algorithms, sizeof algorithms);
    h = hash_text(hash_text(h, u->user), u->context);
    h = hash_text(hash_text(h, u->auth_password), u->priv_password);
    return hash_text(h, u->engine_id);
}

uint64_t target_hash(const struct pd_target *t)
{
    int64_t numbers[] = {
        t->port,         t->version,  t->timeout_ms, t->retries,  t->no_bulk, t->max_repetitions,  t->unit,
        t->message_size, t->max_rows, t->in_flight,  t->per_poll, t->no_gaps, t->connect_delay_ms, t->gap_ms,
        t->max_registers};
    uint64_t h = hash_bytes(UINT64_C(0xcbf29ce484222325), numbers, sizeof numbers);

    h = hash_text(hash_text(h, t->address), t->community);
    if (t->usm)
        h = hash_usm(h, t->usm);
    for (size_t i = 0; i < t->ncontexts; i++)
        h = hash_text(hash_text(h, t->contexts[i].name ? "name" : "each"),
                      t->contexts[i].name ? t->contexts[i].name : t->contexts[i].each);
    for (size_t i = 0; i < t->nholes; i++) {
        const uint16_t hole[] = {t->holes[i].function, t->holes[i].first, t->holes[i].last};

        h = hash_bytes(h, hole, sizeof hole);
    }
    return h;
}
