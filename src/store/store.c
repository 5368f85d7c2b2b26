#include "store/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/txn.h"
#include "store/keys.h"
#include "store/load.h"
#include "store/month_job.h"
#include "store/query.h"
#include "store/schema.h"
#include "store/upkeep.h"

enum {
    CHAIN_POLLS = 16,  /* of which each is told by the one before: who is damaged takes those behind it along */
    POLLS_MAX = 20000, /* queued: at 10,000 devices a minute, two minutes */
    RETRY_FIRST_MS = 1000,
    RETRY_LAST_MS = 30000,
    CHECKPOINT_PAGES = 1000, /* 4 MB of WAL */
    UPKEEP_MS = 60000,
    PIECE_PAUSE_MS = 50, /* between pieces of upkeep: the loop's thread and commits come first */
    TRIM_MS = 600000,    /* an hour of polls at a time: so a clock that is wrong for an hour costs six */
    HOUR_GRACE_MS = 500, /* after the hour: its last polls are committed by then */
    RAW_DAYS = 45,
    HOURLY_DAYS = 731,
};

struct store {
    struct store_config config;
    struct db lock, writer, reader;
    struct store_identity identity;
    int64_t last_ids[ROW_META];

    struct store_batch *filling;
    struct store_batch *going; /* under way, or waiting for its next try */
    struct store_batch *spare;
    struct timer flush, retry;
    int64_t retry_ms;
    bool closing;
    /* Chains of polls go on within a period, which is as long as an hour. */
    uint32_t period, last_chain;
    int64_t period_hour;

    struct upkeep upkeep;
    struct timer upkeep_timer;
    struct timer piece_timer; /* the pause between two pieces */
    bool upkeep_going;
    int upkeep_err;
    bool checkpoint_wanted, piece_wanted, trim_wanted;
    int64_t trim_due_ms; /* monotonic */
    uint64_t commits_at_upkeep;

    struct store_state state;
    int trouble; /* last told */
    void (*on_commit)(void *ctx, int64_t first_event, int64_t last_event);
    void *on_commit_ctx;
};

static int64_t now_ms(const struct store *s)
{
    return clock_mono(&s->config.clock);
}

static int64_t this_hour(const struct store *s)
{
    return hour_of(clock_wall(&s->config.clock));
}

/* ---- Committing ---- */

static void work_txn(struct job *j)
{
    store_batch_commit((struct store_batch *)j);
}

static void start_txn(struct store *s)
{
    assert(!s->going);
    wheel_unset(s->config.wheel, &s->flush);
    if (s->period_hour != this_hour(s)) {
        s->period_hour = this_hour(s);
        s->period++;
        s->filling->cuts = true;
        s->filling->cut_hour = s->period_hour;
    }
    s->going = s->filling;
    s->filling = s->spare;
    s->spare = NULL;
    worker_submit(s->config.writer, &s->going->job);
}

/* Starts a commit now, or as soon as the one under way has ended. */
static void hurry(struct store *s)
{
    s->filling->urgent = true;
    if (!s->going)
        start_txn(s);
}

static void flush_due(void *arg)
{
    hurry(arg);
}

static void await_company(struct store *s, bool urgent)
{
    if (urgent)
        hurry(s);
    else if (!timer_is_set(&s->flush) && !s->filling->urgent)
        wheel_set(s->config.wheel, &s->flush, now_ms(s) + s->config.flush_ms);
}

static void retry_due(void *arg)
{
    struct store *s = arg;

    worker_submit(s->config.writer, &s->going->job);
}

static void tell_trouble(struct store *s, int err, const char *why)
{
    s->state.stuck = err < 0;
    snprintf(s->state.why, sizeof s->state.why, "%s", why);
    if (err == s->trouble)
        return;
    s->trouble = err;
    if (s->config.trouble)
        s->config.trouble(s->config.ctx, err, why);
}

