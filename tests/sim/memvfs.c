#include "tests/sim/memvfs.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/array.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "tests/sim/memdisk.h"

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

static struct handle *lock_handle(sqlite3_file *file)
{
    struct handle *h = (struct handle *)file;

    pthread_mutex_lock(&h->vfs->mutex);
    return h;
}

static int unlock(struct memvfs *m, int rc)
{
    pthread_mutex_unlock(&m->mutex);
    return rc;
}

static int sqlite_code(enum memdisk_err err, int io_error)
{
    return err == MEMDISK_OK ? SQLITE_OK : err == MEMDISK_FULL ? SQLITE_FULL : io_error;
}

/* ---- Nodes ---- */

static struct node *node_get(struct memvfs *m, struct memfile *file)
{
    struct node *n = NULL;

    for (size_t i = 0; i < m->nodes.n && !n; i++)
        if (m->nodes.v[i]->file == file)
            n = m->nodes.v[i];
    if (!n) {
        n = xcalloc(1, sizeof *n);
        n->file = file;
        memfile_open(file);
        array_push(&m->nodes, n);
    }
    n->refs++;
    return n;
}

static void shm_forget(struct node *n)
{
    for (size_t i = 0; i < n->regions.n; i++)
        free(n->regions.v[i]);
    array_free(&n->regions);
}

static void node_put(struct memvfs *m, struct node *n)
{
    if (--n->refs > 0)
        return;
    for (size_t i = 0; i < m->nodes.n; i++)
        if (m->nodes.v[i] == n) {
            array_remove(&m->nodes, i);
            break;
        }
    shm_forget(n);
    memfile_close(m->disk, n->file);
    free(n);
}

/* ---- Files ---- */

static int file_read_at(sqlite3_file *file, void *buf, int n, sqlite3_int64 offset)
{
    struct handle *h = lock_handle(file);
    size_t got;

    if (memdisk_is_off(h->vfs->disk))
        return unlock(h->vfs, SQLITE_IOERR_READ);
    got = memfile_read(h->node->file, offset, buf, (size_t)n);
    memset((char *)buf + got, 0, (size_t)n - got);
    return unlock(h->vfs, got == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ);
}

static int file_write_at(sqlite3_file *file, const void *buf, int n, sqlite3_int64 offset)
{
    struct handle *h = lock_handle(file);
    enum memdisk_err err = memfile_write(h->vfs->disk, h->node->file, offset, buf, (size_t)n);

    return unlock(h->vfs, sqlite_code(err, SQLITE_IOERR_WRITE));
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = lock_handle(file);
    enum memdisk_err err = memfile_truncate(h->vfs->disk, h->node->file, size);

    return unlock(h->vfs, sqlite_code(err, SQLITE_IOERR_TRUNCATE));
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct handle *h = lock_handle(file);
    enum memdisk_err err = memfile_sync(h->vfs->disk, h->node->file);

    (void)flags;
    if (err == MEMDISK_OK && h->sync_names) {
        err = memdisk_sync_names(h->vfs->disk);
        h->sync_names = err != MEMDISK_OK;
    }
    return unlock(h->vfs, sqlite_code(err, SQLITE_IOERR_FSYNC));
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct handle *h = lock_handle(file);

    *size = memfile_size(h->node->file);
    return unlock(h->vfs, memdisk_is_off(h->vfs->disk) ? SQLITE_IOERR_FSTAT : SQLITE_OK);
}

/* ---- Locks of the rollback kind ---- */

static int take_level(struct handle *h, int level)
{
    struct node *n = h->node;
    bool others_write = n->writer && n->writer != h;

    if (level == SQLITE_LOCK_SHARED) {
        if (others_write && n->writer->level >= SQLITE_LOCK_PENDING)
            return SQLITE_BUSY;
        n->readers++;
        h->level = level;
        return SQLITE_OK;
    }
    if (h->read_only)
        return SQLITE_IOERR_LOCK;
    if (others_write)
        return SQLITE_BUSY;
    n->writer = h;
    if (level == SQLITE_LOCK_EXCLUSIVE && n->readers > 1) {
        h->level = SQLITE_LOCK_PENDING; /* keeps new readers out until the present ones have left */
        return SQLITE_BUSY;
    }
    h->level = level;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level)
{
    struct handle *h = lock_handle(file);

    if (level <= h->level)
        return unlock(h->vfs, SQLITE_OK);
    if (memdisk_is_off(h->vfs->disk))
        return unlock(h->vfs, SQLITE_IOERR_LOCK);
    return unlock(h->vfs, take_level(h, level));
}

static int file_unlock(sqlite3_file *file, int level)
{
    struct handle *h = lock_handle(file);
    struct node *n = h->node;

    if (level < h->level) {
        if (n->writer == h)
            n->writer = NULL;
        if (level == SQLITE_LOCK_NONE)
            n->readers--;
        h->level = level;
    }
    return unlock(h->vfs, SQLITE_OK);
}

