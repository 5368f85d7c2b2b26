#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "ctl/client.h"
#include "ctl/ctl.h"

int ctl_fail(const char *fmt, ...)
{
    struct sbuf raw = {0}, visible = {0};
    va_list ap;

    va_start(ap, fmt);
    sbuf_vaddf(&raw, fmt, ap);
    va_end(ap);
    sbuf_add_visible(&visible, raw.s);
    fprintf(stderr, "patrolctl: %s\n", visible.s);
    sbuf_free(&raw);
    sbuf_free(&visible);
    return EXIT_FAILED;
}

static int connect_first(struct ctl *t)
{
    int rc = t->client ? 0 : client_open(t->socket, &t->client);

    if (rc == PD_EACCES)
        ctl_fail("%s: not allowed: only the group patrold may talk to patrold", t->socket);
    else if (rc != 0)
        ctl_fail("%s: %s: is patrold running?", t->socket, pd_strerror(rc));
    return rc;
}

json_t *ctl_ask(struct ctl *t, json_t *request)
{
    json_t *answer = NULL, *error;
    int rc;

    if (connect_first(t) != 0) {
        json_decref(request);
        return NULL;
    }
    rc = client_ask(t->client, request, &answer);
    if (rc != 0) {
        ctl_fail("no answer from patrold: %s", pd_strerror(rc));
        return NULL;
    }
    error = json_object_get(answer, "error");
    if (error) {
        ctl_fail("%s", ctl_string(error, "text"));
        json_decref(answer);
        return NULL;
    }
    return answer;
}

json_t *ctl_page(struct ctl *t, const char *query, json_t *filters, json_int_t after)
{
    json_t *answer = ctl_ask(t, json_pack("{s:s, s:O, s:I}", "query", query, "filters", filters, "after", after));

    if (answer && !json_is_array(json_object_get(answer, "rows"))) {
        ctl_fail("patrold's answer has no rows");
        json_decref(answer);
        return NULL;
    }
    return answer;
}

json_t *ctl_row(struct ctl *t, const char *query, json_t *filters, json_t **answer)
{
    json_t *row;

    *answer = ctl_page(t, query, filters, 0);
    if (!*answer)
        return NULL;
    row = json_array_get(json_object_get(*answer, "rows"), 0);
    if (!row) {
        json_decref(*answer);
        *answer = NULL;
        ctl_fail("there is no such %s", query);
    }
    return row;
}

/* Stamps for people, in the reader's own time zone. */
static void local_time(void *ctx, int64_t wall_ms, struct sbuf *out)
{
    time_t s = (time_t)(wall_ms / 1000);
    struct tm tm;
    char text[32];

    (void)ctx;
    if (localtime_r(&s, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) > 0)
        sbuf_add(out, text);
}

struct view *ctl_view(struct ctl *t)
{
    const struct view_options options = {
        .format = t->format,
        .colour = t->colour,
        .write = view_write_file,
        .ctx = stdout,
        .yes = text_get(t->lang, "word.yes"),
        .no = text_get(t->lang, "word.no"),
        .time = local_time,
    };

    return view_open(&options);
}

struct view_column *ctl_columns(struct ctl *t, const struct ctl_column *columns, size_t *n)
{
    struct view_column *v;
    size_t count = 0;

    while (columns[count].member)
        count++;
    v = xcalloc(count, sizeof *v);
    for (size_t i = 0; i < count; i++)
        v[i] = (struct view_column){
            .name = columns[i].member, .title = text_get(t->lang, columns[i].title), .type = columns[i].type};
    *n = count;
    return v;
}

const char *ctl_words(struct ctl *t, const char *words, const char *code)
{
    char id[96];
    const char *text;

    snprintf(id, sizeof id, "%s.%s", words, code);
    text = text_get(t->lang, id);
    return text == id ? code : text;
}

/* How a code is coloured, whatever list it stands in. */
static enum view_style code_style(const char *code)
{
    static const struct {
        const char *code;
        enum view_style style;
    } styles[] = {
        {"critical", VIEW_BAD}, {"major", VIEW_BAD}, {"warning", VIEW_WARN}, {"down", VIEW_BAD},      {"up", VIEW_GOOD},
        {"failed", VIEW_BAD},   {"ok", VIEW_DIM},    {"closed", VIEW_DIM},   {"cancelled", VIEW_DIM},
    };

    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        if (strcmp(styles[i].code, code) == 0)
            return styles[i].style;
    return VIEW_PLAIN;
}

static void give_code(struct ctl *t, struct view *v, const char *words, const char *code)
{
    view_style(v, code_style(code));
    view_code(v, code, ctl_words(t, words, code));
}

static void give_cell(struct ctl *t, struct view *v, const struct ctl_column *c, json_t *value)
{
    if (json_is_string(value) && c->type == VIEW_CODE)
        give_code(t, v, c->words, json_string_value(value));
    else if (json_is_string(value) && c->type == VIEW_TEXT)
        view_text(v, json_string_value(value));
    else if (json_is_integer(value) && c->type == VIEW_TIME && json_integer_value(value) != 0)
        view_time(v, json_integer_value(value));
    else if (json_is_integer(value) && c->type == VIEW_INT)
        view_int(v, json_integer_value(value));
    else if (json_is_number(value) && c->type == VIEW_NUM)
        view_num(v, json_number_value(value));
    else if (json_is_boolean(value) && c->type == VIEW_BOOL)
        view_bool(v, json_is_true(value));
    else
        view_none(v);
}

void ctl_cells(struct ctl *t, struct view *v, const struct ctl_column *columns, json_t *row)
{
    for (const struct ctl_column *c = columns; c->member; c++)
        give_cell(t, v, c, json_object_get(row, c->member));
    view_row_end(v);
}

const char *ctl_string(json_t *object, const char *member)
{
    const char *s = json_string_value(json_object_get(object, member));

    return s ? s : "";
}
