#include "agent.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "plugins/snmp/pdu.h"

/* ---- Answering ---- */

/* A request being answered. */
struct answer {
    const struct simdev *dev;
    int64_t now_ms;
    const struct snmp_msg *request;
    const struct snmp_varbinds *asked;
    struct snmp_writer w;
    bool full; /* a varbind did not fit */
};

static void fill_varbind(struct snmp_varbind *vb, const struct simvar *v, int64_t now_ms)
{
    *vb = (struct snmp_varbind){.name = v->oid, .nname = v->noid, .type = v->type, .n = v->n};
    if (v->type == SNMP_INTEGER)
        vb->i = simvar_int(v, now_ms);
    else if (simvar_is_uint(v))
        vb->u = simvar_uint(v, now_ms);
    else if (v->type == SNMP_OID)
        vb->oid = v->ids;
    else
        vb->bytes = v->bytes;
}

static void put(struct answer *a, const struct snmp_varbind *vb)
{
    if (!a->full && !snmp_put(&a->w, vb))
        a->full = true;
}

static void put_exception(struct answer *a, const uint32_t *name, size_t n, enum snmp_type type)
{
    put(a, &(struct snmp_varbind){.name = name, .nname = (uint16_t)n, .type = (uint8_t)type});
}

/* The variable after a name, or NULL at the end; SNMPv1 has no Counter64. */
static const struct simvar *next_var(const struct answer *a, const uint32_t *name, size_t n)
{
    size_t at = simdev_find(a->dev, name, n);

    if (at < a->dev->vars.n && oid_cmp(a->dev->vars.v[at].oid, a->dev->vars.v[at].noid, name, n) == 0)
        at++;
    while (at < a->dev->vars.n && a->request->version == SNMP_V1 && a->dev->vars.v[at].type == SNMP_COUNTER64)
        at++;
    return at < a->dev->vars.n ? &a->dev->vars.v[at] : NULL;
}

/* Each answers varbind i; false where SNMPv1 has to say noSuchName. */
static bool answer_get(struct answer *a, size_t i)
{
    const struct snmp_varbind *asked = &a->asked->v[i];
    const struct simvar *v = simdev_get(a->dev, asked->name, asked->nname);
    struct snmp_varbind vb;

    if (!v || (a->request->version == SNMP_V1 && v->type == SNMP_COUNTER64)) {
        put_exception(a, asked->name, asked->nname, SNMP_NO_SUCH_INSTANCE);
        return a->request->version != SNMP_V1;
    }
    fill_varbind(&vb, v, a->now_ms);
    put(a, &vb);
    return true;
}

static bool answer_next(struct answer *a, size_t i)
{
    const struct snmp_varbind *asked = &a->asked->v[i];
    const struct simvar *v = next_var(a, asked->name, asked->nname);
    struct snmp_varbind vb;

    if (!v) {
        put_exception(a, asked->name, asked->nname, SNMP_END_OF_MIB_VIEW);
        return a->request->version != SNMP_V1;
    }
    fill_varbind(&vb, v, a->now_ms);
    put(a, &vb);
    return true;
}

/* RFC 3416, section 4.2.3: as many whole or partial repetitions as fit. */
static void answer_bulk(struct answer *a)
{
    size_t n = a->asked->n, first = a->request->non_repeaters > 0 ? (size_t)a->request->non_repeaters : 0;
    const struct simvar *at[SNMP_MAX_VARBINDS] = {NULL};
    bool all_ended = false;

    if (first > n)
        first = n;
    for (size_t i = 0; i < first; i++)
        answer_next(a, i);
    for (int32_t r = 0; r < a->request->max_repetitions && !a->full && !all_ended && n > first; r++) {
        all_ended = true;
        for (size_t i = first; i < n && !a->full; i++) {
            const uint32_t *name = at[i] ? at[i]->oid : a->asked->v[i].name;
            size_t nname = at[i] ? at[i]->noid : a->asked->v[i].nname;
            const struct simvar *v = next_var(a, name, nname);
            struct snmp_varbind vb;

            if (!v) {
                put_exception(a, name, nname, SNMP_END_OF_MIB_VIEW);
                continue;
            }
            all_ended = false;
            fill_varbind(&vb, v, a->now_ms);
            put(a, &vb);
            at[i] = v;
        }
    }
}

