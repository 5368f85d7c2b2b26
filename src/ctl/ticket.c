#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/sheet.h"

/* ---- What people read in place of codes ---- */

/* For people: what a row does not tell is told by another member of it. */
static void stand_in(const struct ctl *t, json_t *row, const char *absent, const char *other)
{
    if (t->format == VIEW_PEOPLE && json_is_null(json_object_get(row, absent)))
        json_object_set(row, absent, json_object_get(row, other));
}

static bool goes_on(const json_t *clock)
{
    return json_is_true(json_object_get(clock, "goes_on"));
}

/* "1 h 12 min", or by how much it is over. */
static json_t *left_words(const struct ctl *t, const json_t *clock)
{
    int64_t left_ms = json_integer_value(json_object_get(clock, "left_s")) * 1000;
    struct sbuf span = {0}, words = {0};
    json_t *text;

    if (!goes_on(clock))
        return json_null();
    text_duration(&span, t->lang, left_ms < 0 ? -left_ms : left_ms);
    text_fill(&words, left_ms < 0 ? text_get(t->lang, "ctl.clock.over") : "{time}", &(struct text_arg){"time", span.s},
              1);
    text = json_string(words.s);
    sbuf_free(&span);
    sbuf_free(&words);
    return text;
}

/* ---- ticket list ---- */

