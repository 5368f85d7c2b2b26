#ifndef PD_CTL_CTL_H
#define PD_CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/text.h"
#include "view/table.h"

struct client;
struct ctl;
struct command;

/* What patrolctl exits with. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2 };

enum { MAX_POSITIONALS = 3, MAX_OPTIONS = 8 };

/* An option of a command: `--name VALUE` becomes a member of the request. */
struct ctl_option {
    const char *name;
    const char *member;
    bool number;
};

/* A column of a list: a member of the answer's rows. */
struct ctl_column {
    const char *member;
    const char *title; /* text id */
    enum view_type type;
    const char *words; /* VIEW_CODE: text id of a code is this, a dot and the code */
};

/* One line of the command table: everything that the command line means. */
struct command {
    const char *noun, *verb;                      /* verb NULL: the noun is all */
    const char *positionals[MAX_POSITIONALS + 1]; /* members of the request; "?x" may be left out */
    struct ctl_option options[MAX_OPTIONS];       /* ended by a NULL name */
    const char *help;                             /* text id */
    int (*run)(struct ctl *t, const struct command *c, json_t *args);
    const char *request;              /* the protocol's name of the command or query */
    const struct ctl_column *columns; /* ended by a NULL member */
};

struct ctl {
    const char *socket, *config;
    enum lang lang;
    enum view_format format;
    bool colour;
    struct client *client; /* opened at first use */
};

/* The command table, ended by a NULL noun. */
extern const struct command commands[];

/* ---- What commands are made of; each gives an exit code ---- */

/* Asks for all pages of a query and shows its rows in the command's columns. */
int run_list(struct ctl *t, const struct command *c, json_t *args);
/* Sends a command and says in a line that it was done. */
int run_action(struct ctl *t, const struct command *c, json_t *args);
int run_status(struct ctl *t, const struct command *c, json_t *args);
int run_device_list(struct ctl *t, const struct command *c, json_t *args);
int run_device_show(struct ctl *t, const struct command *c, json_t *args);
int run_ticket_show(struct ctl *t, const struct command *c, json_t *args);
int run_facts(struct ctl *t, const struct command *c, json_t *args);
int run_tail(struct ctl *t, const struct command *c, json_t *args);
int run_config_check(struct ctl *t, const struct command *c, json_t *args);

/* ---- Helpers ---- */

/* Says on standard error what went wrong, device text made visible; gives EXIT_FAILED. */
int ctl_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/*
 * Sends a request (takes it), connecting first where need be, and gives the
 * answer, or NULL after telling why there is none.
 */
json_t *ctl_ask(struct ctl *t, json_t *request);
/*
 * Asks for one page of a query (filters is borrowed) after a cursor: the answer,
 * with "rows" and "next", or NULL after telling why.
 */
json_t *ctl_page(struct ctl *t, const char *query, json_t *filters, json_int_t after);
/* The first row of a query, borrowed from *answer; NULL after telling why. */
json_t *ctl_row(struct ctl *t, const char *query, json_t *filters, json_t **answer);

/* A view on standard output in the format that was asked for. */
struct view *ctl_view(struct ctl *t);
/* Gives a row's members as cells. */
void ctl_cells(struct ctl *t, struct view *v, const struct ctl_column *columns, json_t *row);
/* A view's columns with their titles in the language; free() them. */
struct view_column *ctl_columns(struct ctl *t, const struct ctl_column *columns, size_t *n);
/* A code's words in the reader's language: text id WORDS.CODE, or the code. */
const char *ctl_words(struct ctl *t, const char *words, const char *code);
const char *ctl_string(json_t *object, const char *member); /* "" where it has no such text */

#endif
