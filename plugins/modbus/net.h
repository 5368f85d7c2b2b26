#ifndef PD_MODBUS_NET_H
#define PD_MODBUS_NET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plugin/addr.h"
#include "plugin/plugin.h"

/* Where connections come from: the kernel's TCP, or a script in tests. Nothing here waits. */
struct mb_conn;

struct mb_net {
    /*
     * Begins to connect; ready() is called in the loop, never before this has returned, whenever there may be
     * something to do. 0, or a negative errno.
     */
    int (*connect)(void *ctx, const union pd_addr *to, void (*ready)(void *arg), void *arg, struct mb_conn **out);
    /* 0: connected, 1: not yet, or a negative errno. Asked until it gives 0, before anything is sent. */
    int (*connected)(struct mb_conn *c);
    /* Bytes that were taken (ready() comes when the rest may be), or a negative errno. */
    ssize_t (*send)(struct mb_conn *c, const void *p, size_t n);
    /* Bytes that came, 0 for none at present, or a negative errno; -EPIPE when the peer closed. */
    ssize_t (*recv)(struct mb_conn *c, void *p, size_t n);
    void (*close)(struct mb_conn *c); /* NULL is fine */
    void (*free)(void *ctx);          /* once no connection is left; NULL: ctx is somebody else's */
    void *ctx;
};

/* The kernel's TCP. services must outlive it. */
struct mb_net mb_tcp_net(const struct pd_services *services);

#endif
