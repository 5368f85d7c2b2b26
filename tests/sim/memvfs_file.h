#ifndef PD_TESTS_SIM_MEMVFS_FILE_H
#define PD_TESTS_SIM_MEMVFS_FILE_H

#include <pthread.h>

#include <sqlite3.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/rng.h"
#include "tests/sim/memdisk.h"

/* Open files of the VFS in memory: what memvfs.c and memvfs_file.c share. */

struct handle;

/* What connections to one file share, while there are any: locks and the WAL's index. */
struct node {
    struct memfile *file;
    unsigned refs;
    unsigned readers;      /* handles at SHARED or above */
    struct handle *writer; /* the one above SHARED */
    ARRAY(void *) regions;
    unsigned shm_refs;
    unsigned shm_shared[SQLITE_SHM_NLOCK];
    struct handle *shm_exclusive[SQLITE_SHM_NLOCK];
};

struct memvfs {
    sqlite3_vfs base;
    char *name;
    struct pd_clock clock;
    struct pd_rng rng;
    pthread_mutex_t mutex; /* guards all below, and what hangs on it */
    struct memdisk *disk;
    ARRAY(struct node *) nodes;
};

/* An open file: SQLite's own part first. */
struct handle {
    sqlite3_file base;
    struct memvfs *vfs;
    struct node *node;
    char *delete_name; /* on close */
    bool read_only;
    bool sync_names; /* a new journal: its first sync makes its name durable too, as on UNIX */
    int level;       /* SQLITE_LOCK_ */
    bool shm;
    unsigned shm_shared, shm_exclusive; /* lock bits */
};

/* Makes a file SQLite's to use; the mutex is held. flags as of xOpen; made: it was not there before. */
void handle_open(struct handle *h, struct memvfs *m, struct memfile *f, const char *name, int flags, bool made);

/* Gives the mutex back; passes rc through. */
int memvfs_unlock(struct memvfs *m, int rc);
/* SQLite's code for a disk's. */
int memvfs_code(enum memdisk_err err, int io_error);

#endif
