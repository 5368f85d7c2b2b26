#ifndef PD_STORE_MONTH_JOB_H
#define PD_STORE_MONTH_JOB_H

#include "base/worker.h"
#include "store/db.h"
#include "store/month.h"

/*
 * A job for the reader, which does it piece by piece, each in a transaction of its own and well under a second, and
 * frees itself after done. Takes the series.
 */
struct job *month_job_new(struct db *db, struct worker *reader, struct month_args *args, month_done done, void *arg);

#endif
