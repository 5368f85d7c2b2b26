#include "plugins/snmp/oid.h"

#include <string.h>

#include "base/err.h"

/* The number at *s, which moves behind it; false where there is none or it exceeds 32 bits. */
static bool take_number(const char **s, uint32_t *out)
{
    const char *p = *s;
    uint64_t v = 0;

    while (*p >= '0' && *p <= '9' && v <= UINT32_MAX)
        v = 10 * v + (uint64_t)(*p++ - '0');
    if (p == *s || v > UINT32_MAX)
        return false;
    *s = p;
    *out = (uint32_t)v;
    return true;
}

static bool can_be_encoded(const struct oid *o)
{
    return o->id[0] < 2 ? o->id[1] < 40 : o->id[0] == 2 && o->id[1] <= UINT32_MAX - 80;
}

int oid_parse(const char *text, struct oid *out, const char **why)
{
    const char *p = text[0] == '.' ? text + 1 : text;
    struct oid o = {0};

    for (;;) {
        if (o.n == OID_MAX) {
            *why = "more than 128 numbers";
            return PD_EINVAL;
        }
        if (!take_number(&p, &o.id[o.n++])) {
            *why = "must be numbers from 0 to 4294967295 with dots between them, such as 1.3.6.1.2.1.1.3.0";
            return PD_EINVAL;
        }
        if (*p == '\0')
            break;
        if (*p++ != '.') {
            *why = "must be numbers with dots between them, such as 1.3.6.1.2.1.1.3.0";
            return PD_EINVAL;
        }
    }
    if (o.n < 2 || !can_be_encoded(&o)) {
        *why = "must begin with two numbers such as 1.3 (0.0 to 0.39, 1.0 to 1.39, or 2.x)";
        return PD_EINVAL;
    }
    *out = o;
    return 0;
}

int oid_cmp_long(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    size_t n = na < nb ? na : nb;

    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return na < nb ? -1 : na > nb;
}

bool oid_below(const uint32_t *root, size_t nroot, const uint32_t *o, size_t n)
{
    return n > nroot && memcmp(root, o, nroot * sizeof *root) == 0;
}

void oid_add_text(struct sbuf *b, const uint32_t *o, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sbuf_addf(b, i ? ".%u" : "%u", (unsigned)o[i]);
}
