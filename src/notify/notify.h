#ifndef PD_NOTIFY_NOTIFY_H
#define PD_NOTIFY_NOTIFY_H

#include "base/worker.h"
#include "conf/conf.h"
#include "model/change.h"
#include "plugin/plugin.h"

/*
 * Writes messages (in each reader's language) into the outbox inside the change
 * that causes them, and sends what is committed: at least once, with the same
 * Message-ID for ever, retried with growing pauses (1 min to 1 h) until the other
 * side takes or refuses it.
 */
struct notify;

struct notify_config {
    struct pd_services services;
    const struct settings *settings;
    const struct knowledge *knowledge;
    struct worker *worker;                           /* for channels' send() */
    const struct pd_channel_ops *const *channel_ops; /* parallel to channels */
    struct pd_channel *const *channels;
    size_t nchannels;
    const char *uuid; /* the installation's, and its epoch: Message-IDs */
    int64_t epoch;
    void (*submit)(void *ctx, struct change *c, bool urgent, void (*done)(void *arg), void *arg);
    void *ctx;
};

struct notify *notify_new(const struct notify_config *config);
void notify_free(struct notify *n);
void notify_load_outbox(struct notify *n, const struct outbox *o);
void notify_set_last_id(struct notify *n, int64_t outbox_id);
void notify_reload(struct notify *n, const struct settings *settings, const struct knowledge *knowledge);

/* What there is to tell of a ticket. */
enum notice { NOTICE_TICKET_OPENED, NOTICE_TICKET_GRAVER, NOTICE_FAULT_CLEARED, NOTICE_FAULT_AGAIN };

/* Adds outbox rows for everybody who is to be told; they are sent after notify_committed(). */
void notify_ticket(struct notify *n, struct change *c, enum notice what, const struct ticket *t, const struct device *d,
                   const struct alert *a);
/* Told once a change with outbox rows is on disk: takes its rows up for sending. */
void notify_committed(struct notify *n, const struct outbox *o);

/* An alert message in words: rule's message with {device}, {component} and points filled in. */
void notify_message(struct sbuf *out, enum lang lang, const struct rule *r, const struct device *d,
                    const struct alert *a);

struct notify_counters {
    size_t pending;
    uint64_t sent, failed, retried;
};
void notify_counters(const struct notify *n, struct notify_counters *out);

#endif
