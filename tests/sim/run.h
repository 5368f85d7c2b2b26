#ifndef PD_SIM_RUN_H
#define PD_SIM_RUN_H

#include "judge.h"

/*
 * A story in virtual time: the real core, modules and store on a disk in memory,
 * the scripted collector and a scripted mail channel. The same story gives the
 * same bytes.
 */
struct run_options {
    const char *knowledge;   /* folder with kinds.yaml, modules/, profiles/, rules/ */
    const char *export_path; /* leave the database there; NULL: do not */
    const char *report_path; /* leave the document of each monthly report in this folder; NULL: none is made */
    unsigned power_fails;    /* times that the power fails, at sync points across the run */
    bool all;                /* list what was found in time as well */
    bool log;                /* patrold's log to standard error */
};

struct run_result {
    struct tally tally;
    unsigned problems; /* disagreements with the database, told in the output */
    uint64_t polls, cells, readings, events, tickets, mails, syncs, power_fails;
};

/* Appends the story's table to out. 0, or an error that is told there. */
int run_story(const struct story *story, const struct run_options *options, struct sbuf *out,
              struct run_result *result);

#endif
