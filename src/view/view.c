#include "view/table.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "view/writer.h"

int view_write_file(void *ctx, const char *p, size_t n)
{
    return fwrite(p, 1, n, ctx) == n ? 0 : pd_err_from_errno(errno);
}

struct view *view_open(const struct view_options *options)
{
    static const struct writer *const writers[] = {
        [VIEW_PEOPLE] = &writer_people,
        [VIEW_JSON] = &writer_json,
        [VIEW_JSON_LINES] = &writer_json_lines,
        [VIEW_CSV] = &writer_csv,
    };
    struct view *v = xcalloc(1, sizeof *v);

    v->options = *options;
    if (!v->options.yes)
        v->options.yes = "yes";
    if (!v->options.no)
        v->options.no = "no";
    v->writer = writers[options->format];
    return v;
}

static void end_section(struct view *v)
{
    if (!v->open)
        return;
    assert(v->ncells == 0 && (!v->section.record || v->nrows == 1));
    v->writer->end(v);
    v->open = false;
}

int view_close(struct view *v)
{
    int rc;

    end_section(v);
    v->writer->close(v);
    view_send(v);
    rc = v->rc;
    sbuf_free(&v->out);
    sbuf_free(&v->texts);
    free(v->cells);
    free(v);
    return rc;
}

void view_send(struct view *v)
{
    if (v->rc == 0 && v->out.n > 0)
        v->rc = v->options.write(v->options.ctx, v->out.s, v->out.n);
    sbuf_reset(&v->out);
}

static void begin_section(struct view *v, const struct section *s)
{
    /* What has no name is the whole, or comes first. */
    assert(v->nsections == 0 || (s->name && (v->section.name || v->section.record)));
    end_section(v);
    v->section = *s;
    v->cells = xreallocarray(v->cells, s->ncolumns, sizeof *v->cells);
    v->nrows = 0;
    v->open = true;
    v->writer->begin(v);
    v->nsections++;
    view_send(v);
}

void view_table(struct view *v, const char *name, const char *title, const struct view_column *columns, size_t n)
{
    begin_section(v, &(struct section){.name = name, .title = title, .columns = columns, .ncolumns = n});
}

void view_record(struct view *v, const char *name, const char *title, const struct view_column *columns, size_t n)
{
    begin_section(v,
                  &(struct section){.record = true, .name = name, .title = title, .columns = columns, .ncolumns = n});
}

static struct cell *next_cell(struct view *v, enum view_type type)
{
    struct cell *c;

    assert(v->open && v->ncells < v->section.ncolumns);
    assert(v->section.columns[v->ncells].type == type);
    (void)type;
    c = &v->cells[v->ncells++];
    *c = (struct cell){.known = true, .style = v->style};
    v->style = VIEW_PLAIN;
    return c;
}

void view_style(struct view *v, enum view_style style)
{
    v->style = (uint8_t)style;
}

/* Keeps a text until the row ends. */
static size_t keep(struct view *v, const char *text)
{
    size_t at = v->texts.n;

    sbuf_addn(&v->texts, text, strlen(text) + 1);
    return at;
}

void view_none(struct view *v)
{
    assert(v->open && v->ncells < v->section.ncolumns);
    next_cell(v, v->section.columns[v->ncells].type)->known = false;
}

void view_text(struct view *v, const char *text)
{
    struct cell *c = next_cell(v, VIEW_TEXT);

    c->known = text != NULL;
    if (text)
        c->text = c->words = keep(v, text);
}

void view_code(struct view *v, const char *code, const char *words)
{
    struct cell *c = next_cell(v, VIEW_CODE);

    c->known = code != NULL;
    if (code)
        c->text = c->words = keep(v, code);
    if (code && words)
        c->words = keep(v, words);
}

void view_int(struct view *v, int64_t i)
{
    next_cell(v, VIEW_INT)->i = i;
}

void view_num(struct view *v, double num)
{
    struct cell *c = next_cell(v, VIEW_NUM);

    c->known = isfinite(num);
    c->num = num;
}

void view_bool(struct view *v, bool b)
{
    next_cell(v, VIEW_BOOL)->b = b;
}

void view_time(struct view *v, int64_t wall_ms)
{
    next_cell(v, VIEW_TIME)->i = wall_ms;
}

void view_row_end(struct view *v)
{
    assert(!v->section.record || v->nrows == 0);
    while (v->ncells < v->section.ncolumns)
        view_none(v);
    v->writer->row(v);
    v->nrows++;
    v->ncells = 0;
    sbuf_reset(&v->texts);
    view_send(v);
}

void view_flush(struct view *v)
{
    if (v->writer->flush)
        v->writer->flush(v);
    view_send(v);
}

/* A finite number with as few digits as tell it from all others. */
static void add_shortest(struct sbuf *b, double num)
{
    char digits[32];
    double back;

    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, num);
        if (str_to_double(digits, &back) == 0 && back == num)
            break;
    }
    sbuf_add(b, digits);
}

void add_plain(struct sbuf *b, enum view_type type, const struct cell *c)
{
    char stamp[25];

    switch (type) {
    case VIEW_TEXT:
    case VIEW_CODE:
        break;
    case VIEW_INT:
        sbuf_addf(b, "%lld", (long long)c->i);
        break;
    case VIEW_NUM:
        add_shortest(b, c->num);
        break;
    case VIEW_BOOL:
        sbuf_add(b, c->b ? "true" : "false");
        break;
    case VIEW_TIME:
        str_utc_ms(c->i, stamp);
        sbuf_add(b, stamp);
        break;
    }
}
