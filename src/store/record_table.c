#include "store/record_table.h"

#include <stddef.h>
#include <string.h>

#include "base/date.h"
#include "base/err.h"
#include "store/archive_table.h"

/* Enumerations are stored as their codes, so that a number that moves in a header changes no database. */
struct codes {
    const char *(*name)(int value);
    int n;
};

enum field_type { FIELD_I64, FIELD_INT, FIELD_U32, FIELD_U16, FIELD_U8, FIELD_BOOL, FIELD_TEXT, FIELD_DAY, FIELD_CODE };

struct field {
    const char *name;
    enum field_type type;
    size_t offset;
    const struct codes *codes;
};

struct table {
    const char *name;
    size_t nkeys; /* the first columns are the key; 0: rows are never replaced */
    const struct field *fields;
    size_t nfields;
};

#define CODES(what, type, name_fn, count)                                                                              \
    static const char *what##_code(int value)                                                                          \
    {                                                                                                                  \
        return name_fn((type)value);                                                                                   \
    }                                                                                                                  \
    static const struct codes what##_codes = {what##_code, count};

static const char *hold_state_name(enum hold_state s)
{
    static const char *const names[] = {
        [HOLD_OK] = "ok", [HOLD_PENDING] = "pending", [HOLD_FIRING] = "firing", [HOLD_CLEARING] = "clearing"};

    return names[s];
}

CODES(severity, enum severity, severity_name, SEVERITY_CRITICAL + 1)
CODES(alert_state, enum alert_state, alert_state_name, ALERT_CLEARING + 1)
CODES(hold_state, enum hold_state, hold_state_name, HOLD_CLEARING + 1)
CODES(ticket_kind, enum ticket_kind, ticket_kind_name, TICKET_KIND_COUNT)
CODES(ticket_state, enum ticket_state, ticket_state_name, TICKET_STATE_COUNT)
CODES(round_state, enum round_state, round_state_name, ROUND_STATE_COUNT)
CODES(visit_state, enum visit_state, visit_state_name, VISIT_STATE_COUNT)
CODES(check_result, enum check_result, check_result_name, RESULT_COUNT)
CODES(report_state, enum report_state, report_state_name, REPORT_STATE_COUNT)
CODES(outbox_state, enum outbox_state, outbox_state_name, OUTBOX_STATE_COUNT)

#define FIELD(record, type, member)                                                                                    \
    {                                                                                                                  \
#member, FIELD_##type, offsetof(struct record, member), NULL                                                   \
    }
#define CODE(record, member, codes)                                                                                    \
    {                                                                                                                  \
#member, FIELD_CODE, offsetof(struct record, member), &codes##_codes                                           \
    }

static const struct field device_fields[] = {
    FIELD(device, I64, id),
    FIELD(device, TEXT, name),
    FIELD(device, TEXT, address),
    FIELD(device, U16, port),
    FIELD(device, TEXT, collector),
    FIELD(device, TEXT, credential),
    FIELD(device, TEXT, profile_wish),
    FIELD(device, TEXT, site),
    FIELD(device, TEXT, labels),
    FIELD(device, TEXT, location),
    FIELD(device, TEXT, asset),
    FIELD(device, DAY, installed_day),
    FIELD(device, DAY, accepted_day),
    FIELD(device, DAY, warranty_day),
    FIELD(device, TEXT, profile),
    FIELD(device, TEXT, device_class),
    FIELD(device, TEXT, make),
    FIELD(device, TEXT, model),
    FIELD(device, TEXT, serial),
    FIELD(device, TEXT, firmware),
    FIELD(device, I64, added_ms),
    FIELD(device, I64, identified_ms),
    FIELD(device, BOOL, retired),
    FIELD(device, U8, unit),
    FIELD(device, TEXT, parent),
    FIELD(device, TEXT, status),
    FIELD(device, TEXT, mac),
    FIELD(device, TEXT, engine_id),
    FIELD(device, TEXT, identity),
    FIELD(device, TEXT, claims),
    FIELD(device, TEXT, moved_from),
    FIELD(device, TEXT, twin),
    FIELD(device, I64, merged_into),
};

static const struct field component_fields[] = {
    FIELD(component, I64, device_id), FIELD(component, U32, number), FIELD(component, TEXT, kind),
    FIELD(component, TEXT, key),      FIELD(component, TEXT, label), FIELD(component, I64, first_ms),
};

