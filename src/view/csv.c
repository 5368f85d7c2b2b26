#include "view/writer.h"

#include <string.h>

/*
 * What makes a spreadsheet take a field for a formula and run it. The full-width
 * forms count where the spreadsheet's language is Chinese or Japanese.
 */
static const char *const formula_starts[] = {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"};

static bool is_formula(const char *s)
{
    for (size_t i = 0; i < sizeof formula_starts / sizeof *formula_starts; i++)
        if (str_starts(s, formula_starts[i]))
            return true;
    return false;
}

/* RFC 4180: quoted when it holds what separates fields, rows or itself. */
static void add_field(struct sbuf *out, const char *s)
{
    bool quoted = strpbrk(s, ",\"\r\n") != NULL;

    if (quoted)
        sbuf_addc(out, '"');
    if (is_formula(s))
        sbuf_addc(out, '\'');
    for (; *s; s++) {
        if (*s == '"')
            sbuf_addc(out, '"');
        sbuf_addc(out, *s);
    }
    if (quoted)
        sbuf_addc(out, '"');
}

static void add_cell(struct view *v, const struct view_column *col, const struct cell *c)
{
    if (!c->known)
        return;
    if (col->type == VIEW_TEXT || col->type == VIEW_CODE)
        add_field(&v->out, cell_text(v, c));
    else
        add_plain(&v->out, col->type, c);
}

/* The header; a further section begins after an empty line. */
static void csv_begin(struct view *v)
{
    sbuf_add(&v->out, v->nsections ? "\r\n" : "");
    for (size_t i = 0; i < v->section.ncolumns; i++) {
        sbuf_add(&v->out, i ? "," : "");
        add_field(&v->out, v->section.columns[i].name);
    }
    sbuf_add(&v->out, "\r\n");
}

static void csv_row(struct view *v)
{
    for (size_t i = 0; i < v->section.ncolumns; i++) {
        sbuf_add(&v->out, i ? "," : "");
        add_cell(v, &v->section.columns[i], &v->cells[i]);
    }
    sbuf_add(&v->out, "\r\n");
}

static void nothing(struct view *v)
{
    (void)v;
}

const struct writer writer_csv = {
    .begin = csv_begin,
    .row = csv_row,
    .end = nothing,
    .close = nothing,
};
