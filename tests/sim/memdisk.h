#ifndef PD_TESTS_SIM_MEMDISK_H
#define PD_TESTS_SIM_MEMDISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A disk in memory that can lose power. It remembers of every file what was
 * written since its last sync, and of the folder which names came and went, so
 * that a power cut can keep, lose or tear each of those by chance. No locks: the
 * caller serialises.
 */
struct memdisk;
struct memfile;

enum memdisk_fault { MEMDISK_FAIL_WRITE = 1, MEMDISK_FAIL_SYNC = 2 };

enum memdisk_err {
    MEMDISK_OK,
    MEMDISK_IO,   /* armed, or the power is off */
    MEMDISK_FULL, /* no room left */
};

struct memdisk *memdisk_new(void);
/* Every file must be closed. */
void memdisk_free(struct memdisk *d);

/* The file of this name, or NULL; borrowed. */
struct memfile *memdisk_find(struct memdisk *d, const char *name);
/* Makes an empty file of a name that is not there; NULL makes one without a name, gone when closed. Borrowed. */
struct memfile *memdisk_create(struct memdisk *d, const char *name);
/* Takes the name away; the content stays while somebody has it open. */
void memdisk_remove(struct memdisk *d, struct memfile *f);
/* Opened files outlive their names. */
void memfile_open(struct memfile *f);
void memfile_close(struct memdisk *d, struct memfile *f);

int64_t memfile_size(const struct memfile *f);
/* Reads up to n bytes; returns how many there were. */
size_t memfile_read(const struct memfile *f, int64_t offset, void *buf, size_t n);
enum memdisk_err memfile_write(struct memdisk *d, struct memfile *f, int64_t offset, const void *buf, size_t n);
enum memdisk_err memfile_truncate(struct memdisk *d, struct memfile *f, int64_t size);
/* Makes the file's content durable. A sync point, as is each sync of the folder's names. */
enum memdisk_err memfile_sync(struct memdisk *d, struct memfile *f);
enum memdisk_err memdisk_sync_names(struct memdisk *d);

uint64_t memdisk_syncs(const struct memdisk *d); /* sync points passed so far */
void memdisk_set_faults(struct memdisk *d, unsigned faults);
void memdisk_set_room(struct memdisk *d, int64_t bytes); /* files may grow by so much in all; negative: without end */
/* The power fails at this sync point (counted from the disk's making): it syncs nothing. 0: never. */
void memdisk_cut_power_at(struct memdisk *d, uint64_t sync_point);
void memdisk_cut_power(struct memdisk *d);
bool memdisk_is_off(const struct memdisk *d);
/*
 * Switches on again. keep: everything written is there (only the process died);
 * else each unsynced write is kept, lost or torn at sectors of 512 bytes and each
 * unsynced coming or going of a name kept or lost, as the seed says. Every file must be closed.
 */
void memdisk_power_on(struct memdisk *d, bool keep, uint64_t seed);

#endif
