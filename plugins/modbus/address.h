#ifndef PD_MODBUS_ADDRESS_H
#define PD_MODBUS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plugins/modbus/pdu.h"

/* The language of addresses; modbus.h describes it for those who write modules. */

enum mb_type {
    MB_UNSIGNED, /* a coil or discrete input too: 0 or 1 */
    MB_SIGNED,
    MB_FLOAT,
    MB_TEXT,  /* bytes up to the first NUL */
    MB_BYTES, /* all bytes */
    MB_FLAGS, /* as octets, flag 0 the top bit of the first */
};

/* How a number or a text lies in its registers. */
enum mb_order { MB_SWAP_BYTES = 1 /* within each register */, MB_SWAP_WORDS = 2 /* the last register first */ };

enum { MB_MAX_ROWS = 1024, MB_MAX_FLAGS = 64, MB_WHY = 112, MB_PLACE = 32 };

struct mb_address {
    uint8_t function;  /* enum mb_function: which of the four spaces */
    uint8_t type;      /* enum mb_type */
    uint8_t order;     /* of enum mb_order */
    bool alone;        /* shares no request */
    uint16_t address;  /* as on the wire */
    uint16_t count;    /* registers or bits */
    uint8_t bit, bits; /* a field of a number: lowest bit and width; bits 0: the whole */
    uint16_t rows;     /* 0: a scalar */
    uint16_t step;     /* from row to row */
};

/* Reads an address; PD_EINVAL with what is wrong and what would be right. */
int mb_address_parse(const char *text, bool table, struct mb_address *out, char why[static MB_WHY]);
/* "holding 0-99", "coil 5", "holding": what a walk goes through. PD_EINVAL with the reason. */
int mb_range_parse(const char *text, uint8_t *function, uint16_t *first, uint16_t *last, char why[static MB_WHY]);
/* What begins the traditional references of a space: 0, 1, 3 or 4. */
uint32_t mb_space_digit(uint8_t function);
/* "holding 100", "holding 100-102": in messages. */
void mb_place(const struct mb_ask *ask, char out[static MB_PLACE]);

#endif
