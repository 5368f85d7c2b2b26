#ifndef PD_PLUGIN_ADDR_H
#define PD_PLUGIN_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Where a device is on the network: a numeric address and a port. */
union pd_addr {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

enum { PD_ADDR_TEXT = 80 };

/* A numeric IPv4 or IPv6 address, IPv6 perhaps with %scope (name or number). PD_EINVAL if it is none that a device can have. */
int pd_addr_parse(const char *text, uint16_t port, union pd_addr *out);
/* "192.0.2.1:161", "[fe80::1%2]:161" */
void pd_addr_text(const union pd_addr *a, char out[static PD_ADDR_TEXT]);
uint16_t pd_addr_port(const union pd_addr *a);
/* What bind() and connect() want to know. */
socklen_t pd_addr_size(const union pd_addr *a);
/* Ports are not compared; scopes only where the address needs one. */
bool pd_addr_same_host(const union pd_addr *a, const union pd_addr *b);

#endif
