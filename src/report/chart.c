#include "report/chart.h"

#include <math.h>
#include <stdio.h>

#include "base/err.h"

enum { TITLE_HEIGHT = 22, DAYS_HEIGHT = 76, LABELS_HEIGHT = 14, BAR_PITCH = 18, AXIS_WIDTH = 34 };

static const struct face title_face = {.size = 9, .bold = true, .colour = COLOUR_TEXT, .lines = 1};
static const struct face label_face = {.size = 7.5, .colour = COLOUR_QUIET, .align = ALIGN_CENTRE, .lines = 1};
static const struct face axis_face = {.size = 7.5, .colour = COLOUR_QUIET, .align = ALIGN_RIGHT, .lines = 1};
static const struct face name_face = {.size = 8, .colour = COLOUR_TEXT, .lines = 1};
static const struct face legend_face = {.size = 7.5, .colour = COLOUR_QUIET, .lines = 1};

double chart_height(const struct chart *chart)
{
    double body = chart->type == CHART_DAYS ? DAYS_HEIGHT + LABELS_HEIGHT : (double)chart->bars.n * BAR_PITCH;

    return TITLE_HEIGHT + body + 6;
}

static double largest(const struct chart *chart)
{
    double most = 0;

    for (size_t i = 0; i < chart->bars.n; i++)
        most = fmax(most, chart->bars.v[i].size[0] + chart->bars.v[i].size[1]);
    return most;
}

/* Where an axis may end: the next number of one digit, or 1.5, times a power of ten. */
static double rounded_up(double most)
{
    static const double ends[] = {1, 1.5, 2, 3, 4, 5, 6, 8, 10};
    double power = pow(10, floor(log10(fmax(most, 0.01))));
    size_t i = 0;

    while (i + 1 < sizeof ends / sizeof *ends && most > ends[i] * power)
        i++;
    return ends[i] * power;
}

/* Squares and names of the two kinds, at the right end of the title's line. */
static void draw_legend(struct ink *ink, cairo_t *cr, const struct chart *chart, double right, double y)
{
    static const enum colour colours[] = {COLOUR_BAD, COLOUR_GAP};

    for (int i = 1; i >= 0; i--) {
        double width = ink_measure(ink, &legend_face, chart->kinds[i], 0).width;

        right -= width;
        ink_draw(ink, cr, &legend_face, chart->kinds[i], right, y + 1, 0);
        ink_rectangle(cr, colours[i], right - 11, y + 4, 7, 7);
        right -= 24;
    }
}

static void draw_axis(struct ink *ink, cairo_t *cr, const struct chart *chart, double most, double x, double y,
                      double width)
{
    for (int i = 0; i <= 2; i++) {
        double line = y + DAYS_HEIGHT * (1 - i / 2.0);
        char text[32];

        snprintf(text, sizeof text, "%g%s%s", most * i / 2, i == 2 ? " " : "", i == 2 ? chart->unit : "");
        ink_draw(ink, cr, &axis_face, text, x, line - 6, AXIS_WIDTH - 5);
        ink_rectangle(cr, COLOUR_LINE, x + AXIS_WIDTH, line - 0.25, width - AXIS_WIDTH, 0.5);
    }
}

static void draw_days(struct ink *ink, cairo_t *cr, const struct chart *chart, double x, double y, double width)
{
    double most = rounded_up(largest(chart)), pitch = (width - AXIS_WIDTH) / (double)chart->bars.n;

    draw_axis(ink, cr, chart, most, x, y, width);
    for (size_t i = 0; i < chart->bars.n; i++) {
        const struct bar *bar = &chart->bars.v[i];
        double left = x + AXIS_WIDTH + (double)i * pitch, first = bar->size[0] / most * DAYS_HEIGHT,
               second = bar->size[1] / most * DAYS_HEIGHT;

        ink_rectangle(cr, COLOUR_BAD, left + pitch * 0.18, y + DAYS_HEIGHT - first, pitch * 0.64, first);
        ink_rectangle(cr, COLOUR_GAP, left + pitch * 0.18, y + DAYS_HEIGHT - first - second, pitch * 0.64, second);
        ink_draw(ink, cr, &label_face, bar->label, left, y + DAYS_HEIGHT + 2, pitch);
    }
}

