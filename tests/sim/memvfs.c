#include "tests/sim/memvfs.h"

#include <assert.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/sim/memvfs_file.h"

static struct memvfs *lock_vfs(sqlite3_vfs *vfs)
{
    struct memvfs *m = vfs->pAppData;

    pthread_mutex_lock(&m->mutex);
    return m;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    struct memvfs *m = lock_vfs(vfs);
    struct handle *h = (struct handle *)file;
    struct memfile *f = name ? memdisk_find(m->disk, name) : NULL;
    bool made = !f && (!name || flags & SQLITE_OPEN_CREATE);

    memset(h, 0, sizeof *h); /* no methods: SQLite will not close it */
    if (memdisk_is_off(m->disk))
        return memvfs_unlock(m, SQLITE_IOERR);
    if (made)
        f = memdisk_create(m->disk, name);
    if (!f)
        return memvfs_unlock(m, SQLITE_CANTOPEN);
    handle_open(h, m, f, name, flags, made);
    if (out_flags)
        *out_flags = flags;
    return memvfs_unlock(m, SQLITE_OK);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct memvfs *m = lock_vfs(vfs);
    struct memfile *f = memdisk_find(m->disk, name);
    enum memdisk_err err = MEMDISK_OK;

    if (memdisk_is_off(m->disk))
        return memvfs_unlock(m, SQLITE_IOERR_DELETE);
    if (!f)
        return memvfs_unlock(m, SQLITE_IOERR_DELETE_NOENT);
    memdisk_remove(m->disk, f);
    if (sync)
        err = memdisk_sync_names(m->disk);
    return memvfs_unlock(m, memvfs_code(err, SQLITE_IOERR_DIR_FSYNC));
}

/* As the system's VFS does it, an empty file does not count as existing: it asks for journals only. */
static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    struct memvfs *m = lock_vfs(vfs);
    struct memfile *f = memdisk_find(m->disk, name);

    *out = f && (flags != SQLITE_ACCESS_EXISTS || memfile_size(f) > 0);
    return memvfs_unlock(m, memdisk_is_off(m->disk) ? SQLITE_IOERR_ACCESS : SQLITE_OK);
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    if (strlen(name) >= (size_t)n)
        return SQLITE_CANTOPEN;
    memcpy(out, name, strlen(name) + 1);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int n, char *out)
{
    struct memvfs *m = lock_vfs(vfs);

    m->rng.fill(m->rng.ctx, out, (size_t)n);
    return memvfs_unlock(m, n);
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    sched_yield(); /* nobody waits in virtual time */
    return microseconds;
}

#define JULIAN_EPOCH_MS INT64_C(210866760000000) /* from noon of 24 November 4714 BC to 1970 */

static int vfs_current_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    struct memvfs *m = lock_vfs(vfs);

    *out = JULIAN_EPOCH_MS + clock_wall(&m->clock);
    return memvfs_unlock(m, SQLITE_OK);
}

static int vfs_current_time(sqlite3_vfs *vfs, double *out)
{
    sqlite3_int64 ms;
    int rc = vfs_current_time_ms(vfs, &ms);

    *out = (double)ms / 86400000.0;
    return rc;
}

static int vfs_last_error(sqlite3_vfs *vfs, int n, char *out)
{
    (void)vfs;
    if (n > 0)
        out[0] = '\0';
    return 0;
}

struct memvfs *memvfs_new(const char *name, struct pd_clock clock, struct pd_rng rng)
{
    struct memvfs *m = xcalloc(1, sizeof *m);

    m->name = xstrdup(name);
    m->clock = clock;
    m->rng = rng;
    m->disk = memdisk_new();
    pthread_mutex_init(&m->mutex, NULL);
    m->base = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct handle),
        .mxPathname = 512,
        .zName = m->name,
        .pAppData = m,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_current_time,
        .xCurrentTimeInt64 = vfs_current_time_ms,
        .xGetLastError = vfs_last_error,
    };
    sqlite3_initialize();
    assert(!sqlite3_vfs_find(name));
    sqlite3_vfs_register(&m->base, 0);
    return m;
}

