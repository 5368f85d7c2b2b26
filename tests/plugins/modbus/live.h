#ifndef PD_TESTS_MODBUS_LIVE_H
#define PD_TESTS_MODBUS_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plugin/loop.h"
#include "plugins/modbus/modbus.h"

/* The collector in a real loop, and devices made of libmodbus that run as a process beside the test. */

/* ---- Devices ---- */

enum peer_kind {
    PEER_HEALTHY, /* holding register N holds N + 1000 times the unit; so do the other spaces, as far as they can */
    PEER_DEAD,    /* never answers */
    PEER_CLOSED,  /* TCP: refuses connections */
    PEER_SLOW,    /* answers after PEER_DELAY_MS */
    PEER_LIAR,    /* its lengths are wrong, each time in another way */
};

enum { PEER_DELAY_MS = 60, PEER_REGISTERS = 300 };

/* A process that serves; it dies with the test at the latest. */
struct peer {
    pid_t pid;
    uint16_t ports[32]; /* on 127.0.0.1 */
};

/* One port a device, each a unit 1. */
void peer_start_farm(struct peer *p, const enum peer_kind *kinds, size_t n);
/* A gateway: one port, units 1 to n. */
void peer_start_gateway(struct peer *p, const enum peer_kind *kinds, size_t n);
/* A serial bus behind a pseudo-terminal, to which the path becomes a link; slaves 1 to n. */
void peer_start_bus(struct peer *p, const char *path, const enum peer_kind *kinds, size_t n);
void peer_stop(struct peer *p);
/* A listening socket on some port of 127.0.0.1. */
int peer_listen(uint16_t *port);

/* ---- The collector ---- */

enum { LIVE_VALUES = 8 };

struct live {
    struct pd_loop *loop;
    struct pd_collector *collector;
    int running; /* reads under way */
};

/* One read: what the sources 0 to 7 gave. */
struct live_read {
    struct live *live;
    struct pd_read *read; /* NULL when it has ended */
    uint8_t types[LIVE_VALUES];
    int64_t values[LIVE_VALUES];
    enum pd_read_status status;
    uint32_t requests;
    char detail[200];
    int64_t started_ms, took_ms;
    unsigned reads, done; /* in all; DONE */
};

void live_start(struct live *l, const struct pd_modbus_config *config);
void live_stop(struct live *l);
struct pd_device *live_open(struct live *l, const char *address, uint16_t port, uint8_t unit);
struct pd_plan *live_plan(struct live *l, const char *const *addresses, size_t n);
void live_begin(struct live *l, struct live_read *r, struct pd_device *d, const struct pd_plan *plan);
/* Runs the loop until nothing is under way; fails the test after 20 s. */
void live_wait(struct live *l);
/* Runs the loop for so long. */
void live_run(struct live *l, int64_t ms);
/* Begins and waits. */
void live_read(struct live *l, struct live_read *r, struct pd_device *d, const struct pd_plan *plan);

#endif
