#include "store/schema.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

#define APPLICATION_ID 0x50544c44 /* "PTLD" */

/*
 * One step for each version, from the one before; a step that was ever released
 * is never changed.
 *
 * There are few constraints on purpose: one that fails is a bug of ours, found
 * when it is too late to ask anybody, and costs a decision.
 */
static const char *const steps[] = {
    "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE device ("
    " id INTEGER PRIMARY KEY, name TEXT NOT NULL, address TEXT NOT NULL, port INTEGER NOT NULL, collector TEXT,"
    " credential TEXT, profile_wish TEXT, site TEXT, labels TEXT, profile TEXT, device_class TEXT, make TEXT,"
    " model TEXT, serial TEXT, firmware TEXT, added_ms INTEGER NOT NULL, identified_ms INTEGER NOT NULL,"
    " retired INTEGER NOT NULL) STRICT;"
    "CREATE INDEX device_name ON device (name);"
    "CREATE TABLE component ("
    " device_id INTEGER NOT NULL REFERENCES device, number INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,"
    " label TEXT, first_ms INTEGER NOT NULL, PRIMARY KEY (device_id, number)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE alert ("
    " id INTEGER PRIMARY KEY, family TEXT NOT NULL, device_id INTEGER NOT NULL, kind TEXT, key TEXT,"
    " label TEXT, rule TEXT, severity TEXT NOT NULL, state TEXT NOT NULL, suppressed INTEGER NOT NULL,"
    " opened_ms INTEGER NOT NULL, closed_ms INTEGER NOT NULL, acked_ms INTEGER NOT NULL, acked_by TEXT,"
    " ticket_id INTEGER NOT NULL, message_args TEXT) STRICT;"
    "CREATE INDEX alert_open ON alert (id) WHERE state <> 'ok';"
    "CREATE INDEX alert_device ON alert (device_id);"
    "CREATE TABLE hold ("
    " device_id INTEGER NOT NULL REFERENCES device, kind TEXT NOT NULL, key TEXT NOT NULL, rule TEXT NOT NULL,"
    " state TEXT NOT NULL, since_ms INTEGER NOT NULL, PRIMARY KEY (device_id, kind, key, rule)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE ticket ("
    " id INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, state TEXT NOT NULL,"
    " device_id INTEGER NOT NULL, alert_id INTEGER NOT NULL, family TEXT, component_kind TEXT, key TEXT, label TEXT,"
    " rule TEXT, category TEXT, severity TEXT NOT NULL, assignee TEXT, note TEXT, opened_ms INTEGER NOT NULL,"
    " changed_ms INTEGER NOT NULL, closed_ms INTEGER NOT NULL) STRICT;"
    "CREATE INDEX ticket_open ON ticket (id) WHERE state NOT IN ('closed', 'cancelled');"
    "CREATE INDEX ticket_device ON ticket (device_id);"
    "CREATE TABLE outbox ("
    " id INTEGER PRIMARY KEY, channel TEXT NOT NULL, message_id TEXT NOT NULL UNIQUE, recipient TEXT NOT NULL,"
    " subject TEXT, body TEXT, created_ms INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,"
    " next_ms INTEGER NOT NULL, sent_ms INTEGER NOT NULL, last_error TEXT) STRICT;"
    "CREATE INDEX outbox_pending ON outbox (id) WHERE state = 'pending';"
    "CREATE TABLE event ("
    " number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL, device_id INTEGER NOT NULL,"
    " alert_id INTEGER NOT NULL, ticket_id INTEGER NOT NULL, args TEXT NOT NULL, actor TEXT) STRICT;"
    "CREATE INDEX event_device ON event (device_id) WHERE device_id <> 0;"
    "CREATE INDEX event_ticket ON event (ticket_id) WHERE ticket_id <> 0;"
    "CREATE TABLE poll ("
    " slice INTEGER NOT NULL, device_id INTEGER NOT NULL, at_ms INTEGER NOT NULL, data BLOB NOT NULL,"
    " PRIMARY KEY (slice, device_id, at_ms)) STRICT, WITHOUT ROWID;",

    /* The archive; values as their canonical texts. */
    "ALTER TABLE device ADD COLUMN location TEXT;"
    "ALTER TABLE device ADD COLUMN asset TEXT;"
    "ALTER TABLE device ADD COLUMN installed_day TEXT;"
    "ALTER TABLE device ADD COLUMN accepted_day TEXT;"
    "ALTER TABLE device ADD COLUMN warranty_day TEXT;"
    "ALTER TABLE outbox ADD COLUMN sender TEXT;"
    "CREATE INDEX device_site ON device (site);"
    "CREATE TABLE customer ("
    " id INTEGER PRIMARY KEY, added_ms INTEGER NOT NULL, removed INTEGER NOT NULL, name TEXT NOT NULL, number TEXT,"
    " address TEXT, note TEXT) STRICT;"
    "CREATE TABLE site ("
    " id INTEGER PRIMARY KEY, added_ms INTEGER NOT NULL, removed INTEGER NOT NULL, name TEXT NOT NULL,"
    " customer TEXT, address TEXT, zone TEXT, region TEXT, note TEXT) STRICT;"
    "CREATE INDEX site_name ON site (name);"
    "CREATE TABLE contact ("
    " id INTEGER PRIMARY KEY, added_ms INTEGER NOT NULL, removed INTEGER NOT NULL, name TEXT NOT NULL,"
    " customer TEXT, site TEXT, role TEXT, phone TEXT, mail TEXT, language TEXT, gets TEXT) STRICT;"
    "CREATE TABLE staff ("
    " id INTEGER PRIMARY KEY, added_ms INTEGER NOT NULL, removed INTEGER NOT NULL, login TEXT NOT NULL, name TEXT,"
    " role TEXT, phone TEXT, mail TEXT, language TEXT, skills TEXT, sites TEXT, regions TEXT) STRICT;"
    "CREATE TABLE contract ("
    " id INTEGER PRIMARY KEY, added_ms INTEGER NOT NULL, removed INTEGER NOT NULL, number TEXT NOT NULL,"
    " customer TEXT, kind TEXT, \"from\" TEXT, \"to\" TEXT, sites TEXT, devices TEXT, calendar TEXT,"
    " p1 TEXT, p2 TEXT, p3 TEXT, p4 TEXT) STRICT;",

    /* Units behind one address, what a device is reached by, and whether it is away. */
    "ALTER TABLE device ADD COLUMN unit INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE device ADD COLUMN parent TEXT;"
    "ALTER TABLE device ADD COLUMN status TEXT;",

    /* The patrol. Rounds of one occurrence of a plan are one a site. */
    "CREATE TABLE round ("
    " id INTEGER PRIMARY KEY, plan TEXT NOT NULL, n INTEGER NOT NULL, title_en TEXT, title_zh_CN TEXT,"
    " site TEXT NOT NULL, state TEXT NOT NULL, due_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,"
    " made_ms INTEGER NOT NULL, started_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL, signed_ms INTEGER NOT NULL,"
    " technician TEXT, signed_by TEXT, note TEXT, chases INTEGER NOT NULL, chased_ms INTEGER NOT NULL,"
    " UNIQUE (plan, n, site)) STRICT;"
    "CREATE INDEX round_open ON round (id) WHERE state NOT IN ('reported', 'cancelled');"
    "CREATE INDEX round_due ON round (due_ms);"
    "CREATE TABLE visit ("
    " id INTEGER PRIMARY KEY, round_id INTEGER NOT NULL REFERENCES round, n INTEGER NOT NULL,"
    " device_id INTEGER NOT NULL, device TEXT, device_class TEXT, checklist TEXT, state TEXT NOT NULL,"
    " started_ms INTEGER NOT NULL, done_ms INTEGER NOT NULL, by TEXT, UNIQUE (round_id, n)) STRICT;"
    "CREATE INDEX visit_device ON visit (device_id);"
    "CREATE TABLE item ("
    " id INTEGER PRIMARY KEY, round_id INTEGER NOT NULL REFERENCES round, visit_id INTEGER NOT NULL REFERENCES visit,"
    " n INTEGER NOT NULL, code TEXT NOT NULL, title_en TEXT, title_zh_CN TEXT, polled INTEGER NOT NULL, kind TEXT,"
    " key TEXT, value TEXT, value_ms INTEGER NOT NULL, found TEXT, result TEXT NOT NULL, note TEXT, by TEXT,"
    " set_ms INTEGER NOT NULL, ticket_id INTEGER NOT NULL, UNIQUE (visit_id, n)) STRICT;"
    "CREATE INDEX item_round ON item (round_id);",
    /* Monthly reports, and what goes out with a mail. */
    "ALTER TABLE outbox ADD COLUMN attachments TEXT;"
    "CREATE TABLE report ("
    " id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, site_id INTEGER NOT NULL, customer TEXT, site TEXT NOT "
    "NULL,"
    " month TEXT NOT NULL, state TEXT NOT NULL, edition INTEGER NOT NULL, attempts INTEGER NOT NULL,"
    " due_ms INTEGER NOT NULL, made_ms INTEGER NOT NULL, mailed_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL,"
    " as_of_event INTEGER NOT NULL, path TEXT, mails TEXT, last_error TEXT, mail INTEGER NOT NULL,"
    " UNIQUE (customer_id, site_id, month)) STRICT;"
    "CREATE INDEX alert_closed ON alert (closed_ms);"
    "CREATE INDEX ticket_closed ON ticket (closed_ms);",

    /* What tickets went through: of those that are there already as their events tell it. */
    "ALTER TABLE ticket ADD COLUMN title TEXT;"
    "ALTER TABLE ticket ADD COLUMN origin TEXT;"
    "ALTER TABLE ticket ADD COLUMN site TEXT;"
    "ALTER TABLE ticket ADD COLUMN told TEXT;"
    "CREATE UNIQUE INDEX ticket_origin ON ticket (origin) WHERE origin IS NOT NULL;"
    "CREATE TABLE ticket_step ("
    " ticket_id INTEGER NOT NULL, n INTEGER NOT NULL, at_ms INTEGER NOT NULL, state TEXT NOT NULL,"
    " loaner INTEGER NOT NULL, PRIMARY KEY (ticket_id, n)) STRICT, WITHOUT ROWID;"
    "INSERT INTO ticket_step SELECT ticket_id, row_number() OVER (PARTITION BY ticket_id ORDER BY number), at_ms,"
    " iif(kind = 'ticket.opened', 'new', json_extract(args, '$.to')), 0 FROM event"
    " WHERE ticket_id <> 0 AND (kind = 'ticket.opened' OR json_valid(args) AND json_extract(args, '$.to') IS NOT "
    "NULL);",

    /* What is remembered of each device for judging, as watch keeps it. */
    "CREATE TABLE history (device_id INTEGER PRIMARY KEY REFERENCES device, data BLOB NOT NULL) STRICT;",

    /* Who a device is. */
    "ALTER TABLE device ADD COLUMN mac TEXT;"
    "ALTER TABLE device ADD COLUMN engine_id TEXT;"
    "ALTER TABLE device ADD COLUMN identity TEXT;"
    "ALTER TABLE device ADD COLUMN claims TEXT;"
    "ALTER TABLE device ADD COLUMN moved_from TEXT;"
    "ALTER TABLE device ADD COLUMN twin TEXT;"
    "ALTER TABLE device ADD COLUMN merged_into INTEGER NOT NULL DEFAULT 0;",

    /* A merge that was a mistake gives tickets back. */
    "ALTER TABLE ticket ADD COLUMN merged_from INTEGER NOT NULL DEFAULT 0;",

    /* Polls stand as they came, and what was reckoned of them beside: keys.h. */
    "ALTER TABLE poll RENAME TO poll_before;"
    "CREATE TABLE poll (key INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, data BLOB NOT NULL) STRICT;"
    "INSERT INTO poll SELECT (row_number() OVER (PARTITION BY device_id ORDER BY at_ms) << 28) | device_id, at_ms, data"
    " FROM poll_before WHERE device_id BETWEEN 1 AND 268435455 ORDER BY 1;"
    "DROP TABLE poll_before;"
    "CREATE TABLE packed (key INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
    "CREATE TABLE hourly (key INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
    "CREATE TABLE daily (key INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
    "CREATE TABLE pack ("
    " id INTEGER PRIMARY KEY, begins INTEGER NOT NULL, ends INTEGER NOT NULL, device INTEGER NOT NULL,"
    " hour INTEGER NOT NULL, day INTEGER NOT NULL, day_device INTEGER NOT NULL, month INTEGER NOT NULL,"
    " month_device INTEGER NOT NULL) STRICT;"
    "INSERT INTO pack VALUES (1, 0, 0, 0, 0, 0, 0, 0, 0);",

    /* Which point of a kind a reading's number means. */
    "CREATE TABLE point ("
    " kind TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, number)) STRICT, WITHOUT "
    "ROWID;",
    /* Nothing but the version: polls may be told by the one before them (blob.h), which an older patrold cannot read. */
    "",
};
enum { NEWEST = sizeof steps / sizeof *steps };

