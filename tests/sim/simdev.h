#ifndef PD_SIM_SIMDEV_H
#define PD_SIM_SIMDEV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "plugins/snmp/pdu.h"

/*
 * A simulated device as its agent sees it: variables in order of their OIDs, as
 * the MIBs give them. Nothing here knows what patrold makes of them.
 */

/*
 * A number that moves by itself: (base + num * ms since `since`) / den, rounded down, never below 0, and where `max` is
 * not 0 never above that. den 0: it stands.
 */
struct ramp {
    int64_t base, num, den, since, max;
};

int64_t ramp_at(const struct ramp *r, int64_t now_ms);
/* The ramp with the value it has now as its base, moving at another rate from now on. */
void ramp_turn(struct ramp *r, int64_t num, int64_t now_ms);
/* When a falling ramp reaches `value` or less: never before now_ms; INT64_MAX if it never does. */
int64_t ramp_reaches(const struct ramp *r, int64_t value, int64_t now_ms);
/* The same of a rising one, and `value` or more. */
int64_t ramp_rises_to(const struct ramp *r, int64_t value, int64_t now_ms);

struct simvar {
    uint32_t *oid;
    uint16_t noid;
    uint8_t type; /* enum snmp_type */
    uint32_t n;   /* bytes, or numbers of an OID */
    union {
        int64_t i;
        uint64_t u;
        uint8_t *bytes;
        uint32_t *ids;
    };
    struct ramp ramp; /* of numbers */
};

struct simdev {
    ARRAY(struct simvar) vars;
    uint32_t shape;   /* rises when variables come or go */
    uint32_t version; /* rises with any change that is not a ramp's own */
};

void simdev_fini(struct simdev *d);

/*
 * Each sets a variable, adding it where it is not there yet. The OID is numeric
 * text with room for numbers: simdev_int(d, 3, "1.3.6.1.2.1.2.2.1.1.%u", i).
 */
void simdev_int(struct simdev *d, int64_t v, const char *oid, ...) __attribute__((format(printf, 3, 4)));
void simdev_uint(struct simdev *d, enum snmp_type type, uint64_t v, const char *oid, ...)
    __attribute__((format(printf, 4, 5)));
void simdev_text(struct simdev *d, const char *v, const char *oid, ...) __attribute__((format(printf, 3, 4)));
void simdev_bytes(struct simdev *d, enum snmp_type type, const void *p, size_t n, const char *oid, ...)
    __attribute__((format(printf, 5, 6)));
void simdev_oid(struct simdev *d, const char *v, const char *oid, ...) __attribute__((format(printf, 3, 4)));
void simdev_ramp(struct simdev *d, enum snmp_type type, const struct ramp *r, const char *oid, ...)
    __attribute__((format(printf, 4, 5)));
/* Removes everything below an OID, itself included. */
void simdev_remove(struct simdev *d, const char *oid, ...) __attribute__((format(printf, 2, 3)));

/* The first variable at or after an OID: its place, vars.n at the end. */
size_t simdev_find(const struct simdev *d, const uint32_t *oid, size_t n);
/* The variable with exactly this OID, or NULL. */
const struct simvar *simdev_get(const struct simdev *d, const uint32_t *oid, size_t n);

/* A variable's number as it is now, cut to its type (Counter32 wraps); only of numbers. */
int64_t simvar_int(const struct simvar *v, int64_t now_ms);
uint64_t simvar_uint(const struct simvar *v, int64_t now_ms);
static inline bool simvar_is_uint(const struct simvar *v)
{
    return v->type == SNMP_COUNTER32 || v->type == SNMP_GAUGE32 || v->type == SNMP_TIMETICKS ||
           v->type == SNMP_COUNTER64;
}

#endif