static int file_check_reserved(sqlite3_file *file, int *reserved)
{
    struct handle *h = lock_handle(file);

    *reserved = h->node->writer != NULL;
    return unlock(h->vfs, SQLITE_OK);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

/* As the system's VFS answers on Linux. */
static int file_sector_size(sqlite3_file *file)
{
    (void)file;
    return 4096;
}

static int file_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- Shared memory of the WAL's index ---- */

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    struct handle *h = lock_handle(file);
    struct node *n = h->node;

    *out = NULL;
    if (memdisk_is_off(h->vfs->disk))
        return unlock(h->vfs, SQLITE_IOERR_SHMMAP);
    if (!h->shm) {
        h->shm = true;
        n->shm_refs++;
    }
    while (extend && n->regions.n <= (size_t)region)
        array_push(&n->regions, xcalloc(1, (size_t)size));
    if ((size_t)region < n->regions.n)
        *out = n->regions.v[region];
    return unlock(h->vfs, SQLITE_OK);
}

static void shm_release(struct handle *h, int first, int n)
{
    for (int i = first; i < first + n; i++) {
        unsigned bit = 1u << i;

        if (h->shm_shared & bit)
            h->node->shm_shared[i]--;
        if (h->shm_exclusive & bit)
            h->node->shm_exclusive[i] = NULL;
        h->shm_shared &= ~bit;
        h->shm_exclusive &= ~bit;
    }
}

static bool shm_is_free(const struct handle *h, int i, bool exclusive)
{
    const struct node *n = h->node;
    unsigned own = h->shm_shared >> i & 1;

    if (n->shm_exclusive[i] && n->shm_exclusive[i] != h)
        return false;
    return !exclusive || n->shm_shared[i] == own;
}

static int shm_take(struct handle *h, int first, int n, bool exclusive)
{
    for (int i = first; i < first + n; i++)
        if (!shm_is_free(h, i, exclusive))
            return SQLITE_BUSY;
    for (int i = first; i < first + n; i++) {
        unsigned bit = 1u << i;

        if (exclusive) {
            h->node->shm_exclusive[i] = h;
            h->shm_exclusive |= bit;
        } else if (!(h->shm_shared & bit)) {
            h->node->shm_shared[i]++;
            h->shm_shared |= bit;
        }
    }
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *file, int first, int n, int flags)
{
    struct handle *h = lock_handle(file);

    if (flags & SQLITE_SHM_UNLOCK) {
        shm_release(h, first, n);
        return unlock(h->vfs, SQLITE_OK);
    }
    if (memdisk_is_off(h->vfs->disk))
        return unlock(h->vfs, SQLITE_IOERR_SHMLOCK);
    return unlock(h->vfs, shm_take(h, first, n, flags & SQLITE_SHM_EXCLUSIVE));
}

static void shm_barrier(sqlite3_file *file)
{
    lock_handle(file);
    unlock(((struct handle *)file)->vfs, SQLITE_OK);
}

static void shm_leave(struct handle *h)
{
    if (!h->shm)
        return;
    shm_release(h, 0, SQLITE_SHM_NLOCK);
    h->shm = false;
    if (--h->node->shm_refs == 0)
        shm_forget(h->node);
}

static int shm_unmap(sqlite3_file *file, int delete)
{
    struct handle *h = lock_handle(file);

    (void)delete; /* nobody is left to find it */
    shm_leave(h);
    return unlock(h->vfs, SQLITE_OK);
}

static int file_close(sqlite3_file *file)
{
    struct handle *h;
    struct memvfs *m;
    struct memfile *f;

    file_unlock(file, SQLITE_LOCK_NONE);
    h = lock_handle(file);
    m = h->vfs;
    shm_leave(h);
    if (h->delete_name && !memdisk_is_off(m->disk) && (f = memdisk_find(m->disk, h->delete_name)))
        memdisk_remove(m->disk, f);
    free(h->delete_name);
    node_put(m, h->node);
    return unlock(m, SQLITE_OK);
}

static const sqlite3_io_methods io_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read_at,
    .xWrite = file_write_at,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* ---- The VFS ---- */

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
        return unlock(m, SQLITE_IOERR);
    if (made)
        f = memdisk_create(m->disk, name);
    if (!f)
        return unlock(m, SQLITE_CANTOPEN);
    h->base.pMethods = &io_methods;
    h->vfs = m;
    h->node = node_get(m, f);
    h->read_only = flags & SQLITE_OPEN_READONLY;
    h->sync_names = made && flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL);
    if (name && flags & SQLITE_OPEN_DELETEONCLOSE)
        h->delete_name = xstrdup(name);
    if (out_flags)
        *out_flags = flags;
    return unlock(m, SQLITE_OK);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct memvfs *m = lock_vfs(vfs);
    struct memfile *f = memdisk_find(m->disk, name);
    enum memdisk_err err = MEMDISK_OK;

    if (memdisk_is_off(m->disk))
        return unlock(m, SQLITE_IOERR_DELETE);
    if (!f)
        return unlock(m, SQLITE_IOERR_DELETE_NOENT);
    memdisk_remove(m->disk, f);
    if (sync)
        err = memdisk_sync_names(m->disk);
    return unlock(m, sqlite_code(err, SQLITE_IOERR_DIR_FSYNC));
}

/* As the system's VFS does it, an empty file does not count as existing: it asks for journals only. */
static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    struct memvfs *m = lock_vfs(vfs);
    struct memfile *f = memdisk_find(m->disk, name);

    *out = f && (flags != SQLITE_ACCESS_EXISTS || memfile_size(f) > 0);
    return unlock(m, memdisk_is_off(m->disk) ? SQLITE_IOERR_ACCESS : SQLITE_OK);
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
    return unlock(m, n);
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
    return unlock(m, SQLITE_OK);
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
