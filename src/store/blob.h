#ifndef PD_STORE_BLOB_H
#define PD_STORE_BLOB_H

#include "base/array.h"
#include "base/str.h"
#include "model/record.h"

/*
 * A device's poll as one blob: version, count, readings in order of component
 * and point with delta-coded keys, zigzag integers, shortest exact doubles,
 * quality where not good; CRC-32C at the end. A blob that is torn, foreign or of
 * another version is told apart, never believed.
 *
 * A poll stands by itself, or it is told by the one before it: of each reading that
 * it is as it was, or by how much it moved, and how long ago that poll was. Polls
 * that are told so make a chain with the one that stands by itself at its beginning,
 * and are decoded in the order in which they came.
 */

/*
 * Appends the blob of a poll by itself. Texts longer than 1 KB are cut at a character.
 * readings must be sorted by (component, point).
 */
void blob_encode(struct sbuf *out, const struct reading *readings, size_t n);
/* Likewise of one that came gap_ms (1 or more) after the one before it; past: what each was in the chain so far. */
void blob_encode_next(struct sbuf *out, int64_t gap_ms, const struct reading *readings, const struct reading_past *past,
                      size_t n);

/* What decoding keeps from poll to poll. `struct blob_chain c = {0};` waits for one that stands by itself. */
struct blob_chain {
    bool begun;
    int64_t at_ms; /* of the last poll */
    /* Its readings: valid until the next is taken. */
    const struct reading *readings;
    size_t n;
    /* Own things: */
    ARRAY(struct reading) last; /* what each was when it was told last; texts only where that was in the last poll */
    ARRAY(uint32_t) told;       /* places of those that the last poll told */
    ARRAY(struct reading) some; /* and themselves, where these are not all */
    ARRAY(char) texts;
};

/*
 * Decodes the chain's next poll, or the first one of another chain, into c->readings. PD_ECORRUPT
 * (also where the one before it is not the one that it is told by), PD_EVERSION: there are no
 * readings, and a chain begins anew.
 */
int blob_chain_take(struct blob_chain *c, int64_t at_ms, const void *p, size_t n);
void blob_chain_break(struct blob_chain *c);
void blob_chain_fini(struct blob_chain *c);

#endif
