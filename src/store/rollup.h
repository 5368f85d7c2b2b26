#ifndef PD_STORE_ROLLUP_H
#define PD_STORE_ROLLUP_H

#include "store/hour.h"

/*
 * What a series said within a time, reckoned up; of good readings only. Numbers
 * have the least, the most, their sum, and, as a counter, how far they rose: what
 * falls began anew, and counts from 0. A yes or no is a number 0 or 1, so that its
 * mean is its share. Of other states the last one counts, and how often they changed.
 */
struct rollup {
    int64_t count;
    struct value first, last; /* texts are borrowed */
    struct value least, most; /* of numbers: integers as long as all are */
    double sum;               /* of numbers */
    double rise;              /* of numbers */
    int64_t breaks;           /* numbers: how often they began anew; others: how often they changed */
};

/* As a number: integers, numbers, and yes or no. */
bool rollup_number(const struct value *v, double *out);
/* Takes the next reading. One of another sort than before (a number, a text, …) makes it begin anew. */
void rollup_take(struct rollup *r, const struct value *v);
/* Takes what follows: r is then of both times. */
void rollup_merge(struct rollup *r, const struct rollup *next);

/* ---- As a blob: a grid of periods (times) and series ---- */

/* Puts the rollup of the period that was begun with grid_row(); by rising series. Nothing where nothing was good. */
void rollup_put(struct grid_builder *b, uint64_t series, const struct rollup *r);

/* What decoding keeps. `struct rollup_reader r = {0};` */
struct rollup_reader {
    struct grid grid;
    uint64_t series;
    ARRAY(struct rollup) periods; /* one a time of the grid; count 0: nothing */
    size_t column;
};
int rollup_open(struct rollup_reader *r, const void *p, size_t n);
/* Reads the next series; 1, or 0 at the end, or PD_ECORRUPT. */
int rollup_next(struct rollup_reader *r);
/* Goes to a series: the next one that rollup_next() gives is it, or one beyond. */
void rollup_seek(struct rollup_reader *r, uint64_t series);
void rollup_reader_fini(struct rollup_reader *r);

#endif
