#include "store/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/filter.h"
#include "store/query_readings.h"
#include "store/query_series.h"

enum {
    LIMIT_DEFAULT = 500,
    LIMIT_MAX = 5000,
    PAGE_BYTES = 4 << 20,
    /* Steps of SQLite's machine that a page may take: somewhat under a second, yet no clock is asked. */
    STEPS_MAX = 30000000,
};

/*
 * A query is "SELECT columns FROM … WHERE key > :after", the conditions of the
 * filters that are given, and the order of its key. A column named NAME:json is
 * JSON already, NAME:bool true or false.
 */
struct query {
    const char *name;
    const char *select;
    const char *key; /* also the first column */
    const struct filter *filters;
};

#define OF_DEVICE(column) " AND " column " IN (SELECT id FROM device WHERE name = :device OR id = :device)"
#define JSON_OR_TEXT(column, as) "iif(json_valid(" column "), " column ", json_quote(" column ")) AS \"" as ":json\""

/* SQLite takes event_device and event_ticket only where their condition stands in the query too: "<> 0". */
#define DEVICE_COLUMNS                                                                                                 \
    "SELECT d.id, d.name, d.address, d.port, d.collector, d.credential, d.profile_wish, d.site, d.labels, d.profile,"  \
    " d.unit, d.parent, d.status, d.location, d.asset, d.installed_day AS installed, d.accepted_day AS accepted, "     \
    "d.warranty_day AS warranty,"                                                                                      \
    " (SELECT s.customer FROM site s WHERE s.name = d.site AND NOT s.removed) AS customer,"                            \
    " d.device_class, d.make, d.model, d.serial, d.firmware, d.mac, d.identity, d.claims, d.twin, d.added_ms, "        \
    "d.identified_ms,"                                                                                                 \
    " d.retired AS \"retired:bool\","                                                                                  \
    " iif(d.retired, (SELECT max(e.at_ms) FROM event e WHERE e.device_id = d.id AND e.device_id <> 0"                  \
    " AND e.kind = 'device.removed'), 0) AS removed_ms,"                                                               \
    " (SELECT count(*) FROM alert a WHERE a.device_id = d.id AND a.state <> 'ok') AS open_alerts FROM device d"

#define ALERT_COLUMNS                                                                                                  \
    "SELECT a.id, a.family, a.rule, a.severity, a.state, a.suppressed AS \"suppressed:bool\", a.device_id,"            \
    " d.name AS device, a.kind, a.key, a.label, a.opened_ms, a.closed_ms, a.acked_ms, a.acked_by, a.ticket_id,"        \
    " t.number AS ticket, " JSON_OR_TEXT("a.message_args",                                                             \
                                         "message_args") " FROM alert a LEFT JOIN device d ON d.id = a.device_id "     \
                                                         "LEFT JOIN ticket t ON t.id = a.ticket_id"

#define TICKET_COLUMNS                                                                                                 \
    "SELECT t.id, t.number, t.kind, t.state, t.severity, t.category, t.device_id, d.name AS device,"                   \
    " coalesce(d.site, t.site) AS site, t.alert_id, t.family, t.rule, t.component_kind, t.key, t.label, t.title,"      \
    " t.origin, t.assignee, t.note, t.told, t.opened_ms, t.changed_ms, t.closed_ms"                                    \
    " FROM ticket t LEFT JOIN device d ON d.id = t.device_id"

#define ENTRY(alias) "SELECT " alias ".id, " alias ".added_ms, " alias ".removed AS \"removed:bool\", "
#define SITES_OF(customer) "(SELECT s.name FROM site s WHERE s.customer = " customer " AND NOT s.removed)"
/* Whether a list of names, parted by commas, holds one. */
#define LISTS(list, name) "instr(',' || " list " || ',', ',' || " name " || ',') > 0"

#define CUSTOMER_COLUMNS                                                                                               \
    ENTRY("c")                                                                                                         \
    "c.name, c.number, c.address, c.note,"                                                                             \
    " (SELECT count(*) FROM site s WHERE s.customer = c.name AND NOT s.removed) AS sites,"                             \
    " (SELECT count(*) FROM device d WHERE d.site IN " SITES_OF("c.name") " AND NOT d.retired) AS devices"             \
                                                                          " FROM customer c"
#define SITE_COLUMNS                                                                                                   \
    ENTRY("s")                                                                                                         \
    "s.name, s.customer, s.address, s.zone, s.region, s.note,"                                                         \
    " (SELECT count(*) FROM device d WHERE d.site = s.name AND NOT d.retired) AS devices FROM site s"
