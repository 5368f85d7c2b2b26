#ifndef PD_CONF_LISTEN_H
#define PD_CONF_LISTEN_H

#include "conf/schema.h"

/* snmp.traps: a struct trap_settings. */
extern const struct schema traps_settings_schema;

#endif