static const struct ctl_column list_columns[] = {
    {.name = "number"},
    {.name = "opened", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {.name = "kind", .type = VIEW_CODE, .words = "ticket-kind", .shown = SHOWN_PROGRAMS},
    {.name = "severity", .type = VIEW_CODE, .words = "severity", .max = 8, .shown = SHOWN_WIDE},
    {.name = "state", .type = VIEW_CODE, .words = "ticket-state", .max = 10},
    {.name = "device", .max = 14},
    {.name = "site", .shown = SHOWN_PROGRAMS},
    {.name = "rule", .type = VIEW_CODE, .words = "rule", .max = 18},
    {.name = "title", .shown = SHOWN_PROGRAMS},
    {.name = "label", .max = 14, .shown = SHOWN_WIDE},
    {.name = "assignee", .max = 8},
    {.name = "deadline", .type = VIEW_TIME},
    {.name = "promise", .type = VIEW_CODE, .words = "promise", .max = 8, .shown = SHOWN_WIDE},
    {.name = "clock", .type = VIEW_CODE, .words = "clock-state", .max = 8, .shown = SHOWN_WIDE},
    {.name = "closed", .type = VIEW_TIME, .shown = SHOWN_PROGRAMS},
    {0},
};

/* The clocks of all open tickets come first: of each ticket the one with the nearest deadline is kept. */
struct ticket_list {
    struct ctl *t;
    json_t *nearest;   /* ticket id as text -> its clock */
    json_t *due;       /* the same of the clocks that were asked for; NULL: every ticket is shown */
    const char *state; /* of those */
    struct sheet *sheet;
};

static void id_text(const json_t *id, char out[static 24])
{
    snprintf(out, 24, "%lld", (long long)json_integer_value(id));
}

static void keep_nearest(json_t *map, const char *id, json_t *clock)
{
    const json_t *known = json_object_get(map, id);

    if (!known || json_integer_value(json_object_get(clock, "deadline_ms")) <
                      json_integer_value(json_object_get(known, "deadline_ms")))
        json_object_set(map, id, clock);
}

static bool take_clock(void *ctx, json_t *clock)
{
    struct ticket_list *l = ctx;
    char id[24];

    if (!goes_on(clock) || !json_is_integer(json_object_get(clock, "deadline_ms")))
        return true;
    id_text(json_object_get(clock, "ticket_id"), id);
    keep_nearest(l->nearest, id, clock);
    if (l->due && strcmp(ctl_string(clock, "state"), l->state) == 0)
        keep_nearest(l->due, id, clock);
    return true;
}

static void begin(struct ticket_list *l)
{
    if (l->sheet)
        return;
    l->sheet = sheet_open(l->t);
    sheet_table(l->sheet, NULL, NULL, list_columns);
}

static bool take_ticket(void *ctx, json_t *row)
{
    struct ticket_list *l = ctx;
    const json_t *clock;
    char id[24];

    id_text(json_object_get(row, "id"), id);
    clock = json_object_get(l->due ? l->due : l->nearest, id);
    if (l->due && !clock)
        return true;
    begin(l);
    if (clock) {
        json_object_set(row, "deadline_ms", json_object_get(clock, "deadline_ms"));
        json_object_set(row, "promise", json_object_get(clock, "promise"));
        json_object_set(row, "clock", json_object_get(clock, "state"));
    }
    stand_in(l->t, row, "rule", "title");
    stand_in(l->t, row, "device", "site");
    return sheet_row(l->sheet, row);
}

int run_ticket_list(struct ctl *t, const struct command *c, json_t *args)
{
    struct ticket_list l = {.t = t, .nearest = json_object()};
    json_t *due = json_incref(json_object_get(args, "due")), *all = json_object();
    int code, closed;

    l.state = json_string_value(due);
    l.due = due ? json_object() : NULL;
    json_object_del(args, "due");
    code = ctl_each(t, "clocks", all, take_clock, &l);
    if (code == EXIT_DONE)
        code = ctl_each(t, c->request, args, take_ticket, &l);
    if (code == EXIT_DONE)
        begin(&l);
    closed = l.sheet ? sheet_close(l.sheet) : EXIT_DONE;
    json_decref(all);
    json_decref(due);
    json_decref(l.nearest);
    json_decref(l.due);
    return code != EXIT_DONE ? code : closed;
}

/* ---- ticket show ---- */

static const struct ctl_column ticket_columns[] = {
    {.name = "number"},
    {.name = "kind", .type = VIEW_CODE, .words = "ticket-kind"},
    {.name = "state", .type = VIEW_CODE, .words = "ticket-state"},
    {.name = "severity", .type = VIEW_CODE, .words = "severity"},
    {.name = "category", .type = VIEW_CODE, .words = "category"},
    {.name = "site"},
    {.name = "device"},
    {.name = "rule", .type = VIEW_CODE, .words = "rule"},
    {.name = "title", .shown = SHOWN_PROGRAMS},
    {.name = "origin", .shown = SHOWN_PROGRAMS},
    {.name = "label"},
    {.name = "alert_id", .type = VIEW_INT},
    {.name = "assignee"},
    {.name = "note"},
    {.name = "opened", .type = VIEW_TIME},
    {.name = "changed", .type = VIEW_TIME},
    {.name = "closed", .type = VIEW_TIME},
    {0},
};

static const struct ctl_column clock_columns[] = {
    {.name = "promise", .type = VIEW_CODE, .words = "promise"},
    {.name = "contract", .max = 16, .shown = SHOWN_WIDE},
    {.name = "priority", .shown = SHOWN_WIDE},
    {.name = "state", .type = VIEW_CODE, .words = "clock-state"},
    {.name = "deadline", .type = VIEW_TIME},
    {.name = "left"},
    {.name = "stopped", .type = VIEW_TIME, .shown = SHOWN_WIDE},
    {0},
};

/* The same for programs. */
static const struct ctl_column clock_members[] = {
    {.name = "promise"},
    {.name = "contract"},
    {.name = "priority"},
    {.name = "state"},
    {.name = "goal_s", .type = VIEW_INT},
    {.name = "left_s", .type = VIEW_INT},
    {.name = "started", .type = VIEW_TIME},
    {.name = "deadline", .type = VIEW_TIME},
    {.name = "stopped", .type = VIEW_TIME},
    {.name = "told"},
    {0},
};

static const struct ctl_column history_columns[] = {
    {.name = "number", .type = VIEW_INT},
    {.name = "at", .type = VIEW_TIME},
    {.name = "kind", .title = "ctl.col.what", .type = VIEW_CODE, .words = "event.name"},
    {.name = "promise", .type = VIEW_CODE, .words = "promise", .shown = SHOWN_WIDE},
    {.name = "actor", .max = 16},
    {.name = "assignee", .max = 10},
    {.name = "note"},
    {0},
};

struct ticket_sheet {
    struct ctl *t;
    struct sheet *sheet;
    size_t n; /* rows so far */
};

/* A ticket to which nothing is promised has no such table for people. */
static bool clock_row(void *ctx, json_t *clock)
{
    struct ticket_sheet *s = ctx;

    if (s->n++ == 0 && s->t->format == VIEW_PEOPLE)
        sheet_table(s->sheet, "clocks", NULL, clock_columns);
    json_object_set_new(clock, "left", left_words(s->t, clock));
    return sheet_row(s->sheet, clock);
}

static bool history_row(void *ctx, json_t *event)
{
    const struct ticket_sheet *s = ctx;

    json_object_update_missing(event, json_object_get(event, "args"));
    return sheet_row(s->sheet, event);
}

static int show_clocks(struct ticket_sheet *s, json_t *of_ticket)
{
    if (s->t->format == VIEW_JSON)
        sheet_table(s->sheet, "clocks", NULL, clock_members);
    return ctl_each(s->t, "clocks", of_ticket, clock_row, s);
}

/* The ticket, how its promises stand, then what happened to it, oldest first. CSV has room for the last alone. */
int run_ticket_show(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *row = ctl_row(t, c->request, args, ctl_string(args, "ticket")), *of_ticket;
    struct ticket_sheet s = {.t = t};
    int code = EXIT_DONE, closed;

    if (!row)
        return EXIT_FAILED;
    of_ticket = json_pack("{s:O}", "ticket", json_object_get(row, "id"));
    s.sheet = sheet_open(t);
    if (t->format != VIEW_CSV) {
        sheet_record(s.sheet, NULL, NULL, ticket_columns);
        stand_in(t, row, "rule", "title");
        if (json_integer_value(json_object_get(row, "alert_id")) == 0) /* no fault opened it */
            json_object_set_new(row, "alert_id", json_null());
        sheet_row(s.sheet, row);
        code = show_clocks(&s, of_ticket);
    }
    sheet_table(s.sheet, t->format == VIEW_CSV ? NULL : "history", NULL, history_columns);
    if (code == EXIT_DONE)
        code = ctl_each(t, "events", of_ticket, history_row, &s);
    closed = sheet_close(s.sheet);
    json_decref(of_ticket);
    json_decref(row);
    return code != EXIT_DONE ? code : closed;
}
