#include "store/hour.h"

#include <string.h>

#include "base/err.h"

int hour_add(struct grid_builder *b, struct blob_chain *chain, int64_t at_ms, const void *blob, size_t n)
{
    int rc = blob_chain_take(chain, at_ms, blob, n);

    if (rc < 0)
        return rc;
    grid_row(b, at_ms);
    for (size_t i = 0; i < chain->n; i++) {
        const struct reading *r = &chain->readings[i];

        grid_put(b, series_key(r->component, r->point), &r->value);
    }
    return 0;
}

void hour_reader_fini(struct hour_reader *r)
{
    grid_fini(&r->grid);
    array_free(&r->cells);
    array_free(&r->ends);
    array_free(&r->rows);
}

/* One series to the cells, and counted at its times. */
static int take_column(struct hour_reader *r, size_t column)
{
    uint64_t key = r->grid.columns.v[column].key;
    struct reading cell = {.component = (uint32_t)(key >> 16), .point = (uint16_t)key};
    int rc = key >> 48 ? PD_ECORRUPT : grid_read(&r->grid, column);

    if (rc < 0)
        return rc;
    array_reserve(&r->cells, r->cells.n + r->grid.rows.n);
    for (size_t i = 0; i < r->grid.rows.n; i++) {
        cell.value = r->grid.values.v[i];
        cell.value.slot = r->grid.rows.v[i]; /* until it is in its row */
        r->cells.v[r->cells.n++] = cell;
        r->ends.v[r->grid.rows.v[i]]++;
    }
    return 0;
}

/* Counts become places; each cell goes to the next place of its time. */
static void spread(struct hour_reader *r)
{
    uint32_t place = 0;

    for (size_t i = 0; i < r->ends.n; i++) {
        uint32_t count = r->ends.v[i];

        r->ends.v[i] = place;
        place += count;
    }
    array_reserve(&r->rows, r->cells.n);
    r->rows.n = r->cells.n;
    for (size_t i = 0; i < r->cells.n; i++) {
        struct reading *to = &r->rows.v[r->ends.v[r->cells.v[i].value.slot]++];

        *to = r->cells.v[i];
        to->value.slot = 0;
    }
}

int hour_decode(struct hour_reader *r, const void *p, size_t n, uint64_t only)
{
    size_t first, end;
    int rc = grid_open(&r->grid, GRID_HOUR, p, n);

    if (rc < 0)
        return rc;
    r->cells.n = 0;
    array_reserve(&r->ends, r->grid.times.n);
    r->ends.n = r->grid.times.n;
    if (r->ends.n > 0)
        memset(r->ends.v, 0, r->ends.n * sizeof *r->ends.v);
    first = only == NO_KEY ? 0 : grid_find(&r->grid, only);
    end = only == NO_KEY ? r->grid.columns.n
                         : first + (first < r->grid.columns.n && r->grid.columns.v[first].key == only);
    for (size_t i = first; i < end && rc == 0; i++)
        rc = take_column(r, i);
    if (rc == 0)
        spread(r);
    return rc;
}
