#ifndef PD_BASE_KEYED_H
#define PD_BASE_KEYED_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 (Aumasson and Bernstein): a hash of bytes that nobody can foresee who doesn't know the key, for tables
 * that strangers fill.
 */
uint64_t keyed_hash(const uint64_t key[2], const void *p, size_t n);

#endif
