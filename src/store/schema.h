#ifndef PD_STORE_SCHEMA_H
#define PD_STORE_SCHEMA_H

#include "base/rng.h"
#include "store/db.h"
#include "store/store.h"

/* Polls lie together by time first, in slices of this length; see schema.c. */
/* The version that this program makes and takes over to. */
int schema_newest(void);

/*
 * Checks whose the database is and brings it to the newest schema, from nothing
 * if it is empty. The connection writes; nothing is written if the database is
 * refused. Errors as of store_open().
 */
int schema_prepare(struct db *db, const struct pd_rng *rng, char **why);

/* Whose the database is, without changing it: PD_EINVAL, PD_EVERSION, PD_ECORRUPT, *why says it; an empty one is no
 * patrold's yet. */
int schema_check(struct db *db, char **why);

/* Reads who this installation is. */
int schema_identity(struct db *db, struct store_identity *out, char **why);

#endif
