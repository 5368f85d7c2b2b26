#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#include "base/err.h"
#include "base/str.h"
#include "ctl/client.h"
#include "ctl/ctl.h"

/* Options before the noun; those of a command come from its row of the table. */
enum { OPT_FIRST = 256, OPT_JSON = OPT_FIRST, OPT_CSV, OPT_LANG, OPT_HELP, OPT_VERSION, OPT_COMMAND };

static const struct option common_options[] = {
    {"socket", required_argument, NULL, 's'},    {"config", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, OPT_JSON},       {"csv", no_argument, NULL, OPT_CSV},
    {"lang", required_argument, NULL, OPT_LANG}, {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
};
enum { COMMON_OPTIONS = sizeof common_options / sizeof *common_options };

static void usage_line(const struct command *c, FILE *out)
{
    fprintf(out, "  %s%s%s", c->noun, c->verb ? " " : "", c->verb ? c->verb : "");
    for (const char *const *p = c->positionals; *p; p++)
        fprintf(out, **p == '?' ? " [%s]" : " %s", **p == '?' ? *p + 1 : *p);
    for (const struct ctl_option *o = c->options; o->name; o++)
        fprintf(out, " [--%s %s]", o->name, o->number ? "N" : "TEXT");
    fputc('\n', out);
}

static void usage(const struct ctl *t, FILE *out)
{
    fprintf(out, "%s\n\n", text_get(t->lang, "ctl.usage"));
    for (const struct command *c = commands; c->noun; c++) {
        usage_line(c, out);
        fprintf(out, "      %s\n", text_get(t->lang, c->help));
    }
    fprintf(out, "\n%s\n", text_get(t->lang, "ctl.options"));
}

/* Tells what is wrong with the command line, and what would be right. */
static int misuse(const struct command *c, const char *what, const char *word)
{
    struct sbuf visible = {0};

    sbuf_add_visible(&visible, word);
    fprintf(stderr, "patrolctl: %s '%s'\n", what, visible.n ? visible.s : "");
    sbuf_free(&visible);
    if (c) {
        fputs("usage:\n", stderr);
        usage_line(c, stderr);
    } else {
        fputs("patrolctl --help tells all commands\n", stderr);
    }
    return EXIT_MISUSE;
}

static enum lang lang_of_environment(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value && *value)
            return str_starts(value, "zh") ? LANG_ZH_CN : LANG_EN;
    }
    return LANG_EN;
}

/* 0, or an exit code after telling what is wrong. */
static int common_option(struct ctl *t, int opt)
{
    switch (opt) {
    case 's':
        t->socket = optarg;
        return 0;
    case 'c':
        t->config = optarg;
        return 0;
    case OPT_JSON:
        t->format = VIEW_JSON;
        return 0;
    case OPT_CSV:
        t->format = VIEW_CSV;
        return 0;
    case OPT_LANG:
        return lang_parse(optarg, &t->lang) == 0 ? 0 : misuse(NULL, "--lang takes en or zh_CN, not", optarg);
    default:
        return misuse(NULL, "wrong option", "");
    }
}

/* Finds the row for the first one or two words; *used says how many. NULL after telling why not. */
static const struct command *find_command(int argc, char **argv, int *used)
{
    bool noun_known = false;

    for (const struct command *c = commands; c->noun; c++) {
        if (strcmp(c->noun, argv[0]) != 0)
            continue;
        noun_known = true;
        if (!c->verb || (argc > 1 && strcmp(c->verb, argv[1]) == 0)) {
            *used = c->verb ? 2 : 1;
            return c;
        }
    }
    if (noun_known) {
        fprintf(stderr, "patrolctl: %s takes one of:", argv[0]);
        for (const struct command *c = commands; c->noun; c++)
            if (strcmp(c->noun, argv[0]) == 0)
                fprintf(stderr, " %s", c->verb);
        fputc('\n', stderr);
    } else {
        misuse(NULL, "there is no command", argv[0]);
    }
    return NULL;
}

