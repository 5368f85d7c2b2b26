#include "tests/sim/memdisk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"

#define CHUNK ((size_t)65536)
#define SECTOR 512

/* A write or truncation since the last sync, with what it replaced. */
struct undo {
    bool truncation;
    int64_t offset; /* of a truncation: the new size */
    size_t n;
    int64_t size_before;
    size_t at; /* where its n bytes lie in the file's `before` */
};

/* Content lies in chunks; whatever lies beyond the size is zero. */
struct memfile {
    char *name;
    bool linked; /* its name stands in the folder */
    unsigned opens;
    int64_t size;
    ARRAY(uint8_t *) chunks;
    ARRAY(struct undo) undos;
    struct sbuf before;
};

/* A name that came or went since the last sync of names. */
struct name_op {
    bool came;
    struct memfile *file;
};

struct memdisk {
    ARRAY(struct memfile *) files;
    ARRAY(struct name_op) name_ops;
    uint64_t syncs, cut_at;
    unsigned faults;
    int64_t room;
    bool off;
};

/* ---- Raw content ---- */

static uint8_t *chunk_at(struct memfile *f, size_t i)
{
    while (f->chunks.n <= i)
        array_push(&f->chunks, xcalloc(1, CHUNK));
    return f->chunks.v[i];
}

static void poke(struct memfile *f, int64_t offset, const void *buf, size_t n)
{
    const uint8_t *p = buf;

    while (n > 0) {
        size_t in = (size_t)offset % CHUNK, part = n < CHUNK - in ? n : CHUNK - in;

        memcpy(chunk_at(f, (size_t)offset / CHUNK) + in, p, part);
        p += part;
        offset += (int64_t)part;
        n -= part;
    }
}

/* Bytes beyond the chunks read as zero. */
static void peek(const struct memfile *f, int64_t offset, void *buf, size_t n)
{
    uint8_t *p = buf;

    while (n > 0) {
        size_t in = (size_t)offset % CHUNK, part = n < CHUNK - in ? n : CHUNK - in, i = (size_t)offset / CHUNK;

        if (i < f->chunks.n)
            memcpy(p, f->chunks.v[i] + in, part);
        else
            memset(p, 0, part);
        p += part;
        offset += (int64_t)part;
        n -= part;
    }
}

/* Sets the size; what is cut off becomes zero. */
static void resize(struct memfile *f, int64_t size)
{
    for (int64_t at = size; at < f->size;) {
        size_t in = (size_t)at % CHUNK;

        memset(f->chunks.v[(size_t)at / CHUNK] + in, 0, CHUNK - in);
        at += (int64_t)(CHUNK - in);
        if ((size_t)at / CHUNK >= f->chunks.n)
            break;
    }
    f->size = size;
}

/* ---- Files and names ---- */

struct memdisk *memdisk_new(void)
{
    struct memdisk *d = xcalloc(1, sizeof *d);

    d->room = -1;
    return d;
}

static void forget_undos(struct memfile *f)
{
    f->undos.n = 0;
    sbuf_reset(&f->before);
}

static void file_free(struct memfile *f)
{
    for (size_t i = 0; i < f->chunks.n; i++)
        free(f->chunks.v[i]);
    array_free(&f->chunks);
    array_free(&f->undos);
    sbuf_free(&f->before);
    free(f->name);
    free(f);
}

void memdisk_free(struct memdisk *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->files.n; i++) {
        assert(d->files.v[i]->opens == 0);
        file_free(d->files.v[i]);
    }
    array_free(&d->files);
    array_free(&d->name_ops);
    free(d);
}

struct memfile *memdisk_find(struct memdisk *d, const char *name)
{
    for (size_t i = 0; i < d->files.n; i++)
        if (d->files.v[i]->linked && strcmp(d->files.v[i]->name, name) == 0)
            return d->files.v[i];
    return NULL;
}

