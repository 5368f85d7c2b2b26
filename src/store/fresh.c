#include "store/fresh.h"

#include <stdlib.h>

#include "store/keys.h"

enum {
    DEVICES_FIRST = 256,
    GROUP_BYTES = 4 << 20, /* of polls, since each group looks into all batches; one device is taken whatever it has */
};

/* The range that is read. */
struct range {
    int64_t begins, ends, after, until;
};

static void take_row(struct fresh *f, sqlite3_stmt *stmt, int64_t device)
{
    struct fresh_poll p = {
        .device = device, .at_ms = sqlite3_column_int64(stmt, 1), .order = f->polls.n, .offset = f->blobs.n};

    p.n = (size_t)sqlite3_column_bytes(stmt, 2);
    sbuf_addn(&f->blobs, sqlite3_column_blob(stmt, 2), p.n);
    array_push(&f->polls, p);
}

/* The group's polls of a batch; *batch becomes the next one that has polls. */
static int take_batch(struct fresh *f, struct db *db, const struct range *r, int64_t *batch)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_POLLS_FROM);
    int64_t next = r->ends;
    int rc;

    sqlite3_bind_int64(stmt, 1, device_key(*batch, r->after + 1));
    while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
        int64_t key = sqlite3_column_int64(stmt, 0), device = key_device(key);

        if (key_number(key) != *batch) {
            next = key_number(key);
            break;
        }
        if (device > r->until) {
            if (f->next == 0 || device < f->next)
                f->next = device;
            next = *batch + 1;
            break;
        }
        take_row(f, stmt, device);
    }
    *batch = next;
    rc = db_error(db);
    sqlite3_reset(stmt);
    return rc;
}

static int compare_polls(const void *a, const void *b)
{
    const struct fresh_poll *x = a, *y = b;

    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* True if there is more than a group holds. */
static bool is_too_much(const struct fresh *f, const struct range *r)
{
    return f->blobs.n > GROUP_BYTES && r->until > r->after + 1;
}

/* Groups are as large as can be: half as large from now on where one was too large, else twice. */
int fresh_read(struct fresh *f, struct db *db, int64_t begins, int64_t ends, int64_t after)
{
    struct range r = {.begins = begins, .ends = ends, .after = after};
    bool again;
    int rc;

    f->devices = f->devices > 0 ? f->devices : DEVICES_FIRST;
    do {
        rc = 0;
        f->polls.n = 0;
        sbuf_reset(&f->blobs);
        f->next = 0;
        r.until = f->devices < DEVICE_MAX - after ? after + f->devices : DEVICE_MAX;
        for (int64_t batch = begins; batch < ends && rc == 0 && !is_too_much(f, &r);)
            rc = take_batch(f, db, &r, &batch);
        again = rc == 0 && is_too_much(f, &r);
        if (again)
            f->devices /= 2;
    } while (again);
    if (f->blobs.n < GROUP_BYTES / 3 && f->devices < DEVICE_MAX)
        f->devices *= 2;
    if (f->polls.n > 1)
        qsort(f->polls.v, f->polls.n, sizeof *f->polls.v, compare_polls);
    return rc;
}

void fresh_fini(struct fresh *f)
{
    array_free(&f->polls);
    sbuf_free(&f->blobs);
}
