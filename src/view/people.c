/*
 * For people: columns that line up, also with wide Chinese characters. A cell
 * shows control characters and marks that reorder text instead of obeying them.
 */
#include "view/writer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Rows held back, of which the columns' widths are made. */
enum { PAGE_ROWS = 100 };

/* A cell as it will be seen. */
struct shown {
    size_t text; /* place in page.texts */
    size_t width;
    uint8_t style;
};

struct page {
    bool settled; /* the widths are; rows are written as they come */
    size_t *widths;
    ARRAY(struct shown) cells; /* row after row */
    struct sbuf texts;
};

/* ---- Cells ---- */

static void add_time(struct view *v, struct sbuf *out, int64_t wall_ms)
{
    char stamp[25];

    if (v->options.time) {
        v->options.time(v->options.time_ctx, wall_ms, out);
        return;
    }
    str_utc_ms(wall_ms, stamp);
    sbuf_add(out, stamp);
}

static void add_cell(struct view *v, struct sbuf *out, const struct view_column *col, const struct cell *c)
{
    if (!c->known) {
        sbuf_addc(out, '-');
        return;
    }
    switch (col->type) {
    case VIEW_TEXT:
    case VIEW_CODE:
        sbuf_add_visible(out, v->texts.s + c->words);
        break;
    case VIEW_INT:
        sbuf_addf(out, "%lld", (long long)c->i);
        break;
    case VIEW_NUM:
        sbuf_addf(out, "%.*f", col->decimals, c->num);
        break;
    case VIEW_BOOL:
        sbuf_add(out, c->b ? v->options.yes : v->options.no);
        break;
    case VIEW_TIME:
        add_time(v, out, c->i);
        break;
    }
}

/* Cuts s in place so that with a … it takes no more than max columns. */
static void cut(struct sbuf *b, size_t start, size_t max)
{
    size_t at = start, width = 0;

    while (at < b->n) {
        char one[5] = {0};
        size_t len = 1;

        while (((unsigned char)b->s[at + len] & 0xc0) == 0x80 && len < 4)
            len++;
        memcpy(one, b->s + at, len);
        width += str_width(one);
        if (width > max - 1)
            break;
        at += len;
    }
    b->n = at;
    sbuf_add(b, "…");
}

/* Lays a cell down in texts. */
static struct shown show(struct view *v, struct sbuf *texts, const struct view_column *col, const struct cell *c)
{
    struct shown s = {.text = texts->n, .style = c->known ? c->style : VIEW_DIM};

    add_cell(v, texts, col, c);
    if (col->max_width && !v->section.record && str_width(texts->s + s.text) > col->max_width)
        cut(texts, s.text, col->max_width);
    s.width = str_width(texts->s + s.text);
    sbuf_addn(texts, "", 1);
    return s;
}

/* ---- Lines ---- */

static void add_styled(struct view *v, const char *text, enum view_style style)
{
    static const char *const codes[] = {
        [VIEW_GOOD] = "32",
        [VIEW_WARN] = "33",
        [VIEW_BAD] = "31",
        [VIEW_DIM] = "2",
    };

    if (!v->options.colour || style == VIEW_PLAIN)
        sbuf_add(&v->out, text);
    else
        sbuf_addf(&v->out, "\x1b[%sm%s\x1b[0m", codes[style], text);
}

static void add_bold(struct view *v, const char *text)
{
    sbuf_addf(&v->out, v->options.colour ? "\x1b[1m%s\x1b[0m" : "%s", text);
}

static void pad(struct view *v, size_t width, size_t to)
{
    for (; width < to; width++)
        sbuf_addc(&v->out, ' ');
}

static bool to_the_right(const struct view_column *col)
{
    if (col->align == VIEW_ALIGN_AUTO)
        return col->type == VIEW_INT || col->type == VIEW_NUM;
    return col->align == VIEW_ALIGN_RIGHT;
}