struct memfile *memdisk_create(struct memdisk *d, const char *name)
{
    struct memfile *f = xcalloc(1, sizeof *f);

    f->name = xstrdup_null(name);
    f->linked = name != NULL;
    array_push(&d->files, f);
    if (name)
        array_push(&d->name_ops, ((struct name_op){.came = true, .file = f}));
    return f;
}

/* A file that has no name, is not open, and can't get its name back by a power cut, is gone. */
static void drop_unused(struct memdisk *d)
{
    for (size_t i = d->files.n; i-- > 0;) {
        struct memfile *f = d->files.v[i];
        bool used = f->linked || f->opens > 0;

        for (size_t k = 0; k < d->name_ops.n && !used; k++)
            used = d->name_ops.v[k].file == f;
        if (used)
            continue;
        if (d->room >= 0)
            d->room += f->size;
        file_free(f);
        array_remove(&d->files, i);
    }
}

void memdisk_remove(struct memdisk *d, struct memfile *f)
{
    f->linked = false;
    array_push(&d->name_ops, ((struct name_op){.came = false, .file = f}));
}

void memfile_open(struct memfile *f)
{
    f->opens++;
}

void memfile_close(struct memdisk *d, struct memfile *f)
{
    f->opens--;
    drop_unused(d);
}

/* ---- Reading, writing, syncing ---- */

int64_t memfile_size(const struct memfile *f)
{
    return f->size;
}

size_t memfile_read(const struct memfile *f, int64_t offset, void *buf, size_t n)
{
    if (offset >= f->size)
        return 0;
    if ((int64_t)n > f->size - offset)
        n = (size_t)(f->size - offset);
    peek(f, offset, buf, n);
    return n;
}

/* Remembers what a write or truncation is about to replace. */
static void note_undo(struct memfile *f, bool truncation, int64_t offset, size_t n)
{
    struct undo u = {.truncation = truncation, .offset = offset, .n = n, .size_before = f->size, .at = f->before.n};
    uint8_t old[4096];

    for (size_t done = 0; done < n;) {
        size_t part = n - done < sizeof old ? n - done : sizeof old;

        peek(f, offset + (int64_t)done, old, part);
        sbuf_addn(&f->before, old, part);
        done += part;
    }
    array_push(&f->undos, u);
}

enum memdisk_err memfile_write(struct memdisk *d, struct memfile *f, int64_t offset, const void *buf, size_t n)
{
    int64_t end = offset + (int64_t)n, growth = end > f->size ? end - f->size : 0;

    if (d->off || d->faults & MEMDISK_FAIL_WRITE)
        return MEMDISK_IO;
    if (d->room >= 0 && growth > d->room)
        return MEMDISK_FULL;
    if (d->room >= 0)
        d->room -= growth;
    note_undo(f, false, offset, n);
    poke(f, offset, buf, n);
    f->size += growth;
    return MEMDISK_OK;
}

enum memdisk_err memfile_truncate(struct memdisk *d, struct memfile *f, int64_t size)
{
    if (d->off || d->faults & MEMDISK_FAIL_WRITE)
        return MEMDISK_IO;
    if (size >= f->size)
        return MEMDISK_OK;
    if (d->room >= 0)
        d->room += f->size - size;
    note_undo(f, true, size, (size_t)(f->size - size));
    resize(f, size);
    return MEMDISK_OK;
}

/* Passes a sync point; the power may fail there. */
static enum memdisk_err sync_point(struct memdisk *d)
{
    if (d->off || d->faults & MEMDISK_FAIL_SYNC)
        return MEMDISK_IO;
    d->syncs++;
    d->off = d->syncs == d->cut_at;
    return d->off ? MEMDISK_IO : MEMDISK_OK;
}

enum memdisk_err memfile_sync(struct memdisk *d, struct memfile *f)
{
    enum memdisk_err err = sync_point(d);

    if (err == MEMDISK_OK)
        forget_undos(f);
    return err;
}

