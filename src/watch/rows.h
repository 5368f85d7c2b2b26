#ifndef PD_WATCH_ROWS_H
#define PD_WATCH_ROWS_H

#include "base/arena.h"
#include "model/module.h"

/*
 * The rows of one table as they are read, in order of instance. Cells come
 * column by column or row by row, either way with rising instances, so the row
 * wanted is nearly always the one of the last cell or the next.
 */
struct row {
    const uint32_t *instance;
    uint32_t ninstance;
    uint32_t place; /* of its slots, in units of the table's slots */
};

struct rows {
    struct row *v; /* ordered by instance */
    size_t n, cap;
    struct value *slots; /* of all rows, in order of arrival */
    size_t slots_cap;
    size_t nslots;                  /* of one row: set once, by the owner; so are */
    size_t index_slot;              /* where a row's index goes */
    const struct index_part *parts; /* what it is made of, in the slots behind */
    size_t nparts;
    size_t last; /* where the last cell went */
};

/* Most rows of one table; what comes after is a device gone mad. */
enum { ROWS_MAX = 10000 };

/*
 * The slots of the row with this instance, made if there is none yet: all
 * unknown but its index (five, then its parts). NULL where there are too many
 * rows, or the instance is not made of the parts.
 * Good until the next call.
 */
struct value *rows_at(struct rows *r, const uint32_t *instance, uint32_t n, struct arena *arena);
/* The same, but NULL where there is no such row. */
struct value *rows_find(struct rows *r, const uint32_t *instance, uint32_t n);

static inline const struct value *rows_slots(const struct rows *r, size_t i)
{
    return r->slots + r->v[i].place * r->nslots;
}

static inline bool row_is(const struct row *row, const uint32_t *instance, uint32_t n)
{
    if (row->ninstance != n)
        return false;
    while (n > 0 && row->instance[n - 1] == instance[n - 1]) /* the last ones differ first */
        n--;
    return n == 0;
}

/* The same where it is the row of the last cell or the next, as it is of nearly all; NULL where it has to be looked for. */
static inline struct value *rows_expected(struct rows *r, const uint32_t *instance, uint32_t n)
{
    for (size_t at = r->last; at < r->n && at <= r->last + 1; at++) {
        if (!row_is(&r->v[at], instance, n))
            continue;
        r->last = at;
        return r->slots + r->v[at].place * r->nslots;
    }
    return NULL;
}

/* The first row whose instance is not before this one: where rows that begin with it would stand. */
size_t rows_lower_bound(const struct rows *r, const uint32_t *instance, uint32_t n);
/* True if the row's instance begins with this one. */
bool row_begins(const struct row *row, const uint32_t *instance, uint32_t n);

/* Begins to bring it into the caches. */
void rows_fetch(const struct rows *r);

/* Forgets the rows, keeps the storage. */
void rows_reset(struct rows *r);
void rows_fini(struct rows *r);

#endif