static void txn_failed(struct store *s, struct store_batch *b)
{
    s->state.failed_commits++;
    tell_trouble(s, b->err, b->why);
    if (s->closing)
        return;
    wheel_set(s->config.wheel, &s->retry, now_ms(s) + s->retry_ms);
    s->retry_ms = s->retry_ms * 2 < RETRY_LAST_MS ? s->retry_ms * 2 : RETRY_LAST_MS;
}

static void lose(struct store *s, const struct txn_entry *e)
{
    s->state.queued_changes--;
    if (s->config.lost)
        s->config.lost(s->config.ctx, e->arg);
}

static void entry_refused(struct store *s, const struct store_batch *b, const struct txn_entry *e)
{
    const struct event *first = e->change->events.n > 0 ? &e->change->events.v[0] : NULL;

    log_error("store", "a change (%s, device %lld) is refused and left out: %s", first ? first->kind : "no event",
              first ? (long long)first->device_id : 0, b->refusal);
    s->state.refused_changes++;
    lose(s, e);
}

static void entry_committed(struct store *s, const struct txn_entry *e)
{
    s->state.queued_changes--;
    if (s->config.committed)
        s->config.committed(s->config.ctx, e->change);
    if (e->done)
        e->done(e->arg);
}

static void txn_committed(struct store *s, struct store_batch *b)
{
    struct store_state *st = &s->state;

    st->commits++;
    st->polls += b->polls.n;
    st->readings += b->readings;
    st->reading_bytes += b->blobs.n;
    st->events += (uint64_t)(b->last_event - b->first_event + 1);
    st->last_event = b->last_event;
    st->queued_polls -= b->polls.n;
    if (s->config.stored && b->polls.n)
        s->config.stored(s->config.ctx, b->polls.n);
    s->retry_ms = RETRY_FIRST_MS;
    tell_trouble(s, 0, "");
    for (size_t i = 0; i < b->entries.n; i++)
        if (b->entries.v[i].refused)
            entry_refused(s, b, &b->entries.v[i]);
        else
            entry_committed(s, &b->entries.v[i]);
    if (s->on_commit)
        s->on_commit(s->on_commit_ctx, b->first_event, b->last_event);
}

/* ---- Upkeep ---- */

static void work_upkeep(struct job *j)
{
    upkeep_run((struct upkeep *)j);
}

/* One thing at a time, and checkpoints first. */
static void start_upkeep(struct store *s)
{
    struct upkeep *u = &s->upkeep;

    if (s->upkeep_going || s->closing || (!s->checkpoint_wanted && !s->piece_wanted))
        return;
    s->upkeep_going = true;
    u->checkpoint = s->checkpoint_wanted;
    u->trim = s->trim_wanted;
    u->now_ms = clock_wall(&s->config.clock);
    if (u->checkpoint)
        s->checkpoint_wanted = false;
    else
        s->piece_wanted = false;
    worker_submit(s->config.writer, &u->job);
}

static void want_checkpoint(struct store *s)
{
    s->checkpoint_wanted = true;
    start_upkeep(s);
}

static void piece_due(void *arg)
{
    struct store *s = arg;

    s->piece_wanted = true;
    start_upkeep(s);
}

/* In a minute, or when the hour is over if that comes first. */
static int64_t next_tick_ms(const struct store *s)
{
    int64_t wall = clock_wall(&s->config.clock), hour_left = HOUR_MS - (wall % HOUR_MS + HOUR_MS) % HOUR_MS;

    return hour_left + HOUR_GRACE_MS < UPKEEP_MS ? hour_left + HOUR_GRACE_MS : UPKEEP_MS;
}

static void tell_upkeep(struct store *s, const struct upkeep *u)
{
    s->state.wal_pages = u->wal_pages;
    if (u->err < 0 && u->err != s->upkeep_err)
        log_warn("store", "upkeep failed, and is tried again: %s", u->why);
    s->upkeep_err = u->err;
    if (u->checkpoint || u->err < 0)
        return;
    s->state.pack_waiting = (size_t)u->told.waiting;
    s->state.pack_lag_ms = u->told.lag_ms > 0 ? u->told.lag_ms : 0;
    s->state.packed_polls += (uint64_t)u->told.polls;
    s->state.unreadable_polls += (uint64_t)u->told.unreadable;
    if (u->told.unreadable > 0)
        log_error("store", "%lld polls were left out when their hour was packed: nobody can read them",
                  (long long)u->told.unreadable);
}