static int put_number(json_t *args, const struct command *c, const struct ctl_option *o, const char *text)
{
    int64_t n;

    if (str_to_i64(text, &n) != 0)
        return misuse(c, "a whole number is wanted, not", text);
    json_object_set_new(args, o->member, json_integer(n));
    return 0;
}

static int put_text(json_t *args, const struct command *c, const char *member, const char *text)
{
    json_t *value = json_string(text);

    if (!value)
        return misuse(c, "this is no UTF-8:", text);
    json_object_set_new(args, member, value);
    return 0;
}

static int put_option(json_t *args, const struct command *c, const struct ctl_option *o, const char *text)
{
    return o->number ? put_number(args, c, o, text) : put_text(args, c, o->member, text);
}

/* Reads a command's own words: options and positionals into args. 0 or an exit code. */
static int command_line(struct ctl *t, const struct command *c, int argc, char **argv, json_t *args)
{
    struct option options[COMMON_OPTIONS + MAX_OPTIONS + 1] = {0};
    size_t n = 0;
    int opt, rc = 0;

    for (; n < COMMON_OPTIONS; n++)
        options[n] = common_options[n];
    for (int i = 0; c->options[i].name; i++)
        options[n++] = (struct option){c->options[i].name, required_argument, NULL, OPT_COMMAND + i};
    optind = 0;
    while (rc == 0 && (opt = getopt_long(argc, argv, "s:c:", options, NULL)) != -1) {
        if (opt == OPT_HELP || opt == '?') {
            usage_line(c, opt == OPT_HELP ? stdout : stderr);
            return opt == OPT_HELP ? -1 : EXIT_MISUSE;
        }
        rc = opt >= OPT_COMMAND ? put_option(args, c, &c->options[opt - OPT_COMMAND], optarg) : common_option(t, opt);
    }
    for (const char *const *p = c->positionals; rc == 0 && *p; p++) {
        if (optind < argc)
            rc = put_text(args, c, **p == '?' ? *p + 1 : *p, argv[optind++]);
        else if (**p != '?')
            rc = misuse(c, "a word is missing:", *p);
    }
    if (rc == 0 && optind < argc)
        rc = misuse(c, "one word too many:", argv[optind]);
    return rc;
}

/* Options before the noun. -1: go on; else an exit code. */
static int first_options(struct ctl *t, int argc, char **argv)
{
    struct option options[COMMON_OPTIONS + 1] = {0};
    int opt, rc;

    for (size_t i = 0; i < COMMON_OPTIONS; i++)
        options[i] = common_options[i];
    while ((opt = getopt_long(argc, argv, "+s:c:", options, NULL)) != -1) {
        if (opt == OPT_HELP) {
            usage(t, stdout);
            return EXIT_DONE;
        }
        if (opt == OPT_VERSION) {
            puts("patrolctl " PACKAGE_VERSION);
            return EXIT_DONE;
        }
        rc = common_option(t, opt);
        if (rc != 0)
            return rc;
    }
    return -1;
}

static int run(struct ctl *t, int argc, char **argv)
{
    const struct command *c;
    json_t *args;
    int used, code = first_options(t, argc, argv);

    if (code >= 0)
        return code;
    if (optind == argc) {
        usage(t, stderr);
        return EXIT_MISUSE;
    }
    argc -= optind;
    argv += optind;
    c = find_command(argc, argv, &used);
    if (!c)
        return EXIT_MISUSE;
    args = json_object();
    code = command_line(t, c, argc - used + 1, argv + used - 1, args);
    if (code == 0)
        code = c->run(t, c, args);
    json_decref(args);
    return code < 0 ? EXIT_DONE : code;
}

int main(int argc, char **argv)
{
    struct ctl t = {.config = PATROLD_CONFIG, .format = VIEW_PEOPLE, .lang = lang_of_environment()};
    const char *socket = getenv("PATROLD_SOCKET");
    int code;

    t.socket = socket && *socket ? socket : PATROLD_SOCKET;
    t.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    code = run(&t, argc, argv);
    client_close(t.client);
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = ctl_fail("cannot write: %s", strerror(errno));
    return code;
}
