#ifndef PD_REPORT_PDF_H
#define PD_REPORT_PDF_H

#include "report/content.h"

/* Told after each page. */
typedef void (*pdf_progress)(void *ctx, int page, int pages);

/*
 * The report as A4 pages, to be free()d; the same content makes the same bytes. 0; PD_ENOTSUP with a text in *why (to be
 * free()d) if no font has a character; PD_EIO likewise if cairo fails.
 */
int pdf_write(struct content *c, pdf_progress progress, void *ctx, char **pdf, size_t *n, char **why);

#endif
