#include "report/page.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "report/chart.h"

/* Padding of cells, and how small tables are never broken. */
enum { PAD_X = 5, PAD_Y = 4, WHOLE_ROWS = 4, DOT_ROOM = 9, BAR_ROOM = 30, CELL_LINES = 9 };

static const double after_table = 12, strip_height = 9;

static struct face header_face(const struct column *col)
{
    return (struct face){.size = 7.5, .bold = true, .colour = COLOUR_QUIET, .align = col->align, .lines = 2};
}

static struct face cell_face(const struct column *col, const struct row *r, const struct cell *cell)
{
    return (struct face){
        .size = 8, .bold = r->total, .colour = colour_of_tone(cell->tone), .align = col->align, .lines = CELL_LINES};
}

/* What the text has of a cell's width. */
static double text_room(const struct cell *cell, double width)
{
    double room = width - 2 * PAD_X;

    return cell->picture == PICTURE_DOT ? room - DOT_ROOM : cell->picture == PICTURE_BAR ? BAR_ROOM : room;
}

static double row_height(struct pages *p, struct table *t, struct row *r)
{
    double most = strip_height;

    if (r->height > 0)
        return r->height;
    for (size_t i = 0; i < t->ncolumns; i++) {
        const struct cell *cell = &t->cells.v[r->first + i];
        struct face f = cell_face(&t->columns[i], r, cell);

        if (cell->text)
            most = fmax(most, ink_measure(p->ink, &f, cell->text, text_room(cell, t->widths[i])).height);
    }
    return r->height = most + 2 * PAD_Y;
}

/* The width below which a word of the column would break. */
static double least_width(struct pages *p, const struct table *t, size_t i)
{
    struct face header = header_face(&t->columns[i]);
    double most = ink_word(p->ink, &header, text_get(p->content->lang, t->columns[i].title)) + 2 * PAD_X;

    for (size_t r = 0; r < t->rows.n; r++) {
        const struct cell *cell = &t->cells.v[t->rows.v[r].first + i];
        struct face f = cell_face(&t->columns[i], &t->rows.v[r], cell);

        if (cell->text && cell->picture != PICTURE_BAR)
            most = fmax(most,
                        ink_word(p->ink, &f, cell->text) + 2 * PAD_X + (cell->picture == PICTURE_DOT ? DOT_ROOM : 0));
    }
    return most;
}

/*
 * The columns' widths: their shares of the page, but those whose words would break take what they need, up to half
 * as much again, from those that have more than they need.
 */
static void settle_widths(struct pages *p, struct table *t)
{
    double sum = 0, wanted = 0, spare = 0, *least = xcalloc(t->ncolumns, sizeof *least);

    t->widths = xcalloc(t->ncolumns, sizeof *t->widths);
    for (size_t i = 0; i < t->ncolumns; i++)
        sum += t->columns[i].width;
    for (size_t i = 0; i < t->ncolumns; i++) {
        t->widths[i] = t->columns[i].width / sum * PAGE_ROOM;
        least[i] = t->columns[i].drawn ? t->widths[i] : fmin(least_width(p, t, i), t->widths[i] * 1.5);
        wanted += fmax(0, least[i] - t->widths[i]);
        spare += fmax(0, t->widths[i] - least[i]);
    }
    for (size_t i = 0; i < t->ncolumns && wanted > 0 && spare > 0; i++) {
        double moved = fmin(wanted, spare);

        if (least[i] > t->widths[i])
            t->widths[i] += (least[i] - t->widths[i]) / wanted * moved;
        else
            t->widths[i] -= (t->widths[i] - least[i]) / spare * moved;
    }
    free(least);
}

static double header_height(struct pages *p, struct table *t)
{
    double most = 0;

    if (!t->widths)
        settle_widths(p, t);

    for (size_t i = 0; i < t->ncolumns; i++) {
        struct face f = header_face(&t->columns[i]);

        most = fmax(
            most,
            ink_measure(p->ink, &f, text_get(p->content->lang, t->columns[i].title), t->widths[i] - 2 * PAD_X).height);
    }
    return most + 2 * PAD_Y;
}

