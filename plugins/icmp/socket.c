#include "plugins/icmp/socket.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "plugins/icmp/icmp.h"

enum {
    FAMILIES = 2,
    ERRORS_AT_ONCE = 64,
    RECV_SIZE = 2048, /* our replies are short, and errors quote no more than 1280 bytes */
    FILTER4 = 1,      /* ICMP_FILTER of SOL_RAW: a bit for each type that is not wanted (linux/icmp.h, raw(7)) */
};

struct kernel {
    const struct pd_services *services;
    struct pd_icmp_sockets sockets;
    struct pd_watch *watches[FAMILIES];
    int turn; /* the family that is read first: neither may starve the other */
    uint8_t data[RECV_SIZE];
};

static int place(int family)
{
    return family == AF_INET ? 0 : 1;
}

/* ---- Opening ---- */

/* Else every message to this machine would come by, our own requests over the loopback among them. */
static void filter4(int fd)
{
    uint32_t unwanted = ~((UINT32_C(1) << 0) | (UINT32_C(1) << 3) | (UINT32_C(1) << 11) | (UINT32_C(1) << 12));

    (void)setsockopt(fd, IPPROTO_RAW, FILTER4, &unwanted, sizeof unwanted);
}

static void filter6(int fd)
{
    static const int wanted[] = {ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB,
                                 ICMP6_ECHO_REPLY};
    struct icmp6_filter filter;

    ICMP6_FILTER_SETBLOCKALL(&filter);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ICMP6_FILTER_SETPASS(wanted[i], &filter);
    (void)setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter);
}

static int open_way(int family, enum icmp_way way)
{
    int type = (way == ICMP_RAW ? SOCK_RAW : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(family, type, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    union pd_addr any = {.sa = {.sa_family = (sa_family_t)family}};

    if (fd < 0)
        return -1;
    if (way == ICMP_RAW && family == AF_INET)
        filter4(fd);
    else if (way == ICMP_RAW)
        filter6(fd);
    else if (bind(fd, &any.sa, pd_addr_size(&any)) < 0) { /* which gives it its id */
        close(fd);
        return -1;
    }
    return fd;
}

void pd_icmp_open(struct pd_icmp_sockets *out)
{
    static const int families[FAMILIES] = {AF_INET, AF_INET6};
    static const enum icmp_way ways[] = {ICMP_RAW, ICMP_DATAGRAM};

    for (int i = 0; i < FAMILIES; i++) {
        out->family[i].fd = -1;
        out->family[i].way = ICMP_NOT;
        for (size_t w = 0; w < sizeof ways / sizeof *ways && out->family[i].fd < 0; w++) {
            out->family[i].fd = open_way(families[i], ways[w]);
            out->family[i].way = out->family[i].fd < 0 ? ICMP_NOT : ways[w];
        }
    }
}

/* ---- The network ---- */

static enum icmp_way kernel_way(void *ctx, int family)
{
    const struct kernel *k = ctx;

    return k->sockets.family[place(family)].way;
}

static uint16_t kernel_id(void *ctx, int family, uint16_t own)
{
    const struct kernel *k = ctx;
    union pd_addr bound;
    socklen_t n = sizeof bound;

    if (kernel_way(ctx, family) != ICMP_DATAGRAM)
        return own;
    if (getsockname(k->sockets.family[place(family)].fd, &bound.sa, &n) < 0)
        return 0;
    return pd_addr_port(&bound);
}

static int kernel_send(void *ctx, const union pd_addr *to, const uint8_t *data, size_t n)
{
    const struct kernel *k = ctx;
    int fd = k->sockets.family[place(to->sa.sa_family)].fd;

    for (;;) {
        if (sendto(fd, data, n, 0, &to->sa, pd_addr_size(to)) >= 0)
            return 0;
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
            return PD_EBUSY;
        if (errno != EINTR)
            return pd_err_from_errno(errno);
    }
}

/* An error in the queue of a socket is of some earlier packet: it is taken off, and the next one tried. */
static bool recv_one(struct kernel *k, int fd, struct icmp_packet *out)
{
    struct iovec iov = {.iov_base = k->data, .iov_len = sizeof k->data};

    for (int i = 0; i < ERRORS_AT_ONCE; i++) {
        struct msghdr m = {.msg_name = &out->from, .msg_namelen = sizeof out->from, .msg_iov = &iov, .msg_iovlen = 1};
        ssize_t got = recvmsg(fd, &m, MSG_DONTWAIT);

        if (got >= 0) {
            out->data = k->data;
            out->n = (size_t)got;
            out->cut = (m.msg_flags & MSG_TRUNC) != 0;
            return true;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EBADF || errno == ENOMEM)
            return false;
    }
    return false;
}

static bool kernel_recv(void *ctx, struct icmp_packet *out)
{
    struct kernel *k = ctx;

    for (int i = 0; i < FAMILIES; i++) {
        int fd = k->sockets.family[k->turn].fd;

        k->turn = (k->turn + 1) % FAMILIES;
        if (fd >= 0 && recv_one(k, fd, out))
            return true;
    }
    return false;
}

static int64_t kernel_now_us(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void kernel_listen(void *ctx, void (*readable)(void *arg), void *arg)
{
    struct kernel *k = ctx;

    for (int i = 0; i < FAMILIES; i++)
        if (k->sockets.family[i].fd >= 0 && k->services->watch_read)
            k->watches[i] = k->services->watch_read(k->services->loop, k->sockets.family[i].fd, readable, arg);
}

static void kernel_close(void *ctx)
{
    struct kernel *k = ctx;

    for (int i = 0; i < FAMILIES; i++) {
        if (k->watches[i])
            k->services->unwatch(k->watches[i]);
        if (k->sockets.family[i].fd >= 0)
            close(k->sockets.family[i].fd);
    }
    free(k);
}

struct icmp_net icmp_kernel_net(const struct pd_services *services, const struct pd_icmp_sockets *sockets)
{
    struct kernel *k = xcalloc(1, sizeof *k);

    k->services = services;
    if (sockets)
        k->sockets = *sockets;
    else
        pd_icmp_open(&k->sockets);
    return (struct icmp_net){
        .way = kernel_way,
        .id = kernel_id,
        .send = kernel_send,
        .recv = kernel_recv,
        .now_us = kernel_now_us,
        .listen = kernel_listen,
        .close = kernel_close,
        .ctx = k,
    };
}