static void done_upkeep(struct job *j)
{
    struct upkeep *u = (struct upkeep *)j;
    struct store *s = u->owner;

    s->upkeep_going = false;
    tell_upkeep(s, u);
    if (!u->checkpoint && u->err == 0) {
        s->trim_wanted &= u->trim;
        s->checkpoint_wanted |= s->state.wal_pages > CHECKPOINT_PAGES;
        if (u->told.more && !s->closing)
            wheel_set(s->config.wheel, &s->piece_timer, now_ms(s) + PIECE_PAUSE_MS);
    }
    start_upkeep(s);
}

/* The WAL is written back when nothing was committed since the last time, however short it is. */
static void upkeep_due(void *arg)
{
    struct store *s = arg;
    bool idle = s->commits_at_upkeep == s->state.commits;

    if (s->period_hour != this_hour(s))
        hurry(s);

    s->commits_at_upkeep = s->state.commits;
    wheel_set(s->config.wheel, &s->upkeep_timer, now_ms(s) + next_tick_ms(s));
    if (now_ms(s) >= s->trim_due_ms) {
        s->trim_due_ms = now_ms(s) + TRIM_MS;
        s->trim_wanted = true;
    }
    s->checkpoint_wanted |= idle && s->state.wal_pages > 0;
    piece_due(s);
}

static void done_txn(struct job *j)
{
    struct store_batch *b = (struct store_batch *)j;
    struct store *s = b->owner;
    bool cut = b->cuts;

    if (b->err < 0) {
        txn_failed(s, b);
        return;
    }
    s->state.wal_pages = b->wal_pages;
    txn_committed(s, b);
    store_batch_reset(b);
    s->spare = b;
    s->going = NULL;
    if (s->state.wal_pages > CHECKPOINT_PAGES)
        want_checkpoint(s);
    if (cut)
        piece_due(s); /* what came before it can be packed */
    if (s->filling->urgent)
        start_txn(s);
}

/* ---- What others call ---- */

void store_submit(struct store *s, struct change *c, bool urgent, void (*done)(void *arg), void *arg)
{
    struct txn_entry e = {.change = c, .done = done, .arg = arg};

    array_push(&s->filling->entries, e);
    s->state.queued_changes++;
    await_company(s, urgent);
}

static bool goes_on(const struct store *s, const struct poll_chain *c, int64_t at_ms)
{
    return c->number != 0 && c->period == s->period && c->polls < CHAIN_POLLS && at_ms > c->at_ms;
}

bool store_put_poll(struct store *s, const struct poll *p)
{
    struct poll_chain none = {0}, *chain = p->chain ? p->chain : &none, before = *chain;
    bool follows = p->past && goes_on(s, chain, p->at_ms);

    chain->number = 0;
    if (s->state.queued_polls >= POLLS_MAX) {
        s->state.dropped_polls++;
        return false;
    }
    if (p->device_id < 1 || p->device_id > DEVICE_MAX)
        return false;
    s->state.queued_polls++;
    store_batch_add_poll(s->filling, p, follows ? p->at_ms - before.at_ms : 0);
    s->last_chain += !follows;
    s->last_chain += s->last_chain == 0;
    *chain = (struct poll_chain){.number = follows ? before.number : s->last_chain,
                                 .period = s->period,
                                 .polls = follows ? before.polls + 1 : 1,
                                 .at_ms = p->at_ms};
    await_company(s, false);
    return true;
}

const struct store_identity *store_identity(const struct store *s)
{
    return &s->identity;
}

int64_t store_last_id(const struct store *s, enum row_kind kind)
{
    return kind < ROW_META ? s->last_ids[kind] : 0;
}

void store_state(const struct store *s, struct store_state *out)
{
    *out = s->state;
}

