#include "store/grid.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/*
 * Kind; varint: times; the times as integers; varint: series; of each the varint
 * of how far its key is from the one before (the first: from 0) and the varint of
 * its column's length; the columns; CRC-32C.
 *
 * A column: varint 0 where it has a value at each time, else how many runs follow,
 * of times in turn without and with one; then the values.
 */
enum { CRC_SIZE = 4, VARINT_MAX = 10, LEAST = 1 + 1 + CRC_SIZE };

/* ---- Writing ---- */

void grid_clear(struct grid_builder *b)
{
    for (size_t i = 0; i < b->nseries; i++)
        b->series.v[i].values.n = b->series.v[i].rows.n = 0;
    for (size_t i = 0; i < b->texts.n; i++)
        free(b->texts.v[i]);
    b->texts.n = b->times.n = b->nseries = b->cursor = 0;
}

void grid_builder_fini(struct grid_builder *b)
{
    grid_clear(b);
    for (size_t i = 0; i < b->series.n; i++) {
        array_free(&b->series.v[i].values);
        array_free(&b->series.v[i].rows);
    }
    array_free(&b->series);
    array_free(&b->texts);
    array_free(&b->times);
    column_scratch_fini(&b->scratch);
    sbuf_free(&b->columns);
    sbuf_free(&b->directory);
}

void grid_row(struct grid_builder *b, int64_t at_ms)
{
    array_push(&b->times, at_ms);
    b->cursor = 0;
}

bool grid_full(const struct grid_builder *b, size_t values)
{
    return b->times.n > 0 && (b->times.n >= GRID_ROWS_MAX || (b->times.n + 1) * (b->nseries + values) > GRID_CELLS_MAX);
}

/* A place for a new series at the cursor; storage of one that is not used any more serves it. */
static struct grid_series *insert_series(struct grid_builder *b, uint64_t key)
{
    struct grid_series made = {0}, *at;

    if (b->nseries == b->series.n)
        array_push(&b->series, made);
    made = b->series.v[b->nseries];
    at = &b->series.v[b->cursor];
    memmove(at + 1, at, (b->nseries - b->cursor) * sizeof *at);
    made.key = key;
    *at = made;
    b->nseries++;
    return at;
}

/* A text that says the same as the one before shares its copy. */
static const char *keep_text(struct grid_builder *b, const struct grid_series *s, const char *text)
{
    const struct value *last = s->values.n > 0 ? &s->values.v[s->values.n - 1] : NULL;

    if (last && last->type == VALUE_TEXT && last->quality <= QUALITY_STALE && strcmp(last->text, text) == 0)
        return last->text;
    array_push(&b->texts, xstrdup(text));
    return b->texts.v[b->texts.n - 1];
}

/* The next value is of this time. Where none is left out, as mostly, that goes without saying. */
static void note_row(struct grid_series *s, size_t row)
{
    if (s->rows.n == 0 && s->values.n == row)
        return;
    for (size_t i = s->rows.n; i < s->values.n; i++)
        array_push(&s->rows, (uint16_t)i);
    array_push(&s->rows, (uint16_t)row);
}

void grid_put_any(struct grid_builder *b, uint64_t key, const struct value *v)
{
    struct grid_series *s, *series = b->series.v;
    struct value copy = *v;
    size_t i = b->cursor;

    while (i < b->nseries && series[i].key < key)
        i++;
    b->cursor = i;
    s = i < b->nseries && series[i].key == key ? &series[i] : insert_series(b, key);
    b->cursor++;
    if (copy.type == VALUE_TEXT && copy.quality <= QUALITY_STALE)
        copy.text = keep_text(b, s, copy.text);
    note_row(s, b->times.n - 1);
    array_push(&s->values, copy);
}

static void put_varint(struct sbuf *out, uint64_t v)
{
    uint8_t bytes[VARINT_MAX];
    struct wire_out w = wire_out(bytes, sizeof bytes);

    wire_put_varint(&w, v);
    sbuf_addn(out, bytes, wire_used(&w));
}

/* Runs of times without and with a value; those after the last one with it go unsaid. */
static void put_presence(struct sbuf *out, const struct grid_series *s, size_t ntimes)
{
    size_t runs = 0, next = 0;

    if (s->values.n == ntimes) {
        put_varint(out, 0);
        return;
    }
    if (s->rows.n == 0) { /* no more from some time on */
        put_varint(out, 1);
        put_varint(out, 0);
        put_varint(out, s->values.n);
        return;
    }
    for (size_t i = 0; i < s->rows.n; i++)
        runs += i == 0 || s->rows.v[i] != s->rows.v[i - 1] + 1;
    put_varint(out, runs);
    for (size_t i = 0; i < s->rows.n;) {
        size_t run = 1;

        while (i + run < s->rows.n && s->rows.v[i + run] == s->rows.v[i] + run)
            run++;
        put_varint(out, s->rows.v[i] - next);
        put_varint(out, run);
        next = s->rows.v[i] + run;
        i += run;
    }
}