static void draw_header(struct pages *p, struct table *t, double height)
{
    double x = PAGE_LEFT;

    page_fill(p, COLOUR_SHADE, PAGE_LEFT, p->y, PAGE_ROOM, height);
    page_fill(p, COLOUR_ACCENT, PAGE_LEFT, p->y + height - 0.7, PAGE_ROOM, 0.7);
    for (size_t i = 0; i < t->ncolumns; i++) {
        struct face f = header_face(&t->columns[i]);
        double width = t->widths[i];

        page_text(p, &f, text_get(p->content->lang, t->columns[i].title), x + PAD_X, p->y + PAD_Y, width - 2 * PAD_X);
        x += width;
    }
    p->y += height;
}

static void draw_picture(struct pages *p, const struct cell *cell, double x, double width)
{
    double top = p->y + PAD_Y;

    switch (cell->picture) {
    case PICTURE_DOT:
        ink_dot(p->cr, colour_of_mark(cell->tone), x + PAD_X + 3, top + 6, 2.6);
        break;
    case PICTURE_BAR:
        x += PAD_X + BAR_ROOM;
        width -= 2 * PAD_X + BAR_ROOM;
        ink_rectangle(p->cr, COLOUR_LINE, x, top + 2.5, width, 7);
        ink_rectangle(p->cr, colour_of_mark(cell->tone), x, top + 2.5, width * cell->share, 7);
        break;
    case PICTURE_DAYS:
        chart_days(p->cr, p->content->doc, cell->uptime, x + PAD_X, top + 1.5, width - 2 * PAD_X, strip_height);
        break;
    case PICTURE_NONE:
        break;
    }
}

static void draw_row(struct pages *p, struct table *t, const struct row *r)
{
    double x = PAGE_LEFT;

    for (size_t i = 0; i < t->ncolumns; i++) {
        const struct cell *cell = &t->cells.v[r->first + i];
        struct face f = cell_face(&t->columns[i], r, cell);
        double width = t->widths[i], left = cell->picture == PICTURE_DOT ? DOT_ROOM : 0;

        if (cell->text)
            page_text(p, &f, cell->text, x + PAD_X + left, p->y + PAD_Y, text_room(cell, width));
        if (p->cr)
            draw_picture(p, cell, x, width);
        x += width;
    }
    if (r->total)
        page_fill(p, COLOUR_QUIET, PAGE_LEFT, p->y - 0.3, PAGE_ROOM, 0.6);
    page_fill(p, COLOUR_LINE, PAGE_LEFT, p->y + r->height - 0.25, PAGE_ROOM, 0.5);
    p->y += r->height;
}

/* So many of the rows from i on stay on one page: the first two, the last two, and small tables. */
static size_t together(const struct table *t, size_t i)
{
    size_t left = t->rows.n - i;

    if (i == 0)
        return left <= WHOLE_ROWS ? left : 2;
    return left <= 2 ? left : 1;
}

static double rows_height(struct pages *p, struct table *t, size_t i)
{
    double height = 0;

    for (size_t n = together(t, i); n > 0; n--)
        height += row_height(p, t, &t->rows.v[i + n - 1]);
    return height;
}

double page_table_lead(struct pages *p, struct table *t)
{
    return header_height(p, t) + (t->rows.n > 0 ? rows_height(p, t, 0) : 0);
}

void page_table(struct pages *p, struct table *t)
{
    double header = header_height(p, t);

    page_need(p, page_table_lead(p, t));
    draw_header(p, t, header);
    for (size_t i = 0; i < t->rows.n; i++) {
        if (i > 0 && page_need(p, rows_height(p, t, i)))
            draw_header(p, t, header);
        draw_row(p, t, &t->rows.v[i]);
    }
    p->y += after_table;
}
