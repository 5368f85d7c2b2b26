#ifndef PD_CTL_CTL_H
#define PD_CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/text.h"
#include "view/table.h"

struct client;
struct command;
struct ctl;

/* What patrolctl exits with; EXIT_UNKNOWN is for what other monitoring runs as a plugin. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2, EXIT_UNKNOWN = 3 };

enum { MAX_WORDS = 3, MAX_OPTIONS = 18 };

enum ctl_type { CTL_TEXT, CTL_NUMBER, CTL_FLAG };

/* A word of a command line: it becomes the member of its name of the request. */
struct ctl_word {
    const char *name; /* of an option without the dashes */
    enum ctl_type type;
    bool optional;     /* options always are */
    bool rest;         /* the last one: takes all that is left, as a list */
    const char *codes; /* its value is a code that has a text CODES.VALUE; NULL: anything */
};

enum ctl_shown {
    SHOWN_ALWAYS,
    SHOWN_WIDE,     /* not in a table on a narrow terminal */
    SHOWN_PROGRAMS, /* not to people */
};

/* A column of what is shown: the member of its name of a row, or of its name with _ms where it is a stamp. */
struct ctl_column {
    const char *name;
    const char *title; /* text id; NULL: "ctl.col." and the name */
    enum view_type type;
    const char *words; /* VIEW_CODE: text id of a code is this, a dot and the code */
    unsigned char max; /* columns it may take on a narrow terminal, twice that on a wide one; 0: any */
    enum ctl_shown shown;
};

/*
 * One line of the command table: everything that a command line means. Its help
 * is the text "ctl.help.NOUN[.VERB]", an option's "ctl.option.NAME", a word's
 * "ctl.word.NAME".
 */
struct command {
    const char *noun, *verb;              /* verb NULL: the noun is all */
    struct ctl_word words[MAX_WORDS + 1]; /* ended by a NULL name, as the options */
    struct ctl_word options[MAX_OPTIONS + 1];
    struct {
        const char *name, *value;
    } preset;    /* a member that a list has unless --all or --state is said */
    bool csv;    /* what it shows has rows */
    bool plugin; /* exits by the codes of monitoring plugins: 3 for whatever goes wrong */
    int (*run)(struct ctl *t, const struct command *c, json_t *args);
    const char *request;              /* the protocol's name of the command or query */
    const char *said;                 /* of an action: text id of what it says when done */
    const struct ctl_column *columns; /* of a list, ended by a NULL name */
};

struct ctl {
    const char *socket, *config;
    enum lang lang;
    enum view_format format;
    FILE *out, *err;
    FILE *in;              /* a terminal, to ask at; NULL: nobody is there */
    bool colour;           /* out is a terminal that wants it */
    unsigned width;        /* of that terminal in columns; 0: no terminal, no limit */
    struct client *client; /* opened at first use */
    json_t *words;         /* words of the knowledge that patrold has; NULL until asked for */
};

/* The command table, ended by a NULL noun. */
extern const struct command commands[];

/* Runs a command line (argv[0] is the program) and gives the exit code. Closes what it opened. */
int ctl_run(struct ctl *t, int argc, char **argv);

/* ---- What commands are made of; each gives an exit code ---- */

