#ifndef PD_SIM_AGENT_H
#define PD_SIM_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/plugin.h"
#include "simdev.h"

/*
 * A simulated device on a real network: an SNMPv1 and v2c agent (RFC 1157,
 * RFC 3416) that answers GET, GETNEXT and GETBULK from the device's variables
 * at an address of its own, and refuses SET.
 */

enum { AGENT_MAX_RESPONSE = 1472 }; /* what fits an Ethernet frame; more is cut short or tooBig */

/*
 * The answer to one packet, written to out[0 .. cap): its length, or 0 where an
 * agent stays silent (no SNMP, another community, no request).
 */
size_t agent_answer(const struct simdev *d, int64_t now_ms, const char *community, const void *packet, size_t n,
                    void *out, size_t cap);

struct agent;

struct agent_config {
    const struct pd_services *services;
    const char *address; /* numeric IPv4, of 127.0.0.0/8 */
    uint16_t port;
    const char *community;
    const struct simdev *dev;
    int64_t (*now)(void *ctx); /* the device's time */
    bool (*passes)(void *ctx); /* asked for each packet in and each answer out: false loses it */
    void *ctx;
};

/* Texts of the configuration are copied; dev is borrowed. *why (free it) says what went wrong. */
int agent_start(const struct agent_config *config, struct agent **out, char **why);
void agent_stop(struct agent *a);

#endif
