#include "plugins/snmp/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    SOCKETS = 2,
    RECV_SIZE = 65536 + 1600, /* any datagram; not a power of two, or all would share a few lines of the cache */
};

struct udp_socket {
    struct snmp_udp *udp;
    int fd; /* -1: the machine has no such family */
    int family;
    size_t buffer;
    bool ready; /* packets wait, as far as is known */
    struct pd_watch *watch;
};

struct snmp_udp {
    const struct pd_services *services;
    struct udp_socket sockets[SOCKETS];
    int turn; /* the socket that is read first: neither may starve the other */
    uint8_t (*data)[RECV_SIZE];
    void (*readable)(void *arg);
    void *arg;
};

/* The receive buffer as asked for, as far as the kernel allows; what it counts is twice that (socket(7)). */
static size_t set_buffer(int fd, int want)
{
    int got = 0;
    socklen_t n = sizeof got;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof want);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &n) < 0 || got < 0)
        return 0;
    return (size_t)got;
}

/*
 * What may not be fragmented needs no identification, for which the kernel keeps counters that all packets share: a
 * twentieth of what polling costs. A request that is too long for a path's MTU is refused (EMSGSIZE), and goes
 * unanswered like one that got lost: the device is asked for less then.
 */
static void forbid_fragments(int fd, int family)
{
    int how = IP_PMTUDISC_DO;

    if (family == AF_INET)
        (void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &how, sizeof how);
}

static int bind_any(int fd, int family)
{
    union pd_addr any = {.sa = {.sa_family = (sa_family_t)family}};
    int on = 1;

    if (family == AF_INET)
        return bind(fd, &any.sa, sizeof any.in);
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
        return -1;
    return bind(fd, &any.sa, sizeof any.in6);
}

static int open_socket(struct udp_socket *s, int family, int rcvbuf)
{
    const char *name = family == AF_INET ? "IPv4" : "IPv6";
    int rc;

    s->family = family;
    s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind_any(s->fd, family) < 0) {
        rc = pd_err_from_errno(errno);
        log_warn("snmp", "no %s socket: %s", name, strerror(errno));
        if (s->fd >= 0)
            close(s->fd);
        s->fd = -1;
        return rc;
    }
    forbid_fragments(s->fd, family);
    s->buffer = set_buffer(s->fd, rcvbuf);
    log_info("snmp", "%s receive buffer: %zu bytes (asked for %d, which the kernel counts twice)", name, s->buffer,
             rcvbuf);
    return 0;
}

int snmp_udp_open(const struct pd_services *services, int rcvbuf, struct snmp_udp **out)
{
    struct snmp_udp *u = xcalloc(1, sizeof *u);
    int rc4, rc6;

    u->services = services;
    rc4 = open_socket(&u->sockets[0], AF_INET, rcvbuf);
    rc6 = open_socket(&u->sockets[1], AF_INET6, rcvbuf);
    if (rc4 < 0 && rc6 < 0) {
        free(u);
        return rc4;
    }
    u->data = xmalloc(SNMP_BATCH * sizeof *u->data);
    *out = u;
    return 0;
}

void snmp_udp_close(struct snmp_udp *u)
{
    if (!u)
        return;
    for (int i = 0; i < SOCKETS; i++) {
        if (u->sockets[i].watch)
            u->services->unwatch(u->sockets[i].watch);
        if (u->sockets[i].fd >= 0)
            close(u->sockets[i].fd);
    }
    free(u->data);
    free(u);
}

static struct udp_socket *socket_of(struct snmp_udp *u, int family)
{
    return &u->sockets[family == AF_INET ? 0 : 1];
}

/* The rest of a batch, from p[0] on: how many went, or -1 and errno for p[0]. */
static int send_some(int fd, struct snmp_packet *p, size_t n)
{
    struct mmsghdr m[SNMP_BATCH];
    struct iovec iov[SNMP_BATCH];

    memset(m, 0, n * sizeof *m);
    for (size_t i = 0; i < n; i++) {
        iov[i] = (struct iovec){.iov_base = p[i].data, .iov_len = p[i].n};
        m[i].msg_hdr.msg_name = &p[i].addr;
        m[i].msg_hdr.msg_namelen = pd_addr_size(&p[i].addr);
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    return sendmmsg(fd, m, (unsigned)n, 0);
}

static size_t udp_send(void *ctx, struct snmp_packet *p, size_t n)
{
    struct udp_socket *s = socket_of(ctx, p->addr.sa.sa_family);
    size_t done = 0;

    n = n < SNMP_BATCH ? n : SNMP_BATCH;
    while (done < n) {
        int sent = s->fd < 0 ? -1 : send_some(s->fd, p + done, n - done);

        if (sent < 0 && s->fd >= 0 && errno == EINTR)
            continue;
        if (sent < 0 && s->fd >= 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS))
            break;
        if (sent < 0) {
            p[done++].err = s->fd < 0 ? EAFNOSUPPORT : errno;
            continue;
        }
        for (; sent > 0; sent--)
            p[done++].err = 0;
    }
    return done;
}

static size_t recv_some(struct snmp_udp *u, int fd, struct snmp_packet *p, size_t n)
{
    struct mmsghdr m[SNMP_BATCH];
    struct iovec iov[SNMP_BATCH];
    int got;

    memset(m, 0, n * sizeof *m);
    for (size_t i = 0; i < n; i++) {
        iov[i] = (struct iovec){.iov_base = u->data[i], .iov_len = RECV_SIZE};
        m[i].msg_hdr.msg_name = &p[i].addr;
        m[i].msg_hdr.msg_namelen = sizeof p[i].addr;
        m[i].msg_hdr.msg_iov = &iov[i];
        m[i].msg_hdr.msg_iovlen = 1;
    }
    got = recvmmsg(fd, m, (unsigned)n, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
        p[i].data = u->data[i];
        p[i].n = m[i].msg_len;
    }
    return got > 0 ? (size_t)got : 0;
}

static size_t udp_recv(void *ctx, struct snmp_packet *p, size_t n)
{
    struct snmp_udp *u = ctx;
    size_t got = 0;

    n = n < SNMP_BATCH ? n : SNMP_BATCH;
    for (int i = 0; i < SOCKETS && !got; i++) {
        struct udp_socket *s = &u->sockets[u->turn];

        u->turn = (u->turn + 1) % SOCKETS;
        if (s->fd >= 0 && (s->ready || !s->watch))
            got = recv_some(u, s->fd, p, n);
        s->ready = s->ready && got == n;
    }
    return got;
}

static size_t udp_buffer(void *ctx, int family)
{
    return socket_of(ctx, family)->buffer;
}

static void on_readable(void *arg)
{
    struct udp_socket *s = arg;

    s->ready = true;
    s->udp->readable(s->udp->arg);
}

static void udp_listen(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct snmp_udp *u = ctx;

    u->readable = readable;
    u->arg = arg;
    for (int i = 0; i < SOCKETS; i++) {
        struct udp_socket *s = &u->sockets[i];

        s->udp = u;
        if (s->fd >= 0 && u->services->watch_read)
            s->watch = u->services->watch_read(u->services->loop, s->fd, on_readable, s);
    }
}

struct snmp_net snmp_udp_net(struct snmp_udp *u)
{
    return (struct snmp_net){.send = udp_send, .recv = udp_recv, .buffer = udp_buffer, .listen = udp_listen, .ctx = u};
}
