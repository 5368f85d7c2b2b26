#include "plugins/snmp/v3_peer.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* An engine as it is known. */
struct record {
    struct usm_clock clock;
    uint8_t n; /* 0: it is not known */
    uint8_t id[USM_MAX_ENGINE];
    bool has_keys; /* they are reckoned when it is first asked */
    struct usm_keys keys;
};

struct snmp_v3_peer {
    struct usm *usm;
    struct usm_user *user;
    struct record *other; /* instead of the known one, as long as that is not proved */
    uint8_t auth, priv;   /* enum pd_usm_auth, pd_usm_priv; */
    uint8_t level;        /* V3_AUTH, V3_PRIV by them */
    bool fixed;           /* the engine's id is a setting */
    struct record known;
};

/* ---- Engines ---- */

static struct record *current(struct snmp_v3_peer *p)
{
    return p->other ? p->other : &p->known;
}

bool snmp_v3_peer_is_slow(const struct snmp_v3_peer *p)
{
    const struct record *r = p->other ? p->other : &p->known;

    return r->n > 0 && !r->has_keys && usm_localise_is_slow(p->user);
}

static bool is_engine(const struct record *r, const uint8_t *id, size_t n)
{
    return r->n == n && memcmp(r->id, id, n) == 0;
}

static void set_engine(struct record *r, const uint8_t *id, size_t n)
{
    *r = (struct record){.n = (uint8_t)n};
    memcpy(r->id, id, n);
}

static void forget(struct record **r)
{
    if (*r)
        OPENSSL_cleanse(*r, sizeof **r);
    free(*r);
    *r = NULL;
}

/* Goes on with the engine of a report. What that says of the time is a guess for the first question only. */
static void learn(struct snmp_v3_peer *p, const struct v3_msg *m, int64_t now_ms)
{
    struct record *r = &p->known;

    if (is_engine(&p->known, m->engine, m->nengine)) {
        forget(&p->other);
        return;
    }
    if (p->known.n > 0) {
        if (!p->other)
            p->other = xmalloc(sizeof *p->other);
        r = p->other;
    }
    set_engine(r, m->engine, m->nengine);
    r->clock = (struct usm_clock){.boots = m->boots, .time = m->time, .at_ms = now_ms};
}

/* It has answered. */
static void adopt(struct snmp_v3_peer *p)
{
    if (!p->other)
        return;
    p->known = *p->other;
    forget(&p->other);
}

/* ---- Life ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* An engine's id as text; how many bytes, or -1. */
static int read_engine(const char *text, uint8_t id[USM_MAX_ENGINE])
{
    size_t n = strlen(text);

    if (n % 2 || n < 2 * USM_MIN_ENGINE || n > 2 * USM_MAX_ENGINE)
        return -1;
    for (size_t i = 0; i < n; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);

        if (high < 0 || low < 0)
            return -1;
        id[i / 2] = (uint8_t)(high << 4 | low);
    }
    return (int)(n / 2);
}

int snmp_v3_peer_new(struct usm *usm, const struct pd_usm_secret *secret, struct snmp_v3_peer **out, const char **why)
{
    uint8_t id[USM_MAX_ENGINE];
    int n = secret->engine_id ? read_engine(secret->engine_id, id) : 0;
    struct usm_user *user;
    struct snmp_v3_peer *p;
    int rc;

    if (n < 0) {
        *why = "its engine_id must be 5 to 32 bytes, in hexadecimal";
        return PD_EINVAL;
    }
    rc = usm_user_get(usm, secret, &user, why);
    if (rc < 0)
        return rc;
    p = xcalloc(1, sizeof *p);
    p->usm = usm;
    p->user = user;
    p->auth = secret->auth;
    p->priv = secret->priv;
    p->level = (secret->auth ? V3_AUTH : 0) | (secret->priv ? V3_PRIV : 0);
    p->fixed = n > 0;
    if (p->fixed)
        set_engine(&p->known, id, (size_t)n);
    *out = p;
    return 0;
}

void snmp_v3_peer_free(struct snmp_v3_peer *p)
{
    if (!p)
        return;
    forget(&p->other);
    usm_user_put(p->user);
    OPENSSL_cleanse(p, sizeof *p);
    free(p);
}

/* ---- Asking ---- */

size_t snmp_v3_peer_room(const struct snmp_v3_peer *p, size_t ncontext)
{
    uint8_t nuser;

    (void)usm_user_name(p->user, &nuser);
    return SNMP_REQUEST_SIZE - v3_overhead(p->auth, p->priv, USM_MAX_ENGINE, nuser, ncontext);
}

bool snmp_v3_peer_discovers(const struct snmp_v3_peer *p)
{
    return p->known.n == 0;
}