static const struct field alert_fields[] = {
    FIELD(alert, I64, id),           FIELD(alert, TEXT, family),
    FIELD(alert, I64, device_id),    FIELD(alert, TEXT, kind),
    FIELD(alert, TEXT, key),         FIELD(alert, TEXT, label),
    FIELD(alert, TEXT, rule),        CODE(alert, severity, severity),
    CODE(alert, state, alert_state), FIELD(alert, BOOL, suppressed),
    FIELD(alert, I64, opened_ms),    FIELD(alert, I64, closed_ms),
    FIELD(alert, I64, acked_ms),     FIELD(alert, TEXT, acked_by),
    FIELD(alert, I64, ticket_id),    FIELD(alert, TEXT, message_args),
};

static const struct field hold_fields[] = {
    FIELD(hold_record, I64, device_id), FIELD(hold_record, TEXT, kind),       FIELD(hold_record, TEXT, key),
    FIELD(hold_record, TEXT, rule),     CODE(hold_record, state, hold_state), FIELD(hold_record, I64, since_ms),
};

static const struct field ticket_fields[] = {
    FIELD(ticket, I64, id),           FIELD(ticket, TEXT, number),
    CODE(ticket, kind, ticket_kind),  CODE(ticket, state, ticket_state),
    FIELD(ticket, I64, device_id),    FIELD(ticket, I64, alert_id),
    FIELD(ticket, TEXT, family),      FIELD(ticket, TEXT, component_kind),
    FIELD(ticket, TEXT, key),         FIELD(ticket, TEXT, label),
    FIELD(ticket, TEXT, rule),        FIELD(ticket, TEXT, category),
    CODE(ticket, severity, severity), FIELD(ticket, TEXT, title),
    FIELD(ticket, TEXT, origin),      FIELD(ticket, TEXT, site),
    FIELD(ticket, TEXT, assignee),    FIELD(ticket, TEXT, note),
    FIELD(ticket, TEXT, told),        FIELD(ticket, I64, opened_ms),
    FIELD(ticket, I64, changed_ms),   FIELD(ticket, I64, closed_ms),
    FIELD(ticket, I64, merged_from),
};

static const struct field step_fields[] = {
    FIELD(step_record, I64, ticket_id),     FIELD(step_record, U32, n),       FIELD(step_record, I64, at_ms),
    CODE(step_record, state, ticket_state), FIELD(step_record, BOOL, loaner),
};

static const struct field outbox_fields[] = {
    FIELD(outbox, I64, id),          FIELD(outbox, TEXT, channel),     FIELD(outbox, TEXT, message_id),
    FIELD(outbox, TEXT, sender),     FIELD(outbox, TEXT, recipient),   FIELD(outbox, TEXT, subject),
    FIELD(outbox, TEXT, body),       FIELD(outbox, I64, created_ms),   CODE(outbox, state, outbox_state),
    FIELD(outbox, INT, attempts),    FIELD(outbox, I64, next_ms),      FIELD(outbox, I64, sent_ms),
    FIELD(outbox, TEXT, last_error), FIELD(outbox, TEXT, attachments),
};

static const struct field report_fields[] = {
    FIELD(report, I64, id),
    FIELD(report, I64, customer_id),
    FIELD(report, I64, site_id),
    FIELD(report, TEXT, customer),
    FIELD(report, TEXT, site),
    FIELD(report, TEXT, month),
    CODE(report, state, report_state),
    FIELD(report, I64, edition),
    FIELD(report, I64, attempts),
    FIELD(report, I64, due_ms),
    FIELD(report, I64, made_ms),
    FIELD(report, I64, mailed_ms),
    FIELD(report, I64, next_ms),
    FIELD(report, I64, as_of_event),
    FIELD(report, TEXT, path),
    FIELD(report, TEXT, mails),
    FIELD(report, TEXT, last_error),
    FIELD(report, BOOL, mail),
};

static const struct field round_fields[] = {
    FIELD(round, I64, id),           FIELD(round, TEXT, plan),        FIELD(round, I64, n),
    FIELD(round, TEXT, title_en),    FIELD(round, TEXT, title_zh_CN), FIELD(round, TEXT, site),
    CODE(round, state, round_state), FIELD(round, I64, due_ms),       FIELD(round, I64, deadline_ms),
    FIELD(round, I64, made_ms),      FIELD(round, I64, started_ms),   FIELD(round, I64, finished_ms),
    FIELD(round, I64, signed_ms),    FIELD(round, TEXT, technician),  FIELD(round, TEXT, signed_by),
    FIELD(round, TEXT, note),        FIELD(round, INT, chases),       FIELD(round, I64, chased_ms),
};

