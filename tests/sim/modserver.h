#ifndef PD_SIM_MODSERVER_H
#define PD_SIM_MODSERVER_H

#include "plugin/plugin.h"
#include "site.h"

/*
 * A gate of the site on a real network: a Modbus TCP server at one address, for several clients at a time. Who sends
 * what is no frame is hung up on.
 */
enum { MODSERVER_CLIENTS = 16 }; /* beyond these, whoever was quiet longest is hung up on */

struct modserver;

struct modserver_config {
    const struct pd_services *services;
    struct site *site;
    const char *address; /* numeric IPv4, of 127.0.0.0/8 */
    uint16_t port;
    int64_t (*now)(void *ctx); /* the devices' time */
    void *ctx;
};

/* The address is copied. *why (free it) says what went wrong. */
int modserver_start(const struct modserver_config *config, struct modserver **out, char **why);
void modserver_stop(struct modserver *s); /* NULL is fine */

#endif