#define CONTACT_COLUMNS                                                                                                \
    ENTRY("c") "c.name, c.customer, c.site, c.role, c.phone, c.mail, c.language, c.gets FROM contact c"
#define STAFF_COLUMNS                                                                                                  \
    ENTRY("s")                                                                                                         \
    "s.login, s.name, s.role, s.phone, s.mail, s.language, s.skills, s.sites, s.regions FROM staff s"
#define CONTRACT_COLUMNS                                                                                               \
    ENTRY("c")                                                                                                         \
    "c.number, c.customer, c.kind, c.\"from\", c.\"to\", c.sites, c.devices, c.calendar, c.p1, c.p2, c.p3, c.p4"       \
    " FROM contract c"

#define ROUND_COLUMNS                                                                                                  \
    "SELECT r.id, r.plan, r.n, r.title_en, r.title_zh_CN, r.site,"                                                     \
    " (SELECT s.customer FROM site s WHERE s.name = r.site AND NOT s.removed) AS customer, r.state, r.due_ms,"         \
    " r.deadline_ms, r.made_ms, r.started_ms, r.finished_ms, r.signed_ms, r.technician, r.signed_by, r.note,"          \
    " r.chases, r.chased_ms, (SELECT count(*) FROM visit v WHERE v.round_id = r.id) AS visits,"                        \
    " (SELECT count(*) FROM visit v WHERE v.round_id = r.id AND v.state IN ('done', 'gone')) AS visits_done,"          \
    " (SELECT count(*) FROM item i WHERE i.round_id = r.id) AS items,"                                                 \
    " (SELECT count(*) FROM item i WHERE i.round_id = r.id AND i.result = 'open') AS items_open,"                      \
    " (SELECT count(*) FROM item i WHERE i.round_id = r.id AND i.result = 'attention') AS attention,"                  \
    " (SELECT count(*) FROM item i WHERE i.round_id = r.id AND i.result = 'fault') AS fault FROM round r"
#define VISIT_COLUMNS                                                                                                  \
    "SELECT v.id, v.round_id, v.n, v.device_id, v.device, v.device_class, v.checklist, v.state, v.started_ms,"         \
    " v.done_ms, v.by, (SELECT count(*) FROM item i WHERE i.visit_id = v.id) AS items,"                                \
    " (SELECT count(*) FROM item i WHERE i.visit_id = v.id AND i.result = 'open') AS items_open,"                      \
    " (SELECT count(*) FROM item i WHERE i.visit_id = v.id AND i.result = 'attention') AS attention,"                  \
    " (SELECT count(*) FROM item i WHERE i.visit_id = v.id AND i.result = 'fault') AS fault FROM visit v"
#define ITEM_COLUMNS                                                                                                   \
    "SELECT i.id, i.round_id, i.visit_id, v.device_id, v.device, i.n, i.code, i.title_en, i.title_zh_CN,"              \
    " i.polled AS \"polled:bool\", i.kind, i.key, i.value, i.value_ms, i.found, i.result, i.note, i.by, i.set_ms,"     \
    " i.ticket_id, t.number AS ticket FROM item i JOIN visit v ON v.id = i.visit_id"                                   \
    " LEFT JOIN ticket t ON t.id = i.ticket_id"

static const struct choice alert_states[] = {
    {"open", " AND a.state <> 'ok'"}, {"closed", " AND a.state = 'ok'"}, {"all", ""}, {NULL, NULL}};
/* A group of states, or one of them by its code (ticket_state_name()). */
static const struct choice ticket_choices[] = {
    {"open", " AND t.state NOT IN ('closed', 'cancelled')"},
    {"ended", " AND t.state IN ('closed', 'cancelled')"},
    {"all", ""},
    {"new", " AND t.state = 'new'"},
    {"accepted", " AND t.state = 'accepted'"},
    {"dispatched", " AND t.state = 'dispatched'"},
    {"en-route", " AND t.state = 'en-route'"},
    {"on-site", " AND t.state = 'on-site'"},
    {"waiting-part", " AND t.state = 'waiting-part'"},
    {"waiting-customer", " AND t.state = 'waiting-customer'"},
    {"waiting-vendor", " AND t.state = 'waiting-vendor'"},
    {"remote-fixed", " AND t.state = 'remote-fixed'"},
    {"fixed", " AND t.state = 'fixed'"},
    {"signed", " AND t.state = 'signed'"},
    {"called-back", " AND t.state = 'called-back'"},
    {"closed", " AND t.state = 'closed'"},
    {"cancelled", " AND t.state = 'cancelled'"},
    {NULL, NULL},
};
static const struct choice retired_or_not[] = {
    {"true", " AND d.retired"}, {"false", " AND NOT d.retired"}, {NULL, NULL}};