static const struct field visit_fields[] = {
    FIELD(visit, I64, id),         FIELD(visit, I64, round_id),     FIELD(visit, INT, n),
    FIELD(visit, I64, device_id),  FIELD(visit, TEXT, device),      FIELD(visit, TEXT, device_class),
    FIELD(visit, TEXT, checklist), CODE(visit, state, visit_state), FIELD(visit, I64, started_ms),
    FIELD(visit, I64, done_ms),    FIELD(visit, TEXT, by),
};

static const struct field item_fields[] = {
    FIELD(visit_item, I64, id),           FIELD(visit_item, I64, round_id),
    FIELD(visit_item, I64, visit_id),     FIELD(visit_item, INT, n),
    FIELD(visit_item, TEXT, code),        FIELD(visit_item, TEXT, title_en),
    FIELD(visit_item, TEXT, title_zh_CN), FIELD(visit_item, BOOL, polled),
    FIELD(visit_item, TEXT, kind),        FIELD(visit_item, TEXT, key),
    FIELD(visit_item, TEXT, value),       FIELD(visit_item, I64, value_ms),
    FIELD(visit_item, TEXT, found),       CODE(visit_item, result, check_result),
    FIELD(visit_item, TEXT, note),        FIELD(visit_item, TEXT, by),
    FIELD(visit_item, I64, set_ms),       FIELD(visit_item, I64, ticket_id),
};

static const struct field event_fields[] = {
    FIELD(event, I64, number),   FIELD(event, I64, at_ms),     FIELD(event, TEXT, kind), FIELD(event, I64, device_id),
    FIELD(event, I64, alert_id), FIELD(event, I64, ticket_id), FIELD(event, TEXT, args), FIELD(event, TEXT, actor),
};

#define TABLE(name, nkeys, fields)                                                                                     \
    {                                                                                                                  \
        name, nkeys, fields, sizeof(fields) / sizeof *(fields)                                                         \
    }

static const struct table tables[TABLE_ARCHIVE] = {
    [ROW_DEVICE] = TABLE("device", 1, device_fields), [ROW_COMPONENT] = TABLE("component", 2, component_fields),
    [ROW_ALERT] = TABLE("alert", 1, alert_fields),    [ROW_HOLD] = TABLE("hold", 4, hold_fields),
    [ROW_TICKET] = TABLE("ticket", 1, ticket_fields), [ROW_OUTBOX] = TABLE("outbox", 1, outbox_fields),
    [ROW_ROUND] = TABLE("round", 1, round_fields),    [ROW_VISIT] = TABLE("visit", 1, visit_fields),
    [ROW_ITEM] = TABLE("item", 1, item_fields),       [ROW_REPORT] = TABLE("report", 1, report_fields),
    [TABLE_EVENT] = TABLE("event", 0, event_fields),  [ROW_STEP] = TABLE("ticket_step", 2, step_fields),
};

/* NULL for those of the archive. */
static const struct table *table_of(enum table_id table)
{
    return table < TABLE_ARCHIVE ? &tables[table] : NULL;
}

static enum archive_kind archive_of(enum table_id table)
{
    return (enum archive_kind)(table - TABLE_ARCHIVE);
}

static void add_names(struct sbuf *out, const struct table *t, size_t first, size_t end, const char *format)
{
    for (size_t i = first; i < end; i++) {
        const char *name = t->fields[i].name;

        if (i > first)
            sbuf_add(out, ", ");
        for (const char *p = format; *p; p++)
            if (*p == '@')
                sbuf_add(out, name);
            else
                sbuf_addc(out, *p);
    }
}

void record_put_sql(struct sbuf *out, enum table_id table)
{
    const struct table *t = table_of(table);

    if (!t) {
        archive_put_sql(out, archive_of(table));
        return;
    }
    sbuf_addf(out, "INSERT INTO %s (", t->name);
    add_names(out, t, 0, t->nfields, "@");
    sbuf_add(out, ") VALUES (");
    add_names(out, t, 0, t->nfields, ":@");
    sbuf_add(out, ")");
    if (t->nkeys == 0)
        return;
    sbuf_add(out, " ON CONFLICT (");
    add_names(out, t, 0, t->nkeys, "@");
    sbuf_add(out, ") DO UPDATE SET ");
    add_names(out, t, t->nkeys, t->nfields, "@ = excluded.@");
}

