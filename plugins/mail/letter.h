#ifndef PD_MAIL_LETTER_H
#define PD_MAIL_LETTER_H

#include <stddef.h>

#include "plugin/plugin.h"

/*
 * Writes a mail: RFC 5322 with CRLF line ends, subject and names by RFC 2047,
 * body as UTF-8 in base64. A pure function: the same message gives the same
 * bytes each time. g_mime_init() was called before.
 */

/* The address itself of "Name <address>" or "address"; NULL if it is not exactly one that SMTP takes. free() it. */
char *letter_address(const char *text);

/* How many addresses a comma-separated list names, each as letter_address() takes it; 0 if any of them is wrong. */
struct letter_list {
    char **v;
    size_t n;
};
struct letter_list letter_addresses(const char *text);
void letter_list_free(struct letter_list *list);

/* A part of the message as it was read. Texts end with NUL beyond n. */
struct letter_file {
    const struct pd_part *part;
    char *data;
    size_t n;
};

/* The bytes (free() them), or NULL if from, to or the id are none. files: one for each of the message's parts. */
char *letter_write(const char *from, const struct pd_message *m, const struct letter_file *files, size_t *n);

#endif