/* Shows all rows of a query in the command's columns. */
int run_list(struct ctl *t, const struct command *c, json_t *args);
/* Sends a command and says in a line that it was done. */
int run_action(struct ctl *t, const struct command *c, json_t *args);
int run_status(struct ctl *t, const struct command *c, json_t *args);
int run_device_poll(struct ctl *t, const struct command *c, json_t *args);
int run_device_show(struct ctl *t, const struct command *c, json_t *args);
int run_device_history(struct ctl *t, const struct command *c, json_t *args);
int run_ticket_list(struct ctl *t, const struct command *c, json_t *args);
int run_ticket_show(struct ctl *t, const struct command *c, json_t *args);
int run_check(struct ctl *t, const struct command *c, json_t *args);
int run_metrics(struct ctl *t, const struct command *c, json_t *args);
int run_facts(struct ctl *t, const struct command *c, json_t *args);
int run_event_list(struct ctl *t, const struct command *c, json_t *args);
int run_tail(struct ctl *t, const struct command *c, json_t *args);
int run_config_check(struct ctl *t, const struct command *c, json_t *args);
int run_backup(struct ctl *t, const struct command *c, json_t *args);
int run_restore(struct ctl *t, const struct command *c, json_t *args);
int run_patrol_list(struct ctl *t, const struct command *c, json_t *args);
int run_patrol_show(struct ctl *t, const struct command *c, json_t *args);
int run_patrol_fill(struct ctl *t, const struct command *c, json_t *args);
int run_report_path(struct ctl *t, const struct command *c, json_t *args);
int run_plan_list(struct ctl *t, const struct command *c, json_t *args);
int run_device_record(struct ctl *t, const struct command *c, json_t *args);
int run_device_diff(struct ctl *t, const struct command *c, json_t *args);
int run_profile_test(struct ctl *t, const struct command *c, json_t *args);
int run_help(struct ctl *t, const struct command *c, json_t *args);

/* Shows a record of the archive in the command's columns. */
int run_archive_show(struct ctl *t, const struct command *c, json_t *args);
int run_import(struct ctl *t, const struct command *c, json_t *args);

/* A bar for long work, on a terminal that people look at; at 100 it is gone. */
void ctl_progress(struct ctl *t, unsigned percent);
bool ctl_shows_progress(const struct ctl *t);

/* ---- Saying what is wrong ---- */

/* Says on t->err what went wrong, device text made visible; gives EXIT_FAILED. */
int ctl_fail(struct ctl *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Likewise, a text by its id with its arguments, ended by a NULL name. */
int ctl_fail_text(struct ctl *t, const char *id, const struct text_arg *args);

/* ---- Asking patrold ---- */

/*
 * Sends a request (takes it), connecting first where need be, and gives the
 * answer, or NULL after telling why there is none.
 */
json_t *ctl_ask(struct ctl *t, json_t *request);
/* Connects if that is still to be done: 0, or an error after telling why it can't be. */
int ctl_connect(struct ctl *t);
/* Tells the error that an answer holds. */
void ctl_refused(struct ctl *t, const json_t *error);
/*
 * Calls each for every row of a query (filters is borrowed), page by page, until
 * it gives false. EXIT_DONE, or EXIT_FAILED after telling why.
 */
int ctl_each(struct ctl *t, const char *query, json_t *filters, bool (*each)(void *ctx, json_t *row), void *ctx);
/* The first row of a query (json_decref it), which asks for `word`, or NULL after telling why there is none. */
json_t *ctl_row(struct ctl *t, const char *query, json_t *filters, const char *word);

/* ---- Words ---- */

/*
 * Asks what patrold's knowledge calls things, once; ctl_words() does it when need be. To be done before a
 * tail, on whose connection nothing else is asked.
 */
void ctl_know_words(struct ctl *t);
/*
 * A code's words in the reader's language: the text WORDS.CODE, what patrold's
 * knowledge calls it, or the code.
 */
const char *ctl_words(struct ctl *t, const char *words, const char *code);
const char *ctl_string(const json_t *object, const char *member); /* "" where it has no such text */
/* The codes that have a text CODES.CODE, in order, ended by NULL; free() the list. */
const char **ctl_codes(const char *codes);
/* Why a point is not good, in a sentence: from its member "why". */
void why_words(const struct ctl *t, const json_t *why, const char *quality, struct sbuf *out);
/* What happened, in a sentence. */
void event_words(struct ctl *t, const json_t *event, struct sbuf *out);
/* A stamp in the reader's own time zone; brief: without year and seconds. */
void ctl_local_time(int64_t wall_ms, bool brief, struct sbuf *out);

#endif
