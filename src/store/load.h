#ifndef PD_STORE_LOAD_H
#define PD_STORE_LOAD_H

#include "store/db.h"
#include "store/store.h"

/* Hands over what stands in the database; see store_load(). */
int load_all(struct db *db, const struct store_loader *l);

#endif
