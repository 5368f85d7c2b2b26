#ifndef PD_WATCH_WATCH_H
#define PD_WATCH_WATCH_H

#include "conf/conf.h"
#include "model/change.h"
#include "model/knowledge.h"
#include "plugin/plugin.h"

/*
 * The devices and what is known of them: when each is due, what its cells mean,
 * what the rules say. Decides alerts; hands what it decides to its owner.
 *
 * Its events, all but the last with the knowledge's hash as "conf": device.added,
 * .changed, .removed, .identified, .refused, .broken (trouble other than silence: once a
 * day); component.gone (not found by complete reads for a day: its faults close);
 * alert.opened, .changed, .closed (reason: cleared, rule-gone, component-gone,
 * device-removed, device-merged, in-repair), .told, .acked; device.restarted (by: engine_boots,
 * uptime); device.trap (trap.c); clock.stepped; who a device is (who.c): device.moved, .swapped, .confirmed, .conflict, .conflict-over,
 * .merged, .split; counter.epoch (total.c).
 *
 * A fault of family "reach" that opens while a device is down by which this one
 * is reached is suppressed: it has its alert, with that flag and with suppressed_by
 * in its event, but the ops are not told of it, so no ticket and no mail come of
 * it. When nothing above is down any more and it lasts as long as its rule wants,
 * it is told (alert.told) as if it had just opened. A device whose status is
 * in-repair has no fault of that family.
 *
 * While a device does not answer only rules that read device.reachable are judged. A rule that
 * is part of other families is not judged while a fault of one of them is open
 * on the device, and from the beginning when that ends; a fault that was open
 * before goes on.
 */
struct watch;
struct hist_window;

/* What befell a fault, told inside the change that records it. */
enum fault_move {
    FAULT_OPENED, /* a rule fired where no fault was open */
    FAULT_GRAVER, /* another degree: a->rule and a->severity are the new ones */
    FAULT_MILDER,
    FAULT_CLOSED, /* cleared, or its rule, component or device is gone: the event says which */
    FAULT_ACKED,
};

/* Wired by the composition root; all called in the loop. */
struct watch_ops {
    /* Lets desk and notify add to the change; not of a suppressed one. The alert is watch's; desk may set its ticket_id. */
    void (*fault)(void *ctx, struct change *c, const struct device *d, struct alert *a, enum fault_move move);
    /* Takes the change; done when it is committed. */
    void (*submit)(void *ctx, struct change *c, bool urgent, void (*done)(void *arg), void *arg);
    /* A device's poll to be stored; due_ms: when it was due, on the monotonic clock, or -1: there was no answer. */
    void (*readings)(void *ctx, const struct poll *p, int64_t due_ms);
    /* True while the store is too far behind for judging to go on. */
    bool (*backlog)(void *ctx);
    void *ctx;
    /* Two records turned out to be one device: what is open of `gone` goes to `keep`, in the same change. May be NULL. */
    void (*merged)(void *ctx, struct change *c, const struct device *keep, const struct device *gone);
    /* What became of gone by a mistake is again's; NULL is fine. */
    void (*split)(void *ctx, struct change *c, const struct device *again, const struct device *gone);
};

struct watch_config {
    struct pd_services services;
    const struct settings *settings; /* outlives the watch or the next watch_reload() */
    const struct knowledge *knowledge;
    struct pd_collector *const *collectors; /* parallel to collector_ops */
    const struct pd_collector_ops *const *collector_ops;
    size_t ncollectors;
    struct watch_ops ops;
};

struct watch *watch_new(const struct watch_config *config);
/* Cancels every read. */
void watch_free(struct watch *w);

/* From the store, before watch_start(): devices first, then components, each device's by rising number. */
void watch_load_device(struct watch *w, const struct device *d);
void watch_load_component(struct watch *w, const struct component *k);
void watch_load_alert(struct watch *w, const struct alert *a);
void watch_load_hold(struct watch *w, const struct hold_record *h);
void watch_load_poll(struct watch *w, int64_t device_id, int64_t at_ms, const struct reading *r, size_t n);
/* What was put for the device with change_put_history(): before the polls that follow. */
void watch_load_history(struct watch *w, int64_t device_id, const void *data, size_t n);
/* Polls of the last hours, of each device in order of time: what the history does not have yet. */
void watch_load_tail(struct watch *w, int64_t device_id, int64_t at_ms, const struct reading *r, size_t n);
/* By what an inform is known that was told then, the `inform` of its event. */
void watch_load_inform(struct watch *w, const char *id, int64_t at_ms);
void watch_set_last_ids(struct watch *w, int64_t device_id, int64_t alert_id);
/* Begins to poll, each device at its own jitter. Alerts whose rule is gone are closed ("rule gone"). */
void watch_start(struct watch *w);

/*
 * New settings and knowledge (same collectors); reads under way are cancelled and begun anew, unless the knowledge and
 * the intervals are the same as before. The old may be freed then.
 */
void watch_reload(struct watch *w, const struct settings *settings, const struct knowledge *knowledge);

/* ---- Commands: each builds, applies and gives the change that the caller submits ---- */

/*
 * Adds a device; name and address are wanted, id and stamps are set here. A
 * credential, collector or profile that does not exist, a bad address, a name
 * or an address taken, a parent that is not there or is reached by it: PD_EINVAL,
 * PD_EEXIST and *why (free it).
 */
int watch_device_add(struct watch *w, const struct device *d, const char *actor, struct change *c, int64_t *id,
                     char **why);
