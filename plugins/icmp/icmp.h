#ifndef PD_ICMP_ICMP_H
#define PD_ICMP_ICMP_H

#include "plugin/plugin.h"
#include "plugins/icmp/socket.h"

/*
 * The ICMP collector: echo requests, one after the other for a device. Over one
 * raw socket a family, or a ping socket where raw ones are not allowed
 * (net.ipv4.ping_group_range); where neither is, it starts all the same, says so
 * once, and reads end REFUSED without a round trip.
 *
 * The address of a source:
 *
 *     rtt      milliseconds to the answer and back, the mean of those that came
 *     loss     per cent of the requests that were not answered: a few are sent for this
 *
 * Where nothing asks for the loss a read ends with the first answer. A device
 * that answers nothing at all gives no cells.
 */

/* Sockets by family, IPv4 first; each is handed to the collector, which closes it. */
struct pd_icmp_sockets {
    struct {
        int fd; /* -1: none */
        enum icmp_way way;
    } family[2];
};

/* Opens what this process may: raw sockets before anything else, so that it can drop its rights then. */
void pd_icmp_open(struct pd_icmp_sockets *out);

struct pd_icmp_config {
    const struct pd_icmp_sockets *sockets; /* opened before; NULL: now */
    int timeout_ms;                        /* of one request */
    int tries;                             /* until an answer, where the loss is not asked for */
    int probes;                            /* to tell the loss */
    int gap_ms;                            /* between an answer and the next request to the same device */
};

extern const struct pd_icmp_config pd_icmp_defaults;
extern const struct pd_collector_ops pd_icmp_ops;

/* start() on another network than the kernel's, which is the collector's then. */
int icmp_start_on(const struct pd_services *services, const struct pd_icmp_config *config, const struct icmp_net *net,
                  struct pd_collector **out);

#endif
