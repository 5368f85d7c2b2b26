#ifndef PD_STORE_QUERY_READINGS_H
#define PD_STORE_QUERY_READINGS_H

#include "store/db.h"
#include "store/store.h"

/*
 * The query "readings": the polls of a device (filters: device; from, to in
 * milliseconds), each a row with its readings; the cursor is a time. Points are
 * told by their number within the component's kind: names are knowledge, and not here.
 */
int query_readings(struct db *db, const struct query_args *args, unsigned limit, struct query_page *page);

#endif
