#include <stdlib.h>

#include "ctl/sheet.h"

/* ---- Lists ---- */

/* The sheet is begun with the first row, so that a refused query shows nothing. */
struct list {
    struct ctl *t;
    const struct ctl_column *columns;
    struct sheet *sheet;
    void (*prepare)(struct ctl *t, json_t *row); /* adds what patrold does not give; may be NULL */
};

static void begin(struct list *l)
{
    if (l->sheet)
        return;
    l->sheet = sheet_open(l->t);
    sheet_table(l->sheet, NULL, NULL, l->columns);
}

static bool list_row(void *ctx, json_t *row)
{
    struct list *l = ctx;

    begin(l);
    if (l->prepare)
        l->prepare(l->t, row);
    return sheet_row(l->sheet, row);
}

static int show_list(struct list *l, const struct command *c, json_t *args)
{
    int code = ctl_each(l->t, c->request, args, list_row, l), closed;

    if (code == EXIT_DONE)
        begin(l);
    closed = l->sheet ? sheet_close(l->sheet) : EXIT_DONE;
    return code != EXIT_DONE ? code : closed;
}

int run_list(struct ctl *t, const struct command *c, json_t *args)
{
    struct list l = {.t = t, .columns = c->columns};

    return show_list(&l, c, args);
}

static void add_sentence(struct ctl *t, json_t *row)
{
    struct sbuf words = {0};

    event_words(t, row, &words);
    json_object_set_new(row, "text", json_string(words.s));
    sbuf_free(&words);
}

int run_event_list(struct ctl *t, const struct command *c, json_t *args)
{
    struct list l = {.t = t, .columns = c->columns, .prepare = add_sentence};

    return show_list(&l, c, args);
}

/* ---- Facts ---- */

static bool write_facts(void *ctx, json_t *facts)
{
    struct ctl *t = ctx;

    json_dumpf(facts, t->out, JSON_COMPACT);
    fputc('\n', t->out);
    return !ferror(t->out);
}

/* JSON Lines always: the format is for programs. */
int run_facts(struct ctl *t, const struct command *c, json_t *args)
{
    return ctl_each(t, c->request, args, write_facts, t);
}