int schema_newest(void)
{
    return NEWEST;
}

/* ---- Whose it is ---- */

struct stamp {
    int64_t application, version, objects;
};

static int read_stamp(struct db *db, struct stamp *out)
{
    int rc = db_number(db, "PRAGMA application_id", &out->application);

    if (rc == 0)
        rc = db_number(db, "PRAGMA user_version", &out->version);
    if (rc == 0)
        rc = db_number(db, "SELECT count(*) FROM sqlite_schema", &out->objects);
    return rc;
}

static int check_stamp(const struct stamp *s, char **why)
{
    if (s->application == 0 && s->version == 0 && s->objects == 0)
        return 0;
    if (s->application != APPLICATION_ID) {
        *why = xasprintf("is not patrold's: another program made this database");
        return PD_EINVAL;
    }
    if (s->version > NEWEST) {
        *why = xasprintf("has schema %lld, made by a newer patrold; this one knows up to schema %d",
                         (long long)s->version, NEWEST);
        return PD_EVERSION;
    }
    if (s->version < 1) {
        *why = xasprintf("claims schema %lld, which never was", (long long)s->version);
        return PD_ECORRUPT;
    }
    return 0;
}

int schema_check(struct db *db, char **why)
{
    struct stamp found;
    int rc = read_stamp(db, &found);

    if (rc < 0) {
        *why = xstrdup(db_why(db));
        return rc;
    }
    if (found.objects == 0 && found.application == 0) {
        *why = xasprintf("is no database of patrold's: it is empty");
        return PD_EINVAL;
    }
    return check_stamp(&found, why);
}

