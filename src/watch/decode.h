#ifndef PD_WATCH_DECODE_H
#define PD_WATCH_DECODE_H

#include "model/module.h"
#include "plugin/plugin.h"
#include "base/arena.h"

/* Longest text that is kept of a cell, in bytes. */
enum { DECODE_MAX_TEXT = 1024 };

/*
 * What a cell says, by the type and sentinels of its column. Whatever is not of
 * that type is unknown, and says why; so is an empty text. Texts lie in the arena. A member of
 * an enumeration that has several numbers is always the first of them.
 */
struct value decode_cell(const struct column *column, const struct pd_cell *cell, struct arena *arena);

/* ---- Texts of octets (decode_text.c); what is empty is unknown ---- */

/* Whatever it is written in; at most DECODE_MAX_TEXT bytes of clean UTF-8. */
struct value decode_text(const uint8_t *p, size_t n, struct arena *arena);
/* "00:11:22" */
struct value decode_hex(const uint8_t *p, size_t n, struct arena *arena);
/* Four or sixteen octets, or an address written as text. */
struct value decode_ip(const uint8_t *p, size_t n, struct arena *arena);
/* DateAndTime (RFC 2579), as 2026-09-30T08:15:00 and, where the device says it, the distance from UTC. */
struct value decode_date(const uint8_t *p, size_t n, struct arena *arena);

/* Numbers of an instance or an object identifier as text: "1.3.6". */
const char *decode_dotted(const uint32_t *v, size_t n, struct arena *arena);

/* A whole number as text. */
const char *decode_decimal(int64_t n, struct arena *arena);

#endif
