#include "tests/store/fixture.h"

#include <stdio.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

static int64_t fake_mono(void *ctx)
{
    return ((struct fixture *)ctx)->clock.mono;
}

static int64_t disk_delay(void *ctx)
{
    (void)ctx;
    return 10;
}

static void log_nowhere(void *ctx, const struct log_line *line)
{
    (void)ctx;
    (void)line;
}

static struct fixture *fixture_new(bool real)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->real = real;
    f->clock.wall = INT64_C(1767225600000); /* 2026 */
    f->wheel = wheel_new(0);
    f->writer = worker_start_inline(f->wheel, fake_mono, disk_delay, f);
    f->reader = worker_start_inline(f->wheel, fake_mono, disk_delay, f);
    rng_seed(&f->seeded, 1);
    if (real) {
        f->folder = xstrdup("/tmp/patrold-test-XXXXXX");
        assert_non_null(mkdtemp(f->folder));
        f->path = xasprintf("%s/patrold.db", f->folder);
    } else {
        f->mem = memvfs_new("memory", clock_fake_ops(&f->clock), rng_seeded_ops(&f->seeded));
        f->path = xstrdup("patrold.db");
    }
    log_set_sink(log_nowhere, NULL);
    return f;
}

int fixture_in_memory(void **state)
{
    *state = fixture_new(false);
    return 0;
}

int fixture_on_file(void **state)
{
    *state = fixture_new(true);
    return 0;
}

/* Of files only; it need not be there. */
static void remove_flat(const char *folder, const char *name)
{
    char *path = xasprintf("%s/%s", folder, name);
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(path);
    free(path);
}

static void remove_folder(struct fixture *f)
{
    static const char *const tails[] = {
        "", "-wal", "-shm", "-journal", ".lock", ".replaced", ".replaced-wal", ".replaced-journal", ".backup"};

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char *name = xasprintf("%s%s", f->path, tails[i]);

        unlink(name);
        free(name);
    }
    remove_flat(f->folder, "reports");
    remove_flat(f->folder, "reports.replaced");
    remove_flat(f->folder, "patrold.db.backup.reports");
    assert_int_equal(rmdir(f->folder), 0);
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;

    fixture_close(f);
    worker_stop(f->writer, NULL);
    worker_stop(f->reader, NULL);
    wheel_free(f->wheel);
    if (f->real)
        remove_folder(f);
    memvfs_free(f->mem);
    array_free(&f->told);
    array_free(&f->heard);
    array_free(&f->events);
    free(f->folder);
    free(f->path);
    free(f);
    log_set_sink(NULL, NULL);
    return 0;
}

/* ---- Opening ---- */

static void hear_trouble(void *ctx, int err, const char *text)
{
    struct fixture *f = ctx;

    assert_true((err < 0) == (text[0] != '\0'));
    f->trouble = err;
    f->troubles++;
}

static void hear_commit(void *ctx, const struct change *c)
{
    struct fixture *f = ctx;

    for (size_t i = 0; i < c->events.n; i++)
        array_push(&f->events, c->events.v[i].number);
}

struct note {
    struct fixture *f;
    int number;
};

static void hear_lost(void *ctx, void *arg)
{
    struct fixture *f = ctx;
    struct note *n = arg;

    array_push(&f->heard, -n->number);
    free(n);
}

struct store_config fixture_config(struct fixture *f)
{
    return (struct store_config){
        .path = f->path,
        .vfs = f->mem ? memvfs_name(f->mem) : NULL,
        .writer = f->writer,
        .reader = f->reader,
        .wheel = f->wheel,
        .clock = clock_fake_ops(&f->clock),
        .rng = rng_seeded_ops(&f->seeded),
        .flush_ms = 1000,
        .trouble = hear_trouble,
        .committed = hear_commit,
        .lost = hear_lost,
        .ctx = f,
    };
}

int fixture_try_open(struct fixture *f, char **why)
{
    struct store_config config = fixture_config(f);
    char *text = NULL;
    int rc = store_open(&config, &f->store, &text);

    assert_true((rc < 0) == (text != NULL));
    if (why)
        *why = text;
    else
        free(text);
    return rc;
}

void fixture_open(struct fixture *f)
{
    char *why;
    int rc = fixture_try_open(f, &why);

    if (rc < 0)
        fail_msg("store_open(): %d, %s", rc, why);
}

/* Whoever told them is gone with the store. */
static void forget_told(struct fixture *f)
{
    for (size_t i = 0; i < f->told.n; i++)
        array_free(&f->told.v[i].readings);
    f->told.n = 0;
}

void fixture_close(struct fixture *f)
{
    store_close(f->store);
    forget_told(f);
    f->store = NULL;
}

void fixture_pass(struct fixture *f, int64_t ms)
{
    for (int64_t end = f->clock.mono + ms; f->clock.mono < end;) {
        int64_t next = wheel_next(f->wheel), step = next < end ? next - f->clock.mono : end - f->clock.mono;

        clock_fake_advance(&f->clock, step > 0 ? step : 10);
        wheel_advance(f->wheel, f->clock.mono);
    }
}

/* ---- Changes ---- */

