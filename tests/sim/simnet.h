#ifndef PD_SIM_SIMNET_H
#define PD_SIM_SIMNET_H

#include "plugins/modbus/net.h"
#include "site.h"

/*
 * TCP that is played, for the Modbus collector in virtual time: connections to the gates of a site, with the network's
 * delay. What is lost is sent again after 200, 400, 800 ms and so on, as TCP does; it is counted at the machine whose
 * it was. A machine that is off does not answer, and one that restarted knows nothing of older connections.
 */
struct simnet {
    struct site *site;
    const struct pd_services *services;
    int64_t delay_ms; /* there and back */
    int64_t (*now_ms)(void *ctx);
    void *ctx;
};

/* The network as the collector wants it; s must outlive its connections. */
struct mb_net simnet_ops(struct simnet *s);

#endif
