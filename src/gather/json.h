#ifndef PD_GATHER_JSON_H
#define PD_GATHER_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/*
 * JSON as it is written: members one after another, commas set where they are
 * wanted. A name of NULL is for what stands in a list. A text that is NULL or empty is null.
 */
void json_open(struct sbuf *b, const char *name, char bracket);
void json_close(struct sbuf *b, char bracket);
void json_put_text(struct sbuf *b, const char *name, const char *text);
/* Likewise, and frees the text. */
void json_put_taken(struct sbuf *b, const char *name, char *text);
void json_put_int(struct sbuf *b, const char *name, int64_t n);
/* null where it is not known. */
void json_put_maybe(struct sbuf *b, const char *name, bool known, int64_t n);
void json_put_bool(struct sbuf *b, const char *name, bool v);
/* "2026-09-30"; 0 is null. */
void json_put_day(struct sbuf *b, const char *name, int64_t day);

#endif
