#include "tests/plugins/snmp/agent3.h"

#include <string.h>

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

void agent3_init(struct agent3 *a, struct usm *usm, const struct pd_usm_secret *secret, uint8_t engine)
{
    const char *why;

    memset(a, 0, sizeof *a);
    a->usm = usm;
    assert_int_equal(usm_user_get(usm, secret, &a->user, &why), 0);
    a->level = (secret->auth ? V3_AUTH : 0) | (secret->priv ? V3_PRIV : 0);
    a->boots = 1;
    agent3_set_engine(a, engine);
}

void agent3_fini(struct agent3 *a)
{
    usm_user_put(a->user);
}

void agent3_set_engine(struct agent3 *a, uint8_t engine)
{
    const uint8_t id[] = {0x80, 0, 0, 0, engine};

    memcpy(a->engine, id, sizeof id);
    a->nengine = sizeof id;
    usm_localise(a->usm, a->user, a->engine, a->nengine, &a->keys);
}

static size_t seal(struct agent3 *a, const struct v3_msg *to, uint8_t flags, const uint8_t *context, uint8_t ncontext,
                   size_t npdu, const uint8_t **start)
{
    struct usm_keys keys = a->keys;
    struct v3_msg m = *to;

    if (!(flags & V3_AUTH))
        keys.auth = PD_AUTH_NONE;
    if (!(flags & V3_PRIV))
        keys.priv = PD_PRIV_NONE;
    m.flags = flags;
    m.max_size = SNMP_MAX_MESSAGE;
    m.engine = m.context_engine = a->engine;
    m.nengine = m.ncontext_engine = a->nengine;
    m.boots = a->boots;
    m.time = a->time;
    m.context = context;
    m.ncontext = ncontext;
    return v3_seal(a->usm, &keys, &m, a->buf, npdu, start);
}

size_t agent3_report(struct agent3 *a, const struct v3_msg *m, int32_t request_id, enum v3_report what, uint8_t flags,
                     const uint8_t **start)
{
    size_t n = v3_put_report(a->buf + V3_HEADROOM, SNMP_MAX_MESSAGE, request_id, what, ++a->reports[what]);

    if (a->mute && what != V3_UNKNOWN_ENGINE)
        return 0;
    return seal(a, m, flags, NULL, 0, n, start);
}

size_t agent3_answer(struct agent3 *a, const struct v3_msg *m, const void *pdu, size_t npdu, const uint8_t **start)
{
    memcpy(a->buf + V3_HEADROOM, pdu, npdu);
    return seal(a, m, m->flags & (V3_AUTH | V3_PRIV), m->context, m->ncontext, npdu, start);
}

bool agent3_open(struct agent3 *a, const void *packet, size_t size, struct v3_msg *m, struct snmp_msg *pdu,
                 const uint8_t **start, size_t *n)
{
    enum v3_report what = V3_REPORT_OTHER;
    uint8_t flags = 0, nname;
    const char *name = usm_user_name(a->user, &nname);
    int rc;

    a->messages++;
    *n = 0;
    *pdu = (struct snmp_msg){0};
    assert_int_equal(v3_decode(packet, size, m), 0);
    if (m->nengine != a->nengine || memcmp(m->engine, a->engine, a->nengine) != 0) {
        what = V3_UNKNOWN_ENGINE;
    } else if (m->nuser != nname || memcmp(m->user, name, nname) != 0) {
        what = V3_UNKNOWN_USER;
    } else if ((m->flags & (V3_AUTH | V3_PRIV)) != a->level) {
        what = V3_UNSUPPORTED_LEVEL;
    } else {
        rc = v3_open(a->usm, a->level ? &a->keys : NULL, m, pdu);
        if (rc == PD_EACCES) {
            what = V3_WRONG_DIGEST;
        } else if (a->level && !usm_is_timely(a->boots, a->time, m->boots, m->time)) {
            what = V3_NOT_IN_WINDOW;
            flags = V3_AUTH;
        } else if (rc == PD_ECORRUPT) {
            what = V3_DECRYPTION_ERROR;
        } else if (a->context && m->ncontext > 0 &&
                   (m->ncontext != strlen(a->context) || memcmp(m->context, a->context, m->ncontext) != 0)) {
            what = V3_UNKNOWN_CONTEXT;
            flags = a->level;
        } else {
            assert_int_equal(rc, 0);
            return true;
        }
    }
    *n = agent3_report(a, m, pdu->request_id, what, flags, start);
    return false;
}
