#ifndef PD_REPORT_CHART_H
#define PD_REPORT_CHART_H

#include "report/ink.h"

/* A chart on any surface: in the PDF, or as a picture for the mail. */
double chart_height(const struct chart *chart);
void chart_draw(struct ink *ink, cairo_t *cr, const struct chart *chart, double x, double y, double width);

/* The chart as a PNG, `width` points wide at `scale` pixels a point. 0 or PD_EIO; free() *png. */
int chart_png(struct ink *ink, const struct chart *chart, double width, double scale, char **png, size_t *n);

/* The month of one device as a strip, a field a day. */
void chart_days(cairo_t *cr, const struct document *doc, const struct doc_uptime *u, double x, double y, double width,
                double height);

#endif
