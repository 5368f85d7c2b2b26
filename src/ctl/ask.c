#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "ctl/client.h"
#include "ctl/ctl.h"

/* Line by line: a configuration's errors are many, each with the line and a caret. */
static void add_visible_lines(struct sbuf *out, const char *s)
{
    while (*s) {
        size_t n = strcspn(s, "\n");
        char *line = xstrndup(s, n);

        sbuf_add_visible(out, line);
        sbuf_addc(out, '\n');
        free(line);
        s += n + (s[n] == '\n');
    }
}

int ctl_fail(struct ctl *t, const char *fmt, ...)
{
    struct sbuf raw = {0}, visible = {0};
    va_list ap;

    va_start(ap, fmt);
    sbuf_vaddf(&raw, fmt, ap);
    va_end(ap);
    sbuf_add(&visible, "patrolctl: ");
    add_visible_lines(&visible, raw.s);
    fputs(visible.s, t->err);
    sbuf_free(&raw);
    sbuf_free(&visible);
    return EXIT_FAILED;
}

int ctl_fail_text(struct ctl *t, const char *id, const struct text_arg *args)
{
    struct sbuf text = {0};
    size_t n = 0;

    while (args[n].name)
        n++;
    text_fill(&text, text_get(t->lang, id), args, n);
    ctl_fail(t, "%s", text.s);
    sbuf_free(&text);
    return EXIT_FAILED;
}

int ctl_connect(struct ctl *t)
{
    int rc = t->client ? 0 : client_open(t->socket, &t->client);

    if (rc != 0)
        ctl_fail_text(t, rc == PD_EACCES ? "ctl.error.not-allowed" : "ctl.error.no-patrold",
                      (struct text_arg[]){{"socket", t->socket}, {"why", pd_strerror(rc)}, {0}});
    return rc;
}

void ctl_refused(struct ctl *t, const json_t *error)
{
    const char *code = ctl_string(error, "code"), *text = ctl_string(error, "text");

    if (t->lang == LANG_EN) /* which patrold's text is in */
        ctl_fail(t, "%s", text);
    else
        ctl_fail_text(t, "ctl.error.refused",
                      (struct text_arg[]){{"code", ctl_words(t, "error", code)}, {"text", text}, {0}});
}

json_t *ctl_ask(struct ctl *t, json_t *request)
{
    json_t *answer = NULL;
    int rc;

    if (ctl_connect(t) != 0) {
        json_decref(request);
        return NULL;
    }
    rc = client_ask(t->client, request, &answer);
    if (rc != 0) {
        ctl_fail_text(t, "ctl.error.no-answer", (struct text_arg[]){{"why", pd_strerror(rc)}, {0}});
        return NULL;
    }
    if (json_object_get(answer, "error")) {
        ctl_refused(t, json_object_get(answer, "error"));
        json_decref(answer);
        return NULL;
    }
    return answer;
}

static json_t *ask_page(struct ctl *t, const char *query, json_t *filters, json_int_t after)
{
    json_t *answer = ctl_ask(t, json_pack("{s:s, s:O, s:I}", "query", query, "filters", filters, "after", after));
    json_int_t next = json_integer_value(json_object_get(answer, "next"));

    if (answer && (!json_is_array(json_object_get(answer, "rows")) || (next != 0 && next <= after))) {
        ctl_fail_text(t, "ctl.error.no-answer", (struct text_arg[]){{"why", pd_strerror(PD_EPROTO)}, {0}});
        json_decref(answer);
        return NULL;
    }
    return answer;
}

int ctl_each(struct ctl *t, const char *query, json_t *filters, bool (*each)(void *ctx, json_t *row), void *ctx)
{
    json_int_t after = 0;
    bool more = true;

    do {
        json_t *answer = ask_page(t, query, filters, after), *row;
        size_t i;

        if (!answer)
            return EXIT_FAILED;
        json_array_foreach(json_object_get(answer, "rows"), i, row)
        {
            more = each(ctx, row);
            if (!more)
                break;
        }
        after = json_integer_value(json_object_get(answer, "next"));
        json_decref(answer);
    } while (more && after != 0);
    return EXIT_DONE;
}

/* Says that there is none, of a kind that has a text for it ("ctl.error.nothing.rounds"), by its name. */
static void fail_nothing(struct ctl *t, const char *query, const char *word)
{
    char id[64];

    snprintf(id, sizeof id, "ctl.error.nothing.%s", query);
    ctl_fail_text(t, text_get(t->lang, id) != id ? id : "ctl.error.nothing", (struct text_arg[]){{"word", word}, {0}});
}

json_t *ctl_row(struct ctl *t, const char *query, json_t *filters, const char *word)
{
    json_t *answer = ask_page(t, query, filters, 0), *row;

    if (!answer)
        return NULL;
    row = json_incref(json_array_get(json_object_get(answer, "rows"), 0));
    json_decref(answer);
    if (!row)
        fail_nothing(t, query, word);
    return row;
}
