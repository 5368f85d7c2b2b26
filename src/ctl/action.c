#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "ctl/ctl.h"

/* "NAME: value" for each member of a plain answer, for people. */
static void say_members(struct ctl *t, const struct command *c, json_t *ok)
{
    struct sbuf line = {0};
    const char *name;
    json_t *value;

    sbuf_addf(&line, "%s:", text_get(t->lang, "ctl.done"));
    if (c->verb)
        sbuf_addf(&line, " %s %s", c->noun, c->verb);
    json_object_foreach(ok, name, value)
    {
        if (json_is_null(value))
            continue;
        sbuf_addf(&line, " %s=", name);
        if (json_is_string(value)) {
            sbuf_add_visible(&line, json_string_value(value));
        } else {
            char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

            sbuf_add(&line, text ? text : "?");
            free(text);
        }
    }
    puts(line.s);
    sbuf_free(&line);
}

int run_action(struct ctl *t, const struct command *c, json_t *args)
{
    json_t *answer = ctl_ask(t, json_pack("{s:s, s:O}", "cmd", c->request, "args", args));
    json_t *ok = json_object_get(answer, "ok");

    if (!answer)
        return EXIT_FAILED;
    if (t->format == VIEW_PEOPLE)
        say_members(t, c, ok);
    else
        json_dumpf(ok, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    if (t->format != VIEW_PEOPLE)
        putchar('\n');
    json_decref(answer);
    return EXIT_DONE;
}
