#include "report/content.h"

#include <stdlib.h>

#include "base/mem.h"

struct block *content_add(struct content *c, enum block_type type, char *taken_title, char *taken_text)
{
    struct block *b = xcalloc(1, sizeof *b);

    b->type = type;
    b->title = taken_title;
    b->text = taken_text;
    array_push(&c->blocks, b);
    return b;
}

struct block *content_table(struct content *c, const struct column *columns, size_t n)
{
    struct block *b = content_add(c, BLOCK_TABLE, NULL, NULL);

    b->table.columns = columns;
    b->table.ncolumns = n;
    return b;
}

struct block *content_chart(struct content *c, enum chart_type type, char *taken_title)
{
    struct block *b = content_add(c, BLOCK_CHART, NULL, NULL);

    b->chart.type = type;
    b->chart.title = taken_title;
    return b;
}

void content_pair(struct block *b, char *taken_label, char *taken_value, enum tone tone)
{
    struct pair p = {.tone = tone};

    p.label = taken_label;
    p.value = taken_value;
    array_push(&b->pairs, p);
}

struct row *table_row(struct table *t)
{
    struct row r = {.first = t->cells.n};

    array_push(&t->rows, r);
    return &t->rows.v[t->rows.n - 1];
}

struct cell *table_cell(struct table *t, enum tone tone, char *taken_text)
{
    struct cell c = {.tone = tone};

    c.text = taken_text;
    array_push(&t->cells, c);
    return &t->cells.v[t->cells.n - 1];
}

static void free_block(struct block *b)
{
    for (size_t i = 0; i < b->pairs.n; i++) {
        free(b->pairs.v[i].label);
        free(b->pairs.v[i].value);
    }
    for (size_t i = 0; i < b->table.cells.n; i++)
        free(b->table.cells.v[i].text);
    for (size_t i = 0; i < b->chart.bars.n; i++) {
        free(b->chart.bars.v[i].label);
        free(b->chart.bars.v[i].value);
    }
    array_free(&b->pairs);
    array_free(&b->table.cells);
    array_free(&b->table.rows);
    free(b->table.widths);
    array_free(&b->chart.bars);
    free(b->chart.title);
    free(b->chart.alt);
    free(b->title);
    free(b->text);
    free(b);
}

void content_free(struct content *c)
{
    for (size_t i = 0; i < c->blocks.n; i++)
        free_block(c->blocks.v[i]);
    array_free(&c->blocks);
    free(c->title);
    free(c->subject);
}
