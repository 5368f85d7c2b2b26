#ifndef PD_SNMP_OID_H
#define PD_SNMP_OID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { OID_MAX = 128 }; /* sub-identifiers (RFC 3416, section 4.1) */

/* An object identifier by itself; elsewhere they are (numbers, count). */
struct oid {
    uint16_t n;
    uint32_t id[OID_MAX];
};

/*
 * "1.3.6.1.2.1.1.3.0", a leading dot allowed: 2 to 128 numbers up to 4294967295,
 * the first two such as can be encoded. PD_EINVAL, and *why says what is wrong.
 */
int oid_parse(const char *text, struct oid *out, const char **why);

/* oid_cmp() of any two. */
int oid_cmp_long(const uint32_t *a, size_t na, const uint32_t *b, size_t nb);

/* Lexicographic order, as strcmp(). Most rows are told apart by one number: that is quick. */
static inline int oid_cmp(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    return na == 1 && nb == 1 ? (*a > *b) - (*a < *b) : oid_cmp_long(a, na, b, nb);
}

/* True if o lies strictly below root. */
bool oid_below(const uint32_t *root, size_t nroot, const uint32_t *o, size_t n);

void oid_add_text(struct sbuf *b, const uint32_t *o, size_t n);

#endif
