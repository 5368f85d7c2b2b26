#ifndef PD_DAEMON_INTERNAL_H
#define PD_DAEMON_INTERNAL_H

#include <jansson.h>

#include "archive/archive.h"
#include "base/array.h"
#include "daemon/core.h"
#include "daemon/lateness.h"

/* What the files of the core share. Everything runs in the loop. */

/* The database cannot be written: raised in memory, written down when it is over. */
struct trouble {
    bool on;
    int err;
    int64_t since_ms; /* monotonic */
    char *why;
};

/* A command that is not answered yet. */
struct order {
    struct core *core;
    void (*done)(void *arg, int err, const char *json_or_why);
    void *arg;
    char *actor;
    char *answer; /* JSON, once it is known: given when the change is on disk */
    bool decided; /* its change is submitted */
};

/* A channel that was replaced while a send used it. */
struct old_channel {
    const struct pd_channel_ops *ops;
    struct pd_channel *channel;
};

struct core {
    struct core_config config;
    struct settings *settings;
    struct knowledge *knowledge;
    struct store *store;
    struct watch *watch;
    struct desk *desk;
    struct archive *archive;
    struct patrol *patrol;
    struct notify *notify;
    struct reports *reports;
    char *reports_folder;
    struct pd_collector **collectors;
    struct notify_channel *channels;
    ARRAY(struct old_channel) old_channels;
    ARRAY(struct order *) orders;
    ARRAY(struct probe *) probes; /* reads of device.read that are under way: probe.c's own */
    struct trouble trouble;
    struct lateness lateness;
    struct dict *zones;     /* name -> opened time zone: people.c's own */
    struct dict *contracts; /* made of the archive's: contracts.c's own */
    bool stopping;
    /* the fault that is just being told to desk, for notify */
    const struct device *fault_device;
    const struct alert *fault_alert;
};

/* ---- core.c ---- */

/* Takes the change; done as store_submit(). Dropped when the store is closed already. */
void core_submit(struct core *c, struct change *change, bool urgent, void (*done)(void *arg), void *arg);
/* The text of a point of the device itself ("location"), or NULL. Copied. */
char *core_device_text(struct core *c, int64_t device_id, const char *point);

/* ---- load.c ---- */

/* Fills the rooms, which were just made, from the database. 0, or an error and *why (free it). */
int core_load(struct core *c, char **why);

/* ---- people.c ---- */

void people_free(struct core *c);

/* ---- contracts.c ---- */

/* What was promised for a ticket, NULL: nothing. Borrowed until the archive or the configuration changes. */
const struct contract *core_contract_of(struct core *c, const struct ticket *t);
/* The archive or the configuration changed. */
void contracts_forget(struct core *c);
/* Says in words which contracts can't be kept as they stand. */
void contracts_doubts(struct core *c, void (*say)(void *ctx, const char *text), void *ctx);

/* ---- tell.c ---- */

void tell_ticket_moved(struct core *c, struct change *change, const struct ticket *t, enum ticket_move move);
void tell_ticket_warned(struct core *c, struct change *change, const struct ticket *t, const struct desk_warning *w);

/* ---- trouble.c ---- */

/* store_config.trouble */
void trouble_report(void *ctx, int err, const char *text);
/* 0, or while the database cannot be written the error and *why (free it) that refuse a command. */
int trouble_refuses(const struct core *c, char **why);

/* ---- chronicle.c ---- */

/* Logs what a change that is on disk says of faults and tickets. */
void chronicle_write(const struct core *c, const struct change *change);

/* ---- command.c ---- */

/* Code of how a read ended ("done", "no-answer", …); static storage. */
const char *read_status_name(enum pd_read_status s);
/* Answers and forgets: err 0 with a JSON object, or an error with a reason. */
void order_end(struct order *o, int err, const char *json_or_why);
/* Submits what a command decided; it is answered with the JSON object (taken) once it is on disk. 0. */
int order_submit(struct order *o, struct change *change, char *answer);
/* Does a verb to a ticket that desk knows. 0: answered after the commit; else an error and *why (NULL: none). */
int order_ticket_verb(struct order *o, enum ticket_verb verb, int64_t id, const char *assignee, const char *note,
                      char **why);
/* store_config.lost: arg is a command's order, or NULL. */
void order_lost(void *ctx, void *arg);
/* Answers every open order whose change is not on disk yet: err and a reason. */
void orders_answer_decided(struct core *c, int err, const char *why);
/* Answers and forgets those that are still open. */
void orders_free(struct core *c);

/* The device that a reference (name, or id in digits) means; NULL and *why with what was maybe meant. */
const struct device *core_find_device(struct core *c, const char *ref, char **why);

/* ---- outbox.c ---- */

/* Sends a message again (retry), or never: answers the order by itself. */
void outbox_change(struct order *o, int64_t id, bool retry);

/* ---- archive.c ---- */

/* The archive, asking watch and the knowledge for what it does not keep itself. */
struct archive *core_archive_new(struct core *c);
/*
 * Runs "customer.add" and the like (daemon/control.h); false if there is no such
 * command. *rc 0: answered, or will be; else an error and *why.
 */
bool archive_command(struct order *o, const char *name, json_t *args, int *rc, char **why);
/* Calls fn for each of them. */
void archive_commands(void (*fn)(void *ctx, const char *noun, const char *verb), void *ctx);

/* ---- fetch.c ---- */

struct fetched_steps { /* an ARRAY */
    struct ticket_step *v;
    size_t n, cap;
};
/* What there is of a ticket in the database; borrowed. err < 0: why says it in words. */
struct fetched_ticket {
    int err;
    const char *why;
    const struct ticket *ticket;
    const struct ticket_step *steps;
    size_t nsteps;
};
/* By number, or id in digits. */
void ticket_fetch(struct core *c, const char *ref, void (*done)(void *arg, const struct fetched_ticket *f), void *arg);

/* ---- patrol.c ---- */

/* The patrol, asking watch, desk and the archive for what it does not keep itself. */
struct patrol *core_patrol_new(struct core *c);

/* ---- probe.c ---- */

/* The command device.read; false where it is another. */
bool probe_command(struct order *o, const char *name, json_t *args, int *rc, char **why);
/* Ends those under way; they are answered. */
void probes_stop(struct core *c);

/* ---- patrol_command.c ---- */

/* As archive_command() and archive_commands(): "patrol.fill" and the like. */
bool patrol_command(struct order *o, const char *name, json_t *args, int *rc, char **why);
void patrol_commands(void (*fn)(void *ctx, const char *noun, const char *verb), void *ctx);
/* A row for each plan: the query "plans". */
json_t *patrol_plan_rows(const struct core *c);

/* ---- open.c ---- */

/* What a person reports: codes and names as they were said, NULL where they were not. */
struct ticket_report {
    const char *title, *kind, *device, *site, *severity, *category, *note;
};
/* 0: answered after the commit; else an error and *why. */
int ticket_open(struct order *o, const struct ticket_report *r, char **why);

/* ---- reopen.c ---- */

/* Reopens a ticket that desk does not know any more: answers the order by itself. */
void ticket_reopen(struct order *o, const char *ref, const char *note);

#endif
