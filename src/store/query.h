#ifndef PD_STORE_QUERY_H
#define PD_STORE_QUERY_H

#include "store/db.h"
#include "store/store.h"

/* A job for the reader that answers a query; it frees itself after done. Copies args. */
struct job *query_job_new(struct db *db, const struct query_args *args,
                          void (*done)(void *arg, const struct query_page *page), void *arg);

/* Answers at once, in this thread. Free with query_page_fini(). */
void query_run(struct db *db, const struct query_args *args, struct query_page *page);
void query_page_fini(struct query_page *page);

#endif