static void hear_done(void *arg)
{
    struct note *n = arg;

    array_push(&n->f->heard, n->number);
    free(n);
}

void fixture_submit_change(struct fixture *f, int number, struct change *c, bool urgent)
{
    struct note *n = xcalloc(1, sizeof *n);

    *n = (struct note){f, number};
    store_submit(f->store, c, urgent, hear_done, n);
}

void fixture_submit(struct fixture *f, int number, const char *kind, bool urgent)
{
    struct change *c = change_new();

    change_event(c, f->clock.wall, kind);
    fixture_submit_change(f, number, c, urgent);
}

void fixture_expect_heard(struct fixture *f, ...)
{
    size_t n = 0;
    va_list ap;
    int want;

    va_start(ap, f);
    while ((want = va_arg(ap, int)) != 0) {
        if (n >= f->heard.n || f->heard.v[n] != want)
            fail_msg("heard %d in place %zu, not %d", n < f->heard.n ? f->heard.v[n] : 0, n, want);
        n++;
    }
    va_end(ap);
    if (n != f->heard.n)
        fail_msg("heard %zu, not %zu", f->heard.n, n);
}

/* ---- Looking from outside ---- */

sqlite3 *fixture_connect(struct fixture *f, int flags)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2(f->path, &db, flags, f->mem ? memvfs_name(f->mem) : NULL), SQLITE_OK);
    return db;
}

char *fixture_look(struct fixture *f, const char *sql)
{
    sqlite3 *db = fixture_connect(f, SQLITE_OPEN_READONLY);
    sqlite3_stmt *stmt;
    char *text = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    text = xstrdup_null((const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return text;
}

void fixture_expect(struct fixture *f, const char *sql, const char *want)
{
    char *got = fixture_look(f, sql);

    if (!str_eq(got, want))
        fail_msg("%s: %s, not %s", sql, got ? got : "NULL", want);
    free(got);
}

void fixture_alter(struct fixture *f, const char *sql)
{
    sqlite3 *db = fixture_connect(f, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* ---- Queries ---- */

static void take_answer(void *arg, const struct query_page *page)
{
    struct answer *a = arg;

    assert_false(a->done);
    a->done = true;
    a->err = page->err;
    a->why = xstrdup_null(page->why);
    a->rows = xstrdup_null(page->rows);
    a->nrows = page->nrows;
    a->next = page->next;
}

void fixture_query(struct fixture *f, const char *name, const char *filters, int64_t after, unsigned limit,
                   struct answer *out)
{
    struct query_args args = {.name = name, .filters = filters, .after = after, .limit = limit};

    *out = (struct answer){0};
    store_query(f->store, &args, take_answer, out);
    assert_false(out->done);
    fixture_pass(f, 20);
    assert_true(out->done);
    assert_true((out->err < 0) == (out->why != NULL));
    assert_true((out->err < 0) == (out->rows == NULL));
}

void answer_fini(struct answer *a)
{
    free(a->why);
    free(a->rows);
    *a = (struct answer){0};
}

/* ---- Polls ---- */

static struct told_device *told_device(struct fixture *f, int64_t id)
{
    struct told_device d = {.id = id};

    for (size_t i = 0; i < f->told.n; i++)
        if (f->told.v[i].id == id)
            return &f->told.v[i];
    array_push(&f->told, d);
    return &f->told.v[f->told.n - 1];
}

static struct told_reading *told_reading(struct told_device *d, const struct reading *r)
{
    struct told_reading new = {.component = r->component, .point = r->point};

    for (size_t i = 0; i < d->readings.n; i++)
        if (d->readings.v[i].component == r->component && d->readings.v[i].point == r->point)
            return &d->readings.v[i];
    array_push(&d->readings, new);
    return &d->readings.v[d->readings.n - 1];
}

/* What it was in the chain; and it is what it is from now on. */
static struct reading_past step(struct told_device *d, const struct reading *r)
{
    struct told_reading *last = told_reading(d, r);
    bool number = r->value.quality == QUALITY_GOOD && (r->value.type == VALUE_INT || r->value.type == VALUE_NUM);
    struct reading_past past = {.told = PAST_NONE, .bits = last->bits};

    if (number && last->told && last->type == r->value.type)
        past.told = last->bits == r->value.bits ? PAST_SAME : PAST_GOOD;
    last->told = number;
    last->type = r->value.type;
    last->bits = r->value.bits;
    return past;
}

bool fixture_put_poll(struct fixture *f, int64_t device_id, int64_t at_ms, const struct reading *r, size_t n)
{
    struct told_device *d = told_device(f, device_id);
    uint32_t chain = d->chain.number;
    struct reading_past *past = xcalloc(n + 1, sizeof *past);
    bool taken;

    for (size_t i = 0; i < n; i++)
        past[i] = step(d, &r[i]);
    taken = store_put_poll(
        f->store, &(struct poll){
                      .device_id = device_id, .at_ms = at_ms, .readings = r, .past = past, .n = n, .chain = &d->chain});
    for (size_t i = 0; d->chain.number != chain && i < d->readings.n; i++)
        d->readings.v[i].told = false;
    free(past);
    return taken;
}
