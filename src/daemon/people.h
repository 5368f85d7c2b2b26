#ifndef PD_DAEMON_PEOPLE_H
#define PD_DAEMON_PEOPLE_H

#include "base/zone.h"
#include "daemon/core.h"

/*
 * Who is who, asked of the archive for a ticket, a round or a report: where
 * something stands, whose it is, who is to be told, who does the work, and what
 * was promised. Everything is borrowed until the archive or the configuration changes.
 */

/* A site as far as it is known. One that nobody entered in the archive has its name only. */
struct place {
    const char *site; /* NULL: not even the configuration names one */
    const char *customer, *region;
    const struct zone *zone; /* the site's, else the configuration's, else UTC; never NULL */
    bool zoned;              /* the site names it */
};
/* NULL: the configuration's own site, as is that of a device without one. */
void people_place(struct core *c, const char *site, struct place *out);

/* Contacts who get "tickets" or "report" of a place: the site's own, and the customer's that are of no site. In the order in which they were added. */
void people_contacts(struct core *c, const struct place *p, const char *gets,
                     void (*fn)(void *ctx, const struct archive_contact *contact), void *ctx);

/* Staff of a role ("technician", …; NULL: all) who work at a place: named for its site or region, or for none. Likewise. */
void people_staff(struct core *c, const struct place *p, const char *role,
                  void (*fn)(void *ctx, const struct archive_staff *staff), void *ctx);
/* By login or, where there is no such login, by full name; NULL. */
const struct archive_staff *people_staff_named(struct core *c, const char *name);

/* The language that a record names, else the configuration's. */
enum lang people_lang(const struct core *c, const char *language);

/*
 * The contract that covers a device (NULL: the site as such) on a day: one that
 * lists the device goes before one that lists its site, and that before one of
 * all that is the customer's; of equals the first by number. NULL: none.
 */
const struct archive_contract *people_contract(struct core *c, const struct place *p, const char *device, int64_t day);

#endif
