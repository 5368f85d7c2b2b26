#ifndef PD_DAEMON_JOURNAL_H
#define PD_DAEMON_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"

/*
 * Log lines as entries of systemd's journal, with fields to search by; patrold(8)
 * lists them, and systemd/patrold.catalog says what each MESSAGE_ID means.
 */

/* True if standard error is the journal, as JOURNAL_STREAM says. */
bool journal_is_stderr(void);

/* A log sink; ctx is not used. */
void journal_write(void *ctx, const struct log_line *line);

enum { JOURNAL_FIELDS_MAX = 8 };

/* The fields of a line, "NAME=value" each; free() them. */
size_t journal_fields(const struct log_line *line, char *fields[static JOURNAL_FIELDS_MAX]);

#endif
