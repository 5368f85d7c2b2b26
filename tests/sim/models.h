#ifndef PD_SIM_MODELS_H
#define PD_SIM_MODELS_H

#include "machine.h"

/*
 * How a machine's state is shown, written from the MIBs and the makers' register
 * maps alone: nothing here reads conf/. model_X() builds what never changes,
 * model_X_show() shows anew what may have.
 */
void model_system(struct machine *m, const char *descr, const char *object_id);
/* An agent that knows SNMPv3 tells how often it was started (SNMP-FRAMEWORK-MIB). */
void model_engine(struct machine *m);
void model_restart_show(struct machine *m);

/* Interfaces: a loopback and so many ports; of five ports one has no cable. */
void model_interfaces(struct machine *m, unsigned ports, uint64_t speed_mbps, int64_t bytes_per_s);
/* Lets a port's counters run at the pace of its state, and shows it. */
void model_port_show(struct machine *m, struct port *p, int64_t now_ms);
/* They are shown under the numbers that m->renumbered gives them. */
void model_ports_renumber(struct machine *m, int64_t now_ms);
/* The counters begin again. */
void model_ports_restart(struct machine *m, int64_t now_ms);

void model_printer(struct machine *m);
void model_printer_show(struct machine *m, int64_t now_ms);
/* Serial number and MAC addresses: whose machine it is. */
void model_identity_show(struct machine *m, int64_t now_ms);

void model_switch(struct machine *m);
/* LLDP-MIB's row of a port. */
void model_neighbour_show(struct machine *m, unsigned port);
/* BRIDGE-MIB: which interface each of its ports is. */
void model_bridge_show(struct machine *m);

void model_server(struct machine *m);
void model_disk_show(struct machine *m, const struct disk *d);
void model_disks_renumber(struct machine *m);
void model_load_show(struct machine *m, int64_t now_ms); /* processors and memory */

/* ---- Power ---- */

/* A full battery, and a load as usual. */
void model_battery(struct machine *m);
/* The machine calls its battery low; and when that changes, at the rate of now. */
bool model_battery_low(const struct machine *m, int64_t now_ms);
int64_t model_battery_low_at(const struct machine *m, int64_t now_ms);
/* What is left of the charge, a full battery being so much. */
struct ramp model_charge_of(const struct machine *m, int64_t full);

void model_ups(struct machine *m);
void model_ups_show(struct machine *m, int64_t now_ms);
void model_modbus_ups(struct machine *m);
void model_modbus_ups_show(struct machine *m, int64_t now_ms);
void model_meter(struct machine *m);
void model_meter_show(struct machine *m, int64_t now_ms);

/* ---- Climate ---- */

void model_sensor(struct machine *m);
void model_sensor_show(struct machine *m, int64_t now_ms);
void model_probes_renumber(struct machine *m);
void model_modbus_sensor(struct machine *m);
void model_modbus_sensor_show(struct machine *m, int64_t now_ms);
void model_air_conditioner(struct machine *m);
void model_air_conditioner_show(struct machine *m, int64_t now_ms);

#endif
