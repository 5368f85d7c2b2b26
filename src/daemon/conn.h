#ifndef PD_DAEMON_CONN_H
#define PD_DAEMON_CONN_H

#include <jansson.h>

#include "base/array.h"
#include "base/str.h"
#include "daemon/control.h"

/*
 * Inside the control socket: control.c listens and reads lines, request.c
 * answers commands and queries, tail.c follows events.
 */

struct bufferevent;
struct evconnlistener;
struct event;

enum { OUTPUT_HIGH = 4 << 20 }; /* bytes waiting for a slow reader: its tails and its reading wait */

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

/* ---- control.c ---- */

/* Sends the text, adding a line end, and frees it; nothing happens if the peer is gone. */
void conn_send(struct connection *conn, struct sbuf *line);
/* True while the peer has to read before it gets more. */
bool conn_output_full(const struct connection *conn);
/* Frees a connection that is closed and for which nothing is under way. */
void conn_settle(struct connection *conn);
/* Takes up lines that waited, from the loop. */
void conn_resume_reading(struct connection *conn);

/* ---- request.c ---- */

/* Answers one line, now or later. */
void request_take_line(struct connection *conn, const char *line, size_t n);
/* id is JSON; NULL where the request had none. why NULL: the code's own text. */
void conn_send_error(struct connection *conn, const char *id, int err, const char *why);
/* A member that must be an integer if it is there; false after answering with an error. */
bool request_take_int(struct connection *conn, const char *id, const json_t *o, const char *name, int64_t *out);

/* ---- tail.c ---- */

void tail_begin(struct connection *conn, const char *id, const json_t *request);
/* Asks for the next page if there is anything new and the reader keeps up. */
void tail_ask(struct tail *t);
void tail_free(struct tail *t);

#endif
