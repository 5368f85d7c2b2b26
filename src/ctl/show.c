#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/sheet.h"

/* ---- status ---- */

static const struct ctl_column status_columns[] = {
    {.name = "installation"},
    {.name = "configuration"},
    {.name = "devices", .type = VIEW_INT},
    {.name = "down", .type = VIEW_INT},
    {.name = "open_faults", .type = VIEW_INT},
    {.name = "open_tickets", .type = VIEW_INT},
    {.name = "polls", .type = VIEW_INT},
    {.name = "failed_polls", .type = VIEW_INT},
    {.name = "readings", .type = VIEW_INT},
    {.name = "stored_polls", .type = VIEW_INT},
    {.name = "dropped_polls", .type = VIEW_INT},
    {.name = "queued_changes", .type = VIEW_INT},
    {.name = "last_event", .type = VIEW_INT},
    {.name = "mail_pending", .type = VIEW_INT},
    {.name = "mail_sent", .type = VIEW_INT},
    {.name = "mail_failed", .type = VIEW_INT},
    {0},
};

static const struct ctl_column trouble_columns[] = {{.name = "text", .title = "ctl.col.trouble"}, {0}};

/* For people, before all else. */
static void say_troubles(struct ctl *t, json_t *troubles)
{
    json_t *trouble;
    size_t i;

    json_array_foreach(troubles, i, trouble)
    {
        struct sbuf line = {0};

        sbuf_add_visible(&line, json_string_value(trouble) ? json_string_value(trouble) : "?");
        fprintf(t->out, "%s%s%s%s%s\n", t->colour ? "\x1b[31m" : "", text_get(t->lang, "ctl.col.trouble"),
                text_get(t->lang, "word.colon"), line.s, t->colour ? "\x1b[0m" : "");
        sbuf_free(&line);
    }
}

static void show_troubles(struct sheet *s, json_t *troubles)
{
    json_t *trouble;
    size_t i;

    sheet_table(s, "troubles", NULL, trouble_columns);
    json_array_foreach(troubles, i, trouble)
    {
        json_t *row = json_pack("{s:O}", "text", trouble);

        sheet_row(s, row);
        json_decref(row);
    }
}

/* Exits 1 where there is trouble, so that a script can ask. */
int run_status(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *row = ctl_row(t, c->request, args, c->noun), *troubles = json_object_get(row, "troubles");
    bool troubled = json_array_size(troubles) > 0;
    struct sheet *s;
    int code;

    if (!row)
        return EXIT_FAILED;
    if (t->format == VIEW_PEOPLE)
        say_troubles(t, troubles);
    s = sheet_open(t);
    sheet_record(s, NULL, NULL, status_columns);
    sheet_row(s, row);
    if (t->format == VIEW_JSON)
        show_troubles(s, troubles);
    code = sheet_close(s);
    json_decref(row);
    return troubled ? EXIT_FAILED : code;
}

/* ---- device show ---- */

static const struct ctl_column device_columns[] = {
    {.name = "id", .type = VIEW_INT},
    {.name = "name"},
    {.name = "state", .type = VIEW_CODE, .words = "device-state"},
    {.name = "device_class", .type = VIEW_CODE, .words = "class"},
    {.name = "make"},
    {.name = "model"},
    {.name = "serial"},
    {.name = "firmware"},
    {.name = "mac"},
    {.name = "identity"},
    {.name = "claims"},
    {.name = "twin"},
    {.name = "address"},
    {.name = "port", .type = VIEW_INT},
    {.name = "unit", .title = "ctl.col.modbus-unit", .type = VIEW_INT},
    {.name = "collector"},
    {.name = "credential"},
    {.name = "security"},
    {.name = "profile", .type = VIEW_CODE, .words = "profile"},
    {.name = "site"},
    {.name = "customer"},
    {.name = "location"},
    {.name = "asset"},
    {.name = "installed"},
    {.name = "accepted"},
    {.name = "warranty"},
    {.name = "labels"},
    {.name = "parent"},
    {.name = "status", .type = VIEW_CODE, .words = "device-status"},
    {.name = "added", .type = VIEW_TIME},
    {.name = "last_poll", .type = VIEW_TIME},
    {.name = "last_answer", .type = VIEW_TIME},
    {.name = "rtt_ms", .type = VIEW_INT},
    {.name = "trouble"},
    {.name = "open_faults", .type = VIEW_INT},
    {0},
};