void grid_encode(struct grid_builder *b, enum grid_kind kind, struct sbuf *out)
{
    size_t start = out->n;
    uint64_t before = 0;
    uint8_t crc[CRC_SIZE];
    struct wire_out w = wire_out(crc, sizeof crc);

    sbuf_reset(&b->columns);
    sbuf_reset(&b->directory);
    for (size_t i = 0; i < b->nseries; i++) {
        const struct grid_series *s = &b->series.v[i];
        size_t begin = b->columns.n;

        put_presence(&b->columns, s, b->times.n);
        column_encode(&b->columns, &b->scratch, s->values.v, s->values.n);
        put_varint(&b->directory, s->key - before);
        put_varint(&b->directory, b->columns.n - begin);
        before = s->key;
    }
    sbuf_addc(out, (char)kind);
    put_varint(out, b->times.n);
    column_encode_ints(out, &b->scratch, b->times.v, b->times.n);
    put_varint(out, b->nseries);
    sbuf_addn(out, b->directory.s, b->directory.n);
    sbuf_addn(out, b->columns.s, b->columns.n);
    wire_put_u32be(&w, wire_crc32c(0, out->s + start, out->n - start));
    sbuf_addn(out, crc, sizeof crc);
}

/* ---- Reading ---- */

void grid_fini(struct grid *g)
{
    array_free(&g->times);
    array_free(&g->columns);
    array_free(&g->values);
    array_free(&g->rows);
}

static int get_times(struct grid *g, struct wire_in *in)
{
    uint64_t n = wire_varint(in);

    if (in->bad || n > GRID_ROWS_MAX)
        return PD_ECORRUPT;
    array_reserve(&g->times, (size_t)n);
    column_decode_ints(in, g->times.v, (size_t)n);
    g->times.n = (size_t)n;
    for (size_t i = 1; i < n && !in->bad; i++)
        in->bad |= g->times.v[i] <= g->times.v[i - 1];
    return in->bad ? PD_ECORRUPT : 0;
}

static int get_directory(struct grid *g, struct wire_in *in)
{
    const uint64_t key_max = UINT64_C(1) << 56;
    uint64_t n = wire_varint(in), key = 0, length = 0;

    if (in->bad || n > wire_left(in) / 2 || n * g->times.n > GRID_CELLS_MAX)
        return PD_ECORRUPT;
    array_reserve(&g->columns, (size_t)n);
    g->columns.n = 0;
    for (uint64_t i = 0; i < n; i++) {
        struct grid_column c;
        uint64_t step = wire_varint(in), bytes = wire_varint(in);

        if (in->bad || (i > 0 && step == 0) || step > key_max || bytes > wire_left(in))
            return PD_ECORRUPT;
        key += step;
        c = (struct grid_column){.key = key, .offset = (size_t)length, .n = (size_t)bytes};
        length += bytes;
        if (key > key_max || length > wire_left(in))
            return PD_ECORRUPT;
        g->columns.v[g->columns.n++] = c;
    }
    if (length != wire_left(in))
        return PD_ECORRUPT;
    for (size_t i = 0; i < g->columns.n; i++)
        g->columns.v[i].offset += (size_t)(in->p - g->blob);
    return 0;
}

int grid_open(struct grid *g, enum grid_kind kind, const void *p, size_t n)
{
    struct wire_in in, crc;
    int rc;

    g->blob = p;
    if (n < LEAST)
        return PD_ECORRUPT;
    in = wire_in(p, n - CRC_SIZE);
    crc = wire_in(in.end, CRC_SIZE);
    if (wire_u32be(&crc) != wire_crc32c(0, p, n - CRC_SIZE))
        return PD_ECORRUPT;
    if (wire_u8(&in) != (uint8_t)kind)
        return PD_EVERSION;
    rc = get_times(g, &in);
    return rc == 0 ? get_directory(g, &in) : rc;
}

static void get_presence(struct grid *g, struct wire_in *in)
{
    uint64_t runs = wire_varint(in), next = 0;

    g->rows.n = 0;
    array_reserve(&g->rows, g->times.n);
    if (in->bad || runs > g->times.n) {
        in->bad = true;
        return;
    }
    for (size_t i = 0; runs == 0 && i < g->times.n; i++)
        g->rows.v[g->rows.n++] = (uint16_t)i;
    for (; runs > 0; runs--) {
        uint64_t without = wire_varint(in), with = wire_varint(in);

        if (in->bad || with == 0 || without > g->times.n - next || with > g->times.n - next - without) {
            in->bad = true;
            return;
        }
        for (next += without; with > 0; with--)
            g->rows.v[g->rows.n++] = (uint16_t)next++;
    }
}

int grid_read(struct grid *g, size_t column)
{
    const struct grid_column *c = &g->columns.v[column];
    struct wire_in in = wire_in(g->blob + c->offset, c->n);

    get_presence(g, &in);
    if (in.bad)
        return PD_ECORRUPT;
    array_reserve(&g->values, g->rows.n);
    g->values.n = g->rows.n;
    column_decode(&in, g->values.v, g->rows.n);
    return in.bad || wire_left(&in) > 0 ? PD_ECORRUPT : 0;
}

size_t grid_find(const struct grid *g, uint64_t key)
{
    size_t low = 0, high = g->columns.n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (g->columns.v[middle].key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
