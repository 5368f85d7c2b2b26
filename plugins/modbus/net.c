#include "plugins/modbus/net.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

/*
 * All connections are in one epoll set, which the loop watches. They are edge-triggered, for reading and writing at
 * once: a connection is entered when it begins and touched no more, and what was told is not looked at again. So
 * whoever is told goes on until nothing is left to do.
 */

enum { BATCH = 64 };

struct tcp_net {
    const struct pd_services *services;
    int epoll; /* -1: none yet */
    struct pd_watch *watch;
    struct epoll_event batch[BATCH]; /* those from `at` to `n` are still to be told; without ptr: closed meanwhile */
    int at, n;
    bool telling, gone; /* gone: freed by one that was told */
};

struct mb_conn {
    struct tcp_net *net;
    int fd;
    bool again;   /* there may be more to do */
    bool closing; /* the peer sends no more, or the connection is broken */
    void (*ready)(void *arg);
    void *arg;
};

static void tell(const struct epoll_event *e)
{
    struct mb_conn *c = e->data.ptr;

    if (!c)
        return;
    c->closing |= (e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    do {
        c->again = false;
        c->ready(c->arg);
    } while (e->data.ptr && c->again);
}

static void on_events(void *arg)
{
    struct tcp_net *t = arg;

    t->n = epoll_wait(t->epoll, t->batch, BATCH, 0);
    t->telling = true;
    for (t->at = 0; t->at < t->n; t->at++)
        tell(&t->batch[t->at]);
    t->telling = false;
    if (t->gone)
        free(t);
}

/* Waits for the first connection, so that a collector without any has no descriptor. */
static int open_set(struct tcp_net *t)
{
    if (t->epoll >= 0)
        return 0;
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (t->epoll < 0)
        return -errno;
    t->watch = t->services->watch_read(t->services->loop, t->epoll, on_events, t);
    if (t->watch)
        return 0;
    close(t->epoll);
    t->epoll = -1;
    return -ENOMEM;
}

static void tcp_close(struct mb_conn *c)
{
    struct tcp_net *t;

    if (!c)
        return;
    t = c->net;
    for (int i = t->at; t->telling && i < t->n; i++) {
        if (t->batch[i].data.ptr == c)
            t->batch[i].data.ptr = NULL;
    }
    if (c->fd >= 0) {
        /* By itself it would only leave with the last copy of the descriptor, which a fork may have. */
        (void)epoll_ctl(t->epoll, EPOLL_CTL_DEL, c->fd, NULL);
        close(c->fd);
    }
    free(c);
}

static int begin(struct mb_conn *c, const union pd_addr *to)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};
    int on = 1;

    c->fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return -errno;
    /* A request is one small packet that must not wait for the next. */
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, &to->sa, pd_addr_size(to)) < 0 && errno != EINPROGRESS)
        return -errno;
    return epoll_ctl(c->net->epoll, EPOLL_CTL_ADD, c->fd, &e) < 0 ? -errno : 0;
}

static int tcp_connect(void *ctx, const union pd_addr *to, void (*ready)(void *arg), void *arg, struct mb_conn **out)
{
    struct tcp_net *t = ctx;
    struct mb_conn *c;
    int rc = open_set(t);

    if (rc < 0)
        return rc;
    c = xcalloc(1, sizeof *c);
    c->net = t;
    c->ready = ready;
    c->arg = arg;
    rc = begin(c, to);
    if (rc < 0)
        tcp_close(c);
    else
        *out = c;
    return rc;
}

static int tcp_connected(struct mb_conn *c)
{
    union pd_addr peer;
    socklen_t n = sizeof peer;
    int err = 0;
    socklen_t nerr = sizeof err;

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &nerr) < 0)
        err = errno;
    if (err)
        return -err;
    if (getpeername(c->fd, &peer.sa, &n) < 0)
        return errno == ENOTCONN ? 1 : -errno;
    c->again = true; /* something may have come at once */
    return 0;
}

static ssize_t tcp_send(struct mb_conn *c, const void *p, size_t n)
{
    ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
        return -errno;
    c->net->services->expect(c->net->services->loop);
    return sent < 0 ? 0 : sent;
}

static ssize_t tcp_recv(struct mb_conn *c, void *p, size_t n)
{
    ssize_t got = recv(c->fd, p, n, MSG_DONTWAIT);

    if (got == 0)
        return -EPIPE;
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
    /* Less than there is room for: there is no more, but for the end. */
    c->again = (size_t)got == n || c->closing;
    return got;
}

static void tcp_free(void *ctx)
{
    struct tcp_net *t = ctx;

    if (t->epoll >= 0) {
        t->services->unwatch(t->watch);
        close(t->epoll);
    }
    if (t->telling)
        t->gone = true;
    else
        free(t);
}

struct mb_net mb_tcp_net(const struct pd_services *services)
{
    struct tcp_net *t = xcalloc(1, sizeof *t);

    t->services = services;
    t->epoll = -1;
    return (struct mb_net){.connect = tcp_connect,
                           .connected = tcp_connected,
                           .send = tcp_send,
                           .recv = tcp_recv,
                           .close = tcp_close,
                           .free = tcp_free,
                           .ctx = t};
}