/* `number` is the value where it is one, for programs. */
static const struct ctl_column point_columns[] = {
    {.name = "kind", .max = 14, .shown = SHOWN_WIDE},
    {.name = "component", .max = 20},
    {.name = "key", .shown = SHOWN_PROGRAMS},
    {.name = "point", .max = 20},
    {.name = "value", .max = 30},
    {.name = "unit", .max = 8},
    {.name = "quality", .type = VIEW_CODE, .words = "quality", .max = 8},
    {.name = "source", .shown = SHOWN_WIDE},
    {.name = "number", .type = VIEW_NUM, .shown = SHOWN_PROGRAMS},
    {0},
};

/* With --why only what is not good is shown. `rule` is a code and its place for programs, `why` a sentence. */
static const struct ctl_column why_columns[] = {
    {.name = "kind", .max = 14, .shown = SHOWN_WIDE},
    {.name = "component", .max = 20},
    {.name = "key", .shown = SHOWN_PROGRAMS},
    {.name = "point", .max = 20},
    {.name = "quality", .type = VIEW_CODE, .words = "quality", .max = 8},
    {.name = "reason", .title = "ctl.col.why"},
    {.name = "code", .shown = SHOWN_PROGRAMS},
    {.name = "column", .shown = SHOWN_PROGRAMS},
    {.name = "source", .shown = SHOWN_PROGRAMS},
    {.name = "raw", .type = VIEW_INT, .shown = SHOWN_PROGRAMS},
    {.name = "module", .shown = SHOWN_PROGRAMS},
    {.name = "rule", .shown = SHOWN_PROGRAMS},
    {.name = "file", .shown = SHOWN_PROGRAMS},
    {.name = "line", .type = VIEW_INT, .shown = SHOWN_PROGRAMS},
    {0},
};

/* What the reader is shown of a code of the vocabulary: for people its words. */
static const char *vocabulary_words(struct ctl *t, const char *words, const char *code)
{
    return t->format == VIEW_PEOPLE ? ctl_words(t, words, code) : code;
}

/* Flags of a set, each in words. */
static void add_flags(struct ctl *t, struct sbuf *out, const char *words, const json_t *flags)
{
    const json_t *flag;
    size_t i;

    sbuf_add(out, "");
    json_array_foreach((json_t *)flags, i, flag)
    {
        sbuf_add(out, i == 0 ? "" : t->format == VIEW_PEOPLE ? text_get(t->lang, "list.comma") : " ");
        sbuf_add(out, vocabulary_words(t, words, json_string_value(flag) ? json_string_value(flag) : "?"));
    }
}

/* People read hundredths; what is smaller gets three digits. */
static void add_number(struct ctl *t, struct sbuf *out, double x)
{
    char text[400];
    size_t n;

    if (t->format != VIEW_PEOPLE || (x != 0 && fabs(x) < 0.01)) {
        sbuf_addf(out, t->format != VIEW_PEOPLE ? "%.12g" : "%.3g", x);
        return;
    }
    n = (size_t)snprintf(text, sizeof text, "%.2f", x);
    while (text[n - 1] == '0')
        n--;
    sbuf_addn(out, text, text[n - 1] == '.' ? n - 1 : n);
}

/* A point's value as text, whatever its type; nothing where nothing is known. */
static void add_value(struct ctl *t, struct sbuf *out, const char *words, const json_t *value)
{
    if (json_is_string(value))
        sbuf_add(out, vocabulary_words(t, words, json_string_value(value)));
    else if (json_is_integer(value))
        sbuf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        add_number(t, out, json_real_value(value));
    else if (json_is_boolean(value))
        sbuf_add(out, t->format != VIEW_PEOPLE ? (json_is_true(value) ? "true" : "false")
                                               : text_get(t->lang, json_is_true(value) ? "word.yes" : "word.no"));
    else if (json_is_array(value))
        add_flags(t, out, words, value);
}

