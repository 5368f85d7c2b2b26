#ifndef PD_CONF_SECRET_H
#define PD_CONF_SECRET_H

#include "conf/report.h"
#include "conf/yaml.h"

/* Secrets of the settings: inline, or in a file of their own. */

/* A path as written, beside the file that names it unless it is absolute; the caller frees it. */
char *conf_path_beside(const struct yaml_node *node);

/* The secret that stands inline or in a file of its own; NULL where neither is given, or after a complaint. */
char *conf_take_secret(struct yaml_node *inlined, struct yaml_node *file, struct conf_report *report);

#endif
