#ifndef PD_MODBUS_TCP_H
#define PD_MODBUS_TCP_H

#include "plugins/modbus/line.h"
#include "plugins/modbus/modbus.h"

/*
 * Carries a line's requests over one TCP connection, which is made when first needed and again when it
 * was lost. Transaction ids begin anywhere and rise; an answer counts only if id, unit, function and
 * length fit. A late answer to an earlier request is dropped. Where frames can no longer be told
 * apart the connection is closed. Net and manners stay the caller's, who may change the manners.
 */
void mb_tcp_start(struct mb_line *line, struct mb_rules *rules, const struct mb_net *net, const union pd_addr *to,
                  const struct pd_modbus_manners *manners, int connect_ms);

#endif
