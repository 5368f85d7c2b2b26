#include "store/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/schema.h"

enum { COPY_MODE = 0640, PAGES_A_STEP = 4096 };

/* A file beside path under a name of its own, for what is not whole yet. */
static int make_file(const char *path, char **out, char **why)
{
    char *draft = xasprintf("%s.XXXXXX", path);
    int rc = 0, fd = mkostemp(draft, O_CLOEXEC);

    if (fd < 0 || fchmod(fd, COPY_MODE) < 0) {
        rc = pd_err_from_errno(errno);
        *why = xasprintf("%s: no file can be made beside it: %s", path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    if (rc == 0) {
        *out = draft;
        return 0;
    }
    if (fd >= 0)
        unlink(draft);
    free(draft);
    return rc;
}

/* All pages within one read transaction: a writer that goes on would make the copy begin again and again. */
static int copy_pages(struct db *source, struct db *target, store_progress progress, void *ctx)
{
    int64_t objects;
    int step = SQLITE_OK, rc = db_exec(source, "BEGIN");
    sqlite3_backup *copy;

    if (rc == 0)
        rc = db_number(source, "SELECT count(*) FROM sqlite_schema", &objects);
    if (rc < 0)
        return rc;
    copy = sqlite3_backup_init(target->sqlite, "main", source->sqlite, "main");
    while (copy && (step = sqlite3_backup_step(copy, PAGES_A_STEP)) == SQLITE_OK) {
        int all = sqlite3_backup_pagecount(copy);

        if (progress && all > 0)
            progress(ctx, (unsigned)((int64_t)100 * (all - sqlite3_backup_remaining(copy)) / all));
    }
    sqlite3_backup_finish(copy);
    if (progress && step == SQLITE_DONE)
        progress(ctx, 100);
    db_rollback(source);
    return step == SQLITE_DONE ? 0 : db_error(target);
}

static int check_pages(struct db *db, char **why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = PD_ECORRUPT;

    if (sqlite3_prepare_v2(db->sqlite, "PRAGMA integrity_check(1)", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        const char *verdict = (const char *)sqlite3_column_text(stmt, 0);

        if (str_eq(verdict, "ok"))
            rc = 0;
        else
            *why = xasprintf("is damaged: %s", verdict);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* Reasons name the file at fault. */
static int copy(struct draft *d, const char *from, store_progress progress, void *ctx, char **why)
{
    struct db source = {0};
    char *reason = NULL;
    int rc = db_open(&source, from, NULL, SQLITE_OPEN_READONLY, why);

    if (rc < 0)
        return rc;
    rc = schema_check(&source, &reason);
    if (rc == 0)
        rc = db_open(&d->db, d->path, NULL, SQLITE_OPEN_READWRITE, why);
    if (rc == 0) {
        rc = copy_pages(&source, &d->db, progress, ctx);
        if (rc == 0)
            rc = check_pages(&d->db, &reason);
        if (rc < 0 && !reason)
            reason = xstrdup(db_why(&d->db));
    }
    if (rc < 0 && !*why)
        *why = xasprintf("%s: %s", from, reason);
    free(reason);
    db_close(&source);
    return rc;
}

int draft_copy(struct draft *d, const char *from, const char *to, store_progress progress, void *ctx, char **why)
{
    int rc = make_file(to, &d->path, why);

    return rc == 0 ? copy(d, from, progress, ctx, why) : rc;
}

int draft_close(struct draft *d, char **why)
{
    int rc = db_exec(&d->db, "PRAGMA journal_mode = DELETE");

    if (rc < 0)
        *why = xasprintf("%s: %s", d->path, db_why(&d->db));
    db_close(&d->db);
    return rc;
}

int draft_put(struct draft *d, const char *to, bool replace, char **why)
{
    int rc = file_put_in_place(d->path, to, replace);

    if (rc < 0) {
        *why = xasprintf("%s: %s", to, pd_strerror(rc));
        return rc;
    }
    free(d->path);
    d->path = NULL;
    return 0;
}

void draft_drop(struct draft *d)
{
    static const char *const suffixes[] = {"", "-journal", "-wal", "-shm"};

    db_close(&d->db);
    for (size_t i = 0; d->path && i < sizeof suffixes / sizeof *suffixes; i++) {
        char *path = xasprintf("%s%s", d->path, suffixes[i]);

        unlink(path);
        free(path);
    }
    free(d->path);
    d->path = NULL;
}
