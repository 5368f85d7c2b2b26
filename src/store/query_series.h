#ifndef PD_STORE_QUERY_SERIES_H
#define PD_STORE_QUERY_SERIES_H

#include "store/query.h"

/*
 * The query "series": one point of one component of a device, as it was read, or
 * reckoned up by hours or days (UTC). Filters: "device"; "component" (its number,
 * key, label, or KIND:KEY) or "kind" and "key"; "point" (its name or number); "from" and
 * "to" in milliseconds, both included; "step": "raw" (as it is without one), "hour" or "day".
 *
 * A raw row is at_ms, type, quality, value. The others are at_ms (where the hour or
 * day begins), count (of good readings; there is no row without one), type, first, last,
 * and of numbers min, max, avg, rise (as a counter: how far, what falls beginning anew)
 * and breaks (how often it began anew); of others breaks is how often they changed.
 */
int query_series(struct db *db, const struct query_args *args, unsigned limit, struct query_page *page);

#endif
