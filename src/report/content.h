#ifndef PD_REPORT_CONTENT_H
#define PD_REPORT_CONTENT_H

#include "base/array.h"
#include "report/document.h"

/*
 * The report as a list of blocks: what is said, in words, but not how it looks.
 * It is made once from the document; PDF, HTML and text are three ways to write it.
 */

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM };

/* What is drawn beside or instead of a cell's text, where there is drawing. */
enum picture {
    PICTURE_NONE,
    PICTURE_DOT,  /* in the tone */
    PICTURE_BAR,  /* share of 1, in the tone */
    PICTURE_DAYS, /* a strip of the month's days */
};

struct cell {
    char *text; /* may be NULL */
    enum tone tone;
    enum picture picture;
    double share;
    const struct doc_uptime *uptime; /* of PICTURE_DAYS */
};

enum align { ALIGN_LEFT, ALIGN_RIGHT, ALIGN_CENTRE };

struct column {
    const char *title; /* id of its text */
    double width;      /* of the table, relative to the other columns */
    enum align align;
    bool drawn; /* only where there is drawing */
};

struct row {
    size_t first;  /* its first cell */
    bool total;    /* stands below a line, adds up the rows above */
    bool notable;  /* comes first where there is no room for all rows */
    double height; /* the PDF writer's */
};

struct table {
    const struct column *columns;
    size_t ncolumns;
    ARRAY(struct cell) cells;
    ARRAY(struct row) rows;
    double *widths; /* the PDF writer's, of the columns */
};

/* A bar with its name. */
struct bar {
    char *label, *value; /* value: as shown at its end */
    double size[2];      /* of the first and, on top of it, the second kind */
    enum tone tone;
};

enum chart_type {
    CHART_DAYS, /* an upright bar for each day, of two kinds */
    CHART_BARS, /* lying bars, one below the other */
};

struct chart {
    enum chart_type type;
    char *title, *alt;    /* alt: the chart in words */
    const char *kinds[2]; /* what the two parts of a bar are */
    const char *unit;
    ARRAY(struct bar) bars;
    bool mail_only; /* in the PDF a table shows the same */
};

/* A label with a value below or beside it. */
struct pair {
    char *label, *value;
    enum tone tone;
};

enum block_type {
    BLOCK_TITLE,      /* title: of the report; text: of what; pairs: the cover's */
    BLOCK_GRADE,      /* title: the grade; text: the remark; tone */
    BLOCK_FIGURES,    /* pairs: key figures, the value large */
    BLOCK_HEADING,    /* title */
    BLOCK_SUBHEADING, /* title */
    BLOCK_TEXT,       /* text; tone */
    BLOCK_TABLE,
    BLOCK_CHART,
    BLOCK_SIGNATURES, /* text: what is signed; pairs: role and name */
};

struct block {
    enum block_type type;
    char *title, *text; /* may be NULL */
    enum tone tone;
    ARRAY(struct pair) pairs;
    struct table table;
    struct chart chart;
};

struct content {
    const struct document *doc; /* must outlive the content */
    enum lang lang;
    char *title;   /* of the whole: "Monthly inspection report · September 2026" */
    char *subject; /* customer and site */
    ARRAY(struct block *) blocks;
    int headings; /* so many so far */
};

/* What the document tells; free with content_free(). */
void content_make(const struct document *doc, struct content *out);
void content_free(struct content *c);

/* For those who make it: blocks are appended; texts marked "taken" are freed with the content. */
struct block *content_add(struct content *c, enum block_type type, char *taken_title, char *taken_text);
struct block *content_table(struct content *c, const struct column *columns, size_t n);
struct block *content_chart(struct content *c, enum chart_type type, char *taken_title);
void content_pair(struct block *b, char *taken_label, char *taken_value, enum tone tone);

/* A new row of the last table; its cells follow, each one a column. */
struct row *table_row(struct table *t);
struct cell *table_cell(struct table *t, enum tone tone, char *taken_text);

#endif
