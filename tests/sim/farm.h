#ifndef PD_SIM_FARM_H
#define PD_SIM_FARM_H

#include "plugin/plugin.h"
#include "settings.h"
#include "site.h"

/*
 * A site on a real network, in real time: every machine an SNMP agent at its own
 * address, or behind a Modbus server; packets of SNMP get lost as the site says
 * (over TCP nothing does), and things happen when they are due.
 */
struct farm;

/*
 * Machines live from now on; the site's callbacks come out of the loop. 0, or an
 * error with *why (free it). The site outlives the farm.
 */
int farm_start(const struct pd_services *services, struct site *site, const struct site_ports *ports, struct farm **out,
               char **why);
void farm_stop(struct farm *f);

/* Milliseconds since the story's start. */
int64_t farm_now(const struct farm *f);

#endif
