#ifndef PD_MODEL_RECORD_H
#define PD_MODEL_RECORD_H

#include "base/array.h"
#include "expr/value.h"
#include "model/rule.h"

/*
 * The records that are kept: plain structs that own their texts, as they stand
 * in the database. 0 is no id; NULL an absent text. All stamps are UTC
 * milliseconds, 0 for none. Each has NAME_copy() (deep; dst is overwritten, not
 * freed) and NAME_fini() (frees the texts and zeroes).
 */

struct device {
    int64_t id;
    char *name; /* unique */
    char *address;
    uint16_t port;      /* 0: the collector's own */
    uint8_t unit;       /* Modbus: which of those at the address; 0: not said */
    char *collector;    /* "snmp" */
    char *credential;   /* a name; secrets live in the configuration */
    char *profile_wish; /* set by the operator: this profile, whatever matches */
    char *site;
    char *labels;           /* "a=b,c" as given; parsed where matched */
    char *parent;           /* the device by which this one is reached, by name */
    char *status;           /* a code of device_statuses (model/archive.h); NULL: in service */
    char *location, *asset; /* where at the site, and the customer's number for it */
    int64_t installed_day, accepted_day, warranty_day; /* day numbers (base/date.h); 0: not said */
    /* what was found out */
    char *profile, *device_class, *make, *model, *serial, *firmware;
    char *mac, *engine_id; /* as it tells them: "00:11:22…" */
    char *identity;        /* model/identity.h: who it is taken for; NULL: nobody looked yet */
    char *claims;          /* who stands at its place now, if that is somebody else: the operator is asked; NULL */
    char *moved_from;      /* its address before, until it is known whether it is the same machine; NULL */
    char *twin;            /* the device, by name, that answers with the same identity at the same time; NULL */
    int64_t merged_into;   /* of a removed one: the device whose it was; 0: none */
    int64_t added_ms, identified_ms;
    bool retired; /* removed by the operator: kept for its history, never polled */
};
void device_copy(struct device *dst, const struct device *src);
void device_fini(struct device *d);

/* A component of a device, numbered within it for ever. */
struct component {
    int64_t device_id;
    uint32_t number;
    char *kind, *key, *label;
    int64_t first_ms;
};
void component_copy(struct component *dst, const struct component *src);
void component_fini(struct component *c);

enum alert_state { ALERT_OK, ALERT_PENDING, ALERT_FIRING, ALERT_ACKED, ALERT_CLEARING };
const char *alert_state_name(enum alert_state s);

/*
 * One fault: family + device + component. Rules of the family are its degrees;
 * `rule` and `severity` are of the gravest that fires.
 */
struct alert {
    int64_t id;
    char *family;
    int64_t device_id;
    char *kind, *key, *label; /* the component's */
    char *rule;
    enum severity severity;
    enum alert_state state; /* FIRING, ACKED or CLEARING while open; OK when closed */
    bool suppressed;        /* part of another fault, or its parent is down: not told */
    int64_t opened_ms, closed_ms, acked_ms;
    char *acked_by;
    int64_t ticket_id;  /* 0: none */
    char *message_args; /* JSON object: values of the points the message names, when it fired */
};
void alert_copy(struct alert *dst, const struct alert *src);
void alert_fini(struct alert *a);

/* A rule's hold that is not OK, so that a restart goes on with it. */
struct hold_record {
    int64_t device_id;
    char *kind, *key, *rule;
    enum hold_state state; /* HOLD_OK: forget the row */
    int64_t since_ms;      /* wall clock */
};
void hold_record_copy(struct hold_record *dst, const struct hold_record *src);
void hold_record_fini(struct hold_record *h);

enum ticket_kind {
    TICKET_KIND_FAULT,
    TICKET_KIND_PREVENTIVE,
    TICKET_KIND_FINDING,
    TICKET_KIND_SUPPLY,
    TICKET_KIND_COMPLAINT,
    TICKET_KIND_REQUEST,
    TICKET_KIND_COUNT
};
const char *ticket_kind_name(enum ticket_kind k);
int ticket_kind_parse(const char *s, enum ticket_kind *out);
/* What a ticket is about by its nature ("hardware", "consumable", …), ended by NULL. */
extern const char *const ticket_categories[];

