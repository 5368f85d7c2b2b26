#ifndef PD_STORE_HOUR_H
#define PD_STORE_HOUR_H

#include "model/record.h"
#include "store/blob.h"
#include "store/grid.h"

/* A device's polls of an hour, or as many of them as a grid takes, as a grid of series. */

static inline uint64_t series_key(uint32_t component, uint16_t point)
{
    return (uint64_t)component << 16 | point;
}

/* Puts a poll into the grid; one that cannot be believed (PD_ECORRUPT, PD_EVERSION) is not there. */
int hour_add(struct grid_builder *b, struct blob_chain *chain, int64_t at_ms, const void *blob, size_t n);

struct poll_view {
    int64_t at_ms;
    const struct reading *readings; /* by rising component and point */
    size_t n;
    int err; /* it cannot be believed, and has no readings */
};

/* What decoding keeps from one hour to the next. `struct hour_reader r = {0};` */
struct hour_reader {
    struct grid grid;
    ARRAY(struct reading) cells; /* by series, then time */
    ARRAY(uint32_t) ends;        /* of each time: where its readings end in rows */
    ARRAY(struct reading) rows;  /* by time, then series */
};

/*
 * Decodes the whole into rows: readings of the i-th of grid.times end before ends.v[i].
 * Only the series with that key, if one is given (else NO_KEY). Texts are borrowed from p.
 */
#define NO_KEY UINT64_MAX
int hour_decode(struct hour_reader *r, const void *p, size_t n, uint64_t only);
void hour_reader_fini(struct hour_reader *r);

#endif
