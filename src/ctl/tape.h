#ifndef PD_CTL_TAPE_H
#define PD_CTL_TAPE_H

#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/str.h"
#include "conf/private.h"
#include "plugin/plugin.h"

/* A recording of a device in memory: objects with what they hold. */
struct taped {
    uint32_t *oid;
    size_t n;
    uint8_t tag; /* BER */
    char *data;  /* octets of strings and addresses; of all else how one writes it */
    size_t ndata;
};
struct tape { /* an ARRAY */
    struct taped *v;
    size_t n, cap;
};

/* Adds an object; oid is text, data is copied. False where the text is no object identifier. */
bool tape_add(struct tape *t, const char *oid, uint8_t tag, const void *data, size_t n);
/* Lines OID|TAG|VALUE; values are not looked at. Gives how many lines make no sense. */
size_t tape_read(struct tape *t, const char *text, size_t n);
/* In order of their identifiers, the first of two of one. */
void tape_sort(struct tape *t);
void tape_write(const struct tape *t, struct sbuf *out);
void tape_fini(struct tape *t);
/* True if data are octets as on the wire. */
bool tape_is_octets(uint8_t tag);

int tape_compare(const struct taped *a, const struct taped *b);

/*
 * Puts something else of the same shape in the place of everything private; the
 * same original becomes the same everywhere, also where it is part of a text or
 * of a row's name. seed makes it another each time.
 */
void tape_blank(struct tape *t, const struct private_data *what, uint64_t seed);

#endif
