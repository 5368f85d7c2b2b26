#ifndef PD_BASE_STR_H
#define PD_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text that grows; always NUL-terminated once anything was added. `struct sbuf b = {0};` is empty. */
struct sbuf {
    char *s; /* NULL while nothing was ever added */
    size_t n, cap;
};

void sbuf_add(struct sbuf *b, const char *s);
void sbuf_addn(struct sbuf *b, const void *p, size_t n);
void sbuf_addc(struct sbuf *b, char c);
void sbuf_addf(struct sbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sbuf_vaddf(struct sbuf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
/* Appends s as a JSON string, quotes included; invalid UTF-8 becomes U+FFFD. NULL adds null. */
void sbuf_add_json(struct sbuf *b, const char *s);
/* Appends s for a terminal or a log line: control characters, DEL, C1 and bidi overrides as \xHH or \uHHHH. */
void sbuf_add_visible(struct sbuf *b, const char *s);
/* Hands the text over (never NULL; free() it) and empties the buffer. */
char *sbuf_take(struct sbuf *b);
/* Empties, keeps the storage. */
void sbuf_reset(struct sbuf *b);
void sbuf_free(struct sbuf *b);

/*
 * Text from a device made safe to keep: at most max bytes of valid UTF-8, cut at
 * a character, invalid sequences as U+FFFD, NULs and control characters as one
 * space, no space at either end. free() the result.
 */
char *str_clean(const void *p, size_t n, size_t max);

/* True for valid UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool str_utf8_valid(const void *p, size_t n);

/* Columns the text takes on a terminal: wide East Asian characters take two. */
size_t str_width(const char *utf8);

/* Takes out each single space between two wide characters: what folding a Chinese text over lines leaves behind. */
void str_unfold_wide(char *utf8);

/* The member of list (ended by NULL) most like s, or NULL if none is near: for "did you mean". */
const char *str_nearest(const char *s, const char *const *list);

bool str_starts(const char *s, const char *prefix);
bool str_eq(const char *a, const char *b); /* NULL equals only NULL */

/* Whole-text number parsing: 0, PD_EINVAL or PD_ERANGE; *out only on success. */
int str_to_i64(const char *s, int64_t *out);
int str_to_double(const char *s, double *out); /* C locale always; no inf or nan */

/*
 * The number that a text begins with, spaces before it aside: "23.5 C", "1,5 kW", "-7". *rest: what stands behind it.
 * Points and commas: the last of the two kinds is the decimal one; a single comma before just three digits could be
 * either ("1,500"), and several points no number at all ("1.2.3"): PD_EINVAL. So is a text without one.
 */
int str_leading_number(const char *s, double *out, const char **rest);

/* "90s", "5m", "2h", "1d", "250ms" -> milliseconds; at least 0. PD_EINVAL, PD_ERANGE. */
int str_to_ms(const char *s, int64_t *out);

/* UTC as 2026-09-30T08:15:00.000Z; out has at least 25 bytes. */
void str_utc_ms(int64_t wall_ms, char out[static 25]);

#endif