void memvfs_free(struct memvfs *m)
{
    if (!m)
        return;
    assert(m->nodes.n == 0);
    sqlite3_vfs_unregister(&m->base);
    array_free(&m->nodes);
    memdisk_free(m->disk);
    pthread_mutex_destroy(&m->mutex);
    free(m->name);
    free(m);
}

const char *memvfs_name(const struct memvfs *m)
{
    return m->name;
}

/* ---- Faults ---- */

uint64_t memvfs_syncs(struct memvfs *m)
{
    uint64_t n;

    pthread_mutex_lock(&m->mutex);
    n = memdisk_syncs(m->disk);
    pthread_mutex_unlock(&m->mutex);
    return n;
}

void memvfs_cut_power_at(struct memvfs *m, uint64_t sync_point)
{
    pthread_mutex_lock(&m->mutex);
    memdisk_cut_power_at(m->disk, sync_point);
    pthread_mutex_unlock(&m->mutex);
}

void memvfs_cut_power(struct memvfs *m)
{
    pthread_mutex_lock(&m->mutex);
    memdisk_cut_power(m->disk);
    pthread_mutex_unlock(&m->mutex);
}

bool memvfs_is_off(struct memvfs *m)
{
    bool off;

    pthread_mutex_lock(&m->mutex);
    off = memdisk_is_off(m->disk);
    pthread_mutex_unlock(&m->mutex);
    return off;
}

static void power_on(struct memvfs *m, bool keep, uint64_t seed)
{
    pthread_mutex_lock(&m->mutex);
    assert(m->nodes.n == 0);
    memdisk_power_on(m->disk, keep, seed);
    pthread_mutex_unlock(&m->mutex);
}

void memvfs_power_cycle(struct memvfs *m, uint64_t seed)
{
    power_on(m, false, seed);
}

void memvfs_revive(struct memvfs *m)
{
    power_on(m, true, 0);
}

void memvfs_set_faults(struct memvfs *m, unsigned faults)
{
    pthread_mutex_lock(&m->mutex);
    memdisk_set_faults(m->disk, (faults & MEMVFS_FAIL_WRITE ? MEMDISK_FAIL_WRITE : 0) |
                                    (faults & MEMVFS_FAIL_SYNC ? MEMDISK_FAIL_SYNC : 0));
    pthread_mutex_unlock(&m->mutex);
}

void memvfs_set_room(struct memvfs *m, int64_t bytes)
{
    pthread_mutex_lock(&m->mutex);
    memdisk_set_room(m->disk, bytes);
    pthread_mutex_unlock(&m->mutex);
}

/* ---- Looking at files ---- */

int64_t memvfs_size(struct memvfs *m, const char *name)
{
    struct memfile *f;
    int64_t size;

    pthread_mutex_lock(&m->mutex);
    f = memdisk_find(m->disk, name);
    size = f ? memfile_size(f) : -1;
    pthread_mutex_unlock(&m->mutex);
    return size;
}

static int export_file(struct memvfs *m, const char *name, const char *path)
{
    struct memfile *f;
    char *data = NULL;
    size_t n = 0;

    pthread_mutex_lock(&m->mutex);
    f = memdisk_find(m->disk, name);
    if (f) {
        n = (size_t)memfile_size(f);
        data = xmalloc(n + 1);
        memfile_read(f, 0, data, n);
    }
    pthread_mutex_unlock(&m->mutex);
    if (!data)
        return PD_ENOENT;

    int rc = file_write_whole(path, data, n, 0640);

    free(data);
    return rc;
}

int memvfs_export(struct memvfs *m, const char *name, const char *path)
{
    char *wal_name = xasprintf("%s-wal", name), *wal_path = xasprintf("%s-wal", path);
    int rc = export_file(m, name, path);

    if (rc == 0 && memvfs_size(m, wal_name) > 0)
        rc = export_file(m, wal_name, wal_path);
    free(wal_name);
    free(wal_path);
    return rc;
}
