#ifndef PD_MODBUS_MODBUS_H
#define PD_MODBUS_MODBUS_H

#include "plugin/plugin.h"
#include "plugins/modbus/net.h"

/*
 * The Modbus collector: TCP by its own framing, serial buses (RTU) by libmodbus with a thread each.
 * Units behind one address and port share a connection, those on a bus share the bus; either way
 * one request is on its way at a time, and the units take turns.
 *
 * The address of a source:
 *
 *     SPACE ADDRESS [TYPE] [ORDER] [bits A-B | flags] [rows N [step K]] [alone]
 *
 *     coil 3                      one bit: 0 or 1 (function 1)
 *     discrete 7                  likewise (function 2)
 *     discrete 16 flags 8         eight of them, flag 0 the first, for a column of type bits
 *     input 30 s32                input registers (function 4)
 *     holding 100                 a holding register (function 3), u16
 *     holding 4 f32 le-swap       a float, its low register first
 *     holding 12 u16 bits 4-7     part of a number; bit 0 is the lowest
 *     holding 12 u16 flags        its bits as flags, flag 0 the lowest bit
 *     holding 40 text 16          sixteen registers of text, up to the first NUL
 *     holding 40 bytes 3          three registers as they are
 *     holding 200 u32 rows 3 step 10   for a table: rows 1, 2, 3 at 200, 210, 220
 *     holding 900 alone           in a request of its own
 *     40101 u32                   a traditional reference: holding register 100
 *
 * Addresses behind a space's name are those on the wire, from 0 on, decimal or hexadecimal (0x1f):
 * `holding 40001` is address 40001. A reference of five or six digits instead counts from 1 and
 * begins with 0 (coil), 1 (discrete input), 3 (input register) or 4 (holding register).
 *
 * Types: u16 s16 u32 s32 u64 s64 f32 f64, `text N` and `bytes N`. Orders: `be` or `abcd` (without
 * one: the high register first, in it the high byte), `le` or `dcba` (the other way round in both),
 * `be-swap` or `badc` (bytes exchanged in each register), `le-swap` or `cdab` (the low register first).
 *
 * A NaN is no value (NULL), an infinite number INVALID. A walk's root is `holding 0-99` and the like;
 * its cells' instances are {4, 0}, {4, 1}, ... with the digit that begins references.
 */

/* How an endpoint likes to be treated. */
struct pd_modbus_manners {
    int connect_delay_ms; /* between the connection and the first request */
    int gap_ms;           /* between an answer and the next request */
    bool per_poll;        /* the connection is closed when nothing is to be asked */
};

struct pd_modbus_endpoint {
    const char *address; /* numeric */
    uint16_t port;       /* 0: 502 */
    struct pd_modbus_manners manners;
};

enum pd_modbus_rs485 {
    PD_MODBUS_RS485_ADAPTER,  /* RS-232, or the adapter turns the line round by itself */
    PD_MODBUS_RS485_KERNEL,   /* the driver does (TIOCSRS485) */
    PD_MODBUS_RS485_RTS_UP,   /* RTS is raised to send */
    PD_MODBUS_RS485_RTS_DOWN, /* RTS is lowered to send */
};

struct pd_modbus_bus {
    const char *name;   /* what the address of a target names */
    const char *device; /* "/dev/ttyUSB0" */
    int baud;           /* 0: 9600 */
    char parity;        /* 'N', 'E' or 'O'; 0: 'E', as the standard says */
    int stop_bits;      /* 1 or 2; 0: 1, or 2 without parity */
    enum pd_modbus_rs485 rs485;
    int rts_delay_us; /* around sending, with RTS; 0: one character */
    int response_ms;  /* until a slave begins to answer; 0: 500. A target's own time-out does not count here */
    int gap_ms;       /* silence between frames; 0: 3.5 characters */
};

struct pd_modbus_config {
    int timeout_ms; /* of one try */
    int connect_ms; /* for a connection */
    int retries;    /* after the first try */
    int busy_ms;    /* before a device that said it was busy is asked again */
    struct pd_modbus_manners manners;
    const struct pd_modbus_endpoint *endpoints; /* those with other manners; all are copied */
    size_t nendpoints;
    const struct pd_modbus_bus *buses;
    size_t nbuses;
    uint16_t max_registers, max_bits;   /* in one request */
    uint16_t max_gap;                   /* unwanted registers or bits in one request, side by side */
    int backoff_min_ms, backoff_max_ms; /* of units that do not answer and lines that do not work */
    int64_t absent_ms;                  /* what a device does not have is asked for again after that time */
    /* A read is ended beyond these: */
    int64_t max_ms;  /* in all */
    int64_t hold_ms; /* of its line's time */
};

extern const struct pd_modbus_config pd_modbus_defaults;
extern const struct pd_collector_ops pd_modbus_ops;

/* start() on another network than the kernel's; net is copied, and freed with the collector where it can be. */
int mb_start_on(const struct pd_services *services, const struct pd_modbus_config *config, const struct mb_net *net,
                struct pd_collector **out);

#endif
