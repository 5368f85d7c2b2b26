#ifndef PD_SIM_SCRIPTED_H
#define PD_SIM_SCRIPTED_H

#include "plugin/plugin.h"
#include "site.h"

/*
 * Collectors that answer from a site's machines in virtual time, after the
 * network's delay, with its losses and retries: requests and answers get lost by
 * the site's loss and the services' randomness. Over SNMP the cells are made as an
 * agent's answers would give them.
 */
struct scripted_config {
    struct site *site;
    int64_t delay_ms;             /* there and back */
    int timeout_ms, retries;      /* of Modbus; timeout 0: as the collector likes. SNMP's come with each target */
    int64_t (*now_ms)(void *ctx); /* since the story's start */
    /* A read of a machine came to nothing or stayed incomplete although it was on; may be NULL. */
    void (*unread)(void *ctx, unsigned machine, int64_t from_ms, int64_t to_ms);
    void (*tally)(void *ctx, size_t cells); /* of each read that ended; may be NULL */
    void *ctx;
};

extern const struct pd_collector_ops scripted_ops; /* named "snmp" */
/* The collectors of Modbus and ICMP themselves, on networks that are played. */
extern const struct pd_collector_ops scripted_modbus_ops, scripted_icmp_ops;

#endif
