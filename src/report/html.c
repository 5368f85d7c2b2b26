#include "report/mail.h"

#include <stdlib.h>

#include "base/mem.h"
#include "report/ink.h"

#define FONT "font-family:'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',Arial,sans-serif;"

/* Text for between tags and within double quotes; what would control or reorder is shown. */
static void add_text(struct sbuf *out, const char *text)
{
    struct sbuf shown = {0};

    sbuf_add_visible(&shown, text);
    for (const char *s = shown.s; *s; s++) {
        const char *name = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '"' ? "&quot;" : NULL;

        if (name)
            sbuf_add(out, name);
        else
            sbuf_addc(out, *s);
    }
    sbuf_free(&shown);
}

/* <TAG style="...">text</TAG> */
static void element(struct sbuf *out, const char *tag, const char *style, const char *text)
{
    sbuf_addf(out, "<%s style=\"%s\">", tag, style);
    add_text(out, text ? text : "");
    sbuf_addf(out, "</%s>\n", tag);
}

static void coloured(struct sbuf *out, const char *tag, const char *style, enum colour colour, const char *text)
{
    struct sbuf all = {0};

    sbuf_addf(&all, "%scolor:#%s;", style, colour_hex(colour));
    element(out, tag, all.s, text);
    sbuf_free(&all);
}

static void begin_table(struct sbuf *out, const char *style)
{
    sbuf_addf(out,
              "<table role=\"presentation\" width=\"100%%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" "
              "style=\"border-collapse:collapse;%s\">\n",
              style);
}

static void title_block(const struct content *c, const struct block *b, struct sbuf *out)
{
    (void)c;
    coloured(out, "h1", "font-size:24px;margin:0 0 4px 0;", COLOUR_ACCENT, b->title);
    coloured(out, "p", "font-size:15px;margin:0 0 16px 0;", COLOUR_QUIET, b->text);
    begin_table(out, "margin:0 0 20px 0;");
    for (size_t i = 0; i < b->pairs.n; i++) {
        sbuf_add(out, "<tr>\n");
        coloured(out, "td", "padding:5px 12px 5px 0;white-space:nowrap;font-size:13px;", COLOUR_QUIET,
                 b->pairs.v[i].label);
        coloured(out, "td", "padding:5px 0;font-size:13px;width:85%;", COLOUR_TEXT, b->pairs.v[i].value);
        sbuf_add(out, "</tr>\n");
    }
    sbuf_add(out, "</table>\n");
}

static void grade_block(const struct content *c, const struct block *b, struct sbuf *out)
{
    (void)c;
    begin_table(out, "margin:0 0 10px 0;");
    sbuf_addf(out, "<tr>\n<td style=\"background:#%s;", colour_hex(colour_of_mark(b->tone)));
    sbuf_add(out, "color:#ffffff;font-size:20px;font-weight:bold;padding:14px 24px;white-space:nowrap;\">");
    add_text(out, b->title);
    sbuf_addf(out, "</td>\n<td style=\"background:#%s;padding:12px 16px;font-size:14px;width:85%%;\">",
              colour_hex(COLOUR_SHADE));
    add_text(out, b->text ? b->text : "");
    sbuf_add(out, "</td>\n</tr>\n</table>\n");
}

static void figures_block(const struct content *c, const struct block *b, struct sbuf *out)
{
    enum { IN_ROW = 4 };

    (void)c;
    begin_table(out, "margin:0 0 16px 0;");
    for (size_t i = 0; i < b->pairs.n; i++) {
        const struct pair *p = &b->pairs.v[i];

        sbuf_addf(out, "%s<td width=\"25%%\" style=\"background:#%s;padding:10px 12px;border:3px solid #ffffff;\">",
                  i % IN_ROW == 0 ? "<tr>\n" : "", colour_hex(COLOUR_SHADE));
        coloured(out, "div", "font-size:19px;font-weight:bold;", colour_of_tone(p->tone), p->value);
        coloured(out, "div", "font-size:12px;", COLOUR_QUIET, p->label);
        sbuf_addf(out, "</td>\n%s", i % IN_ROW == IN_ROW - 1 || i + 1 == b->pairs.n ? "</tr>\n" : "");
    }
    sbuf_add(out, "</table>\n");
}

static void heading_block(const struct content *c, const struct block *b, struct sbuf *out)
{
    (void)c;
    coloured(out, "h2", "font-size:18px;margin:28px 0 10px 0;", COLOUR_ACCENT, b->title);
}

static void subheading_block(const struct content *c, const struct block *b, struct sbuf *out)
{
    (void)c;
    coloured(out, "h3", "font-size:14px;margin:14px 0 6px 0;", COLOUR_TEXT, b->title);
}

static void text_block(const struct content *c, const struct block *b, struct sbuf *out)
{
    (void)c;
    coloured(out, "p", "font-size:14px;line-height:1.5;margin:0 0 8px 0;", colour_of_tone(b->tone), b->text);
}