enum ticket_state {
    TICKET_NEW,
    TICKET_ACCEPTED,
    TICKET_DISPATCHED,
    TICKET_EN_ROUTE,
    TICKET_ON_SITE,
    TICKET_WAITING_PART,
    TICKET_WAITING_CUSTOMER,
    TICKET_WAITING_VENDOR,
    TICKET_REMOTE_FIXED,
    TICKET_FIXED,
    TICKET_SIGNED,
    TICKET_CALLED_BACK,
    TICKET_CLOSED,
    TICKET_CANCELLED,
    TICKET_STATE_COUNT
};
const char *ticket_state_name(enum ticket_state s);
int ticket_state_parse(const char *s, enum ticket_state *out);
static inline bool ticket_state_open(enum ticket_state s)
{
    return s != TICKET_CLOSED && s != TICKET_CANCELLED;
}

struct ticket {
    int64_t id;
    char *number; /* as people say it: the installation's prefix and a running number */
    enum ticket_kind kind;
    enum ticket_state state;
    int64_t device_id, alert_id;
    char *family, *component_kind, *key, *label; /* the fault's */
    char *rule, *category;
    enum severity severity;
    char *title; /* what it is about, in the words of whoever wished for it; NULL: the rule's title says it */
    char *
        origin; /* what it came from, once for ever: "plan NAME 3", "round 7 visit 2 item 5"; NULL: nothing of the kind */
    char *site; /* where, of a ticket without a device; else the device's site counts */
    char *assignee;
    char *note; /* the last word said on it */
    char *told; /* which promises were warned of: told_levels() of model/promise.h; NULL: none */
    int64_t opened_ms, changed_ms, closed_ms;
    int64_t merged_from; /* the device that it was of, until that was merged into this one; 0: none */
};
void ticket_copy(struct ticket *dst, const struct ticket *src);
void ticket_fini(struct ticket *t);

/* One step of a ticket's history: a struct ticket_step of model/promise.h, as it is kept. Numbered from 1. */
struct step_record {
    int64_t ticket_id;
    uint32_t n;
    int64_t at_ms;
    enum ticket_state state;
    bool loaner;
};

/* What staff can do to a ticket: `patrolctl ticket VERB`. */
enum ticket_verb {
    TICKET_ACCEPT,
    TICKET_DISPATCH,
    TICKET_DEPART,
    TICKET_ARRIVE,
    TICKET_WAIT_PART,
    TICKET_WAIT_CUSTOMER,
    TICKET_WAIT_VENDOR,
    TICKET_LOANER,
    TICKET_RESUME,
    TICKET_FIX,
    TICKET_REMOTE_FIX,
    TICKET_SIGN,
    TICKET_CALL_BACK,
    TICKET_CLOSE,
    TICKET_CANCEL,
    TICKET_REOPEN,
    TICKET_VERB_COUNT
};
const char *ticket_verb_name(enum ticket_verb v); /* "wait-part" */
int ticket_verb_parse(const char *s, enum ticket_verb *out);
/* The state that verb leads to from a state; PD_ESTATE if it can't be done there. One table. */
int ticket_next(enum ticket_state from, enum ticket_verb verb, enum ticket_state *to);
/* The verbs possible in a state, for messages: ended by NULL, static storage. */
const char *const *ticket_verbs(enum ticket_state from);

enum outbox_state { OUTBOX_PENDING, OUTBOX_SENT, OUTBOX_FAILED, OUTBOX_HELD, OUTBOX_DROPPED, OUTBOX_STATE_COUNT };
const char *outbox_state_name(enum outbox_state s);

/* What must reach somebody. The message is written when it is decided, so every retry is the same to the byte. */
struct outbox {
    int64_t id;
    char *channel;    /* "mail" */
    char *message_id; /* for ever the same */
    char *sender;     /* as people see it; NULL: the channel's own */
    char *recipient, *subject, *body;
    char *attachments; /* model/record.h, outbox_part_next(); NULL: none */
    int64_t created_ms;
    enum outbox_state state;
    int attempts;
    int64_t next_ms, sent_ms;
    char *last_error;
};
void outbox_copy(struct outbox *dst, const struct outbox *src);
void outbox_fini(struct outbox *o);

