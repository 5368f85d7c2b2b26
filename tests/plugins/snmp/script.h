#ifndef PD_TESTS_SNMP_SCRIPT_H
#define PD_TESTS_SNMP_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/str.h"
#include "plugins/snmp/pdu.h"
#include "plugins/snmp/snmp.h"
#include "tests/plugins/snmp/agent3.h"

/*
 * A network in a test's hands, a clock that moves only when told, and one scripted
 * agent at 192.0.2.1:161, community "public" or an engine of version 3: what it
 * holds is a table, how it misbehaves are switches, and a hook may do to a request
 * whatever it likes.
 */

/* One object of the agent; the table is in the order of its OIDs. */
struct leaf {
    const char *oid;
    uint8_t type; /* enum snmp_type */
    int64_t number;
    const char *text; /* of OCTETS */
};

enum quirk {
    QUIRK_NO_BULK = 1,      /* GETBULK gets no answer */
    QUIRK_BULK_ERROR = 2,   /* GETBULK gets genErr */
    QUIRK_ONE_ROW = 4,      /* GETBULK gives one row */
    QUIRK_LOOP = 8,         /* behind the last object comes the first again */
    QUIRK_DEAD = 16,        /* no answer at all */
    QUIRK_NO_INDEX = 32,    /* errors do not say which varbind */
    QUIRK_STUCK = 64,       /* GETNEXT gives the same name again */
    QUIRK_EMPTY_BULK = 128, /* GETBULK gives no varbinds */
};

struct script {
    struct clock_fake time;
    struct rng_seeded seed;
    struct pd_services services;
    struct snmp_net net;
    struct pd_collector *collector;
    struct pd_device *device; /* 192.0.2.1, opened by script_open() */

    const struct leaf *leaves;
    size_t nleaves;
    unsigned quirks;
    size_t max_varbinds; /* more than that in an answer is tooBig, or, for GETBULK, cut off; 0: no limit */
    const char *faulty;  /* asking for this object, or for what follows it, gives genErr */
    int64_t delay_ms;    /* before an answer comes; 0 at start */
    /* Called for each request; true if it dealt with it. */
    bool (*hook)(struct script *s, const struct snmp_packet *request, const struct snmp_msg *m);
    int step; /* the hook's */
    /*
     * Version 3: the engine that the agent speaks through, at 192.0.2.1 (others by their last number); NULL: none.
     * v3_hook is called for each message; pdu is what came, or of type 0 where the engine would not answer.
     */
    struct agent3 *engines[4];
    bool (*v3_hook)(struct script *s, const struct snmp_packet *request, struct v3_msg *m, struct snmp_msg *pdu);

    /* What happened. */
    unsigned requests;  /* packets that the collector sent */
    uint8_t types[64];  /* PDU types of the first of them */
    uint16_t sizes[64]; /* and their varbinds */
    struct sbuf cells;  /* "source[instance] value\n" */
    struct pd_read *read;
    struct pd_read_result result;
    char detail[200];
    int ends; /* calls of end() */

    ARRAY(struct parcel) parcels;
    size_t first; /* parcel not yet taken */
    void (*readable)(void *arg);
    void *readable_arg;
    struct snmp_varbinds *varbinds; /* of the request in hand */
    uint8_t reply[SNMP_MAX_MESSAGE];
    uint8_t *taken[SNMP_BATCH]; /* data that the collector has borrowed */
};

/* config may be NULL. Nothing is opened yet. */
void script_start(struct script *s, const struct pd_snmp_config *config);
void script_stop(struct script *s);
/* Opens the device; version 1 or 2. */
void script_open(struct script *s, uint8_t version);
/* Opens it by a user of version 3. */
void script_open_v3(struct script *s, const struct pd_usm_secret *secret);
/* Opens another one. */
struct pd_device *script_open_target(struct script *s, const struct pd_target *target);

/* Sources from a text: "1.3.6.1.2.1.1.3.0 1.3.6.1.2.1.2.2.1.2.*": ids 0, 1, ..., a column ends in ".*", all in part 0. */
struct pd_plan *script_plan(struct script *s, const char *oids);
/* Starts a read and lets time pass until it has ended. */
void script_read(struct script *s, const struct pd_plan *plan);
void script_walk(struct script *s, const char *root);
/* The parts by themselves. */
struct pd_sink script_sink(struct script *s);
void script_clear(struct script *s);
/* Lets time pass, packets and timers in their order, at most so long; stops when a read has ended. */
void script_run(struct script *s, int64_t max_ms);

/* The agent's own answer to a request: its length in s->reply, 0 for none. */
size_t script_answer(struct script *s, const struct snmp_msg *m);
/* Has bytes arrive from an address after delay_ms. */
void script_arrive(struct script *s, const union pd_addr *from, const void *data, size_t n, int64_t delay_ms);
/* A counter's value; fails the test if there is none of that name. */
uint64_t script_counter(struct script *s, const char *name);

#endif
