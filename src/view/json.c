#include "view/writer.h"

static void add_cell(struct view *v, const struct view_column *col, const struct cell *c)
{
    const char *quote = col->type == VIEW_TIME ? "\"" : "";

    if (!c->known) {
        sbuf_add(&v->out, "null");
    } else if (col->type == VIEW_TEXT || col->type == VIEW_CODE) {
        sbuf_add_json(&v->out, cell_text(v, c));
    } else {
        sbuf_add(&v->out, quote);
        add_plain(&v->out, col->type, c);
        sbuf_add(&v->out, quote);
    }
}

/* "name": value, … without the braces. */
static void add_members(struct view *v)
{
    for (size_t i = 0; i < v->section.ncolumns; i++) {
        sbuf_add(&v->out, i ? ", " : "");
        sbuf_add_json(&v->out, v->section.columns[i].name);
        sbuf_add(&v->out, ": ");
        add_cell(v, &v->section.columns[i], &v->cells[i]);
    }
}

static void add_object(struct view *v)
{
    sbuf_addc(&v->out, '{');
    add_members(v);
    sbuf_addc(&v->out, '}');
}

/* The whole is one array: a table without a name. */
static bool bare(const struct view *v)
{
    return !v->section.record && !v->section.name;
}

static void json_begin(struct view *v)
{
    if (bare(v)) {
        sbuf_addc(&v->out, '[');
        return;
    }
    sbuf_add(&v->out, v->nsections ? ",\n" : "{\n");
    if (v->section.name) {
        sbuf_add_json(&v->out, v->section.name);
        sbuf_add(&v->out, v->section.record ? ": " : ": [");
    }
}

static void json_row(struct view *v)
{
    if (v->section.record && !v->section.name) {
        add_members(v); /* of the document's own object */
        return;
    }
    if (!v->section.record)
        sbuf_add(&v->out, v->nrows ? ",\n" : "\n");
    add_object(v);
}

static void json_end(struct view *v)
{
    if (!v->section.record)
        sbuf_add(&v->out, v->nrows ? "\n]" : "]");
}

static void json_close(struct view *v)
{
    if (v->nsections == 0)
        sbuf_add(&v->out, "{}\n");
    else
        sbuf_add(&v->out, bare(v) ? "\n" : "\n}\n");
}

const struct writer writer_json = {
    .begin = json_begin,
    .row = json_row,
    .end = json_end,
    .close = json_close,
};

static void lines_row(struct view *v)
{
    add_object(v);
    sbuf_addc(&v->out, '\n');
}

static void nothing(struct view *v)
{
    (void)v;
}

const struct writer writer_json_lines = {
    .begin = nothing,
    .row = lines_row,
    .end = nothing,
    .close = nothing,
};