/* Mail programs cut what is long, so a cell says only how it differs from the table. */
static void cell(struct sbuf *out, const char *tag, const struct column *col, enum colour colour, const char *text)
{
    sbuf_addf(out, "<%s align=\"%s\"", tag, col->align == ALIGN_RIGHT ? "right" : "left");
    if (colour != COLOUR_TEXT)
        sbuf_addf(out, " style=\"color:#%s\"", colour_hex(colour));
    sbuf_addc(out, '>');
    add_text(out, text ? text : "");
    sbuf_addf(out, "</%s>\n", tag);
}

/* Every other row has a shade, for lines would need a style in each cell. */
static void table_row_html(const struct table *t, const struct row *r, bool shade, struct sbuf *out)
{
    sbuf_addf(out, "<tr valign=\"top\"%s%s>\n", shade ? " bgcolor=\"#f8fafb\"" : "",
              r->total ? " style=\"font-weight:bold\"" : "");
    for (size_t i = 0; i < t->ncolumns; i++)
        if (!t->columns[i].drawn)
            cell(out, "td", &t->columns[i], colour_of_tone(t->cells.v[r->first + i].tone),
                 t->cells.v[r->first + i].text);
    sbuf_add(out, "</tr>\n");
}

static void table_block(const struct content *c, const struct block *b, struct sbuf *out)
{
    const struct table *t = &b->table;
    bool *shown = xcalloc(t->rows.n + 1, sizeof *shown);
    size_t left = mail_rows(t, shown);

    sbuf_add(out, "<table width=\"100%\" cellpadding=\"6\" cellspacing=\"0\" border=\"0\" "
                  "style=\"border-collapse:collapse;margin:0 0 8px 0;font-size:13px;\">\n");
    sbuf_addf(out, "<tr valign=\"bottom\" bgcolor=\"#%s\">\n", colour_hex(COLOUR_SHADE));
    for (size_t i = 0; i < t->ncolumns; i++)
        if (!t->columns[i].drawn)
            cell(out, "th", &t->columns[i], COLOUR_QUIET, text_get(c->lang, t->columns[i].title));
    sbuf_add(out, "</tr>\n");
    for (size_t i = 0, n = 0; i < t->rows.n; i++)
        if (shown[i])
            table_row_html(t, &t->rows.v[i], n++ % 2 == 1, out);
    sbuf_add(out, "</table>\n");
    if (left > 0) {
        char *more = mail_more(c, left);

        coloured(out, "p", "font-size:13px;margin:0 0 12px 0;", COLOUR_QUIET, more);
        free(more);
    }
    free(shown);
}

static void chart_block(const struct chart *chart, size_t number, struct sbuf *out)
{
    sbuf_addf(out,
              "<p style=\"margin:0 0 12px 0;\"><img src=\"cid:chart-%zu\" width=\"640\" "
              "style=\"max-width:100%%;height:auto;\" alt=\"",
              number);
    add_text(out, chart->title);
    add_text(out, ": ");
    add_text(out, chart->alt);
    sbuf_add(out, "\"></p>\n");
}

static void add_block(const struct content *c, const struct block *b, struct sbuf *out)
{
    static void (*const write[])(const struct content *, const struct block *, struct sbuf *) = {
        [BLOCK_TITLE] = title_block,     [BLOCK_GRADE] = grade_block,           [BLOCK_FIGURES] = figures_block,
        [BLOCK_HEADING] = heading_block, [BLOCK_SUBHEADING] = subheading_block, [BLOCK_TEXT] = text_block,
        [BLOCK_TABLE] = table_block,
    };

    write[b->type](c, b, out);
}

/* Only the PDF is signed: the heading above the signatures is not in the mail either. */
static bool skipped(const struct content *c, size_t i)
{
    return c->blocks.v[i]->type == BLOCK_SIGNATURES ||
           (i + 1 < c->blocks.n && c->blocks.v[i + 1]->type == BLOCK_SIGNATURES);
}

void mail_html(const struct content *c, struct sbuf *out)
{
    char *foot = mail_foot(c);
    size_t charts = 0;

    sbuf_addf(out,
              "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
              c->lang == LANG_ZH_CN ? "zh-CN" : "en");
    add_text(out, c->title);
    sbuf_addf(out,
              "</title>\n</head>\n<body style=\"margin:0;padding:0;background:#%s;\">\n"
              "<div style=\"max-width:760px;margin:0 auto;padding:24px;background:#ffffff;color:#%s;" FONT "\">\n",
              colour_hex(COLOUR_SHADE), colour_hex(COLOUR_TEXT));
    for (size_t i = 0; i < c->blocks.n; i++) {
        if (c->blocks.v[i]->type == BLOCK_CHART)
            chart_block(&c->blocks.v[i]->chart, ++charts, out);
        else if (!skipped(c, i))
            add_block(c, c->blocks.v[i], out);
    }
    coloured(out, "p", "font-size:12px;margin:28px 0 0 0;", COLOUR_QUIET, foot);
    sbuf_add(out, "</div>\n</body>\n</html>\n");
    free(foot);
}
