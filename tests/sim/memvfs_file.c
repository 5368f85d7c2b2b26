#include "tests/sim/memvfs_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct handle *lock_handle(sqlite3_file *file)
{
    struct handle *h = (struct handle *)file;

    pthread_mutex_lock(&h->vfs->mutex);
    return h;
}

int memvfs_unlock(struct memvfs *m, int rc)
{
    pthread_mutex_unlock(&m->mutex);
    return rc;
}

int memvfs_code(enum memdisk_err err, int io_error)
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
        return memvfs_unlock(h->vfs, SQLITE_IOERR_READ);
    got = memfile_read(h->node->file, offset, buf, (size_t)n);
    memset((char *)buf + got, 0, (size_t)n - got);
    return memvfs_unlock(h->vfs, got == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ);
}

static int file_write_at(sqlite3_file *file, const void *buf, int n, sqlite3_int64 offset)
{
    struct handle *h = lock_handle(file);
    enum memdisk_err err = memfile_write(h->vfs->disk, h->node->file, offset, buf, (size_t)n);

    return memvfs_unlock(h->vfs, memvfs_code(err, SQLITE_IOERR_WRITE));
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = lock_handle(file);
    enum memdisk_err err = memfile_truncate(h->vfs->disk, h->node->file, size);

    return memvfs_unlock(h->vfs, memvfs_code(err, SQLITE_IOERR_TRUNCATE));
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
    return memvfs_unlock(h->vfs, memvfs_code(err, SQLITE_IOERR_FSYNC));
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    struct handle *h = lock_handle(file);

    *size = memfile_size(h->node->file);
    return memvfs_unlock(h->vfs, memdisk_is_off(h->vfs->disk) ? SQLITE_IOERR_FSTAT : SQLITE_OK);
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
        return memvfs_unlock(h->vfs, SQLITE_OK);
    if (memdisk_is_off(h->vfs->disk))
        return memvfs_unlock(h->vfs, SQLITE_IOERR_LOCK);
    return memvfs_unlock(h->vfs, take_level(h, level));
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
    return memvfs_unlock(h->vfs, SQLITE_OK);
}

static int file_check_reserved(sqlite3_file *file, int *reserved)
{
    struct handle *h = lock_handle(file);

    *reserved = h->node->writer != NULL;
    return memvfs_unlock(h->vfs, SQLITE_OK);
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
        return memvfs_unlock(h->vfs, SQLITE_IOERR_SHMMAP);
    if (!h->shm) {
        h->shm = true;
        n->shm_refs++;
    }
    while (extend && n->regions.n <= (size_t)region)
        array_push(&n->regions, xcalloc(1, (size_t)size));
    if ((size_t)region < n->regions.n)
        *out = n->regions.v[region];
    return memvfs_unlock(h->vfs, SQLITE_OK);
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
        return memvfs_unlock(h->vfs, SQLITE_OK);
    }
    if (memdisk_is_off(h->vfs->disk))
        return memvfs_unlock(h->vfs, SQLITE_IOERR_SHMLOCK);
    return memvfs_unlock(h->vfs, shm_take(h, first, n, flags & SQLITE_SHM_EXCLUSIVE));
}

static void shm_barrier(sqlite3_file *file)
{
    lock_handle(file);
    memvfs_unlock(((struct handle *)file)->vfs, SQLITE_OK);
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
    return memvfs_unlock(h->vfs, SQLITE_OK);
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
    return memvfs_unlock(m, SQLITE_OK);
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

void handle_open(struct handle *h, struct memvfs *m, struct memfile *f, const char *name, int flags, bool made)
{
    const int journals = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;

    h->base.pMethods = &io_methods;
    h->vfs = m;
    h->node = node_get(m, f);
    h->read_only = flags & SQLITE_OPEN_READONLY;
    h->sync_names = made && flags & journals;
    if (name && flags & SQLITE_OPEN_DELETEONCLOSE)
        h->delete_name = xstrdup(name);
}
