#ifndef PD_SIM_LIVE_H
#define PD_SIM_LIVE_H

#include "run.h"
#include "settings.h"

struct live_options {
    const char *knowledge, *patrold; /* a folder, and the program */
    struct site_ports ports;         /* that the devices answer at */
};

/*
 * A story in real time: its devices served as real agents, a real patrold with a
 * database, socket and mail server in a temporary folder. Takes as long as the
 * story. The folder is kept, and named, where anything was wrong. 0, or an error
 * that is told in out; problems are counted in the result.
 */
int live_story(const struct story *story, const struct live_options *options, struct sbuf *out,
               struct run_result *result);

#endif
