#ifndef PD_DAEMON_CLOCKS_H
#define PD_DAEMON_CLOCKS_H

#include "daemon/live.h"

/* The query "clocks" (daemon/control.h): how the promises for tickets stand. */

/* Of open tickets, from memory: one by the filter "ticket", or all, page by page. */
json_t *clocks_query(struct core *c, struct live_args *a);
/* Whether it asks for a ticket that desk does not know: that is answered by clocks_fetch(). */
bool clocks_are_past(struct core *c, const json_t *filters);
/* rows: an array, or NULL with err and why. */
void clocks_fetch(struct core *c, const json_t *filters,
                  void (*done)(void *arg, json_t *rows, int err, const char *why), void *arg);

#endif