void record_select_sql(struct sbuf *out, enum table_id table)
{
    const struct table *t = table_of(table);

    if (!t) {
        archive_select_sql(out, archive_of(table));
        return;
    }
    sbuf_add(out, "SELECT ");
    add_names(out, t, 0, t->nfields, "@");
    sbuf_addf(out, " FROM %s", t->name);
}

/* A day is stored as people and SQLite write it, and not at all where there is none. */
static void bind_day(sqlite3_stmt *stmt, int i, int64_t day)
{
    char text[11];

    date_format(day, text);
    sqlite3_bind_text(stmt, i, day != 0 ? text : NULL, -1, SQLITE_TRANSIENT);
}

static void bind_field(sqlite3_stmt *stmt, int i, const struct field *f, const void *at)
{
    int value;

    switch (f->type) {
    case FIELD_I64:
        sqlite3_bind_int64(stmt, i, *(const int64_t *)at);
        break;
    case FIELD_INT:
        sqlite3_bind_int(stmt, i, *(const int *)at);
        break;
    case FIELD_U32:
        sqlite3_bind_int64(stmt, i, *(const uint32_t *)at);
        break;
    case FIELD_U16:
        sqlite3_bind_int(stmt, i, *(const uint16_t *)at);
        break;
    case FIELD_U8:
        sqlite3_bind_int(stmt, i, *(const uint8_t *)at);
        break;
    case FIELD_BOOL:
        sqlite3_bind_int(stmt, i, *(const bool *)at);
        break;
    case FIELD_TEXT:
        sqlite3_bind_text(stmt, i, *(char *const *)at, -1, SQLITE_STATIC);
        break;
    case FIELD_DAY:
        bind_day(stmt, i, *(const int64_t *)at);
        break;
    case FIELD_CODE:
        memcpy(&value, at, sizeof value);
        sqlite3_bind_text(stmt, i, f->codes->name(value), -1, SQLITE_STATIC);
        break;
    }
}

void record_bind(sqlite3_stmt *stmt, enum table_id table, const void *record)
{
    const struct table *t = table_of(table);

    if (!t) {
        archive_bind(stmt, archive_of(table), record);
        return;
    }
    for (size_t i = 0; i < t->nfields; i++)
        bind_field(stmt, (int)i + 1, &t->fields[i], (const char *)record + t->fields[i].offset);
}

static int read_code(sqlite3_stmt *stmt, int i, const struct codes *codes, void *at)
{
    const char *code = (const char *)sqlite3_column_text(stmt, i);

    for (int value = 0; value < codes->n; value++)
        if (str_eq(code, codes->name(value))) {
            memcpy(at, &value, sizeof value);
            return 0;
        }
    return PD_ECORRUPT;
}

static int read_day(sqlite3_stmt *stmt, int i, int64_t *at)
{
    const char *text = (const char *)sqlite3_column_text(stmt, i);

    *at = 0;
    return text && date_parse(text, at) < 0 ? PD_ECORRUPT : 0;
}

static int read_field(sqlite3_stmt *stmt, int i, const struct field *f, void *at)
{
    switch (f->type) {
    case FIELD_I64:
        *(int64_t *)at = sqlite3_column_int64(stmt, i);
        break;
    case FIELD_INT:
        *(int *)at = sqlite3_column_int(stmt, i);
        break;
    case FIELD_U32:
        *(uint32_t *)at = (uint32_t)sqlite3_column_int64(stmt, i);
        break;
    case FIELD_U16:
        *(uint16_t *)at = (uint16_t)sqlite3_column_int(stmt, i);
        break;
    case FIELD_U8:
        *(uint8_t *)at = (uint8_t)sqlite3_column_int(stmt, i);
        break;
    case FIELD_BOOL:
        *(bool *)at = sqlite3_column_int(stmt, i) != 0;
        break;
    case FIELD_TEXT:
        *(char **)at = (char *)sqlite3_column_text(stmt, i);
        break;
    case FIELD_DAY:
        return read_day(stmt, i, at);
    case FIELD_CODE:
        return read_code(stmt, i, f->codes, at);
    }
    return 0;
}

int record_read(sqlite3_stmt *stmt, enum table_id table, void *record)
{
    const struct table *t = table_of(table);
    int rc = 0;

    if (!t)
        return archive_read(stmt, archive_of(table), record);
    for (size_t i = 0; i < t->nfields && rc == 0; i++)
        rc = read_field(stmt, (int)i, &t->fields[i], (char *)record + t->fields[i].offset);
    return rc;
}
