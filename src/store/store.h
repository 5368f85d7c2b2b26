#ifndef PD_STORE_STORE_H
#define PD_STORE_STORE_H

#include "base/clock.h"
#include "base/rng.h"
#include "base/worker.h"
#include "model/change.h"
#include "model/vocabulary.h"
#include "store/month.h"

/*
 * The database: one SQLite file in WAL mode. One worker owns the writing
 * connection; another answers queries on a read-only one. Everything here is
 * called in the loop; nothing waits.
 */
struct store;

struct store_config {
    const char *path;
    const char *vfs;       /* SQLite VFS name; NULL: the system's */
    struct worker *writer; /* one thread, or inline */
    struct worker *reader;
    struct wheel *wheel;
    struct pd_clock clock;
    struct pd_rng rng; /* for the installation's uuid */
    /* Readings and changes wait at most this long for company; changes asked with urgency do not wait. */
    int64_t flush_ms;
    unsigned raw_days, hourly_days; /* how long polls, and their hourly rollups, are kept; 0: 45 and 731 */
    /* Commits began to fail (err < 0: why), fail for another reason, or work again (0). They are retried by themselves. */
    void (*trouble)(void *ctx, int err, const char *text);
    /* Each change once it is on disk, in order, its events numbered; before its done. May be NULL. */
    void (*committed)(void *ctx, const struct change *c);
    /*
     * A change will never be on disk, and its done never called: the database
     * refuses it for a reason of its own (a constraint, so a bug of ours; the
     * rest of its batch is committed without it), or it could not be committed by
     * the close. It is in the log. Gets store_submit()'s arg, so that it can be freed. May be NULL.
     */
    void (*lost)(void *ctx, void *arg);
    void *ctx;
    /* Polls are on disk: so many of the oldest that were taken by store_put_poll(). May be NULL. */
    void (*stored)(void *ctx, size_t npolls);
};

/*
 * Opens or makes the database, blocking (before the loop runs): migrates to the
 * newest schema in one transaction, each step from the one before. PD_EVERSION
 * if it was made by a newer patrold, PD_EINVAL if by another program (both left
 * untouched), PD_ECORRUPT, PD_EBUSY if another patrold has it, PD_EACCES, PD_EIO,
 * PD_ENOSPC; *why (free it) says more. Other programs may read meanwhile.
 */
int store_open(const struct store_config *config, struct store **out, char **why);
/*
 * Commits what is queued, checkpoints and closes. Changes that cannot be committed by now are lost and
 * counted in the log; queries not answered by now are: PD_ECANCELLED.
 */
void store_close(struct store *s);

/*
 * The numbers that points were given (they are added to out), from the database that store_open() would
 * open; blocking, before it is opened or while it is. Nothing where there is none, or an older one.
 */
void store_read_points(const char *path, const char *vfs, struct point_numbers *out);
/* Keeps the numbers of a vocabulary: its points' slots. To be called with each before readings of it come. */
void store_put_points(struct store *s, const struct vocabulary *v);

/* Who this installation is: uuid text, epoch, and a short prefix for ticket numbers made from the uuid. */
struct store_identity {
    char uuid[37];
    int64_t epoch;
    char prefix[8];
};
const struct store_identity *store_identity(const struct store *s);

