#ifndef PD_STORE_BACKUP_H
#define PD_STORE_BACKUP_H

#include <stdint.h>

/*
 * Copies of the database as files of their own, each with the files of the
 * monthly reports that it names in a folder PATH.reports. Everything here blocks
 * and is for programs without a loop. Files are made whole or not at all.
 */

/* Where the reports' files of the database at a path lie: the folder "reports" beside it. Free it. */
char *store_reports_folder(const char *database);

/* Told now and then how far a copy has come. */
typedef void (*store_progress)(void *ctx, unsigned percent);

/* Of the reports' files that the copied database names. */
struct store_files {
    int64_t there;   /* were copied */
    int64_t missing; /* were in the folder they come from no more */
};

/*
 * Copies the database at from, as it is at this moment, into a new file; patrold
 * may be at work on it and is not held up. The copy is checked before it gets
 * its name, after its reports' files have theirs: a database without its files
 * is never there. PD_EEXIST if something stands there already, PD_ENOENT,
 * PD_EINVAL (not patrold's), PD_EVERSION, PD_ECORRUPT, PD_ENOSPC, …; *why (free
 * it) says more. progress may be NULL.
 */
int store_backup(const char *from, const char *to, store_progress progress, void *ctx, struct store_files *out,
                 char **why);

struct store_restored {
    int64_t epoch;      /* the new one */
    int64_t last_event; /* number of "store.restored" */
    int64_t held;       /* messages that wait for the operator now */
    struct store_files files;
    char *replaced; /* where the database of before is; NULL if there was none; free() it */
};

/*
 * Puts a backup in the place of the database at to, which nobody may have open
 * (PD_EBUSY). A crash leaves the one or the other. The installation begins a new
 * epoch: what was numbered after the backup is another story. Messages that were
 * not sent by then may have been sent since, so they are held. The database of
 * before is kept beside, as PATH.replaced, and its reports' files as
 * reports.replaced. Those of the backup are put among the others before the
 * database: a crash leaves some too many, which patrold sweeps at start.
 */
int store_restore(const char *from, const char *to, const char *actor, store_progress progress, void *ctx,
                  struct store_restored *out, char **why);

#endif
