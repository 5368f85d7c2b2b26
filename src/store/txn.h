#ifndef PD_STORE_TXN_H
#define PD_STORE_TXN_H

#include "base/worker.h"
#include "model/vocabulary.h"
#include "store/db.h"

/*
 * What goes to disk in one transaction: changes in order, then polls. Filled in
 * the loop, committed by the writer.
 */
struct txn_entry {
    struct change *change;
    void (*done)(void *arg);
    void *arg;
    bool refused; /* by the database, for a reason of its own */
};

struct txn_poll {
    int64_t device_id, at_ms;
    size_t offset, n; /* of its blob in blobs */
    int64_t batch;    /* of those of this commit */
};

struct store_batch {
    struct job job;
    struct db *db;
    void *owner;
    ARRAY(struct txn_entry) entries;
    ARRAY(struct txn_poll) polls;
    struct sbuf blobs;
    struct point_numbers points; /* that are given from now on */
    size_t readings;
    bool urgent;
    bool cuts; /* no later poll is told by one of its own */
    int64_t cut_hour;
    /* How it went. */
    int err;
    char why[160];
    int64_t first_event, last_event; /* last < first: none */
    size_t wal_pages;
    char refusal[160]; /* why the last refused entry was */
};

struct store_batch *store_batch_new(void);
void store_batch_free(struct store_batch *b); /* the changes too */
bool store_batch_empty(const struct store_batch *b);
/* Empties it, keeping storage; frees the changes. */
void store_batch_reset(struct store_batch *b);

/* gap_ms: since the poll by which this one is told; 0: it stands by itself. */
void store_batch_add_poll(struct store_batch *b, const struct poll *p, int64_t gap_ms);

/*
 * Commits all of it, numbering events, or nothing: b->err and b->why say. A
 * change that breaks a constraint would break it for ever: it is marked refused,
 * and the rest is committed without it.
 */
void store_batch_commit(struct store_batch *b);

#endif
