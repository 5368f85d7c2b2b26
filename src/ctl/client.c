#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/* Far more than any honest answer: a page of 5,000 rows is some megabytes. */
enum { MAX_LINE = 64 << 20 };

struct client {
    int fd;
    json_int_t last_id;
    struct sbuf in; /* what was received and not yet used */
    size_t scanned; /* of it, known to hold no line end */
};

int client_open(const char *path, struct client **out)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    struct client *c;
    int fd;

    if (strlen(path) >= sizeof addr.sun_path)
        return PD_ERANGE;
    memcpy(addr.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return pd_err_from_errno(errno);
    if (connect(fd, (const struct sockaddr *)&addr, sizeof addr) < 0) {
        int err = pd_err_from_errno(errno);

        close(fd);
        return err;
    }
    c = xcalloc(1, sizeof *c);
    c->fd = fd;
    *out = c;
    return 0;
}

void client_close(struct client *c)
{
    if (!c)
        return;
    close(c->fd);
    sbuf_free(&c->in);
    free(c);
}

static int send_all(struct client *c, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(c->fd, data, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return pd_err_from_errno(errno);
        data += sent;
        n -= (size_t)sent;
    }
    return 0;
}

/* False when out_fd is a pipe that nobody reads any more. */
static bool wait_readable(const struct client *c, int out_fd)
{
    struct pollfd fds[] = {{.fd = c->fd, .events = POLLIN}, {.fd = out_fd}};

    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    return fds[0].revents || !(fds[1].revents & POLLERR);
}

/* Receives until a whole line is there; its length without the line end. */
static int wait_line(struct client *c, int out_fd, size_t *len)
{
    for (;;) {
        char *end = c->in.n > c->scanned ? memchr(c->in.s + c->scanned, '\n', c->in.n - c->scanned) : NULL;
        char chunk[65536];
        ssize_t got;

        if (end) {
            *len = (size_t)(end - c->in.s);
            return 0;
        }
        c->scanned = c->in.n;
        if (c->in.n > MAX_LINE)
            return PD_EPROTO;
        if (!wait_readable(c, out_fd))
            return PD_ECANCELLED;
        got = recv(c->fd, chunk, sizeof chunk, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return pd_err_from_errno(errno);
        if (got == 0)
            return PD_ECONN;
        sbuf_addn(&c->in, chunk, (size_t)got);
    }
}

int client_next(struct client *c, int out_fd, json_t **line)
{
    size_t len = 0;
    int rc = wait_line(c, out_fd, &len);
    json_t *j;

    if (rc != 0)
        return rc;
    j = json_loadb(c->in.s, len, JSON_REJECT_DUPLICATES, NULL);
    c->in.n -= len + 1;
    memmove(c->in.s, c->in.s + len + 1, c->in.n);
    c->scanned = 0;
    if (!json_is_object(j)) {
        json_decref(j);
        return PD_EPROTO;
    }
    *line = j;
    return 0;
}

int client_ask(struct client *c, json_t *request, json_t **answer)
{
    json_int_t id = ++c->last_id;
    char *text;
    int rc;

    json_object_set_new(request, "id", json_integer(id));
    text = json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (!text)
        return PD_EINVAL;
    rc = send_all(c, text, strlen(text));
    if (rc == 0)
        rc = send_all(c, "\n", 1);
    free(text);
    while (rc == 0) {
        json_t *line;

        rc = client_next(c, -1, &line);
        if (rc != 0)
            break;
        /* A request that was not understood is answered without its id. */
        if (json_integer_value(json_object_get(line, "id")) == id || json_is_null(json_object_get(line, "id"))) {
            *answer = line;
            return 0;
        }
        json_decref(line);
    }
    return rc;
}
