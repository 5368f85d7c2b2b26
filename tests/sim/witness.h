#ifndef PD_SIM_WITNESS_H
#define PD_SIM_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/dict.h"
#include "story.h"

/*
 * What patrold told, written down as it comes, with the true time of its
 * coming: alerts, tickets, mails. It judges nothing but repetition. An alert that
 * is suppressed counts from when it is told after all.
 */
struct degree_seen {
    char *rule;
    int64_t at_ms;
};

struct alert_seen {
    int64_t id;
    int machine; /* in the story; -1: none of them */
    char *family, *component;
    ARRAY(struct degree_seen) degrees; /* the first is the rule it opened with */
    int64_t opened_ms, closed_ms;      /* INT64_MAX: open */
    bool suppressed;                   /* patrold knows of it and tells nobody: its parent is down */
    unsigned tickets, mails;
    int64_t ticket_id;
    char *ticket; /* its number; NULL: none */
};

struct mail_seen {
    char *id, *to, *subject;
    int64_t at_ms;
    unsigned times; /* delivered since patrold was last killed not knowing of it */
    bool known;     /* patrold has it on disk that it was delivered */
};

struct witness {
    ARRAY(struct alert_seen) alerts; /* in order of opening */
    ARRAY(struct mail_seen) mails;
    ARRAY(char *) repeated;      /* tickets and mails that came twice, in words */
    struct u64dict *by_alert;    /* id -> place in alerts, plus one */
    struct u64dict *open_ticket; /* ticket id -> the alert it is for, plus one */
    struct dict *by_mail;        /* message id -> place in mails, plus one */
    struct dict *by_subject;     /* "to subject" -> how often it came */
    struct u64dict *machine_of;  /* device id -> machine, plus one */
    const struct story *story;
    int64_t last_event;
    uint32_t digest; /* of all events so far */
    uint64_t events, tickets;
    /* Each event once, as it becomes known; NULL: nobody listens. machine: -1: none. */
    void (*heard)(void *ctx, const char *kind, int machine, int64_t ticket_id, const char *args);
    void *ctx;
};

void witness_init(struct witness *w, const struct story *story);
void witness_fini(struct witness *w);

/* An event of patrold's, as committed; args is its JSON object. Numbers seen before are passed over. */
void witness_event(struct witness *w, int64_t number, const char *kind, int64_t device_id, int64_t alert_id,
                   int64_t ticket_id, const char *args, int64_t at_ms);
/* A digest of events, carried on by one more. */
uint32_t witness_digest(uint32_t digest, int64_t number, const char *kind, const char *args);
/* A mail that arrived. */
void witness_mail(struct witness *w, const char *id, const char *to, const char *subject, int64_t at_ms);
/* patrold died: what it had not written down as delivered it may send once more, under the same id. */
void witness_killed(struct witness *w);

#endif
