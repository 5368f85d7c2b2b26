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

/* A value as JSON; null where there is nothing to reckon with. */
void query_add_value(struct sbuf *out, const struct value *v);
/* A device by name or id, and its name as JSON (free it). PD_ENOENT, and *why (free it) says so. */
int query_find_device(struct db *db, const char *name, int64_t *id, char **as_json, char **why);

#endif
