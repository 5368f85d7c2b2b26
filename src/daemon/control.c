#include "daemon/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "daemon/listen.h"
#include "daemon/live.h"

enum {
    MAX_LINE = 1 << 20,    /* of a request */
    MAX_DEPTH = 8,         /* of its JSON; nothing we take is deeper than 3 */
    MAX_ID = 64,           /* bytes of a request's id as text */
    MAX_CONNECTIONS = 64,  /* more are refused */
    MAX_REQUESTS = 8,      /* under way on one connection; its reading waits beyond */
    MAX_TAILS = 8,         /* on one connection */
    TAIL_PAGE = 200,       /* events asked for at once */
    OUTPUT_HIGH = 4 << 20, /* bytes waiting for a slow reader: its tails and its reading wait */
    DEFAULT_LIMIT = 500,
    MAX_LIMIT = 5000,
    ACCEPT_PAUSE_S = 1,
};

struct connection;

/* A tail: events after the cursor, page by page, then as they are committed. */
struct tail {
    struct connection *conn;
    char *id;      /* as JSON */
    char *filters; /* as JSON */
    int64_t after;
    int64_t asked_upto; /* newest event when the page under way was asked for */
    bool asking;
};

struct connection {
    struct control *control;
    size_t place;            /* in control->connections */
    struct bufferevent *bev; /* NULL once the peer is gone; the struct stays while answers are under way */
    char *actor;
    size_t under_way; /* commands and queries whose answer is to come, tails' pages included */
    bool leaving;     /* nothing more is taken from it; it is closed once its answers are written */
    ARRAY(struct tail *) tails;
};

struct control {
    struct control_config config;
    char *path;
    struct evconnlistener *listener;
    struct event *resume; /* listening, after a pause */
    ARRAY(struct connection *) connections;
    int64_t last_event;
};

/* A request under way. */
struct request {
    struct connection *conn;
    char *id; /* as JSON */
};

static void tail_ask(struct tail *t);

/* ---- Answers ---- */

static const char *error_code(int err)
{
    static const struct {
        int err;
        const char *code;
    } codes[] = {
        {PD_EINVAL, "invalid"},      {PD_ENOENT, "not-found"}, {PD_EEXIST, "exists"},        {PD_EIO, "io"},
        {PD_ENOSPC, "no-space"},     {PD_EBUSY, "busy"},       {PD_EACCES, "not-allowed"},   {PD_ETIMEDOUT, "timeout"},
        {PD_EPROTO, "protocol"},     {PD_ERANGE, "range"},     {PD_ECORRUPT, "corrupt"},     {PD_EVERSION, "version"},
        {PD_ENOTSUP, "unsupported"}, {PD_ECONN, "connection"}, {PD_ECANCELLED, "cancelled"}, {PD_ESTATE, "state"},
        {CORE_QUEUED, "queued"},
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].err == err)
            return codes[i].code;
    return "io";
}

/* Sends the text and frees it; nothing happens if the peer is gone. */
static void send_line(struct connection *conn, struct sbuf *line)
{
    if (conn->bev) {
        sbuf_addc(line, '\n');
        bufferevent_write(conn->bev, line->s, line->n);
    }
    sbuf_free(line);
}

static void send_error(struct connection *conn, const char *id, int err, const char *why)
{
    struct sbuf line = {0};

    sbuf_addf(&line, "{\"id\":%s,\"error\":{\"code\":\"%s\",\"text\":", id ? id : "null", error_code(err));
    sbuf_add_json(&line, why ? why : pd_strerror(err));
    sbuf_add(&line, "}}");
    send_line(conn, &line);
}

static void send_rows(struct connection *conn, const char *id, const char *rows, int64_t next)
{
    struct sbuf line = {0};

    sbuf_addf(&line, "{\"id\":%s,\"rows\":%s,\"next\":%" PRId64 "}", id, rows, next);
    send_line(conn, &line);
}

