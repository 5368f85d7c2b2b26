#include "modserver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "gate.h"

struct client {
    TAILQ_ENTRY(client) link;
    struct modserver *server;
    int fd;
    struct pd_watch *watch;
    uint8_t in[2 * MB_MAX_FRAME];
    size_t nin;
};

struct modserver {
    struct modserver_config config;
    char *address;
    int fd;
    struct pd_watch *watch;
    TAILQ_HEAD(, client) clients; /* whoever spoke last is last */
    unsigned nclients;
};

static void hang_up(struct client *c)
{
    struct modserver *s = c->server;

    TAILQ_REMOVE(&s->clients, c, link);
    s->nclients--;
    s->config.services->unwatch(c->watch);
    close(c->fd);
    free(c);
}

/* False if the client is gone. What does not fit its socket's buffer is no client of ours. */
static bool answer(struct client *c, const struct mb_frame *f)
{
    const struct modserver_config *config = &c->server->config;
    uint8_t out[MB_MAX_FRAME];
    size_t n = gate_answer(config->site, c->server->address, config->now(config->ctx), f, out);

    return n == 0 || send(c->fd, out, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n;
}

/* Takes all whole frames off the buffer; false if the client is to be hung up on. */
static bool take_frames(struct client *c)
{
    struct mb_frame f;
    size_t at = 0;
    int rc;

    while ((rc = mb_frame_decode(c->in + at, c->nin - at, &f)) == 0) {
        at += f.size;
        if (!answer(c, &f))
            return false;
    }
    memmove(c->in, c->in + at, c->nin - at);
    c->nin -= at;
    return rc == PD_EBUSY;
}

static void on_data(void *arg)
{
    struct client *c = arg;
    ssize_t n = recv(c->fd, c->in + c->nin, sizeof c->in - c->nin, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        hang_up(c);
        return;
    }
    TAILQ_REMOVE(&c->server->clients, c, link);
    TAILQ_INSERT_TAIL(&c->server->clients, c, link);
    c->nin += (size_t)n;
    if (!take_frames(c))
        hang_up(c);
}

static void on_client(void *arg)
{
    struct modserver *s = arg;
    int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
    struct client *c;

    if (fd < 0)
        return;
    if (s->nclients == MODSERVER_CLIENTS)
        hang_up(TAILQ_FIRST(&s->clients));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c = xcalloc(1, sizeof *c);
    c->server = s;
    c->fd = fd;
    c->watch = s->config.services->watch_read(s->config.services->loop, fd, on_data, c);
    TAILQ_INSERT_TAIL(&s->clients, c, link);
    s->nclients++;
}

static int listen_at(const struct modserver_config *config, const struct sockaddr_in *at, char **why)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, rc;

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (const struct sockaddr *)at, sizeof *at) == 0 && listen(fd, MODSERVER_CLIENTS) == 0)
        return fd;
    rc = pd_err_from_errno(errno);
    *why = xasprintf("%s port %u (Modbus): %s", config->address, config->port, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

int modserver_start(const struct modserver_config *config, struct modserver **out, char **why)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(config->port)};
    struct modserver *s;
    int fd;

    if (inet_pton(AF_INET, config->address, &at.sin_addr) != 1 || ntohl(at.sin_addr.s_addr) >> 24 != 127) {
        *why = xasprintf("%s: a simulated device lives at an address of 127.0.0.0/8", config->address);
        return PD_EINVAL;
    }
    fd = listen_at(config, &at, why);
    if (fd < 0)
        return fd;
    s = xcalloc(1, sizeof *s);
    s->config = *config;
    s->address = xstrdup(config->address);
    s->fd = fd;
    TAILQ_INIT(&s->clients);
    s->watch = config->services->watch_read(config->services->loop, fd, on_client, s);
    *out = s;
    return 0;
}

void modserver_stop(struct modserver *s)
{
    if (s == NULL)
        return;
    while (!TAILQ_EMPTY(&s->clients))
        hang_up(TAILQ_FIRST(&s->clients)); /* takes itself off the list */ // NOLINT(clang-analyzer-unix.Malloc)
    s->config.services->unwatch(s->watch);
    close(s->fd);
    free(s->address);
    free(s);
}
