#ifndef PD_NOTIFY_MESSAGE_H
#define PD_NOTIFY_MESSAGE_H

#include "base/zone.h"
#include "notify/notify.h"

/* The words of mails: pure functions of what is to be told and the reader's language. */

struct message_about {
    enum notice what;
    const struct ticket *ticket;
    const struct rule *rule;     /* NULL: gone from the configuration */
    const struct device *device; /* NULL: gone */
    const struct alert *alert;   /* NULL: gone */
    const char *location;
    const char *site; /* where the device names none; NULL */
    const struct zone *zone;
    int64_t now_ms;
};

void message_subject(struct sbuf *out, enum lang lang, const struct message_about *m);
void message_body(struct sbuf *out, enum lang lang, const struct message_about *m);

/* That the database could not be written for a time. */
void message_store_subject(struct sbuf *out, enum lang lang);
void message_store_body(struct sbuf *out, enum lang lang, const struct zone *zone, int64_t from_ms, int64_t to_ms,
                        const char *why);

#endif
