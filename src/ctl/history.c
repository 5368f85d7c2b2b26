#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/date.h"
#include "base/text.h"
#include "ctl/sheet.h"

/*
 * What one point said over time: for programs its rows, for people lines of a
 * chart, each with the time it begins at and the least, the mean and the most in it.
 */
enum { CHART_WIDTH = 48, CHART_LEAST = 12, BESIDE_CHART = 60 };

/* Columns of VIEW_TEXT are of whatever type the point has. */
static const struct ctl_column raw_columns[] = {{.name = "at", .type = VIEW_TIME},
                                                {.name = "value"},
                                                {.name = "quality", .type = VIEW_CODE},
                                                {.name = "type", .type = VIEW_CODE, .shown = SHOWN_PROGRAMS},
                                                {0}};
static const struct ctl_column period_columns[] = {{.name = "at", .type = VIEW_TIME},
                                                   {.name = "count", .type = VIEW_INT},
                                                   {.name = "min", .type = VIEW_NUM},
                                                   {.name = "avg", .type = VIEW_NUM},
                                                   {.name = "max", .type = VIEW_NUM},
                                                   {.name = "first", .shown = SHOWN_PROGRAMS},
                                                   {.name = "last"},
                                                   {.name = "rise", .type = VIEW_NUM, .shown = SHOWN_PROGRAMS},
                                                   {.name = "breaks", .type = VIEW_INT, .shown = SHOWN_PROGRAMS},
                                                   {0}};
enum { COLUMNS_MOST = 10 };
static const struct ctl_column chart_columns[] = {{.name = "at", .type = VIEW_TIME},
                                                  {.name = "min", .type = VIEW_NUM},
                                                  {.name = "avg", .type = VIEW_NUM},
                                                  {.name = "max", .type = VIEW_NUM},
                                                  {.name = "chart"},
                                                  {0}};

/* ---- What is asked ---- */

/* A day as it begins here, in milliseconds; of `to` as it ends. */
static int take_day(struct ctl *t, json_t *args, const char *name, bool end)
{
    const char *text = ctl_string(args, name);
    struct tm tm = {.tm_isdst = -1};
    struct date d;
    int64_t day;
    time_t s;

    if (!text[0])
        return EXIT_DONE;
    if (date_parse(text, &day) < 0)
        return ctl_fail_text(t, "ctl.error.day", (struct text_arg[]){{.name = "day", .value = text}, {0}});
    d = date_of_day(day + end);
    tm.tm_year = (int)d.year - 1900;
    tm.tm_mon = d.month - 1;
    tm.tm_mday = d.day;
    s = mktime(&tm);
    json_object_set_new(args, name, json_integer((json_int_t)s * 1000 - end));
    return EXIT_DONE;
}

/* ---- As rows ---- */

struct history {
    struct ctl *t;
    const struct ctl_column *columns;
    struct sheet *sheet;
    json_t *rows; /* for people: all of them */
    bool texts;   /* one of them is no number */
};

static bool take_row(void *ctx, json_t *row)
{
    struct history *h = ctx;
    const json_t *value = json_object_get(row, h->columns == raw_columns ? "value" : "avg");

    h->texts |= !json_is_number(value) && !json_is_null(value) && !json_is_boolean(value);
    json_array_append(h->rows, row);
    return true;
}

static enum view_type view_of(const char *type)
{
    if (strcmp(type, "bool") == 0)
        return VIEW_BOOL;
    if (strcmp(type, "num") == 0)
        return VIEW_NUM;
    return strcmp(type, "text") == 0 ? VIEW_TEXT : VIEW_INT;
}

/* The last row says of which type the point is: what is not known yet is of none. */
static int show_rows(struct history *h)
{
    struct ctl_column columns[COLUMNS_MOST + 1] = {{0}};
    size_t n = json_array_size(h->rows);
    enum view_type type = view_of(ctl_string(json_array_get(h->rows, n > 0 ? n - 1 : 0), "type"));

    for (int i = 0; i < COLUMNS_MOST && h->columns[i].name; i++) {
        columns[i] = h->columns[i];
        if (columns[i].type == VIEW_TEXT)
            columns[i].type = type;
    }
    h->sheet = sheet_open(h->t);
    sheet_table(h->sheet, NULL, NULL, columns);
    for (size_t i = 0; i < n; i++)
        if (!sheet_row(h->sheet, json_array_get(h->rows, i)))
            break;
    return sheet_close(h->sheet);
}

