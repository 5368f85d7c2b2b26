#include "report/page.h"

#include <cairo-pdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "report/chart.h"

enum { COVER_COLUMNS = 2, FIGURES_IN_ROW = 4, FIGURE_GAP = 8, FIGURE_HEIGHT = 46, SIGNATURES_IN_ROW = 3 };

static const struct face title_face = {.size = 23, .bold = true, .colour = COLOUR_ACCENT, .lines = 2};
static const struct face month_face = {.size = 13, .colour = COLOUR_QUIET, .lines = 1};
static const struct face heading_face = {.size = 13, .bold = true, .colour = COLOUR_ACCENT, .lines = 2};
static const struct face subheading_face = {.size = 9.5, .bold = true, .colour = COLOUR_TEXT, .lines = 2};
static const struct face label_face = {.size = 7.5, .colour = COLOUR_QUIET, .lines = 1};
static const struct face value_face = {.size = 9, .colour = COLOUR_TEXT, .lines = 2};
static const struct face grade_face = {
    .size = 17, .bold = true, .colour = COLOUR_PAPER, .align = ALIGN_CENTRE, .lines = 1};
static const struct face remark_face = {.size = 9, .colour = COLOUR_TEXT};

/* ---- Heights and drawing of each block. Each draws at p->y and moves it on; each is measured without. ---- */

static double pair_height(struct pages *p, const struct pair *pair, double width)
{
    return 12 + ink_measure(p->ink, &value_face, pair->value, width).height + 7;
}

static void title_block(struct pages *p, struct block *b)
{
    /* Names and addresses stand on the left, dates and numbers on the right. */
    double widths[COVER_COLUMNS] = {PAGE_ROOM * 0.64, PAGE_ROOM * 0.36 - 20}, right = PAGE_LEFT + PAGE_ROOM * 0.64 + 20;

    page_fill(p, COLOUR_ACCENT, 0, 0, PAGE_WIDTH, 8);
    p->y += page_text(p, &title_face, b->title, PAGE_LEFT, p->y, PAGE_ROOM).height + 2;
    p->y += page_text(p, &month_face, b->text, PAGE_LEFT, p->y, PAGE_ROOM).height + 14;
    page_fill(p, COLOUR_ACCENT, PAGE_LEFT, p->y - 6, PAGE_ROOM, 1);
    for (size_t i = 0; i < b->pairs.n; i += COVER_COLUMNS) {
        double height = 0;

        for (size_t j = i; j < b->pairs.n && j < i + COVER_COLUMNS; j++) {
            const struct pair *pair = &b->pairs.v[j];
            double x = j == i ? PAGE_LEFT : right, width = widths[j - i];

            page_text(p, &label_face, pair->label, x, p->y, width);
            page_text(p, &value_face, pair->value, x, p->y + 11, width);
            height = fmax(height, pair_height(p, pair, width));
        }
        p->y += height;
        page_fill(p, COLOUR_LINE, PAGE_LEFT, p->y - 3, PAGE_ROOM, 0.5);
    }
    p->y += 8;
}

static double grade_height(struct pages *p, const struct block *b)
{
    return b->text ? fmax(46, ink_measure(p->ink, &remark_face, b->text, PAGE_ROOM - 136).height + 18) : 46;
}

static void grade_block(struct pages *p, struct block *b)
{
    double height = grade_height(p, b);

    page_fill(p, COLOUR_SHADE, PAGE_LEFT, p->y, PAGE_ROOM, height);
    page_fill(p, colour_of_mark(b->tone), PAGE_LEFT, p->y, 108, height);
    page_text(p, &grade_face, b->title, PAGE_LEFT,
              p->y + height / 2 - ink_measure(p->ink, &grade_face, b->title, 108).height / 2, 108);
    if (b->text) {
        double taken = ink_measure(p->ink, &remark_face, b->text, PAGE_ROOM - 136).height;

        page_text(p, &remark_face, b->text, PAGE_LEFT + 122, p->y + (height - taken) / 2, PAGE_ROOM - 136);
    }
    p->y += height + FIGURE_GAP;
}

static double figures_height(const struct block *b)
{
    size_t rows = (b->pairs.n + FIGURES_IN_ROW - 1) / FIGURES_IN_ROW;

    return (double)rows * (FIGURE_HEIGHT + FIGURE_GAP);
}

