#ifndef PD_MODEL_CHANGE_H
#define PD_MODEL_CHANGE_H

#include "base/dict.h"
#include "model/archive.h"
#include "model/patrol.h"
#include "model/record.h"

/*
 * The unit of work: what a decision yields. Events, state rows and outbox rows
 * that are committed together or not at all. It owns deep copies. Built by the
 * deciding room, applied there in memory, submitted in order, and nothing of it
 * is acknowledged or acted on outside before its commit.
 */

/* Records with a table of their own stand before ROW_META. */
enum row_kind {
    ROW_DEVICE,
    ROW_COMPONENT,
    ROW_ALERT,
    ROW_HOLD,
    ROW_TICKET,
    ROW_OUTBOX,
    ROW_ROUND,
    ROW_VISIT,
    ROW_ITEM,
    ROW_REPORT,
    ROW_STEP, /* of a ticket */
    ROW_META,
    ROW_ARCHIVE,
    ROW_HISTORY
};

/* A state row as it stands from now on (inserted or replaced by its key). */
struct row {
    enum row_kind kind;
    union {
        struct device device;
        struct component component;
        struct alert alert;
        struct hold_record hold;
        struct ticket ticket;
        struct outbox outbox;
        struct round round;
        struct visit visit;
        struct visit_item item;
        struct report report;
        struct step_record step;
        struct {
            char *name, *value; /* value NULL: forget */
        } meta;
        struct {
            enum archive_kind kind;
            struct entry *entry;
        } archive;
        struct {
            int64_t device_id;
            void *data; /* watch's own: what it remembers for judging */
            size_t n;
        } history;
    };
};

struct change {
    ARRAY(struct event) events;
    ARRAY(struct row) rows;
    struct dict *places; /* of rows, by their keys; change.c's own */
};

struct change *change_new(void);
void change_free(struct change *c); /* NULL is fine */
bool change_empty(const struct change *c);

/* Appends an event; the returned pointer (borrowed until the next one) takes ids and arguments. */
struct event *change_event(struct change *c, int64_t at_ms, const char *kind);
/* Adds "name": value to an event's arguments. */
void event_arg(struct event *e, const char *name, const char *text);
void event_arg_int(struct event *e, const char *name, int64_t n);

/* Each puts a copy of the record; a row of the same key put before in this change is replaced in place. */
void change_put_device(struct change *c, const struct device *d);
void change_put_component(struct change *c, const struct component *k);
void change_put_alert(struct change *c, const struct alert *a);
void change_put_hold(struct change *c, const struct hold_record *h);
void change_put_ticket(struct change *c, const struct ticket *t);
void change_put_step(struct change *c, const struct step_record *s);
void change_put_outbox(struct change *c, const struct outbox *o);
void change_put_round(struct change *c, const struct round *r);
void change_put_visit(struct change *c, const struct visit *v);
void change_put_item(struct change *c, const struct visit_item *i);
void change_put_report(struct change *c, const struct report *r);
void change_put_entry(struct change *c, enum archive_kind kind, const struct entry *e);
void change_put_history(struct change *c, int64_t device_id, const void *data, size_t n);
void change_put_meta(struct change *c, const char *name, const char *value);

#endif
