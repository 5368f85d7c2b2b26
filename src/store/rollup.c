#include "store/rollup.h"

#include <math.h>
#include <string.h>

#include "base/err.h"

/* Columns of a series; those that say nothing are left out. The key of one: series << 4 | what. */
enum what { COUNT, FIRST, LAST, LEAST, MOST, SUM, RISE, BREAKS, WHATS };
enum { WHAT_BITS = 4 };

/* ---- Reckoning ---- */

bool rollup_number(const struct value *v, double *out)
{
    if (v->type == VALUE_INT)
        *out = (double)v->i;
    else if (v->type == VALUE_NUM)
        *out = v->num;
    else if (v->type == VALUE_BOOL)
        *out = v->b;
    else
        return false;
    return isfinite(*out) != 0;
}

static bool is_number(const struct value *v)
{
    return v->type == VALUE_INT || v->type == VALUE_NUM || v->type == VALUE_BOOL;
}

static int compare(const struct value *a, const struct value *b)
{
    double x = 0, y = 0;

    if (a->type == VALUE_INT && b->type == VALUE_INT)
        return a->i < b->i ? -1 : a->i > b->i;
    rollup_number(a, &x);
    rollup_number(b, &y);
    return x < y ? -1 : x > y;
}

/* How far a counter rose from one reading to the next; integers exactly. */
static double rise(const struct value *from, const struct value *to, int64_t *breaks)
{
    double x = 0, y = 0;

    rollup_number(to, &y);
    if (compare(to, from) < 0) {
        ++*breaks;
        return y > 0 ? y : 0;
    }
    if (from->type == VALUE_INT && to->type == VALUE_INT)
        return (double)((uint64_t)to->i - (uint64_t)from->i);
    rollup_number(from, &x);
    return y - x;
}

static bool same_sort(const struct value *a, const struct value *b)
{
    return is_number(a) ? is_number(b) : a->type == b->type;
}

/* Integers after integers, as most are, without further ado. */
static bool take_int(struct rollup *r, const struct value *v)
{
    if (v->type != VALUE_INT || r->count == 0 || r->last.type != VALUE_INT || r->least.type != VALUE_INT ||
        r->most.type != VALUE_INT)
        return false;
    r->rise += rise(&r->last, v, &r->breaks);
    r->sum += (double)v->i;
    if (v->i < r->least.i)
        r->least = *v;
    if (v->i > r->most.i)
        r->most = *v;
    r->last = *v;
    r->count++;
    return true;
}

void rollup_take(struct rollup *r, const struct value *v)
{
    struct rollup one = {.count = 1, .first = *v, .last = *v};

    if (v->quality == QUALITY_GOOD && take_int(r, v))
        return;
    if (v->quality != QUALITY_GOOD || v->type == VALUE_NONE || (is_number(v) && !rollup_number(v, &one.sum)))
        return;
    if (is_number(v))
        one.least = one.most = *v;
    rollup_merge(r, &one);
}

void rollup_merge(struct rollup *r, const struct rollup *next)
{
    if (next->count == 0)
        return;
    if (r->count == 0 || !same_sort(&r->last, &next->first)) {
        *r = *next;
        return;
    }
    if (is_number(&r->last)) {
        r->rise += rise(&r->last, &next->first, &r->breaks) + next->rise;
        r->breaks += next->breaks;
        r->sum += next->sum;
        if (compare(&next->least, &r->least) < 0)
            r->least = next->least;
        if (compare(&next->most, &r->most) > 0)
            r->most = next->most;
    } else {
        r->breaks += next->breaks + !value_same(r->last, next->first);
    }
    r->count += next->count;
    r->last = next->last;
}

/* ---- Blobs ---- */

static void put(struct grid_builder *b, uint64_t series, enum what what, struct value v)
{
    grid_put(b, series << WHAT_BITS | (uint64_t)what, &v);
}

