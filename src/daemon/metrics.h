#ifndef PD_DAEMON_METRICS_H
#define PD_DAEMON_METRICS_H

#include <jansson.h>

#include "daemon/core.h"

/* How patrold itself is doing, for monitoring: the rows of the query "metrics" (daemon/control.h). New reference. */
json_t *metrics_of(struct core *c);

#endif
