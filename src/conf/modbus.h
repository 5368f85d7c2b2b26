#ifndef PD_CONF_MODBUS_H
#define PD_CONF_MODBUS_H

#include "conf/schema.h"

/* The section `modbus:` of the settings, read into a struct modbus_settings (conf/conf.h). */
extern const struct schema modbus_schema;

#endif