/* One cell of a line with its padding; nothing trails the last one. */
static void add_column(struct view *v, size_t i, const char *text, size_t width, int style)
{
    const struct view_column *col = &v->section.columns[i];

    if (i > 0)
        sbuf_add(&v->out, "  ");
    if (to_the_right(col))
        pad(v, width, v->page->widths[i]);
    if (style < 0)
        add_bold(v, text);
    else
        add_styled(v, text, (enum view_style)style);
    if (!to_the_right(col) && i + 1 < v->section.ncolumns)
        pad(v, width, v->page->widths[i]);
}

static void add_line(struct view *v, const struct shown *cells)
{
    for (size_t i = 0; i < v->section.ncolumns; i++)
        add_column(v, i, v->page->texts.s + cells[i].text, cells[i].width, cells[i].style);
    sbuf_addc(&v->out, '\n');
}

static void add_header(struct view *v)
{
    for (size_t i = 0; i < v->section.ncolumns; i++) {
        const char *title = v->section.columns[i].title;

        add_column(v, i, title, str_width(title), -1);
    }
    sbuf_addc(&v->out, '\n');
}

/* ---- Pages ---- */

static void forget(struct page *p)
{
    p->cells.n = 0;
    sbuf_reset(&p->texts);
}

/* Settles the widths and writes what was held back. */
static void settle(struct view *v)
{
    struct page *p = v->page;
    size_t n = v->section.ncolumns;

    for (size_t i = 0; i < n; i++) {
        const struct view_column *col = &v->section.columns[i];

        p->widths[i] = str_width(col->title);
        if (p->widths[i] < col->min_width)
            p->widths[i] = col->min_width;
        for (size_t at = i; at < p->cells.n; at += n)
            if (p->widths[i] < p->cells.v[at].width)
                p->widths[i] = p->cells.v[at].width;
    }
    p->settled = true;
    add_header(v);
    for (size_t at = 0; at < p->cells.n; at += n)
        add_line(v, &p->cells.v[at]);
    forget(p);
}

static void table_row(struct view *v)
{
    struct page *p = v->page;
    size_t n = v->section.ncolumns;

    for (size_t i = 0; i < n; i++)
        array_push(&p->cells, show(v, &p->texts, &v->section.columns[i], &v->cells[i]));
    if (p->settled) {
        add_line(v, p->cells.v);
        forget(p);
    } else if (p->cells.n == n * PAGE_ROWS) {
        settle(v);
    }
}

/* "Title:  value", the values below each other. */
static void record_row(struct view *v)
{
    struct sbuf text = {0};
    size_t widest = 0;

    for (size_t i = 0; i < v->section.ncolumns; i++) {
        size_t width = str_width(v->section.columns[i].title);

        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < v->section.ncolumns; i++) {
        const struct view_column *col = &v->section.columns[i];
        struct shown s;

        sbuf_reset(&text);
        s = show(v, &text, col, &v->cells[i]);
        add_bold(v, col->title);
        sbuf_addc(&v->out, ':');
        pad(v, str_width(col->title), widest + 2);
        add_styled(v, text.s, (enum view_style)s.style);
        sbuf_addc(&v->out, '\n');
    }
    sbuf_free(&text);
}

static void people_begin(struct view *v)
{
    if (v->nsections)
        sbuf_addc(&v->out, '\n');
    if (v->section.title) {
        add_bold(v, v->section.title);
        sbuf_addc(&v->out, '\n');
    }
    if (v->section.record)
        return;
    v->page = xcalloc(1, sizeof *v->page);
    v->page->widths = xcalloc(v->section.ncolumns, sizeof *v->page->widths);
}

static void people_row(struct view *v)
{
    if (v->section.record)
        record_row(v);
    else
        table_row(v);
}

static void people_flush(struct view *v)
{
    if (v->page && !v->page->settled)
        settle(v);
}

static void people_end(struct view *v)
{
    if (!v->page)
        return;
    people_flush(v);
    free(v->page->widths);
    array_free(&v->page->cells);
    sbuf_free(&v->page->texts);
    free(v->page);
    v->page = NULL;
}

static void people_close(struct view *v)
{
    (void)v;
}

const struct writer writer_people = {
    .begin = people_begin,
    .row = people_row,
    .end = people_end,
    .close = people_close,
    .flush = people_flush,
};