static void figures_block(struct pages *p, struct block *b)
{
    double width = (PAGE_ROOM - FIGURE_GAP * (FIGURES_IN_ROW - 1)) / (double)FIGURES_IN_ROW;

    for (size_t i = 0; i < b->pairs.n; i++) {
        const struct pair *pair = &b->pairs.v[i];
        double x = PAGE_LEFT + (double)(i % FIGURES_IN_ROW) * (width + FIGURE_GAP);
        size_t row = i / FIGURES_IN_ROW;
        double y = p->y + (double)row * (FIGURE_HEIGHT + FIGURE_GAP);
        struct face f = {.size = 15, .bold = true, .colour = colour_of_tone(pair->tone), .lines = 1};

        page_fill(p, COLOUR_SHADE, x, y, width, FIGURE_HEIGHT);
        page_text(p, &f, pair->value, x + 9, y + 5, width - 18);
        page_text(p, &label_face, pair->label, x + 9, y + 28, width - 18);
    }
    p->y += figures_height(b) + 4;
}

static double text_height(struct pages *p, const struct block *b)
{
    return ink_measure(p->ink, &remark_face, b->text, PAGE_ROOM).height + 8;
}

static void text_block(struct pages *p, struct block *b)
{
    struct face f = remark_face;

    f.colour = colour_of_tone(b->tone);
    p->y += page_text(p, &f, b->text, PAGE_LEFT, p->y, PAGE_ROOM).height + 8;
}

static double heading_height(struct pages *p, const struct block *b)
{
    return ink_measure(p->ink, &heading_face, b->title, PAGE_ROOM).height + 18;
}

/* The heading is in the PDF's outline too. */
static void heading_block(struct pages *p, struct block *b)
{
    char *place = xasprintf("page=%d pos=[%d %d]", p->page, PAGE_LEFT, (int)p->y);

    if (p->cr)
        cairo_pdf_surface_add_outline(p->surface, CAIRO_PDF_OUTLINE_ROOT, b->title, place, 0);
    free(place);
    page_fill(p, COLOUR_ACCENT, PAGE_LEFT, p->y + 12, 3, heading_height(p, b) - 20);
    p->y += 10 + page_text(p, &heading_face, b->title, PAGE_LEFT + 9, p->y + 10, PAGE_ROOM - 9).height + 8;
}

static double subheading_height(struct pages *p, const struct block *b)
{
    return ink_measure(p->ink, &subheading_face, b->title, PAGE_ROOM).height + 8;
}

static void subheading_block(struct pages *p, struct block *b)
{
    p->y += 2 + page_text(p, &subheading_face, b->title, PAGE_LEFT, p->y + 2, PAGE_ROOM).height + 6;
}

static void chart_block(struct pages *p, struct block *b)
{
    if (p->cr)
        chart_draw(p->ink, p->cr, &b->chart, PAGE_LEFT, p->y, PAGE_ROOM);
    p->y += chart_height(&b->chart) + 8;
}

enum { SIGNATURE_HEIGHT = 96 };

static double signatures_height(struct pages *p, const struct block *b)
{
    size_t rows = (b->pairs.n + SIGNATURES_IN_ROW - 1) / SIGNATURES_IN_ROW;

    return text_height(p, b) + (double)rows * SIGNATURE_HEIGHT;
}

static void signatures_block(struct pages *p, struct block *b)
{
    const char *sign = text_get(p->content->lang, "report.sign"),
               *date = text_get(p->content->lang, "report.sign.date");
    double width = (PAGE_ROOM - 2 * 18) / (double)SIGNATURES_IN_ROW;

    text_block(p, b);
    for (size_t i = 0; i < b->pairs.n; i++) {
        const struct pair *pair = &b->pairs.v[i];
        double x = PAGE_LEFT + (double)(i % SIGNATURES_IN_ROW) * (width + 18);
        size_t row = i / SIGNATURES_IN_ROW;
        double y = p->y + 4 + (double)row * SIGNATURE_HEIGHT;

        page_text(p, &subheading_face, pair->label, x, y, width);
        if (pair->value)
            page_text(p, &value_face, pair->value, x, y + 15, width);
        page_text(p, &label_face, sign, x, y + 45, width);
        page_fill(p, COLOUR_QUIET, x + 40, y + 55, width - 40, 0.5);
        page_text(p, &label_face, date, x, y + 67, width);
        page_fill(p, COLOUR_QUIET, x + 40, y + 77, width - 40, 0.5);
    }
    p->y += signatures_height(p, b) - text_height(p, b);
}

/* ---- The flow ---- */

/* Not in the PDF. */
static bool skipped(const struct block *b)
{
    return b->type == BLOCK_CHART && b->chart.mail_only;
}

