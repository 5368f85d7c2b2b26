#ifndef PD_MODBUS_VALUE_H
#define PD_MODBUS_VALUE_H

#include "plugin/plugin.h"
#include "plugins/modbus/address.h"

/* The data of one answer, and where it begins. */
struct mb_block {
    uint16_t address;
    const uint8_t *data;
    uint8_t swapped[MB_MAX_DATA]; /* the same with the bytes exchanged, of registers where that was wanted */
};

enum { MB_FLAG_BYTES = 8 };

void mb_block_init(struct mb_block *b, const struct mb_ask *ask, const uint8_t *data);
/* The register there, high byte first. */
static inline uint16_t mb_register(const struct mb_block *b, uint16_t at)
{
    const uint8_t *p = b->data + 2 * (at - b->address);

    return (uint16_t)(p[0] << 8 | p[1]);
}
/*
 * What lies at an address (a row's own) that the block holds whole. Sets type and value of the cell;
 * bytes point into the block or, for flags, to the scratch.
 */
void mb_value(const struct mb_address *a, uint16_t at, struct mb_block *b, uint8_t scratch[static MB_FLAG_BYTES],
              struct pd_cell *out);

#endif
