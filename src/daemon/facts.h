#ifndef PD_DAEMON_FACTS_H
#define PD_DAEMON_FACTS_H

#include <jansson.h>

#include "daemon/core.h"

/*
 * What is known of a device as one object of the facts format (`patrolctl
 * facts`, JSON Lines): its identity, and a section for each kind of component
 * that the vocabulary gives one. Which point is written under which name is
 * said there, so nothing here knows a MIB. New reference.
 */
json_t *facts_of(struct core *c, const struct device *d);

/* A point's value as JSON: codes for enumerations, a list for flags, null where it is not good. New reference. */
json_t *value_json(struct value v, const struct point_def *p);

#endif
