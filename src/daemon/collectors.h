#ifndef PD_DAEMON_COLLECTORS_H
#define PD_DAEMON_COLLECTORS_H

#include "conf/conf.h"
#include "plugin/plugin.h"

/* The collectors that patrold has, and what the settings say to each. */
enum { COLLECTOR_COUNT = 3 };
extern const struct pd_collector_ops *const collector_table[COLLECTOR_COUNT];

/* Their configurations: parallel to the table, borrowing texts of the settings. Collectors copy what they need. */
struct collector_configs;
struct pd_icmp_sockets;
/* icmp: sockets that are open already, or NULL; they go to whoever starts that collector. So do those for traps. */
struct collector_configs *collector_configs_new(const struct settings *s, const struct pd_icmp_sockets *icmp,
                                                const int *traps, size_t ntraps);
void collector_configs_free(struct collector_configs *c); /* NULL is fine */
const void *const *collector_configs_list(const struct collector_configs *c);

#endif
