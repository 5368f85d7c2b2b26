#ifndef PD_STORE_COLUMN_H
#define PD_STORE_COLUMN_H

#include "base/str.h"
#include "base/wire.h"
#include "expr/value.h"

/*
 * Values of one series, one after the other, as bytes: pieces of one type and
 * quality, of which each has its integers as runs of equal steps, as steps, as steps
 * of steps, or as either of these in as many bits as the widest one takes,
 * whichever is shortest. Numbers are integers of a power of ten where all of a
 * piece are that to the last bit; texts stand where they change.
 */

/* What encoding needs and keeps from one column to the next. `struct column_scratch s = {0};` */
struct column_scratch {
    int64_t *numbers;
    uint8_t *bytes;
    size_t cap;
};
void column_scratch_fini(struct column_scratch *s);

void column_encode(struct sbuf *out, struct column_scratch *s, const struct value *values, size_t n);
/* Texts are borrowed from where in reads. in->bad: they make no sense, and no value counts. */
void column_decode(struct wire_in *in, struct value *values, size_t n);

/* The integers of one piece alone: times. */
void column_encode_ints(struct sbuf *out, struct column_scratch *s, const int64_t *v, size_t n);
void column_decode_ints(struct wire_in *in, int64_t *v, size_t n);

#endif
