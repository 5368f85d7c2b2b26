#ifndef PD_SIM_DBCHECK_H
#define PD_SIM_DBCHECK_H

#include "base/str.h"
#include "witness.h"

/*
 * Looks into patrold's database with eyes of its own (SQLite, not src/store) and
 * compares it with what patrold told while it ran. Appends a line "problem: …"
 * for each disagreement, and gives their number.
 */
unsigned dbcheck(const char *path, const char *vfs, const struct witness *w, struct sbuf *out);

/* The part of it that must hold at any moment: nothing that was told is lost. */
unsigned dbcheck_kept(const char *path, const char *vfs, const struct witness *w, struct sbuf *out);

/* Hands the events after a number to the witness, as if they came now: those that were on disk before anybody was told. */
int dbcheck_catch_up(const char *path, const char *vfs, struct witness *w, int64_t at_ms);

#endif
