#ifndef PD_DAEMON_CORE_H
#define PD_DAEMON_CORE_H

#include "archive/archive.h"
#include "conf/conf.h"
#include "desk/desk.h"
#include "gather/reports.h"
#include "notify/notify.h"
#include "patrol/patrol.h"
#include "plugin/plugin.h"
#include "store/store.h"
#include "watch/watch.h"

/*
 * patrold without a process around it: watch, desk, notify and store wired
 * together over whatever clock, chance, disk, collectors and channels it is
 * given. main.c runs it on libevent and threads; the simulator in virtual time.
 */
struct core;
struct hist_window;

struct core_config {
    struct pd_services services;
    struct settings *settings;   /* taken */
    struct knowledge *knowledge; /* taken */
    const char *database, *vfs;  /* database NULL: settings' */
    struct worker *store_writer, *store_reader, *channel_worker;
    int64_t flush_ms; /* see store_config */
    const struct pd_collector_ops *const *collector_ops;
    const void *const *collector_configs; /* wanted until core_start() has returned */
    size_t ncollectors;
    /*
     * Channels. One named "mail" without a configuration of its own here gets the
     * settings' (a struct pd_mail_config), and is not started while they name no server.
     */
    const struct pd_channel_ops *const *channel_ops;
    const void *const *channel_configs; /* NULL: none has one */
    size_t nchannels;
    const struct renderer *renderer; /* of monthly reports; copied; NULL: none are made */
    /* Sees every committed change's events, in order, in the loop; may be NULL. Events carry their numbers. */
    void (*committed)(void *ctx, const struct event *events, size_t n);
    void *ctx;
    const struct hist_window *loop_latency, *loop_turns; /* see plugin/loop.h; NULL: there is no loop */
};

/* Opens the store, loads, starts collectors and polling. *why (free it) says what failed. */
int core_start(const struct core_config *config, struct core **out, char **why);
/*
 * Commits what was decided and closes. Sends under way get a moment to end (with a channel worker that
 * has threads; it must still run). Commands not answered yet are answered: cancelled. NULL is fine.
 */
void core_stop(struct core *c);
/*
 * Takes new settings and knowledge (NULL: it is as it was, so nothing that hangs on it begins anew). Where the
 * database and the socket are, the ticket prefix and the threads stay as they were until the next start.
 */
void core_reload(struct core *c, struct settings *settings, struct knowledge *knowledge);

struct watch *core_watch(struct core *c);
struct desk *core_desk(struct core *c);
struct archive *core_archive(struct core *c);
struct patrol *core_patrol(struct core *c);
struct notify *core_notify(struct core *c);
struct store *core_store(struct core *c);
const struct settings *core_settings(const struct core *c);
const struct knowledge *core_knowledge(const struct core *c);

/*
 * A command by name ("device.add", "alert.ack", "ticket.accept", …) with its
 * arguments as a JSON object (NULL: none), for the control socket and for tests;
 * control.h lists them. done is called once, in the loop, maybe before this
 * returns: with err 0 and a JSON object after the commit, or with an error and a
 * reason in words. Refused (PD_ENOSPC, PD_EIO, …) before anything is computed
 * while the database cannot be written; CORE_QUEUED for what was decided just
 * before that was known: it will be written once that is possible.
 */
enum { CORE_QUEUED = -100 };
void core_command(struct core *c, const char *name, const char *args, const char *actor,
                  void (*done)(void *arg, int err, const char *json_or_why), void *arg);

#endif