/* What must stand on one page with the beginning of a block: all of it, or a table's first rows. */
static double lead(struct pages *p, struct block *b)
{
    switch (b->type) {
    case BLOCK_GRADE:
        return grade_height(p, b);
    case BLOCK_FIGURES:
        return figures_height(b);
    case BLOCK_HEADING:
        return heading_height(p, b);
    case BLOCK_SUBHEADING:
        return subheading_height(p, b);
    case BLOCK_TEXT:
        return text_height(p, b);
    case BLOCK_TABLE:
        return page_table_lead(p, &b->table);
    case BLOCK_CHART:
        return chart_height(&b->chart);
    case BLOCK_SIGNATURES:
        return signatures_height(p, b);
    case BLOCK_TITLE:
        break;
    }
    return 0;
}

/* A heading stays with what it is above, and so does a line of text below a heading. */
static bool keeps_with_next(const struct block *b, const struct block *before)
{
    return b->type == BLOCK_HEADING || b->type == BLOCK_SUBHEADING ||
           (b->type == BLOCK_TEXT && before && before->type == BLOCK_HEADING);
}

static double need(struct pages *p, size_t i)
{
    struct content *c = p->content;
    double height = 0;
    bool keeps = true;

    for (; keeps && i < c->blocks.n; i++) {
        if (skipped(c->blocks.v[i]))
            continue;
        height += lead(p, c->blocks.v[i]);
        keeps = keeps_with_next(c->blocks.v[i], i > 0 ? c->blocks.v[i - 1] : NULL);
    }
    return height;
}

static void flow(struct pages *p)
{
    static void (*const draw[])(struct pages *, struct block *) = {
        [BLOCK_TITLE] = title_block,     [BLOCK_GRADE] = grade_block,           [BLOCK_FIGURES] = figures_block,
        [BLOCK_HEADING] = heading_block, [BLOCK_SUBHEADING] = subheading_block, [BLOCK_TEXT] = text_block,
        [BLOCK_CHART] = chart_block,     [BLOCK_SIGNATURES] = signatures_block,
    };

    p->page = 1;
    p->y = PAGE_FIRST_TOP;
    for (size_t i = 0; i < p->content->blocks.n && !ink_missing(p->ink); i++) {
        struct block *b = p->content->blocks.v[i];

        if (skipped(b))
            continue;
        page_need(p, need(p, i));
        if (b->type == BLOCK_TABLE)
            page_table(p, &b->table);
        else
            draw[b->type](p, b);
    }
    page_end(p);
}

static cairo_status_t add_bytes(void *closure, const unsigned char *data, unsigned n)
{
    sbuf_addn(closure, data, n);
    return CAIRO_STATUS_SUCCESS;
}

static void set_metadata(struct pages *p)
{
    const struct document *doc = p->content->doc;
    char stamp[25];

    str_utc_ms(doc->report.prepared_ms, stamp);
    stamp[19] = 'Z'; /* without the milliseconds */
    stamp[20] = '\0';
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_TITLE, p->content->title);
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_SUBJECT, p->content->subject);
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_AUTHOR, doc->provider.name);
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATOR, "patrol-report");
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_CREATE_DATE, stamp);
    cairo_pdf_surface_set_metadata(p->surface, CAIRO_PDF_METADATA_MOD_DATE, stamp);
}

static void draw(struct pages *p, struct sbuf *out)
{
    p->surface = cairo_pdf_surface_create_for_stream(add_bytes, out, PAGE_WIDTH, PAGE_HEIGHT);
    p->cr = cairo_create(p->surface);
    set_metadata(p);
    flow(p);
    cairo_destroy(p->cr);
    cairo_surface_finish(p->surface);
}

int pdf_write(struct content *c, pdf_progress progress, void *ctx, char **pdf, size_t *n, char **why)
{
    struct pages p = {.content = c, .ink = ink_new(c->lang), .progress = progress, .ctx = ctx};
    struct sbuf out = {0};
    int rc = 0;

    flow(&p);
    p.last = p.page;
    if (!ink_missing(p.ink))
        draw(&p, &out);
    if (ink_missing(p.ink)) {
        *why = xstrdup(ink_missing(p.ink));
        rc = PD_ENOTSUP;
    } else if (cairo_surface_status(p.surface) != CAIRO_STATUS_SUCCESS) {
        *why = xstrdup(cairo_status_to_string(cairo_surface_status(p.surface)));
        rc = PD_EIO;
    } else {
        *n = out.n;
        *pdf = sbuf_take(&out);
    }
    cairo_surface_destroy(p.surface);
    sbuf_free(&out);
    ink_free(p.ink);
    return rc;
}
