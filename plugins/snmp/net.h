#ifndef PD_SNMP_NET_H
#define PD_SNMP_NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugin/plugin.h"

/* Where packets come from and go to: the kernel's UDP, or a script in tests. */

union snmp_addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

enum { SNMP_ADDR_TEXT = 80 };

/* A numeric IPv4 or IPv6 address, IPv6 perhaps with %scope (name or number). PD_EINVAL if it is none that a device can have. */
int snmp_addr_parse(const char *text, uint16_t port, union snmp_addr *out);
/* "192.0.2.1:161", "[fe80::1%2]:161" */
void snmp_addr_text(const union snmp_addr *a, char out[static SNMP_ADDR_TEXT]);
uint16_t snmp_addr_port(const union snmp_addr *a);
/* Ports are not compared; scopes only where the address needs one. */
bool snmp_addr_same_host(const union snmp_addr *a, const union snmp_addr *b);

struct snmp_packet {
    union snmp_addr addr;
    uint8_t *data;
    size_t n;
    int err; /* errno with which the kernel refused to send it, else 0 */
};

enum { SNMP_BATCH = 32 }; /* packets handed over at once, at most */

struct snmp_net {
    /*
     * Sends packets, all of one address family. Gives how many were dealt with: fewer
     * than n when the kernel's buffer is full. One that was refused is dealt with too.
     */
    size_t (*send)(void *ctx, struct snmp_packet *p, size_t n);
    /* Takes up to n packets that wait. Their data is the net's, good until the next call. */
    size_t (*recv)(void *ctx, struct snmp_packet *p, size_t n);
    /* The receive buffer of a family's socket, in the kernel's accounting; 0 where there is no such socket. */
    size_t (*buffer)(void *ctx, int family);
    /* Who is told when packets wait. */
    void (*listen)(void *ctx, void (*readable)(void *arg), void *arg);
    void *ctx;
};

/* One unconnected UDP socket for each address family that the machine has. */
struct snmp_udp;
/* Asks for a receive buffer of so many bytes and logs what it got. PD_ECONN's kin if there is no socket at all. */
int snmp_udp_open(const struct pd_services *services, int rcvbuf, struct snmp_udp **out);
void snmp_udp_close(struct snmp_udp *u);
struct snmp_net snmp_udp_net(struct snmp_udp *u);

#endif
