#ifndef PD_REPORT_WORDS_H
#define PD_REPORT_WORDS_H

#include "report/document.h"

/* How the report writes numbers, dates and times in its language and the site's time zone. All append to out. */

void words_count(struct sbuf *out, int64_t n);                      /* 12,345 */
void words_share(struct sbuf *out, int64_t part, int64_t whole);    /* 99.95%, rounded down; "–" of nothing */
void words_duration(struct sbuf *out, enum lang lang, int64_t ms);  /* 3 h 20 min: the two largest units */
void words_day(struct sbuf *out, int64_t day);                      /* 2026-09-30 */
void words_day_long(struct sbuf *out, enum lang lang, int64_t day); /* 30 September 2026 */
void words_month(struct sbuf *out, enum lang lang, int64_t day);    /* September 2026 */
/* 09-30 16:15, with the year where it is not that of the report's month. */
void words_stamp(struct sbuf *out, const struct document *doc, int64_t wall_ms);

/* The text with id PREFIX.CODE; the code itself if there is none. */
const char *words_code(enum lang lang, const char *prefix, const char *code);

#endif