/*
 * What goes out with a message: files, one a line as "ROLE FILE NAME". The file's name is one of the folder of
 * reports, so that a database that moves finds them; NAME is how the reader sees it, or the part's own id.
 */
enum outbox_role {
    OUTBOX_TEXT,     /* said instead of the body */
    OUTBOX_HTML,     /* the same for who reads HTML */
    OUTBOX_INLINE,   /* a picture in the HTML: cid:NAME */
    OUTBOX_ATTACHED, /* a file of its own, called NAME */
    OUTBOX_ROLE_COUNT
};
struct outbox_part {
    enum outbox_role role;
    char *file, *name;
};
/* Appends a part to the list (NULL at first; free it at last). */
void outbox_part_add(char **list, enum outbox_role role, const char *file, const char *name);
/* Takes the next part; *at begins at the list (NULL is fine). False at the end, or at what is none. */
bool outbox_part_next(const char **at, struct outbox_part *out);
void outbox_part_fini(struct outbox_part *p);

enum report_state {
    REPORT_PLANNED, /* to be made, now or at next_ms */
    REPORT_MADE,    /* its files are there and its mails decided */
    REPORT_MAILED,  /* all of them are out */
    REPORT_FAILED,  /* a mail was refused for good, or it could not be made; next_ms: the next try, 0: none */
    REPORT_STATE_COUNT
};
const char *report_state_name(enum report_state s);
int report_state_parse(const char *s, enum report_state *out);

/* A monthly inspection report: one for a customer, site and month. */
struct report {
    int64_t id;
    int64_t customer_id, site_id; /* in the archive; 0: the installation as a whole, or what stands at no known site */
    char *customer, *site;        /* as they were called then; the customer may be NULL */
    char *month;                  /* "2026-09" */
    enum report_state state;
    int64_t edition;  /* how often it was begun to be made: its files' names have it */
    int64_t attempts; /* failed ones since the last good one */
    int64_t due_ms, made_ms, mailed_ms, next_ms;
    int64_t as_of_event;
    char *path;  /* of the PDF: a name in the folder of reports; NULL: not made */
    char *mails; /* ids of its outbox rows, parted by commas; NULL: none */
    char *last_error;
    bool mail; /* it goes out, else it is only made */
};
void report_copy(struct report *dst, const struct report *src);
void report_fini(struct report *r);

/* What happened: append-only; the number is given by the store inside the transaction. */
struct event {
    int64_t number; /* 0 until committed */
    int64_t at_ms;  /* wall clock */
    char *kind;     /* code: "alert.opened", "ticket.accepted", "device.added", "clock.stepped", … */
    int64_t device_id, alert_id, ticket_id; /* 0: none */
    char *args;                             /* JSON object of what else is to be said; never NULL */
    char *actor;                            /* who caused it: a user's name, or NULL for patrold itself */
};
void event_copy(struct event *dst, const struct event *src);
void event_fini(struct event *e);

/* One value of one component, as polled. */
struct reading {
    uint32_t component; /* its number within the device */
    uint16_t point;     /* slot in the component's kind */
    struct value value;
};

/* What a reading is against what was told of it last. */
enum past_told {
    PAST_NONE, /* nothing was, or it is not worth a word */
    PAST_SAME, /* it is the same */
    PAST_GOOD, /* it was good and of the same type then, and bits are its value's */
};
struct reading_past {
    uint8_t told; /* enum past_told */
    uint64_t bits;
};

/* Where a device's polls stand that are told by one another; whoever tells them keeps it from poll to poll. */
struct poll_chain {
    uint32_t number; /* another for each chain; 0: the next poll begins one */
    uint32_t period; /* the store's */
    uint32_t polls;  /* so far */
    int64_t at_ms;   /* of the last one */
};

/* What a device told at one time. */
struct poll {
    int64_t device_id, at_ms;
    const struct reading *readings;  /* by rising component and point */
    const struct reading_past *past; /* of each what it was in the chain; NULL: nobody knows */
    size_t n;
    struct poll_chain *chain; /* brought up to date; NULL: it stands by itself */
};

#endif
