#ifndef PD_STORE_UPKEEP_H
#define PD_STORE_UPKEEP_H

#include "base/worker.h"
#include "store/pack.h"

/*
 * What the writer does between commits: writes the WAL back into the database, or
 * does the next piece of packing, reckoning up or deleting, so that no commit
 * waits long.
 */
struct upkeep {
    struct job job;
    struct packer packer;
    void *owner;
    bool checkpoint; /* else a piece */
    bool trim;       /* what is too old may be deleted; false once an hour of it is */
    int64_t now_ms;  /* wall clock */
    /* How it went. */
    int err;
    char why[160];
    size_t wal_pages;
    struct pack_told told;
};

void upkeep_run(struct upkeep *u);

#endif
