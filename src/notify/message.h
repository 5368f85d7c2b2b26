#ifndef PD_NOTIFY_MESSAGE_H
#define PD_NOTIFY_MESSAGE_H

#include "base/zone.h"
#include "notify/notify.h"

/* The words of mails: pure functions of what is to be told and the reader's language. */

struct message_about {
    struct notice_about notice;
    const struct rule *rule; /* NULL: it has none, or that is gone from the configuration */
    int64_t now_ms;
};

void message_subject(struct sbuf *out, enum lang lang, const struct message_about *m);
void message_body(struct sbuf *out, enum lang lang, const struct message_about *m);

/* A round of the patrol that is due, or not done. */
void message_round_subject(struct sbuf *out, enum lang lang, const struct round_about *m);
void message_round_body(struct sbuf *out, enum lang lang, const struct round_about *m);

/* That the database could not be written for a time. */
void message_store_subject(struct sbuf *out, enum lang lang);
void message_store_body(struct sbuf *out, enum lang lang, const struct zone *zone, int64_t from_ms, int64_t to_ms,
                        const char *why);

#endif
