#ifndef PD_SNMP_TRAP_SINK_H
#define PD_SNMP_TRAP_SINK_H

#include "plugin/plugin.h"
#include "plugins/snmp/trap_limit.h"
#include "plugins/snmp/trap_net.h"
#include "plugins/snmp/usm.h"

/*
 * Hears traps and informs of all versions. What is cheapest to find out comes first: whether a device is known at the
 * sender's address, whether there is room for one more of it and in all, only then what the message is and, in version
 * 3, whether it is authentic. Each turn of the loop takes a bounded number of packets, so that a flood holds up nothing
 * else; it is drained all the same, since most of it costs next to nothing.
 *
 * An inform is answered when what came of it is on disk, repeated ones once more without being processed again. Why
 * packets are dropped is counted by reason; the log says a few times a minute that and why it happens.
 */
struct trap_sink;

/* Everything is borrowed, but the net, which is copied. engine_file: where our engine is kept; NULL: there is none. */
struct trap_sink *trap_sink_new(const struct pd_services *services, struct usm *usm, const struct trap_net *net,
                                const struct trap_rates *rates, const char *engine_file);
void trap_sink_free(struct trap_sink *s); /* NULL is fine; no `done` may be called any more */

/* As pd_collector_ops.traps. */
void trap_sink_to(struct trap_sink *s, const struct pd_trap_sink *sink, const struct pd_usm_secret *users, size_t n);

void trap_sink_counters(const struct trap_sink *s, void (*put)(void *arg, const char *name, uint64_t value), void *arg);

#endif
