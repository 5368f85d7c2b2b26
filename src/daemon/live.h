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
    json_t *rows; /* an array (new reference), or NULL, then why says what is wrong (free it) */
    char *why;
    int64_t next; /* cursor of the next page; 0: that was all */
    int64_t last; /* the last device in the page */
};

/* False if there is no live query of this name. */
bool live_query(struct core *c, const char *name, struct live_args *a);

/* The device a request names, by its id (number or digits) or its name; NULL. Borrowed. */
const struct device *live_device(struct core *c, const json_t *which);

#endif
