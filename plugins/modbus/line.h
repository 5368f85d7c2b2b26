#ifndef PD_MODBUS_LINE_H
#define PD_MODBUS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/wheel.h"
#include "plugin/plugin.h"
#include "plugins/modbus/pdu.h"

/*
 * A line is what units share: the connection to a gateway or a serial bus. One request is on its way
 * at a time. Units take turns, request by request. Those that left their last request unanswered wait
 * behind the others and, while somebody else wants to be served, get at most a fifth of the time; they
 * and whole lines that do not work are asked less and less often.
 */
struct mb_line;

enum mb_outcome {
    MB_DATA,      /* what was asked for */
    MB_EXCEPTION, /* the device says no */
    MB_SILENT,    /* no answer in time, or a gateway says so */
    MB_GARBLED,   /* an answer to something else than was asked */
    MB_LOST,      /* the connection ended before the answer */
    MB_DOWN,      /* there is no connection, or no adapter: nobody on the line can be asked */
};

struct mb_reply {
    enum mb_outcome outcome;
    uint8_t exception;   /* of MB_EXCEPTION, and of MB_SILENT where a gateway said so */
    const uint8_t *data; /* of MB_DATA; borrowed */
    const char *why;     /* of all but MB_DATA, English; borrowed; the line's own for exceptions */
};

/* What happened on all lines of a collector. */
struct mb_counters {
    uint64_t sent, repeated, answered, exceptions, expired, garbled, lost, held_back;
    uint64_t connects, connect_failed;
    uint64_t drop_late, drop_transaction, drop_unasked, drop_frame, drop_stray;
    uint64_t misfit[MB_MISFITS];
    uint64_t adapter_opens, adapter_failed;
};

/* What all lines of a collector share. */
struct mb_rules {
    const struct pd_services *services;
    struct mb_counters counters;
    int busy_ms, backoff_min_ms, backoff_max_ms;
    uint8_t in[4 * MB_MAX_FRAME]; /* what a connection has just brought: an answer's data lie there */
};

/* ---- Who asks ---- */

/* A device's place on its line. */
struct mb_unit {
    struct mb_line *line;
    uint8_t id;
    uint8_t retries;
    int timeout_ms;
    /* The line's: */
    bool silent;      /* the last try had no answer */
    unsigned failed;  /* requests in a row without one */
    int64_t quiet_ms; /* it is not to be asked before */
};

TAILQ_HEAD(mb_queue, mb_request);

/* Embedded in who asks. Only the line touches it between submit and ended(). */
struct mb_request {
    struct mb_unit *unit;
    struct mb_ask ask;
    /* The request is over and may be submitted anew. */
    void (*ended)(struct mb_request *q, const struct mb_reply *reply);
    /* The line's: */
    TAILQ_ENTRY(mb_request) link;
    struct mb_queue *queue; /* it waits there, or NULL */
    struct timer again;     /* set while a busy device is left alone */
    uint8_t tries, left;    /* left: of the retries */
    int32_t took_ms;        /* the last try */
    int64_t held_ms;        /* the line, in all tries since the request was initialised */
    uint32_t sent;          /* tries since then */
    int64_t first_ms;       /* the first of them; 0: none yet */
    bool open;
};

void mb_request_init(struct mb_request *q, struct mb_unit *unit,
                     void (*ended)(struct mb_request *q, const struct mb_reply *reply));
/* No callback comes before this has returned. */
void mb_request_submit(struct mb_request *q);
/* Forgets it; harmless if it is over. */
void mb_request_withdraw(struct mb_request *q);

/* How long the unit is still to be left alone; 0: it may be asked. */
int64_t mb_unit_quiet(const struct mb_unit *u, int64_t now_ms);

/* ---- What carries requests ---- */

struct mb_carrier_ops {
    /* Takes a request; it ends in one mb_line_done(), never before this has returned. */
    void (*ask)(void *carrier, const struct mb_ask *ask, int timeout_ms);
    /* Nothing is to be asked at present, and the line is to rest then. May be NULL. */
    void (*rest)(void *carrier);
    /* A request under way is forgotten. */
    void (*free)(void *carrier);
};

/* The name serves logs. */
struct mb_line *mb_line_new(struct mb_rules *rules, const char *name);
/* From now on: time that passes between an answer and the next request; whether the carrier rests in between. */
void mb_line_set_manners(struct mb_line *l, int gap_ms, bool rests);
/* Hands the line its carrier, which it owns from then on. */
void mb_line_carry(struct mb_line *l, const struct mb_carrier_ops *ops, void *carrier);
/* No unit may have a request there. */
void mb_line_free(struct mb_line *l);
/* The request that the carrier has is over. The last thing the carrier does in a callback. */
void mb_line_done(struct mb_line *l, const struct mb_reply *reply);

#endif
