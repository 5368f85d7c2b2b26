#ifndef PD_REPORT_MAIL_H
#define PD_REPORT_MAIL_H

#include "report/content.h"

/*
 * The report as a mail's body: HTML for mail programs (tables, styles inline, no scripts, nothing fetched from elsewhere)
 * and the same in plain text. Both hold at most MAIL_ROWS rows of a table, those that need attention first to
 * be taken; the PDF has all.
 */
enum { MAIL_ROWS = 15 };

/* Charts stand in the HTML as <img src="cid:chart-1">, numbered from 1 as mail_chart() counts them. */
void mail_html(const struct content *c, struct sbuf *out);
void mail_text(const struct content *c, struct sbuf *out);

/* The chart of that number, or NULL. */
const struct chart *mail_chart(const struct content *c, size_t number);

/* Marks the rows that the mail shows; `shown` has a place for each. How many are left out. */
size_t mail_rows(const struct table *t, bool *shown);
/* What tells of those left out, to be free()d. */
char *mail_more(const struct content *c, size_t left);
char *mail_foot(const struct content *c); /* likewise */

#endif
