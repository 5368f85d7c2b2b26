#include "plugins/snmp/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

/* A source whose address has been read. */
struct entry {
    const struct pd_source *source;
    struct oid oid;
};

enum {
    MAX_ENCODED = 5 * OID_MAX + 16, /* one varbind */
    MIN_SCALAR = 3,                 /* object and instance */
    PARTS = 32,
};

static int read_source(const struct pd_source *s, struct entry *out, struct pd_compile_error *err)
{
    const char *why = NULL;

    out->source = s;
    if (oid_parse(s->address, &out->oid, &why) < 0)
        ; /* why is set */
    else if (s->table && out->oid.n == OID_MAX)
        why = "is too long for a column: no row could have a name";
    else if (!s->table && out->oid.n < MIN_SCALAR)
        why = "is too short for a scalar, which ends in its instance, mostly .0";
    else if (s->part >= PARTS)
        why = "belongs to a part above 31";
    if (!why)
        return 0;
    err->source = s->id;
    (void)snprintf(err->msg, sizeof err->msg, "OID '%.40s' %s", s->address, why);
    return PD_EINVAL;
}

/* Scalars first; by context; then by OID, so that the columns of a table stand together. */
static int by_place(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int c;

    if (x->source->table != y->source->table)
        return x->source->table ? 1 : -1;
    if (x->source->context != y->source->context)
        return x->source->context < y->source->context ? -1 : 1;
    c = oid_cmp(x->oid.id, x->oid.n, y->oid.id, y->oid.n);
    return c ? c : x->source->id < y->source->id ? -1 : x->source->id > y->source->id;
}

static bool same_table(const struct snmp_item *a, const struct snmp_item *b)
{
    return a->context == b->context && a->noid == b->noid &&
           memcmp(a->oid, b->oid, (a->noid - 1u) * sizeof *a->oid) == 0;
}

static void add_column(struct pd_plan *p, uint16_t item)
{
    if (p->ngroups && same_table(&p->items[p->groups[p->ngroups - 1].first], &p->items[item]))
        p->groups[p->ngroups - 1].n++;
    else
        p->groups[p->ngroups++] = (struct snmp_group){.first = item, .n = 1};
}

/* The name before a scalar. */
static void encode_before(struct wire_out *out, const struct oid *o)
{
    uint32_t before = o->id[o->n - 1] - 1;

    snmp_encode_name(out, o->id, o->n - 1u, &before, o->id[o->n - 1] == 0 ? 0 : 1);
}

/* Its OID as it is on the wire: inside of its varbind. */
static void set_name(struct snmp_item *it)
{
    struct wire_in in = wire_in(it->encoded, it->nencoded), pair = ber_expect(&in, BER_SEQUENCE),
                   name = ber_expect(&pair, BER_OID);
    size_t n = wire_left(&name);

    if (n <= UINT8_MAX)
        it->name =
            (struct snmp_name){.ids = it->oid, .encoded = name.p, .n = (uint8_t)it->noid, .nencoded = (uint8_t)n};
}

/* Entries in order -> the plan. */
static struct pd_plan *build(const struct entry *e, size_t n)
{
    struct pd_plan *p = xcalloc(1, sizeof *p);
    size_t nids = 0, nbytes = 0;
    struct wire_out out;
    uint32_t *ids;

    for (size_t i = 0; i < n; i++) {
        uint8_t buf[2 * MAX_ENCODED];

        out = wire_out(buf, sizeof buf);
        snmp_encode_name(&out, e[i].oid.id, e[i].oid.n, NULL, 0);
        if (!e[i].source->table)
            encode_before(&out, &e[i].oid);
        nbytes += wire_used(&out);
        nids += e[i].oid.n;
    }
    p->items = xcalloc(n ? n : 1, sizeof *p->items);
    p->groups = xcalloc(n ? n : 1, sizeof *p->groups);
    p->ids = ids = xcalloc(nids ? nids : 1, sizeof *ids);
    p->bytes = xmalloc(nbytes ? nbytes : 1);
    out = wire_out(p->bytes, nbytes);
    for (size_t i = 0; i < n; i++) {
        struct snmp_item *it = &p->items[p->nitems];
        const struct oid *o = &e[i].oid;

        memcpy(ids, o->id, o->n * sizeof *ids);
        *it = (struct snmp_item){.oid = ids, .encoded = out.p, .source = e[i].source->id, .noid = o->n};
        it->part = e[i].source->part;
        it->context = e[i].source->context;
        ids += o->n;
        snmp_encode_name(&out, o->id, o->n, NULL, 0);
        it->nencoded = (uint16_t)(out.p - it->encoded);
        set_name(it);
        if (e[i].source->table) {
            add_column(p, p->nitems);
        } else {
            it->before = out.p;
            encode_before(&out, o);
            it->nbefore = (uint16_t)(out.p - it->before);
            p->nscalars++;
        }
        p->nitems++;
    }
    return p;
}

int snmp_plan_compile(uint32_t serial, const struct pd_source *sources, size_t n, struct pd_plan **out,
                      struct pd_compile_error *err)
{
    struct entry *e;
    int rc = 0;

    if (n > SNMP_MAX_SOURCES) {
        err->source = sources[SNMP_MAX_SOURCES].id;
        (void)snprintf(err->msg, sizeof err->msg, "more than %d sources", SNMP_MAX_SOURCES);
        return PD_EINVAL;
    }
    e = xcalloc(n ? n : 1, sizeof *e);
    for (size_t i = 0; i < n && !rc; i++)
        rc = read_source(&sources[i], &e[i], err);
    if (!rc) {
        qsort(e, n, sizeof *e, by_place);
        *out = build(e, n);
        (*out)->serial = serial;
    }
    free(e);
    return rc;
}

struct pd_plan *snmp_plan_walk(const struct oid *root)
{
    struct pd_source source = {.table = true};
    struct entry e = {.source = &source, .oid = *root};

    return build(&e, 1);
}

void snmp_plan_free(struct pd_plan *p)
{
    if (!p)
        return;
    free(p->items);
    free(p->groups);
    free(p->ids);
    free(p->bytes);
    free(p);
}
