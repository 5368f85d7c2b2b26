#include "dbcheck.h"

#include <sqlite3.h>
#include <stdarg.h>

#include "base/err.h"

struct check {
    sqlite3 *db;
    struct sbuf *out;
    unsigned problems;
};

static void problem(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void problem(struct check *c, const char *fmt, ...)
{
    va_list ap;

    sbuf_add(c->out, "problem: ");
    va_start(ap, fmt);
    sbuf_vaddf(c->out, fmt, ap);
    va_end(ap);
    sbuf_addc(c->out, '\n');
    c->problems++;
}

static int open_db(const char *path, const char *vfs, sqlite3 **out)
{
    return sqlite3_open_v2(path, out, SQLITE_OPEN_READONLY, vfs) == SQLITE_OK ? 0 : PD_EIO;
}

static int64_t number(struct check *c, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t n = -1;

    if (sqlite3_prepare_v2(c->db, sql, -1, &stmt, NULL) == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW)
        n = sqlite3_column_int64(stmt, 0);
    else
        problem(c, "the database cannot be asked: %s", sqlite3_errmsg(c->db));
    sqlite3_finalize(stmt);
    return n;
}

static void want(struct check *c, const char *what, const char *sql, int64_t wanted)
{
    int64_t is = number(c, sql);

    if (is != wanted)
        problem(c, "%s: %lld in the database, %lld told", what, (long long)is, (long long)wanted);
}

static void check_integrity(struct check *c)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(c->db, "PRAGMA integrity_check", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        problem(c, "the database cannot be checked: %s", sqlite3_errmsg(c->db));
    else if (!str_eq((const char *)sqlite3_column_text(stmt, 0), "ok"))
        problem(c, "integrity_check: %s", (const char *)sqlite3_column_text(stmt, 0));
    sqlite3_finalize(stmt);
}

/* Every event that was told is there, as it was told. */
static void check_events(struct check *c, const struct witness *w)
{
    sqlite3_stmt *stmt = NULL;
    uint32_t digest = 0;
    int64_t n = 0;

    if (sqlite3_prepare_v2(c->db, "SELECT number, kind, args FROM event WHERE number <= ?1 ORDER BY number", -1, &stmt,
                           NULL) != SQLITE_OK) {
        problem(c, "the events cannot be asked: %s", sqlite3_errmsg(c->db));
        return;
    }
    sqlite3_bind_int64(stmt, 1, w->last_event);
    for (; sqlite3_step(stmt) == SQLITE_ROW; n++)
        digest = witness_digest(digest, sqlite3_column_int64(stmt, 0), (const char *)sqlite3_column_text(stmt, 1),
                                (const char *)sqlite3_column_text(stmt, 2));
    sqlite3_finalize(stmt);
    if (n != (int64_t)w->events)
        problem(c, "events up to %lld: %lld in the database, %llu told", (long long)w->last_event, (long long)n,
                (unsigned long long)w->events);
    else if (digest != w->digest)
        problem(c, "the database tells other events than were told");
}

static void check_alerts(struct check *c, const struct witness *w)
{
    int64_t open = 0;

    for (size_t i = 0; i < w->alerts.n; i++)
        open += w->alerts.v[i].closed_ms == INT64_MAX;
    want(c, "alerts", "SELECT count(*) FROM alert", (int64_t)w->alerts.n);
    want(c, "open alerts", "SELECT count(*) FROM alert WHERE state <> 'ok'", open);
    want(c, "tickets", "SELECT count(*) FROM ticket", (int64_t)w->tickets);
    want(c, "faults with two open alerts",
         "SELECT count(*) FROM (SELECT 1 FROM alert WHERE state <> 'ok'"
         " GROUP BY family, device_id, kind, key HAVING count(*) > 1)",
         0);
    want(c, "faults with two open tickets",
         "SELECT count(*) FROM (SELECT 1 FROM ticket WHERE state NOT IN ('closed', 'cancelled')"
         " GROUP BY family, device_id, component_kind, key HAVING count(*) > 1)",
         0);
}

static void check_mails(struct check *c, const struct witness *w)
{
    sqlite3_stmt *stmt = NULL;
    int64_t known = 0;

    if (sqlite3_prepare_v2(c->db, "SELECT count(*) FROM outbox WHERE message_id = ?1", -1, &stmt, NULL) != SQLITE_OK) {
        problem(c, "the outbox cannot be asked: %s", sqlite3_errmsg(c->db));
        return;
    }
    for (size_t i = 0; i < w->mails.n; i++) {
        sqlite3_reset(stmt);
        sqlite3_bind_text(stmt, 1, w->mails.v[i].id, -1, SQLITE_STATIC);
        if (sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int64(stmt, 0) == 1)
            known++;
        else
            problem(c, "a mail that the outbox does not know: %s", w->mails.v[i].id);
    }
    sqlite3_finalize(stmt);
    if (number(c, "SELECT count(*) FROM outbox WHERE state = 'sent'") > known)
        problem(c, "the outbox holds mails as sent that never arrived");
}

unsigned dbcheck_kept(const char *path, const char *vfs, const struct witness *w, struct sbuf *out)
{
    struct check c = {.out = out};

    if (open_db(path, vfs, &c.db) < 0) {
        problem(&c, "the database cannot be opened: %s", sqlite3_errmsg(c.db));
    } else {
        check_integrity(&c);
        check_events(&c, w);
        check_mails(&c, w);
    }
    sqlite3_close(c.db);
    return c.problems;
}

unsigned dbcheck(const char *path, const char *vfs, const struct witness *w, struct sbuf *out)
{
    struct check c = {.out = out};

    if (open_db(path, vfs, &c.db) < 0) {
        problem(&c, "the database cannot be opened: %s", sqlite3_errmsg(c.db));
    } else {
        check_integrity(&c);
        check_events(&c, w);
        want(&c, "last event", "SELECT coalesce(max(number), 0) FROM event", w->last_event);
        check_alerts(&c, w);
        check_mails(&c, w);
    }
    sqlite3_close(c.db);
    return c.problems;
}

int dbcheck_catch_up(const char *path, const char *vfs, struct witness *w, int64_t at_ms)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3 *db = NULL;
    int rc = open_db(path, vfs, &db);

    if (rc == 0 && sqlite3_prepare_v2(db,
                                      "SELECT number, kind, device_id, alert_id, ticket_id, args FROM event"
                                      " WHERE number > ?1 ORDER BY number",
                                      -1, &stmt, NULL) != SQLITE_OK)
        rc = PD_EIO;
    if (rc == 0)
        sqlite3_bind_int64(stmt, 1, w->last_event);
    while (rc == 0 && sqlite3_step(stmt) == SQLITE_ROW)
        witness_event(w, sqlite3_column_int64(stmt, 0), (const char *)sqlite3_column_text(stmt, 1),
                      sqlite3_column_int64(stmt, 2), sqlite3_column_int64(stmt, 3), sqlite3_column_int64(stmt, 4),
                      (const char *)sqlite3_column_text(stmt, 5), at_ms);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    return rc;
}
