#include "simdev.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- Ramps ---- */

/* Before it is divided. */
static int64_t whole_at(const struct ramp *r, int64_t now_ms)
{
    int64_t t = now_ms - r->since, at;

    if (r->max > 0 && r->num > 0 && t >= (r->max * r->den - r->base) / r->num)
        return r->max * r->den;
    if (r->num < 0 && t > r->base / -r->num)
        return 0;
    at = r->base + r->num * t;
    return at < 0 ? 0 : at;
}

int64_t ramp_at(const struct ramp *r, int64_t now_ms)
{
    return whole_at(r, now_ms) / r->den;
}

void ramp_turn(struct ramp *r, int64_t num, int64_t now_ms)
{
    r->base = whole_at(r, now_ms);
    r->num = num;
    r->since = now_ms;
}

int64_t ramp_reaches(const struct ramp *r, int64_t value, int64_t now_ms)
{
    int64_t over, wait;

    if (ramp_at(r, now_ms) <= value)
        return now_ms;
    if (r->num >= 0)
        return INT64_MAX;
    /* The first ms at which base + num * t < (value + 1) * den. */
    over = r->base - (value + 1) * r->den;
    wait = over / -r->num + 1;
    return r->since + wait;
}

int64_t ramp_rises_to(const struct ramp *r, int64_t value, int64_t now_ms)
{
    int64_t wait;

    if (ramp_at(r, now_ms) >= value)
        return now_ms;
    if (r->num <= 0 || (r->max > 0 && value > r->max))
        return INT64_MAX;
    wait = (value * r->den - r->base + r->num - 1) / r->num;
    return r->since + wait;
}

/* ---- Variables ---- */

static void free_value(struct simvar *v)
{
    if (v->type == SNMP_OID)
        free(v->ids);
    else if (v->type == SNMP_OCTETS || v->type == SNMP_IPADDRESS || v->type == SNMP_OPAQUE)
        free(v->bytes);
}

void simdev_fini(struct simdev *d)
{
    for (size_t i = 0; i < d->vars.n; i++) {
        free_value(&d->vars.v[i]);
        free(d->vars.v[i].oid);
    }
    array_free(&d->vars);
}