/* A question without content or name, which is answered by a report of who it is (RFC 3414, section 4). */
static size_t write_probe(struct snmp_v3_peer *p, int32_t id, uint8_t *buf, const uint8_t **start)
{
    struct v3_msg m = {.msg_id = id, .max_size = SNMP_MAX_MESSAGE, .flags = V3_REPORTABLE};
    struct snmp_msg head = {.version = SNMP_V3, .type = SNMP_GET, .request_id = id};
    struct snmp_writer w;

    snmp_begin(&w, buf + V3_HEADROOM, SNMP_REQUEST_SIZE, &head);
    return v3_seal(p->usm, NULL, &m, buf, snmp_end(&w), start);
}

size_t snmp_v3_peer_write(const struct snmp_peer *peer, uint8_t *steps, int64_t now_ms, int32_t id, uint8_t *buf,
                          size_t npdu, const uint8_t **start)
{
    struct snmp_v3_peer *p = peer->v3;
    struct record *r = current(p);
    struct v3_msg m = {.msg_id = id, .max_size = SNMP_MAX_MESSAGE, .flags = p->level | V3_REPORTABLE};

    *steps &= (uint8_t)~V3_STEP_DISCOVERS;
    if (r->n == 0) {
        *steps |= V3_STEP_DISCOVERS;
        return write_probe(p, id, buf, start);
    }
    if (!r->has_keys)
        usm_localise(p->usm, p->user, r->id, r->n, &r->keys);
    r->has_keys = true;
    m.engine = m.context_engine = r->id;
    m.nengine = m.ncontext_engine = r->n;
    m.user = (const uint8_t *)usm_user_name(p->user, &m.nuser);
    m.context = (const uint8_t *)peer->community;
    m.ncontext = peer->ncommunity;
    if (p->level) {
        m.boots = r->clock.boots;
        m.time = usm_clock_time(&r->clock, now_ms);
    }
    return v3_seal(p->usm, &r->keys, &m, buf, npdu, start);
}

void snmp_v3_peer_failed(struct snmp_v3_peer *p)
{
    forget(&p->other);
}

/* ---- What comes ---- */

static enum v3_verdict dropped(enum snmp_drop drop, int *why)
{
    *why = drop;
    return V3_DROPPED;
}

static enum v3_verdict refused(enum snmp_refusal refusal, int *why)
{
    *why = refusal;
    return V3_REFUSED;
}

/* Authenticates, deciphers and decodes. Reports may be less protected than the question was. */
static enum snmp_drop open_message(struct snmp_v3_peer *p, struct v3_msg *m, struct snmp_msg *pdu)
{
    const struct record *r = current(p);
    struct usm_keys weaker;
    uint8_t level = m->flags & (V3_AUTH | V3_PRIV), n;
    const char *user = usm_user_name(p->user, &n);
    int rc;

    if (level == 0) {
        rc = v3_open(p->usm, NULL, m, pdu);
    } else if (level & ~p->level) {
        return SNMP_DROP_LEVEL;
    } else if (!is_engine(r, m->engine, m->nengine) || !r->has_keys) {
        return SNMP_DROP_ENGINE;
    } else if (m->nuser != n || memcmp(m->user, user, n) != 0) {
        return SNMP_DROP_USER;
    } else if (level == p->level) {
        rc = v3_open(p->usm, &r->keys, m, pdu);
    } else {
        weaker = r->keys;
        weaker.priv = PD_PRIV_NONE;
        rc = v3_open(p->usm, &weaker, m, pdu);
        OPENSSL_cleanse(&weaker, sizeof weaker);
    }
    if (rc == PD_EACCES)
        return SNMP_DROP_DIGEST;
    if (rc == PD_ECORRUPT)
        return SNMP_DROP_CIPHER;
    return rc < 0 ? SNMP_DROP_MALFORMED : SNMP_FITS;
}

static enum v3_verdict take_response(struct snmp_v3_peer *p, const uint8_t *steps, int64_t now_ms,
                                     const struct v3_msg *m, const struct snmp_msg *pdu, int *why)
{
    struct record *r = current(p);
    uint8_t n;
    const char *user = usm_user_name(p->user, &n);

    if ((m->flags & (V3_AUTH | V3_PRIV)) != p->level)
        return dropped(SNMP_DROP_LEVEL, why);
    if ((*steps & V3_STEP_DISCOVERS) || !is_engine(r, m->engine, m->nengine) ||
        !is_engine(r, m->context_engine, m->ncontext_engine))
        return dropped(SNMP_DROP_ENGINE, why);
    if (m->nuser != n || memcmp(m->user, user, n) != 0)
        return dropped(SNMP_DROP_USER, why);
    if (p->level && !usm_clock_take(&r->clock, m->boots, m->time, now_ms))
        return dropped(SNMP_DROP_TIME, why);
    if (pdu->request_id != m->msg_id)
        return dropped(SNMP_DROP_UNASKED, why);
    adopt(p);
    return V3_ANSWER;
}