static const struct filter devices_filters[] = {
    {.name = "device", .where = " AND (d.name = :device OR d.id = :device)"},
    {.name = "site", .where = " AND d.site = :site"},
    {.name = "customer", .where = " AND d.site IN " SITES_OF(":customer")},
    {.name = "class", .where = " AND d.device_class = :class"},
    {.name = "retired", .choices = retired_or_not, .otherwise = " AND NOT d.retired"},
    {0},
};
static const struct filter device_filters[] = {
    {.name = "device", .where = " AND (d.name = :device OR d.id = :device)", .wanted = true},
    {0},
};
static const struct filter alerts_filters[] = {
    {.name = "from",
     .where = " AND a.id IN (SELECT id FROM alert WHERE closed_ms = 0 UNION ALL"
              " SELECT id FROM alert WHERE closed_ms >= CAST(:from AS INTEGER))",
     .number = true},
    {.name = "to", .where = " AND a.opened_ms < CAST(:to AS INTEGER)", .number = true},
    {.name = "state", .choices = alert_states},
    {.name = "device", .where = OF_DEVICE("a.device_id")},
    {.name = "family", .where = " AND a.family = :family"},
    {.name = "severity", .where = " AND a.severity = :severity"},
    {0},
};
static const struct filter alert_filters[] = {{.name = "id", .where = " AND a.id = :id", .wanted = true}, {0}};
static const struct filter tickets_filters[] = {
    {.name = "from",
     .where = " AND t.id IN (SELECT id FROM ticket WHERE closed_ms = 0 UNION ALL"
              " SELECT id FROM ticket WHERE closed_ms >= CAST(:from AS INTEGER))",
     .number = true},
    {.name = "to", .where = " AND t.opened_ms < CAST(:to AS INTEGER)", .number = true},
    {.name = "state", .choices = ticket_choices},
    {.name = "device", .where = OF_DEVICE("t.device_id")},
    {.name = "site", .where = " AND coalesce(d.site, t.site) = :site"},
    {.name = "customer", .where = " AND coalesce(d.site, t.site) IN " SITES_OF(":customer")},
    {.name = "kind", .where = " AND t.kind = :kind"},
    {0},
};
static const struct filter ticket_filters[] = {
    {.name = "ticket", .where = " AND (t.number = :ticket OR t.id = :ticket)", .wanted = true},
    {0},
};
#define OF_TICKET(column) " AND " column " IN (SELECT id FROM ticket WHERE number = :ticket OR id = :ticket)"

static const struct filter ticket_steps_filters[] = {
    {.name = "ticket", .where = OF_TICKET("s.ticket_id"), .wanted = true},
    {0},
};
static const struct filter events_filters[] = {
    {.name = "kind", .where = " AND substr(e.kind, 1, length(:kind)) = :kind"}, /* a prefix */
    {.name = "device", .where = OF_DEVICE("e.device_id") " AND e.device_id <> 0"},
    {.name = "alert", .where = " AND e.alert_id = :alert"},
    {.name = "ticket", .where = OF_TICKET("e.ticket_id") " AND e.ticket_id <> 0"},
    {0},
};
static const struct filter components_filters[] = {
    {.name = "device", .where = OF_DEVICE("c.device_id"), .wanted = true},
    {0},
};
static const struct filter reports_filters[] = {
    {.name = "customer", .where = " AND r.customer = :customer"},
    {.name = "site", .where = " AND r.site = :site"},
    {.name = "month", .where = " AND r.month = :month"},
    {.name = "state", .where = " AND r.state = :state"},
    {0},
};
static const struct filter outbox_filters[] = {{.name = "state", .where = " AND o.state = :state"}, {0}};

#define REMOVED_OR_NOT(alias)                                                                                          \
    {                                                                                                                  \
        .name = "removed",                                                                                             \
        .choices = (const struct choice[]){{"true", " AND " alias ".removed"},                                         \
                                           {"false", " AND NOT " alias ".removed"},                                    \
                                           {NULL, NULL}},                                                              \
        .otherwise = " AND NOT " alias ".removed"                                                                      \
    }

static const struct filter customers_filters[] = {
    {.name = "customer", .where = " AND (c.name = :customer OR c.id = :customer)"}, REMOVED_OR_NOT("c"), {0}};