enum memdisk_err memdisk_sync_names(struct memdisk *d)
{
    enum memdisk_err err = sync_point(d);

    if (err != MEMDISK_OK)
        return err;
    d->name_ops.n = 0;
    drop_unused(d);
    return err;
}

/* ---- Faults and power ---- */

uint64_t memdisk_syncs(const struct memdisk *d)
{
    return d->syncs;
}

void memdisk_set_faults(struct memdisk *d, unsigned faults)
{
    d->faults = faults;
}

void memdisk_set_room(struct memdisk *d, int64_t bytes)
{
    d->room = bytes;
}

void memdisk_cut_power_at(struct memdisk *d, uint64_t sync_point_number)
{
    d->cut_at = sync_point_number;
}

void memdisk_cut_power(struct memdisk *d)
{
    d->off = true;
}

bool memdisk_is_off(const struct memdisk *d)
{
    return d->off;
}

/* Back to what was synced; each undo's bytes become what it had written. */
static void rewind_file(struct memfile *f)
{
    for (size_t i = f->undos.n; i-- > 0;) {
        struct undo *u = &f->undos.v[i];
        char *old = f->before.s + u->at, *new = xmalloc(u->n + 1);

        peek(f, u->offset, new, u->n);
        poke(f, u->offset, old, u->n);
        resize(f, u->size_before);
        memcpy(old, new, u->n);
        free(new);
    }
}

static void keep_bytes(struct memfile *f, int64_t offset, const char *p, size_t n)
{
    poke(f, offset, p, n);
    if (offset + (int64_t)n > f->size)
        f->size = offset + (int64_t)n;
}

/* Of an unsynced write the disk kept all, nothing, or any of its sectors. */
static void replay_write(struct memfile *f, const struct undo *u, const struct pd_rng *rng)
{
    uint64_t fate = rng_below(rng, 3);

    for (size_t done = 0; done < u->n;) {
        size_t left = u->n - done, part = SECTOR - (size_t)(u->offset + (int64_t)done) % SECTOR;

        part = part < left ? part : left;
        if (fate == 0 || (fate == 1 && rng_below(rng, 2) == 0))
            keep_bytes(f, u->offset + (int64_t)done, f->before.s + u->at + done, part);
        done += part;
    }
}

static void replay_file(struct memfile *f, const struct pd_rng *rng)
{
    for (size_t i = 0; i < f->undos.n; i++) {
        const struct undo *u = &f->undos.v[i];

        if (!u->truncation)
            replay_write(f, u, rng);
        else if (u->offset < f->size && rng_below(rng, 2) == 0)
            resize(f, u->offset);
    }
}

static void replay_names(struct memdisk *d, const struct pd_rng *rng)
{
    for (size_t i = d->name_ops.n; i-- > 0;)
        d->name_ops.v[i].file->linked = !d->name_ops.v[i].came;
    for (size_t i = 0; i < d->name_ops.n; i++) {
        struct name_op *op = &d->name_ops.v[i];
        struct memfile *same;

        if (rng_below(rng, 2) == 0)
            continue;
        /* That a name came again means that it had gone before. */
        if (op->came && (same = memdisk_find(d, op->file->name)))
            same->linked = false;
        op->file->linked = op->came;
    }
}

void memdisk_power_on(struct memdisk *d, bool keep, uint64_t seed)
{
    struct rng_seeded seeded;
    struct pd_rng rng = rng_seeded_ops(&seeded);

    rng_seed(&seeded, seed);
    for (size_t i = 0; i < d->files.n; i++) {
        struct memfile *f = d->files.v[i];

        assert(f->opens == 0);
        if (!keep) {
            rewind_file(f);
            replay_file(f, &rng);
            forget_undos(f);
        }
    }
    if (!keep) {
        replay_names(d, &rng);
        d->name_ops.n = 0;
    }
    drop_unused(d);
    d->off = false;
    d->cut_at = 0;
}
