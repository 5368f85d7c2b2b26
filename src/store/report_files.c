#include "store/report_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

enum { FOLDER_MODE = 0750, FILE_MODE = 0640, LARGEST = 256 << 20 };

/* ---- What the rows name ---- */

static void add_name(struct report_files *f, const char *name)
{
    if (name && !strchr(name, '/') && *name != '.')
        array_push(&f->wanted, xstrdup(name));
}

/* A PDF's name is what its edition's files begin with, then its language. */
static void take_report(struct report_files *f, const char *path)
{
    const char *dash = strrchr(path, '-');

    add_name(f, path);
    if (dash)
        array_push(&f->bases, xstrndup(path, (size_t)(dash - path) + 1));
}

static void take_mail(struct report_files *f, const char *parts)
{
    struct outbox_part p;

    while (outbox_part_next(&parts, &p)) {
        add_name(f, p.file);
        outbox_part_fini(&p);
    }
}

static int each_text(struct db *db, const char *sql, void (*take)(struct report_files *f, const char *text),
                     struct report_files *f)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db->sqlite, sql, -1, &stmt, NULL);

    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW && sqlite3_column_text(stmt, 0))
            take(f, (const char *)sqlite3_column_text(stmt, 0));
    }
    rc = rc == SQLITE_DONE ? 0 : db_error(db);
    sqlite3_finalize(stmt);
    return rc;
}

int report_files_named(struct db *db, struct report_files *out)
{
    int64_t has = 0;
    int rc = db_number(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'report'", &has);

    if (rc < 0 || has == 0) /* of an older patrold, which made none */
        return rc;
    rc = each_text(db, "SELECT path FROM report WHERE path IS NOT NULL", take_report, out);
    if (rc == 0)
        rc = each_text(
            db,
            "SELECT attachments FROM outbox WHERE attachments IS NOT NULL AND state IN ('pending', 'held', 'failed')",
            take_mail, out);
    return rc;
}

void report_files_free(struct report_files *f)
{
    for (size_t i = 0; i < f->bases.n; i++)
        free(f->bases.v[i]);
    for (size_t i = 0; i < f->wanted.n; i++)
        free(f->wanted.v[i]);
    array_free(&f->bases);
    array_free(&f->wanted);
}

static bool is_named(const struct report_files *f, const char *name)
{
    bool mine = !f;

    for (size_t i = 0; !mine && i < f->bases.n; i++)
        mine = str_starts(name, f->bases.v[i]);
    for (size_t i = 0; !mine && i < f->wanted.n; i++)
        mine = str_eq(name, f->wanted.v[i]);
    return mine;
}

/* ---- One file after another ---- */

/* What is done with each file of from that f names; to may be NULL. */
typedef int (*file_deed)(const char *from, const char *to, char **why);

static int make_folder(const char *path, char **why)
{
    int rc = 0;

    if (mkdir(path, FOLDER_MODE) == 0) {
        rc = file_sync_folder(path);
    } else if (errno != EEXIST) {
        rc = pd_err_from_errno(errno);
    }
    if (rc < 0)
        *why = xasprintf("%s: the folder cannot be made: %s", path, pd_strerror(rc));
    return rc;
}

static int do_one(const char *from, const char *to, const char *name, file_deed deed, char **why)
{
    char *source = xasprintf("%s/%s", from, name), *target = to ? xasprintf("%s/%s", to, name) : NULL;
    struct stat st;
    int rc = 0;

    if (lstat(source, &st) == 0 && S_ISREG(st.st_mode) && (!to || (rc = make_folder(to, why)) == 0))
        rc = deed(source, target, why);
    free(source);
    free(target);
    return rc;
}

static int each_file(const struct report_files *f, bool others, const char *from, const char *to, file_deed deed,
                     char **why)
{
    DIR *dir = opendir(from);
    const struct dirent *entry;
    int rc = 0;

    if (!dir && errno == ENOENT)
        return 0;
    if (!dir) {
        rc = pd_err_from_errno(errno);
        *why = xasprintf("%s: %s", from, pd_strerror(rc));
        return rc;
    }
    while (rc == 0 && (entry = readdir(dir)))
        if (*entry->d_name != '.' && is_named(f, entry->d_name) != others)
            rc = do_one(from, to, entry->d_name, deed, why);
    closedir(dir);
    return rc;
}

/* ---- Copies ---- */

static bool holds(const char *path, const char *data, size_t n)
{
    char *there = NULL;
    size_t size = 0;
    bool same = file_read(path, LARGEST, &there, &size) == 0 && size == n && memcmp(there, data, n) == 0;

    free(there);
    return same;
}

static int replace_file(const char *from, const char *to, char **why)
{
    char *data = NULL;
    size_t n;
    int rc = file_read(from, LARGEST, &data, &n);

    if (rc == PD_ENOENT) /* went away meanwhile */
        return 0;
    if (rc < 0) {
        *why = xasprintf("%s: %s", from, pd_strerror(rc));
        return rc;
    }
    if (!holds(to, data, n) && (rc = file_write_whole(to, data, n, FILE_MODE)) < 0)
        *why = xasprintf("%s: %s", to, pd_strerror(rc));
    free(data);
    return rc;
}

static int add_file(const char *from, const char *to, char **why)
{
    return access(to, F_OK) == 0 ? 0 : replace_file(from, to, why);
}

int report_files_copy(const struct report_files *f, const char *from, const char *to, bool replace, char **why)
{
    return each_file(f, false, from, to, replace ? replace_file : add_file, why);
}

static int remove_file(const char *path, const char *to, char **why)
{
    (void)to;
    (void)why;
    unlink(path);
    return 0;
}

void report_files_drop(const struct report_files *f, const char *folder)
{
    char *why = NULL;

    each_file(f, f != NULL, folder, NULL, remove_file, &why);
    rmdir(folder); /* unless something is left */
    free(why);
}

static int link_file(const char *from, const char *to, char **why)
{
    int rc = link(from, to) < 0 && errno != EEXIST ? pd_err_from_errno(errno) : 0;

    if (rc < 0)
        *why = xasprintf("%s: %s", to, pd_strerror(rc));
    return rc;
}

int report_files_keep(const char *from, const char *to, char **why)
{
    report_files_drop(NULL, to);
    return each_file(NULL, false, from, to, link_file, why);
}

void report_files_count(const struct report_files *f, const char *folder, int64_t *there, int64_t *missing)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    *there = *missing = 0;
    while (dir && (entry = readdir(dir)))
        *there += *entry->d_name != '.' && is_named(f, entry->d_name);
    for (size_t i = 0; i < f->wanted.n; i++) {
        char *path = xasprintf("%s/%s", folder, f->wanted.v[i]);

        *missing += access(path, F_OK) != 0;
        free(path);
    }
    if (dir)
        closedir(dir);
}
