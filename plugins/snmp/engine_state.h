#ifndef PD_SNMP_ENGINE_STATE_H
#define PD_SNMP_ENGINE_STATE_H

#include "base/array.h"
#include "plugins/snmp/engine.h"
#include "plugins/snmp/v3_peer.h"

/*
 * What the files of the engine share, and nobody else sees: engine.c sends, engine_receive.c takes in, drop.c tells of
 * what is not used.
 */

enum {
    SNMP_RANDOM_STOCK = 256,
};

TAILQ_HEAD(snmp_queue, snmp_request);

/* The requests of one address family. */
struct lane {
    struct snmp_engine *engine;
    struct snmp_queue queue;  /* to be sent */
    struct snmp_queue recent; /* sent, and younger than YOUNG_MS; the oldest first */
    size_t nrecent, cap;
    struct timer timer; /* flushes */
};

struct slot {
    struct snmp_request *request;
    uint32_t next_free; /* slot + 1; 0 ends the list */
};

struct quiet {
    int64_t until_ms;
    uint64_t held; /* lines not written since the last one */
};

struct snmp_engine {
    const struct pd_services *services;
    struct snmp_net net;
    struct lane lanes[2];
    ARRAY(struct slot) slots;
    uint32_t first_free; /* slot + 1; 0: none */
    uint16_t stock[SNMP_RANDOM_STOCK];
    size_t nstock;
    bool receiving;   /* the queue is flushed at the end of it */
    int64_t batch_ms; /* the time meanwhile: when the batch in hand came */
    uint64_t sent, repeated, refused, received, used, expired;
    uint64_t drops[SNMP_DROPS];
    struct quiet quiet[SNMP_DROPS + 1]; /* the last for packets the kernel refuses */
    struct usm *usm;
    int64_t slow_ms; /* when the next request may go out whose keys take long to reckon */
    uint8_t packets[SNMP_BATCH][V3_HEADROOM + SNMP_REQUEST_SIZE];
};

/* The request in the slot that the id tells, which may have another one; or NULL. */
struct snmp_request *snmp_engine_in_slot(const struct snmp_engine *e, int32_t id);
/* The open request with this id, or NULL. */
struct snmp_request *snmp_engine_find(const struct snmp_engine *e, int32_t id);
/* Puts it into its lane's queue. */
void snmp_engine_enqueue(struct snmp_request *q);
/* It is over: no timer, no place in a queue, no id. */
void snmp_engine_end(struct snmp_request *q);
/* Sends what is queued, as far as there is room. */
void snmp_engine_flush(struct snmp_engine *e);

/* Takes in what the sockets have; arg is the engine. */
void snmp_engine_receive(void *arg);

/* The kernel would not send to q's device. */
void snmp_engine_note_refused(struct snmp_engine *e, const struct snmp_request *q, int err);
/* A packet is not used. q: the request that it names, or NULL: then who may have sent it is searched for. */
void snmp_engine_note_drop(struct snmp_engine *e, enum snmp_drop drop, const struct snmp_packet *p,
                           struct snmp_request *q);

#endif
