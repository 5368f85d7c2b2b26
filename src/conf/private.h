#ifndef PD_CONF_PRIVATE_H
#define PD_CONF_PRIVATE_H

#include "base/array.h"
#include "conf/report.h"

/* What in a recording of a device tells whose it is, as data (private.yaml). */

enum private_holds { PRIVATE_NOTHING, PRIVATE_TEXT, PRIVATE_MAC };
enum private_instance { PRIVATE_PLAIN, PRIVATE_IN_MAC, PRIVATE_IN_IP, PRIVATE_IN_INET };

struct private_object {
    char *object;     /* "1.3.6.1.2.1.1.5": it and all below it */
    uint8_t holds;    /* enum private_holds */
    uint8_t instance; /* enum private_instance */
};

struct private_data {
    ARRAY(char *) walk; /* where a recording begins, in order */
    ARRAY(struct private_object) objects;
};

/* private.yaml of all folders together. 0, or PD_EINVAL and complaints. */
int private_load(const char *const *dirs, size_t n, struct private_data *out, struct conf_report *report);
void private_free(struct private_data *p);

#endif
