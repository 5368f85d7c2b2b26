#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

enum { MAX_ARGS = 24 };

static void add_args(struct ctl *t, json_t *members, struct text_arg *args, char **made, size_t *n)
{
    const char *name;
    json_t *value;

    json_object_foreach(members, name, value)
    {
        const char *text = json_is_null(value) ? "" : json_string_value(value);

        if (*n == MAX_ARGS)
            return;
        if (!text)
            text = made[*n] = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (strcmp(name, "state") == 0)
            text = ctl_words(t, json_object_get(members, "round") ? "round-state" : "ticket-state", text);
        else if (strcmp(name, "status") == 0)
            text = ctl_words(t, "poll-status", text);
        args[(*n)++] = (struct text_arg){name, text};
    }
}

/* The sentence of what was done, of what was asked for and what was answered. */
static void say(struct ctl *t, const char *said, json_t *asked, json_t *answered)
{
    struct text_arg args[MAX_ARGS];
    char *made[MAX_ARGS] = {0};
    struct sbuf words = {0}, line = {0};
    size_t n = 0;

    add_args(t, asked, args, made, &n);
    add_args(t, answered, args, made, &n);
    text_fill(&words, text_get(t->lang, said), args, n);
    sbuf_add_visible(&line, words.s);
    fprintf(t->out, "%s\n", line.s);
    for (size_t i = 0; i < n; i++)
        free(made[i]);
    sbuf_free(&words);
    sbuf_free(&line);
}

/* Sends the command: its answer's object (json_decref it), which was shown already; NULL after telling why not. */
static json_t *act(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *answer = ctl_ask(t, json_pack("{s:s, s:O}", "cmd", c->request, "args", args));
    json_t *ok = json_incref(json_object_get(answer, "ok"));

    if (!answer)
        return NULL;
    if (t->format == VIEW_PEOPLE) {
        say(t, c->said, args, ok);
    } else {
        json_dumpf(ok, t->out, JSON_ENCODE_ANY);
        fputc('\n', t->out);
    }
    if (*ctl_string(ok, "warning"))
        ctl_fail(t, "%s", ctl_string(ok, "warning"));
    json_decref(answer);
    return ok;
}

int run_action(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *ok = act(t, c, args);
    int code = ok ? EXIT_DONE : EXIT_FAILED;

    json_decref(ok);
    return code;
}

/* The path alone, for scripts. */
int run_report_path(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *row = ctl_row(t, c->request, args, ctl_string(args, "of"));

    if (!row)
        return EXIT_FAILED;
    if (t->format == VIEW_PEOPLE) {
        fprintf(t->out, "%s\n", ctl_string(row, "path"));
    } else {
        json_dumpf(row, t->out, JSON_ENCODE_ANY);
        fputc('\n', t->out);
    }
    json_decref(row);
    return EXIT_DONE;
}

/* Fails where the device did not tell all, and says why. */
int run_device_poll(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *ok = act(t, c, args);
    const char *detail = ctl_string(ok, "detail");
    int code = ok && strcmp(ctl_string(ok, "status"), "done") == 0 ? EXIT_DONE : EXIT_FAILED;

    if (ok && *detail)
        ctl_fail(t, "%s", detail);
    json_decref(ok);
    return code;
}
