#ifndef PD_SNMP_PLAN_H
#define PD_SNMP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/plugin.h"
#include "plugins/snmp/oid.h"
#include "plugins/snmp/pdu.h"

/*
 * What is to be read from the devices of a profile: scalars, and the columns of
 * tables, every name encoded once. It never changes after it was compiled, so all
 * devices share it.
 */

/* A scalar or a column. */
struct snmp_item {
    struct snmp_name name; /* in the beginning: its varbinds are decoded by it */
    const uint32_t *oid;
    const uint8_t *encoded; /* its varbind, as requests carry it */
    const uint8_t *before;  /* likewise of a scalar the name before it, whose next it is: its object, or one less */
    uint32_t source;
    uint16_t noid, nencoded, nbefore;
    uint8_t part, context; /* context: see struct pd_source */
};

/* Columns of one table: they share the OID of the entry, and the context. */
struct snmp_group {
    uint16_t first, n; /* items */
};

enum { SNMP_MAX_SOURCES = 4096 };

struct pd_plan {
    uint32_t serial;   /* never given twice by a collector: devices remember by it what they learnt */
    uint16_t nscalars; /* items[0 .. nscalars) */
    uint16_t nitems;   /* the rest are columns, group by group in the order of their OIDs, context by context */
    uint16_t ngroups;
    struct snmp_item *items;
    struct snmp_group *groups;
    uint32_t *ids; /* what the items' pointers point into */
    uint8_t *bytes;
};

int snmp_plan_compile(uint32_t serial, const struct pd_source *sources, size_t n, struct pd_plan **out,
                      struct pd_compile_error *err);
/* The plan of a walk: one column whose cells have source 0. */
struct pd_plan *snmp_plan_walk(const struct oid *root);
void snmp_plan_free(struct pd_plan *p);

#endif
