#ifndef PD_SIM_SIMPING_H
#define PD_SIM_SIMPING_H

#include "base/array.h"
#include "plugins/icmp/socket.h"
#include "site.h"

/* Echoes that are played, for the ICMP collector in virtual time: whoever of a site has a network card that works answers. */
struct pong {
    union pd_addr from;
    uint8_t data[ICMP_PACKET];
    int64_t due_ms;
};

struct simping {
    struct site *site;
    const struct pd_services *services;
    int64_t delay_ms; /* there and back */
    /* Its own: */
    struct timer timer;
    ARRAY(struct pong) pongs; /* on their way, the next first */
    struct pong taken;
    void (*readable)(void *arg);
    void *arg;
};

/* The network as the collector wants it; s must outlive it. What is lost is counted at the machine whose it was. */
struct icmp_net simping_ops(struct simping *s);

#endif
