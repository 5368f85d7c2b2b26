#ifndef PD_REPORT_SECTIONS_H
#define PD_REPORT_SECTIONS_H

#include "report/content.h"
#include "report/words.h"

/* Inside: the report's sections, each from its part of the document. */

void section_cover(struct content *c);
void section_summary(struct content *c);
void section_devices(struct content *c);
void section_patrol(struct content *c);
void section_availability(struct content *c);
void section_faults(struct content *c);
void section_tickets(struct content *c);
void section_supplies(struct content *c);
void section_meters(struct content *c);
void section_ahead(struct content *c);
void section_signatures(struct content *c);

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* Columns of texts, of numbers, and one that is only drawn. */
#define COLUMN(title_id, share)                                                                                        \
    {                                                                                                                  \
        .title = (title_id), .width = (share), .align = ALIGN_LEFT                                                     \
    }
#define NUMBERS(title_id, share)                                                                                       \
    {                                                                                                                  \
        .title = (title_id), .width = (share), .align = ALIGN_RIGHT                                                    \
    }
#define DRAWN(title_id, share)                                                                                         \
    {                                                                                                                  \
        .title = (title_id), .width = (share), .drawn = true                                                           \
    }

/* Texts to be handed over as "taken". */
char *say(const struct content *c, const char *id);
char *say_args(const struct content *c, const char *id, const struct text_arg *args, size_t n);
char *say_count(int64_t n);
char *say_maybe(const struct maybe *m); /* a dash where it is unknown */
char *say_share(int64_t part, int64_t whole);
char *say_of(int64_t part, int64_t whole);               /* 38 / 40 */
char *say_duration(const struct content *c, int64_t ms); /* a dash for none */
char *say_stamp(const struct content *c, int64_t wall_ms);
char *say_maybe_stamp(const struct content *c, const struct maybe *m);
char *say_text(const char *s); /* a dash for NULL */

void heading(struct content *c, const char *id); /* numbered */
void subheading(struct content *c, const char *id);
void paragraph(struct content *c, enum tone tone, char *taken);

void cell_text(struct table *t, const char *s);
void cell_count(struct table *t, int64_t n);
/* A count that is told in a tone, unless it is 0: then it is dim. */
void cell_alarm(struct table *t, enum tone tone, int64_t n);
void cell_device(struct table *t, const struct document *doc, int64_t id);
void cell_result(struct content *c, struct table *t, enum doc_result result); /* with its dot */
/* The words for "all" in the first cell of a last row, which it begins. */
void total_row(struct content *c, struct table *t);
/* Fills a row up with empty cells. */
void row_end(struct table *t);

enum tone tone_of_result(enum doc_result result);
enum tone tone_of_severity(int severity);

#endif