/* What stands in the database, row by row in order of id; blocking, before the loop runs. Rows are borrowed. */
struct store_loader {
    void (*device)(void *ctx, const struct device *d);
    void (*component)(void *ctx, const struct component *k);
    void (*alert)(void *ctx, const struct alert *a); /* open ones */
    void (*hold)(void *ctx, const struct hold_record *h);
    void (*ticket)(void *ctx, const struct ticket *t); /* open ones */
    void (*outbox)(void *ctx, const struct outbox *o); /* pending ones */
    void (*round)(void *ctx, const struct round *r);   /* neither reported nor cancelled */
    void (*visit)(void *ctx, const struct visit *v);   /* of rounds not yet signed */
    void (*item)(void *ctx, const struct visit_item *i);
    void (*report)(void *ctx, const struct report *r);                /* all */
    void (*step)(void *ctx, const struct step_record *s);             /* of open tickets, after these */
    void (*origin)(void *ctx, const char *origin, int64_t ticket_id); /* of every ticket that has one */
    /* Of the events of the last five minutes before the newest: by what an inform is known. */
    void (*inform)(void *ctx, const char *id, int64_t at_ms);
    void (*entry)(void *ctx, enum archive_kind kind, const struct entry *e); /* removed ones too */
    void (*meta)(void *ctx, const char *name, const char *value);
    /* The poll of each device that came last. */
    void (*poll)(void *ctx, int64_t device_id, int64_t at_ms, const struct reading *readings, size_t n);
    /* What was put with change_put_history(). */
    void (*history)(void *ctx, int64_t device_id, const void *data, size_t n);
    /* All polls of the last STORE_TAIL_MS before the newest, of each device in order of time; not those that came late. */
    void (*tail)(void *ctx, int64_t device_id, int64_t at_ms, const struct reading *readings, size_t n);
    void *ctx;
};
#define STORE_TAIL_MS INT64_C(7200000)
int store_load(struct store *s, const struct store_loader *loader);

/* Highest id used so far of a kind of row ("device", "alert", "ticket", "outbox", "round", "visit", "item"), loaded at open. */
int64_t store_last_id(const struct store *s, enum row_kind kind);

/*
 * Queues a change (takes it) and calls done, in order, once it is on disk.
 * It is retried until it is; done may be NULL. Urgent ones start a commit at once.
 */
void store_submit(struct store *s, struct change *c, bool urgent, void (*done)(void *arg), void *arg);
/* Queues a device's poll for the second's commit; copies. False: dropped, and counted, since the queue is full. */
bool store_put_poll(struct store *s, const struct poll *p);

struct store_state {
    size_t queued_changes, queued_polls; /* waiting or under way */
    bool stuck;                          /* the last commit failed */
    char why[160];                       /* of being stuck */
    size_t pack_waiting;                 /* batches of polls of an hour that is over, not yet packed */
    int64_t pack_lag_ms;                 /* since that hour ended; 0: all are packed */
    uint64_t packed_polls, unreadable_polls;
    size_t wal_pages;         /* written ahead and not yet in the database proper */
    uint64_t refused_changes; /* see lost() in the configuration */
    uint64_t commits, failed_commits, polls, readings, dropped_polls, reading_bytes, events;
    int64_t last_event; /* number of the newest committed one */
};
void store_state(const struct store *s, struct store_state *out);

/*
 * Called in the loop after each commit with its first and last event number (last < first: none):
 * wakes tails. One listener.
 */
void store_on_commit(struct store *s, void (*fn)(void *ctx, int64_t first_event, int64_t last_event), void *ctx);

/* ---- Queries: named, paged, answered by the reader; query.c has each one's columns and filters ---- */

struct query_args {
    /* "devices", "alerts", "tickets", "ticket_steps", "events", "readings", "series", "outbox", "device", "alert", "ticket", "message", "customers",
     * "sites", "contacts", "staff", "contracts", "rounds", "visits", "items" */
    const char *name;
    const char *filters; /* JSON object of filter names to values; NULL: none. Unknown filters are an error */
    int64_t after;       /* cursor: rows with a key beyond this; 0 from the start */
    unsigned limit;      /* rows a page; 0: 500; at most 5000 */
};
struct query_page {
    /*
     * 0, PD_EINVAL (see why), PD_ENOENT (no such device), PD_ETIMEDOUT (too much to look through),
     * PD_ECANCELLED (the store is closing), PD_EIO …
     */
    int err;
    char *why;  /* English; NULL when err is 0 */
    char *rows; /* JSON array of objects */
    size_t nrows;
    int64_t next; /* cursor for the next page; 0: that was all */
};
/* done gets the page (borrowed) in the loop. */
void store_query(struct store *s, const struct query_args *args, void (*done)(void *arg, const struct query_page *page),
                 void *arg);

/* A device's month from its raw readings (store/month.h); takes the series. done in the loop; m is borrowed. */
void store_month(struct store *s, struct month_args *args, month_done done, void *arg);

#endif
