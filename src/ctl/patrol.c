#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/sheet.h"

static const struct ctl_column round_columns[] = {
    {.name = "id", .title = "ctl.col.round", .type = VIEW_INT},
    {.name = "plan", .shown = SHOWN_PROGRAMS},
    {.name = "n", .type = VIEW_INT, .shown = SHOWN_PROGRAMS},
    {.name = "title", .max = 20},
    {.name = "site", .max = 14},
    {.name = "customer", .max = 14, .shown = SHOWN_WIDE},
    {.name = "due", .type = VIEW_TIME},
    {.name = "deadline", .title = "ctl.col.finish-by", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "state", .type = VIEW_CODE, .words = "round-state", .max = 12},
    {.name = "visits", .type = VIEW_INT},
    {.name = "visits_done", .type = VIEW_INT},
    {.name = "items", .type = VIEW_INT, .shown = SHOWN_WIDE},
    {.name = "items_open", .type = VIEW_INT, .shown = SHOWN_WIDE},
    {.name = "attention", .type = VIEW_INT},
    {.name = "fault", .title = "ctl.col.faults", .type = VIEW_INT},
    {.name = "technician", .max = 10, .shown = SHOWN_WIDE},
    {.name = "started", .type = VIEW_TIME, .shown = SHOWN_PROGRAMS},
    {.name = "finished", .type = VIEW_TIME, .shown = SHOWN_PROGRAMS},
    {.name = "signed", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "signed_by", .max = 10, .shown = SHOWN_WIDE},
    {.name = "chases", .type = VIEW_INT, .shown = SHOWN_PROGRAMS},
    {.name = "note", .shown = SHOWN_PROGRAMS},
    {0},
};

static const struct ctl_column visit_columns[] = {
    {.name = "device", .max = 20},
    {.name = "device_class", .type = VIEW_CODE, .words = "class", .max = 12},
    {.name = "state", .type = VIEW_CODE, .words = "visit-state", .max = 10},
    {.name = "items", .type = VIEW_INT},
    {.name = "items_open", .type = VIEW_INT},
    {.name = "attention", .type = VIEW_INT},
    {.name = "fault", .title = "ctl.col.faults", .type = VIEW_INT},
    {.name = "done", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "by", .max = 10, .shown = SHOWN_WIDE},
    {0},
};

static const struct ctl_column item_columns[] = {
    {.name = "device", .max = 14},
    {.name = "code", .title = "ctl.col.item", .max = 14},
    {.name = "title", .max = 20, .shown = SHOWN_WIDE},
    {.name = "polled", .type = VIEW_BOOL, .shown = SHOWN_PROGRAMS},
    {.name = "result", .type = VIEW_CODE, .words = "check-result", .max = 12},
    {.name = "value", .max = 24},
    {.name = "value_at", .type = VIEW_TIME, .shown = SHOWN_PROGRAMS},
    {.name = "found", .max = 14, .shown = SHOWN_WIDE},
    {.name = "note", .max = 20, .shown = SHOWN_WIDE},
    {.name = "by", .max = 10, .shown = SHOWN_WIDE},
    {.name = "ticket"},
    {0},
};

static const struct ctl_column plan_columns[] = {
    {.name = "name"},
    {.name = "title", .max = 20},
    {.name = "kind", .type = VIEW_CODE, .words = "plan-kind", .max = 12},
    {.name = "rule", .title = "ctl.col.recurs", .max = 30, .shown = SHOWN_WIDE},
    {.name = "calendar", .max = 12, .shown = SHOWN_PROGRAMS},
    {.name = "checklist", .max = 12, .shown = SHOWN_PROGRAMS},
    {.name = "technician", .max = 10, .shown = SHOWN_WIDE},
    {.name = "devices", .type = VIEW_INT},
    {.name = "open_rounds", .type = VIEW_INT},
    {.name = "last", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "next", .type = VIEW_TIME},
    {.name = "then", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "later", .type = VIEW_TIME, .shown = SHOWN_PROGRAMS},
    {0},
};

/* The title in the reader's language, under the name that the columns have. */
static void add_title(const struct ctl *t, json_t *row)
{
    const char *own = ctl_string(row, t->lang == LANG_ZH_CN ? "title_zh_CN" : "title_en");
    const char *other = ctl_string(row, t->lang == LANG_ZH_CN ? "title_en" : "title_zh_CN");
    const char *code = *ctl_string(row, "code")   ? ctl_string(row, "code")
                       : *ctl_string(row, "plan") ? ctl_string(row, "plan")
                                                  : ctl_string(row, "name");

    json_object_set_new(row, "title", json_string(*own ? own : *other ? other : code));
    if (json_object_get(row, "value_ms"))
        json_object_set(row, "value_at_ms", json_object_get(row, "value_ms"));
}

