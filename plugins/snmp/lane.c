#include <string.h>

#include "base/mem.h"
#include "plugins/snmp/reading.h"

static unsigned count(const struct pd_read *lead)
{
    const struct pd_read *lane;
    unsigned n = 0;

    LIST_FOREACH(lane, &lead->lanes, in_lane)
    n++;
    return n;
}

struct pd_read *snmp_lane_open(struct pd_read *lead)
{
    unsigned left = lead->ntables - lead->next_table, asking = 1 + count(lead);
    struct pd_read *lane;
    unsigned n;

    if (asking >= lead->device->in_flight || left == 0 || !lead->context.answered || lead->lead || lead->owned ||
        lead->context.listing)
        return NULL;
    /* Its share, if the lead and those that may come do the same. */
    n = lead->device->in_flight - asking + 1u;
    n = (left + n - 1) / n;
    lane = snmp_read_new(lead->device, lead->plan, lead->parts, &lead->sink);
    lane->lead = lead;
    lane->peer = lead->peer;
    lane->context.now = lead->context.now;
    lane->context.answered = lane->answered = true;
    lane->learnt = lead->learnt;
    lane->started_ms = lead->started_ms;
    lane->row_ms = lead->row_ms;
    lead->ntables -= (uint16_t)n; /* the longest: so they begin first */
    lane->ntables = (uint16_t)n;
    memcpy(lane->tables, lead->tables + lead->ntables, n * sizeof *lane->tables);
    LIST_INSERT_HEAD(&lead->lanes, lane, in_lane);
    return lane;
}

void snmp_lane_leave(struct pd_read *lane)
{
    struct pd_read *lead = lane->lead;

    LIST_REMOVE(lane, in_lane);
    lead->result.requests += lane->result.requests;
    lead->result.retries += lane->result.retries;
    lead->result.looped |= lane->result.looped;
    if (lane->silent > 0)
        lead->silent = lane->silent;
    if (lane->detail[0] && (!lead->detail[0] || (lane->partial && !lead->partial)))
        memcpy(lead->detail, lane->detail, sizeof lead->detail);
    lead->partial |= lane->partial;
}
