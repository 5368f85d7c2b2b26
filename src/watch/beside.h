#ifndef PD_WATCH_BESIDE_H
#define PD_WATCH_BESIDE_H

#include "watch/lookup.h"
#include "watch/plan.h"
#include "watch/rows.h"

/*
 * What other tables of a module say beside a row: joined columns and what is
 * reckoned over their rows. A join is one search among rows in order of
 * instance; an aggregate sees each row but for the few rows whose instances
 * begin it, so both stay quick however many rows a device has.
 */

/* What is kept while a batch is reckoned out: the table's lookups, one a join, and where made texts lie. */
struct beside {
    struct lookup *lookups;
    struct arena *arena;
};

/*
 * Fills the slots of joins, aggregates and what is computed of them, of row i of the plan's table; rows are asked in
 * their order, from the first on. tables: the rows of its module's components.
 */
void beside_ask(const struct table_plan *plan, const struct rows *tables, size_t i, struct value *slots,
                const struct beside *with);
/* What is computed alone, where there is nothing else. */
void beside_compute(const struct component_def *def, struct value *slots, struct arena *arena);

bool beside_is_true(struct value v);
/* Takes up what a condition says, if it says anything: true stays true. */
void beside_hear(struct value v, struct value *verdict);

#endif
