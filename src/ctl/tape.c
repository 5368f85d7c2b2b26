#include "ctl/tape.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "watch/recording.h"

enum { TAG_STRING = 4, TAG_OID = 6, TAG_ADDRESS = 64, TAG_OPAQUE = 68, TAG_NSAP = 69 };

bool tape_is_octets(uint8_t tag)
{
    return tag == TAG_STRING || tag == TAG_ADDRESS || tag == TAG_OPAQUE || tag == TAG_NSAP;
}

static bool add(struct tape *t, const char *oid, size_t noid, uint8_t tag, const void *data, size_t n)
{
    uint32_t numbers[PD_MAX_INSTANCE];
    struct taped o = {.n = recording_oid(oid, noid, numbers), .tag = tag, .ndata = n};

    if (o.n == 0)
        return false;
    o.oid = xmemdup(numbers, o.n * sizeof *numbers);
    o.data = xmalloc(n + 1);
    if (n > 0)
        memcpy(o.data, data, n);
    o.data[n] = '\0';
    array_push(t, o);
    return true;
}

bool tape_add(struct tape *t, const char *oid, uint8_t tag, const void *data, size_t n)
{
    return add(t, oid, strlen(oid), tag, data, n);
}

size_t tape_read(struct tape *t, const char *text, size_t n)
{
    const char *end = text + n;
    size_t wrong = 0;

    for (const char *line = text, *next; line < end; line = next) {
        const char *stop = memchr(line, '\n', (size_t)(end - line)), *bar;
        unsigned tag = 0;

        stop = stop ? stop : end;
        next = stop + 1;
        bar = memchr(line, '|', (size_t)(stop - line));
        if (stop == line || *line == '#')
            continue;
        for (const char *p = bar ? bar + 1 : stop; p < stop && *p >= '0' && *p <= '9' && tag < 1000; p++)
            tag = 10 * tag + (unsigned)(*p - '0');
        if (tag == 0 || tag > UINT8_MAX || !add(t, line, (size_t)(bar - line), (uint8_t)tag, "", 0))
            wrong++;
    }
    return wrong;
}

int tape_compare(const struct taped *a, const struct taped *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if (a->oid[i] != b->oid[i])
            return a->oid[i] < b->oid[i] ? -1 : 1;
    return (a->n > b->n) - (a->n < b->n);
}

static int by_oid(const void *a, const void *b)
{
    return tape_compare(a, b);
}

static void taped_fini(struct taped *o)
{
    free(o->oid);
    free(o->data);
}

void tape_sort(struct tape *t)
{
    size_t kept = 0;

    if (t->n == 0)
        return;
    qsort(t->v, t->n, sizeof *t->v, by_oid);
    for (size_t i = 1; i < t->n; i++) {
        if (tape_compare(&t->v[kept], &t->v[i]) == 0)
            taped_fini(&t->v[i]);
        else
            t->v[++kept] = t->v[i];
    }
    t->n = kept + 1;
}

static bool is_plain(const struct taped *o)
{
    for (size_t i = 0; i < o->ndata; i++)
        if ((unsigned char)o->data[i] < ' ' || (unsigned char)o->data[i] > '~')
            return false;
    return o->tag != TAG_ADDRESS && o->tag != TAG_OPAQUE;
}

void tape_write(const struct tape *t, struct sbuf *out)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct taped *o = &t->v[i];
        bool hex = tape_is_octets(o->tag) && !is_plain(o);

        for (size_t k = 0; k < o->n; k++)
            sbuf_addf(out, k > 0 ? ".%u" : "%u", (unsigned)o->oid[k]);
        sbuf_addf(out, "|%u%s|", (unsigned)o->tag, hex ? "x" : "");
        for (size_t k = 0; hex && k < o->ndata; k++)
            sbuf_addf(out, "%02x", (unsigned)(unsigned char)o->data[k]);
        if (!hex)
            sbuf_addn(out, o->data, o->ndata);
        sbuf_addc(out, '\n');
    }
}

void tape_fini(struct tape *t)
{
    for (size_t i = 0; i < t->n; i++)
        taped_fini(&t->v[i]);
    array_free(t);
}