void store_on_commit(struct store *s, void (*fn)(void *ctx, int64_t first_event, int64_t last_event), void *ctx)
{
    s->on_commit = fn;
    s->on_commit_ctx = ctx;
}

void store_read_points(const char *path, const char *vfs, struct point_numbers *out)
{
    struct db db;
    sqlite3_stmt *stmt = NULL;
    char *why = NULL;

    if (db_open(&db, path, vfs, SQLITE_OPEN_READONLY, &why) < 0) {
        free(why);
        return;
    }
    if (sqlite3_prepare_v2(db.sqlite, "SELECT kind, name, number FROM point ORDER BY kind, number", -1, &stmt, NULL) ==
        SQLITE_OK)
        while (sqlite3_step(stmt) == SQLITE_ROW)
            point_numbers_add(out, (const char *)sqlite3_column_text(stmt, 0),
                              (const char *)sqlite3_column_text(stmt, 1), (unsigned)sqlite3_column_int(stmt, 2));
    sqlite3_finalize(stmt);
    db_close(&db);
}

void store_put_points(struct store *s, const struct vocabulary *v)
{
    for (size_t i = 0; i < v->kinds.n; i++)
        for (size_t k = 0; k < v->kinds.v[i]->points.n; k++) {
            const struct point_def *p = &v->kinds.v[i]->points.v[k];

            if (!str_eq(p->name, POINT_GONE))
                point_numbers_add(&s->filling->points, v->kinds.v[i]->name, p->name, p->slot);
        }
    await_company(s, false);
}

int store_load(struct store *s, const struct store_loader *loader)
{
    return load_all(&s->writer, loader);
}

void store_query(struct store *s, const struct query_args *args, void (*done)(void *arg, const struct query_page *page),
                 void *arg)
{
    worker_submit(s->config.reader, query_job_new(&s->reader, args, done, arg));
}

void store_month(struct store *s, struct month_args *args, month_done done, void *arg)
{
    worker_submit(s->config.reader, month_job_new(&s->reader, s->config.reader, args, done, arg));
}

/* ---- Opening and closing ---- */

static int read_last_ids(struct store *s)
{
    static const struct {
        enum row_kind kind;
        const char *sql;
    } rows[] = {
        {ROW_DEVICE, "SELECT max(id) FROM device"}, {ROW_ALERT, "SELECT max(id) FROM alert"},
        {ROW_TICKET, "SELECT max(id) FROM ticket"}, {ROW_OUTBOX, "SELECT max(id) FROM outbox"},
        {ROW_ROUND, "SELECT max(id) FROM round"},   {ROW_VISIT, "SELECT max(id) FROM visit"},
        {ROW_ITEM, "SELECT max(id) FROM item"},     {ROW_REPORT, "SELECT max(id) FROM report"},
    };
    int rc = db_number(&s->writer, "SELECT max(number) FROM event", &s->state.last_event);

    for (size_t i = 0; i < sizeof rows / sizeof *rows && rc == 0; i++)
        rc = db_number(&s->writer, rows[i].sql, &s->last_ids[rows[i].kind]);
    /* Batches that are gone count too: what is below `begins` waits for deletion. */
    if (rc == 0)
        rc = db_number(&s->writer,
                       "SELECT max(begins, ends, coalesce((SELECT max(key) >> 28 FROM poll) + 1, 0)) FROM pack",
                       &s->writer.next_batch);
    s->writer.cut = (struct chain_cut){.batch = s->writer.next_batch, .hour = this_hour(s)};
    return rc;
}

static int open_writer(struct store *s, char **why)
{
    char *reason = NULL;
    int rc = db_open(&s->writer, s->config.path, s->config.vfs, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, why);

    if (rc < 0)
        return rc;
    rc = schema_prepare(&s->writer, &s->config.rng, &reason);
    if (rc == 0)
        rc = schema_identity(&s->writer, &s->identity, &reason);
    if (rc == 0 && (rc = read_last_ids(s)) < 0)
        reason = xstrdup(db_why(&s->writer));
    if (rc < 0)
        *why = xasprintf("%s: %s", s->config.path, reason);
    else
        db_count_wal(&s->writer);
    free(reason);
    return rc;
}

