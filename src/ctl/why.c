#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ctl/ctl.h"

/* Which text tells it: a number that is none says what it stands for. */
static char *text_id(const char *code, const char *quality, bool has_raw)
{
    if (strcmp(code, "sentinel") == 0)
        return xasprintf("why.sentinel.%s", quality);
    if (strcmp(code, "range") == 0 && !has_raw)
        return xstrdup("why.large");
    return xasprintf("why.%s", code);
}

void why_words(const struct ctl *t, const json_t *why, const char *quality, struct sbuf *out)
{
    const json_t *raw = json_object_get(why, "raw");
    const char *column = ctl_string(why, "column"), *source = ctl_string(why, "source");
    const char *reference = ctl_string(why, "reference");
    char *id = text_id(ctl_string(why, "code"), quality, raw != NULL);
    char *number = xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(raw));
    char *what = xasprintf("%s%s%s", *column ? column : ctl_string(why, "definition"), *source ? " " : "", source);
    struct sbuf cited = {0};
    struct text_arg args[] = {
        {"what", what}, {"raw", number}, {"reference", reference}, {"rule", ctl_string(why, "rule")}};
    size_t n = sizeof args / sizeof *args;

    sbuf_add(&cited, "");
    if (*reference)
        text_fill(&cited, text_get(t->lang, "why.cited"), args, n);
    args[2].value = cited.s;
    text_fill(out, text_get(t->lang, id), args, n);
    sbuf_free(&cited);
    free(id);
    free(number);
    free(what);
}
