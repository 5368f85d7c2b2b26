#ifndef PD_STORE_SPAN_H
#define PD_STORE_SPAN_H

#include "store/db.h"
#include "store/hour.h"

/* How far packing has come: the row of table pack, as keys.h tells it. */
struct pack_state {
    int64_t begins, ends, device, hour, day, day_device, month, month_device;
};
int pack_state_read(struct db *db, struct pack_state *out);
/* A poll of table poll that is not in an hour yet. */
static inline bool pack_is_live(const struct pack_state *s, int64_t batch, int64_t device)
{
    return batch >= s->begins && (batch >= s->ends || device > s->device);
}

/* Gets a poll, borrowed; false: that is enough. */
typedef bool (*poll_fn)(void *ctx, const struct poll_view *p);

/*
 * A device's polls of [from, to] in order of time, packed or not, each once: of two
 * at one instant the one that came last. An hour that cannot be believed is a poll
 * at its beginning with err. only: series_key() of the one series that is wanted,
 * else NO_KEY; polls without it then have no readings. In a transaction of the caller's.
 */
int span_read(struct db *db, int64_t device_id, int64_t from, int64_t to, uint64_t only, poll_fn fn, void *ctx);

#endif