static void draw_bars(struct ink *ink, cairo_t *cr, const struct chart *chart, double x, double y, double width)
{
    double names = width * 0.34, room = width - names - 50, most = fmax(largest(chart), 1);

    /* Levels are parts of a hundred, whatever the highest is. */
    if (chart->mail_only)
        most = 100;
    for (size_t i = 0; i < chart->bars.n; i++) {
        const struct bar *bar = &chart->bars.v[i];
        double top = y + (double)i * BAR_PITCH, length = bar->size[0] / most * room;

        ink_draw(ink, cr, &name_face, bar->label, x, top, names - 10);
        ink_rectangle(cr, COLOUR_SHADE, x + names, top + 2, room, 9);
        ink_rectangle(cr, colour_of_mark(bar->tone), x + names, top + 2, length, 9);
        ink_draw(ink, cr, &name_face, bar->value, x + names + length + 6, top, 0);
    }
}

void chart_draw(struct ink *ink, cairo_t *cr, const struct chart *chart, double x, double y, double width)
{
    ink_draw(ink, cr, &title_face, chart->title, x, y, width);
    if (chart->type == CHART_DAYS) {
        draw_legend(ink, cr, chart, x + width, y);
        draw_days(ink, cr, chart, x, y + TITLE_HEIGHT, width);
    } else {
        draw_bars(ink, cr, chart, x, y + TITLE_HEIGHT, width);
    }
}

static cairo_status_t add_png(void *closure, const unsigned char *data, unsigned n)
{
    sbuf_addn(closure, data, n);
    return CAIRO_STATUS_SUCCESS;
}

int chart_png(struct ink *ink, const struct chart *chart, double width, double scale, char **png, size_t *n)
{
    enum { MARGIN = 8 };
    double height = chart_height(chart) + 2 * MARGIN;
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)(width * scale), (int)ceil(height * scale));
    cairo_t *cr = cairo_create(surface);
    struct sbuf b = {0};
    int rc = PD_EIO;

    cairo_scale(cr, scale, scale);
    ink_rectangle(cr, COLOUR_PAPER, 0, 0, width, height + 1);
    chart_draw(ink, cr, chart, MARGIN, MARGIN, width - 2 * MARGIN);
    if (cairo_status(cr) == CAIRO_STATUS_SUCCESS &&
        cairo_surface_write_to_png_stream(surface, add_png, &b) == CAIRO_STATUS_SUCCESS) {
        *n = b.n;
        *png = sbuf_take(&b);
        rc = 0;
    }
    sbuf_free(&b);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return rc;
}

void chart_days(cairo_t *cr, const struct document *doc, const struct doc_uptime *u, double x, double y, double width,
                double height)
{
    double pitch = width / (double)u->days.n;

    for (size_t i = 0; i < u->days.n; i++) {
        const struct doc_day *d = &u->days.v[i];
        double length = (double)(doc->day_ms[i + 1] - doc->day_ms[i]);
        double left = x + (double)i * pitch, w = pitch - 0.8;
        /* However short an outage or a gap was, its day shows it. */
        double down = d->down_ms > 0 ? fmax((double)d->down_ms / length * height, 1.5) : 0;
        double gap = d->gap_ms > 0 ? fmax((double)d->gap_ms / length * height, 1.5) : 0,
               up = (double)d->up_ms / length * height;

        up = fmin(up, height - down - gap);
        ink_rectangle(cr, COLOUR_SHADE, left, y, w, height);
        ink_rectangle(cr, COLOUR_GOOD, left, y + height - up, w, up);
        ink_rectangle(cr, COLOUR_GAP, left, y + height - up - gap, w, gap);
        ink_rectangle(cr, COLOUR_BAD, left, y, w, down);
    }
}
