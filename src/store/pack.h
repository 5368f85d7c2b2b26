#ifndef PD_STORE_PACK_H
#define PD_STORE_PACK_H

#include "store/db.h"
#include "store/blob.h"
#include "store/fresh.h"
#include "store/grid.h"

/*
 * What becomes of polls: when an hour is over, what came in it is packed into
 * hours, device by device; when a day is over its hours are reckoned up, and when a
 * month is over its days; what is too old is deleted. All of it in small pieces, each
 * a transaction of its own that leaves nothing lost and nothing twice wherever it
 * ends. Polls that come late, for an hour that is packed, make another part of
 * that hour, and days and months are reckoned anew for them.
 */
struct reckoner;

struct packer {
    struct db *db;
    int64_t raw_ms, hourly_ms; /* how long packed polls and hourly rollups are kept */
    /* Storage that is kept from piece to piece. */
    struct fresh fresh;
    struct blob_chain chain;
    struct grid_builder builder;
    struct sbuf blob, whole;
    struct reckoner *reckoner;
};

struct pack_told {
    bool more;          /* there is more to do at once */
    int64_t polls;      /* packed by this piece */
    int64_t unreadable; /* left out by it, as nobody can read them */
    int64_t lag_ms;     /* since the hour ended that is being packed; 0: none is */
    int64_t waiting;    /* batches that are not packed yet and belong to an hour that is over */
};

void packer_fini(struct packer *p);

/*
 * Does the next piece. trim: what is too old may be deleted, an hour and a day of
 * it: so a clock that is wrong for a while costs little. *trimmed: nothing of these is left.
 */
int pack_piece(struct packer *p, int64_t now_ms, bool trim, bool *trimmed, struct pack_told *out);

#endif