static const struct filter sites_filters[] = {
    {.name = "site", .where = " AND (s.name = :site OR s.id = :site)"},
    {.name = "customer", .where = " AND s.customer = :customer"},
    {.name = "region", .where = " AND s.region = :region"},
    REMOVED_OR_NOT("s"),
    {0},
};
/* Of a customer are also the contacts of its sites. */
static const struct filter contacts_filters[] = {
    {.name = "contact", .where = " AND (c.name = :contact OR c.id = :contact)"},
    {.name = "customer", .where = " AND (c.customer = :customer OR c.site IN " SITES_OF(":customer") ")"},
    {.name = "site", .where = " AND c.site = :site"},
    {.name = "gets", .where = " AND " LISTS("c.gets", ":gets")},
    REMOVED_OR_NOT("c"),
    {0},
};
static const struct filter staff_filters[] = {
    {.name = "staff", .where = " AND (s.login = :staff OR s.id = :staff)"},
    {.name = "role", .where = " AND s.role = :role"},
    {.name = "skill", .where = " AND " LISTS("s.skills", ":skill")},
    {.name = "site", .where = " AND " LISTS("s.sites", ":site")},
    {.name = "region", .where = " AND " LISTS("s.regions", ":region")},
    REMOVED_OR_NOT("s"),
    {0},
};
static const struct filter contracts_filters[] = {
    {.name = "contract", .where = " AND (c.number = :contract OR c.id = :contract)"},
    {.name = "customer", .where = " AND c.customer = :customer"},
    {.name = "kind", .where = " AND c.kind = :kind"},
    {.name = "site", .where = " AND " LISTS("c.sites", ":site")},
    REMOVED_OR_NOT("c"),
    {0},
};

/* As tickets': a group of states, or one of them (round_state_name()). */
static const struct choice round_choices[] = {
    {"open", " AND r.state NOT IN ('signed', 'reported', 'cancelled')"},
    {"ended", " AND r.state IN ('signed', 'reported', 'cancelled')"},
    {"all", ""},
    {"generated", " AND r.state = 'generated'"},
    {"in-progress", " AND r.state = 'in-progress'"},
    {"review", " AND r.state = 'review'"},
    {"signed", " AND r.state = 'signed'"},
    {"reported", " AND r.state = 'reported'"},
    {"overdue", " AND r.state = 'overdue'"},
    {"cancelled", " AND r.state = 'cancelled'"},
    {NULL, NULL},
};
/* From and to: when it was due, in milliseconds, the end not included. */
static const struct filter rounds_filters[] = {
    {.name = "round", .where = " AND r.id = :round", .number = true},
    {.name = "plan", .where = " AND r.plan = :plan"},
    {.name = "site", .where = " AND r.site = :site"},
    {.name = "customer", .where = " AND r.site IN " SITES_OF(":customer")},
    {.name = "state", .choices = round_choices},
    {.name = "from", .where = " AND r.due_ms >= CAST(:from AS INTEGER)", .number = true},
    {.name = "to", .where = " AND r.due_ms < CAST(:to AS INTEGER)", .number = true},
    {0},
};
static const struct filter visits_filters[] = {
    {.name = "round", .where = " AND v.round_id = :round", .number = true},
    {.name = "device", .where = " AND (v.device = :device OR v.device_id = :device)"},
    {0},
};
static const struct choice result_choices[] = {
    {"open", " AND i.result = 'open'"},
    {"ok", " AND i.result = 'ok'"},
    {"attention", " AND i.result = 'attention'"},
    {"fault", " AND i.result = 'fault'"},
    {"not-applicable", " AND i.result = 'not-applicable'"},
    {NULL, NULL},
};
static const struct filter items_filters[] = {
    {.name = "round", .where = " AND i.round_id = :round", .number = true},
    {.name = "device", .where = " AND (v.device = :device OR v.device_id = :device)"},
    {.name = "result", .choices = result_choices},
    {0},
};

static const struct filter message_filters[] = {{.name = "id", .where = " AND o.id = :id", .wanted = true}, {0}};

