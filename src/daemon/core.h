#ifndef PD_DAEMON_CORE_H
#define PD_DAEMON_CORE_H

#include "conf/conf.h"
#include "desk/desk.h"
#include "notify/notify.h"
#include "plugin/plugin.h"
#include "store/store.h"
#include "watch/watch.h"

/*
 * patrold without a process around it: watch, desk, notify and store wired
 * together over whatever clock, chance, disk, collectors and channels it is
 * given. main.c runs it on libevent and threads; the simulator in virtual time.
 */
struct core;

struct core_config {
    struct pd_services services;
    struct settings *settings;   /* taken */
    struct knowledge *knowledge; /* taken */
    const char *database, *vfs;  /* database NULL: settings' */
    struct worker *store_writer, *store_reader, *channel_worker;
    int64_t flush_ms; /* see store_config */
    const struct pd_collector_ops *const *collector_ops;
    const void *const *collector_configs;
    size_t ncollectors;
    const struct pd_channel_ops *const *channel_ops;
    const void *const *channel_configs;
    size_t nchannels;
    /* Sees every committed change's events, in order, in the loop; may be NULL. Events carry their numbers. */
    void (*committed)(void *ctx, const struct event *events, size_t n);
    void *ctx;
};

/* Opens the store, loads, starts collectors and polling. *why (free it) says what failed. */
int core_start(const struct core_config *config, struct core **out, char **why);
/* Stops polling, commits, closes. */
void core_stop(struct core *c);
/* Takes new settings and knowledge. */
void core_reload(struct core *c, struct settings *settings, struct knowledge *knowledge);

struct watch *core_watch(struct core *c);
struct desk *core_desk(struct core *c);
struct notify *core_notify(struct core *c);
struct store *core_store(struct core *c);
const struct settings *core_settings(const struct core *c);
const struct knowledge *core_knowledge(const struct core *c);

/*
 * A command by name ("device.add", "alert.ack", "ticket.accept", …) with its
 * arguments as a JSON object, for the control socket and for tests. done is
 * called once, in the loop: with err 0 and a JSON object after the commit, or at
 * once with an error and a reason in words. Refused (PD_ENOSPC, PD_EIO) before
 * anything is computed while the store is stuck.
 */
void core_command(struct core *c, const char *name, const char *args, const char *actor,
                  void (*done)(void *arg, int err, const char *json_or_why), void *arg);

/*
 * A query by name: what is answered from memory ("status", "live",
 * "device.show", "facts") at once, everything else by store_query().
 */
void core_query(struct core *c, const struct query_args *args, void (*done)(void *arg, const struct query_page *page),
                void *arg);

#endif
