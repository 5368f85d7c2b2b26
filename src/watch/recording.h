#ifndef PD_WATCH_RECORDING_H
#define PD_WATCH_RECORDING_H

#include "plugin/plugin.h"

/*
 * What a device said once, so that a profile can be tried without the device:
 * objects by their identifier. The first of two of one identifier counts.
 */
struct recording;

struct recording *recording_new(void);
void recording_free(struct recording *r);

/* Adds one object; copies. An identifier of no or too many numbers is left out. */
void recording_add(struct recording *r, const uint32_t *oid, size_t n, const struct pd_cell *cell);

/* Adds what a collector told of a source's address, whatever its language; copies. */
void recording_tell(struct recording *r, const char *address, bool table, const struct pd_cell *cell);

/*
 * Adds what stands in a text: lines OID|TAG|VALUE (TAG: the BER tag in decimal,
 * x behind it: in hexadecimal, e: with backslash escapes), or what
 * `snmpwalk -On` and `-Onx` print. Gives how many lines make no sense; *first is
 * the first of them, from 1 on.
 */
size_t recording_read(struct recording *r, const char *text, size_t n, size_t *first);
size_t recording_count(const struct recording *r);

/* The numbers of "1.3.6.1", a dot before it or not, and how many there are; 0: it is none. */
size_t recording_oid(const char *s, size_t len, uint32_t oid[static PD_MAX_INSTANCE]);

/*
 * Calls each for every cell that a source has: source, instance and content as a
 * collector gives them. What was told of its address comes in that order, objects
 * below the identifier that it is in order of instance. Cells are borrowed for
 * the call.
 */
void recording_feed(struct recording *r, const struct pd_source *source,
                    void (*each)(void *ctx, const struct pd_cell *cell), void *ctx);

#endif
