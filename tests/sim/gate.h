#ifndef PD_SIM_GATE_H
#define PD_SIM_GATE_H

#include "plugins/modbus/pdu.h"
#include "site.h"

/*
 * What is at an address of the site for who comes over Modbus TCP: a device, or a gateway with several units behind
 * it. Shared by the network that is played and the real one.
 */

/* Somebody there takes connections. */
bool gate_is_up(struct site *site, const char *address);

/*
 * The answer to a frame, as a frame: its length, or 0 where nobody answers. A gateway says so itself (exceptions 10 and
 * 11) where a unit is none of its own or does not answer.
 */
size_t gate_answer(struct site *site, const char *address, int64_t now_ms, const struct mb_frame *f,
                   uint8_t out[static MB_MAX_FRAME]);

#endif
