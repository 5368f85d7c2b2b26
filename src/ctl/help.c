#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/cmdline.h"

/* What stands for a value. */
static void place(FILE *out, const struct ctl_word *w)
{
    if (w->type == CTL_NUMBER) {
        fputc('N', out);
        return;
    }
    for (const char *p = w->name; *p; p++)
        fputc(toupper((unsigned char)*p), out);
}

void usage_line(const struct command *c, FILE *out)
{
    fprintf(out, "patrolctl %s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
    for (const struct ctl_word *w = c->words; w->name; w++) {
        fputs(w->optional ? " [" : " ", out);
        place(out, &(struct ctl_word){.name = w->name});
        fputs(w->rest ? "..." : "", out);
        fputs(w->optional ? "]" : "", out);
    }
    for (const struct ctl_word *o = c->options; o->name; o++) {
        fprintf(out, " [--%s", o->name);
        if (o->type != CTL_FLAG) {
            fputc(' ', out);
            place(out, o);
        }
        fputc(']', out);
    }
    fputc('\n', out);
}

static const char *text_of(const struct ctl *t, const char *prefix, const char *name, const char *more)
{
    char id[96];
    const char *text;

    snprintf(id, sizeof id, "%s.%s%s%s", prefix, name, more ? "." : "", more ? more : "");
    text = text_get(t->lang, id);
    return text == id ? "" : text;
}

/* The values that a word can have. */
static void help_codes(const struct ctl *t, const struct ctl_word *w, FILE *out)
{
    const char **codes = w->codes ? ctl_codes(w->codes) : NULL;

    for (size_t i = 0; codes && codes[i]; i++)
        fprintf(out, "%s%s", i == 0 ? text_get(t->lang, "word.colon") : " ", codes[i]);
    free(codes);
}

static void help_words(const struct ctl *t, const char *prefix, const struct ctl_word *w, FILE *out)
{
    for (; w->name; w++) {
        size_t width = strlen(w->name) + 2;

        fprintf(out, "  %s%s", strcmp(prefix, "ctl.option") == 0 ? "--" : "", w->name);
        if (strcmp(prefix, "ctl.option") != 0)
            width -= 2;
        fprintf(out, "%*s%s", width < 14 ? (int)(14 - width) : 1, "", text_of(t, prefix, w->name, NULL));
        help_codes(t, w, out);
        fputc('\n', out);
    }
}

void help_command(const struct ctl *t, const struct command *c, FILE *out)
{
    usage_line(c, out);
    fprintf(out, "\n%s\n", text_of(t, "ctl.help", c->noun, c->verb));
    if (c->words[0].name || c->options[0].name)
        fputc('\n', out);
    help_words(t, "ctl.word", c->words, out);
    help_words(t, "ctl.option", c->options, out);
}

void help_all(const struct ctl *t, FILE *out)
{
    fprintf(out, "%s\n", text_get(t->lang, "ctl.usage"));
    fputc('\n', out);
    for (const struct command *c = commands; c->noun; c++)
        fprintf(out, "  %-10s%-14s%s\n", c->noun, c->verb ? c->verb : "", text_of(t, "ctl.help", c->noun, c->verb));
    fprintf(out, "\n%s\n", text_get(t->lang, "ctl.options"));
}
