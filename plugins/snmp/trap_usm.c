#include "plugins/snmp/trap_usm.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/keyed.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    SETS = 2048, /* engines that are kept: in sets of a few, the one that was silent longest goes */
    WAYS = 4,
    REPORT_SIZE = V3_HEADROOM + 256 + V3_TAIL,
    REPORTS = V3_UNKNOWN_CONTEXT + 1,
};

struct trap_user {
    char *name;
    struct usm_user *user;
    struct usm_keys own; /* at our engine */
};

/* An engine that one of the users spoke for. */
struct heard {
    uint8_t engine[USM_MAX_ENGINE];
    uint8_t nengine; /* 0: free */
    uint16_t user;
    struct usm_keys keys;
    struct usm_clock clock;
    int64_t heard_ms;
};

struct trap_usm {
    struct usm *usm;
    const struct snmp_boots *self;
    int64_t start_ms;
    uint64_t key[2];
    ARRAY(struct trap_user) users;
    struct heard (*heard)[WAYS]; /* SETS of them */
    struct usm_keys keys;        /* of an engine that is not among them yet */
    uint32_t reports[REPORTS];   /* how many of each */
    uint8_t report[REPORT_SIZE];
};

struct trap_usm *trap_usm_new(struct usm *usm, const struct pd_rng *rng, const struct snmp_boots *self, int64_t now_ms)
{
    struct trap_usm *t = xcalloc(1, sizeof *t);

    t->usm = usm;
    t->self = self;
    t->start_ms = now_ms;
    t->heard = xcalloc(SETS, sizeof *t->heard);
    rng->fill(rng->ctx, t->key, sizeof t->key);
    return t;
}

static void forget_users(struct trap_usm *t)
{
    for (size_t i = 0; i < t->users.n; i++) {
        usm_user_put(t->users.v[i].user);
        free(t->users.v[i].name);
    }
    if (t->users.n > 0) {
        explicit_bzero(t->users.v, t->users.n * sizeof *t->users.v);
        explicit_bzero(t->heard, SETS * sizeof *t->heard);
    }
    array_free(&t->users);
}

void trap_usm_free(struct trap_usm *t)
{
    if (!t)
        return;
    forget_users(t);
    free(t->heard);
    explicit_bzero(t, sizeof *t);
    free(t);
}

void trap_usm_users(struct trap_usm *t, const struct pd_usm_secret *users, size_t n)
{
    const char *why;

    forget_users(t);
    for (size_t i = 0; i < n && t->users.n < UINT16_MAX; i++) {
        struct trap_user u = {0};

        if (users[i].auth == PD_AUTH_NONE) /* proves nothing */
            continue;
        if (usm_user_get(t->usm, &users[i], &u.user, &why) < 0) {
            log_warn("snmp", "traps of user '%s' can't be authenticated: %s", users[i].user, why);
            continue;
        }
        u.name = xstrdup(users[i].user);
        if (t->self)
            usm_localise(t->usm, u.user, t->self->engine, t->self->nengine, &u.own);
        array_push(&t->users, u);
    }
}

static int32_t own_time(const struct trap_usm *t, int64_t now_ms)
{
    return (int32_t)((now_ms - t->start_ms) / 1000 & INT32_MAX);
}

/* ---- What is sent back ---- */

/* What each of our messages in answer to m says of us. */
static struct v3_msg answer_head(const struct trap_usm *t, const struct v3_msg *m, int64_t now_ms)
{
    return (struct v3_msg){
        .msg_id = m->msg_id,
        .max_size = SNMP_MAX_MESSAGE,
        .engine = t->self->engine,
        .nengine = t->self->nengine,
        .user = m->user,
        .nuser = m->nuser,
        .boots = t->self->boots,
        .time = own_time(t, now_ms),
        .context_engine = t->self->engine,
        .ncontext_engine = t->self->nengine,
    };
}

/* The request-id of what was sent openly; 0 otherwise. */
static int32_t request_id(struct trap_usm *t, const struct v3_msg *m)
{
    struct v3_msg copy = *m;
    struct snmp_msg pdu;

    return !(m->flags & V3_AUTH) && v3_open(t->usm, NULL, &copy, &pdu) == 0 ? pdu.request_id : 0;
}