/* ---- Connections ---- */

static bool output_full(const struct connection *conn)
{
    return evbuffer_get_length(bufferevent_get_output(conn->bev)) > OUTPUT_HIGH;
}

static void tail_free(struct tail *t)
{
    free(t->id);
    free(t->filters);
    free(t);
}

/* Frees a connection that is closed and for which nothing is under way. */
static void connection_settle(struct connection *conn)
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
static void connection_close(struct connection *conn)
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
    connection_settle(conn);
}

/*
 * Lines that waited are taken up again, but from the loop: an answer comes from
 * inside what was decided, and nothing else may be decided in there.
 */
static void resume_reading(struct connection *conn)
{
    bufferevent_trigger(conn->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static struct request *request_begin(struct connection *conn, const char *id)
{
    struct request *r = xcalloc(1, sizeof *r);

    r->conn = conn;
    r->id = xstrdup(id);
    conn->under_way++;
    return r;
}

/* The answer was sent, or nobody is there to get it. */
static void request_end(struct request *r)
{
    struct connection *conn = r->conn;

    free(r->id);
    free(r);
    conn->under_way--;
    if (conn->bev)
        resume_reading(conn);
    else
        connection_settle(conn);
}

/* ---- Commands ---- */

static void command_done(void *arg, int err, const char *json_or_why)
{
    struct request *r = arg;

    if (err == 0) {
        struct sbuf line = {0};

        sbuf_addf(&line, "{\"id\":%s,\"ok\":%s}", r->id, json_or_why);
        send_line(r->conn, &line);
    } else {
        send_error(r->conn, r->id, err, json_or_why);
    }
    request_end(r);
}

static void reload(struct connection *conn, const char *id)
{
    const struct control_config *config = &conn->control->config;
    char *text = NULL;
    int err = config->reload ? config->reload(config->ctx, &text) : PD_ENOTSUP;

    command_done(request_begin(conn, id), err, text);
    free(text);
}

static void handle_command(struct connection *conn, const char *id, const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "cmd"));
    const json_t *args = json_object_get(request, "args");
    char *text;

    if (!name || (args && !json_is_object(args))) {
        send_error(conn, id, PD_EINVAL, "\"cmd\" must be a text and \"args\" an object");
        return;
    }
    if (strcmp(name, "reload") == 0) {
        reload(conn, id);
        return;
    }
    text = args ? json_dumps(args, JSON_COMPACT) : xstrdup("{}");
    core_command(conn->control->config.core, name, text, conn->actor, command_done, request_begin(conn, id));
    free(text);
}

/* ---- Queries ---- */

static void query_done(void *arg, const struct query_page *page)
{
    struct request *r = arg;

    if (page->err == 0)
        send_rows(r->conn, r->id, page->rows, page->next);
    else
        send_error(r->conn, r->id, page->err, page->why);
    request_end(r);
}

static bool answer_live(struct connection *conn, const char *id, const char *name, struct live_args *a)
{
    char *rows;

    if (!live_query(conn->control->config.core, name, a))
        return false;
    if (!a->rows) {
        send_error(conn, id, a->err, a->why);
        free(a->why);
        return true;
    }
    rows = json_dumps(a->rows, JSON_COMPACT);
    json_decref(a->rows);
    send_rows(conn, id, rows ? rows : "[]", a->next);
    free(rows);
    return true;
}

/* A member that must be an integer if it is there; false after answering with an error. */
static bool take_int(struct connection *conn, const char *id, const json_t *o, const char *name, int64_t *out)
{
    const json_t *j = json_object_get(o, name);

    if (j && !json_is_integer(j)) {
        char *why = xasprintf("\"%s\" must be a whole number", name);

        send_error(conn, id, PD_EINVAL, why);
        free(why);
        return false;
    }
    if (j)
        *out = json_integer_value(j);
    return true;
}

