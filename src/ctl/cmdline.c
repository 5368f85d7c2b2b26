#include "ctl/cmdline.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#include "base/array.h"
#include "base/err.h"
#include "ctl/client.h"

/* Options of every command, before the noun or after; those of a command come from its row of the table. */
enum { OPT_FIRST = 256, OPT_JSON = OPT_FIRST, OPT_CSV, OPT_LANG, OPT_VERSION, OPT_COMMAND };

static const struct option common_options[] = {
    {"socket", required_argument, NULL, 's'},    {"config", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, OPT_JSON},       {"csv", no_argument, NULL, OPT_CSV},
    {"lang", required_argument, NULL, OPT_LANG}, {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
};
enum { COMMON_OPTIONS = sizeof common_options / sizeof *common_options };

/* What reading a command line comes to, beside an exit code. */
enum { GO_ON = -1 };

struct names {
    ARRAY(const char *) list;
};

/* ---- What is wrong, and what would be right ---- */

/* A text about a word, with what it may have been meant to be (names may be NULL), then how the command is used. */
static int misuse(struct ctl *t, const struct command *c, const char *id, const char *word, struct names *names)
{
    const char *near = NULL;
    struct sbuf text = {0};

    if (names) {
        array_push(&names->list, NULL);
        near = str_nearest(word, names->list.v);
    }
    text_fill(&text, text_get(t->lang, id), (struct text_arg[]){{"word", word}}, 1);
    if (near)
        text_fill(&text, text_get(t->lang, "ctl.misuse.meant"), (struct text_arg[]){{"near", near}}, 1);
    ctl_fail(t, "%s", text.s);
    sbuf_free(&text);
    if (names)
        array_free(&names->list);
    if (c)
        usage_line(c, t->err);
    else
        fprintf(t->err, "%s\n", text_get(t->lang, "ctl.misuse.help"));
    return EXIT_MISUSE;
}

static int wrong_option(struct ctl *t, const struct command *c, int opt, char **argv)
{
    struct names names = {0};
    const char *word = argv[optind - 1];

    if (opt == ':')
        return misuse(t, c, "ctl.misuse.no-value", word, NULL);
    for (size_t i = 0; i < COMMON_OPTIONS; i++)
        array_push(&names.list, common_options[i].name);
    for (const struct ctl_word *o = c ? c->options : NULL; o && o->name; o++)
        array_push(&names.list, o->name);
    while (*word == '-')
        word++;
    return misuse(t, c, "ctl.misuse.option", word, &names);
}

/* ---- Options ---- */

/* GO_ON, or an exit code. */
static int common_option(struct ctl *t, const struct command *c, int opt, char **argv)
{
    switch (opt) {
    case 's':
        t->socket = optarg;
        return GO_ON;
    case 'c':
        t->config = optarg;
        return GO_ON;
    case OPT_JSON:
        t->format = VIEW_JSON;
        return GO_ON;
    case OPT_CSV:
        t->format = VIEW_CSV;
        return GO_ON;
    case OPT_LANG:
        return lang_parse(optarg, &t->lang) == 0 ? GO_ON : misuse(t, c, "ctl.misuse.lang", optarg, NULL);
    case 'h':
        if (c)
            help_command(t, c, t->out);
        else
            help_all(t, t->out);
        return EXIT_DONE;
    case OPT_VERSION:
        fputs("patrolctl " PACKAGE_VERSION "\n", t->out);
        return EXIT_DONE;
    default:
        return wrong_option(t, c, opt, argv);
    }
}

static bool is_code(const char *const *codes, const char *text)
{
    while (*codes && strcmp(*codes, text) != 0)
        codes++;
    return *codes;
}

/* True if the value is one that the word can have; else tells which there are. */
static bool check_code(struct ctl *t, const struct command *c, const struct ctl_word *w, const char *text)
{
    const char **codes = w->codes ? ctl_codes(w->codes) : NULL, *near;
    bool good = !codes || is_code(codes, text);
    struct sbuf list = {0}, line = {0};

    if (!good) {
        near = str_nearest(text, codes);
        for (size_t i = 0; codes[i]; i++)
            sbuf_addf(&list, "%s%s", i > 0 ? " " : "", codes[i]);
        text_fill(&line, text_get(t->lang, "ctl.misuse.code"), (struct text_arg[]){{"word", text}, {"codes", list.s}},
                  2);
        if (near)
            text_fill(&line, text_get(t->lang, "ctl.misuse.meant"), (struct text_arg[]){{"near", near}}, 1);
        ctl_fail(t, "%s", line.s);
        usage_line(c, t->err);
    }
    sbuf_free(&list);
    sbuf_free(&line);
    free(codes);
    return good;
}

/* A word as a member of the request. */
static int put_word(struct ctl *t, json_t *args, const struct command *c, const struct ctl_word *w, const char *text)
{
    json_t *value = NULL;
    int64_t n;

    if (!check_code(t, c, w, text))
        return EXIT_MISUSE;
    if (w->type == CTL_FLAG)
        value = json_true();
    else if (w->type == CTL_TEXT)
        value = json_string(text);
    else if (str_to_i64(text, &n) == 0)
        value = json_integer(n);
    if (!value)
        return misuse(t, c, w->type == CTL_TEXT ? "ctl.misuse.utf8" : "ctl.misuse.number", text, NULL);
    json_object_set_new(args, w->name, value);
    return GO_ON;
}

/* Options before the noun (c NULL), or those of a command, into args. */
static int take_options(struct ctl *t, const struct command *c, int argc, char **argv, json_t *args)
{
    struct option options[COMMON_OPTIONS + MAX_OPTIONS + 1] = {0};
    size_t n = COMMON_OPTIONS;
    int opt, rc = GO_ON;

    memcpy(options, common_options, sizeof common_options);
    for (int i = 0; c && c->options[i].name; i++)
        options[n++] =
            (struct option){c->options[i].name, c->options[i].type == CTL_FLAG ? no_argument : required_argument, NULL,
                            OPT_COMMAND + i};
    opterr = 0;
    optind = 0;
    while (rc == GO_ON && (opt = getopt_long(argc, argv, c ? ":s:c:h" : "+:s:c:h", options, NULL)) != -1)
        rc = c && opt >= OPT_COMMAND ? put_word(t, args, c, &c->options[opt - OPT_COMMAND], optarg)
                                     : common_option(t, c, opt, argv);
    return rc;
}

/* ---- Words ---- */

/* Finds the row for the first one or two words; *used says how many. NULL after telling why not. */
static const struct command *find_command(struct ctl *t, int argc, char **argv, int *used)
{
    struct names nouns = {0}, verbs = {0};
    const struct command *found = NULL;

    for (const struct command *c = commands; c->noun && !found; c++) {
        array_push(&nouns.list, c->noun);
        if (strcmp(c->noun, argv[0]) != 0)
            continue;
        if (c->verb)
            array_push(&verbs.list, c->verb);
        if (!c->verb || (argc > 1 && strcmp(c->verb, argv[1]) == 0))
            found = c;
    }
    if (found) {
        *used = found->verb ? 2 : 1;
        array_free(&nouns.list);
        array_free(&verbs.list);
    } else if (verbs.list.n > 0) {
        struct sbuf all = {0};

        for (size_t i = 0; i < verbs.list.n; i++)
            sbuf_addf(&all, " %s", verbs.list.v[i]);
        array_free(&nouns.list);
        misuse(t, NULL, argc > 1 ? "ctl.misuse.verb" : "ctl.misuse.no-verb", argc > 1 ? argv[1] : argv[0],
               argc > 1 ? &verbs : NULL);
        fprintf(t->err, "%s%s%s\n", argv[0], text_get(t->lang, "word.colon"), all.s);
        array_free(&verbs.list);
        sbuf_free(&all);
    } else {
        misuse(t, NULL, "ctl.misuse.noun", argv[0], &nouns);
    }
    return found;
}

/* All words that are left, as a list; not there where none is. */
static int take_rest(struct ctl *t, const struct command *c, const struct ctl_word *w, int argc, char **argv,
                     json_t *args)
{
    json_t *list = json_array();
    int rc = GO_ON;

    while (rc == GO_ON && optind < argc) {
        json_t *word = json_string(argv[optind]);

        if (word)
            json_array_append_new(list, word);
        else
            rc = misuse(t, c, "ctl.misuse.utf8", argv[optind], NULL);
        optind++;
    }
    if (json_array_size(list) > 0)
        json_object_set(args, w->name, list);
    json_decref(list);
    return rc;
}

/* A command's own words: options and positionals into args. */
static int take_words(struct ctl *t, const struct command *c, int argc, char **argv, json_t *args)
{
    int rc = take_options(t, c, argc, argv, args);

    for (const struct ctl_word *w = c->words; rc == GO_ON && w->name; w++) {
        if (w->rest)
            rc = take_rest(t, c, w, argc, argv, args);
        else if (optind < argc)
            rc = put_word(t, args, c, w, argv[optind++]);
        else if (!w->optional)
            rc = misuse(t, c, "ctl.misuse.missing", w->name, NULL);
    }
    if (rc == GO_ON && optind < argc)
        rc = misuse(t, c, "ctl.misuse.too-many", argv[optind], NULL);
    if (rc == GO_ON && t->format == VIEW_CSV && !c->csv)
        rc = misuse(t, c, "ctl.misuse.csv", c->verb ? c->verb : c->noun, NULL);
    return rc;
}

/* Lists show what is open, unless something else is asked for. */
static void put_preset(const struct command *c, json_t *args)
{
    if (c->preset.name && !json_object_get(args, "all") && !json_object_get(args, "state"))
        json_object_set_new(args, c->preset.name, json_string(c->preset.value));
    json_object_del(args, "all");
}

static int run(struct ctl *t, int argc, char **argv)
{
    const struct command *c;
    json_t *args;
    int used = 0, code = take_options(t, NULL, argc, argv, NULL);

    if (code != GO_ON)
        return code;
    if (optind == argc) {
        help_all(t, t->err);
        return EXIT_MISUSE;
    }
    argc -= optind;
    argv += optind;
    c = find_command(t, argc, argv, &used);
    if (!c)
        return EXIT_MISUSE;
    args = json_object();
    code = take_words(t, c, argc - used + 1, argv + used - 1, args);
    put_preset(c, args);
    if (code == GO_ON)
        code = c->run(t, c, args);
    else if (c->plugin && code == EXIT_MISUSE)
        code = EXIT_UNKNOWN;
    json_decref(args);
    return code;
}

int run_help(struct ctl *t, const struct command *c, json_t *args)
{
    const char *noun = ctl_string(args, "noun"), *verb = ctl_string(args, "verb");
    bool any = false;

    for (const struct command *o = commands; o->noun; o++) {
        if (strcmp(o->noun, noun) != 0 || (*verb && (!o->verb || strcmp(o->verb, verb) != 0)))
            continue;
        if (any)
            fputc('\n', t->out);
        help_command(t, o, t->out);
        any = true;
    }
    if (*noun && !any)
        return misuse(t, c, "ctl.misuse.noun", *verb ? verb : noun, NULL);
    if (!any)
        help_all(t, t->out);
    return EXIT_DONE;
}

int ctl_run(struct ctl *t, int argc, char **argv)
{
    int code = run(t, argc, argv);

    client_close(t->client);
    t->client = NULL;
    json_decref(t->words);
    t->words = NULL;
    return code;
}