/* Reports are for who asks for them. Keys: those that sign it, or NULL. */
static void report(struct trap_usm *t, struct trap_message *in, enum v3_report what, const struct usm_keys *keys,
                   int64_t now_ms)
{
    struct v3_msg head;
    struct usm_keys auth_only;
    size_t n;

    if (!(in->m.flags & V3_REPORTABLE) || !t->self)
        return;
    head = answer_head(t, &in->m, now_ms);
    if (keys) {
        auth_only = *keys;
        auth_only.priv = PD_PRIV_NONE;
        head.flags = V3_AUTH;
    }
    n = v3_put_report(t->report + V3_HEADROOM, REPORT_SIZE - V3_HEADROOM - V3_TAIL, request_id(t, &in->m), what,
                      ++t->reports[what]);
    in->nreport = v3_seal(t->usm, keys ? &auth_only : NULL, &head, t->report, n, &in->report);
}

size_t trap_usm_answer(struct trap_usm *t, const struct trap_message *in, int64_t now_ms, uint8_t *buf, size_t n,
                       const uint8_t **start)
{
    struct v3_msg head = answer_head(t, &in->m, now_ms);
    struct snmp_msg pdu = {.version = SNMP_V3, .type = SNMP_RESPONSE, .request_id = in->pdu.request_id};
    const struct wire_in *list = &in->pdu.varbinds;
    struct snmp_writer w;

    if (n < V3_HEADROOM + V3_TAIL)
        return 0;
    head.flags = in->m.flags & (V3_AUTH | V3_PRIV);
    head.context_engine = in->m.context_engine;
    head.ncontext_engine = in->m.ncontext_engine;
    head.context = in->m.context;
    head.ncontext = in->m.ncontext;
    snmp_begin(&w, buf + V3_HEADROOM, n - V3_HEADROOM - V3_TAIL, &pdu);
    if (!snmp_put_encoded(&w, list->p, wire_left(list)))
        return 0;
    return v3_seal(t->usm, in->keys, &head, buf, snmp_end(&w), start);
}

/* ---- Whose message it is ---- */

static bool is_named(const struct trap_user *u, const struct v3_msg *m)
{
    return strlen(u->name) == m->nuser && memcmp(u->name, m->user, m->nuser) == 0;
}

static bool is_ours(const struct trap_usm *t, const struct v3_msg *m)
{
    return t->self && m->nengine == t->self->nengine && memcmp(m->engine, t->self->engine, m->nengine) == 0;
}

static enum trap_proof proof_of(int err)
{
    switch (err) {
    case 0:
        return TRAP_AUTHENTIC;
    case PD_EINVAL:
        return TRAP_NO_LEVEL;
    case PD_EACCES:
        return TRAP_WRONG_DIGEST;
    case PD_ECORRUPT:
        return TRAP_NOT_DECIPHERED;
    default:
        return TRAP_NONSENSE;
    }
}

/* The next user of that name, from *at on; NULL if there is none. */
static struct trap_user *next_user(struct trap_usm *t, const struct v3_msg *m, size_t *at)
{
    while (*at < t->users.n) {
        struct trap_user *u = &t->users.v[(*at)++];

        if (is_named(u, m))
            return u;
    }
    return NULL;
}

/* The message is about our clock: which of the users of that name sent it, if any did. */
static enum trap_proof open_ours(struct trap_usm *t, struct trap_message *in, int64_t now_ms)
{
    static const enum v3_report reports[] = {
        [TRAP_NO_USER] = V3_UNKNOWN_USER,
        [TRAP_NO_LEVEL] = V3_UNSUPPORTED_LEVEL,
        [TRAP_WRONG_DIGEST] = V3_WRONG_DIGEST,
        [TRAP_NOT_DECIPHERED] = V3_DECRYPTION_ERROR,
    };
    enum trap_proof proof = TRAP_NO_USER;
    struct trap_user *u;

    for (size_t at = 0; proof != TRAP_AUTHENTIC && (u = next_user(t, &in->m, &at)) != NULL;) {
        proof = proof_of(v3_open(t->usm, &u->own, &in->m, &in->pdu));
        in->keys = &u->own;
        in->user = u->name;
    }
    if (proof == TRAP_AUTHENTIC && !usm_is_timely(t->self->boots, own_time(t, now_ms), in->m.boots, in->m.time)) {
        report(t, in, V3_NOT_IN_WINDOW, in->keys, now_ms);
        return in->nreport ? TRAP_ASKS : TRAP_REPLAYED;
    }
    if (proof >= TRAP_NO_USER)
        report(t, in, reports[proof], NULL, now_ms);
    return proof;
}

