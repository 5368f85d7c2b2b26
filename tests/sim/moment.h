#ifndef PD_SIM_MOMENT_H
#define PD_SIM_MOMENT_H

#include <stdint.h>

#include "base/str.h"
#include "base/zone.h"

/* How a story writes time, and how its outcome is shown. */

/* "1d 2h30m", "45s" -> milliseconds; PD_EINVAL, PD_ERANGE beyond ten years. */
int moment_duration(const char *text, int64_t *out);

/* "2026-03-02 08:00" or "2026-03-02 08:00:30" of a zone -> UTC ms. PD_EINVAL; years 2000 to 2199. */
int moment_local(const char *text, const struct zone *zone, int64_t *out);

/* 90500 -> "1m30.500s". */
void moment_add_span(struct sbuf *out, int64_t ms);

#endif