static void handle_query(struct connection *conn, const char *id, const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "query"));
    const json_t *filters = json_object_get(request, "filters");
    int64_t after = 0, limit = DEFAULT_LIMIT;
    struct query_args args;
    char *text;

    if (!name || (filters && !json_is_object(filters))) {
        send_error(conn, id, PD_EINVAL, "\"query\" must be a text and \"filters\" an object");
        return;
    }
    if (!take_int(conn, id, request, "after", &after) || !take_int(conn, id, request, "limit", &limit))
        return;
    if (limit < 1 || limit > MAX_LIMIT) {
        send_error(conn, id, PD_ERANGE, "\"limit\" must be from 1 to 5000");
        return;
    }
    if (answer_live(conn, id, name, &(struct live_args){.filters = filters, .after = after, .limit = (size_t)limit}))
        return;
    text = filters ? json_dumps(filters, JSON_COMPACT) : NULL;
    args = (struct query_args){.name = name, .filters = text, .after = after, .limit = (unsigned)limit};
    store_query(core_store(conn->control->config.core), &args, query_done, request_begin(conn, id));
    free(text);
}

/* ---- Tails ---- */

static void send_events(struct tail *t, json_t *rows)
{
    json_t *event;
    size_t i;

    json_array_foreach(rows, i, event)
    {
        struct sbuf line = {0};
        char *text = json_dumps(event, JSON_COMPACT);

        t->after = json_integer_value(json_object_get(event, "number"));
        sbuf_addf(&line, "{\"id\":%s,\"event\":%s}", t->id, text ? text : "null");
        free(text);
        send_line(t->conn, &line);
    }
}

static void take_page(struct tail *t, const struct query_page *page)
{
    json_t *rows;

    if (page->err != 0) {
        send_error(t->conn, t->id, page->err, page->why);
        t->after = INT64_MAX; /* it is over: nothing comes after this */
        return;
    }
    rows = json_loads(page->rows, 0, NULL);
    send_events(t, rows);
    json_decref(rows);
    if (page->next == 0 && t->after < t->asked_upto)
        t->after = t->asked_upto; /* what the filters left out need not be looked at again */
}

static void tail_page(void *arg, const struct query_page *page)
{
    struct tail *t = arg;
    struct connection *conn = t->conn;

    t->asking = false;
    conn->under_way--;
    if (!conn->bev) {
        connection_settle(conn);
        return;
    }
    if (!conn->leaving) {
        take_page(t, page);
        tail_ask(t);
    }
    resume_reading(conn);
}

/* Asks for the next page if there is anything new and the reader keeps up. */
static void tail_ask(struct tail *t)
{
    struct control *c = t->conn->control;
    const struct query_args args = {.name = "events", .filters = t->filters, .after = t->after, .limit = TAIL_PAGE};

    if (t->asking || t->after >= c->last_event || output_full(t->conn))
        return;
    t->asking = true;
    t->asked_upto = c->last_event;
    t->conn->under_way++;
    store_query(core_store(c->config.core), &args, tail_page, t);
}

static void handle_tail(struct connection *conn, const char *id, const json_t *request)
{
    const json_t *what = json_object_get(request, "tail"), *filters = json_object_get(what, "filters");
    int64_t after = -1;
    struct sbuf line = {0};
    struct tail *t;

    if (!json_is_object(what) || (filters && !json_is_object(filters))) {
        send_error(conn, id, PD_EINVAL, "\"tail\" and its \"filters\" must be objects");
        return;
    }
    if (!take_int(conn, id, what, "after", &after))
        return;
    if (conn->tails.n == MAX_TAILS) {
        send_error(conn, id, PD_EBUSY, "too many tails on one connection");
        return;
    }
    t = xcalloc(1, sizeof *t);
    t->conn = conn;
    t->id = xstrdup(id);
    t->filters = filters ? json_dumps(filters, JSON_COMPACT) : xstrdup("{}");
    t->after = after < 0 ? conn->control->last_event : after;
    array_push(&conn->tails, t);
    sbuf_addf(&line, "{\"id\":%s,\"tail\":%" PRId64 "}", id, t->after);
    send_line(conn, &line);
    tail_ask(t);
}

