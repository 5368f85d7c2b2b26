#ifndef PD_GATHER_MAKING_H
#define PD_GATHER_MAKING_H

#include "gather/reports.h"

/* One report as it is made: gathered, rendered in each language that is wanted, decided. */
struct making;

/* row outlives it. It ends by reports_made() or reports_failed() and frees itself then; never before this returns. */
struct making *making_start(struct reports *r, struct report *row);
/* Breaks it off; nothing comes of it. NULL is fine. */
void making_free(struct making *m);
const struct report *making_row(const struct making *m);

/* What the names of an edition's files begin with, up to the language; free it. */
char *making_base(const struct report *row, int64_t edition);

#endif
