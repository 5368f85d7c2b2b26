#include "report/page.h"

#include <stdio.h>

static const struct face running_face = {.size = 7.5, .colour = COLOUR_QUIET, .lines = 1};
static const struct face running_right_face = {.size = 7.5, .colour = COLOUR_QUIET, .align = ALIGN_RIGHT, .lines = 1};

struct size page_text(struct pages *p, const struct face *f, const char *text, double x, double y, double width)
{
    return p->cr ? ink_draw(p->ink, p->cr, f, text, x, y, width) : ink_measure(p->ink, f, text, width);
}

void page_fill(struct pages *p, enum colour colour, double x, double y, double width, double height)
{
    if (p->cr)
        ink_rectangle(p->cr, colour, x, y, width, height);
}

/* What runs along the top and the bottom of each page. */
static void draw_running(struct pages *p)
{
    const struct document *doc = p->content->doc;
    char page[16], pages[16];
    struct sbuf number = {0}, left = {0};
    double half = PAGE_ROOM / 2.0, bottom = PAGE_HEIGHT - 42;

    if (p->page > 1) {
        page_text(p, &running_face, p->content->subject, PAGE_LEFT, 32, half * 1.25);
        page_text(p, &running_right_face, p->content->title, PAGE_LEFT + half * 1.25, 32, half * 0.75);
        page_fill(p, COLOUR_LINE, PAGE_LEFT, 47, PAGE_ROOM, 0.5);
    }
    snprintf(page, sizeof page, "%d", p->page);
    snprintf(pages, sizeof pages, "%d", p->last);
    text_fill(&number, text_get(p->content->lang, "report.page"), (struct text_arg[]){{"page", page}, {"pages", pages}},
              2);
    sbuf_addf(&left, "%s \xc2\xb7 %s", doc->provider.name, doc->report.number);
    page_fill(p, COLOUR_LINE, PAGE_LEFT, bottom - 5, PAGE_ROOM, 0.5);
    page_text(p, &running_face, left.s, PAGE_LEFT, bottom, half * 1.5);
    page_text(p, &running_right_face, number.s, PAGE_LEFT + half, bottom, half);
    sbuf_free(&number);
    sbuf_free(&left);
}

void page_end(struct pages *p)
{
    if (p->cr) {
        draw_running(p);
        cairo_show_page(p->cr);
        p->progress(p->ctx, p->page, p->last);
    }
}

bool page_need(struct pages *p, double height)
{
    double top = p->page > 1 ? PAGE_TOP : PAGE_FIRST_TOP;

    /* What is taller than a page begins on a fresh one, and only there. */
    if (p->y + height <= PAGE_BOTTOM || p->y <= top)
        return false;
    page_end(p);
    p->page++;
    p->y = PAGE_TOP;
    return true;
}
