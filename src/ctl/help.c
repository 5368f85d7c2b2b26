#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
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

/*
 * What a word or an option means to this command: "ctl.option.ticket.open.device" before "ctl.option.ticket.device",
 * that before "ctl.option.list.device", and what it means everywhere last.
 */
static const char *meaning(const struct ctl *t, const char *prefix, const struct command *c, const char *name)
{
    char *const ways[] = {
        xasprintf("%s.%s.%s", prefix, c->noun, c->verb ? c->verb : ""),
        xasprintf("%s.%s", prefix, c->noun),
        xasprintf("%s.%s", prefix, c->verb ? c->verb : c->noun),
        xstrdup(prefix),
    };
    const char *text = "";

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (!*text)
            text = text_of(t, ways[i], name, NULL);
        free(ways[i]);
    }
    return text;
}

static void help_words(const struct ctl *t, const char *prefix, const struct command *c, const struct ctl_word *w,
                       FILE *out)
{
    for (; w->name; w++) {
        size_t width = strlen(w->name) + 2;

        fprintf(out, "  %s%s", strcmp(prefix, "ctl.option") == 0 ? "--" : "", w->name);
        if (strcmp(prefix, "ctl.option") != 0)
            width -= 2;
        fprintf(out, "%*s%s", width < 14 ? (int)(14 - width) : 1, "", meaning(t, prefix, c, w->name));
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
    help_words(t, "ctl.word", c, c->words, out);
    help_words(t, "ctl.option", c, c->options, out);
}

void help_all(const struct ctl *t, FILE *out)
{
    fprintf(out, "%s\n", text_get(t->lang, "ctl.usage"));
    fputc('\n', out);
    for (const struct command *c = commands; c->noun; c++)
        fprintf(out, "  %-10s%-14s%s\n", c->noun, c->verb ? c->verb : "", text_of(t, "ctl.help", c->noun, c->verb));
    fprintf(out, "\n%s\n", text_get(t->lang, "ctl.options"));
}
