#ifndef PD_SNMP_TRAP_NET_H
#define PD_SNMP_TRAP_NET_H

#include <stdbool.h>

#include "plugin/addr.h"
#include "plugin/plugin.h"

/* Where traps come in, and where answers to informs go out: the kernel's UDP, or a script in tests. */

struct trap_packet {
    union pd_addr from; /* IPv4 senders as AF_INET, whatever the socket */
    uint8_t *data;      /* the net's, good until the next call */
    size_t n;
    /* The way back: */
    uint8_t socket;
    union pd_addr to; /* our address that it was sent to; family 0: not known */
    uint32_t interface;
};

enum { TRAP_BATCH = 64 };

struct trap_net {
    /* Takes up to n packets that wait. */
    size_t (*recv)(void *ctx, struct trap_packet *p, size_t n);
    /* Sends to who sent p, from where p came in. What the kernel does not take now is lost, like any packet. */
    bool (*send)(void *ctx, const struct trap_packet *p, const uint8_t *data, size_t n);
    /* Who is told when packets wait; asked again as long as there are any. */
    void (*listen)(void *ctx, void (*readable)(void *arg), void *arg);
    void *ctx;
};

/* Sockets that are listening already, and addresses to listen at. */
struct trap_udp_config {
    const int *fds;
    size_t nfds;
    const union pd_addr *listen; /* 0.0.0.0 and :: are allowed here */
    size_t nlisten;
    int rcvbuf; /* bytes, asked for; the kernel counts them twice */
};
/* A numeric address, without an interface; 0.0.0.0 and :: too. PD_EINVAL for any other text. */
int trap_listen_at(const char *host, uint16_t port, union pd_addr *out);

struct trap_udp;
/*
 * Takes over the descriptors and opens the rest; what can't be opened is said in the log. PD_ENOENT if nothing is
 * left to listen at.
 */
int trap_udp_open(const struct pd_services *services, const struct trap_udp_config *config, struct trap_udp **out);
void trap_udp_close(struct trap_udp *u); /* NULL is fine */
struct trap_net trap_udp_net(struct trap_udp *u);

#endif
