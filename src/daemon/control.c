#include "daemon/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/conn.h"
#include "daemon/listen.h"

enum {
    READ_BYTES = 256 << 10, /* taken in at once: a long line is looked through as often as it grows */
    MAX_LINE = 8 << 20,     /* of a request: an import of 10,000 rows is some megabytes */
    MAX_CONNECTIONS = 64,   /* more are refused */
    MAX_REQUESTS = 8,       /* under way on one connection; its reading waits beyond */
    ACCEPT_PAUSE_S = 1,
};

/* ---- Connections ---- */

void conn_send(struct connection *conn, struct sbuf *line)
{
    if (conn->bev) {
        sbuf_addc(line, '\n');
        bufferevent_write(conn->bev, line->s, line->n);
    }
    sbuf_free(line);
}

bool conn_output_full(const struct connection *conn)
{
    return evbuffer_get_length(bufferevent_get_output(conn->bev)) > OUTPUT_HIGH;
}

void conn_settle(struct connection *conn)
{
    if (conn->bev || conn->under_way > 0)
        return;
    for (size_t i = 0; i < conn->tails.n; i++)
        tail_free(conn->tails.v[i]);
    array_free(&conn->tails);
    free(conn->actor);
    free(conn);
}

/* The peer is gone or is sent away. Answers under way are thrown away when they come. */
static void conn_close(struct connection *conn)
{
    struct control *c = conn->control;

    if (!conn->bev)
        return;
    bufferevent_free(conn->bev);
    conn->bev = NULL;
    array_remove(&c->connections, conn->place);
    for (size_t i = conn->place; i < c->connections.n; i++)
        c->connections.v[i]->place = i;
    conn->control = NULL;
    conn_settle(conn);
}

/*
 * Lines that waited are taken up again, but from the loop: an answer comes from
 * inside what was decided, and nothing else may be decided in there.
 */
void conn_resume_reading(struct connection *conn)
{
    bufferevent_trigger(conn->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

/* ---- Lines ---- */

static bool has_line(struct connection *conn)
{
    return evbuffer_search_eol(bufferevent_get_input(conn->bev), NULL, NULL, EVBUFFER_EOL_LF).pos >= 0;
}

/* Nothing more is taken from the peer; its tails end. What was asked before is still answered. */
static void leave(struct connection *conn)
{
    conn->leaving = true;
    bufferevent_disable(conn->bev, EV_READ);
    for (size_t i = 0; i < conn->tails.n; i++)
        conn->tails.v[i]->after = INT64_MAX;
}

/* Takes up whole lines while answers keep up. May close the connection. */
static void read_lines(struct connection *conn)
{
    struct evbuffer *in = bufferevent_get_input(conn->bev);

    while (conn->under_way < MAX_REQUESTS && !conn_output_full(conn)) {
        size_t n;
        char *line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF);

        if (!line)
            break;
        request_take_line(conn, line, n);
        free(line);
    }
    if (!conn->leaving && evbuffer_get_length(in) >= MAX_LINE && !has_line(conn)) {
        conn_send_error(conn, NULL, PD_ERANGE, "a request line has at most 8 MiB");
        leave(conn);
    }
    if (conn->leaving && conn->under_way == 0 && !has_line(conn) &&
        evbuffer_get_length(bufferevent_get_output(conn->bev)) == 0)
        conn_close(conn);
}

static void on_readable(struct bufferevent *bev, void *arg)
{
    (void)bev;
    read_lines(arg);
}

/* The reader caught up: what waited for it goes on. */
static void on_written(struct bufferevent *bev, void *arg)
{
    struct connection *conn = arg;

    (void)bev;
    for (size_t i = 0; i < conn->tails.n; i++)
        tail_ask(conn->tails.v[i]);
    read_lines(conn);
}

/* A peer may end its side and still wait for answers. */
static void on_event(struct bufferevent *bev, short what, void *arg)
{
    struct connection *conn = arg;

    (void)bev;
    if (what & BEV_EVENT_ERROR) {
        conn_close(conn);
    } else if (what & BEV_EVENT_EOF) {
        leave(conn);
        read_lines(conn);
    }
}

void control_adopt(struct control *c, int fd, const char *actor)
{
    struct connection *conn;

    if (c->connections.n == MAX_CONNECTIONS) {
        static const char why[] =
            "{\"id\":null,\"error\":{\"code\":\"busy\",\"text\":\"too many connections are open\"}}\n";

        log_warn("control", "refused a connection of %s: %d are open", actor, MAX_CONNECTIONS);
        if (send(fd, why, sizeof why - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            log_debug("control", "it could not be told either: %s", strerror(errno));
        close(fd);
        return;
    }
    evutil_make_socket_nonblocking(fd);
    conn = xcalloc(1, sizeof *conn);
    conn->control = c;
    conn->actor = xstrdup(actor);
    conn->bev = bufferevent_socket_new(c->config.base, fd, BEV_OPT_CLOSE_ON_FREE);
    conn->place = c->connections.n;
    array_push(&c->connections, conn);
    bufferevent_setcb(conn->bev, on_readable, on_written, on_event, conn);
    bufferevent_set_max_single_read(conn->bev, READ_BYTES);
    bufferevent_setwatermark(conn->bev, EV_READ, 0, MAX_LINE);
    bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
}

void control_committed(struct control *c, int64_t last_event)
{
    c->last_event = last_event;
    for (size_t i = 0; i < c->connections.n; i++)
        for (size_t k = 0; k < c->connections.v[i]->tails.n; k++)
            tail_ask(c->connections.v[i]->tails.v[k]);
}

/* ---- The socket ---- */

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *addr, int len, void *arg)
{
    char *actor = listen_peer(fd);

    (void)l;
    (void)addr;
    (void)len;
    control_adopt(arg, fd, actor);
    free(actor);
}

/* Out of descriptors, mostly: a pause is better than spinning on a connection that cannot be taken. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
    struct control *c = arg;

    log_warn("control", "cannot accept a connection: %s", strerror(errno));
    evconnlistener_disable(l);
    event_add(c->resume, &(struct timeval){.tv_sec = ACCEPT_PAUSE_S});
}

static void accept_again(evutil_socket_t fd, short what, void *arg)
{
    struct control *c = arg;

    (void)fd;
    (void)what;
    evconnlistener_enable(c->listener);
}

int control_start(const struct control_config *config, struct control **out, char **why)
{
    struct store_state store;
    struct control *c;
    int fd = -1, rc = listen_unix(config->path, &fd, why);

    if (rc != 0)
        return rc;
    c = xcalloc(1, sizeof *c);
    c->config = *config;
    c->path = xstrdup(config->path);
    c->config.path = c->path;
    store_state(core_store(config->core), &store);
    c->last_event = store.last_event;
    c->listener = evconnlistener_new(config->base, on_accept, c, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    evconnlistener_set_error_cb(c->listener, on_accept_error);
    c->resume = evtimer_new(config->base, accept_again, c);
    *out = c;
    return 0;
}

void control_stop(struct control *c)
{
    if (!c)
        return;
    evconnlistener_free(c->listener);
    event_free(c->resume);
    unlink(c->path);
    while (c->connections.n > 0)
        conn_close(c->connections.v[c->connections.n - 1]);
    array_free(&c->connections);
    free(c->path);
    free(c);
}