static int open_all(struct store *s, char **why)
{
    int rc = db_lock(&s->lock, s->config.path, s->config.vfs, why);

    if (rc == 0)
        rc = open_writer(s, why);
    if (rc == 0)
        rc = db_open(&s->reader, s->config.path, s->config.vfs, SQLITE_OPEN_READONLY, why);
    return rc;
}

/* The reader first: it is the last one to close, and the one that may write, that writes the WAL back. */
static void store_free(struct store *s)
{
    wheel_unset(s->config.wheel, &s->flush);
    wheel_unset(s->config.wheel, &s->retry);
    wheel_unset(s->config.wheel, &s->upkeep_timer);
    wheel_unset(s->config.wheel, &s->piece_timer);
    packer_fini(&s->upkeep.packer);
    db_close(&s->reader);
    db_close(&s->writer);
    db_close(&s->lock);
    store_batch_free(s->filling);
    store_batch_free(s->going);
    store_batch_free(s->spare);
    free((char *)s->config.path);
    free((char *)s->config.vfs);
    free(s);
}

static struct store_batch *own_txn(struct store *s)
{
    struct store_batch *b = store_batch_new();

    b->job.work = work_txn;
    b->job.done = done_txn;
    b->db = &s->writer;
    b->owner = s;
    return b;
}

static int64_t days_ms(unsigned days, unsigned otherwise)
{
    return (days > 0 ? days : otherwise) * INT64_C(86400000);
}

static struct store *store_new(const struct store_config *config)
{
    struct store *s = xcalloc(1, sizeof *s);

    s->config = *config;
    s->config.path = xstrdup(config->path);
    s->config.vfs = xstrdup_null(config->vfs);
    s->filling = own_txn(s);
    s->spare = own_txn(s);
    s->retry_ms = RETRY_FIRST_MS;
    s->period_hour = this_hour(s);
    s->upkeep = (struct upkeep){.job = {.work = work_upkeep, .done = done_upkeep}, .owner = s};
    s->upkeep.packer = (struct packer){.db = &s->writer,
                                       .raw_ms = days_ms(config->raw_days, RAW_DAYS),
                                       .hourly_ms = days_ms(config->hourly_days, HOURLY_DAYS)};
    timer_init(&s->flush, flush_due, s);
    timer_init(&s->retry, retry_due, s);
    timer_init(&s->upkeep_timer, upkeep_due, s);
    timer_init(&s->piece_timer, piece_due, s);
    return s;
}

int store_open(const struct store_config *config, struct store **out, char **why)
{
    struct store *s = store_new(config);
    int rc = open_all(s, why);

    if (rc < 0) {
        store_free(s);
        return rc;
    }
    wheel_set(s->config.wheel, &s->upkeep_timer, now_ms(s) + next_tick_ms(s));
    *out = s;
    return 0;
}

static void lose_txn(struct store *s, const struct store_batch *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->entries.n; i++)
        lose(s, &b->entries.v[i]);
}

/* Commits until all is on disk, or nothing more gets there. */
static void commit_rest(struct store *s)
{
    if (timer_is_set(&s->retry)) {
        wheel_unset(s->config.wheel, &s->retry);
        retry_due(s);
    }
    worker_drain(s->config.writer);
    while (!s->going && !store_batch_empty(s->filling)) {
        start_txn(s);
        worker_drain(s->config.writer);
    }
}

void store_close(struct store *s)
{
    size_t lost;

    if (!s)
        return;
    s->closing = true;
    db_give_up(&s->reader);
    commit_rest(s);
    worker_drain(s->config.reader);
    lost = s->state.queued_changes;
    if (lost > 0)
        log_error("store", "%zu changes and %zu polls could not be stored before the end: %s", lost,
                  s->state.queued_polls, s->state.why);
    lose_txn(s, s->going);
    lose_txn(s, s->filling);
    store_free(s);
}