/* ---- Other engines ---- */

static struct heard *set_of(struct trap_usm *t, const struct v3_msg *m)
{
    return t->heard[keyed_hash(t->key, m->engine, m->nengine) % SETS];
}

static struct heard *find_heard(struct heard *set, const struct v3_msg *m, uint16_t user)
{
    for (size_t i = 0; i < WAYS; i++) {
        struct heard *h = &set[i];

        if (h->nengine == m->nengine && h->user == user && memcmp(h->engine, m->engine, m->nengine) == 0)
            return h;
    }
    return NULL;
}

/* Only who proved to know the keys gets a place. */
static struct heard *add_heard(struct heard *set, const struct v3_msg *m, uint16_t user, const struct usm_keys *keys)
{
    struct heard *h = &set[0];

    for (size_t i = 1; i < WAYS && h->nengine; i++)
        if (!set[i].nengine || set[i].heard_ms < h->heard_ms)
            h = &set[i];
    *h = (struct heard){.nengine = m->nengine, .user = user, .keys = *keys};
    memcpy(h->engine, m->engine, m->nengine);
    return h;
}

/*
 * A user's keys at an engine that was not heard before, in t->keys. Those of some ciphers take milliseconds, which is
 * spent on nobody who only says a user's name.
 */
static bool know_keys(struct trap_usm *t, const struct trap_user *u, const struct v3_msg *m)
{
    if (usm_localise_is_slow(u->user)) {
        usm_localise_auth(t->usm, u->user, m->engine, m->nengine, &t->keys);
        if (!v3_is_authentic(t->usm, &t->keys, m))
            return false;
    }
    usm_localise(t->usm, u->user, m->engine, m->nengine, &t->keys);
    return true;
}

static enum trap_proof open_as(struct trap_usm *t, struct trap_message *in, uint16_t user, int64_t now_ms)
{
    struct heard *set = set_of(t, &in->m), *h = find_heard(set, &in->m, user);
    const struct trap_user *u = &t->users.v[user];
    enum trap_proof proof;

    if (!h && !know_keys(t, u, &in->m))
        return TRAP_WRONG_DIGEST;
    in->keys = h ? &h->keys : &t->keys;
    in->user = u->name;
    proof = proof_of(v3_open(t->usm, in->keys, &in->m, &in->pdu));
    if (proof != TRAP_AUTHENTIC)
        return proof;
    if (!h)
        h = add_heard(set, &in->m, user, &t->keys);
    in->keys = &h->keys;
    h->heard_ms = now_ms;
    return usm_clock_take(&h->clock, in->m.boots, in->m.time, now_ms) ? TRAP_AUTHENTIC : TRAP_REPLAYED;
}

static enum trap_proof open_theirs(struct trap_usm *t, struct trap_message *in, int64_t now_ms)
{
    enum trap_proof proof = TRAP_NO_USER;
    struct trap_user *u;

    for (size_t at = 0; proof != TRAP_AUTHENTIC && proof != TRAP_REPLAYED && (u = next_user(t, &in->m, &at)) != NULL;)
        proof = open_as(t, in, (uint16_t)(u - t->users.v), now_ms);
    return proof;
}

enum trap_proof trap_usm_open(struct trap_usm *t, const uint8_t *packet, size_t n, int64_t now_ms,
                              struct trap_message *out)
{
    *out = (struct trap_message){0};
    if (v3_decode(packet, n, &out->m) < 0)
        return TRAP_NONSENSE;
    out->ours = is_ours(t, &out->m);
    /* Who wants an answer speaks to us, and must know who we are (RFC 3414, 3.2 (3)). */
    if (out->m.nengine < USM_MIN_ENGINE || (!out->ours && (out->m.flags & V3_REPORTABLE))) {
        report(t, out, V3_UNKNOWN_ENGINE, NULL, now_ms);
        return out->nreport ? TRAP_ASKS : TRAP_NONSENSE;
    }
    if (!(out->m.flags & V3_AUTH)) {
        if (out->ours)
            report(t, out, V3_UNSUPPORTED_LEVEL, NULL, now_ms);
        return v3_open(t->usm, NULL, &out->m, &out->pdu) == 0 ? TRAP_PLAIN : TRAP_NONSENSE;
    }
    return out->ours ? open_ours(t, out, now_ms) : open_theirs(t, out, now_ms);
}
