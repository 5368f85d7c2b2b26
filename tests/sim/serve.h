#ifndef PD_SIM_SERVE_H
#define PD_SIM_SERVE_H

#include "settings.h"

/*
 * Serves a story's machines as real SNMP agents and Modbus servers in real time, until SIGTERM or
 * SIGINT; after the story's end they go on as they are. Prints a line NAME ADDRESS
 * MODEL for each machine, then "serving …". 0, or an error that is told on standard
 * error.
 */
int serve_story(const struct story *story, const struct site_ports *ports);

#endif
