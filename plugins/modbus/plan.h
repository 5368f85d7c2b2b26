#ifndef PD_MODBUS_PLAN_H
#define PD_MODBUS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dict.h"
#include "plugin/plugin.h"
#include "plugins/modbus/address.h"

/*
 * What is to be read from the devices of a profile, in the order in which it lies in the device.
 * Neighbours are asked for together; how many goes by what a read wants and by what the device
 * taught us, so requests are put together anew for each read. A plan never changes after it was
 * compiled and is shared by all devices.
 */

/* One value: a scalar, or one row of a column. */
struct mb_item {
    struct mb_address a;
    uint32_t source;
    uint16_t at;  /* this row's own address */
    uint32_t row; /* from 1 on; 0: a scalar */
    uint8_t part;
    bool plain; /* one whole register as it comes, the usual number */
};

enum { MB_MAX_ITEMS = 16384 };

struct pd_plan {
    size_t n;
    struct mb_item *items; /* by function, address, count */
    bool walk;             /* cells have source 0 and the place itself as instance */
};

/* How much may be asked for at once. */
struct mb_merge {
    uint16_t registers, bits;    /* in one request */
    uint16_t gap;                /* that nobody wants, between two that somebody does */
    const struct pd_hole *holes; /* never part of one; borrowed */
    size_t nholes;
};

/* Items [first, end) and the request that gets them. Items that are not wanted may lie between. */
struct mb_chunk {
    size_t first, end;
    struct mb_ask ask; /* without the unit */
};

int mb_plan_compile(const struct pd_source *sources, size_t n, struct pd_plan **out, struct pd_compile_error *err);
/* Every single register or bit from first to last. */
struct pd_plan *mb_plan_walk(uint8_t function, uint16_t first, uint16_t last);
void mb_plan_free(struct pd_plan *p);

/* ---- What a device taught us ---- */

/*
 * Kept by place, so it holds for every plan: where a request may not reach across, because one that
 * did was refused, and what the device does not have.
 */
struct mb_learnt {
    struct u64dict *marks; /* of an item's function, address and count; NULL while there are none */
    int64_t forget_ms;     /* when what is absent is asked for once more */
};

enum mb_mark { MB_MARK_CUT = 1, MB_MARK_ABSENT = 2 };

/* The marks of an item, of a device that has any. */
unsigned mb_learnt_marks(const struct mb_learnt *l, const struct mb_item *item);
static inline bool mb_learnt_is(const struct mb_learnt *l, const struct mb_item *item, enum mb_mark mark)
{
    return l->marks && mb_learnt_marks(l, item) & mark;
}
void mb_learnt_mark(struct mb_learnt *l, const struct mb_item *item, enum mb_mark mark);
/* Forgets what is absent; cuts stay. */
void mb_learnt_forget(struct mb_learnt *l);
void mb_learnt_free(struct mb_learnt *l);

/* Does anything from first to end (exclusive) lie in a hole? */
bool mb_merge_forbids(const struct mb_merge *merge, uint8_t function, uint32_t first, uint32_t end);
/* Items that the device does not have, or that lie in a hole, are not asked for. */
static inline bool mb_plan_lacks(const struct mb_learnt *l, const struct mb_merge *merge, const struct mb_item *item)
{
    return mb_learnt_is(l, item, MB_MARK_ABSENT) ||
           (merge->nholes > 0 &&
            mb_merge_forbids(merge, item->a.function, item->at, (uint32_t)item->at + item->a.count));
}
/* The next request for items of these parts from index `from` on, lacking ones left out; false if there is none. */
bool mb_plan_next(const struct pd_plan *p, size_t from, uint32_t parts, const struct mb_learnt *l,
                  const struct mb_merge *merge, struct mb_chunk *out);
/* A request for the first of these items alone that lies in no hole, absent or not. */
bool mb_plan_first(const struct pd_plan *p, uint32_t parts, const struct mb_merge *merge, struct mb_chunk *out);
/* Is the item one that a read of these parts wants? */
static inline bool mb_wanted(const struct mb_item *item, uint32_t parts)
{
    return parts >> item->part & 1;
}
/*
 * The device refused the chunk: cuts it where something unwanted was asked for too, else in the
 * middle (at once so if middle is set). False if it cannot be cut.
 */
bool mb_plan_cut(const struct pd_plan *p, uint32_t parts, struct mb_learnt *l, const struct mb_chunk *c, bool middle);

#endif