/*
 * What the operator says of one of many devices: whole, with the id of a known
 * one, or 0 for one that is to be added. What is wrong with it is said in err, why (free it)
 * and field, the archive's name of what is wrong.
 */
struct device_wish {
    struct device device; /* the caller's; gets its id and what was not said */
    const char *what;     /* of a known one: what changes, for the event; NULL: nothing does */
    int err;
    char *why;
    const char *field;
};
/* Adds and changes devices, all or, if one is wrong, none (PD_EINVAL). change NULL: only looks. */
int watch_devices_put(struct watch *w, struct device_wish *wishes, size_t n, const char *actor, struct change *c);
/* A site is called otherwise. */
void watch_site_renamed(struct watch *w, const char *from, const char *to, struct change *c);
/* Retires a device: open faults close, its name is free again. PD_ENOENT; PD_ESTATE and *why (free it) while it is
 * another's parent. */
int watch_device_remove(struct watch *w, int64_t id, const char *actor, struct change *c, char **why);
/*
 * The operator's answer where another machine stands at a device's place: it was swapped, and what was known of the old
 * one's purchase is forgotten; or it is the same, with a new main board. PD_ENOENT; PD_ESTATE and *why where nothing is asked.
 */
int watch_device_confirm(struct watch *w, int64_t id, bool swapped, const char *actor, struct change *c, char **why);
/*
 * Two records are one device: `gone` is removed, its open faults close, what is reached by it is reached by the other.
 * If only `gone` answers, `keep` stands at its place from now on. PD_ENOENT; PD_EINVAL and *why (free it).
 */
int watch_device_merge(struct watch *w, int64_t keep, int64_t gone, const char *actor, struct change *c, char **why);
/*
 * They were two after all: the device that was merged is added again under its name, and the other stands where it
 * stood before. What was read before the merge stays with the removed record. PD_ENOENT; as watch_device_add().
 */
int watch_device_split(struct watch *w, const char *name, const char *actor, struct change *c, int64_t *id, char **why);
/* Makes every part due now. PD_ENOENT. done (may be NULL) when the poll has ended. */
int watch_device_poll(struct watch *w, int64_t id, void (*done)(void *arg, const struct pd_read_result *r), void *arg);
/* FIRING -> ACKED. PD_ENOENT, PD_ESTATE. */
int watch_alert_ack(struct watch *w, int64_t alert_id, const char *actor, struct change *c);
/* An id for an alert that is not about a device and that watch itself knows nothing of. */
int64_t watch_next_alert_id(struct watch *w);

/* ---- What is known now ---- */

/* A device's record by id or by name; NULL. Borrowed until the next command. */
const struct device *watch_device(const struct watch *w, int64_t id);
const struct device *watch_device_named(const struct watch *w, const char *name);

/* How a device is doing. */
struct device_status {
    enum { DEVICE_NEW, DEVICE_UP, DEVICE_DOWN } state;
    int64_t last_poll_ms, last_answer_ms; /* wall clock; 0: never */
    int32_t rtt_ms;
    unsigned open_faults;
    size_t components;   /* known and not gone */
    size_t readings;     /* of the last poll */
    const char *trouble; /* what was wrong with the last read, in words for the log; NULL: nothing. Borrowed */
};
int watch_device_status(const struct watch *w, int64_t id, struct device_status *out);

/*
 * What the device told when it was asked last what it is, by the names of the module identify
 * (knowledge->identification); borrowed until the loop goes on. PD_ENOENT; PD_ESTATE: not asked since the start.
 */
int watch_device_identification(const struct watch *w, int64_t id, const struct value **row, size_t *nrow);

struct reason; /* watch/explain.h */

/* One component with its current points, kind->points.n of them. */
struct component_view {
    const struct kind *kind;
    uint32_t number;
    const char *key, *label;
    const uint32_t *instance; /* where it was found last */
    size_t ninstance;
    const struct module *module; /* NULL for what patrold fills itself */
    const struct value *points;
    const char *const *sources;   /* for each point, the address it was read from (with instance), or NULL */
    const struct reason *reasons; /* for each point, why it is not good */
};
/* Calls fn for each component of a device, in order of kind and number; views are good until another device's are asked. PD_ENOENT. */
int watch_device_components(const struct watch *w, int64_t id, void (*fn)(void *ctx, const struct component_view *v),
                            void *ctx);

/* Likewise in order of number, and without sources and reasons (NULL), which cost more than all the rest. */
int watch_device_points(const struct watch *w, int64_t id, void (*fn)(void *ctx, const struct component_view *v),
                        void *ctx);

/* All devices that are not retired, in order of id. */
void watch_devices(const struct watch *w, void (*fn)(void *ctx, const struct device *d), void *ctx);

/* Those with an id beyond `after`, in order of id, until fn says false. */
void watch_devices_after(const struct watch *w, int64_t after, bool (*fn)(void *ctx, const struct device *d),
                         void *ctx);

/* All open faults, in order of alert id. */
void watch_alerts(const struct watch *w, void (*fn)(void *ctx, const struct alert *a), void *ctx);

struct watch_counters {
    uint64_t polls, failed_polls, cells, readings, evaluations;
    size_t devices, fresh, up, down, open_faults;
    uint64_t traps, traps_told, traps_untold; /* that came in; were events; should have been, but were too many */
};
void watch_counters(const struct watch *w, struct watch_counters *out);
/* How late the reads of the last minute began: from due to the first packet sent, in microseconds. */
const struct hist_window *watch_lateness(const struct watch *w);

#endif
