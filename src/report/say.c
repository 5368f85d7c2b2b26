/* What sections.h has for all sections: texts, cells, headings. */
#include "report/sections.h"

#include <stdlib.h>

#include "base/mem.h"

#define EN_DASH "\xe2\x80\x93"

char *say(const struct content *c, const char *id)
{
    return xstrdup(text_get(c->lang, id));
}

char *say_args(const struct content *c, const char *id, const struct text_arg *args, size_t n)
{
    struct sbuf b = {0};

    text_fill(&b, text_get(c->lang, id), args, n);
    return sbuf_take(&b);
}

char *say_count(int64_t n)
{
    struct sbuf b = {0};

    words_count(&b, n);
    return sbuf_take(&b);
}

char *say_maybe(const struct maybe *m)
{
    return m->known ? say_count(m->v) : xstrdup(EN_DASH);
}

char *say_share(int64_t part, int64_t whole)
{
    struct sbuf b = {0};

    words_share(&b, part, whole);
    return sbuf_take(&b);
}

char *say_of(int64_t part, int64_t whole)
{
    struct sbuf b = {0};

    words_count(&b, part);
    sbuf_add(&b, " / ");
    words_count(&b, whole);
    return sbuf_take(&b);
}

char *say_duration(const struct content *c, int64_t ms)
{
    struct sbuf b = {0};

    if (ms > 0)
        words_duration(&b, c->lang, ms);
    else
        sbuf_add(&b, EN_DASH);
    return sbuf_take(&b);
}

char *say_stamp(const struct content *c, int64_t wall_ms)
{
    struct sbuf b = {0};

    words_stamp(&b, c->doc, wall_ms);
    return sbuf_take(&b);
}

char *say_maybe_stamp(const struct content *c, const struct maybe *m)
{
    return m->known ? say_stamp(c, m->v) : xstrdup(EN_DASH);
}

char *say_text(const char *s)
{
    return xstrdup(s ? s : EN_DASH);
}

void heading(struct content *c, const char *id)
{
    content_add(c, BLOCK_HEADING, xasprintf("%d  %s", ++c->headings, text_get(c->lang, id)), NULL);
}

void subheading(struct content *c, const char *id)
{
    content_add(c, BLOCK_SUBHEADING, say(c, id), NULL);
}

void paragraph(struct content *c, enum tone tone, char *taken)
{
    content_add(c, BLOCK_TEXT, NULL, taken)->tone = tone;
}

void cell_text(struct table *t, const char *s)
{
    table_cell(t, s ? TONE_PLAIN : TONE_DIM, say_text(s));
}

void cell_count(struct table *t, int64_t n)
{
    table_cell(t, TONE_PLAIN, say_count(n));
}

void cell_alarm(struct table *t, enum tone tone, int64_t n)
{
    table_cell(t, n > 0 ? tone : TONE_DIM, say_count(n));
}

void cell_device(struct table *t, const struct document *doc, int64_t id)
{
    cell_text(t, document_device(doc, id)->name);
}

enum tone tone_of_result(enum doc_result result)
{
    static const enum tone tones[] = {TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM};

    return tones[result];
}

enum tone tone_of_severity(int severity)
{
    static const enum tone tones[] = {TONE_DIM, TONE_WARN, TONE_BAD, TONE_BAD};

    return tones[severity];
}

void cell_result(struct content *c, struct table *t, enum doc_result result)
{
    struct cell *cell =
        table_cell(t, tone_of_result(result), xstrdup(words_code(c->lang, "report.result", doc_results[result])));

    cell->picture = PICTURE_DOT;
}

void total_row(struct content *c, struct table *t)
{
    struct row *r = table_row(t);

    r->total = r->notable = true;
    table_cell(t, TONE_PLAIN, say(c, "report.total"));
}

void row_end(struct table *t)
{
    while (t->cells.n - t->rows.v[t->rows.n - 1].first < t->ncolumns)
        table_cell(t, TONE_PLAIN, NULL);
}
