#include "ctl/sheet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/mem.h"
#include "view/row.h"

/* A terminal of fewer columns is narrow. */
enum { WIDE = 120 };

/* The columns of one section, as the view and as the command table have them. */
struct section {
    struct view_column *columns;
    const struct ctl_column **specs;
    size_t n;
};

struct sheet {
    struct ctl *t;
    struct view *view;
    ARRAY(struct section) sections;
    bool record; /* the section is one */
};

static bool narrow(const struct ctl *t)
{
    return t->format == VIEW_PEOPLE && t->width > 0 && t->width < WIDE;
}

/* Stamps for people: shorter where there is little room. */
static void give_time(void *ctx, int64_t wall_ms, struct sbuf *out)
{
    const struct sheet *s = ctx;

    ctl_local_time(wall_ms, narrow(s->t) && !s->record, out);
}

struct sheet *sheet_open(struct ctl *t)
{
    struct sheet *s = xcalloc(1, sizeof *s);
    const struct view_options options = {
        .format = t->format,
        .colour = t->colour,
        .write = view_write_file,
        .ctx = t->out,
        .yes = text_get(t->lang, "word.yes"),
        .no = text_get(t->lang, "word.no"),
        .time = give_time,
        .time_ctx = s,
    };

    s->t = t;
    s->view = view_open(&options);
    return s;
}

static uint8_t max_width(const struct ctl *t, const struct ctl_column *c)
{
    return t->width == 0 ? 0 : narrow(t) ? c->max : (uint8_t)(2 * c->max);
}

static bool is_shown(const struct ctl *t, const struct ctl_column *c, bool record)
{
    if (c->shown == SHOWN_PROGRAMS)
        return t->format != VIEW_PEOPLE;
    return c->shown == SHOWN_ALWAYS || record || !narrow(t);
}

static const char *column_title(const struct ctl *t, const struct ctl_column *c)
{
    char id[64];
    const char *text;

    if (c->title)
        return text_get(t->lang, c->title);
    snprintf(id, sizeof id, "ctl.col.%s", c->name);
    text = text_get(t->lang, id);
    return text == id ? c->name : text;
}

/* Those of the columns that there is room for; a record has room for all. */
static const struct section *add_section(struct sheet *s, const struct ctl_column *columns, bool record)
{
    struct section section = {0};
    size_t n = 0;

    while (columns[n].name)
        n++;
    section.columns = xcalloc(n, sizeof *section.columns);
    section.specs = xcalloc(n, sizeof *section.specs);
    s->record = record;
    for (size_t i = 0; i < n; i++) {
        const struct ctl_column *c = &columns[i];

        if (!is_shown(s->t, c, record))
            continue;
        section.specs[section.n] = c;
        section.columns[section.n++] = (struct view_column){
            .name = c->name, .title = column_title(s->t, c), .type = c->type, .max_width = max_width(s->t, c)};
    }
    array_push(&s->sections, section);
    return &s->sections.v[s->sections.n - 1];
}

static const char *title_text(const struct sheet *s, const char *title)
{
    return title ? text_get(s->t->lang, title) : NULL;
}

void sheet_table(struct sheet *s, const char *name, const char *title, const struct ctl_column *columns)
{
    const struct section *section = add_section(s, columns, false);

    view_table(s->view, name, title_text(s, title), section->columns, section->n);
}

void sheet_record(struct sheet *s, const char *name, const char *title, const struct ctl_column *columns)
{
    const struct section *section = add_section(s, columns, true);

    view_record(s->view, name, title_text(s, title), section->columns, section->n);
}

static const struct ctl_column *spec_of(const struct sheet *s, const struct view_column *col)
{
    const struct section *section = &s->sections.v[s->sections.n - 1];

    return section->specs[col - section->columns];
}

static const char *cell_words(void *ctx, const struct view_column *col, const char *code)
{
    struct sheet *s = ctx;

    return s->t->format == VIEW_PEOPLE ? ctl_words(s->t, spec_of(s, col)->words, code) : NULL;
}

/* How a code is coloured, whatever list it stands in. */
static enum view_style cell_style(void *ctx, const struct view_column *col, const json_t *row)
{
    static const struct {
        const char *code;
        enum view_style style;
    } styles[] = {
        {"critical", VIEW_BAD}, {"major", VIEW_BAD},  {"warning", VIEW_WARN},  {"down", VIEW_BAD},
        {"up", VIEW_GOOD},      {"failed", VIEW_BAD}, {"held", VIEW_WARN},     {"ok", VIEW_DIM},
        {"closed", VIEW_DIM},   {"sent", VIEW_DIM},   {"cancelled", VIEW_DIM},
    };
    const char *code = col->type == VIEW_CODE ? ctl_string(row, col->name) : "";

    (void)ctx;
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        if (strcmp(styles[i].code, code) == 0)
            return styles[i].style;
    return VIEW_PLAIN;
}

bool sheet_row(struct sheet *s, const json_t *row)
{
    const struct view_row_ops ops = {.words = cell_words, .style = cell_style, .ctx = s};
    const struct section *section = &s->sections.v[s->sections.n - 1];

    view_row(s->view, section->columns, section->n, row, &ops);
    return !ferror(s->t->out);
}

void sheet_flush(struct sheet *s)
{
    view_flush(s->view);
}

int sheet_close(struct sheet *s)
{
    struct ctl *t = s->t;
    int rc = view_close(s->view);

    if (fflush(t->out) != 0)
        rc = -1;
    for (size_t i = 0; i < s->sections.n; i++) {
        free(s->sections.v[i].columns);
        free(s->sections.v[i].specs);
    }
    array_free(&s->sections);
    free(s);
    return rc == 0 ? EXIT_DONE
                   : ctl_fail_text(t, "ctl.error.output", (struct text_arg[]){{"why", strerror(errno)}, {0}});
}