void rollup_put(struct grid_builder *b, uint64_t series, const struct rollup *r)
{
    if (r->count == 0)
        return;
    put(b, series, COUNT, value_int(r->count));
    put(b, series, FIRST, r->first);
    put(b, series, LAST, r->last);
    if (is_number(&r->last)) {
        put(b, series, LEAST, r->least);
        put(b, series, MOST, r->most);
        put(b, series, SUM, value_num(r->sum));
        if (r->rise > 0)
            put(b, series, RISE, value_num(r->rise));
    }
    if (r->breaks > 0)
        put(b, series, BREAKS, value_int(r->breaks));
}

int rollup_open(struct rollup_reader *r, const void *p, size_t n)
{
    r->column = 0;
    return grid_open(&r->grid, GRID_ROLLUP, p, n);
}

void rollup_seek(struct rollup_reader *r, uint64_t series)
{
    r->column = grid_find(&r->grid, series << WHAT_BITS);
}

void rollup_reader_fini(struct rollup_reader *r)
{
    grid_fini(&r->grid);
    array_free(&r->periods);
}

/* False: this cannot be said. */
static bool take(struct rollup *r, enum what what, const struct value *v)
{
    bool counts = v->type == VALUE_INT && v->quality == QUALITY_GOOD && v->i > 0;
    bool sums = v->type == VALUE_NUM && v->quality == QUALITY_GOOD;
    double ignored;

    switch (what) {
    case COUNT:
        r->count = v->i;
        return counts;
    case BREAKS:
        r->breaks = v->i;
        return counts;
    case SUM:
        r->sum = v->num;
        return sums;
    case RISE:
        r->rise = v->num;
        return sums;
    case FIRST:
        r->first = *v;
        return v->quality == QUALITY_GOOD && v->type != VALUE_NONE;
    case LAST:
        r->last = *v;
        return v->quality == QUALITY_GOOD && v->type != VALUE_NONE;
    case LEAST:
        r->least = *v;
        return v->quality == QUALITY_GOOD && rollup_number(v, &ignored);
    case MOST:
        r->most = *v;
        return v->quality == QUALITY_GOOD && rollup_number(v, &ignored);
    case WHATS:
        break;
    }
    return false;
}

/* Of each period it has all, or nothing. */
static bool is_whole(const struct rollup *r)
{
    if (r->count == 0)
        return r->first.type == VALUE_NONE && r->last.type == VALUE_NONE && r->least.type == VALUE_NONE &&
               r->breaks == 0;
    return same_sort(&r->first, &r->last) && is_number(&r->last) == (r->least.type != VALUE_NONE) &&
           (r->least.type == VALUE_NONE) == (r->most.type == VALUE_NONE) && r->first.type != VALUE_NONE &&
           r->last.type != VALUE_NONE;
}

int rollup_next(struct rollup_reader *r)
{
    size_t n = r->grid.times.n;

    if (r->column >= r->grid.columns.n)
        return 0;
    r->series = r->grid.columns.v[r->column].key >> WHAT_BITS;
    array_reserve(&r->periods, n + 1);
    r->periods.n = n;
    memset(r->periods.v, 0, (n + 1) * sizeof *r->periods.v);
    for (; r->column < r->grid.columns.n; r->column++) {
        uint64_t key = r->grid.columns.v[r->column].key;

        if (key >> WHAT_BITS != r->series)
            break;
        if (grid_read(&r->grid, r->column) < 0)
            return PD_ECORRUPT;
        for (size_t i = 0; i < r->grid.rows.n; i++)
            if (!take(&r->periods.v[r->grid.rows.v[i]], (enum what)(key & ((1 << WHAT_BITS) - 1)),
                      &r->grid.values.v[i]))
                return PD_ECORRUPT;
    }
    for (size_t i = 0; i < n; i++)
        if (!is_whole(&r->periods.v[i]))
            return PD_ECORRUPT;
    return 1;
}
