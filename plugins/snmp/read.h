#ifndef PD_SNMP_READ_H
#define PD_SNMP_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "plugin/plugin.h"
#include "plugins/snmp/engine.h"
#include "plugins/snmp/plan.h"

/*
 * A read: the parts of a plan that are asked for, or everything below a root, one
 * request after the other, or several at a time where the device takes them. Scalars are got several at a time; the columns of a
 * table are fetched side by side, a column that has ended drops out; small tables
 * share requests. What a device taught us is kept in its record.
 */

/* Where a read is stopped whatever the device says. */
struct snmp_limits {
    uint32_t varbinds;
    uint64_t bytes;
    int64_t total_ms; /* in all */
    int64_t stall_ms; /* without a new row */
};

LIST_HEAD(snmp_devices, pd_device);

/* What all reads of a collector share. */
struct snmp_core {
    const struct pd_services *services;
    struct snmp_engine *engine;
    struct snmp_limits limits;
    struct snmp_varbinds *varbinds; /* the reply in hand */
    struct pd_cell *cells;          /* SNMP_MAX_VARBINDS: what it gives */
    struct snmp_devices droppers;   /* of which a packet was dropped: few, so that they are found among the others */
};

enum snmp_bulk { SNMP_BULK_UNKNOWN, SNMP_BULK_YES, SNMP_BULK_NO };

enum {
    SNMP_REQUEST_BYTES = 1150, /* varbinds of a request, so that head and community fit in a frame beside them */
    SNMP_FULL_VARBINDS = 64,   /* as many varbinds as fill an Ethernet frame, more or less */
    SNMP_UNKNOWN_ROWS = UINT16_MAX,
};

/* What the last read told of a table. */
struct snmp_learnt {
    uint16_t rows; /* or SNMP_UNKNOWN_ROWS */
    uint8_t bytes; /* that a cell takes in an answer, on the average; 0: not known */
};

/* A context of the device: a name, or the column whose rows name them. */
struct snmp_context {
    char *name;
    struct pd_plan *each; /* a walk of that column; NULL: by name */
    bool answered;        /* ever */
    uint8_t silent;       /* reads in which it did not, before it ever did */
};

/* A device's record. What is learnt costs at most a request if it is wrong. */
struct pd_device {
    struct snmp_core *core;
    LIST_ENTRY(pd_device) link; /* among the collector's */
    struct snmp_peer peer;
    struct snmp_rtt rtt;                     /* the peer's */
    struct pd_read *read;                    /* under way, or NULL */
    uint16_t max_repetitions, full_varbinds; /* full_varbinds: as many as its messages hold */
    uint16_t request_bytes;                  /* of varbinds, in one request */
    uint16_t answer_bytes;                   /* likewise in one answer */
    uint32_t max_rows;                       /* of one table; 0: no limit but the read's */
    struct snmp_context *contexts;
    size_t ncontexts;
    uint8_t in_flight;  /* requests at a time */
    bool fixed_version; /* it is asked in this one only */
    /* Learnt: */
    uint16_t max_varbinds;      /* asked for at once, repetitions counted */
    uint8_t bulk;               /* enum snmp_bulk */
    uint8_t mute_bulks;         /* GETBULKs that got no answer before any ever did */
    bool answered;              /* ever */
    bool knows_v2c;             /* it answered in that version */
    uint8_t v1_proofs;          /* reads in which it answered v1 after it had been silent to v2c */
    bool scalars_next;          /* GET fails as a whole where one scalar is missing: they are found by GETNEXT */
    bool no_riders;             /* scalars beside tables got no answer that fitted */
    uint8_t scalar_bytes;       /* that one takes in an answer, on the average; 0: not known */
    uint32_t plan;              /* the serial that tables is about; 0: none */
    struct snmp_learnt *tables; /* of each group */
    uint32_t *drops;            /* SNMP_DROPS: packets from it that were dropped, by enum snmp_drop; NULL: none */
};

/* Starts a read; the sink is called later only. The plan outlives it. */
void snmp_read_start(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                     struct pd_read **out);
/* A walk: takes a plan made for it. Cells carry the whole name. */
void snmp_walk_start(struct pd_device *d, struct pd_plan *plan, const struct pd_sink *sink, struct pd_read **out);
/* Ends it with CANCELLED before it returns. */
void snmp_read_cancel(struct pd_read *r);

#endif
