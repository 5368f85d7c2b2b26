#ifndef PD_CONF_REPORT_H
#define PD_CONF_REPORT_H

#include "conf/conf.h"
#include "conf/yaml.h"

/*
 * How complaints look, for every loader:
 *
 *     FILE:LINE:COL: error: unknown key 'hots' (did you mean 'host'?)
 *         hots: 10.0.0.1
 *         ^~~~
 *
 * All errors are counted; only the first REPORT_MAX are written out.
 */
enum { REPORT_MAX = 100 };

/* Complains about a node and marks it as complained about. */
void conf_error(struct conf_report *r, struct yaml_node *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Complains about len bytes of a text's content, from byte offset on. */
void conf_error_within(struct conf_report *r, const struct yaml_node *text, size_t offset, size_t len, const char *fmt,
                       ...) __attribute__((format(printf, 5, 6)));

/* Complains about a place, underlining `width` characters. */
void conf_error_at(struct conf_report *r, const struct yaml_file *f, int line, int col, int width, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/* Complains about a place that is known by name only: its file is read again for the line. */
void conf_error_where(struct conf_report *r, const struct where *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Complains about a whole file. */
void conf_error_file(struct conf_report *r, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * " (did you mean 'host'?)" for a word that is near one of the list, else what there is: " (known here: a, b)".
 * Nothing where the list is empty, or NULL.
 */
void conf_suggest(struct sbuf *out, const char *word, const char *const *list);

#endif
