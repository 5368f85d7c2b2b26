#ifndef PD_CTL_CLIENT_H
#define PD_CTL_CLIENT_H

#include <jansson.h>

/*
 * A connection to patrold's control socket (the protocol stands in
 * daemon/control.h). Blocking; one request at a time.
 */
struct client;

/* 0 and *out, or an error: PD_ENOENT and PD_ECONN when nobody listens there, PD_EACCES when we may not. */
int client_open(const char *path, struct client **out);
void client_close(struct client *c); /* NULL is fine */

/*
 * Sends a request (takes it, adds the id) and waits for its answer: 0 and *answer (json_decref it), which may hold
 * "error"; PD_ECONN when the connection breaks, PD_EPROTO when the answer makes no sense.
 */
int client_ask(struct client *c, json_t *request, json_t **answer);

/* The next line from patrold, for a tail. PD_ECANCELLED once nobody reads what is written to out_fd (-1: none). */
int client_next(struct client *c, int out_fd, json_t **line);

#endif