static json_t *point_row(struct ctl *t, const json_t *component, const char *name, const json_t *point)
{
    const char *kind = ctl_string(component, "kind");
    const json_t *value = json_object_get(point, "value");
    struct sbuf text = {0}, words = {0};
    json_t *row = json_object();

    sbuf_addf(&words, "member.%s.%s", kind, name);
    add_value(t, &text, words.s, value);
    json_object_set_new(row, "kind", json_string(vocabulary_words(t, "kind", kind)));
    json_object_set(row, "component", json_object_get(component, "label"));
    json_object_set(row, "key", json_object_get(component, "key"));
    sbuf_reset(&words);
    sbuf_addf(&words, "point.%s", kind);
    json_object_set_new(row, "point", json_string(vocabulary_words(t, words.s, name)));
    json_object_set_new(row, "value", text.s ? json_string(text.s) : json_null());
    json_object_set_new(row, "number", json_is_number(value) ? json_real(json_number_value(value)) : json_null());
    json_object_update_missing(row, (json_t *)point);
    sbuf_free(&text);
    sbuf_free(&words);
    return row;
}

/* For people at a terminal: a component is named once, and what is counted without braces ("{page}"). */
static void ease(json_t *row, bool first)
{
    const char *unit = ctl_string(row, "unit");
    size_t n = strlen(unit);

    if (n > 2 && unit[0] == '{')
        json_object_set_new(row, "unit", json_stringn(unit + 1, n - 2));
    if (!first) {
        json_object_set_new(row, "kind", json_string(""));
        json_object_set_new(row, "component", json_string(""));
    }
}

/* Puts why the point is not good into its row; false where nothing is to be said. */
static bool add_why(struct ctl *t, json_t *row)
{
    json_t *why = json_object_get(row, "why");
    struct sbuf words = {0};

    if (!why)
        return false;
    why_words(t, why, ctl_string(row, "quality"), &words);
    json_object_set_new(row, "reason", json_string(words.s));
    json_object_update(row, why);
    sbuf_free(&words);
    return true;
}

static void show_points(struct ctl *t, struct sheet *s, json_t *component, bool why)
{
    const char *name;
    bool first = true;
    json_t *point;

    json_object_foreach(json_object_get(component, "points"), name, point)
    {
        json_t *row = point_row(t, component, name, point);

        if (why && !add_why(t, row)) {
            json_decref(row);
            continue;
        }
        if (t->format == VIEW_PEOPLE && t->width > 0)
            ease(row, first);
        sheet_row(s, row);
        json_decref(row);
        first = false;
    }
}

/* Its record, then its points, all or those of one kind of component; with --why those that are not good, and why. */
int run_device_show(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *kind = json_incref(json_object_get(args, "kind")), *component, *row;
    bool why = json_object_get(args, "why") != NULL;
    struct sheet *s;
    size_t i;
    int code;

    json_object_del(args, "kind");
    if (why)
        json_object_set_new(args, "why", json_integer(1));
    row = ctl_row(t, c->request, args, ctl_string(args, "device"));
    if (!row) {
        json_decref(kind);
        return EXIT_FAILED;
    }
    s = sheet_open(t);
    if (t->format != VIEW_CSV)
        sheet_record(s, NULL, NULL, device_columns);
    if (t->format != VIEW_CSV)
        sheet_row(s, row);
    sheet_table(s, t->format == VIEW_CSV ? NULL : "points", NULL, why ? why_columns : point_columns);
    json_array_foreach(json_object_get(row, "component_list"), i,
                       component) if (!kind || json_equal(kind, json_object_get(component, "kind")))
        show_points(t, s, component, why);
    code = sheet_close(s);
    json_decref(kind);
    json_decref(row);
    return code;
}

/* ---- customer, site, contact, staff, contract show ---- */

int run_archive_show(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *row = ctl_row(t, c->request, args, ctl_string(args, c->noun));
    struct sheet *s;
    int code;

    if (!row)
        return EXIT_FAILED;
    s = sheet_open(t);
    sheet_record(s, NULL, NULL, c->columns);
    sheet_row(s, row);
    code = sheet_close(s);
    json_decref(row);
    return code;
}
