#ifndef PD_STORE_FILTER_H
#define PD_STORE_FILTER_H

#include "store/db.h"

/*
 * The filters of a query: a JSON object checked against a list. What is asked
 * only ever becomes a bound argument or picks a condition that stands in a table.
 */
struct choice {
    const char *value; /* NULL ends the list */
    const char *where;
};

struct filter {
    const char *name;             /* NULL ends the list; also the parameter's, after a colon */
    const char *where;            /* the condition when it is given */
    const struct choice *choices; /* or one for each value it may have */
    const char *otherwise;        /* the condition when it is not given */
    bool wanted;                  /* must be given */
    bool number;                  /* must be a whole number */
};

enum { FILTERS_MAX = 8 };

/* What was given, by the filter's place in its list; NULL: nothing. */
struct filter_values {
    char *v[FILTERS_MAX];
};

/* Takes a JSON object (NULL: {}) apart. PD_EINVAL with *why (free it): not an object, an unknown filter, a wrong value, one missing. */
int filter_parse(struct db *db, const char *json, const struct filter *filters, struct filter_values *out, char **why);
void filter_values_fini(struct filter_values *v);

/* Appends the conditions, and binds what they ask for. */
void filter_sql(struct sbuf *sql, const struct filter *filters, const struct filter_values *given);
void filter_bind(sqlite3_stmt *stmt, const struct filter *filters, const struct filter_values *given);

#endif
