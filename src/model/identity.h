#ifndef PD_MODEL_IDENTITY_H
#define PD_MODEL_IDENTITY_H

#include <stdbool.h>

/*
 * Who a device is: the best of what it says of itself that no other device says too. As text, so that it can be kept
 * and compared:
 *
 *     serial:MAKE:NUMBER   its maker and serial number, letters and digits only, capitals
 *     mac:001122334455     a hardware address that a maker gave (IEEE 802)
 *     engine:80001f88…     its SNMP engine (RFC 3411, SnmpEngineID), where that cannot change with its address or a restart
 *     place:…              provisional: nothing but where it was met
 */
enum identity_rank { IDENTITY_NONE, IDENTITY_PLACE, IDENTITY_ENGINE, IDENTITY_MAC, IDENTITY_SERIAL };

/* What of it is known; NULL where it is not. mac and engine_id as "00:11:22". */
struct identity_marks {
    const char *make, *serial, *mac, *engine_id;
    const char *place; /* where it stands, as text */
};

/* The best plausible identity; NULL without a place where nothing else is. free() it. */
char *identity_best(const struct identity_marks *m);
/* The one of that rank, or NULL where that is not known or not plausible. free() it. */
char *identity_of_rank(const struct identity_marks *m, enum identity_rank rank);
enum identity_rank identity_rank(const char *identity); /* NULL is fine */

/*
 * False for what is no serial number of anybody's: placeholders ("N/A", "To be filled by O.E.M.", "123456789",
 * repeated signs), and what has fewer than four letters and digits.
 */
bool serial_plausible(const char *serial);
/* False for groups, local addresses, and what many devices have (virtual routers, counting bytes). */
bool mac_plausible(const char *mac);

/* One machine? Of serial numbers the maker is left aside: it is called otherwise by another profile. */
bool identity_same(const char *a, const char *b);

#endif
