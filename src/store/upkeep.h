#ifndef PD_STORE_UPKEEP_H
#define PD_STORE_UPKEEP_H

#include "base/worker.h"
#include "store/db.h"

/*
 * What the writer does between commits: writes the WAL back into the database,
 * and deletes polls that are too old, one slice of them at a time, so that no
 * commit waits long and a clock that is wrong for an hour costs hours, not all.
 */
struct upkeep {
    struct job job;
    struct db *db;
    void *owner;
    bool checkpoint;
    int64_t trim_before; /* delete the oldest slice if it is before this one; INT64_MIN: none */
    /* How it went. */
    int err;
    char why[160];
    size_t wal_pages;
};

void upkeep_run(struct upkeep *u);

#endif
