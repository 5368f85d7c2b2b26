#ifndef PD_NOTIFY_NOTIFY_H
#define PD_NOTIFY_NOTIFY_H

#include "base/worker.h"
#include "base/zone.h"
#include "conf/conf.h"
#include "model/change.h"
#include "model/ticket_clock.h"
#include "plugin/plugin.h"

/*
 * Writes messages (in each reader's language) into the outbox inside the change
 * that causes them, and sends what is committed: at least once, with the same
 * Message-ID for ever, to each recipient in order, retried with growing pauses
 * (seconds at first, then 1 min doubling to 1 h, for five days) until the other
 * side takes or refuses it.
 */
struct notify;

/* Where messages of one kind go out. */
struct notify_channel {
    const struct pd_channel_ops *ops;
    struct pd_channel *channel; /* NULL: not configured. Its owner may replace it: see notify_uses() */
};

struct notify_config {
    struct pd_services services;
    const struct settings *settings;
    const struct knowledge *knowledge;
    struct worker *worker;                 /* for channels' send() */
    const struct notify_channel *channels; /* the owner's, looked at for each send */
    size_t nchannels;
    const char *folder; /* of the files that go out with messages */
    const char *uuid;   /* the installation's, and its epoch: Message-IDs */
    int64_t epoch;
    void (*submit)(void *ctx, struct change *c, bool urgent, void (*done)(void *arg), void *arg);
    void *ctx;
};

struct notify *notify_new(const struct notify_config *config);
/* Sends under way are left to the worker; what comes of them is not looked at any more. */
void notify_free(struct notify *n);
void notify_load_outbox(struct notify *n, const struct outbox *o);
void notify_set_last_id(struct notify *n, int64_t outbox_id);
void notify_reload(struct notify *n, const struct settings *settings, const struct knowledge *knowledge);

/* What there is to tell of a ticket. */
enum notice {
    NOTICE_TICKET_OPENED,
    NOTICE_TICKET_GRAVER,
    NOTICE_FAULT_CLEARED,
    NOTICE_FAULT_AGAIN,
    NOTICE_PROMISE_WARNED, /* three quarters of its time are over */
    NOTICE_PROMISE_MISSED,
    NOTICE_PROMISE_ESCALATED /* and as much again */
};

/* Texts are borrowed; NULL is what is not known. */
struct notice_about {
    enum notice what;
    const struct ticket *ticket;
    const struct device *device;
    const struct alert *alert;
    const char *location;    /* where the device says it stands */
    const char *site;        /* where the device names none */
    const struct zone *zone; /* the site's; NULL: the configuration's */
    /* How its promises stand: first those that a warning is about. */
    const struct ticket_promise *promises;
    size_t npromises, nabout;
};

/* Somebody who is told beside, or in place of, the recipients of the configuration. */
struct notice_reader {
    const char *address;
    enum lang lang;
};

/*
 * Adds outbox rows for everybody who is to be told, each address once; they are sent after notify_committed().
 * configured: the configuration's recipients are told too, as far as they want to hear of such a ticket.
 */
void notify_ticket(struct notify *n, struct change *c, const struct notice_about *about,
                   const struct notice_reader *readers, size_t nreaders, bool configured);
/* What there is to tell of a round of the patrol. */
enum round_notice { NOTICE_ROUND_DUE, NOTICE_ROUND_UNFINISHED, NOTICE_ROUND_OVERDUE };
struct round_about {
    enum round_notice what;
    const struct round *round;
    int visits, visits_done;
    const struct zone *zone; /* of the site */
};
/* Adds an outbox row for each reader. */
void notify_round(struct notify *n, struct change *c, const struct round_about *about,
                  const struct notice_reader *readers, size_t nreaders);
/* Likewise, that the database could not be written from one time to another: told to everybody, when it is over. */
void notify_store_trouble(struct notify *n, struct change *c, int64_t from_ms, int64_t to_ms, const char *why);
/* A mail of another room's words, with files (outbox_part_add(); NULL: none). Its id, 0 where no mail can be sent. */
int64_t notify_mail(struct notify *n, struct change *c, const char *recipient, const char *subject, const char *body,
                    const char *attachments);
/* That a report could not be made for long: told to everybody. */
void notify_report_trouble(struct notify *n, struct change *c, const struct report *row);
/* Told once a change with outbox rows is on disk: takes its rows up for sending. */
void notify_committed(struct notify *n, const struct outbox *o);

/*
 * Forgets a message that waits: it is not sent any more, whoever does this writes down what becomes of it.
 * PD_ENOENT if it does not wait here, PD_EBUSY if it is just being sent.
 */
int notify_forget(struct notify *n, int64_t outbox_id);

/* Nothing new is sent while paused: a result that cannot be written down would be sent again after a restart. */
void notify_pause(struct notify *n, bool paused);
/* Whether a send through the channel is under way: it must not be stopped yet. */
bool notify_uses(const struct notify *n, const struct pd_channel *channel);
/* For worker_stop(): frees a job that was never begun. */
void notify_drop_job(struct job *j);

/* An alert message in words: rule's message with {device}, {component} and points filled in. r NULL: its name. */
void notify_message(struct sbuf *out, enum lang lang, const struct rule *r, const struct device *d,
                    const struct alert *a);

struct notify_counters {
    size_t pending;
    uint64_t sent, failed, retried;
};
void notify_counters(const struct notify *n, struct notify_counters *out);

#endif
