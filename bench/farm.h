#ifndef PD_BENCH_FARM_H
#define PD_BENCH_FARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/plugin.h"
#include "plugins/snmp/pdu.h"

/*
 * What each device of our farm has: a printer with a switch in it, 24 ports and five supplies. A value follows from the
 * device's address, its object and the time (monotonic, so the same in all programs of a machine) and from nothing
 * else. So who reads it can tell not only whether it belongs to that device and object, but also whether it was said
 * while it was asked.
 */
enum {
    FARM_FIRST = 0x7f010001, /* the first device's address: 127.1.0.1 */
    FARM_DEVICES = 200000,   /* at most */
    FARM_SCALARS = 10,       /* that a poll reads: the first ones of farm_polled[] */
    FARM_COLUMNS = 7,        /* and the rest */
    FARM_POLLED = FARM_SCALARS + FARM_COLUMNS,
    FARM_USEFUL = 121, /* values in a poll */
    FARM_TEXT = 64,
};

/* What a poll reads: whole names of the scalars, then columns. */
extern const char *const farm_polled[FARM_POLLED];

/* The user whom all of them know in version 3. */
extern const struct pd_usm_secret farm_secret;

struct farm;
struct farm *farm_new(void);
void farm_free(struct farm *f);

size_t farm_count(const struct farm *f);
/* The object of that name, or the first one behind it: farm_count() where there is none. */
size_t farm_find(const struct farm *f, const uint32_t *name, size_t n, bool *same);
/* Its name, and its value at a time; what the value points to is in text, or static. */
void farm_value(const struct farm *f, size_t object, uint32_t address, int64_t now_ms, char text[FARM_TEXT],
                struct snmp_varbind *out);
/* Whether a device can have said that in answer to what was asked between two times; cell->instance is below `name`. */
bool farm_said(const struct farm *f, const char *name, const struct pd_cell *cell, uint32_t address, int64_t from_ms,
               int64_t to_ms);

#endif