static const struct query queries[] = {
    {"devices", DEVICE_COLUMNS, "d.id", devices_filters},
    {"device", DEVICE_COLUMNS, "d.id", device_filters},
    {"alerts", ALERT_COLUMNS, "a.id", alerts_filters},
    {"alert", ALERT_COLUMNS, "a.id", alert_filters},
    {"tickets", TICKET_COLUMNS, "t.id", tickets_filters},
    {"ticket", TICKET_COLUMNS, "t.id", ticket_filters},
    {"ticket_steps", "SELECT s.n, s.ticket_id, s.at_ms, s.state, s.loaner AS \"loaner:bool\" FROM ticket_step s", "s.n",
     ticket_steps_filters},
    {"events",
     "SELECT e.number, e.at_ms, e.kind, e.device_id, d.name AS device, e.alert_id, e.ticket_id, t.number AS "
     "ticket, " JSON_OR_TEXT(
         "e.args",
         "args") ", e.actor"
                 " FROM event e LEFT JOIN device d ON d.id = e.device_id LEFT JOIN ticket t ON t.id = e.ticket_id",
     "e.number", events_filters},
    {"customers", CUSTOMER_COLUMNS, "c.id", customers_filters},
    {"sites", SITE_COLUMNS, "s.id", sites_filters},
    {"contacts", CONTACT_COLUMNS, "c.id", contacts_filters},
    {"staff", STAFF_COLUMNS, "s.id", staff_filters},
    {"contracts", CONTRACT_COLUMNS, "c.id", contracts_filters},
    {"rounds", ROUND_COLUMNS, "r.id", rounds_filters},
    {"visits", VISIT_COLUMNS, "v.id", visits_filters},
    {"items", ITEM_COLUMNS, "i.id", items_filters},
    {"components", "SELECT c.number, c.device_id, c.kind, c.key, c.label, c.first_ms FROM component c", "c.number",
     components_filters},
    {"reports",
     "SELECT r.id, r.month, r.customer, r.site, r.state, r.due_ms, r.made_ms, r.mailed_ms, r.next_ms, r.edition,"
     " r.attempts, r.as_of_event, r.path, r.last_error, r.mail AS \"mail:bool\" FROM report r",
     "r.id", reports_filters},
    {"outbox",
     "SELECT o.id, o.channel, o.message_id, o.recipient, o.subject, o.created_ms, o.state, o.attempts, o.next_ms,"
     " o.sent_ms, o.last_error FROM outbox o",
     "o.id", outbox_filters},
    {"message",
     "SELECT o.id, o.channel, o.message_id, o.sender, o.recipient, o.subject, o.body, o.created_ms, o.state,"
     " o.attempts, o.next_ms, o.sent_ms, o.last_error, o.attachments FROM outbox o",
     "o.id", message_filters},
};

/* ---- Rows as JSON ---- */

static bool cut_suffix(const char *name, const char *suffix, size_t *n)
{
    size_t all = strlen(name), tail = strlen(suffix);

    *n = all;
    if (all <= tail || strcmp(name + all - tail, suffix) != 0)
        return false;
    *n = all - tail;
    return true;
}

static void add_column(struct sbuf *out, sqlite3_stmt *stmt, int i)
{
    const char *name = sqlite3_column_name(stmt, i), *text;
    size_t n;
    bool json = cut_suffix(name, ":json", &n), boolean = !json && cut_suffix(name, ":bool", &n);

    sbuf_addf(out, "\"%.*s\":", (int)n, name);
    if (boolean) {
        sbuf_add(out, sqlite3_column_int(stmt, i) ? "true" : "false");
    } else if (sqlite3_column_type(stmt, i) == SQLITE_INTEGER) {
        sbuf_addf(out, "%lld", (long long)sqlite3_column_int64(stmt, i));
    } else {
        text = (const char *)sqlite3_column_text(stmt, i);
        if (json && text)
            sbuf_add(out, text);
        else
            sbuf_add_json(out, text);
    }
}

static void add_row(struct sbuf *out, sqlite3_stmt *stmt)
{
    int n = sqlite3_column_count(stmt);

    if (out->n > 1)
        sbuf_addc(out, ',');
    for (int i = 0; i < n; i++) {
        sbuf_addc(out, i == 0 ? '{' : ',');
        add_column(out, stmt, i);
    }
    sbuf_addc(out, '}');
}

/* ---- Running ---- */

static int too_long(void *ctx)
{
    (void)ctx;
    return 1;
}

static int read_rows(struct db *db, sqlite3_stmt *stmt, unsigned limit, struct query_page *page)
{
    struct sbuf rows = {0};
    int64_t last = 0;
    int rc, step;

    sbuf_addc(&rows, '[');
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (page->nrows == limit || rows.n > PAGE_BYTES) {
            page->next = last;
            break;
        }
        add_row(&rows, stmt);
        last = sqlite3_column_int64(stmt, 0);
        page->nrows++;
    }
    sbuf_addc(&rows, ']');
    rc = step == SQLITE_ROW ? 0 : db_error(db);
    if (rc == 0)
        page->rows = sbuf_take(&rows);
    sbuf_free(&rows);
    return rc;
}

