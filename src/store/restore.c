#include "store/backup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "store/draft.h"
#include "store/report_files.h"
#include "store/schema.h"
#include "store/txn.h"

/* ---- What is changed in the copy ---- */

/* The epoch of the database that is to be replaced, if it is of the same installation and can still tell; else 0. */
static int64_t epoch_of_old(const char *path, const char *uuid)
{
    struct store_identity id;
    struct db db = {0};
    char *why = NULL;
    int64_t epoch = 0;

    if (access(path, F_OK) == 0 && db_open(&db, path, NULL, SQLITE_OPEN_READONLY, &why) == 0 &&
        schema_identity(&db, &id, &why) == 0 && strcmp(id.uuid, uuid) == 0)
        epoch = id.epoch;
    free(why);
    db_close(&db);
    return epoch;
}

static int hold_messages(struct db *db, int64_t *held)
{
    int rc = db_exec(db, "UPDATE outbox SET state = 'held' WHERE state = 'pending'");

    if (rc == 0)
        *held = sqlite3_changes64(db->sqlite);
    return rc;
}

static int write_down(struct db *db, const char *actor, const char *from, struct store_restored *r, char **why)
{
    struct store_batch *b = store_batch_new();
    struct change *c = change_new();
    struct event *e = change_event(c, clock_wall(&clock_system), "store.restored");
    char epoch[24];
    int rc;

    snprintf(epoch, sizeof epoch, "%" PRId64, r->epoch);
    change_put_meta(c, "store.epoch", epoch);
    e->actor = xstrdup_null(actor);
    event_arg(e, "file", from);
    event_arg_int(e, "epoch", r->epoch);
    event_arg_int(e, "held", r->held);
    array_push(&b->entries, ((struct txn_entry){.change = c}));
    b->db = db;
    store_batch_commit(b);
    rc = b->err;
    if (rc < 0)
        *why = xstrdup(b->why);
    r->last_event = b->last_event;
    store_batch_free(b);
    return rc;
}

/* Migrates the copy and begins the new epoch in it. */
static int renew(struct db *db, const char *from, const char *to, const char *actor, struct store_restored *r,
                 char **why)
{
    struct store_identity id = {0};
    char *reason = NULL;
    int64_t old;
    int rc = schema_prepare(db, &rng_system, &reason);

    if (rc == 0)
        rc = schema_identity(db, &id, &reason);
    if (rc == 0 && (rc = hold_messages(db, &r->held)) < 0)
        reason = xstrdup(db_why(db));
    if (rc == 0) {
        old = epoch_of_old(to, id.uuid);
        r->epoch = (old > id.epoch ? old : id.epoch) + 1;
        rc = write_down(db, actor, from, r, &reason);
    }
    if (rc < 0)
        *why = xasprintf("%s: %s", from, reason);
    free(reason);
    return rc;
}

/* ---- Taking the place ---- */

/* What lies beside a database under its name and a suffix gets another name, if it is there. */
static int put_aside(const char *path, const char *suffix)
{
    char *from = xasprintf("%s%s", path, suffix), *to = xasprintf("%s.replaced%s", path, suffix);
    int rc = rename(from, to) < 0 && errno != ENOENT ? pd_err_from_errno(errno) : 0;

    free(from);
    free(to);
    return rc;
}

/*
 * A WAL or a journal that outlived its database would be written into the new
 * one. So the old database takes its own in first; where it is too damaged for
 * that, they are moved away.
 */
static int part_from_journals(const char *path)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
    char *why = NULL;
    struct db db = {0};
    int rc = 0;

    if (db_open(&db, path, NULL, SQLITE_OPEN_READWRITE, &why) == 0)
        db_exec(&db, "PRAGMA journal_mode = DELETE");
    db_close(&db);
    free(why);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes && rc == 0; i++)
        rc = put_aside(path, suffixes[i]);
    return rc;
}

/* Keeps the old database under a second name. The name it has is taken from it by the new one, at one stroke. */
static int keep_old(const char *path, char **out)
{
    char *replaced = xasprintf("%s.replaced", path);
    int rc = part_from_journals(path);

    if (rc == 0 && unlink(replaced) < 0 && errno != ENOENT)
        rc = pd_err_from_errno(errno);
    if (rc == 0 && link(path, replaced) < 0)
        rc = pd_err_from_errno(errno);
    if (rc == 0)
        *out = replaced;
    else
        free(replaced);
    return rc;
}

/*
 * The reports' files that the new database names. Files have names of their own story, so those of the old database
 * stay as they are, and have a second name for when it is wanted back.
 */
static int put_files(struct db *db, const char *from, const char *to, struct store_files *out, char **why)
{
    char *source = xasprintf("%s.reports", from), *target = store_reports_folder(to);
    char *kept = xasprintf("%s.replaced", target);
    struct report_files named = {0};
    int rc = report_files_named(db, &named);

    if (rc < 0)
        *why = xasprintf("%s: %s", from, db_why(db));
    if (rc == 0)
        rc = report_files_keep(target, kept, why);
    if (rc == 0)
        rc = report_files_copy(&named, source, target, true, why);
    if (rc == 0)
        report_files_count(&named, target, &out->there, &out->missing);
    report_files_free(&named);
    free(kept);
    free(target);
    free(source);
    return rc;
}

int store_restore(const char *from, const char *to, const char *actor, store_progress progress, void *ctx,
                  struct store_restored *out, char **why)
{
    struct store_restored r = {0};
    struct draft d = {0};
    struct db lock = {0};
    int rc;

    *why = NULL;
    rc = db_lock(&lock, to, NULL, why);
    if (rc == PD_EBUSY) {
        free(*why);
        *why = xasprintf("%s: patrold has this database open: stop it first", to);
    }
    if (rc == 0)
        rc = draft_copy(&d, from, to, progress, ctx, why);
    if (rc == 0)
        rc = renew(&d.db, from, to, actor, &r, why);
    if (rc == 0)
        rc = put_files(&d.db, from, to, &r.files, why);
    if (rc == 0)
        rc = draft_close(&d, why);
    if (rc == 0 && access(to, F_OK) == 0 && (rc = keep_old(to, &r.replaced)) < 0)
        *why = xasprintf("%s: the database of before cannot be kept: %s", to, pd_strerror(rc));
    if (rc == 0)
        rc = draft_put(&d, to, true, why);
    draft_drop(&d);
    db_close(&lock);
    if (rc == 0)
        *out = r;
    else
        free(r.replaced);
    return rc;
}
