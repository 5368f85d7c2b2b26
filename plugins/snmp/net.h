#ifndef PD_SNMP_NET_H
#define PD_SNMP_NET_H

#include <stddef.h>
#include <stdint.h>

#include "plugin/addr.h"
#include "plugin/plugin.h"

/* Where packets come from and go to: the kernel's UDP, or a script in tests. */

struct snmp_packet {
    union pd_addr addr;
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
