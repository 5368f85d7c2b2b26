#ifndef PD_DAEMON_LIVE_H
#define PD_DAEMON_LIVE_H

#include <jansson.h>

#include "daemon/core.h"

/* A query answered from memory (daemon/control.h tells the names), and its answer. */
struct live_args {
    const json_t *filters; /* an object or NULL */
    int64_t after;         /* cursor: devices with an id beyond it */
    size_t limit;
    /* the answer */
    json_t *rows; /* an array (new reference), or NULL, then err and why (free it) say what is wrong */
    int err;
    char *why;
    int64_t next; /* cursor of the next page; 0: that was all */
};

/* Whether every filter that was given is one of these texts (ended by NULL); a->err and a->why say what is not. */
bool live_check_filters(struct live_args *a, const char *const *names);
/* The device that filter "device" names, or NULL and the reason in a. */
const struct device *live_filter_device(struct core *c, struct live_args *a);
/* Refuses the query: gives NULL. Takes why. */
json_t *live_refuse(struct live_args *a, int err, char *why);

/* profiles.c: the profiles that hold; what holds for one, with whose word it is; why a device gets its own. */
json_t *profiles_query(struct core *c, struct live_args *a);
json_t *profile_query(struct core *c, struct live_args *a);
json_t *profile_match_query(struct core *c, struct live_args *a);

/* False if there is no live query of this name. */
bool live_query(struct core *c, const char *name, struct live_args *a);

#endif
