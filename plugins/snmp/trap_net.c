#include "plugins/snmp/trap_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

enum { RECV_SIZE = 65536, MAX_SOCKETS = 16 };

/* What the kernel says of a packet, and is told of an answer: by which of our addresses. */
union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

struct trap_socket {
    int fd, family;
    struct pd_watch *watch;
};

struct trap_udp {
    const struct pd_services *services;
    ARRAY(struct trap_socket) sockets;
    size_t turn; /* the socket that is read first: none may starve the others */
    uint8_t (*data)[RECV_SIZE];
    union control(*controls);
};

/* ---- Opening ---- */

int trap_listen_at(const char *host, uint16_t port, union pd_addr *out)
{
    union pd_addr a = {.in = {.sin_family = AF_INET, .sin_port = htons(port)}};

    if (inet_pton(AF_INET, host, &a.in.sin_addr) != 1) {
        a = (union pd_addr){.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
        if (inet_pton(AF_INET6, host, &a.in6.sin6_addr) != 1)
            return PD_EINVAL;
    }
    *out = a;
    return 0;
}

static void set_buffer(int fd, int want)
{
    int got = 0;
    socklen_t n = sizeof got;

    /* Who handed the socket over may have been allowed more than we are. */
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &n) == 0 && got / 2 < want)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof want);
    if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &n) < 0)
        got = 0;
    log_info("snmp", "receive buffer for traps: %d bytes (asked for %d, which the kernel counts twice)", got, want);
}

static void take_socket(struct trap_udp *u, int fd, int family, int rcvbuf)
{
    int on = 1;

    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (family == AF_INET)
        (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
    else
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    set_buffer(fd, rcvbuf);
    array_push(&u->sockets, ((struct trap_socket){.fd = fd, .family = family}));
}

/* A descriptor from somebody else: of a UDP socket, or it is of no use. */
static void adopt(struct trap_udp *u, int fd, int rcvbuf)
{
    int family = 0, type = 0;
    socklen_t n = sizeof family, m = sizeof type;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) == 0 &&
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_DGRAM &&
        (family == AF_INET || family == AF_INET6) && u->sockets.n < MAX_SOCKETS) {
        take_socket(u, fd, family, rcvbuf);
        return;
    }
    log_warn("snmp", "descriptor %d, handed over for traps, is no UDP socket", fd);
    close(fd);
}

static void open_at(struct trap_udp *u, const union pd_addr *at, int rcvbuf)
{
    int family = at->sa.sa_family, on = 1;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char text[PD_ADDR_TEXT];

    if (fd >= 0 && u->sockets.n < MAX_SOCKETS &&
        (family == AF_INET || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
        bind(fd, &at->sa, pd_addr_size(at)) == 0) {
        take_socket(u, fd, family, rcvbuf);
        return;
    }
    pd_addr_text(at, text);
    log_error("snmp", "no traps are heard at %s: %s", text, strerror(errno));
    if (fd >= 0)
        close(fd);
}

int trap_udp_open(const struct pd_services *services, const struct trap_udp_config *config, struct trap_udp **out)
{
    struct trap_udp *u = xcalloc(1, sizeof *u);

    u->services = services;
    for (size_t i = 0; i < config->nfds; i++)
        adopt(u, config->fds[i], config->rcvbuf);
    for (size_t i = 0; i < config->nlisten; i++)
        open_at(u, &config->listen[i], config->rcvbuf);
    if (u->sockets.n == 0) {
        trap_udp_close(u);
        return PD_ENOENT;
    }
    u->data = xmalloc(TRAP_BATCH * sizeof *u->data);
    u->controls = xcalloc(TRAP_BATCH, sizeof *u->controls);
    *out = u;
    return 0;
}

void trap_udp_close(struct trap_udp *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < u->sockets.n; i++) {
        if (u->sockets.v[i].watch)
            u->services->unwatch(u->sockets.v[i].watch);
        close(u->sockets.v[i].fd);
    }
    array_free(&u->sockets);
    free(u->data);
    free(u->controls);
    free(u);
}

/* ---- Receiving ---- */

/* An IPv4 sender at a socket of both families. */
static void unmap(union pd_addr *a)
{
    union pd_addr v4 = {.in = {.sin_family = AF_INET, .sin_port = a->in6.sin6_port}};

    if (a->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
        return;
    memcpy(&v4.in.sin_addr, a->in6.sin6_addr.s6_addr + 12, sizeof v4.in.sin_addr);
    *a = v4;
}

static void read_control(struct msghdr *h, struct trap_packet *p)
{
    p->to = (union pd_addr){0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof info);
            p->to.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = info.ipi_spec_dst};
            p->interface = (uint32_t)info.ipi_ifindex;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof info);
            p->to.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr};
            p->interface = info.ipi6_ifindex;
        }
    }
}

