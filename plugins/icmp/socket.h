#ifndef PD_ICMP_SOCKET_H
#define PD_ICMP_SOCKET_H

#include "plugin/plugin.h"
#include "plugins/icmp/packet.h"

/* Where echoes go to and come from: the kernel, or a script in tests. */

struct icmp_packet {
    union pd_addr from;
    const uint8_t *data; /* good until the next recv() */
    size_t n;
    bool cut; /* there was more of it */
};

struct icmp_net {
    enum icmp_way (*way)(void *ctx, int family);
    /* The id of requests that the kernel gives (ICMP_DATAGRAM); the given one otherwise. */
    uint16_t (*id)(void *ctx, int family, uint16_t own);
    /* 0; PD_EBUSY while the kernel's buffer is full; else why it can't be sent. */
    int (*send)(void *ctx, const union pd_addr *to, const uint8_t *data, size_t n);
    /* The next packet that waits; false: none. */
    bool (*recv)(void *ctx, struct icmp_packet *out);
    /* A finer clock than the services', for round trips alone: microseconds. */
    int64_t (*now_us)(void *ctx);
    /* Who is told when packets wait. */
    void (*listen)(void *ctx, void (*readable)(void *arg), void *arg);
    void (*close)(void *ctx);
    void *ctx;
};

/* The kernel's sockets; without `sockets` it opens its own. */
struct pd_icmp_sockets;
struct icmp_net icmp_kernel_net(const struct pd_services *services, const struct pd_icmp_sockets *sockets);

#endif
