#ifndef PD_BASE_ZONE_H
#define PD_BASE_ZONE_H

#include <stdint.h>

/*
 * Time zones of the IANA database, several at once and without the process's
 * own TZ: TZif files (RFC 8536), their POSIX rule for what lies after the last
 * transition included.
 */
struct zone;

/*
 * Opens a zone by name ("Asia/Shanghai"; "UTC" needs no file). PD_ENOENT if the database has none of this name,
 * PD_EINVAL for a name that is none, PD_ECORRUPT for a file that makes no sense.
 */
int zone_open(const char *name, struct zone **out);
void zone_free(struct zone *z); /* NULL is fine */

const char *zone_name(const struct zone *z);
/* Seconds east of Greenwich at a time. */
int32_t zone_offset_s(const struct zone *z, int64_t wall_ms);

/*
 * What the local clock shows, as milliseconds since 1970-01-01 00:00 on that
 * clock, and the other way: the first instant at which the local clock shows
 * that time or a later one. So of a time that is there twice (clocks are set
 * back) it is the first, and one that is left out (they are set forward) is the
 * instant at which they are set. Later local times never
 * lie earlier.
 */
int64_t zone_local_ms(const struct zone *z, int64_t wall_ms);
int64_t zone_wall_ms(const struct zone *z, int64_t local_ms);

/* Local time as 2026-09-30 16:15:00; out has at least 20 bytes. */
void zone_format(const struct zone *z, int64_t wall_ms, char out[static 20]);

#endif
