#ifndef PD_STORE_GRID_H
#define PD_STORE_GRID_H

#include "base/array.h"
#include "store/column.h"

/*
 * Values by time and series as one blob: what kind it is and of which version, the
 * times once, a directory of the series (a key of 56 bits and how long its column
 * is), the columns (at which times it has a value, and the values), CRC-32C at the
 * end. One that is torn, foreign or of another version is told apart, never believed.
 */
enum grid_kind {
    GRID_HOUR = 0x21,   /* a device's polls of an hour; a series is component << 16 | point */
    GRID_ROLLUP = 0x31, /* what was reckoned of them (store/rollup.h) */
};

/* Bounds of what is written and believed: times, and values in all. */
enum { GRID_ROWS_MAX = 1024, GRID_CELLS_MAX = 1 << 22 };

/* ---- Writing ---- */

struct grid_series {
    uint64_t key;
    ARRAY(struct value) values;
    ARRAY(uint16_t) rows; /* parallel: of which time each is; none: of each time from the first on */
};

struct grid_builder {
    ARRAY(int64_t) times;
    ARRAY(struct grid_series) series; /* the first nseries by rising key; those behind are kept for their storage */
    size_t nseries;
    size_t cursor; /* where the next value of this time is expected */
    ARRAY(char *) texts;
    struct column_scratch scratch;
    struct sbuf columns, directory;
};

/* Begins anew, keeping storage. `struct grid_builder b = {0};` has begun. */
void grid_clear(struct grid_builder *b);
/* Another time, later than those before; the values put from now on are its own, by rising key. */
void grid_row(struct grid_builder *b, int64_t at_ms);
/* What grid_put() does not do by itself: texts, and where a series is not there, or had nothing at some time. */
void grid_put_any(struct grid_builder *b, uint64_t key, const struct value *v);
/* Texts are copied. */
static inline void grid_put(struct grid_builder *b, uint64_t key, const struct value *v)
{
    struct grid_series *s = b->cursor < b->nseries ? &b->series.v[b->cursor] : NULL;

    if (!s || s->key != key || v->type == VALUE_TEXT || s->values.n == s->values.cap || s->rows.n > 0 ||
        s->values.n + 1 != b->times.n) {
        grid_put_any(b, key, v);
        return;
    }
    s->values.v[s->values.n++] = *v;
    b->cursor++;
}
/* Another time with so many values may not be put any more. One is always taken. */
bool grid_full(const struct grid_builder *b, size_t values);
/* Appends the blob. */
void grid_encode(struct grid_builder *b, enum grid_kind kind, struct sbuf *out);
void grid_builder_fini(struct grid_builder *b);

/* ---- Reading ---- */

struct grid_column {
    uint64_t key;
    size_t offset, n; /* of its bytes */
};

/* What was opened; keep it for the next one, as it keeps storage. `struct grid g = {0};` */
struct grid {
    const uint8_t *blob; /* borrowed */
    ARRAY(int64_t) times;
    ARRAY(struct grid_column) columns; /* by rising key */
    /* The column read last: values, texts borrowed from the blob, and of which time each is, rising. */
    ARRAY(struct value) values;
    ARRAY(uint16_t) rows;
};

/* The blob is borrowed until the last use of what was opened. PD_ECORRUPT, PD_EVERSION. */
int grid_open(struct grid *g, enum grid_kind kind, const void *p, size_t n);
/* Reads a column into values and rows. */
int grid_read(struct grid *g, size_t column);
/* The place of the column with this key, or of the first one beyond it. */
size_t grid_find(const struct grid *g, uint64_t key);
void grid_fini(struct grid *g);

#endif
