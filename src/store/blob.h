#ifndef PD_STORE_BLOB_H
#define PD_STORE_BLOB_H

#include "base/str.h"
#include "model/record.h"

/*
 * A device's poll as one blob: version, count, readings in order of component
 * and point with delta-coded keys, zigzag integers, shortest exact doubles,
 * quality where not good; CRC-32C at the end. A blob that is torn, foreign or of
 * another version is told apart, never believed.
 */

/* Appends the blob. Texts longer than 1 KB are cut at a character. readings must be sorted by (component, point). */
void blob_encode(struct sbuf *out, const struct reading *readings, size_t n);

/*
 * Calls fn for each reading; texts are borrowed for the call. The checksum is
 * checked before the first call. PD_ECORRUPT, PD_EVERSION.
 */
int blob_decode(const void *p, size_t n, void (*fn)(void *ctx, const struct reading *r), void *ctx);

#endif