/* ---- Migration ---- */

static void make_uuid(const struct pd_rng *rng, char out[static 37])
{
    uint8_t b[16];
    int n = 0;

    rng->fill(rng->ctx, b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40); /* RFC 9562: version 4, variant 10 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++)
        n += snprintf(out + n, (size_t)(37 - n), i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
}

static int put_meta(struct db *db, const char *name, const char *value)
{
    sqlite3_stmt *stmt = db_stmt(db, SQL_PUT_META);

    sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 2, value, -1, SQLITE_STATIC);
    return db_run(db, stmt);
}

static int make_identity(struct db *db, const struct pd_rng *rng)
{
    char uuid[37];
    int rc;

    make_uuid(rng, uuid);
    rc = put_meta(db, "store.uuid", uuid);
    return rc == 0 ? put_meta(db, "store.epoch", "1") : rc;
}

static int stamp(struct db *db)
{
    char sql[100];

    snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, NEWEST);
    return db_exec(db, sql);
}

static int migrate(struct db *db, int64_t from, const struct pd_rng *rng)
{
    int rc = db_exec(db, "BEGIN EXCLUSIVE");

    for (int64_t v = from; v < NEWEST && rc == 0; v++)
        rc = db_exec(db, steps[v]);
    if (rc == 0 && from == 0)
        rc = make_identity(db, rng);
    if (rc == 0)
        rc = stamp(db);
    if (rc == 0)
        rc = db_exec(db, "COMMIT");
    return rc;
}

/* SQLite keeps the old journal, without an error, where the file system can't do a WAL. */
static int use_wal(struct db *db, char **why)
{
    sqlite3_stmt *stmt;
    int rc = PD_ENOTSUP;

    if (sqlite3_prepare_v2(db->sqlite, "PRAGMA journal_mode = WAL", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        rc = db_error(db);
    else if (str_eq((const char *)sqlite3_column_text(stmt, 0), "wal"))
        rc = 0;
    else
        *why = xasprintf("can't be written ahead (WAL) on this file system: put it on a local disk");
    sqlite3_finalize(stmt);
    return rc;
}

/* Secure deletion costs a write for each byte deleted, and nothing secret is kept here. */
static int configure(struct db *db)
{
    return db_exec(db, "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                       "PRAGMA journal_size_limit = 16777216; PRAGMA foreign_keys = ON; PRAGMA secure_delete = OFF;"
                       "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000");
}

int schema_prepare(struct db *db, const struct pd_rng *rng, char **why)
{
    struct stamp found;
    int rc;

    *why = NULL;
    /* Or closing a refused database would still write its WAL back. */
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    rc = read_stamp(db, &found);
    if (rc == 0 && (rc = check_stamp(&found, why)) < 0)
        return rc;
    if (rc == 0)
        rc = use_wal(db, why);
    if (rc == 0)
        rc = configure(db);
    if (rc == 0 && found.version < NEWEST)
        rc = migrate(db, found.version, rng);
    if (rc < 0) {
        if (!*why)
            *why = xstrdup(db_why(db));
        db_rollback(db);
        return rc;
    }
    sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return 0;
}

/* ---- Identity ---- */

/* Four signs that are read and told apart over the telephone, from the random part of the uuid. */
static void make_prefix(struct store_identity *id)
{
    static const char signs[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    unsigned bits;

    if (sscanf(id->uuid, "%8x", &bits) != 1)
        bits = 0;
    for (int i = 0; i < 4; i++, bits >>= 5)
        id->prefix[i] = signs[bits % 32];
    id->prefix[4] = '\0';
}

int schema_identity(struct db *db, struct store_identity *out, char **why)
{
    sqlite3_stmt *stmt = NULL;
    int rc = PD_ECORRUPT;

    if (sqlite3_prepare_v2(db->sqlite,
                           "SELECT u.value, CAST(e.value AS INTEGER) FROM meta u, meta e"
                           " WHERE u.name = 'store.uuid' AND e.name = 'store.epoch'",
                           -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == 36) {
        memcpy(out->uuid, sqlite3_column_text(stmt, 0), 37);
        out->epoch = sqlite3_column_int64(stmt, 1);
        make_prefix(out);
        rc = 0;
    } else {
        *why = xasprintf("does not say which installation it belongs to: %s", db_why(db));
    }
    sqlite3_finalize(stmt);
    return rc;
}
