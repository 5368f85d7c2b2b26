#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "ctl/ctl.h"

int run_list(struct ctl *t, const struct command *c, json_t *args)
{
    size_t ncolumns;
    struct view_column *columns = ctl_columns(t, c->columns, &ncolumns);
    struct view *v = NULL;
    json_int_t after = 0;
    int code = EXIT_DONE;

    do {
        json_t *answer = ctl_page(t, c->request, args, after), *row;
        size_t i;

        if (!answer) {
            code = EXIT_FAILED;
            break;
        }
        if (!v) {
            v = ctl_view(t);
            view_table(v, NULL, NULL, columns, ncolumns);
        }
        json_array_foreach(json_object_get(answer, "rows"), i, row) ctl_cells(t, v, c->columns, row);
        after = json_integer_value(json_object_get(answer, "next"));
        json_decref(answer);
    } while (after != 0);
    if (v && view_close(v) != 0)
        code = ctl_fail("cannot write the list");
    free(columns);
    return code;
}

static const struct ctl_column device_columns[] = {
    {"id", "ctl.col.id", VIEW_INT, NULL},
    {"name", "ctl.col.name", VIEW_TEXT, NULL},
    {"state", "ctl.col.state", VIEW_CODE, "device-state"},
    {"device_class", "ctl.col.class", VIEW_CODE, "class"},
    {"make", "ctl.col.make", VIEW_TEXT, NULL},
    {"model", "ctl.col.model", VIEW_TEXT, NULL},
    {"serial", "ctl.col.serial", VIEW_TEXT, NULL},
    {"address", "ctl.col.address", VIEW_TEXT, NULL},
    {"site", "ctl.col.site", VIEW_TEXT, NULL},
    {"last_answer_ms", "ctl.col.answered", VIEW_TIME, NULL},
    {"open_faults", "ctl.col.faults", VIEW_INT, NULL},
    {0},
};

/* How each device is doing, by its id; NULL after telling why there is none. */
static json_t *live_by_id(struct ctl *t)
{
    json_t *none = json_object(), *by_id = json_object(), *row;
    json_int_t after = 0;

    do {
        json_t *answer = ctl_page(t, "live", none, after);
        size_t i;

        if (!answer) {
            json_decref(by_id);
            by_id = NULL;
            break;
        }
        json_array_foreach(json_object_get(answer, "rows"), i, row)
        {
            char id[24];

            snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(row, "id")));
            json_object_set(by_id, id, row);
        }
        after = json_integer_value(json_object_get(answer, "next"));
        json_decref(answer);
    } while (after != 0);
    json_decref(none);
    return by_id;
}

/* The archive, page by page, each device with how it is doing now. */
int run_device_list(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *live = live_by_id(t);
    struct view_column *columns;
    struct view *v;
    size_t ncolumns;
    json_int_t after = 0;
    int code = EXIT_DONE;

    if (!live)
        return EXIT_FAILED;
    columns = ctl_columns(t, device_columns, &ncolumns);
    v = ctl_view(t);
    view_table(v, NULL, NULL, columns, ncolumns);
    do {
        json_t *answer = ctl_page(t, c->request, args, after), *row;
        size_t i;

        if (!answer) {
            code = EXIT_FAILED;
            break;
        }
        json_array_foreach(json_object_get(answer, "rows"), i, row)
        {
            char id[24];

            snprintf(id, sizeof id, "%" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(row, "id")));
            json_object_update_missing(row, json_object_get(live, id));
            ctl_cells(t, v, device_columns, row);
        }
        after = json_integer_value(json_object_get(answer, "next"));
        json_decref(answer);
    } while (after != 0);
    if (view_close(v) != 0)
        code = ctl_fail("cannot write the list");
    free(columns);
    json_decref(live);
    return code;
}
