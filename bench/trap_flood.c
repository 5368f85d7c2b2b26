/*
 * What a trap sink is put through.
 *
 *     trap_flood flood   ADDRESS PORT RATE SECONDS FIRST COUNT COMMUNITY
 *     trap_flood informs ADDRESS PORT RATE SECONDS FIRST COUNT USER AUTH-PASSWORD PRIVACY-PASSWORD
 *
 * Both send from COUNT addresses, FIRST and those that follow: traps of version 2c as fast as RATE a second says; or
 * informs of version 3 (SHA-256, AES-128), each repeated once a second until it is answered, five times in all. The
 * second prints how many were answered, at the first try and at all.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "plugins/snmp/v3.h"

enum { BATCH = 64, TRIES = 5, RETRY_MS = 1000, PACKET = 1500, TICK_MS = 5 };

struct run {
    struct sockaddr_in to;
    int rate, seconds;
    struct in_addr first;
    int count;
    int *fds;
    int64_t begin_ms;
};

static int64_t now(void)
{
    return clock_mono(&clock_system);
}

static void open_sockets(struct run *r)
{
    r->fds = xcalloc((size_t)r->count, sizeof *r->fds);
    for (int i = 0; i < r->count; i++) {
        struct sockaddr_in from = {.sin_family = AF_INET};

        from.sin_addr.s_addr = htonl(ntohl(r->first.s_addr) + (uint32_t)i);
        r->fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        if (r->fds[i] < 0 || bind(r->fds[i], (struct sockaddr *)&from, sizeof from) < 0 ||
            connect(r->fds[i], (struct sockaddr *)&r->to, sizeof r->to) < 0) {
            perror("socket");
            exit(1);
        }
    }
}

/* What each trap tells: an interface is down. */
static void put_link_down(struct snmp_writer *w, uint32_t uptime)
{
    static const uint32_t up[] = {1, 3, 6, 1, 2, 1, 1, 3, 0}, what[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
    static const uint32_t down[] = {1, 3, 6, 1, 6, 3, 1, 1, 5, 3}, index[] = {1, 3, 6, 1, 2, 1, 2, 2, 1, 1, 7};

    snmp_put(w, &(struct snmp_varbind){.name = up, .nname = 9, .type = SNMP_TIMETICKS, .u = uptime});
    snmp_put(w, &(struct snmp_varbind){.name = what, .nname = 11, .type = SNMP_OID, .oid = down, .n = 10});
    snmp_put(w, &(struct snmp_varbind){.name = index, .nname = 11, .type = SNMP_INTEGER, .i = 7});
}

/* ---- Flood ---- */

static int flood(struct run *r, const char *community)
{
    uint8_t packet[PACKET];
    struct snmp_msg head = {.version = SNMP_V2C, .type = SNMP_TRAP, .request_id = 1};
    struct mmsghdr m[BATCH] = {0};
    struct iovec iov = {.iov_base = packet};
    struct snmp_writer w;
    int64_t sent = 0;

    head.community = (const uint8_t *)community;
    head.ncommunity = strlen(community);
    snmp_begin(&w, packet, sizeof packet, &head);
    put_link_down(&w, 1);
    iov.iov_len = snmp_end(&w);
    for (int i = 0; i < BATCH; i++)
        m[i].msg_hdr = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
    for (int turn = 0; now() - r->begin_ms < r->seconds * INT64_C(1000); turn++) {
        int64_t due = (now() - r->begin_ms) * r->rate / 1000;

        for (; sent < due; sent += BATCH)
            (void)sendmmsg(r->fds[(turn++) % r->count], m, BATCH, 0);
        usleep(500);
    }
    printf("flood: %lld packets in %d s\n", (long long)sent, r->seconds);
    return 0;
}

/* ---- Informs ---- */

struct inform {
    int64_t next_ms; /* when it is sent (again); 0: it is over */
    int tries;
};

struct informs {
    struct run *r;
    struct usm *usm;
    struct usm_user *user;
    struct usm_keys keys;
    uint8_t engine[USM_MAX_ENGINE];
    uint8_t nengine;
    int32_t boots, time;
    int64_t at_ms;
    const char *name;
    struct inform *all;
    int n, next, open, at_first, answered;
};

static void send_v3(struct informs *s, int i, uint8_t flags, size_t npdu, uint8_t *buf)
{
    const uint8_t *start;
    struct v3_msg m = {.msg_id = i + 1, .max_size = SNMP_MAX_MESSAGE, .flags = flags | V3_REPORTABLE};
    size_t n;

    if (s->nengine) {
        m.engine = m.context_engine = s->engine;
        m.nengine = m.ncontext_engine = s->nengine;
        m.user = (const uint8_t *)s->name;
        m.nuser = (uint8_t)strlen(s->name);
        m.boots = s->boots;
        m.time = s->time + (int32_t)((now() - s->at_ms) / 1000);
    }
    n = v3_seal(s->usm, flags ? &s->keys : NULL, &m, buf, npdu, &start);
    (void)send(s->r->fds[i % s->r->count], start, n, 0);
}

static void send_inform(struct informs *s, int i)
{
    uint8_t buf[PACKET];
    struct snmp_msg head = {.version = SNMP_V3, .type = SNMP_INFORM, .request_id = i + 1};
    struct snmp_writer w;

    snmp_begin(&w, buf + V3_HEADROOM, sizeof buf - V3_HEADROOM - V3_TAIL, &head);
    put_link_down(&w, (uint32_t)i);
    send_v3(s, i, V3_AUTH | V3_PRIV, snmp_end(&w), buf);
    s->all[i].tries++;
    s->all[i].next_ms = now() + RETRY_MS;
}

/* Asks who the sink is, until it says so. */
static bool discover(struct informs *s)
{
    uint8_t buf[PACKET], in[PACKET];
    struct snmp_msg head = {.version = SNMP_V3, .type = SNMP_GET, .request_id = 1};
    struct snmp_writer w;
    struct v3_msg m;

    for (int tries = 0; tries < 10; tries++) {
        struct pollfd p = {.fd = s->r->fds[0], .events = POLLIN};
        ssize_t n;

        snmp_begin(&w, buf + V3_HEADROOM, sizeof buf - V3_HEADROOM - V3_TAIL, &head);
        send_v3(s, 0, 0, snmp_end(&w), buf);
        if (poll(&p, 1, RETRY_MS) < 1 || (n = recv(p.fd, in, sizeof in, 0)) < 0 || v3_decode(in, (size_t)n, &m) < 0)
            continue;
        memcpy(s->engine, m.engine, m.nengine);
        s->nengine = m.nengine;
        s->boots = m.boots;
        s->time = m.time;
        s->at_ms = now();
        usm_localise(s->usm, s->user, s->engine, s->nengine, &s->keys);
        return true;
    }
    return false;
}

static void take_answer(struct informs *s, const uint8_t *in, size_t n)
{
    struct v3_msg m;
    struct snmp_msg pdu;
    struct inform *q;

    if (v3_decode(in, n, &m) < 0 || v3_open(s->usm, &s->keys, &m, &pdu) < 0 || pdu.type != SNMP_RESPONSE ||
        pdu.request_id < 1 || pdu.request_id > s->next)
        return;
    q = &s->all[pdu.request_id - 1];
    if (!q->next_ms)
        return;
    s->answered++;
    s->at_first += q->tries == 1;
    q->next_ms = 0;
    s->open--;
}

static void take_answers(struct informs *s)
{
    uint8_t in[PACKET];

    for (int i = 0; i < s->r->count; i++)
        for (ssize_t n; (n = recv(s->r->fds[i], in, sizeof in, 0)) >= 0;)
            take_answer(s, in, (size_t)n);
}

static void repeat(struct informs *s)
{
    for (int i = 0; i < s->next; i++) {
        if (!s->all[i].next_ms || s->all[i].next_ms > now())
            continue;
        if (s->all[i].tries < TRIES) {
            send_inform(s, i);
        } else {
            s->all[i].next_ms = 0;
            s->open--;
        }
    }
}

static int informs(struct run *r, char **words)
{
    const struct pd_usm_secret secret = {.user = words[0],
                                         .auth = PD_AUTH_SHA256,
                                         .priv = PD_PRIV_AES128,
                                         .auth_password = words[1],
                                         .priv_password = words[2]};
    struct informs s = {.r = r, .usm = usm_new(&rng_system), .name = words[0], .n = r->rate * r->seconds};
    const char *why = "it does not answer";

    if (usm_user_get(s.usm, &secret, &s.user, &why) < 0 || !discover(&s)) {
        fprintf(stderr, "trap_flood: %s\n", why);
        return 1;
    }
    s.all = xcalloc((size_t)s.n, sizeof *s.all);
    r->begin_ms = now();
    while (s.next < s.n || s.open > 0) {
        int64_t due = (now() - r->begin_ms) * r->rate / 1000;

        for (; s.next < s.n && s.next < due; s.open++)
            send_inform(&s, s.next++);
        usleep(TICK_MS * 1000);
        take_answers(&s);
        repeat(&s);
    }
    printf("informs: %d sent, %d answered at the first try (%.2f %%), %d at all (%.2f %%)\n", s.n, s.at_first,
           100.0 * s.at_first / s.n, s.answered, 100.0 * s.answered / s.n);
    free(s.all);
    usm_user_put(s.user);
    usm_free(s.usm);
    return 0;
}

int main(int argc, char **argv)
{
    struct run r = {.to = {.sin_family = AF_INET}};
    bool floods = argc == 9 && strcmp(argv[1], "flood") == 0;

    if (!floods && !(argc == 11 && strcmp(argv[1], "informs") == 0)) {
        fputs("usage: trap_flood flood   ADDRESS PORT RATE SECONDS FIRST COUNT COMMUNITY\n"
              "       trap_flood informs ADDRESS PORT RATE SECONDS FIRST COUNT USER AUTH-PASSWORD PRIVACY-PASSWORD\n",
              stderr);
        return 2;
    }
    r.to.sin_port = htons((uint16_t)atoi(argv[3]));
    r.rate = atoi(argv[4]);
    r.seconds = atoi(argv[5]);
    r.count = atoi(argv[7]);
    if (inet_pton(AF_INET, argv[2], &r.to.sin_addr) != 1 || inet_pton(AF_INET, argv[6], &r.first) != 1 || r.rate < 1 ||
        r.count < 1 || r.seconds < 1) {
        fputs("trap_flood: addresses are numeric, the rest are numbers from 1 on\n", stderr);
        return 2;
    }
    open_sockets(&r);
    r.begin_ms = now();
    return floods ? flood(&r, argv[8]) : informs(&r, argv + 8);
}
