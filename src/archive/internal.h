#ifndef PD_ARCHIVE_INTERNAL_H
#define PD_ARCHIVE_INTERNAL_H

#include "archive/archive.h"
#include "base/dict.h"

/* What the files of the archive share. */
struct shelf {
    struct dict *names;  /* -> entry, not removed */
    struct u64dict *ids; /* -> entry, not removed; owned here */
    int64_t last_id;
};

struct archive {
    struct archive_config config;
    struct shelf shelves[ARCHIVE_KIND_COUNT]; /* that of devices stays empty */
    char *good_zone;                          /* the last one that was looked up */
};

/* ---- archive.c ---- */

/* What there is of a name; NULL text if there is nothing near. For messages; free it. */
char *archive_missing(const struct archive *a, enum archive_kind kind, const char *name, bool suggest);
/* Takes the entry, new or in place of the one with its id; its row goes to the change. */
void archive_keep(struct archive *a, enum archive_kind kind, struct entry *e, struct change *change);
/* An event of what befell a record. */
struct event *archive_event(const struct archive *a, struct change *change, enum archive_kind kind, const char *what,
                            const char *name, const char *actor);

#endif
