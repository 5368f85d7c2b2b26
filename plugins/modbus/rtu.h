#ifndef PD_MODBUS_RTU_H
#define PD_MODBUS_RTU_H

#include "plugins/modbus/line.h"
#include "plugins/modbus/modbus.h"

/*
 * Carries a line's requests over a serial bus by libmodbus, which waits: each bus has a thread of its
 * own that does one request after the other. The adapter is opened when first needed and again after
 * it was lost.
 */

/* PD_EINVAL for parameters that make no sense, with the reason in the log. */
int mb_bus_check(const struct pd_modbus_bus *bus);
/* bus must outlive the line. PD_ENOTSUP where there is no event loop. */
int mb_rtu_start(struct mb_line *line, struct mb_rules *rules, const struct pd_modbus_bus *bus);

#endif
