#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/ctl.h"

/* ---- A record by its columns ---- */

static void show_record(struct ctl *t, struct view *v, const char *name, const struct ctl_column *spec, json_t *row)
{
    size_t n;
    struct view_column *columns = ctl_columns(t, spec, &n);

    view_record(v, name, NULL, columns, n);
    ctl_cells(t, v, spec, row);
    view_flush(v);
    free(columns);
}

static int close_view(struct view *v)
{
    return view_close(v) == 0 ? EXIT_DONE : ctl_fail("cannot write");
}

/* ---- status ---- */

static const struct ctl_column status_columns[] = {
    {"installation", "ctl.col.installation", VIEW_TEXT, NULL},
    {"devices", "ctl.col.devices", VIEW_INT, NULL},
    {"down", "ctl.col.down", VIEW_INT, NULL},
    {"open_faults", "ctl.col.faults", VIEW_INT, NULL},
    {"polls", "ctl.col.polls", VIEW_INT, NULL},
    {"failed_polls", "ctl.col.failed_polls", VIEW_INT, NULL},
    {"readings", "ctl.col.readings", VIEW_INT, NULL},
    {"stored_polls", "ctl.col.stored_polls", VIEW_INT, NULL},
    {"dropped_polls", "ctl.col.dropped_polls", VIEW_INT, NULL},
    {"queued_changes", "ctl.col.queued_changes", VIEW_INT, NULL},
    {"last_event", "ctl.col.last_event", VIEW_INT, NULL},
    {"mail_pending", "ctl.col.mail_pending", VIEW_INT, NULL},
    {"mail_sent", "ctl.col.mail_sent", VIEW_INT, NULL},
    {"mail_failed", "ctl.col.mail_failed", VIEW_INT, NULL},
    {"configuration", "ctl.col.configuration", VIEW_TEXT, NULL},
    {0},
};

static const struct ctl_column trouble_columns[] = {{"text", "ctl.col.trouble", VIEW_TEXT, NULL}, {0}};

/* Troubles first, as nobody reads on for them. */
static void show_troubles(struct ctl *t, struct view *v, json_t *troubles)
{
    size_t n, i;
    struct view_column *columns = ctl_columns(t, trouble_columns, &n);
    json_t *trouble;

    view_table(v, "troubles", NULL, columns, n);
    json_array_foreach(troubles, i, trouble)
    {
        view_style(v, VIEW_BAD);
        view_text(v, json_string_value(trouble));
        view_row_end(v);
    }
    view_flush(v);
    free(columns);
}

/* Exits 1 where there is trouble, so that a script can ask. */
int run_status(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *answer, *row = ctl_row(t, c->request, args, &answer);
    size_t ntroubles;
    struct view *v;
    int code;

    if (!row)
        return EXIT_FAILED;
    ntroubles = json_array_size(json_object_get(row, "troubles"));
    v = ctl_view(t);
    if (ntroubles > 0)
        show_troubles(t, v, json_object_get(row, "troubles"));
    show_record(t, v, ntroubles > 0 ? "status" : NULL, status_columns, row);
    code = close_view(v);
    json_decref(answer);
    return code == EXIT_DONE && ntroubles > 0 ? EXIT_FAILED : code;
}

/* ---- device show ---- */

static const struct ctl_column device_columns[] = {
    {"id", "ctl.col.id", VIEW_INT, NULL},
    {"name", "ctl.col.name", VIEW_TEXT, NULL},
    {"state", "ctl.col.state", VIEW_CODE, "device-state"},
    {"device_class", "ctl.col.class", VIEW_CODE, "class"},
    {"make", "ctl.col.make", VIEW_TEXT, NULL},
    {"model", "ctl.col.model", VIEW_TEXT, NULL},
    {"serial", "ctl.col.serial", VIEW_TEXT, NULL},
    {"firmware", "ctl.col.firmware", VIEW_TEXT, NULL},
    {"address", "ctl.col.address", VIEW_TEXT, NULL},
    {"port", "ctl.col.port", VIEW_INT, NULL},
    {"collector", "ctl.col.collector", VIEW_TEXT, NULL},
    {"credential", "ctl.col.credential", VIEW_TEXT, NULL},
    {"profile", "ctl.col.profile", VIEW_TEXT, NULL},
    {"site", "ctl.col.site", VIEW_TEXT, NULL},
    {"labels", "ctl.col.labels", VIEW_TEXT, NULL},
    {"added_ms", "ctl.col.added", VIEW_TIME, NULL},
    {"last_poll_ms", "ctl.col.polled", VIEW_TIME, NULL},
    {"last_answer_ms", "ctl.col.answered", VIEW_TIME, NULL},
    {"rtt_ms", "ctl.col.rtt", VIEW_INT, NULL},
    {"open_faults", "ctl.col.faults", VIEW_INT, NULL},
    {0},
};

static const struct ctl_column point_columns[] = {
    {"kind", "ctl.col.kind", VIEW_TEXT, NULL},     {"label", "ctl.col.component", VIEW_TEXT, NULL},
    {"point", "ctl.col.point", VIEW_TEXT, NULL},   {"value", "ctl.col.value", VIEW_TEXT, NULL},
    {"unit", "ctl.col.unit", VIEW_TEXT, NULL},     {"quality", "ctl.col.quality", VIEW_CODE, "quality"},
    {"source", "ctl.col.source", VIEW_TEXT, NULL}, {0},
};

