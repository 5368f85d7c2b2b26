/* A blob of readings: as it comes, and under a right checksum; what is believed survives being written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first poll of a chain, or one told by it. */
static void decode(struct blob_chain *c, int64_t at_ms, const void *p, size_t n)
{
    int rc = blob_chain_take(c, at_ms, p, n);

    if (rc != 0 && rc != PD_ECORRUPT && rc != PD_EVERSION)
        abort();
    if (rc != 0 && c->n > 0)
        abort();
    for (size_t i = 1; i < c->n; i++) {
        const struct reading *last = &c->readings[i - 1], *r = &c->readings[i];

        if (r->component < last->component || (r->component == last->component && r->point <= last->point))
            abort();
    }
}

static int same(const struct reading *a, const struct reading *b)
{
    if (a->component != b->component || a->point != b->point)
        return 0;
    if (a->value.type == VALUE_NUM && b->value.type == VALUE_NUM) /* by bits: not-a-numbers too */
        return a->value.quality == b->value.quality && a->value.bits == b->value.bits;
    return value_same(a->value, b->value);
}

/* What was believed survives being written again, by itself. */
static void check_again(const struct blob_chain *c)
{
    struct sbuf b = {0};
    struct blob_chain again = {0};

    blob_encode(&b, c->readings, c->n);
    if (blob_chain_take(&again, 0, b.s, b.n) != 0 || again.n != c->n)
        abort();
    for (size_t i = 0; i < c->n; i++)
        if (!same(&c->readings[i], &again.readings[i]))
            abort();
    blob_chain_fini(&again);
    sbuf_free(&b);
}

/* Two polls: the input up to a cut, and what is behind it, each under a right checksum; and all of it as it comes. */
static void decode_sealed(struct blob_chain *c, int64_t at_ms, const uint8_t *data, size_t size)
{
    uint8_t *sealed = xmalloc(size + 4);
    struct wire_out w = wire_out(sealed, size + 4);

    wire_put_bytes(&w, data, size);
    wire_put_u32be(&w, wire_crc32c(0, data, size));
    decode(c, at_ms, sealed, size + 4);
    check_again(c);
    free(sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct blob_chain c = {0};
    size_t cut = size > 0 ? data[0] : 0;

    decode(&c, 0, data, size);
    check_again(&c);
    if (size > 0) {
        cut = cut < size - 1 ? cut : size - 1;
        decode_sealed(&c, 0, data + 1, cut);
        decode_sealed(&c, 1, data + 1 + cut, size - 1 - cut);
    }
    decode_sealed(&c, 2, data, size);
    blob_chain_fini(&c);
    return 0;
}
