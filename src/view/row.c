#include "view/row.h"

#include <string.h>

/* The member that `path` leads to, its names parted by dots; NULL if it leads nowhere. */
static const json_t *follow(const json_t *at, const char *path, size_t n)
{
    while (at && n > 0) {
        const char *dot = memchr(path, '.', n);
        size_t len = dot ? (size_t)(dot - path) : n;

        at = json_object_getn(at, path, len);
        path += len + (dot != NULL);
        n -= len + (dot != NULL);
    }
    return at;
}

static const json_t *member(const json_t *row, const struct view_column *col)
{
    struct sbuf name = {0};
    const json_t *found;

    sbuf_add(&name, col->name);
    if (col->type == VIEW_TIME)
        sbuf_add(&name, "_ms");
    found = follow(row, name.s, name.n);
    sbuf_free(&name);
    return found;
}

static void give_cell(struct view *v, const struct view_column *col, const json_t *j, const struct view_row_ops *ops)
{
    bool stamp = col->type == VIEW_TIME && json_is_integer(j) && json_integer_value(j) != 0;
    const char *s = json_string_value(j);

    if (col->type == VIEW_TEXT && s)
        view_text(v, s);
    else if (col->type == VIEW_CODE && s)
        view_code(v, s, ops && ops->words ? ops->words(ops->ctx, col, s) : NULL);
    else if (col->type == VIEW_INT && json_is_integer(j))
        view_int(v, json_integer_value(j));
    else if (col->type == VIEW_NUM && json_is_number(j))
        view_num(v, json_number_value(j));
    else if (col->type == VIEW_BOOL && json_is_boolean(j))
        view_bool(v, json_is_true(j));
    else if (stamp)
        view_time(v, json_integer_value(j));
    else
        view_none(v);
}

void view_row(struct view *v, const struct view_column *columns, size_t n, const json_t *row,
              const struct view_row_ops *ops)
{
    for (size_t i = 0; i < n; i++) {
        if (ops && ops->style)
            view_style(v, ops->style(ops->ctx, &columns[i], row));
        give_cell(v, &columns[i], member(row, &columns[i]), ops);
    }
    view_row_end(v);
}