/* An error answers with the request's own varbinds; tooBig with none. */
static size_t answer_error(struct answer *a, struct snmp_msg head, void *out, size_t cap, enum snmp_error status,
                           size_t index)
{
    head.status = (int32_t)status;
    head.index = (int32_t)index;
    snmp_begin(&a->w, out, cap, &head);
    for (size_t i = 0; status != SNMP_TOO_BIG && i < a->asked->n; i++)
        snmp_put_name(&a->w, a->asked->v[i].name, a->asked->v[i].nname, NULL, 0);
    return snmp_end(&a->w);
}

/* GET and GETNEXT: every varbind, or an error. */
static size_t answer_each(struct answer *a, const struct snmp_msg *head, void *out, size_t cap)
{
    snmp_begin(&a->w, out, cap, head);
    for (size_t i = 0; i < a->asked->n; i++) {
        bool there = a->request->type == SNMP_GET ? answer_get(a, i) : answer_next(a, i);

        if (!there)
            return answer_error(a, *head, out, cap, SNMP_NO_SUCH_NAME, i + 1);
    }
    return a->full ? answer_error(a, *head, out, cap, SNMP_TOO_BIG, 0) : snmp_end(&a->w);
}

static size_t answer_request(struct answer *a, void *out, size_t cap)
{
    struct snmp_msg head = *a->request;

    head.type = SNMP_RESPONSE;
    head.status = 0;
    head.index = 0;
    switch (a->request->type) {
    case SNMP_GET:
    case SNMP_GETNEXT:
        return answer_each(a, &head, out, cap);
    case SNMP_GETBULK:
        if (a->request->version == SNMP_V1)
            return 0;
        snmp_begin(&a->w, out, cap, &head);
        answer_bulk(a);
        return snmp_end(&a->w);
    case SNMP_SET:
        return answer_error(a, head, out, cap, a->request->version == SNMP_V1 ? SNMP_NO_SUCH_NAME : SNMP_NOT_WRITABLE,
                            1);
    default:
        return 0;
    }
}

size_t agent_answer(const struct simdev *d, int64_t now_ms, const char *community, const void *packet, size_t n,
                    void *out, size_t cap)
{
    struct snmp_varbinds *asked = xmalloc(sizeof *asked);
    struct snmp_msg request;
    struct answer a = {.dev = d, .now_ms = now_ms, .request = &request, .asked = asked};
    size_t len = 0;

    if (snmp_decode(packet, n, &request) == 0 && request.ncommunity == strlen(community) &&
        memcmp(request.community, community, request.ncommunity) == 0 && request.type != SNMP_TRAP_V1 &&
        snmp_decode_varbinds(&request, asked) == 0)
        len = answer_request(&a, out, cap);
    free(asked);
    return len;
}

/* ---- The network ---- */

struct agent {
    struct agent_config config;
    char *community;
    int fd;
    struct pd_watch *watch;
};

static void on_packet(void *arg)
{
    struct agent *a = arg;
    const struct agent_config *c = &a->config;
    uint8_t in[SNMP_MAX_MESSAGE], out[AGENT_MAX_RESPONSE];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t n;

    while ((n = recvfrom(a->fd, in, sizeof in, 0, (struct sockaddr *)&from, &len)) >= 0) {
        size_t answer = 0;

        if (c->passes(c->ctx))
            answer = agent_answer(c->dev, c->now(c->ctx), a->community, in, (size_t)n, out, sizeof out);
        if (answer > 0 && c->passes(c->ctx))
            sendto(a->fd, out, answer, 0, (const struct sockaddr *)&from, len); /* a lost answer is a lost packet */
        len = sizeof from;
    }
}

int agent_start(const struct agent_config *config, struct agent **out, char **why)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(config->port)};
    struct agent *a;
    int fd;

    if (inet_pton(AF_INET, config->address, &at.sin_addr) != 1 || ntohl(at.sin_addr.s_addr) >> 24 != 127) {
        *why = xasprintf("%s: a simulated device lives at an address of 127.0.0.0/8", config->address);
        return PD_EINVAL;
    }
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        int rc = pd_err_from_errno(errno);

        *why = xasprintf("%s port %u: %s", config->address, config->port, strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    a = xcalloc(1, sizeof *a);
    a->config = *config;
    a->community = xstrdup(config->community);
    a->fd = fd;
    a->watch = config->services->watch_read(config->services->loop, fd, on_packet, a);
    *out = a;
    return 0;
}

void agent_stop(struct agent *a)
{
    if (!a)
        return;
    a->config.services->unwatch(a->watch);
    close(a->fd);
    free(a->community);
    free(a);
}
