#ifndef PD_VIEW_ROW_H
#define PD_VIEW_ROW_H

#include <jansson.h>

#include "view/table.h"

/*
 * Gives a whole row from a JSON object: each column gets the member of its name,
 * or of its name with _ms where it is a stamp; "a.b" is b of a. A member that is
 * missing, null or of another type is as view_none(), and so is a stamp of 0. `words` (may be NULL)
 * tells what people read for a code; `style` (may be NULL) how a cell looks.
 */
struct view_row_ops {
    const char *(*words)(void *ctx, const struct view_column *col, const char *code);
    enum view_style (*style)(void *ctx, const struct view_column *col, const json_t *row);
    void *ctx;
};

void view_row(struct view *v, const struct view_column *columns, size_t n, const json_t *row,
              const struct view_row_ops *ops);

#endif
