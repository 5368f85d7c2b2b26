#ifndef PD_MODBUS_READ_H
#define PD_MODBUS_READ_H

#include <sys/queue.h>

#include "plugin/plugin.h"
#include "plugins/modbus/line.h"
#include "plugins/modbus/plan.h"
#include "plugins/modbus/value.h"

/*
 * One read of a device: request after request along the plan. A request that is refused because part
 * of what it asks for does not exist is cut, at once or (beyond some cuts) in the next read; what the
 * device does not have is remembered in its record and not asked for again for a while.
 */

/* What all reads of a collector share. */
struct mb_core {
    struct mb_rules rules;
    struct mb_merge merge;
    int64_t absent_ms, max_ms, hold_ms;
    /* The answer in hand, and what it gives: room for the largest plan. */
    struct mb_block block;
    struct pd_cell *cells;
    struct mb_cell_room *room;
    size_t cap;
    struct pd_read *idle; /* reads that have ended, for those to come */
};
/* Once no read is under way. */
void mb_core_fini(struct mb_core *core);

/* What a cell may point at. */
struct mb_cell_room {
    uint32_t instance[2];
    uint8_t flags[MB_FLAG_BYTES];
};

/* A device's record. */
struct pd_device {
    struct mb_core *core;
    LIST_ENTRY(pd_device) link; /* among the collector's */
    struct endpoint *endpoint;  /* the collector's */
    struct mb_unit unit;
    char *name;
    struct mb_merge merge;
    struct pd_hole *holes; /* of merge */
    struct mb_learnt learnt;
    struct pd_read *read; /* under way, or NULL */
};

/* Starts a read; the sink is called later only. The plan outlives it, but for a walk's, which the read owns. */
void mb_read_start(struct pd_device *d, const struct pd_plan *plan, uint32_t parts, const struct pd_sink *sink,
                   struct pd_read **out);
void mb_walk_start(struct pd_device *d, struct pd_plan *plan, const struct pd_sink *sink, struct pd_read **out);
/* Ends it with CANCELLED before it returns. */
void mb_read_cancel(struct pd_read *r);

#endif
