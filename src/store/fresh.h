#ifndef PD_STORE_FRESH_H
#define PD_STORE_FRESH_H

#include "base/array.h"
#include "base/str.h"
#include "store/db.h"

/*
 * Polls that are not packed yet, by groups of devices, as they lie by batch: a group
 * is as large as its polls can be held, and costs a seek a batch.
 */
struct fresh_poll {
    int64_t device, at_ms;
    size_t order; /* in which they came */
    size_t offset, n;
};

/* `struct fresh f = {0};` */
struct fresh {
    int64_t devices;                /* that a group takes */
    int64_t next;                   /* the next device beyond the group that has polls; 0: none */
    ARRAY(struct fresh_poll) polls; /* of the group, by device, then order */
    struct sbuf blobs;
};

/* Reads the group of devices beyond `after` from batches [begins, ends). In a transaction of the caller's. */
int fresh_read(struct fresh *f, struct db *db, int64_t begins, int64_t ends, int64_t after);
void fresh_fini(struct fresh *f);

#endif
