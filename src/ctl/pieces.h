#ifndef PD_CTL_PIECES_H
#define PD_CTL_PIECES_H

#include "ctl/import.h"

/*
 * A table that is too long for one request goes in pieces, each taken over whole or not at all; so patrold has its
 * hands free between them. A device whose parent is in the table too is put in without it first and gets it in a
 * second round, so their order does not matter.
 */
bool pieces_wanted(const struct import_file *f);
/*
 * Sends them: an answer as of one request (json_decref it). NULL after telling why not; *taken is how many rows
 * were taken over before that.
 */
json_t *pieces_send(struct ctl *t, const struct command *c, const struct import_file *f, bool dry, size_t *taken);

#endif
