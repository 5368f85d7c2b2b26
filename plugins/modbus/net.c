#include "plugins/modbus/net.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

struct mb_conn {
    const struct pd_services *services;
    int fd;
    struct pd_watch *read, *write; /* write: while connecting, and while something could not be sent */
    void (*ready)(void *arg);
    void *arg;
};

static bool watch_write(struct mb_conn *c)
{
    if (!c->write)
        c->write = c->services->watch_write(c->services->loop, c->fd, c->ready, c->arg);
    return c->write != NULL;
}

static void unwatch_write(struct mb_conn *c)
{
    c->services->unwatch(c->write);
    c->write = NULL;
}

static void tcp_close(struct mb_conn *c)
{
    if (!c)
        return;
    unwatch_write(c);
    c->services->unwatch(c->read);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

static int begin(struct mb_conn *c, const union pd_addr *to)
{
    int on = 1;

    c->fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return -errno;
    /* A request is one small packet that must not wait for the next. */
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(c->fd, &to->sa, pd_addr_size(to)) < 0 && errno != EINPROGRESS)
        return -errno;
    return watch_write(c) ? 0 : -ENOMEM;
}

static int tcp_connect(void *ctx, const union pd_addr *to, void (*ready)(void *arg), void *arg, struct mb_conn **out)
{
    const struct pd_services *services = ctx;
    struct mb_conn *c = xcalloc(1, sizeof *c);
    int rc;

    c->services = services;
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
    unwatch_write(c);
    c->read = c->services->watch_read(c->services->loop, c->fd, c->ready, c->arg);
    return c->read ? 0 : -ENOMEM;
}

static ssize_t tcp_send(struct mb_conn *c, const void *p, size_t n)
{
    ssize_t sent = send(c->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        sent = 0;
    if (sent < 0)
        return -errno;
    if ((size_t)sent < n && !watch_write(c))
        return -ENOMEM;
    if ((size_t)sent == n && c->write)
        unwatch_write(c);
    c->services->expect(c->services->loop);
    return sent;
}

static ssize_t tcp_recv(struct mb_conn *c, void *p, size_t n)
{
    ssize_t got = recv(c->fd, p, n, MSG_DONTWAIT);

    if (got > 0)
        return got;
    if (got == 0)
        return -EPIPE;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
}

struct mb_net mb_tcp_net(const struct pd_services *services)
{
    return (struct mb_net){.connect = tcp_connect,
                           .connected = tcp_connected,
                           .send = tcp_send,
                           .recv = tcp_recv,
                           .close = tcp_close,
                           .ctx = (void *)(uintptr_t)services}; /* which is not changed */
}
