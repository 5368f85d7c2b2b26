#ifndef PD_BENCH_UDP_H
#define PD_BENCH_UDP_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

/* Packets of one IPv4 socket that is many devices: it hears all addresses, and each answer goes out from the one asked. */
enum { UDP_BATCH = 64, UDP_ROOM = 2048 };

struct udp_packet {
    struct sockaddr_in peer;
    uint32_t own; /* the address on our side, in host order; 0: the kernel may choose */
    size_t n;
    uint8_t data[UDP_ROOM];
};

/* A socket that does not wait, with large buffers, at a port (0: any): its descriptor, or -1 and errno. */
int udp_open(uint16_t port);
/* Takes what has come, up to UDP_BATCH packets; what is longer than UDP_ROOM is left out. */
size_t udp_receive(int fd, struct udp_packet *p);
/* Sends n <= UDP_BATCH packets, waiting for room; what can't be sent is given up, as on any net. */
void udp_send(int fd, const struct udp_packet *p, size_t n);

#endif
