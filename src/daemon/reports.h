#ifndef PD_DAEMON_REPORTS_H
#define PD_DAEMON_REPORTS_H

#include "daemon/internal.h"

/* The monthly reports, asking the archive and watch for what they do not know. */
struct reports *core_reports_new(struct core *c);
/* Where their files lie; free it. */
char *core_reports_folder(const struct core *c);

/* Runs "report.make". 0: answered, or will be; else an error and *why. */
int report_make(struct order *o, const char *of, const char *month, bool mail, char **why);

#endif
