#include "report/mail.h"

#include <stdlib.h>

#include "base/mem.h"
#include "view/table.h"

enum { CELL_WIDTH = 32 };

static int add_bytes(void *ctx, const char *p, size_t n)
{
    sbuf_addn(ctx, p, n);
    return 0;
}

static void line(struct sbuf *out, const char *text, char under)
{
    sbuf_add_visible(out, text);
    sbuf_addc(out, '\n');
    for (size_t i = under ? str_width(text) : 0; i > 0; i--)
        sbuf_addc(out, under);
    sbuf_add(out, under ? "\n\n" : "");
}

static void pairs(struct sbuf *out, const struct block *b)
{
    for (size_t i = 0; i < b->pairs.n; i++) {
        sbuf_add_visible(out, b->pairs.v[i].label);
        sbuf_add(out, ": ");
        sbuf_add_visible(out, b->pairs.v[i].value);
        sbuf_addc(out, '\n');
    }
    sbuf_addc(out, '\n');
}

static void table(const struct content *c, const struct table *t, struct sbuf *out)
{
    struct view_column *columns = xcalloc(t->ncolumns + 1, sizeof *columns);
    bool *shown = xcalloc(t->rows.n + 1, sizeof *shown);
    size_t n = 0, left = mail_rows(t, shown);
    struct view *v;

    for (size_t i = 0; i < t->ncolumns; i++)
        if (!t->columns[i].drawn)
            columns[n++] = (struct view_column){
                .name = t->columns[i].title,
                .title = text_get(c->lang, t->columns[i].title),
                .align = t->columns[i].align == ALIGN_RIGHT ? VIEW_ALIGN_RIGHT : VIEW_ALIGN_LEFT,
                .max_width = CELL_WIDTH,
            };
    v = view_open(&(struct view_options){.format = VIEW_PEOPLE, .write = add_bytes, .ctx = out});
    view_table(v, NULL, NULL, columns, n);
    for (size_t i = 0; i < t->rows.n; i++) {
        if (!shown[i])
            continue;
        for (size_t j = 0; j < t->ncolumns; j++) {
            const char *text = t->cells.v[t->rows.v[i].first + j].text;

            if (!t->columns[j].drawn)
                view_text(v, text ? text : "");
        }
        view_row_end(v);
    }
    view_close(v);
    if (left > 0) {
        char *more = mail_more(c, left);

        line(out, more, 0);
        free(more);
    }
    sbuf_addc(out, '\n');
    free(columns);
    free(shown);
}

static void add_block(const struct content *c, const struct block *b, struct sbuf *out)
{
    switch (b->type) {
    case BLOCK_TITLE:
        line(out, c->title, '=');
        pairs(out, b);
        break;
    case BLOCK_GRADE:
        line(out, b->title, 0);
        if (b->text)
            line(out, b->text, 0);
        sbuf_addc(out, '\n');
        break;
    case BLOCK_FIGURES:
        pairs(out, b);
        break;
    case BLOCK_HEADING:
    case BLOCK_SUBHEADING:
        if (out->n > 1 && out->s[out->n - 2] != '\n')
            sbuf_addc(out, '\n');
        line(out, b->title, b->type == BLOCK_HEADING ? '-' : 0);
        break;
    case BLOCK_TEXT:
        line(out, b->text, 0);
        break;
    case BLOCK_TABLE:
        table(c, &b->table, out);
        break;
    case BLOCK_CHART: /* what it says, in words */
        line(out, b->chart.title, 0);
        line(out, b->chart.alt, 0);
        sbuf_addc(out, '\n');
        break;
    case BLOCK_SIGNATURES:
        break;
    }
}

void mail_text(const struct content *c, struct sbuf *out)
{
    char *foot = mail_foot(c);

    for (size_t i = 0; i < c->blocks.n; i++)
        if (i + 1 == c->blocks.n || c->blocks.v[i + 1]->type != BLOCK_SIGNATURES)
            add_block(c, c->blocks.v[i], out);
    line(out, foot, 0);
    free(foot);
}
