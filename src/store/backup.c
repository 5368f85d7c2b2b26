#include "store/backup.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/draft.h"
#include "store/report_files.h"

enum { FOLDER_MODE = 0750 };

char *store_reports_folder(const char *database)
{
    const char *slash = strrchr(database, '/');

    return slash ? xasprintf("%.*s/reports", (int)(slash - database), database) : xstrdup("reports");
}

/* A backup that is being made. */
struct backup {
    struct draft draft;
    struct report_files named;
    char *source; /* where the reports' files are */
    char *folder; /* where they are to be */
    char *made;   /* where they are copied to, until they have that name */
    const char *path;
};

/* What a backup that was broken off left may be somebody's only copy, so nothing of it is removed. */
static int is_free(const struct backup *b, char **why)
{
    if (access(b->path, F_OK) == 0) {
        *why = xasprintf("%s: is there already; a backup replaces nothing", b->path);
        return PD_EEXIST;
    }
    if (access(b->folder, F_OK) == 0) {
        *why = xasprintf("%s: is there already, though %s is not: of a backup that was removed or broken off? "
                         "Remove it, or choose another name",
                         b->folder, b->path);
        return PD_EEXIST;
    }
    return 0;
}

static int make_folder(struct backup *b, char **why)
{
    char *made = xasprintf("%s.XXXXXX", b->folder);

    if (!mkdtemp(made) || chmod(made, FOLDER_MODE) < 0) {
        *why = xasprintf("%s: no folder can be made beside it", b->path);
        free(made);
        return PD_EIO;
    }
    b->made = made;
    return 0;
}

/*
 * patrold may be at work, and removes files that are replaced. So all are copied first, then the database, then those
 * that came between the two; what the copy does not name is dropped.
 */
static int copy_all(struct backup *b, const char *from, store_progress progress, void *ctx, char **why)
{
    int rc = report_files_copy(NULL, b->source, b->made, false, why);

    if (rc == 0)
        rc = draft_copy(&b->draft, from, b->path, progress, ctx, why);
    if (rc < 0)
        return rc;
    rc = report_files_named(&b->draft.db, &b->named);
    if (rc < 0)
        *why = xasprintf("%s: %s", from, db_why(&b->draft.db));
    if (rc == 0)
        rc = report_files_copy(&b->named, b->source, b->made, false, why);
    return rc == 0 ? draft_close(&b->draft, why) : rc;
}

/* The folder first: the database is what makes it a backup. */
static int put_in_place(struct backup *b, struct store_files *out, char **why)
{
    int rc = 0;

    report_files_drop(&b->named, b->made);
    report_files_count(&b->named, b->made, &out->there, &out->missing);
    if (out->there > 0 && (rc = file_put_in_place(b->made, b->folder, false)) < 0)
        *why = xasprintf("%s: %s", b->folder, pd_strerror(rc));
    return rc == 0 ? draft_put(&b->draft, b->path, false, why) : rc;
}

int store_backup(const char *from, const char *to, store_progress progress, void *ctx, struct store_files *out,
                 char **why)
{
    struct backup b = {.path = to, .source = store_reports_folder(from), .folder = xasprintf("%s.reports", to)};
    struct store_files files = {0};
    int rc;

    *why = NULL;
    rc = is_free(&b, why);
    if (rc == 0)
        rc = make_folder(&b, why);
    if (rc == 0)
        rc = copy_all(&b, from, progress, ctx, why);
    if (rc == 0)
        rc = put_in_place(&b, &files, why);
    draft_drop(&b.draft);
    if (b.made)
        report_files_drop(NULL, b.made);
    report_files_free(&b.named);
    free(b.made);
    free(b.folder);
    free(b.source);
    if (rc == 0)
        *out = files;
    return rc;
}