struct shown {
    struct ctl *t;
    const struct ctl_column *columns;
    const char *name, *title;
    struct sheet *sheet;
    bool begun;
};

static void begin(struct shown *s)
{
    if (!s->sheet)
        s->sheet = sheet_open(s->t);
    if (!s->begun)
        sheet_table(s->sheet, s->name, s->title, s->columns);
    s->begun = true;
}

static bool show_row(void *ctx, json_t *row)
{
    struct shown *s = ctx;

    begin(s);
    add_title(s->t, row);
    return sheet_row(s->sheet, row);
}

static int show_list(struct ctl *t, const char *query, const struct ctl_column *columns, json_t *filters)
{
    struct shown s = {.t = t, .columns = columns};
    int code = ctl_each(t, query, filters, show_row, &s), closed;

    if (code == EXIT_DONE)
        begin(&s);
    closed = s.sheet ? sheet_close(s.sheet) : EXIT_DONE;
    return code != EXIT_DONE ? code : closed;
}

int run_patrol_list(struct ctl *t, const struct command *c, json_t *args)
{
    return show_list(t, c->request, round_columns, args);
}

int run_plan_list(struct ctl *t, const struct command *c, json_t *args)
{
    return show_list(t, c->request, plan_columns, args);
}

/* ---- patrol show ---- */

/* The filters of the round that a reference means: its number, or a plan's open one. */
static json_t *round_filters(const char *ref)
{
    if (*ref && ref[strspn(ref, "0123456789")] == '\0')
        return json_pack("{s:s}", "round", ref);
    return json_pack("{s:s, s:s}", "plan", ref, "state", "open");
}

static int show_part(struct ctl *t, struct sheet *sheet, const char *query, const struct ctl_column *columns,
                     json_t *filters)
{
    struct shown s = {.t = t, .columns = columns, .name = query, .title = NULL, .sheet = sheet};
    char title[32];
    int code;

    snprintf(title, sizeof title, "ctl.title.%s", query);
    s.title = title;
    if (t->format == VIEW_CSV) {
        s.name = NULL;
        s.title = NULL;
    }
    begin(&s);
    code = ctl_each(t, query, filters, show_row, &s);
    return code;
}

static bool stop_at_row(void *ctx, json_t *row)
{
    (void)row;
    *(bool *)ctx = true;
    return false;
}

/* EXIT_DONE if the round has a visit to the device that is asked for. */
static int check_visit(struct ctl *t, json_t *filters)
{
    const char *device = ctl_string(filters, "device");
    bool found = false;
    char round[24];
    int code;

    if (!*device)
        return EXIT_DONE;
    code = ctl_each(t, "visits", filters, stop_at_row, &found);
    if (code != EXIT_DONE || found)
        return code;
    snprintf(round, sizeof round, "%lld", (long long)json_integer_value(json_object_get(filters, "round")));
    return ctl_fail_text(t, "ctl.error.no-visit", (struct text_arg[]){{"round", round}, {"word", device}, {0}});
}

/* The round, its visits and their items; as CSV the items alone. */
int run_patrol_show(struct ctl *t, const struct command *c, json_t *args)
{
    const char *ref = ctl_string(args, "round");
    json_t *which = round_filters(ref), *row = ctl_row(t, c->request, which, ref), *filters;
    struct sheet *s;
    int code = EXIT_DONE, closed;

    json_decref(which);
    if (!row)
        return EXIT_FAILED;
    filters = json_pack("{s:O}", "round", json_object_get(row, "id"));
    if (json_object_get(args, "device"))
        json_object_set(filters, "device", json_object_get(args, "device"));
    if (check_visit(t, filters) != EXIT_DONE) {
        json_decref(filters);
        json_decref(row);
        return EXIT_FAILED;
    }
    s = sheet_open(t);
    add_title(t, row);
    if (t->format != VIEW_CSV) {
        sheet_record(s, NULL, NULL, round_columns);
        sheet_row(s, row);
        code = show_part(t, s, "visits", visit_columns, filters);
    }
    if (code == EXIT_DONE)
        code = show_part(t, s, "items", item_columns, filters);
    closed = sheet_close(s);
    json_decref(filters);
    json_decref(row);
    return code != EXIT_DONE ? code : closed;
}

/* ---- patrol fill ---- */

/* As patrold takes it: names with an underscore. */
int run_patrol_fill(struct ctl *t, const struct command *c, json_t *args)
{
    if (json_object_get(args, "all-ok")) {
        json_object_set_new(args, "all_ok", json_true());
        json_object_del(args, "all-ok");
    }
    return run_action(t, c, args);
}
