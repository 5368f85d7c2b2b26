#ifndef PD_TESTS_DAEMON_RIG_H
#define PD_TESTS_DAEMON_RIG_H

#include <jansson.h>

#include "base/array.h"
#include "daemon/control.h"
#include "tests/sim/memvfs.h"
#include "tests/watch/fake.h"

/*
 * A whole core in virtual time, with the scripted collector, the knowledge of
 * tests/watch, a database in memory, and a control on a libevent base.
 */
struct rig {
    struct clock_fake time;
    struct rng_seeded random;
    struct wheel *wheel;
    struct event_base *base;
    struct memvfs *vfs;
    struct worker *writer, *reader, *channels;
    struct pd_collector_ops ops;
    const struct pd_collector_ops *all_ops[1];
    const void *configs[1];
    struct pd_collector *collector;
    int addresses; /* given to devices so far */
    struct core *core;
    struct control *control;
    char *socket;
};

/* The control listens at a path of its own in a fresh folder. */
struct rig *rig_new(void);
void rig_free(struct rig *r);
/* Lets the loop run and ms of virtual time pass. */
void rig_pass(struct rig *r, int64_t ms);
/* A command without a control, done when this returns; fails the test if it is refused. */
void rig_command(struct rig *r, const char *name, const char *args);
/* Adds n devices named PREFIX1, PREFIX2, … */
void rig_add_devices(struct rig *r, const char *prefix, int n);

/* ---- The other end of a control connection ---- */

struct peer {
    struct rig *rig;
    int fd;
    struct sbuf in;
    size_t used; /* of in */
    bool ended;  /* the control closed it */
};

/* Connected by a socket pair, its commands given as `actor`. */
struct peer *peer_new(struct rig *r, const char *actor);
void peer_free(struct peer *p);
void peer_send(struct peer *p, const char *text); /* a newline is added */
void peer_send_raw(struct peer *p, const void *data, size_t n);
/* The next line, waited for in virtual time (json_decref it); NULL where none comes or the connection has ended. */
json_t *peer_line(struct peer *p);
/* Sends, and gives the next line, which the test fails without. */
json_t *peer_ask(struct peer *p, const char *text);
/* The code of an error line; "" where it is none. */
const char *error_code_of(const json_t *line);

#endif
