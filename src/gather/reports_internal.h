#ifndef PD_GATHER_REPORTS_INTERNAL_H
#define PD_GATHER_REPORTS_INTERNAL_H

#include "gather/reports.h"

/* What reports.c and making.c share. */

struct waiter {
    int64_t report_id;
    void (*done)(void *arg, int err, const char *json_or_why);
    void *arg;
};

struct reports {
    struct reports_config config;
    ARRAY(struct report *) rows; /* all, by id */
    int64_t last_id;
    struct making *making; /* the one that is being made; NULL */
    struct timer timer;
    ARRAY(struct waiter) waiters;
    ARRAY(char *) wanted; /* files of messages that wait, until the sweep */
    bool stopping;
};

void report_month_text(int64_t first_day, char out[static 16]);
struct event *report_event(struct reports *r, struct change *c, const struct report *row, const char *kind);
void report_submit(struct reports *r, struct change *c);
void reports_look_again(struct reports *r);

/* The end of a making: c holds its mails, and is taken. */
void reports_made(struct reports *r, struct report *row, struct change *c);
void reports_failed(struct reports *r, struct report *row, const char *why);

/* Asks the store what became of a report's mails. */
void mails_ask(struct reports *r, const struct report *row,
               void (*note)(struct reports *r, int64_t id, enum outbox_state state, const char *error));

#endif