size_t simdev_find(const struct simdev *d, const uint32_t *oid, size_t n)
{
    size_t lo = 0, hi = d->vars.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (oid_cmp(d->vars.v[mid].oid, d->vars.v[mid].noid, oid, n) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct simvar *simdev_get(const struct simdev *d, const uint32_t *oid, size_t n)
{
    size_t i = simdev_find(d, oid, n);

    return i < d->vars.n && oid_cmp(d->vars.v[i].oid, d->vars.v[i].noid, oid, n) == 0 ? &d->vars.v[i] : NULL;
}

/* Our own models' OIDs: a mistake in one is our bug. */
static void parse_own(const char *text, struct oid *out)
{
    const char *why;
    int rc = oid_parse(text, out, &why);

    assert(rc == 0);
    (void)rc;
}

__attribute__((format(printf, 1, 0))) static void format_oid(const char *fmt, va_list ap, struct oid *out)
{
    char text[256];

    vsnprintf(text, sizeof text, fmt, ap);
    parse_own(text, out);
}

/* Makes room for a variable, in order. */
static struct simvar *insert(struct simdev *d, size_t at, const struct oid *o)
{
    struct simvar v = {.oid = xmemdup(o->id, o->n * sizeof o->id[0]), .noid = o->n, .type = SNMP_NULL};

    array_reserve(&d->vars, d->vars.n + 1);
    memmove(&d->vars.v[at + 1], &d->vars.v[at], (d->vars.n - at) * sizeof d->vars.v[0]);
    d->vars.v[at] = v;
    d->vars.n++;
    d->shape++;
    return &d->vars.v[at];
}

/* The variable, without its old value, ready for a new one. */
__attribute__((format(printf, 3, 0))) static struct simvar *renew(struct simdev *d, enum snmp_type type,
                                                                  const char *fmt, va_list ap)
{
    struct simvar *v;
    struct oid o;
    size_t i;

    format_oid(fmt, ap, &o);
    i = simdev_find(d, o.id, o.n);
    if (i < d->vars.n && oid_cmp(d->vars.v[i].oid, d->vars.v[i].noid, o.id, o.n) == 0)
        v = &d->vars.v[i];
    else
        v = insert(d, i, &o);
    free_value(v);
    v->type = (uint8_t)type;
    v->n = 0;
    v->ramp = (struct ramp){0};
    d->version++;
    return v;
}

void simdev_int(struct simdev *d, int64_t value, const char *oid, ...)
{
    va_list ap;

    va_start(ap, oid);
    renew(d, SNMP_INTEGER, oid, ap)->i = value;
    va_end(ap);
}

void simdev_uint(struct simdev *d, enum snmp_type type, uint64_t value, const char *oid, ...)
{
    va_list ap;

    va_start(ap, oid);
    renew(d, type, oid, ap)->u = value;
    va_end(ap);
}

static void set_bytes(struct simvar *v, const void *p, size_t n)
{
    v->bytes = xmalloc(n + 1);
    if (n > 0)
        memcpy(v->bytes, p, n);
    v->n = (uint32_t)n;
}

void simdev_text(struct simdev *d, const char *text, const char *oid, ...)
{
    va_list ap;

    va_start(ap, oid);
    set_bytes(renew(d, SNMP_OCTETS, oid, ap), text, strlen(text));
    va_end(ap);
}

void simdev_bytes(struct simdev *d, enum snmp_type type, const void *p, size_t n, const char *oid, ...)
{
    va_list ap;

    va_start(ap, oid);
    set_bytes(renew(d, type, oid, ap), p, n);
    va_end(ap);
}

void simdev_oid(struct simdev *d, const char *value, const char *oid, ...)
{
    struct simvar *v;
    struct oid o;
    va_list ap;

    va_start(ap, oid);
    v = renew(d, SNMP_OID, oid, ap);
    va_end(ap);
    parse_own(value, &o);
    v->ids = xmemdup(o.id, o.n * sizeof o.id[0]);
    v->n = o.n;
}

void simdev_ramp(struct simdev *d, enum snmp_type type, const struct ramp *r, const char *oid, ...)
{
    struct simvar *v;
    va_list ap;

    va_start(ap, oid);
    v = renew(d, type, oid, ap);
    va_end(ap);
    v->u = 0;
    v->ramp = *r;
}

void simdev_remove(struct simdev *d, const char *oid, ...)
{
    size_t from, to;
    struct oid o;
    va_list ap;

    va_start(ap, oid);
    format_oid(oid, ap, &o);
    va_end(ap);
    from = to = simdev_find(d, o.id, o.n);
    while (to < d->vars.n && d->vars.v[to].noid >= o.n && memcmp(d->vars.v[to].oid, o.id, o.n * sizeof o.id[0]) == 0) {
        free_value(&d->vars.v[to]);
        free(d->vars.v[to++].oid);
    }
    if (to == from)
        return;
    memmove(&d->vars.v[from], &d->vars.v[to], (d->vars.n - to) * sizeof d->vars.v[0]);
    d->vars.n -= to - from;
    d->shape++;
    d->version++;
}

int64_t simvar_int(const struct simvar *v, int64_t now_ms)
{
    return v->ramp.den != 0 ? ramp_at(&v->ramp, now_ms) : v->i;
}

uint64_t simvar_uint(const struct simvar *v, int64_t now_ms)
{
    uint64_t u = v->ramp.den != 0 ? (uint64_t)ramp_at(&v->ramp, now_ms) : v->u;

    return v->type == SNMP_COUNTER64 ? u : u & UINT32_MAX;
}