/* It goes by another engine's id than it was asked by. */
static enum v3_verdict take_other_engine(struct snmp_v3_peer *p, uint8_t *steps, int64_t now_ms, const struct v3_msg *m,
                                         int *why)
{
    uint8_t step = *steps & V3_STEP_FOUND ? V3_STEP_BACK : V3_STEP_FOUND;

    if (is_engine(current(p), m->engine, m->nengine) || *steps & step)
        return dropped(SNMP_DROP_REPORT, why);
    if (p->fixed)
        return refused(SNMP_REFUSED_ENGINE, why);
    *steps |= step;
    learn(p, m, now_ms);
    return V3_AGAIN;
}

/* Its clock is not where we thought. Fresh it is, since it has our id; and authentic, or it is not believed. */
static enum v3_verdict take_clock(struct snmp_v3_peer *p, uint8_t *steps, int64_t now_ms, const struct v3_msg *m,
                                  int *why)
{
    if (!(m->flags & V3_AUTH))
        return dropped(SNMP_DROP_LEVEL, why);
    if (m->boots == INT32_MAX)
        return refused(SNMP_REFUSED_BOOTS, why);
    if (*steps & V3_STEP_SYNCED)
        return refused(SNMP_REFUSED_TIME, why);
    *steps |= V3_STEP_SYNCED;
    current(p)->clock = (struct usm_clock){.boots = m->boots, .time = m->time, .at_ms = now_ms, .set = true};
    return V3_AGAIN;
}

static enum v3_verdict take_refusal(struct snmp_v3_peer *p, int64_t now_ms, const struct v3_msg *m, enum v3_report what,
                                    int *why)
{
    static const enum snmp_refusal refusals[] = {
        [V3_UNSUPPORTED_LEVEL] = SNMP_REFUSED_LEVEL,     [V3_UNKNOWN_USER] = SNMP_REFUSED_USER,
        [V3_WRONG_DIGEST] = SNMP_REFUSED_DIGEST,         [V3_DECRYPTION_ERROR] = SNMP_REFUSED_CIPHER,
        [V3_UNAVAILABLE_CONTEXT] = SNMP_REFUSED_CONTEXT, [V3_UNKNOWN_CONTEXT] = SNMP_REFUSED_CONTEXT,
    };

    if (!is_engine(current(p), m->engine, m->nengine))
        return dropped(SNMP_DROP_ENGINE, why);
    if ((m->flags & V3_AUTH) && !usm_clock_take(&current(p)->clock, m->boots, m->time, now_ms))
        return dropped(SNMP_DROP_TIME, why);
    return refused(refusals[what], why);
}

static enum v3_verdict take_report(struct snmp_v3_peer *p, uint8_t *steps, int64_t now_ms, const struct v3_msg *m,
                                   const struct snmp_msg *pdu, int *why)
{
    enum v3_report what = v3_report(pdu);
    bool names = m->nengine >= USM_MIN_ENGINE;

    if (*steps & V3_STEP_DISCOVERS) { /* whatever it complains of, it says who it is */
        if (!names)
            return dropped(SNMP_DROP_REPORT, why);
        learn(p, m, now_ms);
        return V3_AGAIN;
    }
    if (what == V3_UNKNOWN_ENGINE && names)
        return take_other_engine(p, steps, now_ms, m, why);
    if (what == V3_NOT_IN_WINDOW)
        return take_clock(p, steps, now_ms, m, why);
    if (what == V3_REPORT_OTHER || what == V3_UNKNOWN_ENGINE)
        return dropped(SNMP_DROP_REPORT, why);
    return take_refusal(p, now_ms, m, what, why);
}

enum v3_verdict snmp_v3_peer_take(struct snmp_v3_peer *p, uint8_t *steps, int64_t now_ms, struct v3_msg *m,
                                  struct snmp_msg *pdu, int *why)
{
    enum snmp_drop drop = open_message(p, m, pdu);

    if (drop != SNMP_FITS)
        return dropped(drop, why);
    if (pdu->type == SNMP_REPORT)
        return take_report(p, steps, now_ms, m, pdu, why);
    if (pdu->type != SNMP_RESPONSE)
        return dropped(SNMP_DROP_TYPE, why);
    return take_response(p, steps, now_ms, m, pdu, why);
}