/* A point's value as text, whatever its type. */
static char *value_text(json_t *value)
{
    struct sbuf list = {0};
    json_t *item;
    size_t i;

    if (json_is_null(value))
        return NULL;
    if (json_is_string(value))
        return xstrdup(json_string_value(value));
    if (json_is_real(value))
        return xasprintf("%.6g", json_real_value(value));
    if (!json_is_array(value))
        return json_dumps(value, JSON_ENCODE_ANY);
    json_array_foreach(value, i, item) sbuf_addf(&list, "%s%s", i ? " " : "", json_string_value(item));
    return sbuf_take(&list);
}

static void show_points(struct ctl *t, struct view *v, json_t *component)
{
    const char *name;
    json_t *point;

    json_object_foreach(json_object_get(component, "points"), name, point)
    {
        char *value = value_text(json_object_get(point, "value"));
        json_t *row = json_pack("{s:O?, s:O?, s:s, s:s?, s:O?, s:O?, s:O?}", "kind", json_object_get(component, "kind"),
                                "label", json_object_get(component, "label"), "point", name, "value", value, "unit",
                                json_object_get(point, "unit"), "quality", json_object_get(point, "quality"), "source",
                                json_object_get(point, "source"));

        ctl_cells(t, v, point_columns, row);
        json_decref(row);
        free(value);
    }
}

int run_device_show(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *answer, *component, *row = ctl_row(t, c->request, args, &answer);
    struct view_column *columns;
    struct view *v;
    size_t n, i;
    int code;

    if (!row)
        return EXIT_FAILED;
    v = ctl_view(t);
    if (t->format != VIEW_CSV)
        show_record(t, v, "device", device_columns, row);
    columns = ctl_columns(t, point_columns, &n);
    view_table(v, t->format == VIEW_CSV ? NULL : "points", NULL, columns, n);
    json_array_foreach(json_object_get(row, "component_list"), i, component) show_points(t, v, component);
    code = close_view(v);
    free(columns);
    json_decref(answer);
    return code;
}

/* ---- ticket show ---- */

static const struct ctl_column ticket_columns[] = {
    {"number", "ctl.col.ticket", VIEW_TEXT, NULL},
    {"kind", "ctl.col.kind", VIEW_CODE, "ticket-kind"},
    {"state", "ctl.col.state", VIEW_CODE, "ticket-state"},
    {"severity", "ctl.col.severity", VIEW_CODE, "severity"},
    {"category", "ctl.col.category", VIEW_CODE, "category"},
    {"device", "ctl.col.device", VIEW_TEXT, NULL},
    {"rule", "ctl.col.rule", VIEW_TEXT, NULL},
    {"label", "ctl.col.component", VIEW_TEXT, NULL},
    {"assignee", "ctl.col.assignee", VIEW_TEXT, NULL},
    {"note", "ctl.col.note", VIEW_TEXT, NULL},
    {"opened_ms", "ctl.col.opened", VIEW_TIME, NULL},
    {"changed_ms", "ctl.col.changed", VIEW_TIME, NULL},
    {"closed_ms", "ctl.col.closed", VIEW_TIME, NULL},
    {0},
};

static const struct ctl_column history_columns[] = {
    {"number", "ctl.col.id", VIEW_INT, NULL},          {"at_ms", "ctl.col.at", VIEW_TIME, NULL},
    {"kind", "ctl.col.what", VIEW_CODE, "event.name"}, {"actor", "ctl.col.actor", VIEW_TEXT, NULL},
    {"note", "ctl.col.note", VIEW_TEXT, NULL},         {0},
};

/* What happened to the ticket, oldest first. */
static int show_history(struct ctl *t, struct view *v, json_t *id)
{
    json_t *filters = json_pack("{s:O}", "ticket", id);
    size_t n;
    struct view_column *columns = ctl_columns(t, history_columns, &n);
    json_int_t after = 0;
    int code = EXIT_DONE;

    view_table(v, "history", NULL, columns, n);
    do {
        json_t *answer = ctl_page(t, "events", filters, after), *event;
        size_t i;

        if (!answer) {
            code = EXIT_FAILED;
            break;
        }
        json_array_foreach(json_object_get(answer, "rows"), i, event)
        {
            json_object_update_missing(event, json_object_get(event, "args"));
            ctl_cells(t, v, history_columns, event);
        }
        after = json_integer_value(json_object_get(answer, "next"));
        json_decref(answer);
    } while (after != 0);
    view_flush(v);
    free(columns);
    json_decref(filters);
    return code;
}

int run_ticket_show(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *answer, *row = ctl_row(t, c->request, args, &answer);
    struct view *v;
    int code, closed;

    if (!row)
        return EXIT_FAILED;
    v = ctl_view(t);
    show_record(t, v, "ticket", ticket_columns, row);
    code = show_history(t, v, json_object_get(row, "id"));
    closed = close_view(v);
    json_decref(answer);
    return code != EXIT_DONE ? code : closed;
}

/* ---- facts ---- */

/* JSON Lines always: the format is for programs. */
int run_facts(struct ctl *t, const struct command *c, json_t *args)
{
    json_int_t after = 0;

    do {
        json_t *answer = ctl_page(t, c->request, args, after), *facts;
        size_t i;

        if (!answer)
            return EXIT_FAILED;
        json_array_foreach(json_object_get(answer, "rows"), i, facts)
        {
            json_dumpf(facts, stdout, JSON_COMPACT);
            putchar('\n');
        }
        after = json_integer_value(json_object_get(answer, "next"));
        json_decref(answer);
    } while (after != 0);
    return EXIT_DONE;
}