static size_t recv_some(struct trap_udp *u, size_t socket, struct trap_packet *p, size_t n)
{
    struct mmsghdr m[TRAP_BATCH];
    struct iovec iov[TRAP_BATCH];
    int got;

    memset(m, 0, n * sizeof *m);
    for (size_t i = 0; i < n; i++) {
        iov[i] = (struct iovec){.iov_base = u->data[i], .iov_len = RECV_SIZE};
        m[i].msg_hdr = (struct msghdr){
            .msg_name = &p[i].from,
            .msg_namelen = sizeof p[i].from,
            .msg_iov = &iov[i],
            .msg_iovlen = 1,
            .msg_control = &u->controls[i],
            .msg_controllen = sizeof u->controls[i],
        };
    }
    got = recvmmsg(u->sockets.v[socket].fd, m, (unsigned)n, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
        p[i].data = u->data[i];
        p[i].n = m[i].msg_len;
        p[i].socket = (uint8_t)socket;
        p[i].interface = 0;
        read_control(&m[i].msg_hdr, &p[i]);
        unmap(&p[i].from);
    }
    return got > 0 ? (size_t)got : 0;
}

static size_t udp_recv(void *ctx, struct trap_packet *p, size_t n)
{
    struct trap_udp *u = ctx;
    size_t got = 0;

    n = n < TRAP_BATCH ? n : TRAP_BATCH;
    for (size_t i = 0; i < u->sockets.n && !got; i++) {
        u->turn = (u->turn + 1) % u->sockets.n;
        got = recv_some(u, u->turn, p, n);
    }
    return got;
}

/* ---- Answering ---- */

static union pd_addr map(const union pd_addr *a)
{
    union pd_addr v6 = {.in6 = {.sin6_family = AF_INET6, .sin6_port = a->in.sin_port}};

    if (a->sa.sa_family != AF_INET)
        return *a;
    v6.in6.sin6_addr.s6_addr[10] = v6.in6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(v6.in6.sin6_addr.s6_addr + 12, &a->in.sin_addr, sizeof a->in.sin_addr);
    return v6;
}

/* The answer comes from the address that was asked, or who asked may not take it. */
static void write_control(struct msghdr *h, union control *room, const struct trap_packet *p)
{
    struct in_pktinfo v4 = {.ipi_spec_dst = p->to.in.sin_addr};
    struct in6_pktinfo v6 = {.ipi6_addr = p->to.in6.sin6_addr};
    bool is6 = p->to.sa.sa_family == AF_INET6;
    size_t n = is6 ? sizeof v6 : sizeof v4;

    if (is6 && IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr))
        v6.ipi6_ifindex = p->interface;
    h->msg_control = room;
    h->msg_controllen = CMSG_SPACE(n);
    room->head = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(n),
        .cmsg_level = is6 ? IPPROTO_IPV6 : IPPROTO_IP,
        .cmsg_type = is6 ? IPV6_PKTINFO : IP_PKTINFO,
    };
    memcpy(CMSG_DATA(&room->head), is6 ? (const void *)&v6 : &v4, n);
}

static bool udp_send(void *ctx, const struct trap_packet *p, const uint8_t *data, size_t n)
{
    struct trap_udp *u = ctx;
    const struct trap_socket *s = &u->sockets.v[p->socket];
    union pd_addr to = s->family == AF_INET6 ? map(&p->from) : p->from;
    struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = n};
    struct msghdr h = {.msg_name = &to, .msg_namelen = pd_addr_size(&to), .msg_iov = &iov, .msg_iovlen = 1};
    union control room = {0};

    if (p->to.sa.sa_family)
        write_control(&h, &room, p);
    return sendmsg(s->fd, &h, MSG_DONTWAIT) >= 0;
}

static void udp_listen(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct trap_udp *u = ctx;

    for (size_t i = 0; i < u->sockets.n && u->services->watch_read; i++)
        u->sockets.v[i].watch = u->services->watch_read(u->services->loop, u->sockets.v[i].fd, readable, arg);
}

struct trap_net trap_udp_net(struct trap_udp *u)
{
    return (struct trap_net){.recv = udp_recv, .send = udp_send, .listen = udp_listen, .ctx = u};
}
