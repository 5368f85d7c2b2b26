#ifndef PD_STORE_DRAFT_H
#define PD_STORE_DRAFT_H

#include "store/backup.h"
#include "store/db.h"

/*
 * A database that is being made under a name of its own beside the place where
 * it is to stand: what backup and restore have in common.
 */
struct draft {
    struct db db;
    char *path; /* NULL once it has its name */
};

/* Copies a database of patrold's, checks the copy and leaves it open. *why (free it) names the file at fault. */
int draft_copy(struct draft *d, const char *from, const char *to, store_progress progress, void *ctx, char **why);
/* Closes it as one file, without a WAL. */
int draft_close(struct draft *d, char **why);
/* Gives the closed draft its name; PD_EEXIST where something has it, unless replace. */
int draft_put(struct draft *d, const char *to, bool replace, char **why);
/* Removes what did not get its name. */
void draft_drop(struct draft *d);

#endif
