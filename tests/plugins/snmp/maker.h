#ifndef PD_TESTS_SNMP_MAKER_H
#define PD_TESTS_SNMP_MAKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/wire.h"

enum { MESSAGE_MAX = 1400 };

/*
 * Messages of SNMP by the grammar, with one or two things wrong in them. Where it may be: each element that is written
 * is one chance.
 */
struct maker {
    const struct pd_rng *rng;
    struct wire_out out;
    unsigned chance; /* one in so many elements is made wrong; 0: none */
    void *ctx;       /* the writer's */
};

/* A number below n; whether something is to be wrong here. */
uint32_t maker_below(const struct maker *m, uint32_t n);
bool maker_wrong(const struct maker *m);

void maker_put(struct maker *m, uint8_t tag, const void *body, size_t n);
/* Of `width` bytes at most, as few as it needs. */
void maker_put_number(struct maker *m, uint8_t tag, uint64_t v, size_t width);
/* What write() puts, inside an element. */
void maker_put_around(struct maker *m, uint8_t tag, void (*write)(struct maker *m));
/* Any PDU but a trap of version 1. */
void maker_put_pdu(struct maker *m);

/* A whole message by write(), in buf of MESSAGE_MAX bytes, with m's generator and ctx: its length. */
size_t maker_make(struct maker *m, uint8_t *buf, void (*write)(struct maker *m));
/* Changes a few of its bytes, or cuts it off: what is left of it. */
size_t maker_spoil(const struct pd_rng *rng, uint8_t *buf, size_t n);

#endif
