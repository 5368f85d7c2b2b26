#ifndef PD_CTL_SHEET_H
#define PD_CTL_SHEET_H

#include "ctl/ctl.h"

/* A view of rows as patrold sends them, on t->out in the format that was asked for. */
struct sheet;

struct sheet *sheet_open(struct ctl *t);
/* Begin a section: name is its place in JSON, title a text id; see view_table() for which may be NULL. */
void sheet_table(struct sheet *s, const char *name, const char *title, const struct ctl_column *columns);
void sheet_record(struct sheet *s, const char *name, const char *title, const struct ctl_column *columns);
/* False once the output takes nothing more. */
bool sheet_row(struct sheet *s, const json_t *row);
/* Writes what is held back for the widths. */
void sheet_flush(struct sheet *s);
/* An exit code, after telling if the output failed. */
int sheet_close(struct sheet *s);

#endif