void control_committed(struct control *c, int64_t last_event)
{
    c->last_event = last_event;
    for (size_t i = 0; i < c->connections.n; i++)
        for (size_t k = 0; k < c->connections.v[i]->tails.n; k++)
            tail_ask(c->connections.v[i]->tails.v[k]);
}

/* ---- Requests ---- */

/* The request's id as JSON text, or NULL if it has none that we take. */
static char *id_text(const json_t *request)
{
    const json_t *id = json_object_get(request, "id");
    char *text = json_is_string(id) || json_is_integer(id) ? json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    if (text && strlen(text) > MAX_ID + 2) {
        free(text);
        text = NULL;
    }
    return text;
}

static void handle_request(struct connection *conn, const json_t *request)
{
    static const struct {
        const char *member;
        void (*handle)(struct connection *conn, const char *id, const json_t *request);
    } handlers[] = {{"cmd", handle_command}, {"query", handle_query}, {"tail", handle_tail}};
    char *id = id_text(request);

    if (!id) {
        send_error(conn, NULL, PD_EINVAL, "a request needs an \"id\": a whole number or a text of at most 64 bytes");
        return;
    }
    for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++) {
        if (json_object_get(request, handlers[i].member)) {
            handlers[i].handle(conn, id, request);
            free(id);
            return;
        }
    }
    send_error(conn, id, PD_EINVAL, "a request has \"cmd\", \"query\" or \"tail\"");
    free(id);
}

/* Whether brackets stand deeper in each other than any request of ours. */
static bool too_deep(const char *line, size_t n)
{
    bool in_text = false;
    int depth = 0;

    for (size_t i = 0; i < n; i++) {
        if (in_text && line[i] == '\\')
            i++;
        else if (line[i] == '"')
            in_text = !in_text;
        else if (!in_text && (line[i] == '{' || line[i] == '['))
            depth++;
        else if (!in_text && (line[i] == '}' || line[i] == ']'))
            depth--;
        if (depth > MAX_DEPTH)
            return true;
    }
    return false;
}

static void handle_line(struct connection *conn, const char *line, size_t n)
{
    json_error_t error;
    json_t *request;

    if (too_deep(line, n)) {
        send_error(conn, NULL, PD_EINVAL, "a request's JSON is at most 8 levels deep");
        return;
    }
    request = json_loadb(line, n, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(request)) {
        handle_request(conn, request);
    } else {
        char *why = request ? xstrdup("a request is a JSON object on one line")
                            : xasprintf("this is no JSON: %s (at byte %d)", error.text, error.position);

        send_error(conn, NULL, PD_EINVAL, why);
        free(why);
    }
    json_decref(request);
}

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

    while (conn->under_way < MAX_REQUESTS && !output_full(conn)) {
        size_t n;
        char *line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF);

        if (!line)
            break;
        handle_line(conn, line, n);
        free(line);
    }
    if (!conn->leaving && evbuffer_get_length(in) >= MAX_LINE && !has_line(conn)) {
        send_error(conn, NULL, PD_ERANGE, "a request line has at most 1 MiB");
        leave(conn);
    }
    if (conn->leaving && conn->under_way == 0 && !has_line(conn) &&
        evbuffer_get_length(bufferevent_get_output(conn->bev)) == 0)
        connection_close(conn);
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
        connection_close(conn);
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
    bufferevent_setwatermark(conn->bev, EV_READ, 0, MAX_LINE);
    bufferevent_enable(conn->bev, EV_READ | EV_WRITE);
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
        connection_close(c->connections.v[c->connections.n - 1]);
    array_free(&c->connections);
    free(c->path);
    free(c);
}