/* ---- As a chart ---- */

/* What a row tells as a number: NAN where it is none. */
static double number(const json_t *row, const char *period, const char *raw)
{
    const json_t *v = json_object_get(row, period);

    v = v ? v : json_object_get(row, raw);
    if (json_is_boolean(v))
        return json_is_true(v) ? 1 : 0;
    return json_is_number(v) ? json_number_value(v) : NAN;
}

struct span {
    double least, most, sum;
    size_t n;
};

static void widen(struct span *s, const json_t *row)
{
    double mean = number(row, "avg", "value"), least = number(row, "min", "value"), most = number(row, "max", "value");

    if (isnan(mean))
        return;
    if (s->n == 0 || least < s->least)
        s->least = least;
    if (s->n == 0 || most > s->most)
        s->most = most;
    s->sum += mean;
    s->n++;
}

/* Eight heights between the least and the most of all; a gap where nothing is known. */
static void add_bar(struct sbuf *out, const struct span *all, double x)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    double part = all->most > all->least ? (x - all->least) / (all->most - all->least) : 0;

    if (isnan(x))
        sbuf_addc(out, ' ');
    else
        sbuf_add(out, bars[part >= 1 ? 7 : part <= 0 ? 0 : (int)(part * 8)]);
}

static void show_line(struct history *h, const struct span *all, size_t from, size_t to)
{
    json_t *line = json_object();
    struct span here = {0};
    struct sbuf chart = {0};

    for (size_t i = from; i < to; i++) {
        const json_t *row = json_array_get(h->rows, i);

        widen(&here, row);
        add_bar(&chart, all, number(row, "avg", "value"));
    }
    json_object_set(line, "at_ms", json_object_get(json_array_get(h->rows, from), "at_ms"));
    if (here.n > 0) {
        json_object_set_new(line, "min", json_real(here.least));
        json_object_set_new(line, "avg", json_real(here.sum / (double)here.n));
        json_object_set_new(line, "max", json_real(here.most));
    }
    json_object_set_new(line, "chart", json_string(chart.s));
    sheet_row(h->sheet, line);
    json_decref(line);
    sbuf_free(&chart);
}

static int show_chart(struct history *h)
{
    size_t n = json_array_size(h->rows), width = CHART_WIDTH;
    struct span all = {0};

    if (h->t->width > 0)
        width = h->t->width > BESIDE_CHART + CHART_LEAST ? h->t->width - BESIDE_CHART : CHART_LEAST;
    for (size_t i = 0; i < n; i++)
        widen(&all, json_array_get(h->rows, i));
    h->sheet = sheet_open(h->t);
    sheet_table(h->sheet, NULL, NULL, chart_columns);
    for (size_t i = 0; i < n; i += width)
        show_line(h, &all, i, i + width < n ? i + width : n);
    return sheet_close(h->sheet);
}

int run_device_history(struct ctl *t, const struct command *c, json_t *args)
{
    const char *step = ctl_string(args, "step");
    bool raw = strcmp(step, "raw") == 0;
    struct history h = {.t = t, .columns = raw ? raw_columns : period_columns};
    int code = take_day(t, args, "from", false);

    if (code == EXIT_DONE)
        code = take_day(t, args, "to", true);
    if (code != EXIT_DONE)
        return code;
    if (!step[0])
        json_object_set_new(args, "step", json_string("hour"));
    h.rows = json_array();
    code = ctl_each(t, c->request, args, take_row, &h);
    if (code == EXIT_DONE)
        code = t->format == VIEW_PEOPLE && !h.texts && json_array_size(h.rows) > 0 ? show_chart(&h) : show_rows(&h);
    json_decref(h.rows);
    return code;
}
