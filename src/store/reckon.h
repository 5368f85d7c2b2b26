#ifndef PD_STORE_RECKON_H
#define PD_STORE_RECKON_H

#include "store/rollup.h"
#include "store/span.h"

/* Makes rollups of what is stored. One for all devices, as it keeps storage. */
struct reckoner;
struct reckoner *reckoner_new(struct db *db);
void reckoner_free(struct reckoner *r);

/*
 * Reckons a device's UTC day by hours, or its UTC month by days, and puts it into
 * table hourly, or daily. Nothing where it has nothing. In a transaction of the caller's.
 */
int reckon_day(struct reckoner *r, int64_t device_id, int64_t day);
int reckon_month(struct reckoner *r, int64_t device_id, int64_t month);

/* UTC months are counted from January 1970. */
int64_t month_of_day(int64_t day);
int64_t first_day_of_month(int64_t month);

#endif
