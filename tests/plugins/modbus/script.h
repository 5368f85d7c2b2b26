#ifndef PD_TESTS_MODBUS_SCRIPT_H
#define PD_TESTS_MODBUS_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/str.h"
#include "plugins/modbus/modbus.h"
#include "plugins/modbus/pdu.h"

/*
 * TCP in a test's hands, a clock that moves only when told, and a scripted peer behind every address:
 * each unit has all registers, and register or bit N holds N, but for what the switches say. A hook may
 * do to a request whatever it likes.
 */

/* What a unit answers to requests that touch these places; the first that fits counts. */
struct trouble {
    uint8_t unit;     /* 0: any */
    uint8_t function; /* 0: any */
    uint16_t first, last;
    uint8_t exception; /* 0: no answer */
};

/* A request as the peer saw it. */
struct seen {
    int64_t ms;
    int conn; /* a number for each connection, from 1 on */
    uint16_t transaction, port;
    struct mb_ask ask;
};

struct script {
    struct clock_fake time;
    struct rng_seeded seed;
    struct pd_services services;
    struct mb_net net;
    struct pd_collector *collector;

    const struct trouble *troubles;
    size_t ntroubles;
    int64_t delay_ms;   /* before an answer comes */
    uint16_t max_count; /* a request for more is an illegal value; 0: any number */
    size_t piece;       /* answers come in pieces of so many bytes, a millisecond apart; 0: whole */
    size_t send_room;   /* bytes that a send takes at once; 0: all */
    int connect_errno;  /* connections are refused with it */
    int64_t connect_ms; /* before a connection stands; -1: it never does */
    bool hangs_up;      /* connections are closed as soon as they stand */
    bool (*hook)(struct script *s, struct mb_conn *c, const struct seen *q);
    int step; /* the hook's */

    /* What happened. */
    ARRAY(struct seen) seen;
    int connects, open; /* connections begun; standing now */
    LIST_HEAD(, mb_conn) conns;
};

/* One read, as its sink saw it. */
struct reading {
    struct script *script;
    struct pd_read *read;
    struct sbuf cells; /* "source value\n", "source[row] value\n" */
    struct pd_read_result result;
    char detail[200];
    int ends;
    int64_t started_ms, ended_ms;
    void (*on_cells)(struct reading *r); /* called at the end of cells(), and of end() */
    void (*on_end)(struct reading *r);
    void *arg;
};

/* config may be NULL. */
void script_start(struct script *s, const struct pd_modbus_config *config);
void script_stop(struct script *s);
struct pd_device *script_open(struct script *s, const char *address, uint16_t port, uint8_t unit);
/* Sources from "holding 1; coil 7": ids 0, 1, ...; one with 'rows' is a column; "@3 " before it names its part. */
struct pd_plan *script_plan(struct script *s, const char *sources);

void script_begin(struct script *s, struct reading *r, struct pd_device *d, const struct pd_plan *plan);
void script_begin_parts(struct script *s, struct reading *r, struct pd_device *d, const struct pd_plan *plan,
                        uint32_t parts);
/* Lets time pass until the read has ended. */
void script_wait(struct reading *r);
/* Both. */
void script_read(struct script *s, struct reading *r, struct pd_device *d, const struct pd_plan *plan);
void script_walk(struct script *s, struct reading *r, struct pd_device *d, const char *root);
void reading_free(struct reading *r);
/* Lets so much time pass. */
void script_run(struct script *s, int64_t ms);

/* For hooks: has bytes come over the connection; the peer closes it. */
void script_arrive(struct script *s, struct mb_conn *c, const void *p, size_t n, int64_t delay_ms);
void script_hang_up(struct script *s, struct mb_conn *c, int64_t delay_ms);
/* The peer's own answer to a request, as a frame. */
size_t script_answer(const struct script *s, const struct seen *q, uint8_t frame[static MB_MAX_FRAME]);
/* A counter's value; fails the test if there is none of that name. */
uint64_t script_counter(struct script *s, const char *name);
/* The requests seen, from the i-th on: "1 holding 0-3\n", the unit first. */
char *script_requests(const struct script *s, size_t i);

#endif
