#ifndef PD_ARCHIVE_ARCHIVE_H
#define PD_ARCHIVE_ARCHIVE_H

#include "base/array.h"
#include "base/clock.h"
#include "model/archive.h"
#include "model/change.h"

/*
 * The archive: customers, sites, contacts, staff and contracts, and the rules
 * that keep them in order. Names are unique within a kind; what refers to
 * another record finds it, and keeps finding it when that is renamed; nothing is
 * removed that is still referred to. Includes nothing of watch or desk; the
 * composition root joins them.
 *
 * Its events: customer.added, .changed (what: which fields, from what to what),
 * .removed, and so of each kind; each with the record's name.
 */
struct archive;

struct archive_config {
    struct pd_clock clock;
    bool (*device_exists)(void *ctx, const char *name);
    /* The name of a device at a site, or NULL if none stands there. */
    const char *(*device_at)(void *ctx, const char *site);
    /* A site is called otherwise: to be carried into what the archive does not keep, in the same change. */
    void (*site_renamed)(void *ctx, struct change *c, const char *from, const char *to);
    bool (*calendar_exists)(void *ctx, const char *name);
    void *ctx;
};

struct archive *archive_new(const struct archive_config *config);
void archive_free(struct archive *a); /* NULL is fine */
/* From the store, at start. */
void archive_load(struct archive *a, enum archive_kind kind, const struct entry *e);

/* A record by its name, NULL if there is none that is not removed. Borrowed until the next change. */
const struct entry *archive_find(const struct archive *a, enum archive_kind kind, const char *name);
/* Likewise by name or by id in digits; NULL and *why (free it), with what was maybe meant. */
const struct entry *archive_ref(const struct archive *a, enum archive_kind kind, const char *ref, char **why);
/* How many there are that are not removed. */
size_t archive_count(const struct archive *a, enum archive_kind kind);
/* All of a kind that are not removed, in the order in which they were added. */
void archive_each(const struct archive *a, enum archive_kind kind, void (*fn)(void *ctx, const struct entry *e),
                  void *ctx);

/* ---- Putting records in ---- */

/* A text for each field of the kind, in its order. NULL: not said, so it stays as it is; "": none. Borrowed. */
struct archive_row {
    const char *value[ARCHIVE_FIELDS_MAX];
};

enum archive_fate { FATE_SAME, FATE_ADDED, FATE_CHANGED, FATE_WRONG, FATE_COUNT };
const char *archive_fate_name(enum archive_fate f); /* "unchanged", "added", … */

/* Something to be said of a row: a field that changes, or what is wrong or doubtful. */
struct archive_note {
    size_t row;
    int field;            /* -1: of the whole row */
    char *before, *after; /* of what changes; NULL: absent */
    char *text;           /* of what is wrong or doubtful */
};
struct archive_notes { /* an ARRAY */
    struct archive_note *v;
    size_t n, cap;
};

/* What becomes, or would become, of rows. */
struct archive_outcome {
    enum archive_fate *fates; /* of each row */
    size_t n;
    struct archive_notes changes, errors, warnings;
};
void archive_outcome_init(struct archive_outcome *o, size_t nrows);
void archive_outcome_fini(struct archive_outcome *o);
size_t archive_outcome_count(const struct archive_outcome *o, enum archive_fate fate);
/* Says that a row is wrong; takes the text. */
void archive_outcome_error(struct archive_outcome *o, size_t row, int field, char *text);
/* The errors in one text, for whoever sent one row: the first, and how many more; free it. */
char *archive_outcome_why(const struct archive_outcome *o, enum archive_kind kind);

/* Whether records may be there already, or must be. */
enum archive_mode { ARCHIVE_ADD, ARCHIVE_IMPORT };

/*
 * Puts rows in, all or none. change NULL: only says what would become of them.
 * PD_EINVAL if any row is wrong; the outcome (initialised by the caller) says all that is.
 */
int archive_put(struct archive *a, enum archive_kind kind, enum archive_mode mode, const struct archive_row *rows,
                size_t n, const char *actor, struct change *change, struct archive_outcome *o);
/* Changes a record by its name or id, which may change its name too. PD_ENOENT and PD_EINVAL with *why (free it). */
int archive_set(struct archive *a, enum archive_kind kind, const char *ref, const struct archive_row *row,
                const char *actor, struct change *change, int64_t *id, char **why);
/* PD_ENOENT; PD_ESTATE while something refers to it; *why (free it). */
int archive_remove(struct archive *a, enum archive_kind kind, const char *ref, const char *actor, struct change *change,
                   int64_t *id, char **why);

/*
 * Reads a row into a record of its kind, a struct device among them: `record`
 * holds what was there before (zeroed: a new one) and then what the row makes of it. What
 * changes and what is wrong goes to the outcome; false if something is wrong.
 */
bool archive_stage(struct archive *a, enum archive_kind kind, bool is_new, void *record, const struct archive_row *row,
                   size_t place, struct archive_outcome *o);
/* Which fields of row `place` change, from what to what, as one text for an event; free it. */
char *archive_what_changed(enum archive_kind kind, const struct archive_outcome *o, size_t place);

#endif
