#ifndef PD_TESTS_SIM_MEMVFS_H
#define PD_TESTS_SIM_MEMVFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rng.h"

/*
 * An SQLite VFS whose files live in memory, WAL and several connections
 * included, with time and randomness from outside: the same calls give the same
 * bytes. It can run full, fail, and lose power between two syncs. It may be used
 * from several threads; the functions below are for one.
 */
struct memvfs;

/* Registers it with SQLite under a name that no other VFS has. */
struct memvfs *memvfs_new(const char *name, struct pd_clock clock, struct pd_rng rng);
/* Every connection must be closed. */
void memvfs_free(struct memvfs *m);
const char *memvfs_name(const struct memvfs *m);

/* Sync points passed so far: each sync of a file, or of the folder. */
uint64_t memvfs_syncs(struct memvfs *m);
/* The power fails at this sync point, counted as memvfs_syncs() does: from then on everything is an I/O error. 0: never. */
void memvfs_cut_power_at(struct memvfs *m, uint64_t sync_point);
/* The power fails now. */
void memvfs_cut_power(struct memvfs *m);
bool memvfs_is_off(struct memvfs *m);
/*
 * Power again, once every connection of before is closed: files have what was
 * synced and a seeded part of what was not, each write kept, lost or torn at
 * sectors of 512 bytes; likewise files made and deleted.
 */
void memvfs_power_cycle(struct memvfs *m, uint64_t seed);
/* After memvfs_cut_power(): it was only the process that died; all that it wrote is there. */
void memvfs_revive(struct memvfs *m);

enum memvfs_fault { MEMVFS_FAIL_WRITE = 1, MEMVFS_FAIL_SYNC = 2 };
/* Until set to 0, every write or sync is an I/O error. */
void memvfs_set_faults(struct memvfs *m, unsigned faults);
/* Disk full: files may grow by so many bytes more in all. Negative: without end. */
void memvfs_set_room(struct memvfs *m, int64_t bytes);

/* Size of a file, or -1 if there is none. */
int64_t memvfs_size(struct memvfs *m, const char *name);
/* Writes the database of that name, its WAL too if there is one, to a real file. 0, PD_ENOENT or errno's cause. */
int memvfs_export(struct memvfs *m, const char *name, const char *path);

#endif
