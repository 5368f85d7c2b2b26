#include "ctl/pieces.h"

#include <string.h>

#include "base/dict.h"

enum {
    MOST_ROWS = 5000,     /* of one request */
    MOST_BYTES = 6000000, /* likewise: patrold takes 8 MiB */
    PIECE_ROWS = 250,     /* some milliseconds of patrold's */
};

bool pieces_wanted(const struct import_file *f)
{
    return json_array_size(f->rows) > MOST_ROWS || json_dumpb(f->rows, NULL, 0, JSON_COMPACT) > MOST_BYTES;
}

/* The rounds of an import: how far it is, and what came of the pieces so far. */
struct pieces {
    struct ctl *t;
    const struct command *c;
    bool dry;
    size_t done, total; /* rows of both rounds */
    json_t *sum;
};

static void add_count(json_t *sum, const json_t *answer, const char *name)
{
    json_object_set_new(sum, name,
                        json_integer(json_integer_value(json_object_get(sum, name)) +
                                     json_integer_value(json_object_get(answer, name))));
}

/* Notes say of which row they are: from here on, of the whole table. */
static void add_notes(json_t *sum, const json_t *answer, const char *name, size_t offset)
{
    json_t *note;
    size_t i;

    json_array_foreach(json_object_get(answer, name), i, note)
    {
        json_t *row = json_object_get(note, "row");

        json_integer_set(row, json_integer_value(row) + (json_int_t)offset);
        json_array_append(json_object_get(sum, name), note);
    }
}

static void add_answer(struct pieces *p, const json_t *answer, size_t offset)
{
    add_count(p->sum, answer, "added");
    add_count(p->sum, answer, "changed");
    add_count(p->sum, answer, "unchanged");
    add_count(p->sum, answer, "wrong");
    json_array_extend(json_object_get(p->sum, "fates"), json_object_get(answer, "fates"));
    add_notes(p->sum, answer, "changes", offset);
    add_notes(p->sum, answer, "errors", offset);
    add_notes(p->sum, answer, "warnings", offset);
}

/* One piece, of rows that are given away: what came of it, or NULL after telling why not. */
static json_t *send_piece(struct pieces *p, json_t *rows)
{
    size_t n = json_array_size(rows);
    json_t *args = json_pack("{s:o, s:b}", "rows", rows, "dry_run", p->dry);
    json_t *answer = ctl_ask(p->t, json_pack("{s:s, s:o}", "cmd", p->c->request, "args", args));
    json_t *ok = json_incref(json_object_get(answer, "ok"));

    json_decref(answer);
    p->done += n;
    ctl_progress(p->t, (unsigned)(p->done * 100 / p->total));
    return ok;
}

static struct dict *names_of(const json_t *rows)
{
    struct dict *names = dict_new();
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));

        if (name)
            dict_put(names, name, row);
    }
    return names;
}

static bool waits_for_parent(const struct import_file *f, const struct dict *names, const json_t *row)
{
    const char *parent = f->kind == ARCHIVE_DEVICE ? json_string_value(json_object_get(row, "parent")) : NULL;

    return parent && dict_get(names, parent);
}

/* A piece of the first round, beginning with row `at`. */
static json_t *first_piece(const struct import_file *f, const struct dict *names, size_t at)
{
    json_t *rows = json_array();

    for (size_t i = at; i < at + PIECE_ROWS && i < json_array_size(f->rows); i++) {
        json_t *row = json_array_get(f->rows, i);

        if (waits_for_parent(f, names, row)) {
            json_array_append_new(rows, json_copy(row));
            json_object_del(json_array_get(rows, json_array_size(rows) - 1), "parent");
        } else {
            json_array_append(rows, row);
        }
    }
    return rows;
}

/* Those that waited for their parents: what they are told of is known already. */
static bool second_round(struct pieces *p, json_t *late)
{
    for (size_t at = 0; at < json_array_size(late); at += PIECE_ROWS) {
        json_t *rows = json_array(), *ok;

        for (size_t i = at; i < at + PIECE_ROWS && i < json_array_size(late); i++)
            json_array_append(rows, json_array_get(late, i));
        ok = send_piece(p, rows);
        if (!ok)
            return false;
        json_decref(ok);
    }
    return true;
}

static json_t *late_rows(const struct import_file *f, const struct dict *names)
{
    json_t *late = json_array(), *row;
    size_t i;

    json_array_foreach(f->rows, i, row)
    {
        if (waits_for_parent(f, names, row))
            json_array_append(late, row);
    }
    return late;
}

static bool first_round(struct pieces *p, const struct import_file *f, const struct dict *names, size_t *taken)
{
    for (size_t at = 0; at < json_array_size(f->rows); at += PIECE_ROWS) {
        json_t *ok = send_piece(p, first_piece(f, names, at));

        if (!ok)
            return false;
        add_answer(p, ok, at);
        *taken = p->done;
        json_decref(ok);
    }
    return true;
}

json_t *pieces_send(struct ctl *t, const struct command *c, const struct import_file *f, bool dry, size_t *taken)
{
    struct dict *names = names_of(f->rows);
    json_t *late = dry ? json_array() : late_rows(f, names);
    struct pieces p = {
        .t = t,
        .c = c,
        .dry = dry,
        .total = json_array_size(f->rows) + json_array_size(late),
        .sum = json_pack("{s:[], s:[], s:[], s:[]}", "fates", "changes", "errors", "warnings"),
    };

    *taken = 0;
    ctl_progress(t, 0);
    if (!first_round(&p, f, names, taken) || !second_round(&p, late)) {
        ctl_progress(t, 100);
        json_decref(p.sum);
        p.sum = NULL;
    }
    json_decref(late);
    dict_free(names);
    return p.sum;
}
