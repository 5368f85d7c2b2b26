#include "watch/recording.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"

struct object {
    uint32_t *oid;
    size_t n;
    size_t order; /* in which it came */
    struct pd_cell cell;
    void *content; /* of octets and identifiers */
};

/* What was told of an address. */
struct told {
    char *address;
    bool table;
    struct object o; /* its identifier is the instance */
};

struct recording {
    ARRAY(struct object) objects;
    ARRAY(struct told) told;
    bool sorted;
};

struct recording *recording_new(void)
{
    return xcalloc(1, sizeof(struct recording));
}

static void object_fini(struct object *o)
{
    free(o->oid);
    free(o->content);
}

void recording_free(struct recording *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->objects.n; i++)
        object_fini(&r->objects.v[i]);
    for (size_t i = 0; i < r->told.n; i++) {
        object_fini(&r->told.v[i].o);
        free(r->told.v[i].address);
    }
    array_free(&r->objects);
    array_free(&r->told);
    free(r);
}

size_t recording_count(const struct recording *r)
{
    return r->objects.n + r->told.n;
}

static struct object object_of(const uint32_t *oid, size_t n, const struct pd_cell *cell)
{
    struct object o = {.n = n, .cell = *cell};

    if (n > 0)
        o.oid = xmemdup(oid, n * sizeof *oid);
    if (cell->type == PD_CELL_BYTES) {
        o.content = xmemdup(cell->nbytes ? (const void *)cell->bytes : "", cell->nbytes ? cell->nbytes : 1);
        o.cell.bytes = o.content;
    } else if (cell->type == PD_CELL_OID && cell->nbytes > 0) {
        o.content = xmemdup(cell->oid, cell->nbytes * sizeof *cell->oid);
        o.cell.oid = o.content;
    }
    return o;
}

void recording_add(struct recording *r, const uint32_t *oid, size_t n, const struct pd_cell *cell)
{
    struct object o;

    if (n == 0 || n > PD_MAX_INSTANCE)
        return;
    o = object_of(oid, n, cell);
    o.order = r->objects.n;
    array_push(&r->objects, o);
    r->sorted = false;
}

void recording_tell(struct recording *r, const char *address, bool table, const struct pd_cell *cell)
{
    struct told told = {
        .address = xstrdup(address), .table = table, .o = object_of(cell->instance, cell->ninstance, cell)};

    array_push(&r->told, told);
}

/* ---- Order ---- */

static int compare_oids(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    for (size_t i = 0; i < na && i < nb; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return (na > nb) - (na < nb);
}

static int compare_objects(const void *a, const void *b)
{
    const struct object *x = a, *y = b;
    int c = compare_oids(x->oid, x->n, y->oid, y->n);

    return c ? c : (x->order > y->order) - (x->order < y->order);
}

static void sort(struct recording *r)
{
    size_t kept = 0;

    if (r->sorted)
        return;
    r->sorted = true;
    if (r->objects.n == 0)
        return;
    qsort(r->objects.v, r->objects.n, sizeof *r->objects.v, compare_objects);
    for (size_t i = 1; i < r->objects.n; i++) {
        struct object *last = &r->objects.v[kept], *o = &r->objects.v[i];

        if (compare_oids(last->oid, last->n, o->oid, o->n) == 0)
            object_fini(o);
        else
            r->objects.v[++kept] = *o;
    }
    r->objects.n = kept + 1;
}

static size_t lower_bound(const struct recording *r, const uint32_t *oid, size_t n)
{
    size_t low = 0, high = r->objects.n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare_oids(r->objects.v[mid].oid, r->objects.v[mid].n, oid, n) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

size_t recording_oid(const char *s, size_t len, uint32_t oid[static PD_MAX_INSTANCE])
{
    const char *end = s + len;
    size_t n = 0;

    s += s < end && *s == '.';
    while (s < end && n < PD_MAX_INSTANCE) {
        uint64_t x = 0;
        const char *digits = s;

        for (; s < end && *s >= '0' && *s <= '9' && x <= UINT32_MAX; s++)
            x = x * 10 + (uint64_t)(*s - '0');
        if (s == digits || x > UINT32_MAX)
            return 0;
        oid[n++] = (uint32_t)x;
        if (s == end)
            return n;
        if (*s++ != '.')
            return 0;
    }
    return 0;
}

static void feed_told(const struct recording *r, const struct pd_source *source,
                      void (*each)(void *ctx, const struct pd_cell *cell), void *ctx)
{
    for (size_t i = 0; i < r->told.n; i++) {
        const struct told *told = &r->told.v[i];
        struct pd_cell cell = told->o.cell;

        if (told->table != source->table || strcmp(told->address, source->address) != 0)
            continue;
        cell.source = source->id;
        cell.instance = told->o.oid;
        cell.ninstance = (uint16_t)told->o.n;
        each(ctx, &cell);
    }
}

void recording_feed(struct recording *r, const struct pd_source *source,
                    void (*each)(void *ctx, const struct pd_cell *cell), void *ctx)
{
    uint32_t oid[PD_MAX_INSTANCE];
    size_t n = recording_oid(source->address, strlen(source->address), oid);

    feed_told(r, source, each, ctx);
    sort(r);
    for (size_t i = n ? lower_bound(r, oid, n) : r->objects.n; i < r->objects.n; i++) {
        struct object *o = &r->objects.v[i];
        struct pd_cell cell = o->cell;

        if (o->n < n || compare_oids(o->oid, n, oid, n) != 0)
            return;
        if (source->table != (o->n > n))
            continue;
        cell.source = source->id;
        cell.instance = o->oid + n;
        cell.ninstance = (uint16_t)(o->n - n);
        each(ctx, &cell);
    }
}
