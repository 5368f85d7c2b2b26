#ifndef PD_REPORT_PAGE_H
#define PD_REPORT_PAGE_H

#include "report/ink.h"
#include "report/pdf.h"

/* Inside the PDF writer: pages, and what stands on them. Lengths are points, y grows downwards. */

enum {
    PAGE_WIDTH = 595,
    PAGE_HEIGHT = 842,
    PAGE_LEFT = 46,
    PAGE_ROOM = PAGE_WIDTH - 2 * PAGE_LEFT, /* the width there is */
    PAGE_TOP = 62,
    PAGE_FIRST_TOP = 54, /* the first page has no header */
    PAGE_BOTTOM = PAGE_HEIGHT - 58,
};

/*
 * Everything is laid out twice by the same code: first without cr, which counts
 * the pages, then on paper. Heights of tables' rows are kept from the first time.
 */
struct pages {
    struct content *content;
    struct ink *ink;
    cairo_surface_t *surface;
    cairo_t *cr;    /* NULL: only counting */
    int page, last; /* from 1; last is 0 while counting */
    double y;       /* where the next thing goes */
    pdf_progress progress;
    void *ctx;
};

/* Ends the page and begins the next if there is no room for so much. True if it did. */
bool page_need(struct pages *p, double height);
void page_end(struct pages *p);
/* Draws unless counting; gives what the text takes. */
struct size page_text(struct pages *p, const struct face *f, const char *text, double x, double y, double width);
void page_fill(struct pages *p, enum colour colour, double x, double y, double width, double height);

/* A table from where the page is; it goes on over as many as it needs, with its header on each. */
void page_table(struct pages *p, struct table *t);
/* What must stay together at a table's beginning. */
double page_table_lead(struct pages *p, struct table *t);

#endif
