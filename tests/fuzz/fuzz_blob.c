/* A blob of readings: as it comes, and under a right checksum; what is believed survives being written again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/wire.h"
#include "store/blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct poll {
    ARRAY(struct reading) readings; /* with texts of their own */
};

static void keep(void *ctx, const struct reading *r)
{
    struct poll *p = ctx;
    struct reading copy = *r;

    if (p->readings.n > 0) {
        const struct reading *last = &p->readings.v[p->readings.n - 1];

        if (r->component < last->component || (r->component == last->component && r->point <= last->point))
            abort();
    }
    if (copy.value.type == VALUE_TEXT)
        copy.value.text = xstrdup_null(copy.value.text);
    array_push(&p->readings, copy);
}

static void forget(struct poll *p)
{
    for (size_t i = 0; i < p->readings.n; i++)
        if (p->readings.v[i].value.type == VALUE_TEXT)
            free((char *)p->readings.v[i].value.text);
    array_free(&p->readings);
}

static int same(const struct reading *a, const struct reading *b)
{
    if (a->component != b->component || a->point != b->point)
        return 0;
    if (a->value.type == VALUE_NUM && b->value.type == VALUE_NUM) /* by bits: not-a-numbers too */
        return a->value.quality == b->value.quality && a->value.bits == b->value.bits;
    return value_same(a->value, b->value);
}

static void check_again(const struct poll *p)
{
    struct sbuf b = {0};
    struct poll again = {0};

    blob_encode(&b, p->readings.v, p->readings.n);
    if (blob_decode(b.s, b.n, keep, &again) != 0 || again.readings.n != p->readings.n)
        abort();
    for (size_t i = 0; i < p->readings.n; i++)
        if (!same(&p->readings.v[i], &again.readings.v[i]))
            abort();
    forget(&again);
    sbuf_free(&b);
}

static void decode(const void *p, size_t n)
{
    struct poll poll = {0};
    int rc = blob_decode(p, n, keep, &poll);

    if (rc == 0)
        check_again(&poll);
    else if (rc != PD_ECORRUPT && rc != PD_EVERSION)
        abort();
    forget(&poll);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *sealed = xmalloc(size + 4);
    struct wire_out w = wire_out(sealed, size + 4);

    decode(data, size);
    wire_put_bytes(&w, data, size);
    wire_put_u32be(&w, wire_crc32c(0, data, size));
    decode(sealed, size + 4);
    free(sealed);
    return 0;
}
