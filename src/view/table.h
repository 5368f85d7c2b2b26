#ifndef PD_VIEW_TABLE_H
#define PD_VIEW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * What faces show, written once and read by people or by programs: code opens a
 * view in the format that was asked for, begins a section, then gives rows cell
 * by cell, in the order of the columns.
 *
 *     struct view *v = view_open(&options);
 *     view_table(v, NULL, NULL, columns, 2);
 *     for (…) {
 *         view_text(v, device->name);
 *         view_int(v, device->pages);
 *         view_row_end(v);
 *     }
 *     rc = view_close(v);
 *
 * Rows are written as they come, never held whole: JSON and CSV row by row; for
 * people the first hundred rows, of which the widths are made, then row by row.
 */
struct view;

enum view_format {
    VIEW_PEOPLE,     /* aligned columns; records as "Title:  value" lines. Device text can do nothing to a terminal */
    VIEW_JSON,       /* an array of objects; where a section has a name or is a record, one object of sections */
    VIEW_JSON_LINES, /* one object a line, for what has no end */
    VIEW_CSV,        /* RFC 4180; texts that a spreadsheet takes for a formula get a leading ' */
};

enum view_type {
    VIEW_TEXT,
    VIEW_INT,
    VIEW_NUM,
    VIEW_BOOL,
    VIEW_CODE, /* a code for programs, its words for people */
    VIEW_TIME, /* UTC milliseconds; programs get them as 2026-09-30T08:15:00.000Z */
};

enum view_align {
    VIEW_ALIGN_AUTO, /* numbers to the right, all else to the left */
    VIEW_ALIGN_LEFT,
    VIEW_ALIGN_RIGHT,
};

enum view_style { VIEW_PLAIN, VIEW_GOOD, VIEW_WARN, VIEW_BAD, VIEW_DIM };

struct view_column {
    const char *name;  /* for programs; never changes once it was released */
    const char *title; /* for people, in their language */
    enum view_type type;
    enum view_align align;
    uint8_t decimals;             /* of VIEW_NUM, for people */
    uint8_t min_width, max_width; /* in terminal columns; what is wider is cut with …; 0: as wide as need be */
};

/* Takes the output: 0, or an error, after which nothing more is written. */
typedef int (*view_write)(void *ctx, const char *p, size_t n);

/* A view_write; ctx is a FILE *. */
int view_write_file(void *ctx, const char *p, size_t n);

struct view_options {
    enum view_format format;
    bool colour; /* for people: the caller knows that it is a terminal that wants it */
    view_write write;
    void *ctx;
    const char *yes, *no; /* for people; NULL: "yes", "no" */
    /* A stamp for people, in their time zone; NULL: as for programs. */
    void (*time)(void *time_ctx, int64_t wall_ms, struct sbuf *out);
    void *time_ctx;
};

struct view *view_open(const struct view_options *options);
/* Ends the last section and frees; 0 or the first error of the output. */
int view_close(struct view *v);

/*
 * Begins a section, ending the one before. A table has any number of rows, a
 * record exactly one. `name` is its place in a JSON object, `title` stands above
 * it for people. Without a name: a table that is all there is, or the record
 * that comes first and tells what the whole is about; title may be NULL for any.
 * All are borrowed until the view is closed.
 */
void view_table(struct view *v, const char *name, const char *title, const struct view_column *columns, size_t n);
void view_record(struct view *v, const char *name, const char *title, const struct view_column *columns, size_t n);

/* The next cell, of its column's type; what it is given is copied. NULL texts are as view_none(). */
void view_text(struct view *v, const char *text);
void view_int(struct view *v, int64_t i);
void view_num(struct view *v, double num); /* what is not finite is as view_none() */
void view_bool(struct view *v, bool b);
void view_code(struct view *v, const char *code, const char *words); /* words NULL: the code */
void view_time(struct view *v, int64_t wall_ms);
void view_none(struct view *v); /* nothing is known: "-", null, or an empty field */
/* How the next cell looks to people. */
void view_style(struct view *v, enum view_style style);
/* Cells that were not given are as view_none(). */
void view_row_end(struct view *v);

/* For people: writes what is held back for the widths, which are settled by that. */
void view_flush(struct view *v);

#endif