static int run_query(struct db *db, const struct query *q, const struct query_args *args, unsigned limit,
                     struct query_page *page)
{
    struct filter_values given = {0};
    struct sbuf sql = {0};
    sqlite3_stmt *stmt = NULL;
    int rc = filter_parse(db, args->filters, q->filters, &given, &page->why);

    if (rc == 0) {
        sbuf_addf(&sql, "%s WHERE %s > :after", q->select, q->key);
        filter_sql(&sql, q->filters, &given);
        sbuf_addf(&sql, " ORDER BY %s LIMIT :limit", q->key);
        if (sqlite3_prepare_v2(db->sqlite, sql.s, -1, &stmt, NULL) != SQLITE_OK)
            rc = db_error(db);
    }
    if (rc == 0) {
        sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, ":after"), args->after);
        sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, ":limit"), (int64_t)limit + 1);
        filter_bind(stmt, q->filters, &given);
        rc = read_rows(db, stmt, limit, page);
    }
    sqlite3_finalize(stmt);
    sbuf_free(&sql);
    filter_values_fini(&given);
    return rc;
}

static const struct query *find_query(const char *name)
{
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        if (str_eq(queries[i].name, name))
            return &queries[i];
    return NULL;
}

static int unknown_query(const char *name, char **why)
{
    struct sbuf b = {0};

    sbuf_add(&b, "there is no query ");
    sbuf_add_json(&b, name);
    sbuf_add(&b, "; there are");
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
        sbuf_addf(&b, " %s,", queries[i].name);
    sbuf_add(&b, " readings, series");
    *why = sbuf_take(&b);
    return PD_EINVAL;
}

void query_run(struct db *db, const struct query_args *args, struct query_page *page)
{
    unsigned limit = args->limit == 0 ? LIMIT_DEFAULT : args->limit > LIMIT_MAX ? LIMIT_MAX : args->limit;
    const struct query *q = find_query(args->name);

    *page = (struct query_page){0};
    sqlite3_progress_handler(db->sqlite, STEPS_MAX, too_long, NULL);
    if (q)
        page->err = run_query(db, q, args, limit, page);
    else if (str_eq(args->name, "readings"))
        page->err = query_readings(db, args, limit, page);
    else if (str_eq(args->name, "series"))
        page->err = query_series(db, args, limit, page);
    else
        page->err = unknown_query(args->name, &page->why);
    sqlite3_progress_handler(db->sqlite, 0, NULL, NULL);
    if (page->err == PD_ETIMEDOUT && !page->why)
        page->why = xstrdup("there is too much to look through: ask with a later cursor or other filters");
    if (page->err < 0 && !page->why)
        page->why = xstrdup(db_why(db));
}

void query_page_fini(struct query_page *page)
{
    free(page->why);
    free(page->rows);
    *page = (struct query_page){0};
}

/* ---- As a job ---- */

struct query_job {
    struct job job;
    struct db *db;
    struct query_args args;
    struct query_page page;
    void (*done)(void *arg, const struct query_page *page);
    void *arg;
};

static void work_query(struct job *j)
{
    struct query_job *q = (struct query_job *)j;

    if (!atomic_load(&q->db->given_up))
        query_run(q->db, &q->args, &q->page);
    if (!atomic_load(&q->db->given_up) || (q->page.err == 0 && q->page.rows))
        return;
    query_page_fini(&q->page);
    q->page = (struct query_page){.err = PD_ECANCELLED, .why = xstrdup("patrold is stopping")};
}

static void done_query(struct job *j)
{
    struct query_job *q = (struct query_job *)j;

    q->done(q->arg, &q->page);
    query_page_fini(&q->page);
    free((char *)q->args.name);
    free((char *)q->args.filters);
    free(q);
}

struct job *query_job_new(struct db *db, const struct query_args *args,
                          void (*done)(void *arg, const struct query_page *page), void *arg)
{
    struct query_job *q = xcalloc(1, sizeof *q);

    q->job.work = work_query;
    q->job.done = done_query;
    q->db = db;
    q->args = *args;
    q->args.name = xstrdup(args->name);
    q->args.filters = xstrdup_null(args->filters);
    q->done = done;
    q->arg = arg;
    return &q->job;
}
